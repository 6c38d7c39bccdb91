/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listener.c - one listening socket per shard, spread by the kernel (SO_REUSEPORT).
 *
 * The first listener of an endpoint binds alone: only so is a port that somebody else has, another
 * broker of the same user included, told from one shared among our own shards. It then opens the
 * port to them, with the number that port 0 became. Who comes in between waits in the place.
 *
 *     none --first--> CLAIMED --bound--> BOUND --last leaves--> none
 *                        \----failed---> FAILED --last waiter leaves--> none
 *
 * "fd:N" has no place: all shards accept from the one socket they were given.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "plugins/transport/tcp/tcp.h"

#define ACCEPT_BATCH 64 /* per turn, so that connections already here get theirs */

struct mrt_listener {
    struct tcp_shard *shard;
    struct link link; /* in shard.listeners */
    mrt_watch watch;
    mrt_timer retry;
    mrt_task turn;           /* the place is settled: posted by whoever claimed it */
    mrt_task end;            /* frees (V2) */
    mrt_listener *next;      /* in place.waiting */
    struct tcp_place *place; /* NULL: fd:N */
    const mrt_listener_events *events;
    void *ctx;
    mrt_op *op;         /* listen() pends: waiting for the place */
    mrt_listener **out; /* of listen() */
    int32_t fd;
    uint32_t stalled, ended; /* flags */
    uint64_t bound_n;
    char endpoint[TCP_TEXT], bound[TCP_TEXT];
};

/* ---- places ---------------------------------------------------------------------------------- */

static struct tcp_place *place_find(struct tcp *tcp, const char *endpoint)
{
    struct tcp_place *unused = NULL;
    for (uint32_t i = 0; i < TCP_PLACES; i++) {
        struct tcp_place *place = &tcp->places[i];
        if (place->state == TCP_PLACE_FREE)
            unused = unused == NULL ? place : unused;
        else if (strcmp(place->endpoint, endpoint) == 0)
            return place;
    }
    return unused;
}

/* Finds or claims the place of @listener and says in which state it was; TCP_PLACE_FREE: now it is
 * this listener's to bind. MRT_ENOMEM: too many endpoints. */
static mrt_status place_join(mrt_listener *listener, enum tcp_place_state *was)
{
    struct tcp *tcp = listener->shard->tcp;
    mrt_status status = MRT_OK;

    tcp->exec->leaf_enter(tcp->leaf);
    struct tcp_place *place = place_find(tcp, listener->endpoint);
    if (place == NULL) {
        status = MRT_ENOMEM;
    } else if (place->state == TCP_PLACE_FAILED) {
        status = place->status;
    } else {
        *was = place->state;
        listener->place = place;
        place->holders++;
        if (place->state == TCP_PLACE_FREE) {
            place->state = TCP_PLACE_CLAIMED;
            place->waiting = NULL;
            memcpy(place->endpoint, listener->endpoint, TCP_TEXT);
        } else if (place->state == TCP_PLACE_CLAIMED) {
            listener->next = place->waiting;
            place->waiting = listener;
        }
    }
    tcp->exec->leaf_leave(tcp->leaf);
    return status;
}

static void place_leave(mrt_listener *listener)
{
    struct tcp *tcp = listener->shard->tcp;
    if (listener->place == NULL)
        return;
    tcp->exec->leaf_enter(tcp->leaf);
    if (--listener->place->holders == 0)
        listener->place->state = TCP_PLACE_FREE;
    tcp->exec->leaf_leave(tcp->leaf);
    listener->place = NULL;
}

/* The claimed place of @listener is bound to @at, or not: lets the waiting ones go on. */
static void place_settle(mrt_listener *listener, mrt_status status, const struct tcp_address *at)
{
    struct tcp *tcp = listener->shard->tcp;
    struct tcp_place *place = listener->place;

    tcp->exec->leaf_enter(tcp->leaf);
    place->state = status == MRT_OK ? TCP_PLACE_BOUND : TCP_PLACE_FAILED;
    place->status = status;
    place->bound = *at;
    mrt_listener *waiting = place->waiting;
    place->waiting = NULL;
    tcp->exec->leaf_leave(tcp->leaf);

    while (waiting != NULL) {
        mrt_listener *one = waiting;
        waiting = one->next; /* before the post: it may run and free at once, elsewhere */
        tcp->exec->post(one->shard->reactor, &one->turn);
    }
}

static mrt_status place_outcome(mrt_listener *listener, struct tcp_address *at)
{
    struct tcp *tcp = listener->shard->tcp;
    tcp->exec->leaf_enter(tcp->leaf);
    mrt_status status = listener->place->status;
    *at = listener->place->bound;
    tcp->exec->leaf_leave(tcp->leaf);
    return status;
}

/* ---- sockets --------------------------------------------------------------------------------- */

static void set(int fd, int level, int option, int value)
{
    (void)setsockopt(fd, level, option, &value, sizeof value); /* a wish: refusing is harmless */
}

static mrt_status open_bound(
    const struct tcp *tcp, const struct tcp_address *at, uint32_t shared, int32_t *out)
{
    int fd = socket(at->at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return tcp_status(errno);
    set(fd, SOL_SOCKET, SO_REUSEADDR, 1); /* connections of an earlier run may linger */
    set(fd, SOL_SOCKET, SO_REUSEPORT, (int)shared);
    if (at->at.ss_family == AF_INET6)
        set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0); /* [::] means everyone, whatever the system says */
    if (tcp->rcvbuf > 0)
        set(fd, SOL_SOCKET, SO_RCVBUF, tcp->rcvbuf); /* before listen: it decides the window */
    mrt_status status = MRT_OK;
    if (bind(fd, (const struct sockaddr *)&at->at, at->n) != 0)
        status = tcp_status(errno);
    set(fd, SOL_SOCKET, SO_REUSEPORT, 1); /* from here on for our own shards */
    if (status == MRT_OK && listen(fd, tcp->backlog) != 0)
        status = tcp_status(errno);
    if (status == MRT_OK)
        *out = fd;
    else
        close(fd);
    return status;
}

/* A duplicate of the listening socket @from, which stays the service manager's. */
static mrt_status open_given(int32_t from, int32_t *out)
{
    int listens = 0, domain = 0;
    socklen_t n = sizeof listens;
    if (getsockopt(from, SOL_SOCKET, SO_ACCEPTCONN, &listens, &n) != 0 || listens == 0)
        return MRT_EINVAL;
    n = sizeof domain;
    if (getsockopt(from, SOL_SOCKET, SO_DOMAIN, &domain, &n) != 0)
        return MRT_EINVAL;
    if (domain != AF_INET && domain != AF_INET6)
        return MRT_EINVAL;
    int fd = fcntl(from, F_DUPFD_CLOEXEC, 0);
    if (fd < 0)
        return tcp_status(errno);
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) {
        close(fd);
        return MRT_EIO;
    }
    *out = fd;
    return MRT_OK;
}

/* ---- accepting ------------------------------------------------------------------------------- */

static void ready(mrt_watch *watch, uint32_t events);

static mrt_status watch_socket(mrt_listener *listener)
{
    struct tcp_shard *shard = listener->shard;
    return shard->tcp->poll->watch(shard->reactor, &listener->watch, listener->fd, MRT_POLL_READ);
}

static void retry_later(mrt_listener *listener)
{
    struct tcp_shard *shard = listener->shard;
    uint64_t now_ns = shard->tcp->clock->mono_ns(shard->reactor);
    shard->tcp->exec->timer_set(
        shard->reactor, &listener->retry, now_ns + TCP_ACCEPT_RETRY_MS * UINT64_C(1000000));
}

/* Nothing can be accepted now: clients wait in the backlog, where they are still in order. */
static void stall(mrt_listener *listener, mrt_status status)
{
    struct tcp_shard *shard = listener->shard;
    uint32_t told = listener->stalled;

    listener->stalled = 1;
    if (!told)
        shard->tcp->poll->unwatch(shard->reactor, &listener->watch);
    retry_later(listener);
    if (!told)
        listener->events->on_state(listener->ctx, status);
}

static void unstall(mrt_listener *listener)
{
    if (!listener->stalled)
        return;
    if (watch_socket(listener) != MRT_OK) {
        retry_later(listener);
        return;
    }
    listener->stalled = 0;
    listener->events->on_state(listener->ctx, MRT_OK);
}

static void take(mrt_listener *listener, int fd)
{
    mrt_conn *conn = tcp_conn_new(listener->shard, fd);
    if (conn == NULL) {
        close(fd);
        stall(listener, MRT_ENOMEM);
        return;
    }
    unstall(listener);
    if (listener->ended || listener->events->on_accept(listener->ctx, conn) != MRT_OK)
        tcp_conn_end(conn, MRT_ECANCELED);
}

static uint32_t out_of_resources(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

/* Draining: who comes now waits in the backlog until the socket is closed. */
static uint32_t is_over(mrt_listener *listener)
{
    struct tcp_shard *shard = listener->shard;
    if (tcp_open_for_work(shard->tcp) == MRT_OK)
        return 0;
    if (!listener->stalled)
        shard->tcp->poll->unwatch(shard->reactor, &listener->watch);
    listener->stalled = 1;
    return 1;
}

static void accept_some(mrt_listener *listener)
{
    if (is_over(listener))
        return;
    for (uint32_t i = 0; i < ACCEPT_BATCH && !listener->ended; i++) {
        int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            take(listener, fd);
            if (listener->stalled)
                return;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            unstall(listener);
            return;
        } else if (out_of_resources(errno)) {
            stall(listener, MRT_ENOMEM);
            return;
        } /* else that connection ended before we took it: the next one */
    }
}

static void ready(mrt_watch *watch, uint32_t events)
{
    (void)events;
    accept_some(LINK_OWNER(watch, struct mrt_listener, watch));
}

static void retry(mrt_timer *timer)
{
    accept_some(LINK_OWNER(timer, struct mrt_listener, retry));
}

/* ---- life ------------------------------------------------------------------------------------ */

/* Nobody looks at @listener any more. */
static void listener_free(mrt_listener *listener)
{
    struct tcp *tcp = listener->shard->tcp;
    place_leave(listener);
    link_drop(&listener->link);
    tcp->host->free(tcp->host, listener);
    tcp_unhold(tcp, &tcp->handles);
}

static void end(mrt_task *task)
{
    listener_free(LINK_OWNER(task, struct mrt_listener, end));
}

/* Opens the socket: of the endpoint's descriptor, alone (@was FREE) or beside the others. */
static mrt_status open_socket(
    mrt_listener *listener, enum tcp_place_state was, struct tcp_address *at)
{
    struct tcp *tcp = listener->shard->tcp;
    mrt_status status;

    if (at->n == 0)
        status = open_given(at->fd, &listener->fd);
    else
        status = open_bound(tcp, at, was != TCP_PLACE_FREE, &listener->fd);
    if (status != MRT_OK)
        return status;
    at->n = sizeof at->at;
    if (getsockname(listener->fd, (struct sockaddr *)&at->at, &at->n) == 0)
        status = watch_socket(listener);
    else
        status = tcp_status(errno);
    if (status != MRT_OK) {
        close(listener->fd);
        listener->fd = -1;
        return status;
    }
    listener->bound_n = tcp_address_print(&at->at, listener->bound);
    return MRT_OK;
}

/* The place is settled: opens this shard's socket and completes listen(). */
static void turn(mrt_task *task)
{
    mrt_listener *listener = LINK_OWNER(task, struct mrt_listener, turn);
    struct tcp *tcp = listener->shard->tcp;
    mrt_op *op = listener->op;
    struct tcp_address at;
    mrt_status status = place_outcome(listener, &at);

    listener->op = NULL;
    if (listener->ended)
        status = MRT_ECANCELED;
    if (status == MRT_OK)
        status = open_socket(listener, TCP_PLACE_BOUND, &at);
    if (status == MRT_OK)
        *listener->out = listener;
    tcp_done(tcp, op, status);
    if (status != MRT_OK)
        listener_free(listener); /* last: it may be what stop() waits for */
}

static mrt_listener *listener_new(
    struct tcp_shard *shard, const mrt_str *endpoint, const mrt_listener_events *events, void *ctx)
{
    const mrt_host *host = shard->tcp->host;
    mrt_listener *listener = host->alloc(host, sizeof *listener, 64);
    if (listener == NULL)
        return NULL;
    memset(listener, 0, sizeof *listener);
    listener->shard = shard;
    listener->watch.ready = ready;
    listener->retry.fire = retry;
    listener->turn.run = turn;
    listener->end.run = end;
    listener->events = events;
    listener->ctx = ctx;
    listener->fd = -1;
    memcpy(listener->endpoint, endpoint->p, endpoint->n);
    link_add(&shard->listeners, &listener->link);
    tcp_hold(&shard->tcp->handles);
    return listener;
}

static uint32_t listens_on(const struct tcp_shard *shard, const mrt_str *endpoint)
{
    for (struct link *at = shard->listeners.next; at != &shard->listeners; at = at->next) {
        const mrt_listener *one = LINK_OWNER(at, struct mrt_listener, link);
        if (!one->ended && strlen(one->endpoint) == endpoint->n &&
            memcmp(one->endpoint, endpoint->p, endpoint->n) == 0)
            return 1;
    }
    return 0;
}

mrt_status tcp_listen(
    void *of, mrt_op *op, const mrt_str *endpoint, const mrt_listener_events *events, void *ctx,
    mrt_listener **out)
{
    struct tcp_shard *shard = of;
    struct tcp_address at;
    enum tcp_place_state was = TCP_PLACE_BOUND;
    mrt_status status = tcp_open_for_work(shard->tcp);

    if (status == MRT_OK)
        status = tcp_address_read(endpoint, &at);
    if (status == MRT_OK && listens_on(shard, endpoint))
        status = MRT_EEXIST;
    if (status != MRT_OK)
        return status;
    mrt_listener *listener = listener_new(shard, endpoint, events, ctx);
    if (listener == NULL)
        return MRT_ENOMEM;
    if (at.n != 0)
        status = place_join(listener, &was);
    if (status == MRT_OK && was == TCP_PLACE_CLAIMED) {
        listener->op = op;
        listener->out = out;
        return tcp_pend(shard->tcp, op, NULL);
    }
    if (status == MRT_OK && at.n != 0 && was == TCP_PLACE_BOUND)
        status = place_outcome(listener, &at);
    if (status == MRT_OK)
        status = open_socket(listener, was, &at);
    if (listener->place != NULL && was == TCP_PLACE_FREE)
        place_settle(listener, status, &at);
    if (status == MRT_OK)
        *out = listener;
    else
        listener_free(listener);
    return status;
}

void tcp_unlisten(mrt_listener *listener)
{
    struct tcp_shard *shard = listener->shard;

    if (listener->ended)
        return;
    listener->ended = 1;
    if (!listener->stalled)
        shard->tcp->poll->unwatch(shard->reactor, &listener->watch);
    shard->tcp->exec->timer_stop(shard->reactor, &listener->retry);
    close(listener->fd);
    shard->tcp->exec->post(shard->reactor, &listener->end);
}

void tcp_bound(mrt_listener *listener, mrt_str *out)
{
    out->p = listener->bound;
    out->n = listener->bound_n;
}

void tcp_listeners_stop(struct tcp_shard *shard)
{
    for (struct link *at = shard->listeners.next; at != &shard->listeners; at = at->next) {
        mrt_listener *listener = LINK_OWNER(at, struct mrt_listener, link);
        if (listener->op == NULL)
            tcp_unlisten(listener);
        else
            listener->ended = 1; /* its turn is coming, and ends it */
    }
}
