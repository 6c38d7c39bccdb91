/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_table.h - the slots of mortise.host.broker/1 that read the image; see draft/broker.h.
 */
#ifndef CORE_BROKER_IMAGE_TABLE_H
#define CORE_BROKER_IMAGE_TABLE_H

#include <mortise/draft/broker.h>

const mrt_image *image_table_pin(mrt_broker *shard, uint64_t *version);
void image_table_unpin(mrt_broker *shard, const mrt_image *image);
void image_table_cluster(const mrt_image *image, uint8_t *id, int32_t *controller);
mrt_status image_table_topic(
    const mrt_image *pinned, const mrt_str *name, const uint8_t *id, mrt_image_topic *out);
mrt_status image_table_topic_next(const mrt_image *pinned, uint64_t *cursor, mrt_image_topic *out);
mrt_status image_table_partition(
    const mrt_image *pinned, uint64_t index, int32_t partition, mrt_image_partition *out);
mrt_status image_table_broker_next(
    const mrt_image *pinned, const mrt_str *listener, uint64_t *cursor, mrt_image_broker *out);
mrt_status image_table_config(
    const mrt_image *pinned, uint64_t index, const mrt_str *key, mrt_str *out);

#endif /* CORE_BROKER_IMAGE_TABLE_H */
