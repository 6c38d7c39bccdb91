/* SPDX-License-Identifier: Apache-2.0 */
/*
 * instance.h - one running plugin: an implementation, its settings, its executor and its host.
 *
 *   I1  created -> started -> (draining -> drained ->) stopped -> destroyed. Each step is taken
 *       once, and one at a time; asking out of order is our own mistake.
 *   I2  start, drain, stop and reconfigure run on the instance's strand and complete the caller's
 *       operation on the caller's executor: always MRT_PENDING, from any thread.
 *   I3  A start that fails is followed by stop() before its operation completes with the start's
 *       status: what is left to do is instance_destroy().
 *   I4  The settings a plugin sees live until reconfigure() took over the next ones.
 */
#ifndef CORE_PLUGIN_INSTANCE_H
#define CORE_PLUGIN_INSTANCE_H

#include "core/plugin/cfg.h"
#include "core/plugin/registry.h"
#include "core/runtime/host.h"

/* A host table of an upper layer, as host_offer(). */
struct instance_offer {
    const char *id;
    const void *table;
    void *context;
};

struct instance_options {
    struct runtime *runtime;
    const char *name; /* the operator's, copied: "orders-store"; in every log line */
    const struct cfg_value *values;
    uint32_t n_values;
    const struct instance_offer *offers;
    uint32_t n_offers;   /* at most HOST_TABLES_MAX */
    uint64_t memory_max; /* bytes; 0: no limit of its own */
    uint32_t home;       /* reactor that serves the strand's timers */
};

enum instance_state {
    INSTANCE_CREATED,
    INSTANCE_STARTING,
    INSTANCE_RUNNING,
    INSTANCE_DRAINING,
    INSTANCE_DRAINED,
    INSTANCE_STOPPING,
    INSTANCE_STOPPED
};

struct instance {
    const struct impl *impl; /* the registry's, which outlives the instance */
    const void *ops;         /* impl->ops: a complete mrt_storage_ops and so on */
    void *inst;              /* the plugin's, first argument of its functions */
    mrt_exec *exec;
    struct host *host;
    const mrt_cfg *cfg;
    char *name; /* owned */
    enum instance_state state;
    mrt_task task;       /* of the step that is on its way to the strand */
    mrt_op op;           /* the plugin's, of that step */
    mrt_op *caller;      /* who waits for the step; NULL between steps */
    mrt_status failed;   /* why start() did not succeed (I3) */
    const mrt_cfg *next; /* of a reconfigure() on its way */
    uint32_t phase;
    mrt_error *error;
};

/* Checks the settings, makes the instance. From MAIN. Nothing is left on an error, whose text
 * begins with the instance's name. */
mrt_status instance_create(
    const struct impl *impl, const struct instance_options *options, struct instance **out,
    mrt_error *error) MUST_CHECK;

/* Their outcome is @op's (I2, I3). */
void instance_start(struct instance *instance, mrt_op *op);
void instance_drain(struct instance *instance, mrt_op *op);
void instance_stop(struct instance *instance, mrt_op *op);

/* From MAIN, when created only or stopped. NULL is fine. */
void instance_destroy(struct instance *instance);

/*
 * MRT_RECONFIGURE_CHECK asks the plugin whether @next (of cfg_new(), the impl's keys) would do;
 * @op's status and @error's text say. MRT_RECONFIGURE_APPLY takes @next over, frees the settings it
 * replaces, and cannot fail. @error is borrowed until completion.
 */
void instance_reconfigure(
    struct instance *instance, const mrt_cfg *next, uint32_t phase, mrt_op *op, mrt_error *error);

/* The plugin's part for @reactor, on which it runs. *@shard until instance_shard_close(), there. */
mrt_status instance_shard_open(
    struct instance *instance, mrt_exec *reactor, void **shard, mrt_error *error) MUST_CHECK;
void instance_shard_close(struct instance *instance, mrt_exec *reactor, void *shard);

#endif /* CORE_PLUGIN_INSTANCE_H */
