/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/cluster/scene.h"

#include <string.h>

#include "core/base/memory.h"
#include "core/base/str.h"
#include "tests/unit/cmocka.h"

const uint8_t scene_cluster[16] = {0xc1, 2, 3, 4, 5, 6, 0x47, 8, 0x89, 10, 11, 12, 13, 14, 15, 16};

void scene_init(struct scene *scene)
{
    *scene = (struct scene){.image = image_empty(), .epoch = 1};
    entry_begin(&scene->entry);
    entry_add_cluster(&scene->entry, scene_cluster, METADATA_LEVEL);
    entry_add_controller(&scene->entry, 1, 1);
    assert_int_equal(scene_apply(scene), MRT_OK);
}

void scene_fini(struct scene *scene)
{
    image_unref(scene->image);
    image_changes_free(&scene->changes);
    entry_fini(&scene->entry);
}

mrt_status scene_apply(struct scene *scene)
{
    struct image *old = scene->image;
    struct image *out = NULL;
    mrt_str bytes = entry_seal(&scene->entry);
    uint64_t offset = image_offset(old);

    scene->changes.n = 0;
    mrt_status status =
        image_apply(old, offset, scene->epoch, &bytes, &out, &scene->changes, &scene->error);
    if (status != MRT_OK) {
        assert_null(out);
        assert_int_equal(scene->changes.n, 0);
        assert_int_equal(image_offset(old), offset);
        entry_begin(&scene->entry);
        return status;
    }
    scene->image = out;
    image_unref(old);
    entry_begin(&scene->entry);
    return MRT_OK;
}

void scene_id(const char *name, uint8_t *id)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (const char *c = name; *c != '\0'; c++)
        hash = (hash ^ (uint8_t)*c) * UINT64_C(0x100000001b3);
    kit_put64(id, hash);
    kit_put64(id + 8, ~hash);
}

void scene_add_topic(struct scene *scene, const char *name, uint32_t partitions, uint32_t replicas)
{
    static const int32_t ids[] = {1, 2, 3, 4, 5};
    struct image_topic topic = {
        .name = str_of(name),
        .n_partitions = partitions,
        .partitions = memory_array(partitions, sizeof(struct image_partition)),
        .n_configs = 2,
        .configs =
            (const struct image_config[]){
                {str_of("cleanup.policy"), str_of("delete")}, {str_of("retention.ms"), str_of("")}},
    };
    scene_id(name, topic.id);
    for (uint32_t i = 0; i < partitions; i++)
        topic.partitions[i] = (struct image_partition){
            .leader = 1,
            .n_replicas = replicas,
            .replicas = ids,
            .n_isr = replicas,
            .isr = ids,
        };
    entry_add_topic(&scene->entry, &topic);
    memory_free(topic.partitions);
}

void scene_add_broker(struct scene *scene, int32_t id, uint8_t incarnation)
{
    struct image_endpoint endpoint = {str_of("kafka"), str_of("b.example"), 9092, 0};
    struct image_broker broker = {
        .id = id,
        .rack = str_of("r1"),
        .n_endpoints = 1,
        .endpoints = &endpoint,
    };
    broker.incarnation[0] = incarnation;
    entry_add_broker(&scene->entry, &broker, -1);
}

const struct image_topic *scene_topic(const struct scene *scene, const char *name)
{
    mrt_str text = str_of(name);
    return image_topic(scene->image, &text);
}
