/* SPDX-License-Identifier: Apache-2.0 */
#include "core/runtime/runtime.h"

#include "core/base/assert.h"
#include "core/base/memory.h"
#include "core/runtime/reactor.h"

struct runtime *runtime_new(const struct runtime_options *options)
{
    ASSERT(options->env != NULL);
    ASSERT(options->reactors >= 1);
    ASSERT(options->reactors <= REACTORS_MAX);

    struct runtime *runtime = memory_new(sizeof *runtime);
    runtime->env = options->env;
    runtime->reactor_count = options->reactors;
    runtime->log_level = options->log_level;
    runtime->seed = options->seed;
    for (uint32_t kind = 0; kind < ACCOUNT_KINDS; kind++)
        runtime->budget.limit[kind] = options->memory_max / ACCOUNT_KINDS;
    for (uint32_t i = 0; i < options->reactors; i++)
        runtime->reactors[i] = reactor_new(runtime, i);
    return runtime;
}

static bool may_end(const struct reactor *reactor)
{
    const struct runtime *runtime = reactor->exec.runtime;
    return __atomic_load_n(&runtime->stopping, __ATOMIC_SEQ_CST) != 0 && !reactor_ready(reactor);
}

static void reactor_body(void *arg)
{
    struct reactor *reactor = arg;
    while (!may_end(reactor))
        reactor_turn(&reactor->exec, true);
}

void runtime_start(struct runtime *runtime)
{
    ASSERT(runtime->stopping == 0);
    const struct env_ops *ops = runtime->env->ops;
    ops->work_start(runtime->env);
    for (uint32_t i = 0; i < runtime->reactor_count; i++)
        ops->thread_start(runtime->env, reactor_body, runtime->reactors[i]);
}

/* Turns of all reactors, on this thread, until nothing is queued. Were there any? */
static bool run_rest(struct runtime *runtime)
{
    bool ran = false;
    for (uint32_t quiet = 0, i = 0; quiet < runtime->reactor_count; i++) {
        struct reactor *reactor = runtime->reactors[i % runtime->reactor_count];
        if (!reactor_ready(reactor)) {
            quiet++;
            continue;
        }
        reactor_turn(&reactor->exec, false);
        quiet = 0;
        ran = true;
    }
    return ran;
}

void runtime_stop(struct runtime *runtime)
{
    const struct env_ops *ops = runtime->env->ops;
    ASSERT(runtime->stopping == 0);
    __atomic_store_n(&runtime->stopping, 1, __ATOMIC_SEQ_CST);
    for (uint32_t i = 0; i < runtime->reactor_count; i++)
        reactor_wake(runtime->reactors[i]);
    ops->threads_join(runtime->env);
    do
        ops->work_drain(runtime->env);
    while (run_rest(runtime));
    ops->work_stop(runtime->env);
}

void runtime_free(struct runtime *runtime)
{
    if (runtime == NULL)
        return;
    run_rest(runtime);
    ASSERT(runtime->jobs == 0);
    for (uint32_t i = 0; i < runtime->reactor_count; i++)
        reactor_free(runtime->reactors[i]);
    memory_free(runtime);
}

struct env *runtime_env(const struct runtime *runtime)
{
    return runtime->env;
}

uint32_t runtime_reactors(const struct runtime *runtime)
{
    return runtime->reactor_count;
}

struct budget *runtime_budget(struct runtime *runtime)
{
    return &runtime->budget;
}

mrt_exec *runtime_reactor(const struct runtime *runtime, uint32_t i)
{
    ASSERT(i < runtime->reactor_count);
    return &runtime->reactors[i]->exec;
}

mrt_exec *runtime_current(const struct runtime *runtime)
{
    struct reactor *here = reactor_here(runtime);
    return here == NULL ? NULL : &here->exec;
}

uint32_t reactor_index(const mrt_exec *reactor)
{
    ASSERT(reactor->strand == NULL);
    return reactor->reactor->index;
}
