/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a crash or a rotting device leaves of one log, and what opening it makes of that. Each test
 * writes three batches (offsets 0 to 2, 3 to 5, 6 to 8), lets the process end without closing
 * anything, changes files, and opens again. Nothing was flushed unless the test says so.
 */
#include "tests/unit/segment/files.h"

#define LOG   "orders-0/00000000000000000000.log"
#define INDEX "orders-0/00000000000000000000.index"

static struct scene scene;
static struct scene_log log_;
static uint64_t size; /* of one batch */
static uint8_t room[SCENE_BATCH_MAX];

static int begin(void **state, uint64_t seed)
{
    scene = (struct scene){.simulated = true, .seed = seed};
    scene.cfg =
        (struct mrt_cfg){{64, 5000, 0, 10485760}}; /* every batch but the first is indexed */
    log_ = (struct scene_log){.topic = "orders", .topic_id = {1, 2, 3}};
    scene_boot(&scene);
    assert_int_equal(scene_dir_open(&scene), MRT_OK);
    assert_int_equal(scene_open(&scene, &log_, MRT_LOG_CREATE), MRT_OK);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(scene_put(&log_, 3, 100 + i, 900, i), MRT_OK);
    size = scene_state(&log_).bytes / 3;
    *state = &scene;
    return 0;
}

static int in_world_1(void **state)
{
    return begin(state, 1);
}
static int in_world_2(void **state)
{
    return begin(state, 2);
}

static int end(void **state)
{
    (void)state;
    assert_int_equal(scene_dir_close(&scene), MRT_OK);
    scene_end(&scene);
    return 0;
}

/* The process ends; the next one has not opened anything yet. */
static void kill_process(void)
{
    struct disk *disk = disk_copy(scene.disk);
    assert_int_equal(scene_close(&log_), MRT_OK);
    assert_int_equal(scene_dir_close(&scene), MRT_OK);
    scene_restart_on(&scene, disk, false);
}

static mrt_status come_back(uint32_t flags)
{
    assert_int_equal(scene_dir_open(&scene), MRT_OK);
    return scene_open(&scene, &log_, flags);
}

static void rot(const char *name, uint64_t at)
{
    mrt_str path = scene_path(&scene, name);
    assert_true(disk_rot(scene.disk, path.p, at));
}

/* The log is open, ends at @offset, and takes more. */
static void expect_end(int64_t offset)
{
    mrt_log_state state = scene_state(&log_);
    assert_int_equal(state.start, 0);
    assert_int_equal(state.end, offset);
    assert_int_equal(state.durable, offset);
    assert_int_equal(state.bytes, size * (uint64_t)offset / 3);
    assert_int_equal(scene_load(&scene, LOG, room, sizeof room), (int64_t)state.bytes);
    assert_int_equal(scene_put(&log_, 3, 200, 900, 9), MRT_OK);
    assert_int_equal(scene_state(&log_).end, offset + 3);
    assert_int_equal(scene_close(&log_), MRT_OK);
}

/* Opening fails as it should, tells, and changes nothing. */
static void expect_corrupt(int64_t from, uint32_t flags)
{
    static uint8_t before[SCENE_BATCH_MAX];
    int64_t n = scene_load(&scene, LOG, before, sizeof before);
    assert_int_equal(come_back(flags), MRT_ECORRUPT);
    assert_int_equal(scene.corrupts, 1);
    assert_int_equal(scene.corrupt_from, from);
    assert_int_equal(scene_load(&scene, LOG, room, sizeof room), n);
    assert_memory_equal(room, before, (size_t)n);
}

static void nothing_is_lost_when_only_the_process_ends(void **state)
{
    (void)state;
    kill_process();
    assert_int_equal(come_back(0), MRT_OK);
    expect_end(9);
}

static void an_incomplete_last_batch_is_cut_off(void **state)
{
    (void)state;
    kill_process();
    scene_cut(&scene, LOG, 3 * size - 10);
    assert_int_equal(come_back(0), MRT_OK);
    expect_end(6);
}

static void less_than_a_header_at_the_end_is_cut_off(void **state)
{
    (void)state;
    kill_process();
    scene_cut(&scene, LOG, 2 * size + 5);
    assert_int_equal(come_back(0), MRT_OK);
    expect_end(6);
}

static void a_last_batch_without_its_checksum_is_cut_off(void **state)
{
    (void)state;
    kill_process();
    rot(LOG, 3 * size - 100);
    assert_int_equal(come_back(0), MRT_OK);
    expect_end(6);
}

static void zeros_behind_the_last_batch_are_cut_off(void **state)
{
    static const uint8_t zeros[5000];
    (void)state;
    kill_process();
    scene_save(&scene, LOG, zeros, sizeof zeros, 3 * size);
    assert_int_equal(come_back(0), MRT_OK);
    expect_end(9);
}

static void damage_with_batches_behind_it_is_not_cut_off(void **state)
{
    (void)state;
    kill_process();
    rot(LOG, size + 100);
    expect_corrupt(3, 0);
}

static void a_damaged_length_is_not_taken_for_the_end(void **state)
{
    (void)state;
    kill_process();
    rot(LOG, size + 8); /* the batch seems to reach beyond the file */
    expect_corrupt(3, 0);
}

static void damage_in_the_first_batch_is_not_an_empty_log(void **state)
{
    (void)state;
    kill_process();
    rot(LOG, 16);
    expect_corrupt(0, 0);
}

static void what_was_flushed_is_never_cut_off(void **state)
{
    (void)state;
    assert_int_equal(scene_flush(&log_, 9), MRT_OK);
    world_run(scene.world, world_now_ns(scene.world) + UINT64_C(6000000000)); /* a checkpoint */
    kill_process();
    rot(LOG, 3 * size - 100);
    expect_corrupt(6, 0);
}

static void a_log_that_lost_flushed_bytes_is_not_opened(void **state)
{
    (void)state;
    assert_int_equal(scene_flush(&log_, 9), MRT_OK);
    world_run(scene.world, world_now_ns(scene.world) + UINT64_C(6000000000));
    kill_process();
    scene_cut(&scene, LOG, 2 * size);
    expect_corrupt(6, 0);
}

static void a_broken_log_is_listed_as_such_and_can_be_removed(void **state)
{
    mrt_log_row rows[2] = {{.size = sizeof rows[0]}, {.size = sizeof rows[0]}};
    char text[300];
    (void)state;
    kill_process();
    rot(LOG, 100);
    assert_int_equal(come_back(0), MRT_ECORRUPT);
    mrt_log_list list = {
        .size = sizeof list,
        .rows = rows,
        .cap = 2,
        .stride = sizeof rows[0],
        .text = text,
        .text_cap = sizeof text,
    };
    assert_int_equal(scene_logs(&scene, &list), MRT_OK);
    assert_int_equal(list.n, 1);
    assert_int_equal(rows[0].state, MRT_LOG_BROKEN);
    assert_int_equal(scene_remove(&scene, &log_), MRT_OK);
    assert_int_equal(scene_open(&scene, &log_, MRT_LOG_CREATE), MRT_OK);
    assert_int_equal(scene_state(&log_).end, 0);
    assert_int_equal(scene_close(&log_), MRT_OK);
}

static void indexes_that_are_gone_or_wrong_are_made_again(void **state)
{
    static const uint8_t wrong[8] = {0, 0, 0, 77, 0, 0, 0, 5};
    uint8_t index[64];
    (void)state;
    for (uint32_t pass = 0; pass < 2; pass++) {
        kill_process();
        if (pass == 0)
            assert_int_equal(scene_unlink(&scene, INDEX), MRT_OK);
        else
            scene_save(&scene, INDEX, wrong, sizeof wrong, 8);
        assert_int_equal(come_back(0), MRT_OK);
        assert_int_equal(scene_load(&scene, INDEX, index, sizeof index), 16);
        assert_int_equal(kit_get32(index), 5);
        assert_int_equal(kit_get32(index + 4), size);
        assert_int_equal(kit_get32(index + 8), 8);
        assert_int_equal(kit_get32(index + 12), 2 * size);
    }
    assert_int_equal(scene_close(&log_), MRT_OK);
}

static void verifying_finds_what_trust_does_not_look_at(void **state)
{
    (void)state;
    assert_int_equal(scene_roll(&log_), MRT_OK);
    assert_int_equal(scene_put(&log_, 3, 1, 10, 1), MRT_OK);
    assert_int_equal(scene_close(&log_), MRT_OK);
    rot(LOG, size + 100);
    assert_int_equal(scene_open(&scene, &log_, 0), MRT_OK);
    assert_int_equal(scene_close(&log_), MRT_OK);
    assert_int_equal(scene_open(&scene, &log_, MRT_LOG_VERIFY), MRT_ECORRUPT);
    assert_int_equal(scene.corrupt_from, 3);
}

static void leftovers_of_unfinished_work_are_removed(void **state)
{
    (void)state;
    kill_process();
    scene_save(&scene, "orders-0/00000000000000000000.log.deleted", "x", 1, 0);
    scene_save(&scene, "orders-0/leader-epoch-checkpoint.tmp", "x", 1, 0);
    assert_int_equal(come_back(0), MRT_OK);
    assert_int_equal(scene_load(&scene, "orders-0/00000000000000000000.log.deleted", room, 1), -1);
    assert_int_equal(scene_load(&scene, "orders-0/leader-epoch-checkpoint.tmp", room, 1), -1);
    expect_end(9);
}

static void a_compaction_that_kafka_did_not_finish_is_left_to_it(void **state)
{
    (void)state;
    kill_process();
    scene_save(&scene, "orders-0/00000000000000000000.log.swap", "x", 1, 0);
    assert_int_equal(come_back(0), MRT_ECORRUPT);
    assert_int_equal(scene_load(&scene, "orders-0/00000000000000000000.log.swap", room, 1), 1);
}

#define IN_WORLDS(test)                                                                            \
    cmocka_unit_test_setup_teardown(test, in_world_1, end),                                        \
        cmocka_unit_test_setup_teardown(test, in_world_2, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLDS(nothing_is_lost_when_only_the_process_ends),
        IN_WORLDS(an_incomplete_last_batch_is_cut_off),
        IN_WORLDS(less_than_a_header_at_the_end_is_cut_off),
        IN_WORLDS(a_last_batch_without_its_checksum_is_cut_off),
        IN_WORLDS(zeros_behind_the_last_batch_are_cut_off),
        IN_WORLDS(damage_with_batches_behind_it_is_not_cut_off),
        IN_WORLDS(a_damaged_length_is_not_taken_for_the_end),
        IN_WORLDS(damage_in_the_first_batch_is_not_an_empty_log),
        IN_WORLDS(what_was_flushed_is_never_cut_off),
        IN_WORLDS(a_log_that_lost_flushed_bytes_is_not_opened),
        IN_WORLDS(a_broken_log_is_listed_as_such_and_can_be_removed),
        IN_WORLDS(indexes_that_are_gone_or_wrong_are_made_again),
        IN_WORLDS(verifying_finds_what_trust_does_not_look_at),
        IN_WORLDS(leftovers_of_unfinished_work_are_removed),
        IN_WORLDS(a_compaction_that_kafka_did_not_finish_is_left_to_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
