/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snapshot.c - snapshots: the newest is kept. One being stored is invisible until it was synced,
 * renamed and the directory synced; the one before goes after that.
 */
#include "plugins/coordination/raft/snapshot.h"

#include <string.h>

#include "sdk/kit/crc32c.h"

/* ---- reading --------------------------------------------------------------------------------- */

static mrt_snapshot *handle_new(struct mrt_coord *coord)
{
    const mrt_host *host = coord->store->host;
    mrt_snapshot *snapshot = host->alloc(host, sizeof *snapshot, 64);
    if (snapshot == NULL)
        return NULL;
    memset(snapshot, 0, sizeof *snapshot);
    snapshot->coord = coord;
    return snapshot;
}

static void handle_free(mrt_snapshot *snapshot)
{
    const struct raft_store *store = snapshot->coord->store;
    if (snapshot->file != NULL)
        store->file->close(snapshot->file);
    store->host->free(store->host, snapshot);
}

void raft_snapshot_offer(struct mrt_coord *coord)
{
    mrt_snap_id id = {
        .end_offset = coord->snapshot.end,
        .bytes = coord->snapshot.bytes,
        .epoch = coord->snapshot.epoch,
        .crc32c = coord->snapshot.sum,
    };
    memcpy(id.generation, coord->snapshot.generation, WAL_GENERATION);
    mrt_snapshot *snapshot = handle_new(coord);
    if (snapshot == NULL) {
        raft_die(coord, MRT_ENOMEM, "reading the snapshot");
        return;
    }
    snapshot->state = coord->snapshot;
    coord->reading = snapshot;
    coord->events->snapshot(coord->ctx, &id, snapshot);
}

static mrt_status read_done(struct mrt_coord *coord, mrt_status status)
{
    mrt_snapshot *snapshot = coord->reading;
    if (status == MRT_OK) {
        snapshot->sum = kit_crc32c(snapshot->sum, snapshot->to, *snapshot->got);
        snapshot->at += *snapshot->got;
        uint64_t short_by = snapshot->cap - *snapshot->got;
        uint32_t ended = snapshot->at == snapshot->state.bytes;
        if (short_by > 0 || (ended && snapshot->sum != snapshot->state.sum))
            status = MRT_ECORRUPT;
    }
    raft_call_end(coord, &snapshot->call, status);
    return status;
}

static mrt_status read_more(struct mrt_coord *coord, mrt_status status)
{
    mrt_snapshot *snapshot = coord->reading;
    if (status != MRT_OK) {
        if (snapshot->at == 0)
            snapshot->file = NULL;
        raft_call_end(coord, &snapshot->call, status);
        return status;
    }
    return coord->store->file->read(
        snapshot->file, raft_chain_op(&coord->reader, read_done), snapshot->to, snapshot->cap,
        WAL_HEADER + snapshot->at, snapshot->got);
}

static mrt_status open_to_read(struct mrt_coord *coord, mrt_status status)
{
    const struct raft_store *store = coord->store;
    mrt_snapshot *snapshot = coord->reading;
    (void)status;
    if (snapshot->file != NULL)
        return read_more(coord, MRT_OK);
    return store->file->open(
        store->exec, raft_chain_op(&coord->reader, read_more),
        raft_path_snapshot(&coord->reader, 0, snapshot->state.end), MRT_FILE_READ, &snapshot->file);
}

mrt_status raft_snapshot_read(
    mrt_snapshot *snapshot, mrt_op *op, void *buf, uint64_t cap, uint64_t *got)
{
    struct mrt_coord *coord = snapshot->coord;
    uint64_t left = snapshot->state.bytes - snapshot->at;
    if (coord->closing != RAFT_RUNNING)
        return MRT_ESHUTDOWN;
    if (coord->reader.next != NULL)
        return MRT_EBUSY;
    snapshot->to = buf;
    snapshot->cap = cap < left ? cap : left;
    snapshot->got = got;
    *got = 0;
    if (snapshot->cap == 0)
        return MRT_OK;
    raft_call_begin(&snapshot->call, op);
    raft_chain_start(&coord->reader, open_to_read);
    return raft_call_result(&snapshot->call);
}

void raft_snapshot_end(mrt_snapshot *snapshot, uint32_t adopted)
{
    struct mrt_coord *coord = snapshot->coord;
    if (adopted)
        coord->delivered = snapshot->state.end;
    else
        raft_die(coord, MRT_ECORRUPT, "starting from the snapshot");
    coord->reading = NULL;
    handle_free(snapshot);
    raft_pump_soon(coord);
}

/* ---- storing --------------------------------------------------------------------------------- */

static mrt_status begun(struct mrt_coord *coord, mrt_status status)
{
    mrt_snapshot *snapshot = coord->putting;
    struct raft_call call = snapshot->call;
    if (status == MRT_OK) {
        *snapshot->out = snapshot;
        raft_call_end(coord, &snapshot->call, MRT_OK);
        return MRT_OK;
    }
    coord->putting = NULL;
    handle_free(snapshot);
    raft_call_end(coord, &call, status);
    coord->beginning = call.status;
    return status;
}

static mrt_status put_header(struct mrt_coord *coord, mrt_status status)
{
    mrt_snapshot *snapshot = coord->putting;
    if (status != MRT_OK)
        return begun(coord, status);
    raft_state_put(&snapshot->state, snapshot->header);
    raft_slice(&snapshot->slice, &snapshot->slices, snapshot->header, WAL_HEADER);
    return coord->store->file->writev(
        snapshot->file, raft_chain_op(&coord->saver, begun), &snapshot->slices, 0);
}

static mrt_status empty_file(struct mrt_coord *coord, mrt_status status)
{
    mrt_snapshot *snapshot = coord->putting;
    if (status != MRT_OK) {
        snapshot->file = NULL;
        return begun(coord, status);
    }
    return coord->store->file->truncate(
        snapshot->file, raft_chain_op(&coord->saver, put_header), 0);
}

static mrt_status open_to_put(struct mrt_coord *coord, mrt_status status)
{
    const struct raft_store *store = coord->store;
    (void)status;
    return store->file->open(
        store->exec, raft_chain_op(&coord->saver, empty_file),
        raft_path(&coord->saver, 0, "snapshot.tmp"), MRT_FILE_WRITE | MRT_FILE_CREATE,
        &coord->putting->file);
}

mrt_status raft_snapshot_begin(
    mrt_coord *coord, mrt_op *op, const mrt_snap_id *id, mrt_snapshot **out)
{
    if (coord->dead)
        return MRT_EIO;
    if (coord->closing != RAFT_RUNNING)
        return MRT_ESHUTDOWN;
    if (coord->putting != NULL || coord->saver.next != NULL)
        return MRT_EBUSY;
    if (id->end_offset <= coord->snapshot.end || id->end_offset > coord->committed ||
        memcmp(id->generation, coord->vote.generation, WAL_GENERATION) != 0)
        return MRT_EINVAL;
    mrt_snapshot *snapshot = handle_new(coord);
    if (snapshot == NULL)
        return MRT_ENOMEM;
    memcpy(snapshot->state.generation, id->generation, WAL_GENERATION);
    snapshot->state.end = id->end_offset;
    snapshot->state.bytes = id->bytes;
    snapshot->state.epoch = id->epoch;
    snapshot->state.sum = id->crc32c;
    snapshot->out = out;
    coord->putting = snapshot;
    raft_call_begin(&snapshot->call, op);
    raft_chain_start(&coord->saver, open_to_put);
    if (coord->putting == NULL)
        return coord->beginning; /* it failed inside */
    return raft_call_result(&snapshot->call);
}

static mrt_status put_done(struct mrt_coord *coord, mrt_status status)
{
    mrt_snapshot *snapshot = coord->putting;
    if (status == MRT_OK)
        snapshot->at += snapshot->slices.bytes;
    else
        snapshot->fault = status;
    raft_call_end(coord, &snapshot->call, status);
    return status;
}

static mrt_status put_piece(struct mrt_coord *coord, mrt_status status)
{
    mrt_snapshot *snapshot = coord->putting;
    (void)status;
    return coord->store->file->writev(
        snapshot->file, raft_chain_op(&coord->saver, put_done), &snapshot->slices,
        WAL_HEADER + snapshot->at);
}

mrt_status raft_snapshot_put(mrt_snapshot *snapshot, mrt_op *op, const mrt_str *bytes)
{
    struct mrt_coord *coord = snapshot->coord;
    if (coord->closing != RAFT_RUNNING)
        return MRT_ESHUTDOWN;
    if (coord->saver.next != NULL)
        return MRT_EBUSY;
    if (snapshot->fault != MRT_OK)
        return snapshot->fault;
    if (bytes->n > RAFT_SNAP_CHUNK || bytes->n > snapshot->state.bytes - snapshot->at)
        return MRT_EINVAL;
    if (bytes->n == 0)
        return MRT_OK;
    snapshot->sum = kit_crc32c(snapshot->sum, bytes->p, bytes->n);
    raft_slice(&snapshot->slice, &snapshot->slices, bytes->p, bytes->n);
    raft_call_begin(&snapshot->call, op);
    raft_chain_start(&coord->saver, put_piece);
    return raft_call_result(&snapshot->call);
}

/* ---- ending ---------------------------------------------------------------------------------- */

static mrt_status ended(struct mrt_coord *coord, mrt_status status)
{
    mrt_snapshot *snapshot = coord->putting;
    mrt_status fault = snapshot->fault != MRT_OK ? snapshot->fault : status;
    coord->putting = NULL;
    handle_free(snapshot);
    raft_call_end(coord, &coord->committer, fault);
    return fault;
}

static mrt_status old_gone(struct mrt_coord *coord, mrt_status status)
{
    if (status != MRT_OK && status != MRT_ENOENT)
        raft_log(coord, MRT_LOG_WARN, "coordination.old_snapshot_kept status=%d", status);
    return ended(coord, MRT_OK);
}

static mrt_status visible(struct mrt_coord *coord, mrt_status status)
{
    const struct raft_store *store = coord->store;
    uint64_t old = coord->snapshot.end;
    if (status != MRT_OK)
        return ended(coord, status);
    coord->snapshot = coord->putting->state;
    if (old == 0)
        return ended(coord, MRT_OK);
    return store->file->unlink(
        store->exec, raft_chain_op(&coord->saver, old_gone),
        raft_path_snapshot(&coord->saver, 0, old));
}

static mrt_status renamed(struct mrt_coord *coord, mrt_status status)
{
    const struct raft_store *store = coord->store;
    if (status != MRT_OK)
        return ended(coord, status);
    return store->file->sync_dir(
        store->exec, raft_chain_op(&coord->saver, visible), raft_path_dir(&coord->saver, 0));
}

static mrt_status put_synced(struct mrt_coord *coord, mrt_status status)
{
    const struct raft_store *store = coord->store;
    if (status != MRT_OK)
        return ended(coord, status);
    return store->file->rename(
        store->exec, raft_chain_op(&coord->saver, renamed),
        raft_path(&coord->saver, 0, "snapshot.tmp"),
        raft_path_snapshot(&coord->saver, 1, coord->putting->state.end));
}

static mrt_status keep_it(struct mrt_coord *coord, mrt_status status)
{
    (void)status;
    return coord->store->file->sync(
        coord->putting->file, raft_chain_op(&coord->saver, put_synced), MRT_SYNC_DATA);
}

static mrt_status drop_it(struct mrt_coord *coord, mrt_status status)
{
    const struct raft_store *store = coord->store;
    (void)status;
    return store->file->unlink(
        store->exec, raft_chain_op(&coord->saver, ended),
        raft_path(&coord->saver, 0, "snapshot.tmp"));
}

mrt_status raft_snapshot_commit(mrt_snapshot *snapshot, mrt_op *op, uint32_t keep)
{
    struct mrt_coord *coord = snapshot->coord;
    if (coord->saver.next != NULL)
        return MRT_EBUSY;
    uint32_t whole = snapshot->at == snapshot->state.bytes && snapshot->sum == snapshot->state.sum;
    if (keep && snapshot->fault == MRT_OK && !whole)
        snapshot->fault = MRT_ECORRUPT;
    if (!keep)
        snapshot->fault = MRT_OK; /* forgetting it succeeds */
    raft_call_begin(&coord->committer, op);
    raft_chain_start(&coord->saver, keep && snapshot->fault == MRT_OK ? keep_it : drop_it);
    return raft_call_result(&coord->committer);
}
