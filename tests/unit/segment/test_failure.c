/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One log on a simulated disk that runs full, fails or is slow: what fails says so and has changed
 * nothing; what cannot be put right ends the use of the directory, which a new opening restores.
 */
#include "tests/unit/segment/files.h"

static struct scene scene;
static struct scene_log log_;

static int begin(void **state, uint64_t seed, uint64_t bytes)
{
    scene = (struct scene){.simulated = true, .seed = seed, .disk_bytes = bytes};
    scene.cfg = (struct mrt_cfg){{64, 1000000, 4096, 10485760}};
    log_ = (struct scene_log){.topic = "orders", .topic_id = {1, 2, 3}};
    scene_boot(&scene);
    assert_int_equal(scene_dir_open(&scene), MRT_OK);
    assert_int_equal(scene_open(&scene, &log_, MRT_LOG_CREATE), MRT_OK);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(scene_put(&log_, 3, 100 + i, 900, i), MRT_OK);
    *state = &scene;
    return 0;
}

static int in_world_1(void **state)
{
    return begin(state, 1, 0);
}
static int in_world_2(void **state)
{
    return begin(state, 2, 0);
}
static int on_a_small_disk(void **state)
{
    return begin(state, 3, 200000);
}

static int end(void **state)
{
    (void)state;
    assert_int_equal(scene_close(&log_), MRT_OK);
    assert_int_equal(scene_dir_close(&scene), MRT_OK);
    scene_end(&scene);
    return 0;
}

/* After a test that took the directory out of use. */
static int end_offline(void **state)
{
    (void)state;
    assert_int_equal(scene_close(&log_), MRT_EOFFLINE);
    assert_int_equal(scene_dir_close(&scene), MRT_OK);
    scene_end(&scene);
    return 0;
}

static void expect_same(const mrt_log_state *before)
{
    mrt_log_state after = scene_state(&log_);
    assert_int_equal(after.start, before->start);
    assert_int_equal(after.end, before->end);
    assert_int_equal(after.bytes, before->bytes);
    assert_int_equal(after.active_base, before->active_base);
}

static mrt_status read_all(uint64_t *bytes)
{
    mrt_slice slice;
    mrt_read read = {sizeof read, 1, scene_state(&log_).start, INT64_MAX, 1 << 20};
    mrt_read_res res = {.size = sizeof res, .cap = 1, .slices = &slice};
    mrt_status status = scene_read(&log_, &read, &res);
    if (status == MRT_OK) {
        *bytes = res.data.bytes;
        lease_release(res.data.lease);
    }
    return status;
}

static void an_append_that_fails_leaves_nothing(void **state)
{
    static const mrt_status kinds[] = {MRT_ENOSPC, MRT_EIO};
    uint64_t bytes = 0;
    (void)state;
    for (uint32_t i = 0; i < 2; i++) {
        mrt_log_state before = scene_state(&log_);
        disk_fail(scene.disk, DISK_WRITE, 0, kinds[i]);
        assert_int_equal(scene_put(&log_, 3, 200, 900, 7), kinds[i]);
        expect_same(&before);
        assert_int_equal(read_all(&bytes), MRT_OK);
        assert_int_equal(bytes, before.bytes);
        assert_int_equal(scene_put(&log_, 3, 200, 900, 7), MRT_OK);
        assert_int_equal(scene_state(&log_).end, before.end + 3);
    }
    assert_int_equal(scene.states_n, 0);
}

static void an_append_that_cannot_be_cut_back_ends_the_use(void **state)
{
    (void)state;
    disk_fail(scene.disk, DISK_WRITE, 0, MRT_ENOSPC);
    disk_fail(scene.disk, DISK_TRUNCATE, 0, MRT_EIO);
    assert_int_equal(scene_put(&log_, 3, 200, 900, 7), MRT_ENOSPC);
    assert_int_equal(scene_put(&log_, 3, 200, 900, 7), MRT_EOFFLINE);
    assert_int_equal(scene.states_n, 1);
    assert_int_equal(scene.states[0], MRT_DIR_OFFLINE);
}

static void a_sync_that_fails_ends_the_use(void **state)
{
    uint64_t bytes;
    (void)state;
    disk_fail(scene.disk, DISK_SYNC, 0, MRT_EIO);
    assert_int_equal(scene_flush(&log_, 9), MRT_EIO);
    assert_int_equal(scene_put(&log_, 1, 1, 10, 1), MRT_EOFFLINE);
    assert_int_equal(scene_flush(&log_, 9), MRT_EOFFLINE);
    assert_int_equal(read_all(&bytes), MRT_EOFFLINE);
    world_run(scene.world, WORLD_FOREVER);
    assert_int_equal(scene.states_n, 1);
    assert_int_equal(scene.states[0], MRT_DIR_OFFLINE);
    assert_int_equal(scene.why, MRT_EIO);
    assert_int_equal(scene_load(&scene, "mortise-boot-id", &bytes, 1), -1);
}

static void a_directory_out_of_use_is_good_again_when_reopened(void **state)
{
    uint64_t bytes = 0;
    a_sync_that_fails_ends_the_use(state);
    assert_int_equal(scene_close(&log_), MRT_EOFFLINE);
    assert_int_equal(scene_dir_close(&scene), MRT_OK);
    assert_int_equal(scene_load(&scene, ".kafka_cleanshutdown", &bytes, 1), -1);
    assert_int_equal(scene_dir_open(&scene), MRT_OK);
    assert_int_equal(scene_open(&scene, &log_, 0), MRT_OK);
    assert_int_equal(scene_state(&log_).durable, scene_state(&log_).end);
    assert_int_equal(scene_put(&log_, 3, 200, 900, 7), MRT_OK);
}

static void a_read_without_a_free_descriptor_fails_and_the_next_does_not(void **state)
{
    uint64_t bytes = 0;
    (void)state;
    assert_int_equal(scene_close(&log_), MRT_OK);
    assert_int_equal(scene_open(&scene, &log_, 0), MRT_OK);
    disk_fail(scene.disk, DISK_OPEN, 0, MRT_ENOMEM);
    assert_int_equal(read_all(&bytes), MRT_ENOMEM);
    assert_int_equal(read_all(&bytes), MRT_OK);
    assert_int_equal(bytes, scene_state(&log_).bytes);
}

static void a_flush_without_a_free_descriptor_fails_and_loses_nothing(void **state)
{
    (void)state;
    assert_int_equal(scene_put(&log_, 3, 200, 900, 7), MRT_OK);
    assert_int_equal(scene_roll(&log_), MRT_OK);
    assert_int_equal(scene_put(&log_, 3, 200, 900, 7), MRT_OK);
    for (uint32_t i = 0; i < 3; i++) {
        disk_fail(scene.disk, DISK_OPEN, i, MRT_ENOMEM);
        mrt_status status = scene_flush(&log_, 15);
        assert_true(status == MRT_OK || status == MRT_ENOMEM);
    }
    disk_fail(scene.disk, DISK_OPEN, 1000000, MRT_OK);
    assert_int_equal(scene_flush(&log_, 15), MRT_OK);
    assert_int_equal(scene.states_n, 0);
}

static void a_trim_that_fails_has_changed_nothing(void **state)
{
    (void)state;
    assert_int_equal(scene_roll(&log_), MRT_OK);
    mrt_log_state before = scene_state(&log_);
    disk_fail(scene.disk, DISK_RENAME, 0, MRT_EIO);
    assert_int_equal(scene_trim_head(&log_, 9), MRT_EIO);
    expect_same(&before);
    assert_int_equal(scene_trim_head(&log_, 9), MRT_OK);
    assert_int_equal(scene_state(&log_).start, 9);
}

static void a_roll_that_fails_leaves_the_segment_in_use(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 3; i++) {
        mrt_log_state before = scene_state(&log_);
        disk_fail(scene.disk, DISK_OPEN, i, MRT_ENOSPC);
        assert_int_equal(scene_roll(&log_), MRT_ENOSPC);
        expect_same(&before);
        assert_int_equal(scene_put(&log_, 3, 200, 900, 7), MRT_OK);
    }
    assert_int_equal(scene_roll(&log_), MRT_OK);
    assert_int_equal(scene_put(&log_, 1, 200, 10, 7), MRT_OK);
    mrt_log_state before = scene_state(&log_);
    assert_int_equal(scene_close(&log_), MRT_OK);
    assert_int_equal(scene_open(&scene, &log_, 0), MRT_OK);
    expect_same(&before);
}

static void a_full_disk_reads_trims_and_then_takes_more(void **state)
{
    uint64_t bytes = 0;
    uint32_t i = 0;
    (void)state;
    while (scene_put(&log_, 1, i, 20000, i) == MRT_OK && ++i < 100)
        if (i == 3)
            assert_int_equal(scene_roll(&log_), MRT_OK);
    assert_true(i < 12);
    mrt_log_state before = scene_state(&log_);
    assert_int_equal(scene_put(&log_, 1, 1, 20000, 1), MRT_ENOSPC);
    expect_same(&before);
    assert_int_equal(read_all(&bytes), MRT_OK);
    assert_int_equal(scene_trim_head(&log_, before.active_base), MRT_OK);
    world_run(scene.world, world_now_ns(scene.world) + 1000000000);
    assert_int_equal(scene_put(&log_, 1, 1, 20000, 1), MRT_OK);
}

static void a_slow_disk_holds_up_one_append_and_no_second(void **state)
{
    static uint8_t room[2][4000];
    mrt_slice slices[2];
    mrt_batch v[2];
    mrt_log_state after = {.size = sizeof after};
    uint64_t bytes = 0;
    (void)state;
    disk_slow(scene.disk, 50000000);
    assert_int_equal(scene_put(&log_, 1, 1, 10, 1), MRT_OK); /* noticed: workers from now on */
    for (uint32_t i = 0; i < 2; i++) {
        scene_batch(room[i], 10 + i, 1, 1, 10, i);
        v[i] = scene_describe(room[i], &slices[i]);
    }
    const mrt_append append = {.size = sizeof append, .v = &v[0], .n = 1};
    struct scene_call call = {
        .scene = &scene,
        .exec = log_.exec,
        .call = scene_do_append,
        .log = log_.log,
        .in = &append,
        .out = &after,
    };
    scene_start(&call);
    if (call.answer == MRT_PENDING && call.op.completions == 0) {
        assert_int_equal(scene_append(&log_, &v[1], 1, 0, NULL), MRT_EBUSY);
        if (call.op.completions == 0)
            assert_int_equal(scene_roll(&log_), MRT_EBUSY);
        assert_int_equal(read_all(&bytes), MRT_OK);
    }
    assert_int_equal(scene_wait(&call), MRT_OK);
    assert_int_equal(after.end, 11);
    assert_int_equal(scene_append(&log_, &v[1], 1, 0, NULL), MRT_OK);
}

static void flushes_that_wait_share_syncs(void **state)
{
    struct scene_call calls[8];
    (void)state;
    for (uint32_t i = 0; i < 8; i++) {
        assert_int_equal(scene_put(&log_, 1, 1, 10, i), MRT_OK);
        calls[i] = (struct scene_call){
            .scene = &scene,
            .exec = log_.exec,
            .call = scene_do_flush,
            .log = log_.log,
            .offset = 10 + i,
        };
        scene_start(&calls[i]);
    }
    for (uint32_t i = 8; i > 0; i--)
        assert_int_equal(scene_wait(&calls[i - 1]), MRT_OK);
    assert_int_equal(scene_state(&log_).durable, 17);
}

#define GOOD(test)                                                                                 \
    cmocka_unit_test_setup_teardown(test, in_world_1, end),                                        \
        cmocka_unit_test_setup_teardown(test, in_world_2, end)
#define LOST(test)                                                                                 \
    cmocka_unit_test_setup_teardown(test, in_world_1, end_offline),                                \
        cmocka_unit_test_setup_teardown(test, in_world_2, end_offline)

int main(void)
{
    const struct CMUnitTest tests[] = {
        GOOD(an_append_that_fails_leaves_nothing),
        LOST(an_append_that_cannot_be_cut_back_ends_the_use),
        LOST(a_sync_that_fails_ends_the_use),
        GOOD(a_directory_out_of_use_is_good_again_when_reopened),
        GOOD(a_read_without_a_free_descriptor_fails_and_the_next_does_not),
        GOOD(a_flush_without_a_free_descriptor_fails_and_loses_nothing),
        GOOD(a_trim_that_fails_has_changed_nothing),
        GOOD(a_roll_that_fails_leaves_the_segment_in_use),
        cmocka_unit_test_setup_teardown(
            a_full_disk_reads_trims_and_then_takes_more, on_a_small_disk, end),
        GOOD(a_slow_disk_holds_up_one_append_and_no_second),
        GOOD(flushes_that_wait_share_syncs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
