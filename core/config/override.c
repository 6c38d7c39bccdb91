/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/override.h"

#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/str.h"
#include "core/config/config_file.h"
#include "core/config/schema.h"
#include "core/config/suggest.h"

#define PATH_MAX_PARTS 8 /* no setting lies deeper */
#define PART_MAX       128

struct path {
    mrt_str parts[PATH_MAX_PARTS];
    uint32_t count;
};

static bool is_name(const mrt_str *part)
{
    for (uint64_t i = 0; i < part->n; i++) {
        char c = part->p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool other = (c >= '0' && c <= '9') || c == '_' || c == '-';
        if (!letter && (i == 0 || !other))
            return false;
    }
    return part->n > 0 && part->n < PART_MAX;
}

/* Cuts @name at its dots; false when a part is no name or there are too many. */
static bool split(const mrt_str *name, struct path *path)
{
    uint64_t from = 0;
    path->count = 0;
    for (uint64_t i = 0; i <= name->n; i++) {
        if (i < name->n && name->p[i] != '.')
            continue;
        if (path->count == PATH_MAX_PARTS)
            return false;
        mrt_str part = {name->p + from, i - from};
        if (!is_name(&part))
            return false;
        path->parts[path->count++] = part;
        from = i + 1;
    }
    return true;
}

static const struct note_key *broker_key(const mrt_str *name)
{
    uint32_t count;
    const struct note_key *keys = schema_broker(&count);
    for (uint32_t i = 0; i < count; i++)
        if (str_is(name, keys[i].name) || (keys[i].kafka != NULL && str_is(name, keys[i].kafka)))
            return &keys[i];
    return NULL;
}

static bool is_top(const mrt_str *name)
{
    uint32_t count;
    const struct schema_kind *kinds = schema_kinds(&count);
    for (uint32_t i = 0; i < count; i++)
        if (str_is(name, kinds[i].name))
            return true;
    return str_is(name, "broker") || str_is(name, "listeners") || str_is(name, "plugins");
}

/* Where @name lies in the tree; false when nobody knows. */
static bool resolve(const mrt_str *name, struct path *path)
{
    const struct note_key *key = broker_key(name);
    if (key != NULL) {
        *path = (struct path){{str_of("broker"), str_of(key->name)}, 2};
        return true;
    }
    if (!split(name, path) || !is_top(&path->parts[0]))
        return false;
    char top[PART_MAX];
    snprintf(top, sizeof top, "%.*s", STR_ARGS(path->parts[0]));
    const struct schema_kind *kind = schema_kind_find(top);
    if (path->count == 1 && kind != NULL && kind->used)
        path->parts[path->count++] = str_of("use");
    return path->count > 1;
}

/* The value written as in a file. The dots of the name are hidden for as long as that is parsed, so
 * that columns stay what they are. */
static struct node *parse_value(struct source *source, uint64_t name_size, struct report *report)
{
    bool dots[PATH_MAX_PARTS * PART_MAX] = {false};
    ASSERT(name_size < sizeof dots);
    for (uint64_t i = 0; i < name_size; i++) {
        dots[i] = source->text[i] == '.';
        if (dots[i])
            source->text[i] = '_';
    }
    struct node *root = config_file_parse(source, report);
    for (uint64_t i = 0; i < name_size; i++)
        if (dots[i])
            source->text[i] = '.';
    if (root != NULL && root->child_count != 1) {
        const struct place at = {source, 1, 1};
        report_error(report, &at, "use -o once for each", "more than one setting in one -o");
        node_free(root);
        return NULL;
    }
    return root;
}

static struct node *loose_value(const struct source *source, uint64_t at)
{
    struct node *node = node_new(NODE_STRING, "value");
    node->loose = true;
    node->name_at = (struct place){source, 1, 1};
    node->value_at = (struct place){source, 1, (uint32_t)at + 1};
    node_set_text(node, source->text + at, source->size - at);
    struct node *root = node_new(NODE_GROUP, NULL);
    node_append(root, node);
    return root;
}

/* Renames the only child of @value to the last part of @path and wraps it in groups named by the
 * others. */
static struct node *wrap(struct node *value, const struct path *path, const struct source *source)
{
    char name[PART_MAX];
    struct node *root = node_new(NODE_GROUP, NULL);
    struct node *group = root;
    for (uint32_t i = 0; i + 1 < path->count; i++) {
        snprintf(name, sizeof name, "%.*s", STR_ARGS(path->parts[i]));
        struct node *next = node_new(NODE_GROUP, name);
        next->name_at = next->value_at = (struct place){source, 1, 1};
        node_append(group, next);
        group = next;
    }
    struct node *leaf = node_first(value);
    ASSERT(leaf != NULL);
    node_take(value, leaf);
    node_rename(leaf, &path->parts[path->count - 1]);
    node_append(group, leaf);
    node_free(value);
    return root;
}

/* Is the value in the form of a file? An address like [::1]:9092 is not. */
static bool is_written(const char *value)
{
    const char *inner = value + 1;
    if (value[0] == '[')
        while (*inner == ' ')
            inner++;
    return value[0] == '"' || value[0] == '(' || value[0] == '{' ||
           (value[0] == '[' && (*inner == '"' || *inner == ']'));
}

struct node *override_parse(struct source *source, struct report *report)
{
    ASSERT(source != NULL);
    ASSERT(report != NULL);
    const struct place at = {source, 1, 1};
    const char *equals = memchr(source->text, '=', source->size);
    uint64_t name_size = equals == NULL ? source->size : (uint64_t)(equals - source->text);
    if (equals == NULL || name_size == 0 || name_size >= (uint64_t)PATH_MAX_PARTS * PART_MAX) {
        report_error(report, &at, "-o takes name=value", "-o without a name and a value");
        return NULL;
    }
    mrt_str name = {source->text, name_size};
    struct path path;
    char hint[COMPLAINT_TEXT];
    if (!resolve(&name, &path)) {
        suggest_override(&name, hint, sizeof hint);
        report_error(report, &at, hint, "unknown setting %.*s", STR_ARGS(name));
        return NULL;
    }
    struct node *value = is_written(equals + 1) ? parse_value(source, name_size, report)
                                                : loose_value(source, name_size + 1);
    return value == NULL ? NULL : wrap(value, &path, source);
}
