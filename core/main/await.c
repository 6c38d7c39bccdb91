/* SPDX-License-Identifier: Apache-2.0 */
#include "core/main/await.h"

#include <errno.h>

#include "core/base/list.h"

struct await {
    mrt_task task;
    mrt_op op;
    mrt_exec *exec;
    void (*run)(void *arg);
    mrt_status (*call)(void *arg, mrt_op *op);
    void *arg;
    mrt_status status;
    sem_t over;
};

static void wait_over(struct await *await)
{
    while (sem_wait(&await->over) != 0 && errno == EINTR)
        continue;
    sem_destroy(&await->over);
}

static void inside(mrt_task *task)
{
    struct await *await = CONTAINER(task, struct await, task);
    await->run(await->arg);
    sem_post(&await->over);
}

void await_inside(mrt_exec *exec, void (*run)(void *arg), void *arg)
{
    struct await await = {.task.run = inside, .run = run, .arg = arg};
    sem_init(&await.over, 0, 0);
    exec_post(exec, &await.task);
    wait_over(&await);
}

static void completed(mrt_op *op)
{
    struct await *await = op->caller;
    await->status = op->status;
    sem_post(&await->over);
}

static void begin(mrt_task *task)
{
    struct await *await = CONTAINER(task, struct await, task);
    op_init(&await->op, await->exec, completed, await);
    mrt_status status = op_outcome(&await->op, await->call(await->arg, &await->op));
    if (status == MRT_PENDING)
        return;
    await->status = status;
    sem_post(&await->over);
}

mrt_status await_op(mrt_exec *exec, mrt_status (*call)(void *arg, mrt_op *op), void *arg)
{
    struct await await = {.task.run = begin, .exec = exec, .call = call, .arg = arg};
    sem_init(&await.over, 0, 0);
    exec_post(exec, &await.task);
    wait_over(&await);
    return await.status;
}
