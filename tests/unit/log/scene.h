/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scene.h - one log "orders"/3 in a memory store behind a scripted door: calls of one kind can be
 * held, failed, or all made to pend; a flush that means something is played. MAIN is the client.
 */
#ifndef TESTS_UNIT_LOG_SCENE_H
#define TESTS_UNIT_LOG_SCENE_H

#include <pthread.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/log/log.h"
#include "core/runtime/bytes.h"
#include "core/runtime/host.h"
#include "tests/sim/world.h"
#include "tests/unit/live.h"

enum scene_kind {
    KIND_APPEND,
    KIND_FLUSH,
    KIND_ROLL,
    KIND_TRIM,
    KIND_PUT,
    KIND_READ,
    KIND_CLOSE,
    KINDS
};

/* What becomes of the calls of one kind. */
struct scene_rule {
    uint32_t calls;
    uint32_t skip;     /* so many more go through first */
    bool hold;         /* they pend until scene_release() */
    mrt_status fail;   /* MRT_OK: not */
    mrt_op *held;      /* in flight */
    mrt_status result; /* of the held one */
};

struct scene_script {
    pthread_mutex_t lock;
    struct scene_rule rules[KINDS];
    uint64_t chaos; /* not 0: the state of a generator that fails and pends calls at will */
    mrt_log *store; /* whose state was last asked for */
    bool full_once; /* the next append is told MRT_EFULL */
    bool pend_all;  /* every outcome comes by a completion */
    bool durable;   /* the store says so, and keeps @durable_to */
    int64_t durable_to;
    int64_t flush_upto; /* of the last flush */
    uint32_t mutating;  /* in flight now */
    uint32_t mutating_max;
    uint32_t batches_max; /* of one append */
};

struct scene {
    struct live live;
    struct world *world; /* NULL: on real threads, in live */
    struct sim_node *node;
    struct runtime *runtime;
    struct host *host;
    const mrt_impl *impl;
    void *store;
    mrt_dir *dir;
    mrt_exec *dir_exec;
    mrt_storage_ops ops;
    struct log_config config;
    struct log_policy policies[LOG_POLICIES_MAX];
    uint32_t policy_count;
    int32_t leader_epoch;
    struct log *log;
};

extern struct scene_script script;
extern struct scene scene;
extern uint64_t scene_seed;

/* ---- scene.c --------------------------------------------------------------------------------- */

/* cmocka setups: the log is open and empty; in the second one, all storage pends; in the third all
 * happens in the simulated world of scene_seed. */
int scene_setup(void **state);
int scene_setup_pending(void **state);
int scene_setup_simulated(void **state);
int scene_teardown(void **state);

/* As their namesakes of live.h, in either environment. */
void scene_inside(mrt_exec *exec, void (*run)(void *arg), void *arg);
void scene_wait(struct live_event *event);
void scene_pause(uint32_t ms);

/* Closes the log and makes it anew over the same store. */
void scene_reopen(void);
void scene_new(void);
mrt_status scene_open(void);
mrt_status scene_close(void);
mrt_status scene_delete(void);
mrt_status scene_maintain(void);
mrt_status scene_configure(void);
mrt_status scene_lead(int32_t leader_epoch);

/* The door of door.c: scene.ops over the store's. */
void scene_door(void);

/* Rules. */
void scene_hold(enum scene_kind kind);
void scene_fail(enum scene_kind kind, uint32_t skip, mrt_status status);
void scene_pass(enum scene_kind kind);
/* Waits until a call of @kind is held, then lets it end. */
void scene_await_held(enum scene_kind kind);
void scene_release(enum scene_kind kind);
uint32_t scene_calls(enum scene_kind kind);

/* ---- appends --------------------------------------------------------------------------------- */

struct scene_append {
    struct log_append append;
    mrt_slice slice;
    struct live_event done;
    uint32_t answers;
    uint64_t order; /* of all answers since the scene began */
};

/* What a batch holds. */
struct scene_batch {
    int32_t records;
    int64_t producer_id; /* 0: none */
    int16_t epoch;
    int32_t sequence;
    int64_t timestamp_ms; /* of the first; each further one is 1 later */
    uint32_t value_bytes;
};

/* Readies @own with acks and one batch; records 0 means 1. */
void scene_ready(struct scene_append *own, int32_t acks, const struct scene_batch *batch);
void scene_start(struct scene_append *own);
mrt_status scene_end(struct scene_append *own);
bool scene_answered(struct scene_append *own);

/* All in one. */
mrt_status scene_append(int32_t acks, const struct scene_batch *batch, int64_t *base);

/* Starts all @n in one turn of reactor 0. */
void scene_start_all(struct scene_append *all, uint32_t n);

/* What was posted to the strand before has run afterwards. */
void scene_settle(void);

/* ---- reads ----------------------------------------------------------------------------------- */

struct scene_read {
    struct log_read read;
    mrt_slice slices[8];
    struct live_event done;
};

void scene_read_ready(struct scene_read *own, int64_t from);
mrt_status scene_read(struct scene_read *own);
/* Gives the bytes back. */
void scene_read_drop(struct scene_read *own);

mrt_status scene_find(struct log_find *find, int64_t timestamp_ms);
mrt_status scene_trim(int64_t upto, int64_t *low);
struct log_line scene_line(void);

/* What the store keeps of the open log: offsets of PRODUCERS blobs. */
uint32_t scene_snapshots(int64_t *offsets, uint32_t cap);
/* Puts one that knows no producer. */
void scene_put_snapshot(int64_t offset);
/* Replaces what the store has. */
void scene_put_epochs(char *text);

#endif /* TESTS_UNIT_LOG_SCENE_H */
