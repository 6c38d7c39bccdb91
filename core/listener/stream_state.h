/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream_state.h - one stream, for the files that make it: stream.c (life), input.c, output.c.
 */
#ifndef CORE_LISTENER_STREAM_STATE_H
#define CORE_LISTENER_STREAM_STATE_H

#include "core/listener/reply.h"

/* Why a stream is not read; it is when no bit is set. */
enum {
    PAUSE_PROTOCOL = 1, /* it asked for it, or throttles */
    PAUSE_SLOTS = 2,    /* no reply slot was free */
    PAUSE_TX = 4,       /* too many unsent bytes */
    PAUSE_CLOSING = 8,
    PAUSE_HELD = 16,  /* the broker starts or drains */
    PAUSE_ENDING = 32 /* closes after what is filled; nothing more is asked */
};

/* Bytes the protocol has not consumed: the beginning of something larger. */
struct carry {
    uint8_t *bytes;
    mrt_lease *lease;
    uint64_t size;
    uint64_t capacity;
    uint64_t want; /* the protocol looks again when this many are there */
};

struct mrt_stream {
    struct list link; /* in group->streams */
    struct stream_group *group;
    mrt_conn *conn; /* NULL once closed */
    mrt_session *session;
    struct budget budget;
    mrt_who who;
    mrt_peer peer;
    char *remote;    /* owned copy behind peer.remote and who.host: outlives the connection */
    char *client_id; /* owned copy behind who.client_id */
    char *principal; /* owned copy behind who.principal */
    struct carry carry;
    struct reply_ring ring;
    uint64_t unsent; /* bytes of filled slots */
    uint32_t paused; /* PAUSE_ bits */
    uint32_t
        references; /* connection, open slots, moves, the flush task, calls into the protocol */
    uint32_t flush_posted;
    uint32_t closing; /* close after the filled slots */
    uint32_t in_send; /* a send is in flight */
    uint32_t sending; /* slots that end with it */
    uint32_t send_n;
    uint32_t room_refused; /* times in a row */
    uint64_t sends;        /* that ended */
    uint64_t sends_before; /* when lingering began */
    mrt_task flush_task;
    mrt_task feed_task; /* carried bytes come again without new ones */
    uint32_t feed_posted;
    mrt_timer resume_timer;
    mrt_timer linger_timer;
    mrt_timer room_timer;
    mrt_op send_op;
    mrt_slicev *send_v; /* owned; of the send in flight, else NULL: idle streams are small */
};

void stream_ref(mrt_stream *stream);
void stream_unref(mrt_stream *stream);
void stream_pause(mrt_stream *stream, uint32_t why);
void stream_unpause(mrt_stream *stream, uint32_t why);

/* Ends the connection now; @why for the log, NULL when the end is in order. */
void stream_fail(mrt_stream *stream, const char *why);

/* input.c */
void stream_on_bytes(void *context, const mrt_str *bytes, mrt_lease *lease);
void stream_feed_again(mrt_stream *stream);
void stream_carry_drop(mrt_stream *stream);

/* output.c */
mrt_status stream_reserve(mrt_stream *stream, uint64_t *slot);
void stream_fill(mrt_stream *stream, uint64_t slot, const mrt_slicev *v, uint32_t n);
void stream_flush_later(mrt_stream *stream);

#endif /* CORE_LISTENER_STREAM_STATE_H */
