/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory.c - the plugin: note, instance, and the account that everything is charged to. Keeps
 * nothing beyond the life of a directory; for caches, tests and brokers without a disk.
 */
#include "plugins/storage/memory/memory.h"

#include "sdk/kit/table.h"

MRT_PLUGIN_NOTE(
    "name=storage-memory" MRT_NOTE_END "version=0.1.0" MRT_NOTE_END "abi=0.1" MRT_NOTE_END
    "need=0.1" MRT_NOTE_END "tier=stable" MRT_NOTE_END "flags=sim_safe" MRT_NOTE_END
    "impl=mortise.storage/1 memory" MRT_NOTE_END "key=bytes_max" MRT_NOTE_END
    "key.type=bytes" MRT_NOTE_END "key.default=1073741824" MRT_NOTE_END "key.min=65536" MRT_NOTE_END
    "key.doc=Memory for batches, indexes and side files of all logs; beyond it writing is refused "
    "until something is deleted." MRT_NOTE_END "key=segment_bytes" MRT_NOTE_END
    "key.type=bytes" MRT_NOTE_END "key.default=16777216" MRT_NOTE_END "key.min=4096" MRT_NOTE_END
    "key.max=1073741824" MRT_NOTE_END
    "key.doc=A segment takes no more at this size, even if the topic allows larger ones: memory "
    "is given back segment by segment." MRT_NOTE_END "key=logs_max" MRT_NOTE_END
    "key.type=i64" MRT_NOTE_END "key.default=100000" MRT_NOTE_END "key.min=1" MRT_NOTE_END
    "key.max=10000000" MRT_NOTE_END "key.doc=How many partitions one directory may hold.");

enum {
    KEY_BYTES_MAX,
    KEY_SEGMENT_BYTES,
    KEY_LOGS_MAX
};

/* ---- account --------------------------------------------------------------------------------- */

mrt_status memory_take(struct memory_store *store, uint64_t bytes, void **out)
{
    if (bytes > store->bytes_max)
        return MRT_ENOSPC;
    if (__atomic_add_fetch(&store->used, bytes, __ATOMIC_RELAXED) > store->bytes_max) {
        __atomic_sub_fetch(&store->used, bytes, __ATOMIC_RELAXED);
        return MRT_ENOSPC;
    }
    void *p = store->host->alloc(store->host, bytes, 16);
    if (p == NULL) {
        __atomic_sub_fetch(&store->used, bytes, __ATOMIC_RELAXED);
        return MRT_ENOMEM;
    }
    *out = p;
    return MRT_OK;
}

void memory_give(struct memory_store *store, void *p, uint64_t bytes)
{
    if (p == NULL)
        return;
    __atomic_sub_fetch(&store->used, bytes, __ATOMIC_RELAXED);
    store->host->free(store->host, p);
}

void memory_pin(struct memory_store *store)
{
    __atomic_add_fetch(&store->pins, 1, __ATOMIC_RELAXED);
}

void memory_unpin(struct memory_store *store)
{
    if (__atomic_sub_fetch(&store->pins, 1, __ATOMIC_ACQ_REL) == 0)
        store->host->op_done(store->host, store->stopping, MRT_OK, NULL);
}

/* ---- lifecycle ------------------------------------------------------------------------------- */

static mrt_status find_tables(struct memory_store *store, const mrt_create *how, mrt_error *error)
{
    error->text[0] = 0;
    store->exec = kit_table(how, MRT_HOST_EXEC, error);
    store->clock = kit_table(how, MRT_HOST_CLOCK, error);
    store->buffers = kit_table(how, MRT_HOST_BUFFERS, error);
    if (error->text[0] != 0)
        return error->status = MRT_ENOTSUP;
    return store->exec->leaf_new(store->host, &store->leaf);
}

static mrt_status memory_create(const mrt_create *how, void **inst, mrt_error *error)
{
    const mrt_host *host = how->host;
    struct memory_store *store = host->alloc(host, sizeof *store, 64);
    if (store == NULL)
        return MRT_ENOMEM;
    memset(store, 0, sizeof *store);
    store->host = host;
    mrt_status status = find_tables(store, how, error);
    if (status != MRT_OK) {
        host->free(host, store);
        return status;
    }
    store->bytes_max = (uint64_t)how->view->i64(how->cfg, KEY_BYTES_MAX);
    store->segment_bytes = (uint64_t)how->view->i64(how->cfg, KEY_SEGMENT_BYTES);
    store->logs_max = how->view->i64(how->cfg, KEY_LOGS_MAX);
    store->pins = 1;
    *inst = store;
    return MRT_OK;
}

static mrt_status memory_nothing(void *inst, mrt_op *op)
{
    (void)inst, (void)op; /* start: nothing to open. drain: nothing is ever in flight */
    return MRT_OK;
}

static mrt_status memory_reconfigure(
    void *inst, const mrt_cfg *next, uint32_t phase, mrt_error *error)
{
    (void)inst, (void)next, (void)phase, (void)error; /* no key is dynamic */
    return MRT_OK;
}

/* Directories are closed; readers may still hold what they pinned. */
static mrt_status memory_stop(void *inst, mrt_op *op)
{
    struct memory_store *store = inst;
    store->stopping = op;
    memory_unpin(store);
    return MRT_PENDING;
}

static void memory_destroy(void *inst)
{
    struct memory_store *store = inst;
    store->exec->leaf_free(store->leaf);
    store->host->free(store->host, store);
}

static const mrt_lifecycle lifecycle = {
    .size = sizeof(mrt_lifecycle),
    .create = memory_create,
    .start = memory_nothing,
    .reconfigure = memory_reconfigure,
    .drain = memory_nothing,
    .stop = memory_stop,
    .destroy = memory_destroy,
};

static const mrt_impl impls[] = {
    {sizeof(mrt_impl), 0, MRT_KIND_STORAGE, "memory", &lifecycle, &memory_ops},
};

static const mrt_plugin plugin = {
    .size = sizeof(mrt_plugin),
    .abi = MRT_ABI,
    .note = MRT_NOTE,
    .note_bytes = MRT_NOTE_BYTES,
    .impls = impls,
    .n_impls = 1,
    .impl_stride = sizeof(mrt_impl),
};

const mrt_plugin *MRT_ENTRY_NAME(uint32_t host_abi)
{
    return host_abi >> 16 == MRT_ABI_MAJOR ? &plugin : NULL;
}
