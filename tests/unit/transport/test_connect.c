/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Both ends of a connection are the plugin's: reactor 0 connects to the scene's port. `end` notes
 * what happens to its end. Then: how an instance drains.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/unit/transport/scene.h"

struct connecting {
    struct scene *scene;
    char endpoint[64];
    mrt_conn *conn;
    struct live_op op;
    uint32_t cancel;
};

static void do_connect(void *arg)
{
    struct connecting *call = arg;
    const mrt_str endpoint = {call->endpoint, strlen(call->endpoint)};
    mrt_status status = live_op_outcome(
        &call->op,
        call->scene->ops->connect(call->scene->shards[0], &call->op.op, &endpoint, &call->conn));
    if (call->cancel && status == MRT_PENDING)
        call->scene->life->cancel(call->scene->inst, &call->op.op);
}

static mrt_status connect_to(struct connecting *call, struct scene *scene, const char *endpoint)
{
    mrt_exec *reactor = runtime_reactor(scene->live.runtime, 0);
    call->scene = scene;
    call->conn = NULL;
    snprintf(call->endpoint, sizeof call->endpoint, "%s", endpoint);
    live_op_init(&call->op, reactor);
    live_inside(reactor, do_connect, call);
    return live_op_wait(&call->op);
}

static struct served end;

static void do_attach(void *arg)
{
    struct connecting *call = arg;
    call->scene->ops->attach(call->conn, &scene_conn_events, &end);
    call->scene->ops->resume(call->conn);
}

static void connect_and_attach(struct connecting *call, struct scene *scene)
{
    char endpoint[64];
    snprintf(endpoint, sizeof endpoint, "127.0.0.1:%u", scene->port);
    assert_int_equal(connect_to(call, scene, endpoint), MRT_OK);
    memset(&end, 0, sizeof end);
    end.scene = scene;
    end.conn = call->conn;
    end.reactor = runtime_reactor(scene->live.runtime, 0);
    live_inside(end.reactor, do_attach, call);
}

/* ---- connecting ------------------------------------------------------------------------------ */

static void what_one_end_sends_the_other_receives(void **state)
{
    struct scene *scene = *state;
    struct connecting call = {0};
    const mrt_slice slice = {MRT_SLICE_MEM, 0, (uintptr_t) "question", 0, 8};
    const mrt_slicev v = {&slice, 1, 0, 8, NULL};
    connect_and_attach(&call, scene);
    struct served *served = scene_accepted(scene, 0);
    assert_int_equal(served_send(&end, &v, 1), MRT_OK);
    WAIT_FOR(SEEN(served->bytes) == 8);
    assert_int_equal(served_send(served, &v, 1), MRT_OK);
    WAIT_FOR(SEEN(end.bytes) == 8);
    served_close(served);
    WAIT_FOR(SEEN(end.eofs) == 1);
    served_close(&end);
    WAIT_FOR(SEEN(end.closed) == 1);
    assert_int_equal(SEEN(end.why), MRT_OK);
}

static void do_peer(void *arg)
{
    struct served *served = arg;
    char text[64];
    mrt_peer peer = {.size = sizeof peer};
    served->scene->ops->peer(served->conn, &peer);
    assert_int_equal(peer.flags, 0);
    snprintf(text, sizeof text, "127.0.0.1:%u", served->scene->port);
    const mrt_str *listened = served == &end ? &peer.remote : &peer.local;
    const mrt_str *picked = served == &end ? &peer.local : &peer.remote;
    assert_int_equal(listened->n, strlen(text));
    assert_memory_equal(listened->p, text, listened->n);
    assert_memory_equal(picked->p, "127.0.0.1:", 10);
    assert_true(picked->n > 10);
}

static void both_ends_know_each_others_address(void **state)
{
    struct scene *scene = *state;
    struct connecting call = {0};
    connect_and_attach(&call, scene);
    struct served *served = scene_accepted(scene, 0);
    live_inside(served->reactor, do_peer, served);
    live_inside(end.reactor, do_peer, &end);
    served_close(&end);
    WAIT_FOR(SEEN(end.closed) == 1);
}

static void where_nobody_listens_connecting_fails(void **state)
{
    struct scene *scene = *state;
    struct connecting call = {0};
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    char text[64];
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&at, n), 0); /* taken, and silent */
    getsockname(fd, (struct sockaddr *)&at, &n);
    snprintf(text, sizeof text, "127.0.0.1:%u", ntohs(at.sin_port));
    assert_int_equal(connect_to(&call, scene, text), MRT_EIO);
    assert_null(call.conn);
    assert_int_equal(connect_to(&call, scene, "fd:3"), MRT_EINVAL);
    assert_int_equal(connect_to(&call, scene, "localhost"), MRT_EINVAL);
    close(fd);
}

static void a_cancelled_connect_completes_and_leaves_nothing(void **state)
{
    struct scene *scene = *state;
    struct connecting call = {.cancel = 1};
    char text[64];
    snprintf(text, sizeof text, "127.0.0.1:%u", scene->port);
    assert_int_equal(connect_to(&call, scene, text), MRT_ECANCELED);
    assert_null(call.conn);
}

static void a_connection_nobody_attached_ends_with_stop(void **state)
{
    struct scene *scene = *state;
    struct connecting call = {0};
    char text[64];
    snprintf(text, sizeof text, "127.0.0.1:%u", scene->port);
    assert_int_equal(connect_to(&call, scene, text), MRT_OK);
    served_close(scene_accepted(scene, 0)); /* the other end goes first, unnoticed */
    usleep(5000);
    scene_stop(scene);
}

/* ---- draining -------------------------------------------------------------------------------- */

struct drain {
    struct scene *scene;
    struct live_op op;
};

static void do_drain(void *arg)
{
    struct drain *drain = arg;
    live_op_outcome(&drain->op, drain->scene->life->drain(drain->scene->inst, &drain->op.op));
}

static void draining_refuses_new_work_and_waits_for_the_old(void **state)
{
    struct scene *scene = *state;
    struct connecting call = {0};
    struct drain drain = {.scene = scene};
    enum {
        BYTES = 4 << 20
    };
    static uint8_t bytes[BYTES], in[BYTES];
    const mrt_slice slice = {MRT_SLICE_MEM, 0, (uintptr_t)bytes, 0, BYTES};
    const mrt_slicev v = {&slice, 1, 0, BYTES, NULL};
    mrt_listener *kept = scene->listeners[0];
    int fd = scene_client(scene);
    struct served *served = scene_accepted(scene, 0);

    assert_int_equal(served_send(served, &v, 1), MRT_PENDING);
    live_op_init(&drain.op, scene->strand);
    live_inside(scene->strand, do_drain, &drain);
    assert_int_equal(scene_listen(scene, 0, "127.0.0.1:0"), MRT_ESHUTDOWN);
    assert_int_equal(connect_to(&call, scene, "127.0.0.1:1"), MRT_ESHUTDOWN);
    assert_ptr_equal(scene->listeners[0], kept);
    usleep(10000);
    assert_int_equal(sem_trywait(&drain.op.done.sem), -1);
    client_read(fd, in, BYTES);
    assert_int_equal(live_op_wait(&drain.op), MRT_OK);
    assert_int_equal(SEEN(served->sent), 1);
    int late = scene_client(scene); /* the kernel takes it, we do not */
    usleep(20000);
    assert_int_equal(SEEN(scene->accepted), 1);
    close(late);
    close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_set_up, scene_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_one_end_sends_the_other_receives),
        TEST(both_ends_know_each_others_address),
        TEST(where_nobody_listens_connecting_fails),
        TEST(a_cancelled_connect_completes_and_leaves_nothing),
        TEST(a_connection_nobody_attached_ends_with_stop),
        TEST(draining_refuses_new_work_and_waits_for_the_old),
    };
    return cmocka_run_group_tests_name("transport/connect", tests, NULL, NULL);
}
