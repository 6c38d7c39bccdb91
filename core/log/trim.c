/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trim.c - the head of a log goes: because somebody asked (log_trim) or by retention. Whole
 * segments leave storage, the start moves, and what belonged to them goes with them: snapshots,
 * epochs.
 */
#include "core/log/internal.h"

/* The first offset that storage still has: it keeps the segment in which the start lies. */
static int64_t first_base(struct log *log)
{
    mrt_segment segment;
    uint32_t n = 0;
    mrt_status status = log->ops->segments(log->store, log->now.start, &segment, 1, &n);
    return status == MRT_OK && n == 1 ? segment.base : log->now.start;
}

static void trimmed(struct log *log)
{
    mrt_log_state state = {.size = sizeof state};
    int64_t before = log->now.start;

    log->ops->state(log->store, &state);
    log_observe(log, &state);
    if (log->now.start < log->trim_upto)
        log->now.start = log->trim_upto;
    ASSERT(log->now.start > before);
    log->ops->mark_set(log->store, MRT_MARK_LOG_START, log->now.start);
    epochs_trim_head(&log->epochs, log->now.start);
    line_publish(log);
}

/* Removes one snapshot of a removed segment. */
static mrt_status remove_next(struct log *log)
{
    int64_t offset;
    uint32_t n = 0;
    mrt_status status = log->ops->blobs(log->store, MRT_BLOB_PRODUCERS, 0, &offset, 1, &n);

    if (status != MRT_OK || n == 0 || offset >= first_base(log))
        return JOB_END;
    return op_outcome(
        &log->op, log->ops->blob_remove(log->store, &log->op, MRT_BLOB_PRODUCERS, offset));
}

mrt_status trim_go(struct log *log)
{
    ASSERT(log->trim_upto <= log->now.high_watermark);
    ASSERT(log->trim_upto > log->now.start || log->job.at > 0);
    if (log->job.at == 0)
        return op_outcome(&log->op, log->ops->trim_head(log->store, &log->op, log->trim_upto));
    if (log->job.status != MRT_OK)
        return JOB_END; /* a snapshot too many does no harm; the next trim tries again */
    if (log->job.at == 1)
        trimmed(log);
    return remove_next(log);
}

/* ---- log_trim -------------------------------------------------------------------------------- */

static struct log_trim *first_trim(struct log *log)
{
    ASSERT(!list_empty(&log->trims));
    return (struct log_trim *)CONTAINER(log->trims.next, struct log_request, link);
}

static void answer(struct log *log, struct log_trim *trim, mrt_status status)
{
    list_remove(&trim->request.link);
    trim->low_watermark = status == MRT_OK ? log->now.start : -1;
    request_finish(&trim->request, status);
}

mrt_status trim_step(struct log *log)
{
    if (log->job.at == 0) {
        struct log_trim *trim = first_trim(log);
        int64_t upto = trim->upto == -1 ? log->now.high_watermark : trim->upto;
        if (upto < 0 || upto > log->now.high_watermark) {
            answer(log, trim, MRT_ERANGE);
            return JOB_END;
        }
        if (upto <= log->now.start) {
            answer(log, trim, MRT_OK);
            return JOB_END;
        }
        log->trim_upto = upto;
    }
    mrt_status first = log->job.status;
    bool told = log->job.at == 1;
    mrt_status status = trim_go(log);
    if (told && !list_empty(&log->trims)) /* empty: the log went offline meanwhile */
        answer(log, first_trim(log), first);
    return status;
}

static void on_trim(mrt_task *task)
{
    struct log_trim *trim = (struct log_trim *)request_of(task);
    struct log *log = trim->request.log;
    mrt_status status = log_usable(log);

    trim->low_watermark = -1;
    if (status != MRT_OK) {
        request_finish(&trim->request, status);
        return;
    }
    list_append(&log->trims, &trim->request.link);
    jobs_run(log);
}

void log_trim(struct log *log, struct log_trim *trim)
{
    request_post(log, &trim->request, on_trim);
}
