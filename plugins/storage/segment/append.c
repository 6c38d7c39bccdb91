/* SPDX-License-Identifier: Apache-2.0 */
/*
 * append.c - batches at the end of the active segment, and the next segment.
 *
 * An append is one write of all its batches. Only when it succeeded is anything else touched; when
 * it failed the file is cut back before the caller hears of it, and a log whose file could not be
 * cut takes no more (S2).
 */
#include <string.h>

#include "plugins/storage/segment/parts.h"

#define BATCHES_MAX 65536 /* of one append; the core's coalescing stays far below */
#define SLICES_MAX  65536

struct append_job {
    struct job job;
    struct segment *active;
    const mrt_append *append;
    mrt_log_state *after;
    uint64_t before; /* bytes of the segment before */
    mrt_slicev all;
    mrt_slice slice[];
};

/* May all of @append follow what is there? */
static mrt_status check(const mrt_log *log, const mrt_append *append, uint64_t *slices)
{
    const struct segment *active = segment_active(log);
    int64_t end = log->end;
    uint64_t bytes = active->size;
    *slices = 0;
    if (append->flags & ~(uint32_t)MRT_APPEND_WILL_FLUSH || append->n > BATCHES_MAX)
        return MRT_EINVAL;
    for (uint32_t i = 0; i < append->n; i++) {
        const mrt_batch *batch = &append->v[i];
        if (batch->base_offset < end)
            return MRT_ERANGE;
        if (batch->last_offset < batch->base_offset || batch->body.bytes < KIT_BATCH_HEADER ||
            batch->last_offset - batch->base_offset > INT32_MAX)
            return MRT_EINVAL;
        end = batch->last_offset + 1;
        bytes += batch->body.bytes;
        *slices += batch->body.n;
        if (bytes > POSITION_MAX || end - 1 - active->index.base > INT32_MAX)
            return active->size > 0 ? MRT_EFULL : MRT_ETOOBIG;
    }
    uint64_t entries = active->index_count + (active->tail ? active->tail->offsets : 0);
    uint64_t times = active->time_count + (active->tail ? active->tail->times : 0);
    if (active->size > 0 && (entries * INDEX_ENTRY + INDEX_ENTRY > log->index_bytes ||
                             (times + 2) * TIME_ENTRY > log->index_bytes))
        return MRT_EFULL;
    return *slices > SLICES_MAX ? MRT_EINVAL : MRT_OK;
}

/* Everything was written: now it is there. */
static void take_over(mrt_log *log, struct segment *active, const mrt_append *append)
{
    struct tail *tail = segment_tail(log, active);
    struct hint hint = {log->end, append->v[0].base_offset, active->serial, active->size};
    segment_hint(log, &hint);
    for (uint32_t i = 0; i < append->n; i++) {
        const mrt_batch *from = &append->v[i];
        struct kit_batch batch = {
            .base_offset = from->base_offset,
            .last_offset_delta = (int32_t)(from->last_offset - from->base_offset),
            .max_timestamp_ms = from->max_timestamp_ms,
            .size = from->body.bytes,
        };
        segment_index_batch(&active->index, tail, &batch, active->size);
        active->size += batch.size;
        log->bytes += batch.size;
        log->end = from->last_offset + 1;
    }
    segment_publish(log);
}

static mrt_status cut_back(struct job *job, struct segment *active, uint64_t size)
{
    mrt_status status;
    JOB_BEGIN(job)
    JOB_AWAIT(
        job, status, job->store->file->truncate(active->file[FILE_LOG]->file, &job->op, size));
    if (status) {
        job->log->failed = 1;
        segment_dir_offline(job->dir, status, "a failed append could not be cut back");
    }
    JOB_END(job, MRT_OK);
}

static mrt_status write_batches(struct append_job *a)
{
    struct job *job = &a->job;
    struct segment *active = a->active;
    mrt_status status;
    JOB_BEGIN(job)
    JOB_STEP_OK(job, segment_hold(job, active, FILE_LOG));
    a->before = active->size;
    JOB_AWAIT(
        job, status,
        job->store->file->writev(active->file[FILE_LOG]->file, &job->op, &a->all, active->size));
    if (status) {
        job->got = (uint64_t)(int64_t)status;
        JOB_STEP_OK(job, cut_back(job, active, a->before));
        JOB_RETURN(job, (mrt_status)(int64_t)job->got);
    }
    JOB_END(job, MRT_OK);
}

static mrt_status append_run(struct job *job)
{
    struct append_job *a = (struct append_job *)job;
    mrt_log *log = job->log;
    mrt_status status;
    JOB_BEGIN(job)
    JOB_STEP_OK(job, write_batches(a));
    take_over(log, a->active, a->append);
    if (a->append->flags & MRT_APPEND_WILL_FLUSH)
        segment_sync_start(log, log->end);
    if (a->active->tail &&
        (a->active->tail->offsets == TAIL_ENTRIES || a->active->tail->times == TAIL_ENTRIES)) {
        JOB_STEP(job, status, segment_tail_write(job, a->active));
        if (status) /* the entries stay in memory; further ones are left out (N3) */
            segment_say(
                job->store, MRT_LOG_WARN, "index.write_failed log=%s status=%d", log->entry->name,
                status);
    }
    segment_state(log, a->after);
    JOB_END(job, MRT_OK);
}

static void append_end(struct job *job, mrt_status status)
{
    (void)status;
    job->log->busy = 0;
}

static void gather(struct append_job *a, const mrt_append *append)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < append->n; i++) {
        const mrt_slicev *body = &append->v[i].body;
        memcpy(a->slice + n, body->v, body->n * sizeof(mrt_slice));
        n += body->n;
        a->all.bytes += body->bytes;
    }
    a->all.v = a->slice;
    a->all.n = n;
}

mrt_status segment_append(mrt_log *log, mrt_op *op, const mrt_append *append, mrt_log_state *after)
{
    uint64_t slices;
    mrt_status status = segment_usable(log, 1);
    if (!status && log->busy)
        status = MRT_EBUSY;
    if (!status)
        status = check(log, append, &slices);
    if (status)
        return status;
    if (append->n == 0) {
        segment_state(log, after);
        return MRT_OK;
    }
    struct append_job *a =
        segment_job_new(log->dir, log, op, append_run, sizeof(*a) + slices * sizeof(mrt_slice));
    if (!a)
        return MRT_ENOMEM;
    a->job.end = append_end;
    a->append = append;
    a->after = after;
    a->active = segment_active(log);
    segment_use(&a->job, a->active);
    gather(a, append);
    log->busy = 1;
    return segment_job_start(&a->job);
}

/* ---- roll ------------------------------------------------------------------------------------ */

struct roll_job {
    struct job job;
    struct segment *fresh;
    mrt_status status;
    uint32_t reserved;
};

/* The files of the next segment, empty. A leftover of an earlier failure is emptied. */
mrt_status segment_make_files(struct job *job, struct segment *fresh)
{
    JOB_BEGIN(job)
    for (job->at = 0; job->at < SEGMENT_FILES; job->at++) {
        JOB_STEP_OK(job, segment_hold(job, fresh, job->at));
        JOB_AWAIT_OK(job, job->store->file->truncate(fresh->file[job->at]->file, &job->op, 0));
        if (job->at != FILE_LOG)
            segment_job_unhold(job);
    }
    JOB_END(job, MRT_OK);
}

/* What a failed roll made goes again, as far as the disk lets it. */
static mrt_status unmake_files(struct job *job, struct segment *fresh)
{
    mrt_status status;
    JOB_BEGIN(job)
    segment_job_unhold(job);
    segment_close_files(fresh);
    job->folder = job->log->entry->name;
    status = segment_paths(job);
    if (status)
        JOB_RETURN(job, status);
    for (job->at = SEGMENT_FILES; job->at > 0; job->at--) {
        segment_path_file(job, PATH_FILE, fresh, job->at - 1);
        JOB_STEP(job, status, segment_remove_file(job));
    }
    JOB_END(job, MRT_OK);
}

static mrt_status roll_run(struct job *job)
{
    struct roll_job *r = (struct roll_job *)job;
    mrt_log *log = job->log;
    struct segment *old = segment_active(log);
    mrt_status status;
    JOB_BEGIN(job)
    status = segment_reserve(log);
    r->fresh = status ? NULL : segment_new(log, log->end, job->store->clock->wall_ms(job->exec));
    if (!r->fresh)
        JOB_RETURN(job, MRT_ENOMEM);
    segment_use(job, old);
    JOB_STEP_OK(job, segment_tail_seal(job, old));
    segment_job_unhold(job);
    JOB_STEP(job, r->status, segment_make_files(job, r->fresh));
    if (r->status) {
        JOB_STEP(job, status, unmake_files(job, r->fresh));
        JOB_RETURN(job, r->status);
    }
    segment_job_unhold(job);
    log->unnamed = 1;
    segment_push(log, r->fresh);
    r->fresh = NULL;
    segment_sync_start(log, log->end);
    JOB_END(job, MRT_OK);
}

static void roll_end(struct job *job, mrt_status status)
{
    struct roll_job *r = (struct roll_job *)job;
    (void)status;
    if (r->fresh) {
        segment_close_files(r->fresh);
        segment_unref(r->fresh, job->store);
    }
    job->log->busy = 0;
}

mrt_status segment_roll(mrt_log *log, mrt_op *op)
{
    mrt_status status = segment_usable(log, 1);
    if (status)
        return status;
    if (log->busy)
        return MRT_EBUSY;
    if (segment_active(log)->size == 0)
        return MRT_OK;
    struct roll_job *r = segment_job_new(log->dir, log, op, roll_run, sizeof(*r));
    if (!r)
        return MRT_ENOMEM;
    r->job.end = roll_end;
    log->busy = 1;
    return segment_job_start(&r->job);
}
