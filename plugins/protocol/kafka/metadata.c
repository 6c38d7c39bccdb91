/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metadata.c - Metadata: brokers, topics and leaders out of the image. Topics that are only
 * mentioned are created on the way if the client allows it; the answer then knows them.
 */
#include <string.h>

#include "plugins/protocol/kafka/serve.h"

/* Bits of the operations an authorizer could grant; without one all are. */
#define CLUSTER_OPERATIONS 8096
#define TOPIC_OPERATIONS   3576
#define TOPIC_NAME_MAX     249 /* Kafka's limit */

struct metadata {
    mrt_create_topics create;
    mrt_create_topics_out created;
    mrt_status status; /* of the creation as a whole */
    uint32_t reserved;
};

/* [a-zA-Z0-9._-]{1,249}, but not "." or "..". */
static uint32_t is_name(const mrt_str *name)
{
    if (!name->n || name->n > TOPIC_NAME_MAX || (name->p[0] == '.' && name->n == 1) ||
        (name->n == 2 && !memcmp(name->p, "..", 2)))
        return 0;
    for (uint64_t i = 0; i < name->n; i++) {
        char c = name->p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '.' || c == '_' || c == '-'))
            return 0;
    }
    return 1;
}

static mrt_status look_up(
    const struct kafka_request *r, const mrt_image *image,
    const struct kafka_metadata_request_topic *asked, mrt_image_topic *out)
{
    if (asked->name.p)
        return kafka_broker(r)->topic(image, &asked->name, NULL, out);
    return kafka_broker(r)->topic(image, NULL, asked->topic_id, out);
}

/* In version 0 no names ask for all topics; since 1 null does. */
static uint32_t asks_for_all(const struct kafka_request *r)
{
    const struct kafka_metadata_request *in = r->in;
    return r->head.version ? !in->topics : !in->n_topics;
}

static int16_t partition_error(const struct kafka_brokers *brokers, int32_t leader)
{
    return leader >= 0 && kafka_broker_find(brokers, leader) ? KAFKA_NONE
                                                             : KAFKA_LEADER_NOT_AVAILABLE;
}

static uint32_t fill_topic(
    struct kafka_request *r, const mrt_image *image, const struct kafka_brokers *brokers,
    const mrt_image_topic *from, struct kafka_metadata_response_topic *out)
{
    const struct kafka_metadata_request *in = r->in;
    mrt_image_partition part;

    out->name = from->name;
    memcpy(out->topic_id, from->id, sizeof out->topic_id);
    out->is_internal = from->flags & 1;
    if (in->include_topic_authorized_operations)
        out->topic_authorized_operations = TOPIC_OPERATIONS;
    out->partitions = kafka_take(r, from->n_partitions * sizeof *out->partitions);
    if (!out->partitions)
        return 0;
    for (uint32_t i = 0; i < from->n_partitions; i++) {
        if (kafka_broker(r)->partition(image, from->index, (int32_t)i, &part) != MRT_OK)
            continue; /* the image says how many, and has them */
        int16_t error = partition_error(brokers, part.leader);
        out->partitions[out->n_partitions++] = (struct kafka_metadata_response_partition){
            .error_code = error,
            .partition_index = (int32_t)i,
            .leader_id = error ? -1 : part.leader,
            .leader_epoch = part.leader_epoch,
            .replica_nodes = part.replicas,
            .n_replica_nodes = part.n_replicas,
            .isr_nodes = part.isr,
            .n_isr_nodes = part.n_isr,
            .offline_replicas = part.offline,
            .n_offline_replicas = part.n_offline,
        };
    }
    return 1;
}

/* Why a topic is not there, although it might have been created. */
static int16_t missing_error(
    struct kafka_request *r, const struct metadata *m,
    const struct kafka_metadata_request_topic *asked)
{
    if (!asked->name.p)
        return KAFKA_UNKNOWN_TOPIC_ID;
    if (!is_name(&asked->name))
        return KAFKA_INVALID_TOPIC_EXCEPTION;
    for (uint32_t i = 0; i < m->created.n_topics; i++) {
        const mrt_create_topics_out_topic *topic = &m->created.topics[i];
        if (topic->name.n != asked->name.n || memcmp(topic->name.p, asked->name.p, asked->name.n))
            continue;
        if (topic->status == MRT_OK)
            return KAFKA_LEADER_NOT_AVAILABLE; /* made, and soon in the image */
        return kafka_code(r, KAFKA_OF_METADATA, topic->status, topic->reason);
    }
    return m->status == MRT_OK ? KAFKA_UNKNOWN_TOPIC_OR_PARTITION
                               : kafka_code(r, KAFKA_OF_METADATA, m->status, 0);
}

/* The topics asked for, in their order. 0: no memory. */
static uint32_t fill_asked(
    struct kafka_request *r, const mrt_image *image, const struct kafka_brokers *brokers)
{
    const struct kafka_metadata_request *in = r->in;
    struct kafka_metadata_response *out = r->out;
    mrt_image_topic found;

    out->topics = kafka_take(r, in->n_topics * sizeof *out->topics);
    if (!out->topics)
        return 0;
    for (uint32_t i = 0; i < in->n_topics; i++) {
        struct kafka_metadata_response_topic *topic = &out->topics[out->n_topics++];
        topic->topic_authorized_operations = INT32_MIN;
        if (look_up(r, image, &in->topics[i], &found) == MRT_OK) {
            if (!fill_topic(r, image, brokers, &found, topic))
                return 0;
            continue;
        }
        topic->error_code = missing_error(r, r->state, &in->topics[i]);
        topic->name = in->topics[i].name;
        memcpy(topic->topic_id, in->topics[i].topic_id, sizeof topic->topic_id);
    }
    return 1;
}

static uint32_t fill_all(
    struct kafka_request *r, const mrt_image *image, const struct kafka_brokers *brokers)
{
    struct kafka_metadata_response *out = r->out;
    mrt_image_topic found;
    uint64_t cursor = 0;
    uint32_t n = 0;

    while (kafka_broker(r)->topic_next(image, &cursor, &found) == MRT_OK)
        n++;
    out->topics = kafka_take(r, n * sizeof *out->topics);
    if (!out->topics)
        return 0;
    cursor = 0;
    while (out->n_topics < n && kafka_broker(r)->topic_next(image, &cursor, &found) == MRT_OK) {
        struct kafka_metadata_response_topic *topic = &out->topics[out->n_topics++];
        topic->topic_authorized_operations = INT32_MIN;
        if (!fill_topic(r, image, brokers, &found, topic))
            return 0;
    }
    return 1;
}

static uint32_t fill_cluster(
    struct kafka_request *r, const mrt_image *image, struct kafka_brokers *brokers)
{
    const struct kafka_metadata_request *in = r->in;
    struct kafka_metadata_response *out = r->out;

    out->cluster_id = kafka_cluster_id(r, image, &out->controller_id);
    if (!out->cluster_id.p || !kafka_brokers_list(r, image, 0, brokers))
        return 0;
    out->brokers = kafka_take(r, brokers->n * sizeof *out->brokers);
    if (!out->brokers)
        return 0;
    out->n_brokers = brokers->n;
    for (uint32_t i = 0; i < brokers->n; i++) {
        const mrt_image_broker *b = &brokers->v[i];
        out->brokers[i] =
            (struct kafka_metadata_response_broker){b->id, b->host, (int32_t)b->port, b->rack};
    }
    if (!kafka_broker_find(brokers, out->controller_id) && brokers->n)
        out->controller_id = brokers->v[0].id; /* any broker passes it on */
    if (in->include_cluster_authorized_operations)
        out->cluster_authorized_operations = CLUSTER_OPERATIONS;
    return 1;
}

/* Answers from the image of now, creation or not. */
static void answer(struct kafka_request *r, mrt_status status)
{
    const mrt_host_broker *broker = kafka_broker(r);
    mrt_broker *here = kafka_broker_here(r);
    struct metadata *m = r->state;
    struct kafka_brokers brokers;
    uint64_t version;

    m->status = status;
    const mrt_image *image = broker->image_pin(here, &version);
    uint32_t complete =
        fill_cluster(r, image, &brokers) &&
        (asks_for_all(r) ? fill_all(r, image, &brokers) : fill_asked(r, image, &brokers));
    kafka_answer_if(r, complete);
    broker->image_unpin(here, image);
}

/* Topics asked for by name that are not there and could be. 0: no memory. */
static uint32_t gather_missing(struct kafka_request *r, struct metadata *m)
{
    const struct kafka_metadata_request *in = r->in;
    const mrt_host_broker *broker = kafka_broker(r);
    mrt_create_topics_topic *v = kafka_take(r, in->n_topics * sizeof *v);
    mrt_image_topic found;
    uint64_t version;

    if (!v)
        return 0;
    const mrt_image *image = broker->image_pin(kafka_broker_here(r), &version);
    for (uint32_t i = 0; i < in->n_topics; i++) {
        const mrt_str *name = &in->topics[i].name;
        if (name->p && is_name(name) && look_up(r, image, &in->topics[i], &found) == MRT_ENOENT)
            v[m->create.n_topics++] = (mrt_create_topics_topic){*name, -1, -1, NULL, 0, NULL, 0};
    }
    broker->image_unpin(kafka_broker_here(r), image);
    m->create.topics = v;
    return 1;
}

void kafka_serve_metadata(struct kafka_request *r)
{
    const struct kafka_metadata_request *in = r->in;
    struct metadata *m = kafka_take(r, sizeof *m);

    if (!m) {
        kafka_drop(r, "no memory");
        return;
    }
    r->state = m;
    m->create = (mrt_create_topics){.size = sizeof m->create, .timeout_ms = -1, .automatic = 1};
    m->created.size = sizeof m->created;
    if (in->allow_auto_topic_creation && !asks_for_all(r) && !gather_missing(r, m))
        kafka_drop(r, "no memory");
    else if (m->create.n_topics)
        kafka_call(r, MRT_OP_CREATE_TOPICS, &m->create, &m->created, answer);
    else
        answer(r, MRT_OK);
}
