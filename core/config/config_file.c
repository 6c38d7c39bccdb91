/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/config_file.h"

#include <libconfig.h>
#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/memory.h"
#include "core/config/guard.h"

/* Our walk over libconfig's tree, in the order of the text (G4). */
struct walk {
    const struct source *source;
    const struct guard *guard;
    uint64_t name;  /* the next name's place in guard->names */
    uint64_t value; /* and the next value's */
};

static struct place next_place(
    const struct walk *walk, const struct mark *marks, uint64_t count, uint64_t *at)
{
    ASSERT(*at < count);
    const struct mark *mark = &marks[(*at)++];
    return (struct place){walk->source, mark->line, mark->column};
}

static enum node_type type_of(const config_setting_t *setting)
{
    switch (config_setting_type(setting)) {
    case CONFIG_TYPE_GROUP:
        return NODE_GROUP;
    case CONFIG_TYPE_LIST:
    case CONFIG_TYPE_ARRAY:
        return NODE_LIST;
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_INT64:
        return NODE_INTEGER;
    case CONFIG_TYPE_FLOAT:
        return NODE_FLOAT;
    case CONFIG_TYPE_BOOL:
        return NODE_BOOL;
    default:
        ASSERT(config_setting_type(setting) == CONFIG_TYPE_STRING);
        return NODE_STRING;
    }
}

static void set_scalar(struct node *node, const config_setting_t *setting)
{
    char number[40];
    const char *text = number;
    if (node->type == NODE_STRING)
        text = config_setting_get_string(setting);
    else if (node->type == NODE_BOOL)
        text = config_setting_get_bool(setting) ? "true" : "false";
    else if (node->type == NODE_FLOAT)
        snprintf(number, sizeof number, "%.17g", config_setting_get_float(setting));
    else if (config_setting_type(setting) == CONFIG_TYPE_INT)
        snprintf(number, sizeof number, "%d", config_setting_get_int(setting));
    else
        snprintf(number, sizeof number, "%lld", config_setting_get_int64(setting));
    ASSERT(text != NULL);
    node_set_text(node, text, strlen(text));
}

/* As deep as GUARD_DEPTH_MAX. */
static struct node *take_setting(struct walk *walk, const config_setting_t *setting)
{
    const struct guard *guard = walk->guard;
    struct node *node = node_new(type_of(setting), config_setting_name(setting));
    if (node->name != NULL)
        node->name_at = next_place(walk, guard->names, guard->name_count, &walk->name);
    node->value_at = next_place(walk, guard->values, guard->value_count, &walk->value);
    if (node->name == NULL)
        node->name_at = node->value_at;
    if (node->type != NODE_GROUP && node->type != NODE_LIST) {
        set_scalar(node, setting);
        return node;
    }
    for (int i = 0; i < config_setting_length(setting); i++)
        node_append(node, take_setting(walk, config_setting_get_elem(setting, (unsigned)i)));
    return node;
}

static struct node *take_root(struct walk *walk, const config_t *config)
{
    const config_setting_t *from = config_root_setting(config);
    struct node *root = node_new(NODE_GROUP, NULL);
    for (int i = 0; i < config_setting_length(from); i++)
        node_append(root, take_setting(walk, config_setting_get_elem(from, (unsigned)i)));
    ASSERT(walk->name == walk->guard->name_count);
    ASSERT(walk->value == walk->guard->value_count);
    return root;
}

/* libconfig has no columns: the last name on the line is the one it stumbled over. */
static void report_libconfig(const struct walk *walk, const config_t *config, struct report *report)
{
    struct place at = {walk->source, (uint32_t)config_error_line(config), 1};
    for (uint64_t i = 0; i < walk->guard->name_count; i++)
        if (walk->guard->names[i].line == at.line)
            at.column = walk->guard->names[i].column;
    const char *text = config_error_text(config);
    bool twice = strstr(text, "duplicate") != NULL;
    report_error(
        report, &at, twice ? "one file says a thing once; later files replace it" : NULL, "%s",
        twice ? "this name was set before in the same group" : text);
}

struct node *config_file_parse(const struct source *source, struct report *report)
{
    ASSERT(source != NULL);
    ASSERT(report != NULL);
    struct guard guard;
    struct complaint complaint;
    if (!guard_run(source->text, source->size, &guard, &complaint)) {
        report_complaint(report, source, &complaint);
        return NULL;
    }
    /* libconfig 1.5 takes no comment on a last line that does not end. */
    guard.text = memory_resize(guard.text, guard.size + 2);
    memcpy(guard.text + guard.size, "\n", 2);
    struct walk walk = {.source = source, .guard = &guard};
    struct node *root = NULL;
    config_t config;
    config_init(&config);
    if (config_read_string(&config, guard.text) == CONFIG_TRUE)
        root = take_root(&walk, &config);
    else
        report_libconfig(&walk, &config, report);
    config_destroy(&config);
    guard_fini(&guard);
    return root;
}
