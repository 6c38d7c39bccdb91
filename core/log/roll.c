/* SPDX-License-Identifier: Apache-2.0 */
/*
 * roll.c - when a segment is sealed (L6), and what is written then: the producers' snapshot, named
 * by the offset at which the next segment begins, and the epochs.
 */
#include "core/log/internal.h"

/* Partitions of one topic that filled alike shall not all roll in one second: a part of the jitter
 * that depends on which segment of which log it is. */
static int64_t jitter(const struct log *log)
{
    if (log->config.segment_jitter_ms <= 0)
        return 0;
    uint64_t mix = kit_get64(log->spec.topic_id) ^ (uint64_t)log->spec.partition << 32 ^
                   (uint64_t)log->active_base;
    mix *= UINT64_C(0x9e3779b97f4a7c15);
    return (int64_t)(mix >> 16) % log->config.segment_jitter_ms;
}

static int64_t age_max_ms(const struct log *log)
{
    int64_t jitter_ms = jitter(log);
    return log->config.segment_ms > jitter_ms ? log->config.segment_ms - jitter_ms : 0;
}

/* By the records' own clock where they have one, so that old data that is loaded again is spread
 * over segments as it was. */
static bool older_than_first(const struct log *log, int64_t timestamp_ms)
{
    int64_t age_ms;
    if (log->first_ms < 0 || timestamp_ms < 0)
        return roll_aged(log);
    if (__builtin_sub_overflow(timestamp_ms, log->first_ms, &age_ms))
        return false;
    return age_ms > age_max_ms(log);
}

bool roll_aged(const struct log *log)
{
    if (log->active_bytes == 0 || log->started_ms < 0)
        return false;
    return exec_wall_ms(log->exec) - log->started_ms > age_max_ms(log);
}

bool roll_due(const struct log *log, uint64_t bytes, int64_t last_offset, int64_t timestamp_ms)
{
    if (log->active_bytes == 0)
        return false;
    if (log->active_bytes + bytes > log->config.segment_bytes)
        return true;
    if (last_offset - log->active_base > INT32_MAX) /* an index keeps 31 bits */
        return true;
    return older_than_first(log, timestamp_ms);
}

mrt_status snapshot_put(struct log *log)
{
    uint64_t size = producers_size(&log->producers);

    ASSERT(log->blob == NULL);
    log->blob = memory_try(size, 8);
    if (log->blob == NULL)
        return MRT_ENOMEM;
    producers_encode(&log->producers, log->blob);
    log->blob_view = (mrt_str){(const char *)log->blob, size};
    return op_outcome(
        &log->op, log->ops->blob_put(
                      log->store, &log->op, MRT_BLOB_PRODUCERS, log->now.end, &log->blob_view, 0));
}

static void blob_done(struct log *log, const char *event)
{
    ASSERT(log->job.at > 0);
    memory_free(log->blob);
    log->blob = NULL;
    if (log->job.status != MRT_OK)
        log_note(log, MRT_LOG_WARN, event, log->job.status);
}

/* The append that asked for it cannot go on; the next one tries again. */
static mrt_status failed(struct log *log)
{
    log_note(log, MRT_LOG_WARN, "log.roll_failed", log->job.status);
    if (!list_empty(&log->arrived)) {
        struct log_append *append = append_first(log);
        list_remove(&append->request.link);
        append->base_offset = -1;
        append_finish(append, log->job.status);
    }
    if (log->job.status == MRT_EOFFLINE)
        log_offline(log, MRT_EOFFLINE);
    return JOB_END;
}

mrt_status roll_step(struct log *log)
{
    mrt_log_state state = {.size = sizeof state};

    ASSERT(log->store != NULL);
    switch (log->job.at) {
    case 0:
        return op_outcome(&log->op, log->ops->roll(log->store, &log->op));
    case 1:
        log->roll_wanted = false;
        if (log->job.status != MRT_OK)
            return failed(log);
        log->ops->state(log->store, &state);
        log_observe(log, &state);
        return snapshot_put(log);
    default:
        blob_done(log, "log.snapshot_failed");
        log->retention_wanted = true;
        flush_start(log);
        return JOB_END;
    }
}

/* ---- epochs ---------------------------------------------------------------------------------- */

mrt_status epochs_put(struct log *log)
{
    ASSERT(log->blob == NULL);
    log->blob = memory_try(epochs_size(&log->epochs), 8);
    if (log->blob == NULL)
        return MRT_ENOMEM;
    log->blob_view =
        (mrt_str){(const char *)log->blob, epochs_encode(&log->epochs, (char *)log->blob)};
    return op_outcome(
        &log->op, log->ops->blob_put(log->store, &log->op, MRT_BLOB_EPOCHS, 0, &log->blob_view, 0));
}

mrt_status epochs_step(struct log *log)
{
    if (log->job.at == 0) {
        log->epochs.dirty = false; /* what changes meanwhile is written again */
        return epochs_put(log);
    }
    blob_done(log, "log.epochs_failed");
    if (log->job.status != MRT_OK) {
        log->epochs_failed = true;
        log->epochs.dirty = true;
    }
    return JOB_END;
}
