/* SPDX-License-Identifier: Apache-2.0 */
/* Its entry answers differently the second time. */
#define ZOO_ENTRY                                                                                  \
    static uint32_t calls;                                                                         \
    return host_abi >> 16 == MRT_ABI_MAJOR && calls++ == 0 ? &zoo_plugin : NULL;
#include "tests/zoo/zoo.h"
