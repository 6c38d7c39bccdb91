/* SPDX-License-Identifier: Apache-2.0 */
/* Needs a function that nobody has: lazy binding would kill the process at its first call. */
#define ZOO_PLAN keeper_plan
#include <mortise/cleanup.h>

extern mrt_status zoo_keeper(void);

static mrt_status keeper_plan(
    void *inst, const mrt_clean_view *view, mrt_verdict *out, uint32_t cap, uint32_t *n)
{
    (void)inst, (void)view, (void)out, (void)cap, (void)n;
    return zoo_keeper();
}

#include "tests/zoo/zoo.h"
