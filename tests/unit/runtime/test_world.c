/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The simulated world itself: that a seed is a run, and that the seeds reach what threads would.
 * The play is play.h's; executors under a microscope (who runs what, in which order, within which
 * bound) are here too, because only here the order is ours.
 */
#include "core/base/list.h"
#include "core/base/memory.h"
#include "core/runtime/host.h"
#include "tests/sim/world.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/runtime/play.h"

static void the_same_seed_is_the_same_run(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct play_result once = play(seed, false);
        struct play_result again = play(seed, false);
        assert_true(once.hash == again.hash);
        assert_true(once.steps == again.steps);
    }
}

static void another_seed_is_another_run(void **state)
{
    (void)state;
    uint64_t hashes[16];
    for (uint64_t seed = 0; seed < 16; seed++) {
        hashes[seed] = play(seed + 1, false).hash;
        for (uint64_t i = 0; i < seed; i++)
            assert_true(hashes[i] != hashes[seed]);
    }
}

static void whatever_the_seed_the_rules_of_strands_hold(void **state)
{
    (void)state;
    uint64_t pending = 0, inline_end = 0, moved = 0;
    for (uint64_t seed = 100; seed < 200; seed++) {
        struct play_result result = play(seed, false);
        assert_int_equal(result.wrong, 0);
        pending += result.pending;
        inline_end += result.inline_end;
        moved += result.moved;
    }
    assert_true(pending > 1000); /* both ways were gone, and strands did change threads */
    assert_true(inline_end > 1000);
    assert_true(moved > 1000);
}

static void a_calm_world_answers_as_linux_would(void **state)
{
    (void)state;
    struct play_result result = play(1, true);
    assert_int_equal(result.wrong, 0);
    assert_int_equal(result.pending, 0);
    assert_true(result.inline_end > 0);
}

/* ---- under the microscope: a calm world of three reactors ------------------------------------ */

struct scene {
    struct world *world;
    struct runtime *runtime;
    mrt_exec *strand; /* at home on reactor 0 */
};

static int scene_start(void **state)
{
    static struct scene scene;
    scene.world = world_new(&(struct world_options){.seed = 1, .calm = true});
    struct sim_node *node = sim_node_new(scene.world, &(struct sim_node_options){.reactors = 3});
    scene.runtime = sim_node_runtime(node);
    scene.strand = strand_new(scene.runtime, 0);
    *state = &scene;
    return 0;
}

static int scene_end(void **state)
{
    struct scene *scene = *state;
    strand_free(scene->strand);
    world_free(scene->world);
    return 0;
}

#define MARKS 64

struct mark {
    mrt_task task;
    struct log *log;
    uint32_t number;
};

/* Who ran when, as the marks saw it. */
struct log {
    struct scene *scene;
    struct mark marks[MARKS];
    uint32_t reactor[MARKS]; /* by order of running */
    uint32_t number[MARKS];
    uint64_t now_ns[MARKS];
    uint32_t n;
    uint32_t from, to; /* for post_marks() */
};

static void mark_run(mrt_task *task)
{
    struct mark *mark = CONTAINER(task, struct mark, task);
    struct log *log = mark->log;
    log->reactor[log->n] = reactor_index(runtime_current(log->scene->runtime));
    log->now_ns[log->n] = exec_now_ns(log->scene->strand);
    log->number[log->n++] = mark->number;
}

static void log_init(struct log *log, struct scene *scene)
{
    *log = (struct log){.scene = scene};
    for (uint32_t i = 0; i < MARKS; i++)
        log->marks[i] = (struct mark){.task.run = mark_run, .log = log, .number = i};
}

static void post_marks(void *arg)
{
    struct log *log = arg;
    for (uint32_t i = log->from; i < log->to; i++)
        exec_post(log->scene->strand, &log->marks[i].task);
}

/* Posts marks @from to @to in one turn of reactor @i; what follows may not have run yet. */
static void post_from(struct log *log, uint32_t i, uint32_t from, uint32_t to)
{
    log->from = from;
    log->to = to;
    world_inside(log->scene->world, runtime_reactor(log->scene->runtime, i), post_marks, log);
}

static void posts_of_one_turn_run_in_that_turn_in_order(void **state)
{
    struct log log;
    log_init(&log, *state);
    post_from(&log, 2, 0, STRAND_BATCH);
    assert_int_equal(log.n, STRAND_BATCH); /* though home is reactor 0 */
    for (uint32_t i = 0; i < log.n; i++) {
        assert_int_equal(log.number[i], i);
        assert_int_equal(log.reactor[i], 2);
        assert_true(log.now_ns[i] == log.now_ns[0]);
    }
}

static void a_holder_stops_at_its_bound_and_goes_on_in_another_turn(void **state)
{
    struct scene *scene = *state;
    struct log log;
    log_init(&log, scene);
    post_from(&log, 1, 0, STRAND_BATCH + 5);
    assert_int_equal(log.n, STRAND_BATCH);
    world_run(scene->world, WORLD_FOREVER);
    assert_int_equal(log.n, STRAND_BATCH + 5);
    assert_true(log.now_ns[STRAND_BATCH] > log.now_ns[0]);
    assert_int_equal(log.reactor[STRAND_BATCH], 1);
}

static void the_baton_goes_to_the_reactor_that_posted_what_is_next(void **state)
{
    struct scene *scene = *state;
    struct log log;
    log_init(&log, scene);
    post_from(&log, 1, 0, STRAND_BATCH + 2); /* two are left; reactor 1 has the baton */
    post_from(&log, 2, STRAND_BATCH + 2, 2 * STRAND_BATCH + 8);
    world_run(scene->world, WORLD_FOREVER);
    assert_int_equal(log.n, 2 * STRAND_BATCH + 8);
    for (uint32_t i = 0; i < log.n; i++)
        assert_int_equal(log.number[i], i);
    assert_int_equal(log.reactor[STRAND_BATCH - 1], 1);
    assert_int_equal(log.reactor[2 * STRAND_BATCH - 1], 1); /* a holder's whole batch */
    assert_int_equal(log.reactor[2 * STRAND_BATCH], 2);
}

static void foreign_posts_run_at_home(void **state)
{
    struct scene *scene = *state;
    struct log log;
    log_init(&log, scene);
    exec_post(scene->strand, &log.marks[0].task);
    assert_int_equal(log.n, 0); /* nothing runs inside the call */
    world_run(scene->world, WORLD_FOREVER);
    assert_int_equal(log.n, 1);
    assert_int_equal(log.reactor[0], 0);
}

/* ---- two strands that never stop posting to each other --------------------------------------- */

struct echo {
    mrt_task task;
    mrt_exec *here, *there;
    struct echo *other;
    uint64_t *rounds;
};

static void echo_run(mrt_task *task)
{
    struct echo *echo = CONTAINER(task, struct echo, task);
    if (++*echo->rounds < 5000)
        exec_post(echo->there, &echo->other->task);
}

static void note_rounds(void *arg)
{
    uint64_t *rounds = arg;
    rounds[1] = rounds[0];
}

static void strands_that_keep_each_other_busy_do_not_hold_the_reactor(void **state)
{
    struct scene *scene = *state;
    uint64_t rounds[2] = {0};
    mrt_exec *second = strand_new(scene->runtime, 0);
    struct echo a = {{echo_run, {0}}, scene->strand, second, NULL, rounds};
    struct echo b = {{echo_run, {0}}, second, scene->strand, &a, rounds};
    a.other = &b;
    exec_post(scene->strand, &a.task);
    while (rounds[0] == 0)
        assert_true(world_step(scene->world));
    world_inside(scene->world, runtime_reactor(scene->runtime, 0), note_rounds, rounds);
    assert_true(rounds[1] > 0);
    assert_true(rounds[1] < 5000); /* the reactor had its say in between */
    world_run(scene->world, WORLD_FOREVER);
    assert_int_equal(rounds[0], 5000);
    strand_free(second);
}

/* ---- probes ---------------------------------------------------------------------------------- */

static void probes_are_counted_and_rare_branches_are_wanted_now_and_then(void **state)
{
    (void)state;
    struct world *world = world_new(&(struct world_options){.seed = 3});
    struct sim_node *node = sim_node_new(world, &(struct sim_node_options){.reactors = 1});
    struct runtime *runtime = sim_node_runtime(node);
    struct host *host = host_new(&(struct host_options){.runtime = runtime, .name = "x/y"});
    const mrt_host *table = host_table(host);
    const mrt_host_probe *probe = table->get(table, MRT_HOST_PROBE);
    assert_non_null(probe);
    probe->reached(table, "toy.torn_tail");
    probe->reached(table, "toy.torn_tail");
    assert_int_equal(world_reached(world, "toy.torn_tail"), 2);
    assert_int_equal(world_reached(world, "toy.other"), 0);
    uint32_t wanted = 0;
    for (uint32_t i = 0; i < 1000; i++)
        wanted += probe->want(runtime_reactor(runtime, 0), "toy.short_batch");
    assert_true(wanted > 10);
    assert_true(wanted < 200);
    host_free(host);
    world_free(world);
}

int main(void)
{
#define SCENE(f) cmocka_unit_test_setup_teardown(f, scene_start, scene_end)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_is_the_same_run),
        cmocka_unit_test(another_seed_is_another_run),
        cmocka_unit_test(whatever_the_seed_the_rules_of_strands_hold),
        cmocka_unit_test(a_calm_world_answers_as_linux_would),
        cmocka_unit_test(probes_are_counted_and_rare_branches_are_wanted_now_and_then),
        SCENE(posts_of_one_turn_run_in_that_turn_in_order),
        SCENE(a_holder_stops_at_its_bound_and_goes_on_in_another_turn),
        SCENE(the_baton_goes_to_the_reactor_that_posted_what_is_next),
        SCENE(foreign_posts_run_at_home),
        SCENE(strands_that_keep_each_other_busy_do_not_hold_the_reactor),
    };
    return cmocka_run_group_tests_name("world", tests, NULL, NULL);
}
