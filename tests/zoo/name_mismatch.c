/* SPDX-License-Identifier: Apache-2.0 */
/* Its descriptor names another implementation than its note. */
#define ZOO_NAME "aquarium"
#include "tests/zoo/zoo.h"
