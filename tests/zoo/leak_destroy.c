/* SPDX-License-Identifier: Apache-2.0 */
/* Forgets a block when it ends. */
#define ZOO_DESTROY leak_destroy
static void leak_destroy(void *inst);
#include "tests/zoo/zoo.h"

static void leak_destroy(void *inst)
{
    struct zoo *zoo = inst;
    zoo->host->free(zoo->host, zoo);
}
