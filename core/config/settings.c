/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/settings.h"

#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/memory.h"
#include "core/base/str.h"
#include "core/config/config_file.h"
#include "core/config/override.h"
#include "core/config/schema.h"
#include "core/config/settings_parts.h"

/* storage = "memory"; is short for storage: { use = "memory"; }; */
static void expand_kinds(struct node *root)
{
    uint32_t count;
    const struct schema_kind *kinds = schema_kinds(&count);
    for (uint32_t i = 0; i < count; i++) {
        struct node *child = node_find_text(root, kinds[i].name);
        if (child == NULL || child->type != NODE_STRING || !kinds[i].used)
            continue;
        const mrt_str use = str_of("use");
        struct node *group = node_new(NODE_GROUP, kinds[i].name);
        group->name_at = child->name_at;
        group->value_at = child->value_at;
        node_take(root, child);
        node_rename(child, &use);
        node_append(group, child);
        node_append(root, group);
    }
}

static void merge(struct settings *settings, struct node *tree)
{
    if (tree == NULL)
        return;
    expand_kinds(tree);
    node_merge(settings->root, tree);
}

static void load_files(
    struct settings *settings, const struct settings_options *options, struct report *report)
{
    mrt_error error;
    mrt_status status =
        config_dir_read(options->paths, options->path_count, &settings->sources, &error);
    if (status != MRT_OK) {
        report_error(report, NULL, NULL, "%s", error.text);
        return;
    }
    list_each (at, &settings->sources)
        merge(settings, config_file_parse(CONTAINER(at, struct source, link), report));
}

static void load_overrides(
    struct settings *settings, const struct settings_options *options, struct report *report)
{
    for (uint32_t i = 0; i < options->override_count; i++) {
        const char *text = options->overrides[i];
        struct source *source = source_new("-o", text, strlen(text));
        list_append(&settings->sources, &source->link);
        merge(settings, override_parse(source, report));
    }
}

struct settings *settings_load(const struct settings_options *options, struct report *report)
{
    ASSERT(options != NULL);
    ASSERT(report != NULL);
    struct settings *settings = memory_new(sizeof *settings);
    list_init(&settings->sources);
    list_init(&settings->plugin_values);
    settings->root = node_new(NODE_GROUP, NULL);
    load_files(settings, options, report);
    load_overrides(settings, options, report);
    settings_check(settings, report);
    ASSERT(settings->broker != NULL);
    return settings;
}

void settings_free(struct settings *settings)
{
    if (settings == NULL)
        return;
    for (uint32_t i = 0; i < settings->broker_count; i++)
        value_fini(&settings->broker[i]);
    for (uint32_t i = 0; i < settings->listener_count; i++)
        for (uint32_t k = 0; k < LISTENER_KEYS; k++)
            value_fini(&settings->listeners[i].values[k]);
    struct list *at;
    while ((at = list_take(&settings->plugin_values)) != NULL)
        plugin_values_free(CONTAINER(at, struct plugin_values, link));
    node_free(settings->root);
    while ((at = list_take(&settings->sources)) != NULL)
        source_free(CONTAINER(at, struct source, link));
    memory_free(settings->broker);
    memory_free(settings->listeners);
    memory_free(settings);
}

const struct node *settings_group(const struct settings *settings, const char *name)
{
    const struct node *node = node_find_text(settings->root, name);
    return node != NULL && node->type == NODE_GROUP ? node : NULL;
}

static const struct value *find_among(const struct value *values, uint32_t count, const char *name)
{
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(values[i].key->name, name) == 0)
            return &values[i];
    return NULL;
}

const struct value *settings_find(const struct settings *settings, const char *path)
{
    static const char broker[] = "broker.";
    static const char listeners[] = "listeners.";
    if (strncmp(path, broker, strlen(broker)) == 0)
        return find_among(settings->broker, settings->broker_count, path + strlen(broker));
    if (strncmp(path, listeners, strlen(listeners)) != 0)
        return NULL;
    const char *name = path + strlen(listeners);
    for (uint32_t i = 0; i < settings->listener_count; i++) {
        const struct listener *listener = &settings->listeners[i];
        size_t n = strlen(listener->name);
        if (strncmp(name, listener->name, n) == 0 && name[n] == '.')
            return find_among(listener->values, LISTENER_KEYS, name + n + 1);
    }
    return NULL;
}

const struct value *settings_find_kafka(const struct settings *settings, const char *kafka)
{
    for (uint32_t i = 0; i < settings->broker_count; i++) {
        const struct value *value = &settings->broker[i];
        if (value->key->kafka != NULL && strcmp(value->key->kafka, kafka) == 0)
            return value;
    }
    return NULL;
}

static const struct value *must_find(const struct settings *settings, const char *path)
{
    const struct value *value = settings_find(settings, path);
    ASSERT(value != NULL);
    return value;
}

bool settings_is_set(const struct settings *settings, const char *path)
{
    return must_find(settings, path)->is_set;
}

bool settings_bool(const struct settings *settings, const char *path)
{
    const struct value *value = must_find(settings, path);
    ASSERT(value->key->type == KEY_BOOL);
    return value->number.i64 != 0;
}

int64_t settings_i64(const struct settings *settings, const char *path)
{
    const struct value *value = must_find(settings, path);
    enum key_type type = value->key->type;
    ASSERT(type == KEY_I64 || type == KEY_BYTES || type == KEY_MILLIS || type == KEY_ENUM);
    return value->number.i64;
}

const char *settings_str(const struct settings *settings, const char *path)
{
    const struct value *value = must_find(settings, path);
    enum key_type type = value->key->type;
    ASSERT(type == KEY_STR || type == KEY_PATH || type == KEY_ENUM);
    return value->text;
}

uint32_t settings_count(const struct settings *settings, const char *path)
{
    const struct value *value = must_find(settings, path);
    ASSERT(value->key->type == KEY_LIST);
    return value->item_count;
}

const char *settings_item(const struct settings *settings, const char *path, uint32_t i)
{
    const struct value *value = must_find(settings, path);
    ASSERT(value->key->type == KEY_LIST);
    ASSERT(i < value->item_count);
    return value->items[i].p;
}

uint32_t settings_listener_count(const struct settings *settings)
{
    return settings->listener_count;
}

void settings_listener(const struct settings *settings, uint32_t i, struct settings_listener *out)
{
    ASSERT(i < settings->listener_count);
    const struct listener *listener = &settings->listeners[i];
    const struct value *values = listener->values;
    const struct value *channel = find_among(values, LISTENER_KEYS, "channel");
    *out = (struct settings_listener){
        .name = listener->name,
        .transport = find_among(values, LISTENER_KEYS, "transport")->text,
        .protocol = find_among(values, LISTENER_KEYS, "protocol")->text,
        .bind = find_among(values, LISTENER_KEYS, "bind")->text,
        .advertise = find_among(values, LISTENER_KEYS, "advertise")->text,
        .channels = channel->items,
        .channel_count = channel->item_count,
        .at = listener->at};
}

void settings_origin(const struct value *value, char *out, size_t size)
{
    const struct source *source = value->at.source;
    if (!value->is_set || source == NULL)
        snprintf(out, size, "default");
    else if (strcmp(source->name, "-o") == 0)
        snprintf(out, size, "-o");
    else
        snprintf(out, size, "%s:%u:%u", source->name, value->at.line, value->at.column);
}

void settings_walk(
    const struct settings *settings,
    void (*each)(void *context, const char *path, const struct value *value), void *context)
{
    char path[SETTINGS_PATH_MAX];
    for (uint32_t i = 0; i < settings->broker_count; i++) {
        snprintf(path, sizeof path, "broker.%s", settings->broker[i].key->name);
        each(context, path, &settings->broker[i]);
    }
    for (uint32_t i = 0; i < settings->listener_count; i++) {
        const struct listener *listener = &settings->listeners[i];
        for (uint32_t k = 0; k < LISTENER_KEYS; k++) {
            const struct value *value = &listener->values[k];
            snprintf(path, sizeof path, "listeners.%s.%s", listener->name, value->key->name);
            each(context, path, value);
        }
    }
    list_each (at, &settings->plugin_values) {
        const struct plugin_values *plugin = CONTAINER(at, struct plugin_values, link);
        for (uint32_t i = 0; i < plugin->count; i++) {
            snprintf(
                path, sizeof path, "%s.%s.%s", plugin->kind, plugin->name,
                plugin->values[i].key->name);
            each(context, path, &plugin->values[i]);
        }
    }
}
