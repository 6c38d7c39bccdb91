/* SPDX-License-Identifier: Apache-2.0 */
/* mortise.host.probe/1: only in a simulated environment; get() says NULL elsewhere. */
#include "core/runtime/host/tables.h"

static void probe_reached(const mrt_host *table, const char *name)
{
    struct env *env = host_of(table)->runtime->env;
    env->ops->reached(env, name);
}

static uint32_t probe_want(const mrt_exec *exec, const char *name)
{
    (void)name;
    return env_choose(exec->runtime->env, CHOICE_RARE, 2) == 1 ? 1 : 0;
}

const mrt_host_probe host_probe_table = {
    .size = sizeof host_probe_table,
    .reached = probe_reached,
    .want = probe_want,
};
