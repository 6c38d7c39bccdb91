/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tcp.c - the plugin: note, instance, shards, and how they end. Listeners are in listener.c,
 * connections in connection.c, sending in send.c.
 */
#include "plugins/transport/tcp/tcp.h"

#include <string.h>

#include "sdk/kit/table.h"

MRT_PLUGIN_NOTE(
    "name=transport-tcp" MRT_NOTE_END "version=0.1.0" MRT_NOTE_END "abi=0.1" MRT_NOTE_END
    "need=0.1" MRT_NOTE_END "tier=stable" MRT_NOTE_END "flags=os" MRT_NOTE_END
    "impl=mortise.transport/1 tcp" MRT_NOTE_END "key=backlog" MRT_NOTE_END
    "key.type=i64" MRT_NOTE_END "key.default=1024" MRT_NOTE_END "key.min=1" MRT_NOTE_END
    "key.max=65535" MRT_NOTE_END "key.kafka=socket.listen.backlog.size" MRT_NOTE_END
    "key.doc=Connections that may wait to be accepted; the system may lower it." MRT_NOTE_END
    "key=sndbuf" MRT_NOTE_END "key.type=bytes" MRT_NOTE_END "key.default=0" MRT_NOTE_END
    "key.min=0" MRT_NOTE_END "key.max=1073741824" MRT_NOTE_END
    "key.kafka=socket.send.buffer.bytes" MRT_NOTE_END
    "key.doc=The kernel's send buffer of a connection; 0 lets the system adjust it." MRT_NOTE_END
    "key=rcvbuf" MRT_NOTE_END "key.type=bytes" MRT_NOTE_END "key.default=0" MRT_NOTE_END
    "key.min=0" MRT_NOTE_END "key.max=1073741824" MRT_NOTE_END
    "key.kafka=socket.receive.buffer.bytes" MRT_NOTE_END
    "key.doc=The kernel's receive buffer of a connection; 0 lets the system adjust it." MRT_NOTE_END
    "key=keepalive" MRT_NOTE_END "key.type=millis" MRT_NOTE_END "key.default=60000" MRT_NOTE_END
    "key.min=0" MRT_NOTE_END "key.max=32767000" MRT_NOTE_END
    "key.doc=How long a connection may be silent before the peer is probed, in whole seconds "
    "rounded up; 0 never probes.");

enum {
    KEY_BACKLOG,
    KEY_SNDBUF,
    KEY_RCVBUF,
    KEY_KEEPALIVE
};

/* ---- gates ----------------------------------------------------------------------------------- */

void tcp_hold(struct tcp_gate *gate)
{
    __atomic_add_fetch(&gate->holds, 1, __ATOMIC_RELAXED);
}

void tcp_unhold(struct tcp *tcp, struct tcp_gate *gate)
{
    if (__atomic_sub_fetch(&gate->holds, 1, __ATOMIC_ACQ_REL) == 0)
        tcp->host->op_done(tcp->host, gate->op, MRT_OK, NULL);
}

/* Completes @op when @gate is empty; gives up the closer's own hold. */
static mrt_status gate_close(struct tcp *tcp, struct tcp_gate *gate, mrt_op *op)
{
    gate->op = op;
    tcp_unhold(tcp, gate);
    return MRT_PENDING;
}

mrt_status tcp_open_for_work(struct tcp *tcp)
{
    return __atomic_load_n(&tcp->draining, __ATOMIC_ACQUIRE) ? MRT_ESHUTDOWN : MRT_OK;
}

mrt_status tcp_pend(struct tcp *tcp, mrt_op *op, mrt_conn *conn)
{
    tcp_hold(&tcp->operations);
    op->scratch[0] = (uint64_t)(uintptr_t)conn;
    return MRT_PENDING;
}

void tcp_done(struct tcp *tcp, mrt_op *op, mrt_status status)
{
    tcp->host->op_done(tcp->host, op, status, NULL);
    tcp_unhold(tcp, &tcp->operations);
}

/* ---- lifecycle ------------------------------------------------------------------------------- */

static mrt_status find_tables(struct tcp *tcp, const mrt_create *how, mrt_error *error)
{
    error->text[0] = 0;
    tcp->exec = kit_table(how, MRT_HOST_EXEC, error);
    tcp->clock = kit_table(how, MRT_HOST_CLOCK, error);
    tcp->poll = kit_table(how, MRT_HOST_POLL, error);
    tcp->buffers = kit_table(how, MRT_HOST_BUFFERS, error);
    if (error->text[0] != 0)
        return error->status = MRT_ENOTSUP;
    return tcp->exec->leaf_new(tcp->host, &tcp->leaf);
}

static mrt_status tcp_create(const mrt_create *how, void **inst, mrt_error *error)
{
    const mrt_host *host = how->host;
    struct tcp *tcp = host->alloc(host, sizeof *tcp, 64);
    if (tcp == NULL)
        return MRT_ENOMEM;
    memset(tcp, 0, sizeof *tcp);
    tcp->host = host;
    mrt_status status = find_tables(tcp, how, error);
    if (status != MRT_OK) {
        host->free(host, tcp);
        return status;
    }
    tcp->backlog = (int32_t)how->view->i64(how->cfg, KEY_BACKLOG);
    tcp->sndbuf = (int32_t)how->view->i64(how->cfg, KEY_SNDBUF);
    tcp->rcvbuf = (int32_t)how->view->i64(how->cfg, KEY_RCVBUF);
    tcp->keepalive_s = (int32_t)((how->view->i64(how->cfg, KEY_KEEPALIVE) + 999) / 1000);
    tcp->handles.holds = tcp->operations.holds = 1;
    *inst = tcp;
    return MRT_OK;
}

static mrt_status tcp_start(void *inst, mrt_op *op)
{
    (void)inst, (void)op; /* nothing is opened before listen() */
    return MRT_OK;
}

static mrt_status tcp_reconfigure(void *inst, const mrt_cfg *next, uint32_t phase, mrt_error *error)
{
    (void)inst, (void)next, (void)phase, (void)error; /* no key is dynamic */
    return MRT_OK;
}

static mrt_status tcp_drain(void *inst, mrt_op *op)
{
    struct tcp *tcp = inst;
    if (__atomic_exchange_n(&tcp->draining, 1, __ATOMIC_ACQ_REL) != 0)
        return MRT_OK;
    return gate_close(tcp, &tcp->operations, op);
}

static void shard_stop(mrt_task *task)
{
    struct tcp_shard *shard = LINK_OWNER(task, struct tcp_shard, stop);
    struct tcp *tcp = shard->tcp;

    tcp_listeners_stop(shard);
    while (!link_empty(&shard->conns))
        tcp_conn_end(LINK_OWNER(shard->conns.next, struct mrt_conn, link), MRT_ESHUTDOWN);
    tcp->exec->timer_stop(shard->reactor, &shard->retry);
    shard->retrying = 0;
    tcp_unhold(tcp, &tcp->handles);
}

static mrt_status tcp_stop(void *inst, mrt_op *op)
{
    struct tcp *tcp = inst;

    __atomic_store_n(&tcp->draining, 1, __ATOMIC_RELEASE);
    tcp->exec->leaf_enter(tcp->leaf);
    struct tcp_shard *shard = tcp->shards;
    tcp->exec->leaf_leave(tcp->leaf);
    for (; shard != NULL; shard = shard->next) { /* none is opened or closed while stopping */
        tcp_hold(&tcp->handles);
        tcp->exec->post(shard->reactor, &shard->stop);
    }
    return gate_close(tcp, &tcp->handles, op);
}

static void tcp_destroy(void *inst)
{
    struct tcp *tcp = inst;
    tcp->exec->leaf_free(tcp->leaf);
    tcp->host->free(tcp->host, tcp);
}

/* Ends what is pending. A send cut off leaves half a message: its connection goes with it (T4). */
static void tcp_cancel(void *inst, mrt_op *op)
{
    mrt_conn *conn = (mrt_conn *)(uintptr_t)op->scratch[0];
    (void)inst;
    if (conn != NULL && conn->op == op)
        tcp_conn_end(conn, MRT_ECANCELED);
}

static void retry(mrt_timer *timer)
{
    struct tcp_shard *shard = LINK_OWNER(timer, struct tcp_shard, retry);
    shard->retrying = 0;
    tcp_feed_starved(shard);
}

static mrt_status tcp_shard_open(void *inst, mrt_exec *reactor, void **out)
{
    struct tcp *tcp = inst;
    struct tcp_shard *shard = tcp->host->alloc(tcp->host, sizeof *shard, 64);
    if (shard == NULL)
        return MRT_ENOMEM;
    memset(shard, 0, sizeof *shard);
    shard->tcp = tcp;
    shard->reactor = reactor;
    shard->stop.run = shard_stop;
    shard->retry.fire = retry;
    link_init(&shard->listeners);
    link_init(&shard->conns);
    link_init(&shard->starved);
    tcp->exec->leaf_enter(tcp->leaf);
    shard->next = tcp->shards;
    tcp->shards = shard;
    tcp->exec->leaf_leave(tcp->leaf);
    *out = shard;
    return MRT_OK;
}

static void tcp_shard_close(void *of)
{
    struct tcp_shard *shard = of;
    struct tcp *tcp = shard->tcp;
    struct tcp_shard **at = &tcp->shards;

    tcp->exec->leaf_enter(tcp->leaf);
    while (*at != shard)
        at = &(*at)->next;
    *at = shard->next;
    tcp->exec->leaf_leave(tcp->leaf);
    tcp->host->free(tcp->host, shard);
}

/* ---- tables ---------------------------------------------------------------------------------- */

static const mrt_lifecycle lifecycle = {
    .size = sizeof(mrt_lifecycle),
    .create = tcp_create,
    .start = tcp_start,
    .reconfigure = tcp_reconfigure,
    .drain = tcp_drain,
    .stop = tcp_stop,
    .destroy = tcp_destroy,
    .cancel = tcp_cancel,
    .shard_open = tcp_shard_open,
    .shard_close = tcp_shard_close,
};

static const mrt_transport_ops ops = {
    .size = sizeof(mrt_transport_ops),
    .caps = MRT_TRANSPORT_CONNECT,
    .listen = tcp_listen,
    .unlisten = tcp_unlisten,
    .bound = tcp_bound,
    .connect = tcp_connect,
    .attach = tcp_attach,
    .pause = tcp_pause,
    .resume = tcp_resume,
    .send = tcp_send,
    .shutdown = tcp_shutdown,
    .close = tcp_close,
    .peer = tcp_peer,
};

static const mrt_impl impls[] = {
    {sizeof(mrt_impl), 0, MRT_KIND_TRANSPORT, "tcp", &lifecycle, &ops},
};

static const mrt_plugin plugin = {
    .size = sizeof(mrt_plugin),
    .abi = MRT_ABI,
    .note = MRT_NOTE,
    .note_bytes = MRT_NOTE_BYTES,
    .impls = impls,
    .n_impls = 1,
    .impl_stride = sizeof(mrt_impl),
};

const mrt_plugin *MRT_ENTRY_NAME(uint32_t host_abi)
{
    return host_abi >> 16 == MRT_ABI_MAJOR ? &plugin : NULL;
}
