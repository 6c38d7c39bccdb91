/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "core/base/assert.h"
#include "core/base/memory.h"
#include "core/config/schema.h"
#include "core/config/settings_parts.h"

void plugin_values_free(struct plugin_values *values)
{
    for (uint32_t i = 0; i < values->count; i++)
        value_fini(&values->values[i]);
    memory_free(values->values);
    memory_free(values->rows);
    memory_free(values->origins);
    memory_free(values);
}

bool settings_is_path(const char *use)
{
    return strchr(use, '/') != NULL;
}

const struct node *settings_text(const struct node *group, const char *name)
{
    const struct node *node = group == NULL ? NULL : node_find_text(group, name);
    return node != NULL && node->type == NODE_STRING ? node : NULL;
}

const char *settings_use(const struct settings *settings, const char *kind)
{
    const struct schema_kind *row = schema_kind_find(kind);
    ASSERT(row != NULL);
    ASSERT(row->used);
    const struct node *use = settings_text(settings_group(settings, kind), "use");
    return use != NULL && use->text[0] != '\0' ? use->text : row->fallback;
}

bool settings_is_plugin(const struct node *node)
{
    return node->type == NODE_GROUP && settings_text(node, "kind") != NULL &&
           settings_text(node, "path") != NULL &&
           schema_kind_find(settings_text(node, "kind")->text) != NULL;
}

uint32_t settings_plugin_count(const struct settings *settings)
{
    const struct node *group = settings_group(settings, "plugins");
    uint32_t count = 0;
    if (group != NULL)
        node_each (child, group)
            count += settings_is_plugin(child);
    return count;
}

void settings_plugin(const struct settings *settings, uint32_t i, struct settings_plugin *out)
{
    const struct node *group = settings_group(settings, "plugins");
    ASSERT(i < settings_plugin_count(settings));
    ASSERT(group != NULL);
    node_each (child, group) {
        if (!settings_is_plugin(child) || i-- > 0)
            continue;
        *out = (struct settings_plugin){
            child->name, settings_text(child, "kind")->text, settings_text(child, "path")->text,
            child->name_at};
        return;
    }
}

const struct plugin_values *plugin_values_find(
    const struct settings *settings, const char *kind, const char *name)
{
    list_each (at, &settings->plugin_values) {
        const struct plugin_values *values = CONTAINER(at, struct plugin_values, link);
        if (strcmp(values->kind, kind) == 0 && strcmp(values->name, name) == 0)
            return values;
    }
    return NULL;
}

const struct cfg_value *settings_plugin_values(
    const struct settings *settings, const char *kind, const char *name, uint32_t *count)
{
    ASSERT(settings->plugins_checked);
    ASSERT(count != NULL);
    const struct plugin_values *values = plugin_values_find(settings, kind, name);
    *count = values == NULL ? 0 : values->count;
    return values == NULL ? NULL : values->rows;
}

const struct value *settings_plugin_value(
    const struct settings *settings, const char *kind, const char *name, const char *key)
{
    const struct plugin_values *values = plugin_values_find(settings, kind, name);
    for (uint32_t i = 0; values != NULL && i < values->count; i++)
        if (strcmp(values->values[i].key->name, key) == 0)
            return &values->values[i];
    return NULL;
}
