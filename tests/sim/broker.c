/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/broker.h"

#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/memory.h"
#include "core/base/str.h"
#include "core/base/uuid.h"
#include "core/listener/listener.h"
#include "core/plugin/registry.h"

#define BUILTINS_MAX 16
#define DATA         "/data"
#define METADATA     "/data/__mortise_metadata"
#define MEMORY_MAX   (256 * 1024 * 1024)
#define STEPS_MAX    20000000 /* of one thing that is waited for */
#define CLOSE_NS     UINT64_C(5000000000)

/* A protocol or transport with its part for each reactor. */
struct part {
    struct instance *instance;
    void *shards[REACTORS_MAX];
};

struct sim_broker {
    struct world *world;
    struct sim_node *node;
    struct runtime *runtime;
    uint32_t reactors;
    struct report *report;
    struct settings *settings;
    struct registry *registry;
    struct topic_table *topics;
    struct broker_options options;
    struct broker *broker;
    struct part transport;
    struct part protocol;
    struct listener listeners[REACTORS_MAX];
};

/* ---- waiting --------------------------------------------------------------------------------- */

struct await {
    mrt_op op;
    mrt_exec *exec;
    mrt_status (*call)(void *arg, mrt_op *op);
    void *arg;
    bool done;
};

static void await_done(mrt_op *op)
{
    ((struct await *)op->caller)->done = true;
}

static void await_begin(void *arg)
{
    struct await *await = arg;
    op_init(&await->op, await->exec, await_done, await);
    if (op_outcome(&await->op, await->call(await->arg, &await->op)) != MRT_PENDING)
        await->done = true;
}

static mrt_status await_op(
    struct sim_broker *broker, mrt_exec *exec, mrt_status (*call)(void *arg, mrt_op *op), void *arg)
{
    struct await await = {.exec = exec, .call = call, .arg = arg};
    world_inside(broker->world, exec, await_begin, &await);
    for (uint32_t i = 0; !await.done; i++) {
        ASSERT(i < STEPS_MAX);
        bool stepped = world_step(broker->world);
        ASSERT(stepped); /* else it would never end */
    }
    return await.op.status;
}

static mrt_status start_call(void *arg, mrt_op *op)
{
    instance_start(arg, op);
    return MRT_PENDING;
}

static mrt_status drain_call(void *arg, mrt_op *op)
{
    instance_drain(arg, op);
    return MRT_PENDING;
}

static mrt_status stop_call(void *arg, mrt_op *op)
{
    instance_stop(arg, op);
    return MRT_PENDING;
}

static mrt_status broker_start_call(void *arg, mrt_op *op)
{
    broker_start(arg, op);
    return MRT_PENDING;
}

static mrt_status broker_quiesce_call(void *arg, mrt_op *op)
{
    broker_quiesce(arg, op, SIM_BROKER_STEP_NS);
    return MRT_PENDING;
}

static mrt_status broker_drain_call(void *arg, mrt_op *op)
{
    broker_drain(arg, op, SIM_BROKER_STEP_NS);
    return MRT_PENDING;
}

/* ---- settings -------------------------------------------------------------------------------- */

static const char *kind_id(const char *kind)
{
    const struct kind *found = NULL;
    for (uint32_t i = 0; (found = kind_at(i)) != NULL; i++)
        if (strcmp(found->name, kind) == 0)
            return found->id;
    return NULL;
}

static bool find_keys(
    void *context, const char *kind, const char *name, const struct note_key **keys,
    uint32_t *count)
{
    struct sim_broker *broker = context;
    const struct note_impl *declared = NULL;
    mrt_error error;
    if (registry_declared(broker->registry, kind_id(kind), name, &declared, &error) != MRT_OK)
        return false;
    *keys = declared->keys;
    *count = declared->n_keys;
    return true;
}

static void bind_topics(struct sim_broker *broker)
{
    const char *storage = settings_use(broker->settings, "storage");
    mrt_error error;
    broker->topics = topic_table_new(broker->settings);
    for (uint32_t i = 0; i < registry_count(broker->registry); i++) {
        const struct plugin *plugin = registry_at(broker->registry, i);
        for (uint32_t j = 0; j < plugin->n_impls; j++) {
            const struct impl *impl = &plugin->impls[j];
            bool policy = strcmp(impl->kind->name, "cleanup") == 0;
            if (policy)
                topic_table_policy(broker->topics, impl->name);
            else if (strcmp(impl->kind->name, "storage") != 0 || strcmp(impl->name, storage) != 0)
                continue;
            mrt_status status = topic_table_bind(
                broker->topics, impl->kind->name, impl->name, impl->declared->keys,
                impl->declared->n_keys, &error);
            ASSERT(status == MRT_OK);
        }
    }
}

static void read_settings(struct sim_broker *broker, const struct sim_broker_options *options)
{
    static const char log_dirs[] = "broker.log_dirs=" DATA;
    const char *overrides[32] = {
        "listeners.kafka.transport=pipe", "listeners.kafka.bind=pipe", log_dirs};
    uint32_t n = 3;
    struct builtin builtins[BUILTINS_MAX];
    uint32_t n_builtins = 0;
    const struct builtin *linked = builtins_all(&n_builtins);
    mrt_error error = {0};

    ASSERT(n_builtins < BUILTINS_MAX);
    memcpy(builtins, linked, n_builtins * sizeof *builtins);
    builtins[n_builtins++] = pipe_builtin;
    const struct registry_options registry = {.builtins = builtins, .n_builtins = n_builtins};
    mrt_status status = registry_new(&registry, &broker->registry, &error);
    ASSERT(status == MRT_OK);
    ASSERT(options->override_count <= 32 - n);
    for (uint32_t i = 0; i < options->override_count; i++)
        overrides[n++] = options->overrides[i];
    const struct settings_options settings = {.overrides = overrides, .override_count = n};
    const struct schema_source source = {.context = broker, .find = find_keys};
    broker->report = report_new();
    broker->settings = settings_load(&settings, broker->report);
    settings_check_plugins(broker->settings, &source, broker->report);
    if (report_errors(broker->report) > 0)
        fputs(report_text(broker->report), stderr);
    ASSERT(report_errors(broker->report) == 0);
    bind_topics(broker);
}

/* ---- instances ------------------------------------------------------------------------------- */

static struct instance *make_instance(struct sim_broker *broker, const char *kind, const char *name)
{
    const struct instance_offer offers[] = {
        {MRT_HOST_BROKER, &broker_table, broker->broker},
        {MRT_HOST_STREAM, &stream_table, NULL},
    };
    const struct impl *impl = NULL;
    struct instance *instance = NULL;
    mrt_error error = {0};
    mrt_str directory = str_of(METADATA);
    struct cfg_value values[32];
    uint32_t n = 0;
    const struct cfg_value *given = settings_plugin_values(broker->settings, kind, name, &n);
    ASSERT(n < 32);
    if (n > 0)
        memcpy(values, given, n * sizeof *values);
    if (strcmp(kind, "coordination") == 0)
        values[n++] = (struct cfg_value){"dir", &directory, 1, NULL};
    mrt_status status = registry_find(broker->registry, kind_id(kind), name, &impl, &error);
    ASSERT(status == MRT_OK);
    const struct instance_options options = {
        .runtime = broker->runtime,
        .name = name,
        .values = values,
        .n_values = n,
        .offers = offers,
        .n_offers = broker->broker == NULL ? 0 : sizeof offers / sizeof *offers,
    };
    status = instance_create(impl, &options, &instance, &error);
    ASSERT(status == MRT_OK);
    return instance;
}

static void on_fatal(void *context, const mrt_error *why)
{
    (void)context;
    fprintf(stderr, "on_fatal: %s\n", why->text);
    ASSERT(why == NULL);
}

static void make_broker(struct sim_broker *broker)
{
    const struct settings *settings = broker->settings;
    struct broker_options *options = &broker->options;

    *options = (struct broker_options){
        .runtime = broker->runtime,
        .policy_count = 1,
        .dir_count = 1,
        .dirs = {str_of(DATA)},
        .topics = broker->topics,
        .settings = settings,
        .node = 1,
        .partitions_default = 1,
        .delete_topics = 1,
        .replicas_default = 1,
        .endpoints = {{.listener = str_of("kafka"), .host = str_of("sim"), .port = 9092}},
        .endpoint_count = 1,
        .memory_max = MEMORY_MAX,
        .maintenance_ms = settings_i64(settings, "broker.log_retention_check_interval_ms"),
        .snapshot_every_bytes = 4096,
        .on_fatal = on_fatal,
        .context = broker,
    };
    runtime_secret(broker->runtime, options->cluster_id, sizeof options->cluster_id);
    uuid_shape(options->cluster_id);
    runtime_secret(broker->runtime, options->incarnation, sizeof options->incarnation);
    options->storage = make_instance(broker, "storage", settings_use(settings, "storage"));
    options->coordination =
        make_instance(broker, "coordination", settings_use(settings, "coordination"));
    options->policies[0] = make_instance(broker, "cleanup", "delete");
    broker->broker = broker_new(options);
}

struct shard_call {
    struct part *part;
    mrt_exec *reactor;
};

static void shard_open(void *arg)
{
    struct shard_call *call = arg;
    mrt_error error = {0};
    mrt_status status = instance_shard_open(
        call->part->instance, call->reactor, &call->part->shards[reactor_index(call->reactor)],
        &error);
    ASSERT(status == MRT_OK);
}

static void shard_close(void *arg)
{
    struct shard_call *call = arg;
    instance_shard_close(
        call->part->instance, call->reactor, call->part->shards[reactor_index(call->reactor)]);
}

static void each_shard(struct sim_broker *broker, struct part *part, void (*run)(void *arg))
{
    for (uint32_t i = 0; i < broker->reactors; i++) {
        struct shard_call call = {part, runtime_reactor(broker->runtime, i)};
        world_inside(broker->world, call.reactor, run, &call);
    }
}

static void part_open(
    struct sim_broker *broker, struct part *part, const char *kind, const char *name)
{
    part->instance = make_instance(broker, kind, name);
    mrt_status status = await_op(broker, part->instance->exec, start_call, part->instance);
    ASSERT(status == MRT_OK);
    each_shard(broker, part, shard_open);
}

static void part_close(struct sim_broker *broker, struct part *part)
{
    mrt_status status = await_op(broker, part->instance->exec, drain_call, part->instance);
    ASSERT(status == MRT_OK);
    each_shard(broker, part, shard_close);
    status = await_op(broker, part->instance->exec, stop_call, part->instance);
    ASSERT(status == MRT_OK);
}

/* ---- listeners ------------------------------------------------------------------------------- */

static void init_call(void *arg)
{
    listener_init(arg);
}

static mrt_status listen_call(void *arg, mrt_op *op)
{
    static const mrt_str endpoint = {"pipe", 4};
    return listener_open(arg, op, &endpoint);
}

static void listen_on(struct sim_broker *broker, uint32_t i)
{
    struct listener *listener = &broker->listeners[i];
    listener->group = (struct stream_group){
        .runtime = broker->runtime,
        .reactor = runtime_reactor(broker->runtime, i),
        .transport = broker->transport.instance->ops,
        .protocol = broker->protocol.instance->ops,
        .protocol_shard = broker->protocol.shards[i],
        .listener = str_of("kafka"),
        .parent = broker_budget(broker->broker),
        .rx_max = MEMORY_MAX,
        .held = 1,
    };
    listener->transport_shard = broker->transport.shards[i];
    world_inside(broker->world, listener->group.reactor, init_call, listener);
    mrt_status status = await_op(broker, listener->group.reactor, listen_call, listener);
    ASSERT(status == MRT_OK);
}

static void release(void *arg)
{
    stream_group_release(&((struct listener *)arg)->group);
}

static void shut(void *arg)
{
    listener_close(arg);
    stream_group_hold(&((struct listener *)arg)->group);
}

static void finish(void *arg)
{
    stream_group_close(&((struct listener *)arg)->group, false);
}

static void cut(void *arg)
{
    stream_group_close(&((struct listener *)arg)->group, true);
}

static void each_listener(struct sim_broker *broker, void (*run)(void *arg))
{
    for (uint32_t i = 0; i < broker->reactors; i++)
        world_inside(
            broker->world, runtime_reactor(broker->runtime, i), run, &broker->listeners[i]);
}

static bool streams_gone(const struct sim_broker *broker)
{
    uint32_t open = 0;
    for (uint32_t i = 0; i < broker->reactors; i++)
        open += broker->listeners[i].group.count;
    return open == 0;
}

static bool await_streams(struct sim_broker *broker)
{
    uint64_t until_ns = world_now_ns(broker->world) + CLOSE_NS;
    while (!streams_gone(broker) && world_now_ns(broker->world) < until_ns)
        if (!world_step(broker->world))
            break;
    return streams_gone(broker);
}

/* ---- life ------------------------------------------------------------------------------------ */

/* Both are there already when the disk is no new one. */
static void make_directory(struct disk *disk, const char *parent, const char *name)
{
    mrt_str in = str_of(parent);
    mrt_str path = str_of(name);
    (void)disk_mkdir(disk, &path, 0);
    mrt_status status = disk_sync_dir(disk, &in);
    ASSERT(status == MRT_OK);
}

struct sim_broker *sim_broker_start(const struct sim_broker_options *options)
{
    struct sim_broker *broker = memory_new(sizeof *broker);

    broker->world = options->world;
    broker->reactors = options->reactors;
    make_directory(options->disk, "/", DATA);
    make_directory(options->disk, DATA, METADATA);
    broker->node = sim_node_new(
        options->world, &(struct sim_node_options){
                            .reactors = options->reactors,
                            .memory_max = MEMORY_MAX,
                            .disk = options->disk,
                        });
    broker->runtime = sim_node_runtime(broker->node);
    read_settings(broker, options);
    make_broker(broker);
    part_open(broker, &broker->transport, "transport", "pipe");
    part_open(broker, &broker->protocol, "protocol", "kafka");
    for (uint32_t i = 0; i < broker->reactors; i++)
        listen_on(broker, i);
    mrt_status status =
        await_op(broker, broker_exec(broker->broker), broker_start_call, broker->broker);
    ASSERT(status == MRT_OK);
    each_listener(broker, release);
    return broker;
}

static void dispose(struct sim_broker *broker)
{
    broker_free(broker->broker);
    instance_destroy(broker->transport.instance);
    instance_destroy(broker->protocol.instance);
    instance_destroy(broker->options.policies[0]);
    instance_destroy(broker->options.coordination);
    instance_destroy(broker->options.storage);
    bool at_rest = world_run(broker->world, WORLD_FOREVER);
    ASSERT(at_rest);
    sim_node_free(broker->node);
    topic_table_free(broker->topics);
    registry_free(broker->registry);
    settings_free(broker->settings);
    report_free(broker->report);
    memory_free(broker);
}

void sim_broker_end(struct sim_broker *broker)
{
    mrt_exec *exec = broker_exec(broker->broker);
    each_listener(broker, shut);
    mrt_status status = await_op(broker, exec, broker_quiesce_call, broker->broker);
    ASSERT(status == MRT_OK);
    each_listener(broker, finish);
    if (!await_streams(broker)) {
        each_listener(broker, cut);
        bool gone = await_streams(broker);
        ASSERT(gone);
    }
    status = await_op(broker, exec, broker_drain_call, broker->broker);
    ASSERT(status == MRT_OK);
    part_close(broker, &broker->protocol);
    part_close(broker, &broker->transport);
    bool at_rest = world_run(broker->world, WORLD_FOREVER);
    ASSERT(at_rest);
    dispose(broker);
}

mrt_conn *sim_broker_connect(struct sim_broker *broker, uint32_t reactor)
{
    return pipe_connect(broker->transport.instance->inst, reactor);
}

struct runtime *sim_broker_runtime(const struct sim_broker *broker)
{
    return broker->runtime;
}
