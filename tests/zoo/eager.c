/* SPDX-License-Identifier: Apache-2.0 */
/* Does in create() what belongs to start(). */
#define ZOO_CREATE eager_create
#include <mortise/cleanup.h>

static mrt_status eager_create(const mrt_create *how, void **inst, mrt_error *error);
#include "tests/zoo/zoo.h"

static mrt_status eager_create(const mrt_create *how, void **inst, mrt_error *error)
{
    const mrt_host_clock *clock = how->host->get(how->host, MRT_HOST_CLOCK);
    if (clock != NULL)
        (void)clock->mono_ns(how->exec);
    return zoo_create(how, inst, error);
}
