/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blob.c - a log's marks and named side files.
 *
 * A partition has a few blobs (epochs, identity, a producer snapshot per segment): a sorted list
 * serves them. One that is appended to doubles its room, so appending costs what is appended.
 */
#include "plugins/storage/memory/memory.h"

struct memory_blob {
    struct memory_blob *next;
    int64_t offset;
    uint64_t n, cap;
    uint32_t kind, reserved;
    uint8_t data[];
};

static void blob_free(mrt_log *log, struct memory_blob *blob)
{
    if (blob != NULL)
        memory_give(log->dir->store, blob, sizeof *blob + blob->cap);
}

void memory_blobs_free(mrt_log *log)
{
    while (log->blobs != NULL) {
        struct memory_blob *blob = log->blobs;
        log->blobs = blob->next;
        blob_free(log, blob);
    }
}

/* ---- marks ----------------------------------------------------------------------------------- */

void memory_mark_set(mrt_log *log, uint32_t kind, int64_t value)
{
    if (kind >= MEMORY_MARKS || log->readonly)
        return;
    log->mark[kind] = value;
    log->marks_set |= 1u << kind;
}

mrt_status memory_mark_get(mrt_log *log, uint32_t kind, int64_t *value)
{
    if (kind >= MEMORY_MARKS || (log->marks_set & 1u << kind) == 0)
        return MRT_ENOENT;
    *value = log->mark[kind];
    return MRT_OK;
}

/* ---- blobs ----------------------------------------------------------------------------------- */

static uint32_t is_at(const struct memory_blob *blob, uint32_t kind, int64_t offset)
{
    return blob != NULL && blob->kind == kind && blob->offset == offset;
}

/* Where the first blob at or behind (@kind, @offset) hangs. */
static struct memory_blob **find(mrt_log *log, uint32_t kind, int64_t offset)
{
    struct memory_blob **at = &log->blobs;
    while (*at != NULL && ((*at)->kind < kind || ((*at)->kind == kind && (*at)->offset < offset)))
        at = &(*at)->next;
    return at;
}

static void add_bytes(struct memory_blob *blob, const mrt_str *bytes)
{
    if (bytes->n > 0)
        memcpy(blob->data + blob->n, bytes->p, bytes->n);
    blob->n += bytes->n;
}

/* A blob at *@at of room for @kept bytes of what is there and @more. */
static mrt_status blob_make(
    mrt_log *log, const struct memory_blob *old, uint64_t kept, uint64_t more,
    struct memory_blob **out)
{
    struct memory_store *store = log->dir->store;
    uint64_t cap = kept + more > kept * 2 ? kept + more : kept * 2;
    void *room;
    if (more > store->bytes_max)
        return MRT_ENOSPC;
    mrt_status status = memory_take(store, sizeof(struct memory_blob) + cap, &room);
    if (status != MRT_OK)
        return status;
    struct memory_blob *blob = room;
    *blob = (struct memory_blob){.n = kept, .cap = cap};
    if (kept > 0)
        memcpy(blob->data, old->data, kept);
    *out = blob;
    return MRT_OK;
}

mrt_status memory_blob_put(
    mrt_log *log, mrt_op *op, uint32_t kind, int64_t offset, const mrt_str *bytes, uint32_t flags)
{
    (void)op;
    if (log->readonly)
        return MRT_EREADONLY;
    if ((flags & ~(uint32_t)MRT_BLOB_APPEND) != 0)
        return MRT_EINVAL;
    struct memory_blob **at = find(log, kind, offset);
    struct memory_blob *old = is_at(*at, kind, offset) ? *at : NULL;
    uint64_t kept = old != NULL && (flags & MRT_BLOB_APPEND) != 0 ? old->n : 0;
    if (old != NULL && kept > 0 && old->cap - kept >= bytes->n) {
        add_bytes(old, bytes);
        return MRT_OK;
    }
    struct memory_blob *blob;
    mrt_status status = blob_make(log, old, kept, bytes->n, &blob);
    if (status != MRT_OK)
        return status;
    blob->kind = kind;
    blob->offset = offset;
    blob->next = old != NULL ? old->next : *at;
    add_bytes(blob, bytes);
    *at = blob;
    blob_free(log, old);
    memory_dir_moved(log->dir);
    return MRT_OK;
}

mrt_status memory_blob_get(
    mrt_log *log, mrt_op *op, uint32_t kind, int64_t offset, void *buf, uint64_t cap, uint64_t *got)
{
    const struct memory_blob *blob = *find(log, kind, offset);
    (void)op;
    if (!is_at(blob, kind, offset))
        return MRT_ENOENT;
    *got = blob->n;
    if (blob->n > cap)
        return MRT_ETOOBIG;
    if (blob->n > 0)
        memcpy(buf, blob->data, blob->n);
    return MRT_OK;
}

mrt_status memory_blob_remove(mrt_log *log, mrt_op *op, uint32_t kind, int64_t offset)
{
    struct memory_blob **at = find(log, kind, offset);
    struct memory_blob *blob = *at;
    (void)op;
    if (log->readonly)
        return MRT_EREADONLY;
    if (!is_at(blob, kind, offset))
        return MRT_OK;
    *at = blob->next;
    blob_free(log, blob);
    memory_dir_moved(log->dir);
    return MRT_OK;
}

mrt_status memory_blobs(
    mrt_log *log, uint32_t kind, int64_t from, int64_t *out, uint32_t cap, uint32_t *n)
{
    const struct memory_blob *blob = *find(log, kind, from);
    for (*n = 0; blob != NULL && blob->kind == kind && *n < cap; blob = blob->next)
        out[(*n)++] = blob->offset;
    return MRT_OK;
}
