/* SPDX-License-Identifier: Apache-2.0 */
/*
 * topic_config.h - the configs of topics: the complete topic level of Kafka 4, our own flush, and
 * what plugins declare PER_TOPIC. What exists, what may be set, what holds for a topic and whence.
 *
 *   T1  A config that nothing honours yet is read-only at its default; setting it to anything else
 *       is refused, never ignored. A plugin's key of that Kafka name makes it honoured.
 *   T2  The value of a topic: its own, else what the operator set for the broker, else the default.
 *   T3  Texts from clients are in Kafka's form: plain numbers, no units.
 *   T4  Rows are in order of name.
 */
#ifndef CORE_CONFIG_TOPIC_CONFIG_H
#define CORE_CONFIG_TOPIC_CONFIG_H

#include "core/config/log_config.h"
#include "core/config/settings.h"

#define TOPIC_SYNONYMS_MAX 5   /* the topic's own, three of the broker, a plugin's */
#define TOPIC_ROWS_MAX     256 /* Kafka has 32; the rest are plugins' */
#define TOPIC_BINDINGS_MAX 256
#define TOPIC_POLICIES_MAX 16 /* cleanup policies a process offers */

/* Without flush.ms, what flush=interval means: a second of records may go with the power. */
#define TOPIC_FLUSH_INTERVAL_MS 1000

enum topic_source {
    TOPIC_SOURCE_TOPIC,
    TOPIC_SOURCE_BROKER, /* the operator's files or -o */
    TOPIC_SOURCE_DEFAULT
};

enum topic_type {
    TOPIC_BOOLEAN,
    TOPIC_STRING,
    TOPIC_INT,
    TOPIC_LONG,
    TOPIC_DOUBLE,
    TOPIC_LIST
};

struct topic_row {
    const char *name; /* "retention.ms" */
    enum topic_type type;
    bool honoured; /* false: read-only */
    bool secret;
    const char *doc; /* may be NULL */
    const struct note_key *key;
};

struct topic_override {
    mrt_str name;
    mrt_str value;
};

/* A topic as far as its configs go; borrowed by every call. */
struct topic_scope {
    const struct topic_override *overrides; /* checked by topic_config_check(); any order */
    uint32_t count;
    bool internal;
    bool single_replica;
};

struct topic_value {
    mrt_str text; /* lives as long as table and scope */
    enum topic_source source;
};

struct topic_synonym {
    const char *name;
    mrt_str text;
    enum topic_source source;
};

struct topic_table;

/* @settings is borrowed, and its plugins were checked, before topic_table_bind() is called. */
struct topic_table *topic_table_new(const struct settings *settings);
void topic_table_free(struct topic_table *table);

/* cleanup.policy may name @policy (static or outliving the table). */
void topic_table_policy(struct topic_table *table, const char *policy);

/* Every PER_TOPIC key of implementation @name of @kind becomes a config, called key->kafka, else
 * mortise.<name>.<key>; texts outlive the table. MRT_EEXIST: two plugins, one name of their own.
 * MRT_ENOMEM: too many. */
MUST_CHECK mrt_status topic_table_bind(
    struct topic_table *table, const char *kind, const char *name, const struct note_key *keys,
    uint32_t count, mrt_error *error);

uint32_t topic_table_count(const struct topic_table *table);
const struct topic_row *topic_table_row(const struct topic_table *table, uint32_t i);
const struct topic_row *topic_table_find(const struct topic_table *table, const mrt_str *name);

/* May a topic have these? MRT_EINVAL, the text for the client: an unknown name, a bad value, a name
 * twice, a read-only config at another value than its default. */
MUST_CHECK mrt_status topic_config_check(
    const struct topic_table *table, const struct topic_override *overrides, uint32_t count,
    mrt_error *error);

void topic_config_value(
    const struct topic_table *table, const struct topic_row *row, const struct topic_scope *scope,
    struct topic_value *out);

/* Where the value came from and would come from next, the one in force first, into @out
 * (TOPIC_SYNONYMS_MAX); returns how many. */
uint32_t topic_config_synonyms(
    const struct topic_table *table, const struct topic_row *row, const struct topic_scope *scope,
    struct topic_synonym *out);

/* What the topic's logs do. */
void topic_config_log(
    const struct topic_table *table, const struct topic_scope *scope, struct log_config *out);

/* The names in cleanup.policy, in order, into @out (TOPIC_POLICIES_MAX); static texts. */
uint32_t topic_config_policies(
    const struct topic_table *table, const struct topic_scope *scope, const char **out);

/* The values for cfg_new() of implementation @name of @kind for this topic: the operator's with the
 * topic's in their place. An array the caller frees with topic_plugin_values_free(). */
struct cfg_value *topic_plugin_values(
    const struct topic_table *table, const char *kind, const char *name,
    const struct topic_scope *scope, uint32_t *count);
void topic_plugin_values_free(struct cfg_value *values, uint32_t count);

#endif /* CORE_CONFIG_TOPIC_CONFIG_H */
