/* SPDX-License-Identifier: Apache-2.0 */
/*
 * send.c - one send at a time: many vectors of many slices through sendmsg, as often as it takes.
 *
 *   D1  (at, slice, offset) is the first byte not yet handed to the kernel; the first `given`
 *       leases are back. The kernel copies, so a lease goes back with its vector's last byte.
 *   D2  While the call itself still runs no lease goes back: an error leaves them to the caller.
 */
#include <errno.h>
#include <sys/uio.h>

#include "plugins/transport/tcp/tcp.h"

#define SEND_SLICES 64 /* of one sendmsg; beyond, one more call costs less than its set-up */
#define SEND_CALLS  16 /* of one turn: a fast receiver must not keep a reactor */

/* The bytes of @slice; NULL if they are not in memory. */
static uint8_t *slice_bytes(const struct tcp *tcp, const mrt_slice *slice)
{
    uint8_t *bytes = NULL;
    if (slice->kind == MRT_SLICE_MEM)
        return (uint8_t *)(uintptr_t)slice->ref + slice->off;
    if (slice->kind != MRT_SLICE_REGBUF)
        return NULL;
    return tcp->buffers->map(tcp->host, slice, &bytes) == MRT_OK ? bytes : NULL;
}

static mrt_status check(const struct tcp *tcp, const mrt_slicev *v, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (v[i].flags != 0)
            return MRT_EINVAL;
        for (uint32_t j = 0; j < v[i].n; j++) {
            if (v[i].v[j].flags != 0)
                return MRT_EINVAL;
            if (v[i].v[j].len > 0 && slice_bytes(tcp, &v[i].v[j]) == NULL)
                return MRT_ENOTSUP; /* FILE: MRT_TRANSPORT_FILES is not among our caps */
        }
    }
    return MRT_OK;
}

/* The next bytes, as far as @iov goes; its count. */
static uint32_t gather(const mrt_conn *conn, struct iovec *iov)
{
    const struct tcp *tcp = conn->shard->tcp;
    uint32_t count = 0;
    uint64_t skip = conn->offset;
    for (uint32_t i = conn->at; i < conn->n && count < SEND_SLICES; i++) {
        for (uint32_t j = i == conn->at ? conn->slice : 0; j < conn->v[i].n; j++) {
            const mrt_slice *slice = &conn->v[i].v[j];
            if (count == SEND_SLICES)
                break;
            if (slice->len > skip)
                iov[count++] =
                    (struct iovec){slice_bytes(tcp, slice) + skip, (size_t)(slice->len - skip)};
            skip = 0;
        }
    }
    return count;
}

/* Moves the place on by @bytes, then over whatever is empty. */
static void advance(mrt_conn *conn, uint64_t bytes)
{
    while (conn->at < conn->n) {
        const mrt_slicev *v = &conn->v[conn->at];
        if (conn->slice == v->n) {
            conn->at++;
            conn->slice = 0;
            continue;
        }
        uint64_t left = v->v[conn->slice].len - conn->offset;
        if (left > bytes) {
            conn->offset += bytes;
            return;
        }
        bytes -= left;
        conn->offset = 0;
        conn->slice++;
    }
}

/* Sends what the socket takes: MRT_OK is all of it, MRT_PENDING not yet. */
static mrt_status push(mrt_conn *conn)
{
    struct iovec iov[SEND_SLICES];
    for (uint32_t i = 0; i < SEND_CALLS; i++) {
        advance(conn, 0);
        if (conn->at == conn->n)
            return MRT_OK;
        struct msghdr message = {.msg_iov = iov, .msg_iovlen = gather(conn, iov)};
        ssize_t sent = sendmsg(conn->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent >= 0)
            advance(conn, (uint64_t)sent);
        else if (errno == EAGAIN || errno == EWOULDBLOCK)
            return MRT_PENDING;
        else if (errno != EINTR)
            return tcp_status(errno);
    }
    return conn->at == conn->n ? MRT_OK : MRT_PENDING;
}

/* Gives the leases of the vectors before @upto back. */
static void give(mrt_conn *conn, uint32_t upto)
{
    for (; conn->given < upto; conn->given++) {
        mrt_lease *lease = conn->v[conn->given].lease;
        if (lease != NULL)
            lease->ops->release(lease);
    }
}

mrt_status tcp_send(mrt_conn *conn, mrt_op *op, const mrt_slicev *v, uint32_t n)
{
    struct tcp *tcp = conn->shard->tcp;

    if (conn->ended || conn->shut)
        return MRT_ECLOSED;
    if (conn->op != NULL)
        return MRT_EBUSY;
    mrt_status status = check(tcp, v, n);
    if (status != MRT_OK)
        return status;
    conn->v = v;
    conn->n = n;
    conn->at = conn->slice = conn->given = 0;
    conn->offset = 0;
    status = push(conn);
    if (status == MRT_OK) {
        give(conn, n);
        return MRT_OK;
    }
    if (status != MRT_PENDING) {
        tcp_conn_end(conn, status); /* T4 */
        return status;
    }
    conn->op = op;
    tcp_pend(tcp, op, conn);
    give(conn, conn->at);
    tcp_conn_watch(conn);
    return MRT_PENDING;
}

void tcp_send_go_on(mrt_conn *conn)
{
    mrt_status status = push(conn);
    if (status == MRT_OK) {
        tcp_send_end(conn, MRT_OK);
    } else if (status == MRT_PENDING) {
        give(conn, conn->at);
    } else {
        tcp_conn_end(conn, status);
    }
}

void tcp_send_end(mrt_conn *conn, mrt_status status)
{
    mrt_op *op = conn->op;
    give(conn, conn->n);
    conn->op = NULL;
    conn->v = NULL;
    tcp_done(conn->shard->tcp, op, status);
}
