/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/assert.h"
#include "core/base/list.h"
#include "core/runtime/reactor.h"

/* Lies in mrt_work.host. */
struct __attribute__((__may_alias__)) offload {
    struct env_job job;
    mrt_op *op;
};

_Static_assert(sizeof(struct offload) <= sizeof(((mrt_work *)0)->host), "work holds its job");

bool work_submit(struct runtime *runtime, struct env_job *job, bool always)
{
    uint32_t jobs = __atomic_add_fetch(&runtime->jobs, 1, __ATOMIC_RELAXED);
    ASSERT(jobs > 0);
    if (jobs > WORK_QUEUE_MAX && !always) {
        __atomic_sub_fetch(&runtime->jobs, 1, __ATOMIC_RELAXED);
        return false;
    }
    runtime->env->ops->work(runtime->env, job);
    return true;
}

bool work_is_late(const mrt_op *op)
{
    struct env *env = op->exec->runtime->env;
    return op->deadline_ns != 0 && env->ops->mono_ns(env) >= op->deadline_ns;
}

void work_ended(struct runtime *runtime)
{
    uint32_t before = __atomic_fetch_sub(&runtime->jobs, 1, __ATOMIC_RELAXED);
    ASSERT(before > 0);
}

static void offload_run(struct env_job *job)
{
    struct offload *offload = CONTAINER(job, struct offload, job);
    mrt_work *work = CONTAINER(offload, mrt_work, host);
    mrt_op *op = offload->op;
    struct runtime *runtime = op->exec->runtime;
    mrt_error error = {0};

    mrt_status status = work_is_late(op) ? MRT_ETIMEDOUT : work->run(work, &error);
    ASSERT(status != MRT_PENDING);
    error.text[sizeof error.text - 1] = '\0';
    if (status != MRT_OK && error.text[0] != '\0')
        runtime_log(
            runtime, MRT_LOG_WARN, op->trace, "work.failed status=%s why=\"%s\"",
            status_name(status), error.text);
    work_ended(runtime);
    op_complete(op, status);
}

mrt_status exec_offload(mrt_exec *exec, mrt_op *op, mrt_work *work)
{
    struct offload *offload = (struct offload *)(void *)work->host;
    ASSERT(work->run != NULL);
    ASSERT(op->exec == exec);
    offload->job.run = offload_run;
    offload->op = op;
    return work_submit(exec->runtime, &offload->job, false) ? MRT_PENDING : MRT_EBUSY;
}
