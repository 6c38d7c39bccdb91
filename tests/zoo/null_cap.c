/* SPDX-License-Identifier: Apache-2.0 */
/* Says it has the pass functions and has none. */
#define ZOO_CAPS MRT_CLEANUP_PASS
#include "tests/zoo/zoo.h"
