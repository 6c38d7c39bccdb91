/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/memory.h"

#include <stdlib.h>

#include "core/base/assert.h"

void *memory_new(size_t size)
{
    return memory_array(1, size);
}

void *memory_array(size_t count, size_t size)
{
    void *block = calloc(count > 0 ? count : 1, size > 0 ? size : 1);
    ASSERT(block != NULL);
    return block;
}

void *memory_try(size_t size, size_t align)
{
    ASSERT(align >= 8);
    ASSERT(align <= 4096);
    ASSERT((align & (align - 1)) == 0);
    void *block = NULL;
    return posix_memalign(&block, align, size > 0 ? size : 1) == 0 ? block : NULL;
}

void *memory_resize(void *block, size_t size)
{
    void *moved = realloc(block, size > 0 ? size : 1);
    ASSERT(moved != NULL);
    return moved;
}

void memory_free(void *block)
{
    free(block);
}
