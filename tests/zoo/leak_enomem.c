/* SPDX-License-Identifier: Apache-2.0 */
/* Forgets its first block when the second one fails. */
#define ZOO_CREATE leak_create
#include <mortise/cleanup.h>

static mrt_status leak_create(const mrt_create *how, void **inst, mrt_error *error);
#include "tests/zoo/zoo.h"

static mrt_status leak_create(const mrt_create *how, void **inst, mrt_error *error)
{
    const mrt_host *host = how->host;
    struct zoo *zoo = host->alloc(host, sizeof *zoo, 8);
    (void)error;
    if (zoo == NULL)
        return MRT_ENOMEM;
    zoo->host = host;
    zoo->name = host->alloc(host, 8, 1);
    if (zoo->name == NULL)
        return MRT_ENOMEM;
    *inst = zoo;
    return MRT_OK;
}
