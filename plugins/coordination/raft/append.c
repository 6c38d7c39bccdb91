/* SPDX-License-Identifier: Apache-2.0 */
/*
 * append.c - group commit: what waits becomes one write and one sync, and the next batch gathers
 * meanwhile. Entries are written from where the core has them.
 *
 * A write that failed is cut off again, and the cut made durable, before its appends are told "not
 * committed" (U2): otherwise a crash could bring them back. Where even that fails nobody knows,
 * and the log is dead (R3).
 */
#include <string.h>

#include "plugins/coordination/raft/raft.h"

_Static_assert(sizeof(struct raft_append) <= sizeof(((mrt_op *)0)->scratch), "an op holds it");

/* ---- queues ---------------------------------------------------------------------------------- */

struct raft_append *raft_append_of(mrt_op *op)
{
    return (struct raft_append *)(void *)op->scratch;
}

void raft_queue_init(struct raft_queue *queue)
{
    *queue = (struct raft_queue){.tail = &queue->head};
}

static void queue_put(struct raft_queue *queue, mrt_op *op)
{
    raft_append_of(op)->next = NULL;
    *queue->tail = op;
    queue->tail = &raft_append_of(op)->next;
    queue->n++;
}

mrt_op *raft_queue_take(struct raft_queue *queue)
{
    mrt_op *op = queue->head;
    if (op == NULL)
        return NULL;
    queue->head = raft_append_of(op)->next;
    if (queue->head == NULL)
        queue->tail = &queue->head;
    queue->n--;
    return op;
}

void raft_queue_end(struct mrt_coord *coord, struct raft_queue *queue, mrt_status status)
{
    const mrt_host *host = coord->store->host;
    mrt_op *op;
    while ((op = raft_queue_take(queue)) != NULL)
        host->op_done(host, op, status, NULL);
}

void raft_die(struct mrt_coord *coord, mrt_status status, const char *what)
{
    const struct raft_store *store = coord->store;
    if (coord->dead)
        return;
    coord->dead = 1;
    coord->leading = 0;
    coord->role_due = 0;
    coord->fatal_due = 1;
    raft_error(
        &coord->why, status,
        "%.*s: %s failed with status %d: what is on disk is not known any more; check the device, "
        "then start again",
        (int)store->dir_n, store->dir, what, status);
    raft_log(
        coord, MRT_LOG_ERROR, "coordination.dead status=%d why=\"%s\"", status, coord->why.text);
    raft_queue_end(coord, &coord->waiting, MRT_EUNKNOWN);
    if (coord->writer.next == NULL) /* else its bytes are still being read */
        raft_queue_end(coord, &coord->writing, MRT_EUNKNOWN);
    raft_queue_end(coord, &coord->queue, MRT_EUNKNOWN);
    raft_pump_soon(coord);
}

/* ---- one batch ------------------------------------------------------------------------------- */

static mrt_status write_batch(struct mrt_coord *coord, mrt_status status);

static mrt_status batch_synced(struct mrt_coord *coord, mrt_status status)
{
    struct raft_segment *segment = &coord->segments[coord->n_segments - 1];
    if (status != MRT_OK) {
        raft_die(coord, status, "syncing the log");
        return status;
    }
    coord->tail = coord->after;
    coord->committed = coord->tail.offset;
    segment->end = coord->tail.offset;
    segment->bytes = coord->tail.position;
    mrt_op *op;
    while ((op = raft_queue_take(&coord->writing)) != NULL)
        queue_put(&coord->waiting, op);
    if (coord->closing != RAFT_RUNNING || coord->dead)
        raft_queue_end(coord, &coord->waiting, MRT_EUNKNOWN);
    raft_pump_soon(coord);
    return write_batch(coord, MRT_OK);
}

/* None of what waited was written, and nothing of the batch is left. */
static mrt_status refuse(struct mrt_coord *coord, mrt_status why)
{
    raft_log(
        coord, MRT_LOG_WARN, "coordination.append_refused status=%d end=%llu", why,
        (unsigned long long)coord->committed);
    coord->next = coord->committed;
    raft_queue_end(coord, &coord->writing, why);
    raft_queue_end(coord, &coord->queue, why);
    return MRT_OK;
}

static mrt_status cut_synced(struct mrt_coord *coord, mrt_status status)
{
    if (status == MRT_OK)
        return refuse(coord, coord->refusal);
    raft_die(coord, status, "syncing the log after cutting it back");
    return status;
}

static mrt_status cut(struct mrt_coord *coord, mrt_status status)
{
    if (status != MRT_OK) {
        raft_die(coord, status, "cutting back the log");
        return status;
    }
    return coord->store->file->sync(
        coord->active, raft_chain_op(&coord->writer, cut_synced), MRT_SYNC_DATA);
}

static mrt_status batch_written(struct mrt_coord *coord, mrt_status status)
{
    const mrt_host_file *file = coord->store->file;
    if (coord->dead) {
        raft_queue_end(coord, &coord->writing, MRT_EUNKNOWN);
        return MRT_EIO;
    }
    if (status == MRT_OK)
        return file->sync(
            coord->active, raft_chain_op(&coord->writer, batch_synced), MRT_SYNC_DATA);
    if (status != MRT_ENOSPC && status != MRT_ENOMEM) {
        raft_die(coord, status, "writing the log");
        return status;
    }
    coord->refusal = status;
    return file->truncate(coord->active, raft_chain_op(&coord->writer, cut), coord->tail.position);
}

/* Adds the record of @op to the write. */
static void put_record(struct mrt_coord *coord, mrt_op *op, uint32_t i)
{
    static const uint8_t zeros[8];
    const mrt_str *entry = raft_append_of(op)->entry;
    struct raft_record record = {
        .offset = coord->after.offset,
        .batch = coord->committed,
        .payload = (const uint8_t *)entry->p,
        .length = (uint32_t)entry->n,
        .epoch = coord->vote.epoch,
        .before = coord->after.sum,
    };
    uint64_t size = raft_record_size(entry->n);
    uint32_t at = coord->slicev.n;
    mrt_slicev one;
    raft_record_put(&record, coord->heads[i]);
    raft_slice(&coord->slices[at], &one, coord->heads[i], WAL_RECORD);
    raft_slice(&coord->slices[at + 1], &one, entry->p, entry->n);
    raft_slice(&coord->slices[at + 2], &one, zeros, size - WAL_RECORD - entry->n);
    coord->slicev.n += 3;
    coord->slicev.bytes += size;
    coord->after.position += size;
    coord->after.offset++;
    coord->after.epoch = record.epoch;
    coord->after.sum = record.sum;
}

/* Asks for a snapshot once the log behind the last one has grown long; once for each. */
static void consider_snapshot(struct mrt_coord *coord)
{
    uint32_t i = coord->n_segments;
    while (i > 0 && coord->segments[i - 1].first >= coord->snapshot.end)
        i--;
    if (coord->n_segments - i <= RAFT_WANT_SEGMENTS || coord->wanted == coord->snapshot.end + 1)
        return;
    coord->wanted = coord->snapshot.end + 1;
    coord->want_due = 1;
}

static mrt_status rolled(struct mrt_coord *coord, mrt_status status)
{
    if (status == MRT_OK) {
        consider_snapshot(coord);
        return write_batch(coord, MRT_OK);
    }
    if (status == MRT_ENOSPC || status == MRT_ENOMEM)
        return refuse(coord, status);
    raft_die(coord, status, "making the next segment");
    return status;
}

static mrt_status write_batch(struct mrt_coord *coord, mrt_status status)
{
    (void)status;
    if (coord->queue.n == 0 || coord->dead)
        return MRT_OK;
    if (coord->tail.position >= coord->store->segment_bytes &&
        coord->n_segments < RAFT_SEGMENTS_MAX)
        return raft_segment_make(&coord->writer, rolled);
    coord->after = coord->tail;
    coord->slicev = (mrt_slicev){.v = coord->slices};
    for (uint32_t i = 0; i < RAFT_BATCH_RECORDS && coord->queue.head != NULL; i++) {
        uint64_t size = raft_record_size(raft_append_of(coord->queue.head)->entry->n);
        if (i > 0 && coord->slicev.bytes + size > RAFT_BATCH_BYTES)
            break;
        mrt_op *op = raft_queue_take(&coord->queue);
        put_record(coord, op, i);
        queue_put(&coord->writing, op);
    }
    return coord->store->file->writev(
        coord->active, raft_chain_op(&coord->writer, batch_written), &coord->slicev,
        coord->tail.position);
}

/* ---- the call -------------------------------------------------------------------------------- */

mrt_status raft_append_entry(
    mrt_coord *coord, mrt_op *op, uint32_t epoch, uint64_t expect_offset, const mrt_str *entry,
    uint64_t *offset)
{
    if (coord->dead)
        return MRT_EIO;
    if (coord->closing != RAFT_RUNNING)
        return MRT_ESHUTDOWN;
    if (!coord->leading || coord->yields)
        return MRT_ENOTLEADER;
    if (epoch != coord->vote.epoch || expect_offset != coord->next)
        return MRT_EFENCED; /* O4 */
    if (entry->n > WAL_ENTRY_MAX)
        return MRT_ETOOBIG;
    if (coord->queue.n + coord->writing.n + coord->waiting.n >= RAFT_APPENDS_MAX)
        return MRT_EBUSY;
    *raft_append_of(op) =
        (struct raft_append){.entry = entry, .offset = offset, .at = coord->next++};
    queue_put(&coord->queue, op);
    if (coord->writer.next == NULL)
        raft_chain_start(&coord->writer, write_batch);
    return MRT_PENDING;
}
