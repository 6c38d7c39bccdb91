/* SPDX-License-Identifier: Apache-2.0 */
/*
 * walk.c - reads batches and records with bounds. Lengths are checked against what is left before
 * anything is looked at; a fault stops the walk and names itself.
 */
#include "core/base/assert.h"
#include "core/record/record.h"

mrt_status record_batch(const void *bytes, uint64_t size, struct kit_batch *out)
{
    if (size < KIT_BATCH_HEADER)
        return MRT_ECORRUPT;
    struct kit_batch batch;
    kit_batch_decode(bytes, &batch);
    if (batch.magic != KIT_BATCH_MAGIC)
        return MRT_ECORRUPT;
    if (batch.size < KIT_BATCH_HEADER || batch.size > size)
        return MRT_ECORRUPT;
    *out = batch;
    return MRT_OK;
}

void record_walk(struct record_cursor *cursor, const void *bytes, const struct kit_batch *batch)
{
    ASSERT(batch->size >= KIT_BATCH_HEADER);
    ASSERT((batch->attributes & KIT_BATCH_CODEC) == 0);
    *cursor = (struct record_cursor){
        .reader =
            kit_reader((const uint8_t *)bytes + KIT_BATCH_HEADER, batch->size - KIT_BATCH_HEADER),
        .batch = *batch,
    };
}

/* A length and as many bytes. -1 is null where that is allowed, other negative ones are faults. */
static bool read_text(struct kit_reader *reader, bool nullable, mrt_str *out)
{
    int64_t length = kit_read_varint(reader);
    if (!reader->ok || length < -1 || (length == -1 && !nullable))
        return false;
    if (length == -1) {
        *out = (mrt_str){NULL, 0};
        return true;
    }
    const uint8_t *at = kit_take(reader, (uint64_t)length);
    if (at == NULL)
        return false;
    *out = (mrt_str){(const char *)at, (uint64_t)length};
    return true;
}

/* Leaves @out->headers at what lies behind the count. */
static const char *read_headers(struct kit_reader *reader, struct record *out)
{
    int64_t count = kit_read_varint(reader);
    if (!reader->ok || count < 0)
        return "header count";
    if (count > (int64_t)(kit_left(reader) / 2)) /* each takes two bytes at least */
        return "header count";
    const uint8_t *begin = reader->at;
    for (int64_t i = 0; i < count; i++) {
        mrt_str key;
        mrt_str value;
        if (!read_text(reader, false, &key))
            return "header key";
        if (!read_text(reader, true, &value))
            return "header value";
    }
    out->headers = (mrt_str){(const char *)begin, (uint64_t)(reader->at - begin)};
    out->header_count = (int32_t)count;
    return NULL;
}

/* The sum, or false when there is none in 64 bits. */
static bool add(int64_t a, int64_t b, int64_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}

/* A client numbers its records without gaps; what compaction left of them is still in order. */
static bool offset_fits(const struct record_cursor *cursor, int64_t delta)
{
    if (!cursor->thinned)
        return delta == cursor->least;
    return delta >= cursor->least && delta <= cursor->batch.last_offset_delta;
}

static const char *read_record(struct record_cursor *cursor, struct record *out)
{
    struct kit_reader *outer = &cursor->reader;
    int64_t length = kit_read_varint(outer);
    if (!outer->ok || length < 0)
        return "record length";
    const uint8_t *at = kit_take(outer, (uint64_t)length);
    if (at == NULL)
        return "record length";

    struct kit_reader reader = kit_reader(at, (uint64_t)length);
    kit_read8(&reader);
    int64_t timestamp_delta = kit_read_varint(&reader);
    int64_t offset_delta = kit_read_varint(&reader);
    if (!reader.ok)
        return "record cut short";
    if (!offset_fits(cursor, offset_delta))
        return "offset delta";
    cursor->least = offset_delta + 1;
    const struct kit_batch *batch = &cursor->batch;
    if (!add(batch->base_timestamp_ms, timestamp_delta, &out->timestamp_ms))
        return "timestamp delta";
    if (batch->attributes & KIT_BATCH_APPEND_TIME)
        out->timestamp_ms = batch->max_timestamp_ms;
    if (!add(batch->base_offset, offset_delta, &out->offset))
        return "offset";
    out->index = cursor->index;
    if (!read_text(&reader, true, &out->key))
        return "key length";
    if (!read_text(&reader, true, &out->value))
        return "value length";
    const char *text = read_headers(&reader, out);
    if (text != NULL)
        return text;
    return kit_left(&reader) == 0 ? NULL : "bytes behind the headers";
}

bool record_next(struct record_cursor *cursor, struct record *out)
{
    if (cursor->text != NULL)
        return false;
    if (cursor->index >= cursor->batch.count) {
        if (kit_left(&cursor->reader) > 0)
            cursor->text = "bytes behind the last record";
        return false;
    }
    cursor->text = read_record(cursor, out);
    if (cursor->text != NULL)
        return false;
    cursor->index++;
    return true;
}

bool record_header_next(mrt_str *headers, mrt_str *key, mrt_str *value)
{
    ASSERT(key != NULL);
    ASSERT(value != NULL);
    if (headers->n == 0)
        return false;
    struct kit_reader reader = kit_reader(headers->p, headers->n);
    if (!read_text(&reader, false, key) || !read_text(&reader, true, value))
        return false;
    *headers = (mrt_str){(const char *)reader.at, kit_left(&reader)};
    return true;
}
