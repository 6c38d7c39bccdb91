/* SPDX-License-Identifier: Apache-2.0 */
/*
 * topics.c - CreateTopics and DeleteTopics.
 */
#include <string.h>

#include "plugins/protocol/kafka/serve.h"

/* ---- create ---------------------------------------------------------------------------------- */

/* The call as a whole failed: each topic gets its status. 0: no memory. */
static uint32_t none_created(struct kafka_request *r, mrt_create_topics_out *out, mrt_status status)
{
    const struct kafka_create_topics_request *in = r->in;

    out->topics = kafka_take(r, in->n_topics * sizeof *out->topics);
    out->n_topics = out->topics ? in->n_topics : 0;
    for (uint32_t i = 0; i < out->n_topics; i++)
        out->topics[i] = (mrt_create_topics_out_topic){
            .name = in->topics[i].name,
            .status = status,
            .num_partitions = -1,
            .replication_factor = -1,
        };
    return out->topics != NULL;
}

static void created(struct kafka_request *r, mrt_status status)
{
    mrt_create_topics_out *out = r->state;

    uint32_t complete = status == MRT_OK || none_created(r, out, status);

    kafka_answer_if(
        r,
        complete && kafka_return(r, kafka_create_topics_response_map, out, KAFKA_OF_CREATE_TOPICS));
}

void kafka_serve_create_topics(struct kafka_request *r)
{
    mrt_create_topics *in = kafka_take(r, sizeof *in);
    mrt_create_topics_out *out = in ? kafka_take(r, sizeof *out) : NULL;

    if (!out || !kafka_pass(r, kafka_create_topics_request_map, in)) {
        kafka_drop(r, "no memory");
        return;
    }
    in->size = sizeof *in;
    out->size = sizeof *out;
    r->state = out;
    kafka_deadline(r, in->timeout_ms);
    kafka_call(r, MRT_OP_CREATE_TOPICS, in, out, created);
}

/* ---- delete ---------------------------------------------------------------------------------- */

struct deletion {
    mrt_delete_topics in;
    mrt_delete_topics_out out;
};

static uint32_t none_deleted(struct kafka_request *r, struct deletion *d, mrt_status status)
{
    mrt_delete_topics_out_topic *v = kafka_take(r, d->in.n_topics * sizeof *v);

    d->out.responses = v;
    d->out.n_responses = v ? d->in.n_topics : 0;
    for (uint32_t i = 0; i < d->out.n_responses; i++) {
        v[i] = (mrt_delete_topics_out_topic){.name = d->in.topics[i].name, .status = status};
        memcpy(v[i].topic_id, d->in.topics[i].topic_id, sizeof v[i].topic_id);
    }
    return v != NULL;
}

static void deleted(struct kafka_request *r, mrt_status status)
{
    struct kafka_delete_topics_response *out = r->out;
    struct deletion *d = r->state;

    uint32_t complete = status == MRT_OK || none_deleted(r, d, status);

    complete = complete &&
               kafka_return(r, kafka_delete_topics_response_map, &d->out, KAFKA_OF_DELETE_TOPICS);
    for (uint32_t i = 0; i < out->n_responses; i++) /* an id has an error of its own */
        if (!out->responses[i].name.p &&
            out->responses[i].error_code == KAFKA_UNKNOWN_TOPIC_OR_PARTITION)
            out->responses[i].error_code = KAFKA_UNKNOWN_TOPIC_ID;
    kafka_answer_if(r, complete);
}

/* Before version 6 there are names only. */
static uint32_t take_names(struct kafka_request *r, mrt_delete_topics *op)
{
    const struct kafka_delete_topics_request *in = r->in;

    if (r->head.version >= 6)
        return 1;
    op->topics = kafka_take(r, in->n_topic_names * sizeof *op->topics);
    op->n_topics = op->topics ? in->n_topic_names : 0;
    for (uint32_t i = 0; i < op->n_topics; i++)
        op->topics[i].name = in->topic_names[i];
    return op->topics != NULL;
}

void kafka_serve_delete_topics(struct kafka_request *r)
{
    struct deletion *d = kafka_take(r, sizeof *d);

    if (!d || !kafka_pass(r, kafka_delete_topics_request_map, &d->in) || !take_names(r, &d->in)) {
        kafka_drop(r, "no memory");
        return;
    }
    d->in.size = sizeof d->in;
    d->out.size = sizeof d->out;
    r->state = d;
    kafka_deadline(r, d->in.timeout_ms);
    kafka_call(r, MRT_OP_DELETE_TOPICS, &d->in, &d->out, deleted);
}
