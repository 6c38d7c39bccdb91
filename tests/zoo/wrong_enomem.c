/* SPDX-License-Identifier: Apache-2.0 */
/* Says that the disk failed when memory did. */
#define ZOO_CREATE wrong_create
#include <mortise/cleanup.h>

static mrt_status wrong_create(const mrt_create *how, void **inst, mrt_error *error);
#include "tests/zoo/zoo.h"

static mrt_status wrong_create(const mrt_create *how, void **inst, mrt_error *error)
{
    mrt_status status = zoo_create(how, inst, error);
    return status == MRT_ENOMEM ? MRT_EIO : status;
}
