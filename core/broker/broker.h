/* SPDX-License-Identifier: Apache-2.0 */
/*
 * broker.h - the broker's semantics above the layers: what the operations of
 * <mortise/draft/broker.h> mean, and the order in which things start and end.
 *
 * Made from instances that somebody else created (main from conf.d, a test, the simulator), so it
 * runs the same as a daemon, in one static file and inside a unit test.
 *
 *   B1  The control strand owns start, drain and the publication of images. Each reactor has a
 *       shard with its own reference to the present image; it changes between two of its turns.
 *   B2  Order of a new version: logs are created, then opened, then every reactor adopts the image,
 *       then whoever waits for the version is answered, then logs of deleted topics go.
 *   B3  An operation runs on the requester's reactor and posts to strands; the countdown is at the
 *       requester. Nothing here waits.
 */
#ifndef CORE_BROKER_BROKER_H
#define CORE_BROKER_BROKER_H

#include <mortise/cleanup.h>
#include <mortise/coordination.h>
#include <mortise/draft/broker.h>
#include <mortise/storage.h>

#include "core/cluster/image.h"
#include "core/config/topic_config.h"
#include "core/log/log.h"
#include "core/plugin/instance.h"
#include "core/runtime/budget.h"
#include "core/runtime/runtime.h"

#define BROKER_DIRS_MAX      64
#define BROKER_ENDPOINTS_MAX 16

struct broker_options {
    struct runtime *runtime;
    struct instance *storage;
    struct instance *coordination;
    struct instance *policies[LOG_POLICIES_MAX]; /* cleanup, in the order to ask them */
    uint32_t policy_count;
    uint32_t dir_count;
    mrt_str dirs[BROKER_DIRS_MAX];    /* log directories; borrowed as long as the broker */
    const struct topic_table *topics; /* what topics may be configured with; likewise */
    const struct settings *settings;  /* what DescribeConfigs of the broker shows; likewise */
    int32_t node;
    int32_t partitions_default; /* num.partitions */
    int32_t replicas_default;   /* default.replication.factor */
    uint32_t auto_create;       /* auto.create.topics.enable */
    uint32_t delete_topics;     /* delete.topic.enable */
    mrt_str rack;
    uint8_t cluster_id[16];                                /* for an empty metadata log */
    uint8_t incarnation[16];                               /* of this process */
    struct image_endpoint endpoints[BROKER_ENDPOINTS_MAX]; /* as advertised */
    uint32_t endpoint_count;
    uint64_t memory_max;           /* bytes; one fetch takes an eighth of it at most */
    uint64_t fetch_bytes_max;      /* fetch.max.bytes, of one poll; 0: no limit */
    int64_t maintenance_ms;        /* log.retention.check.interval.ms */
    uint64_t snapshot_every_bytes; /* of metadata entries */

    /* Something without which nothing can go on failed: stop the process. Any thread. */
    void (*on_fatal)(void *context, const mrt_error *why);
    void *context;
};

struct broker;

/* Keeps the options; no I/O. From MAIN, before the reactors run. */
struct broker *broker_new(const struct broker_options *options);
void broker_free(struct broker *broker);

/* Starts instances, opens directories, replays metadata, opens logs, registers. Completes on the
 * control strand when requests can be served. Any executor. */
void broker_start(struct broker *broker, mrt_op *op);

/* No request is taken any more (MRT_ESHUTDOWN), parked reads are answered; what is under way goes
 * its way and is answered. Before broker_drain(), when connections are to end in order. Any
 * executor. */
void broker_quiesce(struct broker *broker, mrt_op *op, uint64_t step_ns);

/* Ends what broker_start() began, in order: parked reads are answered, logs flushed and closed,
 * directories marked clean, coordination closed. Every step is bounded by @step_ns. Requests that
 * come now end with MRT_ESHUTDOWN. Any executor. */
void broker_drain(struct broker *broker, mrt_op *op, uint64_t step_ns);

mrt_exec *broker_exec(const struct broker *broker);

/* Sets what is advertised before broker_start(): a port 0 is known only when it is bound. */
void broker_advertise(struct broker *broker, uint32_t endpoint, uint32_t port);

/* The root of the accounts of all connections. */
struct budget *broker_budget(struct broker *broker);

/* Settings as the broker runs with them, for DescribeConfigs of the broker and for defaults. */
const struct broker_options *broker_options(const struct broker *broker);

/* The table protocols get as mortise.host.broker/1; its context is the broker. */
extern const mrt_host_broker broker_table;

#endif /* CORE_BROKER_BROKER_H */
