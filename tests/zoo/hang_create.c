/* SPDX-License-Identifier: Apache-2.0 */
/* Waits for ever where it must not wait at all. */
#define ZOO_CREATE hang_create
#include <mortise/cleanup.h>

static mrt_status hang_create(const mrt_create *how, void **inst, mrt_error *error)
{
    (void)how, (void)inst, (void)error;
    volatile uint64_t turns = 0;
    while (turns < UINT64_MAX)
        turns++;
    return MRT_OK;
}

#include "tests/zoo/zoo.h"
