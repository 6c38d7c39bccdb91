/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/assert.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void assert_failed(const char *condition, const char *file, int line, const char *func)
{
    fprintf(
        stderr, "assert.failed at=%s:%d func=%s condition=\"%s\"\n", file, line, func, condition);
    abort();
}
