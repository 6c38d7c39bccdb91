/* SPDX-License-Identifier: Apache-2.0 */
/*
 * key.h - one declared configuration key, and what a text is worth under it.
 *
 * A key is what a plugin's note says (<mortise/plugin.h>); the core's own settings may be declared
 * the same way. Texts come from operators: every refusal names the key, the value and what is
 * allowed, and never the value of a SECRET key.
 */
#ifndef CORE_PLUGIN_KEY_H
#define CORE_PLUGIN_KEY_H

#include <stdbool.h>

#include "core/base/error.h"

enum key_type {
    KEY_BOOL,
    KEY_I64,
    KEY_F64,
    KEY_STR,
    KEY_ENUM,
    KEY_LIST,
    KEY_PATH,
    KEY_BYTES,
    KEY_MILLIS,
    KEY_TYPES
};

enum {
    KEY_REQUIRED = 1, /* without a value nothing starts */
    KEY_SECRET = 2,   /* its value is in no log line, listing or error text */
    KEY_DYNAMIC = 4,  /* may change while the instance runs */
    KEY_PER_TOPIC = 8 /* topics may override it */
};

/* Texts are terminated and live as long as the note they came from; NULL: not declared. */
struct note_key {
    const char *name;
    enum key_type type;
    uint32_t flags; /* KEY_ bits */
    const char *fallback;
    const char *min;
    const char *max;
    const char *const *choices; /* of an enum; of a list's elements */
    uint32_t n_choices;
    const char *kafka; /* its name in DescribeConfigs */
    const char *doc;
};

/* What a text is worth; which member counts follows from the key's type. */
struct key_value {
    int64_t i64; /* bool, i64, bytes, millis, and an enum's place among its choices */
    double f64;
};

/* "bool", "i64", ...; static. */
const char *key_type_name(enum key_type type);

/* False when @name is no type. */
bool key_type_find(const char *name, enum key_type *out);

/* Reads @text as one value of @key (one element, for a list): type, then range or choices.
 * MRT_EINVAL. */
mrt_status key_read(
    const struct note_key *key, const mrt_str *text, struct key_value *out, mrt_error *error);

/* Is the declaration itself sound: bounds that fit the type, a default within them, choices where
 * there must be some? MRT_EINVAL. */
mrt_status key_check(const struct note_key *key, mrt_error *error);

/* The element of a comma list that starts at *@rest, which moves on; false at the end. Spaces
 * around an element do not count. */
bool list_next(mrt_str *rest, mrt_str *element);

#endif /* CORE_PLUGIN_KEY_H */
