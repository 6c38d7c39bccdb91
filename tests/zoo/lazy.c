/* SPDX-License-Identifier: Apache-2.0 */
/* Bound when it is called, and unmapped when somebody closes it. */
#include "tests/zoo/zoo.h"
