/* SPDX-License-Identifier: Apache-2.0 */
/* Brings a library path of its own. */
#include "tests/zoo/zoo.h"
