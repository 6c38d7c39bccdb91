/* SPDX-License-Identifier: Apache-2.0 */
#include "core/main/client/engines.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/base/memory.h"
#include "core/base/str.h"
#include "core/main/await.h"
#include "core/main/places.h"
#include "core/plugin/instance.h"
#include "core/runtime/env_linux.h"

#define MEMORY_MAX  (UINT64_C(1) << 30)
#define INFLATE_BIT (UINT64_C(256) << 10) /* bytes by which the room for a batch begins */
#define CODECS      (MRT_CODEC_ZSTD + 1)
#define SUBJECTS    (MRT_SUBJECT_VALUE + 1)

struct engine {
    struct instance *instance; /* owned; NULL: not loaded */
    mrt_codec_ctx *context;    /* owned, of a codec */
};

struct engines {
    struct env *env;
    struct runtime *runtime; /* owned; NULL until something is loaded */
    struct registry *registry;
    struct engine serializer;
    mrt_subject *subjects[SUBJECTS]; /* owned */
    struct engine codecs[CODECS];
};

static const char *const codec_names[CODECS] = {
    [MRT_CODEC_GZIP] = "gzip",
    [MRT_CODEC_SNAPPY] = "snappy",
    [MRT_CODEC_LZ4] = "lz4",
    [MRT_CODEC_ZSTD] = "zstd",
};

const char *engines_codec_name(uint32_t id)
{
    return id < CODECS ? codec_names[id] : NULL;
}

/* ---- loading --------------------------------------------------------------------------------- */

struct engines *engines_new(void)
{
    return memory_new(sizeof(struct engines));
}

static mrt_status warm_up(struct engines *engines, mrt_error *error)
{
    char directory[PLACE_MAX];
    struct registry_options registry = {.directory = directory};

    if (engines->runtime != NULL)
        return MRT_OK;
    place_plugins(directory);
    registry.builtins = builtins_all(&registry.n_builtins);
    mrt_status status = registry_new(&registry, &engines->registry, error);
    if (status != MRT_OK)
        return status;
    engines->env = env_linux_new(&(struct env_linux_options){.workers = 1});
    const struct runtime_options options = {
        .env = engines->env,
        .reactors = 1,
        .log_level = MRT_LOG_WARN,
        .memory_max = MEMORY_MAX,
    };
    engines->runtime = runtime_new(&options);
    runtime_start(engines->runtime);
    return MRT_OK;
}

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

static mrt_status load(
    struct engines *engines, const char *kind, const char *name, struct engine *out,
    mrt_error *error)
{
    const struct impl *impl = NULL;
    struct instance *instance = NULL;
    mrt_status status = warm_up(engines, error);
    if (status == MRT_OK)
        status = registry_find(engines->registry, kind, name, &impl, error);
    if (status != MRT_OK)
        return status;
    const struct instance_options options = {.runtime = engines->runtime, .name = name};
    status = instance_create(impl, &options, &instance, error);
    if (status != MRT_OK)
        return status;
    status = await_op(instance->exec, start_call, instance);
    if (status != MRT_OK) {
        instance_destroy(instance);
        return error_set(error, status, "%s: did not start: %s", name, status_name(status));
    }
    out->instance = instance;
    return MRT_OK;
}

static void unload(struct engine *engine)
{
    if (engine->instance == NULL)
        return;
    (void)await_op(engine->instance->exec, stop_call, engine->instance); /* cannot fail */
    instance_destroy(engine->instance);
}

void engines_free(struct engines *engines)
{
    if (engines == NULL)
        return;
    const mrt_serializer_ops *ops =
        engines->serializer.instance != NULL ? engines->serializer.instance->ops : NULL;
    for (uint32_t i = 0; i < SUBJECTS; i++)
        if (engines->subjects[i] != NULL)
            ops->release(engines->subjects[i]);
    for (uint32_t i = 0; i < CODECS; i++) {
        struct engine *codec = &engines->codecs[i];
        if (codec->context != NULL)
            ((const mrt_codec_ops *)codec->instance->ops)->context_close(codec->context);
        unload(codec);
    }
    unload(&engines->serializer);
    if (engines->runtime != NULL) {
        runtime_stop(engines->runtime);
        runtime_free(engines->runtime);
        env_linux_free(engines->env);
    }
    registry_free(engines->registry);
    memory_free(engines);
}

/* ---- the serializer -------------------------------------------------------------------------- */

struct subject_call {
    struct instance *instance;
    mrt_str topic;
    uint32_t part;
    mrt_subject **out;
};

static mrt_status subject_call(void *arg, mrt_op *op)
{
    struct subject_call *call = arg;
    const mrt_serializer_ops *ops = call->instance->ops;
    return ops->subject(
        call->instance->inst, op, &call->topic, call->part, call->instance->cfg, call->out);
}

mrt_status engines_serializer(
    struct engines *engines, const char *name, const char *topic, mrt_error *error)
{
    ASSERT(engines->serializer.instance == NULL);
    mrt_status status = load(engines, MRT_KIND_SERIALIZER, name, &engines->serializer, error);
    for (uint32_t part = MRT_SUBJECT_KEY; part < SUBJECTS && status == MRT_OK; part++) {
        struct subject_call call = {
            engines->serializer.instance, str_of(topic), part, &engines->subjects[part]};
        status = await_op(call.instance->exec, subject_call, &call);
        if (status != MRT_OK) {
            engines->subjects[part] = NULL; /* undefined after an error */
            error_set(
                error, status, "serializer %s: nothing for topic %s: %s", name, topic,
                status_name(status));
        }
    }
    return status;
}

bool engines_has_serializer(const struct engines *engines)
{
    return engines->serializer.instance != NULL;
}

mrt_status engines_validate(
    struct engines *engines, uint32_t part, const mrt_str *text, uint32_t *at)
{
    ASSERT(part < SUBJECTS);
    ASSERT(engines->subjects[part] != NULL);
    const mrt_serializer_ops *ops = engines->serializer.instance->ops;
    mrt_datum datum = {.in = *text};
    mrt_status status = ops->validate(engines->subjects[part], &datum, 1);
    *at = datum.at;
    return status;
}

mrt_status engines_json(
    struct engines *engines, uint32_t part, const mrt_str *in, void *out, uint64_t cap,
    uint64_t *got)
{
    ASSERT(part < SUBJECTS);
    ASSERT(engines->subjects[part] != NULL);
    const mrt_serializer_ops *ops = engines->serializer.instance->ops;
    return ops->to_json(engines->subjects[part], in, out, cap, got, NULL);
}

/* ---- codecs ---------------------------------------------------------------------------------- */

static mrt_status codec_find(
    struct engines *engines, uint32_t id, const mrt_codec_ops **ops, mrt_error *error)
{
    mrt_status status = MRT_OK;
    if (engines_codec_name(id) == NULL)
        return error_set(error, MRT_ENOTSUP, "compressed with codec %u, which nobody knows", id);
    struct engine *codec = &engines->codecs[id];
    if (codec->instance == NULL)
        status = load(engines, MRT_KIND_CODEC, codec_names[id], codec, error);
    if (status != MRT_OK)
        return status;
    *ops = codec->instance->ops;
    if (codec->context == NULL)
        status = (*ops)->context_open(codec->instance->inst, &codec->context);
    return status == MRT_OK ? MRT_OK : error_set(error, status, "%s: no context", codec_names[id]);
}

/* Reads all of @inflate, in room that grows. */
static mrt_status drink(
    const mrt_codec_ops *ops, mrt_inflate *inflate, uint8_t **out, uint64_t *got)
{
    uint64_t cap = INFLATE_BIT;
    uint64_t more = 0;
    mrt_status status = MRT_OK;

    *out = memory_resize(NULL, cap);
    *got = 0;
    do {
        if (*got == cap)
            *out = memory_resize(*out, cap *= 2);
        status = ops->inflate_next(inflate, *out + *got, cap - *got, &more);
        if (status == MRT_OK)
            *got += more;
    } while (status == MRT_OK && more > 0);
    if (status != MRT_OK) {
        memory_free(*out);
        *out = NULL;
    }
    return status;
}

mrt_status engines_inflate(
    struct engines *engines, uint32_t id, const void *bytes, uint64_t n, uint8_t **out,
    uint64_t *got, mrt_error *error)
{
    const mrt_codec_ops *ops = NULL;
    mrt_inflate *inflate = NULL;
    const mrt_slice slice = {.kind = MRT_SLICE_MEM, .ref = (uint64_t)(uintptr_t)bytes, .len = n};
    const mrt_slicev in = {.v = &slice, .n = 1, .bytes = n};

    mrt_status status = codec_find(engines, id, &ops, error);
    if (status != MRT_OK)
        return status;
    status = ops->inflate_open(engines->codecs[id].context, &in, ENGINES_INFLATED_MAX, &inflate);
    if (status == MRT_OK) {
        status = drink(ops, inflate, out, got);
        ops->inflate_close(inflate);
    }
    if (status == MRT_OK)
        return MRT_OK;
    return error_set(error, status, "%s: %s", codec_names[id], status_name(status));
}

mrt_status engines_compress(
    struct engines *engines, uint32_t id, const void *bytes, uint64_t n, uint8_t **out,
    uint64_t *got, mrt_error *error)
{
    const mrt_codec_ops *ops = NULL;
    const mrt_slice slice = {.kind = MRT_SLICE_MEM, .ref = (uint64_t)(uintptr_t)bytes, .len = n};
    const mrt_slicev in = {.v = &slice, .n = 1, .bytes = n};

    mrt_status status = codec_find(engines, id, &ops, error);
    if (status != MRT_OK)
        return status;
    mrt_codec_ctx *context = engines->codecs[id].context;
    uint64_t room = ops->bound(context, n);
    *out = memory_try(room, 16);
    status = *out == NULL ? MRT_ENOMEM
                          : ops->compress(context, &in, ops->level_default, *out, room, got);
    if (status == MRT_OK)
        return MRT_OK;
    memory_free(*out);
    *out = NULL;
    return error_set(error, status, "%s: %s", codec_names[id], status_name(status));
}
