/* SPDX-License-Identifier: Apache-2.0 */
/*
 * live.h - a running runtime on real threads for a suite, with MORTISE_REACTORS reactors: the test
 * stands on MAIN, has functions run inside executors, and waits for them.
 */
#ifndef TESTS_UNIT_LIVE_H
#define TESTS_UNIT_LIVE_H

#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include <mortise/host.h>

#include "core/base/assert.h"
#include "core/base/list.h"
#include "core/runtime/env_linux.h"
#include "core/runtime/runtime.h"
#include "tests/unit/cmocka.h"

#define LIVE_WAIT_S 60 /* a test that waits longer has failed */

struct live {
    struct env *env;
    struct runtime *runtime;
};

static inline void live_start(struct live *live)
{
    live->env = env_linux_new(NULL);
    live->runtime = runtime_new(&(struct runtime_options){
        .env = live->env,
        .reactors = test_reactors(),
        .log_level = MRT_LOG_WARN,
        .seed = 1,
    });
    runtime_start(live->runtime);
}

static inline void live_stop(struct live *live)
{
    runtime_stop(live->runtime);
    runtime_free(live->runtime);
    env_linux_free(live->env);
}

/* Something MAIN waits for; signalled from any thread. */
struct live_event {
    sem_t sem;
};

static inline void live_event_init(struct live_event *event)
{
    sem_init(&event->sem, 0, 0);
}

static inline void live_signal(struct live_event *event)
{
    sem_post(&event->sem);
}

static inline void live_wait(struct live_event *event)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += LIVE_WAIT_S;
    int failed = 0;
    while ((failed = sem_timedwait(&event->sem, &until)) != 0 && errno == EINTR)
        continue;
    ASSERT(failed == 0);
}

/* ---- a function, run inside an executor ------------------------------------------------------ */

struct live_call {
    mrt_task task;
    void (*run)(void *arg);
    void *arg;
    struct live_event done;
};

static inline void live_call_run(mrt_task *task)
{
    struct live_call *call = CONTAINER(task, struct live_call, task);
    call->run(call->arg);
    live_signal(&call->done);
}

/* Runs @run inside @exec and comes back when it has. From MAIN. */
static inline void live_inside(mrt_exec *exec, void (*run)(void *arg), void *arg)
{
    struct live_call call = {.task.run = live_call_run, .run = run, .arg = arg};
    live_event_init(&call.done);
    exec_post(exec, &call.task);
    live_wait(&call.done);
}

/* ---- an operation that MAIN waits for -------------------------------------------------------- */

struct live_op {
    mrt_op op; /* hand it to the call under test, inside its executor */
    uint32_t completions;
    uint32_t inline_ends; /* ended without MRT_PENDING */
    struct live_event done;
};

static inline void live_op_done(mrt_op *op)
{
    struct live_op *own = CONTAINER(op, struct live_op, op);
    own->completions++;
    live_signal(&own->done);
}

static inline void live_op_init(struct live_op *own, mrt_exec *exec)
{
    op_init(&own->op, exec, live_op_done, NULL);
    own->completions = own->inline_ends = 0;
    live_event_init(&own->done);
}

/* Around the call: live_op_outcome(&op, file->open(..., &op.op, ...)). */
static inline mrt_status live_op_outcome(struct live_op *own, mrt_status status)
{
    if (op_outcome(&own->op, status) != MRT_PENDING) {
        own->inline_ends++;
        live_signal(&own->done);
    }
    return status;
}

/* The outcome, from MAIN, whichever way it came. */
static inline mrt_status live_op_wait(struct live_op *own)
{
    live_wait(&own->done);
    assert_int_equal(own->completions + own->inline_ends, 1);
    return own->op.status;
}

#endif /* TESTS_UNIT_LIVE_H */
