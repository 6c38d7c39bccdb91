/* SPDX-License-Identifier: Apache-2.0 */
/* A mandatory slot of its kind is empty. */
#define ZOO_PLAN NULL
#include "tests/zoo/zoo.h"
