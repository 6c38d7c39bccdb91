/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cluster whose log begins with its id and controller 1 in epoch 1 (scene.h). Tests add entries.
 */
#include <stdio.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/base/str.h"
#include "core/cluster/image.h"
#include "tests/unit/cluster/scene.h"
#include "tests/unit/cmocka.h"

static int begin(void **state)
{
    static struct scene scene;
    scene_init(&scene);
    *state = &scene;
    return 0;
}

static int end(void **state)
{
    scene_fini(*state);
    return 0;
}

/* The bytes of both are the same. */
static void assert_same_state(const struct image *a, const struct image *b)
{
    uint8_t *x;
    uint8_t *y;
    uint64_t n;
    uint64_t m;
    image_snapshot(a, &x, &n);
    image_snapshot(b, &y, &m);
    assert_int_equal(n, m);
    assert_memory_equal(x, y, n);
    memory_free(x);
    memory_free(y);
}

static void refused(struct scene *scene, mrt_status status, const char *text)
{
    struct image *before = scene->image;
    assert_int_equal(scene_apply(scene), status);
    assert_ptr_equal(scene->image, before);
    if (strstr(scene->error.text, text) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", scene->error.text, text);
}

static void an_image_without_entries_names_nothing(void **state)
{
    (void)state;
    static const uint8_t zero[16];
    struct image *image = image_empty();
    mrt_str name = str_of("orders");
    assert_int_equal(image_version(image), 0);
    assert_int_equal(image_offset(image), 0);
    assert_int_equal(image_controller(image), -1);
    assert_memory_equal(image_cluster_id(image), zero, 16);
    assert_null(image_topic(image, &name));
    assert_null(image_topic_by_id(image, zero));
    assert_null(image_broker(image, 1));
    image_unref(image);
}

static void the_first_entry_gives_the_cluster_its_id_and_controller(void **state)
{
    struct scene *scene = *state;
    assert_memory_equal(image_cluster_id(scene->image), scene_cluster, 16);
    assert_int_equal(image_controller(scene->image), 1);
    assert_int_equal(image_version(scene->image), 1);
    assert_int_equal(image_offset(scene->image), 1);

    entry_add_cluster(&scene->entry, scene_cluster, METADATA_LEVEL);
    refused(scene, MRT_ECORRUPT, "already has an id");
    struct scene fresh = {.image = image_empty()};
    entry_begin(&fresh.entry);
    entry_add_controller(&fresh.entry, 1, 0);
    refused(&fresh, MRT_ECORRUPT, "no id yet");
    scene_fini(&fresh);
}

static void a_topic_is_found_by_name_and_by_id_with_all_it_has(void **state)
{
    struct scene *scene = *state;
    uint8_t id[16];
    scene_add_topic(scene, "orders", 3, 2);
    assert_int_equal(scene_apply(scene), MRT_OK);

    const struct image_topic *topic = scene_topic(scene, "orders");
    scene_id("orders", id);
    assert_ptr_equal(image_topic_by_id(scene->image, id), topic);
    assert_memory_equal(topic->id, id, 16);
    assert_int_equal(topic->n_partitions, 3);
    assert_int_equal(topic->partitions[2].leader, 1);
    assert_int_equal(topic->partitions[2].n_replicas, 2);
    assert_int_equal(topic->partitions[2].replicas[1], 2);
    assert_int_equal(topic->partitions[2].n_isr, 2);
    assert_null(topic->partitions[2].local);
    assert_true(str_is(&topic->configs[0].value, "delete"));
    assert_int_equal(scene->changes.n, 1);
    assert_int_equal(scene->changes.v[0].kind, IMAGE_TOPIC_CREATED);
    assert_ptr_equal(scene->changes.v[0].topic, topic);
}

static void names_that_differ_only_in_dots_and_underscores_collide(void **state)
{
    struct scene *scene = *state;
    mrt_str same = str_of("a.b_c");
    mrt_str like = str_of("a_b.c");
    mrt_str longer = str_of("a_b.c_");
    scene_add_topic(scene, "a.b_c", 1, 1);
    assert_int_equal(scene_apply(scene), MRT_OK);

    assert_ptr_equal(image_topic_like(scene->image, &like), scene_topic(scene, "a.b_c"));
    assert_null(image_topic_like(scene->image, &same)); /* it is the topic */
    assert_null(image_topic_like(scene->image, &longer));
    scene_add_topic(scene, "a_b.c", 1, 1);
    refused(scene, MRT_ECORRUPT, "differs only");
}

static void topics_are_walked_in_order_of_name_and_brokers_of_id(void **state)
{
    struct scene *scene = *state;
    scene_add_topic(scene, "b", 1, 1);
    scene_add_topic(scene, "a_", 1, 1);
    scene_add_topic(scene, "a-z", 1, 1);
    scene_add_topic(scene, "a", 1, 1);
    scene_add_broker(scene, 12, 1);
    scene_add_broker(scene, 3, 1);
    assert_int_equal(scene_apply(scene), MRT_OK);

    static const char *const order[] = {"a", "a-z", "a_", "b"};
    assert_int_equal(image_topic_count(scene->image), 4);
    for (uint32_t i = 0; i < 4; i++)
        assert_true(str_is(&image_topic_at(scene->image, i)->name, order[i]));
    assert_int_equal(image_broker_count(scene->image), 2);
    assert_int_equal(image_broker_at(scene->image, 0)->id, 3);
    assert_int_equal(image_broker_at(scene->image, 1)->id, 12);
}

static void a_broker_registration_has_the_offset_of_its_entry_as_epoch(void **state)
{
    struct scene *scene = *state;
    scene_add_broker(scene, 7, 1);
    assert_int_equal(scene_apply(scene), MRT_OK);
    assert_int_equal(image_broker(scene->image, 7)->epoch, 1);
    assert_int_equal(scene->changes.v[0].kind, IMAGE_BROKER_CHANGED);
    assert_int_equal(scene->changes.v[0].partition, 7);

    scene_add_broker(scene, 7, 2); /* the process was started again */
    assert_int_equal(scene_apply(scene), MRT_OK);
    const struct image_broker *broker = image_broker(scene->image, 7);
    assert_int_equal(broker->epoch, 2);
    assert_int_equal(broker->incarnation[0], 2);
    assert_int_equal(broker->endpoints[0].port, 9092);
    assert_true(str_is(&broker->endpoints[0].host, "b.example"));
    assert_int_equal(image_broker_count(scene->image), 1);

    scene_add_broker(scene, 8, 1);
    scene_add_broker(scene, 8, 2);
    refused(scene, MRT_ECORRUPT, "does not rise");
}

static void a_deleted_topic_is_gone_and_its_name_free(void **state)
{
    struct scene *scene = *state;
    uint8_t id[16];
    scene_id("orders", id);
    scene_add_topic(scene, "orders", 1, 1);
    assert_int_equal(scene_apply(scene), MRT_OK);

    struct image *old = image_ref(scene->image);
    entry_add_delete(&scene->entry, id);
    assert_int_equal(scene_apply(scene), MRT_OK);
    assert_null(scene_topic(scene, "orders"));
    assert_null(image_topic_by_id(scene->image, id));
    assert_int_equal(scene->changes.n, 1);
    assert_int_equal(scene->changes.v[0].kind, IMAGE_TOPIC_DELETED);
    assert_ptr_equal(scene->changes.v[0].topic, image_topic_by_id(old, id));
    image_unref(old);

    entry_add_delete(&scene->entry, id);
    refused(scene, MRT_ECORRUPT, "no topic of that id");
    scene_add_topic(scene, "orders", 1, 1);
    assert_int_equal(scene_apply(scene), MRT_OK);
}

static void an_older_version_keeps_what_it_had_and_shares_the_rest(void **state)
{
    struct scene *scene = *state;
    uint8_t id[16];
    scene_id("a", id);
    scene_add_topic(scene, "a", 2, 1);
    scene_add_topic(scene, "b", 2, 1);
    assert_int_equal(scene_apply(scene), MRT_OK);

    struct image *old = image_ref(scene->image);
    const struct image_topic *b = scene_topic(scene, "b");
    entry_add_delete(&scene->entry, id);
    scene_add_topic(scene, "c", 1, 1);
    assert_int_equal(scene_apply(scene), MRT_OK);
    assert_ptr_equal(scene_topic(scene, "b"), b);
    assert_int_equal(image_topic_count(old), 2);
    assert_non_null(image_topic_by_id(old, id));
    image_unref(old);
    assert_ptr_equal(scene_topic(scene, "b"), b);
}

static void new_configs_replace_the_overrides_and_keep_the_locals(void **state)
{
    struct scene *scene = *state;
    int log = 0;
    uint8_t id[16];
    scene_id("orders", id);
    scene_add_topic(scene, "orders", 2, 2);
    assert_int_equal(scene_apply(scene), MRT_OK);
    const struct image_topic *old = scene_topic(scene, "orders");
    old->partitions[1].local = &log;
    struct image *kept = image_ref(scene->image);

    const struct image_config config = {str_of("segment.bytes"), str_of("1048576")};
    entry_add_configs(&scene->entry, id, &config, 1);
    assert_int_equal(scene_apply(scene), MRT_OK);
    const struct image_topic *now = scene_topic(scene, "orders");
    assert_ptr_not_equal(now, old);
    assert_int_equal(old->n_configs, 2);
    assert_int_equal(now->n_configs, 1);
    assert_true(str_is(&now->configs[0].name, "segment.bytes"));
    assert_ptr_equal(now->partitions[1].local, &log);
    assert_null(now->partitions[0].local);
    assert_int_equal(now->partitions[1].replicas[1], 2);
    assert_ptr_equal(image_topic_by_id(scene->image, id), now);
    assert_int_equal(scene->changes.v[0].kind, IMAGE_TOPIC_CONFIGURED);
    assert_ptr_equal(scene->changes.v[0].topic, now);
    image_unref(kept);
}

static void changes_never_name_a_topic_that_its_own_entry_removed(void **state)
{
    struct scene *scene = *state;
    uint8_t id[16];
    const struct image_config config = {str_of("segment.bytes"), str_of("1048576")};
    scene_id("brief", id);
    scene_add_topic(scene, "brief", 1, 1);
    entry_add_configs(&scene->entry, id, &config, 1);
    scene_add_topic(scene, "kept", 1, 1);
    assert_int_equal(scene_apply(scene), MRT_OK);
    assert_int_equal(scene->changes.n, 2);
    assert_ptr_equal(scene->changes.v[0].topic, scene_topic(scene, "brief"));

    struct image *old = image_ref(scene->image);
    entry_add_configs(&scene->entry, id, NULL, 0);
    entry_add_delete(&scene->entry, id);
    scene_add_topic(scene, "brief", 1, 1);
    entry_add_delete(&scene->entry, id);
    assert_int_equal(scene_apply(scene), MRT_OK);
    assert_int_equal(scene->changes.n, 1);
    assert_int_equal(scene->changes.v[0].kind, IMAGE_TOPIC_DELETED);
    assert_ptr_equal(scene->changes.v[0].topic, image_topic_by_id(old, id));
    image_unref(old);
}

static void producer_ids_are_handed_out_in_blocks_without_gaps(void **state)
{
    struct scene *scene = *state;
    entry_add_producer_ids(&scene->entry, 0, 1000);
    entry_add_producer_ids(&scene->entry, 1000, 1000);
    assert_int_equal(scene_apply(scene), MRT_OK);
    assert_int_equal(image_next_producer_id(scene->image), 2000);
    entry_add_producer_ids(&scene->entry, 1000, 1000);
    refused(scene, MRT_ECORRUPT, "last one ended");
    entry_add_producer_ids(&scene->entry, 2000, INT64_MAX);
    refused(scene, MRT_ECORRUPT, "fit");
    assert_int_equal(image_next_producer_id(scene->image), 2000);
}

static void epochs_and_offsets_must_follow(void **state)
{
    struct scene *scene = *state;
    struct image *out = NULL;
    struct image_changes changes = {0};
    scene->epoch = 3;
    entry_add_controller(&scene->entry, 2, 3);
    assert_int_equal(scene_apply(scene), MRT_OK);
    assert_int_equal(image_controller(scene->image), 2);

    scene->epoch = 2;
    entry_add_controller(&scene->entry, 1, 2);
    refused(scene, MRT_ECORRUPT, "older");
    scene->epoch = 4;
    entry_add_controller(&scene->entry, 1, 3);
    refused(scene, MRT_ECORRUPT, "another epoch");
    entry_add_controller(&scene->entry, 1, 4);
    mrt_str bytes = entry_seal(&scene->entry);
    assert_int_equal(
        image_apply(scene->image, 7, 4, &bytes, &out, &changes, &scene->error), MRT_ECORRUPT);
    assert_null(out);
}

static void a_restored_snapshot_is_the_same_state_with_the_same_bytes(void **state)
{
    struct scene *scene = *state;
    char name[32];
    uint8_t id[16];
    for (uint32_t i = 0; i < 200; i++) {
        snprintf(name, sizeof name, "topic-%u", i * 7919 % 1000);
        scene_add_topic(scene, name, 1 + i % 5, 1 + i % 3);
        if (i % 4 == 3)
            assert_int_equal(scene_apply(scene), MRT_OK);
    }
    scene_id("topic-0", id);
    entry_add_delete(&scene->entry, id);
    scene_add_broker(scene, 2, 9);
    entry_add_producer_ids(&scene->entry, 0, 1000);
    assert_int_equal(scene_apply(scene), MRT_OK);

    uint8_t *bytes;
    uint64_t size;
    struct image *twin = NULL;
    image_snapshot(scene->image, &bytes, &size);
    assert_int_equal(image_restore(bytes, size, &twin, &scene->error), MRT_OK);
    assert_same_state(scene->image, twin);
    assert_int_equal(image_version(twin), image_version(scene->image));
    assert_int_equal(image_offset(twin), image_offset(scene->image));
    assert_int_equal(image_broker(twin, 2)->epoch, image_broker(scene->image, 2)->epoch);
    assert_int_equal(image_topic_count(twin), 199);

    struct image *first = scene->image; /* and both go on in the same way */
    scene_add_topic(scene, "later", 2, 2);
    struct scene other = {.image = twin, .epoch = 1};
    entry_begin(&other.entry);
    scene_add_topic(&other, "later", 2, 2);
    assert_int_equal(scene_apply(scene), MRT_OK);
    assert_int_equal(scene_apply(&other), MRT_OK);
    assert_ptr_not_equal(first, scene->image);
    assert_same_state(scene->image, other.image);
    scene_fini(&other);
    memory_free(bytes);
}

static void an_empty_image_has_a_snapshot_too(void **state)
{
    struct scene *scene = *state;
    struct image *image = image_empty();
    struct image *twin = NULL;
    uint8_t *bytes;
    uint64_t size;
    image_snapshot(image, &bytes, &size);
    assert_int_equal(image_restore(bytes, size, &twin, &scene->error), MRT_OK);
    assert_same_state(image, twin);
    image_unref(image);
    image_unref(twin);
    memory_free(bytes);
}

static void the_difference_of_two_images_carries_the_locals_over(void **state)
{
    struct scene *scene = *state;
    int log = 0;
    uint8_t id[16];
    scene_add_topic(scene, "gone", 1, 1);
    scene_add_topic(scene, "stays", 2, 1);
    scene_add_broker(scene, 1, 1);
    assert_int_equal(scene_apply(scene), MRT_OK);
    struct image *old = image_ref(scene->image);
    scene_topic(scene, "stays")->partitions[1].local = &log;

    const struct image_config config = {str_of("x"), str_of("y")};
    scene_id("gone", id);
    entry_add_delete(&scene->entry, id);
    scene_id("stays", id);
    entry_add_configs(&scene->entry, id, &config, 1);
    scene_add_topic(scene, "new", 1, 1);
    scene_add_broker(scene, 2, 1);
    assert_int_equal(scene_apply(scene), MRT_OK);

    uint8_t *bytes;
    uint64_t size;
    struct image *now = NULL;
    struct image_changes changes = {0};
    image_snapshot(scene->image, &bytes, &size);
    assert_int_equal(image_restore(bytes, size, &now, &scene->error), MRT_OK);
    assert_null(image_topic_by_id(now, id)->partitions[1].local);
    image_changes_between(old, now, &changes);
    assert_ptr_equal(image_topic_by_id(now, id)->partitions[1].local, &log);
    assert_int_equal(changes.n, 4);
    assert_int_equal(changes.v[0].kind, IMAGE_TOPIC_DELETED);
    assert_true(str_is(&changes.v[0].topic->name, "gone"));
    assert_int_equal(changes.v[1].kind, IMAGE_TOPIC_CREATED);
    assert_true(str_is(&changes.v[1].topic->name, "new"));
    assert_int_equal(changes.v[2].kind, IMAGE_TOPIC_CONFIGURED);
    assert_int_equal(changes.v[3].kind, IMAGE_BROKER_CHANGED);
    assert_int_equal(changes.v[3].partition, 2);
    image_changes_free(&changes);
    image_unref(old);
    image_unref(now);
    memory_free(bytes);
}

static void ten_thousand_topics_come_and_go(void **state)
{
    struct scene *scene = *state;
    char name[32];
    uint8_t id[16];
    for (uint32_t i = 0; i < 10000; i++) {
        snprintf(name, sizeof name, "t%u", i * 7919 % 10000);
        scene_add_topic(scene, name, 1, 1);
        if (i % 100 == 99)
            assert_int_equal(scene_apply(scene), MRT_OK);
    }
    assert_int_equal(image_topic_count(scene->image), 10000);
    assert_int_equal(image_version(scene->image), 101);
    for (uint32_t i = 0; i < 10000; i++) {
        snprintf(name, sizeof name, "t%u", i);
        assert_non_null(scene_topic(scene, name));
        if (i % 10 == 0)
            continue;
        scene_id(name, id);
        entry_add_delete(&scene->entry, id);
        if (i % 100 == 99)
            assert_int_equal(scene_apply(scene), MRT_OK);
    }
    assert_int_equal(image_topic_count(scene->image), 1000);
    assert_non_null(scene_topic(scene, "t9990"));
    assert_null(scene_topic(scene, "t9991"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_image_without_entries_names_nothing),
        TEST(the_first_entry_gives_the_cluster_its_id_and_controller),
        TEST(a_topic_is_found_by_name_and_by_id_with_all_it_has),
        TEST(names_that_differ_only_in_dots_and_underscores_collide),
        TEST(topics_are_walked_in_order_of_name_and_brokers_of_id),
        TEST(a_broker_registration_has_the_offset_of_its_entry_as_epoch),
        TEST(a_deleted_topic_is_gone_and_its_name_free),
        TEST(an_older_version_keeps_what_it_had_and_shares_the_rest),
        TEST(new_configs_replace_the_overrides_and_keep_the_locals),
        TEST(changes_never_name_a_topic_that_its_own_entry_removed),
        TEST(producer_ids_are_handed_out_in_blocks_without_gaps),
        TEST(epochs_and_offsets_must_follow),
        TEST(a_restored_snapshot_is_the_same_state_with_the_same_bytes),
        TEST(an_empty_image_has_a_snapshot_too),
        TEST(the_difference_of_two_images_carries_the_locals_over),
        TEST(ten_thousand_topics_come_and_go),
    };
    return cmocka_run_group_tests_name("core/cluster/image", tests, NULL, NULL);
}
