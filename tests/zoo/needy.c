/* SPDX-License-Identifier: Apache-2.0 */
/* Follows a table that a host may lack. */
#define ZOO_CREATE needy_create
#include <mortise/cleanup.h>

static mrt_status needy_create(const mrt_create *how, void **inst, mrt_error *error);
#include "tests/zoo/zoo.h"

static mrt_status needy_create(const mrt_create *how, void **inst, mrt_error *error)
{
    const mrt_host_log *log = how->host->get(how->host, MRT_HOST_LOG);
    const mrt_str line = {"zoo.open", 8};
    if (log->enabled(how->host, MRT_LOG_INFO))
        log->write(how->host, MRT_LOG_INFO, 0, &line);
    return zoo_create(how, inst, error);
}
