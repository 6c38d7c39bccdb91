/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recover.c - reads snapshot and segments, repairs a torn tail, readies the last segment.
 *
 * Everything is read and judged before anything is delivered. The last segment is made durable
 * before it is used: what a killed process wrote may still be in memory only, and would be
 * delivered now and lost in a power cut.
 */
#include <string.h>

#include "plugins/coordination/raft/raft.h"

static mrt_status ready(struct mrt_coord *coord)
{
    uint64_t end = coord->tail.offset;
    raft_list_free(coord);
    if (coord->closing != RAFT_RUNNING) { /* the instance was stopped meanwhile */
        raft_call_end(coord, &coord->opening, MRT_ESHUTDOWN);
        return MRT_ESHUTDOWN;
    }
    coord->next = coord->committed = coord->from_files = end;
    coord->delivered = coord->have;
    *coord->out = coord;
    raft_log(
        coord, MRT_LOG_INFO,
        "coordination.open start=%llu snapshot=%llu end=%llu epoch=%u segments=%u torn=%u",
        (unsigned long long)coord->segments[0].first, (unsigned long long)coord->snapshot.end,
        (unsigned long long)end, coord->vote.epoch, coord->n_segments, coord->torn);
    raft_call_end(coord, &coord->opening, MRT_OK);
    return MRT_OK;
}

/* ---- the last segment ------------------------------------------------------------------------ */

static mrt_status stale_gone(struct mrt_coord *coord, mrt_status status)
{
    if (status != MRT_OK && status != MRT_ENOENT)
        raft_log(coord, MRT_LOG_WARN, "coordination.old_snapshot_kept status=%d", status);
    return ready(coord);
}

static mrt_status active_synced(struct mrt_coord *coord, mrt_status status)
{
    const struct raft_store *store = coord->store;
    if (status != MRT_OK)
        return raft_open_failed(coord, status, "making the last segment durable");
    if (coord->stale == 0)
        return ready(coord);
    return store->file->unlink(
        store->exec, raft_chain_op(&coord->main, stale_gone),
        raft_path_snapshot(&coord->main, 0, coord->stale));
}

static mrt_status active_cut(struct mrt_coord *coord, mrt_status status)
{
    if (status != MRT_OK)
        return raft_open_failed(coord, status, "cutting the torn tail of the last segment");
    return coord->store->file->sync(
        coord->active, raft_chain_op(&coord->main, active_synced), MRT_SYNC_DATA);
}

static mrt_status active_open(struct mrt_coord *coord, mrt_status status)
{
    if (status != MRT_OK) {
        coord->active = NULL;
        return raft_open_failed(coord, status, "opening the last segment");
    }
    if (coord->torn != RAFT_TORN_TAIL)
        return active_cut(coord, MRT_OK);
    raft_log(
        coord, MRT_LOG_WARN, "coordination.tail_cut segment=%llu at=%llu end=%llu",
        (unsigned long long)coord->segments[coord->n_segments - 1].first,
        (unsigned long long)coord->tail.position, (unsigned long long)coord->tail.offset);
    return coord->store->file->truncate(
        coord->active, raft_chain_op(&coord->main, active_cut), coord->tail.position);
}

static mrt_status open_active(struct mrt_coord *coord)
{
    const struct raft_store *store = coord->store;
    if (coord->n_segments == 0) {
        coord->tail.offset = coord->snapshot.end;
        coord->tail.epoch = coord->snapshot.epoch;
        return raft_segment_make(&coord->main, active_synced);
    }
    return store->file->open(
        store->exec, raft_chain_op(&coord->main, active_open),
        raft_path_segment(&coord->main, 0, coord->segments[coord->n_segments - 1].first),
        MRT_FILE_READ | MRT_FILE_WRITE, &coord->active);
}

static mrt_status torn_header_gone(struct mrt_coord *coord, mrt_status status)
{
    if (status != MRT_OK && status != MRT_ENOENT)
        return raft_open_failed(coord, status, "removing a segment that was never finished");
    coord->n_segments--;
    status = raft_check_whole(coord);
    return status == MRT_OK ? open_active(coord) : raft_open_failed(coord, status, NULL);
}

static mrt_status all_read(struct mrt_coord *coord)
{
    const struct raft_store *store = coord->store;
    if (coord->torn == RAFT_TORN_HEADER)
        return store->file->unlink(
            store->exec, raft_chain_op(&coord->main, torn_header_gone),
            raft_path_segment(&coord->main, 0, coord->segments[coord->n_segments - 1].first));
    mrt_status status = raft_check_whole(coord);
    return status == MRT_OK ? open_active(coord) : raft_open_failed(coord, status, NULL);
}

/* ---- segments -------------------------------------------------------------------------------- */

static mrt_status segment_read(struct mrt_coord *coord, mrt_status status)
{
    if (status == MRT_OK)
        status = raft_check_segment(coord);
    raft_load_free(coord);
    if (status != MRT_OK)
        return raft_open_failed(coord, status, "reading a segment");
    if (++coord->at_segment == coord->n_segments)
        return all_read(coord);
    return raft_load_start(&coord->main, coord->segments[coord->at_segment].first, segment_read);
}

static mrt_status read_segments(struct mrt_coord *coord)
{
    coord->at_segment = 0;
    if (coord->n_segments == 0)
        return all_read(coord);
    return raft_load_start(&coord->main, coord->segments[0].first, segment_read);
}

/* ---- snapshot -------------------------------------------------------------------------------- */

static mrt_status snapshot_judged(struct mrt_coord *coord)
{
    struct raft_state state;
    uint64_t end = coord->snapshot.end;
    mrt_status status =
        coord->load.got < WAL_HEADER ? MRT_ECORRUPT : raft_state_get(coord->header, &state);
    if (status == MRT_OK && (state.end != end || state.bytes != coord->load.size - WAL_HEADER ||
                             memcmp(state.generation, coord->vote.generation, WAL_GENERATION) != 0))
        status = MRT_ECORRUPT;
    if (status != MRT_OK)
        return raft_error(
            &coord->why, status, "%.*s/%020llu.snapshot: %s", (int)coord->store->dir_n,
            coord->store->dir, (unsigned long long)end,
            status == MRT_ETOONEW ? "written by a newer release: start that one"
                                  : "its header is damaged; put the file back from a copy");
    coord->snapshot = state;
    return MRT_OK;
}

static mrt_status snapshot_read(struct mrt_coord *coord, mrt_status status)
{
    if (status == MRT_OK)
        status = coord->store->file->length(coord->load.file, &coord->load.size);
    if (status == MRT_OK)
        status = snapshot_judged(coord);
    raft_load_free(coord);
    return status == MRT_OK ? read_segments(coord)
                            : raft_open_failed(coord, status, "reading the snapshot");
}

static mrt_status snapshot_open(struct mrt_coord *coord, mrt_status status)
{
    if (status != MRT_OK) {
        coord->load.file = NULL;
        return raft_open_failed(coord, status, "opening the snapshot");
    }
    return coord->store->file->read(
        coord->load.file, raft_chain_op(&coord->main, snapshot_read), coord->header, WAL_HEADER, 0,
        &coord->load.got);
}

mrt_status raft_recover(struct mrt_coord *coord)
{
    const struct raft_store *store = coord->store;
    if (coord->snapshot.end == 0)
        return read_segments(coord);
    return store->file->open(
        store->exec, raft_chain_op(&coord->main, snapshot_open),
        raft_path_snapshot(&coord->main, 0, coord->snapshot.end), MRT_FILE_READ, &coord->load.file);
}
