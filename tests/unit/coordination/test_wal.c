/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of a segment: four records in three batches (the second and third were written
 * together), read back whole, damaged in every bit, cut at every byte.
 */
#include <string.h>

#include "plugins/coordination/raft/wal.h"
#include "tests/unit/cmocka.h"

#define RECORDS 4

static const uint64_t batches[RECORDS] = {7, 8, 8, 10};
static uint8_t bytes[1024];
static uint64_t size;
static uint64_t at[RECORDS + 1]; /* where each begins */

static int write_segment(void **state)
{
    (void)state;
    uint32_t sum = 99;
    memset(bytes, 0, sizeof bytes);
    size = 0;
    for (uint32_t i = 0; i < RECORDS; i++) {
        uint8_t payload[16];
        memset(payload, 'a' + (int)i, sizeof payload);
        struct raft_record record = {
            .offset = 7 + i,
            .batch = batches[i],
            .payload = payload,
            .length = 3 + 4 * i,
            .epoch = 2,
            .before = sum,
        };
        raft_record_put(&record, bytes + size);
        memcpy(bytes + size + WAL_RECORD, payload, record.length);
        sum = record.sum;
        at[i] = size;
        size += raft_record_size(record.length);
    }
    at[RECORDS] = size;
    return 0;
}

static struct raft_cursor start(void)
{
    return (struct raft_cursor){0, 7, 1, 99};
}

/* How many records come, and why there are no more. Each must be one of those written. */
static uint32_t count(uint64_t n, mrt_status *why, struct raft_cursor *cursor)
{
    struct raft_record record;
    uint32_t seen = 0;
    *cursor = start();
    while ((*why = raft_record_next(bytes, n, cursor, &record)) == MRT_OK) {
        assert_true(seen < RECORDS);
        assert_int_equal(record.offset, 7 + seen);
        assert_int_equal(record.length, 3 + 4 * seen);
        for (uint32_t i = 0; i < record.length; i++)
            assert_int_equal(record.payload[i], 'a' + seen);
        seen++;
    }
    return seen;
}

static void what_was_written_is_read(void **state)
{
    (void)state;
    struct raft_cursor cursor;
    mrt_status why;
    assert_int_equal(count(size, &why, &cursor), RECORDS);
    assert_int_equal(why, MRT_ENOENT);
    assert_int_equal(cursor.offset, 11);
    assert_int_equal(cursor.position, size);
}

static void a_record_that_does_not_follow_is_not_taken(void **state)
{
    (void)state;
    struct raft_record record;
    const struct raft_cursor wrong[] = {{0, 8, 1, 99}, {0, 7, 3, 99}, {0, 7, 1, 98}};
    for (uint32_t i = 0; i < 3; i++) {
        struct raft_cursor cursor = wrong[i];
        assert_int_equal(raft_record_next(bytes, size, &cursor, &record), MRT_ECORRUPT);
        assert_memory_equal(&cursor, &wrong[i], sizeof cursor);
        assert_false(raft_record_torn(bytes, size, &cursor)); /* intact: nothing to cut */
    }
}

static void every_flipped_bit_ends_the_log_before_it_and_only_the_last_batch_is_torn(void **state)
{
    (void)state;
    for (uint64_t bit = 0; bit < size * 8; bit++) {
        struct raft_cursor cursor;
        mrt_status why;
        uint32_t hit = 0;
        while (bit / 8 >= at[hit + 1])
            hit++;
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(count(size, &why, &cursor), hit);
        assert_int_equal(why, MRT_ECORRUPT);
        assert_int_equal(raft_record_torn(bytes, size, &cursor), hit == 3);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void any_part_of_the_last_batch_may_be_missing_after_a_power_cut(void **state)
{
    (void)state;
    struct raft_cursor cursor;
    mrt_status why;
    size = at[3]; /* the log ends with the batch of two */
    memset(bytes + at[1], 0, at[2] - at[1]);
    assert_int_equal(count(size, &why, &cursor), 1);
    assert_int_equal(why, MRT_ECORRUPT);
    assert_true(raft_record_torn(bytes, size, &cursor)); /* although the second half is intact */
}

static void every_cut_is_between_records_or_torn(void **state)
{
    (void)state;
    for (uint64_t n = 0; n < size; n++) {
        struct raft_cursor cursor;
        mrt_status why;
        uint32_t whole = 0;
        while (at[whole + 1] <= n)
            whole++;
        assert_int_equal(count(n, &why, &cursor), whole);
        assert_int_equal(why, n == at[whole] ? MRT_ENOENT : MRT_ECORRUPT);
        assert_true(why == MRT_ENOENT || raft_record_torn(bytes, n, &cursor));
    }
}

static void headers_round_trip_and_every_flipped_bit_is_noticed(void **state)
{
    (void)state;
    uint8_t out[WAL_HEADER];
    struct raft_header header = {.node = 3, .sum = 17, .first = 1000};
    struct raft_vote vote = {.node = 3, .epoch = 9, .voted_for = -1, .committed = 55};
    struct raft_state snapshot = {.end = 12, .bytes = 13, .epoch = 14, .sum = 15};
    struct raft_header header_back;
    struct raft_vote vote_back;
    struct raft_state snapshot_back;
    memset(header.generation, 1, 16);
    memset(vote.generation, 2, 16);
    memset(snapshot.generation, 3, 16);
    for (uint32_t kind = 0; kind < 3; kind++) {
        if (kind == 0)
            raft_header_put(&header, out);
        else if (kind == 1)
            raft_vote_put(&vote, out);
        else
            raft_state_put(&snapshot, out);
        for (uint32_t bit = 0; bit <= WAL_HEADER * 8; bit++) {
            if (bit < WAL_HEADER * 8)
                out[bit / 8] ^= (uint8_t)(1 << bit % 8);
            mrt_status status = kind == 0   ? raft_header_get(out, &header_back)
                                : kind == 1 ? raft_vote_get(out, &vote_back)
                                            : raft_state_get(out, &snapshot_back);
            if (bit < WAL_HEADER * 8) {
                assert_true(status == MRT_ECORRUPT || status == MRT_ETOONEW);
                out[bit / 8] ^= (uint8_t)(1 << bit % 8);
            } else {
                assert_int_equal(status, MRT_OK);
            }
        }
    }
    assert_memory_equal(&header, &header_back, sizeof header);
    assert_memory_equal(&vote, &vote_back, sizeof vote);
    assert_memory_equal(&snapshot, &snapshot_back, sizeof snapshot);
}

#define TEST(name) cmocka_unit_test_setup(name, write_segment)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_written_is_read),
        TEST(a_record_that_does_not_follow_is_not_taken),
        TEST(every_flipped_bit_ends_the_log_before_it_and_only_the_last_batch_is_torn),
        TEST(any_part_of_the_last_batch_may_be_missing_after_a_power_cut),
        TEST(every_cut_is_between_records_or_torn),
        TEST(headers_round_trip_and_every_flipped_bit_is_noticed),
    };
    return cmocka_run_group_tests_name("coordination/wal", tests, NULL, NULL);
}
