/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench.h - a controller of node 1 on a strand above the fake log, driven from MAIN.
 */
#ifndef TESTS_UNIT_CONTROLLER_BENCH_H
#define TESTS_UNIT_CONTROLLER_BENCH_H

#include "core/controller/controller.h"
#include "tests/unit/controller/fake.h"
#include "tests/unit/live.h"

#define BENCH_TOPICS 64

/* One request with room for its topics. */
struct ask {
    struct controller_request request;
    struct controller_topic topics[BENCH_TOPICS];
    uint32_t answers;
    struct live_event done;
};

struct bench {
    struct live live;
    mrt_exec *exec;
    struct fake fake;
    struct controller *controller;
    struct image *image; /* the last one seen; owned */
    uint64_t versions;   /* seen */
    uint32_t created;    /* topics, by changes */
    uint64_t snapshot_every;
    mrt_error fatal;
    uint32_t fatals;
    struct live_event fatal_event;
};

extern const uint8_t bench_cluster[16];

int bench_begin(void **state);
int bench_end(void **state);

/* Makes a controller and opens it; the outcome of open(). */
mrt_status bench_open(struct bench *bench);

/* Makes a controller and calls open() without waiting. */
void bench_open_async(struct bench *bench, struct live_op *op);

/* Closes and frees the controller. */
void bench_close(struct bench *bench);

/* Has the fake changed, or looked at, inside its executor. */
void bench_inside(struct bench *bench, void (*run)(void *arg), void *arg);

/* Waits until what is posted now, and what that posts, ran. */
void bench_settle(struct bench *bench);

void ask_init(struct ask *ask, struct bench *bench, enum controller_request_kind kind);
/* Adds a topic with one partition and one replica to a request. */
struct controller_topic *ask_topic(struct ask *ask, const char *name);
void ask_send(struct ask *ask, struct bench *bench);
/* The whole's status. */
mrt_status ask_wait(struct ask *ask);
/* One request from beginning to end about one topic: the topic's status, or the whole's. */
mrt_status bench_create(struct bench *bench, const char *name);
mrt_status bench_delete(struct bench *bench, const char *name);
/* Registers broker @id. */
mrt_status bench_register(struct bench *bench, int32_t id);

const struct image_topic *bench_topic(const struct bench *bench, const char *name);

#endif /* TESTS_UNIT_CONTROLLER_BENCH_H */
