/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cluster/node.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/base/list.h"
#include "core/base/memory.h"
#include "core/base/str.h"
#include "core/base/uuid.h"

struct topic_node {
    uint64_t refs;
    struct image_topic topic; /* its arrays and texts follow in the same block */
};

struct broker_node {
    uint64_t refs;
    struct image_broker broker;
};

/* A block filled front to back. Bodies are read twice: without a base, to learn the size, and then
 * into the block; so nothing is taken from the heap before the whole body was found sound. */
struct room {
    uint8_t *base;
    uint64_t used;
};

static void *room_take(struct room *room, uint64_t size)
{
    uint64_t at = room->used;
    room->used += (size + 7) & ~UINT64_C(7);
    return room->base == NULL ? NULL : room->base + at;
}

/* ---- fields ---------------------------------------------------------------------------------- */

/* A count or id of at most @max; the reader is faulty otherwise. */
static uint32_t read_number(struct kit_reader *r, uint32_t max)
{
    uint64_t value = kit_read_uvarint(r);
    if (value > max)
        r->ok = 0;
    return r->ok ? (uint32_t)value : 0;
}

static void read_id(struct kit_reader *r, uint8_t *out)
{
    const uint8_t *id = kit_take(r, 16);
    if (id != NULL)
        memcpy(out, id, 16);
}

static void read_text(struct kit_reader *r, struct room *room, uint32_t max, mrt_str *out)
{
    uint32_t n = read_number(r, max);
    const uint8_t *bytes = kit_take(r, n);
    char *copy = room_take(room, n);
    if (copy != NULL && bytes != NULL)
        memcpy(copy, bytes, n);
    *out = (mrt_str){copy, n};
}

static void read_ids(struct kit_reader *r, struct room *room, uint32_t *n, const int32_t **out)
{
    *n = read_number(r, TOPIC_REPLICAS_MAX);
    int32_t *ids = room_take(room, *n * sizeof(int32_t));
    for (uint32_t i = 0; i < *n && r->ok; i++) {
        int32_t id = (int32_t)read_number(r, INT32_MAX);
        if (ids != NULL)
            ids[i] = id;
    }
    *out = ids;
}

static void read_partition(struct kit_reader *r, struct room *room, struct image_partition *out)
{
    int64_t leader = kit_read_varint(r);
    if (leader < -1 || leader > INT32_MAX)
        r->ok = 0;
    *out = (struct image_partition){.leader = (int32_t)leader};
    out->leader_epoch = (int32_t)read_number(r, INT32_MAX);
    out->partition_epoch = (int32_t)read_number(r, INT32_MAX);
    read_ids(r, room, &out->n_replicas, &out->replicas);
    read_ids(r, room, &out->n_isr, &out->isr);
}

static void read_configs(struct kit_reader *r, struct room *room, struct image_topic *topic)
{
    topic->n_configs = read_number(r, TOPIC_CONFIGS_MAX);
    struct image_config *configs = room_take(room, topic->n_configs * sizeof *configs);
    for (uint32_t i = 0; i < topic->n_configs && r->ok; i++) {
        struct image_config config;
        read_text(r, room, CLUSTER_TEXT_MAX, &config.name);
        read_text(r, room, CLUSTER_TEXT_MAX, &config.value);
        if (configs != NULL)
            configs[i] = config;
    }
    topic->configs = configs;
}

static void read_topic(struct kit_reader *r, struct room *room, struct image_topic *topic)
{
    read_id(r, topic->id);
    read_text(r, room, TOPIC_NAME_MAX, &topic->name);
    topic->n_partitions = read_number(r, TOPIC_PARTITIONS_MAX);
    topic->partitions = room_take(room, topic->n_partitions * sizeof(struct image_partition));
    for (uint32_t i = 0; i < topic->n_partitions && r->ok; i++) {
        struct image_partition partition;
        read_partition(r, room, &partition);
        if (topic->partitions != NULL)
            topic->partitions[i] = partition;
    }
    read_configs(r, room, topic);
}

static void read_broker(struct kit_reader *r, struct room *room, struct image_broker *broker)
{
    broker->id = (int32_t)read_number(r, INT32_MAX);
    broker->fenced = read_number(r, 1);
    broker->epoch = kit_read_varint(r);
    read_id(r, broker->incarnation);
    read_text(r, room, CLUSTER_TEXT_MAX, &broker->rack);
    broker->n_endpoints = read_number(r, BROKER_ENDPOINTS_MAX);
    struct image_endpoint *endpoints = room_take(room, broker->n_endpoints * sizeof *endpoints);
    for (uint32_t i = 0; i < broker->n_endpoints && r->ok; i++) {
        struct image_endpoint endpoint = {.reserved = 0};
        read_text(r, room, CLUSTER_TEXT_MAX, &endpoint.listener);
        read_text(r, room, CLUSTER_TEXT_MAX, &endpoint.host);
        endpoint.port = read_number(r, UINT16_MAX);
        if (endpoints != NULL)
            endpoints[i] = endpoint;
    }
    broker->endpoints = endpoints;
}

/* ---- rules ----------------------------------------------------------------------------------- */

bool topic_name_ok(const mrt_str *name)
{
    if (name->n == 0 || name->n > TOPIC_NAME_MAX || str_is(name, ".") || str_is(name, ".."))
        return false;
    for (uint64_t i = 0; i < name->n; i++) {
        char c = name->p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && c != '.' && c != '_' && c != '-')
            return false;
    }
    return true;
}

static bool has_id(const int32_t *ids, uint32_t n, int32_t id)
{
    for (uint32_t i = 0; i < n; i++)
        if (ids[i] == id)
            return true;
    return false;
}

/* What is wrong with @partition; NULL: nothing. */
static const char *partition_fault(const struct image_partition *partition)
{
    if (partition->n_replicas == 0)
        return "a partition has no replicas";
    for (uint32_t i = 1; i < partition->n_replicas; i++)
        if (has_id(partition->replicas, i, partition->replicas[i]))
            return "a replica is named twice";
    for (uint32_t i = 0; i < partition->n_isr; i++)
        if (has_id(partition->isr, i, partition->isr[i]) ||
            !has_id(partition->replicas, partition->n_replicas, partition->isr[i]))
            return "the in-sync set is not a set of replicas";
    if (partition->leader >= 0 &&
        !has_id(partition->replicas, partition->n_replicas, partition->leader))
        return "the leader is not a replica";
    return NULL;
}

static const char *configs_fault(const struct image_topic *topic)
{
    for (uint32_t i = 1; i < topic->n_configs; i++)
        if (str_compare(&topic->configs[i - 1].name, &topic->configs[i].name) >= 0)
            return "the configs are not in order";
    return NULL;
}

static const char *topic_fault(const struct image_topic *topic)
{
    if (uuid_is_zero(topic->id))
        return "the id is zero";
    if (!topic_name_ok(&topic->name))
        return "the name is not legal";
    if (topic->n_partitions == 0)
        return "there are no partitions";
    for (uint32_t i = 0; i < topic->n_partitions; i++) {
        const char *fault = partition_fault(&topic->partitions[i]);
        if (fault != NULL)
            return fault;
    }
    return configs_fault(topic);
}

/* ---- topics ---------------------------------------------------------------------------------- */

static bool read_all(const struct kit_reader *r)
{
    return r->ok && kit_left(r) == 0;
}

static struct topic_node *topic_new(uint64_t used)
{
    struct topic_node *node = memory_new(sizeof *node + used);
    node->refs = 1;
    return node;
}

/* The room behind a node, in the same block. */
static struct room room_behind(void *node, uint64_t size)
{
    return (struct room){(uint8_t *)node + size, 0};
}

mrt_status topic_read(struct kit_reader *body, struct image_topic **out, mrt_error *error)
{
    struct kit_reader again = *body;
    struct room room = {NULL, 0};
    struct image_topic topic = {.n_configs = 0};

    read_topic(body, &room, &topic);
    if (!read_all(body))
        return error_set(error, MRT_ECORRUPT, "its fields do not fit its size");

    struct topic_node *node = topic_new(room.used);
    struct room block = room_behind(node, sizeof *node);
    read_topic(&again, &block, &node->topic);
    ASSERT(read_all(&again));
    ASSERT(block.used == room.used);
    const char *fault = topic_fault(&node->topic);
    if (fault != NULL) {
        memory_free(node);
        return error_set(error, MRT_ECORRUPT, "%s", fault);
    }
    *out = &node->topic;
    return MRT_OK;
}

static void *copy_into(struct room *room, const void *bytes, uint64_t size)
{
    void *copy = room_take(room, size);
    if (copy != NULL && size > 0)
        memcpy(copy, bytes, size);
    return copy;
}

/* All of @from but its configs. */
static void copy_topic(struct room *room, const struct image_topic *from, struct image_topic *to)
{
    memcpy(to->id, from->id, sizeof to->id);
    to->name = (mrt_str){copy_into(room, from->name.p, from->name.n), from->name.n};
    to->n_partitions = from->n_partitions;
    to->partitions =
        copy_into(room, from->partitions, from->n_partitions * sizeof(struct image_partition));
    for (uint32_t i = 0; i < from->n_partitions; i++) {
        const struct image_partition *old = &from->partitions[i];
        const int32_t *replicas = copy_into(room, old->replicas, old->n_replicas * sizeof(int32_t));
        const int32_t *isr = copy_into(room, old->isr, old->n_isr * sizeof(int32_t));
        if (to->partitions != NULL) {
            to->partitions[i].replicas = replicas;
            to->partitions[i].isr = isr;
        }
    }
}

mrt_status topic_read_configs(
    const struct image_topic *topic, struct kit_reader *body, struct image_topic **out,
    mrt_error *error)
{
    struct kit_reader again = *body;
    struct room room = {NULL, 0};
    struct image_topic sized = {.n_configs = 0};

    copy_topic(&room, topic, &sized);
    read_configs(body, &room, &sized);
    if (!read_all(body))
        return error_set(error, MRT_ECORRUPT, "its fields do not fit its size");

    struct topic_node *node = topic_new(room.used);
    struct room block = room_behind(node, sizeof *node);
    copy_topic(&block, topic, &node->topic);
    read_configs(&again, &block, &node->topic);
    ASSERT(block.used == room.used);
    const char *fault = configs_fault(&node->topic);
    if (fault != NULL) {
        memory_free(node);
        return error_set(error, MRT_ECORRUPT, "%s", fault);
    }
    *out = &node->topic;
    return MRT_OK;
}

void topic_ref(struct image_topic *topic)
{
    struct topic_node *node = CONTAINER(topic, struct topic_node, topic);
    uint64_t before = __atomic_fetch_add(&node->refs, 1, __ATOMIC_RELAXED);
    ASSERT(before > 0);
}

void topic_unref(struct image_topic *topic)
{
    struct topic_node *node = CONTAINER(topic, struct topic_node, topic);
    uint64_t before = __atomic_fetch_sub(&node->refs, 1, __ATOMIC_ACQ_REL);
    ASSERT(before > 0);
    if (before == 1)
        memory_free(node);
}

/* ---- brokers --------------------------------------------------------------------------------- */

mrt_status broker_read(
    struct kit_reader *body, uint64_t offset, struct image_broker **out, mrt_error *error)
{
    struct kit_reader again = *body;
    struct room room = {NULL, 0};
    struct image_broker broker = {.id = 0};

    read_broker(body, &room, &broker);
    if (!read_all(body) || broker.epoch < -1)
        return error_set(error, MRT_ECORRUPT, "its fields do not fit its size");

    struct broker_node *node = memory_new(sizeof *node + room.used);
    struct room block = room_behind(node, sizeof *node);
    node->refs = 1;
    read_broker(&again, &block, &node->broker);
    ASSERT(block.used == room.used);
    if (node->broker.epoch < 0)
        node->broker.epoch = (int64_t)offset;
    *out = &node->broker;
    return MRT_OK;
}

void broker_ref(struct image_broker *broker)
{
    struct broker_node *node = CONTAINER(broker, struct broker_node, broker);
    uint64_t before = __atomic_fetch_add(&node->refs, 1, __ATOMIC_RELAXED);
    ASSERT(before > 0);
}

void broker_unref(struct image_broker *broker)
{
    struct broker_node *node = CONTAINER(broker, struct broker_node, broker);
    uint64_t before = __atomic_fetch_sub(&node->refs, 1, __ATOMIC_ACQ_REL);
    ASSERT(before > 0);
    if (before == 1)
        memory_free(node);
}

/* ---- kinds of tables ------------------------------------------------------------------------- */

static void ref_topic(void *element)
{
    topic_ref(element);
}

static void unref_topic(void *element)
{
    topic_unref(element);
}

static void ref_broker(void *element)
{
    broker_ref(element);
}

static void unref_broker(void *element)
{
    broker_unref(element);
}

static const void *name_of(const void *element)
{
    const struct image_topic *topic = element;
    return &topic->name;
}

static const void *id_of(const void *element)
{
    const struct image_topic *topic = element;
    return topic->id;
}

static const void *number_of(const void *element)
{
    const struct image_broker *broker = element;
    return &broker->id;
}

static int compare_names(const void *key, const void *element)
{
    const struct image_topic *topic = element;
    return str_compare(key, &topic->name);
}

static int compare_ids(const void *key, const void *element)
{
    const struct image_topic *topic = element;
    return memcmp(key, topic->id, sizeof topic->id);
}

static char fold(char c)
{
    return c == '.' ? '_' : c;
}

static int compare_folded(const void *key, const void *element)
{
    const mrt_str *name = key;
    const mrt_str *other = &((const struct image_topic *)element)->name;
    uint64_t n = name->n < other->n ? name->n : other->n;
    for (uint64_t i = 0; i < n; i++) {
        int order = (uint8_t)fold(name->p[i]) - (uint8_t)fold(other->p[i]);
        if (order != 0)
            return order;
    }
    return name->n < other->n ? -1 : name->n > other->n;
}

static int compare_numbers(const void *key, const void *element)
{
    int32_t id = *(const int32_t *)key;
    const struct image_broker *broker = element;
    return id < broker->id ? -1 : id > broker->id;
}

const struct table_kind topics_by_name = {compare_names, name_of, ref_topic, unref_topic};
const struct table_kind topics_by_id = {compare_ids, id_of, NULL, NULL};
const struct table_kind topics_by_fold = {compare_folded, name_of, NULL, NULL};
const struct table_kind brokers_by_id = {compare_numbers, number_of, ref_broker, unref_broker};
