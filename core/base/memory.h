/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory.h - the core's only door to the heap.
 *
 * memory_new() is for the core's own objects, whose number is bounded by configuration or by an
 * account (core/runtime/budget.h): without memory for those nothing can go on, so it stops the
 * process. memory_try() is for sizes that come from outside: the caller answers MRT_ENOMEM.
 */
#ifndef CORE_BASE_MEMORY_H
#define CORE_BASE_MEMORY_H

#include <stddef.h>

/* @size zeroed bytes, aligned for any type; never NULL. Free with memory_free(). */
void *memory_new(size_t size) __attribute__((__malloc__, __returns_nonnull__));

/* @count times @size zeroed bytes; never NULL.
 * Stops the process also when the product overflows. */
void *memory_array(size_t count, size_t size) __attribute__((__malloc__, __returns_nonnull__));

/* @size bytes, not zeroed, aligned to @align (a power of two, 8 to 4096), or NULL. */
void *memory_try(size_t size, size_t align);

/* Moves @block (may be NULL) to @size bytes; never NULL. What is new is not zeroed. */
void *memory_resize(void *block, size_t size) __attribute__((__returns_nonnull__));

/* @block from any of the above, or NULL. */
void memory_free(void *block);

#endif /* CORE_BASE_MEMORY_H */
