/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load.c - a whole segment in memory. Segments are a few MiB; they are read when a log is opened,
 * once to be judged and once to be delivered, and given back at once.
 */
#include "plugins/coordination/raft/raft.h"

static mrt_status loaded(struct raft_chain *chain, mrt_status status)
{
    struct mrt_coord *coord = chain->coord;
    mrt_status (*next)(struct mrt_coord *, mrt_status) = coord->load.next;
    if (status != MRT_OK)
        raft_load_free(coord);
    return next(coord, status);
}

static mrt_status bytes_read(struct mrt_coord *coord, mrt_status status)
{
    return loaded(coord->load.chain, status);
}

static mrt_status file_open(struct mrt_coord *coord, mrt_status status)
{
    const struct raft_store *store = coord->store;
    struct raft_load *load = &coord->load;
    if (status != MRT_OK) {
        load->file = NULL;
        return loaded(load->chain, status);
    }
    status = store->file->length(load->file, &load->size);
    if (status != MRT_OK)
        return loaded(load->chain, status);
    load->bytes = store->host->alloc(store->host, load->size + 1, 64);
    if (load->bytes == NULL)
        return loaded(load->chain, MRT_ENOMEM);
    if (load->size == 0)
        return loaded(load->chain, MRT_OK);
    return store->file->read(
        load->file, raft_chain_op(load->chain, bytes_read), load->bytes, load->size, 0, &load->got);
}

mrt_status raft_load_start(
    struct raft_chain *chain, uint64_t first,
    mrt_status (*next)(struct mrt_coord *coord, mrt_status status))
{
    struct mrt_coord *coord = chain->coord;
    const struct raft_store *store = coord->store;
    coord->load = (struct raft_load){.chain = chain, .next = next};
    return store->file->open(
        store->exec, raft_chain_op(chain, file_open), raft_path_segment(chain, 0, first),
        MRT_FILE_READ, &coord->load.file);
}

void raft_load_free(struct mrt_coord *coord)
{
    const struct raft_store *store = coord->store;
    if (coord->load.file != NULL)
        store->file->close(coord->load.file);
    store->host->free(store->host, coord->load.bytes);
    coord->load = (struct raft_load){.file = NULL};
}
