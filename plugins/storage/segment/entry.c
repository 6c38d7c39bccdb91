/* SPDX-License-Identifier: Apache-2.0 */
/*
 * entry.c - what a directory knows of its logs: a hash table by folder name, listed in the order in
 * which they became known. On the directory's executor.
 */
#include <stdio.h>
#include <string.h>

#include "plugins/storage/segment/parts.h"

#define BUCKETS_FIRST 64

static uint64_t hash_of(const char *name, uint64_t n)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (uint64_t i = 0; i < n; i++)
        hash = (hash ^ (uint8_t)name[i]) * UINT64_C(1099511628211);
    return hash;
}

static uint64_t name_of(const mrt_str *topic, int32_t partition, char *out)
{
    return (uint64_t)snprintf(out, FOLDER_MAX + 1, "%.*s-%d", (int)topic->n, topic->p, partition);
}

struct entry *segment_entry_find(const mrt_dir *dir, const mrt_str *topic, int32_t partition)
{
    char name[FOLDER_MAX + 1];
    if (dir->bucket_count == 0)
        return NULL;
    uint64_t n = name_of(topic, partition, name);
    uint64_t hash = hash_of(name, n);
    struct entry *entry = dir->buckets[hash & (dir->bucket_count - 1)];
    while (entry && (entry->hash != hash || strcmp(entry->name, name) != 0))
        entry = entry->chain;
    return entry;
}

static mrt_status grow(mrt_dir *dir)
{
    const mrt_host *host = dir->store->host;
    uint64_t n = dir->bucket_count ? dir->bucket_count * 2 : BUCKETS_FIRST;
    if (dir->count < dir->bucket_count)
        return MRT_OK;
    struct entry **buckets = host->alloc(host, n * sizeof(struct entry *), 8);
    if (!buckets)
        return MRT_ENOMEM;
    memset(buckets, 0, n * sizeof(struct entry *));
    for (struct entry *entry = dir->first; entry; entry = entry->next) {
        struct entry **bucket = &buckets[entry->hash & (n - 1)];
        entry->chain = *bucket;
        *bucket = entry;
    }
    host->free(host, dir->buckets);
    dir->buckets = buckets;
    dir->bucket_count = n;
    return MRT_OK;
}

static void link_entry(mrt_dir *dir, struct entry *entry)
{
    struct entry **bucket = &dir->buckets[entry->hash & (dir->bucket_count - 1)];
    entry->chain = *bucket;
    *bucket = entry;
    entry->previous = dir->last;
    if (dir->last)
        dir->last->next = entry;
    else
        dir->first = entry;
    dir->last = entry;
    dir->count++;
}

struct entry *segment_entry_add(mrt_dir *dir, const mrt_str *topic, int32_t partition)
{
    const mrt_host *host = dir->store->host;
    char name[FOLDER_MAX + 1];
    uint64_t n = name_of(topic, partition, name);
    struct entry *entry = grow(dir) ? NULL : host->alloc(host, sizeof(*entry) + n + 1, 8);
    if (!entry)
        return NULL;
    memset(entry, 0, sizeof(*entry));
    memcpy(entry->name, name, n + 1);
    entry->name_bytes = (uint16_t)n;
    entry->topic_bytes = (uint16_t)topic->n;
    entry->partition = partition;
    entry->hash = hash_of(name, n);
    entry->serial = ++dir->serials;
    for (uint32_t i = 0; i < MARKS; i++)
        entry->mark[i] = UNSET;
    link_entry(dir, entry);
    return entry;
}

static void unlink_entry(mrt_dir *dir, struct entry *entry)
{
    struct entry **at = &dir->buckets[entry->hash & (dir->bucket_count - 1)];
    while (*at != entry)
        at = &(*at)->chain;
    *at = entry->chain;
    if (entry->previous)
        entry->previous->next = entry->next;
    else
        dir->first = entry->next;
    if (entry->next)
        entry->next->previous = entry->previous;
    else
        dir->last = entry->previous;
    dir->count--;
}

void segment_entry_remove(mrt_dir *dir, struct entry *entry)
{
    segment_entry_trust(dir, entry, TRUST_CLEAN);
    __atomic_sub_fetch(&dir->bytes, entry->bytes, __ATOMIC_RELAXED);
    unlink_entry(dir, entry);
    entry->dead = 1;
    segment_entry_pin(entry);
    segment_entry_unpin(dir, entry);
    segment_dirty(dir, (1u << MARKS) - 1);
}

void segment_entry_pin(struct entry *entry)
{
    entry->pins++;
}

void segment_entry_unpin(mrt_dir *dir, struct entry *entry)
{
    if (--entry->pins == 0 && entry->dead)
        dir->store->host->free(dir->store->host, entry);
}

void segment_entries_free(mrt_dir *dir)
{
    const mrt_host *host = dir->store->host;
    while (dir->first) {
        struct entry *entry = dir->first;
        dir->first = entry->next;
        host->free(host, entry);
    }
    host->free(host, dir->buckets);
    dir->buckets = NULL;
}

void segment_entry_trust(mrt_dir *dir, struct entry *entry, uint32_t trust)
{
    uint64_t strangers = dir->strangers;
    dir->distrusted -= entry->trust != TRUST_CLEAN;
    dir->strangers -= entry->trust == TRUST_NONE;
    entry->trust = trust;
    dir->distrusted += trust != TRUST_CLEAN;
    dir->strangers += trust == TRUST_NONE;
    if (strangers > 0 && dir->strangers == 0) {
        dir->boot_due = 1;
        segment_dirty(dir, 0);
    }
}

/* ---- marks ----------------------------------------------------------------------------------- */

void segment_mark(mrt_dir *dir, struct entry *entry, uint32_t kind, int64_t value)
{
    if (__atomic_exchange_n(&entry->mark[kind], value, __ATOMIC_RELEASE) != value)
        segment_dirty(dir, 1u << kind);
}

void segment_mark_set(mrt_log *log, uint32_t kind, int64_t value)
{
    if (kind == MARK_RECOVERED || kind >= MARKS)
        segment_say(
            log->store, MRT_LOG_ERROR, "mark.unknown log=%s kind=%u", log->entry->name, kind);
    else if (!log->readonly)
        segment_mark(log->dir, log->entry, kind, value);
}

mrt_status segment_mark_get(mrt_log *log, uint32_t kind, int64_t *value)
{
    if (kind == MARK_RECOVERED || kind >= MARKS || mark_load(log->entry, kind) == UNSET)
        return MRT_ENOENT;
    *value = mark_load(log->entry, kind);
    return MRT_OK;
}
