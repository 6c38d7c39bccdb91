/* SPDX-License-Identifier: Apache-2.0 */
/*
 * make.c - small batches of our own: internal topics, tools, tests. Uncompressed; the header is
 * written last, when counts and timestamps are known.
 */
#include <string.h>

#include "core/base/assert.h"
#include "core/record/record.h"

static uint64_t text_size(const mrt_str *text)
{
    if (text->p == NULL)
        return 1;
    return kit_uvarint_size(kit_zigzag((int64_t)text->n)) + text->n;
}

static uint8_t *put_varint(uint8_t *at, int64_t value)
{
    return kit_put_uvarint(at, kit_zigzag(value));
}

static uint8_t *put_text(uint8_t *at, const mrt_str *text)
{
    if (text->p == NULL)
        return put_varint(at, -1);
    at = put_varint(at, (int64_t)text->n);
    memcpy(at, text->p, text->n);
    return at + text->n;
}

static uint32_t varint_size(int64_t value)
{
    return kit_uvarint_size(kit_zigzag(value));
}

/* Bytes of a record behind its length. */
static uint64_t body_size(const struct record *record, int64_t timestamp_delta, int32_t index)
{
    return 1 + (uint64_t)varint_size(timestamp_delta) + varint_size(index) +
           text_size(&record->key) + text_size(&record->value) + varint_size(record->header_count) +
           record->headers.n;
}

void record_make(struct record_maker *maker, uint8_t *bytes, uint64_t capacity)
{
    ASSERT(bytes != NULL);
    ASSERT(capacity >= KIT_BATCH_HEADER);
    *maker = (struct record_maker){
        .bytes = bytes,
        .capacity = capacity,
        .size = KIT_BATCH_HEADER,
        .batch =
            {
                .producer_id = -1,
                .producer_epoch = -1,
                .base_sequence = -1,
                .leader_epoch = -1,
                .max_timestamp_ms = -1,
                .magic = KIT_BATCH_MAGIC,
            },
    };
}

mrt_status record_make_add(struct record_maker *maker, const struct record *record)
{
    struct kit_batch *batch = &maker->batch;
    int64_t base_ms = batch->count == 0 ? record->timestamp_ms : batch->base_timestamp_ms;
    int64_t delta_ms = record->timestamp_ms - base_ms;
    uint64_t size = body_size(record, delta_ms, batch->count);

    ASSERT(record->header_count >= 0);
    ASSERT(batch->count < INT32_MAX);
    if (varint_size((int64_t)size) + size > maker->capacity - maker->size)
        return MRT_ETOOBIG;
    uint8_t *at = put_varint(maker->bytes + maker->size, (int64_t)size);
    uint8_t *end = at + size;
    *at++ = 0;
    at = put_varint(at, delta_ms);
    at = put_varint(at, batch->count);
    at = put_text(at, &record->key);
    at = put_text(at, &record->value);
    at = put_varint(at, record->header_count);
    if (record->headers.n > 0)
        memcpy(at, record->headers.p, record->headers.n);
    ASSERT(at + record->headers.n == end);

    maker->size = (uint64_t)(end - maker->bytes);
    batch->base_timestamp_ms = base_ms;
    if (batch->count == 0 || record->timestamp_ms > batch->max_timestamp_ms)
        batch->max_timestamp_ms = record->timestamp_ms;
    batch->last_offset_delta = batch->count++;
    return MRT_OK;
}

uint64_t record_make_end(struct record_maker *maker)
{
    const struct kit_batch *batch = &maker->batch;
    uint8_t *p = maker->bytes;

    ASSERT(batch->count > 0);
    ASSERT((batch->attributes & KIT_BATCH_CODEC) == 0);
    kit_batch_stamp(p, batch->base_offset, batch->leader_epoch);
    kit_put32(p + 8, (uint32_t)(maker->size - KIT_BATCH_PREFIX));
    p[16] = batch->magic;
    kit_put16(p + 21, batch->attributes);
    kit_put32(p + 23, (uint32_t)batch->last_offset_delta);
    kit_put64(p + 27, (uint64_t)batch->base_timestamp_ms);
    kit_put64(p + 35, (uint64_t)batch->max_timestamp_ms);
    kit_put64(p + 43, (uint64_t)batch->producer_id);
    kit_put16(p + 51, (uint16_t)batch->producer_epoch);
    kit_put32(p + 53, (uint32_t)batch->base_sequence);
    kit_put32(p + 57, (uint32_t)batch->count);
    kit_batch_sum(p, maker->size);
    return maker->size;
}
