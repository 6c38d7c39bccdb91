/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One log of the segment store, on Linux and in simulated worlds: what is appended is read, rolled,
 * flushed, trimmed, closed and found again.
 */
#include "tests/unit/segment/files.h"

static struct scene scene;
static struct scene_log log_;

static int begin(void **state, bool simulated, uint64_t seed)
{
    scene = (struct scene){.simulated = simulated, .seed = seed};
    log_ = (struct scene_log){.topic = "orders", .topic_id = {1, 2, 3}};
    scene_boot(&scene);
    assert_int_equal(scene_dir_open(&scene), MRT_OK);
    assert_int_equal(scene_open(&scene, &log_, MRT_LOG_CREATE), MRT_OK);
    *state = &scene;
    return 0;
}

static int on_linux(void **state)
{
    return begin(state, false, 0);
}
static int in_world_1(void **state)
{
    return begin(state, true, 1);
}
static int in_world_2(void **state)
{
    return begin(state, true, 2);
}
static int in_world_3(void **state)
{
    return begin(state, true, 3);
}

static int end(void **state)
{
    (void)state;
    assert_int_equal(scene_close(&log_), MRT_OK);
    assert_int_equal(scene_dir_close(&scene), MRT_OK);
    scene_end(&scene);
    return 0;
}

static void reopen(void)
{
    assert_int_equal(scene_close(&log_), MRT_OK);
    assert_int_equal(scene_dir_close(&scene), MRT_OK);
    assert_int_equal(scene_dir_open(&scene), MRT_OK);
    assert_int_equal(scene_open(&scene, &log_, 0), MRT_OK);
}

static uint8_t wanted[SCENE_BATCH_MAX], found[SCENE_BATCH_MAX];

/* Reads from @from and compares with the batches of @counts records numbered from @number on, which
 * begin at @base. */
static void check_read(
    int64_t from, int64_t base, const int32_t *counts, uint32_t n, uint64_t bytes, uint32_t number)
{
    mrt_slice slice;
    mrt_read read = {
        .size = sizeof read,
        .min_batches = 1,
        .from = from,
        .upto = INT64_MAX,
        .max_bytes = 1 << 20};
    mrt_read_res res = {.size = sizeof res, .cap = 1, .slices = &slice};
    uint64_t size = 0;
    int64_t at = base;
    for (uint32_t i = 0; i < n; at += counts[i++])
        size += scene_batch(wanted + size, at, counts[i], 1000 + at, bytes, number + i);
    assert_int_equal(scene_read(&log_, &read, &res), MRT_OK);
    assert_int_equal(res.first_offset, base);
    assert_int_equal(res.next_offset, at);
    assert_int_equal(res.data.bytes, size);
    scene_pull(&log_, &res, found);
    assert_memory_equal(found, wanted, size);
    lease_release(res.data.lease);
}

static void what_was_appended_is_read(void **state)
{
    static const int32_t counts[] = {3, 1, 5};
    (void)state;
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(
            scene_put(&log_, counts[i], 1000 + scene_state(&log_).end, 500, 7 + i), MRT_OK);
    assert_int_equal(scene_state(&log_).end, 9);
    check_read(0, 0, counts, 3, 500, 7);
    check_read(2, 0, counts, 3, 500, 7);
    check_read(3, 3, counts + 1, 2, 500, 8);
    check_read(8, 4, counts + 2, 1, 500, 9);
}

static void a_log_closed_in_order_is_found_as_it_was(void **state)
{
    static const int32_t counts[] = {3, 1, 5};
    (void)state;
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(
            scene_put(&log_, counts[i], 1000 + scene_state(&log_).end, 5000, 7 + i), MRT_OK);
    mrt_log_state before = scene_state(&log_);
    reopen();
    mrt_log_state after = scene_state(&log_);
    assert_int_equal(after.start, 0);
    assert_int_equal(after.end, 9);
    assert_int_equal(after.durable, 9);
    assert_int_equal(after.bytes, before.bytes);
    check_read(0, 0, counts, 3, 5000, 7);
    assert_int_equal(scene_put(&log_, 1, 1, 10, 0), MRT_OK);
    assert_int_equal(scene_state(&log_).end, 10);
}

static void a_flush_makes_durable_what_it_names(void **state)
{
    (void)state;
    assert_int_equal(scene_put(&log_, 4, 1, 100, 0), MRT_OK);
    assert_true(scene_state(&log_).durable < 4);
    assert_int_equal(scene_flush(&log_, 5), MRT_ERANGE);
    assert_int_equal(scene_flush(&log_, 4), MRT_OK);
    assert_int_equal(scene_state(&log_).durable, 4);
    assert_int_equal(scene_roll(&log_), MRT_OK);
    assert_int_equal(scene_put(&log_, 4, 1, 100, 0), MRT_OK);
    assert_int_equal(scene_flush(&log_, 8), MRT_OK);
    assert_int_equal(scene_state(&log_).durable, 8);
}

static void a_roll_begins_a_segment_at_the_end(void **state)
{
    (void)state;
    assert_int_equal(scene_roll(&log_), MRT_OK); /* nothing: it is empty */
    assert_int_equal(scene_state(&log_).active_base, 0);
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(scene_put(&log_, 2, i, 100, i), MRT_OK);
        assert_int_equal(scene_roll(&log_), MRT_OK);
        assert_int_equal(scene_state(&log_).active_base, 2 * (i + 1));
        assert_int_equal(scene_state(&log_).active_bytes, 0);
    }
    reopen();
    assert_int_equal(scene_state(&log_).end, 10);
    assert_int_equal(scene_trim_head(&log_, 5), MRT_OK);
    assert_int_equal(scene_state(&log_).start, 5);
    reopen();
    assert_int_equal(scene_state(&log_).start, 5);
    assert_int_equal(scene_load(&scene, "orders-0/00000000000000000002.log", found, 10), -1);
    assert_true(scene_load(&scene, "orders-0/00000000000000000004.log", found, 10) == 10);
}

#define IN_ALL(test)                                                                               \
    cmocka_unit_test_setup_teardown(test, on_linux, end),                                          \
        cmocka_unit_test_setup_teardown(test, in_world_1, end),                                    \
        cmocka_unit_test_setup_teardown(test, in_world_2, end),                                    \
        cmocka_unit_test_setup_teardown(test, in_world_3, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_ALL(what_was_appended_is_read),
        IN_ALL(a_log_closed_in_order_is_found_as_it_was),
        IN_ALL(a_flush_makes_durable_what_it_names),
        IN_ALL(a_roll_begins_a_segment_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
