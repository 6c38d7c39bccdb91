/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image.h - the cluster as this broker knows it: brokers, topics, partitions, configs. Immutable,
 * replayed from the coordination log; every entry applied makes the next version.
 *
 *   I1  An image is a function of the entries below its offset: same entries, same bytes of its
 *       snapshot, on every node.
 *   I2  Topics are shared between versions; the tables that name them are copied in chunks.
 *   I3  An image only routes. What a log does is decided inside the log (role, epoch, deleted).
 *   I4  Walks go in order of name (topics) or id (brokers), never of hashes.
 *   I5  An entry that cannot be decoded or breaks an invariant is never skipped: the node stops.
 */
#ifndef CORE_CLUSTER_IMAGE_H
#define CORE_CLUSTER_IMAGE_H

#include <mortise/draft/broker.h>

#include "core/base/error.h"

struct image; /* = mrt_image of draft/broker.h; reference counted, any thread */

/* What a broker keeps beside a partition, the same in all versions that share the topic's node: set
 * once, before the image that first shows it is published, by the broker that owns the process. */
struct image_partition {
    int32_t leader;
    int32_t leader_epoch;
    int32_t partition_epoch;
    uint32_t n_replicas;
    const int32_t *replicas;
    uint32_t n_isr;
    uint32_t reserved;
    const int32_t *isr;
    void *local; /* the broker's struct log, or NULL */
};

struct image_config {
    mrt_str name;
    mrt_str value;
};

struct image_topic {
    uint8_t id[16];
    mrt_str name;
    uint32_t n_partitions;
    uint32_t n_configs;
    struct image_partition *partitions;
    const struct image_config *configs; /* overrides only, in order of name */
};

struct image_endpoint {
    mrt_str listener;
    mrt_str host; /* empty: the address the client reached us on */
    uint32_t port;
    uint32_t reserved;
};

struct image_broker {
    int32_t id;
    uint32_t fenced;
    int64_t epoch; /* offset of its registration */
    uint8_t incarnation[16];
    mrt_str rack;
    uint32_t n_endpoints;
    uint32_t reserved;
    const struct image_endpoint *endpoints;
};

struct image *image_ref(struct image *image);
void image_unref(struct image *image);

uint64_t image_version(const struct image *image); /* rises by one an entry */
uint64_t image_offset(const struct image *image);  /* offset after the last entry applied */
uint32_t image_epoch(const struct image *image);   /* of that entry */
const uint8_t *image_cluster_id(
    const struct image *image);                      /* 16 bytes; zero before the first entry */
int32_t image_controller(const struct image *image); /* node id, -1 */

/* NULL when there is none; lives as long as the image. */
const struct image_topic *image_topic(const struct image *image, const mrt_str *name);
const struct image_topic *image_topic_by_id(const struct image *image, const uint8_t *id);
/* The topic whose name differs from @name only in '.' and '_', if any (a new @name collides). */
const struct image_topic *image_topic_like(const struct image *image, const mrt_str *name);

uint64_t image_topic_count(const struct image *image);
const struct image_topic *image_topic_at(const struct image *image, uint64_t i); /* by name */
uint64_t image_broker_count(const struct image *image);
const struct image_broker *image_broker_at(const struct image *image, uint64_t i); /* by id */
const struct image_broker *image_broker(const struct image *image, int32_t id);

/* Producer ids below this are handed out. */
int64_t image_next_producer_id(const struct image *image);

/* ---- versions -------------------------------------------------------------------------------- */

enum image_change_kind {
    IMAGE_TOPIC_CREATED,
    IMAGE_TOPIC_DELETED, /* @topic is the old node */
    IMAGE_TOPIC_CONFIGURED,
    IMAGE_PARTITION_CHANGED, /* leader, epoch, isr */
    IMAGE_BROKER_CHANGED     /* @partition is the broker's id, @topic NULL */
};

struct image_change {
    enum image_change_kind kind;
    int32_t partition;
    const struct image_topic *topic; /* of the new image; of the old one when deleted */
};

struct image_changes {
    struct image_change *v; /* owned */
    uint32_t n;
    uint32_t cap;
};
void image_changes_free(struct image_changes *changes);

struct image *image_empty(void);

/* The version after @entry at @offset; what changed is added to @changes. MRT_ECORRUPT and
 * MRT_ETOONEW (I5), with a text. */
mrt_status image_apply(
    const struct image *image, uint64_t offset, uint32_t epoch, const mrt_str *entry,
    struct image **out, struct image_changes *changes, mrt_error *error);

/* The whole state as bytes the caller owns (memory_free()); the same state, the same bytes. */
void image_snapshot(const struct image *image, uint8_t **out, uint64_t *size);
mrt_status image_restore(const uint8_t *bytes, uint64_t size, struct image **out, mrt_error *error);

/* What turns @old into @now, a restored image not yet published, into which the locals of
 * partitions that both have are carried over. Deletions come first. */
void image_changes_between(
    const struct image *old, const struct image *now, struct image_changes *changes);

#endif /* CORE_CLUSTER_IMAGE_H */
