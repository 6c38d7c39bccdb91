/* SPDX-License-Identifier: Apache-2.0 */
/* mortise.host.clock/1: the time of the present turn. */
#include "core/runtime/host/tables.h"

static uint64_t clock_mono_ns(const mrt_exec *exec)
{
    CHECK(no_leaf(exec->runtime));
    return exec_now_ns(exec);
}

static int64_t clock_wall_ms(const mrt_exec *exec)
{
    CHECK(no_leaf(exec->runtime));
    return exec_wall_ms(exec);
}

const mrt_host_clock host_clock_table = {
    .size = sizeof host_clock_table,
    .mono_ns = clock_mono_ns,
    .wall_ms = clock_wall_ms,
};
