/* SPDX-License-Identifier: Apache-2.0 */
#include "core/listener/listener.h"

#include "core/base/assert.h"
#include "core/base/str.h"
#include "core/runtime/bytes.h"

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

    if (listener->group.count >= listener->connections_max) {
        if (listener->refused++ % 1000 == 0)
            runtime_log(
                listener->group.runtime, MRT_LOG_WARN, 0,
                "connection.refused listener=%.*s reason=connections_max limit=%u",
                STR_ARGS(listener->group.listener), listener->connections_max);
        return MRT_ENOMEM;
    }
    return stream_accept(&listener->group, conn);
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
    ASSERT(listener->connections_max > 0);
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
