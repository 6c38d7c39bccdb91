/* SPDX-License-Identifier: Apache-2.0 */
/* Looks behind the end of the host it was given. */
#define ZOO_CREATE over_create
#include <mortise/cleanup.h>

static mrt_status over_create(const mrt_create *how, void **inst, mrt_error *error);
#include "tests/zoo/zoo.h"

static mrt_status over_create(const mrt_create *how, void **inst, mrt_error *error)
{
    const volatile char *end = (const volatile char *)how->host + how->host->size;
    (void)*end;
    return zoo_create(how, inst, error);
}
