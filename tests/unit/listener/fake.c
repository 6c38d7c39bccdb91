/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/listener/fake.h"

#include <stdlib.h>

#include "core/base/str.h"

/* ---- leases ---------------------------------------------------------------------------------- */

struct counted {
    mrt_lease lease;
    struct bench *bench;
    uint8_t *bytes; /* owned */
};

static void counted_release(mrt_lease *lease)
{
    struct counted *counted = (struct counted *)(void *)lease;
    struct bench *bench = counted->bench;
    if (__atomic_sub_fetch(&lease->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    free(counted->bytes);
    free(counted);
    __atomic_sub_fetch(&bench->leases, 1, __ATOMIC_RELAXED);
}

static const mrt_lease_ops counted_ops = {.size = sizeof counted_ops, .release = counted_release};

mrt_lease *bench_lease(struct bench *bench)
{
    struct counted *counted = calloc(1, sizeof *counted);
    assert_non_null(counted);
    counted->lease.ops = &counted_ops;
    counted->lease.refs = 1;
    counted->bench = bench;
    __atomic_add_fetch(&bench->leases, 1, __ATOMIC_RELAXED);
    return &counted->lease;
}

/* ---- transport ------------------------------------------------------------------------------- */

static void take_bytes(struct bench *bench, const mrt_slicev *v, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t j = 0; j < v[i].n; j++) {
            const mrt_slice *slice = &v[i].v[j];
            assert_int_equal(slice->kind, MRT_SLICE_MEM);
            assert_true(bench->sent_n + slice->len <= FAKE_SENT_MAX);
            memcpy(
                bench->sent + bench->sent_n, (const uint8_t *)(uintptr_t)slice->ref + slice->off,
                slice->len);
            bench->sent_n += slice->len;
        }
        lease_release(v[i].lease);
    }
}

static mrt_status fake_send(mrt_conn *conn, mrt_op *op, const mrt_slicev *v, uint32_t n)
{
    struct bench *bench = conn->bench;

    assert_null(conn->op); /* T4 */
    assert_true(n > 0);
    assert_true(n <= STREAM_VECTORS);
    if (conn->closed)
        return MRT_ECLOSED;
    conn->sends++;
    if (bench->refuses != MRT_OK)
        return bench->refuses;
    if (!bench->holds) {
        take_bytes(bench, v, n);
        return MRT_OK;
    }
    conn->op = op;
    conn->v = v;
    conn->n = n;
    return MRT_PENDING;
}

void bench_sent(struct bench *bench, mrt_status status)
{
    mrt_op *op = bench->conn.op;
    assert_non_null(op);
    bench->conn.op = NULL;
    take_bytes(bench, bench->conn.v, bench->conn.n);
    op_complete(op, status);
}

static void fake_attach(mrt_conn *conn, const mrt_conn_events *events, void *ctx)
{
    conn->events = events;
    conn->ctx = ctx;
    conn->paused = 1;
}

static void fake_pause(mrt_conn *conn)
{
    conn->paused = 1;
}

static void fake_resume(mrt_conn *conn)
{
    conn->paused = 0;
}

static void fake_end(mrt_task *task)
{
    mrt_conn *conn = CONTAINER(task, struct mrt_conn, end);
    conn->over++;
    conn->events->on_closed(conn->ctx, MRT_OK);
}

static void fake_close(mrt_conn *conn)
{
    if (conn->closed)
        return;
    conn->closed = 1;
    if (conn->op != NULL)
        bench_sent(conn->bench, MRT_ECANCELED);
    conn->end.run = fake_end;
    exec_post(conn->bench->reactor, &conn->end);
}

static void fake_peer(mrt_conn *conn, mrt_peer *out)
{
    (void)conn;
    out->remote = str_of("192.0.2.1:1");
    out->local = str_of("192.0.2.2:2");
}

const mrt_transport_ops fake_transport = {
    .size = sizeof fake_transport,
    .attach = fake_attach,
    .pause = fake_pause,
    .resume = fake_resume,
    .send = fake_send,
    .close = fake_close,
    .peer = fake_peer,
};

/* ---- protocol -------------------------------------------------------------------------------- */

static mrt_status fake_serve(void *shard, mrt_stream *stream, mrt_session **out)
{
    struct bench *bench = shard;
    bench->session = (struct mrt_session){.stream = stream, .bench = bench};
    *out = &bench->session;
    return MRT_OK;
}

static mrt_status frame(struct mrt_session *session, const uint8_t *bytes, uint8_t length)
{
    uint64_t slot = 0;
    mrt_status status = stream_table.reserve(session->stream, &slot);
    if (status != MRT_OK)
        return status;
    assert_true(session->frames < FAKE_FRAMES);
    session->answered[session->frames] = session->bench->answers != 0;
    session->slots[session->frames++] = slot;
    if (!session->bench->answers)
        return MRT_OK;
    struct counted *echo = (struct counted *)(void *)bench_lease(session->bench);
    echo->bytes = malloc(length + 1);
    memcpy(echo->bytes, bytes, length);
    mrt_slice slice = {MRT_SLICE_MEM, 0, (uintptr_t)echo->bytes, 0, length};
    mrt_slicev v = {&slice, 1, 0, length, &echo->lease};
    stream_table.fill(session->stream, slot, &v, 1);
    return MRT_OK;
}

static mrt_status fake_on_bytes(
    mrt_session *session, const mrt_str *bytes, mrt_lease *lease, uint64_t *consumed,
    uint64_t *want)
{
    struct bench *bench = session->bench;
    const uint8_t *at = (const uint8_t *)bytes->p;
    uint64_t left = bytes->n;
    uint64_t rx = budget_used(&bench->budget, ACCOUNT_RX);

    bench->rx_most = rx > bench->rx_most ? rx : bench->rx_most;
    assert_false(session->closed);
    *want = 1;
    while (left > 0) {
        uint64_t whole = 1 + (uint64_t)at[0];
        *want = bench->want_always > 0 ? bench->want_always : whole;
        if (left < *want || frame(session, at + 1, at[0]) != MRT_OK)
            break;
        at += whole;
        left -= whole;
    }
    *consumed = bytes->n - left;
    lease_release(lease);
    return MRT_OK;
}

static void fake_on_sent(mrt_session *session, uint64_t slot)
{
    assert_int_equal(slot, session->slots[session->sent]); /* in order */
    session->sent++;
}

static void fake_on_drained(mrt_session *session)
{
    session->drained++;
}

static void fake_on_closed(mrt_session *session, mrt_status status)
{
    (void)status;
    session->closed++;
}

static const mrt_protocol_ops fake_protocol = {
    .size = sizeof fake_protocol,
    .serve = fake_serve,
    .on_bytes = fake_on_bytes,
    .on_sent = fake_on_sent,
    .on_drained = fake_on_drained,
    .on_closed = fake_on_closed,
};

/* ---- the bench ------------------------------------------------------------------------------- */

struct step {
    struct bench *bench;
    void (*run)(struct bench *bench);
};

static void step_run(void *arg)
{
    struct step *step = arg;
    step->run(step->bench);
}

static void nothing(struct bench *bench)
{
    (void)bench;
}

void bench_do(struct bench *bench, void (*run)(struct bench *bench))
{
    live_inside(bench->reactor, step_run, &(struct step){bench, run});
    for (uint32_t i = 0; i < 8; i++) /* tasks that post tasks, as deep as it gets */
        live_inside(bench->reactor, step_run, &(struct step){bench, nothing});
}

static void accept_one(struct bench *bench)
{
    assert_int_equal(stream_accept(&bench->group, &bench->conn), MRT_OK);
}

void bench_start(struct bench *bench)
{
    memset(bench, 0, sizeof *bench);
    live_start(&bench->live);
    bench->reactor =
        runtime_reactor(bench->live.runtime, runtime_reactors(bench->live.runtime) - 1);
    bench->sent = malloc(FAKE_SENT_MAX);
    bench->conn.bench = bench;
    bench->limit.max = 1;
    bench->group = (struct stream_group){
        .runtime = bench->live.runtime,
        .reactor = bench->reactor,
        .transport = &fake_transport,
        .protocol = &fake_protocol,
        .protocol_shard = bench,
        .listener = str_of("test"),
        .parent = &bench->budget,
        .limit = &bench->limit,
        .rx_max = 1024 * 1024,
    };
    list_init(&bench->group.streams);
    bench_do(bench, accept_one);
    assert_int_equal(bench->conn.paused, 0);
}

static void close_now(struct bench *bench)
{
    stream_group_close(&bench->group, true);
    for (uint32_t i = 0; i < bench->session.frames; i++)
        if (!bench->session.answered[i])
            bench_answer(bench, i, 1, 1, 'z');
}

void bench_stop(struct bench *bench)
{
    bench_do(bench, close_now);
    assert_int_equal(bench->conn.over, 1);
    assert_int_equal(bench->session.closed, 1);
    assert_int_equal(bench->group.count, 0);
    assert_int_equal(bench->limit.open, 0);
    assert_int_equal(bench->leases, 0);
    for (uint32_t kind = 0; kind < ACCOUNT_KINDS; kind++)
        assert_int_equal(budget_used(&bench->budget, kind), 0);
    live_stop(&bench->live);
    free(bench->sent);
}

void bench_arrive(struct bench *bench, const void *bytes, uint64_t n)
{
    struct counted *arrived = (struct counted *)(void *)bench_lease(bench);

    assert_int_equal(bench->conn.paused, 0); /* T3 of transport.h */
    arrived->bytes = malloc(n + 1);
    memcpy(arrived->bytes, bytes, n);
    mrt_str view = {(const char *)arrived->bytes, n};
    bench->conn.events->on_bytes(bench->conn.ctx, &view, &arrived->lease);
}

void bench_answer(struct bench *bench, uint32_t at, uint32_t n, uint64_t each, uint8_t value)
{
    mrt_slice *slices = calloc(n + 1, sizeof *slices);
    mrt_slicev *v = calloc(n + 1, sizeof *v);

    for (uint32_t i = 0; i < n; i++) {
        struct counted *counted = (struct counted *)(void *)bench_lease(bench);
        counted->bytes = malloc(each + 1);
        memset(counted->bytes, value, each);
        slices[i] = (mrt_slice){MRT_SLICE_MEM, 0, (uintptr_t)counted->bytes, 0, each};
        v[i] = (mrt_slicev){&slices[i], 1, 0, each, &counted->lease};
    }
    assert_false(bench->session.answered[at]);
    bench->session.answered[at] = 1;
    stream_table.fill(bench->session.stream, bench->session.slots[at], v, n);
    free(slices);
    free(v);
}
