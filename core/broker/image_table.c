/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_table.c - the pinned image as protocols walk it (B6 of draft/broker.h). A reactor keeps one
 * reference to its image and changes it between turns, so a pin is nothing but the pointer.
 */
#include "core/broker/image_table.h"

#include "core/base/assert.h"
#include "core/base/str.h"
#include "core/broker/broker_state.h"

static const struct image *image_of(const mrt_image *image)
{
    return (const struct image *)image;
}

const mrt_image *image_table_pin(mrt_broker *shard, uint64_t *version)
{
    *version = image_version(shard->image);
    return (const mrt_image *)shard->image;
}

void image_table_unpin(mrt_broker *shard, const mrt_image *image)
{
    ASSERT((const mrt_image *)shard->image == image); /* within the turn */
}

void image_table_cluster(const mrt_image *image, uint8_t *id, int32_t *controller)
{
    memcpy(id, image_cluster_id(image_of(image)), 16);
    *controller = image_controller(image_of(image));
}

/* Where in the order of names @topic, which is in @image, stands. */
static uint64_t topic_place(const struct image *image, const struct image_topic *topic)
{
    uint64_t low = 0;
    uint64_t high = image_topic_count(image);
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (str_compare(&image_topic_at(image, middle)->name, &topic->name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    ASSERT(low < image_topic_count(image));
    return low;
}

static void show_topic(const struct image_topic *topic, uint64_t index, mrt_image_topic *out)
{
    memcpy(out->id, topic->id, sizeof out->id);
    out->name = topic->name;
    out->n_partitions = topic->n_partitions;
    out->flags = 0;
    out->index = index;
}

mrt_status image_table_topic(
    const mrt_image *pinned, const mrt_str *name, const uint8_t *id, mrt_image_topic *out)
{
    const struct image *image = image_of(pinned);
    const struct image_topic *topic =
        name != NULL ? image_topic(image, name) : image_topic_by_id(image, id);
    if (topic == NULL)
        return MRT_ENOENT;
    show_topic(topic, topic_place(image, topic), out);
    return MRT_OK;
}

mrt_status image_table_topic_next(const mrt_image *pinned, uint64_t *cursor, mrt_image_topic *out)
{
    const struct image *image = image_of(pinned);
    if (*cursor >= image_topic_count(image))
        return MRT_ENOENT;
    show_topic(image_topic_at(image, *cursor), *cursor, out);
    ++*cursor;
    return MRT_OK;
}

mrt_status image_table_partition(
    const mrt_image *pinned, uint64_t index, int32_t partition, mrt_image_partition *out)
{
    const struct image *image = image_of(pinned);
    ASSERT(index < image_topic_count(image));
    const struct image_topic *topic = image_topic_at(image, index);
    if (partition < 0 || (uint32_t)partition >= topic->n_partitions)
        return MRT_ENOENT;
    const struct image_partition *from = &topic->partitions[partition];
    *out = (mrt_image_partition){
        .leader = from->leader,
        .leader_epoch = from->leader_epoch,
        .replicas = from->replicas,
        .isr = from->isr,
        .n_replicas = from->n_replicas,
        .n_isr = from->n_isr,
    };
    return MRT_OK;
}

static const struct image_endpoint *endpoint_on(
    const struct image_broker *broker, const mrt_str *listener)
{
    for (uint32_t i = 0; i < broker->n_endpoints; i++)
        if (str_equal(&broker->endpoints[i].listener, listener))
            return &broker->endpoints[i];
    return NULL;
}

mrt_status image_table_broker_next(
    const mrt_image *pinned, const mrt_str *listener, uint64_t *cursor, mrt_image_broker *out)
{
    const struct image *image = image_of(pinned);
    if (*cursor >= image_broker_count(image))
        return MRT_ENOENT;
    const struct image_broker *broker = image_broker_at(image, (*cursor)++);
    const struct image_endpoint *endpoint = endpoint_on(broker, listener);
    *out = (mrt_image_broker){
        .id = broker->id,
        .flags = (broker->fenced ? 1U : 0) | (broker->id == image_controller(image) ? 2U : 0),
        .rack = broker->rack,
    };
    if (endpoint != NULL) {
        out->host = endpoint->host;
        out->port = endpoint->port;
    }
    return MRT_OK;
}

mrt_status image_table_config(
    const mrt_image *pinned, uint64_t index, const mrt_str *key, mrt_str *out)
{
    const struct image_topic *topic = image_topic_at(image_of(pinned), index);
    for (uint32_t i = 0; i < topic->n_configs; i++)
        if (str_equal(&topic->configs[i].name, key)) {
            *out = topic->configs[i].value;
            return MRT_OK;
        }
    return MRT_ENOENT;
}
