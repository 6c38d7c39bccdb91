/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plugin.c - the plugin: note, instance, and the calls that need no file. One implementation today,
 * `standalone`: a log with one voter. More voters will read and write the same files.
 */
#include <string.h>

#include "plugins/coordination/raft/snapshot.h"

MRT_PLUGIN_NOTE(
    "name=coordination-raft" MRT_NOTE_END "version=0.1.0" MRT_NOTE_END "abi=0.1" MRT_NOTE_END
    "need=0.1" MRT_NOTE_END "tier=stable" MRT_NOTE_END "flags=sim_safe" MRT_NOTE_END
    "impl=mortise.coordination/1 standalone" MRT_NOTE_END "key=dir" MRT_NOTE_END
    "key.type=path" MRT_NOTE_END
    "key.doc=The directory of the metadata log; made when absent. Without it the broker gives its "
    "own." MRT_NOTE_END "key=segment_bytes" MRT_NOTE_END "key.type=bytes" MRT_NOTE_END
    "key.default=4194304" MRT_NOTE_END "key.min=4096" MRT_NOTE_END "key.max=1073741824" MRT_NOTE_END
    "key.doc=A file of the log takes no more entries at this size." MRT_NOTE_END
    "key=retain_bytes" MRT_NOTE_END "key.type=bytes" MRT_NOTE_END "key.default=4194304" MRT_NOTE_END
    "key.min=0" MRT_NOTE_END "key.doc=How much of the log is kept although a snapshot covers it.");

enum {
    KEY_DIR,
    KEY_SEGMENT_BYTES,
    KEY_RETAIN_BYTES
};

/* ---- calls that need no file ----------------------------------------------------------------- */

static mrt_status standalone_campaign(mrt_coord *coord, uint32_t eligible, uint32_t priority)
{
    (void)priority; /* nobody else stands */
    if (coord->dead)
        return MRT_EIO;
    if (coord->closing != RAFT_RUNNING)
        return MRT_ESHUTDOWN;
    if (eligible > 1)
        return MRT_EINVAL;
    coord->eligible = eligible;
    coord->yields = !eligible && coord->leading;
    raft_elect(coord);
    raft_pump_soon(coord);
    return MRT_OK;
}

/* Stays a follower until campaign() is called again: there is nobody to take over. */
static mrt_status standalone_resign(mrt_coord *coord, mrt_op *op, uint32_t epoch, int32_t prefer)
{
    (void)prefer;
    if (coord->dead)
        return MRT_EIO;
    if (coord->closing != RAFT_RUNNING)
        return MRT_ESHUTDOWN;
    if (!coord->leading || coord->yields || epoch != coord->vote.epoch)
        return MRT_EFENCED;
    coord->eligible = 0;
    coord->yields = 1;
    raft_call_begin(&coord->resigner, op);
    raft_pump_soon(coord);
    return raft_call_result(&coord->resigner);
}

static mrt_status standalone_barrier(mrt_coord *coord, mrt_op *op, uint64_t *end)
{
    (void)op;
    if (coord->dead)
        return MRT_EUNKNOWN;
    *end = coord->committed;
    return MRT_OK;
}

static void standalone_credit(mrt_coord *coord, uint64_t bytes)
{
    coord->credit = coord->credit > UINT64_MAX - bytes ? UINT64_MAX : coord->credit + bytes;
    raft_pump_soon(coord);
}

static void standalone_stat(mrt_coord *coord, mrt_coord_stat *out)
{
    mrt_coord_stat stat = {
        .size = out->size,
        .role = coord->dead      ? MRT_ROLE_UNKNOWN
                : coord->leading ? MRT_ROLE_LEADER
                                 : MRT_ROLE_FOLLOWER,
        .epoch = coord->vote.epoch,
        .leader = coord->leading ? coord->node : -1,
        .start = coord->segments[0].first,
        .committed = coord->committed,
        .tail = coord->next,
        .max_entry = WAL_ENTRY_MAX,
        .snap_chunk = RAFT_SNAP_CHUNK,
        .lease_ms = RAFT_LEASE_MS,
    };
    memcpy(stat.generation, coord->vote.generation, WAL_GENERATION);
    memcpy(out, &stat, out->size < sizeof stat ? out->size : sizeof stat);
}

static const mrt_coordination_ops standalone_ops = {
    .size = sizeof(mrt_coordination_ops),
    .caps = MRT_COORD_DURABLE | MRT_COORD_SNAPSHOT_LOCAL,
    .open = raft_open,
    .close = raft_close,
    .campaign = standalone_campaign,
    .resign = standalone_resign,
    .append = raft_append_entry,
    .barrier = standalone_barrier,
    .credit = standalone_credit,
    .snapshot_read = raft_snapshot_read,
    .snapshot_end = raft_snapshot_end,
    .snapshot_begin = raft_snapshot_begin,
    .snapshot_put = raft_snapshot_put,
    .snapshot_commit = raft_snapshot_commit,
    .trim = raft_trim,
    .stat = standalone_stat,
};

/* ---- lifecycle ------------------------------------------------------------------------------- */

static mrt_status find_tables(struct raft_store *store, mrt_error *error)
{
    const mrt_host *host = store->host;
    store->exec_table = host->get(host, MRT_HOST_EXEC);
    store->file = host->get(host, MRT_HOST_FILE);
    store->random = host->get(host, MRT_HOST_RANDOM);
    store->log = host->get(host, MRT_HOST_LOG);
    const char *missing = store->exec_table == NULL ? MRT_HOST_EXEC
                          : store->file == NULL     ? MRT_HOST_FILE
                          : store->random == NULL   ? MRT_HOST_RANDOM
                                                    : NULL;
    if (missing == NULL)
        return MRT_OK;
    return raft_error(error, MRT_ENOTSUP, "this core does not offer %s", missing);
}

static mrt_status configure(struct raft_store *store, const mrt_create *how, mrt_error *error)
{
    mrt_str dir = {NULL, 0};
    how->view->str(how->cfg, KEY_DIR, &dir);
    if (dir.n > 0 && (dir.n > RAFT_DIR_MAX || dir.p[0] != '/'))
        return raft_error(
            error, MRT_EINVAL, "dir: not an absolute path of at most %d bytes", RAFT_DIR_MAX);
    store->dir_n = (uint32_t)dir.n;
    if (dir.n > 0)
        memcpy(store->dir, dir.p, dir.n);
    store->segment_bytes = (uint64_t)how->view->i64(how->cfg, KEY_SEGMENT_BYTES);
    store->retain_bytes = (uint64_t)how->view->i64(how->cfg, KEY_RETAIN_BYTES);
    store->exec = how->exec;
    return find_tables(store, error);
}

static mrt_status standalone_create(const mrt_create *how, void **inst, mrt_error *error)
{
    const mrt_host *host = how->host;
    struct raft_store *store = host->alloc(host, sizeof *store, 64);
    if (store == NULL)
        return MRT_ENOMEM;
    memset(store, 0, sizeof *store);
    store->host = host;
    mrt_status status = configure(store, how, error);
    if (status != MRT_OK) {
        host->free(host, store);
        return status;
    }
    *inst = store;
    return MRT_OK;
}

static mrt_status standalone_start(void *inst, mrt_op *op)
{
    const struct raft_store *store = inst;
    static const char says[] = "coordination.no_directory remedy=\"set dir\"";
    (void)op; /* the log is opened by open(), which says for which node */
    if (store->dir_n > 0)
        return MRT_OK;
    if (store->log != NULL)
        store->log->write(store->host, MRT_LOG_ERROR, 0, &(mrt_str){says, sizeof says - 1});
    return MRT_EINVAL;
}

static mrt_status standalone_reconfigure(
    void *inst, const mrt_cfg *next, uint32_t phase, mrt_error *error)
{
    (void)inst, (void)next, (void)phase, (void)error; /* no key is dynamic */
    return MRT_OK;
}

/* The log stays open: its appends end by themselves, and close() is the core's. */
static mrt_status standalone_drain(void *inst, mrt_op *op)
{
    struct raft_store *store = inst;
    (void)op;
    store->drained = 1;
    return MRT_OK;
}

static mrt_status standalone_stop(void *inst, mrt_op *op)
{
    struct raft_store *store = inst;
    store->drained = 1;
    return store->coord == NULL ? MRT_OK : raft_close_all(store->coord, op);
}

static void standalone_destroy(void *inst)
{
    struct raft_store *store = inst;
    store->host->free(store->host, store);
}

static mrt_status standalone_health(void *inst, mrt_error *detail)
{
    const struct raft_store *store = inst;
    if (store->coord == NULL || !store->coord->dead)
        return MRT_OK;
    *detail = store->coord->why;
    return detail->status;
}

static const mrt_lifecycle lifecycle = {
    .size = sizeof(mrt_lifecycle),
    .create = standalone_create,
    .start = standalone_start,
    .reconfigure = standalone_reconfigure,
    .drain = standalone_drain,
    .stop = standalone_stop,
    .destroy = standalone_destroy,
    .health = standalone_health,
};

static const mrt_impl impls[] = {
    {sizeof(mrt_impl), 0, MRT_KIND_COORDINATION, "standalone", &lifecycle, &standalone_ops},
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
