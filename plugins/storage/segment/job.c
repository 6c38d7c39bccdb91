/* SPDX-License-Identifier: Apache-2.0 */
/*
 * job.c - starts, resumes and ends jobs.
 */
#include <string.h>

#include "plugins/storage/segment/parts.h"

void segment_job_init(
    struct job *job, mrt_dir *dir, mrt_log *log, mrt_op *caller, job_run run, uint64_t bytes)
{
    memset(job, 0, bytes);
    job->store = dir->store;
    job->dir = dir;
    job->log = log;
    job->exec = log ? log->exec : dir->exec;
    job->caller = caller;
    job->run = run;
    if (log)
        log->jobs++;
    else
        dir->jobs++;
}

void *segment_job_new(mrt_dir *dir, mrt_log *log, mrt_op *caller, job_run run, uint64_t bytes)
{
    const mrt_host *host = dir->store->host;
    struct job *job = host->alloc(host, bytes, 16);
    if (job)
        segment_job_init(job, dir, log, caller, run, bytes);
    return job;
}

/* Whoever waits for the last job to end goes on. The closing job is itself one of them. */
static void count_down(struct job *job)
{
    if (job->log) {
        job->log->jobs--;
        segment_log_quiet(job->log);
    } else {
        job->dir->jobs--;
        segment_dir_quiet(job->dir);
    }
}

static void finish(struct job *job, mrt_status status)
{
    const mrt_host *host = job->store->host;
    segment_job_unhold(job);
    segment_use(job, NULL);
    count_down(job);
    if (job->end)
        job->end(job, status);
    host->free(host, job->paths);
    host->free(host, job->listing);
    host->free(host, job->loaded);
}

mrt_status segment_job_start(struct job *job)
{
    const mrt_host *host = job->store->host;
    mrt_status status = job->run(job);
    if (status == MRT_PENDING)
        return status;
    finish(job, status);
    host->free(host, job);
    return status;
}

static void resume(mrt_op *op)
{
    struct job *job = op->caller;
    const mrt_host *host = job->store->host;
    job->status = op->status;
    mrt_status status = job->run(job);
    if (status == MRT_PENDING)
        return;
    mrt_op *caller = job->caller;
    finish(job, status);
    if (caller)
        host->op_done(host, caller, status, job->why && job->why->text[0] ? job->why : NULL);
    host->free(host, job);
}

void segment_job_ready(struct job *job)
{
    mrt_op *op = &job->op;
    memset(op, 0, sizeof(*op));
    op->done = resume;
    op->exec = job->exec;
    op->caller = job;
    op->trace = job->caller ? job->caller->trace : 0;
}

mrt_status segment_job_park(struct job *job)
{
    (void)job;
    return MRT_PENDING;
}

void segment_job_wake(struct job *job, mrt_status status)
{
    const mrt_host *host = job->store->host;
    host->op_done(host, &job->op, status, NULL);
}

mrt_status segment_job_yield(struct job *job)
{
    segment_job_wake(job, MRT_OK);
    return MRT_PENDING;
}
