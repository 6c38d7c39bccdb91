/* SPDX-License-Identifier: Apache-2.0 */
/* Its entry declines every host. */
#define ZOO_ENTRY                                                                                  \
    (void)host_abi;                                                                                \
    return NULL;
#include "tests/zoo/zoo.h"
