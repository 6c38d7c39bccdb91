/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.c - one log: a list of segments, the last of which is appended to. Nothing pends, so no call
 * keeps its operation and two are never in flight.
 *
 *   G1  head to active: ascending, never empty. Only active may hold no batch.
 *   G2  start <= end; batches below start may remain in the head segment and are not found.
 */
#include "plugins/storage/memory/memory.h"

/* Read on the directory's executor, for the inventory. */
static void publish(int64_t *word, int64_t value)
{
    __atomic_store_n(word, value, __ATOMIC_RELAXED);
}

static void publish_bytes(mrt_log *log)
{
    uint64_t bytes = 0;
    for (const struct memory_segment *one = log->head; one != NULL; one = one->next)
        bytes += one->bytes;
    __atomic_store_n(&log->bytes, bytes, __ATOMIC_RELAXED);
}

static mrt_status segment_make(mrt_log *log, int64_t base, struct memory_segment **out)
{
    struct memory_store *store = log->dir->store;
    int64_t now_ms = store->clock->wall_ms(log->exec);
    mrt_status status = memory_segment_new(store, base, now_ms, out);
    if (status == MRT_OK)
        (*out)->handle = ++log->handles;
    return status;
}

mrt_status memory_log_init(mrt_log *log, int64_t base)
{
    struct memory_store *store = log->dir->store;
    int64_t now_ms = store->clock->wall_ms(log->dir->exec);
    mrt_status status = memory_segment_new(store, base, now_ms, &log->head);
    if (status != MRT_OK)
        return status;
    log->head->handle = ++log->handles;
    log->active = log->head;
    return MRT_OK;
}

/* Frees @segment and all after it. */
static void segments_drop(struct memory_segment *segment)
{
    while (segment != NULL) {
        struct memory_segment *next = segment->next;
        memory_segment_unref(segment);
        segment = next;
    }
}

void memory_log_clear(mrt_log *log)
{
    segments_drop(log->head);
    log->head = log->active = NULL;
    memory_blobs_free(log);
}

static void memory_state(mrt_log *log, mrt_log_state *out)
{
    out->flags = 0;
    out->start = out->durable = log->start; /* nothing here survives anything */
    out->end = log->end;
    out->active_base = log->active->base;
    out->active_bytes = log->active->bytes;
    out->bytes = log->bytes;
}

/* ---- writing --------------------------------------------------------------------------------- */

/* Are the batches in order, in memory and as long as they say? Sums their bytes. */
static mrt_status append_check(const mrt_log *log, const mrt_append *append, uint64_t *bytes)
{
    int64_t end = log->end;
    *bytes = 0;
    for (uint32_t i = 0; i < append->n; i++) {
        const mrt_batch *batch = &append->v[i];
        uint64_t sum = 0;
        if (batch->base_offset < end)
            return MRT_ERANGE;
        if (batch->last_offset < batch->base_offset || batch->body.bytes == 0)
            return MRT_EINVAL;
        for (uint32_t j = 0; j < batch->body.n; j++) {
            if (memory_slice(log->dir->store, &batch->body.v[j]) == NULL)
                return MRT_EINVAL;
            sum += batch->body.v[j].len;
        }
        if (sum != batch->body.bytes)
            return MRT_EINVAL;
        *bytes += sum;
        end = batch->last_offset + 1;
    }
    return MRT_OK;
}

static mrt_status memory_append(
    mrt_log *log, mrt_op *op, const mrt_append *append, mrt_log_state *after)
{
    struct memory_segment *active = log->active;
    uint64_t bytes;
    (void)op;
    if (log->readonly)
        return MRT_EREADONLY;
    if ((append->flags & ~(uint32_t)MRT_APPEND_WILL_FLUSH) != 0)
        return MRT_EINVAL;
    mrt_status status = append_check(log, append, &bytes);
    if (status != MRT_OK)
        return status;
    if (append->n == 0) {
        memory_state(log, after);
        return MRT_OK;
    }
    if (active->count > 0 && active->bytes + bytes > log->dir->store->segment_bytes)
        return MRT_EFULL;
    status = memory_segment_reserve(active, append->n, bytes);
    if (status != MRT_OK)
        return status;
    for (uint32_t i = 0; i < append->n; i++)
        memory_segment_add(active, &append->v[i]);
    publish(&log->end, append->v[append->n - 1].last_offset + 1);
    __atomic_store_n(&log->bytes, log->bytes + bytes, __ATOMIC_RELAXED);
    memory_state(log, after);
    memory_dir_moved(log->dir);
    return MRT_OK;
}

static mrt_status memory_roll(mrt_log *log, mrt_op *op)
{
    struct memory_segment *next;
    (void)op;
    if (log->readonly)
        return MRT_EREADONLY;
    if (log->active->count == 0)
        return MRT_OK;
    mrt_status status = segment_make(log, log->end, &next);
    if (status != MRT_OK)
        return status;
    log->active->next = next;
    log->active = next;
    return MRT_OK;
}

static mrt_status memory_trim_head(mrt_log *log, mrt_op *op, int64_t upto)
{
    (void)op;
    if (log->readonly)
        return MRT_EREADONLY;
    if (upto < log->start || upto > log->end)
        return MRT_ERANGE;
    while (log->head != log->active && log->head->next->base <= upto) {
        struct memory_segment *gone = log->head;
        log->head = gone->next;
        memory_segment_unref(gone);
    }
    publish(&log->start, upto);
    publish_bytes(log);
    memory_dir_moved(log->dir);
    return MRT_OK;
}

/* Takes no memory: a full store can still be cut. */
static mrt_status memory_trim_tail(mrt_log *log, mrt_op *op, int64_t from)
{
    struct memory_segment *last = log->head;
    (void)op;
    if (log->readonly)
        return MRT_EREADONLY;
    if (from < log->start || from > log->end)
        return MRT_ERANGE;
    while (last->next != NULL && last->next->base < from)
        last = last->next;
    if (from < log->end) {
        uint32_t keep = memory_segment_find(last, from);
        segments_drop(last->next);
        last->next = NULL;
        log->active = last;
        memory_segment_cut(last, keep);
        int64_t end = keep == 0 ? last->base : last->entries[keep - 1].last + 1;
        publish(&log->end, end < log->start ? log->start : end); /* G2 */
    }
    publish_bytes(log);
    memory_dir_moved(log->dir);
    return MRT_OK;
}

static mrt_status memory_restart(mrt_log *log, mrt_op *op, int64_t start)
{
    struct memory_segment *fresh;
    (void)op;
    if (log->readonly)
        return MRT_EREADONLY;
    if (start < 0)
        return MRT_EINVAL;
    mrt_status status = segment_make(log, start, &fresh);
    if (status != MRT_OK)
        return status;
    segments_drop(log->head);
    log->head = log->active = fresh;
    publish(&log->start, start);
    publish(&log->end, start);
    publish_bytes(log);
    memory_dir_moved(log->dir);
    return MRT_OK;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* The segment and entry of the first batch that ends at or behind @offset; NULL: none. */
static struct memory_segment *locate(const mrt_log *log, int64_t offset, uint32_t *at)
{
    for (struct memory_segment *one = log->head; one != NULL; one = one->next) {
        if (one->next != NULL && one->next->base <= offset)
            continue;
        *at = memory_segment_find(one, offset);
        if (*at < one->count)
            return one;
    }
    return NULL;
}

static mrt_status memory_read(mrt_log *log, mrt_op *op, const mrt_read *read, mrt_read_res *res)
{
    uint32_t at;
    (void)op;
    if (read->from < log->start || read->from > log->end)
        return MRT_ERANGE;
    memset(&res->data, 0, sizeof res->data);
    res->first_offset = res->next_offset = read->from;
    struct memory_segment *segment = locate(log, read->from, &at);
    if (segment != NULL)
        memory_segment_read(segment, at, read, res);
    return MRT_OK;
}

static void batch_at(const struct memory_entry *entry, mrt_batch_at *out)
{
    out->base_offset = entry->base;
    out->last_offset = entry->last;
    out->max_timestamp_ms = entry->max_timestamp_ms;
    out->bytes = entry->bytes;
}

static mrt_status memory_find_time(
    mrt_log *log, mrt_op *op, int64_t timestamp_ms, mrt_batch_at *out)
{
    (void)op;
    memset(out, 0, sizeof *out);
    out->base_offset = -1;
    for (const struct memory_segment *one = log->head; one != NULL; one = one->next) {
        uint32_t first = one == log->head ? memory_segment_find(one, log->start) : 0; /* G2 */
        uint32_t at = memory_segment_find_time(one, first, timestamp_ms);
        if (at < one->count) {
            batch_at(&one->entries[at], out);
            break;
        }
    }
    return MRT_OK;
}

/* The entry of @segment, from @first on, with the greatest timestamp; NULL: it has none. */
static const struct memory_entry *latest(const struct memory_segment *segment, uint32_t first)
{
    if (first >= segment->count)
        return NULL;
    const struct memory_entry *best = &segment->entries[first];
    if (first == 0) {
        int64_t greatest_ms = segment->entries[segment->count - 1].greatest_ms;
        return &segment->entries[memory_segment_find_time(segment, 0, greatest_ms)];
    }
    for (uint32_t i = first + 1; i < segment->count; i++)
        if (segment->entries[i].max_timestamp_ms > best->max_timestamp_ms)
            best = &segment->entries[i];
    return best;
}

static mrt_status memory_find_latest(mrt_log *log, mrt_op *op, mrt_batch_at *out)
{
    (void)op;
    memset(out, 0, sizeof *out);
    out->base_offset = -1;
    for (const struct memory_segment *one = log->head; one != NULL; one = one->next) {
        uint32_t first = one == log->head ? memory_segment_find(one, log->start) : 0; /* G2 */
        const struct memory_entry *entry = latest(one, first);
        if (entry == NULL)
            continue;
        if (out->base_offset < 0 || entry->max_timestamp_ms > out->max_timestamp_ms)
            batch_at(entry, out);
    }
    return MRT_OK;
}

static mrt_status memory_segments(
    mrt_log *log, int64_t from, mrt_segment *out, uint32_t cap, uint32_t *n)
{
    *n = 0;
    for (const struct memory_segment *one = log->head; one != NULL && *n < cap; one = one->next) {
        if (one->next != NULL && one->next->base <= from)
            continue;
        out[(*n)++] = (mrt_segment){
            .base = one->base,
            .next = one->next != NULL ? one->next->base : log->end,
            .max_timestamp_ms = one->count == 0 ? -1 : one->entries[one->count - 1].greatest_ms,
            .created_ms = one->created_ms,
            .bytes = one->bytes,
            .handle = one->handle,
            .flags = one->next == NULL ? MRT_SEGMENT_ACTIVE : 0,
        };
    }
    return MRT_OK;
}

const mrt_storage_ops memory_ops = {
    .size = sizeof(mrt_storage_ops),
    .dir_open = memory_dir_open,
    .dir_close = memory_dir_close,
    .logs = memory_logs,
    .log_open = memory_log_open,
    .log_remove = memory_log_remove,
    .log_close = memory_log_close,
    .state = memory_state,
    .append = memory_append,
    .read = memory_read,
    .roll = memory_roll,
    .trim_head = memory_trim_head,
    .trim_tail = memory_trim_tail,
    .restart = memory_restart,
    .find_time = memory_find_time,
    .find_latest = memory_find_latest,
    .segments = memory_segments,
    .mark_set = memory_mark_set,
    .mark_get = memory_mark_get,
    .blob_put = memory_blob_put,
    .blob_get = memory_blob_get,
    .blob_remove = memory_blob_remove,
    .blobs = memory_blobs,
};
