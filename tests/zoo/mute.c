/* SPDX-License-Identifier: Apache-2.0 */
/* Declines a host and does not say why. */
#define ZOO_CREATE mute_create
#include <mortise/cleanup.h>

static mrt_status mute_create(const mrt_create *how, void **inst, mrt_error *error);
#include "tests/zoo/zoo.h"

static mrt_status mute_create(const mrt_create *how, void **inst, mrt_error *error)
{
    if (how->host->get(how->host, MRT_HOST_LOG) == NULL)
        return MRT_ENOTSUP;
    return zoo_create(how, inst, error);
}
