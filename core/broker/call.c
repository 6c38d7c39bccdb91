/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call.c - the table protocols get as mortise.host.broker/1: one entry for operations, and arenas.
 */
#include <mortise/draft/ops.h>

#include "core/base/assert.h"
#include "core/broker/broker_state.h"
#include "core/broker/image_table.h"
#include "core/runtime/host.h"

mrt_status broker_route(
    const mrt_broker *shard, const mrt_tp *tp, struct partition **out,
    const struct image_partition **where)
{
    const struct image_topic *topic = tp->topic.p != NULL
                                          ? image_topic(shard->image, &tp->topic)
                                          : image_topic_by_id(shard->image, tp->topic_id);

    if (topic == NULL || tp->partition < 0 || (uint32_t)tp->partition >= topic->n_partitions)
        return MRT_ENOENT;
    *where = &topic->partitions[tp->partition];
    if ((*where)->leader != shard->broker->options.node || (*where)->local == NULL)
        return MRT_ENOTLEADER;
    *out = (*where)->local;
    return MRT_OK;
}

static mrt_broker *table_at(const mrt_host *host, mrt_exec *reactor)
{
    struct broker *broker = host_context(host_of(host), MRT_HOST_BROKER);
    ASSERT(broker != NULL);
    return &broker->shards[reactor_index(reactor)];
}

typedef mrt_status (*operation)(mrt_broker *shard, mrt_call *call);

static operation find_operation(uint32_t number)
{
    static const operation data[] = {
        [MRT_OP_PRODUCE] = produce_call,     [MRT_OP_SUB_OPEN] = sub_open_call,
        [MRT_OP_SUB_SET] = sub_set_call,     [MRT_OP_SUB_POLL] = sub_poll_call,
        [MRT_OP_SUB_CLOSE] = sub_close_call, [MRT_OP_LIST_OFFSETS] = list_offsets_call,
        [MRT_OP_EPOCH_END] = epoch_end_call, [MRT_OP_DELETE_RECORDS] = delete_records_call,
    };
    static const operation generated[] = {
        [MRT_OP_CREATE_TOPICS - MRT_OP_GENERATED] = create_topics_call,
        [MRT_OP_DELETE_TOPICS - MRT_OP_GENERATED] = delete_topics_call,
        [MRT_OP_INIT_PRODUCER_ID - MRT_OP_GENERATED] = init_producer_id_call,
        [MRT_OP_DESCRIBE_CONFIGS - MRT_OP_GENERATED] = describe_configs_call,
    };

    if (number < sizeof data / sizeof *data)
        return data[number];
    if (number < MRT_OP_GENERATED)
        return NULL;
    number -= MRT_OP_GENERATED;
    return number < sizeof generated / sizeof *generated ? generated[number] : NULL;
}

static mrt_status table_call(mrt_broker *shard, mrt_call *call)
{
    operation run = find_operation(call->number);

    ASSERT(exec_inside(shard->reactor));
    if (run == NULL)
        return MRT_ENOTSUP;
    bool closing = call->number == MRT_OP_SUB_CLOSE; /* cleaning up is always possible */
    if (broker_phase_now(shard->broker) != BROKER_SERVING && !closing)
        return MRT_ESHUTDOWN;
    call->op.exec = shard->reactor;
    call->image_version = image_version(shard->image);
    return op_outcome(&call->op, run(shard, call));
}

static void table_cancel(mrt_broker *shard, mrt_call *call)
{
    ASSERT(exec_inside(shard->reactor));
    if (call->number == MRT_OP_SUB_POLL)
        sub_poll_cancel(call);
}

static mrt_arena *table_arena_new(mrt_broker *shard, const mrt_who *who)
{
    struct budget *budget = (struct budget *)(uintptr_t)who->quota_bucket;
    return arena_new(budget != NULL ? budget : broker_budget(shard->broker));
}

const mrt_host_broker broker_table = {
    .size = sizeof broker_table,
    .at = table_at,
    .call = table_call,
    .cancel = table_cancel,
    .arena_new = table_arena_new,
    .arena_alloc = arena_alloc,
    .arena_free = arena_free,
    .image_pin = image_table_pin,
    .image_unpin = image_table_unpin,
    .cluster = image_table_cluster,
    .topic = image_table_topic,
    .topic_next = image_table_topic_next,
    .partition = image_table_partition,
    .broker_next = image_table_broker_next,
    .config = image_table_config,
};
