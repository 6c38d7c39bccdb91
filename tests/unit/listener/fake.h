/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fake.h - a transport and a protocol for streams: the transport keeps what was sent and does what
 * the test says (answers at once or later, refuses); the protocol's frames are a length byte and as
 * many bytes, each of which reserves a slot, answered by itself or when the test says so.
 *
 * Everything of a bench belongs to its reactor, the runtime's last: tests enter it with bench_do().
 */
#ifndef TESTS_UNIT_LISTENER_FAKE_H
#define TESTS_UNIT_LISTENER_FAKE_H

#include <string.h>

#include "core/listener/stream.h"
#include "core/runtime/bytes.h"
#include "tests/unit/live.h"

#define FAKE_FRAMES   1024
#define FAKE_SENT_MAX (16 * 1024 * 1024)

struct mrt_conn {
    struct bench *bench;
    const mrt_conn_events *events;
    void *ctx;
    uint32_t paused;
    uint32_t closed; /* close() was called */
    uint32_t over;   /* on_closed() was */
    uint32_t sends;
    mrt_task end;
    /* a send in flight */
    mrt_op *op;
    const mrt_slicev *v;
    uint32_t n;
};

struct mrt_session {
    mrt_stream *stream;
    struct bench *bench;
    uint64_t slots[FAKE_FRAMES]; /* in the order of the frames */
    uint8_t answered[FAKE_FRAMES];
    uint32_t frames;
    uint32_t sent; /* on_sent() calls */
    uint32_t drained;
    uint32_t closed;
};

struct bench {
    struct live live;
    mrt_exec *reactor;
    struct budget budget;
    struct stream_limit limit;
    struct stream_group group;
    struct mrt_conn conn;
    struct mrt_session session;
    uint64_t leases; /* not yet back; atomic */
    /* what the test asks for */
    uint32_t answers;     /* the protocol echoes each frame at once */
    uint32_t holds;       /* sends stay in flight until bench_sent() */
    mrt_status refuses;   /* the outcome of send() and of the send in flight, if not MRT_OK */
    uint64_t want_always; /* what on_bytes() announces instead of the frame's rest */
    uint8_t *sent;
    uint64_t sent_n;
    uint64_t rx_most; /* most of ACCOUNT_RX seen */
};

/* A bench with one accepted, read connection. */
void bench_start(struct bench *bench);

/* Closes the connection, fills what is not; asserts that nothing is left: streams, leases,
 * accounts. */
void bench_stop(struct bench *bench);

/* Runs @run in the bench's reactor, then lets its posted tasks run. */
void bench_do(struct bench *bench, void (*run)(struct bench *bench));

/* Inside: @n bytes arrive, in a lease of their own. */
void bench_arrive(struct bench *bench, const void *bytes, uint64_t n);

/* Inside: fills slot @frame with @n vectors of @each bytes, all of value @value, each leased. */
void bench_answer(struct bench *bench, uint32_t frame, uint32_t n, uint64_t each, uint8_t value);

/* Inside: the send in flight ends. */
void bench_sent(struct bench *bench, mrt_status status);

/* A lease that the bench counts. */
mrt_lease *bench_lease(struct bench *bench);

extern const mrt_transport_ops fake_transport;

#endif /* TESTS_UNIT_LISTENER_FAKE_H */
