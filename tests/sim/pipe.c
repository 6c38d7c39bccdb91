/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/pipe.h"

#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/list.h"
#include "core/base/memory.h"
#include "core/runtime/runtime.h"

#define LATE_NS UINT64_C(5000000) /* the most that one piece is late */

MRT_PLUGIN_NOTE("name=transport-pipe" MRT_NOTE_END "version=1" MRT_NOTE_END "abi=0.1" MRT_NOTE_END
                "need=0.1" MRT_NOTE_END "tier=stable" MRT_NOTE_END "flags=sim_safe" MRT_NOTE_END
                "impl=mortise.transport/1 pipe");

struct bytes {
    uint8_t *p; /* owned */
    uint64_t n;
    uint64_t cap;
};

struct pipe_shard;

struct pipe {
    const mrt_host *host;
    const mrt_host_exec *exec;
    const mrt_host_clock *clock;
    const mrt_host_random *random;
    const mrt_host_buffers *buffers;
    struct pipe_shard *shards[REACTORS_MAX];
    uint32_t shard_count;
    uint32_t open; /* connections not yet closed */
};

struct mrt_listener {
    const mrt_listener_events *events;
    void *ctx;
};

struct pipe_shard {
    struct pipe *pipe;
    mrt_exec *reactor;
    mrt_random *random;
    struct mrt_listener listener;
    bool listens;
};

struct mrt_conn {
    struct pipe_shard *shard;
    const mrt_conn_events *events; /* NULL until attach() */
    void *ctx;
    struct bytes in;  /* to the broker */
    struct bytes out; /* to the client */
    struct bytes sending;
    mrt_op *op; /* of the send in flight */
    mrt_lease **leases;
    uint32_t lease_count;
    mrt_task turn;
    mrt_timer late;
    bool turn_posted;
    bool is_late;
    bool accepted;
    bool paused;
    bool eof, eof_told;
    bool closing, closed;
    bool dropped;
};

/* ---- bytes ----------------------------------------------------------------------------------- */

static void bytes_add(struct bytes *bytes, const void *from, uint64_t n)
{
    if (bytes->n + n > bytes->cap) {
        bytes->cap = (bytes->n + n) * 2;
        bytes->p = memory_resize(bytes->p, bytes->cap);
    }
    if (n > 0)
        memcpy(bytes->p + bytes->n, from, n);
    bytes->n += n;
}

static void bytes_take(struct bytes *bytes, uint64_t n)
{
    ASSERT(n <= bytes->n);
    if (n > 0)
        memmove(bytes->p, bytes->p + n, bytes->n - n);
    bytes->n -= n;
}

static uint64_t draw(struct pipe_shard *shard, uint64_t below)
{
    return (shard->pipe->random->next(shard->random) >> 16) % below;
}

/* How many of @n bytes go now. */
static uint64_t piece(struct pipe_shard *shard, uint64_t n)
{
    static const uint64_t most[] = {1, 16, 1000, 1 << 16};
    uint64_t bound = most[draw(shard, 4)];
    if (bound > n)
        bound = n;
    return draw(shard, 2) == 0 ? bound : 1 + draw(shard, bound);
}

/* ---- the turn of a connection ---------------------------------------------------------------- */

static void turn_post(mrt_conn *conn)
{
    if (conn->turn_posted)
        return;
    conn->turn_posted = true;
    conn->shard->pipe->exec->post(conn->shard->reactor, &conn->turn);
}

static void late_fire(mrt_timer *timer)
{
    mrt_conn *conn = CONTAINER(timer, struct mrt_conn, late);
    conn->is_late = false;
    turn_post(conn);
}

static void conn_free(mrt_conn *conn)
{
    ASSERT(conn->closed);
    ASSERT(conn->op == NULL);
    ASSERT(!conn->turn_posted);
    memory_free(conn->in.p);
    memory_free(conn->out.p);
    memory_free(conn->sending.p);
    memory_free(conn->leases);
    memory_free(conn);
}

static void conn_closed(mrt_conn *conn)
{
    struct pipe *pipe = conn->shard->pipe;
    pipe->exec->timer_stop(conn->shard->reactor, &conn->late);
    conn->closed = true;
    ASSERT(pipe->open > 0);
    pipe->open--;
}

static void accept_turn(mrt_conn *conn)
{
    struct pipe_shard *shard = conn->shard;
    conn->accepted = conn->paused = true;
    mrt_status status = MRT_ECLOSED;
    if (shard->listens)
        status = shard->listener.events->on_accept(shard->listener.ctx, conn);
    if (status != MRT_OK)
        conn_closed(conn);
    else
        ASSERT(conn->events != NULL);
}

static void send_end(mrt_conn *conn, mrt_status status)
{
    const mrt_host *host = conn->shard->pipe->host;
    mrt_op *op = conn->op;
    conn->op = NULL;
    conn->sending.n = 0;
    for (uint32_t i = 0; i < conn->lease_count; i++)
        if (conn->leases[i] != NULL)
            conn->leases[i]->ops->release(conn->leases[i]);
    conn->lease_count = 0;
    host->op_done(host, op, status, NULL);
}

static void send_turn(mrt_conn *conn)
{
    uint64_t n = conn->sending.n == 0 ? 0 : piece(conn->shard, conn->sending.n);
    bytes_add(&conn->out, conn->sending.p, n);
    bytes_take(&conn->sending, n);
    if (conn->sending.n == 0)
        send_end(conn, MRT_OK);
}

static void receive_turn(mrt_conn *conn)
{
    mrt_rx room;
    if (conn->in.n == 0) {
        conn->eof_told = true;
        conn->events->on_eof(conn->ctx);
        return;
    }
    if (conn->shard->pipe->buffers->rx(conn->shard->reactor, &room) != MRT_OK) {
        conn->paused = true; /* the host resumes */
        return;
    }
    uint64_t n = piece(conn->shard, conn->in.n < room.cap ? conn->in.n : room.cap);
    memcpy(room.p, conn->in.p, n);
    bytes_take(&conn->in, n);
    mrt_str view = {(const char *)room.p, n};
    conn->events->on_bytes(conn->ctx, &view, room.lease);
}

static bool may_receive(const mrt_conn *conn)
{
    return !conn->paused && !conn->closing && (conn->in.n > 0 || (conn->eof && !conn->eof_told));
}

/* First the end of the send in flight, then, in a later turn, that of the connection (T5). */
static void close_turn(mrt_conn *conn)
{
    if (conn->op != NULL) {
        send_end(conn, MRT_ECLOSED);
        turn_post(conn);
        return;
    }
    conn_closed(conn);
    conn->events->on_closed(conn->ctx, conn->dropped ? MRT_ECLOSED : MRT_OK);
}

static void go_on(mrt_conn *conn)
{
    struct pipe_shard *shard = conn->shard;
    struct pipe *pipe = shard->pipe;
    if (conn->closed || conn->is_late || conn->turn_posted)
        return;
    if (!conn->closing && conn->op == NULL && !may_receive(conn))
        return;
    if (draw(shard, 8) > 0) {
        turn_post(conn);
        return;
    }
    conn->is_late = true;
    conn->late.fire = late_fire;
    pipe->exec->timer_set(
        shard->reactor, &conn->late, pipe->clock->mono_ns(shard->reactor) + draw(shard, LATE_NS));
}

static void turn_run(mrt_task *task)
{
    mrt_conn *conn = CONTAINER(task, struct mrt_conn, turn);
    conn->turn_posted = false;
    if (!conn->accepted)
        accept_turn(conn);
    else if (conn->closing && !conn->closed)
        close_turn(conn);
    else if (conn->op != NULL && (!may_receive(conn) || draw(conn->shard, 2) == 0))
        send_turn(conn);
    else if (!conn->closed && may_receive(conn))
        receive_turn(conn);
    go_on(conn);
    if (conn->closed && conn->dropped && !conn->turn_posted)
        conn_free(conn);
}

/* ---- what the broker calls ------------------------------------------------------------------- */

static mrt_status pipe_listen(
    void *at, mrt_op *op, const mrt_str *endpoint, const mrt_listener_events *events, void *ctx,
    mrt_listener **out)
{
    struct pipe_shard *shard = at;
    (void)op, (void)endpoint;
    if (shard->listens)
        return MRT_EEXIST;
    shard->listens = true;
    shard->listener = (struct mrt_listener){events, ctx};
    *out = &shard->listener;
    return MRT_OK;
}

static void pipe_unlisten(mrt_listener *listener)
{
    CONTAINER(listener, struct pipe_shard, listener)->listens = false;
}

static void pipe_bound(mrt_listener *listener, mrt_str *out)
{
    (void)listener;
    *out = (mrt_str){"pipe", 4};
}

static mrt_status pipe_call_out(void *shard, mrt_op *op, const mrt_str *endpoint, mrt_conn **out)
{
    (void)shard, (void)op, (void)endpoint, (void)out;
    return MRT_ENOTSUP;
}

static void pipe_attach(mrt_conn *conn, const mrt_conn_events *events, void *ctx)
{
    conn->events = events;
    conn->ctx = ctx;
}

static void pipe_pause(mrt_conn *conn)
{
    conn->paused = true;
}

static void pipe_resume(mrt_conn *conn)
{
    conn->paused = false;
    turn_post(conn);
}

static mrt_status pipe_send(mrt_conn *conn, mrt_op *op, const mrt_slicev *v, uint32_t n)
{
    if (conn->op != NULL)
        return MRT_EBUSY;
    if (conn->closing)
        return MRT_ECLOSED;
    memory_free(conn->leases);
    conn->leases = memory_array(n, sizeof *conn->leases);
    conn->lease_count = n;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t before = conn->sending.n;
        conn->leases[i] = v[i].lease;
        for (uint32_t j = 0; j < v[i].n; j++) {
            const mrt_slice *slice = &v[i].v[j];
            ASSERT(slice->kind == MRT_SLICE_MEM); /* the host moves files: no MRT_TRANSPORT_FILES */
            bytes_add(
                &conn->sending, (const uint8_t *)(uintptr_t)slice->ref + slice->off, slice->len);
        }
        ASSERT(conn->sending.n - before == v[i].bytes);
    }
    conn->op = op;
    turn_post(conn);
    return MRT_PENDING;
}

static mrt_status pipe_shutdown(mrt_conn *conn)
{
    return conn->op != NULL ? MRT_EBUSY : MRT_OK;
}

static void pipe_close(mrt_conn *conn)
{
    ASSERT(!conn->closed);
    conn->closing = true;
    turn_post(conn);
}

static void pipe_peer(mrt_conn *conn, mrt_peer *out)
{
    (void)conn;
    out->flags = 0;
    out->remote = (mrt_str){"client", 6};
    out->local = (mrt_str){"pipe", 4};
}

static const mrt_transport_ops ops = {
    .size = sizeof ops,
    .listen = pipe_listen,
    .unlisten = pipe_unlisten,
    .bound = pipe_bound,
    .connect = pipe_call_out,
    .attach = pipe_attach,
    .pause = pipe_pause,
    .resume = pipe_resume,
    .send = pipe_send,
    .shutdown = pipe_shutdown,
    .close = pipe_close,
    .peer = pipe_peer,
};

/* ---- the client's end ------------------------------------------------------------------------ */

mrt_conn *pipe_connect(void *inst, uint32_t shard)
{
    struct pipe *pipe = inst;
    ASSERT(shard < pipe->shard_count);
    mrt_conn *conn = memory_new(sizeof *conn);
    conn->shard = pipe->shards[shard];
    conn->turn.run = turn_run;
    pipe->open++;
    turn_post(conn);
    return conn;
}

void pipe_write(mrt_conn *conn, const void *bytes, uint64_t n)
{
    if (conn->closed)
        return;
    bytes_add(&conn->in, bytes, n);
    turn_post(conn);
}

mrt_str pipe_read(const mrt_conn *conn)
{
    return (mrt_str){(const char *)conn->out.p, conn->out.n};
}

void pipe_take(mrt_conn *conn, uint64_t n)
{
    bytes_take(&conn->out, n);
}

bool pipe_closed(const mrt_conn *conn)
{
    return conn->closed;
}

void pipe_shut(mrt_conn *conn)
{
    conn->eof = true;
    if (!conn->closed)
        turn_post(conn);
}

void pipe_drop(mrt_conn *conn)
{
    ASSERT(!conn->dropped);
    conn->dropped = true;
    if (conn->closed && !conn->turn_posted) {
        conn_free(conn);
        return;
    }
    conn->closing = true;
    turn_post(conn);
}

/* ---- the plugin ------------------------------------------------------------------------------ */

static mrt_status create(const mrt_create *how, void **inst, mrt_error *error)
{
    struct pipe *pipe = how->host->alloc(how->host, sizeof *pipe, 8);
    (void)error;
    if (pipe == NULL)
        return MRT_ENOMEM;
    *pipe = (struct pipe){
        .host = how->host,
        .exec = how->host->get(how->host, MRT_HOST_EXEC),
        .clock = how->host->get(how->host, MRT_HOST_CLOCK),
        .random = how->host->get(how->host, MRT_HOST_RANDOM),
        .buffers = how->host->get(how->host, MRT_HOST_BUFFERS),
    };
    *inst = pipe;
    return MRT_OK;
}

static mrt_status nothing(void *inst, mrt_op *op)
{
    (void)inst, (void)op;
    return MRT_OK;
}

static mrt_status stop(void *inst, mrt_op *op)
{
    (void)op;
    ASSERT(((struct pipe *)inst)->open == 0); /* the host closed them all */
    return MRT_OK;
}

static mrt_status reconfigure(void *inst, const mrt_cfg *next, uint32_t phase, mrt_error *error)
{
    (void)inst, (void)next, (void)phase, (void)error;
    return MRT_OK;
}

static void destroy(void *inst)
{
    struct pipe *pipe = inst;
    pipe->host->free(pipe->host, pipe);
}

static mrt_status shard_open(void *inst, mrt_exec *reactor, void **out)
{
    struct pipe *pipe = inst;
    struct pipe_shard *shard = pipe->host->alloc(pipe->host, sizeof *shard, 8);
    char purpose[32];
    if (shard == NULL)
        return MRT_ENOMEM;
    *shard = (struct pipe_shard){.pipe = pipe, .reactor = reactor};
    int n = snprintf(purpose, sizeof purpose, "pipe.%u", pipe->shard_count);
    mrt_str name = {purpose, (uint64_t)n};
    mrt_status status = pipe->random->stream(pipe->host, reactor, &name, &shard->random);
    if (status != MRT_OK) {
        pipe->host->free(pipe->host, shard);
        return status;
    }
    ASSERT(pipe->shard_count < REACTORS_MAX);
    pipe->shards[pipe->shard_count++] = shard;
    *out = shard;
    return MRT_OK;
}

static void shard_close(void *at)
{
    struct pipe_shard *shard = at;
    ASSERT(!shard->listens);
    shard->pipe->host->free(shard->pipe->host, shard);
}

static const mrt_lifecycle lifecycle = {
    .size = sizeof lifecycle,
    .create = create,
    .start = nothing,
    .reconfigure = reconfigure,
    .drain = nothing,
    .stop = stop,
    .destroy = destroy,
    .shard_open = shard_open,
    .shard_close = shard_close,
};

static const mrt_impl impls[] = {
    {sizeof(mrt_impl), 0, MRT_KIND_TRANSPORT, "pipe", &lifecycle, &ops},
};

static const mrt_plugin plugin = {
    sizeof plugin, MRT_ABI, MRT_NOTE, MRT_NOTE_BYTES, impls, 1, sizeof(mrt_impl), NULL,
};

static const mrt_plugin *entry(uint32_t host_abi)
{
    return host_abi >> 16 == MRT_ABI_MAJOR ? &plugin : NULL;
}

const struct builtin pipe_builtin = {"transport-pipe", entry};
