/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parts.h - what config.c, table.c and log.c share; nobody else includes it.
 */
#ifndef CORE_CONFIG_TOPIC_PARTS_H
#define CORE_CONFIG_TOPIC_PARTS_H

#include "core/config/topic_config.h"
#include "core/config/value.h"

#define TOPIC_BROKER_MAX 3 /* broker settings that are synonyms of one config */

/* A broker setting that gives a config its value when set; Kafka asks the finest unit first. */
struct topic_broker {
    const char *kafka; /* "log.retention.hours" */
    int64_t factor;    /* the setting's unit in the config's; 0: the same text */
};

/* A line of the table of Kafka's topic level. */
struct topic_static {
    struct note_key key;
    enum topic_type type;
    bool honoured;
    struct topic_broker broker[TOPIC_BROKER_MAX];
};

const struct topic_static *topic_statics(uint32_t *count);

/* A plugin's key that a config feeds. */
struct topic_binding {
    const char *kind;
    const char *plugin;
    const struct note_key *key;
    const struct topic_row *row;
    const struct value *value; /* what the operator set for the plugin, or NULL */
};

struct topic_entry {
    struct topic_row row;                /* first: a row handed out is its entry */
    const struct topic_static *kafka;    /* NULL for a row of a plugin */
    char *name;                          /* owned; of a plugin's row without a Kafka name */
    char *text;                          /* owned; broker's or default value */
    enum topic_source source;            /* of that */
    const struct topic_binding *binding; /* the first, or NULL */
};

struct topic_table {
    const struct settings *settings;
    struct topic_entry *entries[TOPIC_ROWS_MAX]; /* owned; in order of name */
    uint32_t count;
    struct topic_binding *bindings[TOPIC_BINDINGS_MAX]; /* owned */
    uint32_t binding_count;
    const char *policies[TOPIC_POLICIES_MAX];
    uint32_t policy_count;
};

/* The value of the config called @name, which is one of Kafka's. */
void topic_value_named(
    const struct topic_table *table, const char *name, const struct topic_scope *scope,
    struct topic_value *out);

/* flush as it holds for @scope, whoever decided; *@source says who. */
enum log_flush topic_flush(
    const struct topic_table *table, const struct topic_scope *scope, enum topic_source *source);
const char *topic_flush_name(enum log_flush flush);

#endif /* CORE_CONFIG_TOPIC_PARTS_H */
