/* SPDX-License-Identifier: Apache-2.0 */
/*
 * broker_configs.c - DESCRIBE_CONFIGS of the broker: the settings it runs with, under Kafka's names
 * where Kafka has one, with their origin.
 */
#include <stdio.h>

#include <mortise/draft/ops.h>

#include "core/base/assert.h"
#include "core/base/str.h"
#include "core/broker/broker_state.h"
#include "core/config/schema.h"
#include "core/config/value.h"

static int8_t type_number(enum key_type type)
{
    static const int8_t numbers[] = {
        [KEY_BOOL] = MRT_TYPE_BOOLEAN, [KEY_I64] = MRT_TYPE_LONG,    [KEY_F64] = MRT_TYPE_DOUBLE,
        [KEY_STR] = MRT_TYPE_STRING,   [KEY_ENUM] = MRT_TYPE_STRING, [KEY_LIST] = MRT_TYPE_LIST,
        [KEY_PATH] = MRT_TYPE_STRING,  [KEY_BYTES] = MRT_TYPE_LONG,  [KEY_MILLIS] = MRT_TYPE_LONG,
    };
    return numbers[type];
}

static mrt_str keep(mrt_call *call, const char *text)
{
    uint64_t n = strlen(text);
    char *copy = arena_alloc(call->arena, n + 1);
    if (copy == NULL)
        return (mrt_str){NULL, 0};
    memcpy(copy, text, n);
    return (mrt_str){copy, n};
}

/* The elements of a list, joined by commas as Kafka shows them. */
static mrt_str list_text(const struct settings *settings, mrt_call *call, const char *path)
{
    char text[1024];
    size_t used = 0;

    text[0] = '\0';
    for (uint32_t i = 0; i < settings_count(settings, path) && used < sizeof text; i++)
        used += (size_t)snprintf(
            text + used, sizeof text - used, "%s%s", i > 0 ? "," : "",
            settings_item(settings, path, i));
    return keep(call, text);
}

static mrt_str value_text(
    const struct settings *settings, mrt_call *call, const struct note_key *key, const char *path)
{
    char text[32];

    switch (key->type) {
    case KEY_BOOL:
        return str_of(settings_bool(settings, path) ? "true" : "false");
    case KEY_I64:
    case KEY_BYTES:
    case KEY_MILLIS:
        snprintf(text, sizeof text, "%lld", (long long)settings_i64(settings, path));
        return keep(call, text);
    case KEY_LIST:
        return list_text(settings, call, path);
    case KEY_STR:
    case KEY_ENUM:
    case KEY_PATH:
        return str_of(settings_str(settings, path));
    case KEY_F64:
    case KEY_TYPES:
        break;
    }
    return (mrt_str){NULL, 0};
}

bool configs_wanted(const mrt_describe_configs_resource *asked, const char *name)
{
    if (asked->configuration_keys == NULL)
        return true;
    for (uint32_t i = 0; i < asked->n_configuration_keys; i++)
        if (str_is(&asked->configuration_keys[i], name))
            return true;
    return false;
}

static void describe_key(
    const mrt_broker *shard, mrt_call *call, const struct note_key *key,
    mrt_describe_configs_out_config *out)
{
    const mrt_describe_configs *in = call->in;
    const struct settings *settings = shard->broker->options.settings;
    char path[SETTINGS_PATH_MAX];

    snprintf(path, sizeof path, "broker.%s", key->name);
    bool secret = (key->flags & KEY_SECRET) != 0;
    bool set = settings_is_set(settings, path);
    *out = (mrt_describe_configs_out_config){
        .name = str_of(key->kafka != NULL ? key->kafka : key->name),
        .value = secret || (!set && key->fallback == NULL) ? (mrt_str){NULL, 0}
                                                           : value_text(settings, call, key, path),
        .read_only = 1, /* changed in conf.d, not by clients */
        .config_source = set ? MRT_SOURCE_STATIC_BROKER : MRT_SOURCE_DEFAULT,
        .is_sensitive = secret,
        .config_type = type_number(key->type),
    };
    if (in->include_documentation && key->doc != NULL)
        out->documentation = str_of(key->doc);
}

mrt_status broker_configs_describe(
    const mrt_broker *shard, mrt_call *call, const mrt_describe_configs_resource *asked,
    mrt_describe_configs_out_resource *out)
{
    int64_t id = -1;
    uint32_t n = 0;
    const struct note_key *keys = schema_broker(&n);

    if (shard->broker->options.settings == NULL)
        return MRT_ENOTSUP;
    bool everyone =
        asked->resource_name.n == 0; /* what holds for all brokers: nothing is dynamic */
    if (everyone)
        return MRT_OK;
    if (!str_to_i64(&asked->resource_name, &id) || id != shard->broker->options.node)
        return MRT_EINVAL;
    out->configs = arena_alloc(call->arena, n * sizeof *out->configs);
    if (out->configs == NULL)
        return MRT_ENOMEM;
    for (uint32_t i = 0; i < n; i++)
        if (configs_wanted(asked, keys[i].kafka != NULL ? keys[i].kafka : keys[i].name))
            describe_key(shard, call, &keys[i], &out->configs[out->n_configs++]);
    return MRT_OK;
}
