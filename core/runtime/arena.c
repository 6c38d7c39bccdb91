/* SPDX-License-Identifier: Apache-2.0 */
#include "core/runtime/arena.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/base/memory.h"

#define ARENA_FIRST 4096  /* holds most requests, the arena itself included */
#define ARENA_MOST  65536 /* chunks double up to here; what is bigger gets one of its own */
#define ARENA_ALIGN 16

/* At the start of each piece of memory; the bytes given out follow. */
struct chunk {
    struct chunk *next;
    uint64_t bytes; /* charged, this header included */
};

struct mrt_arena {
    struct budget *budget; /* borrowed */
    struct chunk *chunks;  /* owned; the one in use first */
    uint64_t used;         /* of the one in use */
    uint64_t next_bytes;   /* of the next one */
};

_Static_assert(sizeof(struct chunk) % ARENA_ALIGN == 0, "what follows is aligned");

static uint64_t round_up(uint64_t bytes)
{
    return (bytes + ARENA_ALIGN - 1) & ~(uint64_t)(ARENA_ALIGN - 1);
}

static struct chunk *chunk_new(struct budget *budget, uint64_t bytes)
{
    if (!budget_take(budget, ACCOUNT_PARKED, bytes))
        return NULL;
    struct chunk *chunk = memory_try(bytes, ARENA_ALIGN);
    if (chunk == NULL) {
        budget_give(budget, ACCOUNT_PARKED, bytes);
        return NULL;
    }
    *chunk = (struct chunk){.bytes = bytes};
    return chunk;
}

struct mrt_arena *arena_new(struct budget *budget)
{
    ASSERT(budget != NULL);
    struct chunk *chunk = chunk_new(budget, ARENA_FIRST);
    if (chunk == NULL)
        return NULL;
    struct mrt_arena *arena = (struct mrt_arena *)(void *)(chunk + 1);
    *arena = (struct mrt_arena){
        .budget = budget,
        .chunks = chunk,
        .used = sizeof *chunk + round_up(sizeof *arena),
        .next_bytes = (uint64_t)2 * ARENA_FIRST,
    };
    return arena;
}

/* Makes room for @bytes.
 * A piece of its own goes behind the chunk in use, whose rest stays useful. */
static void *alloc_more(struct mrt_arena *arena, uint64_t bytes)
{
    bool alone = bytes > ARENA_MOST / 4;
    uint64_t size = alone ? sizeof(struct chunk) + bytes : arena->next_bytes;
    while (size < sizeof(struct chunk) + bytes)
        size *= 2;
    struct chunk *chunk = chunk_new(arena->budget, size);
    if (chunk == NULL)
        return NULL;
    if (alone) {
        chunk->next = arena->chunks->next;
        arena->chunks->next = chunk;
        return chunk + 1;
    }
    chunk->next = arena->chunks;
    arena->chunks = chunk;
    arena->used = sizeof *chunk + bytes;
    if (arena->next_bytes < ARENA_MOST)
        arena->next_bytes *= 2;
    return chunk + 1;
}

void *arena_alloc(struct mrt_arena *arena, uint64_t bytes)
{
    if (bytes > UINT64_MAX / 2)
        return NULL;
    uint64_t want = round_up(bytes > 0 ? bytes : 1);
    void *piece = NULL;
    ASSERT(arena->used <= arena->chunks->bytes);
    if (want <= arena->chunks->bytes - arena->used) {
        piece = (uint8_t *)arena->chunks + arena->used;
        arena->used += want;
    } else {
        piece = alloc_more(arena, want);
    }
    return piece == NULL ? NULL : memset(piece, 0, want);
}

void arena_free(struct mrt_arena *arena)
{
    if (arena == NULL)
        return;
    struct budget *budget = arena->budget;
    for (struct chunk *chunk = arena->chunks; chunk != NULL;) {
        struct chunk *next = chunk->next; /* the arena lies in the last but those of their own */
        budget_give(budget, ACCOUNT_PARKED, chunk->bytes);
        memory_free(chunk);
        chunk = next;
    }
}
