/* SPDX-License-Identifier: Apache-2.0 */
/* Nothing is wrong with it: what the others are compared with. */
#include "tests/zoo/zoo.h"
