/* SPDX-License-Identifier: Apache-2.0 */
/*
 * read.c - locates and pins what a reader may see: consumers up to the high watermark or the last
 * stable offset, replicas up to the end. Any number of reads may be in flight, beside an append.
 */
#include "core/log/internal.h"

static void done(struct log_read *read, mrt_status status)
{
    struct log *log = read->request.log;

    if (status != MRT_OK)
        read->res.data = (mrt_slicev){.v = read->res.slices};
    request_finish(&read->request, status);
    if (log->ending != NULL)
        jobs_run(log);
}

static void on_read(mrt_op *op)
{
    struct log_read *read = op->caller;

    ASSERT(read->request.log->reads > 0);
    read->request.log->reads--;
    done(read, op->status);
}

static int64_t limit(const struct log_read *read)
{
    if (read->replica)
        return read->line.end;
    return read->committed ? read->line.last_stable : read->line.high_watermark;
}

/* Has the caller a tail of another leader's (KIP-595)? Then it learns where ours ends. */
static mrt_status check_divergence(const struct log *log, struct log_read *read)
{
    int32_t epoch;
    int64_t end;

    if (read->fetched_epoch < 0)
        return MRT_OK;
    epochs_end(&log->epochs, read->fetched_epoch, log->now.end, &epoch, &end);
    if (epoch < 0)
        return MRT_ERANGE;
    if (epoch < read->fetched_epoch || end < read->from) {
        read->diverged_epoch = epoch;
        read->diverged_end = end;
    }
    return MRT_OK;
}

static mrt_status check(const struct log *log, struct log_read *read)
{
    mrt_status status = log_usable(log);
    if (status == MRT_OK)
        status = log_epoch_check(log, read->leader_epoch);
    if (status == MRT_OK)
        status = check_divergence(log, read);
    if (status != MRT_OK || read->diverged_epoch >= 0)
        return status;
    return read->from < log->now.start || read->from > log->now.end ? MRT_ERANGE : MRT_OK;
}

static void on_request(mrt_task *task)
{
    struct log_read *read = (struct log_read *)request_of(task);
    struct log *log = read->request.log;

    read->line = log->now;
    read->diverged_epoch = -1;
    read->diverged_end = -1;
    read->res.data = (mrt_slicev){.v = read->res.slices};
    read->res.first_offset = read->from;
    read->res.next_offset = read->from;
    mrt_status status = check(log, read);
    if (status != MRT_OK || read->diverged_epoch >= 0 || read->from >= limit(read)) {
        done(read, status);
        return;
    }
    read->want =
        (mrt_read){sizeof read->want, read->min_batches, read->from, limit(read), read->bytes_max};
    op_init(&read->op, log->exec, on_read, read);
    status = op_outcome(&read->op, log->ops->read(log->store, &read->op, &read->want, &read->res));
    if (status == MRT_PENDING)
        log->reads++;
    else
        done(read, status);
}

void log_read(struct log *log, struct log_read *read)
{
    ASSERT(read->res.cap > 0);
    ASSERT(read->res.slices != NULL);
    ASSERT(read->min_batches <= 1);
    read->res.size = sizeof read->res;
    request_post(log, &read->request, on_request);
}
