/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.c - a log's life: opened and recovered on the directory's executor, used and closed on its
 * own.
 */
#include <stdio.h>
#include <string.h>

#include "plugins/storage/segment/parts.h"
#include "plugins/storage/segment/recover.h"

/* ---- segments in memory ---------------------------------------------------------------------- */

struct segment *segment_new(mrt_log *log, int64_t base, int64_t created_ms)
{
    const mrt_host *host = log->store->host;
    struct segment *segment = host->alloc(host, sizeof(*segment), 16);
    if (!segment)
        return NULL;
    memset(segment, 0, sizeof(*segment));
    segment_indexer_init(&segment->index, base, log->index_interval);
    segment->created_ms = created_ms;
    segment->serial = ++log->serials;
    segment->refs = 1;
    return segment;
}

void segment_unref(struct segment *segment, const struct store *store)
{
    if (--segment->refs > 0)
        return;
    store->host->free(store->host, segment->tail);
    store->host->free(store->host, segment);
}

void segment_use(struct job *job, struct segment *segment)
{
    if (segment)
        segment->refs++;
    if (job->segment)
        segment_unref(job->segment, job->store);
    job->segment = segment;
}

uint32_t segment_index_of(const mrt_log *log, int64_t offset)
{
    uint32_t low = 1, high = log->segment_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (log->segments[middle]->index.base <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low - 1;
}

mrt_status segment_reserve(mrt_log *log)
{
    const mrt_host *host = log->store->host;
    uint32_t cap = log->segment_cap ? log->segment_cap * 2 : 1;
    if (log->segment_count < log->segment_cap)
        return MRT_OK;
    struct segment **grown = host->alloc(host, cap * sizeof(struct segment *), 8);
    if (!grown)
        return MRT_ENOMEM;
    if (log->segment_count)
        memcpy(grown, log->segments, log->segment_count * sizeof(struct segment *));
    host->free(host, log->segments);
    log->segments = grown;
    log->segment_cap = cap;
    return MRT_OK;
}

void segment_push(mrt_log *log, struct segment *segment)
{
    log->segments[log->segment_count++] = segment;
}

void segment_drop(mrt_log *log, uint32_t at, uint32_t n)
{
    for (uint32_t i = at; i < at + n; i++) {
        struct segment *segment = log->segments[i];
        log->bytes -= segment->size;
        segment->gone = 1;
        segment_close_files(segment);
        segment_unref(segment, log->store);
    }
    memmove(
        log->segments + at, log->segments + at + n,
        (log->segment_count - at - n) * sizeof(struct segment *));
    log->segment_count -= n;
}

/* ---- what the directory sees ----------------------------------------------------------------- */

void segment_publish(mrt_log *log)
{
    struct entry *entry = log->entry;
    uint64_t was = __atomic_exchange_n(&entry->bytes, log->bytes, __ATOMIC_RELAXED);
    __atomic_store_n(&entry->start, log->start, __ATOMIC_RELAXED);
    __atomic_store_n(&entry->end, log->end, __ATOMIC_RELAXED);
    __atomic_store_n(&entry->durable, log->durable, __ATOMIC_RELAXED);
    __atomic_add_fetch(&log->dir->bytes, log->bytes - was, __ATOMIC_RELAXED);
}

mrt_status segment_usable(const mrt_log *log, uint32_t change)
{
    if (log->failed || __atomic_load_n(&log->dir->offline, __ATOMIC_ACQUIRE))
        return MRT_EOFFLINE;
    return change && log->readonly ? MRT_EREADONLY : MRT_OK;
}

void segment_state(mrt_log *log, mrt_log_state *out)
{
    const struct segment *active = segment_active(log);
    out->flags = 0;
    out->start = log->start;
    out->end = log->end;
    out->durable = log->durable;
    out->active_base = active->index.base;
    out->active_bytes = active->size;
    out->bytes = log->bytes;
}

mrt_status segment_segments(mrt_log *log, int64_t from, mrt_segment *out, uint32_t cap, uint32_t *n)
{
    *n = 0;
    for (uint32_t i = segment_index_of(log, from); i < log->segment_count && *n < cap; i++) {
        const struct segment *segment = log->segments[i];
        out[(*n)++] = (mrt_segment){
            .base = segment->index.base,
            .next = segment_next(log, i),
            .max_timestamp_ms = segment->index.max_ms,
            .created_ms = segment->created_ms,
            .bytes = segment->size,
            .handle = segment->serial,
            .flags = i + 1 == log->segment_count ? MRT_SEGMENT_ACTIVE : 0,
        };
    }
    return MRT_OK;
}

mrt_status segment_log_config(mrt_log *log, const mrt_cfg *cfg)
{
    const mrt_cfg_view *view = log->store->view;
    log->cfg = cfg;
    log->index_interval = (uint64_t)view->i64(cfg, KEY_INDEX_INTERVAL);
    log->index_bytes = (uint64_t)view->i64(cfg, KEY_INDEX_BYTES);
    for (uint32_t i = 0; i < log->segment_count; i++)
        log->segments[i]->index.interval = log->index_interval;
    return MRT_OK;
}

/* ---- open ------------------------------------------------------------------------------------ */

struct open_job {
    struct job job;
    mrt_log **out;
    mrt_log *opened; /* ours until handed out */
    struct entry *entry;
    uint32_t made;
    uint32_t reserved;
    mrt_error why;
    uint8_t topic_id[16];
    char identity[IDENTITY_BYTES];
    struct recovery recovery;
};

static void log_free(mrt_log *log)
{
    const mrt_host *host = log->store->host;
    if (!log)
        return;
    for (uint32_t i = 0; i < log->segment_count; i++) {
        segment_close_files(log->segments[i]);
        segment_unref(log->segments[i], log->store);
    }
    host->free(host, log->segments);
    host->free(host, log->sides);
    host->free(host, log->last_job);
    host->free(host, log);
}

struct close_job {
    struct job job;
    mrt_status status;
    uint32_t reserved;
};

static mrt_log *log_new(mrt_dir *dir, const mrt_log_spec *spec, struct entry *entry)
{
    const mrt_host *host = dir->store->host;
    mrt_log *log = host->alloc(host, sizeof(*log), 16);
    if (!log)
        return NULL;
    memset(log, 0, sizeof(*log));
    log->last_job = host->alloc(host, sizeof(struct close_job), 16);
    if (!log->last_job) {
        host->free(host, log);
        return NULL;
    }
    log->store = dir->store;
    log->dir = dir;
    log->entry = entry;
    log->exec = spec->exec;
    log->ctx = spec->ctx;
    log->sync_upto = INT64_MIN;
    log->readonly = dir->readonly || (spec->flags & MRT_LOG_READONLY);
    for (uint32_t i = 0; i < HINTS; i++)
        log->hint[i].offset = -1;
    segment_log_config(log, spec->cfg);
    return log;
}

static mrt_status write_identity(struct open_job *o)
{
    struct job *job = &o->job;
    JOB_BEGIN(job)
    segment_path(job, PATH_FILE, o->entry->name, NAME_IDENTITY);
    segment_path(job, PATH_FOLDER, o->entry->name, "");
    JOB_STEP_OK(
        job, segment_replace(job, o->identity, segment_identity_text(o->topic_id, o->identity)));
    JOB_AWAIT_OK(
        job, job->store->file->sync_dir(job->exec, &job->op, &job->paths->str[PATH_FOLDER]));
    memcpy(o->entry->topic_id, o->topic_id, 16);
    JOB_END(job, MRT_OK);
}

static const uint8_t no_id[16];

/* Makes the folder with its identity; recovery then makes the first segment. */
static mrt_status make_folder(struct open_job *o)
{
    struct job *job = &o->job;
    const mrt_host_file *file = job->store->file;
    mrt_status status;
    JOB_BEGIN(job)
    segment_path(job, PATH_FOLDER, o->entry->name, "");
    JOB_AWAIT(job, status, file->mkdir(job->exec, &job->op, &job->paths->str[PATH_FOLDER]));
    if (status && status != MRT_EEXIST)
        JOB_RETURN(job, status);
    JOB_STEP_OK(job, write_identity(o));
    segment_path(job, PATH_FOLDER, "", "");
    JOB_AWAIT_OK(job, file->sync_dir(job->exec, &job->op, &job->paths->str[PATH_FOLDER]));
    for (uint32_t i = 0; i < MARKS; i++)
        segment_mark(job->dir, o->entry, i, UNSET);
    JOB_END(job, MRT_OK);
}

/* Is the folder this log's? */
static mrt_status check_identity(struct open_job *o)
{
    struct job *job = &o->job;
    mrt_log *log = o->opened;
    JOB_BEGIN(job)
    JOB_STEP_OK(job, segment_identity_load(job, o->entry));
    if (!memcmp(o->entry->topic_id, o->topic_id, 16))
        JOB_RETURN(job, MRT_OK);
    if (!memcmp(o->entry->topic_id, no_id, 16)) {
        if (!log->readonly)
            JOB_STEP_OK(job, write_identity(o));
        JOB_RETURN(job, MRT_OK);
    }
    if (!o->recovery.create || log->readonly)
        JOB_RETURN(job, MRT_ENOENT);
    /* the folder is of a topic of the same name that is gone: out of the way, not removed */
    JOB_STEP_OK(job, segment_rename_away(job, o->entry, "-stray"));
    JOB_STEP_OK(job, make_folder(o));
    JOB_END(job, MRT_OK);
}

static mrt_status open_run(struct job *job)
{
    struct open_job *o = (struct open_job *)job;
    mrt_log *log = o->opened;
    JOB_BEGIN(job)
    got_ = segment_paths(job);
    if (got_)
        JOB_RETURN(job, got_);
    if (o->made)
        JOB_STEP_OK(job, make_folder(o));
    else
        JOB_STEP_OK(job, check_identity(o));
    JOB_STEP_OK(job, segment_recover(job, &o->recovery));
    if (!log->readonly)
        segment_entry_trust(job->dir, o->entry, TRUST_CLEAN);
    o->entry->known = o->entry->settled = 1;
    o->entry->broken = 0;
    segment_publish(log);
    *o->out = log;
    o->opened = NULL;
    JOB_END(job, MRT_OK);
}

static void open_end(struct job *job, mrt_status status)
{
    struct open_job *o = (struct open_job *)job;
    segment_recovery_free(job, &o->recovery);
    if (!status)
        return;
    __atomic_store_n(&o->entry->open, 0, __ATOMIC_RELEASE);
    if (status == MRT_ECORRUPT)
        o->entry->broken = 1;
    if (o->made && status != MRT_ECORRUPT)
        segment_entry_remove(job->dir, o->entry);
    log_free(o->opened);
}

static mrt_status open_check(const mrt_dir *dir, const mrt_log_spec *spec)
{
    uint32_t known = MRT_LOG_CREATE | MRT_LOG_READONLY | MRT_LOG_VERIFY;
    if (spec->flags & ~known || spec->partition < 0 || !segment_topic_ok(&spec->topic))
        return MRT_EINVAL;
    if (dir->store->stopping)
        return MRT_ESHUTDOWN;
    return __atomic_load_n(&dir->offline, __ATOMIC_ACQUIRE) ? MRT_EOFFLINE : MRT_OK;
}

mrt_status segment_log_open(mrt_dir *dir, mrt_op *op, const mrt_log_spec *spec, mrt_log **out)
{
    mrt_status status = open_check(dir, spec);
    if (status)
        return status;
    struct entry *entry = segment_entry_find(dir, &spec->topic, spec->partition);
    uint32_t made = entry == NULL;
    if (made && !(spec->flags & MRT_LOG_CREATE))
        return MRT_ENOENT;
    if (made && dir->readonly)
        return MRT_EREADONLY;
    if (entry && __atomic_load_n(&entry->open, __ATOMIC_ACQUIRE))
        return MRT_EBUSY;
    struct open_job *o = segment_job_new(dir, NULL, op, open_run, sizeof(*o));
    if (!o)
        return MRT_ENOMEM;
    o->made = made;
    o->entry = made ? segment_entry_add(dir, &spec->topic, spec->partition) : entry;
    o->opened = o->entry ? log_new(dir, spec, o->entry) : NULL;
    if (!o->opened) {
        if (made && o->entry)
            segment_entry_remove(dir, o->entry);
        dir->jobs--;
        dir->store->host->free(dir->store->host, o);
        return MRT_ENOMEM;
    }
    o->out = out;
    o->job.why = &o->why;
    o->job.end = open_end;
    memcpy(o->topic_id, spec->topic_id, 16);
    o->recovery.log = o->opened;
    o->recovery.create = !!(spec->flags & MRT_LOG_CREATE);
    o->recovery.verify = !!(spec->flags & MRT_LOG_VERIFY);
    o->recovery.why = &o->why;
    __atomic_store_n(&o->entry->open, 1, __ATOMIC_RELEASE);
    return segment_job_start(&o->job);
}

/* ---- close ----------------------------------------------------------------------------------- */

void segment_log_quiet(mrt_log *log)
{
    struct job *closer = log->closer;
    if (!closer || log->jobs > 1)
        return;
    log->store->exec->leaf_enter(log->store->files.leaf);
    uint32_t evictions = log->evictions;
    log->store->exec->leaf_leave(log->store->files.leaf);
    if (evictions > 0)
        return;
    log->closer = NULL;
    segment_job_wake(closer, MRT_OK);
}

/* For JOB_AWAIT: nothing but @job is under way. */
static mrt_status wait_quiet(struct job *job)
{
    mrt_log *log = job->log;
    log->store->exec->leaf_enter(log->store->files.leaf);
    uint32_t evictions = log->evictions;
    log->store->exec->leaf_leave(log->store->files.leaf);
    if (log->jobs == 1 && evictions == 0)
        return MRT_OK;
    log->closer = job;
    return MRT_PENDING;
}

/* Everything of a writable log goes to disk. */
static mrt_status settle(struct job *job)
{
    mrt_log *log = job->log;
    JOB_BEGIN(job)
    if (log->readonly || segment_usable(log, 0))
        JOB_RETURN(job, segment_usable(log, 0));
    segment_use(job, segment_active(log));
    JOB_STEP_OK(job, segment_tail_seal(job, segment_active(log)));
    segment_job_unhold(job);
    JOB_AWAIT_OK(job, segment_sync_wait(job, log->end));
    JOB_AWAIT_OK(job, segment_sync_idle(job));
    JOB_END(job, MRT_OK);
}

static mrt_status close_run(struct job *job)
{
    struct close_job *c = (struct close_job *)job;
    mrt_log *log = job->log;
    JOB_BEGIN(job)
    JOB_AWAIT_OK(job, wait_quiet(job));
    JOB_STEP(job, c->status, settle(job));
    for (uint32_t i = 0; i < log->segment_count; i++)
        segment_close_files(log->segments[i]);
    JOB_AWAIT_OK(job, wait_quiet(job));
    JOB_RETURN(job, c->status);
    JOB_END(job, MRT_EBUG);
}

static void close_end(struct job *job, mrt_status status)
{
    mrt_log *log = job->log;
    mrt_dir *dir = log->dir;
    struct entry *entry = log->entry;
    segment_publish(log);
    if (status && !log->readonly)
        __atomic_store_n(&dir->unclean, 1, __ATOMIC_RELAXED);
    log_free(log);
    __atomic_store_n(&entry->open, 0, __ATOMIC_RELEASE);
}

mrt_status segment_log_close(mrt_log *log, mrt_op *op)
{
    struct close_job *c = (struct close_job *)log->last_job;
    log->last_job = NULL;
    segment_job_init(&c->job, log->dir, log, op, close_run, sizeof(*c));
    c->job.end = close_end;
    return segment_job_start(&c->job);
}
