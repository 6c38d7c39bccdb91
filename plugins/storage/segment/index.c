/* SPDX-License-Identifier: Apache-2.0 */
/*
 * index.c - index entries, and the scan that makes them again from the batches. Pure.
 */
#include "plugins/storage/segment/index.h"

#include <string.h>

void segment_indexer_init(struct indexer *indexer, int64_t base, uint64_t interval)
{
    *indexer = (struct indexer){
        .base = base,
        .max_ms = -1,
        .max_last = -1,
        .time_ms = -1,
        .interval = interval,
    };
}

static void add_time(struct indexer *indexer, struct tail *tail)
{
    struct time_entry *entry = &tail->time[tail->times];
    if (indexer->max_ms <= indexer->time_ms || tail->times == TAIL_ENTRIES)
        return;
    entry->ms = indexer->max_ms;
    entry->relative = (uint32_t)(indexer->max_last - indexer->base);
    entry->reserved = 0;
    tail->times++;
    indexer->time_ms = indexer->max_ms;
}

void segment_index_batch(
    struct indexer *indexer, struct tail *tail, const struct kit_batch *batch, uint64_t position)
{
    int64_t last = kit_batch_last(batch);
    if (batch->max_timestamp_ms > indexer->max_ms) {
        indexer->max_ms = batch->max_timestamp_ms;
        indexer->max_last = last;
    }
    if (tail && indexer->since > indexer->interval && tail->offsets < TAIL_ENTRIES) {
        tail->offset[tail->offsets].relative = (uint32_t)(last - indexer->base);
        tail->offset[tail->offsets].position = (uint32_t)position;
        tail->offsets++;
        add_time(indexer, tail);
        indexer->since = 0;
    }
    indexer->since += batch->size;
}

void segment_index_seal(struct indexer *indexer, struct tail *tail)
{
    add_time(indexer, tail);
}

void segment_offset_encode(const struct offset_entry *v, uint32_t n, uint8_t *out)
{
    for (uint32_t i = 0; i < n; i++) {
        kit_put32(out + i * INDEX_ENTRY, v[i].relative);
        kit_put32(out + i * INDEX_ENTRY + 4, v[i].position);
    }
}

void segment_time_encode(const struct time_entry *v, uint32_t n, uint8_t *out)
{
    for (uint32_t i = 0; i < n; i++) {
        kit_put64(out + i * TIME_ENTRY, (uint64_t)v[i].ms);
        kit_put32(out + i * TIME_ENTRY + 8, v[i].relative);
    }
}

void segment_offset_decode(const uint8_t *p, struct offset_entry *out)
{
    out->relative = kit_get32(p);
    out->position = kit_get32(p + 4);
}

void segment_time_decode(const uint8_t *p, struct time_entry *out)
{
    out->ms = (int64_t)kit_get64(p);
    out->relative = kit_get32(p + 8);
    out->reserved = 0;
}

uint32_t segment_header_ok(const struct kit_batch *batch, int64_t base, int64_t expect)
{
    if (batch->magic != KIT_BATCH_MAGIC || batch->size < KIT_BATCH_HEADER)
        return 0;
    if (batch->size > INT32_MAX || batch->last_offset_delta < 0 || batch->count < 0)
        return 0;
    if (batch->base_offset < expect || batch->base_offset > INT64_MAX - INT32_MAX)
        return 0;
    return kit_batch_last(batch) - base <= INT32_MAX;
}

void segment_scan_init(
    struct scan *scan, const struct indexer *indexer, struct tail *tail, uint64_t position,
    uint64_t limit, int64_t expect)
{
    memset(scan, 0, sizeof(*scan));
    scan->indexer = *indexer;
    scan->tail = tail;
    scan->position = scan->good = position;
    scan->limit = limit;
    scan->end = expect;
}

/* The header is complete: may this be a batch, and does it end inside the file? */
static void begin_batch(struct scan *scan)
{
    kit_batch_decode(scan->header, &scan->batch);
    if (!segment_header_ok(&scan->batch, scan->indexer.base, scan->end)) {
        scan->result = SCAN_HEADER;
        return;
    }
    if (scan->batch.size > scan->limit - scan->good) {
        scan->result = SCAN_SHORT;
        return;
    }
    scan->left = scan->batch.size - KIT_BATCH_HEADER;
    scan->crc = kit_crc32c(0, scan->header + KIT_BATCH_SUMMED, KIT_BATCH_HEADER - KIT_BATCH_SUMMED);
}

static void end_batch(struct scan *scan)
{
    if (scan->crc != scan->batch.crc) {
        scan->after = scan->position;
        scan->result = SCAN_SUM;
        return;
    }
    segment_index_batch(&scan->indexer, scan->tail, &scan->batch, scan->good);
    scan->good = scan->position;
    scan->end = kit_batch_last(&scan->batch) + 1;
    scan->batches++;
    scan->have = 0;
    if (scan->tail && scan->tail->offsets == TAIL_ENTRIES)
        scan->result = SCAN_FULL;
}

static uint64_t take(struct scan *scan, uint64_t want, uint64_t n)
{
    uint64_t took = want < n ? want : n;
    scan->position += took;
    return took;
}

uint64_t segment_scan_feed(struct scan *scan, const uint8_t *p, uint64_t n)
{
    uint64_t fed = 0;
    if (scan->result == SCAN_FULL)
        scan->result = SCAN_GOING;
    while (fed < n && scan->result == SCAN_GOING) {
        uint64_t took;
        if (scan->have < KIT_BATCH_HEADER) {
            took = take(scan, KIT_BATCH_HEADER - scan->have, n - fed);
            memcpy(scan->header + scan->have, p + fed, took);
            scan->have += (uint32_t)took;
            if (scan->have == KIT_BATCH_HEADER)
                begin_batch(scan);
        } else {
            took = take(scan, scan->left, n - fed);
            scan->crc = kit_crc32c(scan->crc, p + fed, took);
            scan->left -= took;
        }
        fed += took;
        if (scan->result == SCAN_GOING && scan->have == KIT_BATCH_HEADER && scan->left == 0)
            end_batch(scan);
    }
    return fed;
}

void segment_scan_end(struct scan *scan)
{
    if (scan->result == SCAN_FULL)
        scan->result = SCAN_GOING;
    if (scan->result == SCAN_GOING && scan->have > 0)
        scan->result = SCAN_SHORT;
}
