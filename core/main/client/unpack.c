/* SPDX-License-Identifier: Apache-2.0 */
#include "core/main/client/unpack.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/base/memory.h"

/* Is all of the batch or older message set at the front there? */
static bool is_whole(const uint8_t *p, uint64_t n)
{
    return n >= KIT_BATCH_PREFIX && n - KIT_BATCH_PREFIX >= kit_get32(p + 8);
}

static mrt_status check(
    const uint8_t *p, uint64_t n, struct kit_batch *batch, int64_t next, mrt_error *error)
{
    if (n > 16 && p[16] != KIT_BATCH_MAGIC)
        return error_set(
            error, MRT_ENOTSUP, "offset %lld: stored in the format of Kafka before 0.11 (magic %u)",
            (long long)next, p[16]);
    bool form = record_batch(p, n, batch) == MRT_OK && batch->count >= 0;
    form = form && batch->last_offset_delta >= 0 && batch->base_offset >= 0;
    if (!form || batch->base_offset > INT64_MAX - INT32_MAX - 1)
        return error_set(error, MRT_ECORRUPT, "offset %lld: not a batch", (long long)next);
    if (!kit_batch_sum_ok(p, batch->size))
        return error_set(
            error, MRT_ECORRUPT, "offset %lld: the batch does not carry its checksum",
            (long long)batch->base_offset);
    return MRT_OK;
}

/* Makes *@plain what @p was before it was compressed: a batch with the same header. */
static mrt_status inflate(
    struct engines *engines, const uint8_t *p, struct kit_batch *batch, uint8_t **plain,
    mrt_error *error)
{
    uint32_t codec = batch->attributes & KIT_BATCH_CODEC;
    uint8_t *records = NULL;
    uint64_t n = 0;
    mrt_status status = engines_inflate(
        engines, codec, p + KIT_BATCH_HEADER, batch->size - KIT_BATCH_HEADER, &records, &n, error);
    if (status != MRT_OK) {
        const mrt_error why = *error;
        const char *name = engines_codec_name(codec);
        return error_set(
            error, status, "offset %lld: compressed with %s: %.190s", (long long)batch->base_offset,
            name != NULL ? name : "?", why.text);
    }
    *plain = memory_new(KIT_BATCH_HEADER + n);
    memcpy(*plain, p, KIT_BATCH_HEADER);
    memcpy(*plain + KIT_BATCH_HEADER, records, n);
    memory_free(records);
    batch->size = KIT_BATCH_HEADER + n;
    batch->attributes &= (uint16_t)~KIT_BATCH_CODEC;
    return MRT_OK;
}

static mrt_status walk(
    const uint8_t *p, const struct kit_batch *batch, int64_t *next, const struct sink *sink,
    mrt_error *error)
{
    struct record_cursor cursor;
    struct record record;

    record_walk(&cursor, p, batch);
    cursor.thinned = true;
    while (record_next(&cursor, &record)) {
        if (record.offset < *next)
            continue;
        *next = record.offset + 1;
        if (!sink->take(sink->context, &record))
            return MRT_ECANCELED;
    }
    if (cursor.text == NULL)
        return MRT_OK;
    return error_set(
        error, MRT_ECORRUPT, "the batch at offset %lld is damaged in record %d: %s",
        (long long)batch->base_offset, cursor.index, cursor.text);
}

static mrt_status unpack_one(
    struct engines *engines, const uint8_t *p, struct kit_batch *batch, int64_t *next,
    const struct sink *sink, mrt_error *error)
{
    int64_t behind = kit_batch_last(batch) + 1;
    uint8_t *plain = NULL;
    mrt_status status = MRT_OK;

    if (batch->attributes & KIT_BATCH_CONTROL || behind <= *next) {
        *next = behind > *next ? behind : *next;
        return MRT_OK;
    }
    if (batch->attributes & KIT_BATCH_CODEC)
        status = inflate(engines, p, batch, &plain, error);
    if (status == MRT_OK)
        status = walk(plain != NULL ? plain : p, batch, next, sink, error);
    memory_free(plain);
    if (status == MRT_OK)
        *next = behind; /* compaction may have taken the last records */
    return status;
}

mrt_status unpack(
    struct engines *engines, const mrt_str *bytes, int64_t *next, const struct sink *sink,
    mrt_error *error)
{
    const uint8_t *p = (const uint8_t *)bytes->p;
    uint64_t left = bytes->n;
    mrt_status status = MRT_OK;

    if (left > 0 && !is_whole(p, left))
        return error_set(
            error, MRT_ETOOBIG, "offset %lld: the broker sends less than a batch",
            (long long)*next);
    while (status == MRT_OK && is_whole(p, left)) {
        struct kit_batch batch;
        status = check(p, left, &batch, *next, error);
        if (status != MRT_OK)
            return status;
        uint64_t size = batch.size;
        status = unpack_one(engines, p, &batch, next, sink, error);
        p += size;
        left -= size;
    }
    return status;
}
