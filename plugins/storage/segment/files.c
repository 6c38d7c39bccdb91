/* SPDX-License-Identifier: Apache-2.0 */
/*
 * files.c - paths, and small files read or written as a whole.
 */
#include <stdio.h>
#include <string.h>

#include "plugins/storage/segment/parts.h"

mrt_status segment_paths(struct job *job)
{
    const mrt_host *host = job->store->host;
    if (!job->paths)
        job->paths = host->alloc(host, sizeof(*job->paths), 8);
    return job->paths ? MRT_OK : MRT_ENOMEM;
}

const mrt_str *segment_path(struct job *job, uint32_t slot, const char *folder, const char *file)
{
    char *text = job->paths->text[slot];
    int n = snprintf(
        text, PATH_BYTES, "%s%s%s%s%s", job->dir->path, folder[0] ? "/" : "", folder,
        file[0] ? "/" : "", file);
    job->paths->str[slot] = (mrt_str){text, (uint64_t)n};
    return &job->paths->str[slot];
}

const mrt_str *segment_path_file(
    struct job *job, uint32_t slot, const struct segment *segment, uint32_t which)
{
    static const char *const suffix[] = {"log", "index", "timeindex"};
    char name[64];
    snprintf(name, sizeof(name), "%020lld.%s", (long long)segment->index.base, suffix[which]);
    return segment_path(job, slot, job->folder, name);
}

mrt_status segment_read_at(struct job *job, mrt_file *file, void *buf, uint64_t n, uint64_t off)
{
    const mrt_host_file *ops = job->store->file;
    mrt_status status = ops->read_nowait(file, buf, n, off, &job->got);
    return status == MRT_EAGAIN ? ops->read(file, &job->op, buf, n, off, &job->got) : status;
}

mrt_status segment_write_at(
    struct job *job, mrt_file *file, const void *bytes, uint64_t n, uint64_t off)
{
    job->slice = (mrt_slice){.kind = MRT_SLICE_MEM, .ref = (uint64_t)(uintptr_t)bytes, .len = n};
    job->vec = (mrt_slicev){.v = &job->slice, .n = 1, .bytes = n};
    return job->store->file->writev(file, &job->op, &job->vec, off);
}

static void close_opened(struct job *job)
{
    job->store->file->close(job->opened);
    job->opened = NULL;
}

/* Room for @n bytes and an end. */
static mrt_status load_room(struct job *job, uint64_t n)
{
    const mrt_host *host = job->store->host;
    host->free(host, job->loaded);
    job->loaded = host->alloc(host, n + 1, 8);
    return job->loaded ? MRT_OK : MRT_ENOMEM;
}

static mrt_status load_opened(struct job *job, uint64_t most)
{
    uint64_t length = 0;
    mrt_status status;
    JOB_BEGIN(job)
    status = job->store->file->length(job->opened, &length);
    if (!status && length > most)
        status = MRT_ETOOBIG;
    if (!status)
        status = load_room(job, length);
    if (status)
        JOB_RETURN(job, status);
    job->loaded_bytes = length;
    JOB_AWAIT_OK(job, segment_read_at(job, job->opened, job->loaded, job->loaded_bytes, 0));
    job->loaded_bytes = job->got;
    job->loaded[job->got] = 0;
    JOB_END(job, MRT_OK);
}

mrt_status segment_load(struct job *job, uint64_t most)
{
    const mrt_host_file *file = job->store->file;
    mrt_status status;
    JOB_BEGIN(job)
    JOB_AWAIT_OK(
        job,
        file->open(job->exec, &job->op, &job->paths->str[PATH_FILE], MRT_FILE_READ, &job->opened));
    JOB_STEP(job, status, load_opened(job, most));
    close_opened(job);
    JOB_RETURN(job, status);
    JOB_END(job, MRT_EBUG);
}

static mrt_status write_opened(struct job *job, const char *bytes, uint64_t n)
{
    const mrt_host_file *file = job->store->file;
    JOB_BEGIN(job)
    JOB_AWAIT_OK(job, file->truncate(job->opened, &job->op, 0));
    JOB_AWAIT_OK(job, segment_write_at(job, job->opened, bytes, n, 0));
    JOB_AWAIT_OK(job, file->sync(job->opened, &job->op, 0));
    JOB_END(job, MRT_OK);
}

mrt_status segment_replace(struct job *job, const char *bytes, uint64_t n)
{
    const mrt_host_file *file = job->store->file;
    const mrt_str *path = &job->paths->str[PATH_FILE];
    mrt_str *other = &job->paths->str[PATH_TEMPORARY];
    mrt_status status;
    JOB_BEGIN(job)
    other->p = job->paths->text[PATH_TEMPORARY];
    other->n = (uint64_t)snprintf(
        job->paths->text[PATH_TEMPORARY], PATH_BYTES, "%.*s.tmp", (int)path->n, path->p);
    JOB_AWAIT_OK(
        job,
        file->open(job->exec, &job->op, other, MRT_FILE_WRITE | MRT_FILE_CREATE, &job->opened));
    JOB_STEP(job, status, write_opened(job, bytes, n));
    close_opened(job);
    if (status)
        JOB_RETURN(job, status);
    JOB_AWAIT_OK(job, file->rename(job->exec, &job->op, other, path));
    JOB_END(job, MRT_OK);
}

mrt_status segment_remove_file(struct job *job)
{
    const mrt_host_file *file = job->store->file;
    mrt_status status;
    JOB_BEGIN(job)
    JOB_AWAIT(job, status, file->unlink(job->exec, &job->op, &job->paths->str[PATH_FILE]));
    JOB_RETURN(job, status == MRT_ENOENT ? MRT_OK : status);
    JOB_END(job, MRT_EBUG);
}

static mrt_status list_room(struct job *job)
{
    const mrt_host *host = job->store->host;
    uint32_t rows = job->wide ? LIST_ROWS * LIST_WIDE : LIST_ROWS;
    if (job->listing)
        return MRT_OK;
    job->listing =
        host->alloc(host, sizeof(struct listing) + rows * (sizeof(mrt_dirent) + LIST_NAME), 8);
    if (!job->listing)
        return MRT_ENOMEM;
    job->listing->rows = rows;
    job->listing->list.cursor = 0;
    return MRT_OK;
}

mrt_status segment_list(struct job *job, uint32_t from_start)
{
    const mrt_host_file *file = job->store->file;
    struct listing *listing;
    JOB_BEGIN(job)
    got_ = list_room(job);
    if (got_)
        JOB_RETURN(job, got_);
    listing = job->listing;
    listing->list = (mrt_dirlist){
        .size = sizeof(mrt_dirlist),
        .cursor = from_start ? 0 : listing->list.cursor,
        .v = listing->row,
        .cap = listing->rows,
        .text = (char *)(listing->row + listing->rows),
        .text_cap = (uint64_t)listing->rows * LIST_NAME,
    };
    JOB_AWAIT_OK(
        job, file->list(job->exec, &job->op, &job->paths->str[PATH_FOLDER], &job->listing->list));
    JOB_END(job, MRT_OK);
}

/* Removes the rows listed: folders in it are left, and make the removal of the folder fail. */
static mrt_status remove_rows(struct job *job)
{
    const mrt_dirlist *list = &job->listing->list;
    const mrt_str *folder = &job->paths->str[PATH_FOLDER];
    mrt_str *path = &job->paths->str[PATH_FILE];
    mrt_status status;
    JOB_BEGIN(job)
    for (job->got = 0; job->got < list->n; job->got++) {
        const mrt_str *name = &list->v[job->got].name;
        path->p = job->paths->text[PATH_FILE];
        path->n = (uint64_t)snprintf(
            job->paths->text[PATH_FILE], PATH_BYTES, "%.*s/%.*s", (int)folder->n, folder->p,
            (int)name->n, name->p);
        JOB_AWAIT(job, status, job->store->file->unlink(job->exec, &job->op, path));
        if (status && status != MRT_ENOENT)
            JOB_RETURN(job, status);
    }
    JOB_END(job, MRT_OK);
}

mrt_status segment_remove_folder(struct job *job)
{
    const mrt_host_file *file = job->store->file;
    mrt_status status;
    JOB_BEGIN(job)
    do {
        JOB_STEP(job, status, segment_list(job, 1));
        if (status)
            JOB_RETURN(job, status == MRT_ENOENT ? MRT_OK : status);
        JOB_STEP_OK(job, remove_rows(job));
    } while (job->listing->list.n > 0);
    JOB_AWAIT(job, status, file->unlink(job->exec, &job->op, &job->paths->str[PATH_FOLDER]));
    JOB_RETURN(job, status == MRT_ENOENT ? MRT_OK : status);
    JOB_END(job, MRT_EBUG);
}
