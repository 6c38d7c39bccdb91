/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/number.h"

#include <stddef.h>

#include "core/base/assert.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_sign(char c)
{
    return c == '-' || c == '+';
}

/* How many of the first @n bytes @is says yes to. */
static uint64_t run_of(const char *p, uint64_t n, bool (*is)(char))
{
    uint64_t i = 0;
    while (i < n && is(p[i]))
        i++;
    return i;
}

/* libconfig wants the point, but no digit; here one digit must be. */
static bool is_float(const char *p, uint64_t n)
{
    uint64_t at = n > 0 && is_sign(p[0]) ? 1 : 0;
    uint64_t whole = run_of(p + at, n - at, is_digit);
    at += whole;
    if (at == n || p[at] != '.')
        return false;
    at++;
    uint64_t part = run_of(p + at, n - at, is_digit);
    at += part;
    if (whole + part == 0)
        return false;
    if (at == n)
        return true;
    if (p[at] != 'e' && p[at] != 'E')
        return false;
    at++;
    if (at < n && is_sign(p[at]))
        at++;
    uint64_t exponent = run_of(p + at, n - at, is_digit);
    return exponent > 0 && at + exponent == n;
}

static bool magnitude(const char *p, uint64_t n, uint32_t base, uint64_t *out)
{
    uint64_t value = 0;
    for (uint64_t i = 0; i < n; i++) {
        uint64_t digit = (uint64_t)(is_digit(p[i]) ? p[i] - '0' : (p[i] | 0x20) - 'a' + 10);
        ASSERT(digit < base);
        if (__builtin_mul_overflow(value, base, &value))
            return false;
        if (__builtin_add_overflow(value, digit, &value))
            return false;
    }
    *out = value;
    return true;
}

static uint64_t without_mark(const char *p, uint64_t n)
{
    uint64_t marks = 0;
    while (marks < 2 && n > marks && p[n - marks - 1] == 'L')
        marks++;
    return n - marks;
}

enum number_kind number_scan(const char *p, uint64_t n, bool *wide, bool *marked)
{
    ASSERT(p != NULL || n == 0);
    *wide = false;
    *marked = false;
    if (is_float(p, n))
        return NUMBER_FLOAT;

    uint64_t bare = without_mark(p, n);
    bool hex = bare > 2 && p[0] == '0' && (p[1] | 0x20) == 'x';
    bool negative = bare > 0 && p[0] == '-';
    uint64_t skip = hex ? 2 : bare > 0 && is_sign(p[0]) ? 1 : 0;
    const char *digits = p + skip;
    uint64_t count = bare - skip;
    if (count == 0 || run_of(digits, count, hex ? is_hex : is_digit) != count)
        return NUMBER_NONE;
    if (!hex && count > 1 && digits[0] == '0')
        return NUMBER_ZEROS;

    uint64_t value = 0;
    uint64_t most = (uint64_t)INT64_MAX + negative;
    if (!magnitude(digits, count, hex ? 16 : 10, &value) || value > most)
        return NUMBER_TOO_GREAT;
    *marked = bare < n;
    *wide = !*marked && value > (uint64_t)INT32_MAX + negative;
    return NUMBER_INTEGER;
}
