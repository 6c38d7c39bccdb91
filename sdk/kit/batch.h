/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batch.h - the header of a Kafka record batch, magic 2, as a view over bytes (KIP-98).
 *
 *   offset  size  field                         offset  size  field
 *        0     8  base offset                       27     8  base timestamp, ms
 *        8     4  length: bytes after this field    35     8  max timestamp, ms
 *       12     4  partition leader epoch            43     8  producer id, -1: none
 *       16     1  magic, 2                          51     2  producer epoch
 *       17     4  CRC-32C of everything from 21     53     4  base sequence
 *       21     2  attributes                        57     4  record count
 *       23     4  last offset delta                 61        records, one blob if compressed
 *
 * Base offset and leader epoch lie before the checksummed part: a leader stamps them in place.
 */
#ifndef SDK_KIT_BATCH_H
#define SDK_KIT_BATCH_H

#include "sdk/kit/crc32c.h"
#include "sdk/kit/varint.h"

#define KIT_BATCH_HEADER 61 /* bytes before the first record */
#define KIT_BATCH_PREFIX 12 /* bytes that the length field does not count */
#define KIT_BATCH_SUMMED 21 /* where the checksummed part begins */
#define KIT_BATCH_MAGIC  2

enum {
    KIT_BATCH_CODEC = 7,            /* mask: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd */
    KIT_BATCH_APPEND_TIME = 1 << 3, /* timestamps are the broker's, else the producer's */
    KIT_BATCH_TRANSACTIONAL = 1 << 4,
    KIT_BATCH_CONTROL = 1 << 5,
    KIT_BATCH_HORIZON = 1 << 6 /* the base timestamp is a delete horizon */
};

struct kit_batch {
    int64_t base_offset;
    int64_t base_timestamp_ms;
    int64_t max_timestamp_ms;
    int64_t producer_id;
    uint64_t size; /* of the whole batch in bytes */
    int32_t leader_epoch;
    uint32_t crc;
    int32_t last_offset_delta;
    int32_t base_sequence;
    int32_t count;
    uint16_t attributes;
    int16_t producer_epoch;
    uint8_t magic;
    uint8_t reserved[7];
};

/* Decodes the 61 bytes at @p; checks nothing. */
static inline void kit_batch_decode(const uint8_t *p, struct kit_batch *out)
{
    *out = (struct kit_batch){
        .base_offset = (int64_t)kit_get64(p),
        .size = (uint64_t)kit_get32(p + 8) + KIT_BATCH_PREFIX,
        .leader_epoch = (int32_t)kit_get32(p + 12),
        .magic = p[16],
        .crc = kit_get32(p + 17),
        .attributes = kit_get16(p + 21),
        .last_offset_delta = (int32_t)kit_get32(p + 23),
        .base_timestamp_ms = (int64_t)kit_get64(p + 27),
        .max_timestamp_ms = (int64_t)kit_get64(p + 35),
        .producer_id = (int64_t)kit_get64(p + 43),
        .producer_epoch = (int16_t)kit_get16(p + 51),
        .base_sequence = (int32_t)kit_get32(p + 53),
        .count = (int32_t)kit_get32(p + 57),
    };
}

static inline int64_t kit_batch_last(const struct kit_batch *b)
{
    return b->base_offset + b->last_offset_delta;
}

/* Does the batch of @size bytes at @p carry its checksum? @size is at least KIT_BATCH_HEADER. */
static inline int kit_batch_sum_ok(const uint8_t *p, uint64_t size)
{
    return kit_crc32c(0, p + KIT_BATCH_SUMMED, size - KIT_BATCH_SUMMED) == kit_get32(p + 17);
}

/* Writes offset and leader epoch in place; the checksum stays true. */
static inline void kit_batch_stamp(uint8_t *p, int64_t base_offset, int32_t leader_epoch)
{
    kit_put64(p, (uint64_t)base_offset);
    kit_put32(p + 12, (uint32_t)leader_epoch);
}

/* Computes and writes the checksum of the batch of @size bytes at @p. */
static inline void kit_batch_sum(uint8_t *p, uint64_t size)
{
    kit_put32(p + 17, kit_crc32c(0, p + KIT_BATCH_SUMMED, size - KIT_BATCH_SUMMED));
}

#endif /* SDK_KIT_BATCH_H */
