/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/memory.h"
#include "core/base/str.h"
#include "core/config/suggest.h"
#include "core/config/topic/parts.h"
#include "core/config/topic_config.h"

static char *copy_of(const char *text)
{
    mrt_str str = str_of(text == NULL ? "" : text);
    return str_copy(&str);
}

/* The text of a broker setting in the config's unit: hours in milliseconds, but -1 stays -1. */
static char *converted(const struct value *value, const struct topic_broker *broker)
{
    char number[24];
    int64_t n = value->number.i64;
    if (broker->factor == 0)
        return copy_of(value->text);
    ASSERT(n <= INT64_MAX / broker->factor);
    snprintf(number, sizeof number, "%lld", (long long)(n < 0 ? n : n * broker->factor));
    return copy_of(number);
}

/* T2 without the topic. */
static void entry_resolve(const struct topic_table *table, struct topic_entry *entry)
{
    memory_free(entry->text);
    entry->source = TOPIC_SOURCE_BROKER;
    for (uint32_t i = 0; entry->kafka != NULL && i < TOPIC_BROKER_MAX; i++) {
        const struct topic_broker *broker = &entry->kafka->broker[i];
        const struct value *value =
            broker->kafka == NULL ? NULL : settings_find_kafka(table->settings, broker->kafka);
        if (value == NULL || !value->is_set)
            continue;
        entry->text = converted(value, broker);
        return;
    }
    if (entry->binding != NULL && entry->binding->value != NULL) {
        entry->text = copy_of(entry->binding->value->text);
        return;
    }
    entry->text = copy_of(entry->row.key->fallback);
    entry->source = TOPIC_SOURCE_DEFAULT;
}

static void insert(struct topic_table *table, struct topic_entry *entry)
{
    ASSERT(table->count < TOPIC_ROWS_MAX);
    uint32_t at = table->count++;
    while (at > 0 && strcmp(table->entries[at - 1]->row.name, entry->row.name) > 0) {
        table->entries[at] = table->entries[at - 1];
        at--;
    }
    ASSERT(at == 0 || strcmp(table->entries[at - 1]->row.name, entry->row.name) < 0);
    table->entries[at] = entry;
}

struct topic_table *topic_table_new(const struct settings *settings)
{
    ASSERT(settings != NULL);
    struct topic_table *table = memory_new(sizeof *table);
    table->settings = settings;
    uint32_t count;
    const struct topic_static *statics = topic_statics(&count);
    for (uint32_t i = 0; i < count; i++) {
        const struct topic_static *line = &statics[i];
        struct topic_entry *entry = memory_new(sizeof *entry);
        entry->row = (struct topic_row){line->key.name, line->type,    line->honoured,
                                        false,          line->key.doc, &line->key};
        entry->kafka = line;
        entry_resolve(table, entry);
        insert(table, entry);
    }
    return table;
}

void topic_table_free(struct topic_table *table)
{
    if (table == NULL)
        return;
    for (uint32_t i = 0; i < table->count; i++) {
        memory_free(table->entries[i]->name);
        memory_free(table->entries[i]->text);
        memory_free(table->entries[i]);
    }
    for (uint32_t i = 0; i < table->binding_count; i++)
        memory_free(table->bindings[i]);
    memory_free(table);
}

void topic_table_policy(struct topic_table *table, const char *policy)
{
    ASSERT(policy != NULL);
    ASSERT(table->policy_count < TOPIC_POLICIES_MAX);
    table->policies[table->policy_count++] = policy;
}

static struct topic_entry *entry_find(const struct topic_table *table, const mrt_str *name)
{
    for (uint32_t i = 0; i < table->count; i++)
        if (str_is(name, table->entries[i]->row.name))
            return table->entries[i];
    return NULL;
}

static enum topic_type type_of(const struct note_key *key)
{
    switch (key->type) {
    case KEY_BOOL:
        return TOPIC_BOOLEAN;
    case KEY_I64:
    case KEY_BYTES:
    case KEY_MILLIS:
        return TOPIC_LONG;
    case KEY_F64:
        return TOPIC_DOUBLE;
    case KEY_LIST:
        return TOPIC_LIST;
    case KEY_STR:
    case KEY_ENUM:
    case KEY_PATH:
    case KEY_TYPES:
        return TOPIC_STRING;
    }
    return TOPIC_STRING;
}

static struct topic_entry *add_entry(
    struct topic_table *table, const char *name, const struct note_key *key)
{
    struct topic_entry *entry = memory_new(sizeof *entry);
    entry->name = copy_of(name);
    entry->row = (struct topic_row){entry->name, type_of(key), true, (key->flags & KEY_SECRET) != 0,
                                    key->doc,    key};
    insert(table, entry);
    return entry;
}

static mrt_status bind_key(
    struct topic_table *table, const struct topic_binding *how, mrt_error *error)
{
    char own[256];
    snprintf(own, sizeof own, "mortise.%s.%s", how->plugin, how->key->name);
    const char *name = how->key->kafka != NULL ? how->key->kafka : own;
    mrt_str str = str_of(name);
    struct topic_entry *entry = entry_find(table, &str);
    if (entry != NULL && entry->kafka == NULL)
        return error_set(
            error, MRT_EEXIST, "two plugins declare the topic config %s; the second is %s.%s", name,
            how->kind, how->plugin);
    if (table->binding_count == TOPIC_BINDINGS_MAX || table->count == TOPIC_ROWS_MAX)
        return error_set(
            error, MRT_ENOMEM, "more than %d topic configs, with those of %s.%s", TOPIC_ROWS_MAX,
            how->kind, how->plugin);
    if (entry == NULL)
        entry = add_entry(table, name, how->key);
    entry->row.honoured = true;
    struct topic_binding *binding = memory_new(sizeof *binding);
    *binding = *how;
    binding->row = &entry->row;
    table->bindings[table->binding_count++] = binding;
    if (entry->binding == NULL)
        entry->binding = binding;
    entry_resolve(table, entry);
    return MRT_OK;
}

mrt_status topic_table_bind(
    struct topic_table *table, const char *kind, const char *name, const struct note_key *keys,
    uint32_t count, mrt_error *error)
{
    ASSERT(kind != NULL);
    ASSERT(name != NULL);
    for (uint32_t i = 0; i < count; i++) {
        if (!(keys[i].flags & KEY_PER_TOPIC))
            continue;
        const struct topic_binding how = {
            kind, name, &keys[i], NULL,
            settings_plugin_value(table->settings, kind, name, keys[i].name)};
        mrt_status status = bind_key(table, &how, error);
        if (status != MRT_OK)
            return status;
    }
    return MRT_OK;
}

uint32_t topic_table_count(const struct topic_table *table)
{
    return table->count;
}

const struct topic_row *topic_table_row(const struct topic_table *table, uint32_t i)
{
    ASSERT(i < table->count);
    return &table->entries[i]->row;
}

const struct topic_row *topic_table_find(const struct topic_table *table, const mrt_str *name)
{
    const struct topic_entry *entry = entry_find(table, name);
    return entry == NULL ? NULL : &entry->row;
}

static const struct topic_entry *entry_of(const struct topic_row *row)
{
    return (const struct topic_entry *)(const void *)row;
}

static const mrt_str *override_find(const struct topic_scope *scope, const char *name)
{
    for (uint32_t i = 0; i < scope->count; i++)
        if (str_is(&scope->overrides[i].name, name))
            return &scope->overrides[i].value;
    return NULL;
}

void topic_config_value(
    const struct topic_table *table, const struct topic_row *row, const struct topic_scope *scope,
    struct topic_value *out)
{
    const struct topic_entry *entry = entry_of(row);
    const mrt_str *own = override_find(scope, row->name);
    if (own != NULL) {
        *out = (struct topic_value){*own, TOPIC_SOURCE_TOPIC};
    } else if (strcmp(row->name, "flush") == 0) {
        enum topic_source source;
        enum log_flush flush = topic_flush(table, scope, &source);
        *out = (struct topic_value){str_of(topic_flush_name(flush)), source};
    } else {
        *out = (struct topic_value){str_of(entry->text), entry->source};
    }
}

void topic_value_named(
    const struct topic_table *table, const char *name, const struct topic_scope *scope,
    struct topic_value *out)
{
    mrt_str str = str_of(name);
    const struct topic_row *row = topic_table_find(table, &str);
    ASSERT(row != NULL);
    topic_config_value(table, row, scope, out);
}

/* Kafka shows settings of the broker under their own names and in their own units. */
static uint32_t add_broker(
    const struct topic_table *table, const struct topic_entry *entry, struct topic_synonym *out)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < TOPIC_BROKER_MAX && entry->kafka->broker[i].kafka != NULL; i++) {
        const char *kafka = entry->kafka->broker[i].kafka;
        const struct value *value = settings_find_kafka(table->settings, kafka);
        if (value == NULL)
            out[n++] = (struct topic_synonym){
                kafka, str_of(entry->row.key->fallback), TOPIC_SOURCE_DEFAULT};
        else if (value->is_set || value->item_count > 0)
            out[n++] = (struct topic_synonym){
                kafka, str_of(value->text),
                value->is_set ? TOPIC_SOURCE_BROKER : TOPIC_SOURCE_DEFAULT};
    }
    return n;
}

uint32_t topic_config_synonyms(
    const struct topic_table *table, const struct topic_row *row, const struct topic_scope *scope,
    struct topic_synonym *out)
{
    const struct topic_entry *entry = entry_of(row);
    const mrt_str *own = override_find(scope, row->name);
    uint32_t n = 0;
    if (own != NULL)
        out[n++] = (struct topic_synonym){row->name, *own, TOPIC_SOURCE_TOPIC};
    if (entry->kafka != NULL)
        n += add_broker(table, entry, out + n);
    if (entry->kafka == NULL || entry->kafka->broker[0].kafka == NULL) {
        const struct topic_scope bare = {NULL, 0, scope->internal, scope->single_replica};
        struct topic_value value;
        topic_config_value(table, row, &bare, &value);
        out[n++] = (struct topic_synonym){row->name, value.text, value.source};
    }
    ASSERT(n <= TOPIC_SYNONYMS_MAX);
    return n;
}

static mrt_status check_policy(
    const struct topic_table *table, const mrt_str *text, mrt_error *error)
{
    mrt_str rest = *text;
    mrt_str element;
    while (list_next(&rest, &element)) {
        bool known = false;
        for (uint32_t i = 0; i < table->policy_count; i++)
            known = known || str_is(&element, table->policies[i]);
        if (!known)
            return error_set(
                error, MRT_EINVAL, "cleanup.policy: no cleanup plugin is called \"%.*s\"",
                (int)(element.n < 64 ? element.n : 64), element.p);
    }
    return MRT_OK;
}

/* As @declared says, under the name that clients know. */
static mrt_status check_text(
    const struct topic_row *row, const struct note_key *declared, const mrt_str *text,
    mrt_error *error)
{
    struct key_value ignored;
    struct note_key named = *declared;
    const struct note_key *key = &named;
    named.name = row->name;
    if (key->type != KEY_LIST)
        return key_read(key, text, &ignored, error);
    mrt_str rest = *text;
    mrt_str element;
    while (list_next(&rest, &element))
        if (key_read(key, &element, &ignored, error) != MRT_OK)
            return error->status;
    return MRT_OK;
}

static mrt_status check_bindings(
    const struct topic_table *table, const struct topic_row *row, const mrt_str *text,
    mrt_error *error)
{
    for (uint32_t i = 0; i < table->binding_count; i++) {
        if (table->bindings[i]->row != row)
            continue;
        mrt_status status = check_text(row, table->bindings[i]->key, text, error);
        if (status != MRT_OK)
            return status;
    }
    return MRT_OK;
}

static mrt_status check_value(
    const struct topic_table *table, const struct topic_row *row, const mrt_str *text,
    mrt_error *error)
{
    mrt_status status = check_text(row, row->key, text, error);
    if (status != MRT_OK)
        return status;
    if (!row->honoured && !str_is(text, row->key->fallback))
        return error_set(
            error, MRT_EINVAL, "%s cannot be changed in this version: it is \"%s\"", row->name,
            row->key->fallback);
    if (strcmp(row->name, "cleanup.policy") == 0)
        return check_policy(table, text, error);
    if (strcmp(row->name, "flush.messages") == 0 && !str_is(text, "1") &&
        !str_is(text, row->key->fallback))
        return error_set(
            error, MRT_EINVAL,
            "flush.messages is 1 (flush before every acknowledgement) or %s "
            "(never); in between there is flush.ms",
            row->key->fallback);
    return check_bindings(table, row, text, error);
}

static mrt_status unknown_name(
    const struct topic_table *table, const mrt_str *name, mrt_error *error)
{
    const char *words[TOPIC_ROWS_MAX];
    char hint[COMPLAINT_TEXT];
    for (uint32_t i = 0; i < table->count; i++)
        words[i] = table->entries[i]->row.name;
    suggest_word(name, words, table->count, hint, sizeof hint);
    return error_set(
        error, MRT_EINVAL, "unknown topic config %.*s%s%s", (int)(name->n < 96 ? name->n : 96),
        name->p, hint[0] != '\0' ? "; " : "", hint);
}

mrt_status topic_config_check(
    const struct topic_table *table, const struct topic_override *overrides, uint32_t count,
    mrt_error *error)
{
    ASSERT(error != NULL);
    ASSERT(overrides != NULL || count == 0);
    for (uint32_t i = 0; i < count; i++) {
        const struct topic_row *row = topic_table_find(table, &overrides[i].name);
        if (row == NULL)
            return unknown_name(table, &overrides[i].name, error);
        for (uint32_t k = 0; k < i; k++)
            if (str_equal(&overrides[i].name, &overrides[k].name))
                return error_set(error, MRT_EINVAL, "%s is given twice", row->name);
        mrt_status status = check_value(table, row, &overrides[i].value, error);
        if (status != MRT_OK)
            return status;
    }
    return MRT_OK;
}
