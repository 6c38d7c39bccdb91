/* SPDX-License-Identifier: Apache-2.0 */
#include "core/main/doors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/assert.h"
#include "core/base/memory.h"
#include "core/base/str.h"
#include "core/main/await.h"

/* An instance of a transport or protocol, shared by all listeners that name it. */
struct part {
    const char *kind;
    const char *name;
    struct instance *instance;
    void **shards; /* owned; one a reactor */
};

struct door {
    struct settings_listener says;
    struct part *transport;
    struct part *protocol;
    struct listener *listeners; /* owned; one a reactor */
    struct doors *doors;
    char *host; /* owned; what is advertised */
};

struct doors {
    const struct setup *setup;
    struct runtime *runtime;
    struct broker *broker;
    struct stream_limit connections;
    uint32_t count;
    struct door doors[SETTINGS_LISTENERS_MAX];
    uint32_t part_count;
    struct part parts[2 * SETTINGS_LISTENERS_MAX];
};

/* ---- addresses ------------------------------------------------------------------------------- */

/* "host:port" or "[host]:port"; the host without brackets. */
static bool split_address(const char *text, char **host, uint32_t *port)
{
    const char *colon = strrchr(text, ':');
    if (colon == NULL)
        return false;
    mrt_str name = {text, (uint64_t)(colon - text)};
    if (name.n >= 2 && name.p[0] == '[' && name.p[name.n - 1] == ']')
        name = (mrt_str){name.p + 1, name.n - 2};
    mrt_str digits = str_of(colon + 1);
    int64_t number = -1;
    if (!str_to_i64(&digits, &number) || number < 0 || number > 65535)
        return false;
    *host = str_copy(&name);
    *port = (uint32_t)number;
    return true;
}

static bool is_wildcard(const char *host)
{
    return strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0 || host[0] == '\0';
}

/* "auto" advertises the address bound; behind a wildcard it is the one the client reached. */
static mrt_status advertise(struct door *door, struct image_endpoint *out, mrt_error *error)
{
    bool is_auto = strcmp(door->says.advertise, "auto") == 0;
    const char *text = is_auto ? door->says.bind : door->says.advertise;
    uint32_t port = 0;

    if (!split_address(text, &door->host, &port)) {
        if (!is_auto)
            return error_set(
                error, MRT_EINVAL, "listeners.%s.advertise: %s is not host:port", door->says.name,
                text);
        door->host = memory_new(1); /* not an internet address */
    }
    if (is_auto && is_wildcard(door->host))
        door->host[0] = '\0';
    *out = (struct image_endpoint){
        .listener = str_of(door->says.name), .host = str_of(door->host), .port = port};
    return MRT_OK;
}

mrt_status doors_new(
    const struct setup *setup, struct runtime *runtime, struct broker_options *options,
    struct doors **out, mrt_error *error)
{
    struct doors *doors = memory_new(sizeof *doors);

    *out = doors;
    doors->setup = setup;
    doors->runtime = runtime;
    doors->count = settings_listener_count(setup->settings);
    if (doors->count == 0 || doors->count > BROKER_ENDPOINTS_MAX)
        return error_set(
            error, MRT_EINVAL, "listeners: 1 to %d, there are %u", BROKER_ENDPOINTS_MAX,
            doors->count);
    options->endpoint_count = doors->count;
    for (uint32_t i = 0; i < doors->count; i++) {
        struct door *door = &doors->doors[i];
        door->doors = doors;
        settings_listener(setup->settings, i, &door->says);
        mrt_status status = advertise(door, &options->endpoints[i], error);
        if (status != MRT_OK)
            return status;
    }
    return MRT_OK;
}

/* ---- instances ------------------------------------------------------------------------------- */

static mrt_status start_call(void *arg, mrt_op *op)
{
    instance_start(arg, op);
    return MRT_PENDING;
}

static mrt_status stop_call(void *arg, mrt_op *op)
{
    instance_stop(arg, op);
    return MRT_PENDING;
}

static mrt_status drain_call(void *arg, mrt_op *op)
{
    instance_drain(arg, op);
    return MRT_PENDING;
}

struct shard_call {
    struct part *part;
    mrt_exec *reactor;
    mrt_status status;
    mrt_error *error;
};

static void shard_open(void *arg)
{
    struct shard_call *call = arg;
    call->status = instance_shard_open(
        call->part->instance, call->reactor, &call->part->shards[reactor_index(call->reactor)],
        call->error);
}

static void shard_close(void *arg)
{
    struct shard_call *call = arg;
    instance_shard_close(
        call->part->instance, call->reactor, call->part->shards[reactor_index(call->reactor)]);
}

static mrt_status part_make(struct doors *doors, struct part *part, mrt_error *error)
{
    const struct instance_offer offers[] = {
        {MRT_HOST_BROKER, &broker_table, doors->broker},
        {MRT_HOST_STREAM, &stream_table, doors},
    };
    const struct impl *impl = NULL;
    mrt_status status =
        registry_find(doors->setup->registry, setup_kind_id(part->kind), part->name, &impl, error);
    if (status != MRT_OK)
        return status;
    struct instance_options options = {
        .runtime = doors->runtime,
        .name = part->name,
        .offers = offers,
        .n_offers = sizeof offers / sizeof *offers,
    };
    options.values =
        settings_plugin_values(doors->setup->settings, part->kind, part->name, &options.n_values);
    status = instance_create(impl, &options, &part->instance, error);
    if (status != MRT_OK)
        return status;
    status = await_op(part->instance->exec, start_call, part->instance);
    if (status != MRT_OK)
        return error_set(
            error, status, "%s %s did not start: %s", part->kind, part->name, status_name(status));
    uint32_t reactors = runtime_reactors(doors->runtime);
    part->shards = memory_array(reactors, sizeof *part->shards);
    for (uint32_t i = 0; i < reactors && status == MRT_OK; i++) {
        struct shard_call call = {part, runtime_reactor(doors->runtime, i), MRT_OK, error};
        await_inside(call.reactor, shard_open, &call);
        status = call.status;
    }
    return status;
}

static mrt_status part_find(
    struct doors *doors, const char *kind, const char *name, struct part **out, mrt_error *error)
{
    for (uint32_t i = 0; i < doors->part_count; i++) {
        struct part *part = &doors->parts[i];
        if (strcmp(part->kind, kind) == 0 && strcmp(part->name, name) == 0) {
            *out = part;
            return MRT_OK;
        }
    }
    struct part *part = &doors->parts[doors->part_count++];
    *part = (struct part){.kind = kind, .name = name};
    *out = part;
    return part_make(doors, part, error);
}

/* ---- opening --------------------------------------------------------------------------------- */

struct open_call {
    struct listener *listener;
    mrt_str endpoint;
};

static mrt_status open_call(void *arg, mrt_op *op)
{
    struct open_call *call = arg;
    return listener_open(call->listener, op, &call->endpoint);
}

static void init_call(void *arg)
{
    listener_init(arg);
}

static void make_listener(struct door *door, uint32_t i)
{
    struct doors *doors = door->doors;
    const struct settings *settings = doors->setup->settings;
    struct listener *listener = &door->listeners[i];

    listener->group = (struct stream_group){
        .runtime = doors->runtime,
        .reactor = runtime_reactor(doors->runtime, i),
        .transport = door->transport->instance->ops,
        .protocol = door->protocol->instance->ops,
        .protocol_shard = door->protocol->shards[i],
        .listener = str_of(door->says.name),
        .parent = broker_budget(doors->broker),
        .limit = &doors->connections,
        .rx_max = (uint64_t)settings_i64(settings, "broker.memory_per_connection_max"),
        .held = 1,
    };
    listener->transport_shard = door->transport->shards[i];
    await_inside(listener->group.reactor, init_call, listener);
}

/* What an operator can do about it. */
static const char *refusal(mrt_status status)
{
    switch (status) {
    case MRT_EEXIST:
        return "another program listens there";
    case MRT_EDENIED:
        return "not permitted (ports below 1024 are reserved)";
    case MRT_EINVAL:
        return "not an address of this machine like 127.0.0.1:9092 or [::]:9092";
    default:
        return status_name(status);
    }
}

/* The same endpoint for every reactor: the transport lets them share what a port 0 became. */
static mrt_status door_open(struct door *door, uint32_t index, mrt_error *error)
{
    struct doors *doors = door->doors;
    uint32_t reactors = runtime_reactors(doors->runtime);
    struct open_call call = {.endpoint = str_of(door->says.bind)};

    door->listeners = memory_array(reactors, sizeof *door->listeners);
    for (uint32_t i = 0; i < reactors; i++)
        make_listener(door, i);
    for (uint32_t i = 0; i < reactors; i++) {
        call.listener = &door->listeners[i];
        mrt_status status = await_op(call.listener->group.reactor, open_call, &call);
        if (status != MRT_OK)
            return error_set(
                error, status, "listeners.%s: cannot listen on %.*s: %s", door->says.name,
                STR_ARGS(call.endpoint), refusal(status));
    }
    char *host = NULL;
    uint32_t port = 0;
    mrt_str address = listener_bound(&door->listeners[0]);
    char *bound = str_copy(&address);
    if (strcmp(door->says.advertise, "auto") == 0 && split_address(bound, &host, &port))
        broker_advertise(doors->broker, index, port);
    memory_free(host);
    memory_free(bound);
    return MRT_OK;
}

mrt_status doors_open(struct doors *doors, struct broker *broker, mrt_error *error)
{
    doors->broker = broker;
    doors->connections.max =
        (uint32_t)settings_i64(doors->setup->settings, "broker.max_connections");
    for (uint32_t i = 0; i < doors->count; i++) {
        struct door *door = &doors->doors[i];
        if (door->says.channel_count > 0)
            return error_set(
                error, MRT_ENOTSUP, "listeners.%s.channel: no channel plugins in this version",
                door->says.name);
        mrt_status status =
            part_find(doors, "transport", door->says.transport, &door->transport, error);
        if (status == MRT_OK)
            status = part_find(doors, "protocol", door->says.protocol, &door->protocol, error);
        if (status == MRT_OK)
            status = door_open(door, i, error);
        if (status != MRT_OK)
            return status;
    }
    return MRT_OK;
}

/* ---- serving and closing --------------------------------------------------------------------- */

static void each_listener(struct doors *doors, void (*run)(void *arg))
{
    for (uint32_t i = 0; i < doors->count; i++)
        for (uint32_t j = 0;
             doors->doors[i].listeners != NULL && j < runtime_reactors(doors->runtime); j++) {
            struct listener *listener = &doors->doors[i].listeners[j];
            if (listener->group.reactor != NULL)
                await_inside(listener->group.reactor, run, listener);
        }
}

static void release(void *arg)
{
    stream_group_release(&((struct listener *)arg)->group);
}

static void shut(void *arg)
{
    struct listener *listener = arg;
    listener_close(listener);
    stream_group_hold(&listener->group);
}

static void finish_streams(void *arg)
{
    stream_group_close(&((struct listener *)arg)->group, false);
}

static void cut_streams(void *arg)
{
    stream_group_close(&((struct listener *)arg)->group, true);
}

static void count_streams(void *arg)
{
    struct listener *listener = arg;
    listener->open_streams = listener->group.count;
}

void doors_serve(struct doors *doors)
{
    each_listener(doors, release);
}

void doors_shut(struct doors *doors)
{
    each_listener(doors, shut);
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static bool streams_gone(struct doors *doors)
{
    uint64_t open = 0;
    each_listener(doors, count_streams);
    for (uint32_t i = 0; i < doors->count; i++)
        for (uint32_t j = 0;
             doors->doors[i].listeners != NULL && j < runtime_reactors(doors->runtime); j++)
            open += doors->doors[i].listeners[j].open_streams;
    return open == 0;
}

static bool await_streams(struct doors *doors, uint64_t until_ns)
{
    const struct timespec pause = {0, 2000000};
    while (!streams_gone(doors)) {
        if (now_ns() > until_ns)
            return false;
        nanosleep(&pause, NULL);
    }
    return true;
}

static void part_close(struct doors *doors, struct part *part)
{
    if (part->instance == NULL)
        return;
    if (part->instance->state == INSTANCE_RUNNING) {
        await_op(part->instance->exec, drain_call, part->instance);
        for (uint32_t i = 0; part->shards != NULL && i < runtime_reactors(doors->runtime); i++) {
            struct shard_call call = {part, runtime_reactor(doors->runtime, i), MRT_OK, NULL};
            if (part->shards[i] != NULL)
                await_inside(call.reactor, shard_close, &call);
        }
        await_op(part->instance->exec, stop_call, part->instance);
    }
}

bool doors_finish(struct doors *doors, uint64_t limit_ns)
{
    each_listener(doors, finish_streams);
    if (!await_streams(doors, now_ns() + limit_ns / 2)) {
        each_listener(doors, cut_streams);
        if (!await_streams(doors, now_ns() + limit_ns / 2))
            return false;
    }
    return true;
}

void doors_close(struct doors *doors)
{
    while (doors->part_count > 0) {
        struct part *part = &doors->parts[--doors->part_count];
        part_close(doors, part);
        instance_destroy(part->instance);
        memory_free(part->shards);
    }
}

void doors_free(struct doors *doors)
{
    if (doors == NULL)
        return;
    ASSERT(doors->part_count == 0);
    for (uint32_t i = 0; i < doors->count; i++) {
        memory_free(doors->doors[i].listeners);
        memory_free(doors->doors[i].host);
    }
    memory_free(doors);
}

void doors_describe(const struct doors *doors, char *out, size_t size)
{
    size_t used = 0;

    out[0] = '\0';
    for (uint32_t i = 0; i < doors->count && used < size; i++) {
        const struct door *door = &doors->doors[i];
        mrt_str bound = listener_bound(&door->listeners[0]);
        int n = snprintf(
            out + used, size - used, "%s%s=%.*s", i > 0 ? "," : "", door->says.name,
            STR_ARGS(bound));
        used += n > 0 ? (size_t)n : 0;
    }
}
