/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flush.c - what survives a power cut: one sync in flight per log, everybody else waits for it or
 * for the next one (group commit).
 *
 * A sync goes through the segments above durable, oldest first: the folder if names are new, the
 * sealed segments' indexes, the log file. Durable rises segment by segment. A failed sync ends the
 * use of the directory (S6): the kernel may have dropped the pages and say OK the next time.
 */
#include "plugins/storage/segment/parts.h"

struct sync_job {
    struct job job;
    struct segment *segment;
    uint64_t size; /* of the segment when its sync began */
    int64_t end;   /* offset behind those bytes */
    uint32_t sealed;
    uint32_t lost; /* a sync failed: pages may be gone (S6) */
};

static struct flusher *flusher_of(mrt_op *op)
{
    return (struct flusher *)(void *)op->scratch;
}

/* Ends the waiters that have what they want; all of them with an error. */
static void end_flushers(mrt_log *log, mrt_status status)
{
    const mrt_host *host = log->store->host;
    mrt_op **at = &log->flushers;
    while (*at) {
        mrt_op *op = *at;
        struct flusher *flusher = flusher_of(op);
        if (!status && flusher->upto > log->durable) {
            at = &flusher->next;
            continue;
        }
        *at = flusher->next;
        host->op_done(host, op, status, NULL);
    }
}

/* The first segment with something to sync, and how far. */
static struct segment *choose(mrt_log *log, struct sync_job *s)
{
    int64_t from = log->durable < log->indexed ? log->durable : log->indexed;
    for (uint32_t i = segment_index_of(log, from); i < log->segment_count; i++) {
        struct segment *segment = log->segments[i];
        uint32_t sealed = i + 1 < log->segment_count;
        if (segment->gone)
            continue;
        if (segment->synced == segment->size && segment->named &&
            (!sealed || segment->index_synced))
            continue;
        s->size = segment->size;
        s->end = segment_next(log, i);
        s->sealed = sealed;
        return segment;
    }
    return NULL;
}

static mrt_status sync_file(struct sync_job *s, uint32_t which)
{
    struct job *job = &s->job;
    mrt_status status;
    JOB_BEGIN(job)
    JOB_STEP_OK(job, segment_hold(job, s->segment, which));
    JOB_AWAIT(
        job, status,
        job->store->file->sync(s->segment->file[which]->file, &job->op, MRT_SYNC_DATA));
    s->lost |= status != MRT_OK && status != MRT_ENOMEM;
    JOB_RETURN(job, status);
    JOB_END(job, MRT_EBUG);
}

static mrt_status sync_folder(struct sync_job *s)
{
    struct job *job = &s->job;
    mrt_log *log = job->log;
    mrt_status status;
    JOB_BEGIN(job)
    if (!log->unnamed)
        JOB_RETURN(job, MRT_OK);
    status = segment_paths(job);
    if (status)
        JOB_RETURN(job, status);
    log->unnamed = 0;
    JOB_AWAIT(
        job, status,
        job->store->file->sync_dir(
            job->exec, &job->op, segment_path(job, PATH_FOLDER, log->entry->name, "")));
    log->unnamed |= status != MRT_OK;
    s->lost |= status != MRT_OK && status != MRT_ENOMEM;
    JOB_RETURN(job, status);
    JOB_END(job, MRT_EBUG);
}

static mrt_status sync_segment(struct sync_job *s)
{
    struct job *job = &s->job;
    struct segment *segment = s->segment;
    JOB_BEGIN(job)
    if (s->sealed && !segment->index_synced) {
        JOB_STEP_OK(job, sync_file(s, FILE_INDEX));
        JOB_STEP_OK(job, sync_file(s, FILE_TIME));
        segment->index_synced = 1;
        segment_job_unhold(job);
    }
    JOB_STEP_OK(job, sync_file(s, FILE_LOG));
    segment_job_unhold(job);
    JOB_END(job, MRT_OK);
}

/* The segment's bytes are safe as far as they were when the sync began. */
static void advance(mrt_log *log, const struct sync_job *s)
{
    struct segment *segment = s->segment;
    segment->named = 1;
    if (segment->gone)
        return;
    if (segment->synced < s->size)
        segment->synced = s->size;
    if (s->end > log->durable)
        log->durable = s->end;
}

/* D4: the recovery point follows where log and indexes are safe. */
static void note_recovered(mrt_log *log)
{
    uint32_t i = segment_index_of(log, log->indexed);
    while (i + 1 < log->segment_count && log->segments[i]->index_synced)
        i++;
    log->indexed = log->segments[i]->index.base;
    int64_t upto = log->durable;
    if (i + 1 < log->segment_count && log->indexed < upto)
        upto = log->indexed;
    if (upto > mark_load(log->entry, MARK_RECOVERED))
        segment_mark(log->dir, log->entry, MARK_RECOVERED, upto);
    segment_publish(log);
}

/* Is there anything to sync that somebody wants? */
static uint32_t is_wanted(const mrt_log *log)
{
    return log->durable < log->sync_upto || log->indexed < segment_active(log)->index.base;
}

static mrt_status sync_run(struct job *job)
{
    struct sync_job *s = (struct sync_job *)job;
    mrt_log *log = job->log;
    mrt_status status;
    JOB_BEGIN(job)
    while (is_wanted(log)) {
        s->segment = choose(log, s);
        if (!s->segment) {
            log->durable = log->end;
            log->indexed = segment_active(log)->index.base;
            note_recovered(log);
            break;
        }
        segment_use(job, s->segment);
        JOB_STEP(job, status, sync_folder(s));
        if (!status)
            JOB_STEP(job, status, sync_segment(s));
        segment_job_unhold(job);
        if (status && s->segment->gone)
            continue;
        if (status)
            JOB_RETURN(job, status);
        advance(log, s);
        note_recovered(log);
        end_flushers(log, MRT_OK);
    }
    JOB_END(job, MRT_OK);
}

static void sync_end(struct job *job, mrt_status status)
{
    struct sync_job *s = (struct sync_job *)job;
    mrt_log *log = job->log;
    log->sync = NULL;
    if (s->lost) {
        segment_dir_offline(job->dir, status, "sync failed");
        status = MRT_EIO;
    } else if (status) { /* it did not come to a sync: nothing is known to be lost */
        log->sync_upto = log->durable;
    }
    end_flushers(log, status);
    if (log->sync_idle)
        segment_job_wake(log->sync_idle, MRT_OK);
    log->sync_idle = NULL;
}

mrt_status segment_sync_still(struct job *job)
{
    mrt_log *log = job->log;
    log->still = 1;
    return segment_sync_idle(job);
}

void segment_sync_go(mrt_log *log)
{
    log->still = 0;
    for (mrt_op *op = log->flushers; op; op = flusher_of(op)->next)
        if (flusher_of(op)->upto > log->end)
            flusher_of(op)->upto = log->end;
    if (log->failed)
        end_flushers(log, MRT_EOFFLINE);
    else
        end_flushers(log, MRT_OK);
    if (!log->failed)
        segment_sync_start(log, log->flushers ? log->end : INT64_MIN);
}

mrt_status segment_sync_idle(struct job *job)
{
    if (!job->log->sync)
        return MRT_OK;
    job->log->sync_idle = job;
    return MRT_PENDING;
}

void segment_sync_start(mrt_log *log, int64_t upto)
{
    if (upto > log->sync_upto)
        log->sync_upto = upto;
    if (log->sync || log->still || !is_wanted(log))
        return;
    struct sync_job *s = segment_job_new(log->dir, log, NULL, sync_run, sizeof(*s));
    if (!s) {
        end_flushers(log, MRT_ENOMEM);
        return;
    }
    s->job.end = sync_end;
    log->sync = &s->job;
    segment_job_start(&s->job);
}

static void flush_add(mrt_log *log, mrt_op *op, int64_t upto)
{
    flusher_of(op)->upto = upto;
    flusher_of(op)->next = log->flushers;
    log->flushers = op;
}

mrt_status segment_sync_wait(struct job *job, int64_t upto)
{
    mrt_log *log = job->log;
    if (log->durable >= upto)
        return MRT_OK;
    flush_add(log, &job->op, upto);
    segment_sync_start(log, upto);
    return MRT_PENDING;
}

mrt_status segment_flush(mrt_log *log, mrt_op *op, int64_t upto)
{
    mrt_status status = segment_usable(log, 0);
    if (status)
        return status;
    if (upto > log->end)
        return MRT_ERANGE;
    if (log->durable >= upto)
        return MRT_OK;
    if (log->readonly)
        return MRT_EREADONLY;
    flush_add(log, op, upto);
    segment_sync_start(log, upto);
    return MRT_PENDING;
}
