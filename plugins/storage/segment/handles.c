/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handles.c - the open files of logs: opened when needed, pinned by reads, closed when too many are
 * open.
 *
 *   F1  A handle belongs to its log's executor, but for the list (leaf) and its lease (atomic).
 *   F2  A file is closed by us only while no job holds it; its bytes stay readable for those who
 *       pinned them.
 *   F3  When more than files_max are open, the least recently used one nobody pins is closed by a
 *       task on its log's executor. The limit is passed while all are in use.
 */
#include "plugins/storage/segment/parts.h"

#define EVICT_TRIES 8 /* handles looked at for one nobody pins */

static void handle_unref(struct handle *handle)
{
    const mrt_host *host = handle->store->host;
    if (__atomic_sub_fetch(&handle->lease.refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    if (handle->orphan)
        __atomic_sub_fetch(&handle->store->files.orphans, 1, __ATOMIC_RELEASE);
    if (handle->keep)
        handle->keep->ops->release(handle->keep);
    host->free(host, handle);
}

static void pin_release(mrt_lease *lease)
{
    handle_unref((struct handle *)lease);
}

static const mrt_lease_ops pin_ops = {sizeof(mrt_lease_ops), 0, pin_release};

/* The list; inside the leaf. */
static void unlist(struct files *files, struct handle *handle)
{
    if (!handle->listed)
        return;
    if (handle->newer)
        handle->newer->older = handle->older;
    else
        files->newest = handle->older;
    if (handle->older)
        handle->older->newer = handle->newer;
    else
        files->oldest = handle->newer;
    handle->newer = handle->older = NULL;
    handle->listed = 0;
}

static void list_newest(struct files *files, struct handle *handle)
{
    handle->older = files->newest;
    handle->newer = NULL;
    if (files->newest)
        files->newest->newer = handle;
    else
        files->oldest = handle;
    files->newest = handle;
    handle->listed = 1;
}

/* Takes the one to be closed off the list, if too many are open. Its task is to be posted. */
static struct handle *choose_victim(struct files *files)
{
    struct handle *victim = files->oldest;
    if (files->count <= files->max)
        return NULL;
    for (uint32_t i = 0; victim && i < EVICT_TRIES && segment_pinned(victim); i++)
        victim = victim->newer;
    if (!victim || segment_pinned(victim))
        return NULL;
    unlist(files, victim);
    __atomic_add_fetch(&victim->lease.refs, 1, __ATOMIC_RELAXED);
    victim->log->evictions++;
    return victim;
}

static void close_handle(struct handle *handle)
{
    struct store *store = handle->store;
    handle->segment->file[handle->which] = NULL;
    handle->segment = NULL;
    store->exec->leaf_enter(store->files.leaf);
    unlist(&store->files, handle);
    store->files.count--;
    store->exec->leaf_leave(store->files.leaf);
    store->file->close(handle->file);
    handle->file = NULL;
    if (segment_pinned(handle)) {
        handle->orphan = 1;
        __atomic_add_fetch(&store->files.orphans, 1, __ATOMIC_RELAXED);
    }
    handle_unref(handle);
}

/* With our reference and the task's: pins are taken on this executor only. */
static uint32_t is_read(const struct handle *handle)
{
    return __atomic_load_n(&handle->lease.refs, __ATOMIC_ACQUIRE) > 2;
}

/* On the log's executor. */
static void evict(mrt_task *task)
{
    struct handle *handle =
        (struct handle *)(void *)((char *)task - offsetof(struct handle, evict));
    struct store *store = handle->store;
    mrt_log *log = handle->log;
    if (handle->segment && handle->held == 0 && !is_read(handle))
        close_handle(handle);
    store->exec->leaf_enter(store->files.leaf);
    log->evictions--;
    if (handle->segment)
        list_newest(&store->files, handle);
    store->exec->leaf_leave(store->files.leaf);
    handle_unref(handle);
    segment_log_quiet(log);
}

static void count_open(struct store *store, struct handle *handle)
{
    store->exec->leaf_enter(store->files.leaf);
    store->files.count++;
    list_newest(&store->files, handle);
    struct handle *victim = choose_victim(&store->files);
    store->exec->leaf_leave(store->files.leaf);
    if (victim)
        store->exec->post(victim->log->exec, &victim->evict);
}

static void touch(struct handle *handle)
{
    struct store *store = handle->store;
    store->exec->leaf_enter(store->files.leaf);
    if (handle->listed && store->files.newest != handle) {
        unlist(&store->files, handle);
        list_newest(&store->files, handle);
    }
    store->exec->leaf_leave(store->files.leaf);
}

static mrt_status attach(struct job *job, struct segment *segment, uint32_t which)
{
    const mrt_host *host = job->store->host;
    struct handle *handle = host->alloc(host, sizeof(*handle), 16);
    if (!handle)
        return MRT_ENOMEM;
    *handle = (struct handle){
        .lease = {.ops = &pin_ops, .refs = 1},
        .store = job->store,
        .file = job->opened,
        .log = job->log,
        .segment = segment,
        .evict = {.run = evict},
        .which = which,
    };
    job->opened = NULL;
    segment->file[which] = handle;
    count_open(job->store, handle);
    return MRT_OK;
}

static uint32_t open_flags(const mrt_log *log, const struct segment *segment, uint32_t which)
{
    if (log->readonly)
        return MRT_FILE_READ;
    if (which == FILE_LOG && segment->named)
        return MRT_FILE_READ | MRT_FILE_WRITE;
    return MRT_FILE_READ | MRT_FILE_WRITE | MRT_FILE_CREATE;
}

static mrt_status open_file(struct job *job, struct segment *segment, uint32_t which)
{
    const mrt_host_file *file = job->store->file;
    mrt_status status;
    JOB_BEGIN(job)
    job->folder = job->log->entry->name;
    status = segment_paths(job);
    if (status)
        JOB_RETURN(job, status);
    JOB_AWAIT_OK(
        job, file->open(
                 job->exec, &job->op, segment_path_file(job, PATH_OPEN, segment, which),
                 open_flags(job->log, segment, which), &job->opened));
    if (!segment->file[which] && !segment->gone)
        status = attach(job, segment, which);
    else
        status = segment->gone ? MRT_EGONE : MRT_OK;
    if (job->opened) /* somebody else opened it meanwhile, or there was no memory */
        file->close(job->opened);
    job->opened = NULL;
    JOB_RETURN(job, status);
    JOB_END(job, MRT_EBUG);
}

static mrt_status hold(struct job *job, struct handle *handle)
{
    for (uint32_t i = 0; i < JOB_HELD; i++) {
        if (job->held[i] == handle)
            return MRT_OK;
        if (!job->held[i]) {
            job->held[i] = handle;
            handle->held++;
            return MRT_OK;
        }
    }
    return MRT_EBUG;
}

mrt_status segment_hold(struct job *job, struct segment *segment, uint32_t which)
{
    JOB_BEGIN(job)
    if (!segment->file[which])
        JOB_STEP_OK(job, open_file(job, segment, which));
    else
        touch(segment->file[which]);
    JOB_RETURN(job, hold(job, segment->file[which]));
    JOB_END(job, MRT_EBUG);
}

void segment_job_unhold(struct job *job)
{
    for (uint32_t i = 0; i < JOB_HELD; i++) {
        struct handle *handle = job->held[i];
        job->held[i] = NULL;
        if (handle && --handle->held == 0 && handle->doomed)
            close_handle(handle);
    }
}

void segment_close_files(struct segment *segment)
{
    for (uint32_t which = 0; which < SEGMENT_FILES; which++) {
        struct handle *handle = segment->file[which];
        if (!handle)
            continue;
        if (handle->held == 0)
            close_handle(handle);
        else
            handle->doomed = 1;
    }
}

mrt_status segment_pin(struct handle *handle, mrt_lease **lease, uint64_t *ref)
{
    mrt_slice slice;
    if (!handle->keep) {
        mrt_status status =
            handle->store->file->slice(handle->file, 0, POSITION_MAX, &slice, &handle->keep);
        if (status) {
            handle->keep = NULL;
            return status;
        }
        handle->ref = slice.ref;
    }
    __atomic_add_fetch(&handle->lease.refs, 1, __ATOMIC_RELAXED);
    *lease = &handle->lease;
    *ref = handle->ref;
    return MRT_OK;
}

uint32_t segment_orphans(const struct store *store)
{
    return __atomic_load_n(&store->files.orphans, __ATOMIC_ACQUIRE) > 0;
}

uint32_t segment_pinned(const struct handle *handle)
{
    return __atomic_load_n(&handle->lease.refs, __ATOMIC_ACQUIRE) > 1;
}
