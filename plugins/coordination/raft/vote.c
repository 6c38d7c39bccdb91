/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vote.c - the vote file and what it is for: an epoch is written down before it is used (R2), and
 * how many entries were durable at that time, so that a log that lost some of them is noticed.
 */
#include "plugins/coordination/raft/raft.h"

/* ---- writing: a new file takes the old one's place ------------------------------------------- */

static mrt_status written(struct mrt_coord *coord, mrt_status status)
{
    if (coord->vote_file != NULL)
        coord->store->file->close(coord->vote_file);
    coord->vote_file = NULL;
    return coord->vote_next(coord, status);
}

static mrt_status renamed(struct mrt_coord *coord, mrt_status status)
{
    const struct raft_store *store = coord->store;
    if (status != MRT_OK)
        return written(coord, status);
    return store->file->sync_dir(
        store->exec, raft_chain_op(&coord->main, written), raft_path_dir(&coord->main, 0));
}

static mrt_status synced(struct mrt_coord *coord, mrt_status status)
{
    const struct raft_store *store = coord->store;
    if (status != MRT_OK)
        return written(coord, status);
    return store->file->rename(
        store->exec, raft_chain_op(&coord->main, renamed), raft_path(&coord->main, 0, "vote.tmp"),
        raft_path(&coord->main, 1, "vote"));
}

static mrt_status filled(struct mrt_coord *coord, mrt_status status)
{
    if (status != MRT_OK)
        return written(coord, status);
    return coord->store->file->sync(
        coord->vote_file, raft_chain_op(&coord->main, synced), MRT_SYNC_DATA);
}

static mrt_status emptied(struct mrt_coord *coord, mrt_status status)
{
    if (status != MRT_OK)
        return written(coord, status);
    raft_vote_put(&coord->vote, coord->header);
    raft_slice(&coord->slices[0], &coord->slicev, coord->header, WAL_HEADER);
    return coord->store->file->writev(
        coord->vote_file, raft_chain_op(&coord->main, filled), &coord->slicev, 0);
}

static mrt_status opened(struct mrt_coord *coord, mrt_status status)
{
    if (status != MRT_OK) {
        coord->vote_file = NULL;
        return written(coord, status);
    }
    return coord->store->file->truncate(coord->vote_file, raft_chain_op(&coord->main, emptied), 0);
}

mrt_status raft_vote_write(
    struct mrt_coord *coord, mrt_status (*next)(struct mrt_coord *coord, mrt_status status))
{
    const struct raft_store *store = coord->store;
    coord->vote_next = next;
    return store->file->open(
        store->exec, raft_chain_op(&coord->main, opened), raft_path(&coord->main, 0, "vote.tmp"),
        MRT_FILE_WRITE | MRT_FILE_CREATE, &coord->vote_file);
}

/* ---- elections ------------------------------------------------------------------------------- */

static mrt_status elected(struct mrt_coord *coord, mrt_status status)
{
    if (status != MRT_OK) {
        raft_die(coord, status, "writing the vote file");
        return status;
    }
    coord->role_due = 1;
    raft_pump_soon(coord);
    return MRT_OK;
}

static mrt_status vote(struct mrt_coord *coord, mrt_status status)
{
    (void)status;
    coord->vote.epoch++;
    coord->vote.voted_for = coord->node;
    coord->vote.committed = coord->committed;
    return raft_vote_write(coord, elected);
}

void raft_elect(struct mrt_coord *coord)
{
    if (!coord->eligible || coord->leading || coord->role_due || coord->dead ||
        coord->closing != RAFT_RUNNING || coord->main.next != NULL)
        return;
    if (coord->vote.epoch >= INT32_MAX) {
        raft_die(coord, MRT_ERANGE, "counting epochs");
        return;
    }
    raft_chain_start(&coord->main, vote);
}
