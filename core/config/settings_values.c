/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/memory.h"
#include "core/base/str.h"
#include "core/config/schema.h"
#include "core/config/settings_parts.h"
#include "core/config/suggest.h"
#include "core/plugin/missing.h"

/* One settings_check_plugins(). */
struct check {
    struct settings *settings;
    const struct schema_source *source;
    struct report *report;
};

/* A plugin that something names. */
struct named {
    const char *kind;
    const char *name;
    struct place at;
    bool is_default;          /* nobody wrote its name */
    const struct node *group; /* its settings, or NULL */
    const struct note_key *keys;
    uint32_t key_count;
};

/* What comes with the daemon is missing when it was refused: the list of plugins says why. */
static void suggest_package(const struct named *plugin, char *out, size_t size)
{
    const char *package = package_of(plugin->kind, plugin->name);
    if (package != NULL && strcmp(package, "mortised") == 0)
        snprintf(out, size, "it comes with mortised: see what --list-plugins says of it");
    else if (package != NULL)
        snprintf(out, size, "is the package %s installed?", package);
    else
        snprintf(
            out, size, "is the package mortise-plugin-%s-%s installed?", plugin->kind,
            plugin->name);
}

/* A package that was removed leaves its conf.d behind: settings nobody reads are worth a warning, a
 * name that looks like a slip, or one that is used, is an error. */
static void unknown_plugin(const struct check *check, const struct named *plugin)
{
    char hint[COMPLAINT_TEXT];
    uint32_t count = 0;
    const char *const *names = NULL;
    if (check->source->names != NULL)
        names = check->source->names(check->source->context, plugin->kind, &count);
    mrt_str word = str_of(plugin->name);
    suggest_word(&word, names, count, hint, sizeof hint);
    if (hint[0] == '\0' && plugin->group != NULL) {
        report_warning(
            check->report, &plugin->at, NULL,
            "settings of the %s plugin %s, which is not installed", plugin->kind, plugin->name);
        return;
    }
    if (hint[0] == '\0' && plugin->is_default && count > 0)
        snprintf(
            hint, sizeof hint, "it is the default; there is %s: -o %s=%s", names[0], plugin->kind,
            names[0]);
    if (hint[0] == '\0')
        suggest_package(plugin, hint, sizeof hint);
    report_error(
        check->report, &plugin->at, hint, "no %s plugin is called %s", plugin->kind, plugin->name);
}

static void unknown_key(
    const struct check *check, const struct named *plugin, const struct node *node)
{
    char hint[COMPLAINT_TEXT];
    mrt_str word = str_of(node->name);
    suggest_key(&word, plugin->keys, plugin->key_count, hint, sizeof hint);
    report_error(
        check->report, &node->name_at, hint, "the %s plugin %s has no setting %s", plugin->kind,
        plugin->name, node->name);
}

static const struct note_key *key_find(const struct named *plugin, const char *name)
{
    for (uint32_t i = 0; i < plugin->key_count; i++)
        if (strcmp(plugin->keys[i].name, name) == 0)
            return &plugin->keys[i];
    return NULL;
}

static void hide(const struct check *check, const struct node *node)
{
    report_hide(check->report, &node->name_at);
    report_hide(check->report, &node->value_at);
    if (node->type == NODE_LIST || node->type == NODE_GROUP)
        node_each (child, node)
            hide(check, child);
}

/* Before anything is said: a mistake beside a secret, or in its name, is on the secret's line. */
static void hide_secrets(const struct check *check, const struct named *plugin)
{
    char ignored[COMPLAINT_TEXT];
    node_each (child, plugin->group) {
        mrt_str word = str_of(child->name);
        const struct note_key *key = key_find(plugin, child->name);
        if (key == NULL)
            key = suggest_key(&word, plugin->keys, plugin->key_count, ignored, sizeof ignored);
        if (key != NULL && (key->flags & KEY_SECRET))
            hide(check, child);
    }
}

static bool is_given(const struct plugin_values *values, const struct note_key *key)
{
    for (uint32_t i = 0; i < values->count; i++)
        if (values->values[i].key == key)
            return true;
    return false;
}

static void add_value(
    const struct check *check, struct plugin_values *values, const struct note_key *key,
    const struct node *node)
{
    ASSERT(!is_given(values, key));
    struct value *value = &values->values[values->count];
    *value = (struct value){.key = key};
    if (!value_read(value, node, check->report))
        return;
    char *origin = values->origins + (size_t)values->count * ORIGIN_TEXT;
    settings_origin(value, origin, ORIGIN_TEXT);
    values->rows[values->count++] =
        (struct cfg_value){key->name, value->items, value->item_count, origin};
}

static void read_group(
    const struct check *check, struct plugin_values *values, const struct named *plugin)
{
    const struct node *plugins = settings_group(check->settings, "plugins");
    hide_secrets(check, plugin);
    bool ours = plugins != NULL && node_find_text(plugins, plugin->name) == plugin->group;
    node_each (child, plugin->group) {
        if (ours && (strcmp(child->name, "kind") == 0 || strcmp(child->name, "path") == 0))
            continue;
        const struct note_key *key = key_find(plugin, child->name);
        if (key == NULL)
            unknown_key(check, plugin, child);
        else
            add_value(check, values, key, child);
    }
}

/* Kafka has one socket.request.max.bytes, and so has an operator, whoever enforces it. */
static void read_broker(
    const struct check *check, struct plugin_values *values, const struct named *plugin)
{
    for (uint32_t i = 0; i < plugin->key_count; i++) {
        const struct note_key *key = &plugin->keys[i];
        if (key->kafka == NULL || (key->flags & KEY_PER_TOPIC) || is_given(values, key))
            continue;
        const struct value *value = settings_find_kafka(check->settings, key->kafka);
        if (value == NULL || value->item_count == 0)
            continue;
        struct node *node = node_new(NODE_STRING, key->name);
        node->loose = true;
        node->name_at = node->value_at = value->at;
        node_set_text(node, value->text, strlen(value->text));
        uint32_t before = values->count;
        add_value(check, values, key, node);
        for (uint32_t added = before; added < values->count; added++)
            values->values[added].is_set = value->is_set;
        node_free(node);
    }
}

/* A default is no reason to be silent: what the plugin requires must be said. */
static void check_required(
    const struct check *check, const struct plugin_values *values, const struct named *plugin)
{
    for (uint32_t i = 0; i < plugin->key_count; i++)
        if ((plugin->keys[i].flags & KEY_REQUIRED) && !is_given(values, &plugin->keys[i]))
            report_error(
                check->report, &plugin->at, plugin->keys[i].doc,
                "the %s plugin %s needs the setting %s", plugin->kind, plugin->name,
                plugin->keys[i].name);
}

static void check_plugin(const struct check *check, struct named *plugin)
{
    if (!check->source->find(
            check->source->context, plugin->kind, plugin->name, &plugin->keys,
            &plugin->key_count)) {
        unknown_plugin(check, plugin);
        return;
    }
    if (plugin_values_find(check->settings, plugin->kind, plugin->name) != NULL) {
        if (plugin->group != NULL)
            report_error(
                check->report, &plugin->at, NULL,
                "%s.%s and plugins.%s are the same plugin: use one", plugin->kind, plugin->name,
                plugin->name);
        return;
    }
    uint32_t before = report_errors(check->report);
    struct plugin_values *values = memory_new(sizeof *values);
    values->kind = schema_kind_find(plugin->kind)->name;
    values->name = plugin->name;
    values->values = memory_array(plugin->key_count, sizeof *values->values);
    values->rows = memory_array(plugin->key_count, sizeof *values->rows);
    values->origins = memory_array(plugin->key_count, ORIGIN_TEXT);
    if (plugin->group != NULL)
        read_group(check, values, plugin);
    read_broker(check, values, plugin);
    if (report_errors(check->report) == before)
        check_required(check, values, plugin);
    ASSERT(values->count <= plugin->key_count);
    list_append(&check->settings->plugin_values, &values->link);
}

static void check_group(const struct check *check, const char *kind, const struct node *group)
{
    struct named plugin = {.kind = kind, .name = group->name, .at = group->name_at, .group = group};
    check_plugin(check, &plugin);
}

/* What runs without a group of its own has its defaults. The names of a path are its note's. */
static void check_used(const struct check *check, const struct schema_kind *kind)
{
    const char *use = settings_use(check->settings, kind->name);
    const struct node *node = settings_text(settings_group(check->settings, kind->name), "use");
    if (settings_is_path(use))
        return;
    struct named plugin = {.kind = kind->name, .name = use, .is_default = node == NULL};
    if (node != NULL)
        plugin.at = node->value_at;
    check_plugin(check, &plugin);
}

/* The plugins that @value, one or a list, names. */
static void check_items(const struct check *check, const char *kind, const struct value *value)
{
    for (uint32_t i = 0; i < value->item_count; i++) {
        struct named plugin = {.kind = kind, .name = value->items[i].p, .at = value->at};
        check_plugin(check, &plugin);
    }
}

static void check_listeners(const struct check *check)
{
    for (uint32_t i = 0; i < check->settings->listener_count; i++)
        for (uint32_t k = 0; k < LISTENER_KEYS; k++) {
            const struct value *value = &check->settings->listeners[i].values[k];
            if (schema_kind_find(value->key->name) != NULL)
                check_items(check, value->key->name, value);
        }
}

/* An assembler may leave out the policy that is the default: such a broker keeps everything. */
static void check_policies(const struct check *check)
{
    const struct value *value = settings_find(check->settings, "broker.log_cleanup_policy");
    const struct note_key *keys = NULL;
    uint32_t count = 0;
    ASSERT(value != NULL);
    for (uint32_t i = 0; !value->is_set && i < value->item_count; i++) {
        const char *name = value->items[i].p;
        if (check->source->find(check->source->context, "cleanup", name, &keys, &count))
            continue;
        report_warning(
            check->report, &value->at, NULL,
            "there is no cleanup plugin %s: topics keep everything, whatever their retention.ms",
            name);
        return;
    }
    check_items(check, "cleanup", value);
}

static void check_kind(const struct check *check, const struct schema_kind *kind)
{
    const struct node *group = settings_group(check->settings, kind->name);
    if (group != NULL)
        node_each (child, group)
            if (child->type == NODE_GROUP)
                check_group(check, kind->name, child);
    if (kind->used)
        check_used(check, kind);
}

void settings_check_plugins(
    struct settings *settings, const struct schema_source *source, struct report *report)
{
    ASSERT(source != NULL);
    ASSERT(report != NULL);
    ASSERT(!settings->plugins_checked);
    settings->plugins_checked = true;
    const struct check check = {settings, source, report};
    const struct node *plugins = settings_group(settings, "plugins");
    if (plugins != NULL)
        node_each (child, plugins)
            if (settings_is_plugin(child))
                check_group(&check, settings_text(child, "kind")->text, child);
    uint32_t count;
    const struct schema_kind *kinds = schema_kinds(&count);
    for (uint32_t i = 0; i < count; i++)
        check_kind(&check, &kinds[i]);
    check_listeners(&check);
    check_policies(&check);
}
