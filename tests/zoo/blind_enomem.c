/* SPDX-License-Identifier: Apache-2.0 */
/* Believes that there is always memory. */
#define ZOO_CREATE blind_create
#include <mortise/cleanup.h>

static mrt_status blind_create(const mrt_create *how, void **inst, mrt_error *error);
#include "tests/zoo/zoo.h"

static mrt_status blind_create(const mrt_create *how, void **inst, mrt_error *error)
{
    struct zoo *zoo = how->host->alloc(how->host, sizeof *zoo, 8);
    (void)error;
    zoo->host = how->host;
    zoo->name = NULL;
    *inst = zoo;
    return MRT_OK;
}
