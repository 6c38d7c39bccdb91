/* SPDX-License-Identifier: Apache-2.0 */
/*
 * acks.c - appends that are stored and wait for what their producer asked: acks=1 for the stable
 * end, acks=all for the high watermark (L4), acks=0 for nothing. And what ends their waiting early.
 */
#include "core/log/internal.h"

static struct log_append *append_of(struct list *link)
{
    return (struct log_append *)CONTAINER(link, struct log_request, link);
}

static bool acknowledged(const struct log *log, const struct log_append *append)
{
    if (append->acks == 0)
        return true;
    int64_t reached = append->acks == 1 ? log->now.stable_end : log->now.high_watermark;
    return append->stored_to <= reached;
}

static void leave(struct log_append *append, mrt_status status)
{
    ASSERT(append->waits == 1);
    append->waits = 0;
    list_remove(&append->request.link);
    append_send(append, status);
}

void acks_add(struct log *log, struct log_append *append)
{
    mrt_lease *lease = append->batches.lease;

    ASSERT(append->stored_to > append->base_offset);
    append->batches.lease = NULL; /* stored: the reader may have its credit back */
    lease_release(lease);
    append->log_start = log->now.start;
    if (log->now.state == MRT_EOFFLINE) {
        append_send(append, MRT_EIO);
        return;
    }
    if (acknowledged(log, append)) { /* acks=0, or a duplicate of what is */
        append_send(append, MRT_OK);
        return;
    }
    if (append->late) { /* nobody will cancel it again */
        append_send(append, MRT_ETIMEDOUT);
        return;
    }
    struct list *before = &log->acks;
    while (before->previous != &log->acks &&
           append_of(before->previous)->stored_to > append->stored_to)
        before = before->previous; /* a duplicate may be older than who waits */
    list_insert(before, &append->request.link);
    append->waits = 1;
}

/* Not all in front of one that waits on the watermark wait themselves: acks=1 may overtake. */
void acks_release(struct log *log)
{
    list_each_safe (at, &log->acks) {
        struct log_append *append = append_of(at);
        if (append->stored_to > log->now.stable_end)
            return;
        if (acknowledged(log, append))
            leave(append, MRT_OK);
    }
}

void acks_drop(struct log *log, mrt_status status)
{
    list_each_safe (at, &log->acks)
        leave(append_of(at), status);
    ASSERT(list_empty(&log->acks));
}

/* ---- delivery and cancelling ----------------------------------------------------------------- */

/* On the caller's executor. A cancel on its way still holds the append. */
static void on_home(mrt_task *task)
{
    struct log_append *append = (struct log_append *)request_of(task);

    if (append->cancelling)
        append->held = 1;
    else
        request_deliver(task);
}

void append_send(struct log_append *append, mrt_status status)
{
    request_send(&append->request, status, on_home);
}

static void on_cancelled(mrt_task *task)
{
    struct log_append *append = CONTAINER(task, struct log_append, cancel_task);

    append->cancelling = 0;
    if (append->held)
        request_deliver(&append->request.task);
}

static void on_cancel(mrt_task *task)
{
    struct log_append *append = CONTAINER(task, struct log_append, cancel_task);

    append->late = 1;
    if (append->waits)
        leave(append, MRT_ETIMEDOUT);
    append->cancel_task.run = on_cancelled;
    exec_post(append->request.exec, &append->cancel_task);
}

void log_append_cancel(struct log *log, struct log_append *append)
{
    ASSERT(append->request.log == log);
    ASSERT(!append->cancelling);
    ASSERT(exec_inside(append->request.exec));
    append->cancelling = 1;
    append->cancel_task.run = on_cancel;
    exec_post(log->exec, &append->cancel_task);
}
