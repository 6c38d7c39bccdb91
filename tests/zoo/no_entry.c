/* SPDX-License-Identifier: Apache-2.0 */
/* Has a note and no entry. */
#define ZOO_NO_ENTRY
#include "tests/zoo/zoo.h"

/* Something must be exported, or the linker keeps nothing. */
MRT_EXPORT const mrt_plugin *mortise_plugin_entrance(void);
MRT_EXPORT const mrt_plugin *mortise_plugin_entrance(void)
{
    return &zoo_plugin;
}
