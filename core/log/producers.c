/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log/producers.h"

#include <mortise/draft/broker.h>

#include "core/base/assert.h"
#include "core/base/memory.h"

/* How far @to is ahead of @from in the circle of sequences. */
static uint32_t distance(int32_t from, int32_t to)
{
    return ((uint32_t)to - (uint32_t)from) & INT32_MAX;
}

static int32_t sequence_add(int32_t sequence, int32_t n)
{
    return (int32_t)(((uint32_t)sequence + (uint32_t)n) & INT32_MAX);
}

static mrt_str key_of(const int64_t *id)
{
    return (mrt_str){(const char *)id, sizeof *id};
}

static struct producer *find(const struct producers *producers, int64_t id)
{
    mrt_str key = key_of(&id);
    struct map_node *node = map_find(&producers->map, &key);
    return node == NULL ? NULL : CONTAINER(node, struct producer, node);
}

static void forget(struct producers *producers, struct producer *producer)
{
    map_remove(&producers->map, &producer->node);
    list_remove(&producer->used);
    memory_free(producer);
}

static struct producer *add(struct producers *producers, int64_t id)
{
    if (producers->map.count == PRODUCERS_MAX)
        forget(producers, CONTAINER(producers->used.next, struct producer, used));
    struct producer *producer = memory_new(sizeof *producer);
    producer->id = id;
    producer->transaction_at = -1;
    producer->coordinator_epoch = -1;
    mrt_str key = key_of(&producer->id);
    map_insert(&producers->map, &producer->node, &key);
    list_append(&producers->used, &producer->used);
    ASSERT(producers->map.count <= PRODUCERS_MAX);
    return producer;
}

void producers_init(struct producers *producers, uint64_t seed)
{
    map_init(&producers->map, seed);
    list_init(&producers->used);
}

void producers_clear(struct producers *producers)
{
    list_each_safe (at, &producers->used)
        forget(producers, CONTAINER(at, struct producer, used));
    ASSERT(producers->map.count == 0);
}

void producers_fini(struct producers *producers)
{
    producers_clear(producers);
    map_fini(&producers->map);
}

const struct producer *producers_find(const struct producers *producers, int64_t id)
{
    return find(producers, id);
}

static bool same(const struct producer_batch *known, const struct kit_batch *batch)
{
    return known->first_sequence == batch->base_sequence &&
           known->last_sequence == sequence_add(batch->base_sequence, batch->last_offset_delta);
}

/* Does all of @batch lie before the oldest remembered one? Only a full window can tell: without it
 * the first batch we saw may have been a later one of an unknown producer (D2). */
static bool before_window(const struct producer *producer, const struct kit_batch *batch)
{
    if (producer->count < PRODUCER_WINDOW)
        return false;
    int32_t last = sequence_add(batch->base_sequence, batch->last_offset_delta);
    uint32_t behind = distance(last, producer->window[0].first_sequence);
    return behind > 0 && behind <= INT32_MAX / 2;
}

mrt_status producer_judge(
    const struct producer *producer, const struct kit_batch *batch, struct producer_batch *original)
{
    ASSERT(batch->producer_id >= 0);
    if (producer == NULL || producer->count == 0)
        return MRT_OK; /* D2 */
    if (batch->producer_epoch < producer->epoch)
        return MRT_EPRODUCEROLD;
    if (batch->producer_epoch > producer->epoch)
        return batch->base_sequence == 0 ? MRT_OK : MRT_ESEQUENCE;
    for (uint32_t i = 0; i < producer->count; i++) {
        if (same(&producer->window[i], batch)) {
            *original = producer->window[i];
            return MRT_EEXIST;
        }
    }
    const struct producer_batch *last = &producer->window[producer->count - 1];
    if (batch->base_sequence == sequence_add(last->last_sequence, 1))
        return MRT_OK;
    return before_window(producer, batch) ? MRT_EDUPLICATE : MRT_ESEQUENCE;
}

void producer_push(struct producer *producer, const struct kit_batch *batch)
{
    if (batch->producer_epoch != producer->epoch) {
        producer->epoch = batch->producer_epoch;
        producer->count = 0; /* D1 */
    }
    if (producer->count == PRODUCER_WINDOW) {
        for (uint32_t i = 1; i < PRODUCER_WINDOW; i++)
            producer->window[i - 1] = producer->window[i];
        producer->count--;
    }
    ASSERT(producer->count < PRODUCER_WINDOW);
    producer->window[producer->count++] = (struct producer_batch){
        .first_sequence = batch->base_sequence,
        .last_sequence = sequence_add(batch->base_sequence, batch->last_offset_delta),
        .base_offset = batch->base_offset,
        .last_offset = kit_batch_last(batch),
        .timestamp_ms = batch->max_timestamp_ms,
    };
}

void producers_note(struct producers *producers, const struct kit_batch *batch, int64_t now_ms)
{
    ASSERT(batch->producer_id >= 0);
    struct producer *producer = find(producers, batch->producer_id);
    if (producer == NULL)
        producer = add(producers, batch->producer_id);
    producer_push(producer, batch);
    producer->seen_ms = now_ms;
    list_remove(&producer->used);
    list_append(&producers->used, &producer->used); /* D3 */
}

void producers_expire(struct producers *producers, int64_t now_ms)
{
    list_each_safe (at, &producers->used) {
        struct producer *producer = CONTAINER(at, struct producer, used);
        if (now_ms - producer->seen_ms < PRODUCER_EXPIRY_MS)
            return;
        forget(producers, producer);
    }
}

/* ---- snapshots ------------------------------------------------------------------------------- */

#define SNAPSHOT_HEAD    10
#define SNAPSHOT_ENTRY   46
#define SNAPSHOT_VERSION 1
#define SUMMED           6

uint64_t producers_size(const struct producers *producers)
{
    return SNAPSHOT_HEAD + producers->map.count * SNAPSHOT_ENTRY;
}

static void encode_one(const struct producer *producer, uint8_t *p)
{
    ASSERT(producer->count > 0);
    const struct producer_batch *last = &producer->window[producer->count - 1];
    kit_put64(p, (uint64_t)producer->id);
    kit_put16(p + 8, (uint16_t)producer->epoch);
    kit_put32(p + 10, (uint32_t)last->last_sequence);
    kit_put64(p + 14, (uint64_t)last->last_offset);
    kit_put32(p + 22, (uint32_t)(last->last_offset - last->base_offset));
    kit_put64(p + 26, (uint64_t)last->timestamp_ms);
    kit_put32(p + 34, (uint32_t)producer->coordinator_epoch);
    kit_put64(p + 38, (uint64_t)producer->transaction_at);
}

void producers_encode(const struct producers *producers, uint8_t *out)
{
    uint64_t size = producers_size(producers);
    uint8_t *p = out + SNAPSHOT_HEAD;

    kit_put16(out, SNAPSHOT_VERSION);
    kit_put32(out + 6, (uint32_t)producers->map.count);
    list_each (at, &producers->used) {
        encode_one(CONTAINER(at, struct producer, used), p);
        p += SNAPSHOT_ENTRY;
    }
    ASSERT((uint64_t)(p - out) == size);
    kit_put32(out + 2, kit_crc32c(0, out + SUMMED, size - SUMMED));
}

static bool decode_one(struct producers *into, const uint8_t *p, int64_t now_ms)
{
    int64_t id = (int64_t)kit_get64(p);
    int64_t last_offset = (int64_t)kit_get64(p + 14);
    int32_t delta = (int32_t)kit_get32(p + 22);
    int32_t last_sequence = (int32_t)kit_get32(p + 10);
    if (id < 0 || delta < 0 || delta > last_offset || find(into, id) != NULL)
        return false;
    struct producer *producer = add(into, id);
    producer->epoch = (int16_t)kit_get16(p + 8);
    producer->coordinator_epoch = (int32_t)kit_get32(p + 34);
    producer->transaction_at = (int64_t)kit_get64(p + 38);
    producer->seen_ms = now_ms;
    producer->count = 1;
    producer->window[0] = (struct producer_batch){
        .first_sequence = sequence_add(last_sequence, -delta),
        .last_sequence = last_sequence,
        .base_offset = last_offset - delta,
        .last_offset = last_offset,
        .timestamp_ms = (int64_t)kit_get64(p + 26),
    };
    return true;
}

mrt_status producers_decode(
    struct producers *producers, const uint8_t *bytes, uint64_t size, int64_t now_ms)
{
    if (size < SNAPSHOT_HEAD || kit_get16(bytes) != SNAPSHOT_VERSION)
        return MRT_ECORRUPT;
    uint64_t count = kit_get32(bytes + 6);
    if (count > PRODUCERS_MAX || size != SNAPSHOT_HEAD + count * SNAPSHOT_ENTRY)
        return MRT_ECORRUPT;
    if (kit_get32(bytes + 2) != kit_crc32c(0, bytes + SUMMED, size - SUMMED))
        return MRT_ECORRUPT;

    struct producers fresh;
    producers_init(&fresh, producers->map.seed);
    bool ok = true;
    for (uint64_t i = 0; ok && i < count; i++)
        ok = decode_one(&fresh, bytes + SNAPSHOT_HEAD + i * SNAPSHOT_ENTRY, now_ms);
    if (!ok) {
        producers_fini(&fresh);
        return MRT_ECORRUPT;
    }
    producers_clear(producers);
    list_each_safe (at, &fresh.used) { /* the nodes move, the tables stay */
        struct producer *producer = CONTAINER(at, struct producer, used);
        map_remove(&fresh.map, &producer->node);
        list_remove(&producer->used);
        mrt_str key = key_of(&producer->id);
        map_insert(&producers->map, &producer->node, &key);
        list_append(&producers->used, &producer->used);
    }
    producers_fini(&fresh);
    return MRT_OK;
}
