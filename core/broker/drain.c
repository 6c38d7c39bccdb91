/* SPDX-License-Identifier: Apache-2.0 */
/*
 * drain.c - the orderly end: parked reads are answered, logs closed, directories marked clean,
 * coordination left, instances stopped. The listeners have stopped accepting before.
 */
#include "core/base/assert.h"
#include "core/base/memory.h"
#include "core/broker/sequence.h"

/* ---- reads ----------------------------------------------------------------------------------- */

static void shard_drained(mrt_task *task)
{
    struct mrt_broker *shard = CONTAINER(task, struct mrt_broker, drain_task);
    struct broker *broker = shard->broker;
    ASSERT(broker->sequence.count > 0);
    if (--broker->sequence.count == 0)
        sequence_next(broker, MRT_OK);
}

static void shard_drain(mrt_task *task)
{
    struct mrt_broker *shard = CONTAINER(task, struct mrt_broker, drain_task);
    sub_drain(shard);
    shard->drain_task.run = shard_drained;
    exec_post(shard->broker->exec, &shard->drain_task);
}

static void answer_reads(struct broker *broker)
{
    broker->sequence.count = runtime_reactors(broker->options.runtime);
    for (uint32_t i = 0; i < runtime_reactors(broker->options.runtime); i++) {
        struct mrt_broker *shard = &broker->shards[i];
        shard->drain_task.run = shard_drain;
        exec_post(shard->reactor, &shard->drain_task);
    }
}

/* ---- logs ------------------------------------------------------------------------------------ */

static void log_closed(struct log_request *request)
{
    struct partition *partition = CONTAINER(request, struct partition, closing);
    struct broker *broker = partition->broker;

    if (request->status != MRT_OK)
        runtime_log(
            broker->options.runtime, MRT_LOG_WARN, 0,
            "partition.close_failed topic=%s partition=%d status=%s", partition->name,
            partition->index, status_name(request->status));
    ASSERT(broker->closing > 0);
    if (--broker->closing == 0)
        sequence_next(broker, MRT_OK);
}

static void close_logs(struct broker *broker)
{
    maintenance_stop(broker);
    ASSERT(list_empty(&broker->versions));
    ASSERT(broker->deleting == 0);
    broker->closing = 1;
    list_each (at, &broker->partitions) {
        struct partition *partition = CONTAINER(at, struct partition, link);
        if (partition->gone)
            continue;
        broker->closing++;
        partition->closing = (struct log_request){.done = log_closed, .exec = broker->exec};
        log_close(partition->log, &partition->closing);
    }
    if (--broker->closing == 0)
        sequence_next(broker, MRT_OK);
}

/* ---- directories and instances --------------------------------------------------------------- */

static mrt_status visit_dir_close(struct broker *broker, void *object, mrt_op *op)
{
    struct broker_dir *dir = object;
    const mrt_storage_ops *ops = broker->options.storage->ops;
    mrt_dir *closing = dir->dir;
    dir->dir = NULL;
    return ops->dir_close(closing, op);
}

static void close_directories(struct broker *broker)
{
    for (uint32_t i = 0; i < broker->options.dir_count; i++) {
        struct broker_dir *dir = &broker->dirs[i];
        if (dir->dir == NULL)
            continue;
        broker->sequence.at--;
        sequence_visit(broker, dir->exec, dir, visit_dir_close);
        return;
    }
    sequence_next(broker, MRT_OK);
}

static mrt_status visit_controller_close(struct broker *broker, void *object, mrt_op *op)
{
    (void)object;
    return controller_close(broker->controller, op);
}

static void close_controller(struct broker *broker)
{
    sequence_visit(broker, broker->options.coordination->exec, NULL, visit_controller_close);
}

static mrt_status visit_drain(struct broker *broker, void *object, mrt_op *op)
{
    (void)broker;
    instance_drain(object, op);
    return MRT_PENDING;
}

static mrt_status visit_stop(struct broker *broker, void *object, mrt_op *op)
{
    (void)broker;
    instance_stop(object, op);
    return MRT_PENDING;
}

static struct instance *instance_at(const struct broker *broker, uint32_t i)
{
    if (i == 0)
        return broker->options.storage;
    if (i == 1)
        return broker->options.coordination;
    return broker->options.policies[i - 2];
}

static void each_instance(
    struct broker *broker, mrt_status (*call)(struct broker *broker, void *object, mrt_op *op))
{
    struct sequence *sequence = &broker->sequence;

    if (sequence->count == broker->options.policy_count + 2) {
        sequence->count = 0;
        sequence_next(broker, MRT_OK);
        return;
    }
    struct instance *instance = instance_at(broker, sequence->count++);
    sequence->at--;
    sequence_visit(broker, broker->exec, instance, call);
}

static void drain_instances(struct broker *broker)
{
    each_instance(broker, visit_drain);
}

static void stop_instances(struct broker *broker)
{
    each_instance(broker, visit_stop);
}

static void ended(struct broker *broker)
{
    __atomic_store_n(&broker->phase, BROKER_ENDED, __ATOMIC_RELEASE);
    sequence_next(broker, MRT_OK);
}

/* The controller goes first: nothing new is decided afterwards, so versions come to an end. */
static const struct sequence_step steps[] = {
    {"reads", answer_reads},
    {"controller", close_controller},
    {"versions", versions_settle},
    {"logs", close_logs},
    {"directories", close_directories},
    {"drain", drain_instances},
    {"stop", stop_instances},
    {"end", ended},
    {NULL, NULL},
};

static const struct sequence_step quiet_steps[] = {
    {"reads", answer_reads},
    {NULL, NULL},
};

void broker_quiesce(struct broker *broker, mrt_op *op, uint64_t step_ns)
{
    __atomic_store_n(&broker->phase, BROKER_DRAINING, __ATOMIC_RELEASE);
    sequence_begin(broker, quiet_steps, op, step_ns);
}

void broker_drain(struct broker *broker, mrt_op *op, uint64_t step_ns)
{
    __atomic_store_n(&broker->phase, BROKER_DRAINING, __ATOMIC_RELEASE);
    sequence_begin(broker, steps, op, step_ns);
}
