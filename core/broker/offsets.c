/* SPDX-License-Identifier: Apache-2.0 */
/*
 * offsets.c - LIST_OFFSETS, EPOCH_END, DELETE_RECORDS: one request to each log, a countdown here.
 */
#include "core/base/assert.h"
#include "core/broker/broker_state.h"

struct fan;

struct leg {
    union {
        struct log_find find;
        struct log_epoch_end epoch_end;
        struct log_trim trim;
    } request; /* each begins with its struct log_request */
    struct fan *fan;
    struct log *log; /* a reference while under way */
};

/* One call spread over logs. */
struct fan {
    mrt_call *call;
    mrt_broker *shard;
    struct leg *legs;
    uint32_t waiting;
    void (*collect)(struct fan *fan, uint32_t i, mrt_status status);
};

static void leg_done(struct log_request *request)
{
    struct leg *leg = CONTAINER(request, struct leg, request);
    struct fan *fan = leg->fan;

    fan->collect(fan, (uint32_t)(leg - fan->legs), request->status);
    log_unref(leg->log);
    ASSERT(fan->waiting > 0);
    if (--fan->waiting == 0)
        op_complete(&fan->call->op, MRT_OK);
}

static struct fan *fan_new(mrt_broker *shard, mrt_call *call)
{
    const mrt_parts *in = call->in;
    struct fan *fan = arena_alloc(call->arena, sizeof *fan);
    struct leg *legs = arena_alloc(call->arena, in->n * sizeof *legs);
    if (fan == NULL || legs == NULL)
        return NULL;
    fan->call = call;
    fan->shard = shard;
    fan->legs = legs;
    return fan;
}

/* Readies leg @i for the log @tp names; NULL, and the status is collected, where there is none. */
static struct leg *fan_leg(struct fan *fan, uint32_t i, const mrt_tp *tp)
{
    const struct image_partition *where = NULL;
    struct partition *partition = NULL;
    struct leg *leg = &fan->legs[i];
    mrt_status status = broker_route(fan->shard, tp, &partition, &where);

    if (status != MRT_OK) {
        fan->collect(fan, i, status);
        return NULL;
    }
    leg->fan = fan;
    leg->log = partition->log;
    log_ref(leg->log);
    fan->waiting++;
    return leg;
}

static struct log_request fan_request(const struct fan *fan)
{
    return (struct log_request){.done = leg_done, .exec = fan->shard->reactor};
}

static mrt_status fan_outcome(const struct fan *fan)
{
    return fan->waiting > 0 ? MRT_PENDING : MRT_OK;
}

/* ---- LIST_OFFSETS ---------------------------------------------------------------------------- */

static void collect_find(struct fan *fan, uint32_t i, mrt_status status)
{
    mrt_list_part *part = &((mrt_list_part *)((const mrt_parts *)fan->call->in)->parts)[i];
    const struct log_find *find = &fan->legs[i].request.find;

    part->status = status;
    part->offset = status == MRT_OK ? find->offset : -1;
    part->found_ms = status == MRT_OK ? find->found_ms : -1;
    part->found_epoch = status == MRT_OK ? find->found_epoch : -1;
}

mrt_status list_offsets_call(mrt_broker *shard, mrt_call *call)
{
    const mrt_parts *in = call->in;
    const mrt_list_part *parts = in->parts;
    struct fan *fan = fan_new(shard, call);

    if (fan == NULL)
        return MRT_ENOMEM;
    fan->collect = collect_find;
    for (uint32_t i = 0; i < in->n; i++) {
        struct leg *leg = fan_leg(fan, i, &parts[i].tp);
        if (leg == NULL)
            continue;
        leg->request.find = (struct log_find){
            .request = fan_request(fan),
            .timestamp_ms = parts[i].timestamp_ms,
            .committed = parts[i].isolation == 1,
            .leader_epoch = parts[i].tp.leader_epoch,
            .offset = -1,
            .found_ms = -1,
            .found_epoch = -1,
        };
        log_find(leg->log, &leg->request.find);
    }
    return fan_outcome(fan);
}

/* ---- EPOCH_END ------------------------------------------------------------------------------- */

static void collect_epoch_end(struct fan *fan, uint32_t i, mrt_status status)
{
    mrt_epoch_part *part = &((mrt_epoch_part *)((const mrt_parts *)fan->call->in)->parts)[i];
    const struct log_epoch_end *found = &fan->legs[i].request.epoch_end;

    part->status = status;
    part->end = status == MRT_OK ? found->end : -1;
    part->found_epoch = status == MRT_OK ? found->found_epoch : -1;
}

mrt_status epoch_end_call(mrt_broker *shard, mrt_call *call)
{
    const mrt_parts *in = call->in;
    const mrt_epoch_part *parts = in->parts;
    struct fan *fan = fan_new(shard, call);

    if (fan == NULL)
        return MRT_ENOMEM;
    fan->collect = collect_epoch_end;
    for (uint32_t i = 0; i < in->n; i++) {
        struct leg *leg = fan_leg(fan, i, &parts[i].tp);
        if (leg == NULL)
            continue;
        leg->request.epoch_end = (struct log_epoch_end){
            .request = fan_request(fan),
            .epoch = parts[i].epoch,
            .leader_epoch = parts[i].tp.leader_epoch,
        };
        log_epoch_end(leg->log, &leg->request.epoch_end);
    }
    return fan_outcome(fan);
}

/* ---- DELETE_RECORDS -------------------------------------------------------------------------- */

static void collect_trim(struct fan *fan, uint32_t i, mrt_status status)
{
    mrt_delete_part *part = &((mrt_delete_part *)((const mrt_parts *)fan->call->in)->parts)[i];

    part->status = status;
    part->low_watermark = status == MRT_OK ? fan->legs[i].request.trim.low_watermark : -1;
}

mrt_status delete_records_call(mrt_broker *shard, mrt_call *call)
{
    const mrt_parts *in = call->in;
    const mrt_delete_part *parts = in->parts;
    struct fan *fan = fan_new(shard, call);

    if (fan == NULL)
        return MRT_ENOMEM;
    fan->collect = collect_trim;
    for (uint32_t i = 0; i < in->n; i++) {
        struct leg *leg = fan_leg(fan, i, &parts[i].tp);
        if (leg == NULL)
            continue;
        leg->request.trim = (struct log_trim){
            .request = fan_request(fan),
            .upto = parts[i].upto,
            .low_watermark = -1,
        };
        log_trim(leg->log, &leg->request.trim);
    }
    return fan_outcome(fan);
}
