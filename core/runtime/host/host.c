/* SPDX-License-Identifier: Apache-2.0 */
#include "core/runtime/host.h"

#include <string.h>

#include "core/base/memory.h"
#include "core/runtime/host/tables.h"

#define CORE_VERSION "0.1.0"

/* Right before the bytes alloc() gives out. */
struct block {
    struct list node; /* in host.blocks */
    uint64_t bytes;
    void *memory; /* what memory_free() wants: the alignment may have moved us away from it */
};

/* ---- the base table -------------------------------------------------------------------------- */

static const void *host_get(const mrt_host *table, const char *id)
{
    static const struct {
        const char *id;
        const void *table;
    } tables[] = {
        {MRT_HOST_EXEC, &host_exec_table},       {MRT_HOST_CLOCK, &host_clock_table},
        {MRT_HOST_RANDOM, &host_random_table},   {MRT_HOST_FILE, &host_file_table},
        {MRT_HOST_BUFFERS, &host_buffers_table}, {MRT_HOST_LOG, &host_log_table},
        {MRT_HOST_METRICS, &host_metrics_table},
    };
    const struct host *host = host_of(table);
    for (uint32_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        if (strcmp(id, tables[i].id) == 0)
            return tables[i].table;
    }
    if (strcmp(id, MRT_HOST_POLL) == 0)
        return (host->flags & HOST_OS) != 0 ? &host_poll_table : NULL;
    if (strcmp(id, MRT_HOST_PROBE) == 0)
        return host->runtime->env->ops->reached != NULL ? &host_probe_table : NULL;
    for (uint32_t i = 0; i < host->offered_count; i++) {
        if (strcmp(id, host->offered[i].id) == 0)
            return host->offered[i].table;
    }
    return NULL;
}

static void *host_alloc(const mrt_host *table, uint64_t bytes, uint64_t align)
{
    struct host *host = host_of(table);
    CHECK(no_leaf(host->runtime));
    if (align == 0 || (align & (align - 1)) != 0 || align > 4096 || bytes > BLOCK_MAX)
        return NULL;
    uint64_t room = align > sizeof(struct block) ? align : sizeof(struct block);
    uint8_t *memory = memory_try(room + bytes, align > 16 ? align : 16);
    if (memory == NULL)
        return NULL;
    struct block *block = (struct block *)(void *)(memory + room - sizeof *block);
    *block = (struct block){.bytes = bytes, .memory = memory};

    host_lock(host);
    bool fits = host->memory_max == 0 ||
                (bytes <= host->memory_max && host->memory <= host->memory_max - bytes);
    if (fits) {
        host->memory += bytes;
        list_append(&host->blocks, &block->node);
    }
    host_unlock(host);
    if (!fits)
        memory_free(memory);
    return fits ? block + 1 : NULL;
}

static void block_free(struct host *host, struct block *block)
{
    ASSERT(list_linked(&block->node)); /* not from alloc(), or freed twice */
    ASSERT(host->memory >= block->bytes);
    host->memory -= block->bytes;
    list_remove(&block->node);
    memory_free(block->memory);
}

static void host_release(const mrt_host *table, void *p)
{
    struct host *host = host_of(table);
    if (p == NULL)
        return;
    CHECK(no_leaf(host->runtime));
    host_lock(host);
    block_free(host, (struct block *)p - 1);
    host_unlock(host);
}

static void host_op_done(const mrt_host *table, mrt_op *op, mrt_status status, const mrt_error *why)
{
    struct host *host = host_of(table);
    CHECK(no_leaf(host->runtime));
    if (why != NULL && status != MRT_OK)
        runtime_log(
            host->runtime, MRT_LOG_WARN, op->trace,
            "plugin.failed plugin=%s status=%s why=\"%.*s\"", host->name, status_name(status),
            (int)sizeof why->text, why->text);
    op_complete(op, status);
}

static uint32_t host_inside(const mrt_host *table, const mrt_exec *exec)
{
    (void)table;
    return exec_inside(exec) ? 1 : 0;
}

/* ---- life ------------------------------------------------------------------------------------ */

struct host *host_new(const struct host_options *options)
{
    ASSERT(options->runtime != NULL);
    ASSERT(options->name != NULL);
    struct env *env = options->runtime->env;
    struct host *host = memory_new(sizeof *host);
    host->table = (mrt_host){
        .size = sizeof host->table,
        .abi = MRT_ABI,
        .core_version = CORE_VERSION,
        .get = host_get,
        .alloc = host_alloc,
        .free = host_release,
        .op_done = host_op_done,
        .inside = host_inside,
    };
    host->runtime = options->runtime;
    host->name = options->name;
    host->flags = options->flags;
    host->memory_max = options->memory_max;
    host->lock = env->ops->lock_new(env);
    list_init(&host->blocks);
    list_init(&host->leaves);
    list_init(&host->metrics);
    list_init(&host->streams);
    return host;
}

void host_free(struct host *host)
{
    if (host == NULL)
        return;
    uint64_t count = 0;
    list_each (node, &host->blocks)
        count++;
    if (count > 0)
        runtime_log(
            host->runtime, MRT_LOG_WARN, 0, "plugin.leaked plugin=%s blocks=%llu bytes=%llu",
            host->name, (unsigned long long)count, (unsigned long long)host->memory);
    list_each_safe (node, &host->blocks)
        block_free(host, CONTAINER(node, struct block, node));
    host_leaves_free(host);
    host_streams_free(host);
    host_metrics_free(host);
    host->runtime->env->ops->lock_free(host->lock);
    memory_free(host);
}

const mrt_host *host_table(const struct host *host)
{
    return &host->table;
}

/* The table is handed out as const: a plugin has no business in it; we own what it lies in. */
struct host *host_of(const mrt_host *table)
{
    return CONTAINER((uintptr_t)table, struct host, table);
}

struct runtime *host_runtime(const struct host *host)
{
    return host->runtime;
}

void host_offer(struct host *host, const char *id, const void *table, void *context)
{
    ASSERT(host->offered_count < HOST_TABLES_MAX);
    ASSERT(host_get(&host->table, id) == NULL);
    host->offered[host->offered_count++] = (struct offered){id, table, context};
}

void *host_context(const struct host *host, const char *id)
{
    for (uint32_t i = 0; i < host->offered_count; i++) {
        if (strcmp(id, host->offered[i].id) == 0)
            return host->offered[i].context;
    }
    return NULL;
}

uint64_t host_memory(const struct host *host)
{
    struct host *own = host_of(&host->table);
    host_lock(own);
    uint64_t memory = host->memory;
    host_unlock(own);
    return memory;
}
