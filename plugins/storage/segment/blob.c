/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blob.c - side files of a log under (kind, offset). Replacing writes a new file, syncs and renames
 * it: whole or absent (S7). Appending writes at the end and syncs. Blobs are few and small; what
 * they cost is at rolls, epoch changes and aborted transactions.
 */
#include <string.h>

#include "plugins/storage/segment/parts.h"

#define BLOB_MOST (UINT64_C(1) << 30)

/* ---- which there are ------------------------------------------------------------------------- */

static uint32_t side_at(const mrt_log *log, uint32_t kind, int64_t offset)
{
    uint32_t low = 0, high = log->side_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct side *side = &log->sides[middle];
        if (side->kind < kind || (side->kind == kind && side->offset < offset))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static uint32_t has_side(const mrt_log *log, uint32_t at, uint32_t kind, int64_t offset)
{
    return at < log->side_count && log->sides[at].kind == kind && log->sides[at].offset == offset;
}

static mrt_status side_reserve(mrt_log *log)
{
    const mrt_host *host = log->store->host;
    uint32_t cap = log->side_cap ? log->side_cap * 2 : 4;
    if (log->side_count < log->side_cap)
        return MRT_OK;
    struct side *grown = host->alloc(host, cap * sizeof(*grown), 8);
    if (!grown)
        return MRT_ENOMEM;
    if (log->side_count)
        memcpy(grown, log->sides, log->side_count * sizeof(*grown));
    host->free(host, log->sides);
    log->sides = grown;
    log->side_cap = cap;
    return MRT_OK;
}

mrt_status segment_side_add(mrt_log *log, uint32_t kind, int64_t offset)
{
    uint32_t at = side_at(log, kind, offset);
    if (has_side(log, at, kind, offset))
        return MRT_OK;
    if (side_reserve(log))
        return MRT_ENOMEM;
    memmove(log->sides + at + 1, log->sides + at, (log->side_count - at) * sizeof(struct side));
    log->sides[at] = (struct side){.offset = offset, .kind = kind};
    log->side_count++;
    return MRT_OK;
}

static void side_remove(mrt_log *log, uint32_t kind, int64_t offset)
{
    uint32_t at = side_at(log, kind, offset);
    if (!has_side(log, at, kind, offset))
        return;
    memmove(log->sides + at, log->sides + at + 1, (log->side_count - at - 1) * sizeof(struct side));
    log->side_count--;
}

mrt_status segment_blobs(
    mrt_log *log, uint32_t kind, int64_t from, int64_t *out, uint32_t cap, uint32_t *n)
{
    *n = 0;
    for (uint32_t i = side_at(log, kind, from); i < log->side_count && *n < cap; i++) {
        if (log->sides[i].kind != kind)
            break;
        out[(*n)++] = log->sides[i].offset;
    }
    return MRT_OK;
}

/* ---- putting and getting --------------------------------------------------------------------- */

struct blob_job {
    struct job job;
    const mrt_str *bytes;
    char *buf;
    uint64_t cap;
    uint64_t *length;
    int64_t offset;
    uint32_t kind;
    uint32_t flags;
    mrt_status failed;
    uint32_t reserved;
    char name[64];
};

static mrt_status append_opened(struct blob_job *b)
{
    struct job *job = &b->job;
    const mrt_host_file *file = job->store->file;
    mrt_status status;
    JOB_BEGIN(job)
    status = file->length(job->opened, &b->cap);
    if (status)
        JOB_RETURN(job, status);
    JOB_AWAIT(job, b->failed, segment_write_at(job, job->opened, b->bytes->p, b->bytes->n, b->cap));
    if (b->failed) {
        JOB_AWAIT(job, status, file->truncate(job->opened, &job->op, b->cap));
        if (status)
            segment_dir_offline(job->dir, status, "a failed write could not be cut back");
    }
    JOB_RETURN(job, b->failed);
    JOB_END(job, MRT_EBUG);
}

static mrt_status append_blob(struct blob_job *b)
{
    struct job *job = &b->job;
    const mrt_host_file *file = job->store->file;
    mrt_status status;
    JOB_BEGIN(job)
    JOB_AWAIT_OK(
        job, file->open(
                 job->exec, &job->op, &job->paths->str[PATH_FILE],
                 MRT_FILE_READ | MRT_FILE_WRITE | MRT_FILE_CREATE, &job->opened));
    JOB_STEP(job, status, append_opened(b));
    if (!status) /* few and small: synced here, so that a flush need not know of them */
        JOB_AWAIT(job, status, file->sync(job->opened, &job->op, MRT_SYNC_DATA));
    file->close(job->opened);
    job->opened = NULL;
    if (status == MRT_EIO)
        segment_dir_offline(job->dir, status, "sync failed");
    JOB_RETURN(job, status);
    JOB_END(job, MRT_EBUG);
}

/* The folder's names: so that the flush that follows has nothing of ours to do. */
static mrt_status sync_name(struct job *job)
{
    JOB_BEGIN(job)
    segment_path(job, PATH_FOLDER, job->log->entry->name, "");
    JOB_AWAIT_OK(
        job, job->store->file->sync_dir(job->exec, &job->op, &job->paths->str[PATH_FOLDER]));
    JOB_END(job, MRT_OK);
}

static mrt_status put_run(struct job *job)
{
    struct blob_job *b = (struct blob_job *)job;
    mrt_log *log = job->log;
    JOB_BEGIN(job)
    got_ = segment_paths(job);
    if (!got_)
        got_ = side_reserve(log);
    if (got_)
        JOB_RETURN(job, got_);
    segment_blob_name(b->kind, b->offset, b->name);
    segment_path(job, PATH_FILE, log->entry->name, b->name);
    if (b->flags & MRT_BLOB_APPEND)
        JOB_STEP_OK(job, append_blob(b));
    else
        JOB_STEP_OK(job, segment_replace(job, b->bytes->p, b->bytes->n));
    got_ = segment_side_add(log, b->kind, b->offset);
    if (got_)
        JOB_RETURN(job, got_);
    JOB_STEP_OK(job, sync_name(job));
    JOB_END(job, MRT_OK);
}

static mrt_status get_opened(struct blob_job *b)
{
    struct job *job = &b->job;
    mrt_status status;
    JOB_BEGIN(job)
    status = job->store->file->length(job->opened, b->length);
    if (!status && *b->length > b->cap)
        status = MRT_ETOOBIG;
    if (status || *b->length == 0)
        JOB_RETURN(job, status);
    JOB_AWAIT_OK(job, segment_read_at(job, job->opened, b->buf, *b->length, 0));
    *b->length = job->got;
    JOB_END(job, MRT_OK);
}

static mrt_status get_run(struct job *job)
{
    struct blob_job *b = (struct blob_job *)job;
    mrt_status status;
    JOB_BEGIN(job)
    status = segment_paths(job);
    if (status)
        JOB_RETURN(job, status);
    segment_blob_name(b->kind, b->offset, b->name);
    segment_path(job, PATH_FILE, job->log->entry->name, b->name);
    JOB_AWAIT_OK(
        job, job->store->file->open(
                 job->exec, &job->op, &job->paths->str[PATH_FILE], MRT_FILE_READ, &job->opened));
    JOB_STEP(job, status, get_opened(b));
    job->store->file->close(job->opened);
    job->opened = NULL;
    JOB_RETURN(job, status);
    JOB_END(job, MRT_EBUG);
}

static mrt_status remove_run(struct job *job)
{
    struct blob_job *b = (struct blob_job *)job;
    JOB_BEGIN(job)
    got_ = segment_paths(job);
    if (got_)
        JOB_RETURN(job, got_);
    segment_blob_name(b->kind, b->offset, b->name);
    segment_path(job, PATH_FILE, job->log->entry->name, b->name);
    JOB_STEP_OK(job, segment_remove_file(job));
    side_remove(job->log, b->kind, b->offset);
    JOB_STEP_OK(job, sync_name(job));
    JOB_END(job, MRT_OK);
}

static void change_end(struct job *job, mrt_status status)
{
    (void)status;
    job->log->busy = 0;
}

static struct blob_job *blob_job(
    mrt_log *log, mrt_op *op, job_run run, uint32_t kind, int64_t offset)
{
    struct blob_job *b = segment_job_new(log->dir, log, op, run, sizeof(*b));
    if (!b)
        return NULL;
    b->kind = kind;
    b->offset = offset;
    return b;
}

static mrt_status check(const mrt_log *log, uint32_t kind, int64_t offset, uint32_t change)
{
    uint32_t single = kind == MRT_BLOB_EPOCHS || kind == MRT_BLOB_IDENTITY;
    if (kind == 0 || offset < 0 || (single && offset != 0))
        return MRT_EINVAL;
    mrt_status status = segment_usable(log, change);
    return !status && change && log->busy ? MRT_EBUSY : status;
}

mrt_status segment_blob_put(
    mrt_log *log, mrt_op *op, uint32_t kind, int64_t offset, const mrt_str *bytes, uint32_t flags)
{
    mrt_status status = check(log, kind, offset, 1);
    if (!status && flags & ~(uint32_t)MRT_BLOB_APPEND)
        status = MRT_EINVAL;
    if (!status && bytes->n > BLOB_MOST)
        status = MRT_ETOOBIG;
    if (status)
        return status;
    struct blob_job *b = blob_job(log, op, put_run, kind, offset);
    if (!b)
        return MRT_ENOMEM;
    b->bytes = bytes;
    b->flags = flags;
    b->job.end = change_end;
    log->busy = 1;
    return segment_job_start(&b->job);
}

mrt_status segment_blob_get(
    mrt_log *log, mrt_op *op, uint32_t kind, int64_t offset, void *buf, uint64_t cap, uint64_t *got)
{
    mrt_status status = check(log, kind, offset, 0);
    if (status)
        return status;
    if (!has_side(log, side_at(log, kind, offset), kind, offset))
        return MRT_ENOENT;
    struct blob_job *b = blob_job(log, op, get_run, kind, offset);
    if (!b)
        return MRT_ENOMEM;
    b->buf = buf;
    b->cap = cap;
    b->length = got;
    return segment_job_start(&b->job);
}

mrt_status segment_blob_remove(mrt_log *log, mrt_op *op, uint32_t kind, int64_t offset)
{
    mrt_status status = check(log, kind, offset, 1);
    if (status)
        return status;
    if (!has_side(log, side_at(log, kind, offset), kind, offset))
        return MRT_OK;
    struct blob_job *b = blob_job(log, op, remove_run, kind, offset);
    if (!b)
        return MRT_ENOMEM;
    b->job.end = change_end;
    log->busy = 1;
    return segment_job_start(&b->job);
}
