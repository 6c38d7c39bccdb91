/* SPDX-License-Identifier: Apache-2.0 */
/* What scene.h sets up: a listening instance, real sockets, 1 or 4 reactors. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "tests/unit/transport/scene.h"

static uint8_t pattern(uint64_t i)
{
    return (uint8_t)(i * 31 + i / 251);
}

/* ---- something large to send ----------------------------------------------------------------- */

#define VECTORS 200
#define SLICES  5
#define FLAT    (8 << 20)

struct parcel {
    mrt_slicev v[VECTORS];
    mrt_slice slices[VECTORS][SLICES];
    mrt_lease leases[VECTORS];
    uint64_t released[VECTORS]; /* (any) */
    uint8_t *flat;              /* all bytes in order */
    uint64_t bytes;
};

static void parcel_release(mrt_lease *lease)
{
    uint64_t *released = (uint64_t *)(uintptr_t)lease->owner[0];
    assert_int_equal(COUNT(*released, 1), 1);
}

static const mrt_lease_ops parcel_lease_ops = {sizeof(mrt_lease_ops), 0, parcel_release};

/* 200 vectors of 5 slices, some of them empty, some vectors without slices or lease. */
static struct parcel *parcel_new(void)
{
    struct parcel *parcel = calloc(1, sizeof *parcel);
    parcel->flat = malloc(FLAT);
    for (uint64_t i = 0; i < FLAT; i++)
        parcel->flat[i] = pattern(i);
    for (uint32_t i = 0; i < VECTORS; i++) {
        uint64_t before = parcel->bytes;
        for (uint32_t j = 0; j < SLICES; j++) {
            uint64_t n = (i * 7919 + j * 104729) % 9 == 0 ? 0 : (i * 997 + j * 31) % 16000;
            parcel->slices[i][j] =
                (mrt_slice){MRT_SLICE_MEM, 0, (uintptr_t)parcel->flat, parcel->bytes, n};
            parcel->bytes += n;
        }
        parcel->leases[i] = (mrt_lease){.ops = &parcel_lease_ops, .refs = 1};
        parcel->leases[i].owner[0] = (uintptr_t)&parcel->released[i];
        parcel->v[i] =
            (mrt_slicev){parcel->slices[i], SLICES, 0, parcel->bytes - before, &parcel->leases[i]};
    }
    assert_true(parcel->bytes < FLAT);
    return parcel;
}

static void parcel_free(struct parcel *parcel)
{
    free(parcel->flat);
    free(parcel);
}

static uint64_t parcel_released(struct parcel *parcel)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < VECTORS; i++)
        sum += SEEN(parcel->released[i]);
    return sum;
}

/* ---- receiving ------------------------------------------------------------------------------- */

static void bytes_go_round_in_order(void **state)
{
    struct scene *scene = *state;
    enum {
        BYTES = 300000,
        CLIENTS = 4
    };
    static uint8_t out[BYTES], in[BYTES];
    int fds[CLIENTS];
    scene->mode = MODE_ECHO;
    for (uint32_t c = 0; c < CLIENTS; c++)
        fds[c] = scene_client(scene);
    for (uint32_t i = 0; i < BYTES; i++)
        out[i] = pattern(i);
    for (uint64_t at = 0; at < BYTES;) {
        uint64_t n = 1 + at * 7919 % 40000;
        n = n > BYTES - at ? BYTES - at : n;
        for (uint32_t c = 0; c < CLIENTS; c++)
            client_write(fds[c], out + at, n);
        for (uint32_t c = 0; c < CLIENTS; c++) {
            client_read(fds[c], in + at, n);
            assert_memory_equal(in + at, out + at, n);
        }
        at += n;
    }
    for (uint32_t c = 0; c < CLIENTS; c++)
        close(fds[c]);
}

static void two_hundred_connections_spread_over_the_reactors(void **state)
{
    struct scene *scene = *state;
    enum {
        CLIENTS = 200
    };
    int fds[CLIENTS];
    char byte;
    scene->mode = MODE_ECHO;
    for (uint32_t c = 0; c < CLIENTS; c++)
        fds[c] = scene_client(scene);
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t c = 0; c < CLIENTS; c++)
            client_write(fds[c], (const char[]){(char)(c + round)}, 1);
        for (uint32_t c = 0; c < CLIENTS; c++) {
            client_read(fds[c], &byte, 1);
            assert_int_equal(byte, (char)(c + round));
        }
    }
    for (uint32_t i = 0; i < test_reactors(); i++)
        assert_true(SEEN(scene->on[i]) > CLIENTS / 20);
    for (uint32_t c = 0; c < CLIENTS; c++)
        close(fds[c]);
    WAIT_FOR(SEEN(scene->served[0].eofs) == 1);
}

static void nothing_comes_between_pause_and_resume(void **state)
{
    struct scene *scene = *state;
    static uint8_t bytes[200000];
    int fd = scene_client(scene);
    struct served *served = scene_accepted(scene, 0);
    served_pause(served);
    client_write(fd, bytes, 30000);
    usleep(30000);
    assert_int_equal(SEEN(served->bytes), 0);
    served_resume(served);
    WAIT_FOR(SEEN(served->bytes) == 30000);
    served_pause(served);
    served_resume(served);
    client_write(fd, bytes, sizeof bytes);
    WAIT_FOR(SEEN(served->bytes) == 30000 + sizeof bytes);
    close(fd);
}

static void without_a_buffer_a_connection_waits_and_then_goes_on(void **state)
{
    struct scene *scene = *state;
    int first = scene_client(scene);
    struct served *served = scene_accepted(scene, 0);
    scene->mode = MODE_HOLD;
    uint64_t held = 0;
    for (;; held++) {
        client_write(first, (const char[]){(char)held}, 1);
        for (uint32_t ms = 0; SEEN(served->bytes) == held && ms < 200; ms++)
            usleep(1000);
        if (SEEN(served->bytes) == held)
            break;
    }
    assert_in_range(held, 1, HELD_MAX - 1); /* all buffers of the reactor */
    client_write(first, "more", 4);
    usleep(20000);
    assert_int_equal(SEEN(served->bytes), held);
    served_release_held(served);
    WAIT_FOR(SEEN(served->bytes) == held + 5);
    assert_int_equal(SEEN(served->last_byte), 'e');
    served_release_held(served);
    close(first);
    WAIT_FOR(SEEN(served->eofs) == 1);
}

static void a_starving_connection_can_be_closed(void **state)
{
    struct scene *scene = *state;
    int fd = scene_client(scene);
    struct served *served = scene_accepted(scene, 0);
    scene->mode = MODE_HOLD;
    for (uint64_t held = 0; SEEN(served->bytes) == held; held++) {
        client_write(fd, "x", 1);
        for (uint32_t ms = 0; SEEN(served->bytes) == held && ms < 200; ms++)
            usleep(1000);
    }
    served_close(served);
    WAIT_FOR(SEEN(served->closed) == 1);
    served_release_held(served);
    usleep(10000); /* its turn to be fed would have been now */
    close(fd);
}

/* ---- sending --------------------------------------------------------------------------------- */

static void a_slow_reader_gets_every_byte_and_every_lease_comes_back_once(void **state)
{
    struct scene *scene = *state;
    struct parcel *parcel = parcel_new();
    static uint8_t in[FLAT];
    int fd = scene_client(scene);
    struct served *served = scene_accepted(scene, 0);
    assert_int_equal(served_send(served, parcel->v, VECTORS), MRT_PENDING);
    assert_int_equal(served_send(served, parcel->v, VECTORS), MRT_EBUSY);
    assert_int_equal(served_shutdown(served), MRT_EBUSY);
    usleep(20000);
    assert_int_equal(SEEN(served->sent), 0);
    assert_in_range(parcel_released(parcel), 1, VECTORS - 1); /* those the kernel has are back */
    for (uint64_t at = 0; at < parcel->bytes;) {
        uint64_t n = at < 200000 ? 7000 : 500000; /* a crawl, then a gulp */
        n = n > parcel->bytes - at ? parcel->bytes - at : n;
        client_read(fd, in + at, n);
        at += n;
        usleep(500);
    }
    assert_memory_equal(in, parcel->flat, parcel->bytes);
    WAIT_FOR(SEEN(served->sent) == 1);
    assert_int_equal(SEEN(served->send_status), MRT_OK);
    assert_int_equal(parcel_released(parcel), VECTORS);
    const mrt_slicev none = {NULL, 0, 0, 0, NULL};
    assert_int_equal(served_send(served, &none, 1), MRT_OK);
    close(fd);
    parcel_free(parcel);
}

static void what_cannot_be_sent_stays_the_callers(void **state)
{
    struct scene *scene = *state;
    struct parcel *parcel = parcel_new();
    int fd = scene_client(scene);
    struct served *served = scene_accepted(scene, 0);
    parcel->slices[150][2] = (mrt_slice){MRT_SLICE_FILE, 0, 1, 0, 10};
    assert_int_equal(served_send(served, parcel->v, VECTORS), MRT_ENOTSUP);
    parcel->slices[150][2] = (mrt_slice){MRT_SLICE_MEM, 8, 1, 0, 10};
    assert_int_equal(served_send(served, parcel->v, VECTORS), MRT_EINVAL);
    assert_int_equal(parcel_released(parcel), 0);
    assert_int_equal(served_shutdown(served), MRT_OK);
    assert_int_equal(served_send(served, parcel->v, 1), MRT_ECLOSED);
    assert_int_equal(parcel_released(parcel), 0);
    char byte;
    assert_int_equal(recv(fd, &byte, 1, 0), 0); /* not one byte went out */
    close(fd);
    parcel_free(parcel);
}

static void a_reset_fails_the_send_before_it_closes(void **state)
{
    struct scene *scene = *state;
    struct parcel *parcel = parcel_new();
    int fd = scene_client(scene);
    struct served *served = scene_accepted(scene, 0);
    const struct linger reset = {1, 0};
    assert_int_equal(served_send(served, parcel->v, VECTORS), MRT_PENDING);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(fd);
    WAIT_FOR(SEEN(served->closed) == 1);
    assert_int_equal(SEEN(served->sent_at_close), 1);
    assert_int_equal(SEEN(served->send_status), MRT_ECLOSED);
    assert_int_equal(SEEN(served->why), MRT_ECLOSED);
    assert_int_equal(parcel_released(parcel), VECTORS);
    parcel_free(parcel);
}

static void closing_cuts_off_the_send_in_flight(void **state)
{
    struct scene *scene = *state;
    struct parcel *parcel = parcel_new();
    int fd = scene_client(scene);
    struct served *served = scene_accepted(scene, 0);
    assert_int_equal(served_send(served, parcel->v, VECTORS), MRT_PENDING);
    served_close(served);
    WAIT_FOR(SEEN(served->closed) == 1);
    assert_int_equal(SEEN(served->sent_at_close), 1);
    assert_int_equal(SEEN(served->send_status), MRT_ECANCELED);
    assert_int_equal(SEEN(served->why), MRT_OK);
    assert_int_equal(parcel_released(parcel), VECTORS);
    close(fd);
    parcel_free(parcel);
}

static void a_cancelled_send_takes_its_connection_with_it(void **state)
{
    struct scene *scene = *state;
    struct parcel *parcel = parcel_new();
    int fd = scene_client(scene);
    struct served *served = scene_accepted(scene, 0);
    assert_int_equal(served_send(served, parcel->v, VECTORS), MRT_PENDING);
    served_cancel(served);
    WAIT_FOR(SEEN(served->closed) == 1);
    assert_int_equal(SEEN(served->send_status), MRT_ECANCELED);
    assert_int_equal(SEEN(served->why), MRT_ECANCELED);
    assert_int_equal(parcel_released(parcel), VECTORS);
    close(fd);
    parcel_free(parcel);
}

/* ---- ends ------------------------------------------------------------------------------------ */

static void half_a_connection_still_sends(void **state)
{
    struct scene *scene = *state;
    static uint8_t in[65536];
    struct parcel *parcel = parcel_new();
    int fd = scene_client(scene);
    struct served *served = scene_accepted(scene, 0);
    client_write(fd, "bye", 3);
    shutdown(fd, SHUT_WR);
    WAIT_FOR(SEEN(served->eofs) == 1);
    assert_int_equal(SEEN(served->bytes), 3);
    mrt_status status = served_send(served, parcel->v, 4);
    assert_true(status == MRT_OK || status == MRT_PENDING);
    uint64_t bytes = parcel->v[0].bytes + parcel->v[1].bytes + parcel->v[2].bytes;
    client_read(fd, in, bytes);
    assert_memory_equal(in, parcel->flat, bytes);
    client_read(fd, in, parcel->v[3].bytes);
    WAIT_FOR(SEEN(served->sent) == 1);
    assert_int_equal(served_shutdown(served), MRT_OK);
    assert_int_equal(served_shutdown(served), MRT_OK);
    assert_int_equal(recv(fd, in, 1, 0), 0);
    usleep(20000);
    assert_int_equal(SEEN(served->closed), 0); /* the host says when */
    assert_int_equal(SEEN(served->eofs), 1);
    served_close(served);
    WAIT_FOR(SEEN(served->closed) == 1);
    assert_int_equal(SEEN(served->why), MRT_OK);
    close(fd);
    parcel_free(parcel);
}

static void a_paused_connection_notices_a_reset(void **state)
{
    struct scene *scene = *state;
    const struct linger reset = {1, 0};
    int fd = scene_client(scene);
    struct served *served = scene_accepted(scene, 0);
    served_pause(served);
    client_write(fd, "unread", 6);
    usleep(5000);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(fd);
    WAIT_FOR(SEEN(served->closed) == 1);
    assert_int_equal(SEEN(served->why), MRT_ECLOSED);
    assert_int_equal(SEEN(served->bytes), 0);
}

static void a_refused_connection_has_no_events(void **state)
{
    struct scene *scene = *state;
    char byte;
    scene->mode = MODE_SHUT;
    int fd = scene_client(scene);
    assert_int_equal(recv(fd, &byte, 1, 0), 0);
    assert_int_equal(SEEN(scene->accepted), 1);
    assert_int_equal(SEEN(scene->places), 0);
    close(fd);
}

static void stop_ends_connections_with_sends_in_flight(void **state)
{
    struct scene *scene = *state;
    struct parcel *parcel = parcel_new();
    int idle = scene_client(scene);
    struct served *other = scene_accepted(scene, 0);
    int fd = scene_client(scene);
    struct served *served = scene_accepted(scene, 1);
    assert_int_equal(served_send(served, parcel->v, VECTORS), MRT_PENDING);
    scene_stop(scene);
    assert_int_equal(SEEN(served->closed), 1);
    assert_int_equal(SEEN(served->send_status), MRT_ESHUTDOWN);
    assert_int_equal(SEEN(served->why), MRT_ESHUTDOWN);
    assert_int_equal(SEEN(other->why), MRT_ESHUTDOWN);
    assert_int_equal(parcel_released(parcel), VECTORS);
    close(fd);
    close(idle);
    parcel_free(parcel);
}

/* ---- listening ------------------------------------------------------------------------------- */

static void a_port_that_somebody_else_has_is_refused(void **state)
{
    struct scene *scene = *state;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    const int one = 1;
    char text[64];
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one); /* even if that one would share */
    assert_int_equal(bind(fd, (const struct sockaddr *)&at, n), 0);
    assert_int_equal(listen(fd, 1), 0);
    getsockname(fd, (struct sockaddr *)&at, &n);
    snprintf(text, sizeof text, "127.0.0.1:%u", ntohs(at.sin_port));
    mrt_listener *kept = scene->listeners[0];
    assert_int_equal(scene_listen(scene, 0, text), MRT_EEXIST);
    close(fd);
    assert_int_equal(scene_listen(scene, 0, text), MRT_OK);
    assert_int_equal(scene_listen(scene, 0, text), MRT_EEXIST); /* once per shard */
    scene_unlisten(scene, 0);
    scene->listeners[0] = kept;
}

static void a_bad_endpoint_is_refused(void **state)
{
    struct scene *scene = *state;
    mrt_listener *kept = scene->listeners[0];
    assert_int_equal(scene_listen(scene, 0, "example.org:9092"), MRT_EINVAL);
    assert_int_equal(scene_listen(scene, 0, "192.0.2.1:0"), MRT_EINVAL); /* not ours */
    assert_int_equal(scene_listen(scene, 0, "fd:64000"), MRT_EINVAL);    /* not open */
    assert_ptr_equal(scene->listeners[0], kept);
}

static void a_closed_port_takes_nobody_and_can_be_had_again(void **state)
{
    struct scene *scene = *state;
    char text[64];
    for (uint32_t i = 0; i < test_reactors(); i++)
        scene_unlisten(scene, i);
    snprintf(text, sizeof text, "127.0.0.1:%u", scene->port);
    const struct sockaddr_in to = {
        .sin_family = AF_INET,
        .sin_port = htons(scene->port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof to), -1);
    close(fd);
    for (uint32_t i = 0; i < test_reactors(); i++)
        assert_int_equal(scene_listen(scene, i, text), MRT_OK);
    fd = scene_client(scene);
    scene_accepted(scene, 0);
    close(fd);
}

static void a_socket_that_was_given_is_accepted_from_by_all(void **state)
{
    struct scene *scene = *state;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    char text[16];
    int given = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(given, (const struct sockaddr *)&at, n), 0);
    snprintf(text, sizeof text, "fd:%d", given);
    for (uint32_t i = 0; i < test_reactors(); i++)
        scene_unlisten(scene, i);
    assert_int_equal(scene_listen(scene, 0, text), MRT_EINVAL); /* it does not listen yet */
    assert_int_equal(listen(given, 10), 0);
    getsockname(given, (struct sockaddr *)&at, &n);
    scene->port = ntohs(at.sin_port);
    for (uint32_t i = 0; i < test_reactors(); i++)
        assert_int_equal(scene_listen(scene, i, text), MRT_OK);
    scene->mode = MODE_ECHO;
    for (uint32_t i = 0; i < 20; i++) {
        char byte = 0;
        int fd = scene_client(scene);
        client_write(fd, "y", 1);
        client_read(fd, &byte, 1);
        assert_int_equal(byte, 'y');
        close(fd);
    }
    for (uint32_t i = 0; i < test_reactors(); i++)
        scene_unlisten(scene, i);
    int fd = scene_client(scene); /* it is still the service manager's, and listens */
    close(fd);
    close(given);
}

static void out_of_descriptors_clients_wait_and_are_taken_later(void **state)
{
    struct scene *scene = *state;
    struct rlimit before, none;
    int fds[3];
    for (uint32_t i = 0; i < 3; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM, 0);
        assert_true(fds[i] >= 0);
    }
    const struct sockaddr_in to = {
        .sin_family = AF_INET,
        .sin_port = htons(scene->port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    getrlimit(RLIMIT_NOFILE, &before);
    none = before;
    none.rlim_cur = 3;
    setrlimit(RLIMIT_NOFILE, &none);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(connect(fds[i], (const struct sockaddr *)&to, sizeof to), 0);
    WAIT_FOR(SEEN(scene->stalls) > 0);
    usleep(250000); /* two tries */
    assert_int_equal(SEEN(scene->accepted), 0);
    assert_in_range(SEEN(scene->stalls), 1, test_reactors()); /* told once each */
    assert_int_equal(SEEN(scene->resumes), 0);
    setrlimit(RLIMIT_NOFILE, &before);
    WAIT_FOR(SEEN(scene->accepted) == 3);
    WAIT_FOR(SEEN(scene->resumes) == SEEN(scene->stalls));
    for (uint32_t i = 0; i < 3; i++)
        close(fds[i]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_set_up, scene_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(bytes_go_round_in_order),
        TEST(two_hundred_connections_spread_over_the_reactors),
        TEST(nothing_comes_between_pause_and_resume),
        TEST(without_a_buffer_a_connection_waits_and_then_goes_on),
        TEST(a_starving_connection_can_be_closed),
        TEST(a_slow_reader_gets_every_byte_and_every_lease_comes_back_once),
        TEST(what_cannot_be_sent_stays_the_callers),
        TEST(a_reset_fails_the_send_before_it_closes),
        TEST(closing_cuts_off_the_send_in_flight),
        TEST(a_cancelled_send_takes_its_connection_with_it),
        TEST(half_a_connection_still_sends),
        TEST(a_paused_connection_notices_a_reset),
        TEST(a_refused_connection_has_no_events),
        TEST(stop_ends_connections_with_sends_in_flight),
        TEST(a_port_that_somebody_else_has_is_refused),
        TEST(a_bad_endpoint_is_refused),
        TEST(a_closed_port_takes_nobody_and_can_be_had_again),
        TEST(a_socket_that_was_given_is_accepted_from_by_all),
        TEST(out_of_descriptors_clients_wait_and_are_taken_later),
    };
    return cmocka_run_group_tests_name("transport/tcp", tests, NULL, NULL);
}
