/* SPDX-License-Identifier: Apache-2.0 */
/*
 * close.c - the end of a log (L7): no new request; what waits for storage is waited for; what can
 * still be acknowledged is; the rest is told it is gone. Then side files, marks, close.
 */
#include "core/log/internal.h"

enum close_call { /* job.at: the outcome of which call is known */
    CLOSE_FLUSH,
    CLOSE_SNAPSHOT,
    CLOSE_EPOCHS,
    CLOSE_CLOSE,
    CLOSE_END
};

/* Side files matter only where the log will be opened again. */
static bool keeps(const struct log *log)
{
    return !log->deleting && log->now.state != MRT_EOFFLINE;
}

static void note_status(struct log *log)
{
    if (log->ending_status == MRT_OK)
        log->ending_status = log->job.status;
}

static mrt_status flush_last(struct log *log)
{
    append_drop(log, MRT_EGONE); /* what a full segment put back */
    if (!keeps(log) || !flush_has(log) || log->durable >= log->now.end)
        return MRT_OK;
    log->flush_upto = log->now.end;
    return op_outcome(&log->op, log->ops->flush(log->store, &log->op, log->flush_upto));
}

static mrt_status snapshot_last(struct log *log)
{
    if (log->job.status != MRT_OK) {
        note_status(log);
        log_offline(log, MRT_EIO);
    } else if (keeps(log) && flush_has(log)) {
        log->durable = log->now.end;
        log_advance(log);
    }
    acks_drop(log, MRT_EGONE);
    return keeps(log) ? snapshot_put(log) : MRT_OK;
}

static mrt_status epochs_last(struct log *log)
{
    note_status(log);
    memory_free(log->blob);
    log->blob = NULL;
    ASSERT(!log->timer_set);
    if (!keeps(log) || !log->epochs.dirty)
        return MRT_OK;
    return epochs_put(log);
}

static mrt_status close_last(struct log *log)
{
    note_status(log);
    memory_free(log->blob);
    log->blob = NULL;
    if (keeps(log))
        log->ops->mark_set(log->store, MRT_MARK_HIGH_WATERMARK, log->now.high_watermark);
    return op_outcome(&log->op, log->ops->log_close(log->store, &log->op));
}

static void ended(struct log *log)
{
    struct log_request *request = log->ending;

    ASSERT(request != NULL);
    ASSERT(list_empty(&log->arrived));
    ASSERT(list_empty(&log->acks));
    ASSERT(log->reads == 0);
    ASSERT(!log->flushing);
    log->store = NULL;
    log->now.state = MRT_EGONE;
    log->ending = NULL;
    line_publish(log);
    if (log->deleting)
        remove_begin(log, request);
    else
        request_finish(request, log->ending_status);
}

mrt_status close_step(struct log *log)
{
    switch ((enum close_call)log->job.at) {
    case CLOSE_FLUSH:
        return flush_last(log);
    case CLOSE_SNAPSHOT:
        return snapshot_last(log);
    case CLOSE_EPOCHS:
        return epochs_last(log);
    case CLOSE_CLOSE:
        return close_last(log);
    case CLOSE_END:
        break;
    }
    note_status(log);
    ended(log);
    return JOB_END;
}

/* Those who wait for an acknowledgement of a log that is deleted need not wait for its flush. */
static void begin(struct log *log, struct log_request *request, bool deleting)
{
    ASSERT(log->store != NULL);
    ASSERT(log->ending == NULL);
    log->ending = request;
    log->ending_status = MRT_OK;
    log->deleting = deleting;
    flush_stop(log);
    append_drop(log, MRT_EGONE);
    requests_drop(&log->trims, MRT_EGONE);
    requests_drop(&log->maintains, MRT_EGONE);
    if (deleting)
        acks_drop(log, MRT_EGONE);
    jobs_run(log);
}

/* A log that was never opened, or is closed already, has only its name left. */
static void end_unopened(struct log *log, struct log_request *request, bool deleting)
{
    log->now.state = MRT_EGONE;
    line_publish(log);
    if (deleting)
        remove_begin(log, request);
    else
        request_finish(request, MRT_OK);
}

static void on_end(mrt_task *task, bool deleting)
{
    struct log_request *request = request_of(task);
    struct log *log = request->log;

    if (log->ending != NULL)
        request_finish(request, MRT_EGONE);
    else if (log->opening)
        request_finish(request, MRT_EBUSY);
    else if (log->store == NULL)
        end_unopened(log, request, deleting);
    else
        begin(log, request, deleting);
}

static void on_close(mrt_task *task)
{
    on_end(task, false);
}

static void on_delete(mrt_task *task)
{
    on_end(task, true);
}

void log_close(struct log *log, struct log_request *request)
{
    request_post(log, request, on_close);
}

void log_delete(struct log *log, struct log_request *request)
{
    request_post(log, request, on_delete);
}
