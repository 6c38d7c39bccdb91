/* SPDX-License-Identifier: Apache-2.0 */
/* Has state of the process, so that a second instance finds it taken. */
#define ZOO_CREATE  only_create
#define ZOO_DESTROY only_destroy
#include <mortise/cleanup.h>

static mrt_status only_create(const mrt_create *how, void **inst, mrt_error *error);
static void only_destroy(void *inst);
#include "tests/zoo/zoo.h"

static int taken;

static mrt_status only_create(const mrt_create *how, void **inst, mrt_error *error)
{
    if (taken)
        return MRT_EBUSY;
    mrt_status status = zoo_create(how, inst, error);
    taken = status == MRT_OK;
    return status;
}

static void only_destroy(void *inst)
{
    taken = 0;
    zoo_destroy(inst);
}
