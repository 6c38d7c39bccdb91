/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.h - a sorted table of things, copied on write in chunks, so that a version of the image
 * that differs from the one before in one topic shares everything else with it.
 *
 *   T1  What another table shares is never written: the list of chunks and the chunks are copied
 *       before their first change when they have more than one holder.
 *   T2  Elements stand in the order of their kind's compare(), no two equal.
 *   T3  A table whose kind has ref() holds each of its elements; one without stands beside such a
 *       table with the same elements and lives as long.
 */
#ifndef CORE_CLUSTER_TABLE_H
#define CORE_CLUSTER_TABLE_H

#include <stdbool.h>
#include <stdint.h>

struct table_kind {
    int (*compare)(const void *key, const void *element); /* as memcmp() */
    const void *(*key)(const void *element);
    void (*ref)(void *element); /* both or none (T3) */
    void (*unref)(void *element);
};

struct table {
    const struct table_kind *kind;
    struct table_top *top; /* counted; NULL while empty */
};

/* An empty table of @kind. */
struct table table_of(const struct table_kind *kind);

/* One more holder of the same elements; any thread may let go of its own. */
struct table table_share(const struct table *table);
void table_fini(struct table *table);

uint64_t table_count(const struct table *table);

/* Element @i in order; @i is below the count. */
void *table_at(const struct table *table, uint64_t i);

/* NULL when there is none. */
void *table_find(const struct table *table, const void *key);

/* Adds @element, whose key is not there yet. */
void table_insert(struct table *table, void *element);

/* Puts @element where the one with the same key, which is there, stands. */
void table_replace(struct table *table, void *element);

/* Takes the one with @key, which is there, out. */
void table_remove(struct table *table, const void *key);

/* Asserts T2 and the bookkeeping. */
void table_check(const struct table *table);

#endif /* CORE_CLUSTER_TABLE_H */
