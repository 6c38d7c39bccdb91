/* SPDX-License-Identifier: Apache-2.0 */
/*
 * read.c - locates and pins: where the wanted batches lie in one segment's file. Moves no bytes but
 * the headers it must look at.
 *
 * A reader that goes on where it stopped, or that follows the end, finds its place in the log's
 * hints without touching a file.
 */
#include "plugins/storage/segment/locate.h"

void segment_hint(mrt_log *log, const struct hint *hint)
{
    for (uint32_t i = 0; i < HINTS; i++)
        if (log->hint[i].offset == hint->offset && log->hint[i].serial == hint->serial)
            return;
    log->hint[log->hint_next] = *hint;
    log->hint_next = (log->hint_next + 1) % HINTS;
}

static const struct hint *find_hint(const mrt_log *log, int64_t from, uint64_t serial)
{
    for (uint32_t i = 0; i < HINTS; i++)
        if (log->hint[i].offset == from && log->hint[i].serial == serial)
            return &log->hint[i];
    return NULL;
}

static void give_nothing(const mrt_read *read, mrt_read_res *res)
{
    res->data = (mrt_slicev){.v = res->slices};
    res->first_offset = res->next_offset = read->from;
}

/* The bytes [@from, @to) of @segment, whose log file is open. */
static mrt_status give(struct segment *segment, uint64_t from, uint64_t to, mrt_read_res *res)
{
    mrt_lease *lease;
    uint64_t ref;
    mrt_status status = segment_pin(segment->file[FILE_LOG], &lease, &ref);
    if (status)
        return status;
    res->slices[0] = (mrt_slice){.kind = MRT_SLICE_FILE, .ref = ref, .off = from, .len = to - from};
    res->data = (mrt_slicev){.v = res->slices, .n = 1, .bytes = to - from, .lease = lease};
    return MRT_OK;
}

/* May everything from @position to the end of segment @i be given? */
static uint32_t is_rest_wanted(
    const mrt_log *log, uint32_t i, uint64_t position, const mrt_read *read)
{
    return segment_next(log, i) <= read->upto &&
           log->segments[i]->size - position <= read->max_bytes;
}

/* Without a job, when nothing must be looked at: MRT_EAGAIN if something must. */
static mrt_status read_fast(mrt_log *log, const mrt_read *read, mrt_read_res *res)
{
    uint32_t i = segment_index_of(log, read->from);
    struct segment *segment = log->segments[i];
    const struct hint *hint = find_hint(log, read->from, segment->serial);
    if (read->from == log->end || read->from >= read->upto) {
        give_nothing(read, res);
        return MRT_OK;
    }
    if (!hint || hint->position >= segment->size || !segment->file[FILE_LOG] ||
        segment->file[FILE_LOG]->doomed || !is_rest_wanted(log, i, hint->position, read))
        return MRT_EAGAIN;
    res->first_offset = hint->base;
    res->next_offset = segment_next(log, i);
    return give(segment, hint->position, segment->size, res);
}

struct read_job {
    struct job job;
    const mrt_read *read;
    mrt_read_res *res;
    uint64_t first; /* position of the first batch given */
    uint64_t after; /* position behind the last one */
    int64_t first_offset;
    int64_t next_offset;
    uint32_t batches;
    uint32_t jumped; /* by the index, once the batches owed were walked */
    struct cursor cursor;
};

/* Puts the cursor on the first batch for the reader; position is the segment's size, and the
 * segment the last one, if there is none. */
static mrt_status find_first(struct read_job *r)
{
    struct job *job = &r->job;
    mrt_log *log = job->log;
    struct cursor *cursor = &r->cursor;
    const struct hint *hint;
    JOB_BEGIN(job)
    for (;;) {
        cursor->segment = log->segments[segment_index_of(log, r->next_offset)];
        segment_job_unhold(job);
        segment_use(job, cursor->segment);
        cursor->window_bytes = 0;
        hint = find_hint(log, r->next_offset, cursor->segment->serial);
        if (hint && hint->position < cursor->segment->size) {
            cursor->position = hint->position;
            JOB_STEP_OK(job, segment_cursor_load(job, cursor));
        } else {
            JOB_STEP_OK(job, segment_seek(job, cursor, r->next_offset));
        }
        if (cursor->segment->gone)
            JOB_RETURN(job, MRT_ERANGE);
        if (cursor->position < cursor->segment->size)
            JOB_RETURN(job, MRT_OK);
        uint32_t i = segment_index_of(log, r->next_offset);
        if (log->segments[i] != cursor->segment || i + 1 == log->segment_count)
            JOB_RETURN(job, MRT_OK);
        r->next_offset = log->segments[i + 1]->index.base;
    }
    JOB_END(job, MRT_OK);
}

/* Is the batch under the cursor still to be given? */
static uint32_t is_taken(const struct read_job *r)
{
    const struct cursor *cursor = &r->cursor;
    uint64_t with = cursor->position + cursor->batch.size - r->first;
    if (kit_batch_last(&cursor->batch) >= r->read->upto)
        return 0;
    return r->batches < r->read->min_batches || with <= r->read->max_bytes;
}

/* Moves the cursor behind the last batch to be given. The first ones are walked, then the index
 * shortens the way. */
static mrt_status find_last(struct read_job *r)
{
    struct job *job = &r->job;
    struct cursor *cursor = &r->cursor;
    uint64_t limit = r->first + r->read->max_bytes;
    JOB_BEGIN(job)
    r->after = cursor->position;
    while (cursor->position < cursor->segment->size) {
        JOB_STEP_OK(job, segment_cursor_load(job, cursor));
        r->next_offset = cursor->batch.base_offset;
        if (!is_taken(r))
            JOB_RETURN(job, MRT_OK);
        r->next_offset = kit_batch_last(&cursor->batch) + 1;
        cursor->position += cursor->batch.size;
        r->after = cursor->position;
        if (++r->batches < r->read->min_batches || r->jumped || cursor->position >= limit)
            continue;
        r->jumped = 1;
        JOB_STEP_OK(
            job,
            segment_floor(job, cursor, r->read->upto - 1, limit < cursor->position ? 0 : limit));
        if (cursor->position < r->after)
            cursor->position = r->after;
        r->after = cursor->position;
    }
    JOB_END(job, MRT_OK);
}

static mrt_status read_slow(struct job *job)
{
    struct read_job *r = (struct read_job *)job;
    mrt_log *log = job->log;
    struct cursor *cursor = &r->cursor;
    struct segment *segment;
    uint32_t i;
    JOB_BEGIN(job)
    r->next_offset = r->read->from;
    give_nothing(r->read, r->res);
    JOB_STEP_OK(job, find_first(r));
    if (cursor->position >= cursor->segment->size ||
        kit_batch_last(&cursor->batch) >= r->read->upto)
        JOB_RETURN(job, MRT_OK);
    r->first = cursor->position;
    r->first_offset = cursor->batch.base_offset;
    JOB_STEP_OK(job, segment_hold(job, cursor->segment, FILE_LOG));
    i = segment_index_of(log, r->first_offset);
    if (log->segments[i] == cursor->segment && is_rest_wanted(log, i, r->first, r->read)) {
        r->after = cursor->segment->size;
        r->next_offset = segment_next(log, i);
    } else {
        JOB_STEP_OK(job, find_last(r));
    }
    segment = cursor->segment;
    if (segment->gone || r->after > segment->size)
        JOB_RETURN(job, MRT_ERANGE);
    if (r->after == r->first)
        JOB_RETURN(job, MRT_OK);
    r->res->first_offset = r->first_offset;
    r->res->next_offset = r->next_offset;
    if (r->after < segment->size) {
        struct hint hint = {r->next_offset, r->next_offset, segment->serial, r->after};
        segment_hint(log, &hint);
    }
    JOB_RETURN(job, give(segment, r->first, r->after, r->res));
    JOB_END(job, MRT_EBUG);
}

/* What fails because the segment was trimmed meanwhile is out of range. */
static mrt_status read_run(struct job *job)
{
    mrt_status status;
    JOB_BEGIN(job)
    JOB_STEP(job, status, read_slow(job));
    JOB_RETURN(job, status && job->segment && job->segment->gone ? MRT_ERANGE : status);
    JOB_END(job, MRT_EBUG);
}

mrt_status segment_read(mrt_log *log, mrt_op *op, const mrt_read *read, mrt_read_res *res)
{
    mrt_status status = segment_usable(log, 0);
    if (status)
        return status;
    if (read->from < log->start || read->from > log->end)
        return MRT_ERANGE;
    if (res->cap == 0)
        return MRT_EINVAL;
    status = read_fast(log, read, res);
    if (status != MRT_EAGAIN)
        return status;
    struct read_job *r = segment_job_new(log->dir, log, op, read_run, sizeof(*r));
    if (!r)
        return MRT_ENOMEM;
    r->read = read;
    r->res = res;
    return segment_job_start(&r->job);
}

/* ---- by time --------------------------------------------------------------------------------- */

struct find_job {
    struct job job;
    mrt_batch_at *out;
    int64_t ms;
    int64_t next; /* offset to go on from */
    struct cursor cursor;
};

static void found(struct find_job *f)
{
    const struct kit_batch *batch = &f->cursor.batch;
    f->out->base_offset = batch->base_offset;
    f->out->last_offset = kit_batch_last(batch);
    f->out->max_timestamp_ms = batch->max_timestamp_ms;
    f->out->bytes = batch->size;
}

/* Looks in the segment that holds offset next for the first batch as late as ms; next then is where
 * the segment ends, or the batch. */
static mrt_status find_in_segment(struct find_job *f)
{
    struct job *job = &f->job;
    mrt_log *log = job->log;
    struct cursor *cursor = &f->cursor;
    mrt_status status;
    uint32_t i;
    JOB_BEGIN(job)
    segment_job_unhold(job);
    cursor->segment = log->segments[segment_index_of(log, f->next)];
    cursor->window_bytes = 0;
    segment_use(job, cursor->segment);
    JOB_STEP(job, status, segment_seek_time(job, cursor, f->ms, f->next));
    if (cursor->segment->gone)
        JOB_RETURN(job, MRT_ERANGE); /* trimmed meanwhile */
    if (status)
        JOB_RETURN(job, status);
    if (cursor->position < cursor->segment->size)
        JOB_RETURN(job, MRT_OK);
    i = segment_index_of(log, f->next);
    f->next = i + 1 < log->segment_count ? log->segments[i + 1]->index.base : log->end;
    JOB_RETURN(job, MRT_EAGAIN);
    JOB_END(job, MRT_EBUG);
}

/* The first segment at or behind offset next with a batch as late as ms; next moves there. */
static uint32_t next_segment(const mrt_log *log, struct find_job *f)
{
    for (uint32_t i = segment_index_of(log, f->next); i < log->segment_count; i++) {
        const struct segment *segment = log->segments[i];
        if (segment->size == 0 || segment->index.max_ms < f->ms)
            continue;
        if (segment->index.base > f->next)
            f->next = segment->index.base;
        return f->next < log->end;
    }
    return 0;
}

static mrt_status find_time_run(struct job *job)
{
    struct find_job *f = (struct find_job *)job;
    mrt_status status;
    JOB_BEGIN(job)
    f->next = job->log->start;
    f->out->base_offset = -1;
    while (next_segment(job->log, f)) {
        JOB_STEP(job, status, find_in_segment(f));
        if (status == MRT_OK)
            found(f);
        if (status != MRT_EAGAIN && status != MRT_ERANGE)
            JOB_RETURN(job, status);
        if (f->next < job->log->start)
            f->next = job->log->start;
    }
    JOB_END(job, MRT_OK);
}

/* The greatest timestamp known to be of a batch that is still there. */
static int64_t greatest(const mrt_log *log)
{
    int64_t ms = INT64_MIN;
    for (uint32_t i = 0; i < log->segment_count; i++) {
        const struct indexer *index = &log->segments[i]->index;
        if (log->segments[i]->size > 0 && index->max_ms > ms &&
            (index->base >= log->start || index->max_last >= log->start))
            ms = index->max_ms;
    }
    return ms;
}

/* Finds the first batch as late as the greatest known, then whatever beats it: something does only
 * where the segment that holds the start has its greatest timestamp below the start. */
static mrt_status find_latest_run(struct job *job)
{
    struct find_job *f = (struct find_job *)job;
    mrt_status status;
    JOB_BEGIN(job)
    f->next = job->log->start;
    f->out->base_offset = -1;
    f->ms = greatest(job->log);
    while (next_segment(job->log, f)) {
        JOB_STEP(job, status, find_in_segment(f));
        if (status == MRT_OK) {
            found(f);
            f->ms = f->cursor.batch.max_timestamp_ms + 1;
            f->next = kit_batch_last(&f->cursor.batch) + 1;
        } else if (status != MRT_EAGAIN && status != MRT_ERANGE) {
            JOB_RETURN(job, status);
        }
        if (f->next < job->log->start)
            f->next = job->log->start;
    }
    JOB_END(job, MRT_OK);
}

static mrt_status find_start(mrt_log *log, mrt_op *op, job_run run, int64_t ms, mrt_batch_at *out)
{
    mrt_status status = segment_usable(log, 0);
    if (status)
        return status;
    struct find_job *f = segment_job_new(log->dir, log, op, run, sizeof(*f));
    if (!f)
        return MRT_ENOMEM;
    f->ms = ms;
    f->out = out;
    return segment_job_start(&f->job);
}

mrt_status segment_find_time(mrt_log *log, mrt_op *op, int64_t timestamp_ms, mrt_batch_at *out)
{
    return find_start(log, op, find_time_run, timestamp_ms, out);
}

mrt_status segment_find_latest(mrt_log *log, mrt_op *op, mrt_batch_at *out)
{
    return find_start(log, op, find_latest_run, 0, out);
}
