/* SPDX-License-Identifier: Apache-2.0 */
/*
 * close.c - ends in order: calls in flight, the vote file with the end of the log, the files. What
 * the log ends with at rest is then known, and a damaged last record is noticed at the next start.
 */
#include "plugins/coordination/raft/snapshot.h"

static void run_last(mrt_task *task)
{
    mrt_coord *coord = (mrt_coord *)((char *)task - offsetof(mrt_coord, last));
    struct raft_store *store = coord->store;
    mrt_op *op = coord->closer.op;
    if (store->coord == coord)
        store->coord = NULL;
    raft_coord_free(coord);
    if (op != NULL)
        store->host->op_done(store->host, op, MRT_OK, NULL);
}

void raft_forget(mrt_coord *coord)
{
    const struct raft_store *store = coord->store;
    coord->closing = RAFT_CLOSED;
    coord->last.run = run_last; /* behind whatever else of ours is posted */
    store->exec_table->post(store->exec, &coord->last);
}

static void forget_handle(struct mrt_coord *coord, mrt_snapshot *snapshot)
{
    const struct raft_store *store = coord->store;
    if (snapshot == NULL)
        return;
    if (snapshot->file != NULL)
        store->file->close(snapshot->file);
    store->host->free(store->host, snapshot);
}

static void finish(struct mrt_coord *coord)
{
    forget_handle(coord, coord->reading);
    forget_handle(coord, coord->putting);
    raft_forget(coord);
}

static mrt_status signed_off(struct mrt_coord *coord, mrt_status status)
{
    if (status != MRT_OK)
        raft_log(coord, MRT_LOG_WARN, "coordination.close_unsigned status=%d", status);
    finish(coord);
    return MRT_OK;
}

static mrt_status sign_off(struct mrt_coord *coord, mrt_status status)
{
    (void)status;
    coord->vote.committed = coord->committed;
    return raft_vote_write(coord, signed_off);
}

void raft_close_step(struct mrt_coord *coord)
{
    if (coord->closing != RAFT_CLOSING || coord->main.next != NULL || coord->writer.next != NULL ||
        coord->reader.next != NULL || coord->saver.next != NULL)
        return;
    coord->closing = RAFT_SIGNING;
    if (coord->dead)
        finish(coord); /* nothing more is said about this log */
    else
        raft_chain_start(&coord->main, sign_off);
}

mrt_status raft_close_all(mrt_coord *coord, mrt_op *op)
{
    if (coord->closing != RAFT_RUNNING)
        return MRT_EINVAL;
    raft_call_begin(&coord->closer, op);
    coord->closing = RAFT_CLOSING;
    coord->leading = 0;
    coord->role_due = 0;
    raft_queue_end(coord, &coord->waiting, MRT_EUNKNOWN);
    raft_queue_end(coord, &coord->queue, MRT_EUNKNOWN);
    if (coord->resigner.op != NULL)
        raft_call_end(coord, &coord->resigner, MRT_ESHUTDOWN);
    raft_close_step(coord);
    return MRT_PENDING;
}

mrt_status raft_close(mrt_coord *coord, mrt_op *op)
{
    if (coord->reading != NULL || coord->putting != NULL)
        return MRT_EBUSY; /* the core ends its handles first */
    return raft_close_all(coord, op);
}
