/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tail.c - index entries on their way from memory to the index files.
 *
 * They are written behind the bytes they speak of, a full tail at a time, the time index first: an
 * offset entry on disk then says that the times up to its batch are there too. A crash loses at
 * most one tail, which recovery makes again from the log.
 */
#include <string.h>

#include "plugins/storage/segment/parts.h"

struct tail *segment_tail(mrt_log *log, struct segment *segment)
{
    const mrt_host *host = log->store->host;
    if (!segment->tail) {
        segment->tail = host->alloc(host, sizeof(*segment->tail), 8);
        if (segment->tail)
            segment->tail->offsets = segment->tail->times = 0;
    }
    return segment->tail;
}

static mrt_status scratch(struct job *job)
{
    const mrt_host *host = job->store->host;
    host->free(host, job->loaded);
    job->loaded = host->alloc(host, TAIL_ENTRIES * TIME_ENTRY, 8);
    return job->loaded ? MRT_OK : MRT_ENOMEM;
}

static mrt_status write_times(struct job *job, struct segment *segment)
{
    struct tail *tail = segment->tail;
    JOB_BEGIN(job)
    if (tail->times == 0)
        JOB_RETURN(job, MRT_OK);
    JOB_STEP_OK(job, segment_hold(job, segment, FILE_TIME));
    segment->index_synced = 0;
    segment_time_encode(tail->time, tail->times, (uint8_t *)job->loaded);
    JOB_AWAIT_OK(
        job, segment_write_at(
                 job, segment->file[FILE_TIME]->file, job->loaded,
                 (uint64_t)tail->times * TIME_ENTRY, (uint64_t)segment->time_count * TIME_ENTRY));
    segment->time_count += tail->times;
    tail->times = 0;
    JOB_END(job, MRT_OK);
}

static mrt_status write_offsets(struct job *job, struct segment *segment)
{
    struct tail *tail = segment->tail;
    JOB_BEGIN(job)
    if (tail->offsets == 0)
        JOB_RETURN(job, MRT_OK);
    JOB_STEP_OK(job, segment_hold(job, segment, FILE_INDEX));
    segment->index_synced = 0;
    segment_offset_encode(tail->offset, tail->offsets, (uint8_t *)job->loaded);
    JOB_AWAIT_OK(
        job,
        segment_write_at(
            job, segment->file[FILE_INDEX]->file, job->loaded,
            (uint64_t)tail->offsets * INDEX_ENTRY, (uint64_t)segment->index_count * INDEX_ENTRY));
    segment->index_count += tail->offsets;
    tail->offsets = 0;
    JOB_END(job, MRT_OK);
}

mrt_status segment_tail_write(struct job *job, struct segment *segment)
{
    JOB_BEGIN(job)
    if (!segment->tail)
        JOB_RETURN(job, MRT_OK);
    got_ = scratch(job);
    if (got_)
        JOB_RETURN(job, got_);
    JOB_STEP_OK(job, write_times(job, segment));
    JOB_STEP_OK(job, write_offsets(job, segment));
    JOB_END(job, MRT_OK);
}

mrt_status segment_tail_seal(struct job *job, struct segment *segment)
{
    const mrt_host *host = job->store->host;
    JOB_BEGIN(job)
    if (segment->index.max_ms > segment->index.time_ms) {
        if (!segment_tail(job->log, segment))
            JOB_RETURN(job, MRT_ENOMEM);
        if (segment->tail->times == TAIL_ENTRIES)
            JOB_STEP_OK(job, segment_tail_write(job, segment));
        segment_index_seal(&segment->index, segment->tail);
    }
    JOB_STEP_OK(job, segment_tail_write(job, segment));
    host->free(host, segment->tail);
    segment->tail = NULL;
    JOB_END(job, MRT_OK);
}
