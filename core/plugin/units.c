/* SPDX-License-Identifier: Apache-2.0 */
#include "core/plugin/units.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/str.h"

#define NUMBER_MAX 63 /* characters of a number; more is a mistake whatever it says */

struct unit {
    const char *name;
    int64_t factor;
};

/* Ascending among those that texts are written with; the decimal ones are only read. */
static const struct unit byte_units[] = {
    {"B", 1},
    {"KiB", INT64_C(1) << 10},
    {"MiB", INT64_C(1) << 20},
    {"GiB", INT64_C(1) << 30},
    {"TiB", INT64_C(1) << 40},
    {"kB", INT64_C(1000)},
    {"MB", INT64_C(1000000)},
    {"GB", INT64_C(1000000000)},
    {"TB", INT64_C(1000000000000)},
};
#define BYTE_UNITS         (sizeof byte_units / sizeof *byte_units)
#define BYTE_UNITS_WRITTEN 5

static const struct unit time_units[] = {
    {"ms", 1},      {"s", 1000},     {"m", 60000},
    {"h", 3600000}, {"d", 86400000}, {"w", INT64_C(604800000)},
};
#define TIME_UNITS         (sizeof time_units / sizeof *time_units)
#define TIME_UNITS_WRITTEN 5 /* a week is read, but 28d is what people write */

bool bool_parse(const mrt_str *text, int64_t *out)
{
    ASSERT(text != NULL);
    ASSERT(out != NULL);
    if (str_is(text, "true"))
        *out = 1;
    else if (str_is(text, "false"))
        *out = 0;
    else
        return false;
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Only what strtod() reads the same in every locale and without its names and hex forms. */
static bool is_decimal(const mrt_str *text)
{
    for (uint64_t i = 0; i < text->n; i++)
        if (!is_digit(text->p[i]) && strchr("+-.eE", text->p[i]) == NULL)
            return false;
    return text->n > 0;
}

bool f64_parse(const mrt_str *text, double *out)
{
    ASSERT(text != NULL);
    ASSERT(out != NULL);
    char copy[NUMBER_MAX + 1];
    if (text->n > NUMBER_MAX || !is_decimal(text))
        return false;
    memcpy(copy, text->p, text->n);
    copy[text->n] = '\0';
    char *end = NULL;
    double value = strtod(copy, &end);
    if (end != copy + text->n || !isfinite(value))
        return false;
    *out = value;
    return true;
}

static const struct unit *unit_find(const struct unit *units, size_t count, const mrt_str *name)
{
    for (size_t i = 0; i < count; i++)
        if (str_is(name, units[i].name))
            return &units[i];
    return NULL;
}

static bool number_parse(const struct unit *units, size_t count, const mrt_str *text, int64_t *out)
{
    ASSERT(text != NULL);
    ASSERT(out != NULL);
    uint64_t digits = 0;
    while (digits < text->n && is_digit(text->p[digits]))
        digits++;
    if (digits == 0 || digits == text->n)
        return str_to_i64(text, out);

    const mrt_str number = {text->p, digits};
    const mrt_str suffix = {text->p + digits, text->n - digits};
    const struct unit *unit = unit_find(units, count, &suffix);
    int64_t value = 0;
    if (unit == NULL || !str_to_i64(&number, &value) || value > INT64_MAX / unit->factor)
        return false;
    ASSERT(value >= 0);
    *out = value * unit->factor;
    return true;
}

bool bytes_parse(const mrt_str *text, int64_t *out)
{
    return number_parse(byte_units, BYTE_UNITS, text, out);
}

bool millis_parse(const mrt_str *text, int64_t *out)
{
    return number_parse(time_units, TIME_UNITS, text, out);
}

/* The unit itself (factor 1) is left out: "1000", not "1000B". */
static void number_text(const struct unit *units, size_t count, int64_t value, char *out)
{
    ASSERT(out != NULL);
    size_t best = 0;
    for (size_t i = 1; value > 0 && i < count; i++) {
        ASSERT(units[i].factor > units[i - 1].factor);
        if (value % units[i].factor == 0)
            best = i;
    }
    snprintf(
        out, UNITS_TEXT, "%lld%s", (long long)(value / units[best].factor),
        best > 0 ? units[best].name : "");
}

void bytes_text(int64_t value, char *out)
{
    number_text(byte_units, BYTE_UNITS_WRITTEN, value, out);
}

void millis_text(int64_t value, char *out)
{
    number_text(time_units, TIME_UNITS_WRITTEN, value, out);
}
