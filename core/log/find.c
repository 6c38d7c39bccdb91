/* SPDX-License-Identifier: Apache-2.0 */
/*
 * find.c - ListOffsets: storage finds the batch, the record is found here, where the batch can be
 * read. A compressed batch is answered with its base: the codec is not the log's.
 *
 *   FOUND: storage says which batch -> READ: it is pinned -> PULLED: it is in memory, walked
 *          -> answered, or READ of the next: the records that qualify may lie before the start
 */
#include "core/log/internal.h"

#define BATCHES_MAX                                                                                \
    16              /* a batch whose max timestamp qualifies holds the record, but for the start */
#define STOP      2 /* beside MRT_OK and MRT_PENDING: answered */
#define BYTES_MAX (256 * 1024 * 1024) /* a batch beyond is not Kafka's */

enum find_stage { /* the outcome that comes next */
    STAGE_FOUND,
    STAGE_READ,
    STAGE_PULLED
};

static mrt_status run(struct log_find *find, mrt_status status);

static void on_op(mrt_op *op)
{
    struct log_find *find = op->caller;
    struct log *log = find->request.log;

    ASSERT(log->reads > 0);
    log->reads--;
    run(find, op->status);
}

static mrt_status answer(struct log_find *find, mrt_status status)
{
    struct log *log = find->request.log;

    ASSERT(status != MRT_PENDING);
    ASSERT(status == MRT_OK || find->offset < 0);
    lease_release(find->res.data.lease);
    find->res.data.lease = NULL;
    memory_free(find->bytes);
    find->bytes = NULL;
    request_finish(&find->request, status);
    if (log->ending != NULL)
        jobs_run(log);
    return STOP;
}

static mrt_status none(struct log_find *find)
{
    return answer(find, MRT_OK);
}

static int64_t limit(const struct log_find *find)
{
    const struct log_line *line = &find->request.log->now;
    return find->committed ? line->last_stable : line->high_watermark;
}

static mrt_op *next_op(struct log_find *find, enum find_stage stage)
{
    find->stage = stage;
    op_init(&find->op, find->request.log->exec, on_op, find);
    return &find->op;
}

/* ---- walking --------------------------------------------------------------------------------- */

static bool qualifies(const struct log_find *find, int64_t offset, int64_t timestamp_ms)
{
    if (offset < find->request.log->now.start || offset >= limit(find))
        return false;
    if (find->timestamp_ms == MRT_AT_MAX_TIMESTAMP)
        return timestamp_ms == find->at.max_timestamp_ms;
    return timestamp_ms >= find->timestamp_ms;
}

static void found(struct log_find *find, int64_t offset, int64_t ms, const struct kit_batch *batch)
{
    find->offset = offset;
    find->found_ms = ms;
    find->found_epoch = batch->leader_epoch;
}

/* MRT_OK with find->offset -1 when no record of @batch qualifies. */
static mrt_status walk(struct log_find *find, const uint8_t *bytes, const struct kit_batch *batch)
{
    struct record_cursor cursor;
    struct record record;

    if (batch->attributes & KIT_BATCH_CODEC) {
        if (qualifies(find, batch->base_offset, batch->max_timestamp_ms))
            found(find, batch->base_offset, batch->max_timestamp_ms, batch);
        return MRT_OK;
    }
    record_walk(&cursor, bytes, batch);
    while (find->offset < 0 && record_next(&cursor, &record))
        if (qualifies(find, record.offset, record.timestamp_ms))
            found(find, record.offset, record.timestamp_ms, batch);
    return cursor.text == NULL ? MRT_OK : MRT_ECORRUPT;
}

static mrt_status walk_all(struct log_find *find)
{
    const uint8_t *at = find->bytes;
    uint64_t left = find->res.data.bytes;

    while (left > 0 && find->offset < 0) {
        struct kit_batch batch;
        mrt_status status = record_batch(at, left, &batch);
        if (status == MRT_OK)
            status = walk(find, at, &batch);
        if (status != MRT_OK)
            return status;
        at += batch.size;
        left -= batch.size;
    }
    return MRT_OK;
}

/* ---- stages ---------------------------------------------------------------------------------- */

static mrt_status read_at(struct log_find *find, int64_t from)
{
    struct log *log = find->request.log;

    if (from < log->now.start)
        from = log->now.start;
    if (from >= limit(find) || find->batches == BATCHES_MAX)
        return none(find);
    ASSERT(find->res.data.lease == NULL);
    find->batches++;
    find->want = (mrt_read){sizeof find->want, 1, from, limit(find), 1};
    find->res = (mrt_read_res){
        .size = sizeof find->res,
        .cap = sizeof find->slices / sizeof *find->slices,
        .slices = find->slices,
    };
    mrt_op *op = next_op(find, STAGE_READ);
    return op_outcome(op, log->ops->read(log->store, op, &find->want, &find->res));
}

static mrt_status pull(struct log_find *find)
{
    uint64_t size = find->res.data.bytes;

    ASSERT(find->stage == STAGE_READ);
    if (find->res.data.n == 0)
        return none(find);
    memory_free(find->bytes);
    find->bytes = size > BYTES_MAX ? NULL : memory_try(size, 16);
    if (find->bytes == NULL)
        return answer(find, MRT_ENOMEM);
    mrt_op *op = next_op(find, STAGE_PULLED);
    return op_outcome(op, slices_pull(find->request.log->exec, op, &find->res.data, find->bytes));
}

static mrt_status step(struct log_find *find)
{
    mrt_status status;

    switch ((enum find_stage)find->stage) {
    case STAGE_FOUND:
        return find->at.base_offset < 0 ? none(find) : read_at(find, find->at.base_offset);
    case STAGE_READ:
        return pull(find);
    case STAGE_PULLED:
        break;
    }
    lease_release(find->res.data.lease);
    find->res.data.lease = NULL;
    status = walk_all(find);
    if (status != MRT_OK || find->offset >= 0)
        return answer(find, status);
    return read_at(find, find->res.next_offset);
}

static mrt_status run(struct log_find *find, mrt_status status)
{
    struct log *log = find->request.log;

    while (status == MRT_OK)
        status = step(find);
    if (status == MRT_PENDING)
        log->reads++;
    else if (status != STOP)
        answer(find, status);
    return status;
}

/* ---- requests -------------------------------------------------------------------------------- */

/* Those that need no batch. */
static bool at_an_end(struct log *log, struct log_find *find)
{
    switch (find->timestamp_ms) {
    case MRT_AT_LATEST:
        find->offset = limit(find);
        find->found_epoch = epochs_latest(&log->epochs);
        return true;
    case MRT_AT_EARLIEST:
    case MRT_AT_EARLIEST_LOCAL:
        find->offset = log->now.start;
        find->found_epoch = epochs_at(&log->epochs, log->now.start);
        return true;
    default: /* MRT_AT_LATEST_TIERED among them: nothing is tiered */
        return find->timestamp_ms < 0 && find->timestamp_ms != MRT_AT_MAX_TIMESTAMP;
    }
}

static void on_find(mrt_task *task)
{
    struct log_find *find = (struct log_find *)request_of(task);
    struct log *log = find->request.log;
    mrt_status status = log_usable(log);

    if (status == MRT_OK)
        status = log_epoch_check(log, find->leader_epoch);
    if (status != MRT_OK || at_an_end(log, find)) {
        answer(find, status);
        return;
    }
    mrt_op *op = next_op(find, STAGE_FOUND);
    if (find->timestamp_ms == MRT_AT_MAX_TIMESTAMP)
        status = log->ops->find_latest(log->store, op, &find->at);
    else
        status = log->ops->find_time(log->store, op, find->timestamp_ms, &find->at);
    run(find, op_outcome(op, status));
}

void log_find(struct log *log, struct log_find *find)
{
    find->offset = -1;
    find->found_ms = -1;
    find->found_epoch = -1;
    find->batches = 0;
    find->bytes = NULL;
    find->res.data.lease = NULL;
    find->at = (mrt_batch_at){.base_offset = -1};
    request_post(log, &find->request, on_find);
}
