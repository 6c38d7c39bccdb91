/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host.h - the tables of <mortise/host.h> as one plugin instance gets them, over executors and
 * environment. What a plugin does through them is charged to its instance.
 */
#ifndef CORE_RUNTIME_HOST_H
#define CORE_RUNTIME_HOST_H

#include "core/runtime/runtime.h"

#define HOST_TABLES_MAX 8 /* offered by layers above, beside the runtime's own */

enum {
    HOST_OS = 1 /* may use mortise.host.poll/1: the note says flags=os */
};

struct host_options {
    struct runtime *runtime;
    const char *name;    /* "storage/segment"; borrowed as long as the host; in every log line */
    uint32_t flags;      /* HOST_ bits */
    uint64_t memory_max; /* bytes alloc() gives at most; 0: no limit of its own */
};

struct host;

struct host *host_new(const struct host_options *options);

/* The instance was destroyed: frees all, and says by a log line what was not given back. */
void host_free(struct host *host);

/* What mrt_create.host points at. */
const mrt_host *host_table(const struct host *host);

/* The other way, for tables of upper layers that are called with an mrt_host. */
struct host *host_of(const mrt_host *table);
struct runtime *host_runtime(const struct host *host);

/* Makes get(@id) answer @table (static or outliving the host); @context is found by host_context().
 * Before create(). */
void host_offer(struct host *host, const char *id, const void *table, void *context);
void *host_context(const struct host *host, const char *id);

#define HOST_BUCKETS 48 /* powers of two: up to 78 hours in nanoseconds, 128 TiB in bytes */

/* What one metric shows now. */
struct host_metric {
    uint32_t type; /* MRT_METRIC_ */
    const char *name;
    const char *help;
    const char *labels;
    uint64_t value; /* counter; gauge (as int64); histogram: observations */
    uint64_t sum;   /* histogram */
    uint64_t
        buckets[HOST_BUCKETS]; /* histogram: [i] counts those below 2^i, and not below the half */
};

/* Calls each() with all metrics in the order of their definition. Any thread; each() does not call
 * the host. */
void host_metrics_each(
    struct host *host, void (*each)(void *ctx, const struct host_metric *metric), void *ctx);

/* Bytes alloc() gave and free() did not take back. */
uint64_t host_memory(const struct host *host);

#endif /* CORE_RUNTIME_HOST_H */
