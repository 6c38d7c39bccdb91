/* SPDX-License-Identifier: Apache-2.0 */
/* A mandatory slot of its lifecycle is empty. */
#define ZOO_DESTROY NULL
#include "tests/zoo/zoo.h"
