/* SPDX-License-Identifier: Apache-2.0 */
/*
 * door.c - the scripted door in front of the store: counts, holds, fails and pends its calls, and
 * plays a flush that means something.
 */
#include "tests/unit/log/scene.h"

struct scene_script script = {.lock = PTHREAD_MUTEX_INITIALIZER};
static const mrt_storage_ops *real;

static bool is_mutating(enum scene_kind kind)
{
    return kind == KIND_APPEND || kind == KIND_ROLL || kind == KIND_TRIM || kind == KIND_PUT;
}

/* xorshift; under the lock. */
static uint64_t chance(uint64_t of)
{
    script.chaos ^= script.chaos << 13;
    script.chaos ^= script.chaos >> 7;
    script.chaos ^= script.chaos << 17;
    return script.chaos % of;
}

/* The status a call of @kind is to fail with, or MRT_OK; counts it. */
static mrt_status enter(enum scene_kind kind)
{
    pthread_mutex_lock(&script.lock);
    struct scene_rule *rule = &script.rules[kind];
    mrt_status status = MRT_OK;
    rule->calls++;
    if (rule->skip > 0)
        rule->skip--;
    else
        status = rule->fail;
    if (script.chaos != 0 && is_mutating(kind) && chance(12) == 0)
        status = MRT_ENOSPC;
    if (is_mutating(kind) && ++script.mutating > script.mutating_max)
        script.mutating_max = script.mutating;
    pthread_mutex_unlock(&script.lock);
    return status;
}

static void leave_locked(enum scene_kind kind)
{
    if (is_mutating(kind))
        script.mutating--;
}

/* Hands an outcome that is known back in the way the script wants. */
static mrt_status leave(enum scene_kind kind, mrt_op *op, mrt_status status)
{
    pthread_mutex_lock(&script.lock);
    struct scene_rule *rule = &script.rules[kind];
    bool hold = rule->hold && rule->skip == 0;
    if (hold) {
        ASSERT(rule->held == NULL);
        rule->held = op;
        rule->result = status;
    } else {
        leave_locked(kind);
    }
    bool pend = script.pend_all || (script.chaos != 0 && chance(2) == 0);
    pthread_mutex_unlock(&script.lock);
    if (hold)
        return MRT_PENDING;
    if (!pend || status == MRT_PENDING)
        return status;
    op_complete(op, status);
    return MRT_PENDING;
}

static void look(mrt_log *log, mrt_log_state *out)
{
    script.store = log;
    real->state(log, out);
    if (script.durable) {
        pthread_mutex_lock(&script.lock);
        out->durable = script.durable_to;
        pthread_mutex_unlock(&script.lock);
    }
}

static mrt_status door_append(
    mrt_log *log, mrt_op *op, const mrt_append *append, mrt_log_state *after)
{
    mrt_status status = enter(KIND_APPEND);
    if (append->n > script.batches_max)
        script.batches_max = append->n;
    if (script.full_once)
        status = MRT_EFULL;
    script.full_once = false;
    if (status == MRT_OK)
        status = real->append(log, op, append, after);
    if (status == MRT_OK)
        look(log, after);
    return leave(KIND_APPEND, op, status);
}

static mrt_status door_flush(mrt_log *log, mrt_op *op, int64_t upto)
{
    mrt_status status = enter(KIND_FLUSH);
    (void)log;
    pthread_mutex_lock(&script.lock);
    script.flush_upto = upto;
    if (status == MRT_OK && !script.rules[KIND_FLUSH].hold)
        script.durable_to = upto;
    pthread_mutex_unlock(&script.lock);
    return leave(KIND_FLUSH, op, status);
}

static mrt_status door_roll(mrt_log *log, mrt_op *op)
{
    mrt_status status = enter(KIND_ROLL);
    if (status == MRT_OK)
        status = real->roll(log, op);
    return leave(KIND_ROLL, op, status);
}

static mrt_status door_trim(mrt_log *log, mrt_op *op, int64_t upto)
{
    mrt_status status = enter(KIND_TRIM);
    if (status == MRT_OK)
        status = real->trim_head(log, op, upto);
    return leave(KIND_TRIM, op, status);
}

static mrt_status door_put(
    mrt_log *log, mrt_op *op, uint32_t kind, int64_t offset, const mrt_str *bytes, uint32_t flags)
{
    mrt_status status = enter(KIND_PUT);
    if (status == MRT_OK)
        status = real->blob_put(log, op, kind, offset, bytes, flags);
    return leave(KIND_PUT, op, status);
}

static mrt_status door_read(mrt_log *log, mrt_op *op, const mrt_read *read, mrt_read_res *res)
{
    mrt_status status = enter(KIND_READ);
    if (status == MRT_OK)
        status = real->read(log, op, read, res);
    return leave(KIND_READ, op, status);
}

static mrt_status door_close(mrt_log *log, mrt_op *op)
{
    mrt_status status = enter(KIND_CLOSE);
    mrt_status closed = real->log_close(log, op);
    return leave(KIND_CLOSE, op, status != MRT_OK ? status : closed);
}

void scene_door(void)
{
    real = scene.impl->ops;
    scene.ops = *real;
    scene.ops.state = look;
    scene.ops.append = door_append;
    scene.ops.flush = door_flush;
    scene.ops.roll = door_roll;
    scene.ops.trim_head = door_trim;
    scene.ops.blob_put = door_put;
    scene.ops.read = door_read;
    scene.ops.log_close = door_close;
}

void scene_hold(enum scene_kind kind)
{
    pthread_mutex_lock(&script.lock);
    script.rules[kind].hold = true;
    pthread_mutex_unlock(&script.lock);
}

void scene_fail(enum scene_kind kind, uint32_t skip, mrt_status status)
{
    pthread_mutex_lock(&script.lock);
    script.rules[kind].skip = skip;
    script.rules[kind].fail = status;
    pthread_mutex_unlock(&script.lock);
}

void scene_pass(enum scene_kind kind)
{
    pthread_mutex_lock(&script.lock);
    script.rules[kind].hold = false;
    script.rules[kind].fail = MRT_OK;
    pthread_mutex_unlock(&script.lock);
}

static mrt_op *held(enum scene_kind kind)
{
    pthread_mutex_lock(&script.lock);
    mrt_op *op = script.rules[kind].held;
    pthread_mutex_unlock(&script.lock);
    return op;
}

void scene_await_held(enum scene_kind kind)
{
    for (uint32_t ms = 0; held(kind) == NULL; ms++) {
        ASSERT(ms < LIVE_WAIT_S * 1000);
        scene_pause(1);
    }
}

void scene_release(enum scene_kind kind)
{
    scene_await_held(kind);
    pthread_mutex_lock(&script.lock);
    struct scene_rule *rule = &script.rules[kind];
    mrt_op *op = rule->held;
    rule->held = NULL;
    leave_locked(kind);
    if (kind == KIND_FLUSH && rule->result == MRT_OK)
        script.durable_to = script.flush_upto;
    pthread_mutex_unlock(&script.lock);
    op_complete(op, rule->result);
}

uint32_t scene_calls(enum scene_kind kind)
{
    pthread_mutex_lock(&script.lock);
    uint32_t calls = script.rules[kind].calls;
    pthread_mutex_unlock(&script.lock);
    return calls;
}
