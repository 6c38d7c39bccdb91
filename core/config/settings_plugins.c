/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/memory.h"
#include "core/base/str.h"
#include "core/config/schema.h"
#include "core/config/settings_parts.h"
#include "core/config/suggest.h"

struct keys {
    const struct note_key *v;
    uint32_t count;
};

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

static const struct node *text_of(const struct node *group, const char *name)
{
    const struct node *node = group == NULL ? NULL : node_find_text(group, name);
    return node != NULL && node->type == NODE_STRING ? node : NULL;
}

static const struct node *top_group(const struct settings *settings, const char *name)
{
    const struct node *node = node_find_text(settings->root, name);
    return node != NULL && node->type == NODE_GROUP ? node : NULL;
}

const char *settings_use(const struct settings *settings, const char *kind)
{
    const struct schema_kind *row = schema_kind_find(kind);
    ASSERT(row != NULL);
    ASSERT(row->used);
    const struct node *use = text_of(top_group(settings, kind), "use");
    return use != NULL && use->text[0] != '\0' ? use->text : row->fallback;
}

/* A plugin's group with both its texts; others were reported by settings_load(). */
static bool is_plugin(const struct node *node)
{
    return node->type == NODE_GROUP && text_of(node, "kind") != NULL &&
           text_of(node, "path") != NULL && schema_kind_find(text_of(node, "kind")->text) != NULL;
}

uint32_t settings_plugin_count(const struct settings *settings)
{
    const struct node *group = top_group(settings, "plugins");
    uint32_t count = 0;
    if (group != NULL)
        node_each(child, group) count += is_plugin(child);
    return count;
}

void settings_plugin(const struct settings *settings, uint32_t i, struct settings_plugin *out)
{
    const struct node *group = top_group(settings, "plugins");
    ASSERT(group != NULL);
    node_each(child, group)
    {
        if (!is_plugin(child) || i-- > 0)
            continue;
        *out = (struct settings_plugin){
            child->name, text_of(child, "kind")->text, text_of(child, "path")->text,
            child->name_at};
        return;
    }
    ASSERT(!"fewer plugins than that");
}

static const struct plugin_values *values_find(
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
    const struct plugin_values *values = values_find(settings, kind, name);
    *count = values == NULL ? 0 : values->count;
    return values == NULL ? NULL : values->rows;
}

const struct value *settings_plugin_value(
    const struct settings *settings, const char *kind, const char *name, const char *key)
{
    const struct plugin_values *values = values_find(settings, kind, name);
    for (uint32_t i = 0; values != NULL && i < values->count; i++)
        if (strcmp(values->values[i].key->name, key) == 0)
            return &values->values[i];
    return NULL;
}

static const struct note_key *key_find(const struct keys *keys, const char *name)
{
    for (uint32_t i = 0; i < keys->count; i++)
        if (strcmp(keys->v[i].name, name) == 0)
            return &keys->v[i];
    return NULL;
}

static void read_value(
    struct plugin_values *values, const struct note_key *key, const struct node *node,
    struct report *report)
{
    struct value *value = &values->values[values->count];
    *value = (struct value){.key = key};
    if (!value_read(value, node, report))
        return;
    char *origin = values->origins + (size_t)values->count * ORIGIN_TEXT;
    settings_origin(value, origin, ORIGIN_TEXT);
    values->rows[values->count++] =
        (struct cfg_value){key->name, value->items, value->item_count, origin};
}

static void unknown_key(
    const struct keys *keys, const struct plugin_values *values, const struct node *node,
    struct report *report)
{
    char hint[COMPLAINT_TEXT];
    mrt_str word = str_of(node->name);
    suggest_key(&word, keys->v, keys->count, hint, sizeof hint);
    report_error(
        report, &node->name_at, hint, "the %s plugin %s has no setting %s", values->kind,
        values->name, node->name);
}

/* A default is no reason to be silent: what the plugin requires must be said. */
static void check_required(
    const struct keys *keys, const struct plugin_values *values, const struct place *at,
    struct report *report)
{
    for (uint32_t i = 0; i < keys->count; i++) {
        bool given = false;
        for (uint32_t k = 0; k < values->count; k++)
            given = given || values->values[k].key == &keys->v[i];
        if ((keys->v[i].flags & KEY_REQUIRED) && !given)
            report_error(
                report, at, keys->v[i].doc, "the %s plugin %s needs the setting %s", values->kind,
                values->name, keys->v[i].name);
    }
}

/* @skip: kind and path of plugins.NAME are ours. */
static void check_values(
    struct settings *settings, struct plugin_values *values, const struct keys *keys,
    const struct node *group, bool skip, struct report *report)
{
    uint32_t room = group->child_count;
    uint32_t before = report_errors(report);
    values->values = memory_array(room, sizeof *values->values);
    values->rows = memory_array(room, sizeof *values->rows);
    values->origins = memory_array(room, ORIGIN_TEXT);
    node_each(child, group)
    {
        if (skip && (strcmp(child->name, "kind") == 0 || strcmp(child->name, "path") == 0))
            continue;
        const struct note_key *key = key_find(keys, child->name);
        if (key == NULL)
            unknown_key(keys, values, child, report);
        else
            read_value(values, key, child, report);
    }
    ASSERT(values->count <= room);
    if (report_errors(report) == before)
        check_required(keys, values, &group->name_at, report);
    list_append(&settings->plugin_values, &values->link);
}

static void unknown_plugin(
    const struct schema_source *source, const char *kind, const char *name, const struct place *at,
    struct report *report)
{
    char hint[COMPLAINT_TEXT];
    uint32_t count = 0;
    const char *const *names =
        source->names == NULL ? NULL : source->names(source->context, kind, &count);
    mrt_str word = str_of(name);
    suggest_word(&word, names, count, hint, sizeof hint);
    if (hint[0] == '\0')
        snprintf(hint, sizeof hint, "is the package mortise-plugin-%s-%s installed?", kind, name);
    report_error(report, at, hint, "no %s plugin is called %s", kind, name);
}

static void check_group(
    struct settings *settings, const struct schema_source *source, const char *kind,
    const struct node *group, bool skip, struct report *report)
{
    struct keys keys = {NULL, 0};
    if (!source->find(source->context, kind, group->name, &keys.v, &keys.count)) {
        unknown_plugin(source, kind, group->name, &group->name_at, report);
        return;
    }
    if (values_find(settings, kind, group->name) != NULL) {
        report_error(
            report, &group->name_at, NULL, "%s.%s and plugins.%s are the same plugin: use one",
            kind, group->name, group->name);
        return;
    }
    struct plugin_values *values = memory_new(sizeof *values);
    values->kind = schema_kind_find(kind)->name;
    values->name = group->name;
    check_values(settings, values, &keys, group, skip, report);
}

/* What runs without a group of its own has its defaults; only required settings may be missing. */
static void check_used(
    struct settings *settings, const struct schema_source *source, const struct schema_kind *kind,
    struct report *report)
{
    const char *use = settings_use(settings, kind->name);
    const struct node *node = text_of(top_group(settings, kind->name), "use");
    const struct place nowhere = {0};
    const struct place *at = node == NULL ? &nowhere : &node->value_at;
    struct keys keys = {NULL, 0};
    if (settings_is_path(use) || values_find(settings, kind->name, use) != NULL)
        return;
    if (!source->find(source->context, kind->name, use, &keys.v, &keys.count)) {
        unknown_plugin(source, kind->name, use, at, report);
        return;
    }
    const struct plugin_values none = {.kind = kind->name, .name = use};
    check_required(&keys, &none, at, report);
}

static void check_policies(
    const struct settings *settings, const struct schema_source *source, struct report *report)
{
    const struct value *policies = settings_find(settings, "broker.log_cleanup_policy");
    struct keys keys;
    for (uint32_t i = 0; i < policies->item_count; i++)
        if (!source->find(source->context, "cleanup", policies->items[i].p, &keys.v, &keys.count))
            unknown_plugin(source, "cleanup", policies->items[i].p, &policies->at, report);
}

static void check_listener_plugins(
    const struct settings *settings, const struct schema_source *source, struct report *report)
{
    for (uint32_t i = 0; i < settings->listener_count; i++) {
        const struct listener *listener = &settings->listeners[i];
        for (uint32_t k = 0; k < LISTENER_KEYS; k++) {
            const struct value *value = &listener->values[k];
            struct keys keys;
            if (schema_kind_find(value->key->name) == NULL)
                continue;
            for (uint32_t n = 0; n < value->item_count; n++)
                if (!source->find(
                        source->context, value->key->name, value->items[n].p, &keys.v, &keys.count))
                    unknown_plugin(source, value->key->name, value->items[n].p, &value->at, report);
        }
    }
}

void settings_check_plugins(
    struct settings *settings, const struct schema_source *source, struct report *report)
{
    ASSERT(source != NULL);
    ASSERT(!settings->plugins_checked);
    settings->plugins_checked = true;
    uint32_t count;
    const struct schema_kind *kinds = schema_kinds(&count);
    const struct node *plugins = top_group(settings, "plugins");
    if (plugins != NULL)
        node_each(child, plugins) if (is_plugin(child))
            check_group(settings, source, text_of(child, "kind")->text, child, true, report);
    for (uint32_t i = 0; i < count; i++) {
        const struct node *group = top_group(settings, kinds[i].name);
        if (group != NULL)
            node_each(child, group) if (child->type == NODE_GROUP)
                check_group(settings, source, kinds[i].name, child, false, report);
        if (kinds[i].used)
            check_used(settings, source, &kinds[i], report);
    }
    check_listener_plugins(settings, source, report);
    check_policies(settings, source, report);
}
