/* SPDX-License-Identifier: Apache-2.0 */
/* Built for an ABI whose words mean something else. */
#define ZOO_NOTE "name=zoo\0version=1.0\0abi=7.0\0need=7.0\0tier=stable\0impl=mortise.cleanup/1 zoo"
#define ZOO_ABI  ((uint32_t)7 << 16)
#include "tests/zoo/zoo.h"
