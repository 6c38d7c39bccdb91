/* SPDX-License-Identifier: Apache-2.0 */
#include "core/runtime/reactor.h"

#include "core/base/assert.h"
#include "core/base/memory.h"

struct reactor *reactor_new(struct runtime *runtime, uint32_t index)
{
    struct reactor *reactor = memory_new(sizeof *reactor);
    reactor->exec.runtime = runtime;
    reactor->exec.reactor = reactor;
    reactor->exec.id = __atomic_add_fetch(&runtime->executors, 1, __ATOMIC_RELAXED);
    reactor->index = index;
    reactor->poller = runtime->env->ops->poller_new(runtime->env);
    ASSERT(reactor->poller != NULL);
    return reactor;
}

void reactor_free(struct reactor *reactor)
{
    ASSERT(queue_is_empty(&reactor->exec.queue));
    ASSERT(reactor->strands.first == NULL);
    rx_fini(&reactor->rx);
    reactor->exec.runtime->env->ops->poller_free(reactor->poller);
    memory_free(reactor);
}

void reactor_wake(struct reactor *reactor)
{
    if (__atomic_load_n(&reactor->sleeping, __ATOMIC_SEQ_CST) == 0)
        return;
    if (__atomic_exchange_n(&reactor->sleeping, 0, __ATOMIC_SEQ_CST) == 1)
        reactor->exec.runtime->env->ops->poller_wake(reactor->poller);
}

void reactor_push(struct reactor *reactor, struct node *node, const struct reactor *here)
{
    ASSERT(node->state == NODE_QUEUED);
    struct node *before = queue_push(&reactor->exec.queue, node);
    ASSERT(before != QUEUE_HELD); /* only strands mark theirs */
    if (before == QUEUE_FREE && here != reactor)
        reactor_wake(reactor);
}

bool reactor_ready(const struct reactor *reactor)
{
    return reactor->exec.ready.first != NULL || reactor->strands.first != NULL ||
           rx_ready(&reactor->rx) || !queue_is_empty(&reactor->exec.queue);
}

uint64_t reactor_due_ns(const struct reactor *reactor)
{
    return heap_due_ns(&reactor->exec.timers);
}

/*
 * Waits for events. sleeping is set before the queue is looked at once more, and whoever pushes
 * looks at sleeping after the push: with both sequentially consistent, one of the two sees the
 * other.
 */
static void reactor_wait(struct reactor *reactor, bool may_wait)
{
    struct env *env = reactor->exec.runtime->env;
    bool ready = reactor_ready(reactor);
    if (ready && ++reactor->unpolled < UNPOLLED_MAX)
        return;
    reactor->unpolled = 0;

    uint64_t wait_ns = 0;
    if (may_wait && !ready) {
        uint64_t due_ns = reactor_due_ns(reactor);
        uint64_t now_ns = env->ops->mono_ns(env);
        wait_ns = due_ns == UINT64_MAX ? ENV_FOREVER : due_ns > now_ns ? due_ns - now_ns : 0;
    }
    if (wait_ns > 0) {
        __atomic_store_n(&reactor->sleeping, 1, __ATOMIC_SEQ_CST);
        if (!queue_is_empty(&reactor->exec.queue) ||
            __atomic_load_n(&reactor->exec.runtime->stopping, __ATOMIC_SEQ_CST) != 0)
            wait_ns = 0;
    }
    env->ops->poller_wait(reactor->poller, wait_ns);
    __atomic_store_n(&reactor->sleeping, 0, __ATOMIC_SEQ_CST);
}

static void run_posted(struct reactor *reactor)
{
    queue_take(&reactor->exec.queue, QUEUE_FREE, &reactor->exec.ready);
    for (uint32_t i = 0; i < TURN_TASKS; i++) {
        ready_shuffle(reactor->exec.runtime, &reactor->exec.ready);
        struct node *node = fifo_take(&reactor->exec.ready);
        if (node == NULL)
            return;
        node_run(&reactor->exec, node, reactor);
    }
}

/* Timers that a firing one sets are for the next turn, even if due: @order was given out before. */
static void fire_timers(struct reactor *reactor)
{
    struct heap *heap = &reactor->exec.timers;
    uint64_t order = heap->order;
    for (uint32_t i = 0; i < TURN_TIMERS; i++) {
        mrt_timer *timer = heap_take(heap, reactor->now_ns, order);
        if (timer == NULL)
            return;
        timer->fire(timer);
    }
}

static void run_strands(struct reactor *reactor)
{
    for (uint32_t i = 0; i < TURN_STRANDS; i++) {
        struct node *entry = fifo_take(&reactor->strands);
        if (entry == NULL)
            return;
        strand_run(entry, reactor);
        reactor->inside = &reactor->exec;
    }
}

void stall_say(struct reactor *reactor, uint32_t id, uint64_t ns)
{
    runtime_log(
        reactor->exec.runtime, MRT_LOG_WARN, 0, "reactor.stalled reactor=%u executor=%u ms=%llu",
        reactor->index, id, (unsigned long long)(ns / 1000000));
}

/* Did the reactor's own tasks, timers and events take too long? */
static void look_back(struct reactor *reactor)
{
    struct env *env = reactor->exec.runtime->env;
    uint64_t took_ns = env->ops->mono_ns(env) - reactor->now_ns;
    if (took_ns >= STALL_NS)
        stall_say(reactor, reactor->exec.id, took_ns);
}

void reactor_turn(mrt_exec *exec, bool may_wait)
{
    struct reactor *reactor = exec->reactor;
    struct env *env = exec->runtime->env;
    struct env_thread *thread = env_thread(env);
    ASSERT(exec->strand == NULL);
    ASSERT(thread->reactor == NULL); /* turns do not nest */

    thread->reactor = reactor;
    reactor->inside = exec;
    reactor_wait(reactor, may_wait);
    reactor->now_ns = env->ops->mono_ns(env);
    reactor->wall_ms = env->ops->wall_ms(env);
    if (reactor->unpolled == 0)
        env->ops->poller_run(reactor->poller);
    run_posted(reactor);
    fire_timers(reactor);
    rx_turn(reactor);
    look_back(reactor);
    run_strands(reactor);
    ASSERT(thread->leaves == 0);
    reactor->inside = NULL;
    thread->reactor = NULL;
}
