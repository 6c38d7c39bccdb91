/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench.h - a whole broker without listeners, above memory storage and the standalone log, on real
 * threads: operations are called as a protocol calls them, from any reactor.
 */
#ifndef TESTS_UNIT_BROKER_BENCH_H
#define TESTS_UNIT_BROKER_BENCH_H

#include <string.h>

#include <mortise/draft/ops.h>

#include "core/base/str.h"
#include "core/broker/broker_state.h"
#include "core/config/report.h"
#include "core/runtime/bytes.h"
#include "tests/unit/live.h"

#define BENCH_STEP_NS UINT64_C(20000000000)
#define MS            UINT64_C(1000000)

struct bench {
    struct live live;
    char path[64]; /* of the metadata log */
    struct report *report;
    struct settings *settings;
    struct registry *registry;
    struct topic_table *topics;
    struct instance *storage;
    struct instance *coordination;
    struct instance *policy;
    struct broker_options options; /* a test may change them between bench_make() and _begin() */
    struct broker *broker;
    struct budget budget; /* of the caller, as a connection has one */
    uint64_t leases;      /* of produced bytes, not yet back; atomic */
    uint32_t reactors;
};

void bench_make(struct bench *bench);
void bench_begin(struct bench *bench);
/* The two halves of an end; answers of polls go back between them. */
void bench_quiesce(struct bench *bench);
void bench_drain(struct bench *bench);
/* After bench_drain(): all memory, leases and accounts are back. */
void bench_free(struct bench *bench);

/* The two together, with nothing changed. */
void bench_start(struct bench *bench);
void bench_stop(struct bench *bench);

/* ---- one operation --------------------------------------------------------------------------- */

struct ask {
    mrt_call call;
    mrt_who who;
    struct bench *bench;
    mrt_broker *shard;
    struct live_event done;
    mrt_status status;
    uint32_t ends; /* must be one */
};

/* Calls operation @number on reactor @at (modulo their number); does not wait. */
void ask_begin(
    struct ask *ask, struct bench *bench, uint32_t at, uint32_t number, const void *in, void *out);
mrt_status ask_wait(struct ask *ask);
/* Frees what the answer lies in. */
void ask_end(struct ask *ask);
void ask_cancel(struct ask *ask);

/* All four for operations whose answer needs no arena afterwards. */
mrt_status ask_all(struct bench *bench, uint32_t at, uint32_t number, const void *in, void *out);

/* ---- the usual ones -------------------------------------------------------------------------- */

mrt_status bench_create(struct bench *bench, uint32_t at, const char *name, int32_t partitions);
mrt_status bench_delete(struct bench *bench, uint32_t at, const char *name);

/* Stores one record of @bytes bytes. */
mrt_produce_res bench_produce(
    struct bench *bench, uint32_t at, const char *topic, int32_t partition, uint64_t bytes);

/* One partition's record bytes, with a lease that the bench counts. */
mrt_slicev bench_batch(struct bench *bench, uint64_t bytes, mrt_slice *slice);

/* MRT_LIST_OFFSETS of one partition: its status, *@offset. */
mrt_status bench_offset(
    struct bench *bench, uint32_t at, const char *topic, int32_t partition, int64_t timestamp_ms,
    int64_t *offset);

/* A subscription to partitions 0 to @n - 1 of @topic from offset @from. */
mrt_sub *bench_subscribe(
    struct bench *bench, uint32_t at, const char *topic, uint32_t n, int64_t from,
    uint32_t max_bytes);
mrt_status bench_unsubscribe(struct bench *bench, uint32_t at, mrt_sub *sub);

/* A poll and its answer; poll_end() gives the leases back. */
struct poll {
    struct ask ask;
    mrt_sub_poll in;
    mrt_sub_poll_out out;
};
void poll_begin(
    struct poll *poll, struct bench *bench, uint32_t at, mrt_sub *sub, uint64_t wait_ns,
    uint64_t max_bytes, uint32_t min_bytes);
mrt_status poll_wait(struct poll *poll);
uint64_t poll_bytes(const struct poll *poll);
void poll_end(struct poll *poll);

#endif /* TESTS_UNIT_BROKER_BENCH_H */
