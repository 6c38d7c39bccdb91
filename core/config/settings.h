/* SPDX-License-Identifier: Apache-2.0 */
/*
 * settings.h - the configuration of one process: files in order, then -o, merged and checked, read
 * by path.
 *
 *   broker     { node_id, log_dirs, num_partitions ... }          one table, settings_table.c
 *   listeners  { NAME: { transport, channel, protocol, bind, advertise } }
 *   KIND       { use = "NAME"; NAME: { the plugin's keys } }       storage, coordination
 *   KIND       { NAME: { the plugin's keys } }                     cleanup, codec, transport ...
 *   plugins    { NAME: { kind, path, the plugin's keys } }         a shared object from elsewhere
 *
 * Two steps, because the keys of plugins are known only once their notes are read, and which notes
 * to read is said here: settings_load() checks what is the core's, settings_check_plugins() the
 * rest. A settings object is never changed by readers; a reload makes another one.
 */
#ifndef CORE_CONFIG_SETTINGS_H
#define CORE_CONFIG_SETTINGS_H

#include "core/config/config_dir.h"
#include "core/config/report.h"
#include "core/plugin/cfg.h"

#define SETTINGS_LISTENERS_MAX 64
#define SETTINGS_PATH_MAX      512 /* bytes of a path with its NUL */

struct settings;
struct value;

struct settings_options {
    const struct config_path *paths;
    uint32_t path_count;
    const char *const *overrides; /* "name=value" */
    uint32_t override_count;
};

/* Never NULL; free with settings_free(). To be used for a start only when @report has no errors;
 * with errors it serves to find more of them by settings_check_plugins(). */
struct settings *settings_load(const struct settings_options *options, struct report *report);
void settings_free(struct settings *settings);

/* ---- by path: "broker.num_partitions", "listeners.kafka.bind" -------------------------------- */

/* NULL when there is no such setting. */
const struct value *settings_find(const struct settings *settings, const char *path);

/* The broker's setting with that name of Kafka's, "log.retention.ms", or NULL. */
const struct value *settings_find_kafka(const struct settings *settings, const char *kafka);

/* The rest asserts that the path names a setting of that type. Texts live as long as @settings. A
 * setting without default that nobody set reads as 0 or empty. */
bool settings_is_set(const struct settings *settings, const char *path);
bool settings_bool(const struct settings *settings, const char *path);
int64_t settings_i64(const struct settings *settings, const char *path);     /* i64, bytes, millis;
                                                                          an enum's place */
const char *settings_str(const struct settings *settings, const char *path); /* str, enum, path */
uint32_t settings_count(const struct settings *settings, const char *path);  /* list */
const char *settings_item(const struct settings *settings, const char *path, uint32_t i);

/* ---- listeners ------------------------------------------------------------------------------- */

struct settings_listener {
    const char *name;
    const char *transport;
    const char *protocol;
    const char *bind;
    const char *advertise;   /* "auto", or host:port */
    const mrt_str *channels; /* terminated, too */
    uint32_t channel_count;
    struct place at;
};

uint32_t settings_listener_count(const struct settings *settings);
void settings_listener(const struct settings *settings, uint32_t i, struct settings_listener *out);

/* ---- plugins --------------------------------------------------------------------------------- */

/* What runs as storage or coordination: a plugin's name, one of plugins, or a path to a shared
 * object (settings_is_path()). */
const char *settings_use(const struct settings *settings, const char *kind);
bool settings_is_path(const char *use);

/* plugins: { NAME: ... }, in the order of the files. */
struct settings_plugin {
    const char *name;
    const char *kind;
    const char *path;
    struct place at;
};
uint32_t settings_plugin_count(const struct settings *settings);
void settings_plugin(const struct settings *settings, uint32_t i, struct settings_plugin *out);

/* What the plugin host knows, for settings_check_plugins(). */
struct schema_source {
    void *context;
    /* The keys of implementation @name of @kind ("storage"); false when there is none. They outlive
     * the settings. */
    bool (*find)(
        void *context, const char *kind, const char *name, const struct note_key **keys,
        uint32_t *count);
    /* The names of all implementations of @kind, for "did you mean"; may be NULL. */
    const char *const *(*names)(void *context, const char *kind, uint32_t *count);
};

/* Checks every plugin's group against its declared keys, and that what is used exists; settings of
 * a plugin that is not installed are a warning. A key that has
 * the Kafka name of a setting of the broker has its value, too, unless its group says otherwise.
 * Once. */
void settings_check_plugins(
    struct settings *settings, const struct schema_source *source, struct report *report);

/* After the check: what holds for implementation @name of @kind beside its defaults, for cfg_new();
 * the count is in *@count. Lives as long as @settings. */
const struct cfg_value *settings_plugin_values(
    const struct settings *settings, const char *kind, const char *name, uint32_t *count);

/* One of them, or NULL when the operator did not set it. */
const struct value *settings_plugin_value(
    const struct settings *settings, const char *kind, const char *name, const char *key);

/* ---- for config show ------------------------------------------------------------------------- */

/* "conf.d/20-broker.conf:3:5", "-o" or "default". */
void settings_origin(const struct value *value, char *out, size_t size);

/* Calls @each with every setting of the core and every checked one of plugins. */
void settings_walk(
    const struct settings *settings,
    void (*each)(void *context, const char *path, const struct value *value), void *context);

#endif /* CORE_CONFIG_SETTINGS_H */
