/* SPDX-License-Identifier: Apache-2.0 */
/*
 * broker_state.h - the broker's parts, for the files of this folder.
 */
#ifndef CORE_BROKER_BROKER_STATE_H
#define CORE_BROKER_BROKER_STATE_H

#include "core/base/list.h"
#include "core/broker/broker.h"
#include "core/controller/controller.h"
#include "core/runtime/arena.h"

/* What a broker keeps beside a partition: image_partition.local. Made when the image first shows
 * the partition, freed when every reactor has passed the image that no longer does. */
struct partition {
    struct log *log;
    struct log_config config;
    char *name; /* owned */
    int32_t index;
    struct list link; /* in broker.partitions */
    struct log_request maintenance;
    uint32_t maintaining;       /* 1 while that request is under way */
    uint32_t gone;              /* deleted: freed when nothing of it is under way, not closed */
    struct log_request closing; /* opening, too */
    struct broker *broker;
    struct broker_dir *dir;
    const mrt_cfg *storage_cfg; /* owned, as the policies' */
    const mrt_cfg *policy_cfg[LOG_POLICIES_MAX];
};

struct broker_dir {
    struct broker *broker;
    mrt_str path;
    mrt_exec *exec;
    mrt_dir *dir;   /* NULL until open */
    uint32_t logs;  /* partitions that live here; atomic */
    uint32_t state; /* MRT_DIR_; atomic */
    mrt_dir_spec spec;
};

/* A reactor's view: what draft/broker.h calls mrt_broker. */
struct mrt_broker {
    struct broker *broker;
    mrt_exec *reactor;
    struct image *image; /* a reference of its own */
    mrt_task adopt_task;
    struct image *adopt; /* the version to take over */
    mrt_task drain_task;
    struct list polls; /* parked subscriptions: answered empty when draining */
    uint32_t draining;
};

/* One image version on its way from the controller to the reactors. */
struct version {
    mrt_task task;
    struct list link; /* in broker.versions */
    struct broker *broker;
    struct image *image;
    struct partition **opened; /* owned array: logs to open */
    struct partition **closed; /* owned array: logs to delete */
    uint32_t n_opened;
    uint32_t n_closed;
    uint32_t cap_opened;
    uint32_t cap_closed;
    uint32_t begun;
    uint32_t waiting; /* opens or reactors still missing */
};

/* Somebody who answers only when every reactor shows a version. */
struct version_waiter {
    mrt_task task;
    struct list link;
    struct broker *broker;
    uint64_t version;
    mrt_exec *exec;
    void (*done)(struct version_waiter *waiter); /* on @exec */
    void *caller;
};

/* See sequence.h. */
struct sequence {
    const struct sequence_step *steps; /* NULL: none is under way */
    uint32_t at;
    uint32_t expired;
    uint64_t step_ns;
    mrt_op *op; /* the caller's */
    mrt_task task;
    mrt_timer timer;
    mrt_status status;
    uint32_t count; /* a step's own */
    mrt_exec *visit_exec;
    void *visit_object;
    mrt_status (*visit_call)(struct broker *broker, void *object, mrt_op *op);
    mrt_op visit_op;
};

enum broker_phase {
    BROKER_NEW,
    BROKER_STARTING,
    BROKER_SERVING,
    BROKER_DRAINING,
    BROKER_ENDED
};

struct broker {
    struct broker_options options;
    mrt_exec *exec;
    struct controller *controller;
    struct mrt_broker *shards; /* one a reactor */
    struct broker_dir dirs[BROKER_DIRS_MAX];
    enum broker_phase phase; /* atomic: read by every reactor */

    struct list versions; /* to be published, in order; the first is under way */
    struct list waiters;
    uint64_t published;
    struct image *latest; /* the newest the controller has shown, during replay */
    uint32_t replaying;
    struct list partitions;      /* of published images */
    uint32_t closing;            /* requests to close logs under way */
    uint32_t deleting;           /* requests to delete logs under way */
    uint32_t draining_step;      /* the drain waits until no version and no deletion is under way */
    struct inventory *inventory; /* during start */

    struct sequence sequence; /* start and drain */
    mrt_timer maintenance_timer;
    struct controller_request registration;
    struct image_broker self;
    struct version_waiter self_waiter;

    struct {
        int64_t next; /* idempotent producers: ids of the block at hand */
        int64_t end;
    } producer_ids;
    struct list producer_waiters;
    uint32_t producer_asking;
    struct controller_request producer_request;
};

/* publish.c */
void broker_on_image(void *context, struct image *image, const struct image_changes *changes);
void broker_publish_replayed(struct broker *broker);

/* A step of the drain: ends when no version and no deletion is under way. */
void versions_settle(struct broker *broker);
void broker_await_version(struct version_waiter *waiter);
void partition_free(struct partition *partition);

/* inventory.c */

/* A step of the start: lists what the directories hold. */
void inventory_read(struct broker *broker);

/* Where the log of this name is kept; NULL: nowhere yet, or @inventory is NULL. */
struct broker_dir *inventory_find(
    const struct inventory *inventory, const mrt_str *topic, int32_t partition);
void inventory_free(struct inventory *inventory);

/* maintenance.c */
void maintenance_start(struct broker *broker);
void maintenance_stop(struct broker *broker);

/* The partition @tp names in @image, by name or id. MRT_ENOENT (no such topic or partition),
 * MRT_ENOTLEADER (not led here), MRT_EIDMISMATCH. @out may still be looked at with ENOTLEADER. */
mrt_status broker_route(
    const mrt_broker *shard, const mrt_tp *tp, struct partition **out,
    const struct image_partition **where);

static inline enum broker_phase broker_phase_now(const struct broker *broker)
{
    return __atomic_load_n(&broker->phase, __ATOMIC_ACQUIRE);
}

/* Operations: each carries out one number of the envelope on the requester's reactor. */
mrt_status produce_call(mrt_broker *shard, mrt_call *call);
mrt_status sub_open_call(mrt_broker *shard, mrt_call *call);
mrt_status sub_set_call(mrt_broker *shard, mrt_call *call);
mrt_status sub_poll_call(mrt_broker *shard, mrt_call *call);
mrt_status sub_close_call(mrt_broker *shard, mrt_call *call);
void sub_poll_cancel(mrt_call *call);
void sub_drain(mrt_broker *shard);
mrt_status list_offsets_call(mrt_broker *shard, mrt_call *call);
mrt_status epoch_end_call(mrt_broker *shard, mrt_call *call);
mrt_status delete_records_call(mrt_broker *shard, mrt_call *call);
mrt_status create_topics_call(mrt_broker *shard, mrt_call *call);
mrt_status delete_topics_call(mrt_broker *shard, mrt_call *call);
mrt_status init_producer_id_call(mrt_broker *shard, mrt_call *call);
mrt_status describe_configs_call(mrt_broker *shard, mrt_call *call);

/* configs.c */

struct mrt_create_topics_out_topic;
struct mrt_describe_configs_resource;
struct mrt_describe_configs_out_resource;

/* Fills @out with the settings of this broker, if @asked names it. */
mrt_status broker_configs_describe(
    const mrt_broker *shard, mrt_call *call, const struct mrt_describe_configs_resource *asked,
    struct mrt_describe_configs_out_resource *out);

/* Does @asked name the config @name, or all? */
bool configs_wanted(const struct mrt_describe_configs_resource *asked, const char *name);

/* What a topic made now has in force (KIP-525); nothing when there is no memory for it. */
void configs_of_new_topic(
    const mrt_broker *shard, mrt_call *call, const struct controller_topic *topic,
    struct mrt_create_topics_out_topic *out);

/* What the configs of @topic mean to a log: options->config, the storage's settings, the policies
 * in force. The snapshots are @partition's. */
void configs_resolve(
    const struct broker *broker, const struct image_topic *topic, uint32_t replicas,
    struct partition *partition, struct log_options *options);

#endif /* CORE_BROKER_BROKER_STATE_H */
