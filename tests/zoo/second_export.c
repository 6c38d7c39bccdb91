/* SPDX-License-Identifier: Apache-2.0 */
/* Shows a function of its own beside the entry. */
#include "tests/zoo/zoo.h"

MRT_EXPORT int zoo_ticket(void);
MRT_EXPORT int zoo_ticket(void)
{
    return 1;
}
