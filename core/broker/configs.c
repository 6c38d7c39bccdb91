/* SPDX-License-Identifier: Apache-2.0 */
/*
 * configs.c - what topics are configured with, resolved for their logs, and DESCRIBE_CONFIGS.
 */
#include <mortise/draft/ops.h>

#include "core/base/assert.h"
#include "core/base/str.h"
#include "core/broker/broker_state.h"

_Static_assert(
    sizeof(struct image_config) == sizeof(struct topic_override) &&
        offsetof(struct image_config, value) == offsetof(struct topic_override, value),
    "an image's configs are a topic's overrides");
_Static_assert(
    sizeof(struct controller_config) == sizeof(struct topic_override) &&
        offsetof(struct controller_config, value) == offsetof(struct topic_override, value),
    "a request's configs, too");

static struct topic_scope scope_of(const void *configs, uint32_t n, uint32_t replicas)
{
    return (struct topic_scope){
        .overrides = configs,
        .count = n,
        .single_replica = replicas <= 1,
    };
}

/* ---- for logs -------------------------------------------------------------------------------- */

/* The settings of @instance as this topic has them; NULL, and a log line, when they do not fit:
 * they were checked one by one, and the plugin's own check comes with the operator's values. */
static const mrt_cfg *plugin_cfg(
    const struct broker *broker, const struct instance *instance, const struct topic_scope *scope)
{
    const struct note_impl *declared = instance->impl->declared;
    const mrt_cfg *cfg = NULL;
    mrt_error error;
    uint32_t n = 0;
    struct cfg_value *values = topic_plugin_values(
        broker->options.topics, instance->impl->kind->name, instance->impl->name, scope, &n);

    if (cfg_new(declared->keys, declared->n_keys, values, n, &cfg, &error) != MRT_OK)
        runtime_log(
            broker->options.runtime, MRT_LOG_ERROR, 0,
            "topic.config_refused plugin=%s reason=\"%s\"", instance->impl->name, error.text);
    topic_plugin_values_free(values, n);
    return cfg;
}

static const struct instance *policy_named(const struct broker *broker, const char *name)
{
    for (uint32_t i = 0; i < broker->options.policy_count; i++)
        if (strcmp(broker->options.policies[i]->impl->name, name) == 0)
            return broker->options.policies[i];
    return NULL;
}

void configs_resolve(
    const struct broker *broker, const struct image_topic *topic, uint32_t replicas,
    struct partition *partition, struct log_options *options)
{
    struct topic_scope scope = scope_of(topic->configs, topic->n_configs, replicas);
    const char *names[TOPIC_POLICIES_MAX];

    topic_config_log(broker->options.topics, &scope, &options->config);
    partition->storage_cfg = plugin_cfg(broker, broker->options.storage, &scope);
    options->storage_cfg = partition->storage_cfg;
    uint32_t n = topic_config_policies(broker->options.topics, &scope, names);
    options->policy_count = 0;
    for (uint32_t i = 0; i < n && options->policy_count < LOG_POLICIES_MAX; i++) {
        const struct instance *policy = policy_named(broker, names[i]);
        if (policy == NULL)
            continue;
        uint32_t at = options->policy_count++;
        partition->policy_cfg[at] = plugin_cfg(broker, policy, &scope);
        options->policies[at] = (struct log_policy){
            .ops = policy->ops,
            .inst = policy->inst,
            .view = cfg_view(),
            .cfg = partition->policy_cfg[at],
        };
    }
}

/* ---- for clients ----------------------------------------------------------------------------- */

static int8_t source_number(enum topic_source source)
{
    static const int8_t numbers[] = {
        [TOPIC_SOURCE_TOPIC] = MRT_SOURCE_TOPIC,
        [TOPIC_SOURCE_BROKER] = MRT_SOURCE_STATIC_BROKER,
        [TOPIC_SOURCE_DEFAULT] = MRT_SOURCE_DEFAULT,
    };
    return numbers[source];
}

static int8_t type_number(enum topic_type type)
{
    static const int8_t numbers[] = {
        [TOPIC_BOOLEAN] = MRT_TYPE_BOOLEAN, [TOPIC_STRING] = MRT_TYPE_STRING,
        [TOPIC_INT] = MRT_TYPE_INT,         [TOPIC_LONG] = MRT_TYPE_LONG,
        [TOPIC_DOUBLE] = MRT_TYPE_DOUBLE,   [TOPIC_LIST] = MRT_TYPE_LIST,
    };
    return numbers[type];
}

void configs_of_new_topic(
    const mrt_broker *shard, mrt_call *call, const struct controller_topic *topic,
    struct mrt_create_topics_out_topic *out)
{
    const struct topic_table *table = shard->broker->options.topics;
    uint32_t n = topic_table_count(table);
    struct topic_scope scope =
        scope_of(topic->configs, topic->n_configs, (uint32_t)topic->replication_factor);
    mrt_create_topics_out_config *configs = arena_alloc(call->arena, n * sizeof *configs);

    if (configs == NULL)
        return;
    for (uint32_t i = 0; i < n; i++) {
        const struct topic_row *row = topic_table_row(table, i);
        struct topic_value value;
        topic_config_value(table, row, &scope, &value);
        configs[i] = (mrt_create_topics_out_config){
            .name = str_of(row->name),
            .value = row->secret ? (mrt_str){NULL, 0} : value.text,
            .read_only = !row->honoured,
            .config_source = source_number(value.source),
            .is_sensitive = row->secret,
        };
    }
    out->configs = configs;
    out->n_configs = n;
}

/* A description under way; texts of the topic lie in the image, so they are copied. */
struct description {
    mrt_call *call;
    const mrt_describe_configs *in;
    const struct topic_table *table;
    struct topic_scope scope;
};

static mrt_str keep(const struct description *d, const mrt_str *text)
{
    char *copy = arena_alloc(d->call->arena, text->n + 1);
    if (copy == NULL)
        return (mrt_str){NULL, 0};
    memcpy(copy, text->p, text->n);
    return (mrt_str){copy, text->n};
}

static void add_synonyms(
    const struct description *d, const struct topic_row *row, mrt_describe_configs_out_config *out)
{
    struct topic_synonym found[TOPIC_SYNONYMS_MAX];
    uint32_t n = topic_config_synonyms(d->table, row, &d->scope, found);
    mrt_describe_configs_out_synonym *synonyms = arena_alloc(d->call->arena, n * sizeof *synonyms);

    if (synonyms == NULL)
        return;
    for (uint32_t i = 0; i < n; i++)
        synonyms[i] = (mrt_describe_configs_out_synonym){
            .name = str_of(found[i].name),
            .value = row->secret ? (mrt_str){NULL, 0} : keep(d, &found[i].text),
            .source = source_number(found[i].source),
        };
    out->synonyms = synonyms;
    out->n_synonyms = n;
}

static void describe_row(
    const struct description *d, const struct topic_row *row, mrt_describe_configs_out_config *out)
{
    struct topic_value value;

    topic_config_value(d->table, row, &d->scope, &value);
    *out = (mrt_describe_configs_out_config){
        .name = str_of(row->name),
        .value = row->secret ? (mrt_str){NULL, 0} : keep(d, &value.text),
        .read_only = !row->honoured,
        .config_source = source_number(value.source),
        .is_sensitive = row->secret,
        .config_type = type_number(row->type),
    };
    if (d->in->include_synonyms)
        add_synonyms(d, row, out);
    if (d->in->include_documentation && row->doc != NULL)
        out->documentation = str_of(row->doc);
}

static mrt_status describe_topic(
    struct description *d, const mrt_broker *shard, const mrt_describe_configs_resource *asked,
    mrt_describe_configs_out_resource *out)
{
    const struct image_topic *topic = image_topic(shard->image, &asked->resource_name);
    uint32_t n = topic_table_count(d->table);

    if (topic == NULL)
        return MRT_ENOENT;
    d->scope = scope_of(
        topic->configs, topic->n_configs,
        topic->n_partitions > 0 ? topic->partitions[0].n_replicas : 1);
    out->configs = arena_alloc(d->call->arena, n * sizeof *out->configs);
    if (out->configs == NULL)
        return MRT_ENOMEM;
    for (uint32_t i = 0; i < n; i++) {
        const struct topic_row *row = topic_table_row(d->table, i);
        if (configs_wanted(asked, row->name))
            describe_row(d, row, &out->configs[out->n_configs++]);
    }
    return MRT_OK;
}

mrt_status describe_configs_call(mrt_broker *shard, mrt_call *call)
{
    const mrt_describe_configs *in = call->in;
    mrt_describe_configs_out *out = call->out;
    struct description d = {call, in, shard->broker->options.topics, {0}};

    out->results = arena_alloc(call->arena, in->n_resources * sizeof *out->results);
    if (out->results == NULL)
        return MRT_ENOMEM;
    out->n_results = in->n_resources;
    for (uint32_t i = 0; i < in->n_resources; i++) {
        const mrt_describe_configs_resource *asked = &in->resources[i];
        mrt_describe_configs_out_resource *result = &out->results[i];
        *result = (mrt_describe_configs_out_resource){
            .resource_type = asked->resource_type, .resource_name = asked->resource_name};
        if (asked->resource_type == MRT_RESOURCE_TOPIC)
            result->status = describe_topic(&d, shard, asked, result);
        else if (asked->resource_type == MRT_RESOURCE_BROKER)
            result->status = broker_configs_describe(shard, call, asked, result);
        else
            result->status = MRT_EINVAL;
    }
    return MRT_OK;
}
