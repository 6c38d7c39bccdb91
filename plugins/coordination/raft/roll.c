/* SPDX-License-Identifier: Apache-2.0 */
/*
 * roll.c - the next segment. Its header and its name are durable before a record is written to it,
 * which is what lets check.c tell a segment that was never finished from a damaged one.
 *
 * Segments grow. Writing them full of zeros first would spare each commit the journal's turn for
 * the new length, but cost every start 4 MiB of writes.
 */
#include <string.h>

#include "plugins/coordination/raft/raft.h"

#define SEGMENTS_MIN 16

struct raft_segment *raft_segment_add(struct mrt_coord *coord, uint64_t first, uint64_t bytes)
{
    const mrt_host *host = coord->store->host;
    if (coord->n_segments == coord->segments_cap) {
        uint32_t cap = coord->segments_cap == 0 ? SEGMENTS_MIN : coord->segments_cap * 2;
        struct raft_segment *grown = host->alloc(host, cap * sizeof *grown, 8);
        if (grown == NULL)
            return NULL;
        if (coord->n_segments > 0)
            memcpy(grown, coord->segments, coord->n_segments * sizeof *grown);
        host->free(host, coord->segments);
        coord->segments = grown;
        coord->segments_cap = cap;
    }
    struct raft_segment *segment = &coord->segments[coord->n_segments++];
    *segment = (struct raft_segment){first, first, bytes};
    return segment;
}

static mrt_status removed(struct mrt_coord *coord, mrt_status status)
{
    (void)status; /* it has no record: the next attempt, or the next start, deals with it */
    return coord->make.next(coord, coord->make.fault);
}

static mrt_status give_up(struct mrt_coord *coord, mrt_status status)
{
    const struct raft_store *store = coord->store;
    struct raft_chain *chain = coord->make.chain;
    if (coord->make.file != NULL)
        store->file->close(coord->make.file);
    coord->make.file = NULL;
    coord->make.fault = status;
    return store->file->unlink(
        store->exec, raft_chain_op(chain, removed),
        raft_path_segment(chain, 0, coord->tail.offset));
}

static mrt_status named(struct mrt_coord *coord, mrt_status status)
{
    if (status == MRT_OK && raft_segment_add(coord, coord->tail.offset, WAL_HEADER) == NULL)
        status = MRT_ENOMEM;
    if (status != MRT_OK)
        return give_up(coord, status);
    if (coord->active != NULL)
        coord->store->file->close(coord->active);
    coord->active = coord->make.file;
    coord->make.file = NULL;
    coord->tail.position = WAL_HEADER;
    return coord->make.next(coord, MRT_OK);
}

static mrt_status synced(struct mrt_coord *coord, mrt_status status)
{
    const struct raft_store *store = coord->store;
    struct raft_chain *chain = coord->make.chain;
    if (status != MRT_OK)
        return give_up(coord, status);
    return store->file->sync_dir(store->exec, raft_chain_op(chain, named), raft_path_dir(chain, 0));
}

static mrt_status filled(struct mrt_coord *coord, mrt_status status)
{
    if (status != MRT_OK)
        return give_up(coord, status);
    return coord->store->file->sync(
        coord->make.file, raft_chain_op(coord->make.chain, synced), MRT_SYNC_DATA);
}

static mrt_status emptied(struct mrt_coord *coord, mrt_status status)
{
    struct raft_header header = {
        .node = coord->node,
        .sum = coord->tail.sum,
        .first = coord->tail.offset,
    };
    if (status != MRT_OK)
        return give_up(coord, status);
    memcpy(header.generation, coord->vote.generation, WAL_GENERATION);
    raft_header_put(&header, coord->header);
    raft_slice(&coord->slices[0], &coord->slicev, coord->header, WAL_HEADER);
    return coord->store->file->writev(
        coord->make.file, raft_chain_op(coord->make.chain, filled), &coord->slicev, 0);
}

static mrt_status opened(struct mrt_coord *coord, mrt_status status)
{
    if (status != MRT_OK) {
        coord->make.file = NULL;
        return give_up(coord, status);
    }
    return coord->store->file->truncate(
        coord->make.file, raft_chain_op(coord->make.chain, emptied), 0);
}

mrt_status raft_segment_make(
    struct raft_chain *chain, mrt_status (*next)(struct mrt_coord *coord, mrt_status status))
{
    struct mrt_coord *coord = chain->coord;
    const struct raft_store *store = coord->store;
    coord->make = (struct raft_make){.chain = chain, .next = next};
    return store->file->open(
        store->exec, raft_chain_op(chain, opened), raft_path_segment(chain, 0, coord->tail.offset),
        MRT_FILE_READ | MRT_FILE_WRITE | MRT_FILE_CREATE, &coord->make.file);
}
