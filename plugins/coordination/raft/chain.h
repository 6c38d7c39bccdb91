/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chain.h - calls of the host one after the other, inline or pending, and what each of them needs:
 * paths, slices, texts. A continuation gets the outcome of one call, begins the next with
 * raft_chain_op() and hands its status back; one that begins none ends the chain.
 */
#ifndef PLUGINS_COORDINATION_RAFT_CHAIN_H
#define PLUGINS_COORDINATION_RAFT_CHAIN_H

#include <mortise/coordination.h>

#define RAFT_DIR_MAX  3900 /* bytes of the directory's path; file names are short */
#define RAFT_NAME_MAX 64   /* bytes of a file's name */

/* A chain of host calls: each continuation takes the outcome of one call and begins the next. */
struct raft_chain {
    mrt_op op;
    struct mrt_coord *coord;
    mrt_status (*next)(struct mrt_coord *coord, mrt_status status); /* NULL: idle */
    mrt_str path[2];                                                /* of the call in flight */
    char text[2][RAFT_DIR_MAX + 1 + RAFT_NAME_MAX];
};

/* A call of the core that a chain carries out: it may end before it returns. */
struct raft_call {
    mrt_op *op; /* NULL: none */
    uint32_t inside;
    mrt_status status; /* of a call that ended inside */
};

void raft_chain_init(struct raft_chain *chain, struct mrt_coord *coord);

/* Begins a chain with @first, which gets MRT_OK. */
void raft_chain_start(
    struct raft_chain *chain, mrt_status (*first)(struct mrt_coord *coord, mrt_status status));

/* The chain's operation for one more call, whose outcome @next gets. */
mrt_op *raft_chain_op(
    struct raft_chain *chain, mrt_status (*next)(struct mrt_coord *coord, mrt_status status));

/* Path @i of the chain: the directory, the one above, or a file in it. */
const mrt_str *raft_path_above(struct raft_chain *chain, int i);
const mrt_str *raft_path_dir(struct raft_chain *chain, int i);
const mrt_str *raft_path(struct raft_chain *chain, int i, const char *name);
const mrt_str *raft_path_segment(struct raft_chain *chain, int i, uint64_t first);
const mrt_str *raft_path_snapshot(struct raft_chain *chain, int i, uint64_t end);

void raft_call_begin(struct raft_call *call, mrt_op *op);
void raft_call_end(struct mrt_coord *coord, struct raft_call *call, mrt_status status);
/* What the function that began @call returns. */
mrt_status raft_call_result(struct raft_call *call);

/* One slice of memory. */
void raft_slice(mrt_slice *slice, mrt_slicev *slices, const void *bytes, uint64_t n);

mrt_status raft_error(mrt_error *error, mrt_status status, const char *format, ...)
    __attribute__((__format__(__printf__, 3, 4)));
void raft_log(struct mrt_coord *coord, uint32_t level, const char *format, ...)
    __attribute__((__format__(__printf__, 3, 4)));

#endif /* PLUGINS_COORDINATION_RAFT_CHAIN_H */
