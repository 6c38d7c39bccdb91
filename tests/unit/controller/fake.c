/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/controller/fake.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/list.h"
#include "core/runtime/exec.h"
#include "sdk/kit/crc32c.h"

static void store(struct fake *fake, uint32_t epoch, const mrt_str *entry)
{
    ASSERT(fake->end < FAKE_ENTRIES_MAX);
    struct fake_entry *at = &fake->log[fake->end++];
    *at = (struct fake_entry){epoch, entry->n, malloc(entry->n)};
    memcpy(at->bytes, entry->p, entry->n);
}

static void end_append(struct fake *fake, mrt_status status)
{
    mrt_op *op = fake->in_flight;
    ASSERT(op != NULL);
    fake->in_flight = NULL;
    op_complete(op, status);
}

static void deliver(struct fake *fake)
{
    while (fake->delivered < fake->end) {
        const struct fake_entry *at = &fake->log[fake->delivered];
        if (fake->credit < at->n)
            return;
        fake->credit -= at->n;
        mrt_entry entry = {fake->delivered, at->epoch, 0, {at->bytes, at->n}};
        fake->delivered++;
        fake->events->entries(fake->ctx, &entry, 1);
    }
}

static void run(mrt_task *task)
{
    struct fake *fake = CONTAINER(task, struct fake, pump);
    fake->pumping = false;
    if (!fake->open || fake->reading)
        return;
    if (fake->lost_due) {
        fake->lost_due = false;
        fake->events->role(fake->ctx, MRT_ROLE_UNKNOWN, fake->epoch, -1, 0);
    }
    if (fake->delivered < fake->start) {
        fake->reading = true;
        fake->read_at = 0;
        fake->events->snapshot(fake->ctx, &fake->stored_id, (mrt_snapshot *)fake);
        return;
    }
    deliver(fake);
    if (fake->in_flight != NULL && fake->append == FAKE_COMMIT &&
        *fake->in_flight_offset < fake->delivered)
        end_append(fake, MRT_OK);
    if (fake->leader_due && fake->delivered == fake->end) {
        fake->leader_due = false;
        fake->events->role(fake->ctx, MRT_ROLE_LEADER, ++fake->epoch, 1, fake->end);
    }
}

void fake_go(struct fake *fake)
{
    if (fake->pumping)
        return;
    fake->pumping = true;
    exec_post(fake->exec, &fake->pump);
}

/* The outcome of a call that may be inline or pending. */
static mrt_status either(struct fake *fake, mrt_op *op, mrt_status status)
{
    if (fake->answers_inline || status != MRT_OK)
        return status;
    op_complete(op, status);
    return MRT_PENDING;
}

void fake_init(struct fake *fake)
{
    *fake = (struct fake){
        .leads = true,
        .max_entry = 256 * 1024,
        .snap_chunk = 100,
        .pump.run = run,
    };
}

void fake_fini(struct fake *fake)
{
    for (uint64_t i = 0; i < fake->end; i++)
        free(fake->log[i].bytes);
    free(fake->stored);
    free(fake->put);
}

void fake_release(struct fake *fake, bool commit, mrt_status status)
{
    if (commit) {
        *fake->in_flight_offset = fake->end;
        store(fake, fake->held_epoch, fake->held);
    }
    if (commit && status == MRT_OK)
        deliver(fake);
    end_append(fake, status);
}

void fake_depose(struct fake *fake)
{
    fake->lost_due = true;
    fake->leader_due = fake->leads;
    fake_go(fake);
}

/* ---- the table ------------------------------------------------------------------------------- */

static mrt_status fake_open(void *inst, mrt_op *op, const mrt_coord_spec *spec, mrt_coord **out)
{
    struct fake *fake = inst;
    if (fake->open_error != MRT_OK)
        return fake->open_error;
    ASSERT(exec_inside(fake->exec));
    fake->events = spec->events;
    fake->ctx = spec->ctx;
    fake->delivered = spec->have_offset;
    fake->credit = 0;
    fake->open = true;
    *out = (mrt_coord *)fake;
    return either(fake, op, MRT_OK);
}

static struct fake *fake_of(mrt_coord *coord)
{
    struct fake *fake = (struct fake *)coord;
    ASSERT(exec_inside(fake->exec));
    ASSERT(fake->open);
    return fake;
}

static mrt_status fake_close(mrt_coord *coord, mrt_op *op)
{
    struct fake *fake = fake_of(coord);
    ASSERT(!fake->putting);
    ASSERT(!fake->reading);
    fake->open = false;
    fake->leader_due = false;
    if (fake->in_flight != NULL)
        end_append(fake, MRT_EUNKNOWN);
    return either(fake, op, MRT_OK);
}

static mrt_status fake_campaign(mrt_coord *coord, uint32_t eligible, uint32_t priority)
{
    struct fake *fake = fake_of(coord);
    ASSERT(eligible == 1);
    ASSERT(priority == 100);
    fake->leader_due = fake->leads;
    fake_go(fake);
    return MRT_OK;
}

static mrt_status fake_resign(mrt_coord *coord, mrt_op *op, uint32_t epoch, int32_t prefer)
{
    struct fake *fake = fake_of(coord);
    ASSERT(prefer == -1);
    if (epoch != fake->epoch)
        return MRT_EFENCED;
    fake->resigned++;
    return either(fake, op, MRT_OK);
}

static mrt_status fake_append(
    mrt_coord *coord, mrt_op *op, uint32_t epoch, uint64_t expect_offset, const mrt_str *entry,
    uint64_t *offset)
{
    struct fake *fake = fake_of(coord);
    ASSERT(fake->in_flight == NULL); /* one entry in flight */
    if (entry->n > fake->max_entry)
        return MRT_ETOOBIG;
    if (expect_offset != fake->end || epoch != fake->epoch)
        return MRT_EFENCED;
    if (fake->append == FAKE_FAIL_INLINE)
        return fake->append_error;
    fake->in_flight = op;
    fake->in_flight_offset = offset;
    fake->held = entry;
    fake->held_epoch = epoch;
    switch (fake->append) {
    case FAKE_COMMIT:
        *offset = fake->end;
        store(fake, epoch, entry);
        fake_go(fake);
        break;
    case FAKE_FAIL:
        end_append(fake, fake->append_error);
        break;
    case FAKE_LOSE_APPLIED:
        store(fake, epoch, entry);
        end_append(fake, MRT_EUNKNOWN);
        fake->append = FAKE_COMMIT;
        fake_depose(fake);
        break;
    case FAKE_LOSE:
        end_append(fake, MRT_EUNKNOWN);
        fake->append = FAKE_COMMIT;
        fake_depose(fake);
        break;
    case FAKE_HOLD:
    case FAKE_FAIL_INLINE:
        break;
    }
    return MRT_PENDING;
}

static mrt_status fake_barrier(mrt_coord *coord, mrt_op *op, uint64_t *end)
{
    struct fake *fake = fake_of(coord);
    *end = fake->end;
    return either(fake, op, MRT_OK);
}

static void fake_credit(mrt_coord *coord, uint64_t bytes)
{
    struct fake *fake = fake_of(coord);
    fake->credit += bytes;
    if (fake->credit > fake->most_credit)
        fake->most_credit = fake->credit;
    fake_go(fake);
}

static mrt_status fake_snapshot_read(
    mrt_snapshot *snapshot, mrt_op *op, void *buf, uint64_t cap, uint64_t *got)
{
    struct fake *fake = (struct fake *)snapshot;
    ASSERT(fake->reading);
    uint64_t left = fake->stored_id.bytes - fake->read_at;
    *got = left < cap ? left : cap;
    memcpy(buf, fake->stored + fake->read_at, *got);
    fake->read_at += *got;
    return either(fake, op, MRT_OK);
}

static void fake_snapshot_end(mrt_snapshot *snapshot, uint32_t adopted)
{
    struct fake *fake = (struct fake *)snapshot;
    ASSERT(fake->reading);
    fake->reading = false;
    fake->adopted += adopted;
    if (!adopted)
        return; /* it would be offered for ever */
    fake->delivered = fake->stored_id.end_offset;
    fake_go(fake);
}

static mrt_status fake_snapshot_begin(
    mrt_coord *coord, mrt_op *op, const mrt_snap_id *id, mrt_snapshot **out)
{
    struct fake *fake = fake_of(coord);
    ASSERT(!fake->putting);
    fake->putting = true;
    fake->put_id = *id;
    fake->put_at = 0;
    free(fake->put);
    fake->put = malloc(id->bytes);
    *out = (mrt_snapshot *)fake;
    return either(fake, op, MRT_OK);
}

static mrt_status fake_snapshot_put(mrt_snapshot *snapshot, mrt_op *op, const mrt_str *bytes)
{
    struct fake *fake = (struct fake *)snapshot;
    ASSERT(bytes->n <= fake->snap_chunk);
    if (fake->put_error != MRT_OK)
        return fake->put_error;
    memcpy(fake->put + fake->put_at, bytes->p, bytes->n);
    fake->put_at += bytes->n;
    return either(fake, op, MRT_OK);
}

static mrt_status fake_snapshot_commit(mrt_snapshot *snapshot, mrt_op *op, uint32_t keep)
{
    struct fake *fake = (struct fake *)snapshot;
    ASSERT(fake->putting);
    fake->putting = false;
    if (!keep)
        return either(fake, op, MRT_OK);
    if (fake->put_at != fake->put_id.bytes ||
        kit_crc32c(0, fake->put, fake->put_at) != fake->put_id.crc32c)
        return MRT_ECORRUPT;
    free(fake->stored);
    fake->stored = fake->put;
    fake->stored_id = fake->put_id;
    fake->put = NULL;
    return either(fake, op, MRT_OK);
}

static mrt_status fake_trim(mrt_coord *coord, mrt_op *op, uint64_t below)
{
    struct fake *fake = fake_of(coord);
    if (fake->stored == NULL || below > fake->stored_id.end_offset)
        return MRT_ERANGE;
    fake->start = below;
    return either(fake, op, MRT_OK);
}

static void fake_stat(mrt_coord *coord, mrt_coord_stat *out)
{
    const struct fake *fake = fake_of(coord);
    out->max_entry = fake->max_entry;
    out->snap_chunk = fake->snap_chunk;
    out->epoch = fake->epoch;
    out->tail = out->committed = fake->end;
    memset(out->generation, 7, sizeof out->generation);
}

const mrt_coordination_ops fake_ops = {
    .size = sizeof(mrt_coordination_ops),
    .caps = MRT_COORD_DURABLE | MRT_COORD_SNAPSHOT_LOCAL,
    .open = fake_open,
    .close = fake_close,
    .campaign = fake_campaign,
    .resign = fake_resign,
    .append = fake_append,
    .barrier = fake_barrier,
    .credit = fake_credit,
    .snapshot_read = fake_snapshot_read,
    .snapshot_end = fake_snapshot_end,
    .snapshot_begin = fake_snapshot_begin,
    .snapshot_put = fake_snapshot_put,
    .snapshot_commit = fake_snapshot_commit,
    .trim = fake_trim,
    .stat = fake_stat,
};
