/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store.c - what the loader sees: the note, an instance's life, the tables.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "plugins/storage/segment/parts.h"

#define LINE_BYTES 1024

MRT_PLUGIN_NOTE(
    "name=storage-segment" MRT_NOTE_END "version=0.1.0" MRT_NOTE_END "abi=0.1" MRT_NOTE_END
    "need=0.1" MRT_NOTE_END "tier=stable" MRT_NOTE_END "flags=sim_safe" MRT_NOTE_END
    "impl=mortise.storage/1 segment" MRT_NOTE_END

    "key=files_max" MRT_NOTE_END "key.type=i64" MRT_NOTE_END "key.default=4096" MRT_NOTE_END
    "key.min=8" MRT_NOTE_END "key.max=1000000" MRT_NOTE_END
    "key.doc=How many files of logs may be open at once; beyond, the longest unused are closed."  //
    MRT_NOTE_END

    "key=checkpoint_ms" MRT_NOTE_END "key.type=millis" MRT_NOTE_END "key.default=5000" MRT_NOTE_END
    "key.min=1" MRT_NOTE_END "key.max=3600000" MRT_NOTE_END
    "key.doc=How long changed offsets (high watermark, recovery point) wait to be written."  //
    MRT_NOTE_END

    "key=index_interval_bytes" MRT_NOTE_END "key.type=bytes" MRT_NOTE_END
    "key.default=4096" MRT_NOTE_END "key.min=0" MRT_NOTE_END "key.max=2147483647" MRT_NOTE_END
    "key.flags=per_topic,dynamic" MRT_NOTE_END "key.kafka=index.interval.bytes" MRT_NOTE_END
    "key.doc=A batch gets an index entry when more bytes than this came since the last one."  //
    MRT_NOTE_END

    "key=segment_index_bytes" MRT_NOTE_END "key.type=bytes" MRT_NOTE_END
    "key.default=10485760" MRT_NOTE_END "key.min=64" MRT_NOTE_END "key.max=2147483647" MRT_NOTE_END
    "key.flags=per_topic,dynamic" MRT_NOTE_END "key.kafka=segment.index.bytes" MRT_NOTE_END
    "key.doc=A segment is full when one of its index files would pass this size.");

void segment_say(const struct store *store, uint32_t level, const char *format, ...)
{
    char line[LINE_BYTES];
    va_list args;
    if (!store->log || !store->log->enabled(store->host, level))
        return;
    va_start(args, format);
    int n = vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    mrt_str text = {line, n < 0 ? 0 : (uint64_t)n < sizeof(line) ? (uint64_t)n : sizeof(line) - 1};
    store->log->write(store->host, level, 0, &text);
}

mrt_status segment_error(mrt_error *error, mrt_status status, const char *format, ...)
{
    va_list args;
    if (!error)
        return status;
    error->status = status;
    error->reserved = 0;
    va_start(args, format);
    vsnprintf(error->text, sizeof(error->text), format, args);
    va_end(args);
    return status;
}

/* ---- life ------------------------------------------------------------------------------------ */

static mrt_status tables(struct store *store, mrt_error *error)
{
    const mrt_host *host = store->host;
    const char *const ids[] = {
        MRT_HOST_EXEC, MRT_HOST_CLOCK, MRT_HOST_RANDOM, MRT_HOST_FILE, MRT_HOST_LOG,
    };
    const void *found[5];
    for (uint32_t i = 0; i < 5; i++) {
        found[i] = host->get(host, ids[i]);
        if (!found[i] && i < 4)
            return segment_error(error, MRT_ENOTSUP, "the host has no table %s", ids[i]);
    }
    store->exec = found[0];
    store->clock = found[1];
    store->random = found[2];
    store->file = found[3];
    store->log = found[4];
    return MRT_OK;
}

static void store_configure(struct store *store, const mrt_cfg *cfg)
{
    store->checkpoint_ms = store->view->i64(cfg, KEY_CHECKPOINT_MS);
    store->files.max = (uint64_t)store->view->i64(cfg, KEY_FILES_MAX);
    if (store->files.max < FILES_MIN)
        store->files.max = FILES_MIN;
}

static mrt_status store_create(const mrt_create *how, void **inst, mrt_error *error)
{
    const mrt_host *host = how->host;
    struct store *store = host->alloc(host, sizeof(*store), 16);
    if (!store)
        return segment_error(error, MRT_ENOMEM, "no memory for the instance");
    memset(store, 0, sizeof(*store));
    store->host = host;
    store->view = how->view;
    store->home = how->exec;
    mrt_status status = tables(store, error);
    if (!status)
        status = store->exec->leaf_new(host, &store->files.leaf);
    if (status) {
        host->free(host, store);
        return status;
    }
    store_configure(store, how->cfg);
    *inst = store;
    return MRT_OK;
}

static mrt_status store_start(void *inst, mrt_op *op)
{
    (void)inst, (void)op;
    return MRT_OK;
}

static mrt_status store_reconfigure(
    void *inst, const mrt_cfg *next, uint32_t phase, mrt_error *error)
{
    (void)inst, (void)next, (void)phase, (void)error; /* files_max, checkpoint_ms: not dynamic */
    return MRT_OK;
}

/* The core closes logs and directories itself; only new ones are refused. */
static mrt_status store_drain(void *inst, mrt_op *op)
{
    struct store *store = inst;
    (void)op;
    __atomic_store_n(&store->stopping, 1, __ATOMIC_RELAXED);
    return MRT_OK;
}

static mrt_status store_stop(void *inst, mrt_op *op)
{
    return store_drain(inst, op);
}

static void store_destroy(void *inst)
{
    struct store *store = inst;
    store->exec->leaf_free(store->files.leaf);
    store->host->free(store->host, store);
}

/* ---- tables ---------------------------------------------------------------------------------- */

static const mrt_lifecycle lifecycle = {
    .size = sizeof(mrt_lifecycle),
    .create = store_create,
    .start = store_start,
    .reconfigure = store_reconfigure,
    .drain = store_drain,
    .stop = store_stop,
    .destroy = store_destroy,
};

static const mrt_storage_ops ops = {
    .size = sizeof(mrt_storage_ops),
    .caps = MRT_STORAGE_DURABLE | MRT_STORAGE_FILES,
    .dir_open = segment_dir_open,
    .dir_close = segment_dir_close,
    .dir_adopt = segment_dir_adopt,
    .logs = segment_logs,
    .log_open = segment_log_open,
    .log_remove = segment_log_remove,
    .log_close = segment_log_close,
    .log_config = segment_log_config,
    .state = segment_state,
    .append = segment_append,
    .read = segment_read,
    .flush = segment_flush,
    .roll = segment_roll,
    .trim_head = segment_trim_head,
    .trim_tail = segment_trim_tail,
    .restart = segment_restart,
    .find_time = segment_find_time,
    .find_latest = segment_find_latest,
    .segments = segment_segments,
    .mark_set = segment_mark_set,
    .mark_get = segment_mark_get,
    .blob_put = segment_blob_put,
    .blob_get = segment_blob_get,
    .blob_remove = segment_blob_remove,
    .blobs = segment_blobs,
};

static const mrt_impl impls[] = {
    {sizeof(mrt_impl), 0, MRT_KIND_STORAGE, "segment", &lifecycle, &ops},
};

static const mrt_plugin plugin = {
    sizeof(mrt_plugin), MRT_ABI, MRT_NOTE, MRT_NOTE_BYTES, impls, 1, sizeof(mrt_impl), NULL,
};

const mrt_plugin *MRT_ENTRY_NAME(uint32_t host_abi)
{
    return host_abi >> 16 == MRT_ABI_MAJOR ? &plugin : NULL;
}
