/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A reactor that goes to sleep just when somebody posts: the moment is tens of nanoseconds wide, so
 * it is not waited for but made. The scene is a running reactor on Linux whose environment posts a
 * task, as a foreign thread would, from within the calls the reactor makes on its way to sleep. A
 * wake that is lost is never made up for: the test would end at LIVE_WAIT_S.
 */
#include "core/runtime/env.h"
#include "tests/unit/live.h"

#define ROUNDS 3000

struct scene {
    struct live live;
    struct env_ops ops; /* those of Linux, but for two */
    const struct env_ops *linux_ops;
    mrt_exec *reactor;
    mrt_task task;
    bool queued; /* posted and not run yet */
    uint32_t rounds;
    uint32_t calls; /* into the environment since the task ran */
    struct live_event over;
};

static struct scene scene;

static void ran(mrt_task *task)
{
    (void)task;
    scene.queued = false;
    scene.calls = 0;
    if (++scene.rounds == ROUNDS)
        live_signal(&scene.over);
}

/* Posts in every third of the calls between two runs of the task: each kind of call has its
 * turn. */
static void intrude(struct env *env)
{
    struct env_thread *thread = env_thread(env);
    struct reactor *reactor = thread->reactor;
    if (runtime_current(scene.live.runtime) != scene.reactor)
        return; /* one of the others, or no turn */
    if (scene.queued || scene.rounds == 0 || scene.rounds == ROUNDS)
        return;
    if (scene.calls++ < scene.rounds % 3)
        return;
    scene.queued = true;
    thread->reactor = NULL; /* as if from another thread */
    exec_post(scene.reactor, &scene.task);
    thread->reactor = reactor;
}

static uint64_t late_mono_ns(struct env *env)
{
    uint64_t now_ns = scene.linux_ops->mono_ns(env);
    intrude(env);
    return now_ns;
}

static void late_wait(struct env_poller *poller, uint64_t ns)
{
    intrude(scene.live.env);
    scene.linux_ops->poller_wait(poller, ns);
}

static void a_post_wakes_a_reactor_at_whatever_moment_it_comes(void **state)
{
    (void)state;
    scene.task.run = ran;
    live_event_init(&scene.over);
    scene.live.env = env_linux_new(NULL);
    scene.linux_ops = scene.live.env->ops;
    scene.ops = *scene.linux_ops;
    scene.ops.mono_ns = late_mono_ns;
    scene.ops.poller_wait = late_wait;
    scene.live.env->ops = &scene.ops;
    scene.live.runtime = runtime_new(&(struct runtime_options){
        .env = scene.live.env, .reactors = test_reactors(), .log_level = MRT_LOG_WARN});
    scene.reactor = runtime_reactor(scene.live.runtime, 0);
    scene.queued = true;
    exec_post(scene.reactor, &scene.task);
    runtime_start(scene.live.runtime);
    live_wait(&scene.over);
    assert_int_equal(scene.rounds, ROUNDS);
    live_stop(&scene.live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_post_wakes_a_reactor_at_whatever_moment_it_comes),
    };
    return cmocka_run_group_tests_name("wake", tests, NULL, NULL);
}
