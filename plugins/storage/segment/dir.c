/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dir.c - a log directory's life, and how its use ends early when the device fails.
 */
#include <stdio.h>
#include <string.h>

#include "plugins/storage/segment/parts.h"

#define PROPERTIES_MOST 65536 /* bytes of meta.properties */
#define PROPERTIES_ROOM 128   /* for what we add */
#define LOCK_TRIES      20    /* the one before may be on its way out: its file closes later */
#define LOCK_WAIT_NS    UINT64_C(50000000)

struct dir_job {
    struct job job;
    mrt_dir **out;
    mrt_error why;
    uint32_t clean;
    uint32_t fresh;
    uint32_t same_boot;
    uint32_t folders;
    uint32_t more;
    uint32_t reserved;
};

/* ---- failing --------------------------------------------------------------------------------- */

static void tell_offline(mrt_task *task)
{
    mrt_dir *dir = (mrt_dir *)(void *)((char *)task - offsetof(mrt_dir, offline_task));
    __atomic_store_n(&dir->offline_posted, 0, __ATOMIC_RELEASE);
    segment_say(
        dir->store, MRT_LOG_ERROR, "dir.offline path=%s why=\"%s\"", dir->path,
        dir->offline_why.text);
    if (dir->events && !dir->closing)
        dir->events->dir_state(dir->ctx, dir, MRT_DIR_OFFLINE, &dir->offline_why);
    segment_distrust(dir);
}

void segment_dir_offline(mrt_dir *dir, mrt_status status, const char *what)
{
    if (__atomic_exchange_n(&dir->offline, 1, __ATOMIC_ACQ_REL))
        return;
    segment_error(
        &dir->offline_why, status,
        "%s: %s (status %d); replace or repair the disk, then open the directory again: it is "
        "verified with the cache dropped",
        dir->path, what, status);
    __atomic_store_n(&dir->offline_posted, 1, __ATOMIC_RELEASE);
    dir->offline_task.run = tell_offline;
    dir->store->exec->post(dir->exec, &dir->offline_task);
}

/* After a failed sync the cache may hold pages that never reached the device. Without the boot id
 * the next opening trusts nothing above the recovery points. */
static mrt_status distrust_run(struct job *job)
{
    mrt_status status;
    JOB_BEGIN(job)
    status = segment_paths(job);
    if (status)
        JOB_RETURN(job, status);
    segment_path(job, PATH_FILE, "", NAME_BOOT);
    JOB_STEP_OK(job, segment_remove_file(job));
    JOB_END(job, MRT_OK);
}

void segment_distrust(mrt_dir *dir)
{
    struct job *job = segment_job_new(dir, NULL, NULL, distrust_run, sizeof(*job));
    if (job)
        segment_job_start(job);
}

/* ---- open ------------------------------------------------------------------------------------ */

static void dir_free(mrt_dir *dir)
{
    const mrt_host *host = dir->store->host;
    if (dir->lock)
        dir->store->file->close(dir->lock);
    segment_entries_free(dir);
    host->free(host, dir->last_job);
    host->free(host, dir);
}

static void waited(mrt_timer *timer)
{
    mrt_dir *dir = (mrt_dir *)(void *)((char *)timer - offsetof(mrt_dir, timer));
    struct job *job = dir->closer;
    dir->closer = NULL;
    segment_job_wake(job, MRT_OK);
}

/* For JOB_AWAIT, while the directory is not open yet. */
static mrt_status wait_for_lock(struct job *job)
{
    const struct store *store = job->store;
    job->dir->closer = job;
    job->dir->timer.fire = waited;
    store->exec->timer_set(
        job->exec, &job->dir->timer, store->clock->mono_ns(job->exec) + LOCK_WAIT_NS);
    return MRT_PENDING;
}

static mrt_status open_lock(struct job *job)
{
    const uint32_t flags = MRT_FILE_READ | MRT_FILE_WRITE | MRT_FILE_CREATE | MRT_FILE_LOCK;
    return job->store->file->open(
        job->exec, &job->op, &job->paths->str[PATH_FILE], flags, &job->opened);
}

static mrt_status take_lock(struct dir_job *d)
{
    struct job *job = &d->job;
    mrt_dir *dir = job->dir;
    mrt_status status;
    JOB_BEGIN(job)
    segment_path(job, PATH_FILE, "", NAME_LOCK);
    segment_path(job, PATH_FOLDER, "", "");
    JOB_AWAIT(job, status, open_lock(job));
    if (status == MRT_ENOENT) {
        JOB_AWAIT_OK(
            job, job->store->file->mkdir(job->exec, &job->op, &job->paths->str[PATH_FOLDER]));
        JOB_AWAIT(job, status, open_lock(job));
    }
    for (job->at = 0; status == MRT_EBUSY && job->at < LOCK_TRIES; job->at++) {
        JOB_AWAIT_OK(job, wait_for_lock(job));
        JOB_AWAIT(job, status, open_lock(job));
    }
    if (status)
        JOB_RETURN(
            job, segment_error(
                     &d->why, status, "%s: cannot be locked (status %d)%s", dir->path, status,
                     status == MRT_EBUSY ? ": another broker uses it" : ""));
    dir->lock = job->opened;
    job->opened = NULL;
    JOB_END(job, MRT_OK);
}

static mrt_status load_properties(struct dir_job *d)
{
    struct job *job = &d->job;
    mrt_dir *dir = job->dir;
    mrt_status status;
    JOB_BEGIN(job)
    segment_path(job, PATH_FILE, "", NAME_PROPERTIES);
    JOB_STEP(job, status, segment_load(job, PROPERTIES_MOST));
    if (status == MRT_ENOENT)
        JOB_RETURN(job, MRT_OK);
    if (status)
        JOB_RETURN(job, status);
    mrt_str text = {job->loaded, job->loaded_bytes};
    segment_properties_parse(text, &dir->properties);
    if (dir->properties.kafka_version > PROPERTIES_KAFKA ||
        dir->properties.format > PROPERTIES_OURS)
        JOB_RETURN(
            job, segment_error(
                     &d->why, MRT_ETOONEW, "%s/%s: written by a newer version; use that one",
                     dir->path, NAME_PROPERTIES));
    JOB_END(job, MRT_OK);
}

static mrt_status note_folder(struct dir_job *d, const mrt_dirent *row)
{
    mrt_dir *dir = d->job.dir;
    mrt_str topic;
    int32_t partition;
    if (row->kind == 1 && row->name.n == strlen(NAME_CLEAN) &&
        !memcmp(row->name.p, NAME_CLEAN, row->name.n))
        d->clean = 1;
    if (row->kind == 2 && segment_ends(&row->name, "-delete"))
        dir->sweep_again = 1;
    if (row->kind != 2 || !segment_folder_parse(&row->name, &topic, &partition))
        return MRT_OK;
    d->folders++;
    return segment_entry_add(dir, &topic, partition) ? MRT_OK : MRT_ENOMEM;
}

static mrt_status find_folders(struct dir_job *d)
{
    struct job *job = &d->job;
    JOB_BEGIN(job)
    segment_path(job, PATH_FOLDER, "", "");
    job->wide = 1;
    for (d->more = 0;; d->more = 1) {
        JOB_STEP_OK(job, segment_list(job, !d->more));
        if (job->listing->list.n == 0)
            break;
        for (uint32_t i = 0; i < job->listing->list.n; i++) {
            got_ = note_folder(d, &job->listing->list.v[i]);
            if (got_)
                JOB_RETURN(job, got_);
        }
    }
    JOB_END(job, MRT_OK);
}

static mrt_status load_boot(struct dir_job *d)
{
    struct job *job = &d->job;
    uint8_t now[16], then[16];
    mrt_status status;
    JOB_BEGIN(job)
    segment_path(job, PATH_FILE, "", NAME_BOOT);
    JOB_STEP(job, status, segment_load(job, 64));
    job->store->file->boot_id(job->store->host, now);
    d->same_boot = !status && segment_uuid_parse(job->loaded, job->loaded_bytes, then) &&
                   !memcmp(now, then, 16);
    JOB_RETURN(job, status == MRT_ENOENT || status == MRT_ETOOBIG ? MRT_OK : status);
    JOB_END(job, MRT_EBUG);
}

/* Adds our lines to meta.properties; what others wrote stays. */
static mrt_status write_properties(struct job *job)
{
    const mrt_host *host = job->store->host;
    mrt_dir *dir = job->dir;
    char id[UUID_TEXT + 1];
    mrt_status status;
    JOB_BEGIN(job)
    segment_path(job, PATH_FILE, "", NAME_PROPERTIES);
    JOB_STEP(job, status, segment_load(job, PROPERTIES_MOST));
    if (status && status != MRT_ENOENT)
        JOB_RETURN(job, status);
    uint64_t old = status ? 0 : job->loaded_bytes, n = old;
    char *text = host->alloc(host, old + PROPERTIES_ROOM, 8);
    if (!text)
        JOB_RETURN(job, MRT_ENOMEM);
    if (old)
        memcpy(text, job->loaded, old);
    if (n && text[n - 1] != '\n')
        text[n++] = '\n';
    if (!dir->properties.present || dir->properties.kafka_version < 0)
        n += (uint64_t)snprintf(text + n, PROPERTIES_ROOM, "version=1\n");
    if (!dir->properties.has_id) {
        job->store->random->secret(job->exec, dir->properties.id, 16);
        dir->properties.id[6] = (uint8_t)((dir->properties.id[6] & 0x0f) | 0x40);
        dir->properties.id[8] = (uint8_t)((dir->properties.id[8] & 0x3f) | 0x80);
        dir->properties.has_id = 1;
        segment_uuid_text(dir->properties.id, id);
        n += (uint64_t)snprintf(text + n, PROPERTIES_ROOM - 16, "directory.id=%s\n", id);
    }
    n += (uint64_t)snprintf(text + n, 32, "mortise.format=%d\n", PROPERTIES_OURS);
    host->free(host, job->loaded);
    job->loaded = text;
    job->loaded_bytes = n;
    JOB_STEP_OK(job, segment_replace(job, job->loaded, job->loaded_bytes));
    JOB_END(job, MRT_OK);
}

/* From here on a crash is a crash: the clean marker goes, durably, before anything is changed. */
static mrt_status begin_writing(struct job *job)
{
    const mrt_host_file *file = job->store->file;
    JOB_BEGIN(job)
    if (job->dir->strangers == 0)
        JOB_STEP_OK(job, segment_boot_write(job));
    segment_path(job, PATH_FILE, "", NAME_CLEAN);
    JOB_STEP_OK(job, segment_remove_file(job));
    segment_path(job, PATH_FOLDER, "", "");
    JOB_AWAIT_OK(job, file->sync_dir(job->exec, &job->op, &job->paths->str[PATH_FOLDER]));
    if (job->dir->sweep_again)
        segment_sweep(job->dir);
    JOB_END(job, MRT_OK);
}

static void trust_all(struct dir_job *d)
{
    mrt_dir *dir = d->job.dir;
    uint32_t trust = d->clean ? TRUST_CLEAN : d->same_boot ? TRUST_PROCESS : TRUST_NONE;
    for (struct entry *entry = dir->first; entry; entry = entry->next)
        segment_entry_trust(dir, entry, trust);
}

static mrt_status open_writable(struct job *job, uint32_t fresh)
{
    JOB_BEGIN(job)
    if (fresh)
        JOB_STEP_OK(job, write_properties(job));
    JOB_STEP_OK(job, begin_writing(job));
    JOB_END(job, MRT_OK);
}

static mrt_status open_readonly(struct job *job)
{
    mrt_dir *dir = job->dir;
    mrt_error why;
    JOB_BEGIN(job)
    JOB_AWAIT_OK(job, segment_job_yield(job)); /* events never come inside a call */
    segment_error(
        &why, MRT_EREADONLY, "%s: written by Kafka; it is read only until it is adopted",
        dir->path);
    if (dir->events)
        dir->events->dir_state(dir->ctx, dir, MRT_DIR_READONLY, &why);
    JOB_END(job, MRT_OK);
}

static mrt_status dir_open_run(struct job *job)
{
    struct dir_job *d = (struct dir_job *)job;
    mrt_dir *dir = job->dir;
    mrt_status status;
    JOB_BEGIN(job)
    status = segment_paths(job);
    if (status)
        JOB_RETURN(job, status);
    JOB_STEP_OK(job, take_lock(d));
    JOB_STEP_OK(job, load_properties(d));
    JOB_STEP_OK(job, find_folders(d));
    JOB_STEP_OK(job, segment_marks_load(job));
    JOB_STEP_OK(job, load_boot(d));
    trust_all(d);
    d->fresh = !dir->properties.present && d->folders == 0;
    dir->readonly = !d->fresh && dir->properties.format == 0;
    if (dir->readonly)
        JOB_STEP_OK(job, open_readonly(job));
    else
        JOB_STEP_OK(job, open_writable(job, d->fresh));
    *d->out = dir;
    segment_dirty(dir, 0);
    JOB_END(job, MRT_OK);
}

static void dir_open_end(struct job *job, mrt_status status)
{
    if (status)
        dir_free(job->dir);
}

static mrt_status spec_check(const struct store *store, const mrt_dir_spec *spec)
{
    if (__atomic_load_n(&store->stopping, __ATOMIC_RELAXED))
        return MRT_ESHUTDOWN;
    if (spec->flags || spec->path.n == 0 || spec->path.p[0] != '/')
        return MRT_EINVAL;
    return spec->path.n > DIR_PATH_MAX ? MRT_ETOOBIG : MRT_OK;
}

mrt_status segment_dir_open(void *inst, mrt_op *op, const mrt_dir_spec *spec, mrt_dir **out)
{
    struct store *store = inst;
    const mrt_host *host = store->host;
    mrt_status status = spec_check(store, spec);
    if (status)
        return status;
    mrt_dir *dir = host->alloc(host, sizeof(*dir), 16);
    if (!dir)
        return MRT_ENOMEM;
    memset(dir, 0, sizeof(*dir));
    dir->store = store;
    dir->exec = spec->exec;
    dir->events = spec->events;
    dir->ctx = spec->ctx;
    memcpy(dir->path, spec->path.p, spec->path.n);
    dir->last_job = host->alloc(host, sizeof(struct dir_job), 16);
    struct dir_job *d =
        dir->last_job ? segment_job_new(dir, NULL, op, dir_open_run, sizeof(*d)) : NULL;
    if (!d) {
        dir_free(dir);
        return MRT_ENOMEM;
    }
    d->out = out;
    d->job.why = &d->why;
    d->job.end = dir_open_end;
    segment_job_ready(&d->job); /* called on the instance's executor; the work is the directory's */
    segment_job_wake(&d->job, MRT_OK);
    return MRT_PENDING;
}

/* ---- adopt ----------------------------------------------------------------------------------- */

static mrt_status adopt_run(struct job *job)
{
    mrt_dir *dir = job->dir;
    mrt_status status;
    JOB_BEGIN(job)
    status = segment_paths(job);
    if (status)
        JOB_RETURN(job, status);
    JOB_STEP_OK(job, write_properties(job));
    JOB_STEP_OK(job, begin_writing(job));
    dir->properties.format = PROPERTIES_OURS;
    dir->readonly = 0;
    segment_say(job->store, MRT_LOG_INFO, "dir.adopted path=%s", dir->path);
    JOB_AWAIT_OK(job, segment_job_yield(job));
    if (dir->events)
        dir->events->dir_state(dir->ctx, dir, MRT_DIR_ONLINE, NULL);
    JOB_END(job, MRT_OK);
}

mrt_status segment_dir_adopt(mrt_dir *dir, mrt_op *op)
{
    if (__atomic_load_n(&dir->offline, __ATOMIC_ACQUIRE))
        return MRT_EOFFLINE;
    if (!dir->readonly)
        return MRT_OK;
    struct job *job = segment_job_new(dir, NULL, op, adopt_run, sizeof(*job));
    return job ? segment_job_start(job) : MRT_ENOMEM;
}

/* ---- close ----------------------------------------------------------------------------------- */

void segment_dir_quiet(mrt_dir *dir)
{
    struct job *closer = dir->closer;
    if (!closer || dir->jobs > 1)
        return;
    dir->closer = NULL;
    segment_job_wake(closer, MRT_OK);
}

/* For JOB_AWAIT: nothing but @job is under way. */
static mrt_status wait_quiet(struct job *job)
{
    if (job->dir->jobs == 1)
        return MRT_OK;
    job->dir->closer = job;
    return MRT_PENDING;
}

static mrt_status write_clean(struct job *job)
{
    mrt_dir *dir = job->dir;
    JOB_BEGIN(job)
    if (dir->distrusted > 0 || __atomic_load_n(&dir->unclean, __ATOMIC_RELAXED))
        JOB_RETURN(job, MRT_OK);
    segment_path(job, PATH_FILE, "", NAME_CLEAN);
    JOB_STEP_OK(job, segment_replace(job, TEXT_CLEAN, strlen(TEXT_CLEAN)));
    segment_path(job, PATH_FOLDER, "", "");
    JOB_AWAIT_OK(
        job, job->store->file->sync_dir(job->exec, &job->op, &job->paths->str[PATH_FOLDER]));
    JOB_END(job, MRT_OK);
}

/* Marks first: the clean marker says that the recovery points are the logs' ends. */
static mrt_status settle(struct job *job)
{
    mrt_dir *dir = job->dir;
    JOB_BEGIN(job)
    if (dir->readonly || __atomic_load_n(&dir->offline, __ATOMIC_ACQUIRE))
        JOB_RETURN(job, MRT_OK);
    got_ = segment_paths(job);
    if (got_)
        JOB_RETURN(job, got_);
    JOB_AWAIT_OK(job, segment_checkpoint_wait(job));
    JOB_STEP_OK(job, write_clean(job));
    JOB_END(job, MRT_OK);
}

static mrt_status dir_close_run(struct job *job)
{
    mrt_dir *dir = job->dir;
    mrt_status status;
    JOB_BEGIN(job)
    dir->closing = 1;
    JOB_STEP_OK(job, segment_checkpoint_quiet(job));
    JOB_AWAIT_OK(job, wait_quiet(job));
    JOB_STEP(job, status, settle(job));
    if (status)
        segment_say(
            job->store, MRT_LOG_ERROR, "dir.not_clean path=%s status=%d", dir->path, status);
    JOB_AWAIT_OK(job, wait_quiet(job));
    JOB_STEP_OK(job, segment_checkpoint_quiet(job));
    JOB_AWAIT_OK(job, wait_quiet(job));
    JOB_END(job, MRT_OK);
}

static void dir_close_end(struct job *job, mrt_status status)
{
    (void)status;
    dir_free(job->dir);
}

mrt_status segment_dir_close(mrt_dir *dir, mrt_op *op)
{
    struct job *job = dir->last_job;
    dir->last_job = NULL;
    segment_job_init(job, dir, NULL, op, dir_close_run, sizeof(struct dir_job));
    job->end = dir_close_end;
    return segment_job_start(job);
}
