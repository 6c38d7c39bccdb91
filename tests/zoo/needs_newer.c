/* SPDX-License-Identifier: Apache-2.0 */
/* Needs what this host does not have yet. */
#define ZOO_NOTE                                                                                   \
    "name=zoo\0version=1.0\0abi=0.99\0need=0.98\0tier=stable\0impl=mortise.cleanup/1 zoo"
#define ZOO_ABI ((uint32_t)99)
#include "tests/zoo/zoo.h"
