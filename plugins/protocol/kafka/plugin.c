/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plugin.c - the shell: one instance a listener, one shard a reactor. All the work is in session.c
 * and the handlers.
 */
#include <stdio.h>
#include <string.h>

#include <mortise/build.h>

#include "plugins/protocol/kafka/serve.h"

MRT_PLUGIN_NOTE("name=protocol-kafka" MRT_NOTE_END "version=0.1.0" MRT_NOTE_END
                "abi=0.1" MRT_NOTE_END "need=0.1" MRT_NOTE_END "tier=draft" MRT_NOTE_END
                "core=" MRT_BUILD_ID MRT_NOTE_END "flags=sim_safe" MRT_NOTE_END
                "impl=" MRT_KIND_PROTOCOL " kafka" MRT_NOTE_END
                "key=socket_request_max_bytes" MRT_NOTE_END "key.type=bytes" MRT_NOTE_END
                "key.default=104857600" MRT_NOTE_END "key.min=1024" MRT_NOTE_END
                "key.max=2147483647" MRT_NOTE_END "key.kafka=socket.request.max.bytes" MRT_NOTE_END
                "key.doc=The largest request a client may send.");

enum {
    KEY_REQUEST_MAX
};

kafka_handler kafka_handler_of(const struct kafka_api *api)
{
#define ROW(name) kafka_serve_##name,
    static const kafka_handler handlers[KAFKA_APIS] = {KAFKA_EACH_API(ROW)};
#undef ROW
    return handlers[api - kafka_apis];
}

static mrt_status missing(mrt_error *error, const char *table)
{
    error->status = MRT_ENOTSUP;
    snprintf(error->text, sizeof error->text, "protocol kafka needs %s from the core", table);
    return MRT_ENOTSUP;
}

static mrt_status create(const mrt_create *how, void **out, mrt_error *error)
{
    const mrt_host *host = how->host;
    struct kafka_instance *inst = host->alloc(host, sizeof *inst, 8);

    if (!inst)
        return MRT_ENOMEM;
    *inst = (struct kafka_instance){
        .host = host,
        .broker = host->get(host, MRT_HOST_BROKER),
        .stream = host->get(host, MRT_HOST_STREAM),
        .clock = host->get(host, MRT_HOST_CLOCK),
        .log = host->get(host, MRT_HOST_LOG),
        .frame_max = (uint64_t)how->view->i64(how->cfg, KEY_REQUEST_MAX),
    };
    const char *table = !inst->broker   ? MRT_HOST_BROKER
                        : !inst->stream ? MRT_HOST_STREAM
                        : !inst->clock  ? MRT_HOST_CLOCK
                                        : NULL;
    if (table) {
        host->free(host, inst);
        return missing(error, table);
    }
    *out = inst;
    return MRT_OK;
}

static mrt_status nothing(void *inst, mrt_op *op)
{
    (void)inst, (void)op;
    return MRT_OK;
}

static mrt_status drain(void *at, mrt_op *op)
{
    struct kafka_instance *inst = at;

    (void)op;
    __atomic_store_n(&inst->draining, 1, __ATOMIC_RELAXED);
    return MRT_OK;
}

static mrt_status reconfigure(void *inst, const mrt_cfg *next, uint32_t phase, mrt_error *error)
{
    (void)inst, (void)next, (void)phase, (void)error; /* no key is DYNAMIC */
    return MRT_OK;
}

static void destroy(void *at)
{
    struct kafka_instance *inst = at;
    inst->host->free(inst->host, inst);
}

static mrt_status shard_open(void *at, mrt_exec *reactor, void **out)
{
    struct kafka_instance *inst = at;
    struct kafka_shard *shard = inst->host->alloc(inst->host, sizeof *shard, 8);

    if (!shard)
        return MRT_ENOMEM;
    *shard = (struct kafka_shard){inst, reactor, inst->broker->at(inst->host, reactor), 0};
    if (!shard->broker) {
        inst->host->free(inst->host, shard);
        return MRT_ENOMEM;
    }
    *out = shard;
    return MRT_OK;
}

static void shard_close(void *at)
{
    struct kafka_shard *shard = at;
    shard->instance->host->free(shard->instance->host, shard);
}

static const mrt_lifecycle lifecycle = {
    .size = sizeof lifecycle,
    .create = create,
    .start = nothing,
    .reconfigure = reconfigure,
    .drain = drain,
    .stop = nothing,
    .destroy = destroy,
    .shard_open = shard_open,
    .shard_close = shard_close,
};

static const mrt_impl impls[] = {
    {sizeof(mrt_impl), 0, MRT_KIND_PROTOCOL, "kafka", &lifecycle, &kafka_protocol_ops},
};

static const mrt_plugin plugin = {
    sizeof plugin, MRT_ABI, MRT_NOTE, MRT_NOTE_BYTES, impls, 1, sizeof(mrt_impl), NULL,
};

const mrt_plugin *MRT_ENTRY_NAME(uint32_t host_abi)
{
    return host_abi >> 16 == MRT_ABI_MAJOR ? &plugin : NULL;
}
