/* SPDX-License-Identifier: Apache-2.0 */
/*
 * map.h - an intrusive hash map from bytes to the thing that holds the node.
 *
 * Walking it (list_each over map.order) goes in the order of insertion, never in the order of
 * hashes: a simulated run must not depend on where things lie in memory.
 */
#ifndef CORE_BASE_MAP_H
#define CORE_BASE_MAP_H

#include <mortise/abi.h>

#include "core/base/list.h"

struct map_node {
    struct list order; /* in map.order; CONTAINER(node, struct map_node, order) */
    struct map_node *chain;
    uint64_t hash;
    mrt_str key; /* borrowed from the thing that holds the node */
};

struct map {
    struct list order;
    struct map_node **buckets; /* owned; a power of two of them, NULL while empty */
    uint64_t bucket_count;
    uint64_t count;
    uint64_t seed; /* so that clients cannot choose colliding names */
};

void map_init(struct map *map, uint64_t seed);

/* Frees the table; nodes are their holders'. The map is empty afterwards. */
void map_fini(struct map *map);

/* The node with @key, or NULL. */
struct map_node *map_find(const struct map *map, const mrt_str *key);

/* Adds @node under @key, whose bytes live as long as the node; there must be none with that key. */
void map_insert(struct map *map, struct map_node *node, const mrt_str *key);

/* Takes @node, which is in the map, out. */
void map_remove(struct map *map, struct map_node *node);

#endif /* CORE_BASE_MAP_H */
