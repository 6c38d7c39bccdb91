/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Six idempotent producers, five batches in flight each, against storage that fails one mutating
 * call in twelve and pends every other one, in small segments, with maintenance, leader changes and
 * restarts in between. Afterwards the log holds each batch once, in order, where its producer was
 * told.
 */
#include "tests/unit/log/scene.h"

#define PRODUCERS 6
#define WINDOW    5
#define ROUNDS    150
#define SEEDS     50
#define BATCHES   (ROUNDS * WINDOW)

struct producer_side {
    bool sending;
    int32_t acked; /* batches; each has two records */
    int64_t offsets[BATCHES + 1];
    struct scene_append window[WINDOW];
};

static struct producer_side sides[PRODUCERS];

static struct scene_batch nth(uint32_t producer, int32_t batch)
{
    return (struct scene_batch){
        .records = 2,
        .producer_id = 100 + producer,
        .sequence = 2 * batch,
        .timestamp_ms = batch,
        .value_bytes = (uint32_t)(batch * 37) % 400,
    };
}

static void start(uint32_t producer)
{
    struct producer_side *side = &sides[producer];
    side->sending = side->acked + WINDOW <= BATCHES;
    for (int32_t i = 0; side->sending && i < WINDOW; i++) {
        struct scene_batch batch = nth(producer, side->acked + i);
        scene_ready(&side->window[i], i % 2 == 0 ? 1 : -1, &batch);
        side->window[i].append.request.exec =
            runtime_reactor(scene.runtime, producer % runtime_reactors(scene.runtime));
        scene_start(&side->window[i]);
    }
}

/* What succeeded is a prefix of the window: nothing overtakes a failure. */
static void finish(uint32_t producer)
{
    struct producer_side *side = &sides[producer];
    bool failed = false;
    int32_t acked = 0;
    for (uint32_t i = 0; side->sending && i < WINDOW; i++) {
        mrt_status status = scene_end(&side->window[i]);
        if (status == MRT_OK) {
            assert_false(failed);
            side->offsets[side->acked + acked++] = side->window[i].append.base_offset;
        } else {
            assert_true(status == MRT_ENOSPC || (failed && status == MRT_ESEQUENCE));
            failed = true;
        }
    }
    side->acked += acked;
}

/* Sends the last acknowledged batch again. */
static void repeat(uint32_t producer)
{
    struct producer_side *side = &sides[producer];
    int64_t base;
    struct scene_batch batch = nth(producer, side->acked - 1);
    while (scene_append(1, &batch, &base) == MRT_ENOSPC)
        continue; /* a segment was full and could not be sealed */
    assert_int_equal(base, side->offsets[side->acked - 1]);
}

/* Nobody is new in the storm: an unknown producer may begin with any sequence. */
static void introduce(void)
{
    for (uint32_t p = 0; p < PRODUCERS; p++) {
        struct scene_batch batch = nth(p, 0);
        memset(&sides[p], 0, sizeof sides[p]);
        assert_int_equal(scene_append(1, &batch, &sides[p].offsets[0]), MRT_OK);
        sides[p].acked = 1;
    }
}

static void restart(void)
{
    scene_close(); /* its side files may fail */
    log_unref(scene.log);
    scene_new();
    assert_int_equal(scene_open(), MRT_OK);
}

static void storm(uint64_t seed)
{
    script.chaos = seed;
    for (int32_t round = 0; round < ROUNDS; round++) {
        for (uint32_t p = 0; p < PRODUCERS; p++)
            start(p);
        if (round % 7 == 0)
            scene_maintain();
        for (uint32_t p = 0; p < PRODUCERS; p++)
            finish(p);
        if (round % 11 == 0)
            repeat((uint32_t)round % PRODUCERS);
        if (round % 40 == 39)
            assert_int_equal(scene_lead(++scene.leader_epoch), MRT_OK);
        if (round % 30 == 29)
            restart();
    }
    script.chaos = 0;
}

struct audit {
    int64_t offset; /* the next one expected */
    int32_t epoch;
    int32_t next[PRODUCERS];
};

static void check_batch(struct audit *audit, const struct kit_batch *batch)
{
    assert_int_equal(batch->base_offset, audit->offset);
    audit->offset += batch->count;
    assert_true(batch->leader_epoch >= audit->epoch);
    audit->epoch = batch->leader_epoch;
    int64_t p = batch->producer_id - 100;
    assert_in_range(p, 0, PRODUCERS - 1);
    assert_int_equal(batch->base_sequence, 2 * audit->next[p]);
    assert_int_equal(sides[p].offsets[audit->next[p]], batch->base_offset);
    audit->next[p]++;
}

static void check_log(void)
{
    struct audit audit = {0};
    struct log_line line = scene_line();
    assert_int_equal(line.high_watermark, line.end);
    while (audit.offset < line.end) {
        struct scene_read own;
        scene_read_ready(&own, audit.offset);
        assert_int_equal(scene_read(&own), MRT_OK);
        assert_true(own.read.res.data.n > 0);
        for (uint32_t i = 0; i < own.read.res.data.n; i++) {
            const uint8_t *at = (const uint8_t *)(uintptr_t)own.slices[i].ref + own.slices[i].off;
            struct kit_batch batch;
            for (uint64_t left = own.slices[i].len; left > 0; left -= batch.size) {
                assert_int_equal(record_batch(at, left, &batch), MRT_OK);
                assert_true(kit_batch_sum_ok(at, batch.size));
                check_batch(&audit, &batch);
                at += batch.size;
            }
        }
        scene_read_drop(&own);
    }
    for (uint32_t p = 0; p < PRODUCERS; p++)
        assert_int_equal(audit.next[p], sides[p].acked);
}

static void every_batch_is_stored_once_in_order_and_where_it_was_told(void **state)
{
    (void)state;
    scene.config.segment_bytes = 8192;
    assert_int_equal(scene_configure(), MRT_OK);
    introduce();
    storm(UINT64_C(0x9e3779b97f4a7c15) ^ scene_seed);
    check_log();
    assert_true(scene_line().end > PRODUCERS * ROUNDS); /* it got on in spite of all */
    assert_true(scene_calls(KIND_ROLL) > 20);
    restart();
    check_log();
}

static uint64_t hash_of(uint64_t seed, void **state)
{
    scene_seed = seed;
    scene_setup_simulated(state);
    every_batch_is_stored_once_in_order_and_where_it_was_told(state);
    uint64_t hash = world_hash(scene.world);
    scene_teardown(state);
    return hash;
}

static void a_seed_is_a_run(void **state)
{
    uint64_t first = hash_of(7, state);
    assert_true(hash_of(7, state) == first);
    assert_true(hash_of(8, state) != first);
}

static void so_it_is_in_every_simulated_world(void **state)
{
    for (scene_seed = 1; scene_seed <= SEEDS; scene_seed++) {
        scene_setup_simulated(state);
        every_batch_is_stored_once_in_order_and_where_it_was_told(state);
        scene_teardown(state);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            every_batch_is_stored_once_in_order_and_where_it_was_told, scene_setup, scene_teardown),
        cmocka_unit_test(a_seed_is_a_run),
        cmocka_unit_test(so_it_is_in_every_simulated_world),
    };
    return cmocka_run_group_tests_name("log/chaos", tests, NULL, NULL);
}
