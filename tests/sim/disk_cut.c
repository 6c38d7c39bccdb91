/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies of a disk: as it is, and as a power cut would leave it. Directories and files are walked
 * in the order of their names' insertion, so a seed always means the same cut.
 */
#include <string.h>

#include "core/base/assert.h"
#include "core/base/memory.h"
#include "core/base/str.h"
#include "core/runtime/runtime.h"
#include "tests/sim/disk_parts.h"

static void image_copy(struct image *to, const struct image *from)
{
    image_reach(to, from->length);
    if (from->length > 0)
        memcpy(to->bytes, from->bytes, from->length);
}

/* ---- as it is -------------------------------------------------------------------------------- */

static struct inode *twin_of(struct disk *disk, struct inode *inode);

static void names_copy(struct disk *disk, const struct inode *from, struct inode *to)
{
    list_each (node, &from->names) {
        const struct name *name = CONTAINER(node, struct name, node);
        mrt_str text = str_of(name->text);
        name_new(to, &text, twin_of(disk, name->now), twin_of(disk, name->safe));
    }
}

/* The copy of @inode on @disk, made when it is met first: names share it as they do here. */
static struct inode *twin_of(struct disk *disk, struct inode *inode)
{
    if (inode == NULL || inode->twin != NULL)
        return inode == NULL ? NULL : inode->twin;
    struct inode *twin = inode_new(disk, inode->kind, inode->modified_ms);
    inode->twin = twin;
    image_copy(&twin->now, &inode->now);
    image_copy(&twin->safe, &inode->safe);
    twin->dirty_from = inode->dirty_from;
    twin->dirty_to = inode->dirty_to;
    disk->used += twin->now.length;
    names_copy(disk, inode, twin);
    return twin;
}

static void twins_forget(struct inode *inode)
{
    if (inode == NULL || inode->twin == NULL)
        return;
    inode->twin = NULL;
    list_each (node, &inode->names) {
        twins_forget(CONTAINER(node, struct name, node)->now);
        twins_forget(CONTAINER(node, struct name, node)->safe);
    }
}

struct disk *disk_copy(struct disk *disk)
{
    struct disk *copy = memory_new(sizeof *copy);
    copy->limit = disk->limit;
    copy->write_ns = disk->write_ns;
    copy->root = inode_ref(twin_of(copy, disk->root));
    twins_forget(disk->root);
    return copy;
}

/* ---- after a cut ----------------------------------------------------------------------------- */

static bool flip(struct random *random)
{
    return (random_next(random) >> 63) != 0;
}

/* The length that was written back, or the one that was not; then each page that differs. */
static void contents_cut(struct inode *to, const struct inode *from, struct random *random)
{
    bool grown = flip(random);
    image_copy(&to->now, &from->safe);
    if (grown) {
        image_cut(&to->now, from->now.length);
        image_reach(&to->now, from->now.length);
    }
    uint64_t end = from->now.length < to->now.length ? from->now.length : to->now.length;
    uint64_t page = from->dirty_from - from->dirty_from % DISK_PAGE;
    for (; page < from->dirty_to && page < end; page += DISK_PAGE) {
        uint64_t n = end - page < DISK_PAGE ? end - page : DISK_PAGE;
        if (flip(random))
            memcpy(to->now.bytes + page, from->now.bytes + page, n);
    }
    image_copy(&to->safe, &to->now);
}

static struct inode *inode_cut(struct disk *disk, const struct inode *from, struct random *random);

/* A directory is as it was synced, or as it is now. */
static void names_cut(
    struct disk *disk, const struct inode *from, struct inode *to, struct random *random)
{
    bool synced = flip(random);
    list_each (node, &from->names) {
        const struct name *name = CONTAINER(node, struct name, node);
        const struct inode *kept = synced ? name->safe : name->now;
        mrt_str text = str_of(name->text);
        if (kept == NULL)
            continue;
        struct inode *inode = inode_cut(disk, kept, random);
        name_new(to, &text, inode, inode);
    }
}

static struct inode *inode_cut(struct disk *disk, const struct inode *from, struct random *random)
{
    struct inode *to = inode_new(disk, from->kind, from->modified_ms);
    contents_cut(to, from, random);
    disk->used += to->now.length;
    names_cut(disk, from, to, random);
    return to;
}

struct disk *disk_copy_cut(struct disk *disk, uint64_t seed)
{
    struct random random;
    struct disk *copy = memory_new(sizeof *copy);
    random_init(&random, seed, "disk.cut");
    copy->limit = disk->limit;
    copy->write_ns = disk->write_ns;
    copy->root = inode_ref(inode_cut(copy, disk->root, &random));
    return copy;
}
