/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/transport/scene.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

const mrt_plugin *transport_tcp_LTX_mortise_plugin_entry(uint32_t host_abi);

struct mrt_cfg {
    int64_t i64[4];
};

static int64_t read_key(const mrt_cfg *cfg, uint32_t key)
{
    return cfg->i64[key];
}

static const mrt_cfg_view view = {.size = sizeof view, .i64 = read_key};
static const mrt_cfg cfg = {{128, 65536, 65536, 1500}}; /* small buffers: sends pend soon */

/* ---- what the host does ---------------------------------------------------------------------- */

static void sent(mrt_op *op)
{
    struct served *served = op->caller;
    NOTE(served->send_status, op->status);
    COUNT(served->sent, 1);
    if (served->scene->mode == MODE_ECHO && SEEN(served->closed) == 0 && op->status == MRT_OK)
        served->scene->ops->resume(served->conn);
}

static void echo(struct served *served, const mrt_str *bytes, mrt_lease *lease)
{
    const mrt_transport_ops *ops = served->scene->ops;
    served->slice = (mrt_slice){MRT_SLICE_MEM, 0, (uintptr_t)bytes->p, 0, bytes->n};
    served->v = (mrt_slicev){&served->slice, 1, 0, bytes->n, lease};
    op_init(&served->op, served->reactor, sent, served);
    ops->pause(served->conn);
    mrt_status status = ops->send(served->conn, &served->op, &served->v, 1);
    if (status == MRT_OK)
        ops->resume(served->conn);
    else if (status != MRT_PENDING)
        lease->ops->release(lease);
}

static void on_bytes(void *ctx, const mrt_str *bytes, mrt_lease *lease)
{
    struct served *served = ctx;
    assert_true(exec_inside(served->reactor));
    assert_int_equal(SEEN(served->closed), 0);
    NOTE(served->last_byte, (uint8_t)bytes->p[bytes->n - 1]);
    COUNT(served->reads, 1);
    COUNT(served->bytes, bytes->n);
    if (served->scene->mode == MODE_ECHO) {
        echo(served, bytes, lease);
    } else if (served->scene->mode == MODE_HOLD && served->held_n < HELD_MAX) {
        served->held[served->held_n++] = lease;
    } else {
        lease->ops->release(lease);
    }
}

static void on_eof(void *ctx)
{
    struct served *served = ctx;
    COUNT(served->eofs, 1);
}

static void on_closed(void *ctx, mrt_status status)
{
    struct served *served = ctx;
    NOTE(served->why, status);
    NOTE(served->sent_at_close, SEEN(served->sent));
    COUNT(served->closed, 1);
}

const mrt_conn_events scene_conn_events = {
    .size = sizeof(mrt_conn_events),
    .on_bytes = on_bytes,
    .on_eof = on_eof,
    .on_closed = on_closed,
};

static mrt_status on_accept(void *ctx, mrt_conn *conn)
{
    struct scene *scene = ctx;
    mrt_exec *reactor = runtime_current(scene->live.runtime);
    if (scene->mode == MODE_SHUT) {
        COUNT(scene->accepted, 1);
        return MRT_ESHUTDOWN;
    }
    uint64_t place = COUNT(scene->places, 1) - 1;
    assert_true(place < SERVED_MAX);
    struct served *served = &scene->served[place];
    served->scene = scene;
    served->conn = conn;
    served->reactor = reactor;
    scene->ops->attach(conn, &scene_conn_events, served);
    scene->ops->resume(conn);
    COUNT(scene->on[reactor_index(reactor)], 1);
    NOTE(served->ready, 1);
    COUNT(scene->accepted, 1);
    return MRT_OK;
}

static void on_state(void *ctx, mrt_status status)
{
    struct scene *scene = ctx;
    if (status == MRT_OK)
        COUNT(scene->resumes, 1);
    else
        COUNT(scene->stalls, 1);
}

static const mrt_listener_events listener_events = {
    .size = sizeof listener_events,
    .on_accept = on_accept,
    .on_state = on_state,
};

/* ---- start and end --------------------------------------------------------------------------- */

mrt_status scene_create(struct scene *scene, void **inst)
{
    mrt_error error = {0};
    const mrt_create how = {
        .size = sizeof how,
        .host = host_table(scene->host),
        .exec = scene->strand,
        .view = &view,
        .cfg = &cfg,
        .name = {"tcp", 3},
    };
    return scene->life->create(&how, inst, &error);
}

struct shard_call {
    struct scene *scene;
    uint32_t reactor;
    const char *endpoint;
    struct live_op op;
};

static mrt_exec *reactor_of(struct scene *scene, uint32_t i)
{
    return runtime_reactor(scene->live.runtime, i);
}

static void open_shard(void *arg)
{
    struct shard_call *call = arg;
    mrt_status status = call->scene->life->shard_open(
        call->scene->inst, reactor_of(call->scene, call->reactor),
        &call->scene->shards[call->reactor]);
    assert_int_equal(status, MRT_OK);
}

static void close_shard(void *arg)
{
    struct shard_call *call = arg;
    call->scene->life->shard_close(call->scene->shards[call->reactor]);
}

static void do_listen(void *arg)
{
    struct shard_call *call = arg;
    struct scene *scene = call->scene;
    const mrt_str endpoint = {call->endpoint, strlen(call->endpoint)};
    live_op_outcome(
        &call->op, scene->ops->listen(
                       scene->shards[call->reactor], &call->op.op, &endpoint, &listener_events,
                       scene, &scene->listeners[call->reactor]));
}

mrt_status scene_listen(struct scene *scene, uint32_t reactor, const char *endpoint)
{
    struct shard_call call = {.scene = scene, .reactor = reactor, .endpoint = endpoint};
    live_op_init(&call.op, reactor_of(scene, reactor));
    live_inside(reactor_of(scene, reactor), do_listen, &call);
    return live_op_wait(&call.op);
}

/* All shards at once: those that come while the first one binds must wait for it. */
static void listen_everywhere(struct scene *scene)
{
    static struct shard_call calls[REACTORS_MAX];
    static struct live_call tasks[REACTORS_MAX];
    uint32_t n = test_reactors();
    for (uint32_t i = 0; i < n; i++) {
        calls[i] = (struct shard_call){.scene = scene, .reactor = i, .endpoint = "127.0.0.1:0"};
        live_op_init(&calls[i].op, reactor_of(scene, i));
        tasks[i] =
            (struct live_call){.task.run = live_call_run, .run = do_listen, .arg = &calls[i]};
        live_event_init(&tasks[i].done);
        exec_post(reactor_of(scene, i), &tasks[i].task);
    }
    for (uint32_t i = 0; i < n; i++) {
        live_wait(&tasks[i].done);
        assert_int_equal(live_op_wait(&calls[i].op), MRT_OK);
    }
}

static void learn_port(void *arg)
{
    struct shard_call *call = arg;
    mrt_str bound;
    call->scene->ops->bound(call->scene->listeners[call->reactor], &bound);
    assert_memory_equal(bound.p, "127.0.0.1:", 10);
    uint16_t port = (uint16_t)strtoul(bound.p + 10, NULL, 10);
    if (call->reactor > 0)
        assert_int_equal(port, call->scene->port); /* one port for all */
    call->scene->port = port;
}

int scene_set_up(void **state)
{
    struct scene *scene = calloc(1, sizeof *scene);
    const mrt_impl *impl = transport_tcp_LTX_mortise_plugin_entry(MRT_ABI)->impls;

    live_start(&scene->live);
    scene->life = impl->life;
    scene->ops = impl->ops;
    scene->strand = strand_new(scene->live.runtime, 0);
    scene->host = host_new(&(struct host_options){
        .runtime = scene->live.runtime, .name = "transport/tcp", .flags = HOST_OS});
    assert_int_equal(scene_create(scene, &scene->inst), MRT_OK);
    for (uint32_t i = 0; i < test_reactors(); i++) {
        struct shard_call call = {.scene = scene, .reactor = i};
        live_inside(reactor_of(scene, i), open_shard, &call);
    }
    listen_everywhere(scene);
    for (uint32_t i = 0; i < test_reactors(); i++) {
        struct shard_call call = {.scene = scene, .reactor = i};
        live_inside(reactor_of(scene, i), learn_port, &call);
    }
    *state = scene;
    return 0;
}

static void do_unlisten(void *arg)
{
    struct shard_call *call = arg;
    call->scene->ops->unlisten(call->scene->listeners[call->reactor]);
}

void scene_unlisten(struct scene *scene, uint32_t reactor)
{
    struct shard_call call = {.scene = scene, .reactor = reactor};
    live_inside(reactor_of(scene, reactor), do_unlisten, &call);
    scene->listeners[reactor] = NULL;
}

struct stop_call {
    struct scene *scene;
    struct live_op op;
};

static void do_stop(void *arg)
{
    struct stop_call *call = arg;
    live_op_outcome(&call->op, call->scene->life->stop(call->scene->inst, &call->op.op));
}

void scene_stop(struct scene *scene)
{
    struct stop_call call = {.scene = scene};
    live_op_init(&call.op, scene->strand);
    live_inside(scene->strand, do_stop, &call);
    assert_int_equal(live_op_wait(&call.op), MRT_OK);
    for (uint32_t i = 0; i < test_reactors(); i++) {
        struct shard_call shard = {.scene = scene, .reactor = i};
        live_inside(reactor_of(scene, i), close_shard, &shard);
    }
    scene->life->destroy(scene->inst);
    scene->inst = NULL;
    assert_int_equal(host_memory(scene->host), 0);
}

int scene_tear_down(void **state)
{
    struct scene *scene = *state;
    if (scene->inst != NULL)
        scene_stop(scene);
    for (uint32_t i = 0; i < SERVED_MAX; i++)
        if (scene->served[i].ready)
            assert_int_equal(SEEN(scene->served[i].closed), 1); /* T5 */
    strand_free(scene->strand);
    host_free(scene->host);
    live_stop(&scene->live);
    free(scene);
    return 0;
}

/* ---- clients --------------------------------------------------------------------------------- */

int scene_client(struct scene *scene)
{
    const struct sockaddr_in to = {
        .sin_family = AF_INET,
        .sin_port = htons(scene->port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    const struct timeval limit = {.tv_sec = 20};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

struct served *scene_accepted(struct scene *scene, uint64_t nth)
{
    WAIT_FOR(SEEN(scene->served[nth].ready) != 0);
    return &scene->served[nth];
}

void client_write(int fd, const void *bytes, uint64_t n)
{
    for (const char *p = bytes; n > 0;) {
        ssize_t wrote = send(fd, p, n, MSG_NOSIGNAL);
        assert_true(wrote > 0);
        p += wrote;
        n -= (uint64_t)wrote;
    }
}

void client_read(int fd, void *bytes, uint64_t n)
{
    for (char *p = bytes; n > 0;) {
        ssize_t got = recv(fd, p, n, 0);
        assert_true(got > 0);
        p += got;
        n -= (uint64_t)got;
    }
}

/* ---- calls on a connection's reactor --------------------------------------------------------- */

struct conn_call {
    struct served *served;
    const mrt_slicev *v;
    uint32_t n;
    mrt_status status;
    void (*plain)(mrt_conn *conn);
};

static void do_send(void *arg)
{
    struct conn_call *call = arg;
    struct served *served = call->served;
    mrt_op *op = &served->op, second;
    if (op->done == NULL || SEEN(served->sent) > 0)
        op_init(op, served->reactor, sent, served);
    else
        op = &second; /* one is in flight: this one must be refused */
    call->status = served->scene->ops->send(served->conn, op, call->v, call->n);
    if (call->status == MRT_OK)
        COUNT(served->sent, 1);
}

mrt_status served_send(struct served *served, const mrt_slicev *v, uint32_t n)
{
    struct conn_call call = {.served = served, .v = v, .n = n};
    live_inside(served->reactor, do_send, &call);
    return call.status;
}

static void do_plain(void *arg)
{
    struct conn_call *call = arg;
    call->plain(call->served->conn);
}

static void plain(struct served *served, void (*what)(mrt_conn *conn))
{
    struct conn_call call = {.served = served, .plain = what};
    live_inside(served->reactor, do_plain, &call);
}

void served_pause(struct served *served)
{
    plain(served, served->scene->ops->pause);
}

void served_resume(struct served *served)
{
    plain(served, served->scene->ops->resume);
}

void served_close(struct served *served)
{
    plain(served, served->scene->ops->close);
}

static void do_shutdown(void *arg)
{
    struct conn_call *call = arg;
    call->status = call->served->scene->ops->shutdown(call->served->conn);
}

mrt_status served_shutdown(struct served *served)
{
    struct conn_call call = {.served = served};
    live_inside(served->reactor, do_shutdown, &call);
    return call.status;
}

static void do_cancel(void *arg)
{
    struct served *served = arg;
    served->scene->life->cancel(served->scene->inst, &served->op);
}

void served_cancel(struct served *served)
{
    live_inside(served->reactor, do_cancel, served);
}

static void do_release(void *arg)
{
    struct served *served = arg;
    for (uint32_t i = 0; i < served->held_n; i++)
        served->held[i]->ops->release(served->held[i]);
    served->held_n = 0;
}

void served_release_held(struct served *served)
{
    live_inside(served->reactor, do_release, served);
}
