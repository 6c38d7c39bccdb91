/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connection.c - one connected socket: receiving, ends, connecting. Sending is in send.c.
 *
 *     connect() --> connecting --+
 *                                +--> idle --attach()--> paused <--> reading --> ended
 *     accept4() -----------------+
 *
 *   N1  The watch asks for exactly what the connection waits for. An idle, attached one is watched
 *       for errors; one that nobody attached yet, and one closed in both directions, not at all:
 *       there is nobody to tell, and the kernel would repeat itself.
 *   N2  One read per turn and connection: a fast sender gets its next one in the next turn.
 *   N3  After `ended` nothing happens but the posted task that reports and frees.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "plugins/transport/tcp/tcp.h"

#define KEEPALIVE_PROBES 5  /* unanswered ones until the peer is given up */
#define KEEPALIVE_GAP_S  10 /* between two of them */

static void ready(mrt_watch *watch, uint32_t events);

/* ---- life ------------------------------------------------------------------------------------ */

static void set(int fd, int level, int option, int value)
{
    (void)setsockopt(fd, level, option, &value, sizeof value); /* a wish: refusing is harmless */
}

static void set_options(const struct tcp *tcp, int fd)
{
    set(fd, IPPROTO_TCP, TCP_NODELAY, 1); /* what we send is whole answers */
    if (tcp->sndbuf > 0)
        set(fd, SOL_SOCKET, SO_SNDBUF, tcp->sndbuf);
    if (tcp->rcvbuf > 0)
        set(fd, SOL_SOCKET, SO_RCVBUF, tcp->rcvbuf);
    if (tcp->keepalive_s > 0) {
        set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
        set(fd, IPPROTO_TCP, TCP_KEEPIDLE, tcp->keepalive_s);
        set(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_GAP_S);
        set(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES);
    }
}

/* The texts of peer(); empty where the kernel does not know, as after a reset. */
static void learn_names(mrt_conn *conn)
{
    struct sockaddr_storage at = {0};
    socklen_t n = sizeof at;
    if (getpeername(conn->fd, (struct sockaddr *)&at, &n) == 0)
        tcp_address_print(&at, conn->remote);
    n = sizeof at;
    if (getsockname(conn->fd, (struct sockaddr *)&at, &n) == 0)
        tcp_address_print(&at, conn->local);
}

/* The task that ends a connection: the last event, then the memory. */
static void end(mrt_task *task)
{
    mrt_conn *conn = LINK_OWNER(task, struct mrt_conn, end);
    struct tcp *tcp = conn->shard->tcp;
    if (conn->events != NULL)
        conn->events->on_closed(conn->ctx, conn->why);
    tcp->host->free(tcp->host, conn);
    tcp_unhold(tcp, &tcp->handles);
}

mrt_conn *tcp_conn_new(struct tcp_shard *shard, int32_t fd)
{
    struct tcp *tcp = shard->tcp;
    mrt_conn *conn = tcp->host->alloc(tcp->host, sizeof *conn, 64);
    if (conn == NULL)
        return NULL;
    memset(conn, 0, sizeof *conn);
    conn->shard = shard;
    conn->watch.ready = ready;
    conn->end.run = end;
    conn->fd = fd;
    conn->paused = 1;
    link_init(&conn->hungry);
    link_add(&shard->conns, &conn->link);
    tcp_hold(&tcp->handles);
    set_options(tcp, fd);
    learn_names(conn);
    return conn;
}

static void unwatch(mrt_conn *conn)
{
    if (conn->watching)
        conn->shard->tcp->poll->unwatch(conn->shard->reactor, &conn->watch);
    conn->watching = 0;
}

void tcp_conn_end(mrt_conn *conn, mrt_status why)
{
    struct tcp *tcp = conn->shard->tcp;
    if (conn->ended)
        return;
    conn->ended = 1;
    conn->why = why;
    unwatch(conn);
    link_drop(&conn->link);
    link_drop(&conn->hungry);
    close(conn->fd);
    if (conn->op != NULL) {
        mrt_status status = why == MRT_OK ? MRT_ECANCELED : why;
        mrt_op *op = conn->op;
        if (conn->out == NULL) {
            tcp_send_end(conn, status);
        } else {
            conn->op = NULL;
            tcp_done(tcp, op, status);
        }
    }
    tcp->exec->post(conn->shard->reactor, &conn->end); /* after the completion: T5 */
}

void tcp_conn_watch(mrt_conn *conn)
{
    struct tcp_shard *shard = conn->shard;
    uint32_t events = conn->op != NULL ? MRT_POLL_WRITE : 0;

    if (conn->ended)
        return;
    if (conn->events != NULL && !conn->paused && !conn->eof && link_empty(&conn->hungry))
        events |= MRT_POLL_READ;
    if (events == 0 && (conn->events == NULL || (conn->eof && conn->shut))) { /* N1 */
        unwatch(conn);
        return;
    }
    if (conn->watching && conn->watched == events)
        return;
    mrt_status status = shard->tcp->poll->watch(shard->reactor, &conn->watch, conn->fd, events);
    if (status != MRT_OK) {
        tcp_conn_end(conn, status);
        return;
    }
    conn->watching = 1;
    conn->watched = events;
}

/* ---- receiving ------------------------------------------------------------------------------- */

/* No buffer for @conn: it waits as if paused (T3). */
static void starve(mrt_conn *conn)
{
    struct tcp_shard *shard = conn->shard;
    struct tcp *tcp = shard->tcp;

    link_add(&shard->starved, &conn->hungry);
    if (shard->retrying)
        return;
    shard->retrying = 1;
    uint64_t now_ns = tcp->clock->mono_ns(shard->reactor);
    tcp->exec->timer_set(
        shard->reactor, &shard->retry, now_ns + TCP_BUFFER_RETRY_MS * UINT64_C(1000000));
}

static void receive(mrt_conn *conn)
{
    struct tcp_shard *shard = conn->shard;
    mrt_rx rx;
    mrt_status status = shard->tcp->buffers->rx(shard->reactor, &rx);
    if (status == MRT_EAGAIN) {
        starve(conn);
        return;
    }
    if (status != MRT_OK) {
        tcp_conn_end(conn, status);
        return;
    }
    ssize_t n = recv(conn->fd, rx.p, rx.cap, MSG_DONTWAIT);
    int error = errno;
    if (n > 0) {
        const mrt_str bytes = {(const char *)rx.p, (uint64_t)n};
        conn->events->on_bytes(conn->ctx, &bytes, rx.lease);
        return;
    }
    rx.lease->ops->release(rx.lease);
    if (n == 0) {
        conn->eof = 1;
        conn->events->on_eof(conn->ctx);
    } else if (error != EAGAIN && error != EWOULDBLOCK && error != EINTR) {
        tcp_conn_end(conn, tcp_status(error));
    }
}

void tcp_feed_starved(struct tcp_shard *shard)
{
    struct link round; /* those of now: each gets one chance before the timer comes again */

    if (link_empty(&shard->starved))
        return;
    round = shard->starved;
    round.next->previous = round.previous->next = &round;
    link_init(&shard->starved);
    while (!link_empty(&round)) {
        mrt_conn *conn = LINK_OWNER(round.next, struct mrt_conn, hungry);
        link_drop(&conn->hungry);
        if (link_empty(&shard->starved))
            receive(conn);
        else
            link_add(&shard->starved, &conn->hungry); /* behind the one that found none */
        tcp_conn_watch(conn);
    }
}

/* ---- connecting ------------------------------------------------------------------------------ */

static int socket_error(int fd)
{
    int error = 0;
    socklen_t n = sizeof error;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n) == 0 ? error : errno;
}

static void connected(mrt_conn *conn)
{
    mrt_op *op = conn->op;
    int error = socket_error(conn->fd);
    if (error != 0) {
        tcp_conn_end(conn, tcp_status(error));
        return;
    }
    learn_names(conn);
    *conn->out = conn;
    conn->out = NULL;
    conn->op = NULL;
    unwatch(conn);
    tcp_done(conn->shard->tcp, op, MRT_OK);
}

mrt_status tcp_connect(void *of, mrt_op *op, const mrt_str *endpoint, mrt_conn **out)
{
    struct tcp_shard *shard = of;
    struct tcp_address to;
    mrt_status status = tcp_open_for_work(shard->tcp);

    if (status == MRT_OK)
        status = tcp_address_read(endpoint, &to);
    if (status == MRT_OK && to.n == 0)
        status = MRT_EINVAL; /* fd:N is for listening */
    if (status != MRT_OK)
        return status;
    int fd = socket(to.at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return tcp_status(errno);
    if (connect(fd, (const struct sockaddr *)&to.at, to.n) != 0 && errno != EINPROGRESS) {
        status = tcp_status(errno);
        close(fd);
        return status;
    }
    mrt_conn *conn = tcp_conn_new(shard, fd);
    if (conn == NULL) {
        close(fd);
        return MRT_ENOMEM;
    }
    conn->op = op;
    conn->out = out;
    tcp_pend(shard->tcp, op, conn);
    tcp_conn_watch(conn);
    return MRT_PENDING;
}

/* ---- events and calls ------------------------------------------------------------------------ */

static void ready(mrt_watch *watch, uint32_t events)
{
    mrt_conn *conn = LINK_OWNER(watch, struct mrt_conn, watch);

    if (conn->out != NULL) {
        connected(conn);
        return;
    }
    if (conn->op != NULL && (events & (MRT_POLL_WRITE | MRT_POLL_ERROR)) != 0)
        tcp_send_go_on(conn);
    uint32_t reads = !conn->ended && (conn->watched & MRT_POLL_READ) != 0 && !conn->paused;
    if (reads && (events & (MRT_POLL_READ | MRT_POLL_ERROR)) != 0) {
        receive(conn);
    } else if (!conn->ended && (events & MRT_POLL_ERROR) != 0) {
        int error = socket_error(conn->fd);
        tcp_conn_end(conn, error == 0 ? MRT_ECLOSED : tcp_status(error));
    }
    tcp_conn_watch(conn);
}

void tcp_attach(mrt_conn *conn, const mrt_conn_events *events, void *ctx)
{
    conn->events = events;
    conn->ctx = ctx;
    tcp_conn_watch(conn);
}

void tcp_pause(mrt_conn *conn)
{
    conn->paused = 1; /* the watch learns of it at the next event: a resume() in between is free */
    link_drop(&conn->hungry);
}

void tcp_resume(mrt_conn *conn)
{
    conn->paused = 0;
    tcp_conn_watch(conn);
}

mrt_status tcp_shutdown(mrt_conn *conn)
{
    if (conn->ended)
        return MRT_ECLOSED;
    if (conn->op != NULL)
        return MRT_EBUSY;
    if (conn->shut)
        return MRT_OK;
    if (shutdown(conn->fd, SHUT_WR) != 0)
        return tcp_status(errno);
    conn->shut = 1;
    tcp_conn_watch(conn);
    return MRT_OK;
}

void tcp_close(mrt_conn *conn)
{
    tcp_conn_end(conn, MRT_OK);
}

void tcp_peer(mrt_conn *conn, mrt_peer *out)
{
    out->flags = 0; /* credentials of a peer beyond this machine are nobody's to know */
    out->remote = (mrt_str){conn->remote, strlen(conn->remote)};
    out->local = (mrt_str){conn->local, strlen(conn->local)};
    out->uid = out->gid = out->pid = 0;
}
