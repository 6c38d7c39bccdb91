/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record.h - Kafka's record batches, magic 2, as bytes: are they what a client may send, what is in
 * them, and small ones made by ourselves. Pure: no state, no clock, no allocation. The layout of
 * the header is in sdk/kit/batch.h; a record is
 *
 *   varint  length of the rest        varint  key length, -1: null; key
 *   i8      attributes, unused        varint  value length, -1: null; value
 *   varlong timestamp delta           varint  header count, and for each:
 *   varint  offset delta                      key length, key; value length, -1: null; value
 *
 *   R1  Every function is total: any bytes give an answer, and none is read beyond @size.
 *   R2  What record_check() accepted needs no further check of its form anywhere in the core. Only
 *       the inside of compressed batches has not been looked at.
 *   R3  Nothing here allocates or copies; views point into the caller's bytes.
 */
#ifndef CORE_RECORD_RECORD_H
#define CORE_RECORD_RECORD_H

#include <stdbool.h>

#include <mortise/draft/broker.h>

#include "core/base/error.h"
#include "sdk/kit/batch.h"

#define RECORD_CODEC_LAST 4 /* zstd */

/* What a topic asks of batches that clients send. */
struct record_rules {
    uint64_t batch_bytes_max;        /* max.message.bytes and segment.bytes, whichever is less */
    uint32_t batches_max;            /* a client's produce carries one */
    bool keys_required;              /* the topic is compacted */
    int64_t now_ms;                  /* for the two limits that follow */
    int64_t timestamp_before_max_ms; /* a record may be this much older than now */
    int64_t timestamp_after_max_ms;  /* or newer */
};

struct record_info {
    uint32_t batches;
    uint32_t codecs; /* bit i: a batch has codec i */
    uint64_t records;
    int64_t max_timestamp_ms;
    int64_t producer_id; /* of the first batch, as what follows; -1: none */
    int32_t base_sequence;
    int16_t producer_epoch;
    bool transactional;
    /* why it was refused: */
    int32_t record;   /* place in its batch; -1: the batch as such */
    const char *text; /* static; NULL: it was not */
};

/*
 * May a client append the @size bytes at @bytes, whole batches? Header, counts and checksum of each
 * batch; every record, where the batch is not compressed. Fills *@out always, its counts only when
 * it returns MRT_OK.
 *
 *   MRT_ECORRUPT    cut short, wrong lengths or checksum
 *   MRT_ETOOBIG     batch_bytes_max, batches_max
 *   MRT_ECODEC      no such codec
 *   MRT_ETIMESTAMP  not the producer's clock, or outside of the limits
 *   MRT_ERECORD     everything else
 */
MUST_CHECK mrt_status record_check(
    const void *bytes, uint64_t size, const struct record_rules *rules, struct record_info *out);

/* ---- walking --------------------------------------------------------------------------------- */

/* The next batch of @size bytes at @bytes: decodes its header. MRT_ECORRUPT if it is no whole batch
 * of magic 2. Checks no checksum. */
MUST_CHECK mrt_status record_batch(const void *bytes, uint64_t size, struct kit_batch *out);

/* One record; texts with p NULL are null. */
struct record {
    int64_t timestamp_ms; /* the batch's where that is LogAppendTime */
    int64_t offset;
    mrt_str key;
    mrt_str value;
    mrt_str headers; /* as they are, behind their count */
    int32_t header_count;
    int32_t index; /* place in its batch */
};

/* Over the records of one batch that is not compressed. */
struct record_cursor {
    struct kit_reader reader;
    struct kit_batch batch;
    int32_t index; /* of the record to come, or of the one at fault */
    int64_t least; /* offset delta that the record to come has, or more if thinned */
    bool thinned; /* the caller's, behind record_walk(): compaction may have left gaps in offsets */
    const char *text; /* static; what is wrong with that record, or NULL */
};

/* @bytes are one whole batch as record_batch() found it, with codec 0. */
void record_walk(struct record_cursor *cursor, const void *bytes, const struct kit_batch *batch);

/* False at the end, and where a record is malformed: cursor->text says so. */
bool record_next(struct record_cursor *cursor, struct record *out);

/* The next header of a record, from its @headers on; false at the end. */
bool record_header_next(mrt_str *headers, mrt_str *key, mrt_str *value);

/* ---- changing -------------------------------------------------------------------------------- */

/* Makes the batch at @bytes (@size of it, a whole one) carry @now_ms as append time; the checksum
 * is adjusted by what changed, in O(log size). */
void record_stamp_time(uint8_t *bytes, uint64_t size, int64_t now_ms);

/* ---- making ---------------------------------------------------------------------------------- */

/* A batch in the making, uncompressed, offset 0;
 * the caller changes what it wants in @batch before record_make_end(). */
struct record_maker {
    uint8_t *bytes; /* borrowed */
    uint64_t capacity;
    uint64_t size;
    struct kit_batch batch;
};

/* @bytes has room for @capacity; no producer. At least KIT_BATCH_HEADER. */
void record_make(struct record_maker *maker, uint8_t *bytes, uint64_t capacity);

/* Adds a record of timestamp, key, value, headers; its offset is the next. MRT_ETOOBIG, and nothing
 * is added, when there is no room. */
MUST_CHECK mrt_status record_make_add(struct record_maker *maker, const struct record *record);

/* Writes the header and returns the size of the batch, which holds at least one record. */
uint64_t record_make_end(struct record_maker *maker);

#endif /* CORE_RECORD_RECORD_H */
