/* SPDX-License-Identifier: Apache-2.0 */
#include "core/listener/listener.h"

#include "core/base/assert.h"
#include "core/base/str.h"
#include "core/runtime/bytes.h"

#define REFUSALS_A_LINE 1000 /* the log says one in so many: they come in swarms */

static void await_buffers(struct listener *listener);

static void buffers_free(mrt_task *task)
{
    struct listener *listener = CONTAINER(task, struct listener, resume_task);
    stream_group_resume(&listener->group);
    await_buffers(listener);
}

static void await_buffers(struct listener *listener)
{
    listener->resume_task.run = buffers_free;
    rx_notify(listener->group.reactor, &listener->resume_task);
}

static mrt_status on_accept(void *context, mrt_conn *conn)
{
    struct listener *listener = context;

    mrt_status status = stream_accept(&listener->group, conn);
    if (status == MRT_EFULL && listener->refused++ % REFUSALS_A_LINE == 0)
        runtime_log(
            listener->group.runtime, MRT_LOG_WARN, 0,
            "connection.refused listener=%.*s reason=max_connections limit=%u",
            STR_ARGS(listener->group.listener), listener->group.limit->max);
    return status;
}

static void on_state(void *context, mrt_status status)
{
    struct listener *listener = context;

    listener->state = status;
    runtime_log(
        listener->group.runtime, status == MRT_OK ? MRT_LOG_INFO : MRT_LOG_WARN, 0,
        "listener.state listener=%.*s state=%s", STR_ARGS(listener->group.listener),
        status_name(status));
}

static const mrt_listener_events events = {
    .size = sizeof events,
    .on_accept = on_accept,
    .on_state = on_state,
};

void listener_init(struct listener *listener)
{
    ASSERT(listener->group.transport != NULL);
    ASSERT(listener->group.protocol != NULL);
    list_init(&listener->group.streams);
    listener->handle = NULL;
    await_buffers(listener);
}

mrt_status listener_open(struct listener *listener, mrt_op *op, const mrt_str *endpoint)
{
    ASSERT(listener->handle == NULL);
    return op_outcome(
        op, listener->group.transport->listen(
                listener->transport_shard, op, endpoint, &events, listener, &listener->handle));
}

mrt_str listener_bound(const struct listener *listener)
{
    mrt_str address = {NULL, 0};
    if (listener->handle != NULL)
        listener->group.transport->bound(listener->handle, &address);
    return address;
}

void listener_close(struct listener *listener)
{
    if (listener->handle == NULL)
        return;
    listener->group.transport->unlisten(listener->handle);
    listener->handle = NULL;
}
