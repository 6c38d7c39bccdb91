/* SPDX-License-Identifier: Apache-2.0 */
/* A key whose default is outside of its own range. */
#define ZOO_NOTE                                                                                   \
    "name=zoo\0version=1.0\0abi=0.1\0need=0.1\0tier=stable\0impl=mortise.cleanup/1 zoo\0"          \
    "key=animals\0key.type=i64\0key.default=12\0key.max=9\0key.doc=How many there are."
#include "tests/zoo/zoo.h"
