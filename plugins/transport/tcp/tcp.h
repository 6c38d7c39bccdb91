/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tcp.h - what the files of this plugin share: the instance, its part for one reactor, and what a
 * listener and a connection are born from.
 *
 *   V1  A listener, a connection and their watches are touched on their shard's reactor only. What
 *       shards share is atomic (gates, draining) or under the leaf lock (shards, places).
 *   V2  Memory of a handle goes in a task of its own, posted when the handle ends: whoever is on
 *       the stack may still look at it.
 *   V3  Every handle and every posted task holds the `handles` gate, every pending operation the
 *       `operations` gate: stop() and drain() complete when their gate is empty.
 */
#ifndef PLUGINS_TRANSPORT_TCP_TCP_H
#define PLUGINS_TRANSPORT_TCP_TCP_H

#include <sys/socket.h>

#include <mortise/transport.h>

#include "plugins/transport/tcp/link.h"

#define TCP_TEXT   64 /* bytes of a printed address: "[", 45 of IPv6, "]:65535", NUL */
#define TCP_PLACES 32 /* different endpoints listened on; a broker has a handful */

/* Milliseconds until accepting, and reading without buffers, is tried again. Nothing tells when
 * a descriptor or a buffer is free; this is short beside a network's round trip, long beside a
 * turn. */
#define TCP_ACCEPT_RETRY_MS 100
#define TCP_BUFFER_RETRY_MS 2

/* ---- address.c ------------------------------------------------------------------------------- */

/* Where to bind or connect: an address, or (n 0) a descriptor that is listening already. */
struct tcp_address {
    struct sockaddr_storage at;
    socklen_t n;
    int32_t fd;
};

/* Reads "127.0.0.1:9092", "[::1]:9092", "localhost:9092" or "fd:3". Numbers only, no names but
 * localhost, which is 127.0.0.1. MRT_EINVAL. */
mrt_status tcp_address_read(const mrt_str *text, struct tcp_address *out);

/* Writes "127.0.0.1:9092" or "[::1]:9092" with NUL to @out; an IPv4 address inside IPv6 as IPv4.
 * Returns its length. */
uint64_t tcp_address_print(const struct sockaddr_storage *at, char out[TCP_TEXT]);

/* The status for an errno of a socket call. */
mrt_status tcp_status(int error);

/* ---- tcp.c ----------------------------------------------------------------------------------- */

/* Counts what must end before @op may; starts at 1, the hold of whoever closes the gate. */
struct tcp_gate {
    uint64_t holds; /* atomic */
    mrt_op *op;     /* completed when the last hold goes; set before the first one does */
};

enum tcp_place_state {
    TCP_PLACE_FREE,
    TCP_PLACE_CLAIMED, /* its first listener is binding; the others wait in @waiting */
    TCP_PLACE_BOUND,
    TCP_PLACE_FAILED
};

/* One endpoint, shared by the listeners of all shards on it. Under the leaf lock. */
struct tcp_place {
    char endpoint[TCP_TEXT];
    struct tcp_address bound; /* with the port that 0 became */
    enum tcp_place_state state;
    mrt_status status; /* FAILED: why */
    uint32_t holders;  /* listeners that use or wait for it; the place is free at 0 */
    mrt_listener *waiting;
};

struct tcp {
    const mrt_host *host;
    const mrt_host_exec *exec;
    const mrt_host_clock *clock;
    const mrt_host_poll *poll;
    const mrt_host_buffers *buffers;
    mrt_leaf *leaf;                      /* owned */
    int32_t backlog, sndbuf, rcvbuf;     /* sndbuf, rcvbuf 0: the system's choice */
    int32_t keepalive_s;                 /* 0: off */
    uint32_t draining;                   /* atomic */
    struct tcp_gate handles, operations; /* V3 */
    struct tcp_shard *shards;            /* leaf */
    struct tcp_place places[TCP_PLACES]; /* leaf */
};

struct tcp_shard {
    struct tcp *tcp; /* borrowed: the instance outlives it */
    mrt_exec *reactor;
    struct tcp_shard *next; /* in tcp.shards */
    struct link listeners, conns;
    struct link starved; /* connections that found no read buffer, first come first served */
    mrt_timer retry;
    uint32_t retrying;
    mrt_task stop;
};

void tcp_hold(struct tcp_gate *gate);
void tcp_unhold(struct tcp *tcp, struct tcp_gate *gate);

/* MRT_ESHUTDOWN once drain() or stop() was called. */
mrt_status tcp_open_for_work(struct tcp *tcp);

/* As mrt_host.op_done(), for an operation that tcp_pend() noted. */
void tcp_done(struct tcp *tcp, mrt_op *op, mrt_status status);

/* Notes that @op pends; @conn: whom a cancel() of it ends, may be NULL. Returns MRT_PENDING. */
mrt_status tcp_pend(struct tcp *tcp, mrt_op *op, mrt_conn *conn);

/* ---- listener.c ------------------------------------------------------------------------------ */

mrt_status tcp_listen(
    void *shard, mrt_op *op, const mrt_str *endpoint, const mrt_listener_events *events, void *ctx,
    mrt_listener **out);
void tcp_unlisten(mrt_listener *listener);
void tcp_bound(mrt_listener *listener, mrt_str *out);

/* Ends every listener of @shard, without events. */
void tcp_listeners_stop(struct tcp_shard *shard);

/* ---- connection.c ---------------------------------------------------------------------------- */

struct mrt_conn {
    struct tcp_shard *shard;
    struct link link;   /* in shard.conns */
    struct link hungry; /* in shard.starved */
    mrt_watch watch;
    mrt_task end;                  /* brings on_closed() and frees (V2) */
    const mrt_conn_events *events; /* NULL before attach() */
    void *ctx;
    mrt_op *op;          /* the send or connect in flight */
    mrt_conn **out;      /* of the connect in flight */
    const mrt_slicev *v; /* of the send in flight, with its place: see send.c */
    uint32_t n, at, slice, given;
    uint64_t offset;
    int32_t fd;
    uint32_t watched; /* MRT_POLL_ bits, valid if @watching */
    uint32_t watching;
    uint32_t paused, eof, shut, ended; /* flags */
    mrt_status why;                    /* with @ended */
    char remote[TCP_TEXT], local[TCP_TEXT];
};

/* A connection over @fd, which it owns from then on; NULL: no memory, @fd stays the caller's. */
mrt_conn *tcp_conn_new(struct tcp_shard *shard, int32_t fd);

/* Ends @conn for @why: descriptor and operation in flight now, on_closed() later. Once. */
void tcp_conn_end(mrt_conn *conn, mrt_status why);

/* Watches for what @conn waits for now. */
void tcp_conn_watch(mrt_conn *conn);

mrt_status tcp_connect(void *shard, mrt_op *op, const mrt_str *endpoint, mrt_conn **out);
void tcp_attach(mrt_conn *conn, const mrt_conn_events *events, void *ctx);
void tcp_pause(mrt_conn *conn);
void tcp_resume(mrt_conn *conn);
mrt_status tcp_shutdown(mrt_conn *conn);
void tcp_close(mrt_conn *conn);
void tcp_peer(mrt_conn *conn, mrt_peer *out);

/* Lets those go on that found no buffer, as far as there are some now. */
void tcp_feed_starved(struct tcp_shard *shard);

/* ---- send.c ---------------------------------------------------------------------------------- */

mrt_status tcp_send(mrt_conn *conn, mrt_op *op, const mrt_slicev *v, uint32_t n);

/* The socket of @conn takes bytes again: goes on with the send in flight. */
void tcp_send_go_on(mrt_conn *conn);

/* Ends the send in flight with @status and gives its leases back. */
void tcp_send_end(mrt_conn *conn, mrt_status status);

#endif /* PLUGINS_TRANSPORT_TCP_TCP_H */
