/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of a log whose files were cut, flipped, lost or left by a power cut. In every case
 * it is refused, or what it delivers is what was appended, from the first entry on; what was
 * acknowledged is missing only where the damage cannot be told from a torn write.
 */
#include <stdio.h>
#include <string.h>

#include "core/base/str.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/coordination/scene.h"

#define FIRST_SEGMENT SCENE_DIR "/00000000000000000000.wal"
#define ENTRIES       5
#define ENTRY_BYTES   20
#define RECORD_BYTES  64 /* 40, 20 and padding */

static struct scene scene;

/* A disk with a log of ENTRIES entries, closed in order or abandoned like by kill -9. */
static struct disk *disk_with_log(bool closed)
{
    struct disk *disk = disk_new(0);
    scene_start(&scene, &(struct scene_options){.disk = disk, .seed = 5, .calm = true});
    scene_lead(&scene);
    for (uint32_t i = 0; i < ENTRIES; i++)
        assert_int_equal(scene_append(&scene, i, ENTRY_BYTES), MRT_OK);
    struct disk *copy = NULL;
    if (!closed)
        copy = disk_copy(disk);
    scene_end(&scene);
    if (closed)
        copy = disk_copy(disk);
    disk_free(disk);
    return copy;
}

/* Opens a copy of @disk. The status, and in *@n how many entries came; those are right. */
static mrt_status try_open(struct disk *disk, uint32_t *n)
{
    struct disk *copy = disk_copy(disk);
    scene_start(&scene, &(struct scene_options){.disk = copy, .seed = 6, .calm = true});
    mrt_status status = scene_open(&scene, 0);
    *n = 0;
    if (status == MRT_OK) {
        scene_credit(&scene, UINT64_MAX);
        assert_int_equal(scene_campaign(&scene, 1), MRT_OK);
        scene_settle(&scene);
        *n = (uint32_t)scene.n_entries;
        for (uint32_t i = 0; i < *n; i++)
            assert_heard(&scene, i, i, ENTRY_BYTES);
        assert_int_equal(scene.role, MRT_ROLE_LEADER);
        assert_int_equal(scene_append(&scene, *n, ENTRY_BYTES), MRT_OK);
    } else {
        assert_true(status == MRT_ECORRUPT || status == MRT_ETOONEW || status == MRT_EDENIED);
        assert_null(scene.coord);
    }
    scene_end(&scene);
    disk_free(copy);
    return status;
}

static void flips(struct disk *disk, const char *path, uint32_t least)
{
    uint64_t size = disk_size(disk, path);
    assert_true(size > 0);
    for (uint64_t bit = 0; bit < size * 8; bit++) {
        uint32_t n;
        assert_true(disk_poke(disk, path, bit / 8, (uint8_t)(1 << bit % 8)));
        mrt_status status = try_open(disk, &n);
        if (status == MRT_OK && n < least)
            fail_msg("%s bit %d: %u entries", path, (int)bit, n);
        assert_true(disk_poke(disk, path, bit / 8, (uint8_t)(1 << bit % 8)));
    }
}

static void after_an_orderly_close_no_flipped_bit_loses_or_changes_anything(void **state)
{
    (void)state;
    struct disk *disk = disk_with_log(true);
    flips(disk, FIRST_SEGMENT, ENTRIES);
    flips(disk, SCENE_DIR "/vote", ENTRIES);
    disk_free(disk);
}

static void after_a_crash_a_flipped_bit_costs_at_most_the_last_batch(void **state)
{
    (void)state;
    struct disk *disk = disk_with_log(false);
    flips(disk, FIRST_SEGMENT, ENTRIES - 1);
    disk_free(disk);
}

static void a_last_record_torn_at_any_byte_is_cut_off(void **state)
{
    (void)state;
    struct disk *disk = disk_with_log(false);
    uint64_t size = disk_size(disk, FIRST_SEGMENT);
    assert_int_equal(size, 64 + ENTRIES * RECORD_BYTES);
    for (uint64_t cut = size - RECORD_BYTES; cut <= size; cut++) {
        uint32_t n;
        struct disk *torn = disk_copy(disk);
        disk_cut(torn, FIRST_SEGMENT, cut);
        assert_int_equal(try_open(torn, &n), MRT_OK);
        assert_int_equal(n, cut == size ? ENTRIES : ENTRIES - 1);
        disk_cut(torn, FIRST_SEGMENT, cut + 5000); /* a length without its data reads as zeros */
        assert_int_equal(try_open(torn, &n), MRT_OK);
        disk_free(torn);
    }
    disk_free(disk);
}

static void a_closed_log_that_became_shorter_is_refused(void **state)
{
    (void)state;
    struct disk *disk = disk_with_log(true);
    for (uint64_t cut = 0; cut < 64 + ENTRIES * RECORD_BYTES; cut += 8) {
        uint32_t n;
        struct disk *torn = disk_copy(disk);
        disk_cut(torn, FIRST_SEGMENT, cut);
        assert_int_equal(try_open(torn, &n), MRT_ECORRUPT);
        disk_free(torn);
    }
    disk_free(disk);
}

static void unlink_of(struct disk *disk, const char *path)
{
    mrt_str text = str_of(path);
    assert_int_equal(disk_unlink(disk, &text), MRT_OK);
}

static void a_missing_file_is_named(void **state)
{
    (void)state;
    uint32_t n;
    struct disk *disk = disk_with_log(true);
    struct disk *without = disk_copy(disk);
    unlink_of(without, SCENE_DIR "/vote");
    assert_int_equal(try_open(without, &n), MRT_ECORRUPT);
    disk_free(without);
    without = disk_copy(disk);
    unlink_of(without, FIRST_SEGMENT);
    assert_int_equal(try_open(without, &n), MRT_ECORRUPT);
    disk_free(without);
    disk_free(disk);
}

static void a_hole_between_segments_is_refused(void **state)
{
    (void)state;
    uint32_t n;
    char path[80];
    struct disk *disk = disk_new(0);
    scene_start(&scene, &(struct scene_options){.disk = disk, .seed = 5});
    scene_lead(&scene);
    for (uint32_t i = 0; i < 300; i++)
        assert_int_equal(scene_append(&scene, i, ENTRY_BYTES), MRT_OK);
    scene_end(&scene);
    assert_int_equal(try_open(disk, &n), MRT_OK);
    assert_int_equal(n, 300);

    uint64_t second = (4096 - 64 + RECORD_BYTES - 1) / RECORD_BYTES; /* the first segment is full */
    snprintf(path, sizeof path, SCENE_DIR "/%020llu.wal", (unsigned long long)second);
    assert_true(disk_size(disk, path) > 64);
    struct disk *flipped = disk_copy(disk);
    uint64_t last = disk_size(disk, FIRST_SEGMENT) - RECORD_BYTES;
    assert_true(disk_poke(flipped, FIRST_SEGMENT, last + 41, 1)); /* torn? a segment follows it */
    assert_int_equal(try_open(flipped, &n), MRT_ECORRUPT);
    disk_free(flipped);
    unlink_of(disk, path);
    assert_int_equal(try_open(disk, &n), MRT_ECORRUPT);
    disk_free(disk);
}

static void a_flipped_bit_in_a_snapshot_is_noticed_before_it_is_used(void **state)
{
    (void)state;
    struct disk *disk = disk_new(0);
    scene_start(&scene, &(struct scene_options){.disk = disk, .seed = 5});
    scene_lead(&scene);
    for (uint32_t i = 0; i < 200; i++)
        assert_int_equal(scene_append(&scene, i, ENTRY_BYTES), MRT_OK);
    assert_int_equal(scene_store(&scene, 190, 150, 0), MRT_OK);
    assert_int_equal(scene_trim(&scene, 190), MRT_OK);
    scene_end(&scene);
    static const char path[] = SCENE_DIR "/00000000000000000190.snapshot";
    uint64_t size = disk_size(disk, path);
    assert_int_equal(size, 64 + 150);
    for (uint64_t bit = 0; bit < size * 8; bit++) {
        assert_true(disk_poke(disk, path, bit / 8, (uint8_t)(1 << bit % 8)));
        struct disk *copy = disk_copy(disk);
        scene_start(&scene, &(struct scene_options){.disk = copy, .seed = bit});
        mrt_status status = scene_open(&scene, 0);
        if (status == MRT_OK) {
            scene_credit(&scene, UINT64_MAX);
            scene_settle(&scene);
            assert_int_equal(scene_adopt(&scene, 150), MRT_ECORRUPT);
            scene_settle(&scene);
            assert_int_equal(scene.fatals, 1);
        }
        assert_int_equal(scene.n_entries, 0);
        scene_end(&scene);
        disk_free(copy);
        assert_true(disk_poke(disk, path, bit / 8, (uint8_t)(1 << bit % 8)));
    }
    disk_free(disk);
}

/* ---- power cuts ------------------------------------------------------------------------------ */

#define CUT_APPENDS 300

/* How many of @appends, in order, ended well. */
static uint32_t acknowledged(const struct appending *appends)
{
    uint32_t n = 0;
    while (n < CUT_APPENDS && appends[n].ended && appends[n].status == MRT_OK)
        n++;
    return n;
}

/* What the disk holds after a cut begins with all that was acknowledged. */
static void assert_survives(struct disk *disk, uint64_t seed, uint32_t acked)
{
    scene_start(&scene, &(struct scene_options){.disk = disk, .seed = seed});
    uint32_t epoch = scene.role_epoch;
    scene_lead(&scene);
    assert_true(scene.role_epoch > epoch);
    if (scene.n_entries < acked)
        fail_msg("seed %d: %d acknowledged, %d there", (int)seed, (int)acked, (int)scene.n_entries);
    for (uint32_t i = 0; i < scene.n_entries; i++)
        assert_heard(&scene, i, i, 10 + i * 7 % 200);
    uint32_t n = (uint32_t)scene.n_entries;
    struct disk *again = disk_copy_cut(disk, seed + 7); /* what was delivered is durable, too */
    assert_int_equal(scene_append(&scene, n, 10 + n * 7 % 200), MRT_OK);
    scene_end(&scene);
    scene_start(&scene, &(struct scene_options){.disk = again, .seed = seed});
    scene_lead(&scene);
    assert_int_equal(scene.n_entries, n);
    scene_end(&scene);
    disk_free(again);
    scene_start(&scene, &(struct scene_options){.disk = disk, .seed = seed + 1});
    scene_lead(&scene);
    assert_int_equal(scene.n_entries, n + 1);
    scene_end(&scene);
}

/* All at once; the first is written alone, the others together in several batches. */
static void start_all(void *arg)
{
    struct appending *appends = arg;
    for (uint32_t i = 0; i < CUT_APPENDS; i++)
        appending_start(&scene, &appends[i], i, 10 + i * 7 % 200);
}

static void a_power_cut_keeps_what_was_acknowledged(void **state)
{
    (void)state;
    static struct appending appends[CUT_APPENDS];
    uint32_t some = 0;
    for (uint64_t seed = 1; seed <= 150; seed++) {
        struct disk *disk = disk_new(0);
        memset(appends, 0, sizeof appends);
        scene_start(&scene, &(struct scene_options){.disk = disk, .seed = seed});
        scene_lead(&scene);
        scene_inside(&scene, start_all, appends);
        for (uint64_t step = 0; step < seed % 60; step++)
            world_step(scene.world);
        uint32_t acked = acknowledged(appends);
        struct disk *cut = disk_copy_cut(disk, seed);
        struct disk *killed = disk_copy(disk);
        some += acked > 0 && acked < CUT_APPENDS;
        scene_end(&scene);
        for (uint32_t i = 0; i < CUT_APPENDS; i++)
            appending_fini(&appends[i]);
        assert_survives(cut, seed, acked);
        assert_survives(killed, seed, acked);
        disk_free(cut);
        disk_free(killed);
        disk_free(disk);
    }
    assert_true(some > 50); /* the cuts came in the middle */
}

static void what_a_full_disk_refused_does_not_come_back_with_a_power_cut(void **state)
{
    (void)state;
    static struct appending appends[CUT_APPENDS];
    uint32_t refused = 0;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct disk *disk = disk_new(0);
        memset(appends, 0, sizeof appends);
        scene_start(&scene, &(struct scene_options){.disk = disk, .seed = seed});
        scene_lead(&scene);
        disk_fail(disk, DISK_WRITE, 1 + seed % 2, MRT_ENOSPC); /* half of a batch is written */
        scene_inside(&scene, start_all, appends);
        scene_settle(&scene);
        struct disk *cut = disk_copy_cut(disk, seed);
        uint32_t acked = acknowledged(appends);
        scene_end(&scene);
        for (uint32_t i = 0; i < CUT_APPENDS; i++) {
            refused += appends[i].status == MRT_ENOSPC;
            assert_int_equal(appends[i].status, i < acked ? MRT_OK : MRT_ENOSPC);
            appending_fini(&appends[i]);
        }
        scene_start(&scene, &(struct scene_options){.disk = cut, .seed = seed});
        scene_lead(&scene);
        assert_int_equal(scene.n_entries, acked); /* U2 */
        scene_end(&scene);
        disk_free(cut);
        disk_free(disk);
    }
    assert_true(refused > 1000);
}

/* A cut at this moment leaves a log that opens, leads, and has what was acknowledged. */
static void look(uint64_t seed, struct disk *disk, uint32_t acked)
{
    static struct scene other;
    struct disk *cut = disk_copy_cut(disk, seed);
    scene_start(&other, &(struct scene_options){.disk = cut, .seed = seed});
    mrt_status status = scene_open(&other, 0);
    assert_int_equal(status, MRT_OK);
    scene_credit(&other, UINT64_MAX);
    assert_int_equal(scene_campaign(&other, 1), MRT_OK);
    scene_settle(&other);
    if (other.snapshot != NULL)
        assert_int_equal(scene_adopt(&other, 2000), MRT_OK);
    scene_settle(&other);
    assert_int_equal(other.role, MRT_ROLE_LEADER);
    assert_true(other.next >= acked);
    for (uint64_t i = 0; i < other.n_entries; i++)
        assert_heard(&other, i, (uint32_t)other.entries[i].offset, 40);
    scene_end(&other);
    disk_free(cut);
}

static void a_power_cut_while_snapshots_are_stored_and_the_log_is_trimmed_leaves_a_log(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct disk *disk = disk_new(0);
        scene_start(&scene, &(struct scene_options){.disk = disk, .seed = seed});
        scene_lead(&scene);
        uint32_t n = 0;
        for (uint32_t round = 0; round < 4; round++) {
            for (uint32_t i = 0; i < 60; i++)
                assert_int_equal(scene_append(&scene, n++, 40), MRT_OK);
            look(seed * 10 + round, disk, n);
            assert_int_equal(scene_store(&scene, n - 5, 2000, 0), MRT_OK);
            look(seed * 10 + round, disk, n);
            assert_int_equal(scene_trim(&scene, n - 5), MRT_OK);
            look(seed * 10 + round, disk, n);
        }
        scene_end(&scene);
        disk_free(disk);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(after_an_orderly_close_no_flipped_bit_loses_or_changes_anything),
        cmocka_unit_test(after_a_crash_a_flipped_bit_costs_at_most_the_last_batch),
        cmocka_unit_test(a_last_record_torn_at_any_byte_is_cut_off),
        cmocka_unit_test(a_closed_log_that_became_shorter_is_refused),
        cmocka_unit_test(a_missing_file_is_named),
        cmocka_unit_test(a_hole_between_segments_is_refused),
        cmocka_unit_test(a_flipped_bit_in_a_snapshot_is_noticed_before_it_is_used),
        cmocka_unit_test(a_power_cut_keeps_what_was_acknowledged),
        cmocka_unit_test(what_a_full_disk_refused_does_not_come_back_with_a_power_cut),
        cmocka_unit_test(
            a_power_cut_while_snapshots_are_stored_and_the_log_is_trimmed_leaves_a_log),
    };
    return cmocka_run_group_tests_name("coordination/damage", tests, NULL, NULL);
}
