/* SPDX-License-Identifier: Apache-2.0 */
#include "core/runtime/exec.h"

#include "core/base/assert.h"
#include "core/base/list.h"
#include "core/runtime/reactor.h"

_Static_assert(sizeof(struct node) <= sizeof(((mrt_task *)0)->host), "a task holds its node");
_Static_assert(sizeof(struct node) <= sizeof(((mrt_op *)0)->host), "an operation holds its node");
_Static_assert(REACTORS_MAX < UINT16_MAX, "a node names its reactor in 16 bits");

void node_post(mrt_exec *exec, struct node *node)
{
    struct reactor *here = reactor_here(exec->runtime);
    ASSERT(node->state != NODE_QUEUED); /* posted again before it ran */
    node->state = NODE_QUEUED;
    node->reactor = here == NULL ? 0 : (uint16_t)(here->index + 1);
    node->sender = here == NULL || here->inside == NULL ? 0 : here->inside->id;
    if (exec->strand != NULL)
        strand_push(exec->strand, node, here);
    else
        reactor_push(exec->reactor, node, here);
}

void node_run(const mrt_exec *exec, struct node *node, struct reactor *here)
{
    struct env *env = exec->runtime->env;
    ASSERT(node->state == NODE_QUEUED);
    if (env->ops->trace != NULL)
        env->ops->trace(env, TRACE_RUN, (const uint64_t[]){here->index, exec->id, node->sender}, 3);
    node->state = 0;
    node->run(node, here);
}

/* Takes the first node of @sender out and puts it in front: its own order stays. */
static void bring_forward(struct fifo *ready, uint32_t sender)
{
    struct node *previous = NULL;
    struct node *node = ready->first;
    while (node->sender != sender) {
        previous = node;
        node = node->next;
    }
    if (previous == NULL)
        return;
    previous->next = node->next;
    if (ready->last == node)
        ready->last = previous;
    node->next = ready->first;
    ready->first = node;
}

void ready_shuffle(const struct runtime *runtime, struct fifo *ready)
{
    if (runtime->env->ops->choose == NULL || ready->first == NULL)
        return;
    uint64_t count = 0;
    for (const struct node *node = ready->first; node != NULL; node = node->next)
        count++;
    uint64_t at = env_choose(runtime->env, CHOICE_ORDER, count);
    const struct node *node = ready->first;
    for (; at > 0; at--)
        node = node->next;
    bring_forward(ready, node->sender);
}

static void task_run(struct node *node, struct reactor *here)
{
    (void)here;
    mrt_task *task = CONTAINER(node, mrt_task, host);
    task->run(task);
}

void exec_post(mrt_exec *exec, mrt_task *task)
{
    struct node *node = (struct node *)(void *)task->host;
    ASSERT(exec != NULL);
    ASSERT(task->run != NULL);
    node->run = task_run;
    node_post(exec, node);
}

bool exec_inside(const mrt_exec *exec)
{
    const struct reactor *here = reactor_here(exec->runtime);
    return here != NULL && here->inside == exec;
}

struct runtime *exec_runtime(const mrt_exec *exec)
{
    return exec->runtime;
}

uint64_t exec_now_ns(const mrt_exec *exec)
{
    ASSERT(exec_inside(exec));
    return reactor_here(exec->runtime)->now_ns;
}

int64_t exec_wall_ms(const mrt_exec *exec)
{
    ASSERT(exec_inside(exec));
    return reactor_here(exec->runtime)->wall_ms;
}

void exec_timer_set(mrt_exec *exec, mrt_timer *timer, uint64_t at_ns)
{
    ASSERT(exec_inside(exec));
    ASSERT(heap_node(timer)->heap == NULL || heap_node(timer)->heap == &exec->timers);
    heap_set(&exec->timers, timer, at_ns);
    if (exec->strand != NULL)
        strand_arm(exec->strand);
}

void exec_timer_stop(mrt_exec *exec, mrt_timer *timer)
{
    ASSERT(exec_inside(exec));
    ASSERT(heap_node(timer)->heap == NULL || heap_node(timer)->heap == &exec->timers);
    heap_remove(&exec->timers, timer);
}

/* ---- operations ------------------------------------------------------------------------------ */

void op_init(mrt_op *op, mrt_exec *exec, void (*done)(mrt_op *op), void *caller)
{
    ASSERT(exec != NULL);
    ASSERT(done != NULL);
    *op = (mrt_op){.done = done, .exec = exec, .caller = caller};
}

static void op_run(struct node *node, struct reactor *here)
{
    (void)here;
    mrt_op *op = CONTAINER(node, mrt_op, host);
    op->done(op);
}

void op_complete(mrt_op *op, mrt_status status)
{
    struct node *node = (struct node *)(void *)op->host;
    ASSERT(status != MRT_PENDING);
    ASSERT(op->exec != NULL);
    op->status = status;
    node->run = op_run;
    node_post(op->exec, node);
}

mrt_status op_outcome(mrt_op *op, mrt_status status)
{
    ASSERT(status <= MRT_PENDING);
    if (status == MRT_PENDING)
        return MRT_PENDING;
    if (status == MRT_OK && env_choose(op->exec->runtime->env, CHOICE_PENDING, 2) == 1) {
        op_complete(op, MRT_OK);
        return MRT_PENDING;
    }
    op->status = status;
    return status;
}
