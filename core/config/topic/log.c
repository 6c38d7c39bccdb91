/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "core/base/assert.h"
#include "core/base/memory.h"
#include "core/base/str.h"
#include "core/config/topic/parts.h"

static int64_t number_of(
    const struct topic_table *table, const char *name, const struct topic_scope *scope)
{
    struct topic_value value;
    int64_t number = 0;
    topic_value_named(table, name, scope, &value);
    bool good = str_to_i64(&value.text, &number);
    ASSERT(good);
    return number;
}

static bool is_text(
    const struct topic_table *table, const char *name, const struct topic_scope *scope,
    const char *text)
{
    struct topic_value value;
    topic_value_named(table, name, scope, &value);
    return str_is(&value.text, text);
}

const char *topic_flush_name(enum log_flush flush)
{
    switch (flush) {
    case LOG_FLUSH_NONE:
        return "none";
    case LOG_FLUSH_INTERVAL:
        return "interval";
    case LOG_FLUSH_ACK:
        break;
    }
    ASSERT(flush == LOG_FLUSH_ACK);
    return "ack";
}

static enum log_flush flush_of(const mrt_str *text)
{
    if (str_is(text, "ack"))
        return LOG_FLUSH_ACK;
    if (str_is(text, "interval"))
        return LOG_FLUSH_INTERVAL;
    ASSERT(str_is(text, "none"));
    return LOG_FLUSH_NONE;
}

/* What Kafka's two settings say from @source; false when they say nothing there. */
static bool flush_by_kafka(
    const struct topic_table *table, const struct topic_scope *scope, enum topic_source source,
    enum log_flush *out)
{
    struct topic_value messages;
    struct topic_value ms;
    topic_value_named(table, "flush.messages", scope, &messages);
    topic_value_named(table, "flush.ms", scope, &ms);
    bool by_ms = ms.source == source && number_of(table, "flush.ms", scope) < INT64_MAX;
    if (messages.source == source && str_is(&messages.text, "1"))
        *out = LOG_FLUSH_ACK;
    else if (by_ms)
        *out = str_is(&ms.text, "0") ? LOG_FLUSH_ACK : LOG_FLUSH_INTERVAL;
    else
        return false;
    return true;
}

/* The topic's flush, its two of Kafka's, the broker's flush, its two, then what a topic of that
 * sort needs: one copy, or records nobody can produce again, are worth a flush. */
enum log_flush topic_flush(
    const struct topic_table *table, const struct topic_scope *scope, enum topic_source *source)
{
    enum log_flush flush;
    *source = TOPIC_SOURCE_TOPIC;
    for (uint32_t i = 0; i < scope->count; i++)
        if (str_is(&scope->overrides[i].name, "flush"))
            return flush_of(&scope->overrides[i].value);
    if (flush_by_kafka(table, scope, TOPIC_SOURCE_TOPIC, &flush))
        return flush;
    *source = TOPIC_SOURCE_BROKER;
    if (settings_is_set(table->settings, "broker.flush")) {
        mrt_str text = str_of(settings_str(table->settings, "broker.flush"));
        return flush_of(&text);
    }
    if (flush_by_kafka(table, scope, TOPIC_SOURCE_BROKER, &flush))
        return flush;
    *source = TOPIC_SOURCE_DEFAULT;
    return scope->internal || scope->single_replica ? LOG_FLUSH_ACK : LOG_FLUSH_NONE;
}

void topic_config_log(
    const struct topic_table *table, const struct topic_scope *scope, struct log_config *out)
{
    enum topic_source ignored;
    int64_t flush_ms = number_of(table, "flush.ms", scope);
    bool interval = flush_ms > 0 && flush_ms < INT64_MAX;
    *out = (struct log_config){
        .segment_bytes = (uint64_t)number_of(table, "segment.bytes", scope),
        .segment_ms = number_of(table, "segment.ms", scope),
        .segment_jitter_ms = number_of(table, "segment.jitter.ms", scope),
        .message_bytes_max = (uint32_t)number_of(table, "max.message.bytes", scope),
        .timestamp_before_max_ms = number_of(table, "message.timestamp.before.max.ms", scope),
        .timestamp_after_max_ms = number_of(table, "message.timestamp.after.max.ms", scope),
        .flush = topic_flush(table, scope, &ignored),
        .flush_interval_ms = interval ? flush_ms : TOPIC_FLUSH_INTERVAL_MS,
        .append_time = is_text(table, "message.timestamp.type", scope, "LogAppendTime")};
    const char *policies[TOPIC_POLICIES_MAX];
    uint32_t count = topic_config_policies(table, scope, policies);
    for (uint32_t i = 0; i < count; i++) {
        out->compact = out->compact || strcmp(policies[i], "compact") == 0;
        out->remove = out->remove || strcmp(policies[i], "delete") == 0;
    }
    ASSERT(out->segment_bytes > 0);
    ASSERT(out->flush_interval_ms > 0);
}

uint32_t topic_config_policies(
    const struct topic_table *table, const struct topic_scope *scope, const char **out)
{
    struct topic_value value;
    topic_value_named(table, "cleanup.policy", scope, &value);
    mrt_str rest = value.text;
    mrt_str element;
    uint32_t n = 0;
    while (list_next(&rest, &element) && n < TOPIC_POLICIES_MAX)
        for (uint32_t i = 0; i < table->policy_count; i++)
            if (str_is(&element, table->policies[i]))
                out[n++] = table->policies[i];
    return n;
}

static bool is_binding(const struct topic_binding *binding, const char *kind, const char *name)
{
    return strcmp(binding->kind, kind) == 0 && strcmp(binding->plugin, name) == 0;
}

static void add_value(struct cfg_value *to, const struct cfg_value *from)
{
    *to = *from;
    mrt_str *items = memory_array(from->n, sizeof *items);
    if (from->n > 0)
        memcpy(items, from->items, from->n * sizeof *items);
    to->items = items;
}

static void add_text(struct cfg_value *to, const struct topic_binding *binding, const mrt_str *text)
{
    mrt_str rest = *text;
    mrt_str element;
    mrt_str *items = memory_array(text->n + 1, sizeof *items);
    uint32_t n = 0;
    if (binding->key->type != KEY_LIST)
        items[n++] = *text;
    else
        while (list_next(&rest, &element))
            items[n++] = element;
    *to = (struct cfg_value){binding->key->name, items, n, binding->row->name};
}

/* A default is left to the plugin, unless the config is Kafka's: then the core's default holds. */
static uint32_t add_topic(
    const struct topic_table *table, const struct topic_binding *binding,
    const struct topic_scope *scope, struct cfg_value *to)
{
    struct topic_value value;
    topic_config_value(table, binding->row, scope, &value);
    const struct topic_entry *entry = (const struct topic_entry *)(const void *)binding->row;
    if (value.source == TOPIC_SOURCE_DEFAULT && entry->kafka == NULL)
        return 0;
    add_text(to, binding, &value.text);
    return 1;
}

struct cfg_value *topic_plugin_values(
    const struct topic_table *table, const char *kind, const char *name,
    const struct topic_scope *scope, uint32_t *count)
{
    uint32_t fixed;
    const struct cfg_value *rows = settings_plugin_values(table->settings, kind, name, &fixed);
    struct cfg_value *values = memory_array(fixed + table->binding_count, sizeof *values);
    uint32_t n = 0;
    for (uint32_t i = 0; i < table->binding_count; i++)
        if (is_binding(table->bindings[i], kind, name))
            n += add_topic(table, table->bindings[i], scope, &values[n]);
    uint32_t own = n;
    for (uint32_t i = 0; i < fixed; i++) {
        bool given = false;
        for (uint32_t k = 0; k < own; k++)
            given = given || strcmp(values[k].name, rows[i].name) == 0;
        if (!given)
            add_value(&values[n++], &rows[i]);
    }
    *count = n;
    return values;
}

void topic_plugin_values_free(struct cfg_value *values, uint32_t count)
{
    for (uint32_t i = 0; values != NULL && i < count; i++)
        memory_free((void *)(uintptr_t)values[i].items);
    memory_free(values);
}
