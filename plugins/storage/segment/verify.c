/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify.c - reads a segment in chunks, has a worker check them, and writes index entries for what
 * was read. Also the search for life behind damage.
 */
#include <string.h>

#include "plugins/storage/segment/recover.h"

#define SECTOR 512 /* what a device loses or keeps as a whole */

static mrt_status open_one(
    struct job *job, struct verify *verify, uint32_t which, uint32_t flags, mrt_file **out)
{
    JOB_BEGIN(job)
    JOB_AWAIT_OK(
        job, job->store->file->open(
                 job->exec, &job->op, segment_path_file(job, PATH_OPEN, verify->segment, which),
                 flags, out));
    JOB_END(job, MRT_OK);
}

mrt_status segment_verify_open(struct job *job, struct verify *verify)
{
    uint32_t write = job->change ? MRT_FILE_WRITE | MRT_FILE_CREATE : 0;
    mrt_status status;
    JOB_BEGIN(job)
    JOB_STEP_OK(job, open_one(job, verify, FILE_LOG, MRT_FILE_READ | write, &verify->log));
    JOB_STEP(job, status, open_one(job, verify, FILE_INDEX, MRT_FILE_READ | write, &verify->index));
    if (status && (status != MRT_ENOENT || write))
        JOB_RETURN(job, status);
    JOB_STEP(job, status, open_one(job, verify, FILE_TIME, MRT_FILE_READ | write, &verify->time));
    if (status && (status != MRT_ENOENT || write))
        JOB_RETURN(job, status);
    JOB_END(job, MRT_OK);
}

static void close_one(struct job *job, mrt_file **file)
{
    if (*file)
        job->store->file->close(*file);
    *file = NULL;
}

void segment_verify_close(struct job *job, struct verify *verify)
{
    close_one(job, &verify->log);
    close_one(job, &verify->index);
    close_one(job, &verify->time);
}

/* ---- the last index entry -------------------------------------------------------------------- */

/* Reads entry @i of @file to verify->chunk. */
static mrt_status read_entry(
    struct job *job, struct verify *verify, mrt_file *file, uint32_t i, uint32_t size)
{
    JOB_BEGIN(job)
    JOB_AWAIT_OK(job, segment_read_at(job, file, verify->chunk, size, (uint64_t)i * size));
    JOB_RETURN(job, job->got == size ? MRT_OK : MRT_EAGAIN);
    JOB_END(job, MRT_EBUG);
}

/* Does the batch at @position in the file end with @last? MRT_EAGAIN if not. */
static mrt_status check_batch(
    struct job *job, struct verify *verify, uint64_t position, int64_t last)
{
    struct kit_batch batch;
    int64_t base = verify->segment->index.base;
    JOB_BEGIN(job)
    if (position + KIT_BATCH_HEADER > verify->segment->size)
        JOB_RETURN(job, MRT_EAGAIN);
    JOB_AWAIT_OK(job, segment_read_at(job, verify->log, verify->chunk, KIT_BATCH_HEADER, position));
    if (job->got < KIT_BATCH_HEADER)
        JOB_RETURN(job, MRT_EAGAIN);
    kit_batch_decode(verify->chunk, &batch);
    if (!segment_header_ok(&batch, base, base) || kit_batch_last(&batch) != last)
        JOB_RETURN(job, MRT_EAGAIN);
    JOB_END(job, MRT_OK);
}

/* The time index's last entry becomes the segment's latest time. */
mrt_status segment_trust_time(struct job *job, struct verify *verify)
{
    struct segment *segment = verify->segment;
    struct time_entry entry;
    JOB_BEGIN(job)
    if (segment->time_count == 0)
        JOB_RETURN(job, MRT_OK);
    JOB_STEP_OK(job, read_entry(job, verify, verify->time, segment->time_count - 1, TIME_ENTRY));
    segment_time_decode(verify->chunk, &entry);
    if (entry.ms < 0 || (entry.relative == 0 && segment->time_count > 1))
        JOB_RETURN(job, MRT_EAGAIN);
    segment->index.time_ms = segment->index.max_ms = entry.ms;
    segment->index.max_last = segment->index.base + entry.relative;
    JOB_END(job, MRT_OK);
}

/* Sets verify->position to the batch of the last offset entry. MRT_EAGAIN: the indexes cannot be
 * trusted. */
static mrt_status trust_index(struct job *job, struct verify *verify)
{
    struct segment *segment = verify->segment;
    struct offset_entry entry;
    JOB_BEGIN(job)
    verify->position = 0;
    if (!verify->index || !verify->time)
        JOB_RETURN(job, MRT_EAGAIN);
    JOB_STEP_OK(job, segment_trust_time(job, verify));
    if (segment->index_count == 0)
        JOB_RETURN(job, MRT_OK);
    JOB_STEP_OK(job, read_entry(job, verify, verify->index, segment->index_count - 1, INDEX_ENTRY));
    segment_offset_decode(verify->chunk, &entry);
    verify->position = entry.position;
    verify->last = segment->index.base + entry.relative;
    JOB_STEP_OK(job, check_batch(job, verify, verify->position, verify->last));
    JOB_END(job, MRT_OK);
}

/* ---- reading --------------------------------------------------------------------------------- */

static mrt_status feed(mrt_work *work, mrt_error *error)
{
    struct verify *verify = (struct verify *)(void *)((char *)work - offsetof(struct verify, work));
    (void)error;
    verify->fed +=
        segment_scan_feed(&verify->scan, verify->chunk + verify->fed, verify->filled - verify->fed);
    return MRT_OK;
}

/* For JOB_AWAIT: checks the chunk, on a worker if there is room. */
static mrt_status check_chunk(struct job *job, struct verify *verify)
{
    verify->work.run = feed;
    mrt_status status = job->store->exec->offload(job->exec, &job->op, &verify->work);
    return status == MRT_PENDING ? status : feed(&verify->work, NULL);
}

static mrt_status write_entries(struct job *job, struct verify *verify)
{
    struct segment *segment = verify->segment;
    struct tail *tail = &verify->tail;
    uint8_t *out = verify->bytes;
    JOB_BEGIN(job)
    if (tail->times > 0) {
        segment_time_encode(tail->time, tail->times, out);
        JOB_AWAIT_OK(
            job, segment_write_at(
                     job, verify->time, out, (uint64_t)tail->times * TIME_ENTRY,
                     (uint64_t)segment->time_count * TIME_ENTRY));
        segment->time_count += tail->times;
        tail->times = 0;
    }
    if (tail->offsets > 0) {
        segment_offset_encode(tail->offset, tail->offsets, out);
        JOB_AWAIT_OK(
            job, segment_write_at(
                     job, verify->index, out, (uint64_t)tail->offsets * INDEX_ENTRY,
                     (uint64_t)segment->index_count * INDEX_ENTRY));
        segment->index_count += tail->offsets;
        tail->offsets = 0;
    }
    JOB_END(job, MRT_OK);
}

/* Where entries may not be written they are left out: readers walk further (N3). */
mrt_status segment_verify_entries(struct job *job, struct verify *verify)
{
    JOB_BEGIN(job)
    if (job->change)
        JOB_STEP_OK(job, write_entries(job, verify));
    verify->tail.offsets = verify->tail.times = 0;
    JOB_END(job, MRT_OK);
}

static mrt_status read_all(struct job *job, struct verify *verify)
{
    struct scan *scan = &verify->scan;
    uint64_t size = verify->segment->size;
    JOB_BEGIN(job)
    while (scan->result == SCAN_GOING && verify->position < size) {
        JOB_AWAIT_OK(
            job, segment_read_at(
                     job, verify->log, verify->chunk,
                     size - verify->position < CHUNK_BYTES ? size - verify->position : CHUNK_BYTES,
                     verify->position));
        if (job->got == 0)
            JOB_RETURN(job, MRT_EIO);
        verify->position += job->got;
        verify->filled = job->got;
        verify->fed = 0;
        do {
            JOB_AWAIT_OK(job, check_chunk(job, verify));
            if (scan->result == SCAN_FULL)
                JOB_STEP_OK(job, segment_verify_entries(job, verify));
        } while (scan->result == SCAN_FULL && verify->fed < verify->filled);
        if (scan->result == SCAN_FULL)
            scan->result = SCAN_GOING;
    }
    segment_scan_end(scan);
    JOB_END(job, MRT_OK);
}

/* What lies in the index files behind the entries that are kept goes. */
static mrt_status cut_indexes(struct job *job, struct verify *verify)
{
    const mrt_host_file *file = job->store->file;
    struct segment *segment = verify->segment;
    JOB_BEGIN(job)
    if (!job->change)
        JOB_RETURN(job, MRT_OK);
    JOB_AWAIT_OK(
        job, file->truncate(verify->index, &job->op, (uint64_t)segment->index_count * INDEX_ENTRY));
    JOB_AWAIT_OK(
        job, file->truncate(verify->time, &job->op, (uint64_t)segment->time_count * TIME_ENTRY));
    JOB_END(job, MRT_OK);
}

static mrt_status from_nothing(struct job *job, struct verify *verify)
{
    struct segment *segment = verify->segment;
    JOB_BEGIN(job)
    segment_indexer_init(&segment->index, segment->index.base, segment->index.interval);
    segment->index_count = segment->time_count = 0;
    verify->position = 0;
    verify->rebuild = 1;
    JOB_STEP_OK(job, cut_indexes(job, verify));
    JOB_END(job, MRT_OK);
}

static mrt_status scan_all(struct job *job, struct recovery *recovery)
{
    struct verify *verify = &recovery->verify_one;
    struct segment *segment = verify->segment;
    JOB_BEGIN(job)
    verify->tail.offsets = verify->tail.times = 0;
    segment_scan_init(
        &verify->scan, &segment->index, &verify->tail, verify->position, segment->size,
        segment->index.base);
    recovery->read += segment->size - verify->position;
    JOB_STEP_OK(job, read_all(job, verify));
    JOB_END(job, MRT_OK);
}

mrt_status segment_verify(struct job *job, struct recovery *recovery, uint32_t evict)
{
    struct verify *verify = &recovery->verify_one;
    struct segment *segment = verify->segment;
    mrt_status status;
    JOB_BEGIN(job)
    if (evict)
        JOB_AWAIT_OK(job, job->store->file->evict(verify->log, &job->op, 0, segment->size));
    status = MRT_EAGAIN;
    if (!verify->rebuild)
        JOB_STEP(job, status, trust_index(job, verify));
    if (status == MRT_EAGAIN)
        JOB_STEP(job, status, from_nothing(job, verify));
    if (status)
        JOB_RETURN(job, status);
    JOB_STEP_OK(job, scan_all(job, recovery));
    if (verify->scan.result != SCAN_GOING && verify->scan.batches == 0 && !verify->rebuild) {
        /* the batch of the last entry is bad: what is before it must be found another way */
        JOB_STEP_OK(job, from_nothing(job, verify));
        JOB_STEP_OK(job, scan_all(job, recovery));
    }
    segment->index = verify->scan.indexer;
    JOB_STEP_OK(job, segment_verify_entries(job, verify));
    JOB_END(job, MRT_OK);
}

/* ---- behind damage --------------------------------------------------------------------------- */

/* May a batch begin at @p? */
static uint32_t plausible(const struct verify *verify, const uint8_t *p, uint64_t position)
{
    struct kit_batch batch;
    if (p[16] != KIT_BATCH_MAGIC)
        return 0;
    kit_batch_decode(p, &batch);
    return segment_header_ok(&batch, verify->segment->index.base, verify->scan.end) &&
           batch.size <= verify->segment->size - position;
}

/* Does a whole batch with its checksum begin at verify->at? */
static mrt_status probe(struct job *job, struct verify *verify)
{
    struct scan *scan = &verify->probe;
    JOB_BEGIN(job)
    segment_scan_init(
        scan, &verify->segment->index, NULL, verify->at, verify->segment->size, verify->scan.end);
    while (scan->result == SCAN_GOING && scan->batches == 0 &&
           scan->position < verify->segment->size) {
        JOB_AWAIT_OK(
            job, segment_read_at(
                     job, verify->log, verify->bytes, sizeof(verify->bytes), scan->position));
        if (job->got == 0)
            break;
        segment_scan_feed(scan, verify->bytes, job->got);
    }
    if (scan->batches > 0)
        verify->valid_at = verify->at;
    JOB_END(job, MRT_OK);
}

/* What a lost page leaves: are all bytes of a sector zeros, as far as it lies in @p? @p lies at
 * @position and begins with the damage or in the midst of it; @final: the file ends with it. */
static uint32_t has_hole(const uint8_t *p, uint64_t n, uint64_t position, uint32_t final)
{
    static const uint8_t zeros[SECTOR];
    uint64_t at = 0;
    while (at < n) {
        uint64_t size = SECTOR - (position + at) % SECTOR;
        if (size > n - at) {
            if (!final)
                return 0;
            size = n - at;
        }
        if (!memcmp(p + at, zeros, size))
            return 1;
        at += size;
    }
    return 0;
}

/* Tries every place of the chunk, which lies at verify->position in the file. */
static mrt_status search_chunk(struct job *job, struct verify *verify)
{
    JOB_BEGIN(job)
    for (verify->fed = verify->position == verify->scan.good;
         verify->fed + KIT_BATCH_HEADER <= verify->filled; verify->fed++) {
        verify->at = verify->position + verify->fed;
        if (!plausible(verify, verify->chunk + verify->fed, verify->at))
            continue;
        JOB_STEP_OK(job, probe(job, verify));
        if (verify->valid_at)
            JOB_RETURN(job, MRT_OK);
    }
    JOB_END(job, MRT_OK);
}

mrt_status segment_search(struct job *job, struct recovery *recovery)
{
    struct verify *verify = &recovery->verify_one;
    uint64_t size = verify->segment->size;
    uint64_t seen;
    JOB_BEGIN(job)
    verify->valid_at = 0;
    verify->zeros = 0;
    verify->position = verify->scan.good;
    while (verify->position < size && !verify->valid_at) {
        JOB_AWAIT_OK(
            job, segment_read_at(job, verify->log, verify->chunk, CHUNK_BYTES, verify->position));
        verify->filled = job->got;
        if (verify->filled == 0)
            break;
        JOB_STEP_OK(job, search_chunk(job, verify));
        seen = verify->valid_at ? verify->valid_at - verify->position : verify->filled;
        verify->zeros |= has_hole(
            verify->chunk, seen, verify->position,
            !verify->valid_at && verify->position + verify->filled >= size);
        if (verify->position + verify->filled >= size)
            break;
        verify->position += verify->filled - KIT_BATCH_HEADER + 1;
    }
    JOB_END(job, MRT_OK);
}
