/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chain.c - calls one after the other, inline or pending alike; paths; texts.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "plugins/coordination/raft/raft.h"

static void run(struct raft_chain *chain, mrt_status status)
{
    while (status != MRT_PENDING && chain->next != NULL) {
        mrt_status (*next)(struct mrt_coord *, mrt_status) = chain->next;
        chain->next = NULL;
        status = next(chain->coord, status);
    }
    if (chain->next == NULL)
        raft_close_step(chain->coord);
}

static void done(mrt_op *op)
{
    run(op->caller, op->status);
}

void raft_chain_init(struct raft_chain *chain, struct mrt_coord *coord)
{
    memset(chain, 0, sizeof *chain);
    chain->coord = coord;
}

void raft_chain_start(
    struct raft_chain *chain, mrt_status (*first)(struct mrt_coord *coord, mrt_status status))
{
    chain->next = first;
    run(chain, MRT_OK);
}

mrt_op *raft_chain_op(
    struct raft_chain *chain, mrt_status (*next)(struct mrt_coord *coord, mrt_status status))
{
    memset(&chain->op, 0, sizeof chain->op);
    chain->op.exec = chain->coord->store->exec;
    chain->op.done = done;
    chain->op.caller = chain;
    chain->next = next;
    return &chain->op;
}

const mrt_str *raft_path_dir(struct raft_chain *chain, int i)
{
    const struct raft_store *store = chain->coord->store;
    memcpy(chain->text[i], store->dir, store->dir_n);
    chain->path[i] = (mrt_str){chain->text[i], store->dir_n};
    return &chain->path[i];
}

const mrt_str *raft_path_above(struct raft_chain *chain, int i)
{
    raft_path_dir(chain, i);
    uint64_t n = chain->path[i].n;
    while (n > 1 && chain->text[i][n - 1] == '/')
        n--;
    while (n > 1 && chain->text[i][n - 1] != '/')
        n--;
    chain->path[i].n = n > 1 ? n - 1 : 1;
    return &chain->path[i];
}

const mrt_str *raft_path(struct raft_chain *chain, int i, const char *name)
{
    uint64_t dir_n = chain->coord->store->dir_n;
    uint64_t n = strlen(name);
    raft_path_dir(chain, i);
    chain->text[i][dir_n] = '/';
    memcpy(chain->text[i] + dir_n + 1, name, n + 1);
    chain->path[i].n = dir_n + 1 + n;
    return &chain->path[i];
}

const mrt_str *raft_path_segment(struct raft_chain *chain, int i, uint64_t first)
{
    char name[RAFT_NAME_MAX];
    snprintf(name, sizeof name, "%020llu.wal", (unsigned long long)first);
    return raft_path(chain, i, name);
}

const mrt_str *raft_path_snapshot(struct raft_chain *chain, int i, uint64_t end)
{
    char name[RAFT_NAME_MAX];
    snprintf(name, sizeof name, "%020llu.snapshot", (unsigned long long)end);
    return raft_path(chain, i, name);
}

void raft_call_begin(struct raft_call *call, mrt_op *op)
{
    *call = (struct raft_call){.op = op, .inside = 1};
}

void raft_call_end(struct mrt_coord *coord, struct raft_call *call, mrt_status status)
{
    mrt_op *op = call->op;
    const mrt_host *host = coord->store->host;
    call->op = NULL;
    call->status = status;
    if (op != NULL && !call->inside)
        host->op_done(host, op, status, status == MRT_OK ? NULL : &coord->why);
}

mrt_status raft_call_result(struct raft_call *call)
{
    call->inside = 0;
    return call->op == NULL ? call->status : MRT_PENDING;
}

void raft_slice(mrt_slice *slice, mrt_slicev *slices, const void *bytes, uint64_t n)
{
    *slice = (mrt_slice){.kind = MRT_SLICE_MEM, .ref = (uint64_t)(uintptr_t)bytes, .len = n};
    *slices = (mrt_slicev){.v = slice, .n = 1, .bytes = n};
}

mrt_status raft_error(mrt_error *error, mrt_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    error->status = status;
    vsnprintf(error->text, sizeof error->text, format, args);
    va_end(args);
    return status;
}

void raft_log(struct mrt_coord *coord, uint32_t level, const char *format, ...)
{
    const struct raft_store *store = coord->store;
    char text[512];
    va_list args;
    if (store->log == NULL || !store->log->enabled(store->host, level))
        return;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    mrt_str line = {text, n < (int)sizeof text ? (uint64_t)n : sizeof text - 1};
    store->log->write(store->host, level, 0, &line);
}
