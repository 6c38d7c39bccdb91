/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fetch.c - Fetch: each request opens a subscription, polls it once and closes it. Sessions
 * (KIP-227) are not kept: every answer says session 0, "none", so clients name all partitions
 * every time; a request that continues a session is told that there is none.
 *
 * Responses' partitions lie in one array; their place in it is the cookie of the subscription.
 * Between open and close nothing drops the request, or the subscription would stay: a partition
 * that memory does not suffice for gets an error like any other.
 */
#include <string.h>

#include "plugins/protocol/kafka/serve.h"

struct fetch {
    mrt_sub_open open;
    mrt_sub_set set;
    mrt_sub_part *parts;
    mrt_sub_poll poll;
    mrt_sub_poll_out result;
    struct kafka_fetch_response_partition *answers;
    int32_t *leaders; /* where a partition is led from elsewhere, else -1 */
};

_Static_assert(
    sizeof(struct kafka_fetch_response_node_endpoint) ==
            sizeof(struct kafka_produce_response_node_endpoint) &&
        offsetof(struct kafka_fetch_response_node_endpoint, rack) ==
            offsetof(struct kafka_produce_response_node_endpoint, rack),
    "kafka_answer_with_leaders() fills either");

static uint32_t count(const struct kafka_fetch_request *in)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < in->n_topics; i++)
        n += in->topics[i].n_partitions;
    return n;
}

static mrt_sub_part part_of(
    const struct kafka_fetch_request_topic *topic, const struct kafka_fetch_request_partition *from,
    uint32_t cookie)
{
    mrt_sub_part part = {
        .tp.topic = topic->topic.n ? topic->topic : (mrt_str){NULL, 0},
        .tp.partition = from->partition,
        .tp.leader_epoch = from->current_leader_epoch,
        .from = from->fetch_offset,
        .log_start = from->log_start_offset,
        .cookie = cookie,
        .fetched_epoch = from->last_fetched_epoch,
        .max_bytes = from->partition_max_bytes > 0 ? (uint32_t)from->partition_max_bytes : 0,
    };
    memcpy(part.tp.topic_id, topic->topic_id, sizeof part.tp.topic_id);
    return part;
}

/* What is subscribed to, and the answer's topics and partitions beside it. */
static uint32_t lay_out(struct kafka_request *r, struct fetch *f)
{
    const struct kafka_fetch_request *in = r->in;
    struct kafka_fetch_response *out = r->out;
    uint32_t n = 0;

    out->responses = kafka_take(r, in->n_topics * sizeof *out->responses);
    for (uint32_t i = 0; out->responses && i < in->n_topics; i++) {
        const struct kafka_fetch_request_topic *topic = &in->topics[i];
        out->responses[i] = (struct kafka_fetch_response_topic){
            .topic = topic->topic,
            .partitions = &f->answers[n],
            .n_partitions = topic->n_partitions,
        };
        memcpy(out->responses[i].topic_id, topic->topic_id, sizeof topic->topic_id);
        for (uint32_t j = 0; j < topic->n_partitions; j++, n++) {
            f->parts[n] = part_of(topic, &topic->partitions[j], n);
            f->answers[n] = (struct kafka_fetch_response_partition){
                .partition_index = topic->partitions[j].partition,
                .error_code = KAFKA_UNKNOWN_SERVER_ERROR,
                .high_watermark = -1,
                .last_stable_offset = -1,
                .log_start_offset = -1,
                .diverging_epoch = {-1, -1},
                .current_leader = {-1, -1},
                .snapshot_id = {-1, -1},
                .preferred_read_replica = -1,
                .records = {"", 0},
            };
        }
    }
    out->n_responses = out->responses ? in->n_topics : 0;
    f->set = (mrt_sub_set){sizeof f->set, n, NULL, f->parts};
    return out->responses != NULL;
}

static enum kafka_errors list_of(const struct kafka_request *r)
{
    return r->head.version >= 13 ? KAFKA_OF_FETCH_ID : KAFKA_OF_FETCH;
}

/* 0: no memory. */
static uint32_t fill_aborted(
    struct kafka_request *r, const mrt_sub_res *res, struct kafka_fetch_response_partition *out)
{
    struct kafka_fetch_response_aborted_transaction *v =
        r->memory.take(r->memory.ctx, (res->n_aborted + 1) * sizeof *v);

    for (uint32_t i = 0; i < res->n_aborted && v; i++)
        v[i] = (struct kafka_fetch_response_aborted_transaction){
            res->aborted[i].producer_id, res->aborted[i].first_offset};
    out->aborted_transactions = v;
    out->n_aborted_transactions = v ? res->n_aborted : 0;
    return v != NULL;
}

static void data_release(const mrt_slicev *data)
{
    if (data->lease)
        data->lease->ops->release(data->lease);
}

static void fill_partition(
    struct kafka_request *r, const mrt_sub_res *res, struct kafka_fetch_response_partition *out)
{
    const struct kafka_fetch_request *in = r->in;

    out->error_code = kafka_code(r, list_of(r), res->status, 0);
    out->high_watermark = res->high_watermark;
    out->last_stable_offset = res->last_stable;
    out->log_start_offset = res->log_start;
    out->preferred_read_replica = res->preferred_replica;
    if (res->diverged_epoch >= 0)
        out->diverging_epoch =
            (struct kafka_fetch_response_diverging_epoch){res->diverged_epoch, res->diverged_end};
    if (res->status == MRT_ENOTLEADER || res->status == MRT_EEPOCHOLD)
        out->current_leader =
            (struct kafka_fetch_response_leader){res->leader_id, res->leader_epoch};
    if (in->isolation_level && !fill_aborted(r, res, out)) {
        out->error_code = kafka_code(r, list_of(r), MRT_ENOMEM, 0);
        data_release(&res->data);
    } else if (res->data.bytes) {
        out->records = (mrt_str){(const char *)&res->data, res->data.bytes};
    } else {
        data_release(&res->data);
    }
}

static void closed(struct kafka_request *r, mrt_status status)
{
    struct kafka_fetch_response *out = r->out;
    struct fetch *f = r->state;
    uint32_t elsewhere = 0;

    (void)status; /* a subscription that cannot be closed is gone */
    for (uint32_t i = 0; i < f->set.n; i++) {
        f->leaders[i] = f->answers[i].current_leader.leader_id;
        elsewhere |= f->leaders[i] >= 0;
    }
    if (elsewhere && r->head.version >= 16)
        kafka_answer_with_leaders(
            r, f->leaders, f->set.n, &out->node_endpoints, &out->n_node_endpoints);
    else
        kafka_answer(r);
}

static void finish(struct kafka_request *r, mrt_status status)
{
    struct fetch *f = r->state;

    for (uint32_t i = 0; i < f->set.n && status != MRT_OK; i++)
        f->answers[i].error_code = kafka_code(r, list_of(r), status, 0);
    if (f->open.sub)
        kafka_call(r, MRT_OP_SUB_CLOSE, &f->open, NULL, closed);
    else
        kafka_answer(r);
}

static void polled(struct kafka_request *r, mrt_status status)
{
    struct fetch *f = r->state;

    for (uint32_t i = 0; i < f->result.n && status == MRT_OK; i++) {
        const mrt_sub_res *res = &f->result.parts[i];
        if ((uint64_t)res->cookie < f->set.n)
            fill_partition(r, res, &f->answers[res->cookie]);
        else
            data_release(&res->data); /* not a cookie of ours */
    }
    if (status == MRT_OK && f->result.n != f->set.n)
        kafka_log(
            r->session, MRT_LOG_ERROR, "bug_partitions_unanswered asked=%u answered=%u", f->set.n,
            f->result.n);
    finish(r, status);
}

static void subscribed(struct kafka_request *r, mrt_status status)
{
    const struct kafka_fetch_request *in = r->in;
    struct fetch *f = r->state;

    if (status != MRT_OK) {
        finish(r, status);
        return;
    }
    f->poll = (mrt_sub_poll){
        .size = sizeof f->poll,
        .isolation = in->isolation_level == 1,
        .sub = f->open.sub,
        .max_wait_ns = in->max_wait_ms > 0 ? (uint64_t)in->max_wait_ms * 1000000 : 0,
        .max_bytes = in->max_bytes > 0 ? (uint64_t)in->max_bytes : 0,
        .min_bytes = in->min_bytes > 0 ? (uint32_t)in->min_bytes : 0,
        .full = 1,
        .rack = in->rack_id,
    };
    f->result = (mrt_sub_poll_out){.size = sizeof f->result};
    kafka_call(r, MRT_OP_SUB_POLL, &f->poll, &f->result, polled);
}

static void opened(struct kafka_request *r, mrt_status status)
{
    struct fetch *f = r->state;

    if (status != MRT_OK) {
        f->open.sub = NULL;
        finish(r, status);
        return;
    }
    f->set.sub = f->open.sub;
    kafka_call(r, MRT_OP_SUB_SET, &f->set, NULL, subscribed);
}

static struct fetch *fetch_new(struct kafka_request *r, uint32_t n)
{
    struct fetch *f = kafka_take(r, sizeof *f);

    if (!f)
        return NULL;
    f->parts = kafka_take(r, n * sizeof *f->parts);
    f->answers = kafka_take(r, n * sizeof *f->answers);
    f->leaders = kafka_take(r, n * sizeof *f->leaders);
    return f->parts && f->answers && f->leaders && lay_out(r, f) ? f : NULL;
}

void kafka_serve_fetch(struct kafka_request *r)
{
    const struct kafka_fetch_request *in = r->in;
    struct kafka_fetch_response *out = r->out;
    uint32_t n = count(in);
    struct fetch *f;

    if (in->session_epoch > 0)
        out->error_code = KAFKA_FETCH_SESSION_ID_NOT_FOUND;
    if (in->session_epoch > 0 || !n) {
        kafka_answer(r);
        return;
    }
    f = fetch_new(r, n);
    if (!f) {
        kafka_drop(r, "no memory");
        return;
    }
    r->state = f;
    f->open.size = sizeof f->open;
    f->open.replica_id = r->head.version >= 15 ? in->replica_state.replica_id : in->replica_id;
    f->open.replica_epoch = in->replica_state.replica_epoch;
    kafka_call(r, MRT_OP_SUB_OPEN, &f->open, &f->open, opened);
}
