/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cluster/entry.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/base/memory.h"
#include "core/base/str.h"
#include "sdk/kit/crc32c.h"

#define RECORD_VERSION 1
#define CAP_MIN        256

const char *entry_kind_name(enum entry_kind kind)
{
    static const char *const names[ENTRY_KINDS] = {
        [ENTRY_CLUSTER] = "cluster",
        [ENTRY_CONTROLLER] = "controller",
        [ENTRY_BROKER] = "broker",
        [ENTRY_TOPIC] = "topic",
        [ENTRY_DELETE_TOPIC] = "delete topic",
        [ENTRY_TOPIC_CONFIGS] = "topic configs",
        [ENTRY_PRODUCER_IDS] = "producer ids",
    };
    ASSERT(kind > 0);
    ASSERT(kind < ENTRY_KINDS);
    return names[kind];
}

/* ---- writing --------------------------------------------------------------------------------- */

/* Room for @size more bytes, counted as written. */
static uint8_t *grow(struct entry *entry, uint64_t size)
{
    ASSERT(entry->size <= entry->cap);
    if (entry->cap - entry->size < size) {
        uint64_t cap = entry->cap < CAP_MIN ? CAP_MIN : entry->cap * 2;
        entry->cap = cap - entry->size < size ? entry->size + size : cap;
        entry->bytes = memory_resize(entry->bytes, entry->cap);
    }
    uint8_t *at = entry->bytes + entry->size;
    entry->size += size;
    return at;
}

static void put_uvarint(struct entry *entry, uint64_t value)
{
    kit_put_uvarint(grow(entry, kit_uvarint_size(value)), value);
}

static void put_varint(struct entry *entry, int64_t value)
{
    put_uvarint(entry, kit_zigzag(value));
}

/* A number that is never negative. */
static void put_number(struct entry *entry, int64_t value)
{
    ASSERT(value >= 0);
    put_uvarint(entry, (uint64_t)value);
}

static void put_bytes(struct entry *entry, const void *bytes, uint64_t size)
{
    uint8_t *at = grow(entry, size);
    if (size > 0)
        memcpy(at, bytes, size);
}

static void put_text(struct entry *entry, const mrt_str *text)
{
    ASSERT(text->n <= CLUSTER_TEXT_MAX);
    put_uvarint(entry, text->n);
    put_bytes(entry, text->p, text->n);
}

static void put_ids(struct entry *entry, const int32_t *ids, uint32_t n)
{
    ASSERT(n <= TOPIC_REPLICAS_MAX);
    put_uvarint(entry, n);
    for (uint32_t i = 0; i < n; i++)
        put_number(entry, ids[i]);
}

static void put_configs(struct entry *entry, const struct image_config *configs, uint32_t n)
{
    ASSERT(n <= TOPIC_CONFIGS_MAX);
    put_uvarint(entry, n);
    for (uint32_t i = 0; i < n; i++) {
        ASSERT(i == 0 || str_compare(&configs[i - 1].name, &configs[i].name) < 0);
        put_text(entry, &configs[i].name);
        put_text(entry, &configs[i].value);
    }
}

/* Starts a record whose body follows; record_end() moves it up behind the header it gets. */
static uint64_t record_begin(struct entry *entry)
{
    grow(entry, ENTRY_RECORD_MAX);
    return entry->size;
}

static void record_end(struct entry *entry, uint64_t body, enum entry_kind kind)
{
    ASSERT(body <= entry->size);
    uint64_t size = entry->size - body;
    uint8_t *start = entry->bytes + body - ENTRY_RECORD_MAX;
    uint8_t *at = kit_put_uvarint(start, (uint64_t)kind);
    at = kit_put_uvarint(at, RECORD_VERSION);
    at = kit_put_uvarint(at, size);
    memmove(at, entry->bytes + body, size);
    entry->size = (uint64_t)(at - entry->bytes) + size;
}

void entry_begin_at(struct entry *entry, uint64_t header)
{
    entry->size = 0;
    memset(grow(entry, header), 0, header);
}

void entry_begin(struct entry *entry)
{
    entry_begin_at(entry, ENTRY_HEADER);
    entry->bytes[0] = ENTRY_FORMAT;
}

void entry_fini(struct entry *entry)
{
    memory_free(entry->bytes);
    *entry = (struct entry){0};
}

void entry_add_cluster(struct entry *entry, const uint8_t *cluster_id, uint32_t level)
{
    uint64_t body = record_begin(entry);
    put_bytes(entry, cluster_id, 16);
    put_uvarint(entry, level);
    record_end(entry, body, ENTRY_CLUSTER);
}

void entry_add_controller(struct entry *entry, int32_t node, uint32_t epoch)
{
    uint64_t body = record_begin(entry);
    put_number(entry, node);
    put_uvarint(entry, epoch);
    record_end(entry, body, ENTRY_CONTROLLER);
}

void entry_add_broker(struct entry *entry, const struct image_broker *broker, int64_t epoch)
{
    ASSERT(broker->n_endpoints <= BROKER_ENDPOINTS_MAX);
    ASSERT(epoch >= -1);
    uint64_t body = record_begin(entry);
    put_number(entry, broker->id);
    put_uvarint(entry, broker->fenced ? 1 : 0);
    put_varint(entry, epoch);
    put_bytes(entry, broker->incarnation, 16);
    put_text(entry, &broker->rack);
    put_uvarint(entry, broker->n_endpoints);
    for (uint32_t i = 0; i < broker->n_endpoints; i++) {
        put_text(entry, &broker->endpoints[i].listener);
        put_text(entry, &broker->endpoints[i].host);
        put_uvarint(entry, broker->endpoints[i].port);
    }
    record_end(entry, body, ENTRY_BROKER);
}

void entry_add_topic(struct entry *entry, const struct image_topic *topic)
{
    ASSERT(topic->name.n <= TOPIC_NAME_MAX);
    ASSERT(topic->n_partitions <= TOPIC_PARTITIONS_MAX);
    uint64_t body = record_begin(entry);
    put_bytes(entry, topic->id, 16);
    put_text(entry, &topic->name);
    put_uvarint(entry, topic->n_partitions);
    for (uint32_t i = 0; i < topic->n_partitions; i++) {
        const struct image_partition *partition = &topic->partitions[i];
        put_varint(entry, partition->leader);
        put_number(entry, partition->leader_epoch);
        put_number(entry, partition->partition_epoch);
        put_ids(entry, partition->replicas, partition->n_replicas);
        put_ids(entry, partition->isr, partition->n_isr);
    }
    put_configs(entry, topic->configs, topic->n_configs);
    record_end(entry, body, ENTRY_TOPIC);
}

void entry_add_delete(struct entry *entry, const uint8_t *topic_id)
{
    uint64_t body = record_begin(entry);
    put_bytes(entry, topic_id, 16);
    record_end(entry, body, ENTRY_DELETE_TOPIC);
}

void entry_add_configs(
    struct entry *entry, const uint8_t *topic_id, const struct image_config *configs, uint32_t n)
{
    uint64_t body = record_begin(entry);
    put_bytes(entry, topic_id, 16);
    put_configs(entry, configs, n);
    record_end(entry, body, ENTRY_TOPIC_CONFIGS);
}

void entry_add_producer_ids(struct entry *entry, int64_t first, int64_t count)
{
    uint64_t body = record_begin(entry);
    put_number(entry, first);
    put_number(entry, count);
    record_end(entry, body, ENTRY_PRODUCER_IDS);
}

void entry_cut(struct entry *entry, uint64_t size)
{
    ASSERT(size >= ENTRY_HEADER);
    ASSERT(size <= entry->size);
    entry->size = size;
}

static uint32_t sum_of(const uint8_t *bytes, uint64_t size)
{
    return kit_crc32c(kit_crc32c(0, bytes, 4), bytes + ENTRY_HEADER, size - ENTRY_HEADER);
}

mrt_str entry_seal(struct entry *entry)
{
    ASSERT(entry->size >= ENTRY_HEADER);
    kit_put32(entry->bytes + 4, sum_of(entry->bytes, entry->size));
    return (mrt_str){(const char *)entry->bytes, entry->size};
}

/* ---- reading --------------------------------------------------------------------------------- */

mrt_status entry_open(const mrt_str *bytes, struct kit_reader *out, mrt_error *error)
{
    const uint8_t *at = (const uint8_t *)bytes->p;
    if (bytes->n < ENTRY_HEADER)
        return error_set(
            error, MRT_ECORRUPT, "it has %llu bytes, less than its header",
            (unsigned long long)bytes->n);
    if (at[0] > ENTRY_FORMAT || (at[0] == ENTRY_FORMAT && at[1] != 0))
        return error_set(
            error, MRT_ETOONEW,
            "it is written in format %u with flags %u, this release knows %u and 0", at[0], at[1],
            ENTRY_FORMAT);
    if (at[0] != ENTRY_FORMAT || kit_get16(at + 2) != 0)
        return error_set(error, MRT_ECORRUPT, "its header is not one of a metadata entry");
    if (kit_get32(at + 4) != sum_of(at, bytes->n))
        return error_set(error, MRT_ECORRUPT, "it does not carry its checksum");
    *out = kit_reader(at + ENTRY_HEADER, bytes->n - ENTRY_HEADER);
    return MRT_OK;
}

mrt_status entry_next(struct kit_reader *reader, struct entry_record *record, mrt_error *error)
{
    if (kit_left(reader) == 0)
        return MRT_ENOENT;
    record->number++;
    uint64_t kind = kit_read_uvarint(reader);
    uint64_t version = kit_read_uvarint(reader);
    uint64_t size = kit_read_uvarint(reader);
    const uint8_t *body = kit_take(reader, size);

    if (!reader->ok || kind == 0 || version == 0)
        return error_set(error, MRT_ECORRUPT, "record %u does not begin like one", record->number);
    if (kind >= ENTRY_KINDS || version > RECORD_VERSION)
        return error_set(
            error, MRT_ETOONEW,
            "record %u is of kind %llu version %llu, which this "
            "release does not know",
            record->number, (unsigned long long)kind, (unsigned long long)version);
    record->kind = (enum entry_kind)kind;
    record->body = kit_reader(body, size);
    return MRT_OK;
}
