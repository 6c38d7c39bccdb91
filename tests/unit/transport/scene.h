/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scene.h - the tcp plugin in a running runtime, listening on a port of 127.0.0.1 with every
 * reactor, and what the host notes about each connection it took. Clients are plain sockets of
 * the test's own thread.
 *
 * Members marked (any) are read by the test while reactors write: atomic. Everything else of a
 * connection is touched on its reactor, by events or by live_inside().
 */
#ifndef TESTS_UNIT_TRANSPORT_SCENE_H
#define TESTS_UNIT_TRANSPORT_SCENE_H

#include <mortise/transport.h>

#include "core/runtime/host.h"
#include "tests/unit/live.h"

#define SERVED_MAX 512
#define HELD_MAX   256

enum mode {
    MODE_SINK, /* counts bytes */
    MODE_ECHO, /* sends them back, reading nothing meanwhile */
    MODE_HOLD, /* keeps their leases */
    MODE_SHUT  /* refuses the connection */
};

struct scene;

struct served {
    struct scene *scene;
    mrt_conn *conn;
    mrt_exec *reactor;
    uint64_t ready;              /* (any) the rest is set */
    uint64_t bytes, reads, eofs; /* (any) */
    uint64_t closed;             /* (any) times on_closed() came */
    int64_t why;                 /* (any) its status */
    uint64_t sent;               /* (any) completions of send() */
    int64_t send_status;         /* (any) of the last one */
    uint64_t sent_at_close;      /* (any) completions when on_closed() came */
    uint64_t last_byte;          /* (any) */
    mrt_op op;
    mrt_slice slice;
    mrt_slicev v;
    mrt_lease *held[HELD_MAX];
    uint32_t held_n;
};

struct scene {
    struct live live;
    struct host *host;
    const mrt_lifecycle *life;
    const mrt_transport_ops *ops;
    void *inst;
    mrt_exec *strand;
    void *shards[REACTORS_MAX];
    mrt_listener *listeners[REACTORS_MAX];
    enum mode mode;
    uint16_t port;
    uint64_t places, accepted; /* (any) */
    uint64_t on[REACTORS_MAX]; /* (any) connections each reactor took */
    uint64_t stalls, resumes;  /* (any) on_state() */
    struct served served[SERVED_MAX];
};

#define NOTE(member, value) __atomic_store_n(&(member), (value), __ATOMIC_RELEASE)
#define COUNT(member, n)    __atomic_add_fetch(&(member), (n), __ATOMIC_ACQ_REL)
#define SEEN(member)        __atomic_load_n(&(member), __ATOMIC_ACQUIRE)

/* Waits until @condition holds, for 20 s. */
#define WAIT_FOR(condition)                                                                        \
    do {                                                                                           \
        for (uint32_t wait_ms_ = 0; !(condition); wait_ms_++) {                                    \
            if (wait_ms_ == 20000)                                                                 \
                fail_msg("never came true: %s", #condition);                                       \
            usleep(1000);                                                                          \
        }                                                                                          \
    } while (0)

/* Starts and ends everything; setup and teardown of cmocka. */
int scene_set_up(void **state);
int scene_tear_down(void **state);

/* As scene_tear_down(), but keeps the listeners and connections for stop() to end. */
void scene_stop(struct scene *scene);

/* A second instance would do the same with these. */
mrt_status scene_create(struct scene *scene, void **inst);
mrt_status scene_listen(struct scene *scene, uint32_t reactor, const char *endpoint);
void scene_unlisten(struct scene *scene, uint32_t reactor);

/* A client connected to the scene's port, and (waits for it) the connection the host took. */
int scene_client(struct scene *scene);
struct served *scene_accepted(struct scene *scene, uint64_t nth);

/* Calls on the connection's reactor. */
mrt_status served_send(struct served *served, const mrt_slicev *v, uint32_t n);
void served_pause(struct served *served);
void served_resume(struct served *served);
void served_close(struct served *served);
mrt_status served_shutdown(struct served *served);
void served_release_held(struct served *served);
void served_cancel(struct served *served);

/* Whole buffers through a blocking client socket. */
void client_write(int fd, const void *bytes, uint64_t n);
void client_read(int fd, void *bytes, uint64_t n);

extern const mrt_conn_events scene_conn_events;

#endif /* TESTS_UNIT_TRANSPORT_SCENE_H */
