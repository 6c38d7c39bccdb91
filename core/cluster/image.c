/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cluster/image.h"

#include <stddef.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/memory.h"
#include "core/base/str.h"
#include "core/cluster/state.h"

#define CHANGES_MIN 8

struct image *image_ref(struct image *image)
{
    uint64_t before = __atomic_fetch_add(&image->refs, 1, __ATOMIC_RELAXED);
    ASSERT(before > 0);
    return image;
}

void image_unref(struct image *image)
{
    if (image == NULL)
        return;
    uint64_t before = __atomic_fetch_sub(&image->refs, 1, __ATOMIC_ACQ_REL);
    ASSERT(before > 0);
    if (before > 1)
        return;
    table_fini(&image->ids);
    table_fini(&image->folds);
    table_fini(&image->names);
    table_fini(&image->brokers);
    memory_free(image);
}

struct image *image_empty(void)
{
    struct image *image = memory_new(sizeof *image);
    image->refs = 1;
    image->controller = -1;
    image->names = table_of(&topics_by_name);
    image->ids = table_of(&topics_by_id);
    image->folds = table_of(&topics_by_fold);
    image->brokers = table_of(&brokers_by_id);
    return image;
}

struct image *image_copy(const struct image *image)
{
    struct image *copy = memory_new(sizeof *copy);
    /* all but the references of @image, which other threads change */
    memcpy(&copy->version, &image->version, sizeof *copy - offsetof(struct image, version));
    copy->refs = 1;
    copy->names = table_share(&image->names);
    copy->ids = table_share(&image->ids);
    copy->folds = table_share(&image->folds);
    copy->brokers = table_share(&image->brokers);
    return copy;
}

void image_check(const struct image *image)
{
    table_check(&image->names);
    table_check(&image->ids);
    table_check(&image->folds);
    table_check(&image->brokers);
    ASSERT(table_count(&image->ids) == table_count(&image->names));
    ASSERT(table_count(&image->folds) == table_count(&image->names));
}

uint64_t image_version(const struct image *image)
{
    return image->version;
}

uint64_t image_offset(const struct image *image)
{
    return image->offset;
}

uint32_t image_epoch(const struct image *image)
{
    return image->epoch;
}

const uint8_t *image_cluster_id(const struct image *image)
{
    return image->cluster_id;
}

int32_t image_controller(const struct image *image)
{
    return image->controller;
}

int64_t image_next_producer_id(const struct image *image)
{
    return image->next_producer_id;
}

const struct image_topic *image_topic(const struct image *image, const mrt_str *name)
{
    return table_find(&image->names, name);
}

const struct image_topic *image_topic_by_id(const struct image *image, const uint8_t *id)
{
    return table_find(&image->ids, id);
}

const struct image_topic *image_topic_like(const struct image *image, const mrt_str *name)
{
    const struct image_topic *topic = table_find(&image->folds, name);
    return topic != NULL && str_equal(&topic->name, name) ? NULL : topic;
}

uint64_t image_topic_count(const struct image *image)
{
    return table_count(&image->names);
}

const struct image_topic *image_topic_at(const struct image *image, uint64_t i)
{
    return table_at(&image->names, i);
}

uint64_t image_broker_count(const struct image *image)
{
    return table_count(&image->brokers);
}

const struct image_broker *image_broker_at(const struct image *image, uint64_t i)
{
    return table_at(&image->brokers, i);
}

const struct image_broker *image_broker(const struct image *image, int32_t id)
{
    return table_find(&image->brokers, &id);
}

void image_changes_add(
    struct image_changes *changes, enum image_change_kind kind, int32_t partition,
    const struct image_topic *topic)
{
    ASSERT(changes->n <= changes->cap);
    if (changes->n == changes->cap) {
        changes->cap = changes->cap == 0 ? CHANGES_MIN : changes->cap * 2;
        changes->v = memory_resize(changes->v, changes->cap * sizeof *changes->v);
    }
    changes->v[changes->n++] = (struct image_change){kind, partition, topic};
}

void image_changes_free(struct image_changes *changes)
{
    memory_free(changes->v);
    *changes = (struct image_changes){0};
}
