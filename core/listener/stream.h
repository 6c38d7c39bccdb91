/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream.h - what a protocol sees of a connection: bytes in, replies out in order. Joins what the
 * transport delivers in pieces, orders replies by slots, moves file slices into memory, keeps the
 * accounts. Lives on one reactor; knows no protocol and no transport by name.
 *
 *   T1  Replies leave in the order of their reservation; those filled in one turn leave in one
 *       send.
 *   T2  Bytes a protocol did not consume come again, joined with what follows. The room for them
 *       grows with what arrived, never with what a client announced.
 *   T3  A stream over its account of unsent bytes, or out of slots, is not read.
 *   T4  A stream lives until it is closed, its slots are filled and nothing it started is in
 *       flight; filling a slot of a closed stream releases the leases and does nothing else.
 *   T5  Answers that lie in files are moved to memory only as their turn comes: a connection holds
 *       at most STREAM_TX_MARK and one answer of them, all connections what their account allows.
 */
#ifndef CORE_LISTENER_STREAM_H
#define CORE_LISTENER_STREAM_H

#include <mortise/draft/protocol.h>
#include <mortise/transport.h>

#include "core/base/list.h"
#include "core/runtime/budget.h"
#include "core/runtime/runtime.h"

/* Replies of one connection under way at once. A client that pipelines more waits in its socket. */
#define STREAM_SLOTS 64
/* Vectors of one send; a fetch answer has about two a partition. */
#define STREAM_VECTORS 256
/* Unsent bytes of one connection beyond which it is not read. */
#define STREAM_TX_MARK (8 * 1024 * 1024)

/* Memory for an answer is asked for again after this long, and as often. */
#define STREAM_ROOM_NS    UINT64_C(10000000)
#define STREAM_ROOM_TRIES 3000
/* A stream that is to close is cut when its peer took nothing for so long. */
#define STREAM_LINGER_NS UINT64_C(30000000000)

/* Connections of a whole broker, whichever listener and reactor they came in by. Any thread. */
struct stream_limit {
    uint32_t max;
    uint32_t open; /* atomic */
};

/* What all streams of one listener on one reactor share; outlives them. */
struct stream_group {
    struct runtime *runtime;
    mrt_exec *reactor;
    const mrt_transport_ops *transport;
    const mrt_protocol_ops *protocol;
    void *protocol_shard;
    mrt_str listener;           /* its name in the configuration */
    uint32_t who_flags;         /* MRT_WHO_ bits of its clients */
    uint32_t count;             /* streams not yet freed */
    struct budget *parent;      /* of every stream's account */
    struct stream_limit *limit; /* shared; NULL: none */
    uint64_t rx_max;            /* bytes one connection may hold unparsed */
    struct list streams;
    uint32_t held; /* accepted, but not read until stream_group_release() */
    void (*on_empty)(struct stream_group *group); /* the last stream was freed */
};

/* Starts serving @conn, which was just accepted. MRT_EFULL: too many are; MRT_ENOMEM. Nothing
 * happened then. */
mrt_status stream_accept(struct stream_group *group, mrt_conn *conn);

/* Read buffers are free again: reads go on where only they were missing. */
void stream_group_resume(struct stream_group *group);

/* Ends all streams: after their filled slots, or at once. */
void stream_group_close(struct stream_group *group, bool now);

/* Until stream_group_release() no stream of the group is read; for start and drain. */
void stream_group_hold(struct stream_group *group);
void stream_group_release(struct stream_group *group);

/* The table protocols get as mortise.host.stream/1. */
extern const mrt_host_stream stream_table;

#endif /* CORE_LISTENER_STREAM_H */
