/* SPDX-License-Identifier: Apache-2.0 */
/*
 * double.h - a host, a stream and a broker that do as the test says, around one served connection
 * of the kafka plugin, loaded through its entry like any plugin.
 *
 * The cluster: broker 1 at b1:9092, controller; broker 2 fenced; topic "seen" with id 07 07 ...,
 * two partitions, the second without a leader. Everything taken is counted, and must be given back.
 */
#ifndef TESTS_UNIT_KAFKA_DOUBLE_H
#define TESTS_UNIT_KAFKA_DOUBLE_H

#include <string.h>

#include <mortise/draft/ops.h>
#include <mortise/draft/protocol.h>

#include "kafka/messages.h"
#include "tests/unit/cmocka.h"

#define SLOTS_MAX 600
#define CALLS_MAX 600
#define OUT_MAX   (1 << 20)

struct double_world {
    const mrt_impl *impl;
    void *instance;
    void *shard;
    mrt_session *session;

    /* what the stream was told */
    uint32_t reserved, reserve_max;
    struct {
        uint32_t filled, sent, n;
        uint64_t bytes;
        uint8_t *data; /* pulled together, as sent */
    } slot[SLOTS_MAX];
    uint32_t closes, pauses, resumes;
    uint64_t resumed_at;
    char client_id[64];

    /* what the broker was asked */
    mrt_call *call[CALLS_MAX];
    uint32_t calls, cancels;
    mrt_status (*on_call)(struct double_world *w, mrt_call *call);
    uint32_t images; /* pins not given back */

    /* accounts */
    uint32_t arenas, arenas_max, arena_blocks_left;
    uint64_t allocations;
    uint32_t leases; /* leases made and not released */
    char log[4096];
    uint64_t now_ns;
};

/* A lease that is counted in the world. */
struct counted_lease {
    mrt_lease lease;
    struct double_world *world;
};

struct double_world *world_open(void);

/* Ends the connection if it is open, closes all and checks that all was given back. */
void world_close(struct double_world *w);

/* Gives @n bytes, with a lease; returns what was consumed and sets *@want. */
uint64_t world_bytes(struct double_world *w, const void *bytes, uint64_t n, uint64_t *want);

/* Frame with header and body of a request of @version; returns its bytes in @out. */
uint64_t world_request(
    const struct kit_message *message, int16_t version, int32_t correlation, const void *body,
    uint8_t *out);

/* Sends that request whole. */
void world_send(
    struct double_world *w, const struct kit_message *message, int16_t version, int32_t correlation,
    const void *body);

/* Decodes the answer in slot @slot into @out; checks size and correlation. */
void world_answer(
    struct double_world *w, uint32_t slot, const struct kit_message *message, int16_t version,
    int32_t correlation, void *out);

/* Ends the call at place @i with @status. */
void world_complete(struct double_world *w, uint32_t i, mrt_status status);

/* Tells the session that slot @slot was sent. */
void world_sent(struct double_world *w, uint32_t slot);

/* Ends the connection. */
void world_closed(struct double_world *w);

/* A lease of the world. */
mrt_lease *world_lease(struct double_world *w);

/* A produce of WORLD_RECORDS to one partition; the arrays are the double's, until the next. */
#define WORLD_RECORDS "0123456789abcdef"
struct kafka_produce_request world_produce(int16_t acks);

/* What a broker does that has appended: gives the leases back, says where. */
void world_appended(mrt_call *call, int64_t base);

/* For on_call: any call is refused with MRT_ENOTLEADER. */
mrt_status world_refuses(struct double_world *w, mrt_call *call);

/* Memory for decoding in tests; freed by world_close(). */
extern const struct kit_memory world_memory;

#endif /* TESTS_UNIT_KAFKA_DOUBLE_H */
