/* SPDX-License-Identifier: Apache-2.0 */
/*
 * settings_parts.h - what settings.c, settings_check.c and settings_plugins.c share; nobody else
 * includes it.
 *
 *   S1  Every key of a table has a value, its default when the tree has none or a bad one.
 *   S2  root owns all nodes, sources all texts; values and rows own copies or point there.
 */
#ifndef CORE_CONFIG_SETTINGS_PARTS_H
#define CORE_CONFIG_SETTINGS_PARTS_H

#include "core/config/settings.h"
#include "core/config/value.h"

#define LISTENER_KEYS 5
#define ORIGIN_TEXT   256

struct listener {
    const char *name; /* borrowed from the tree, or static */
    struct place at;
    struct value values[LISTENER_KEYS]; /* in the order of schema_listener() */
};

/* The values of one plugin's group. */
struct plugin_values {
    struct list link;
    const char *kind;       /* borrowed from the schema */
    const char *name;       /* borrowed from the tree */
    struct value *values;   /* owned; those the operator set */
    struct cfg_value *rows; /* owned; values as cfg_new() wants them */
    char *origins;          /* owned; ORIGIN_TEXT bytes each */
    uint32_t count;
};

struct settings {
    struct list sources;
    struct node *root;
    struct value *broker; /* owned; in the order of schema_broker() */
    uint32_t broker_count;
    struct listener *listeners; /* owned */
    uint32_t listener_count;
    struct list plugin_values;
    bool plugins_checked;
};

/* Fills broker and listeners from the merged tree, and checks the outline of the rest. */
void settings_check(struct settings *settings, struct report *report);

void plugin_values_free(struct plugin_values *values);
const struct plugin_values *plugin_values_find(
    const struct settings *settings, const char *kind, const char *name);

/* The top group @name, or NULL when there is none or something else. */
const struct node *settings_group(const struct settings *settings, const char *name);

/* The text @name in @group, which may be NULL; NULL when there is none or something else. */
const struct node *settings_text(const struct node *group, const char *name);

/* A group of plugins with both its texts; others were reported by settings_load(). */
bool settings_is_plugin(const struct node *node);

#endif /* CORE_CONFIG_SETTINGS_PARTS_H */
