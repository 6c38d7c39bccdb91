/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checkpoint.c - the directory's four offset checkpoints and the boot id, read and written as whole
 * files on the directory's executor.
 *
 * A mark that changes sets a bit. The first bit arms a timer; when it fires one job writes the
 * files whose bits are set. A job that needs its mark on disk before it goes on (a truncation
 * lowers the recovery point first) parks here and is woken by the checkpoint that began after it
 * came.
 */
#include <stdio.h>
#include <string.h>

#include "plugins/storage/segment/parts.h"

#define CHECKPOINT_MOST (UINT64_C(256) << 20) /* bytes; 100 000 logs make 30 MB at most */
#define LINE_ROOM       34                    /* partition, offset, blanks and an end */
#define MS              UINT64_C(1000000)

static const char *const file_of[MARKS] = {
    [MARK_RECOVERED] = "recovery-point-offset-checkpoint",
    [MRT_MARK_HIGH_WATERMARK] = "replication-offset-checkpoint",
    [MRT_MARK_LOG_START] = "log-start-offset-checkpoint",
    [MRT_MARK_CLEANED_TO] = "cleaner-offset-checkpoint",
};

/* ---- reading --------------------------------------------------------------------------------- */

static mrt_status parse(mrt_dir *dir, mrt_str text, uint32_t kind)
{
    struct checkpoint_line line;
    uint64_t lines;
    mrt_status status = segment_checkpoint_head(&text, &lines);
    for (; !status && lines > 0; lines--) {
        status = segment_checkpoint_line(&text, &line);
        struct entry *entry = status ? NULL : segment_entry_find(dir, &line.topic, line.partition);
        if (entry)
            entry->mark[kind] = line.offset;
    }
    return status;
}

mrt_status segment_marks_load(struct job *job)
{
    mrt_dir *dir = job->dir;
    mrt_status status;
    JOB_BEGIN(job)
    for (job->at = 0; job->at < MARKS; job->at++) {
        segment_path(job, PATH_FILE, "", file_of[job->at]);
        JOB_STEP(job, status, segment_load(job, CHECKPOINT_MOST));
        if (status == MRT_ENOENT)
            continue;
        if (status)
            JOB_RETURN(job, status);
        mrt_str text = {job->loaded, job->loaded_bytes};
        status = parse(dir, text, job->at);
        if (status == MRT_ETOONEW)
            JOB_RETURN(job, status);
        if (status) /* marks may be old: what is missing is found out the long way */
            segment_say(
                job->store, MRT_LOG_WARN, "checkpoint.damaged file=%s/%s", dir->path,
                file_of[job->at]);
    }
    JOB_END(job, MRT_OK);
}

/* ---- writing --------------------------------------------------------------------------------- */

struct checkpoint_job {
    struct job job;
    struct job *waiters; /* the generation that began before this checkpoint */
    mrt_status status;
    uint32_t kinds;
    uint32_t kind;
    uint32_t reserved;
    uint64_t bytes;
    uint64_t total;
    uint64_t avail;
};

/* All marks of one kind as text in job->loaded. */
static mrt_status print(struct checkpoint_job *c)
{
    struct job *job = &c->job;
    const mrt_host *host = job->store->host;
    uint64_t room = 64, lines = 0, n;
    for (const struct entry *e = job->dir->first; e; e = e->next) {
        room += e->topic_bytes + LINE_ROOM;
        lines += mark_load(e, c->kind) != UNSET;
    }
    host->free(host, job->loaded);
    job->loaded = host->alloc(host, room, 8);
    if (!job->loaded)
        return MRT_ENOMEM;
    n = (uint64_t)snprintf(job->loaded, room, "0\n%llu\n", (unsigned long long)lines);
    for (const struct entry *e = job->dir->first; e && lines > 0; e = e->next) {
        int64_t value = mark_load(e, c->kind);
        if (value == UNSET)
            continue;
        lines--;
        n += (uint64_t)snprintf(
            job->loaded + n, room - n, "%.*s %d %lld\n", (int)e->topic_bytes, e->name, e->partition,
            (long long)value);
    }
    c->bytes = n;
    return lines == 0 ? MRT_OK : MRT_EAGAIN;
}

static mrt_status write_file(struct checkpoint_job *c, uint32_t kind)
{
    struct job *job = &c->job;
    mrt_status status;
    JOB_BEGIN(job)
    if (!(c->kinds & 1u << kind))
        JOB_RETURN(job, MRT_OK);
    c->kind = kind;
    do /* a mark set for the first time while we print: count again */
        status = print(c);
    while (status == MRT_EAGAIN);
    if (status)
        JOB_RETURN(job, status);
    segment_path(job, PATH_FILE, "", file_of[kind]);
    segment_path(job, PATH_FOLDER, "", "");
    JOB_STEP_OK(job, segment_replace(job, job->loaded, c->bytes));
    if (kind == MRT_MARK_LOG_START)
        JOB_AWAIT_OK(
            job, job->store->file->sync_dir(job->exec, &job->op, &job->paths->str[PATH_FOLDER]));
    JOB_END(job, MRT_OK);
}

/* The log start first, durably: a recovery point above a start that is not known yet would look
 * like lost bytes. */
static mrt_status write_files(struct checkpoint_job *c)
{
    struct job *job = &c->job;
    JOB_BEGIN(job)
    JOB_STEP_OK(job, write_file(c, MRT_MARK_LOG_START));
    JOB_STEP_OK(job, write_file(c, MARK_RECOVERED));
    JOB_STEP_OK(job, write_file(c, MRT_MARK_HIGH_WATERMARK));
    JOB_STEP_OK(job, write_file(c, MRT_MARK_CLEANED_TO));
    if (job->dir->boot_due && job->dir->strangers == 0) {
        job->dir->boot_due = 0;
        JOB_STEP_OK(job, segment_boot_write(job));
    }
    segment_path(job, PATH_FOLDER, "", "");
    JOB_AWAIT_OK(
        job, job->store->file->sync_dir(job->exec, &job->op, &job->paths->str[PATH_FOLDER]));
    JOB_END(job, MRT_OK);
}

/* More than 1 % of either way? */
static uint32_t moved(uint64_t was, uint64_t is)
{
    uint64_t by = was > is ? was - is : is - was;
    return by > was / 100;
}

static mrt_status look_at_space(struct checkpoint_job *c)
{
    struct job *job = &c->job;
    mrt_dir *dir = job->dir;
    mrt_status status;
    JOB_BEGIN(job)
    segment_path(job, PATH_FOLDER, "", "");
    JOB_AWAIT(
        job, status,
        job->store->file->space(
            job->exec, &job->op, &job->paths->str[PATH_FOLDER], &c->total, &c->avail));
    if (status)
        JOB_RETURN(job, MRT_OK);
    uint64_t used = __atomic_load_n(&dir->bytes, __ATOMIC_RELAXED);
    if (dir->events && !dir->closing &&
        (moved(dir->told_used, used) || moved(dir->told_avail, c->avail))) {
        dir->told_used = used;
        dir->told_avail = c->avail;
        dir->events->dir_space(dir->ctx, dir, used, c->avail);
    }
    JOB_END(job, MRT_OK);
}

static void wake_all(struct job *waiters, mrt_status status)
{
    while (waiters) {
        struct job *job = waiters;
        waiters = job->next;
        segment_job_wake(job, status);
    }
}

static mrt_status write_once(struct checkpoint_job *c)
{
    struct job *job = &c->job;
    mrt_dir *dir = job->dir;
    mrt_status status;
    JOB_BEGIN(job)
    c->waiters = dir->checkpoints;
    dir->checkpoints = NULL;
    c->kinds = __atomic_exchange_n(&dir->dirty, 0, __ATOMIC_ACQ_REL);
    if (__atomic_load_n(&dir->offline, __ATOMIC_ACQUIRE))
        c->status = MRT_EOFFLINE;
    else
        JOB_STEP(job, c->status, write_files(c));
    wake_all(c->waiters, c->status);
    if (c->status && c->status != MRT_EOFFLINE) {
        segment_say(
            job->store, MRT_LOG_WARN, "checkpoint.failed dir=%s status=%d", dir->path, c->status);
        segment_dirty(dir, c->kinds);
    }
    if (c->status == MRT_EIO)
        segment_dir_offline(dir, c->status, "a checkpoint could not be written");
    JOB_STEP(job, status, look_at_space(c));
    JOB_END(job, MRT_OK);
}

static mrt_status checkpoint_run(struct job *job)
{
    struct checkpoint_job *c = (struct checkpoint_job *)job;
    mrt_status status;
    JOB_BEGIN(job)
    status = segment_paths(job);
    if (status) {
        wake_all(job->dir->checkpoints, status);
        job->dir->checkpoints = NULL;
        JOB_RETURN(job, status);
    }
    JOB_AWAIT_OK(job, segment_job_yield(job)); /* events never come inside a call */
    do
        JOB_STEP(job, status, write_once(c));
    while (job->dir->checkpoints);
    JOB_END(job, MRT_OK);
}

static void checkpoint_end(struct job *job, mrt_status status)
{
    (void)status;
    job->dir->checkpoint = NULL;
}

static void checkpoint_start(mrt_dir *dir)
{
    if (dir->checkpoint)
        return;
    struct checkpoint_job *c = segment_job_new(dir, NULL, NULL, checkpoint_run, sizeof(*c));
    if (!c) {
        wake_all(dir->checkpoints, MRT_ENOMEM);
        dir->checkpoints = NULL;
        return;
    }
    c->job.end = checkpoint_end;
    dir->checkpoint = &c->job;
    segment_job_start(&c->job);
}

/* ---- when ------------------------------------------------------------------------------------ */

static void fire(mrt_timer *timer)
{
    mrt_dir *dir = (mrt_dir *)(void *)((char *)timer - offsetof(mrt_dir, timer));
    dir->timer_on = 0;
    checkpoint_start(dir);
}

static void arm(mrt_task *task)
{
    mrt_dir *dir = (mrt_dir *)(void *)((char *)task - offsetof(mrt_dir, dirty_task));
    const struct store *store = dir->store;
    __atomic_store_n(&dir->dirty_posted, 0, __ATOMIC_RELEASE);
    if (dir->timer_on || dir->closing || dir->readonly)
        return;
    dir->timer_on = 1;
    dir->timer.fire = fire;
    store->exec->timer_set(
        dir->exec, &dir->timer,
        store->clock->mono_ns(dir->exec) + (uint64_t)store->checkpoint_ms * MS);
}

void segment_dirty(mrt_dir *dir, uint32_t marks)
{
    if (marks && __atomic_fetch_or(&dir->dirty, marks, __ATOMIC_ACQ_REL) != 0)
        return; /* a checkpoint is due already */
    if (__atomic_exchange_n(&dir->dirty_posted, 1, __ATOMIC_ACQ_REL))
        return;
    dir->dirty_task.run = arm;
    dir->store->exec->post(dir->exec, &dir->dirty_task);
}

static void park(mrt_task *task)
{
    struct job *job = (struct job *)(void *)((char *)task - offsetof(struct job, task));
    job->next = job->dir->checkpoints;
    job->dir->checkpoints = job;
    checkpoint_start(job->dir);
}

mrt_status segment_checkpoint_wait(struct job *job)
{
    job->task.run = park;
    job->store->exec->post(job->dir->exec, &job->task);
    return MRT_PENDING;
}

mrt_status segment_checkpoint_quiet(struct job *job)
{
    mrt_dir *dir = job->dir;
    JOB_BEGIN(job)
    if (dir->timer_on)
        job->store->exec->timer_stop(dir->exec, &dir->timer);
    dir->timer_on = 0;
    while (__atomic_load_n(&dir->dirty_posted, __ATOMIC_ACQUIRE) ||
           __atomic_load_n(&dir->offline_posted, __ATOMIC_ACQUIRE))
        JOB_AWAIT_OK(job, segment_job_yield(job));
    JOB_END(job, MRT_OK);
}

/* ---- the system's id ------------------------------------------------------------------------- */

mrt_status segment_boot_write(struct job *job)
{
    uint8_t id[16];
    JOB_BEGIN(job)
    job->store->file->boot_id(job->store->host, id);
    segment_uuid_text(id, job->boot);
    segment_path(job, PATH_FILE, "", NAME_BOOT);
    JOB_STEP_OK(job, segment_replace(job, job->boot, UUID_TEXT));
    JOB_END(job, MRT_OK);
}
