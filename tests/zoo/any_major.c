/* SPDX-License-Identifier: Apache-2.0 */
/* Takes any host for its own. */
#define ZOO_ENTRY                                                                                  \
    (void)host_abi;                                                                                \
    return &zoo_plugin;
#include "tests/zoo/zoo.h"
