/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/assert.h"
#include "core/base/list.h"
#include "core/base/memory.h"
#include "core/runtime/reactor.h"

/* ---- running --------------------------------------------------------------------------------- */

/* The entry came to @here by its queue: from another reactor or a foreign thread. */
static void strand_arrive(struct node *entry, struct reactor *here)
{
    fifo_push(&here->strands, entry);
}

static void send_entry(struct strand *strand, struct reactor *to, struct reactor *here)
{
    struct node *entry = &strand->entry;
    ASSERT(entry->state != NODE_QUEUED);
    entry->state = NODE_QUEUED;
    entry->run = strand_arrive;
    entry->sender = strand->exec.id;
    reactor_push(to, entry, here);
}

void strand_push(struct strand *strand, struct node *node, struct reactor *here)
{
    const struct runtime *runtime = strand->exec.runtime;
    if (queue_push(&strand->exec.queue, node) != QUEUE_FREE)
        return; /* whoever holds it or has its entry will find the node */

    if (here == NULL) {
        send_entry(strand, strand->exec.reactor, NULL);
        return;
    }
    if (env_choose(runtime->env, CHOICE_BUSY, 2) == 1) {
        uint64_t other = env_choose(runtime->env, CHOICE_REACTOR, runtime->reactor_count);
        send_entry(strand, runtime->reactors[other], here);
        return;
    }
    fifo_push(&here->strands, &strand->entry);
}

/* The next task, or NULL after the strand was left; then it may be another's already, or gone. */
static struct node *strand_next(struct strand *strand)
{
    struct queue *queue = &strand->exec.queue;
    struct fifo *ready = &strand->exec.ready;
    while (ready->first == NULL) {
        if (queue_take(queue, QUEUE_HELD, ready) > 0)
            break;
        struct node *held = QUEUE_HELD;
        strand->holder = NULL;
        if (__atomic_compare_exchange_n(
                &queue->head, &held, QUEUE_FREE, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
            return NULL;
    }
    ready_shuffle(strand->exec.runtime, ready);
    return ready->first;
}

/* The bound is reached: on it goes in the reactor whose turn posted what comes next (X2). Also when
 * that is this one: it first looks at its own events and timers. */
static void pass_baton(struct strand *strand, const struct node *next, struct reactor *here)
{
    struct runtime *runtime = strand->exec.runtime;
    struct reactor *to = strand->exec.reactor;
    ASSERT(next->reactor <= runtime->reactor_count);
    if (next->reactor > 0)
        to = runtime->reactors[next->reactor - 1];
    strand->holder = NULL;
    send_entry(strand, to, here);
}

void strand_run(struct node *entry, struct reactor *here)
{
    struct strand *strand = CONTAINER(entry, struct strand, entry);
    struct env *env = strand->exec.runtime->env;
    ASSERT(strand->holder == NULL);
    ASSERT(!queue_is_empty(&strand->exec.queue) || strand->exec.ready.first != NULL);

    uint64_t batch = STRAND_BATCH - env_choose(env, CHOICE_BATCH, STRAND_BATCH);
    uint64_t start_ns = env->ops->mono_ns(env);
    uint64_t now_ns = start_ns;
    here->inside = &strand->exec;
    for (uint64_t ran = 0;; ran++) {
        struct node *node = strand_next(strand);
        if (node == NULL)
            return;
        strand->holder = here;
        if (ran == batch || now_ns - start_ns >= STRAND_NS) {
            pass_baton(strand, node, here);
            return;
        }
        fifo_take(&strand->exec.ready);
        node_run(&strand->exec, node, here);
        uint64_t before_ns = now_ns;
        now_ns = env->ops->mono_ns(env);
        if (now_ns - before_ns >= STALL_NS)
            stall_say(here, strand->exec.id, now_ns - before_ns);
    }
}

/* ---- timers ---------------------------------------------------------------------------------- */

/* On the home reactor. */
static void alarm_fire(mrt_timer *alarm)
{
    struct strand *strand = CONTAINER(alarm, struct strand, alarm);
    if (__atomic_exchange_n(&strand->tick_posted, 1, __ATOMIC_SEQ_CST) == 0)
        exec_post(&strand->exec, &strand->tick);
}

/* On the home reactor. An alarm that is earlier stays: its tick arms anew. */
static void alarm_set(struct strand *strand, uint64_t at_ns)
{
    const struct heap_node *node = heap_node(&strand->alarm);
    if (node->heap == NULL || node->at_ns > at_ns)
        heap_set(&strand->exec.reactor->exec.timers, &strand->alarm, at_ns);
}

static void rearm_run(mrt_task *task)
{
    struct strand *strand = CONTAINER(task, struct strand, rearm);
    __atomic_store_n(&strand->rearm_posted, 0, __ATOMIC_SEQ_CST);
    alarm_set(strand, __atomic_load_n(&strand->alarm_ns, __ATOMIC_SEQ_CST));
}

void strand_arm(struct strand *strand)
{
    uint64_t due_ns = heap_due_ns(&strand->exec.timers);
    if (due_ns >= strand->armed_ns)
        return;
    strand->armed_ns = due_ns;
    __atomic_store_n(&strand->alarm_ns, due_ns, __ATOMIC_SEQ_CST);
    if (strand->holder == strand->exec.reactor)
        alarm_set(strand, due_ns);
    else if (__atomic_exchange_n(&strand->rearm_posted, 1, __ATOMIC_SEQ_CST) == 0)
        exec_post(&strand->exec.reactor->exec, &strand->rearm);
}

/* In the strand. This turn may have begun before the alarm's did, and find nothing due: then it is
 * armed for the same time again. */
static void tick_run(mrt_task *task)
{
    struct strand *strand = CONTAINER(task, struct strand, tick);
    struct heap *heap = &strand->exec.timers;
    uint64_t order = heap->order;
    __atomic_store_n(&strand->tick_posted, 0, __ATOMIC_SEQ_CST);
    strand->armed_ns = UINT64_MAX;
    for (uint32_t i = 0; i < TURN_TIMERS; i++) {
        mrt_timer *timer = heap_take(heap, strand->holder->now_ns, order);
        if (timer == NULL)
            break;
        timer->fire(timer);
    }
    strand_arm(strand);
}

/* ---- life ------------------------------------------------------------------------------------ */

mrt_exec *strand_new(struct runtime *runtime, uint32_t home)
{
    struct strand *strand = memory_new(sizeof *strand);
    strand->exec.runtime = runtime;
    strand->exec.reactor = runtime->reactors[home % runtime->reactor_count];
    strand->exec.strand = strand;
    strand->exec.id = __atomic_add_fetch(&runtime->executors, 1, __ATOMIC_RELAXED);
    strand->alarm.fire = alarm_fire;
    strand->rearm.run = rearm_run;
    strand->tick.run = tick_run;
    strand->armed_ns = UINT64_MAX;
    strand->alarm_ns = UINT64_MAX;
    return &strand->exec;
}

/* On the home reactor. Who freed the strand may still be inside; a tick may be on its way. */
static void strand_bury(mrt_task *task)
{
    struct strand *strand = CONTAINER(task, struct strand, bury);
    heap_remove(&strand->exec.reactor->exec.timers, &strand->alarm);
    if (__atomic_load_n(&strand->exec.queue.head, __ATOMIC_SEQ_CST) != QUEUE_FREE ||
        __atomic_load_n(&strand->rearm_posted, __ATOMIC_SEQ_CST) != 0) {
        exec_post(&strand->exec.reactor->exec, task);
        return;
    }
    ASSERT(strand->exec.timers.root == NULL);
    ASSERT(strand->exec.ready.first == NULL);
    memory_free(strand);
}

void strand_free(mrt_exec *exec)
{
    if (exec == NULL)
        return;
    struct strand *strand = exec->strand;
    ASSERT(strand != NULL);
    ASSERT(strand->bury.run == NULL); /* freed twice */
    strand->bury.run = strand_bury;
    exec_post(&exec->reactor->exec, &strand->bury);
}
