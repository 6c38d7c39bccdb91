/* SPDX-License-Identifier: Apache-2.0 */
#include "core/plugin/instance.h"

#include "core/base/assert.h"
#include "core/base/list.h"
#include "core/base/memory.h"
#include "core/base/str.h"

/* ---- steps on the strand --------------------------------------------------------------------- */

/* One at a time (I1): the caller's operation is kept, the task brings @run to the strand. */
static void step_post(struct instance *instance, mrt_op *op, void (*run)(mrt_task *task))
{
    ASSERT(instance->caller == NULL);
    ASSERT(op != NULL);
    instance->caller = op;
    instance->task = (mrt_task){.run = run};
    exec_post(instance->exec, &instance->task);
}

static struct instance *instance_of(mrt_task *task)
{
    struct instance *instance = CONTAINER(task, struct instance, task);
    ASSERT(exec_inside(instance->exec));
    ASSERT(instance->caller != NULL);
    return instance;
}

static void step_end(struct instance *instance, mrt_status status)
{
    mrt_op *op = instance->caller;
    ASSERT(op != NULL);
    ASSERT(status != MRT_PENDING);
    instance->caller = NULL;
    op_complete(op, status);
}

static void stop_done(struct instance *instance, mrt_status status)
{
    ASSERT(instance->state == INSTANCE_STOPPING);
    instance->state = INSTANCE_STOPPED;
    step_end(instance, instance->failed != MRT_OK ? instance->failed : status);
}

static void stop_completed(mrt_op *op)
{
    stop_done(op->caller, op->status);
}

static void stop_begin(struct instance *instance)
{
    mrt_op *op = &instance->op;
    instance->state = INSTANCE_STOPPING;
    op_init(op, instance->exec, stop_completed, instance);
    mrt_status status = op_outcome(op, instance->impl->life.stop(instance->inst, op));
    if (status != MRT_PENDING)
        stop_done(instance, status);
}

static void start_done(struct instance *instance, mrt_status status)
{
    ASSERT(instance->state == INSTANCE_STARTING);
    if (status != MRT_OK) {
        instance->failed = status;
        stop_begin(instance);
        return;
    }
    instance->state = INSTANCE_RUNNING;
    step_end(instance, MRT_OK);
}

static void start_completed(mrt_op *op)
{
    start_done(op->caller, op->status);
}

static void start_run(mrt_task *task)
{
    struct instance *instance = instance_of(task);
    mrt_op *op = &instance->op;
    op_init(op, instance->exec, start_completed, instance);
    mrt_status status = op_outcome(op, instance->impl->life.start(instance->inst, op));
    if (status != MRT_PENDING)
        start_done(instance, status);
}

static void drain_done(struct instance *instance, mrt_status status)
{
    ASSERT(instance->state == INSTANCE_DRAINING);
    instance->state = INSTANCE_DRAINED;
    step_end(instance, status);
}

static void drain_completed(mrt_op *op)
{
    drain_done(op->caller, op->status);
}

static void drain_run(mrt_task *task)
{
    struct instance *instance = instance_of(task);
    mrt_op *op = &instance->op;
    op_init(op, instance->exec, drain_completed, instance);
    mrt_status status = op_outcome(op, instance->impl->life.drain(instance->inst, op));
    if (status != MRT_PENDING)
        drain_done(instance, status);
}

static void stop_run(mrt_task *task)
{
    stop_begin(instance_of(task));
}

void instance_start(struct instance *instance, mrt_op *op)
{
    ASSERT(instance->state == INSTANCE_CREATED);
    instance->state = INSTANCE_STARTING;
    step_post(instance, op, start_run);
}

void instance_drain(struct instance *instance, mrt_op *op)
{
    ASSERT(instance->state == INSTANCE_RUNNING);
    instance->state = INSTANCE_DRAINING;
    step_post(instance, op, drain_run);
}

void instance_stop(struct instance *instance, mrt_op *op)
{
    ASSERT(instance->state == INSTANCE_RUNNING || instance->state == INSTANCE_DRAINED);
    step_post(instance, op, stop_run);
}

/* ---- settings -------------------------------------------------------------------------------- */

static void reconfigure_run(mrt_task *task)
{
    struct instance *instance = instance_of(task);
    const mrt_cfg *next = instance->next;
    mrt_status status =
        instance->impl->life.reconfigure(instance->inst, next, instance->phase, instance->error);
    if (instance->phase == MRT_RECONFIGURE_APPLY) {
        const mrt_cfg *old = instance->cfg;
        instance->cfg = next;
        cfg_free(old);
        status = MRT_OK;
    }
    instance->next = NULL;
    step_end(instance, status);
}

void instance_reconfigure(
    struct instance *instance, const mrt_cfg *next, uint32_t phase, mrt_op *op, mrt_error *error)
{
    ASSERT(next != NULL);
    ASSERT(phase <= MRT_RECONFIGURE_APPLY);
    ASSERT(instance->state == INSTANCE_RUNNING);
    ASSERT(error != NULL);
    instance->next = next;
    instance->phase = phase;
    instance->error = error;
    step_post(instance, op, reconfigure_run);
}

/* ---- birth and death ------------------------------------------------------------------------- */

static void parts_free(struct instance *instance)
{
    if (instance->host != NULL)
        host_free(instance->host);
    if (instance->exec != NULL)
        strand_free(instance->exec);
    cfg_free(instance->cfg);
    memory_free(instance->name);
    memory_free(instance);
}

static struct instance *parts_new(
    const struct impl *impl, const struct instance_options *options, const mrt_cfg *cfg)
{
    struct instance *instance = memory_new(sizeof *instance);
    mrt_str name = str_of(options->name);
    instance->impl = impl;
    instance->ops = impl->ops;
    instance->cfg = cfg;
    instance->name = str_copy(&name);
    instance->exec = strand_new(options->runtime, options->home);
    instance->host = host_new(&(struct host_options){
        .runtime = options->runtime,
        .name = instance->name,
        .flags = impl->plugin->module->note->flags & NOTE_OS ? HOST_OS : 0,
        .memory_max = options->memory_max,
    });
    ASSERT(options->n_offers <= HOST_TABLES_MAX);
    for (uint32_t i = 0; i < options->n_offers; i++)
        host_offer(
            instance->host, options->offers[i].id, options->offers[i].table,
            options->offers[i].context);
    return instance;
}

/* Puts the instance's name in front of @inner, which may have come without a text. */
static mrt_status named(
    const char *name, mrt_status status, const mrt_error *inner, mrt_error *error)
{
    if (inner->text[0] == '\0')
        return error_set(error, status, "%s: create failed: %s", name, status_name(status));
    return error_set(error, status, "%s: %.*s", name, (int)sizeof inner->text - 1, inner->text);
}

mrt_status instance_create(
    const struct impl *impl, const struct instance_options *options, struct instance **out,
    mrt_error *error)
{
    ASSERT(impl != NULL);
    ASSERT(impl->plugin->loaded);
    ASSERT(out != NULL);
    const struct note_impl *declared = impl->declared;
    const mrt_cfg *cfg = NULL;
    mrt_error inner = {0};
    mrt_status status =
        cfg_new(declared->keys, declared->n_keys, options->values, options->n_values, &cfg, &inner);
    if (status != MRT_OK)
        return named(options->name, status, &inner, error);

    struct instance *instance = parts_new(impl, options, cfg);
    const mrt_create how = {
        .size = sizeof how,
        .host = host_table(instance->host),
        .exec = instance->exec,
        .view = cfg_view(),
        .cfg = cfg,
        .name = str_of(instance->name),
    };
    status = impl->life.create(&how, &instance->inst, &inner);
    if (status == MRT_PENDING)
        status = error_set(&inner, MRT_EBUG, "create() answered PENDING");
    if (status != MRT_OK) {
        (void)named(options->name, status, &inner, error);
        parts_free(instance);
        return status;
    }
    *out = instance;
    return MRT_OK;
}

void instance_destroy(struct instance *instance)
{
    if (instance == NULL)
        return;
    ASSERT(instance->state == INSTANCE_CREATED || instance->state == INSTANCE_STOPPED);
    ASSERT(instance->caller == NULL);
    instance->impl->life.destroy(instance->inst);
    parts_free(instance);
}

/* ---- shards ---------------------------------------------------------------------------------- */

mrt_status instance_shard_open(
    struct instance *instance, mrt_exec *reactor, void **shard, mrt_error *error)
{
    ASSERT(exec_inside(reactor));
    ASSERT(shard != NULL);
    mrt_status status = instance->impl->life.shard_open(instance->inst, reactor, shard);
    if (status == MRT_OK)
        return MRT_OK;
    return error_set(
        error, status, "%s: no shard for reactor %u: %s", instance->name,
        (unsigned)reactor_index(reactor), status_name(status));
}

void instance_shard_close(struct instance *instance, mrt_exec *reactor, void *shard)
{
    ASSERT(exec_inside(reactor));
    instance->impl->life.shard_close(shard);
}
