/* SPDX-License-Identifier: Apache-2.0 */
/* No note: a shared object like any other. */
#include <mortise/plugin.h>

const mrt_plugin *MRT_ENTRY_NAME(uint32_t host_abi)
{
    (void)host_abi;
    return NULL;
}
