/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reply.h - the reply slots of one stream: a ring in the order of reservation. A filled slot whose
 * vectors lie in files is first moved into memory (by a worker where the page cache lacks them).
 */
#ifndef CORE_LISTENER_REPLY_H
#define CORE_LISTENER_REPLY_H

#include "core/listener/stream.h"

enum reply_state {
    REPLY_RESERVED,
    REPLY_FILLED, /* its bytes may lie in files */
    REPLY_MOVING,
    REPLY_READY
};

struct reply {
    enum reply_state state;
    uint32_t n;        /* vectors; 0: no reply */
    uint32_t moving;   /* the vector that is being moved */
    uint32_t sent;     /* vectors whose leases the transport has had */
    uint64_t sequence; /* the slot's number */
    uint64_t bytes;
    uint64_t charged;  /* of ACCOUNT_TX: memory that files were moved to */
    mrt_slicev *v;     /* owned; the leases, too, until sent */
    mrt_slice *slices; /* owned; what v points at */
    struct mrt_stream *stream;
    mrt_op op;       /* of the move */
    mrt_slice moved; /* where the vector goes */
    mrt_lease *moved_lease;
};

struct reply_ring {
    struct reply *slots[STREAM_SLOTS]; /* owned; NULL where none is reserved */
    uint64_t head;                     /* the oldest reserved */
    uint64_t tail;                     /* the next to reserve */
};

static inline struct reply *reply_at(struct reply_ring *ring, uint64_t sequence)
{
    return ring->slots[sequence % STREAM_SLOTS];
}

/* Keeps copies of @v and its slices; the leases pass. */
void reply_take(struct reply *reply, const mrt_slicev *v, uint32_t n);

/* Bytes that lie in files. */
uint64_t reply_file_bytes(const struct reply *reply);

/* Moves file vectors to memory, one after the other; MRT_OK: all lie in memory, MRT_PENDING: @done
 * runs on reply->op and reply_move() is to be called again. */
mrt_status reply_move(struct reply *reply, mrt_exec *reactor, void (*done)(mrt_op *op));

/* The outcome of a pending move, before reply_move() is called again. */
mrt_status reply_moved(struct reply *reply, mrt_status status);

/* Releases what the reply still holds. */
void reply_drop(struct reply *reply);

#endif /* CORE_LISTENER_REPLY_H */
