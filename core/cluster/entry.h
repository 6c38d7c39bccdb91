/* SPDX-License-Identifier: Apache-2.0 */
/*
 * entry.h - how a metadata entry is written down: a header and records, each with its own version.
 * Written by the controller and the snapshot, read by image_apply(); nobody else knows the bytes.
 *
 *   offset  size  entry                       record
 *        0     1  format, 1                   uvarint  kind, ENTRY_
 *        1     1  flags, 0                    uvarint  version, 1
 *        2     2  reserved, 0                 uvarint  bytes of the body
 *        4     4  CRC-32C of everything       ...      body
 *                 but this field
 *        8        records
 *
 *   body of           fields; text is uvarint length and bytes, ids is uvarint count and uvarints
 *   CLUSTER        1  cluster id (16), uvarint metadata.level
 *   CONTROLLER     1  uvarint node, uvarint epoch
 *   BROKER         1  uvarint id, byte fenced, varint epoch (-1: the entry's offset), incarnation
 *                     (16), text rack, uvarint n, n times: text listener, text host, uvarint port
 *   TOPIC          1  id (16), text name, uvarint n, n times: varint leader (-1: none), uvarint
 *                     leader epoch, uvarint partition epoch, ids replicas, ids isr; then configs
 *   DELETE_TOPIC   1  id (16)
 *   TOPIC_CONFIGS  1  id (16), configs: uvarint n, n times: text name, text value; in order of name
 *   PRODUCER_IDS   1  uvarint first, uvarint count
 *
 * A format, flag, kind or version that is not listed was written by a newer release: MRT_ETOONEW.
 */
#ifndef CORE_CLUSTER_ENTRY_H
#define CORE_CLUSTER_ENTRY_H

#include "core/base/error.h"
#include "core/cluster/image.h"
#include "sdk/kit/varint.h"

#define ENTRY_HEADER     8
#define ENTRY_FORMAT     1
#define ENTRY_RECORD_MAX (3 * 10) /* bytes before a body */

/* Of one record; what a client may ask for is limited further by the controller. */
#define TOPIC_NAME_MAX       249    /* bytes; Kafka's limit, leaves room in a file name */
#define TOPIC_PARTITIONS_MAX 100000 /* a record must fit one entry of any plugin */
#define TOPIC_REPLICAS_MAX   64     /* of one partition; nobody runs more than a handful */
#define TOPIC_CONFIGS_MAX    1024   /* overrides; Kafka knows some forty keys, plugins add theirs */
#define BROKER_ENDPOINTS_MAX 64
#define CLUSTER_TEXT_MAX     32767 /* bytes of any other text; Kafka's have 16-bit lengths */

#define METADATA_LEVEL 1 /* the highest this release knows; gates what may be written */

enum entry_kind {
    ENTRY_CLUSTER = 1,
    ENTRY_CONTROLLER = 2,
    ENTRY_BROKER = 3,
    ENTRY_TOPIC = 4,
    ENTRY_DELETE_TOPIC = 5,
    ENTRY_TOPIC_CONFIGS = 6,
    ENTRY_PRODUCER_IDS = 7,
    ENTRY_KINDS
};

/* ---- writing --------------------------------------------------------------------------------- */

/* An entry under construction. Zeroed before the first entry_begin(); freed with entry_fini(). */
struct entry {
    uint8_t *bytes; /* owned */
    uint64_t size;
    uint64_t cap;
};

void entry_begin(struct entry *entry);
void entry_fini(struct entry *entry);

void entry_add_cluster(struct entry *entry, const uint8_t *cluster_id, uint32_t level);
void entry_add_controller(struct entry *entry, int32_t node, uint32_t epoch);
/* @epoch -1: the broker's epoch will be the entry's offset. */
void entry_add_broker(struct entry *entry, const struct image_broker *broker, int64_t epoch);
void entry_add_topic(struct entry *entry, const struct image_topic *topic);
void entry_add_delete(struct entry *entry, const uint8_t *topic_id);
/* All overrides of the topic from now on: @configs in order of name, each name once. */
void entry_add_configs(
    struct entry *entry, const uint8_t *topic_id, const struct image_config *configs, uint32_t n);
void entry_add_producer_ids(struct entry *entry, int64_t first, int64_t count);

/* Undoes what was added since entry->size was @size. */
void entry_cut(struct entry *entry, uint64_t size);

/* Writes the checksum; the bytes are borrowed until the next entry_begin(). */
mrt_str entry_seal(struct entry *entry);

/* The records alone, without a header: the same for the snapshot, which has its own. */
void entry_begin_at(struct entry *entry, uint64_t header);

/* ---- reading --------------------------------------------------------------------------------- */

struct entry_record {
    enum entry_kind kind;
    uint32_t number; /* place in the entry, from 0 */
    struct kit_reader body;
};

/* Checks the header of @bytes and places @out before the first record. */
mrt_status entry_open(const mrt_str *bytes, struct kit_reader *out, mrt_error *error);

/* The next record; MRT_ENOENT at the end. Counts in @record->number, which starts at -1 (all bits
 * set). MRT_ECORRUPT, MRT_ETOONEW. */
mrt_status entry_next(struct kit_reader *reader, struct entry_record *record, mrt_error *error);

/* For texts: "topic". */
const char *entry_kind_name(enum entry_kind kind);

#endif /* CORE_CLUSTER_ENTRY_H */
