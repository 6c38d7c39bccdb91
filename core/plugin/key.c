/* SPDX-License-Identifier: Apache-2.0 */
#include "core/plugin/key.h"

#include <stdio.h>

#include "core/base/assert.h"
#include "core/base/str.h"
#include "core/plugin/nearest.h"
#include "core/plugin/units.h"

#define SHOWN_MAX 48 /* bytes of a value that an error text repeats */

static const char *const type_names[KEY_TYPES] = {
    [KEY_BOOL] = "bool", [KEY_I64] = "i64",     [KEY_F64] = "f64",
    [KEY_STR] = "str",   [KEY_ENUM] = "enum",   [KEY_LIST] = "list",
    [KEY_PATH] = "path", [KEY_BYTES] = "bytes", [KEY_MILLIS] = "millis",
};

/* What to write, said to somebody who wrote something else. */
static const char *const type_hints[KEY_TYPES] = {
    [KEY_BOOL] = "true or false",
    [KEY_I64] = "a whole number",
    [KEY_F64] = "a number",
    [KEY_STR] = "text",
    [KEY_ENUM] = "one of its choices",
    [KEY_LIST] = "a list",
    [KEY_PATH] = "an absolute path",
    [KEY_BYTES] = "a size like 1048576 or \"64MiB\"",
    [KEY_MILLIS] = "a duration like 30000, \"30s\" or \"7d\"",
};

const char *key_type_name(enum key_type type)
{
    ASSERT(type < KEY_TYPES);
    return type_names[type];
}

bool key_type_find(const char *name, enum key_type *out)
{
    for (uint32_t i = 0; i < KEY_TYPES; i++) {
        if (strcmp(name, type_names[i]) != 0)
            continue;
        *out = (enum key_type)i;
        return true;
    }
    return false;
}

static bool is_ranged(enum key_type type)
{
    return type == KEY_I64 || type == KEY_F64 || type == KEY_BYTES || type == KEY_MILLIS;
}

bool list_next(mrt_str *rest, mrt_str *element)
{
    if (rest->n == 0)
        return false;
    const char *comma = memchr(rest->p, ',', rest->n);
    uint64_t n = comma == NULL ? rest->n : (uint64_t)(comma - rest->p);
    *element = (mrt_str){rest->p, n};
    uint64_t skip = comma == NULL ? n : n + 1;
    rest->p += skip;
    rest->n -= skip;
    for (; element->n > 0 && element->p[0] == ' '; element->p++)
        element->n--;
    while (element->n > 0 && element->p[element->n - 1] == ' ')
        element->n--;
    return true;
}

/* The value as an error text may show it. */
struct shown {
    char text[SHOWN_MAX + 8];
};

static struct shown shown_value(const struct note_key *key, const mrt_str *text)
{
    struct shown shown;
    if (key->flags & KEY_SECRET)
        snprintf(shown.text, sizeof shown.text, "(secret)");
    else if (text->n > SHOWN_MAX)
        snprintf(shown.text, sizeof shown.text, "\"%.*s...\"", SHOWN_MAX, text->p);
    else
        snprintf(shown.text, sizeof shown.text, "\"%.*s\"", STR_ARGS(*text));
    return shown;
}

/* MRT_OK with the value, or MRT_EINVAL without a text: the caller knows what to say. */
static mrt_status read_type(const struct note_key *key, const mrt_str *text, struct key_value *out)
{
    bool fits = true;
    if (key->type == KEY_BOOL)
        fits = bool_parse(text, &out->i64);
    else if (key->type == KEY_I64)
        fits = str_to_i64(text, &out->i64);
    else if (key->type == KEY_BYTES)
        fits = bytes_parse(text, &out->i64);
    else if (key->type == KEY_MILLIS)
        fits = millis_parse(text, &out->i64);
    else if (key->type == KEY_F64)
        fits = f64_parse(text, &out->f64);
    else if (key->type == KEY_PATH)
        fits = text->n == 0 || text->p[0] == '/';
    return fits ? MRT_OK : MRT_EINVAL;
}

/* Below -1, equal 0, above 1. */
static int compare(enum key_type type, const struct key_value *a, const struct key_value *b)
{
    if (type == KEY_F64)
        return a->f64 < b->f64 ? -1 : a->f64 > b->f64;
    return a->i64 < b->i64 ? -1 : a->i64 > b->i64;
}

/* A bound was read once by key_check(); that it cannot be read is our mistake. */
static struct key_value bound(const struct note_key *key, const char *text)
{
    struct key_value value = {0, 0};
    mrt_str str = str_of(text);
    ASSERT(read_type(key, &str, &value) == MRT_OK);
    return value;
}

static mrt_status read_range(
    const struct note_key *key, const mrt_str *text, const struct key_value *value,
    mrt_error *error)
{
    if (!is_ranged(key->type))
        return MRT_OK;
    struct key_value min = {0, 0}, max = {0, 0};
    if (key->min != NULL)
        min = bound(key, key->min);
    if (key->max != NULL)
        max = bound(key, key->max);
    bool low = key->min != NULL && compare(key->type, value, &min) < 0;
    bool high = key->max != NULL && compare(key->type, value, &max) > 0;
    if (!low && !high)
        return MRT_OK;
    struct shown shown = shown_value(key, text);
    if (key->min != NULL && key->max != NULL)
        return error_set(
            error, MRT_EINVAL, "%s = %s is out of range: %s to %s are allowed", key->name,
            shown.text, key->min, key->max);
    return error_set(
        error, MRT_EINVAL, "%s = %s is out of range: at %s %s is allowed", key->name, shown.text,
        low ? "least" : "most", low ? key->min : key->max);
}

/* "none, interval, ack" */
static void choices_text(const struct note_key *key, char *out, size_t cap)
{
    size_t used = 0;
    out[0] = '\0';
    for (uint32_t i = 0; i < key->n_choices && used < cap; i++)
        used +=
            (size_t)snprintf(out + used, cap - used, "%s%s", i > 0 ? ", " : "", key->choices[i]);
}

static mrt_status read_choice(
    const struct note_key *key, const mrt_str *text, struct key_value *value, mrt_error *error)
{
    if (key->n_choices == 0)
        return MRT_OK;
    for (uint32_t i = 0; i < key->n_choices; i++) {
        if (!str_is(text, key->choices[i]))
            continue;
        value->i64 = i;
        return MRT_OK;
    }
    char allowed[120];
    choices_text(key, allowed, sizeof allowed);
    struct shown shown = shown_value(key, text);
    const char *near = nearest(text, key->choices, key->n_choices);
    return error_set(
        error, MRT_EINVAL, "%s = %s is not one of %s%s%s%s", key->name, shown.text, allowed,
        near != NULL ? "; did you mean \"" : "", near != NULL ? near : "",
        near != NULL ? "\"?" : "");
}

mrt_status key_read(
    const struct note_key *key, const mrt_str *text, struct key_value *out, mrt_error *error)
{
    ASSERT(key != NULL);
    ASSERT(key->type < KEY_TYPES);
    struct key_value value = {0, 0};
    if (read_type(key, text, &value) != MRT_OK) {
        struct shown shown = shown_value(key, text);
        return error_set(
            error, MRT_EINVAL, "%s = %s is not %s", key->name, shown.text, type_hints[key->type]);
    }
    mrt_status status = read_range(key, text, &value, error);
    if (status == MRT_OK)
        status = read_choice(key, text, &value, error);
    if (status == MRT_OK)
        *out = value;
    return status;
}

static mrt_status check_bounds(const struct note_key *key, mrt_error *error)
{
    const char *const bounds[] = {key->min, key->max};
    static const char *const names[] = {"min", "max"};
    struct key_value values[2] = {{0, 0}, {0, 0}};
    for (uint32_t i = 0; i < 2; i++) {
        if (bounds[i] == NULL)
            continue;
        if (!is_ranged(key->type))
            return error_set(
                error, MRT_EINVAL, "key %s: a %s has no key.%s", key->name, type_names[key->type],
                names[i]);
        mrt_str text = str_of(bounds[i]);
        if (read_type(key, &text, &values[i]) != MRT_OK)
            return error_set(
                error, MRT_EINVAL, "key %s: key.%s=%s is not %s", key->name, names[i], bounds[i],
                type_hints[key->type]);
    }
    bool both = key->min != NULL && key->max != NULL;
    if (both && compare(key->type, &values[0], &values[1]) > 0)
        return error_set(
            error, MRT_EINVAL, "key %s: key.min=%s is above key.max=%s", key->name, key->min,
            key->max);
    return MRT_OK;
}

static mrt_status check_fallback(const struct note_key *key, mrt_error *error)
{
    struct key_value value;
    if (key->fallback == NULL)
        return MRT_OK;
    if (key->flags & KEY_REQUIRED)
        return error_set(
            error, MRT_EINVAL, "key %s: required, and yet it has a key.default", key->name);
    mrt_str text = str_of(key->fallback);
    if (key->type != KEY_LIST)
        return key_read(key, &text, &value, error);
    mrt_str element;
    while (list_next(&text, &element)) {
        mrt_status status = key_read(key, &element, &value, error);
        if (status != MRT_OK)
            return status;
    }
    return MRT_OK;
}

mrt_status key_check(const struct note_key *key, mrt_error *error)
{
    ASSERT(key != NULL);
    ASSERT(key->name != NULL);
    bool may_choose = key->type == KEY_ENUM || key->type == KEY_LIST;
    if (key->type == KEY_ENUM && key->n_choices == 0)
        return error_set(error, MRT_EINVAL, "key %s: an enum needs key.choices", key->name);
    if (!may_choose && key->n_choices > 0)
        return error_set(
            error, MRT_EINVAL, "key %s: a %s has no key.choices", key->name, type_names[key->type]);
    if (key->doc == NULL || key->doc[0] == '\0')
        return error_set(
            error, MRT_EINVAL, "key %s: key.doc is missing: one sentence for operators", key->name);
    mrt_status status = check_bounds(key, error);
    return status == MRT_OK ? check_fallback(key, error) : status;
}
