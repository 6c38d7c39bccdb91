/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state.h - inside core/cluster: what an image is made of, and how the next one is built.
 */
#ifndef CORE_CLUSTER_STATE_H
#define CORE_CLUSTER_STATE_H

#include "core/cluster/node.h"

struct image {
    uint64_t refs;
    uint64_t version;
    uint64_t offset; /* after the last entry applied */
    int64_t next_producer_id;
    uint32_t epoch; /* of the last entry applied */
    uint32_t level; /* metadata.level; 0 before the first entry */
    int32_t controller;
    uint32_t reserved;
    uint8_t cluster_id[16];
    struct table names; /* holds the topics; the next two name the same ones */
    struct table ids;
    struct table folds;
    struct table brokers;
};

/* An image under construction. */
struct build {
    struct image *next;         /* owned */
    const struct image *before; /* borrowed; NULL while a snapshot is read */
    struct image_changes *changes;
    mrt_error *error;
};

/* A copy of @image that shares everything, the caller's alone. */
struct image *image_copy(const struct image *image);

/* Asserts that the tables agree. */
void image_check(const struct image *image);

/* Carries @record out on the image under construction. MRT_ECORRUPT, MRT_ETOONEW. */
mrt_status build_apply(struct build *build, struct entry_record *record);

void image_changes_add(
    struct image_changes *changes, enum image_change_kind kind, int32_t partition,
    const struct image_topic *topic);

#endif /* CORE_CLUSTER_STATE_H */
