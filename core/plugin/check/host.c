/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host.c - every handle this host gives out, executors included, is the base table's own
 * address, and right before it stands who owns it. So any function finds its host in its first
 * argument, and those that create() must not call need not be told apart.
 */
#include "core/plugin/check/host.h"

#include <stdio.h>
#include <string.h>

#include <mortise/draft/protocol.h>

#include "core/base/assert.h"
#include "core/base/memory.h"

#define NEWER_BYTES 64 /* more at the end of each table of a later host */

typedef void any_fn(void);

struct owned_table {
    struct check_host *owner;
    mrt_host table;
};

static struct check_host *host_of_handle(const void *handle)
{
    struct check_host *host = NULL;
    ASSERT(handle != NULL);
    memcpy(&host, (const char *)handle - offsetof(struct owned_table, table), sizeof host);
    return host;
}

static void violate(struct check_host *host, const char *what)
{
    if (host->violation[0] == '\0')
        snprintf(host->violation, sizeof host->violation, "%s", what);
}

/* ---- base table ------------------------------------------------------------------------------ */

static const struct {
    const char *id;
    uint32_t bytes;
} known[CHECK_TABLES] = {
    {MRT_HOST_EXEC, sizeof(mrt_host_exec)},       {MRT_HOST_CLOCK, sizeof(mrt_host_clock)},
    {MRT_HOST_RANDOM, sizeof(mrt_host_random)},   {MRT_HOST_FILE, sizeof(mrt_host_file)},
    {MRT_HOST_BUFFERS, sizeof(mrt_host_buffers)}, {MRT_HOST_LOG, sizeof(mrt_host_log)},
    {MRT_HOST_METRICS, sizeof(mrt_host_metrics)}, {MRT_HOST_POLL, sizeof(mrt_host_poll)},
    {MRT_HOST_PROBE, sizeof(mrt_host_probe)},     {MRT_HOST_BROKER, sizeof(mrt_host_broker)},
    {MRT_HOST_STREAM, sizeof(mrt_host_stream)},
};

const char *check_table_id(uint32_t i)
{
    return i < CHECK_TABLES ? known[i].id : NULL;
}

static const void *base_get(const mrt_host *table, const char *id)
{
    const struct check_host *host = host_of_handle(table);
    for (uint32_t i = 0; i < CHECK_TABLES; i++)
        if (strcmp(known[i].id, id) == 0)
            return host->absent & 1u << i ? NULL : host->tables[i];
    return NULL;
}

static struct check_block *block_find(struct check_host *host, const void *memory)
{
    for (uint32_t i = 0; i < CHECK_BLOCKS; i++)
        if (host->blocks[i].memory == memory)
            return &host->blocks[i];
    return NULL;
}

static void *base_alloc(const mrt_host *table, uint64_t bytes, uint64_t align)
{
    struct check_host *host = host_of_handle(table);
    if (align == 0 || (align & (align - 1)) != 0 || align > 4096) {
        violate(host, "it asked alloc() for an alignment that is no power of two up to 4096");
        return NULL;
    }
    if (++host->allocations == host->fail_at || host->bytes + bytes > CHECK_BYTES_MAX)
        return NULL;
    struct check_block *block = block_find(host, NULL);
    void *memory = block == NULL ? NULL : memory_try(bytes, align < 8 ? 8 : align);
    if (memory == NULL)
        return NULL;
    memset(memory, 0xa5, bytes); /* nobody promised zeroes */
    *block = (struct check_block){memory, bytes};
    host->bytes += bytes;
    return memory;
}

static void base_free(const mrt_host *table, void *memory)
{
    struct check_host *host = host_of_handle(table);
    if (memory == NULL)
        return;
    struct check_block *block = block_find(host, memory);
    ASSERT(block == NULL || host->bytes >= block->bytes);
    if (block == NULL) {
        violate(host, "it gave free() an address that alloc() did not return, or returned twice");
        return;
    }
    host->bytes -= block->bytes;
    memset(memory, 0x5a, block->bytes);
    memory_free(memory);
    *block = (struct check_block){NULL, 0};
}

static void base_op_done(const mrt_host *table, mrt_op *op, mrt_status status, const mrt_error *why)
{
    (void)op, (void)status, (void)why;
    violate(host_of_handle(table), "it completed an operation that nobody started");
}

static uint32_t base_inside(const mrt_host *table, const mrt_exec *exec)
{
    (void)table, (void)exec;
    return 0; /* create() and destroy() run on MAIN */
}

/* ---- named tables ---------------------------------------------------------------------------- */

/* Stands in every slot that is not filled below. */
static mrt_status out_of_place(const void *handle)
{
    violate(
        host_of_handle(handle),
        "create() or destroy() called a host function that is not for MAIN: do it in start()");
    return MRT_EINVAL;
}

static mrt_status leaf_new(const mrt_host *table, mrt_leaf **out)
{
    host_of_handle(table)->handles++;
    *out = (mrt_leaf *)(uintptr_t)table;
    return MRT_OK;
}

static void leaf_free(mrt_leaf *leaf)
{
    host_of_handle(leaf)->handles--;
}

static void leaf_touch(mrt_leaf *leaf)
{
    ASSERT(host_of_handle(leaf)->handles > 0);
}

static uint32_t log_enabled(const mrt_host *table, uint32_t level)
{
    (void)table, (void)level;
    return 1;
}

static void log_write(const mrt_host *table, uint32_t level, uint64_t trace, const mrt_str *line)
{
    (void)level, (void)trace;
    if (line->n > 4096 || memchr(line->p, '\n', line->n) != NULL)
        violate(host_of_handle(table), "it wrote a log line with a line end or over 4096 bytes");
}

static mrt_status metric_define(const mrt_host *table, const mrt_metric_def *def, mrt_metric **out)
{
    if (def->size < sizeof *def || def->type < MRT_METRIC_COUNTER ||
        def->type > MRT_METRIC_HISTOGRAM || def->name.n == 0)
        violate(host_of_handle(table), "it defined a metric without size, type or name");
    *out = (mrt_metric *)(uintptr_t)table;
    return MRT_OK;
}

static void metric_add(mrt_metric *metric, uint64_t n)
{
    (void)metric, (void)n;
}

static void metric_set(mrt_metric *metric, int64_t v)
{
    (void)metric, (void)v;
}

static void file_boot_id(const mrt_host *table, uint8_t *out)
{
    (void)table;
    memset(out, 7, 16);
}

static void probe_reached(const mrt_host *table, const char *name)
{
    (void)table, (void)name;
}

static void exec_fill(mrt_host_exec *exec)
{
    exec->leaf_new = leaf_new;
    exec->leaf_free = leaf_free;
    exec->leaf_enter = leaf_touch;
    exec->leaf_leave = leaf_touch;
}

static void metrics_fill(mrt_host_metrics *metrics)
{
    metrics->define = metric_define;
    metrics->add = metric_add;
    metrics->set = metric_set;
    metrics->observe = metric_add;
}

/* Gives the slots that MAIN may call what they are for. */
static void table_fill(const char *id, void *table)
{
    if (strcmp(id, MRT_HOST_EXEC) == 0)
        exec_fill(table);
    else if (strcmp(id, MRT_HOST_METRICS) == 0)
        metrics_fill(table);
    else if (strcmp(id, MRT_HOST_LOG) == 0) {
        ((mrt_host_log *)table)->enabled = log_enabled;
        ((mrt_host_log *)table)->write = log_write;
    } else if (strcmp(id, MRT_HOST_FILE) == 0)
        ((mrt_host_file *)table)->boot_id = file_boot_id;
    else if (strcmp(id, MRT_HOST_PROBE) == 0)
        ((mrt_host_probe *)table)->reached = probe_reached;
}

static void *table_new(void *(*guarded)(uint64_t n), uint32_t i, uint32_t newer)
{
    any_fn *function = (any_fn *)out_of_place;
    ASSERT(i < CHECK_TABLES);
    ASSERT(known[i].bytes % sizeof function == 0);
    uint32_t bytes = known[i].bytes + (newer ? NEWER_BYTES : 0);
    char *table = guarded(bytes);
    if (table == NULL)
        return NULL;
    memset(table, 0, bytes);
    memcpy(table, &bytes, sizeof bytes);
    for (uint32_t at = 8; at + sizeof function <= bytes; at += sizeof function)
        memcpy(table + at, &function, sizeof function);
    table_fill(known[i].id, table);
    return table;
}

/* ---- the host -------------------------------------------------------------------------------- */

struct check_host *check_host_new(void *(*guarded)(uint64_t n), uint32_t newer)
{
    ASSERT(guarded != NULL);
    struct check_host *host = memory_new(sizeof *host);
    uint32_t more = newer ? NEWER_BYTES : 0;
    struct owned_table *owned = guarded(sizeof *owned + more);
    for (uint32_t i = 0; i < CHECK_TABLES && owned != NULL; i++) {
        host->tables[i] = table_new(guarded, i, newer);
        if (host->tables[i] == NULL)
            owned = NULL;
    }
    if (owned == NULL) {
        memory_free(host);
        return NULL;
    }
    memset(owned, 0, sizeof *owned + more);
    owned->owner = host;
    owned->table = (mrt_host){
        .size = (uint32_t)sizeof owned->table + more,
        .abi = MRT_ABI + (newer ? 1 : 0),
        .core_version = "check",
        .get = base_get,
        .alloc = base_alloc,
        .free = base_free,
        .op_done = base_op_done,
        .inside = base_inside,
    };
    host->table = &owned->table;
    return host;
}

void check_host_reset(struct check_host *host)
{
    for (uint32_t i = 0; i < CHECK_BLOCKS; i++) {
        memory_free(host->blocks[i].memory);
        host->blocks[i] = (struct check_block){NULL, 0};
    }
    host->allocations = host->bytes = host->fail_at = 0;
    host->absent = host->handles = 0;
    host->violation[0] = '\0';
}

mrt_exec *check_host_exec(struct check_host *host)
{
    return (mrt_exec *)(void *)host->table;
}
