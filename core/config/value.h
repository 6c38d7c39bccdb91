/* SPDX-License-Identifier: Apache-2.0 */
/*
 * value.h - what one setting is worth: a node of the tree read under its declared key.
 *
 * Files are held to the kind of value a key has (a text stands in quotes, a number may be a number
 * or a text with a unit); a -o is text only and may become anything.
 */
#ifndef CORE_CONFIG_VALUE_H
#define CORE_CONFIG_VALUE_H

#include "core/config/report.h"
#include "core/plugin/key.h"

#define VALUE_ITEMS_MAX 1024 /* of one list: addresses, paths, names; nobody writes more */

struct value {
    const struct note_key *key; /* borrowed */
    bool is_set;                /* false: this is the key's default, or nothing at all */
    struct key_value number;
    char *text;     /* owned; canonical: plain decimal numbers, items joined by ','; never NULL */
    mrt_str *items; /* owned; what was written, one by one; one for all types but lists */
    uint32_t item_count;
    struct place at; /* of the setting's name */
};

/* The key's default. A key of our own tables whose default is wrong is a bug. */
void value_init(struct value *value, const struct note_key *key);

/* @node's value in place of what was there. False, with an error in @report and nothing changed,
 * when it is none for the key. */
bool value_read(struct value *value, const struct node *node, struct report *report);

void value_fini(struct value *value);

#endif /* CORE_CONFIG_VALUE_H */
