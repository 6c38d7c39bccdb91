/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mortise.host.metrics/1: numbers an instance keeps about itself. Adding is one atomic addition;
 * whoever publishes them walks the instances (host_metrics_each()).
 */
#include "core/base/memory.h"
#include "core/base/str.h"
#include "core/runtime/host/tables.h"

struct mrt_metric {
    struct list node; /* in host.metrics */
    struct host_metric row;
    char *name;   /* owned */
    char *help;   /* owned */
    char *labels; /* owned */
};

static bool same(const mrt_metric *metric, const mrt_metric_def *def)
{
    return str_is(&def->name, metric->name) && str_is(&def->labels, metric->labels);
}

static bool is_defined(const struct host *host, const mrt_metric_def *def)
{
    list_each (node, &host->metrics) {
        if (same(CONTAINER(node, mrt_metric, node), def))
            return true;
    }
    return false;
}

static mrt_metric *metric_new(const mrt_metric_def *def)
{
    mrt_metric *metric = memory_new(sizeof *metric);
    metric->name = str_copy(&def->name);
    metric->help = str_copy(&def->help);
    metric->labels = str_copy(&def->labels);
    metric->row.type = def->type;
    metric->row.name = metric->name;
    metric->row.help = metric->help;
    metric->row.labels = metric->labels;
    return metric;
}

static mrt_status metric_define(const mrt_host *table, const mrt_metric_def *def, mrt_metric **out)
{
    struct host *host = host_of(table);
    mrt_status status = MRT_OK;
    CHECK(no_leaf(host->runtime));
    if (!MRT_HAS(def, labels) || def->name.n == 0)
        return MRT_EINVAL;
    if (def->type < MRT_METRIC_COUNTER || def->type > MRT_METRIC_HISTOGRAM)
        return MRT_EINVAL;
    host_lock(host);
    if (is_defined(host, def))
        status = MRT_EEXIST;
    else if (host->metric_count == HOST_METRICS_MAX)
        status = MRT_ENOMEM;
    if (status == MRT_OK) {
        *out = metric_new(def);
        list_append(&host->metrics, &(*out)->node);
        host->metric_count++;
    }
    host_unlock(host);
    return status;
}

static void metric_add(mrt_metric *metric, uint64_t n)
{
    __atomic_fetch_add(&metric->row.value, n, __ATOMIC_RELAXED);
}

static void metric_set(mrt_metric *metric, int64_t v)
{
    __atomic_store_n(&metric->row.value, (uint64_t)v, __ATOMIC_RELAXED);
}

/* Bucket i counts observations below 2^i: one shift, no table, within a factor of two. */
static void metric_observe(mrt_metric *metric, uint64_t v)
{
    uint32_t bits = v == 0 ? 0 : 64 - (uint32_t)__builtin_clzll(v);
    uint32_t bucket = bits < HOST_BUCKETS ? bits : HOST_BUCKETS - 1;
    __atomic_fetch_add(&metric->row.buckets[bucket], 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&metric->row.sum, v, __ATOMIC_RELAXED);
    __atomic_fetch_add(&metric->row.value, 1, __ATOMIC_RELAXED);
}

void host_metrics_each(
    struct host *host, void (*each)(void *ctx, const struct host_metric *metric), void *ctx)
{
    host_lock(host);
    list_each (node, &host->metrics) {
        const struct host_metric *row = &CONTAINER(node, mrt_metric, node)->row;
        struct host_metric copy = {row->type, row->name, row->help, row->labels, 0, 0, {0}};
        copy.value = __atomic_load_n(&row->value, __ATOMIC_RELAXED);
        copy.sum = __atomic_load_n(&row->sum, __ATOMIC_RELAXED);
        for (uint32_t i = 0; i < HOST_BUCKETS; i++)
            copy.buckets[i] = __atomic_load_n(&row->buckets[i], __ATOMIC_RELAXED);
        each(ctx, &copy);
    }
    host_unlock(host);
}

void host_metrics_free(struct host *host)
{
    while (!list_empty(&host->metrics)) {
        mrt_metric *metric = CONTAINER(list_take(&host->metrics), mrt_metric, node);
        memory_free(metric->name);
        memory_free(metric->help);
        memory_free(metric->labels);
        memory_free(metric);
    }
}

const mrt_host_metrics host_metrics_table = {
    .size = sizeof host_metrics_table,
    .define = metric_define,
    .add = metric_add,
    .set = metric_set,
    .observe = metric_observe,
};
