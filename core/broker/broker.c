/* SPDX-License-Identifier: Apache-2.0 */
#include "core/broker/broker.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/base/memory.h"
#include "core/broker/broker_state.h"

static void on_fatal(void *context, const mrt_error *why)
{
    struct broker *broker = context;
    broker->options.on_fatal(broker->options.context, why);
}

/* An answer is never larger than half of what all answers together may hold. */
static void limit_fetch(struct broker_options *options)
{
    uint64_t most = options->memory_max / 8;
    if (most > 0 && (options->fetch_bytes_max == 0 || options->fetch_bytes_max > most))
        options->fetch_bytes_max = most;
}

static struct controller *make_controller(struct broker *broker)
{
    const struct broker_options *options = &broker->options;
    struct controller_options controller = {
        .runtime = options->runtime,
        .exec = options->coordination->exec,
        .ops = options->coordination->ops,
        .inst = options->coordination->inst,
        .node = options->node,
        .snapshot_every_bytes = options->snapshot_every_bytes,
        .on_image = broker_on_image,
        .on_fatal = on_fatal,
        .context = broker,
    };
    memcpy(controller.cluster_id, options->cluster_id, sizeof controller.cluster_id);
    memcpy(controller.incarnation, options->incarnation, sizeof controller.incarnation);
    return controller_new(&controller);
}

struct broker *broker_new(const struct broker_options *options)
{
    struct broker *broker = memory_new(sizeof *broker);
    uint32_t reactors = runtime_reactors(options->runtime);

    ASSERT(options->dir_count > 0);
    ASSERT(options->dir_count <= BROKER_DIRS_MAX);
    ASSERT(options->endpoint_count <= BROKER_ENDPOINTS_MAX);
    ASSERT(options->policy_count <= LOG_POLICIES_MAX);
    broker->options = *options;
    limit_fetch(&broker->options);
    broker->exec = strand_new(options->runtime, 0);
    list_init(&broker->versions);
    list_init(&broker->waiters);
    list_init(&broker->partitions);
    list_init(&broker->producer_waiters);
    broker->shards = memory_array(reactors, sizeof *broker->shards);
    for (uint32_t i = 0; i < reactors; i++) {
        struct mrt_broker *shard = &broker->shards[i];
        shard->broker = broker;
        shard->reactor = runtime_reactor(options->runtime, i);
        shard->image = image_empty();
        list_init(&shard->polls);
    }
    for (uint32_t i = 0; i < options->dir_count; i++)
        broker->dirs[i] = (struct broker_dir){
            .broker = broker,
            .path = options->dirs[i],
            .exec = strand_new(options->runtime, i),
            .state = MRT_DIR_ONLINE,
        };
    broker->controller = make_controller(broker);
    return broker;
}

void broker_free(struct broker *broker)
{
    if (broker == NULL)
        return;
    list_each_safe (at, &broker->partitions) {
        partition_free(CONTAINER(at, struct partition, link));
    }
    for (uint32_t i = 0; i < runtime_reactors(broker->options.runtime); i++)
        image_unref(broker->shards[i].image);
    for (uint32_t i = 0; i < broker->options.dir_count; i++)
        strand_free(broker->dirs[i].exec);
    image_unref(broker->latest);
    inventory_free(broker->inventory);
    controller_free(broker->controller);
    strand_free(broker->exec);
    memory_free(broker->shards);
    memory_free(broker);
}

mrt_exec *broker_exec(const struct broker *broker)
{
    return broker->exec;
}

void broker_advertise(struct broker *broker, uint32_t endpoint, uint32_t port)
{
    ASSERT(endpoint < broker->options.endpoint_count);
    broker->options.endpoints[endpoint].port = port;
}

struct budget *broker_budget(struct broker *broker)
{
    return runtime_budget(broker->options.runtime);
}

const struct broker_options *broker_options(const struct broker *broker)
{
    return &broker->options;
}
