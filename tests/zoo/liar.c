/* SPDX-License-Identifier: Apache-2.0 */
/* Says sim_safe and asks the system for the time. */
#define ZOO_PLAN liar_plan
#include <time.h>

#include <mortise/cleanup.h>

static mrt_status liar_plan(
    void *inst, const mrt_clean_view *view, mrt_verdict *out, uint32_t cap, uint32_t *n)
{
    struct timespec now;
    (void)inst, (void)view, (void)out, (void)cap;
    *n = 0;
    return clock_gettime(CLOCK_REALTIME, &now) == 0 ? MRT_OK : MRT_EIO;
}

#include "tests/zoo/zoo.h"
