/* SPDX-License-Identifier: Apache-2.0 */
/*
 * units.h - the texts of switches, numbers, sizes and durations, the same in conf.d, in a plugin's
 * note and on the command line.
 *
 *   bytes    1048576, -1, 64MiB; KiB MiB GiB TiB count in 1024, kB MB GB TB in 1000, B is 1
 *   millis   30000, -1, 30s; ms s m h d w
 *
 * No space, sign or fraction goes with a unit: "1.5GiB" and "64 MiB" are refused, not guessed.
 */
#ifndef CORE_PLUGIN_UNITS_H
#define CORE_PLUGIN_UNITS_H

#include <stdbool.h>

#include <mortise/abi.h>

#define UNITS_TEXT 32 /* bytes that bytes_text() and millis_text() need, NUL included */

/* Each takes the whole of @text; false, and *@out as it was, when it is anything else or does not
 * fit. */
bool bool_parse(const mrt_str *text, int64_t *out); /* true 1, false 0 */
bool f64_parse(const mrt_str *text, double *out);   /* finite, decimal */
bool bytes_parse(const mrt_str *text, int64_t *out);
bool millis_parse(const mrt_str *text, int64_t *out);

/* The shortest text that parses back to @value, with the largest unit that divides it. */
void bytes_text(int64_t value, char *out);
void millis_text(int64_t value, char *out);

#endif /* CORE_PLUGIN_UNITS_H */
