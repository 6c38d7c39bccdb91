/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dir.c - directories and the logs in them. A log outlives log_close() and goes with log_remove()
 * or dir_close().
 *
 *   Y1  Logs hang in the order of their serials, which only grow: the inventory's cursor is the
 *       last serial given, and stays good whatever is removed meanwhile.
 *   Y2  dir_space() is told by one task, on the directory's executor; dir_close() waits for it.
 */
#include "plugins/storage/memory/memory.h"

#define SPACE_STEP 100 /* told when the space in use moved by more than one part in this */

/* ---- space ----------------------------------------------------------------------------------- */

static void dir_free(mrt_dir *dir)
{
    struct memory_store *store = dir->store;
    while (dir->first != NULL) {
        mrt_log *log = dir->first;
        dir->first = log->next;
        memory_log_clear(log);
        memory_give(store, log, sizeof *log + log->topic_n);
    }
    memory_give(store, dir, sizeof *dir + dir->path_n);
}

static void tell_space(mrt_task *task)
{
    mrt_dir *dir = (mrt_dir *)(void *)((char *)task - offsetof(mrt_dir, space));
    struct memory_store *store = dir->store;
    mrt_op *closing = dir->closing;

    if (closing != NULL) {
        dir_free(dir);
        store->host->op_done(store->host, closing, MRT_OK, NULL);
        return;
    }
    uint64_t used = __atomic_load_n(&store->used, __ATOMIC_RELAXED);
    uint64_t avail = used < store->bytes_max ? store->bytes_max - used : 0;
    __atomic_store_n(&dir->space_told, used, __ATOMIC_RELAXED);
    __atomic_store_n(&dir->space_posted, 0, __ATOMIC_RELEASE);
    dir->events->dir_space(dir->ctx, dir, used, avail);
}

void memory_dir_moved(mrt_dir *dir)
{
    const struct memory_store *store = dir->store;
    uint64_t used = __atomic_load_n(&store->used, __ATOMIC_RELAXED);
    uint64_t told = __atomic_load_n(&dir->space_told, __ATOMIC_RELAXED);
    uint64_t moved = used > told ? used - told : told - used;
    if (moved <= store->bytes_max / SPACE_STEP)
        return;
    if (__atomic_exchange_n(&dir->space_posted, 1, __ATOMIC_ACQ_REL) == 0)
        store->exec->post(dir->exec, &dir->space);
}

/* ---- open and close -------------------------------------------------------------------------- */

/* Adds @dir to its store; MRT_EBUSY if one of the same path is there. Empty paths name nothing. */
static mrt_status dir_enter(mrt_dir *dir)
{
    struct memory_store *store = dir->store;
    mrt_status status = MRT_OK;

    store->exec->leaf_enter(store->leaf);
    for (const mrt_dir *one = store->dirs; one != NULL; one = one->next)
        if (one->path_n == dir->path_n && dir->path_n > 0 &&
            memcmp(one->path, dir->path, dir->path_n) == 0)
            status = MRT_EBUSY;
    if (status == MRT_OK) {
        dir->next = store->dirs;
        store->dirs = dir;
    }
    store->exec->leaf_leave(store->leaf);
    return status;
}

static void dir_leave(mrt_dir *dir)
{
    struct memory_store *store = dir->store;
    struct mrt_dir **at = &store->dirs;
    store->exec->leaf_enter(store->leaf);
    while (*at != dir)
        at = &(*at)->next;
    *at = dir->next;
    store->exec->leaf_leave(store->leaf);
}

mrt_status memory_dir_open(void *inst, mrt_op *op, const mrt_dir_spec *spec, mrt_dir **out)
{
    struct memory_store *store = inst;
    void *room;
    (void)op;
    if (spec->path.n > MEMORY_PATH_MAX || spec->flags != 0)
        return MRT_EINVAL;
    mrt_status status = memory_take(store, sizeof(mrt_dir) + spec->path.n, &room);
    if (status != MRT_OK)
        return status;
    mrt_dir *dir = room;
    memset(dir, 0, sizeof *dir);
    dir->store = store;
    dir->exec = spec->exec;
    dir->events = spec->events;
    dir->ctx = spec->ctx;
    dir->space.run = tell_space;
    dir->space_told = __atomic_load_n(&store->used, __ATOMIC_RELAXED);
    dir->path_n = spec->path.n;
    if (spec->path.n > 0)
        memcpy(dir->path, spec->path.p, spec->path.n);
    status = dir_enter(dir);
    if (status == MRT_OK)
        *out = dir;
    else
        memory_give(store, dir, sizeof *dir + dir->path_n);
    return status;
}

mrt_status memory_dir_close(mrt_dir *dir, mrt_op *op)
{
    dir_leave(dir);
    if (__atomic_load_n(&dir->space_posted, __ATOMIC_ACQUIRE)) {
        dir->closing = op;
        return MRT_PENDING;
    }
    dir_free(dir);
    return MRT_OK;
}

/* ---- inventory ------------------------------------------------------------------------------- */

static void row_fill(const mrt_log *log, mrt_log_row *row, char *text)
{
    memcpy(text, log->topic, log->topic_n);
    memcpy(row->topic_id, log->topic_id, sizeof row->topic_id);
    row->state = MRT_LOG_CLEAN;
    row->topic = (mrt_str){text, log->topic_n};
    row->partition = log->partition;
    row->reserved = 0;
    row->start = row->durable = __atomic_load_n(&log->start, __ATOMIC_RELAXED);
    row->end = __atomic_load_n(&log->end, __ATOMIC_RELAXED);
    row->bytes = __atomic_load_n(&log->bytes, __ATOMIC_RELAXED);
}

mrt_status memory_logs(mrt_dir *dir, mrt_op *op, mrt_log_list *list)
{
    const mrt_log *log = dir->first;
    uint64_t text = 0;
    (void)op;

    while (log != NULL && log->serial <= list->cursor) /* Y1 */
        log = log->next;
    for (list->n = 0; log != NULL && list->n < list->cap; log = log->next, list->n++) {
        if (log->topic_n > list->text_cap - text)
            return list->n == 0 ? MRT_ETOOBIG : MRT_OK;
        void *row = (char *)list->rows + (uint64_t)list->n * list->stride;
        row_fill(log, row, list->text + text);
        text += log->topic_n;
        list->cursor = log->serial;
    }
    return MRT_OK;
}

/* ---- logs ------------------------------------------------------------------------------------ */

/* FNV-1a over what names a log. */
static uint32_t bucket_of(const mrt_log_spec *spec)
{
    uint32_t hash = 2166136261u;
    for (uint64_t i = 0; i < spec->topic.n; i++)
        hash = (hash ^ (uint8_t)spec->topic.p[i]) * 16777619u;
    return (hash ^ (uint32_t)spec->partition) * 16777619u % MEMORY_BUCKETS;
}

static uint32_t is_named(const mrt_log *log, const mrt_log_spec *spec)
{
    return log->partition == spec->partition && log->topic_n == spec->topic.n &&
           memcmp(log->topic, spec->topic.p, log->topic_n) == 0 &&
           memcmp(log->topic_id, spec->topic_id, sizeof log->topic_id) == 0;
}

/* Where the log that @spec names hangs, or would. */
static mrt_log **find(mrt_dir *dir, const mrt_log_spec *spec)
{
    mrt_log **at = &dir->buckets[bucket_of(spec)];
    while (*at != NULL && !is_named(*at, spec))
        at = &(*at)->chain;
    return at;
}

static mrt_status log_make(mrt_dir *dir, const mrt_log_spec *spec, mrt_log **out)
{
    void *room;
    if (dir->logs >= dir->store->logs_max)
        return MRT_ENOMEM;
    mrt_status status = memory_take(dir->store, sizeof(mrt_log) + spec->topic.n, &room);
    if (status != MRT_OK)
        return status;
    mrt_log *log = room;
    memset(log, 0, sizeof *log);
    log->dir = dir;
    log->exec = spec->exec;
    log->partition = spec->partition;
    log->topic_n = (uint32_t)spec->topic.n;
    memcpy(log->topic, spec->topic.p, spec->topic.n);
    memcpy(log->topic_id, spec->topic_id, sizeof log->topic_id);
    status = memory_log_init(log, 0);
    if (status == MRT_OK)
        *out = log;
    else
        memory_give(dir->store, log, sizeof *log + log->topic_n);
    return status;
}

/* Hangs @log in the list, at its end (Y1), and where find() looked for it. */
static void log_hang(mrt_log *log, mrt_log **at)
{
    mrt_dir *dir = log->dir;
    log->serial = ++dir->serials;
    log->previous = dir->last;
    if (dir->last == NULL)
        dir->first = log;
    else
        dir->last->next = log;
    dir->last = log;
    *at = log;
    dir->logs++;
}

mrt_status memory_log_open(mrt_dir *dir, mrt_op *op, const mrt_log_spec *spec, mrt_log **out)
{
    const uint32_t known = MRT_LOG_CREATE | MRT_LOG_READONLY | MRT_LOG_VERIFY;
    (void)op;
    if (spec->topic.n == 0 || spec->topic.n > MEMORY_NAME_MAX || (spec->flags & ~known) != 0)
        return MRT_EINVAL;
    mrt_log **at = find(dir, spec);
    if (*at == NULL) {
        mrt_log *made;
        mrt_status status = spec->flags & MRT_LOG_CREATE ? log_make(dir, spec, &made) : MRT_ENOENT;
        if (status != MRT_OK)
            return status;
        log_hang(made, at);
    } else if (__atomic_load_n(&(*at)->open, __ATOMIC_ACQUIRE)) {
        return MRT_EBUSY;
    }
    mrt_log *log = *at;
    log->exec = spec->exec;
    log->readonly = (spec->flags & MRT_LOG_READONLY) != 0;
    __atomic_store_n(&log->open, 1, __ATOMIC_RELEASE);
    *out = log;
    return MRT_OK;
}

mrt_status memory_log_remove(mrt_dir *dir, mrt_op *op, const mrt_log_spec *spec)
{
    mrt_log **at = find(dir, spec);
    mrt_log *log = *at;
    (void)op;
    if (log == NULL)
        return MRT_ENOENT;
    if (__atomic_load_n(&log->open, __ATOMIC_ACQUIRE))
        return MRT_EBUSY;
    *at = log->chain;
    *(log->previous == NULL ? &dir->first : &log->previous->next) = log->next;
    *(log->next == NULL ? &dir->last : &log->next->previous) = log->previous;
    dir->logs--;
    memory_log_clear(log);
    memory_give(dir->store, log, sizeof *log + log->topic_n);
    memory_dir_moved(dir);
    return MRT_OK;
}

mrt_status memory_log_close(mrt_log *log, mrt_op *op)
{
    (void)op;
    __atomic_store_n(&log->open, 0, __ATOMIC_RELEASE);
    return MRT_OK;
}
