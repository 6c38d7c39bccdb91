/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waking across reactors. On every reactor sits a reader that parks as fetches do: it watches, then
 * looks at the line, and sleeps if there is nothing. Meanwhile MAIN appends. A reader that misses a
 * change would sleep for ever.
 */
#include "tests/unit/log/scene.h"

#define APPENDS 2000
#define WINDOW  16

struct reader {
    struct log_waiter waiter;
    mrt_exec *reactor;
    int64_t seen;
    int64_t wanted;
    uint32_t wakes;
    uint32_t after_end; /* wakes after unwatch: must be 0 */
    bool ended;
    struct live_event done;
};

/* On the reader's reactor: cmocka can only fail on MAIN. */
static void look(struct reader *reader)
{
    struct log_line line;
    log_line(scene.log, &line);
    ASSERT(line.high_watermark >= reader->seen);
    ASSERT(line.high_watermark <= line.stable_end);
    ASSERT(line.stable_end <= line.end);
    reader->seen = line.high_watermark;
    if (reader->seen < reader->wanted)
        return;
    log_unwatch(scene.log, &reader->waiter);
    reader->ended = true;
    live_signal(&reader->done);
}

static void wake(struct log_waiter *waiter)
{
    struct reader *reader = CONTAINER(waiter, struct reader, waiter);
    reader->wakes++;
    if (reader->ended)
        reader->after_end++;
    else
        look(reader);
}

static void park(void *arg)
{
    struct reader *reader = arg;
    log_watch(scene.log, &reader->waiter);
    look(reader);
}

static void start(struct reader *reader, uint32_t i, int64_t wanted)
{
    *reader = (struct reader){.waiter.wake = wake, .wanted = wanted};
    reader->reactor = runtime_reactor(scene.runtime, i);
    live_event_init(&reader->done);
    scene_inside(reader->reactor, park, reader);
}

static void no_reader_on_any_reactor_misses_the_last_change(void **state)
{
    (void)state;
    static struct reader readers[REACTORS_MAX];
    static struct scene_append window[WINDOW];
    uint32_t n = runtime_reactors(scene.runtime);
    for (uint32_t i = 0; i < n; i++)
        start(&readers[i], i, APPENDS);
    for (int32_t i = 0; i < APPENDS; i++) {
        struct scene_append *own = &window[i % WINDOW];
        if (i >= WINDOW)
            assert_int_equal(scene_end(own), MRT_OK);
        scene_ready(own, 1, &(struct scene_batch){.records = 1});
        own->append.request.exec = runtime_reactor(scene.runtime, (uint32_t)i % n);
        scene_start(own);
    }
    for (uint32_t i = 0; i < WINDOW; i++)
        assert_int_equal(scene_end(&window[i]), MRT_OK);
    for (uint32_t i = 0; i < n; i++) {
        scene_wait(&readers[i].done);
        assert_int_equal(readers[i].seen, APPENDS);
        assert_true(readers[i].wakes <= APPENDS + 1);
    }
    scene_settle();
    for (uint32_t i = 0; i < n; i++)
        assert_int_equal(readers[i].after_end, 0);
}

static void each_change_alone_wakes_a_parked_reader(void **state)
{
    (void)state;
    struct reader reader;
    for (int64_t end = 1; end <= 300; end++) {
        start(&reader, (uint32_t)end % runtime_reactors(scene.runtime), end);
        assert_int_equal(scene_append(1, &(struct scene_batch){.records = 1}, NULL), MRT_OK);
        scene_wait(&reader.done);
        assert_int_equal(reader.seen, end);
    }
}

static void a_deleted_log_wakes_its_readers_with_its_state(void **state)
{
    (void)state;
    struct reader reader;
    start(&reader, 0, INT64_MAX);
    assert_int_equal(scene_delete(), MRT_OK);
    scene_settle();
    assert_true(reader.wakes >= 1);
    assert_int_equal(scene_line().state, MRT_EGONE);
    reader.wanted = 0;
    scene_inside(reader.reactor, (void (*)(void *))look, &reader);
}

/* ---- unwatching inside a wake ---------------------------------------------------------------- */

static struct log_waiter pair[2];
static uint32_t pair_wakes;

static void wake_and_unwatch_both(struct log_waiter *waiter)
{
    (void)waiter;
    pair_wakes++;
    log_unwatch(scene.log, &pair[0]);
    log_unwatch(scene.log, &pair[1]);
}

static void watch_pair(void *arg)
{
    (void)arg;
    pair_wakes = 0;
    for (uint32_t i = 0; i < 2; i++) {
        pair[i] = (struct log_waiter){.wake = wake_and_unwatch_both};
        log_watch(scene.log, &pair[i]);
    }
}

static void whoever_is_unwatched_inside_a_wake_is_not_woken(void **state)
{
    (void)state;
    scene_inside(runtime_reactor(scene.runtime, 0), watch_pair, NULL);
    assert_int_equal(scene_append(1, &(struct scene_batch){.records = 1}, NULL), MRT_OK);
    scene_settle();
    assert_int_equal(pair_wakes, 1);
    assert_int_equal(scene_append(1, &(struct scene_batch){.records = 1}, NULL), MRT_OK);
    scene_settle();
    assert_int_equal(pair_wakes, 1);
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown),                            \
        cmocka_unit_test_setup_teardown(name, scene_setup_pending, scene_teardown),                \
        cmocka_unit_test_setup_teardown(name, scene_setup_simulated, scene_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(no_reader_on_any_reactor_misses_the_last_change),
        TEST(each_change_alone_wakes_a_parked_reader),
        TEST(a_deleted_log_wakes_its_readers_with_its_state),
        TEST(whoever_is_unwatched_inside_a_wake_is_not_woken),
    };
    return cmocka_run_group_tests_name("log/waiters", tests, NULL, NULL);
}
