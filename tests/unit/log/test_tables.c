/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two pure tables of a log. Producer 9 writes batches of two records, epoch 0, from sequence 0
 * on; leader epochs 1, 4 and 7 begin at 0, 100 and 200 of a log that ends at 250.
 */
#include <string.h>

#include <mortise/draft/broker.h>

#include "core/base/memory.h"
#include "core/log/epochs.h"
#include "core/log/producers.h"
#include "tests/unit/cmocka.h"

static struct producers producers;
static struct epochs epochs;

static int scene(void **state)
{
    (void)state;
    producers_init(&producers, 1);
    epochs_note(&epochs, 1, 0);
    epochs_note(&epochs, 4, 100);
    epochs_note(&epochs, 7, 200);
    return 0;
}

static int end(void **state)
{
    (void)state;
    producers_fini(&producers);
    epochs_fini(&epochs);
    return 0;
}

/* ---- producers ------------------------------------------------------------------------------- */

static struct kit_batch two(int32_t sequence, int64_t offset)
{
    return (struct kit_batch){
        .base_offset = offset,
        .producer_id = 9,
        .base_sequence = sequence,
        .last_offset_delta = 1,
        .count = 2,
        .max_timestamp_ms = 1000 + offset,
    };
}

static void note(int32_t sequence, int64_t offset)
{
    struct kit_batch batch = two(sequence, offset);
    producers_note(&producers, &batch, 5000);
}

static mrt_status judge(int32_t sequence, struct producer_batch *original)
{
    struct kit_batch batch = two(sequence, -1);
    return producer_judge(producers_find(&producers, 9), &batch, original);
}

static void an_unknown_producer_may_begin_anywhere(void **state)
{
    (void)state;
    struct producer_batch original;
    assert_int_equal(judge(4711, &original), MRT_OK);
}

static void the_next_sequence_follows_and_no_other(void **state)
{
    (void)state;
    struct producer_batch original;
    note(0, 10);
    assert_int_equal(judge(2, &original), MRT_OK);
    assert_int_equal(judge(3, &original), MRT_ESEQUENCE);
    assert_int_equal(judge(1, &original), MRT_ESEQUENCE); /* overlaps */
}

static void the_last_five_batches_are_known_again_and_older_ones_are_told_apart(void **state)
{
    (void)state;
    struct producer_batch original;
    for (int32_t i = 0; i < 7; i++)
        note(2 * i, 10 * i);
    for (int32_t i = 2; i < 7; i++) {
        assert_int_equal(judge(2 * i, &original), MRT_EEXIST);
        assert_int_equal(original.base_offset, 10 * i);
        assert_int_equal(original.last_offset, 10 * i + 1);
    }
    assert_int_equal(judge(2, &original), MRT_EDUPLICATE);
    assert_int_equal(judge(0, &original), MRT_EDUPLICATE);
    assert_int_equal(judge(13, &original), MRT_ESEQUENCE); /* half old, half new */
    assert_int_equal(judge(14, &original), MRT_OK);
    assert_int_equal(judge(16, &original), MRT_ESEQUENCE);
}

static void sequences_wrap_to_zero(void **state)
{
    (void)state;
    struct producer_batch original;
    note(INT32_MAX - 1, 10); /* 2147483646 and 2147483647 */
    assert_int_equal(judge(0, &original), MRT_OK);
    note(0, 12);
    assert_int_equal(judge(INT32_MAX - 1, &original), MRT_EEXIST);
    assert_int_equal(original.base_offset, 10);

    end(state);
    scene(state);
    note(INT32_MAX, 10); /* ends with 0 */
    assert_int_equal(judge(1, &original), MRT_OK);
    assert_int_equal(judge(INT32_MAX, &original), MRT_EEXIST);
}

static void a_new_epoch_begins_at_zero_and_an_old_one_is_fenced(void **state)
{
    (void)state;
    struct producer_batch original;
    note(0, 10);
    struct kit_batch batch = two(2, -1);
    batch.producer_epoch = 1;
    const struct producer *known = producers_find(&producers, 9);
    assert_int_equal(producer_judge(known, &batch, &original), MRT_ESEQUENCE);
    batch.base_sequence = 0;
    assert_int_equal(producer_judge(known, &batch, &original), MRT_OK);
    batch.base_offset = 20;
    producers_note(&producers, &batch, 5000);
    assert_int_equal(known->count, 1); /* the old epoch's batches are no duplicates any more */
    assert_int_equal(judge(2, &original), MRT_EPRODUCEROLD);
}

static void who_is_silent_for_a_day_is_forgotten(void **state)
{
    (void)state;
    note(0, 10);
    struct kit_batch other = two(0, 12);
    other.producer_id = 10;
    producers_note(&producers, &other, 6000);
    producers_expire(&producers, 5000 + PRODUCER_EXPIRY_MS - 1);
    assert_int_equal(producers.map.count, 2);
    producers_expire(&producers, 5000 + PRODUCER_EXPIRY_MS);
    assert_null(producers_find(&producers, 9));
    assert_non_null(producers_find(&producers, 10));
}

static void beyond_the_limit_the_most_silent_one_is_forgotten(void **state)
{
    (void)state;
    struct kit_batch batch = two(0, 0);
    for (int64_t id = 0; id <= PRODUCERS_MAX; id++) {
        batch.producer_id = id;
        producers_note(&producers, &batch, 1);
        if (id == 1) { /* 0 speaks again: 1 is the most silent */
            batch.producer_id = 0;
            batch.base_sequence = 2;
            producers_note(&producers, &batch, 1);
            batch.base_sequence = 0;
        }
    }
    assert_int_equal(producers.map.count, PRODUCERS_MAX);
    assert_non_null(producers_find(&producers, 0));
    assert_null(producers_find(&producers, 1));
}

/* The bytes Kafka writes for producer 9: last sequence 3, last offset 21, delta 1, time 1020. */
static const uint8_t snapshot[] = {
    0,   1,                                 /* version */
    0,   0,   0,   0,                       /* checksum, below */
    0,   0,   0,   1,                       /* one producer */
    0,   0,   0,   0,   0,   0,   0,   9,   /* id */
    0,   0,                                 /* epoch */
    0,   0,   0,   3,                       /* last sequence */
    0,   0,   0,   0,   0,   0,   0,   21,  /* last offset */
    0,   0,   0,   1,                       /* offset delta */
    0,   0,   0,   0,   0,   0,   3,   252, /* timestamp */
    255, 255, 255, 255,                     /* coordinator epoch */
    255, 255, 255, 255, 255, 255, 255, 255, /* no open transaction */
};

static void a_snapshot_has_kafkas_bytes_and_keeps_the_last_batch(void **state)
{
    (void)state;
    uint8_t bytes[sizeof snapshot];
    struct producer_batch original;
    note(0, 10);
    note(2, 20);
    assert_int_equal(producers_size(&producers), sizeof snapshot);
    producers_encode(&producers, bytes);
    assert_int_equal(kit_get32(bytes + 2), kit_crc32c(0, bytes + 6, sizeof bytes - 6));
    kit_put32(bytes + 2, 0);
    assert_memory_equal(bytes, snapshot, sizeof snapshot);

    producers_encode(&producers, bytes);
    producers_clear(&producers);
    assert_int_equal(producers_decode(&producers, bytes, sizeof bytes, 7), MRT_OK);
    assert_int_equal(judge(2, &original), MRT_EEXIST);
    assert_int_equal(original.base_offset, 20);
    assert_int_equal(judge(0, &original), MRT_ESEQUENCE);
    assert_int_equal(judge(4, &original), MRT_OK);
}

static void a_damaged_snapshot_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    uint8_t bytes[sizeof snapshot];
    note(0, 10);
    producers_encode(&producers, bytes);
    for (uint64_t cut = 0; cut < sizeof bytes; cut++)
        assert_int_equal(producers_decode(&producers, bytes, cut, 7), MRT_ECORRUPT);
    for (uint64_t at = 0; at < sizeof bytes; at++) {
        bytes[at] ^= 0x10;
        assert_int_equal(producers_decode(&producers, bytes, sizeof bytes, 7), MRT_ECORRUPT);
        bytes[at] ^= 0x10;
    }
    kit_put32(bytes + 32, 99); /* begins before the log did, with a true checksum */
    kit_put32(bytes + 2, kit_crc32c(0, bytes + 6, sizeof bytes - 6));
    assert_int_equal(producers_decode(&producers, bytes, sizeof bytes, 7), MRT_ECORRUPT);
    assert_int_equal(producers.map.count, 1);
    assert_int_equal(producers_find(&producers, 9)->seen_ms, 5000);
}

/* ---- epochs ---------------------------------------------------------------------------------- */

static void the_end_of_an_epoch_is_the_start_of_the_next(void **state)
{
    (void)state;
    const struct {
        int32_t asked;
        int32_t found;
        int64_t end;
    } cases[] = {{7, 7, 250}, {4, 4, 200}, {1, 1, 100}, {5, 4, 200}, {6, 4, 200},
                 {2, 1, 100}, {0, 0, 0},   {8, -1, -1}, {-1, -1, -1}};
    for (uint32_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int32_t found;
        int64_t where;
        epochs_end(&epochs, cases[i].asked, 250, &found, &where);
        assert_int_equal(found, cases[i].found);
        assert_int_equal(where, cases[i].end);
    }
}

static void an_offset_belongs_to_the_epoch_that_wrote_it(void **state)
{
    (void)state;
    assert_int_equal(epochs_at(&epochs, 0), 1);
    assert_int_equal(epochs_at(&epochs, 99), 1);
    assert_int_equal(epochs_at(&epochs, 100), 4);
    assert_int_equal(epochs_at(&epochs, 1000), 7);
    assert_int_equal(epochs_at(&epochs, -1), -1);
}

static void only_a_newer_epoch_is_noted_and_an_empty_one_is_replaced(void **state)
{
    (void)state;
    epochs.dirty = false;
    epochs_note(&epochs, 7, 240);
    epochs_note(&epochs, 3, 240);
    assert_int_equal(epochs.count, 3);
    assert_false(epochs.dirty);
    epochs_note(&epochs, 9, 200); /* 7 never wrote */
    assert_int_equal(epochs.count, 3);
    assert_int_equal(epochs_latest(&epochs), 9);
    assert_int_equal(epochs_at(&epochs, 200), 9);
    assert_true(epochs.dirty);
}

static void trimming_keeps_the_epoch_that_holds_the_start(void **state)
{
    (void)state;
    epochs_trim_head(&epochs, 150);
    assert_int_equal(epochs.count, 2);
    assert_int_equal(epochs.entries[0].epoch, 4);
    assert_int_equal(epochs.entries[0].start, 150);
    epochs.dirty = false;
    epochs_trim_head(&epochs, 150);
    assert_false(epochs.dirty);
    epochs_trim_head(&epochs, 200);
    assert_int_equal(epochs.count, 1);
    assert_int_equal(epochs.entries[0].epoch, 7);
}

static void a_log_that_lost_its_tail_knows_no_epoch_that_began_in_it(void **state)
{
    (void)state;
    epochs.dirty = false;
    epochs_trim_tail(&epochs, 201);
    assert_int_equal(epochs.count, 3);
    assert_false(epochs.dirty);
    epochs_trim_tail(&epochs, 200);
    assert_int_equal(epochs_latest(&epochs), 4);
    assert_true(epochs.dirty);
    epochs_note(&epochs, 4, 180); /* the same leader goes on */
    assert_int_equal(epochs.count, 2);
    epochs_trim_tail(&epochs, 0);
    assert_int_equal(epochs_latest(&epochs), -1);
}

static void the_checkpoint_is_kafkas_text(void **state)
{
    (void)state;
    static const char text[] = "0\n3\n1 0\n4 100\n7 200\n";
    char out[256];
    assert_true(epochs_size(&epochs) <= sizeof out);
    uint64_t size = epochs_encode(&epochs, out);
    assert_int_equal(size, sizeof text - 1);
    assert_memory_equal(out, text, size);

    epochs_fini(&epochs);
    assert_int_equal(epochs_decode(&epochs, text, sizeof text - 1), MRT_OK);
    assert_int_equal(epochs.count, 3);
    assert_int_equal(epochs_at(&epochs, 150), 4);
    assert_false(epochs.dirty);
}

static void a_damaged_checkpoint_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "0",
        "1\n0\n",
        "0\n-1\n",
        "0\n2\n1 0\n",
        "0\n0\nx",
        "0\n1\n1 0\nx",
        "0\n1\n1  0\n",
        "0\n1\n-1 0\n",
        "0\n1\n1 -5\n",
        "0\n2\n1 5\n1 6\n",
        "0\n2\n1 5\n2 5\n",
        "0\n2\n1 5\n2 4\n",
        "0\n99999999\n",
        "0\n1\n99999999999 0\n",
    };
    for (uint32_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(epochs_decode(&epochs, bad[i], strlen(bad[i])), MRT_ECORRUPT);
        assert_int_equal(epochs.count, 3);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_unknown_producer_may_begin_anywhere),
        TEST(the_next_sequence_follows_and_no_other),
        TEST(the_last_five_batches_are_known_again_and_older_ones_are_told_apart),
        TEST(sequences_wrap_to_zero),
        TEST(a_new_epoch_begins_at_zero_and_an_old_one_is_fenced),
        TEST(who_is_silent_for_a_day_is_forgotten),
        TEST(beyond_the_limit_the_most_silent_one_is_forgotten),
        TEST(a_snapshot_has_kafkas_bytes_and_keeps_the_last_batch),
        TEST(a_damaged_snapshot_is_refused_and_changes_nothing),
        TEST(the_end_of_an_epoch_is_the_start_of_the_next),
        TEST(an_offset_belongs_to_the_epoch_that_wrote_it),
        TEST(only_a_newer_epoch_is_noted_and_an_empty_one_is_replaced),
        TEST(trimming_keeps_the_epoch_that_holds_the_start),
        TEST(a_log_that_lost_its_tail_knows_no_epoch_that_began_in_it),
        TEST(the_checkpoint_is_kafkas_text),
        TEST(a_damaged_checkpoint_is_refused_and_changes_nothing),
    };
    return cmocka_run_group_tests_name("log/tables", tests, NULL, NULL);
}
