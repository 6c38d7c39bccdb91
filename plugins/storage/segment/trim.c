/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trim.c - bytes that go: at the head, at the tail, or all.
 *
 *   T1  A segment is removed by renaming its log to .deleted; the file goes in the background, or
 *       after the next start. Head: oldest first. Tail: newest first. So a crash leaves neighbours.
 *   T2  Before bytes below the recovery point go, the recovery point is lowered on disk: what is
 *       claimed to be safe is given up first.
 *   T3  Bytes that somebody pinned are never cut: the part that stays is copied to a new file.
 */
#include <stdio.h>
#include <string.h>

#include "plugins/storage/segment/locate.h"

#define NAME_MOST 128

/* ---- .deleted files -------------------------------------------------------------------------- */

static mrt_status sync_names(struct job *job)
{
    JOB_BEGIN(job)
    segment_path(job, PATH_FOLDER, job->log->entry->name, "");
    JOB_AWAIT_OK(
        job, job->store->file->sync_dir(job->exec, &job->op, &job->paths->str[PATH_FOLDER]));
    JOB_END(job, MRT_OK);
}

struct discard_job {
    struct job job;
    uint32_t found;
    uint32_t more;
    char name[NAME_MOST];
};

static void choose_deleted(struct discard_job *d)
{
    const mrt_dirlist *list = &d->job.listing->list;
    for (uint32_t i = 0; i < list->n && !d->found; i++) {
        const mrt_str *name = &list->v[i].name;
        if (name->n >= NAME_MOST || !segment_ends(name, ".deleted"))
            continue;
        memcpy(d->name, name->p, name->n);
        d->name[name->n] = 0;
        d->found = 1;
    }
}

static mrt_status discard_one(struct discard_job *d)
{
    struct job *job = &d->job;
    JOB_BEGIN(job)
    d->found = 0;
    segment_path(job, PATH_FOLDER, job->log->entry->name, "");
    for (d->more = 0; !d->found; d->more = 1) {
        JOB_STEP_OK(job, segment_list(job, !d->more));
        if (job->listing->list.n == 0)
            JOB_RETURN(job, MRT_OK);
        choose_deleted(d);
    }
    segment_path(job, PATH_FILE, job->log->entry->name, d->name);
    JOB_STEP_OK(job, segment_remove_file(job));
    JOB_END(job, MRT_OK);
}

static mrt_status discard_run(struct job *job)
{
    struct discard_job *d = (struct discard_job *)job;
    JOB_BEGIN(job)
    got_ = segment_paths(job);
    if (got_)
        JOB_RETURN(job, got_);
    do {
        job->log->discard_again = 0;
        JOB_STEP_OK(job, discard_one(d));
        if (!d->found) /* a file system may keep the room until then */
            JOB_STEP_OK(job, sync_names(job));
    } while (d->found || job->log->discard_again);
    JOB_END(job, MRT_OK);
}

static void discard_end(struct job *job, mrt_status status)
{
    job->log->discard = NULL;
    if (status)
        segment_say(
            job->store, MRT_LOG_WARN, "discard.failed log=%s status=%d", job->log->entry->name,
            status);
}

static void discard(mrt_log *log)
{
    log->discard_again = 1;
    if (log->discard)
        return;
    struct discard_job *d = segment_job_new(log->dir, log, NULL, discard_run, sizeof(*d));
    if (!d)
        return; /* after the next start */
    d->job.end = discard_end;
    log->discard = &d->job;
    segment_job_start(&d->job);
}

/* Renames the three files of @segment to .deleted, the log first: with it the segment is gone. */
static mrt_status rename_files(struct job *job, struct segment *segment)
{
    const mrt_host_file *file = job->store->file;
    mrt_str *to = &job->paths->str[PATH_TEMPORARY];
    mrt_status status;
    JOB_BEGIN(job)
    job->folder = job->log->entry->name;
    for (job->at = 0; job->at < SEGMENT_FILES; job->at++) {
        segment_path_file(job, PATH_FILE, segment, job->at);
        to->p = job->paths->text[PATH_TEMPORARY];
        to->n = (uint64_t)snprintf(
            job->paths->text[PATH_TEMPORARY], PATH_BYTES, "%s.deleted",
            job->paths->text[PATH_FILE]);
        JOB_AWAIT(job, status, file->rename(job->exec, &job->op, &job->paths->str[PATH_FILE], to));
        if (status && job->at == FILE_LOG)
            JOB_RETURN(job, status);
    }
    JOB_END(job, MRT_OK);
}

static void change_end(struct job *job, mrt_status status)
{
    (void)status;
    job->log->busy = 0;
    if (job->log->still)
        segment_sync_go(job->log);
}

/* ---- head ------------------------------------------------------------------------------------ */

struct trim_job {
    struct job job;
    int64_t offset; /* upto, from, start */
    struct segment *fresh;
    uint64_t position; /* of the cut */
    uint64_t copied;
    mrt_file *copy;
    int64_t end; /* of the log after the cut */
    uint32_t at; /* segment that is cut */
    uint32_t reserved;
    struct indexer index; /* of the segment after the cut */
    struct kept kept;
    struct cursor cursor;
};

/* Removes the first segment. Who meets it meanwhile is told that it is gone. */
static mrt_status remove_first(struct job *job)
{
    mrt_log *log = job->log;
    mrt_status status;
    JOB_BEGIN(job)
    log->segments[0]->gone = 1;
    JOB_STEP(job, status, rename_files(job, log->segments[0]));
    if (status) {
        log->segments[0]->gone = 0;
        JOB_RETURN(job, status);
    }
    log->unnamed = 1;
    segment_drop(log, 0, 1);
    discard(log);
    JOB_END(job, MRT_OK);
}

static mrt_status head_run(struct job *job)
{
    struct trim_job *t = (struct trim_job *)job;
    mrt_log *log = job->log;
    mrt_status status;
    JOB_BEGIN(job)
    status = segment_paths(job);
    if (status)
        JOB_RETURN(job, status);
    t->end = log->start;
    log->start = t->offset;
    JOB_AWAIT_OK(job, segment_sync_still(job));
    while (log->segment_count > 1 && log->segments[1]->index.base <= t->offset) {
        JOB_STEP(job, status, remove_first(job));
        if (status && log->segments[0]->index.base <= t->end) {
            log->start = t->end; /* nothing has changed */
            JOB_RETURN(job, status);
        }
        if (status) /* the next trim tries again */
            break;
    }
    if (log->indexed < log->segments[0]->index.base)
        log->indexed = log->segments[0]->index.base;
    segment_mark(job->dir, log->entry, MRT_MARK_LOG_START, log->start);
    segment_publish(log);
    JOB_END(job, MRT_OK);
}

static mrt_status trim_start(
    mrt_log *log, mrt_op *op, job_run run, int64_t offset, struct trim_job **out)
{
    if (log->busy)
        return MRT_EBUSY;
    struct trim_job *t = segment_job_new(log->dir, log, op, run, sizeof(*t));
    if (!t)
        return MRT_ENOMEM;
    t->job.end = change_end;
    t->offset = offset;
    log->busy = 1;
    *out = t;
    return MRT_OK;
}

mrt_status segment_trim_head(mrt_log *log, mrt_op *op, int64_t upto)
{
    struct trim_job *t;
    mrt_status status = segment_usable(log, 1);
    if (status)
        return status;
    if (upto < log->start || upto > log->end)
        return MRT_ERANGE;
    status = trim_start(log, op, head_run, upto, &t);
    return status ? status : segment_job_start(&t->job);
}

/* ---- tail ------------------------------------------------------------------------------------ */

/* Finds the first batch that goes, and what the segment is like without it and what follows. */
static mrt_status plan_cut(struct trim_job *t)
{
    struct job *job = &t->job;
    mrt_log *log = job->log;
    struct cursor *cursor = &t->cursor;
    JOB_BEGIN(job)
    t->at = segment_index_of(log, t->offset);
    cursor->segment = log->segments[t->at];
    segment_use(job, cursor->segment);
    JOB_STEP_OK(job, segment_tail_write(job, cursor->segment));
    JOB_STEP_OK(job, segment_seek(job, cursor, t->offset));
    t->position = cursor->position;
    JOB_STEP_OK(job, segment_kept(job, cursor, t->position, &t->kept));
    segment_indexer_init(&t->index, cursor->segment->index.base, log->index_interval);
    t->index.time_ms = t->index.max_ms = t->kept.time_ms;
    t->index.max_last = t->kept.time_last;
    t->end = t->index.base;
    cursor->window_bytes = 0;
    for (cursor->position = t->kept.position; cursor->position < t->position;
         cursor->position += cursor->batch.size) {
        JOB_STEP_OK(job, segment_cursor_load(job, cursor));
        segment_index_batch(&t->index, NULL, &cursor->batch, cursor->position);
        t->end = kit_batch_last(&cursor->batch) + 1;
    }
    JOB_END(job, MRT_OK);
}

/* T2. */
static mrt_status lower_claim(struct job *job, int64_t upto)
{
    mrt_log *log = job->log;
    JOB_BEGIN(job)
    if (log->durable > upto)
        log->durable = upto;
    if (mark_load(log->entry, MARK_RECOVERED) > upto) {
        segment_mark(job->dir, log->entry, MARK_RECOVERED, upto);
        JOB_AWAIT_OK(job, segment_checkpoint_wait(job));
    }
    JOB_END(job, MRT_OK);
}

/* From here on nobody finds what is to go. */
static void forget(struct trim_job *t)
{
    mrt_log *log = t->job.log;
    struct segment *segment = log->segments[t->at];
    segment_drop(log, t->at + 1, log->segment_count - t->at - 1);
    log->bytes -= segment->size - t->position;
    segment->size = t->position;
    if (segment->synced > t->position)
        segment->synced = t->position;
    segment->index = t->index;
    segment->index_count = t->kept.offsets;
    segment->time_count = t->kept.times;
    segment->index_synced = 0;
    log->end = t->end > log->start ? t->end : log->start;
    log->sync_upto = log->end;
    if (log->indexed > segment->index.base)
        log->indexed = segment->index.base;
    for (uint32_t i = 0; i < HINTS; i++)
        log->hint[i].offset = -1;
    segment_publish(log);
}

static mrt_status copy_bytes(struct trim_job *t, struct segment *segment)
{
    struct job *job = &t->job;
    const mrt_host *host = job->store->host;
    uint64_t left = t->position - t->copied;
    JOB_BEGIN(job)
    host->free(host, job->loaded);
    job->loaded = host->alloc(host, CHUNK_BYTES, 4096);
    if (!job->loaded)
        JOB_RETURN(job, MRT_ENOMEM);
    for (t->copied = 0; t->copied < t->position; t->copied += job->loaded_bytes) {
        left = t->position - t->copied;
        JOB_AWAIT_OK(
            job, segment_read_at(
                     job, segment->file[FILE_LOG]->file, job->loaded,
                     left < CHUNK_BYTES ? left : CHUNK_BYTES, t->copied));
        job->loaded_bytes = job->got;
        if (job->got == 0)
            JOB_RETURN(job, MRT_EIO);
        JOB_AWAIT_OK(
            job, segment_write_at(job, t->copy, job->loaded, job->loaded_bytes, t->copied));
    }
    JOB_AWAIT_OK(job, job->store->file->sync(t->copy, &job->op, 0));
    JOB_END(job, MRT_OK);
}

/* T3. Readers keep the old file; the copy takes its name. */
static mrt_status cut_by_copy(struct trim_job *t, struct segment *segment)
{
    struct job *job = &t->job;
    const mrt_host_file *file = job->store->file;
    mrt_str *to = &job->paths->str[PATH_TEMPORARY];
    mrt_status status;
    JOB_BEGIN(job)
    segment_path_file(job, PATH_FILE, segment, FILE_LOG);
    to->p = job->paths->text[PATH_TEMPORARY];
    to->n = (uint64_t)snprintf(
        job->paths->text[PATH_TEMPORARY], PATH_BYTES, "%s.tmp", job->paths->text[PATH_FILE]);
    JOB_AWAIT_OK(
        job,
        file->open(
            job->exec, &job->op, to, MRT_FILE_READ | MRT_FILE_WRITE | MRT_FILE_CREATE, &t->copy));
    JOB_AWAIT(job, status, file->truncate(t->copy, &job->op, 0));
    if (!status)
        JOB_STEP(job, status, copy_bytes(t, segment));
    file->close(t->copy);
    t->copy = NULL;
    if (status)
        JOB_RETURN(job, status);
    JOB_AWAIT_OK(job, file->rename(job->exec, &job->op, to, &job->paths->str[PATH_FILE]));
    segment_job_unhold(job);
    segment_close_files(segment);
    JOB_STEP_OK(job, sync_names(job));
    JOB_END(job, MRT_OK);
}

static mrt_status cut_log(struct trim_job *t, struct segment *segment)
{
    struct job *job = &t->job;
    const mrt_host_file *file = job->store->file;
    JOB_BEGIN(job)
    JOB_STEP_OK(job, segment_hold(job, segment, FILE_LOG));
    if (segment_pinned(segment->file[FILE_LOG]) || segment_orphans(job->store)) {
        JOB_STEP_OK(job, cut_by_copy(t, segment));
        JOB_RETURN(job, MRT_OK);
    }
    JOB_AWAIT_OK(job, file->truncate(segment->file[FILE_LOG]->file, &job->op, t->position));
    JOB_AWAIT_OK(job, file->sync(segment->file[FILE_LOG]->file, &job->op, 0));
    JOB_END(job, MRT_OK);
}

static mrt_status cut_index(
    struct job *job, struct segment *segment, uint32_t which, uint64_t bytes)
{
    JOB_BEGIN(job)
    JOB_STEP_OK(job, segment_hold(job, segment, which));
    JOB_AWAIT_OK(job, job->store->file->truncate(segment->file[which]->file, &job->op, bytes));
    JOB_END(job, MRT_OK);
}

/* The files follow what memory says already. Indexes first: their entries speak of the log. */
static mrt_status cut_files(struct trim_job *t)
{
    struct job *job = &t->job;
    struct segment *segment = job->segment;
    JOB_BEGIN(job)
    job->folder = job->log->entry->name;
    JOB_STEP_OK(job, cut_index(job, segment, FILE_INDEX, (uint64_t)t->kept.offsets * INDEX_ENTRY));
    JOB_STEP_OK(job, cut_index(job, segment, FILE_TIME, (uint64_t)t->kept.times * TIME_ENTRY));
    JOB_STEP_OK(job, cut_log(t, segment));
    segment_job_unhold(job);
    JOB_END(job, MRT_OK);
}

static mrt_status remove_later(struct trim_job *t)
{
    struct job *job = &t->job;
    mrt_log *log = job->log;
    JOB_BEGIN(job)
    if (log->segment_count == t->at + 1)
        JOB_RETURN(job, MRT_OK);
    for (t->copied = log->segment_count - 1; t->copied > t->at; t->copied--)
        JOB_STEP_OK(job, rename_files(job, log->segments[t->copied]));
    JOB_STEP_OK(job, sync_names(job));
    JOB_END(job, MRT_OK);
}

static mrt_status tail_run(struct job *job)
{
    struct trim_job *t = (struct trim_job *)job;
    mrt_log *log = job->log;
    mrt_status status;
    JOB_BEGIN(job)
    status = segment_paths(job);
    if (status)
        JOB_RETURN(job, status);
    JOB_AWAIT_OK(job, segment_sync_still(job));
    JOB_STEP_OK(job, plan_cut(t));
    segment_job_unhold(job);
    JOB_STEP_OK(job, lower_claim(job, t->end));
    JOB_STEP(job, status, remove_later(t));
    if (!status) {
        forget(t);
        JOB_STEP(job, status, cut_files(t));
        discard(log);
    }
    if (status) { /* half done: only a new opening finds out what is there */
        log->failed = 1;
        segment_say(
            job->store, MRT_LOG_ERROR, "log.trim_failed log=%s status=%d", log->entry->name,
            status);
        __atomic_store_n(&job->dir->unclean, 1, __ATOMIC_RELAXED);
        JOB_RETURN(job, status);
    }
    segment_sync_go(log);
    JOB_AWAIT_OK(job, segment_sync_wait(job, log->end));
    if (log->end > t->end) /* no batch says where the log ends: the log start does */
        JOB_AWAIT_OK(job, segment_checkpoint_wait(job));
    JOB_END(job, MRT_OK);
}

mrt_status segment_trim_tail(mrt_log *log, mrt_op *op, int64_t from)
{
    struct trim_job *t;
    mrt_status status = segment_usable(log, 1);
    if (status)
        return status;
    if (from < log->start || from > log->end)
        return MRT_ERANGE;
    if (from == log->end && !log->busy)
        return MRT_OK;
    status = trim_start(log, op, tail_run, from, &t);
    return status ? status : segment_job_start(&t->job);
}

/* ---- all ------------------------------------------------------------------------------------- */

static mrt_status rename_all(struct trim_job *t)
{
    struct job *job = &t->job;
    mrt_log *log = job->log;
    JOB_BEGIN(job)
    for (t->copied = log->segment_count; t->copied > 0; t->copied--)
        JOB_STEP_OK(job, rename_files(job, log->segments[t->copied - 1]));
    JOB_STEP_OK(job, sync_names(job));
    JOB_END(job, MRT_OK);
}

/* The log is the fresh segment from now on. */
static void replace_all(struct trim_job *t)
{
    mrt_log *log = t->job.log;
    segment_drop(log, 0, log->segment_count);
    segment_push(log, t->fresh);
    t->fresh = NULL;
    log->start = log->end = log->durable = log->sync_upto = log->indexed = t->offset;
    for (uint32_t i = 0; i < HINTS; i++)
        log->hint[i].offset = -1;
    segment_mark(log->dir, log->entry, MRT_MARK_LOG_START, t->offset);
    segment_publish(log);
}

static mrt_status begin_again(struct trim_job *t)
{
    struct job *job = &t->job;
    mrt_log *log = job->log;
    JOB_BEGIN(job)
    JOB_STEP_OK(job, rename_all(t));
    replace_all(t);
    segment_use(job, segment_active(log));
    JOB_STEP_OK(job, segment_make_files(job, segment_active(log)));
    segment_job_unhold(job);
    JOB_STEP_OK(job, sync_names(job));
    segment_active(log)->named = 1;
    segment_mark(job->dir, log->entry, MARK_RECOVERED, t->offset);
    JOB_AWAIT_OK(job, segment_checkpoint_wait(job));
    JOB_END(job, MRT_OK);
}

static mrt_status restart_run(struct job *job)
{
    struct trim_job *t = (struct trim_job *)job;
    mrt_log *log = job->log;
    mrt_status status;
    JOB_BEGIN(job)
    status = segment_paths(job);
    if (!status)
        status = segment_reserve(log);
    if (!status) {
        t->fresh = segment_new(log, t->offset, job->store->clock->wall_ms(job->exec));
        status = t->fresh ? MRT_OK : MRT_ENOMEM;
    }
    if (status)
        JOB_RETURN(job, status);
    JOB_AWAIT_OK(job, segment_sync_still(job));
    JOB_STEP_OK(job, lower_claim(job, log->segments[0]->index.base));
    JOB_STEP(job, status, begin_again(t));
    if (status) {
        log->failed = 1;
        __atomic_store_n(&job->dir->unclean, 1, __ATOMIC_RELAXED);
    } else {
        discard(log);
    }
    JOB_RETURN(job, status);
    JOB_END(job, MRT_EBUG);
}

static void restart_end(struct job *job, mrt_status status)
{
    struct trim_job *t = (struct trim_job *)job;
    if (t->fresh)
        segment_unref(t->fresh, job->store);
    change_end(job, status);
}

mrt_status segment_restart(mrt_log *log, mrt_op *op, int64_t start)
{
    struct trim_job *t;
    mrt_status status = segment_usable(log, 1);
    if (status)
        return status;
    if (start < 0)
        return MRT_ERANGE;
    status = trim_start(log, op, restart_run, start, &t);
    if (status)
        return status;
    t->job.end = restart_end;
    return segment_job_start(&t->job);
}
