/* SPDX-License-Identifier: Apache-2.0 */
/*
 * producer_ids.c - INIT_PRODUCER_ID: ids for idempotent producers, from blocks the controller hands
 * out. The block at hand belongs to the control strand; an id is given once, and what a block has
 * left at a restart is never given.
 */
#include <mortise/draft/ops.h>

#include "core/base/assert.h"
#include "core/broker/broker_state.h"

struct id_request {
    mrt_task task;
    struct list link; /* in broker.producer_waiters */
    mrt_call *call;
    mrt_broker *shard;
    mrt_status status;
    int64_t id;
};

static void answered(mrt_task *task)
{
    struct id_request *request = CONTAINER(task, struct id_request, task);
    mrt_init_producer_id_out *out = request->call->out;

    out->producer_id = request->status == MRT_OK ? request->id : -1;
    out->producer_epoch = request->status == MRT_OK ? 0 : -1;
    op_complete(&request->call->op, request->status);
}

static void answer(struct id_request *request, mrt_status status, int64_t id)
{
    request->status = status;
    request->id = id;
    request->task.run = answered;
    exec_post(request->shard->reactor, &request->task);
}

static void serve(struct broker *broker);

static void block_came(struct controller_request *block)
{
    struct broker *broker = block->caller;

    broker->producer_asking = 0;
    if (block->status == MRT_OK) {
        broker->producer_ids.next = block->producer_id_first;
        broker->producer_ids.end = block->producer_id_first + CONTROLLER_PRODUCER_BLOCK;
        serve(broker);
        return;
    }
    for (struct list *at; (at = list_take(&broker->producer_waiters)) != NULL;)
        answer(CONTAINER(at, struct id_request, link), block->status, -1);
}

static void ask(struct broker *broker)
{
    if (broker->producer_asking)
        return;
    broker->producer_asking = 1;
    broker->producer_request = (struct controller_request){
        .kind = CONTROLLER_PRODUCER_IDS,
        .done = block_came,
        .exec = broker->exec,
        .caller = broker,
    };
    controller_submit(broker->controller, &broker->producer_request);
}

static void serve(struct broker *broker)
{
    while (!list_empty(&broker->producer_waiters)) {
        ASSERT(broker->producer_ids.next <= broker->producer_ids.end);
        if (broker->producer_ids.next == broker->producer_ids.end) {
            ask(broker);
            return;
        }
        struct list *at = list_take(&broker->producer_waiters);
        answer(CONTAINER(at, struct id_request, link), MRT_OK, broker->producer_ids.next++);
    }
}

static void arrived(mrt_task *task)
{
    struct id_request *request = CONTAINER(task, struct id_request, task);
    struct broker *broker = request->shard->broker;

    ASSERT(exec_inside(broker->exec));
    list_append(&broker->producer_waiters, &request->link);
    serve(broker);
}

mrt_status init_producer_id_call(mrt_broker *shard, mrt_call *call)
{
    const mrt_init_producer_id *in = call->in;

    if (in->transactional_id.p != NULL)
        return MRT_ENOTSUP;
    struct id_request *request = arena_alloc(call->arena, sizeof *request);
    if (request == NULL)
        return MRT_ENOMEM;
    request->call = call;
    request->shard = shard;
    request->task.run = arrived;
    exec_post(shard->broker->exec, &request->task);
    return MRT_PENDING;
}
