/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guard.h - stands in front of libconfig: a pure function from text to text that makes every
 * libconfig read the same thing, and explains what none would read.
 *
 * libconfig 1.5 turns 10737418240 into -2147483648 without a word, every version reads 0xFFFFFFFF
 * as -1, and "syntax error" at the last line is all it says of a string that never ends.
 *
 *   G1  Total: any bytes give either a text or one complaint.
 *   G2  What is added is L behind integers (those beyond 31 bits, and all in an array that has such
 *       a one), so lines stay as they are; guarding a guarded text changes nothing.
 *   G3  What passes is libconfig's grammar without @include and without a comma before ] or ). Two
 *       settings of one name are left to libconfig.
 *   G4  names[i] is the place of the i-th name, values[i] that of the i-th value, in the order of
 *       the text: the order of a walk over libconfig's tree, which has lines only.
 */
#ifndef CORE_CONFIG_GUARD_H
#define CORE_CONFIG_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "core/config/complaint.h"

#define GUARD_SIZE_MAX  (UINT64_C(1) << 20) /* a configuration, not data; bounds all we allocate */
#define GUARD_DEPTH_MAX 32                  /* levels of { [ (; bounds recursion over the tree */

struct mark {
    uint32_t line;
    uint32_t column;
};

struct guard {
    char *text; /* owned; terminated */
    uint64_t size;
    struct mark *names; /* owned */
    uint64_t name_count;
    struct mark *values; /* owned; groups, lists and arrays included */
    uint64_t value_count;
};

/* True: *@out is filled, for guard_fini(). False: *@complaint is. */
bool guard_run(const char *text, uint64_t size, struct guard *out, struct complaint *complaint);

void guard_fini(struct guard *guard);

#endif /* CORE_CONFIG_GUARD_H */
