/* SPDX-License-Identifier: Apache-2.0 */
/*
 * list_offsets.c - ListOffsets: timestamps and special values to offsets.
 */
#include <string.h>

#include "plugins/protocol/kafka/serve.h"

struct listing {
    mrt_parts in;
    mrt_list_part *parts;
};

/* Each special timestamp came with a version; -6 has nothing to find without tiers. */
static uint32_t version_knows(int16_t version, int64_t timestamp)
{
    static const int16_t since[] = {1, 1, 1, 7, 8, 9, 11};

    if (timestamp >= 0)
        return 1;
    return timestamp >= -6 && version >= since[-timestamp];
}

static uint32_t gather(struct kafka_request *r, struct listing *l)
{
    const struct kafka_list_offsets_request *in = r->in;
    uint32_t n = 0;

    for (uint32_t i = 0; i < in->n_topics; i++)
        n += in->topics[i].n_partitions;
    l->parts = kafka_take(r, n * sizeof *l->parts);
    l->in = (mrt_parts){sizeof l->in, n, l->parts};
    n = 0;
    for (uint32_t i = 0; l->parts && i < in->n_topics; i++)
        for (uint32_t j = 0; j < in->topics[i].n_partitions; j++) {
            const struct kafka_list_offsets_request_partition *from = &in->topics[i].partitions[j];
            l->parts[n++] = (mrt_list_part){
                .tp.topic = in->topics[i].name,
                .tp.partition = from->partition_index,
                .tp.leader_epoch = from->current_leader_epoch,
                .timestamp_ms = from->timestamp,
                .isolation = in->isolation_level == 1,
                .offset = -1,
                .found_ms = -1,
                .found_epoch = -1,
            };
        }
    return l->parts != NULL;
}

static void fill_partition(
    struct kafka_request *r, const mrt_list_part *from,
    struct kafka_list_offsets_response_partition *out)
{
    *out = (struct kafka_list_offsets_response_partition){from->tp.partition, 0, -1, -1, -1};
    out->error_code = version_knows(r->head.version, from->timestamp_ms)
                          ? kafka_code(r, KAFKA_OF_LIST_OFFSETS, from->status, 0)
                          : KAFKA_UNSUPPORTED_VERSION;
    if (out->error_code)
        return;
    out->offset = from->offset;
    out->timestamp = from->found_ms;
    out->leader_epoch = from->found_epoch;
}

/* 0: no memory. */
static uint32_t fill_topics(struct kafka_request *r, const struct listing *l)
{
    const struct kafka_list_offsets_request *in = r->in;
    struct kafka_list_offsets_response *out = r->out;
    uint32_t n = 0;

    out->topics = kafka_take(r, in->n_topics * sizeof *out->topics);
    out->n_topics = out->topics ? in->n_topics : 0;
    for (uint32_t i = 0; i < out->n_topics; i++) {
        struct kafka_list_offsets_response_topic *topic = &out->topics[i];
        uint32_t parts = in->topics[i].n_partitions;
        topic->name = in->topics[i].name;
        topic->partitions = kafka_take(r, parts * sizeof *topic->partitions);
        if (!topic->partitions)
            return 0;
        topic->n_partitions = parts;
        for (uint32_t j = 0; j < parts; j++, n++)
            fill_partition(r, &l->parts[n], &topic->partitions[j]);
    }
    return out->topics != NULL;
}

static void listed(struct kafka_request *r, mrt_status status)
{
    const struct listing *l = r->state;

    for (uint32_t i = 0; i < l->in.n && status != MRT_OK; i++)
        l->parts[i].status = status;
    kafka_answer_if(r, fill_topics(r, l));
}

void kafka_serve_list_offsets(struct kafka_request *r)
{
    const struct kafka_list_offsets_request *in = r->in;
    struct listing *l = kafka_take(r, sizeof *l);

    if (!l || !gather(r, l)) {
        kafka_drop(r, "no memory");
        return;
    }
    r->state = l;
    kafka_deadline(r, in->timeout_ms);
    kafka_call(r, MRT_OP_LIST_OFFSETS, &l->in, NULL, listed);
}
