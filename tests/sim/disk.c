/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/disk.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/base/memory.h"
#include "core/base/str.h"
#include "tests/sim/disk_parts.h"

struct disk_file {
    struct inode *inode; /* held */
    bool has_lock;
    bool may_read;
    bool may_write;
};

/* ---- contents -------------------------------------------------------------------------------- */

void image_reach(struct image *image, uint64_t bytes)
{
    if (bytes > image->cap) {
        uint64_t cap = image->cap < DISK_PAGE ? DISK_PAGE : image->cap;
        while (cap < bytes)
            cap *= 2;
        image->bytes = memory_resize(image->bytes, cap);
        memset(image->bytes + image->cap, 0, cap - image->cap);
        image->cap = cap;
    }
    if (bytes > image->length)
        image->length = bytes;
}

void image_cut(struct image *image, uint64_t bytes)
{
    if (bytes >= image->length)
        return;
    memset(image->bytes + bytes, 0, image->length - bytes);
    image->length = bytes;
}

struct inode *inode_new(struct disk *disk, uint32_t kind, int64_t now_ms)
{
    struct inode *inode = memory_new(sizeof *inode);
    inode->disk = disk;
    inode->kind = kind;
    inode->modified_ms = now_ms;
    list_init(&inode->names);
    return inode;
}

struct inode *inode_ref(struct inode *inode)
{
    if (inode != NULL)
        inode->refs++;
    return inode;
}

void inode_unref(struct inode *inode)
{
    if (inode == NULL)
        return;
    ASSERT(inode->refs > 0);
    if (--inode->refs > 0)
        return;
    while (!list_empty(&inode->names))
        name_free(CONTAINER(inode->names.next, struct name, node));
    ASSERT(inode->disk->used >= inode->now.length);
    inode->disk->used -= inode->now.length;
    memory_free(inode->now.bytes);
    memory_free(inode->safe.bytes);
    memory_free(inode);
}

static void make_dirty(struct inode *inode, uint64_t from, uint64_t to)
{
    if (inode->dirty_from == inode->dirty_to)
        inode->dirty_from = from;
    inode->dirty_from = from < inode->dirty_from ? from : inode->dirty_from;
    inode->dirty_to = to > inode->dirty_to ? to : inode->dirty_to;
}

/* Room for a length of @bytes? Then it is taken. */
static mrt_status take_room(struct inode *inode, uint64_t bytes)
{
    struct disk *disk = inode->disk;
    uint64_t more = bytes > inode->now.length ? bytes - inode->now.length : 0;
    if (more > disk->limit - disk->used)
        return MRT_ENOSPC;
    disk->used += more;
    return MRT_OK;
}

/* ---- names ----------------------------------------------------------------------------------- */

struct name *name_new(
    struct inode *directory, const mrt_str *text, struct inode *now, struct inode *safe)
{
    struct name *name = memory_new(sizeof *name);
    ASSERT(directory->kind == 2);
    name->text = str_copy(text);
    name->now = inode_ref(now);
    name->safe = inode_ref(safe);
    list_append(&directory->names, &name->node);
    return name;
}

void name_free(struct name *name)
{
    list_remove(&name->node);
    inode_unref(name->now);
    inode_unref(name->safe);
    memory_free(name->text);
    memory_free(name);
}

static struct name *name_find(const struct inode *directory, const mrt_str *text)
{
    list_each (node, &directory->names) {
        struct name *name = CONTAINER(node, struct name, node);
        if (str_is(text, name->text))
            return name;
    }
    return NULL;
}

/* Makes @text in @directory mean @inode, or nothing (NULL). */
static void name_point(struct inode *directory, const mrt_str *text, struct inode *inode)
{
    struct name *name = name_find(directory, text);
    if (name == NULL) {
        name_new(directory, text, inode, NULL);
        return;
    }
    struct inode *before = name->now;
    name->now = inode_ref(inode);
    inode_unref(before);
    if (name->now == NULL && name->safe == NULL)
        name_free(name);
}

/* The directory that @path is in, and in *@last what it is called there;
 * NULL: no such directory. */
static struct inode *walk(struct disk *disk, const mrt_str *path, mrt_str *last)
{
    struct inode *at = disk->root;
    *last = (mrt_str){path->p, 0};
    for (uint64_t i = 0; i < path->n;) {
        uint64_t end = i;
        while (end < path->n && path->p[end] != '/')
            end++;
        bool here = end == i || (end == i + 1 && path->p[i] == '.'); /* "//", "/./" */
        if (!here && last->n > 0) {
            const struct name *name = name_find(at, last);
            at = name == NULL ? NULL : name->now;
            if (at == NULL || at->kind != 2)
                return NULL;
        }
        if (!here)
            *last = (mrt_str){path->p + i, end - i};
        i = end + 1;
    }
    return at;
}

/* What is at @path now, or NULL. */
static struct inode *inode_at(struct disk *disk, const mrt_str *path)
{
    mrt_str last;
    struct inode *directory = walk(disk, path, &last);
    if (directory == NULL || last.n == 0)
        return directory;
    const struct name *name = name_find(directory, &last);
    return name == NULL ? NULL : name->now;
}

static bool has_children(const struct inode *directory)
{
    list_each (node, &directory->names) {
        if (CONTAINER(node, struct name, node)->now != NULL)
            return true;
    }
    return false;
}

/* ---- the disk -------------------------------------------------------------------------------- */

struct disk *disk_new(uint64_t bytes)
{
    struct disk *disk = memory_new(sizeof *disk);
    disk->limit = bytes == 0 ? DISK_UNLIMITED : bytes;
    disk->root = inode_ref(inode_new(disk, 2, 0));
    return disk;
}

void disk_free(struct disk *disk)
{
    if (disk == NULL)
        return;
    inode_unref(disk->root);
    ASSERT(disk->used == 0); /* a file is still open */
    memory_free(disk);
}

void disk_fail(struct disk *disk, enum disk_call call, uint32_t skip, mrt_status status)
{
    ASSERT(call < DISK_CALLS);
    disk->faults[call] = (struct fault){true, skip, status};
}

/* What this call is to answer: MRT_OK, or the fault that was waiting for it. */
static mrt_status fault_take(struct disk *disk, enum disk_call call)
{
    struct fault *fault = &disk->faults[call];
    if (!fault->armed || fault->skip-- > 0)
        return MRT_OK;
    fault->armed = false;
    return fault->status;
}

void disk_slow(struct disk *disk, uint64_t write_ns)
{
    disk->write_ns = write_ns;
}

uint64_t disk_write_ns(const struct disk *disk)
{
    return disk->write_ns;
}

bool disk_rot(struct disk *disk, const char *path, uint64_t off)
{
    mrt_str name = str_of(path);
    struct inode *inode = inode_at(disk, &name);
    if (inode == NULL || off >= inode->now.length)
        return false;
    inode->now.bytes[off] ^= 0x40;
    if (off < inode->safe.length)
        inode->safe.bytes[off] ^= 0x40;
    return true;
}

void disk_space(const struct disk *disk, uint64_t *total, uint64_t *avail)
{
    *total = disk->limit;
    *avail = disk->limit - disk->used;
}

/* ---- open files ------------------------------------------------------------------------------ */

mrt_status disk_open(
    struct disk *disk, const mrt_str *path, uint32_t flags, int64_t now_ms, struct disk_file **out)
{
    mrt_str last;
    struct inode *directory = walk(disk, path, &last);
    struct inode *inode = inode_at(disk, path);
    mrt_status status = fault_take(disk, DISK_OPEN);
    if (status != MRT_OK)
        return status;
    if (directory == NULL || last.n == 0)
        return MRT_ENOENT;
    if (inode == NULL && (flags & MRT_FILE_CREATE) == 0)
        return MRT_ENOENT;
    if (inode != NULL && (flags & MRT_FILE_EXCLUSIVE) != 0)
        return MRT_EEXIST;
    if (inode != NULL && inode->kind != 1)
        return MRT_EINVAL;
    if (inode != NULL && (flags & MRT_FILE_LOCK) != 0 && inode->locked)
        return MRT_EBUSY;
    if (inode == NULL) {
        inode = inode_new(disk, 1, now_ms);
        name_point(directory, &last, inode);
    }
    struct disk_file *file = memory_new(sizeof *file);
    file->inode = inode_ref(inode);
    file->has_lock = (flags & MRT_FILE_LOCK) != 0;
    file->may_read = (flags & MRT_FILE_READ) != 0;
    file->may_write = (flags & MRT_FILE_WRITE) != 0;
    inode->locked |= file->has_lock;
    *out = file;
    return MRT_OK;
}

void disk_close(struct disk_file *file)
{
    if (file->has_lock)
        file->inode->locked = false;
    inode_unref(file->inode);
    memory_free(file);
}

static void put_bytes(
    struct inode *inode, const mrt_slice *v, uint32_t n, uint64_t off, uint64_t most)
{
    uint64_t at = off;
    for (uint32_t i = 0; i < n && at - off < most; i++) {
        const uint8_t *from = (const uint8_t *)(uintptr_t)v[i].ref + v[i].off;
        uint64_t len = v[i].len < most - (at - off) ? v[i].len : most - (at - off);
        image_reach(&inode->now, at + len);
        if (len > 0)
            memcpy(inode->now.bytes + at, from, len);
        at += len;
    }
    make_dirty(inode, off, at);
}

mrt_status disk_write(
    struct disk_file *file, const mrt_slice *v, uint32_t n, uint64_t off, int64_t now_ms)
{
    struct inode *inode = file->inode;
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < n; i++)
        bytes += v[i].len;
    if (!file->may_write)
        return MRT_EINVAL;
    if (bytes == 0)
        return MRT_OK;
    mrt_status status = fault_take(inode->disk, DISK_WRITE);
    uint64_t most = status == MRT_OK ? bytes : bytes / 2;
    mrt_status room = take_room(inode, off + most);
    if (room != MRT_OK)
        return room;
    put_bytes(inode, v, n, off, most);
    inode->modified_ms = now_ms;
    return status;
}

mrt_status disk_read(struct disk_file *file, void *to, uint64_t n, uint64_t off, uint64_t *got)
{
    struct inode *inode = file->inode;
    mrt_status status = fault_take(inode->disk, DISK_READ);
    if (status != MRT_OK || !file->may_read)
        return status != MRT_OK ? status : MRT_EINVAL;
    uint64_t left = off < inode->now.length ? inode->now.length - off : 0;
    *got = n < left ? n : left;
    if (*got > 0)
        memcpy(to, inode->now.bytes + off, *got);
    inode->evicted = false;
    return MRT_OK;
}

mrt_status disk_read_nowait(
    struct disk_file *file, void *to, uint64_t n, uint64_t off, uint64_t *got)
{
    return file->inode->evicted ? MRT_EAGAIN : disk_read(file, to, n, off, got);
}

mrt_status disk_sync(struct disk_file *file)
{
    struct inode *inode = file->inode;
    mrt_status status = fault_take(inode->disk, DISK_SYNC);
    if (status != MRT_OK)
        return status;
    uint64_t to = inode->dirty_to < inode->now.length ? inode->dirty_to : inode->now.length;
    uint64_t from = inode->dirty_from;
    image_cut(&inode->safe, inode->now.length);
    image_reach(&inode->safe, inode->now.length);
    if (from < to)
        memcpy(inode->safe.bytes + from, inode->now.bytes + from, to - from);
    inode->dirty_from = inode->dirty_to = 0;
    return MRT_OK;
}

mrt_status disk_truncate(struct disk_file *file, uint64_t bytes)
{
    struct inode *inode = file->inode;
    mrt_status status = fault_take(inode->disk, DISK_TRUNCATE);
    if (status != MRT_OK || !file->may_write)
        return status != MRT_OK ? status : MRT_EINVAL;
    status = take_room(inode, bytes);
    if (status != MRT_OK)
        return status;
    uint64_t before = inode->now.length;
    if (bytes < before) {
        image_cut(&inode->now, bytes);
        inode->disk->used -= before - bytes;
        make_dirty(inode, bytes, before);
    } else if (bytes > before) {
        image_reach(&inode->now, bytes);
        make_dirty(inode, before, bytes);
    }
    return MRT_OK;
}

mrt_status disk_allocate(struct disk_file *file, uint64_t off, uint64_t n)
{
    struct inode *inode = file->inode;
    mrt_status status = fault_take(inode->disk, DISK_ALLOCATE);
    if (status != MRT_OK || !file->may_write)
        return status != MRT_OK ? status : MRT_EINVAL;
    uint64_t more = off + n > inode->now.length ? off + n - inode->now.length : 0;
    return more > inode->disk->limit - inode->disk->used ? MRT_ENOSPC : MRT_OK;
}

void disk_evict(struct disk_file *file)
{
    file->inode->evicted = true;
}

uint64_t disk_length(const struct disk_file *file)
{
    return file->inode->now.length;
}

/* ---- by path --------------------------------------------------------------------------------- */

mrt_status disk_rename(struct disk *disk, const mrt_str *from, const mrt_str *to)
{
    mrt_str old, new;
    mrt_status status = fault_take(disk, DISK_RENAME);
    struct inode *inode = inode_at(disk, from);
    struct inode *there = inode_at(disk, to);
    struct inode *from_dir = walk(disk, from, &old);
    struct inode *to_dir = walk(disk, to, &new);
    if (status != MRT_OK)
        return status;
    if (inode == NULL || to_dir == NULL || old.n == 0 || new.n == 0)
        return MRT_ENOENT;
    if (there == inode)
        return MRT_OK;
    if (there != NULL && (there->kind != inode->kind || has_children(there)))
        return MRT_EBUSY;
    inode_ref(inode);
    name_point(to_dir, &new, inode);
    name_point(from_dir, &old, NULL);
    inode_unref(inode);
    return MRT_OK;
}

mrt_status disk_unlink(struct disk *disk, const mrt_str *path)
{
    mrt_str last;
    mrt_status status = fault_take(disk, DISK_UNLINK);
    const struct inode *inode = inode_at(disk, path);
    struct inode *directory = walk(disk, path, &last);
    if (status != MRT_OK)
        return status;
    if (inode == NULL || last.n == 0)
        return MRT_ENOENT;
    if (has_children(inode))
        return MRT_EBUSY;
    name_point(directory, &last, NULL);
    return MRT_OK;
}

mrt_status disk_mkdir(struct disk *disk, const mrt_str *path, int64_t now_ms)
{
    mrt_str last;
    mrt_status status = fault_take(disk, DISK_MKDIR);
    struct inode *directory = walk(disk, path, &last);
    if (status != MRT_OK)
        return status;
    if (inode_at(disk, path) != NULL)
        return MRT_EEXIST;
    if (directory == NULL)
        return MRT_ENOENT;
    name_point(directory, &last, inode_new(disk, 2, now_ms));
    return MRT_OK;
}

mrt_status disk_sync_dir(struct disk *disk, const mrt_str *path)
{
    mrt_status status = fault_take(disk, DISK_SYNC_DIR);
    struct inode *directory = inode_at(disk, path);
    if (status != MRT_OK)
        return status;
    if (directory == NULL || directory->kind != 2)
        return MRT_ENOENT;
    list_each_safe (node, &directory->names) {
        struct name *name = CONTAINER(node, struct name, node);
        struct inode *before = name->safe;
        name->safe = inode_ref(name->now);
        inode_unref(before);
        if (name->now == NULL)
            name_free(name);
    }
    return MRT_OK;
}

mrt_status disk_stat(struct disk *disk, const mrt_str *path, struct env_stat *out)
{
    const struct inode *inode = inode_at(disk, path);
    if (inode == NULL)
        return MRT_ENOENT;
    *out = (struct env_stat){inode->now.length, inode->modified_ms, inode->kind};
    return MRT_OK;
}

mrt_status disk_list(
    struct disk *disk, const mrt_str *path, bool (*each)(void *ctx, const mrt_str *name), void *ctx)
{
    mrt_status status = fault_take(disk, DISK_LIST);
    const struct inode *inode = inode_at(disk, path);
    if (status != MRT_OK)
        return status;
    if (inode == NULL || inode->kind != 2)
        return MRT_ENOENT;
    list_each (node, &inode->names) {
        const struct name *name = CONTAINER(node, struct name, node);
        mrt_str text = str_of(name->text);
        if (name->now != NULL && !each(ctx, &text))
            break;
    }
    return MRT_OK;
}
