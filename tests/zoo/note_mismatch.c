/* SPDX-License-Identifier: Apache-2.0 */
/* Its descriptor points at other bytes than its note. */
#define ZOO_DESCRIPTOR_NOTE other
static const char other[512] = "name=zoo\0version=2.0";
#include "tests/zoo/zoo.h"
