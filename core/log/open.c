/* SPDX-License-Identifier: Apache-2.0 */
/*
 * open.c - the log's storage is opened and removed on the directory's executor; all else of a log
 * happens on its own. Between the two a request travels by posts.
 *
 *   log_open:   log -> directory: open -> log: recover -> caller
 *   log_delete: log: end all, close -> directory: remove -> caller
 */
#include "core/log/internal.h"

/* ---- opening --------------------------------------------------------------------------------- */

static void on_opened_home(mrt_task *task)
{
    struct log_request *request = request_of(task);
    struct log *log = request->log;

    if (request->status == MRT_OK) {
        recover_begin(log, request);
        return;
    }
    log->store = NULL;
    log->opening = false;
    request_finish(request, request->status);
}

/* On the directory's executor. */
static void opened(struct log_request *request, mrt_status status)
{
    request->status = status;
    request->task.run = on_opened_home;
    exec_post(request->log->exec, &request->task);
}

static void on_opened(mrt_op *op)
{
    opened(op->caller, op->status);
}

static void on_open_dir(mrt_task *task)
{
    struct log_request *request = request_of(task);
    struct log *log = request->log;

    op_init(&log->op, log->dir_exec, on_opened, request);
    mrt_status status =
        op_outcome(&log->op, log->ops->log_open(log->dir, &log->op, &log->spec, &log->store));
    if (status != MRT_PENDING)
        opened(request, status);
}

static void on_open(mrt_task *task)
{
    struct log_request *request = request_of(task);
    struct log *log = request->log;

    if (log->ending != NULL || log->opening || log->now.state != MRT_EAGAIN) {
        request_finish(request, log->now.state == MRT_EGONE ? MRT_EGONE : MRT_EBUSY);
        return;
    }
    ASSERT(log->store == NULL);
    log->opening = true;
    request->task.run = on_open_dir;
    exec_post(log->dir_exec, &request->task);
}

void log_open(struct log *log, struct log_request *request)
{
    request_post(log, request, on_open);
}

/* ---- removing -------------------------------------------------------------------------------- */

static void removed(struct log_request *request, mrt_status status)
{
    if (status == MRT_ENOENT) /* never created, or removed before: it is gone */
        status = MRT_OK;
    request_finish(request, status);
}

static void on_removed(mrt_op *op)
{
    removed(op->caller, op->status);
}

static void on_remove_dir(mrt_task *task)
{
    struct log_request *request = request_of(task);
    struct log *log = request->log;

    op_init(&log->op, log->dir_exec, on_removed, request);
    mrt_status status = op_outcome(&log->op, log->ops->log_remove(log->dir, &log->op, &log->spec));
    if (status != MRT_PENDING)
        removed(request, status);
}

void remove_begin(struct log *log, struct log_request *request)
{
    ASSERT(log->store == NULL);
    request->task.run = on_remove_dir;
    exec_post(log->dir_exec, &request->task);
}
