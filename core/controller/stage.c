/* SPDX-License-Identifier: Apache-2.0 */
#include "core/controller/stage.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/base/memory.h"
#include "core/base/str.h"
#include "core/base/uuid.h"

struct taken {
    struct map_node node;
    char folded[TOPIC_NAME_MAX];
};

/* ---- names this entry changes ---------------------------------------------------------------- */

static uint64_t fold(const mrt_str *name, char *out)
{
    ASSERT(name->n <= TOPIC_NAME_MAX);
    for (uint64_t i = 0; i < name->n; i++)
        out[i] = name->p[i] == '.' ? '_' : name->p[i];
    return name->n;
}

bool stage_taken(const struct stage *stage, const mrt_str *name)
{
    char folded[TOPIC_NAME_MAX];
    mrt_str key = {folded, fold(name, folded)};
    return map_find(&stage->names, &key) != NULL;
}

void stage_take(struct stage *stage, const mrt_str *name)
{
    ASSERT(!stage_taken(stage, name));
    struct taken *taken = memory_new(sizeof *taken);
    mrt_str key = {taken->folded, fold(name, taken->folded)};
    map_insert(&stage->names, &taken->node, &key);
}

bool stage_fits(struct stage *stage, uint64_t before)
{
    uint64_t size = stage->entry->size;
    ASSERT(size > before);
    if (size <= stage->entry_max && (stage->records == 0 || size <= ENTRY_BATCH)) {
        stage->records++;
        return true;
    }
    entry_cut(stage->entry, before);
    return false;
}

void stage_begin(
    struct stage *stage, const struct image *image, struct entry *entry, struct random *random,
    uint64_t entry_max)
{
    ASSERT(entry->size == ENTRY_HEADER);
    *stage = (struct stage){
        .image = image,
        .entry = entry,
        .random = random,
        .entry_max = entry_max,
        .next_producer_id = image_next_producer_id(image),
    };
    map_init(&stage->names, random_next(random));
}

void stage_end(struct stage *stage)
{
    list_each_safe (at, &stage->names.order) {
        struct map_node *node = CONTAINER(at, struct map_node, order);
        map_remove(&stage->names, node);
        memory_free(CONTAINER(node, struct taken, node));
    }
    map_fini(&stage->names);
}

/* ---- refusing -------------------------------------------------------------------------------- */

void stage_refuse(struct controller_topic *topic, uint32_t reason, mrt_status status)
{
    ASSERT(status < 0);
    topic->status = status;
    topic->reason = reason;
}

static mrt_str topic_key(const struct controller_topic *topic)
{
    return topic->name.n > 0 ? topic->name : (mrt_str){(const char *)topic->id, 16};
}

/* Refuses all topics that are in the request more than once: which one was meant? */
static void refuse_duplicates(struct controller_request *request)
{
    struct map seen;
    struct map_node *nodes = memory_array(request->n_topics, sizeof *nodes);
    map_init(&seen, 0);
    for (uint32_t i = 0; i < request->n_topics; i++) {
        struct controller_topic *topic = &request->topics[i];
        mrt_str key = topic_key(topic);
        struct map_node *first = map_find(&seen, &key);
        if (first == NULL) {
            map_insert(&seen, &nodes[i], &key);
            continue;
        }
        struct controller_topic *other = &request->topics[first - nodes];
        stage_refuse(
            topic, CONTROLLER_REASON_REQUEST,
            error_set(&topic->error, MRT_EINVAL, "the topic is in the request more than once"));
        stage_refuse(
            other, CONTROLLER_REASON_REQUEST,
            error_set(&other->error, MRT_EINVAL, "the topic is in the request more than once"));
    }
    map_fini(&seen);
    memory_free(nodes);
}

static void refuse_excess(struct controller_request *request)
{
    uint64_t partitions = 0;
    for (uint32_t i = 0; i < request->n_topics; i++) {
        const struct controller_topic *topic = &request->topics[i];
        if (topic->n_assignments > 0)
            partitions += topic->n_assignments;
        else if (topic->partitions > 0)
            partitions += (uint64_t)topic->partitions;
    }
    if (partitions <= REQUEST_PARTITIONS_MAX)
        return;
    for (uint32_t i = 0; i < request->n_topics; i++) {
        struct controller_topic *topic = &request->topics[i];
        stage_refuse(
            topic, CONTROLLER_REASON_PARTITIONS,
            error_set(
                &topic->error, MRT_ERANGE,
                "the request asks for %llu partitions, more than %d at once",
                (unsigned long long)partitions, REQUEST_PARTITIONS_MAX));
    }
}

void stage_accept(struct controller_request *request)
{
    request->status = MRT_OK;
    request->version = 0;
    request->next_topic = 0;
    if (request->kind != CONTROLLER_CREATE_TOPICS && request->kind != CONTROLLER_DELETE_TOPICS)
        return;
    for (uint32_t i = 0; i < request->n_topics; i++) {
        struct controller_topic *topic = &request->topics[i];
        topic->status = MRT_OK;
        topic->reason = CONTROLLER_REASON_NONE;
        topic->error = (mrt_error){.status = MRT_OK};
    }
    if (request->n_topics > REQUEST_TOPICS_MAX) {
        request->status = MRT_ERANGE;
        return;
    }
    refuse_duplicates(request);
    if (request->kind == CONTROLLER_CREATE_TOPICS)
        refuse_excess(request);
}

/* ---- the other kinds ------------------------------------------------------------------------- */

static const struct image_topic *named(const struct stage *stage, const struct controller_topic *t)
{
    if (t->name.n == 0)
        return image_topic_by_id(stage->image, t->id);
    const struct image_topic *topic = image_topic(stage->image, &t->name);
    bool other = topic != NULL && !uuid_is_zero(t->id) && memcmp(topic->id, t->id, 16) != 0;
    return other ? NULL : topic;
}

static bool stage_delete(
    struct stage *stage, struct controller_request *request, struct controller_topic *topic)
{
    if (topic->name.n > 0 && topic->name.n <= TOPIC_NAME_MAX && stage_taken(stage, &topic->name))
        return false; /* G1 */
    const struct image_topic *found = named(stage, topic);
    if (found == NULL) {
        stage_refuse(
            topic, CONTROLLER_REASON_NONE,
            error_set(&topic->error, MRT_ENOENT, "there is no such topic"));
        return true;
    }
    if (stage_taken(stage, &found->name))
        return false; /* G1 */
    if (request->validate_only)
        return true;
    uint64_t before = stage->entry->size;
    entry_add_delete(stage->entry, found->id);
    if (!stage_fits(stage, before))
        return false; /* G3 */
    memcpy(topic->id, found->id, sizeof topic->id);
    stage_take(stage, &found->name);
    return true;
}

static bool stage_topics(struct stage *stage, struct controller_request *request)
{
    bool create = request->kind == CONTROLLER_CREATE_TOPICS;
    while (request->next_topic < request->n_topics) {
        struct controller_topic *topic = &request->topics[request->next_topic];
        bool done = topic->status != MRT_OK || (create ? stage_create(stage, request, topic)
                                                       : stage_delete(stage, request, topic));
        if (!done)
            return false;
        request->next_topic++;
    }
    return true;
}

static bool broker_ok(const struct image_broker *broker)
{
    if (broker->id < 0 || broker->n_endpoints > BROKER_ENDPOINTS_MAX ||
        broker->rack.n > CLUSTER_TEXT_MAX)
        return false;
    for (uint32_t i = 0; i < broker->n_endpoints; i++) {
        const struct image_endpoint *endpoint = &broker->endpoints[i];
        if (endpoint->listener.n > CLUSTER_TEXT_MAX || endpoint->host.n > CLUSTER_TEXT_MAX ||
            endpoint->port > UINT16_MAX)
            return false;
    }
    return true;
}

static bool stage_broker(struct stage *stage, struct controller_request *request)
{
    if (stage->broker)
        return false; /* G1: one broker's epoch an entry */
    uint64_t before = stage->entry->size;
    if (!broker_ok(request->broker)) {
        request->status = MRT_EINVAL;
        return true;
    }
    entry_add_broker(stage->entry, request->broker, -1);
    if (!stage_fits(stage, before)) {
        if (stage->records > 0)
            return false; /* G3 */
        request->status = MRT_ETOOBIG;
        return true;
    }
    stage->broker = true;
    return true;
}

static bool stage_producer_ids(struct stage *stage, struct controller_request *request)
{
    uint64_t before = stage->entry->size;
    if (stage->next_producer_id > INT64_MAX - CONTROLLER_PRODUCER_BLOCK) {
        request->status = MRT_ERANGE;
        return true;
    }
    entry_add_producer_ids(stage->entry, stage->next_producer_id, CONTROLLER_PRODUCER_BLOCK);
    if (!stage_fits(stage, before))
        return false; /* G3 */
    request->producer_id_first = stage->next_producer_id;
    stage->next_producer_id += CONTROLLER_PRODUCER_BLOCK;
    return true;
}

bool stage_request(struct stage *stage, struct controller_request *request)
{
    if (request->status != MRT_OK)
        return true;
    switch (request->kind) {
    case CONTROLLER_REGISTER_BROKER:
        return stage_broker(stage, request);
    case CONTROLLER_CREATE_TOPICS:
    case CONTROLLER_DELETE_TOPICS:
        return stage_topics(stage, request);
    case CONTROLLER_PRODUCER_IDS:
        return stage_producer_ids(stage, request);
    }
    ASSERT(request->kind <= CONTROLLER_PRODUCER_IDS);
    return true;
}
