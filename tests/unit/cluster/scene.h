/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scene.h - entries for tests: topics whose id follows from their name, and a log of entries
 * applied one after the other.
 */
#ifndef TESTS_UNIT_CLUSTER_SCENE_H
#define TESTS_UNIT_CLUSTER_SCENE_H

#include "core/cluster/entry.h"
#include "core/cluster/image.h"

struct scene {
    struct image *image;          /* owned */
    struct image_changes changes; /* of the last entry */
    struct entry entry;           /* under construction */
    mrt_error error;
    uint32_t epoch;
};

extern const uint8_t scene_cluster[16];

/* A cluster with an id, controller 1 in epoch 1, and nothing else. */
void scene_init(struct scene *scene);
void scene_fini(struct scene *scene);

/* Applies scene->entry. Then the next entry is begun; on errors the image must be as before. */
mrt_status scene_apply(struct scene *scene);

/* The id a topic of that name has here. */
void scene_id(const char *name, uint8_t *id);

/* Adds a topic of @partitions partitions on brokers 1 to @replicas, led by broker 1. */
void scene_add_topic(struct scene *scene, const char *name, uint32_t partitions, uint32_t replicas);

void scene_add_broker(struct scene *scene, int32_t id, uint8_t incarnation);

const struct image_topic *scene_topic(const struct scene *scene, const char *name);

#endif /* TESTS_UNIT_CLUSTER_SCENE_H */
