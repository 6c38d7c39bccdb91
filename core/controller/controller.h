/* SPDX-License-Identifier: Apache-2.0 */
/*
 * controller.h - the metadata state machine's only writer, above a coordination plugin.
 *
 * Runs on the coordination instance's executor. Requests queue; those that wait are validated
 * against the committed image plus what this batch already staged, written as one entry (group
 * commit, one entry in flight), and answered when that entry came back through entries() and was
 * applied. There is no other way to change the image.
 *
 *   K1  An answer is given only for an applied entry. MRT_EUNKNOWN from the log ends the epoch; its
 *       requests end with MRT_ENOTLEADER (retry), and whether they happened the log will tell.
 *   K2  Not leading: requests end with MRT_ENOTLEADER at once.
 *   K3  Observers see every version once, in order, on the controller's executor.
 *   K4  Registration of this node's broker is a request like any other.
 */
#ifndef CORE_CONTROLLER_CONTROLLER_H
#define CORE_CONTROLLER_CONTROLLER_H

#include <mortise/coordination.h>

#include "core/base/list.h"
#include "core/cluster/image.h"
#include "core/runtime/runtime.h"

struct controller;

struct controller_options {
    struct runtime *runtime;
    mrt_exec *exec; /* the coordination instance's */
    const mrt_coordination_ops *ops;
    void *inst;
    int32_t node;
    uint8_t cluster_id[16];        /* what to write if the log is empty */
    uint8_t incarnation[16];       /* of this process */
    uint64_t snapshot_every_bytes; /* of entries since the last one */

    /* K3. @image is borrowed: image_ref() to keep. @changes live during the call. */
    void (*on_image)(void *context, struct image *image, const struct image_changes *changes);
    /* The plugin cannot go on: the process must stop. */
    void (*on_fatal)(void *context, const mrt_error *why);
    void *context;
};

struct controller *controller_new(const struct controller_options *options);
void controller_free(struct controller *controller);

/* Opens the log, replays it, campaigns. Completes (on op->exec, the controller's) when this node
 * leads and its ControllerActive entry is applied, or with an error, after which controller_close()
 * is due all the same. From inside the executor. */
mrt_status controller_open(struct controller *controller, mrt_op *op);

/* Ends waiting requests with MRT_ESHUTDOWN, resigns, closes the log. From inside the executor. */
mrt_status controller_close(struct controller *controller, mrt_op *op);

/* ---- requests -------------------------------------------------------------------------------- */

enum controller_request_kind {
    CONTROLLER_REGISTER_BROKER,
    CONTROLLER_CREATE_TOPICS,
    CONTROLLER_DELETE_TOPICS,
    CONTROLLER_PRODUCER_IDS
};

struct controller_config {
    mrt_str name;
    mrt_str value;
};

struct controller_assignment {
    int32_t partition;
    uint32_t n_replicas;
    const int32_t *replicas;
};

/* One topic of a create or delete request; in and out. Texts are the caller's. */
struct controller_topic {
    mrt_str name;               /* delete: may be empty when @id is set */
    uint8_t id[16];             /* out of create; in or out of delete */
    int32_t partitions;         /* out, too; already resolved from -1 */
    int32_t replication_factor; /* out, too; already resolved from -1 */
    uint32_t n_assignments;
    uint32_t n_configs; /* checked by the caller: names and values are valid */
    const struct controller_assignment *assignments;
    const struct controller_config *configs;
    mrt_status status; /* out: MRT_OK, MRT_EEXIST, MRT_ENOENT, MRT_EINVAL, MRT_ERANGE ... */
    uint32_t reason;   /* out: CONTROLLER_REASON_ */
    mrt_error error;   /* out: text for the client, empty when OK */
};

/* Which rule was broken: protocols answer different codes for them. */
enum {
    CONTROLLER_REASON_NONE,
    CONTROLLER_REASON_NAME,       /* not a legal topic name, or collides with '.' and '_' */
    CONTROLLER_REASON_PARTITIONS, /* their number */
    CONTROLLER_REASON_REPLICAS,   /* more than brokers, or not positive */
    CONTROLLER_REASON_ASSIGNMENT,
    CONTROLLER_REASON_REQUEST /* the same topic twice ... */
};

struct controller_request {
    mrt_task task;
    struct list link;              /* in the controller's queue */
    struct controller *controller; /* set by controller_submit() */
    uint32_t next_topic;           /* the controller's: first one not looked at yet */
    uint32_t reserved;
    enum controller_request_kind kind;
    uint32_t validate_only;
    void (*done)(struct controller_request *request); /* on @exec, later, once */
    mrt_exec *exec;
    void *caller;
    mrt_status status; /* of the whole; single topics have their own */
    uint64_t version;  /* out: the image version that shows it */

    struct controller_topic *topics;
    uint32_t n_topics;

    int64_t producer_id_first; /* out of PRODUCER_IDS: a block of CONTROLLER_PRODUCER_BLOCK ids */
    const struct image_broker *broker; /* in of REGISTER_BROKER */
    int64_t broker_epoch;              /* out */
};

#define CONTROLLER_PRODUCER_BLOCK 1000

/* Any executor; @request is the caller's until done. */
void controller_submit(struct controller *controller, struct controller_request *request);

#endif /* CORE_CONTROLLER_CONTROLLER_H */
