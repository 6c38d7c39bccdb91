/* SPDX-License-Identifier: Apache-2.0 */
/*
 * number.h - how numbers are written in a configuration file, the same for every libconfig.
 *
 *   integer  [-+]digits or 0x digits, then at most LL; within int64
 *   float    [-+]digits with a point in or beside them, then perhaps e[-+]digits
 */
#ifndef CORE_CONFIG_NUMBER_H
#define CORE_CONFIG_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

enum number_kind {
    NUMBER_NONE,
    NUMBER_INTEGER,
    NUMBER_FLOAT,
    NUMBER_TOO_GREAT,
    NUMBER_ZEROS /* an integer that begins with a zero: octal to some, not to others */
};

/* What the whole of @p is. For an integer: @wide when an int32 cannot hold it (hexadecimal ones
 * count as positive), @marked when it ends in L. */
enum number_kind number_scan(const char *p, uint64_t n, bool *wide, bool *marked);

#endif /* CORE_CONFIG_NUMBER_H */
