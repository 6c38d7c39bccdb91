/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node.h - what the tables of an image hold: topics and brokers, counted, each one block of memory
 * built from the body of a record. Immutable once published, but for image_partition.local.
 */
#ifndef CORE_CLUSTER_NODE_H
#define CORE_CLUSTER_NODE_H

#include "core/cluster/entry.h"
#include "core/cluster/table.h"

extern const struct table_kind topics_by_name; /* holds; key: mrt_str */
extern const struct table_kind topics_by_id;   /* key: 16 bytes */
extern const struct table_kind topics_by_fold; /* key: mrt_str, '.' and '_' are one */
extern const struct table_kind brokers_by_id;  /* holds; key: int32_t */

/* Is @name one that Kafka allows? */
bool topic_name_ok(const mrt_str *name);

/* The topic in the body of a TOPIC record, with one holder. MRT_ECORRUPT. */
mrt_status topic_read(struct kit_reader *body, struct image_topic **out, mrt_error *error);

/* A copy of @topic with the overrides in @body, the rest of a TOPIC_CONFIGS record, and the same
 * locals. MRT_ECORRUPT. */
mrt_status topic_read_configs(
    const struct image_topic *topic, struct kit_reader *body, struct image_topic **out,
    mrt_error *error);

void topic_ref(struct image_topic *topic);
void topic_unref(struct image_topic *topic);

/* The broker in the body of a BROKER record, with one holder; its epoch is @offset when the record
 * names none. MRT_ECORRUPT. */
mrt_status broker_read(
    struct kit_reader *body, uint64_t offset, struct image_broker **out, mrt_error *error);

void broker_ref(struct image_broker *broker);
void broker_unref(struct image_broker *broker);

#endif /* CORE_CLUSTER_NODE_H */
