/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_snapshot.c - a whole image as bytes, and the difference between two images.
 *
 *   offset  size  snapshot
 *        0     4  "MRTI"
 *        4     2  format, 1
 *        6     2  flags, 0
 *        8     4  CRC-32C of everything from 12
 *       12     4  epoch of the last entry
 *       16     8  version
 *       24     8  offset after the last entry
 *       32        records as in an entry (entry.h): cluster, controller, producer ids, brokers in
 *                 order of id, topics in order of name. Nothing for an image without entries.
 */
#include <string.h>

#include "core/base/assert.h"
#include "core/base/memory.h"
#include "core/base/str.h"
#include "core/cluster/state.h"
#include "sdk/kit/crc32c.h"

#define SNAPSHOT_HEADER 32
#define SNAPSHOT_FORMAT 1
#define SNAPSHOT_SUMMED 12

static const char magic[4] = {'M', 'R', 'T', 'I'};

/* ---- writing --------------------------------------------------------------------------------- */

static void put_records(const struct image *image, struct entry *entry)
{
    entry_add_cluster(entry, image->cluster_id, image->level);
    if (image->controller >= 0)
        entry_add_controller(entry, image->controller, image->epoch);
    if (image->next_producer_id > 0)
        entry_add_producer_ids(entry, 0, image->next_producer_id);
    for (uint64_t i = 0; i < image_broker_count(image); i++) {
        const struct image_broker *broker = image_broker_at(image, i);
        entry_add_broker(entry, broker, broker->epoch);
    }
    for (uint64_t i = 0; i < image_topic_count(image); i++)
        entry_add_topic(entry, image_topic_at(image, i));
}

void image_snapshot(const struct image *image, uint8_t **out, uint64_t *size)
{
    struct entry entry = {0};
    entry_begin_at(&entry, SNAPSHOT_HEADER);
    if (image->level != 0)
        put_records(image, &entry);

    uint8_t *at = entry.bytes;
    memcpy(at, magic, sizeof magic);
    kit_put16(at + 4, SNAPSHOT_FORMAT);
    kit_put32(at + 12, image->epoch);
    kit_put64(at + 16, image->version);
    kit_put64(at + 24, image->offset);
    kit_put32(at + 8, kit_crc32c(0, at + SNAPSHOT_SUMMED, entry.size - SNAPSHOT_SUMMED));
    *out = entry.bytes;
    *size = entry.size;
}

/* ---- reading --------------------------------------------------------------------------------- */

static mrt_status check_header(const uint8_t *bytes, uint64_t size, mrt_error *error)
{
    if (size < SNAPSHOT_HEADER || memcmp(bytes, magic, sizeof magic) != 0)
        return error_set(error, MRT_ECORRUPT, "metadata snapshot: it does not begin like one");
    uint16_t format = kit_get16(bytes + 4);
    uint16_t flags = kit_get16(bytes + 6);
    if (format > SNAPSHOT_FORMAT || (format == SNAPSHOT_FORMAT && flags != 0))
        return error_set(
            error, MRT_ETOONEW,
            "metadata snapshot: format %u with flags %u, this release knows %u and 0", format,
            flags, SNAPSHOT_FORMAT);
    uint32_t sum = kit_crc32c(0, bytes + SNAPSHOT_SUMMED, size - SNAPSHOT_SUMMED);
    if (format == 0 || kit_get32(bytes + 8) != sum)
        return error_set(error, MRT_ECORRUPT, "metadata snapshot: it does not carry its checksum");
    return MRT_OK;
}

static mrt_status read_records(struct build *build, struct kit_reader *reader)
{
    struct entry_record record = {.number = UINT32_MAX};
    mrt_status status;
    while ((status = entry_next(reader, &record, build->error)) == MRT_OK) {
        bool stated = record.kind != ENTRY_DELETE_TOPIC && record.kind != ENTRY_TOPIC_CONFIGS;
        if (!stated)
            return error_set(build->error, MRT_ECORRUPT, "a change is no part of a state");
        status = build_apply(build, &record);
        if (status != MRT_OK)
            return status;
    }
    return status == MRT_ENOENT ? MRT_OK : status;
}

mrt_status image_restore(const uint8_t *bytes, uint64_t size, struct image **out, mrt_error *error)
{
    mrt_status status = check_header(bytes, size, error);
    if (status != MRT_OK)
        return status;

    mrt_error why = {0};
    struct image_changes changes = {0};
    struct build build = {image_empty(), NULL, &changes, &why};
    struct kit_reader reader = kit_reader(bytes + SNAPSHOT_HEADER, size - SNAPSHOT_HEADER);
    build.next->epoch = kit_get32(bytes + 12);
    build.next->version = kit_get64(bytes + 16);
    build.next->offset = kit_get64(bytes + 24);
    status = read_records(&build, &reader);
    image_changes_free(&changes);
    if (status != MRT_OK) {
        image_unref(build.next);
        return error_set(error, status, "metadata snapshot: %s", why.text);
    }
    CHECK(image_check(build.next));
    *out = build.next;
    return MRT_OK;
}

/* ---- difference ------------------------------------------------------------------------------ */

static bool configs_equal(const struct image_topic *a, const struct image_topic *b)
{
    if (a->n_configs != b->n_configs)
        return false;
    for (uint32_t i = 0; i < a->n_configs; i++)
        if (!str_equal(&a->configs[i].name, &b->configs[i].name) ||
            !str_equal(&a->configs[i].value, &b->configs[i].value))
            return false;
    return true;
}

static bool ids_equal(const int32_t *a, uint32_t n, const int32_t *b, uint32_t m)
{
    return n == m && (n == 0 || memcmp(a, b, n * sizeof *a) == 0);
}

static bool partition_equal(const struct image_partition *a, const struct image_partition *b)
{
    return a->leader == b->leader && a->leader_epoch == b->leader_epoch &&
           a->partition_epoch == b->partition_epoch &&
           ids_equal(a->replicas, a->n_replicas, b->replicas, b->n_replicas) &&
           ids_equal(a->isr, a->n_isr, b->isr, b->n_isr);
}

/* The topic is in both: its locals move, what differs is noted. Partitions it did not have before
 * have no local yet. */
static void compare_topic(
    const struct image_topic *old, const struct image_topic *now, struct image_changes *changes)
{
    if (!configs_equal(old, now))
        image_changes_add(changes, IMAGE_TOPIC_CONFIGURED, -1, now);
    for (uint32_t i = 0; i < now->n_partitions; i++) {
        bool known = i < old->n_partitions;
        if (known)
            now->partitions[i].local = old->partitions[i].local;
        if (!known || !partition_equal(&old->partitions[i], &now->partitions[i]))
            image_changes_add(changes, IMAGE_PARTITION_CHANGED, (int32_t)i, now);
    }
}

void image_changes_between(
    const struct image *old, const struct image *now, struct image_changes *changes)
{
    for (uint64_t i = 0; i < image_topic_count(old); i++) {
        const struct image_topic *topic = image_topic_at(old, i);
        if (image_topic_by_id(now, topic->id) == NULL)
            image_changes_add(changes, IMAGE_TOPIC_DELETED, -1, topic);
    }
    for (uint64_t i = 0; i < image_topic_count(now); i++) {
        const struct image_topic *topic = image_topic_at(now, i);
        const struct image_topic *before = image_topic_by_id(old, topic->id);
        if (before == NULL)
            image_changes_add(changes, IMAGE_TOPIC_CREATED, -1, topic);
        else
            compare_topic(before, topic, changes);
    }
    for (uint64_t i = 0; i < image_broker_count(now); i++) {
        const struct image_broker *broker = image_broker_at(now, i);
        const struct image_broker *before = image_broker(old, broker->id);
        if (before == NULL || before->epoch != broker->epoch || before->fenced != broker->fenced)
            image_changes_add(changes, IMAGE_BROKER_CHANGED, broker->id, NULL);
    }
    for (uint64_t i = 0; i < image_broker_count(old); i++) {
        int32_t id = image_broker_at(old, i)->id;
        if (image_broker(now, id) == NULL)
            image_changes_add(changes, IMAGE_BROKER_CHANGED, id, NULL);
    }
}
