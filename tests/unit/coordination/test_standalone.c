/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A standalone log on an empty disk, in a world whose seed turns inline outcomes into pending ones
 * and lets things happen in any legal order. What the core hears is checked in scene.c: dense
 * offsets, rising epochs, completions after delivery.
 */
#include <stdio.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/base/str.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/coordination/scene.h"

static struct scene scene;
static struct disk *disk;

static int begin(void **state)
{
    (void)state;
    disk = disk_new(0);
    scene_start(&scene, &(struct scene_options){.disk = disk, .seed = 11});
    return 0;
}

static int end(void **state)
{
    (void)state;
    scene_end(&scene);
    disk_free(disk);
    return 0;
}

/* Another life on the same disk. */
static void restart(uint64_t seed)
{
    struct scene_options options = scene.options;
    scene_end(&scene);
    options.seed = seed;
    scene_start(&scene, &options);
}

static void a_new_log_is_empty_and_leads_in_epoch_one(void **state)
{
    (void)state;
    scene_lead(&scene);
    assert_int_equal(scene.role_epoch, 1);
    assert_int_equal(scene.role_tail, 0);
    assert_int_equal(scene.n_entries, 0);
    mrt_coord_stat stat = scene_stat(&scene);
    assert_int_equal(stat.role, MRT_ROLE_LEADER);
    assert_int_equal(stat.leader, 1);
    assert_true(stat.max_entry >= 256 * 1024);
}

static void entries_are_there_after_a_restart_and_the_epoch_is_higher(void **state)
{
    (void)state;
    scene_lead(&scene);
    for (uint32_t i = 0; i < 300; i++)
        assert_int_equal(scene_append(&scene, i, 10 + i), MRT_OK);
    for (uint32_t life = 2; life < 5; life++) {
        restart(life);
        scene_lead(&scene);
        assert_int_equal(scene.role_epoch, life);
        assert_int_equal(scene.n_entries, 300);
        for (uint32_t i = 0; i < 300; i++)
            assert_heard(&scene, i, i, 10 + i);
    }
    assert_int_equal(scene_append(&scene, 300, 5), MRT_OK);
    assert_int_equal(scene.entries[300].epoch, 4);
    assert_int_equal(scene.entries[0].epoch, 1);
}

static void a_core_that_has_some_hears_the_rest(void **state)
{
    (void)state;
    scene_lead(&scene);
    for (uint32_t i = 0; i < 200; i++)
        assert_int_equal(scene_append(&scene, i, 50), MRT_OK);
    restart(2);
    assert_int_equal(scene_open(&scene, 117), MRT_OK);
    scene_credit(&scene, UINT64_MAX);
    scene_settle(&scene);
    assert_int_equal(scene.n_entries, 83);
    assert_heard(&scene, 0, 117, 50);
    assert_int_equal(scene_close(&scene), MRT_OK);
    assert_int_equal(scene_open(&scene, 200), MRT_OK);
    assert_int_equal(scene_close(&scene), MRT_OK);
    assert_int_equal(scene_open(&scene, 201), MRT_ERANGE);
}

static void a_thousand_appends_in_flight_commit_in_order(void **state)
{
    (void)state;
    static struct appending appends[1000];
    memset(appends, 0, sizeof appends);
    scene_lead(&scene);
    for (uint32_t i = 0; i < 1000; i++)
        scene_append_start(&scene, &appends[i], i, i % 90);
    scene_settle(&scene);
    for (uint32_t i = 0; i < 1000; i++) {
        assert_int_equal(appends[i].status, MRT_OK);
        assert_int_equal(appends[i].offset, i);
        assert_true(appends[i].heard_at_end > i);
        assert_heard(&scene, i, i, i % 90);
        appending_fini(&appends[i]);
    }
}

static void what_the_leader_does_not_expect_is_fenced_and_disturbs_nobody(void **state)
{
    (void)state;
    struct appending good = {0}, epoch = {.epoch = 9}, tail = {.epoch = 1, .expect = 7};
    struct appending big = {.epoch = 1, .expect = 1};
    scene_lead(&scene);
    scene_append_start(&scene, &good, 0, 10);
    scene_append_start(&scene, &epoch, 1, 10);
    scene_append_start(&scene, &tail, 1, 10);
    scene_append_start(&scene, &big, 1, scene_stat(&scene).max_entry + 1);
    assert_int_equal(epoch.status, MRT_EFENCED);
    assert_int_equal(tail.status, MRT_EFENCED); /* O4 */
    assert_int_equal(big.status, MRT_ETOOBIG);
    scene_settle(&scene);
    assert_int_equal(good.status, MRT_OK);
    assert_int_equal(scene.n_entries, 1);
    appending_fini(&good);
    appending_fini(&epoch);
    appending_fini(&tail);
    appending_fini(&big);
}

static void the_largest_entry_and_the_empty_one_are_kept(void **state)
{
    (void)state;
    scene_lead(&scene);
    uint64_t max = scene_stat(&scene).max_entry;
    assert_int_equal(scene_append(&scene, 0, max), MRT_OK);
    assert_int_equal(scene_append(&scene, 1, 0), MRT_OK);
    assert_int_equal(scene_append(&scene, 2, 1), MRT_OK);
    restart(3);
    scene_lead(&scene);
    assert_heard(&scene, 0, 0, max);
    assert_heard(&scene, 1, 1, 0);
    assert_heard(&scene, 2, 2, 1);
}

static void nothing_is_delivered_beyond_the_credit(void **state)
{
    (void)state;
    struct appending append = {0};
    assert_int_equal(scene_open(&scene, 0), MRT_OK);
    assert_int_equal(scene_campaign(&scene, 1), MRT_OK);
    scene_credit(&scene, 100);
    scene_settle(&scene);
    assert_int_equal(scene_append(&scene, 0, 60), MRT_OK);
    scene_append_start(&scene, &append, 1, 41);
    scene_settle(&scene);
    assert_int_equal(append.ended, 0); /* durable, but O2 comes first */
    assert_int_equal(scene.n_entries, 1);
    scene_credit(&scene, 1);
    scene_settle(&scene);
    assert_int_equal(append.status, MRT_OK);
    assert_int_equal(scene.n_entries, 2);
    appending_fini(&append);

    restart(5);
    assert_int_equal(scene_open(&scene, 0), MRT_OK);
    assert_int_equal(scene_campaign(&scene, 1), MRT_OK);
    scene_credit(&scene, 60);
    scene_settle(&scene);
    assert_int_equal(scene.n_entries, 1);
    assert_int_equal(scene.roles, 0); /* L2 */
    scene_credit(&scene, 41);
    scene_settle(&scene);
    assert_int_equal(scene.n_entries, 2);
    assert_int_equal(scene.role, MRT_ROLE_LEADER);
}

static void who_does_not_lead_appends_nothing(void **state)
{
    (void)state;
    struct appending append = {.epoch = 1};
    assert_int_equal(scene_open(&scene, 0), MRT_OK);
    scene_append_start(&scene, &append, 0, 5);
    assert_int_equal(append.status, MRT_ENOTLEADER);
    appending_fini(&append);
    assert_int_equal(scene_resign(&scene, 1), MRT_EFENCED);
}

static void resigning_waits_for_what_is_in_flight_and_ends_the_epoch(void **state)
{
    (void)state;
    struct appending append = {0}, late = {.epoch = 1, .expect = 1};
    scene_lead(&scene);
    assert_int_equal(scene_resign(&scene, 7), MRT_EFENCED);
    scene_append_start(&scene, &append, 0, 10);
    assert_int_equal(scene_resign(&scene, 1), MRT_OK);
    assert_int_equal(append.status, MRT_OK);
    assert_int_equal(scene.role, MRT_ROLE_FOLLOWER);
    scene_append_start(&scene, &late, 1, 10);
    assert_int_equal(late.status, MRT_ENOTLEADER); /* L3 */
    assert_int_equal(scene_campaign(&scene, 1), MRT_OK);
    scene_settle(&scene);
    assert_int_equal(scene.role, MRT_ROLE_LEADER);
    assert_int_equal(scene.role_epoch, 2);
    assert_int_equal(scene_append(&scene, 1, 10), MRT_OK);
    assert_int_equal(scene_campaign(&scene, 0), MRT_OK);
    scene_settle(&scene);
    assert_int_equal(scene.role, MRT_ROLE_FOLLOWER);
    appending_fini(&append);
    appending_fini(&late);
}

static void closing_leaves_appends_in_flight_unknown(void **state)
{
    (void)state;
    static struct appending appends[50];
    memset(appends, 0, sizeof appends);
    scene_lead(&scene);
    for (uint32_t i = 0; i < 50; i++)
        scene_append_start(&scene, &appends[i], i, 20);
    assert_int_equal(scene_close(&scene), MRT_OK);
    uint32_t known = 0;
    for (uint32_t i = 0; i < 50; i++) {
        known += appends[i].status == MRT_OK;
        assert_true(appends[i].status == MRT_OK || appends[i].status == MRT_EUNKNOWN);
        assert_true(i == 0 || appends[i - 1].status == MRT_OK || appends[i].status != MRT_OK);
        appending_fini(&appends[i]);
    }
    uint32_t roles = scene.roles;
    scene_settle(&scene);
    assert_int_equal(scene.roles, roles);
    scene_lead(&scene);
    assert_true(scene.n_entries >= known);
    for (uint32_t i = 0; i < scene.n_entries; i++)
        assert_heard(&scene, i, i, 20);
}

static void the_directory_belongs_to_one_process_and_one_node(void **state)
{
    (void)state;
    static struct scene second;
    scene_lead(&scene);
    assert_int_equal(scene_append(&scene, 0, 10), MRT_OK);
    scene_start(&second, &(struct scene_options){.disk = disk, .seed = 3});
    assert_int_equal(scene_open(&second, 0), MRT_EBUSY);
    scene_end(&second);

    assert_int_equal(scene_append(&scene, 1, 10), MRT_OK);
    assert_int_equal(scene_close(&scene), MRT_OK);
    scene_start(&second, &(struct scene_options){.disk = disk, .seed = 3, .node = 2});
    assert_int_equal(scene_open(&second, 0), MRT_EDENIED);
    scene_end(&second);
    scene_lead(&scene);
    assert_int_equal(scene.n_entries, 2);
}

static void an_instance_stopped_with_its_log_open_closes_it(void **state)
{
    (void)state;
    scene_lead(&scene);
    assert_int_equal(scene_append(&scene, 0, 10), MRT_OK);
    restart(9);
    scene_lead(&scene);
    assert_int_equal(scene.n_entries, 1);
}

/* ---- snapshots ------------------------------------------------------------------------------- */

static void a_stored_snapshot_lets_the_log_be_trimmed_and_starts_the_next_life(void **state)
{
    (void)state;
    scene_lead(&scene);
    for (uint32_t i = 0; i < 400; i++)
        assert_int_equal(scene_append(&scene, i, 40), MRT_OK);
    assert_int_equal(scene_trim(&scene, 1), MRT_ERANGE);
    assert_int_equal(scene_store(&scene, 150, 3000, 0), MRT_OK);
    assert_int_equal(scene_store(&scene, 390, 5000, 0), MRT_OK);
    assert_int_equal(disk_size(disk, SCENE_DIR "/00000000000000000150.snapshot"), 0);
    assert_int_equal(scene_trim(&scene, 391), MRT_ERANGE);
    assert_int_equal(scene_trim(&scene, 390), MRT_OK);
    uint64_t start = scene_stat(&scene).start;
    assert_true(start > 300);
    assert_true(start <= 390);
    assert_int_equal(scene_append(&scene, 400, 40), MRT_OK);

    restart(4);
    assert_int_equal(scene_open(&scene, 0), MRT_OK);
    scene_credit(&scene, UINT64_MAX);
    assert_int_equal(scene_campaign(&scene, 1), MRT_OK);
    scene_settle(&scene);
    assert_int_equal(scene.roles, 0); /* the core is still reading */
    assert_int_equal(scene.id.end_offset, 390);
    assert_int_equal(scene_close(&scene), MRT_EBUSY);
    assert_int_equal(scene_adopt(&scene, 5000), MRT_OK);
    scene_settle(&scene);
    assert_int_equal(scene.n_entries, 11);
    assert_heard(&scene, 0, 390, 40);
    assert_int_equal(scene.role, MRT_ROLE_LEADER);
    assert_int_equal(scene.role_tail, 401);
}

static void a_log_that_grew_long_asks_for_a_snapshot_once(void **state)
{
    (void)state;
    scene_lead(&scene);
    uint32_t n = 0;
    while (scene.wants == 0 && n < 2000)
        assert_int_equal(scene_append(&scene, n++, 200), MRT_OK);
    assert_true(n > 16 * 16); /* sixteen to seventeen of them fill a segment */
    assert_true(n < 2000);
    assert_true(scene.wanted <= n);
    for (uint32_t i = 0; i < 200; i++)
        assert_int_equal(scene_append(&scene, n++, 200), MRT_OK);
    assert_int_equal(scene.wants, 1);
    assert_int_equal(scene_store(&scene, n, 10, 0), MRT_OK);
    for (uint32_t i = 0; i < 500; i++)
        assert_int_equal(scene_append(&scene, n++, 200), MRT_OK);
    assert_int_equal(scene.wants, 2);
}

static void what_is_retained_is_kept_although_a_snapshot_covers_it(void **state)
{
    (void)state;
    struct scene_options options = scene.options;
    scene_end(&scene);
    options.retain_bytes = 9000;
    scene_start(&scene, &options);
    scene_lead(&scene);
    for (uint32_t i = 0; i < 400; i++)
        assert_int_equal(scene_append(&scene, i, 40), MRT_OK);
    assert_int_equal(scene_store(&scene, 400, 10, 0), MRT_OK);
    assert_int_equal(scene_trim(&scene, 400), MRT_OK);
    uint64_t kept = 400 - scene_stat(&scene).start;
    assert_true(kept * 80 >= 9000);
    assert_true(kept * 80 < 9000 + 2 * 4096);
}

static void a_snapshot_that_is_not_what_it_says_is_never_seen(void **state)
{
    (void)state;
    scene_lead(&scene);
    for (uint32_t i = 0; i < 10; i++)
        assert_int_equal(scene_append(&scene, i, 40), MRT_OK);
    assert_int_equal(scene_store(&scene, 11, 100, 0), MRT_EINVAL);
    assert_int_equal(scene_store(&scene, 5, 100, 1), MRT_ECORRUPT);
    assert_int_equal(scene_trim(&scene, 5), MRT_ERANGE);
    disk_fail(disk, DISK_WRITE, 2, MRT_ENOSPC);
    assert_int_equal(scene_store(&scene, 5, 4000, 0), MRT_ENOSPC);
    assert_int_equal(scene_store(&scene, 5, 4000, 0), MRT_OK);
    assert_int_equal(scene_store(&scene, 5, 4000, 0), MRT_EINVAL);
    assert_int_equal(scene.fatals, 0);
}

/* ---- disks that fail ------------------------------------------------------------------------- */

static void a_full_disk_refuses_entries_that_then_never_appear(void **state)
{
    (void)state;
    scene_lead(&scene);
    assert_int_equal(scene_append(&scene, 0, 40), MRT_OK);
    for (uint32_t round = 1; round < 5; round++) {
        struct appending appends[6];
        memset(appends, 0, sizeof appends);
        disk_fail(disk, DISK_WRITE, 0, MRT_ENOSPC);
        for (uint32_t i = 0; i < 6; i++)
            scene_append_start(&scene, &appends[i], 1000 + i, 100);
        scene_settle(&scene);
        for (uint32_t i = 0; i < 6; i++) {
            assert_int_equal(appends[i].status, MRT_ENOSPC);
            appending_fini(&appends[i]);
        }
        assert_int_equal(scene_append(&scene, round, 40), MRT_OK);
    }
    assert_int_equal(scene.fatals, 0);
    restart(8);
    scene_lead(&scene);
    assert_int_equal(scene.n_entries, 5);
    for (uint32_t i = 0; i < 5; i++)
        assert_heard(&scene, i, i, 40);
}

static void a_disk_too_full_for_the_next_segment_refuses_too(void **state)
{
    (void)state;
    scene_lead(&scene);
    uint32_t n = 0;
    while (disk_size(disk, SCENE_DIR "/00000000000000000000.wal") < 4096)
        assert_int_equal(scene_append(&scene, n++, 100), MRT_OK);
    disk_fail(disk, DISK_OPEN, 0, MRT_ENOSPC);
    assert_int_equal(scene_append(&scene, 999, 100), MRT_ENOSPC);
    disk_fail(disk, DISK_WRITE, 0, MRT_ENOSPC);
    assert_int_equal(scene_append(&scene, 999, 100), MRT_ENOSPC);
    assert_int_equal(scene_append(&scene, n, 100), MRT_OK);
    restart(8);
    scene_lead(&scene);
    assert_int_equal(scene.n_entries, n + 1);
    assert_heard(&scene, n, n, 100);
}

static void a_failed_sync_is_final(void **state)
{
    (void)state;
    struct appending append = {0}, waiting = {0}, after = {.epoch = 1, .expect = 1};
    scene_lead(&scene);
    assert_int_equal(scene_append(&scene, 0, 40), MRT_OK);
    disk_fail(disk, DISK_SYNC, 0, MRT_EIO);
    scene_append_start(&scene, &append, 1, 40);
    scene_append_start(&scene, &waiting, 2, 40);
    scene_settle(&scene);
    assert_int_equal(append.status, MRT_EUNKNOWN); /* U1 */
    assert_int_equal(waiting.status, MRT_EUNKNOWN);
    assert_int_equal(scene.fatals, 1);
    assert_int_equal(scene.role, MRT_ROLE_UNKNOWN);
    assert_non_null(strstr(scene.why.text, SCENE_DIR));
    scene_append_start(&scene, &after, 3, 40);
    assert_int_equal(after.status, MRT_EIO);
    mrt_error detail = {0};
    assert_int_equal(scene.impl->life->health(scene.inst, &detail), MRT_EIO);
    appending_fini(&append);
    appending_fini(&waiting);
    appending_fini(&after);
    assert_int_equal(scene_close(&scene), MRT_OK);
    scene_lead(&scene);
    assert_true(scene.n_entries >= 1);
    assert_heard(&scene, 0, 0, 40);
}

static void a_cut_back_that_fails_is_final_too(void **state)
{
    (void)state;
    struct appending append = {0};
    scene_lead(&scene);
    disk_fail(disk, DISK_WRITE, 0, MRT_ENOSPC);
    disk_fail(disk, DISK_TRUNCATE, 0, MRT_EIO);
    scene_append_start(&scene, &append, 1, 40);
    scene_settle(&scene);
    assert_int_equal(append.status, MRT_EUNKNOWN);
    assert_int_equal(scene.fatals, 1);
    appending_fini(&append);
}

static void an_open_that_fails_anywhere_leaves_nothing_and_can_be_repeated(void **state)
{
    (void)state;
    static const enum disk_call calls[] = {DISK_OPEN,  DISK_WRITE,    DISK_READ,
                                           DISK_SYNC,  DISK_TRUNCATE, DISK_RENAME,
                                           DISK_MKDIR, DISK_SYNC_DIR, DISK_LIST};
    for (uint32_t c = 0; c < sizeof calls / sizeof *calls; c++) {
        for (uint32_t skip = 0; skip < 6; skip++) {
            struct disk *fresh = disk_new(0);
            static struct scene one;
            scene_start(&one, &(struct scene_options){.disk = fresh, .seed = c * 10 + skip});
            disk_fail(fresh, calls[c], skip, MRT_EIO);
            mrt_status status = scene_open(&one, 0);
            if (status == MRT_OK)
                assert_int_equal(scene_close(&one), MRT_OK);
            else
                assert_int_equal(status, MRT_EIO);
            scene_end(&one); /* and with it whatever failure is still in store */
            struct disk *healthy = disk_copy(fresh);
            scene_start(&one, &(struct scene_options){.disk = healthy, .seed = skip});
            scene_lead(&one);
            assert_int_equal(scene_append(&one, 0, 10), MRT_OK);
            scene_end(&one);
            disk_free(fresh);
            disk_free(healthy);
        }
    }
}

static void a_slow_disk_makes_larger_batches_and_loses_nothing(void **state)
{
    (void)state;
    static struct appending appends[300];
    memset(appends, 0, sizeof appends);
    scene_lead(&scene);
    disk_slow(disk, 5000000);
    for (uint32_t i = 0; i < 300; i++)
        scene_append_start(&scene, &appends[i], i, 33);
    uint64_t before_ns = world_now_ns(scene.world);
    scene_settle(&scene);
    uint64_t took_ns = world_now_ns(scene.world) - before_ns;
    for (uint32_t i = 0; i < 300; i++) {
        assert_int_equal(appends[i].status, MRT_OK);
        appending_fini(&appends[i]);
    }
    assert_true(took_ns < 300 * UINT64_C(5000000) / 4); /* far fewer writes than appends */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_log_is_empty_and_leads_in_epoch_one),
        TEST(entries_are_there_after_a_restart_and_the_epoch_is_higher),
        TEST(a_core_that_has_some_hears_the_rest),
        TEST(a_thousand_appends_in_flight_commit_in_order),
        TEST(what_the_leader_does_not_expect_is_fenced_and_disturbs_nobody),
        TEST(the_largest_entry_and_the_empty_one_are_kept),
        TEST(nothing_is_delivered_beyond_the_credit),
        TEST(who_does_not_lead_appends_nothing),
        TEST(resigning_waits_for_what_is_in_flight_and_ends_the_epoch),
        TEST(closing_leaves_appends_in_flight_unknown),
        TEST(the_directory_belongs_to_one_process_and_one_node),
        TEST(an_instance_stopped_with_its_log_open_closes_it),
        TEST(a_stored_snapshot_lets_the_log_be_trimmed_and_starts_the_next_life),
        TEST(a_log_that_grew_long_asks_for_a_snapshot_once),
        TEST(what_is_retained_is_kept_although_a_snapshot_covers_it),
        TEST(a_snapshot_that_is_not_what_it_says_is_never_seen),
        TEST(a_full_disk_refuses_entries_that_then_never_appear),
        TEST(a_disk_too_full_for_the_next_segment_refuses_too),
        TEST(a_failed_sync_is_final),
        TEST(a_cut_back_that_fails_is_final_too),
        TEST(an_open_that_fails_anywhere_leaves_nothing_and_can_be_repeated),
        TEST(a_slow_disk_makes_larger_batches_and_loses_nothing),
    };
    return cmocka_run_group_tests_name("coordination/standalone", tests, NULL, NULL);
}
