/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trim.c - forgets whole segments from the front, oldest first, so that a crash in between leaves a
 * log that begins later and has no hole.
 */
#include <string.h>

#include "plugins/coordination/raft/snapshot.h"

static mrt_status drop_next(struct mrt_coord *coord, mrt_status status);

/* May the first segment go? A snapshot covers it, the core had it, and enough is kept behind it. */
static uint32_t droppable(const struct mrt_coord *coord)
{
    uint64_t behind = 0;
    if (coord->n_segments < 2)
        return 0; /* the last one is being written */
    for (uint32_t i = 1; i < coord->n_segments; i++)
        behind += coord->segments[i].bytes;
    return coord->segments[0].end <= coord->below && coord->segments[0].end <= coord->delivered &&
           behind >= coord->store->retain_bytes;
}

static mrt_status trimmed(struct mrt_coord *coord, mrt_status status)
{
    raft_call_end(coord, &coord->trimmer, status);
    return status;
}

static mrt_status dropped(struct mrt_coord *coord, mrt_status status)
{
    if (status != MRT_OK && status != MRT_ENOENT)
        return trimmed(coord, status);
    coord->n_segments--;
    memmove(coord->segments, coord->segments + 1, coord->n_segments * sizeof *coord->segments);
    coord->trimmed++;
    return drop_next(coord, MRT_OK);
}

static mrt_status drop_next(struct mrt_coord *coord, mrt_status status)
{
    const struct raft_store *store = coord->store;
    (void)status;
    if (droppable(coord))
        return store->file->unlink(
            store->exec, raft_chain_op(&coord->saver, dropped),
            raft_path_segment(&coord->saver, 0, coord->segments[0].first));
    if (coord->trimmed == 0)
        return trimmed(coord, MRT_OK);
    return store->file->sync_dir(
        store->exec, raft_chain_op(&coord->saver, trimmed), raft_path_dir(&coord->saver, 0));
}

mrt_status raft_trim(mrt_coord *coord, mrt_op *op, uint64_t below)
{
    if (coord->dead)
        return MRT_EIO;
    if (coord->closing != RAFT_RUNNING)
        return MRT_ESHUTDOWN;
    if (below > coord->snapshot.end)
        return MRT_ERANGE;
    if (coord->saver.next != NULL)
        return MRT_EBUSY;
    coord->below = below;
    coord->trimmed = 0;
    raft_call_begin(&coord->trimmer, op);
    raft_chain_start(&coord->saver, drop_next);
    return raft_call_result(&coord->trimmer);
}
