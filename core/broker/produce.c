/* SPDX-License-Identifier: Apache-2.0 */
/*
 * produce.c - PRODUCE: checks record bytes on the requester's reactor, stages one append a
 * partition, counts down, answers.
 *
 * Logs take posts in order, so produces of one connection stay in order in every partition as long
 * as they are called in order.
 */
#include "core/base/assert.h"
#include "core/base/str.h"
#include "core/broker/broker_state.h"
#include "core/record/record.h"
#include "core/runtime/bytes.h"

struct produce_part {
    struct log_append append;
    struct produce *produce;
    struct log *log; /* a reference while under way */
};

struct produce {
    mrt_call *call;
    mrt_broker *shard;
    mrt_produce_res *results;
    struct produce_part *parts;
    uint32_t n;
    uint32_t waiting;
    mrt_timer timer;
};

static void refuse(mrt_produce_res *result, mrt_status status, int32_t record, const char *text)
{
    *result = (mrt_produce_res){
        .status = status,
        .record = record,
        .base_offset = -1,
        .append_time_ms = -1,
        .log_start = -1,
        .leader_id = -1,
        .leader_epoch = -1,
    };
    if (text != NULL)
        result->text = str_of(text);
}

static void produce_finish(struct produce *produce)
{
    exec_timer_stop(produce->shard->reactor, &produce->timer);
    op_complete(&produce->call->op, MRT_OK);
}

static void part_done(struct log_request *request)
{
    struct produce_part *part =
        CONTAINER(CONTAINER(request, struct log_append, request), struct produce_part, append);
    struct produce *produce = part->produce;
    mrt_produce_res *result = &produce->results[part - produce->parts];

    refuse(result, request->status, -1, part->append.text);
    if (request->status == MRT_OK) {
        result->base_offset = part->append.base_offset;
        result->append_time_ms = part->append.append_time_ms;
    }
    result->log_start = part->append.log_start;
    log_unref(part->log);
    part->log = NULL;
    ASSERT(produce->waiting > 0);
    if (--produce->waiting == 0)
        produce_finish(produce);
}

/* The client stopped waiting; what is stored stays stored (KIP-13: REQUEST_TIMED_OUT). */
static void produce_expired(mrt_timer *timer)
{
    struct produce *produce = CONTAINER(timer, struct produce, timer);
    for (uint32_t i = 0; i < produce->n; i++)
        if (produce->parts[i].log != NULL)
            log_append_cancel(produce->parts[i].log, &produce->parts[i].append);
}

/* Gathers record bytes that came in several slices; they are looked at and stamped as one. */
static mrt_status join(mrt_slicev *batches, mrt_slice *joined)
{
    uint8_t *room = NULL;
    mrt_lease *lease = NULL;

    if (batches->n == 1 && batches->v[0].kind == MRT_SLICE_MEM) {
        *joined = batches->v[0];
        batches->v = joined;
        return MRT_OK;
    }
    mrt_status status = block_new(batches->bytes, &room, &lease);
    if (status != MRT_OK)
        return status;
    uint64_t at = 0;
    for (uint32_t i = 0; i < batches->n; i++) {
        const mrt_slice *slice = &batches->v[i];
        ASSERT(slice->kind == MRT_SLICE_MEM);
        memcpy(room + at, (const uint8_t *)(uintptr_t)slice->ref + slice->off, slice->len);
        at += slice->len;
    }
    lease_release(batches->lease);
    *joined = (mrt_slice){MRT_SLICE_MEM, 0, (uintptr_t)room, 0, at};
    *batches = (mrt_slicev){joined, 1, 0, at, lease};
    return MRT_OK;
}

static mrt_status check(
    const struct partition *partition, const mrt_slice *bytes, int64_t now_ms,
    struct record_info *info)
{
    struct record_rules rules;

    log_rules(&partition->config, now_ms, &rules);
    return record_check(
        (const uint8_t *)(uintptr_t)bytes->ref + bytes->off, bytes->len, &rules, info);
}

/* Stages one partition; false when it was refused and its result is written. */
static bool stage(struct produce *produce, const mrt_produce *in, uint32_t i, mrt_slice *joined)
{
    const mrt_produce_part *asked = &in->parts[i];
    struct produce_part *part = &produce->parts[i];
    mrt_produce_res *result = &produce->results[i];
    const struct image_partition *where = NULL;
    struct partition *partition = NULL;
    struct record_info info = {.record = -1};
    mrt_slicev batches = asked->batches;

    mrt_status status = broker_route(produce->shard, &asked->tp, &partition, &where);
    if (status == MRT_OK)
        status = batches.bytes == 0 ? MRT_ECORRUPT : join(&batches, joined);
    if (status == MRT_OK)
        status = check(partition, joined, exec_wall_ms(produce->shard->reactor), &info);
    if (status != MRT_OK) {
        refuse(result, status, info.record, info.text);
        if (status == MRT_ENOTLEADER && where != NULL) {
            result->leader_id = where->leader;
            result->leader_epoch = where->leader_epoch;
        }
        lease_release(batches.lease);
        return false;
    }
    part->produce = produce;
    part->log = partition->log;
    part->append = (struct log_append){
        .request = {.done = part_done, .exec = produce->shard->reactor},
        .batches = batches,
        .trace = produce->call->op.trace,
        .acks = in->acks,
        .leader_epoch = asked->tp.leader_epoch,
        .base_offset = -1,
        .append_time_ms = -1,
        .log_start = -1,
    };
    return true;
}

static void refuse_all(mrt_call *call, mrt_status status)
{
    const mrt_produce *in = call->in;
    mrt_produce_res *results = call->out;
    for (uint32_t i = 0; i < in->n; i++) {
        refuse(&results[i], status, -1, NULL);
        lease_release(in->parts[i].batches.lease);
    }
}

mrt_status produce_call(mrt_broker *shard, mrt_call *call)
{
    const mrt_produce *in = call->in;

    if (in->acks < -1 || in->acks > 1 || in->transactional_id.p != NULL) {
        refuse_all(call, in->acks < -1 || in->acks > 1 ? MRT_EINVAL : MRT_ETXNSTATE);
        return MRT_OK;
    }
    struct produce *produce = arena_alloc(call->arena, sizeof *produce);
    struct produce_part *parts = arena_alloc(call->arena, in->n * sizeof *parts);
    mrt_slice *joined = arena_alloc(call->arena, in->n * sizeof *joined);
    if (produce == NULL || parts == NULL || joined == NULL)
        return MRT_ENOMEM;
    *produce = (struct produce){call, shard, call->out, parts, in->n, 0, {0}};

    for (uint32_t i = 0; i < in->n; i++)
        if (stage(produce, in, i, &joined[i]))
            produce->waiting++;
    if (produce->waiting == 0)
        return MRT_OK;
    for (uint32_t i = 0; i < in->n; i++) {
        if (parts[i].log == NULL)
            continue;
        log_ref(parts[i].log);
        log_append(parts[i].log, &parts[i].append);
    }
    if (call->op.deadline_ns != 0) {
        produce->timer.fire = produce_expired;
        exec_timer_set(shard->reactor, &produce->timer, call->op.deadline_ns);
    }
    return MRT_PENDING;
}
