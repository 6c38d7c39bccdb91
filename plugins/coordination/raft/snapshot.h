/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snapshot.h - snapshots handed to the core and taken from it, and what they allow to forget.
 */
#ifndef PLUGINS_COORDINATION_RAFT_SNAPSHOT_H
#define PLUGINS_COORDINATION_RAFT_SNAPSHOT_H

#include "plugins/coordination/raft/raft.h"

struct mrt_snapshot {
    struct mrt_coord *coord;
    mrt_file *file;
    struct raft_call call;
    struct raft_state state;
    mrt_slice slice;
    mrt_slicev slices;
    uint64_t at; /* bytes of the state read or put */
    uint64_t cap;
    uint64_t *got;
    void *to;
    mrt_snapshot **out;
    uint32_t sum; /* of what was read or put */
    mrt_status fault;
    uint8_t header[WAL_HEADER];
};

/* Hands the stored snapshot to the core; from the pump. */
void raft_snapshot_offer(struct mrt_coord *coord);
mrt_status raft_snapshot_read(
    mrt_snapshot *snapshot, mrt_op *op, void *buf, uint64_t cap, uint64_t *got);
void raft_snapshot_end(mrt_snapshot *snapshot, uint32_t adopted);
mrt_status raft_snapshot_begin(
    mrt_coord *coord, mrt_op *op, const mrt_snap_id *id, mrt_snapshot **out);
mrt_status raft_snapshot_put(mrt_snapshot *snapshot, mrt_op *op, const mrt_str *bytes);
mrt_status raft_snapshot_commit(mrt_snapshot *snapshot, mrt_op *op, uint32_t keep);
mrt_status raft_trim(mrt_coord *coord, mrt_op *op, uint64_t below);

#endif /* PLUGINS_COORDINATION_RAFT_SNAPSHOT_H */
