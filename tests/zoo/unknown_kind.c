/* SPDX-License-Identifier: Apache-2.0 */
/* Implements a kind that nobody asks for. */
#define ZOO_NOTE "name=zoo\0version=1.0\0abi=0.1\0need=0.1\0tier=stable\0impl=acme.teleport/1 zoo"
#include "tests/zoo/zoo.h"
