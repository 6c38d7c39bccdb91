/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jobs.c - one mutating storage call at a time (L1), and what comes next. Appends and everything
 * else take turns; what an append needs first (a sealed segment) goes before it.
 */
#include "core/log/internal.h"

/* Steps answered inline before others may enter the strand: recovery of a log in memory has
 * thousands of them. */
#define STEPS_MAX 32

static bool idle_for_close(const struct log *log)
{
    return log->ending != NULL && log->reads == 0 && !log->flushing;
}

/* Are there epochs to write that hold records? */
static bool epochs_due(const struct log *log)
{
    const struct epochs *epochs = &log->epochs;
    if (!epochs->dirty || log->epochs_failed || epochs->count == 0)
        return false;
    return epochs->entries[epochs->count - 1].start < log->now.end;
}

static mrt_status (*next_other(const struct log *log))(struct log *log)
{
    if (!list_empty(&log->trims))
        return trim_step;
    if (epochs_due(log))
        return epochs_step;
    if (log->retention_wanted || !list_empty(&log->maintains))
        return retention_step;
    return NULL;
}

static mrt_status (*next_step(struct log *log))(struct log *log)
{
    if (log->store == NULL)
        return NULL;
    if (log->ending != NULL)
        return idle_for_close(log) ? close_step : NULL;
    if (log->now.state != MRT_OK)
        return NULL;
    if (log->roll_wanted)
        return roll_step;
    mrt_status (*other)(struct log * log) = next_other(log);
    bool arrived = !list_empty(&log->arrived);
    log->append_next = arrived && (log->append_next || other == NULL);
    if (!log->append_next) {
        log->append_next = true;
        return other;
    }
    log->append_next = false;
    return append_step;
}

static void on_done(mrt_op *op)
{
    struct log *log = op->caller;

    ASSERT(log->in_flight);
    log->in_flight = false;
    log->job.status = op->status;
    log->job.at++;
    jobs_run(log);
    log_unref(log);
}

void jobs_start(struct log *log, mrt_status (*step)(struct log *log))
{
    ASSERT(log->job.step == NULL);
    log->job = (struct log_job){.step = step};
}

/* Makes one step; false when there is nothing to do now. */
static bool step_once(struct log *log)
{
    if (log->job.step == NULL) {
        mrt_status (*step)(struct log * log) = next_step(log);
        if (step == NULL)
            return false;
        jobs_start(log, step);
    }
    op_init(&log->op, log->exec, on_done, log);
    mrt_status status = log->job.step(log);
    if (status == MRT_PENDING) {
        log->in_flight = true;
        log_ref(log);
        return false;
    }
    if (status == JOB_END) {
        log->job.step = NULL;
        return true;
    }
    log->job.status = status;
    log->job.at++;
    return true;
}

static void on_later(mrt_task *task)
{
    struct log *log = CONTAINER(task, struct log, gate_task);

    log->gate_posted = false;
    jobs_run(log);
    log_unref(log);
}

void jobs_later(struct log *log)
{
    if (log->gate_posted || log->in_flight)
        return;
    log->gate_posted = true;
    log->gate_task.run = on_later;
    log_ref(log);
    exec_post(log->exec, &log->gate_task);
}

void jobs_run(struct log *log)
{
    uint32_t steps = 0;

    ASSERT(exec_inside(log->exec));
    if (log->running || log->in_flight)
        return;
    log->running = true;
    while (steps < STEPS_MAX && step_once(log))
        steps++;
    log->running = false;
    if (steps == STEPS_MAX)
        jobs_later(log);
}
