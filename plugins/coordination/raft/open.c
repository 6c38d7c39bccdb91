/* SPDX-License-Identifier: Apache-2.0 */
/*
 * open.c - the way to an open log: directory, lock, names, vote. recover.c reads the rest.
 */
#include <string.h>

#include "plugins/coordination/raft/raft.h"

#define LIST_PAGE 64
#define LIST_TEXT (LIST_PAGE * 256)

/* ---- the end, either way --------------------------------------------------------------------- */

void raft_list_free(struct mrt_coord *coord)
{
    const mrt_host *host = coord->store->host;
    host->free(host, coord->entries);
    host->free(host, coord->names);
    coord->entries = NULL;
    coord->names = NULL;
}

mrt_status raft_open_failed(struct mrt_coord *coord, mrt_status status, const char *what)
{
    const struct raft_store *store = coord->store;
    if (coord->why.status == MRT_OK)
        raft_error(
            &coord->why, status, "%.*s: %s failed with status %d", (int)store->dir_n, store->dir,
            what, status);
    raft_log(
        coord, MRT_LOG_ERROR, "coordination.open_failed status=%d why=\"%s\"", status,
        coord->why.text);
    raft_list_free(coord);
    coord->store->coord = NULL;
    raft_call_end(coord, &coord->opening, status);
    raft_forget(coord);
    return status;
}

/* ---- vote ------------------------------------------------------------------------------------ */

static mrt_status vote_made(struct mrt_coord *coord, mrt_status status)
{
    return status == MRT_OK ? raft_recover(coord)
                            : raft_open_failed(coord, status, "making the vote file");
}

static mrt_status vote_read(struct mrt_coord *coord, mrt_status status)
{
    const struct raft_store *store = coord->store;
    int32_t node = coord->vote.node;
    store->file->close(coord->load.file);
    coord->load.file = NULL;
    if (status == MRT_OK)
        status = coord->load.got < WAL_HEADER ? MRT_ECORRUPT
                                              : raft_vote_get(coord->header, &coord->vote);
    if (status == MRT_ETOONEW || status == MRT_ECORRUPT)
        raft_error(
            &coord->why, status, "%.*s/vote: %s", (int)store->dir_n, store->dir,
            status == MRT_ETOONEW ? "written by a newer release: start that one"
                                  : "it is damaged; put the file back from a copy");
    if (status == MRT_OK && coord->vote.node != node)
        status = raft_error(
            &coord->why, MRT_EDENIED,
            "%.*s belongs to node %d, this is node %d: set broker.id or the directory",
            (int)store->dir_n, store->dir, coord->vote.node, node);
    return status == MRT_OK ? raft_recover(coord)
                            : raft_open_failed(coord, status, "reading the vote file");
}

static mrt_status vote_open(struct mrt_coord *coord, mrt_status status)
{
    if (status != MRT_OK) {
        coord->load.file = NULL;
        return raft_open_failed(coord, status, "opening the vote file");
    }
    return coord->store->file->read(
        coord->load.file, raft_chain_op(&coord->main, vote_read), coord->header, WAL_HEADER, 0,
        &coord->load.got);
}

static mrt_status read_vote(struct mrt_coord *coord)
{
    const struct raft_store *store = coord->store;
    if ((coord->found & RAFT_FOUND_VOTE) != 0)
        return store->file->open(
            store->exec, raft_chain_op(&coord->main, vote_open), raft_path(&coord->main, 0, "vote"),
            MRT_FILE_READ, &coord->load.file);
    if ((coord->found & RAFT_FOUND_FILES) != 0)
        return raft_open_failed(
            coord,
            raft_error(
                &coord->why, MRT_ECORRUPT,
                "%.*s/vote is missing beside a log; put the file back from a copy",
                (int)store->dir_n, store->dir),
            NULL);
    store->random->secret(store->exec, coord->vote.generation, WAL_GENERATION);
    coord->vote.voted_for = -1;
    return raft_vote_write(coord, vote_made);
}

/* ---- directory ------------------------------------------------------------------------------- */

/* The number in a name "<20 digits><suffix>"; 0 when it is none such. */
static int numbered(const mrt_str *name, const char *suffix, uint64_t *out)
{
    uint64_t n = strlen(suffix);
    if (name->n != 20 + n || memcmp(name->p + 20, suffix, n) != 0)
        return 0;
    *out = 0;
    for (int i = 0; i < 20; i++) {
        if (name->p[i] < '0' || name->p[i] > '9')
            return 0;
        *out = *out * 10 + (uint64_t)(name->p[i] - '0');
    }
    return 1;
}

/* Names come in order, so segments do, too. Other files are not ours. */
static mrt_status note_name(struct mrt_coord *coord, const mrt_dirent *entry)
{
    uint64_t number;
    if (entry->name.n == 4 && memcmp(entry->name.p, "vote", 4) == 0)
        coord->found |= RAFT_FOUND_VOTE;
    if (numbered(&entry->name, ".snapshot", &number) && number > 0) {
        coord->found |= RAFT_FOUND_FILES;
        coord->stale = coord->snapshot.end;
        coord->snapshot.end = number;
    }
    if (!numbered(&entry->name, ".wal", &number))
        return MRT_OK;
    coord->found |= RAFT_FOUND_FILES;
    return raft_segment_add(coord, number, entry->bytes) == NULL ? MRT_ENOMEM : MRT_OK;
}

static mrt_status list_page(struct mrt_coord *coord, mrt_status status);

static mrt_status list_more(struct mrt_coord *coord)
{
    const struct raft_store *store = coord->store;
    coord->list.v = coord->entries;
    coord->list.cap = LIST_PAGE;
    coord->list.text = coord->names;
    coord->list.text_cap = LIST_TEXT;
    return store->file->list(
        store->exec, raft_chain_op(&coord->main, list_page), raft_path_dir(&coord->main, 0),
        &coord->list);
}

static mrt_status list_page(struct mrt_coord *coord, mrt_status status)
{
    for (uint32_t i = 0; status == MRT_OK && i < coord->list.n; i++)
        status = note_name(coord, &coord->entries[i]);
    if (status != MRT_OK)
        return raft_open_failed(coord, status, "listing the directory");
    return coord->list.n > 0 ? list_more(coord) : read_vote(coord);
}

static mrt_status locked(struct mrt_coord *coord, mrt_status status)
{
    const struct raft_store *store = coord->store;
    if (status != MRT_OK)
        coord->lock = NULL;
    if (status == MRT_EBUSY)
        raft_error(
            &coord->why, MRT_EBUSY, "%.*s/lock is held: another broker uses the directory",
            (int)store->dir_n, store->dir);
    if (status != MRT_OK)
        return raft_open_failed(coord, status, "locking the directory");
    coord->list.size = sizeof coord->list;
    return list_more(coord);
}

static mrt_status lock_directory(struct mrt_coord *coord, mrt_status status)
{
    const struct raft_store *store = coord->store;
    if (status != MRT_OK)
        return raft_open_failed(coord, status, "syncing the directory above");
    return store->file->open(
        store->exec, raft_chain_op(&coord->main, locked), raft_path(&coord->main, 0, "lock"),
        MRT_FILE_WRITE | MRT_FILE_CREATE | MRT_FILE_LOCK, &coord->lock);
}

static mrt_status directory_made(struct mrt_coord *coord, mrt_status status)
{
    const struct raft_store *store = coord->store;
    if (status == MRT_EEXIST)
        return lock_directory(coord, MRT_OK);
    if (status != MRT_OK)
        return raft_open_failed(coord, status, "making the directory");
    return store->file->sync_dir(
        store->exec, raft_chain_op(&coord->main, lock_directory), raft_path_above(&coord->main, 0));
}

static mrt_status make_directory(struct mrt_coord *coord, mrt_status status)
{
    const struct raft_store *store = coord->store;
    (void)status;
    return store->file->mkdir(
        store->exec, raft_chain_op(&coord->main, directory_made), raft_path_dir(&coord->main, 0));
}

/* ---- the call -------------------------------------------------------------------------------- */

static struct mrt_coord *coord_new(struct raft_store *store, const mrt_coord_spec *spec)
{
    const mrt_host *host = store->host;
    struct mrt_coord *coord = host->alloc(host, sizeof *coord, 64);
    if (coord == NULL)
        return NULL;
    memset(coord, 0, sizeof *coord);
    coord->store = store;
    coord->events = spec->events;
    coord->ctx = spec->ctx;
    coord->node = spec->node;
    coord->vote.node = spec->node;
    coord->have = spec->have_offset;
    coord->pump.run = raft_pump;
    raft_chain_init(&coord->main, coord);
    raft_chain_init(&coord->writer, coord);
    raft_chain_init(&coord->reader, coord);
    raft_chain_init(&coord->saver, coord);
    raft_queue_init(&coord->queue);
    raft_queue_init(&coord->writing);
    raft_queue_init(&coord->waiting);
    coord->entries = host->alloc(host, LIST_PAGE * sizeof *coord->entries, 8);
    coord->names = host->alloc(host, LIST_TEXT, 8);
    if (coord->entries != NULL && coord->names != NULL)
        return coord;
    raft_list_free(coord);
    host->free(host, coord);
    return NULL;
}

mrt_status raft_open(void *inst, mrt_op *op, const mrt_coord_spec *spec, mrt_coord **out)
{
    struct raft_store *store = inst;
    if (store->drained)
        return MRT_ESHUTDOWN;
    if (store->coord != NULL)
        return MRT_EBUSY;
    struct mrt_coord *coord = coord_new(store, spec);
    if (coord == NULL)
        return MRT_ENOMEM;
    coord->out = out;
    store->coord = coord;
    raft_call_begin(&coord->opening, op);
    raft_chain_start(&coord->main, make_directory);
    return raft_call_result(&coord->opening);
}

void raft_coord_free(struct mrt_coord *coord)
{
    const struct raft_store *store = coord->store;
    raft_load_free(coord);
    if (coord->active != NULL)
        store->file->close(coord->active);
    if (coord->lock != NULL)
        store->file->close(coord->lock);
    store->host->free(store->host, coord->segments);
    store->host->free(store->host, coord);
}
