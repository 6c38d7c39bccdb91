/* SPDX-License-Identifier: Apache-2.0 */
/*
 * locate.c - from an offset or a time to a place in a segment: the index gives a batch close before
 * it, headers are walked from there.
 *
 * Index files are searched where they lie, a few reads from the page cache each; only entries not
 * yet written are in memory. So the memory of a log does not grow with its size.
 */
#include "plugins/storage/segment/locate.h"

#include <string.h>

#define BLOCK_ENTRIES (WINDOW_BYTES / TIME_ENTRY - 1) /* searched at once, with the one before */

/* Is the entry at @p of an index file at or before what is wanted? */
typedef uint32_t (*before)(const struct cursor *cursor, const uint8_t *p);

static uint32_t offset_before(const struct cursor *cursor, const uint8_t *p)
{
    struct offset_entry entry;
    segment_offset_decode(p, &entry);
    return entry.relative <= cursor->want_relative && entry.position <= cursor->want_position;
}

static uint32_t time_before(const struct cursor *cursor, const uint8_t *p)
{
    struct time_entry entry;
    segment_time_decode(p, &entry);
    return entry.ms < cursor->want_ms;
}

static uint32_t time_upto(const struct cursor *cursor, const uint8_t *p)
{
    struct time_entry entry;
    segment_time_decode(p, &entry);
    return entry.relative <= cursor->want_relative;
}

/* Among the @n entries in the window finds the last one before, if any. */
static uint64_t search_block(struct cursor *cursor, before is_before, uint64_t n, uint32_t size)
{
    uint64_t low = 0, high = n;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (is_before(cursor, cursor->window + middle * size))
            low = middle + 1;
        else
            high = middle;
    }
    if (low > 0)
        memcpy(cursor->found, cursor->window + (low - 1) * size, size);
    return low;
}

/* Counts the entries that are before in an index file: cursor->low; the last one, if any, is in
 * cursor->found. */
static mrt_status search(
    struct job *job, struct cursor *cursor, uint32_t which, before is_before, uint32_t size)
{
    struct segment *segment = cursor->segment;
    JOB_BEGIN(job)
    cursor->low = 0;
    cursor->high = which == FILE_TIME ? segment->time_count : segment->index_count;
    cursor->window_bytes = 0;
    if (cursor->high == 0)
        JOB_RETURN(job, MRT_OK);
    JOB_STEP_OK(job, segment_hold(job, segment, which));
    while (cursor->high - cursor->low > BLOCK_ENTRIES) {
        JOB_AWAIT_OK(
            job, segment_read_at(
                     job, segment->file[which]->file, cursor->window, size,
                     (cursor->low + (cursor->high - cursor->low) / 2) * size));
        if (job->got == size && is_before(cursor, cursor->window))
            cursor->low += (cursor->high - cursor->low) / 2 + 1;
        else
            cursor->high = cursor->low + (cursor->high - cursor->low) / 2;
    }
    cursor->low -= cursor->low > 0;
    JOB_AWAIT_OK(
        job, segment_read_at(
                 job, segment->file[which]->file, cursor->window,
                 (cursor->high - cursor->low) * size, cursor->low * size));
    cursor->low += search_block(cursor, is_before, job->got / size, size);
    JOB_END(job, MRT_OK);
}

/* Where a cut at @position leaves the indexes of a segment without entries in memory. */
mrt_status segment_kept(struct job *job, struct cursor *cursor, uint64_t position, struct kept *out)
{
    struct offset_entry offset;
    struct time_entry time;
    JOB_BEGIN(job)
    *out = (struct kept){.time_ms = -1, .time_last = -1};
    cursor->want_relative = INT32_MAX;
    cursor->want_position = (uint32_t)(position - 1);
    if (position > 0)
        JOB_STEP_OK(job, search(job, cursor, FILE_INDEX, offset_before, INDEX_ENTRY));
    if (position == 0 || cursor->low == 0)
        JOB_RETURN(job, MRT_OK);
    segment_offset_decode(cursor->found, &offset);
    out->offsets = (uint32_t)cursor->low;
    out->position = offset.position;
    cursor->want_relative = offset.relative;
    JOB_STEP_OK(job, search(job, cursor, FILE_TIME, time_upto, TIME_ENTRY));
    if (cursor->low == 0)
        JOB_RETURN(job, MRT_OK);
    segment_time_decode(cursor->found, &time);
    out->times = (uint32_t)cursor->low;
    out->time_ms = time.ms;
    out->time_last = cursor->segment->index.base + time.relative;
    JOB_END(job, MRT_OK);
}

/* The same among the entries in memory, which come after those in the file. */
static uint32_t tail_floor(struct cursor *cursor)
{
    const struct tail *tail = cursor->segment->tail;
    for (uint32_t i = tail ? tail->offsets : 0; i > 0; i--) {
        const struct offset_entry *entry = &tail->offset[i - 1];
        if (entry->relative <= cursor->want_relative && entry->position <= cursor->want_position) {
            cursor->position = entry->position;
            return 1;
        }
    }
    return 0;
}

mrt_status segment_floor(struct job *job, struct cursor *cursor, int64_t offset, uint64_t position)
{
    int64_t relative = offset - cursor->segment->index.base;
    struct offset_entry entry;
    JOB_BEGIN(job)
    cursor->want_relative = relative < 0           ? 0
                            : relative > INT32_MAX ? INT32_MAX
                                                   : (uint32_t)relative;
    cursor->want_position = position > INT32_MAX ? INT32_MAX : (uint32_t)position;
    cursor->position = 0;
    if (relative < 0 || tail_floor(cursor))
        JOB_RETURN(job, MRT_OK);
    JOB_STEP_OK(job, search(job, cursor, FILE_INDEX, offset_before, INDEX_ENTRY));
    if (cursor->low > 0) {
        segment_offset_decode(cursor->found, &entry);
        cursor->position = entry.position;
    }
    JOB_END(job, MRT_OK);
}

/* Is the header at cursor->position in the window? */
static uint32_t in_window(const struct cursor *cursor)
{
    return cursor->position >= cursor->window_at &&
           cursor->position + KIT_BATCH_HEADER <= cursor->window_at + cursor->window_bytes;
}

mrt_status segment_cursor_load(struct job *job, struct cursor *cursor)
{
    struct segment *segment = cursor->segment;
    uint64_t left = segment->size - cursor->position;
    JOB_BEGIN(job)
    if (!in_window(cursor)) {
        JOB_STEP_OK(job, segment_hold(job, segment, FILE_LOG));
        cursor->window_bytes = 0;
        JOB_AWAIT_OK(
            job, segment_read_at(
                     job, segment->file[FILE_LOG]->file, cursor->window,
                     left < WINDOW_BYTES ? left : WINDOW_BYTES, cursor->position));
        cursor->window_at = cursor->position;
        cursor->window_bytes = job->got;
    }
    if (!in_window(cursor))
        JOB_RETURN(job, MRT_ECORRUPT);
    kit_batch_decode(cursor->window + (cursor->position - cursor->window_at), &cursor->batch);
    if (!segment_header_ok(&cursor->batch, segment->index.base, segment->index.base) ||
        cursor->batch.size > segment->size - cursor->position)
        JOB_RETURN(job, MRT_ECORRUPT);
    JOB_END(job, MRT_OK);
}

mrt_status segment_seek(struct job *job, struct cursor *cursor, int64_t offset)
{
    JOB_BEGIN(job)
    JOB_STEP_OK(job, segment_floor(job, cursor, offset, POSITION_MAX));
    while (cursor->position < cursor->segment->size) {
        JOB_STEP_OK(job, segment_cursor_load(job, cursor));
        if (kit_batch_last(&cursor->batch) >= offset)
            break;
        cursor->position += cursor->batch.size;
    }
    JOB_END(job, MRT_OK);
}

/* Sets cursor->from to the offset before which, the time index says, nothing is as late as
 * want_ms. */
static mrt_status time_floor(struct job *job, struct cursor *cursor)
{
    const struct segment *segment = cursor->segment;
    const struct tail *tail = segment->tail;
    struct time_entry entry;
    JOB_BEGIN(job)
    cursor->from = segment->index.base;
    for (uint32_t i = tail ? tail->times : 0; i > 0; i--)
        if (tail->time[i - 1].ms < cursor->want_ms) {
            cursor->from = segment->index.base + tail->time[i - 1].relative + 1;
            JOB_RETURN(job, MRT_OK);
        }
    JOB_STEP_OK(job, search(job, cursor, FILE_TIME, time_before, TIME_ENTRY));
    if (cursor->low > 0) {
        segment_time_decode(cursor->found, &entry);
        cursor->from = segment->index.base + entry.relative + 1;
    }
    JOB_END(job, MRT_OK);
}

mrt_status segment_seek_time(struct job *job, struct cursor *cursor, int64_t ms, int64_t offset)
{
    JOB_BEGIN(job)
    cursor->want_ms = ms;
    JOB_STEP_OK(job, time_floor(job, cursor));
    if (cursor->from < offset)
        cursor->from = offset;
    JOB_STEP_OK(job, segment_seek(job, cursor, cursor->from));
    while (cursor->position < cursor->segment->size) {
        JOB_STEP_OK(job, segment_cursor_load(job, cursor));
        if (cursor->batch.max_timestamp_ms >= ms)
            break;
        cursor->position += cursor->batch.size;
    }
    JOB_END(job, MRT_OK);
}
