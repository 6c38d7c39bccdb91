/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timers: the heap against a plain list, and timers of reactors and strands in a simulated world
 * and on real threads.
 */
#include "core/base/memory.h"
#include "core/runtime/heap.h"
#include "tests/unit/runtime/stage.h"

static void ignore(mrt_timer *timer)
{
    (void)timer;
}

/* ---- the heap -------------------------------------------------------------------------------- */

#define TIMERS 200

/* What the heap must do, done the slow way. */
struct model {
    uint64_t at_ns[TIMERS];
    uint64_t order[TIMERS]; /* 0: not set */
    uint64_t orders;
};

static uint32_t model_first(const struct model *model)
{
    uint32_t first = TIMERS;
    for (uint32_t i = 0; i < TIMERS; i++) {
        if (model->order[i] == 0)
            continue;
        if (first == TIMERS || model->at_ns[i] < model->at_ns[first] ||
            (model->at_ns[i] == model->at_ns[first] && model->order[i] < model->order[first]))
            first = i;
    }
    return first;
}

static void the_heap_does_what_a_list_would(void **state)
{
    (void)state;
    struct heap heap = {0};
    struct model model = {0};
    struct random random;
    mrt_timer *timers = memory_array(TIMERS, sizeof *timers);
    random_init(&random, 11, "heap");
    for (uint32_t round = 0; round < 20000; round++) {
        uint64_t drawn = random_next(&random) >> 16;
        uint32_t i = (uint32_t)(drawn / 16 % TIMERS);
        timers[i].fire = ignore;
        if (drawn % 16 < 8) {
            model.at_ns[i] = drawn / 4096 % 50;
            model.order[i] = ++model.orders;
            heap_set(&heap, &timers[i], model.at_ns[i]);
        } else if (drawn % 16 < 11) {
            model.order[i] = 0;
            heap_remove(&heap, &timers[i]);
        } else {
            uint32_t first = model_first(&model);
            uint64_t due = first == TIMERS ? UINT64_MAX : model.at_ns[first];
            assert_true(heap_due_ns(&heap) == due);
            mrt_timer *taken = heap_take(&heap, 40, UINT64_MAX);
            if (due > 40) {
                assert_null(taken);
            } else {
                assert_ptr_equal(taken, &timers[first]);
                model.order[first] = 0;
            }
        }
    }
    memory_free(timers);
}

static void what_is_set_while_firing_waits_for_the_next_round(void **state)
{
    (void)state;
    struct heap heap = {0};
    mrt_timer a = {.fire = ignore}, b = {.fire = ignore};
    heap_set(&heap, &a, 5);
    uint64_t order = heap.order;
    assert_ptr_equal(heap_take(&heap, 9, order), &a);
    heap_set(&heap, &b, 1);
    assert_null(heap_take(&heap, 9, order));
    assert_ptr_equal(heap_take(&heap, 9, heap.order), &b);
}

/* ---- timers of executors --------------------------------------------------------------------- */

static struct stage stage;

static int on_linux(void **state)
{
    (void)state;
    stage = (struct stage){0};
    stage_open(&stage);
    return 0;
}

static int in_a_world(void **state)
{
    (void)state;
    stage = (struct stage){.simulated = true, .seed = 5};
    stage_open(&stage);
    return 0;
}

static int end(void **state)
{
    (void)state;
    stage_close(&stage);
    return 0;
}

struct alarm {
    mrt_timer timer;
    mrt_exec *exec;
    uint64_t at_ns;
    uint32_t again; /* how often it sets itself anew */
    uint32_t fired;
    uint32_t wrong;
    struct alarm *stops; /* stopped and wiped when this one fires */
    struct live_event event;
};

static void alarm_fire(mrt_timer *timer)
{
    struct alarm *alarm = CONTAINER(timer, struct alarm, timer);
    alarm->fired++;
    alarm->wrong += exec_inside(alarm->exec) ? 0 : 1;
    alarm->wrong += exec_now_ns(alarm->exec) >= alarm->at_ns ? 0 : 1;
    if (alarm->stops != NULL) {
        exec_timer_stop(alarm->exec, &alarm->stops->timer);
        memset(&alarm->stops->timer, 0, sizeof alarm->stops->timer); /* as if freed */
    }
    if (alarm->again-- > 0) {
        alarm->at_ns = exec_now_ns(alarm->exec) + 100000;
        exec_timer_set(alarm->exec, timer, alarm->at_ns);
        return;
    }
    live_signal(&alarm->event);
}

static void alarm_set(void *arg)
{
    struct alarm *alarm = arg;
    alarm->timer.fire = alarm_fire;
    alarm->at_ns += exec_now_ns(alarm->exec);
    exec_timer_set(alarm->exec, &alarm->timer, alarm->at_ns);
}

static void alarms_set(void *arg)
{
    struct alarm *alarms = arg;
    for (uint32_t i = 0; i < 3; i++)
        alarm_set(&alarms[i]);
}

static void alarm_await(struct alarm *alarm)
{
    if (stage.simulated)
        world_run(stage.world, WORLD_FOREVER);
    live_wait(&alarm->event);
}

static void a_strands_timer_fires_inside_it_not_early_and_can_be_set_again(void **state)
{
    (void)state;
    struct alarm alarm = {.exec = stage.exec, .at_ns = 2000000, .again = 50};
    live_event_init(&alarm.event);
    stage_inside(&stage, alarm_set, &alarm);
    alarm_await(&alarm);
    assert_int_equal(alarm.fired, 51);
    assert_int_equal(alarm.wrong, 0);
}

static void a_stopped_timer_does_not_fire_even_if_both_are_due(void **state)
{
    (void)state;
    struct alarm alarms[3];
    for (uint32_t i = 0; i < 3; i++) {
        alarms[i] = (struct alarm){.exec = stage.exec, .at_ns = 1000000};
        live_event_init(&alarms[i].event);
    }
    alarms[0].stops = &alarms[1];
    stage_inside(&stage, alarms_set, alarms);
    alarm_await(&alarms[2]);
    assert_int_equal(alarms[0].fired, 1);
    assert_int_equal(alarms[1].fired, 0);
    assert_int_equal(alarms[2].fired, 1);
}

static void a_timer_moved_forward_fires_then(void **state)
{
    (void)state;
    struct alarm alarm = {.exec = stage.exec, .at_ns = UINT64_C(3600000000000)};
    live_event_init(&alarm.event);
    stage_inside(&stage, alarm_set, &alarm);
    alarm.at_ns = 1000000;
    stage_inside(&stage, alarm_set, &alarm);
    alarm_await(&alarm);
    assert_int_equal(alarm.fired, 1);
}

/* ---- many timers of many strands at once ----------------------------------------------------- */

#define STRANDS 16

static void every_strand_gets_its_timers_while_others_do(void **state)
{
    (void)state;
    struct alarm *alarms = memory_array(STRANDS, sizeof *alarms);
    mrt_exec *own = stage.exec;
    for (uint32_t i = 0; i < STRANDS; i++) {
        alarms[i] = (struct alarm){.at_ns = 50000 * i, .again = 20};
        alarms[i].exec = stage.exec = strand_new(stage.runtime, i);
        live_event_init(&alarms[i].event);
        stage_inside(&stage, alarm_set, &alarms[i]);
    }
    stage.exec = own;
    for (uint32_t i = 0; i < STRANDS; i++) {
        alarm_await(&alarms[i]);
        assert_int_equal(alarms[i].fired, 21);
        assert_int_equal(alarms[i].wrong, 0);
        strand_free(alarms[i].exec);
    }
    memory_free(alarms);
}

int main(void)
{
#define BOTH(f)                                                                                    \
    cmocka_unit_test_setup_teardown(f, on_linux, end),                                             \
        cmocka_unit_test_setup_teardown(f, in_a_world, end)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_heap_does_what_a_list_would),
        cmocka_unit_test(what_is_set_while_firing_waits_for_the_next_round),
        BOTH(a_strands_timer_fires_inside_it_not_early_and_can_be_set_again),
        BOTH(a_stopped_timer_does_not_fire_even_if_both_are_due),
        BOTH(a_timer_moved_forward_fires_then),
        BOTH(every_strand_gets_its_timers_while_others_do),
    };
    return cmocka_run_group_tests_name("timer", tests, NULL, NULL);
}
