/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tables.h - one instance's insides, for the files that implement its tables.
 */
#ifndef CORE_RUNTIME_HOST_TABLES_H
#define CORE_RUNTIME_HOST_TABLES_H

#include "core/base/assert.h"
#include "core/base/list.h"
#include "core/runtime/host.h"
#include "core/runtime/reactor.h"

#define HOST_METRICS_MAX 256 /* of one instance: what is defined is there for good */
#define HOST_STREAMS_MAX 64  /* of one instance; one per purpose */

struct offered {
    const char *id;
    const void *table;
    void *context;
};

struct host {
    mrt_host table; /* first: a plugin's mrt_host is a host */
    struct runtime *runtime;
    const char *name;
    uint32_t flags;
    uint32_t offered_count;
    uint64_t memory_max;
    struct env_lock *lock; /* owned; guards what follows */
    uint64_t memory;       /* bytes given out by alloc() */
    struct list blocks;    /* of alloc() */
    struct list leaves;    /* leaf locks not freed */
    struct list metrics;   /* owned */
    struct list streams;   /* owned */
    uint32_t metric_count;
    uint32_t stream_count;
    struct offered offered[HOST_TABLES_MAX];
};

extern const mrt_host_exec host_exec_table;
extern const mrt_host_clock host_clock_table;
extern const mrt_host_random host_random_table;
extern const mrt_host_file host_file_table;
extern const mrt_host_buffers host_buffers_table;
extern const mrt_host_log host_log_table;
extern const mrt_host_metrics host_metrics_table;
extern const mrt_host_poll host_poll_table;
extern const mrt_host_probe host_probe_table;

void host_leaves_free(struct host *host);
void host_streams_free(struct host *host);
void host_metrics_free(struct host *host);

static inline void host_lock(struct host *host)
{
    host->runtime->env->ops->lock_enter(host->lock);
}

static inline void host_unlock(struct host *host)
{
    host->runtime->env->ops->lock_leave(host->lock);
}

/* No host call is made under a leaf lock. Walked in checked builds: it is the plugin's mistake. */
static inline void no_leaf(const struct runtime *runtime)
{
    ASSERT(env_thread(runtime->env)->leaves == 0);
}

/* A MRT_HOME function is called from inside the executor it names. */
static inline void at_home(const mrt_exec *exec)
{
    no_leaf(exec->runtime);
    ASSERT(exec_inside(exec));
}

#endif /* CORE_RUNTIME_HOST_TABLES_H */
