/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check.c - what a client may append, in the order in which Kafka asks: sizes, checksum, counts,
 * origin, producer, timestamps, and then record by record where the batch is not compressed.
 */
#include "core/base/assert.h"
#include "core/record/record.h"

#define PRODUCER_NONE INT64_C(-1)

static mrt_status refuse(struct record_info *out, mrt_status status, const char *text)
{
    ASSERT(status < 0);
    ASSERT(text != NULL);
    out->text = text;
    return status;
}

/* The differences are taken so that no timestamp a client invents overflows. */
static bool in_time(const struct record_rules *rules, int64_t timestamp_ms)
{
    if (timestamp_ms == -1) /* the producer has no clock */
        return true;
    int64_t ahead;
    if (__builtin_sub_overflow(timestamp_ms, rules->now_ms, &ahead))
        return timestamp_ms < 0 ? rules->timestamp_before_max_ms == INT64_MAX
                                : rules->timestamp_after_max_ms == INT64_MAX;
    if (ahead >= 0)
        return ahead <= rules->timestamp_after_max_ms;
    return ahead == INT64_MIN || -ahead <= rules->timestamp_before_max_ms;
}

static const char *producer_fault(const struct kit_batch *batch)
{
    if (batch->producer_id < PRODUCER_NONE)
        return "producer id";
    if (batch->producer_id == PRODUCER_NONE) {
        if (batch->attributes & KIT_BATCH_TRANSACTIONAL)
            return "transactional without a producer id";
        return batch->base_sequence < -1 ? "sequence" : NULL;
    }
    if (batch->producer_epoch < 0)
        return "producer epoch";
    return batch->base_sequence < 0 ? "sequence" : NULL;
}

static mrt_status check_header(
    const struct kit_batch *batch, const struct record_rules *rules, struct record_info *out)
{
    if (batch->count <= 0 || batch->last_offset_delta != batch->count - 1)
        return refuse(out, MRT_ERECORD, "record count and last offset disagree");
    if (batch->base_offset != 0)
        return refuse(out, MRT_ERECORD, "base offset is not 0");
    if (batch->attributes & KIT_BATCH_CONTROL)
        return refuse(out, MRT_ERECORD, "control batches are the broker's");
    if (batch->attributes & KIT_BATCH_HORIZON)
        return refuse(out, MRT_ERECORD, "delete horizons are the broker's");
    const char *text = producer_fault(batch);
    if (text != NULL)
        return refuse(out, MRT_ERECORD, text);
    if ((batch->attributes & KIT_BATCH_CODEC) > RECORD_CODEC_LAST)
        return refuse(out, MRT_ECODEC, "no such codec");
    if (batch->attributes & KIT_BATCH_APPEND_TIME)
        return refuse(out, MRT_ETIMESTAMP, "append time is the broker's");
    if (batch->size > rules->batch_bytes_max)
        return refuse(out, MRT_ETOOBIG, "batch is larger than the topic allows");
    return MRT_OK;
}

/* All that can be said of compressed records without decompressing them. */
static mrt_status check_compressed(
    const struct kit_batch *batch, const struct record_rules *rules, struct record_info *out)
{
    if (!in_time(rules, batch->max_timestamp_ms))
        return refuse(out, MRT_ETIMESTAMP, "max timestamp is outside of the topic's limits");
    return MRT_OK;
}

static mrt_status check_record(
    const struct record *record, const struct record_rules *rules, struct record_info *out)
{
    out->record = record->index;
    if (rules->keys_required && record->key.p == NULL)
        return refuse(out, MRT_ERECORD, "a compacted topic needs keys");
    if (!in_time(rules, record->timestamp_ms))
        return refuse(out, MRT_ETIMESTAMP, "timestamp is outside of the topic's limits");
    return MRT_OK;
}

static mrt_status check_records(
    const uint8_t *bytes, const struct kit_batch *batch, const struct record_rules *rules,
    struct record_info *out)
{
    struct record_cursor cursor;
    struct record record;
    int64_t max_timestamp_ms = INT64_MIN;

    record_walk(&cursor, bytes, batch);
    while (record_next(&cursor, &record)) {
        mrt_status status = check_record(&record, rules, out);
        if (status != MRT_OK)
            return status;
        if (record.timestamp_ms > max_timestamp_ms)
            max_timestamp_ms = record.timestamp_ms;
    }
    out->record = cursor.index;
    if (cursor.text != NULL)
        return refuse(out, MRT_ERECORD, cursor.text);
    out->record = -1;
    if (max_timestamp_ms != batch->max_timestamp_ms)
        return refuse(out, MRT_ERECORD, "max timestamp is not that of the records");
    return MRT_OK;
}

/* What the header of the next batch at @bytes says; everything is inside @size afterwards. */
static mrt_status check_form(
    const uint8_t *bytes, uint64_t size, struct kit_batch *batch, struct record_info *out)
{
    if (size < KIT_BATCH_HEADER)
        return refuse(out, MRT_ECORRUPT, "cut short");
    if (bytes[16] != KIT_BATCH_MAGIC)
        return refuse(out, MRT_ERECORD, "only batches of magic 2 are taken");
    mrt_status status = record_batch(bytes, size, batch);
    if (status != MRT_OK)
        return refuse(out, status, "length of the batch");
    if (!kit_batch_sum_ok(bytes, batch->size))
        return refuse(out, MRT_ECORRUPT, "checksum");
    return MRT_OK;
}

static void note(const struct kit_batch *batch, struct record_info *out)
{
    if (out->batches == 0) {
        out->producer_id = batch->producer_id;
        out->producer_epoch = batch->producer_epoch;
        out->base_sequence = batch->base_sequence;
    }
    out->batches++;
    out->records += (uint64_t)batch->count;
    out->codecs |= 1u << (batch->attributes & KIT_BATCH_CODEC);
    out->transactional |= (batch->attributes & KIT_BATCH_TRANSACTIONAL) != 0;
    if (batch->max_timestamp_ms > out->max_timestamp_ms)
        out->max_timestamp_ms = batch->max_timestamp_ms;
}

mrt_status record_check(
    const void *bytes, uint64_t size, const struct record_rules *rules, struct record_info *out)
{
    const uint8_t *at = bytes;
    struct kit_batch batch;

    ASSERT(rules->batches_max > 0);
    ASSERT(rules->timestamp_before_max_ms >= 0);
    ASSERT(rules->timestamp_after_max_ms >= 0);
    *out = (struct record_info){.record = -1, .producer_id = -1, .max_timestamp_ms = -1};
    do {
        if (out->batches == rules->batches_max)
            return refuse(out, MRT_ETOOBIG, "too many batches");
        mrt_status status = check_form(at, size, &batch, out);
        if (status == MRT_OK)
            status = check_header(&batch, rules, out);
        if (status == MRT_OK)
            status = batch.attributes & KIT_BATCH_CODEC ? check_compressed(&batch, rules, out)
                                                        : check_records(at, &batch, rules, out);
        if (status != MRT_OK)
            return status;
        note(&batch, out);
        ASSERT(batch.size <= size);
        at += batch.size;
        size -= batch.size;
    } while (size > 0);
    return MRT_OK;
}
