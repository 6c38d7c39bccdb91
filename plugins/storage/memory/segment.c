/* SPDX-License-Identifier: Apache-2.0 */
/*
 * segment.c - batches one after another in chunks that grow, with an index of one entry each. The
 * only file that knows where bytes lie.
 */
#include "plugins/storage/memory/memory.h"

/* ---- life ------------------------------------------------------------------------------------ */

static void chunks_free(struct memory_store *store, struct memory_chunk *chunk)
{
    while (chunk != NULL) {
        struct memory_chunk *next = chunk->next;
        memory_give(store, chunk, sizeof *chunk + chunk->cap);
        chunk = next;
    }
}

void memory_segment_unref(struct memory_segment *segment)
{
    struct memory_store *store = segment->store;
    if (__atomic_sub_fetch(&segment->lease.refs, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    chunks_free(store, segment->chunks);
    memory_give(store, segment->entries, segment->cap * sizeof *segment->entries);
    memory_give(store, segment, sizeof *segment);
}

static void release(mrt_lease *lease)
{
    struct memory_segment *segment = (struct memory_segment *)(void *)lease;
    struct memory_store *store = segment->store;
    memory_segment_unref(segment);
    memory_unpin(store); /* last: stop() may be waiting for it */
}

static const mrt_lease_ops lease_ops = {sizeof(mrt_lease_ops), 0, release};

mrt_status memory_segment_new(
    struct memory_store *store, int64_t base, int64_t created_ms, struct memory_segment **out)
{
    void *room;
    mrt_status status = memory_take(store, sizeof(struct memory_segment), &room);
    if (status != MRT_OK)
        return status;
    struct memory_segment *segment = room;
    memset(segment, 0, sizeof *segment);
    segment->lease.ops = &lease_ops;
    segment->lease.refs = 1;
    segment->store = store;
    segment->base = base;
    segment->created_ms = created_ms;
    *out = segment;
    return MRT_OK;
}

/* ---- writing --------------------------------------------------------------------------------- */

static mrt_status reserve_entries(struct memory_segment *segment, uint32_t n)
{
    uint64_t need = (uint64_t)segment->count + n;
    if (need <= segment->cap)
        return MRT_OK;
    if (need > UINT32_MAX / 2)
        return MRT_EFULL;
    uint64_t cap = segment->cap < MEMORY_BATCHES_MIN ? MEMORY_BATCHES_MIN : segment->cap * 2ull;
    void *room;
    cap = cap < need ? need : cap;
    mrt_status status = memory_take(segment->store, cap * sizeof *segment->entries, &room);
    if (status != MRT_OK)
        return status;
    if (segment->count > 0)
        memcpy(room, segment->entries, segment->count * sizeof *segment->entries);
    memory_give(segment->store, segment->entries, segment->cap * sizeof *segment->entries);
    segment->entries = room;
    segment->cap = (uint32_t)cap;
    return MRT_OK;
}

static mrt_status reserve_bytes(struct memory_segment *segment, uint64_t bytes)
{
    struct memory_chunk *tail = segment->tail;
    if (tail != NULL && tail->cap - tail->used >= bytes)
        return MRT_OK;
    uint64_t cap = tail == NULL ? MEMORY_CHUNK_MIN : tail->cap * 2;
    uint64_t full = segment->store->segment_bytes;
    uint64_t left = segment->bytes < full ? full - segment->bytes : 0;
    void *room;
    cap = cap > MEMORY_CHUNK_MAX ? MEMORY_CHUNK_MAX : cap;
    cap = cap > left ? left : cap;
    cap = cap < bytes ? bytes : cap;
    mrt_status status = memory_take(segment->store, sizeof *tail + cap, &room);
    if (status == MRT_ENOSPC && cap > bytes) { /* the last of the budget: no more than needed */
        cap = bytes;
        status = memory_take(segment->store, sizeof *tail + cap, &room);
    }
    if (status != MRT_OK)
        return status;
    struct memory_chunk *chunk = room;
    chunk->next = NULL;
    chunk->cap = cap;
    chunk->used = 0;
    if (tail == NULL)
        segment->chunks = chunk;
    else
        tail->next = chunk;
    segment->tail = chunk;
    return MRT_OK;
}

mrt_status memory_segment_reserve(struct memory_segment *segment, uint32_t n, uint64_t bytes)
{
    mrt_status status = reserve_entries(segment, n);
    return status == MRT_OK ? reserve_bytes(segment, bytes) : status;
}

const uint8_t *memory_slice(const struct memory_store *store, const mrt_slice *slice)
{
    uint8_t *bytes = NULL;
    if (slice->kind == MRT_SLICE_MEM)
        return (const uint8_t *)(uintptr_t)slice->ref + slice->off;
    if (slice->kind != MRT_SLICE_REGBUF)
        return NULL;
    return store->buffers->map(store->host, slice, &bytes) == MRT_OK ? bytes : NULL;
}

void memory_segment_add(struct memory_segment *segment, const mrt_batch *batch)
{
    struct memory_chunk *chunk = segment->tail;
    struct memory_entry *entry = &segment->entries[segment->count];
    uint8_t *to = chunk->data + chunk->used;

    *entry = (struct memory_entry){
        .base = batch->base_offset,
        .last = batch->last_offset,
        .max_timestamp_ms = batch->max_timestamp_ms,
        .greatest_ms = batch->max_timestamp_ms,
        .data = to,
        .bytes = batch->body.bytes,
    };
    if (segment->count > 0 && entry[-1].greatest_ms > entry->greatest_ms)
        entry->greatest_ms = entry[-1].greatest_ms;
    for (uint32_t i = 0; i < batch->body.n; i++) {
        const mrt_slice *slice = &batch->body.v[i];
        if (slice->len > 0)
            memcpy(to, memory_slice(segment->store, slice), slice->len);
        to += slice->len;
    }
    chunk->used += batch->body.bytes;
    segment->bytes += batch->body.bytes;
    segment->count++;
}

/* Frees what lies behind @end, the end of the last entry that stays; NULL: none stays. */
static void chunks_cut(struct memory_segment *segment, const uint8_t *end)
{
    struct memory_chunk *chunk = segment->chunks;
    if (end == NULL) {
        chunks_free(segment->store, chunk);
        segment->chunks = segment->tail = NULL;
        return;
    }
    while (end <= chunk->data || end > chunk->data + chunk->cap)
        chunk = chunk->next;
    chunks_free(segment->store, chunk->next);
    chunk->next = NULL;
    chunk->used = (uint64_t)(end - chunk->data);
    segment->tail = chunk;
}

/* While somebody reads, cut bytes stay where they are and are not written again (M1). */
void memory_segment_cut(struct memory_segment *segment, uint32_t n)
{
    if (n == segment->count)
        return;
    for (uint32_t i = n; i < segment->count; i++)
        segment->bytes -= segment->entries[i].bytes;
    segment->count = n;
    if (__atomic_load_n(&segment->lease.refs, __ATOMIC_ACQUIRE) > 1)
        return;
    const struct memory_entry *last = n == 0 ? NULL : &segment->entries[n - 1];
    chunks_cut(segment, last == NULL ? NULL : last->data + last->bytes);
}

/* ---- finding --------------------------------------------------------------------------------- */

uint32_t memory_segment_find(const struct memory_segment *segment, int64_t offset)
{
    uint32_t low = 0, high = segment->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (segment->entries[middle].last < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* From the segment's first entry on, the answer is where greatest_ms gets there; from a later one
 * what came before must not count, and it is looked for one by one. */
uint32_t memory_segment_find_time(
    const struct memory_segment *segment, uint32_t first, int64_t timestamp_ms)
{
    uint32_t low = first, high = segment->count;
    while (first > 0 && low < high && segment->entries[low].max_timestamp_ms < timestamp_ms)
        low++;
    if (first > 0)
        return low;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (segment->entries[middle].greatest_ms < timestamp_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void memory_segment_read(
    struct memory_segment *segment, uint32_t i, const mrt_read *read, mrt_read_res *res)
{
    const struct memory_entry *entry = &segment->entries[i];
    uint32_t batches = 0, n = 0;
    uint64_t bytes = 0;

    for (; i < segment->count && entry->last < read->upto; i++, entry++, batches++) {
        if (batches >= read->min_batches && bytes + entry->bytes > read->max_bytes)
            break;
        if (n > 0 && entry[-1].data + entry[-1].bytes == entry->data)
            res->slices[n - 1].len += entry->bytes;
        else if (n < res->cap)
            res->slices[n++] =
                (mrt_slice){MRT_SLICE_MEM, 0, (uintptr_t)entry->data, 0, entry->bytes};
        else
            break;
        bytes += entry->bytes;
    }
    if (batches == 0)
        return;
    memory_pin(segment->store);
    __atomic_add_fetch(&segment->lease.refs, 1, __ATOMIC_RELAXED);
    res->data = (mrt_slicev){res->slices, n, 0, bytes, &segment->lease};
    res->first_offset = entry[-(int64_t)batches].base;
    res->next_offset = entry[-1].last + 1;
}
