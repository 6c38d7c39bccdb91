/* SPDX-License-Identifier: Apache-2.0 */
/*
 * producers.h - what a log remembers of idempotent producers: epoch and last five batches of each.
 * Pure state; the time is passed in.
 *
 *   D1  Of one producer the remembered batches are of one epoch and their sequences follow each
 *       other; after INT32_MAX comes 0.
 *   D2  A producer nobody knows may begin with any sequence: it may have been forgotten.
 *   D3  used is in the order of the last batch, oldest first.
 *
 * As bytes it is Kafka's .snapshot: only the last batch of each.
 *
 *   i16 version, 1; u32 CRC-32C of what follows; i32 count; for each:
 *   i64 id; i16 epoch; i32 last sequence; i64 last offset; i32 offset delta; i64 timestamp;
 *   i32 coordinator epoch; i64 first offset of the open transaction, -1
 */
#ifndef CORE_LOG_PRODUCERS_H
#define CORE_LOG_PRODUCERS_H

#include "core/base/error.h"
#include "core/base/map.h"
#include "sdk/kit/batch.h"

#define PRODUCER_WINDOW    5 /* what clients have in flight at most */
#define PRODUCER_EXPIRY_MS INT64_C(86400000)

/* At some 250 bytes each; beyond, the one that was silent longest is forgotten (D2 makes that
 * safe but for its duplicates). */
#define PRODUCERS_MAX 65536

struct producer_batch {
    int32_t first_sequence;
    int32_t last_sequence;
    int64_t base_offset;
    int64_t last_offset;
    int64_t timestamp_ms; /* the batch's max timestamp */
};

struct producer {
    struct map_node node;
    struct list used;
    int64_t id;
    int64_t seen_ms;        /* when its last batch came, by our clock */
    int64_t transaction_at; /* first offset of the open transaction, -1 */
    int32_t coordinator_epoch;
    int16_t epoch;
    uint16_t count;                                /* of window */
    struct producer_batch window[PRODUCER_WINDOW]; /* oldest first */
};

struct producers {
    struct map map;
    struct list used;
};

void producers_init(struct producers *producers, uint64_t seed);
void producers_fini(struct producers *producers);
void producers_clear(struct producers *producers);

/* NULL if not known. */
const struct producer *producers_find(const struct producers *producers, int64_t id);

/*
 * May @batch be appended behind what @producer (NULL: unknown) has? @batch has a producer id.
 *
 *   MRT_OK           yes
 *   MRT_EEXIST       it is one of the window: *@original says where
 *   MRT_EDUPLICATE   it is older than the window
 *   MRT_ESEQUENCE    its sequence does not follow
 *   MRT_EPRODUCEROLD its epoch was fenced
 */
MUST_CHECK mrt_status producer_judge(
    const struct producer *producer, const struct kit_batch *batch,
    struct producer_batch *original);

/* Adds @batch, with its offsets, to the window of @producer alone. */
void producer_push(struct producer *producer, const struct kit_batch *batch);

/* @batch, which has a producer id, was appended. */
void producers_note(struct producers *producers, const struct kit_batch *batch, int64_t now_ms);

/* Forgets who was silent for PRODUCER_EXPIRY_MS. */
void producers_expire(struct producers *producers, int64_t now_ms);

uint64_t producers_size(const struct producers *producers);
void producers_encode(const struct producers *producers, uint8_t *out);

/* Replaces all. MRT_ECORRUPT, and nothing changed. */
MUST_CHECK mrt_status
producers_decode(struct producers *producers, const uint8_t *bytes, uint64_t size, int64_t now_ms);

#endif /* CORE_LOG_PRODUCERS_H */
