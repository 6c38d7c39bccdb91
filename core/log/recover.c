/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recover.c - what a log knew before it was closed or killed: epochs and producers from their side
 * files, then from the batches behind the newest snapshot that is whole. Only headers are looked
 * at; the storage plugin has verified what may be torn.
 *
 * A power cut may have taken records whose side files were durable already. What those say about
 * offsets at or above the end goes before the log is used: the end will pass them again, with other
 * records.
 */
#include <string.h>

#include "core/log/internal.h"

#define READ_BYTES (1024 * 1024) /* of one step through the tail; one larger batch is read whole */
#define BLOB_MAX   (64 * 1024 * 1024)  /* more than the tables' limits can fill */
#define BATCH_MAX  (256 * 1024 * 1024) /* a batch beyond is not Kafka's */
#define SLICES     8
#define LISTED     32

enum stage {
    STAGE_EPOCHS,
    STAGE_STALE,
    STAGE_SNAPSHOTS,
    STAGE_SNAPSHOT,
    STAGE_READ,
    STAGE_PULL,
    STAGE_DONE
};

struct recovery {
    struct log_request *request;
    enum stage stage;
    mrt_status fault; /* why it ends here */
    bool closing;
    bool called;       /* a storage call was made in this stage */
    int64_t at;        /* replayed up to here */
    int64_t stale;     /* the snapshot that is being removed */
    int64_t below;     /* snapshots at or above this were no good */
    uint64_t capacity; /* of bytes */
    uint64_t got;
    uint8_t *bytes;
    mrt_read want;
    mrt_read_res res;
    mrt_slice slices[SLICES];
};

/* Ends recovery; the step that finds the fault makes no call. */
static mrt_status fault(struct recovery *r, mrt_status status)
{
    ASSERT(status < 0);
    r->fault = status;
    return MRT_OK;
}

static mrt_status room(struct recovery *r, uint64_t size, uint64_t size_max)
{
    if (size <= r->capacity)
        return MRT_OK;
    if (size > size_max)
        return MRT_ETOOBIG;
    memory_free(r->bytes);
    r->bytes = memory_try(size, 16);
    r->capacity = r->bytes == NULL ? 0 : size;
    return r->bytes == NULL ? MRT_ENOMEM : MRT_OK;
}

static void enter(struct recovery *r, enum stage stage)
{
    ASSERT(r->fault == MRT_OK);
    ASSERT(stage <= STAGE_DONE);
    r->stage = stage;
    r->called = false;
}

/* ---- side files ------------------------------------------------------------------------------ */

static mrt_status get_blob(struct log *log, uint32_t kind, int64_t offset)
{
    struct recovery *r = log->recovery;

    r->called = true;
    r->got = 0;
    return op_outcome(
        &log->op,
        log->ops->blob_get(log->store, &log->op, kind, offset, r->bytes, r->capacity, &r->got));
}

/* After a blob_get: MRT_EAGAIN when it is to be asked again with more room. */
static mrt_status got_blob(struct log *log)
{
    struct recovery *r = log->recovery;

    if (log->job.status != MRT_ETOOBIG)
        return log->job.status;
    if (r->got <= r->capacity)
        return MRT_ECORRUPT;
    mrt_status status = room(r, r->got, BLOB_MAX);
    return status == MRT_OK ? MRT_EAGAIN : status;
}

static mrt_status epochs_stage(struct log *log)
{
    struct recovery *r = log->recovery;

    if (!r->called)
        return get_blob(log, MRT_BLOB_EPOCHS, 0);
    mrt_status status = got_blob(log);
    if (status == MRT_EAGAIN)
        return get_blob(log, MRT_BLOB_EPOCHS, 0);
    if (status == MRT_OK)
        status = epochs_decode(&log->epochs, (const char *)r->bytes, r->got);
    if (status == MRT_ECORRUPT) /* what the batches say will do */
        log_note(log, MRT_LOG_WARN, "log.epochs_corrupt", status);
    epochs_trim_tail(&log->epochs, log->now.end);
    enter(r, STAGE_STALE);
    if (status == MRT_OK || status == MRT_ENOENT || status == MRT_ECORRUPT)
        return MRT_OK;
    return fault(r, status);
}

/* Removes the snapshots from beyond the end. A directory that may not be changed keeps them:
 * nothing is appended to it either. */
static mrt_status stale_stage(struct log *log)
{
    struct recovery *r = log->recovery;
    int64_t offset;
    uint32_t n = 0;

    if (r->called && log->job.status != MRT_OK && log->job.status != MRT_EREADONLY)
        return fault(r, log->job.status);
    mrt_status status =
        log->ops->blobs(log->store, MRT_BLOB_PRODUCERS, log->now.end + 1, &offset, 1, &n);
    if (status != MRT_OK)
        return fault(r, status);
    if (n == 0 || (r->called && log->job.status == MRT_EREADONLY)) {
        enter(r, STAGE_SNAPSHOTS);
        return MRT_OK;
    }
    if (r->called && offset <= r->stale)
        return fault(r, MRT_ECORRUPT); /* removed, and still there: it would not end */
    r->called = true;
    r->stale = offset;
    return op_outcome(
        &log->op, log->ops->blob_remove(log->store, &log->op, MRT_BLOB_PRODUCERS, offset));
}

/* The newest snapshot below @below and at or below the end; -1: none. */
static mrt_status newest_snapshot(struct log *log, int64_t below, int64_t *out)
{
    int64_t offsets[LISTED];
    int64_t from = 0;
    uint32_t n = LISTED;

    *out = -1;
    while (n == LISTED) {
        mrt_status status =
            log->ops->blobs(log->store, MRT_BLOB_PRODUCERS, from, offsets, LISTED, &n);
        if (status != MRT_OK)
            return status;
        for (uint32_t i = 0; i < n; i++) {
            if (offsets[i] < from) /* not ascending: it would not end */
                return MRT_ECORRUPT;
            from = offsets[i] + 1;
            if (offsets[i] < below && offsets[i] <= log->now.end)
                *out = offsets[i];
        }
    }
    return MRT_OK;
}

static mrt_status snapshots_stage(struct log *log)
{
    struct recovery *r = log->recovery;
    mrt_status status = newest_snapshot(log, r->below, &r->at);

    if (status != MRT_OK)
        return fault(r, status);
    if (r->at < log->now.start) { /* none, or of what was removed: only the log itself knows */
        r->at = log->now.start;
        enter(r, STAGE_READ);
    } else {
        enter(r, STAGE_SNAPSHOT);
    }
    return MRT_OK;
}

static mrt_status snapshot_stage(struct log *log)
{
    struct recovery *r = log->recovery;

    if (!r->called)
        return get_blob(log, MRT_BLOB_PRODUCERS, r->at);
    mrt_status status = got_blob(log);
    if (status == MRT_EAGAIN)
        return get_blob(log, MRT_BLOB_PRODUCERS, r->at);
    if (status == MRT_OK)
        status = producers_decode(&log->producers, r->bytes, r->got, exec_wall_ms(log->exec));
    if (status == MRT_OK) {
        enter(r, STAGE_READ);
        return MRT_OK;
    }
    log_note(log, MRT_LOG_WARN, "log.snapshot_unreadable", status);
    r->below = r->at;
    enter(r, STAGE_SNAPSHOTS);
    return MRT_OK;
}

/* ---- the tail -------------------------------------------------------------------------------- */

static mrt_status read_stage(struct log *log)
{
    struct recovery *r = log->recovery;

    if (r->called) {
        if (log->job.status != MRT_OK)
            return fault(r, log->job.status);
        if (r->res.data.n == 0 || r->res.next_offset <= r->at)
            return fault(r, MRT_ECORRUPT); /* before the end there is something */
        enter(r, STAGE_PULL);
        return MRT_OK;
    }
    if (r->at >= log->now.end) {
        enter(r, STAGE_DONE);
        return MRT_OK;
    }
    r->called = true;
    r->want = (mrt_read){sizeof r->want, 1, r->at, log->now.end, READ_BYTES};
    r->res = (mrt_read_res){.size = sizeof r->res, .cap = SLICES, .slices = r->slices};
    return op_outcome(&log->op, log->ops->read(log->store, &log->op, &r->want, &r->res));
}

static void learn(struct log *log, const struct kit_batch *batch)
{
    if (batch->leader_epoch >= 0)
        epochs_note(&log->epochs, batch->leader_epoch, batch->base_offset);
    if (batch->producer_id >= 0 && !(batch->attributes & KIT_BATCH_CONTROL))
        producers_note(&log->producers, batch, exec_wall_ms(log->exec));
}

static mrt_status replay(struct log *log)
{
    struct recovery *r = log->recovery;
    const uint8_t *at = r->bytes;
    uint64_t left = r->res.data.bytes;

    while (left > 0) {
        struct kit_batch batch;
        mrt_status status = record_batch(at, left, &batch);
        if (status != MRT_OK)
            return status;
        if (batch.base_offset < 0 || batch.last_offset_delta < 0)
            return MRT_ECORRUPT;
        learn(log, &batch);
        at += batch.size;
        left -= batch.size;
    }
    return MRT_OK;
}

static void unpin(struct recovery *r)
{
    lease_release(r->res.data.lease);
    r->res.data.lease = NULL;
}

static mrt_status pull_stage(struct log *log)
{
    struct recovery *r = log->recovery;

    if (!r->called) {
        mrt_status status = room(r, r->res.data.bytes, BATCH_MAX);
        if (status != MRT_OK)
            return fault(r, status);
        r->called = true;
        return op_outcome(&log->op, slices_pull(log->exec, &log->op, &r->res.data, r->bytes));
    }
    unpin(r);
    mrt_status status = log->job.status;
    if (status == MRT_OK)
        status = replay(log);
    r->at = r->res.next_offset;
    enter(r, STAGE_READ);
    return status == MRT_OK ? MRT_OK : fault(r, status);
}

/* ---- the whole ------------------------------------------------------------------------------- */

static mrt_status advance(struct log *log)
{
    switch (log->recovery->stage) {
    case STAGE_EPOCHS:
        return epochs_stage(log);
    case STAGE_STALE:
        return stale_stage(log);
    case STAGE_SNAPSHOTS:
        return snapshots_stage(log);
    case STAGE_SNAPSHOT:
        return snapshot_stage(log);
    case STAGE_READ:
        return read_stage(log);
    case STAGE_PULL:
        return pull_stage(log);
    case STAGE_DONE:
        break;
    }
    return JOB_END;
}

/* When the active segment got its first batch is not kept: its creation comes close. */
static void find_started(struct log *log)
{
    mrt_segment segment;
    uint32_t n = 0;

    if (log->active_bytes == 0)
        return;
    mrt_status status = log->ops->segments(log->store, log->active_base, &segment, 1, &n);
    if (status == MRT_OK && n == 1 && segment.created_ms > 0)
        log->started_ms = segment.created_ms;
}

/* The high watermark is never behind what it was, nor before the start. */
static void find_watermark(struct log *log)
{
    int64_t mark = 0;
    if (log->ops->mark_get(log->store, MRT_MARK_HIGH_WATERMARK, &mark) != MRT_OK)
        mark = 0;
    if (mark > log->now.end)
        mark = log->now.end;
    if (mark < log->now.start)
        mark = log->now.start;
    ASSERT(mark >= 0);
    log->now.stable_end = mark;
    log->now.high_watermark = mark;
    log->now.last_stable = mark;
}

static void finish(struct log *log, mrt_status status)
{
    struct recovery *r = log->recovery;
    struct log_request *request = r->request;

    log->recovery = NULL;
    log->opening = false;
    memory_free(r->bytes);
    memory_free(r);
    request_finish(request, status);
}

static mrt_status opened(struct log *log)
{
    ASSERT(log->opening);
    ASSERT(log->now.state == MRT_EAGAIN);
    find_watermark(log);
    find_started(log);
    log_led(log); /* where this leader begins, even before it writes */
    log->now.state = MRT_OK;
    flush_kick(log);
    log_advance(log);
    finish(log, MRT_OK);
    return JOB_END;
}

/* What cannot be understood is closed again; another log_open() may follow. */
static mrt_status close_again(struct log *log)
{
    struct recovery *r = log->recovery;

    unpin(r);
    r->closing = true;
    log_note(log, MRT_LOG_ERROR, "log.recovery_failed", r->fault);
    return op_outcome(&log->op, log->ops->log_close(log->store, &log->op));
}

static mrt_status closed_again(struct log *log)
{
    mrt_status status = log->recovery->fault;

    log->store = NULL;
    producers_clear(&log->producers);
    epochs_fini(&log->epochs);
    finish(log, status);
    return JOB_END;
}

mrt_status recover_step(struct log *log)
{
    struct recovery *r = log->recovery;

    if (r->closing)
        return closed_again(log);
    mrt_status status = advance(log);
    if (r->fault != MRT_OK)
        return close_again(log);
    return status == JOB_END ? opened(log) : status;
}

/* Storage keeps whole segments; where in the first one the log begins is a mark. */
static void find_start(struct log *log)
{
    int64_t mark = 0;
    if (log->ops->mark_get(log->store, MRT_MARK_LOG_START, &mark) != MRT_OK)
        return;
    if (mark > log->now.start && mark <= log->now.end)
        log->now.start = mark;
}

void recover_begin(struct log *log, struct log_request *request)
{
    mrt_log_state state = {.size = sizeof state};

    ASSERT(log->store != NULL);
    ASSERT(log->recovery == NULL);
    log->now.start = 0;
    log->ops->state(log->store, &state);
    log_observe(log, &state);
    find_start(log);
    log->recovery = memory_new(sizeof *log->recovery);
    log->recovery->request = request;
    log->recovery->below = INT64_MAX;
    jobs_start(log, recover_step);
    jobs_run(log);
}
