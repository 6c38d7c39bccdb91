/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must stop the process: each mistake is made in a child in a calm simulated world, whose last
 * words are compared. What only checked builds notice is tried only there.
 */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "core/base/list.h"
#include "core/runtime/bytes.h"
#include "core/runtime/host.h"
#include "tests/sim/world.h"
#include "tests/unit/cmocka.h"

struct scene {
    struct world *world;
    struct runtime *runtime;
    mrt_exec *strand;
    mrt_task task;
    mrt_op op;
    mrt_timer timer;
    struct host *host;
    const mrt_host_exec *exec;
    mrt_leaf *leaf;
};

static void nothing_task(mrt_task *task)
{
    (void)task;
}

static void nothing_done(mrt_op *op)
{
    (void)op;
}

static void nothing_fire(mrt_timer *timer)
{
    (void)timer;
}

static void scene_init(struct scene *scene)
{
    *scene = (struct scene){.task.run = nothing_task, .timer.fire = nothing_fire};
    scene->world = world_new(&(struct world_options){.seed = 1, .calm = true});
    struct sim_node *node = sim_node_new(scene->world, &(struct sim_node_options){.reactors = 2});
    scene->runtime = sim_node_runtime(node);
    scene->strand = strand_new(scene->runtime, 0);
    scene->host = host_new(&(struct host_options){.runtime = scene->runtime, .name = "test/bad"});
    const mrt_host *table = host_table(scene->host);
    scene->exec = table->get(table, MRT_HOST_EXEC);
    scene->exec->leaf_new(table, &scene->leaf);
    op_init(&scene->op, scene->strand, nothing_done, NULL);
}

/* The child that makes @mistake dies with an assertion that says @words. */
static void assert_dies(void (*mistake)(struct scene *scene), const char *words)
{
    int fds[2];
    char said[512] = {0};
    int status = 0;
    assert_int_equal(pipe(fds), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct scene scene;
        dup2(fds[1], 2);
        scene_init(&scene);
        mistake(&scene);
        _exit(0);
    }
    close(fds[1]);
    ssize_t n = read(fds[0], said, sizeof said - 1);
    close(fds[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(n > 0);
    assert_true(WIFSIGNALED(status));
    if (strstr(said, words) == NULL)
        fail_msg("said: %s", said);
}

static void post_twice(struct scene *scene)
{
    exec_post(scene->strand, &scene->task);
    exec_post(scene->strand, &scene->task);
}

static void complete_twice(struct scene *scene)
{
    op_complete(&scene->op, MRT_OK);
    op_complete(&scene->op, MRT_EIO);
}

static void complete_with_pending(struct scene *scene)
{
    op_complete(&scene->op, MRT_PENDING);
}

static void time_from_outside(struct scene *scene)
{
    exec_now_ns(scene->strand);
}

static void timer_from_outside(struct scene *scene)
{
    exec_timer_set(scene->strand, &scene->timer, 5);
}

static void release_twice(struct scene *scene)
{
    uint8_t *data;
    mrt_lease *lease;
    (void)scene;
    mrt_status status = block_new(10, &data, &lease);
    ASSERT(status == MRT_OK);
    lease_share(lease);
    lease_release(lease);
    lease->refs = 0; /* as the memory would say after the last one */
    lease_release(lease);
}

static void free_strand_twice(struct scene *scene)
{
    strand_free(scene->strand);
    strand_free(scene->strand);
}

static void enter_leaf_twice(struct scene *scene)
{
    scene->exec->leaf_enter(scene->leaf);
    scene->exec->leaf_enter(scene->leaf);
}

static void call_host_under_leaf(struct scene *scene)
{
    scene->exec->leaf_enter(scene->leaf);
    scene->exec->post(scene->strand, &scene->task);
}

static void a_task_is_posted_once_until_it_ran(void **state)
{
    (void)state;
    assert_dies(post_twice, "node->state != NODE_QUEUED");
}

static void an_operation_completes_once_and_with_an_outcome(void **state)
{
    (void)state;
    assert_dies(complete_twice, "node->state != NODE_QUEUED");
    assert_dies(complete_with_pending, "status != MRT_PENDING");
}

static void time_and_timers_are_for_who_is_inside(void **state)
{
    (void)state;
    assert_dies(time_from_outside, "exec_inside(exec)");
    assert_dies(timer_from_outside, "exec_inside(exec)");
}

static void what_is_given_back_is_given_back_once(void **state)
{
    (void)state;
    assert_dies(release_twice, "before > 0");
    assert_dies(free_strand_twice, "strand->bury.run == NULL");
}

static void leaf_locks_are_leaves(void **state)
{
    (void)state;
    assert_dies(enter_leaf_twice, "thread->leaves == 0");
    if (CHECKS)
        assert_dies(call_host_under_leaf, "leaves == 0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_task_is_posted_once_until_it_ran),
        cmocka_unit_test(an_operation_completes_once_and_with_an_outcome),
        cmocka_unit_test(time_and_timers_are_for_who_is_inside),
        cmocka_unit_test(what_is_given_back_is_given_back_once),
        cmocka_unit_test(leaf_locks_are_leaves),
    };
    return cmocka_run_group_tests_name("misuse", tests, NULL, NULL);
}
