/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One entry with a record of every kind, and the snapshot after it, damaged in every place. Where a
 * checksum would catch it, it is made true again: then the decoder stands alone.
 */
#include <string.h>

#include "core/base/memory.h"
#include "core/base/str.h"
#include "sdk/kit/crc32c.h"
#include "tests/unit/cluster/scene.h"
#include "tests/unit/cmocka.h"

struct hostile {
    struct scene scene; /* has topic "old", whose configs the entry changes, and "gone" */
    uint8_t *entry;
    uint64_t size;
};

static int begin(void **state)
{
    static struct hostile hostile;
    struct scene *scene = &hostile.scene;
    const struct image_config config = {str_of("a.b"), str_of("1")};
    uint8_t id[16];

    scene_init(scene);
    scene_add_topic(scene, "old", 2, 2);
    scene_add_topic(scene, "gone", 1, 1);
    assert_int_equal(scene_apply(scene), MRT_OK);
    entry_add_controller(&scene->entry, 3, 1);
    scene_add_topic(scene, "new.topic", 3, 3);
    scene_id("gone", id);
    entry_add_delete(&scene->entry, id);
    scene_id("old", id);
    entry_add_configs(&scene->entry, id, &config, 1);
    scene_add_broker(scene, 5, 1);
    entry_add_producer_ids(&scene->entry, 0, 1000);
    mrt_str bytes = entry_seal(&scene->entry);
    hostile.size = bytes.n;
    hostile.entry = memory_new(bytes.n);
    memcpy(hostile.entry, bytes.p, bytes.n);
    *state = &hostile;
    return 0;
}

static int end(void **state)
{
    struct hostile *hostile = *state;
    memory_free(hostile->entry);
    scene_fini(&hostile->scene);
    return 0;
}

/* A copy of its own block, so that a sanitizer sees every byte read beyond it. */
static mrt_status apply(struct hostile *hostile, const uint8_t *bytes, uint64_t size)
{
    struct image *out = NULL;
    struct image_changes changes = {0};
    uint8_t *copy = memory_new(size + 1);
    memcpy(copy, bytes, size);
    copy = memory_resize(copy, size == 0 ? 1 : size);
    mrt_str entry = {(const char *)copy, size};
    mrt_status status =
        image_apply(hostile->scene.image, 2, 1, &entry, &out, &changes, &hostile->scene.error);
    if (status == MRT_OK) {
        uint8_t *snapshot;
        uint64_t n;
        struct image *twin = NULL;
        image_snapshot(out, &snapshot, &n); /* whatever was accepted can be written and read */
        assert_int_equal(image_restore(snapshot, n, &twin, &hostile->scene.error), MRT_OK);
        image_unref(twin);
        memory_free(snapshot);
    } else {
        assert_true(status == MRT_ECORRUPT || status == MRT_ETOONEW);
        assert_null(out);
        assert_int_equal(changes.n, 0);
        assert_true(hostile->scene.error.text[0] != '\0');
    }
    image_unref(out);
    image_changes_free(&changes);
    memory_free(copy);
    return status;
}

static void resum(uint8_t *entry, uint64_t size)
{
    kit_put32(entry + 4, kit_crc32c(kit_crc32c(0, entry, 4), entry + 8, size - 8));
}

static void the_undamaged_entry_is_taken(void **state)
{
    struct hostile *hostile = *state;
    assert_int_equal(apply(hostile, hostile->entry, hostile->size), MRT_OK);
}

static void every_flipped_bit_is_noticed(void **state)
{
    struct hostile *hostile = *state;
    for (uint64_t i = 0; i < hostile->size * 8; i++) {
        hostile->entry[i / 8] ^= (uint8_t)(1 << i % 8);
        assert_int_not_equal(apply(hostile, hostile->entry, hostile->size), MRT_OK);
        hostile->entry[i / 8] ^= (uint8_t)(1 << i % 8);
    }
}

static void every_cut_is_noticed(void **state)
{
    struct hostile *hostile = *state;
    for (uint64_t size = 0; size < hostile->size; size++)
        assert_int_not_equal(apply(hostile, hostile->entry, size), MRT_OK);
}

static void any_byte_under_a_true_checksum_is_refused_or_makes_a_sound_image(void **state)
{
    struct hostile *hostile = *state;
    static const uint8_t values[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
    uint32_t taken = 0;
    for (uint64_t i = 8; i < hostile->size; i++) {
        uint8_t old = hostile->entry[i];
        for (uint32_t v = 0; v < sizeof values; v++) {
            hostile->entry[i] = values[v];
            resum(hostile->entry, hostile->size);
            taken += apply(hostile, hostile->entry, hostile->size) == MRT_OK;
        }
        hostile->entry[i] = old;
    }
    assert_true(taken > 0);
}

static void every_cut_under_a_true_checksum_is_between_records_or_refused(void **state)
{
    struct hostile *hostile = *state;
    uint32_t taken = 0;
    for (uint64_t size = 8; size < hostile->size; size++) {
        resum(hostile->entry, size);
        taken += apply(hostile, hostile->entry, size) == MRT_OK;
    }
    assert_int_equal(taken, 5); /* six records; without any the entry is empty */
}

static void what_a_newer_release_wrote_is_named_so(void **state)
{
    struct hostile *hostile = *state;
    hostile->entry[0] = 2;
    assert_int_equal(apply(hostile, hostile->entry, hostile->size), MRT_ETOONEW);
    hostile->entry[0] = 1;
    hostile->entry[8] = ENTRY_KINDS;
    resum(hostile->entry, hostile->size);
    assert_int_equal(apply(hostile, hostile->entry, hostile->size), MRT_ETOONEW);
    hostile->entry[8] = ENTRY_CONTROLLER;
    hostile->entry[9] = 2; /* the record's version */
    resum(hostile->entry, hostile->size);
    assert_int_equal(apply(hostile, hostile->entry, hostile->size), MRT_ETOONEW);

    struct scene fresh = {.image = image_empty()};
    entry_begin(&fresh.entry);
    entry_add_cluster(&fresh.entry, scene_cluster, METADATA_LEVEL + 1);
    assert_int_equal(scene_apply(&fresh), MRT_ETOONEW);
    scene_fini(&fresh);
}

static mrt_status restore(struct hostile *hostile, const uint8_t *bytes, uint64_t size)
{
    struct image *out = NULL;
    uint8_t *copy = memory_new(size + 1);
    memcpy(copy, bytes, size);
    copy = memory_resize(copy, size == 0 ? 1 : size);
    mrt_status status = image_restore(copy, size, &out, &hostile->scene.error);
    if (status != MRT_OK)
        assert_null(out);
    image_unref(out);
    memory_free(copy);
    return status;
}

static void a_damaged_snapshot_is_never_taken(void **state)
{
    struct hostile *hostile = *state;
    uint8_t *bytes;
    uint64_t size;
    image_snapshot(hostile->scene.image, &bytes, &size);
    assert_int_equal(restore(hostile, bytes, size), MRT_OK);
    for (uint64_t i = 0; i < size * 8; i++) {
        bytes[i / 8] ^= (uint8_t)(1 << i % 8);
        assert_int_not_equal(restore(hostile, bytes, size), MRT_OK);
        bytes[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    for (uint64_t cut = 0; cut < size; cut++)
        assert_int_not_equal(restore(hostile, bytes, cut), MRT_OK);
    for (uint64_t i = 32; i < size; i++) {
        uint8_t old = bytes[i];
        bytes[i] ^= 0x55;
        kit_put32(bytes + 8, kit_crc32c(0, bytes + 12, size - 12));
        restore(hostile, bytes, size); /* any outcome but a crash */
        bytes[i] = old;
    }
    memory_free(bytes);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_undamaged_entry_is_taken),
        TEST(every_flipped_bit_is_noticed),
        TEST(every_cut_is_noticed),
        TEST(any_byte_under_a_true_checksum_is_refused_or_makes_a_sound_image),
        TEST(every_cut_under_a_true_checksum_is_between_records_or_refused),
        TEST(what_a_newer_release_wrote_is_named_so),
        TEST(a_damaged_snapshot_is_never_taken),
    };
    return cmocka_run_group_tests_name("core/cluster/hostile", tests, NULL, NULL);
}
