/* SPDX-License-Identifier: Apache-2.0 */
/*
 * produce.c - Produce: record bytes go to the broker where they lie, with one release of their
 * lease a partition. Results come back in the order in which the partitions were named.
 */
#include <string.h>

#include "plugins/protocol/kafka/serve.h"

struct produce {
    mrt_produce in;
    mrt_produce_part *parts;
    mrt_produce_res *results;
    mrt_slice *slices;
    int32_t *leaders; /* where a partition is led from elsewhere */
    uint32_t leased;  /* partitions with bytes */
    uint32_t reserved;
};

static uint32_t count(const struct kafka_produce_request *in)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < in->n_topic_data; i++)
        n += in->topic_data[i].n_partition_data;
    return n;
}

/* What the broker is to append, still without leases. */
static void gather(const struct kafka_produce_request *in, struct produce *p)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < in->n_topic_data; i++) {
        const struct kafka_produce_request_topic *topic = &in->topic_data[i];
        for (uint32_t j = 0; j < topic->n_partition_data; j++, n++) {
            const mrt_str *records = &topic->partition_data[j].records;
            mrt_tp *tp = &p->parts[n].tp;
            memcpy(tp->topic_id, topic->topic_id, sizeof tp->topic_id);
            tp->topic = topic->name.n ? topic->name : (mrt_str){NULL, 0};
            tp->partition = topic->partition_data[j].index;
            tp->leader_epoch = -1;
            p->slices[n] = (mrt_slice){MRT_SLICE_MEM, 0, (uintptr_t)records->p, 0, records->n};
            p->parts[n].batches = (mrt_slicev){&p->slices[n], records->n > 0, 0, records->n, NULL};
            p->leased += records->n > 0;
        }
    }
    p->in = (mrt_produce){sizeof p->in, n, p->parts, in->transactional_id, in->acks, 0};
}

static uint32_t fill_partition(
    struct kafka_request *r, const mrt_produce_res *res,
    struct kafka_produce_response_partition *out)
{
    enum kafka_errors list = r->head.version >= 13 ? KAFKA_OF_PRODUCE_ID : KAFKA_OF_PRODUCE;

    out->error_code = kafka_code(r, list, res->status, 0);
    out->base_offset = res->status == MRT_OK ? res->base_offset : -1;
    out->log_append_time_ms = res->append_time_ms;
    out->log_start_offset = res->log_start;
    out->error_message = res->text;
    if (res->status == MRT_ENOTLEADER)
        out->current_leader =
            (struct kafka_produce_response_leader){res->leader_id, res->leader_epoch};
    if (res->status == MRT_OK || res->record < 0)
        return 1;
    out->record_errors = kafka_take(r, sizeof *out->record_errors);
    if (!out->record_errors)
        return 0;
    out->n_record_errors = 1;
    out->record_errors[0] = (struct kafka_produce_response_record_error){res->record, res->text};
    return 1;
}

/* 0: no memory. */
static uint32_t fill_topics(struct kafka_request *r, const struct produce *p)
{
    const struct kafka_produce_request *in = r->in;
    struct kafka_produce_response *out = r->out;
    uint32_t n = 0;

    out->responses = kafka_take(r, in->n_topic_data * sizeof *out->responses);
    out->n_responses = out->responses ? in->n_topic_data : 0;
    for (uint32_t i = 0; i < out->n_responses; i++) {
        struct kafka_produce_response_topic *topic = &out->responses[i];
        uint32_t parts = in->topic_data[i].n_partition_data;
        topic->name = in->topic_data[i].name;
        memcpy(topic->topic_id, in->topic_data[i].topic_id, sizeof topic->topic_id);
        topic->partition_responses = kafka_take(r, parts * sizeof *topic->partition_responses);
        if (!topic->partition_responses)
            return 0;
        topic->n_partition_responses = parts;
        for (uint32_t j = 0; j < parts; j++, n++) {
            struct kafka_produce_response_partition *part = &topic->partition_responses[j];
            part->index = in->topic_data[i].partition_data[j].index;
            part->current_leader = (struct kafka_produce_response_leader){-1, -1};
            if (!fill_partition(r, &p->results[n], part))
                return 0;
        }
    }
    return out->responses != NULL;
}

static void answer(struct kafka_request *r, struct produce *p)
{
    struct kafka_produce_response *out = r->out;
    uint32_t elsewhere = 0;

    for (uint32_t i = 0; i < p->in.n; i++) {
        const mrt_produce_res *res = &p->results[i];
        p->leaders[i] = res->status == MRT_ENOTLEADER ? res->leader_id : -1;
        elsewhere |= p->leaders[i] >= 0;
    }
    if (!fill_topics(r, p))
        kafka_drop(r, "no memory");
    else if (elsewhere && r->head.version >= 10)
        kafka_answer_with_leaders(
            r, p->leaders, p->in.n, &out->node_endpoints, &out->n_node_endpoints);
    else
        kafka_answer(r);
}

static void all_are(struct produce *p, mrt_status status)
{
    for (uint32_t i = 0; i < p->in.n; i++)
        p->results[i] = (mrt_produce_res){
            .status = status,
            .record = -1,
            .base_offset = -1,
            .append_time_ms = -1,
            .log_start = -1,
            .leader_id = -1,
            .leader_epoch = -1};
}

static void produced(struct kafka_request *r, mrt_status status)
{
    struct produce *p = r->state;
    uint32_t bad = 0;

    for (uint32_t i = 0; i < p->in.n && r->refused; i++)
        if (p->parts[i].batches.lease)
            p->parts[i].batches.lease->ops->release(p->parts[i].batches.lease);
    if (status != MRT_OK)
        all_are(p, status);
    for (uint32_t i = 0; i < p->in.n; i++)
        bad |= p->results[i].status != MRT_OK;
    if (p->in.acks)
        answer(r, p);
    else if (bad)
        kafka_drop(r, "produce failed, and acks=0 has no other way to say so");
    else
        kafka_answer_nothing(r);
}

/* What no leader is asked about: the whole request gets @code. */
static void refuse(struct kafka_request *r, struct produce *p, int16_t code)
{
    struct kafka_produce_response *out = r->out;

    uint32_t complete = fill_topics(r, p);
    for (uint32_t i = 0; i < out->n_responses; i++)
        for (uint32_t j = 0; j < out->responses[i].n_partition_responses; j++)
            out->responses[i].partition_responses[j].error_code = code;
    kafka_answer_if(r, complete);
}

static struct produce *produce_new(struct kafka_request *r, uint32_t n)
{
    struct produce *p = kafka_take(r, sizeof *p);

    if (!p)
        return NULL;
    p->parts = kafka_take(r, n * sizeof *p->parts);
    p->results = kafka_take(r, n * sizeof *p->results);
    p->slices = kafka_take(r, n * sizeof *p->slices);
    p->leaders = kafka_take(r, n * sizeof *p->leaders);
    return p->parts && p->results && p->slices && p->leaders ? p : NULL;
}

/* One release of the lease for each partition with bytes. 0: no memory. */
static uint32_t lease(struct kafka_request *r, struct produce *p)
{
    mrt_lease *held = p->leased ? kafka_hold_for(r->session, p->leased) : NULL;

    for (uint32_t i = 0; i < p->in.n; i++)
        if (p->parts[i].batches.n)
            p->parts[i].batches.lease = held;
    return held || !p->leased;
}

void kafka_serve_produce(struct kafka_request *r)
{
    const struct kafka_produce_request *in = r->in;
    struct produce *p = produce_new(r, count(in));

    if (!p) {
        kafka_drop(r, "no memory");
        return;
    }
    r->state = p;
    gather(in, p);
    all_are(p, MRT_OK);
    if (in->acks < -1 || in->acks > 1) {
        refuse(r, p, KAFKA_INVALID_REQUIRED_ACKS);
    } else if (!lease(r, p)) {
        kafka_drop(r, "no memory");
    } else {
        kafka_deadline(r, in->timeout_ms);
        kafka_call(r, MRT_OP_PRODUCE, &p->in, p->results, produced);
    }
}
