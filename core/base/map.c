/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/map.h"

#include "core/base/assert.h"
#include "core/base/memory.h"
#include "core/base/str.h"

#define BUCKETS_MIN 16

static uint64_t hash_bytes(uint64_t seed, const mrt_str *key)
{
    uint64_t hash = seed ^ UINT64_C(0xcbf29ce484222325);
    for (uint64_t i = 0; i < key->n; i++) {
        hash ^= (uint8_t)key->p[i];
        hash *= UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 29;
    }
    return hash ^ hash >> 32;
}

static struct map_node **bucket(const struct map *map, uint64_t hash)
{
    return &map->buckets[hash & (map->bucket_count - 1)];
}

static void grow(struct map *map)
{
    uint64_t count = map->bucket_count == 0 ? BUCKETS_MIN : map->bucket_count * 2;

    memory_free(map->buckets);
    map->buckets = memory_array(count, sizeof(struct map_node *));
    map->bucket_count = count;
    list_each (at, &map->order) {
        struct map_node *node = CONTAINER(at, struct map_node, order);
        struct map_node **head = bucket(map, node->hash);
        node->chain = *head;
        *head = node;
    }
}

void map_init(struct map *map, uint64_t seed)
{
    *map = (struct map){.seed = seed};
    list_init(&map->order);
}

void map_fini(struct map *map)
{
    memory_free(map->buckets);
    map_init(map, map->seed);
}

struct map_node *map_find(const struct map *map, const mrt_str *key)
{
    if (map->count == 0)
        return NULL;
    uint64_t hash = hash_bytes(map->seed, key);
    for (struct map_node *node = *bucket(map, hash); node != NULL; node = node->chain)
        if (node->hash == hash && str_equal(&node->key, key))
            return node;
    return NULL;
}

void map_insert(struct map *map, struct map_node *node, const mrt_str *key)
{
    ASSERT(map_find(map, key) == NULL);
    if (map->count == map->bucket_count)
        grow(map);
    node->hash = hash_bytes(map->seed, key);
    node->key = *key;
    struct map_node **head = bucket(map, node->hash);
    node->chain = *head;
    *head = node;
    list_append(&map->order, &node->order);
    map->count++;
}

void map_remove(struct map *map, struct map_node *node)
{
    struct map_node **at = bucket(map, node->hash);
    while (*at != node) {
        ASSERT(*at != NULL);
        at = &(*at)->chain;
    }
    *at = node->chain;
    list_remove(&node->order);
    node->chain = NULL;
    map->count--;
}
