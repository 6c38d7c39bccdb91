/* SPDX-License-Identifier: Apache-2.0 */
/* A draft plugin of another core. */
#define ZOO_NOTE                                                                                   \
    "name=zoo\0version=1.0\0abi=0.1\0need=0.1\0tier=draft\0core=0.0.1+abc\0"                       \
    "impl=mortise.cleanup/1 zoo"
#include "tests/zoo/zoo.h"
