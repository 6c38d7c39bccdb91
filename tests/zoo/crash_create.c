/* SPDX-License-Identifier: Apache-2.0 */
/* Follows a pointer that nobody gave it. */
#define ZOO_CREATE crash_create
#include <mortise/cleanup.h>

static mrt_status crash_create(const mrt_create *how, void **inst, mrt_error *error)
{
    uint64_t nowhere = how->name.n & 16; /* the compiler cannot know that it is 0 */
    (void)error;
    *inst = *(void *volatile *)(uintptr_t)nowhere;
    return MRT_OK;
}

#include "tests/zoo/zoo.h"
