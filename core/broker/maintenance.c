/* SPDX-License-Identifier: Apache-2.0 */
/*
 * maintenance.c - on a schedule every log does what is due: retention, rolling by age, expiry of
 * producers. One timer for all; a log still busy with the last round is passed over.
 */
#include "core/base/assert.h"
#include "core/broker/broker_state.h"

static void maintained(struct log_request *request)
{
    struct partition *partition = CONTAINER(request, struct partition, maintenance);

    partition->maintaining = 0;
    bool between =
        request->status == MRT_EGONE || request->status == MRT_EAGAIN; /* closed, opening */
    if (request->status != MRT_OK && !between)
        runtime_log(
            partition->broker->options.runtime, MRT_LOG_WARN, 0,
            "partition.maintenance_failed topic=%s partition=%d status=%s", partition->name,
            partition->index, status_name(request->status));
    if (partition->gone)
        partition_free(partition);
}

static void round_begin(struct broker *broker);

static void due(mrt_timer *timer)
{
    struct broker *broker = CONTAINER(timer, struct broker, maintenance_timer);

    list_each (at, &broker->partitions) {
        struct partition *partition = CONTAINER(at, struct partition, link);
        if (partition->maintaining)
            continue;
        partition->maintaining = 1;
        partition->maintenance =
            (struct log_request){.done = maintained, .exec = broker->exec, .maintenance = 1};
        log_maintain(partition->log, &partition->maintenance);
    }
    round_begin(broker);
}

static void round_begin(struct broker *broker)
{
    ASSERT(broker->options.maintenance_ms > 0);
    broker->maintenance_timer.fire = due;
    exec_timer_set(
        broker->exec, &broker->maintenance_timer,
        exec_now_ns(broker->exec) + (uint64_t)broker->options.maintenance_ms * 1000000);
}

void maintenance_start(struct broker *broker)
{
    round_begin(broker);
}

void maintenance_stop(struct broker *broker)
{
    exec_timer_stop(broker->exec, &broker->maintenance_timer);
}
