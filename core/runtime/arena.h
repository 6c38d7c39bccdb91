/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena.h - memory of one request: taken piece by piece, given back as a whole.
 */
#ifndef CORE_RUNTIME_ARENA_H
#define CORE_RUNTIME_ARENA_H

#include <mortise/draft/broker.h>

#include "core/runtime/budget.h"

/* Charged to ACCOUNT_PARKED of @budget (borrowed, outlives the arena); NULL when that is spent. */
struct mrt_arena *arena_new(struct budget *budget);

/* @bytes, zeroed, aligned to 16, until arena_free(); NULL when the account is spent. */
void *arena_alloc(struct mrt_arena *arena, uint64_t bytes);
void arena_free(struct mrt_arena *arena);

#endif /* CORE_RUNTIME_ARENA_H */
