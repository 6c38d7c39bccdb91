/* SPDX-License-Identifier: Apache-2.0 */
/* Gives one block back twice. */
#define ZOO_DESTROY double_destroy
static void double_destroy(void *inst);
#include "tests/zoo/zoo.h"

static void double_destroy(void *inst)
{
    struct zoo *zoo = inst;
    const mrt_host *host = zoo->host;
    host->free(host, zoo->name);
    host->free(host, zoo->name);
    host->free(host, zoo);
}
