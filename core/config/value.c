/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/value.h"

#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/memory.h"
#include "core/base/str.h"

static bool is_whole(enum key_type type)
{
    return type == KEY_I64 || type == KEY_BYTES || type == KEY_MILLIS;
}

static void items_free(mrt_str *items, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        memory_free((void *)(uintptr_t)items[i].p);
    memory_free(items);
}

static void add_item(struct value *value, const mrt_str *text)
{
    ASSERT(value->item_count < VALUE_ITEMS_MAX);
    value->items = memory_resize(value->items, (value->item_count + 1) * sizeof *value->items);
    value->items[value->item_count++] = (mrt_str){str_copy(text), text->n};
}

static char *joined(const struct value *value)
{
    uint64_t size = 0;
    for (uint32_t i = 0; i < value->item_count; i++)
        size += value->items[i].n + 1;
    char *text = memory_new(size + 1);
    uint64_t at = 0;
    for (uint32_t i = 0; i < value->item_count; i++) {
        if (i > 0)
            text[at++] = ',';
        memcpy(text + at, value->items[i].p, value->items[i].n);
        at += value->items[i].n;
    }
    ASSERT(at <= size);
    return text;
}

static void set_canonical(struct value *value)
{
    char number[24];
    memory_free(value->text);
    if (is_whole(value->key->type) && value->item_count > 0) {
        snprintf(number, sizeof number, "%lld", (long long)value->number.i64);
        mrt_str text = str_of(number);
        value->text = str_copy(&text);
    } else {
        value->text = joined(value);
    }
}

static bool read_item(struct value *value, const mrt_str *text, mrt_error *error)
{
    if (key_read(value->key, text, &value->number, error) != MRT_OK)
        return false;
    add_item(value, text);
    return true;
}

/* Elements of a text with commas, as -o and defaults have it. */
static bool read_list(struct value *value, const char *text, mrt_error *error)
{
    mrt_str rest = str_of(text);
    mrt_str element;
    while (list_next(&rest, &element)) {
        if (value->item_count == VALUE_ITEMS_MAX) {
            error_set(error, MRT_ETOOBIG, "%s has too many elements", value->key->name);
            return false;
        }
        if (!read_item(value, &element, error))
            return false;
    }
    return true;
}

void value_init(struct value *value, const struct note_key *key)
{
    ASSERT(key != NULL);
    *value = (struct value){.key = key};
    if (key->fallback != NULL) {
        mrt_error error;
        mrt_str text = str_of(key->fallback);
        bool good = key->type == KEY_LIST ? read_list(value, key->fallback, &error)
                                          : read_item(value, &text, &error);
        ASSERT(good);
    }
    set_canonical(value);
}

void value_fini(struct value *value)
{
    items_free(value->items, value->item_count);
    memory_free(value->text);
    *value = (struct value){0};
}

static const char *kind_of(const struct node *node)
{
    switch (node->type) {
    case NODE_GROUP:
        return "a group";
    case NODE_LIST:
        return "a list";
    case NODE_STRING:
        return "text";
    case NODE_INTEGER:
    case NODE_FLOAT:
        return "a number";
    case NODE_BOOL:
        return "a switch";
    }
    return "?";
}

static const char *kind_wanted(enum key_type type)
{
    if (type == KEY_LIST)
        return "a list";
    if (type == KEY_BOOL)
        return "a switch, true or false";
    if (is_whole(type) || type == KEY_F64)
        return "a number";
    return "text";
}

/* May a node of that type stand for one value of the key (an element, for a list)? */
static bool kind_fits(const struct node *node, enum key_type type)
{
    if (node->loose)
        return true;
    switch (node->type) {
    case NODE_GROUP:
    case NODE_LIST:
        return false;
    case NODE_STRING:
        return type != KEY_BOOL;
    case NODE_BOOL:
        return type == KEY_BOOL;
    case NODE_INTEGER:
        return is_whole(type) || type == KEY_F64;
    case NODE_FLOAT:
        return type == KEY_F64;
    }
    return false;
}

static void refuse_kind(
    const struct note_key *key, const struct node *node, const struct place *at,
    struct report *report)
{
    char hint[COMPLAINT_TEXT] = "";
    bool secret = key->flags & KEY_SECRET;
    if (node->text != NULL && !secret && key->type == KEY_LIST)
        snprintf(hint, sizeof hint, "write [\"%s\"]", node->text);
    else if (node->text != NULL && !secret && strcmp(kind_wanted(key->type), "text") == 0)
        snprintf(hint, sizeof hint, "text stands in quotes: \"%s\"", node->text);
    report_error(
        report, at, hint, "%s is %s, not %s", key->name, kind_wanted(key->type), kind_of(node));
}

static bool read_elements(
    struct value *value, const struct node *node, const struct place *at, struct report *report)
{
    mrt_error error;
    if (node->child_count > VALUE_ITEMS_MAX) {
        report_error(
            report, at, NULL, "%s has more than %d elements", value->key->name, VALUE_ITEMS_MAX);
        return false;
    }
    node_each (element, node) {
        const struct place place = element->value_at;
        if (element->type == NODE_GROUP || element->type == NODE_LIST) {
            report_error(
                report, &place, NULL, "an element of %s is text or a number, not %s",
                value->key->name, kind_of(element));
            return false;
        }
        mrt_str text = str_of(element->text);
        if (!read_item(value, &text, &error)) {
            report_error(report, &place, NULL, "%s", error.text);
            return false;
        }
    }
    return true;
}

static bool read_node(struct value *value, const struct node *node, struct report *report)
{
    const struct note_key *key = value->key;
    mrt_error error;
    const struct place at = node->value_at;
    if (key->type == KEY_LIST && node->type == NODE_LIST)
        return read_elements(value, node, &at, report);
    if ((key->type == KEY_LIST && !node->loose) || !kind_fits(node, key->type)) {
        refuse_kind(key, node, &at, report);
        return false;
    }
    mrt_str text = str_of(node->text);
    bool good = key->type == KEY_LIST ? read_list(value, node->text, &error)
                                      : read_item(value, &text, &error);
    if (!good)
        report_error(report, &at, NULL, "%s", error.text);
    return good;
}

bool value_read(struct value *value, const struct node *node, struct report *report)
{
    struct value next = {.key = value->key, .is_set = true, .at = node->name_at};
    if (!read_node(&next, node, report)) {
        value_fini(&next);
        return false;
    }
    set_canonical(&next);
    value_fini(value);
    *value = next;
    ASSERT(value->text != NULL);
    return true;
}
