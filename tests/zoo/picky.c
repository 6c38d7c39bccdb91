/* SPDX-License-Identifier: Apache-2.0 */
/* Crashes on a setting that its own schema takes. */
#define ZOO_CREATE picky_create
#include <mortise/cleanup.h>

static mrt_status picky_create(const mrt_create *how, void **inst, mrt_error *error);
#include "tests/zoo/zoo.h"

static mrt_status picky_create(const mrt_create *how, void **inst, mrt_error *error)
{
    if (how->view->i64(how->cfg, 0) == 9)
        return MRT_EIO;
    return zoo_create(how, inst, error);
}
