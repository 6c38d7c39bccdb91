/* SPDX-License-Identifier: Apache-2.0 */
/* mortise.host.poll/1: descriptors among a reactor's events. Only for instances with HOST_OS. */
#include "core/runtime/host/tables.h"

#define POLL_EVENTS (uint32_t)(MRT_POLL_READ | MRT_POLL_WRITE | MRT_POLL_ERROR)

static mrt_status poll_watch(mrt_exec *exec, mrt_watch *watch, int32_t fd, uint32_t events)
{
    struct reactor *reactor = exec->reactor;
    CHECK(at_home(exec));
    if (exec->strand != NULL || fd < 0 || (events & ~POLL_EVENTS) != 0)
        return MRT_EINVAL;
    return exec->runtime->env->ops->watch(reactor->poller, watch, fd, events);
}

static void poll_unwatch(mrt_exec *exec, mrt_watch *watch)
{
    CHECK(at_home(exec));
    exec->runtime->env->ops->unwatch(exec->reactor->poller, watch);
}

const mrt_host_poll host_poll_table = {
    .size = sizeof host_poll_table,
    .watch = poll_watch,
    .unwatch = poll_unwatch,
};
