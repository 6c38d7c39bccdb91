/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recover.c - opening what is on disk: R1 to R5 of recover.h.
 */
#include "plugins/storage/segment/recover.h"

#include <string.h>

#define SAY_BYTES (UINT64_C(64) << 20) /* a recovery that read more gets a line in the log */

/* ---- which files there are ------------------------------------------------------------------- */

/* The last segment if it has @base, else a new one behind it: the listing is in order of names. */
static struct segment *segment_at(struct job *job, mrt_log *log, int64_t base)
{
    struct segment *last = log->segment_count ? segment_active(log) : NULL;
    if (last && last->index.base == base)
        return last;
    if (segment_reserve(log))
        return NULL;
    last = segment_new(log, base, 0);
    if (last) {
        last->named = 1;
        last->index_synced = 1;
        last->found = 0;
        segment_push(log, last);
    }
    (void)job;
    return last;
}

static mrt_status note_file(struct job *job, struct recovery *recovery, const mrt_dirent *file)
{
    struct file_name name;
    struct segment *segment;
    segment_file_parse(&file->name, &name);
    if (name.what == NAME_BLOB)
        return segment_side_add(recovery->log, name.kind, name.offset);
    if (name.what == NAME_LEFTOVER) {
        recovery->swap |= segment_ends(&file->name, ".swap");
        recovery->leftovers++;
        return MRT_OK;
    }
    if (name.what == NAME_OTHER)
        return MRT_OK;
    segment = segment_at(job, recovery->log, name.offset);
    if (!segment)
        return MRT_ENOMEM;
    if (name.what == NAME_LOG) {
        segment->size = file->bytes;
        segment->created_ms = file->modified_ms;
        segment->found = 1;
    } else if (name.what == NAME_INDEX) {
        segment->index_count = (uint32_t)(file->bytes / INDEX_ENTRY);
        segment->index_found = file->bytes % INDEX_ENTRY == 0;
    } else {
        segment->time_count = (uint32_t)(file->bytes / TIME_ENTRY);
        segment->time_found = file->bytes % TIME_ENTRY == 0;
    }
    return MRT_OK;
}

static mrt_status find_files(struct job *job, struct recovery *recovery)
{
    mrt_log *log = recovery->log;
    JOB_BEGIN(job)
    segment_path(job, PATH_FOLDER, log->entry->name, "");
    for (recovery->at = 1;; recovery->at = 0) {
        JOB_STEP_OK(job, segment_list(job, recovery->at));
        if (job->listing->list.n == 0)
            break;
        for (uint32_t i = 0; i < job->listing->list.n; i++) {
            got_ = note_file(job, recovery, &job->listing->list.v[i]);
            if (got_)
                JOB_RETURN(job, got_);
        }
    }
    for (uint32_t i = log->segment_count; i > 0; i--)
        if (!log->segments[i - 1]->found) {
            segment_drop(log, i - 1, 1); /* indexes without a log: a removal was cut short */
            recovery->leftovers++;
        }
    for (uint32_t i = 0; i < log->segment_count; i++)
        log->bytes += log->segments[i]->size;
    JOB_END(job, MRT_OK);
}

/* An index whose log is gone: the log goes first when a segment is removed. */
static uint32_t is_widow(const mrt_log *log, const mrt_str *name)
{
    struct file_name file;
    segment_file_parse(name, &file);
    if (file.what != NAME_INDEX && file.what != NAME_TIME)
        return 0;
    for (uint32_t i = 0; i < log->segment_count; i++)
        if (log->segments[i]->index.base == file.offset)
            return 0;
    return 1;
}

static uint32_t is_unfinished(const mrt_log *log, const mrt_str *name)
{
    return segment_ends(name, ".deleted") || segment_ends(name, ".tmp") || is_widow(log, name);
}

/* Removes what an earlier run left unfinished. */
static mrt_status remove_leftovers(struct job *job, struct recovery *recovery)
{
    const mrt_str *name;
    mrt_status status;
    JOB_BEGIN(job)
    if (!job->change || recovery->leftovers == 0)
        JOB_RETURN(job, MRT_OK);
    JOB_STEP_OK(job, segment_list(job, 1));
    while (job->listing->list.n > 0) {
        for (recovery->at = 0; recovery->at < job->listing->list.n; recovery->at++) {
            name = &job->listing->row[recovery->at].name;
            if (!is_unfinished(recovery->log, name))
                continue;
            memcpy(job->paths->text[PATH_TEMPORARY], name->p, name->n);
            job->paths->text[PATH_TEMPORARY][name->n] = 0;
            segment_path(job, PATH_FILE, job->folder, job->paths->text[PATH_TEMPORARY]);
            JOB_STEP(job, status, segment_remove_file(job));
            if (status)
                JOB_RETURN(job, status);
        }
        JOB_STEP_OK(job, segment_list(job, 0));
    }
    JOB_END(job, MRT_OK);
}

/* ---- one segment ----------------------------------------------------------------------------- */

/* Says that the log is damaged at verify->scan.good; ends with MRT_ECORRUPT. */
static mrt_status corrupt(struct job *job, struct recovery *recovery, const char *what)
{
    const struct verify *verify = &recovery->verify_one;
    long long base = (long long)verify->segment->index.base;
    unsigned long long position = (unsigned long long)verify->scan.good;
    long long from = (long long)verify->scan.end;
    JOB_BEGIN(job)
    segment_say(
        job->store, MRT_LOG_ERROR,
        "log.corrupt log=%s segment=%020lld bytes=%llu position=%llu offset=%lld valid_at=%llu "
        "recovery_point=%lld why=\"%s\"",
        job->folder, base, (unsigned long long)verify->segment->size, position, from,
        (unsigned long long)verify->valid_at, (long long)recovery->recovered, what);
    segment_error(
        recovery->why, MRT_ECORRUPT,
        "%s: %020lld.log, byte %llu, offset %lld: %s; restore the log from a replica or move the "
        "folder away",
        job->folder, base, position, from, what);
    JOB_AWAIT_OK(job, segment_job_yield(job)); /* events never come inside a call */
    if (job->dir->events)
        job->dir->events->corrupt(
            job->dir->ctx, job->dir, recovery->log->ctx, from,
            verify->valid_at ? verify->probe.batch.base_offset : from + 1);
    JOB_END(job, MRT_ECORRUPT);
}

/* Does a later segment hold anything? */
static uint32_t is_followed(const struct recovery *recovery)
{
    const mrt_log *log = recovery->log;
    for (uint32_t i = recovery->at + 1; i < log->segment_count; i++)
        if (log->segments[i]->size > 0)
            return 1;
    return 0;
}

/* Did the system's end take whole batches from the end of the segment? A segment begins where the
 * one before ended. Only compaction, which syncs what it made, changes that, and a cut below the
 * log start, which syncs that. */
static uint32_t is_short(const struct recovery *recovery)
{
    const mrt_log *log = recovery->log;
    if (recovery->trust != TRUST_NONE || recovery->at + 1 == log->segment_count)
        return 0;
    int64_t next = log->segments[recovery->at + 1]->index.base;
    return next > recovery->verify_one.scan.end && next > mark_load(log->entry, MRT_MARK_LOG_START);
}

/* Damage at verify->scan.good: MRT_OK if it is a torn tail, to be cut. */
static mrt_status judge(struct job *job, struct recovery *recovery)
{
    struct verify *verify = &recovery->verify_one;
    JOB_BEGIN(job)
    verify->valid_at = 0;
    recovery->what = "damage below the recovery point";
    if (verify->scan.end < recovery->recovered &&
        mark_load(recovery->log->entry, MRT_MARK_LOG_START) < recovery->recovered)
        JOB_STEP_OK(job, corrupt(job, recovery, recovery->what));
    if (verify->scan.result == SCAN_GOING)
        JOB_RETURN(job, MRT_OK);
    JOB_STEP_OK(job, segment_search(job, recovery));
    if (!verify->valid_at && !is_followed(recovery))
        JOB_RETURN(job, MRT_OK);
    recovery->what = "damage with valid batches behind it";
    if (recovery->trust != TRUST_NONE || !verify->zeros)
        JOB_STEP_OK(job, corrupt(job, recovery, recovery->what));
    JOB_END(job, MRT_OK);
}

/* Removes the files of segment @i and the segment. */
static mrt_status remove_segment(struct job *job, struct recovery *recovery, uint32_t i)
{
    JOB_BEGIN(job)
    for (job->at = 0; job->change && job->at < SEGMENT_FILES; job->at++) {
        segment_path_file(job, PATH_FILE, recovery->log->segments[i], job->at);
        JOB_STEP_OK(job, segment_remove_file(job));
    }
    segment_drop(recovery->log, i, 1);
    JOB_END(job, MRT_OK);
}

/* The log ends at verify->scan.good of segment `at`. Later segments go first, newest first: a crash
 * in between must not leave a gap. */
static mrt_status cut(struct job *job, struct recovery *recovery)
{
    struct verify *verify = &recovery->verify_one;
    struct segment *segment = verify->segment;
    mrt_log *log = recovery->log;
    JOB_BEGIN(job)
    segment_say(
        job->store, MRT_LOG_WARN, "log.torn log=%s segment=%020lld kept=%llu cut=%llu end=%lld",
        job->folder, (long long)segment->index.base, (unsigned long long)verify->scan.good,
        (unsigned long long)(segment->size - verify->scan.good), (long long)verify->scan.end);
    recovery->cut = 1;
    while (log->segment_count > recovery->at + 1)
        JOB_STEP_OK(job, remove_segment(job, recovery, log->segment_count - 1));
    if (job->change)
        JOB_AWAIT_OK(job, job->store->file->truncate(verify->log, &job->op, verify->scan.good));
    log->bytes -= segment->size - verify->scan.good;
    segment->size = verify->scan.good;
    JOB_END(job, MRT_OK);
}

static mrt_status sync_one(struct job *job, mrt_file *file)
{
    JOB_BEGIN(job)
    JOB_AWAIT_OK(job, job->store->file->sync(file, &job->op, 0));
    JOB_END(job, MRT_OK);
}

/* R5. */
static mrt_status sync_files(struct job *job, struct verify *verify)
{
    JOB_BEGIN(job)
    if (!job->change)
        JOB_RETURN(job, MRT_OK);
    JOB_STEP_OK(job, sync_one(job, verify->index));
    JOB_STEP_OK(job, sync_one(job, verify->time));
    JOB_STEP_OK(job, sync_one(job, verify->log));
    JOB_END(job, MRT_OK);
}

/* Sealed segments end their time index with the latest time (N2). */
static mrt_status seal(struct job *job, struct recovery *recovery)
{
    struct verify *verify = &recovery->verify_one;
    struct segment *segment = verify->segment;
    JOB_BEGIN(job)
    if (!job->change || recovery->at + 1 == recovery->log->segment_count)
        JOB_RETURN(job, MRT_OK);
    segment_index_seal(&segment->index, &verify->tail);
    JOB_STEP_OK(job, segment_verify_entries(job, verify));
    JOB_END(job, MRT_OK);
}

static mrt_status verify_files(struct job *job, struct recovery *recovery, uint32_t evict)
{
    struct verify *verify = &recovery->verify_one;
    JOB_BEGIN(job)
    JOB_STEP_OK(job, segment_verify(job, recovery, evict));
    if (verify->scan.result != SCAN_GOING || is_short(recovery)) {
        JOB_STEP_OK(job, judge(job, recovery));
        JOB_STEP_OK(job, cut(job, recovery));
    }
    JOB_STEP_OK(job, seal(job, recovery));
    if (recovery->sync)
        JOB_STEP_OK(job, sync_files(job, verify));
    verify->segment->synced = verify->segment->size;
    JOB_END(job, MRT_OK);
}

static mrt_status verify_one(struct job *job, struct recovery *recovery, uint32_t evict)
{
    struct verify *verify = &recovery->verify_one;
    mrt_status status;
    JOB_BEGIN(job)
    verify->segment = recovery->log->segments[recovery->at];
    JOB_STEP(job, status, segment_verify_open(job, verify));
    if (!status)
        JOB_STEP(job, status, verify_files(job, recovery, evict));
    segment_verify_close(job, verify);
    JOB_RETURN(job, status);
    JOB_END(job, MRT_EBUG);
}

/* ---- all segments ---------------------------------------------------------------------------- */

/* From which segment on must everything be read again, indexes made anew? */
static uint32_t first_suspect(const struct recovery *recovery)
{
    const mrt_log *log = recovery->log;
    uint32_t first = log->segment_count;
    if (recovery->verify)
        return 0;
    if (recovery->trust != TRUST_NONE || first == 0)
        return first;
    first = segment_index_of(log, recovery->recovered - 1); /* its indexes may not be synced */
    while (first > 0 && log->segments[first]->size == 0)
        first--; /* whether an empty one is a leftover shows in what is before it */
    return first;
}

/* A sealed segment that is trusted: only its latest time is wanted. */
static mrt_status trust_sealed(struct job *job, struct recovery *recovery)
{
    struct verify *verify = &recovery->verify_one;
    mrt_status status;
    JOB_BEGIN(job)
    verify->segment = recovery->log->segments[recovery->at];
    if (!verify->segment->index_found || !verify->segment->time_found)
        JOB_RETURN(job, MRT_EAGAIN);
    JOB_STEP(job, status, segment_verify_open(job, verify));
    if (!status)
        JOB_STEP(job, status, segment_trust_time(job, verify));
    if (!status && recovery->sync &&
        segment_next(recovery->log, recovery->at) >= recovery->recovered)
        JOB_STEP(job, status, sync_files(job, verify));
    segment_verify_close(job, verify);
    verify->segment->synced = verify->segment->size;
    JOB_RETURN(job, status);
    JOB_END(job, MRT_EBUG);
}

static mrt_status visit(struct job *job, struct recovery *recovery)
{
    mrt_log *log = recovery->log;
    uint32_t last = recovery->at + 1 == log->segment_count;
    uint32_t suspect = recovery->at >= recovery->suspect;
    struct verify *verify = &recovery->verify_one;
    mrt_status status;
    JOB_BEGIN(job)
    status = MRT_EAGAIN;
    if (!last && !suspect)
        JOB_STEP(job, status, trust_sealed(job, recovery));
    if (status != MRT_EAGAIN)
        JOB_RETURN(job, status);
    verify->rebuild = suspect || !last || !log->segments[recovery->at]->index_found ||
                      !log->segments[recovery->at]->time_found;
    JOB_STEP_OK(job, verify_one(job, recovery, suspect));
    log->end = verify->scan.end;
    JOB_END(job, MRT_OK);
}

/* Behind the last batch empty segments say nothing: an unfinished roll, or a finished one that core
 * asks for again. */
static mrt_status drop_last_empty(struct job *job, struct recovery *recovery)
{
    mrt_log *log = recovery->log;
    JOB_BEGIN(job)
    while (log->segment_count > 1 && segment_active(log)->size == 0)
        JOB_STEP_OK(job, remove_segment(job, recovery, log->segment_count - 1));
    JOB_END(job, MRT_OK);
}

/* The names of what is kept: the process that made them may not have come to it. */
static mrt_status sync_folder(struct job *job)
{
    JOB_BEGIN(job)
    segment_path(job, PATH_FOLDER, job->folder, "");
    JOB_AWAIT_OK(
        job, job->store->file->sync_dir(job->exec, &job->op, &job->paths->str[PATH_FOLDER]));
    JOB_END(job, MRT_OK);
}

/* The empty first segment of a log without any. */
static mrt_status make_first(struct job *job, struct recovery *recovery)
{
    mrt_log *log = recovery->log;
    struct verify *verify = &recovery->verify_one;
    int64_t base = mark_load(log->entry, MRT_MARK_LOG_START);
    mrt_status status;
    JOB_BEGIN(job)
    if (segment_reserve(log))
        JOB_RETURN(job, MRT_ENOMEM);
    verify->segment =
        segment_new(log, base == UNSET ? 0 : base, job->store->clock->wall_ms(job->exec));
    if (!verify->segment)
        JOB_RETURN(job, MRT_ENOMEM);
    verify->segment->named = verify->segment->index_synced = 1;
    segment_push(log, verify->segment);
    log->end = verify->segment->index.base;
    if (!job->change)
        JOB_RETURN(job, MRT_OK);
    JOB_STEP(job, status, segment_verify_open(job, verify));
    segment_verify_close(job, verify);
    if (status)
        JOB_RETURN(job, status);
    JOB_STEP_OK(job, sync_folder(job));
    JOB_END(job, MRT_OK);
}

/* Is segment `at` an empty one of a roll that failed before a later one succeeded? Where bytes may
 * have been lost it is one if it begins below the recovery point, where none are, or if the batches
 * before reach beyond its base. */
static uint32_t is_leftover(const struct recovery *recovery)
{
    const mrt_log *log = recovery->log;
    const struct segment *segment = log->segments[recovery->at];
    if (segment->size > 0 || log->segment_count == 1)
        return 0;
    return recovery->trust != TRUST_NONE || segment->index.base < recovery->recovered ||
           (recovery->at > 0 && log->end > segment->index.base);
}

/* Goes through the segments, oldest first, until one is cut. */
static mrt_status visit_all(struct job *job, struct recovery *recovery)
{
    mrt_log *log = recovery->log;
    JOB_BEGIN(job)
    JOB_STEP_OK(job, drop_last_empty(job, recovery));
    recovery->suspect = first_suspect(recovery);
    for (recovery->at = 0; recovery->at < log->segment_count && !recovery->cut;) {
        if (is_leftover(recovery)) {
            JOB_STEP_OK(job, remove_segment(job, recovery, recovery->at));
            continue;
        }
        JOB_STEP_OK(job, visit(job, recovery));
        recovery->at++;
    }
    JOB_END(job, MRT_OK);
}

/* start, durable and marks, now that the end is known. */
static mrt_status conclude(struct job *job, struct recovery *recovery)
{
    mrt_log *log = recovery->log;
    int64_t start = mark_load(log->entry, MRT_MARK_LOG_START);
    struct verify *verify = &recovery->verify_one;
    JOB_BEGIN(job)
    log->start = log->segments[0]->index.base;
    if (start != UNSET && start > log->start)
        log->start = start;
    if (log->end < log->start) /* all that was lost had been trimmed */
        log->end = log->start;
    if (log->end < recovery->recovered) {
        verify->segment = segment_active(log);
        verify->scan.end = log->end;
        verify->scan.good = verify->segment->size;
        JOB_STEP_OK(job, corrupt(job, recovery, "the log ends below the recovery point"));
    }
    log->durable = log->end;
    if (!recovery->sync)
        segment_active(log)->index_synced = 0;
    log->indexed = segment_active(log)->index.base;
    if (job->change)
        segment_mark(job->dir, log->entry, MARK_RECOVERED, log->end);
    if (recovery->read > SAY_BYTES)
        segment_say(
            job->store, MRT_LOG_INFO, "log.recovered log=%s end=%lld read_bytes=%llu", job->folder,
            (long long)log->end, (unsigned long long)recovery->read);
    JOB_END(job, MRT_OK);
}

static mrt_status prepare(struct job *job, struct recovery *recovery)
{
    const mrt_host *host = job->store->host;
    mrt_log *log = recovery->log;
    int64_t recovered = mark_load(log->entry, MARK_RECOVERED);
    job->folder = log->entry->name;
    job->change = !log->readonly;
    recovery->trust = log->entry->trust;
    recovery->recovered = recovered == UNSET ? 0 : recovered;
    recovery->sync = job->change && (recovery->trust != TRUST_CLEAN || recovery->verify);
    recovery->verify_one.chunk = host->alloc(host, CHUNK_BYTES, 4096);
    return recovery->verify_one.chunk ? MRT_OK : MRT_ENOMEM;
}

mrt_status segment_recover(struct job *job, struct recovery *recovery)
{
    mrt_log *log = recovery->log;
    mrt_status status;
    JOB_BEGIN(job)
    status = prepare(job, recovery);
    if (status)
        JOB_RETURN(job, status);
    JOB_STEP_OK(job, find_files(job, recovery));
    if (recovery->swap)
        JOB_RETURN(
            job, segment_error(
                     recovery->why, MRT_ECORRUPT,
                     "%s: holds .swap files of an unfinished compaction; start Kafka once so that "
                     "it finishes it",
                     job->folder));
    JOB_STEP_OK(job, remove_leftovers(job, recovery));
    JOB_STEP_OK(job, visit_all(job, recovery));
    if (log->segment_count == 0)
        JOB_STEP_OK(job, make_first(job, recovery));
    if (recovery->sync)
        JOB_STEP_OK(job, sync_folder(job));
    JOB_STEP_OK(job, conclude(job, recovery));
    JOB_END(job, MRT_OK);
}

void segment_recovery_free(struct job *job, struct recovery *recovery)
{
    const mrt_host *host = job->store->host;
    segment_verify_close(job, &recovery->verify_one);
    host->free(host, recovery->verify_one.chunk);
    recovery->verify_one.chunk = NULL;
}
