/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flush.c - making records durable beside the jobs: one flush in flight, and what was appended
 * meanwhile is the next (a group commit). Under flush=ack each append asks for one, under interval
 * a timer of the strand's home reactor; otherwise only a sealed segment and the close do.
 */
#include "core/log/internal.h"

#define NS_PER_MS UINT64_C(1000000)

bool flush_has(const struct log *log)
{
    return (log->ops->caps & MRT_STORAGE_DURABLE) != 0;
}

static void settle(struct log *log, mrt_status status)
{
    ASSERT(log->flushing);
    log->flushing = false;
    if (status != MRT_OK) {
        log_offline(log, MRT_EIO); /* what a failed sync lost nobody knows */
    } else {
        if (log->flush_upto > log->durable)
            log->durable = log->flush_upto;
        log_advance(log);
        flush_kick(log);
    }
    if (log->ending != NULL)
        jobs_run(log);
}

static void on_flushed(mrt_op *op)
{
    struct log *log = op->caller;

    settle(log, op->status);
    log_unref(log);
}

void flush_start(struct log *log)
{
    if (!flush_has(log) || log->flushing || log->durable >= log->now.end)
        return;
    if (log_usable(log) != MRT_OK)
        return;
    ASSERT(log->store != NULL);
    log->flushing = true;
    log->flush_upto = log->now.end;
    op_init(&log->flush_op, log->exec, on_flushed, log);
    mrt_status status =
        op_outcome(&log->flush_op, log->ops->flush(log->store, &log->flush_op, log->flush_upto));
    if (status == MRT_PENDING)
        log_ref(log);
    else
        settle(log, status);
}

static void on_timer(mrt_timer *timer)
{
    struct log *log = CONTAINER(timer, struct log, timer);

    ASSERT(log->timer_set);
    log->timer_set = false;
    flush_start(log);
}

void flush_kick(struct log *log)
{
    if (!flush_has(log) || log->durable >= log->now.end)
        return;
    if (log->config.flush == LOG_FLUSH_ACK) {
        flush_start(log);
    } else if (log->config.flush == LOG_FLUSH_INTERVAL && !log->timer_set && !log->ending) {
        uint64_t after_ns = (uint64_t)log->config.flush_interval_ms * NS_PER_MS;
        log->timer_set = true;
        log->timer.fire = on_timer;
        exec_timer_set(log->exec, &log->timer, exec_now_ns(log->exec) + after_ns);
    }
}

void flush_stop(struct log *log)
{
    if (log->timer_set)
        exec_timer_stop(log->exec, &log->timer);
    log->timer_set = false;
}
