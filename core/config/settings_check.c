/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/memory.h"
#include "core/base/str.h"
#include "core/base/uuid.h"
#include "core/config/schema.h"
#include "core/config/settings_parts.h"
#include "core/config/suggest.h"

#define DEFAULT_LISTENER "kafka"
#define DEFAULT_BIND     "127.0.0.1:9092" /* nobody from outside, until the operator says so */

static void read_group(
    struct value *values, uint32_t count, const struct note_key *keys, const struct node *group,
    struct report *report)
{
    char hint[COMPLAINT_TEXT];
    uint32_t ignored;
    node_each (child, group) {
        struct value *value = NULL;
        for (uint32_t i = 0; i < count && value == NULL; i++)
            if (strcmp(values[i].key->name, child->name) == 0)
                value = &values[i];
        if (value != NULL) {
            value_read(value, child, report);
            continue;
        }
        mrt_str word = str_of(child->name);
        if (keys == schema_broker(&ignored))
            suggest_broker(&word, hint, sizeof hint);
        else
            suggest_key(&word, keys, count, hint, sizeof hint);
        report_error(report, &child->name_at, hint, "unknown setting %s", child->name);
    }
}

static bool check_group(const struct node *node, const char *form, struct report *report)
{
    if (node->type == NODE_GROUP)
        return true;
    report_error(
        report, &node->value_at, NULL, "%s is a group: %s: { %s };", node->name, node->name, form);
    return false;
}

static void check_broker(struct settings *settings, struct report *report)
{
    const struct note_key *keys = schema_broker(&settings->broker_count);
    settings->broker = memory_array(settings->broker_count, sizeof *settings->broker);
    for (uint32_t i = 0; i < settings->broker_count; i++)
        value_init(&settings->broker[i], &keys[i]);
    const struct node *group = settings_group(settings, "broker");
    if (group != NULL)
        read_group(settings->broker, settings->broker_count, keys, group, report);
}

static void listener_init(struct listener *listener, const char *name)
{
    uint32_t count;
    const struct note_key *keys = schema_listener(&count);
    ASSERT(count == LISTENER_KEYS);
    listener->name = name;
    for (uint32_t i = 0; i < count; i++)
        value_init(&listener->values[i], &keys[i]);
}

static struct value *listener_value(struct listener *listener, const char *name)
{
    struct value *found = NULL;
    for (uint32_t i = 0; i < LISTENER_KEYS; i++)
        if (strcmp(listener->values[i].key->name, name) == 0)
            found = &listener->values[i];
    ASSERT(found != NULL);
    return found;
}

static void check_listener(
    struct settings *settings, const struct node *node, struct report *report)
{
    if (!check_group(node, "bind = \"127.0.0.1:9092\";", report))
        return;
    if (settings->listener_count == SETTINGS_LISTENERS_MAX) {
        report_error(
            report, &node->name_at, NULL, "more than %d listeners", SETTINGS_LISTENERS_MAX);
        return;
    }
    struct listener *listener = &settings->listeners[settings->listener_count++];
    listener_init(listener, node->name);
    listener->at = node->name_at;
    uint32_t count;
    const struct note_key *keys = schema_listener(&count);
    read_group(listener->values, count, keys, node, report);
    struct value *bind = listener_value(listener, "bind");
    if (node_find_text(node, "bind") == NULL)
        report_error(
            report, &node->name_at, "for example bind = \"127.0.0.1:9092\";",
            "listener %s has no address to bind", node->name);
    for (uint32_t i = 0; i + 1 < settings->listener_count; i++) {
        struct listener *other = &settings->listeners[i];
        if (bind->is_set && strcmp(bind->text, listener_value(other, "bind")->text) == 0)
            report_error(
                report, &bind->at, NULL, "listener %s binds %s, which listener %s has",
                listener->name, bind->text, other->name);
    }
}

/* One by one with the built-in one when there are none: a broker nobody reaches is of no use. */
static void check_listeners(struct settings *settings, struct report *report)
{
    settings->listeners = memory_array(SETTINGS_LISTENERS_MAX, sizeof *settings->listeners);
    const struct node *group = settings_group(settings, "listeners");
    if (group != NULL && group->child_count > 0) {
        node_each (child, group)
            check_listener(settings, child, report);
        return;
    }
    struct listener *listener = &settings->listeners[settings->listener_count++];
    listener_init(listener, DEFAULT_LISTENER);
    struct node *address = node_new(NODE_STRING, "bind");
    node_set_text(address, DEFAULT_BIND, strlen(DEFAULT_BIND));
    struct value *bind = listener_value(listener, "bind");
    bool good = value_read(bind, address, report);
    ASSERT(good);
    bind->is_set = false;
    node_free(address);
}

static void check_use(const struct schema_kind *kind, const struct node *use, struct report *report)
{
    if (!kind->used)
        report_error(
            report, &use->name_at, NULL,
            "%s has no use: such plugins are named where they are needed", kind->name);
    else if (use->type != NODE_STRING || use->text[0] == '\0')
        report_error(
            report, &use->value_at, NULL, "%s.use is the name of a plugin in quotes", kind->name);
}

static void check_kind(
    const struct settings *settings, const struct schema_kind *kind, struct report *report)
{
    const struct node *group = settings_group(settings, kind->name);
    if (group == NULL)
        return;
    node_each (child, group) {
        if (strcmp(child->name, "use") == 0) {
            check_use(kind, child, report);
        } else if (child->type != NODE_GROUP) {
            report_error(
                report, &child->name_at, "settings of a plugin stand in a group of its name",
                "unknown setting %s", child->name);
        }
    }
}

static void check_text(const struct node *plugin, const char *name, struct report *report)
{
    const struct node *node = node_find_text(plugin, name);
    if (node == NULL)
        report_error(report, &plugin->name_at, NULL, "plugin %s has no %s", plugin->name, name);
    else if (node->type != NODE_STRING)
        report_error(report, &node->value_at, NULL, "%s is text", name);
}

static void check_plugin(const struct node *plugin, struct report *report)
{
    if (!check_group(plugin, "kind = \"storage\"; path = \"/...\";", report))
        return;
    check_text(plugin, "kind", report);
    check_text(plugin, "path", report);
    const struct node *kind = node_find_text(plugin, "kind");
    if (kind == NULL || kind->type != NODE_STRING || schema_kind_find(kind->text) != NULL)
        return;
    uint32_t count;
    const struct schema_kind *kinds = schema_kinds(&count);
    const char *words[16];
    char hint[COMPLAINT_TEXT];
    ASSERT(count <= 16);
    for (uint32_t i = 0; i < count; i++)
        words[i] = kinds[i].name;
    mrt_str word = str_of(kind->text);
    suggest_word(&word, words, count, hint, sizeof hint);
    report_error(report, &kind->value_at, hint, "no kind of plugin is called %s", kind->text);
}

static void check_tops(const struct settings *settings, struct report *report)
{
    char hint[COMPLAINT_TEXT];
    node_each (child, settings->root) {
        bool own = strcmp(child->name, "broker") == 0 || strcmp(child->name, "listeners") == 0 ||
                   strcmp(child->name, "plugins") == 0;
        if (own || schema_kind_find(child->name) != NULL) {
            check_group(child, "...", report);
            continue;
        }
        mrt_str word = str_of(child->name);
        suggest_top(&word, hint, sizeof hint);
        report_error(report, &child->name_at, hint, "unknown setting %s", child->name);
    }
}

static void check_dirs(const struct settings *settings, struct report *report)
{
    const struct value *dirs = settings_find(settings, "broker.log_dirs");
    if (dirs->item_count == 0)
        report_error(report, &dirs->at, NULL, "log_dirs names no directory");
    for (uint32_t i = 0; i < dirs->item_count; i++) {
        if (dirs->items[i].n == 0)
            report_error(report, &dirs->at, NULL, "a directory of log_dirs has no name");
        for (uint32_t k = 0; k < i; k++)
            if (str_equal(&dirs->items[i], &dirs->items[k]))
                report_error(report, &dirs->at, NULL, "log_dirs names %s twice", dirs->items[i].p);
    }
}

/* What no single setting can say. */
static void check_together(const struct settings *settings, struct report *report)
{
    uint8_t uuid[16];
    const struct value *cluster = settings_find(settings, "broker.cluster_id");
    mrt_str id = str_of(cluster->text);
    if (id.n > 0 && !uuid_parse(&id, uuid))
        report_error(
            report, &cluster->at,
            "22 characters of A-Z a-z 0-9 - _; leave it out to have one drawn",
            "cluster_id = \"%s\" is no id", cluster->text);
    check_dirs(settings, report);
    const struct value *message = settings_find(settings, "broker.message_max_bytes");
    if (message->number.i64 > settings_i64(settings, "broker.socket_request_max_bytes"))
        report_warning(
            report, &message->at, NULL,
            "message_max_bytes is above socket_request_max_bytes: such batches cannot arrive");
    if (settings_i64(settings, "broker.memory_per_connection_max") >
        settings_i64(settings, "broker.memory_max"))
        report_warning(
            report, &settings_find(settings, "broker.memory_per_connection_max")->at, NULL,
            "memory_per_connection_max is above memory_max, which holds anyway");
}

void settings_check(struct settings *settings, struct report *report)
{
    uint32_t count;
    const struct schema_kind *kinds = schema_kinds(&count);
    check_tops(settings, report);
    check_broker(settings, report);
    check_listeners(settings, report);
    for (uint32_t i = 0; i < count; i++)
        check_kind(settings, &kinds[i], report);
    const struct node *plugins = settings_group(settings, "plugins");
    if (plugins != NULL)
        node_each (child, plugins)
            check_plugin(child, report);
    check_together(settings, report);
}
