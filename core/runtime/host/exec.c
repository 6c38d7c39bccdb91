/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mortise.host.exec/1: executors as a plugin sees them. Misuse is caught in checked builds only: it
 * is the plugin's mistake, and costs a look at the thread.
 */
#include "core/base/memory.h"
#include "core/runtime/host/tables.h"

struct mrt_leaf {
    struct list node;      /* in host.leaves */
    struct host *host;     /* borrowed */
    struct env_lock *lock; /* owned */
};

static void plugin_post(mrt_exec *exec, mrt_task *task)
{
    CHECK(no_leaf(exec->runtime));
    exec_post(exec, task);
}

static void plugin_timer_set(mrt_exec *exec, mrt_timer *timer, uint64_t at_ns)
{
    CHECK(no_leaf(exec->runtime));
    exec_timer_set(exec, timer, at_ns);
}

static void plugin_timer_stop(mrt_exec *exec, mrt_timer *timer)
{
    CHECK(no_leaf(exec->runtime));
    exec_timer_stop(exec, timer);
}

static mrt_status plugin_offload(mrt_exec *exec, mrt_op *op, mrt_work *work)
{
    CHECK(at_home(exec));
    return exec_offload(exec, op, work);
}

static mrt_status leaf_new(const mrt_host *table, mrt_leaf **out)
{
    struct host *host = host_of(table);
    mrt_leaf *leaf = memory_new(sizeof *leaf);
    leaf->host = host;
    leaf->lock = host->runtime->env->ops->lock_new(host->runtime->env);
    host_lock(host);
    list_append(&host->leaves, &leaf->node);
    host_unlock(host);
    *out = leaf;
    return MRT_OK;
}

static void leaf_free(mrt_leaf *leaf)
{
    if (leaf == NULL)
        return;
    struct host *host = leaf->host;
    host_lock(host);
    list_remove(&leaf->node);
    host_unlock(host);
    host->runtime->env->ops->lock_free(leaf->lock);
    memory_free(leaf);
}

static void leaf_enter(mrt_leaf *leaf)
{
    struct env *env = leaf->host->runtime->env;
    struct env_thread *thread = env_thread(env);
    ASSERT(thread->leaves == 0); /* never twice, never two at once: either could deadlock */
    env->ops->lock_enter(leaf->lock);
    thread->leaves = 1;
}

static void leaf_leave(mrt_leaf *leaf)
{
    struct env *env = leaf->host->runtime->env;
    struct env_thread *thread = env_thread(env);
    ASSERT(thread->leaves == 1);
    thread->leaves = 0;
    env->ops->lock_leave(leaf->lock);
}

void host_leaves_free(struct host *host)
{
    while (!list_empty(&host->leaves))
        leaf_free(CONTAINER(host->leaves.next, mrt_leaf, node));
}

const mrt_host_exec host_exec_table = {
    .size = sizeof host_exec_table,
    .post = plugin_post,
    .timer_set = plugin_timer_set,
    .timer_stop = plugin_timer_stop,
    .offload = plugin_offload,
    .leaf_new = leaf_new,
    .leaf_free = leaf_free,
    .leaf_enter = leaf_enter,
    .leaf_leave = leaf_leave,
};
