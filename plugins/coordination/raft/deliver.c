/* SPDX-License-Identifier: Apache-2.0 */
/*
 * deliver.c - what the core hears, in the order in which it happened (E1), within its credit (E2).
 *
 * The pump does one thing and posts itself for the next. After every event it looks again whether
 * the log is being closed: the core may do that from inside.
 */
#include <string.h>

#include "plugins/coordination/raft/snapshot.h"

void raft_pump_soon(struct mrt_coord *coord)
{
    if (coord->pump_posted || coord->closing != RAFT_RUNNING)
        return;
    coord->pump_posted = 1;
    coord->store->exec_table->post(coord->store->exec, &coord->pump);
}

/* ---- from files ------------------------------------------------------------------------------ */

static mrt_status segment_loaded(struct mrt_coord *coord, mrt_status status)
{
    const uint8_t *bytes = coord->load.bytes;
    struct raft_header header;
    if (status == MRT_OK)
        status = coord->load.got < WAL_HEADER ? MRT_ECORRUPT : raft_header_get(bytes, &header);
    if (status != MRT_OK) {
        raft_load_free(coord);
        raft_die(coord, status, "reading the log again");
        return status;
    }
    coord->replay = (struct raft_cursor){WAL_HEADER, header.first, 0, header.sum};
    raft_pump_soon(coord);
    return MRT_OK;
}

static mrt_status load_segment(struct mrt_coord *coord, mrt_status status)
{
    uint32_t i = coord->n_segments;
    (void)status;
    coord->replay_from = coord->delivered;
    while (i > 1 && coord->segments[i - 1].first > coord->delivered)
        i--;
    return raft_load_start(&coord->reader, coord->segments[i - 1].first, segment_loaded);
}

/* The next record not delivered yet; MRT_ENOENT when this segment has no more. */
static mrt_status next_record(
    struct mrt_coord *coord, struct raft_cursor *cursor, struct raft_record *out)
{
    mrt_status status;
    do {
        if (cursor->offset >= coord->from_files)
            return MRT_ENOENT;
        status = raft_record_next(coord->load.bytes, coord->load.got, cursor, out);
    } while (status == MRT_OK && out->offset < coord->delivered);
    return status;
}

static void deliver_files(struct mrt_coord *coord)
{
    mrt_entry v[RAFT_EVENT_ENTRIES];
    struct raft_record record;
    struct raft_cursor cursor = coord->replay;
    mrt_status status = MRT_OK;
    uint32_t n = 0;

    while (n < RAFT_EVENT_ENTRIES) {
        status = next_record(coord, &cursor, &record);
        if (status != MRT_OK || record.length > coord->credit)
            break;
        coord->credit -= record.length;
        v[n++] = (mrt_entry){
            .offset = record.offset,
            .epoch = record.epoch,
            .data = {(const char *)record.payload, record.length}};
        coord->replay = cursor;
    }
    coord->delivered += n;
    if (n > 0) {
        coord->events->entries(coord->ctx, v, n);
        raft_pump_soon(coord);
        return;
    }
    if (status == MRT_OK)
        return; /* out of credit */
    raft_load_free(coord);
    if (status == MRT_ENOENT && coord->delivered > coord->replay_from)
        raft_pump_soon(coord);
    else
        raft_die(coord, status, "reading the log again");
}

static void replay(struct mrt_coord *coord)
{
    if (coord->load.bytes != NULL && coord->reader.next == NULL)
        deliver_files(coord);
    else if (coord->reader.next == NULL)
        raft_chain_start(&coord->reader, load_segment);
}

/* ---- from appends ---------------------------------------------------------------------------- */

/* O2: an append ends after its entry was delivered. True if something was. */
static uint32_t deliver_waiting(struct mrt_coord *coord)
{
    const mrt_host *host = coord->store->host;
    mrt_entry v[RAFT_EVENT_ENTRIES];
    mrt_op *ops[RAFT_EVENT_ENTRIES];
    uint32_t n = 0;

    while (n < RAFT_EVENT_ENTRIES && coord->waiting.head != NULL) {
        const struct raft_append *append = raft_append_of(coord->waiting.head);
        if (append->entry->n > coord->credit)
            break;
        coord->credit -= append->entry->n;
        v[n] =
            (mrt_entry){.offset = append->at, .epoch = coord->vote.epoch, .data = *append->entry};
        ops[n++] = raft_queue_take(&coord->waiting);
    }
    if (n == 0)
        return 0;
    coord->delivered += n;
    coord->events->entries(coord->ctx, v, n);
    mrt_status status = coord->closing == RAFT_RUNNING ? MRT_OK : MRT_EUNKNOWN;
    for (uint32_t i = 0; i < n; i++) {
        *raft_append_of(ops[i])->offset = raft_append_of(ops[i])->at;
        host->op_done(host, ops[i], status, NULL);
    }
    return n;
}

/* ---- roles ----------------------------------------------------------------------------------- */

static void say_leader(struct mrt_coord *coord)
{
    coord->role_due = 0;
    coord->leading = 1;
    coord->events->role(
        coord->ctx, MRT_ROLE_LEADER, coord->vote.epoch, coord->node, coord->committed); /* L2 */
}

static void say_resigned(struct mrt_coord *coord)
{
    coord->leading = 0;
    coord->events->role(coord->ctx, MRT_ROLE_FOLLOWER, coord->vote.epoch, -1, coord->committed);
    raft_call_end(coord, &coord->resigner, MRT_OK);
}

static void say_want(struct mrt_coord *coord)
{
    coord->want_due = 0;
    coord->events->want_snapshot(coord->ctx, coord->delivered);
    raft_pump_soon(coord);
}

static void say_dead(struct mrt_coord *coord)
{
    coord->fatal_due = 0;
    coord->events->role(coord->ctx, MRT_ROLE_UNKNOWN, coord->vote.epoch, -1, 0);
    if (coord->closing == RAFT_RUNNING)
        coord->events->fatal(coord->ctx, &coord->why);
}

void raft_pump(mrt_task *task)
{
    mrt_coord *coord = (mrt_coord *)((char *)task - offsetof(mrt_coord, pump));
    coord->pump_posted = 0;
    if (coord->closing != RAFT_RUNNING)
        return;
    if (coord->dead) {
        if (coord->fatal_due)
            say_dead(coord);
        return;
    }
    if (coord->reading != NULL)
        return; /* the core is busy with a snapshot */
    if (coord->delivered < coord->segments[0].first) {
        raft_snapshot_offer(coord);
    } else if (coord->delivered < coord->from_files) {
        replay(coord);
    } else if (deliver_waiting(coord) > 0) {
        raft_pump_soon(coord);
    } else if (coord->delivered == coord->committed && coord->role_due) {
        say_leader(coord);
    } else if (coord->want_due) {
        say_want(coord);
    } else if (coord->yields && coord->writer.next == NULL && coord->waiting.n == 0) {
        say_resigned(coord);
    }
}
