/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading and finding. Three batches of leader epoch 5: offsets 0-2 at 100, 101, 102 ms; 3-4 at 50,
 * 51 ms; 5-7 at 200, 201, 202 ms. The scene is scene.h's.
 */
#include "tests/unit/log/scene.h"

static int fill(void)
{
    assert_int_equal(scene_append(1, &(struct scene_batch){3, 0, 0, 0, 100, 0}, NULL), MRT_OK);
    assert_int_equal(scene_append(1, &(struct scene_batch){2, 0, 0, 0, 50, 0}, NULL), MRT_OK);
    assert_int_equal(scene_append(1, &(struct scene_batch){3, 0, 0, 0, 200, 0}, NULL), MRT_OK);
    return 0;
}

static int filled(void **state)
{
    scene_setup(state);
    return fill();
}

static int filled_simulated(void **state)
{
    scene_setup_simulated(state);
    return fill();
}

static int filled_pending(void **state)
{
    filled(state);
    script.pend_all = true;
    return 0;
}

/* ---- reading --------------------------------------------------------------------------------- */

static void a_read_gives_whole_batches_from_the_one_that_holds_the_offset(void **state)
{
    (void)state;
    struct scene_read own;
    scene_read_ready(&own, 4);
    assert_int_equal(scene_read(&own), MRT_OK);
    assert_int_equal(own.read.res.first_offset, 3);
    assert_int_equal(own.read.res.next_offset, 8);
    assert_int_equal(own.read.line.high_watermark, 8);
    assert_int_equal(own.read.diverged_epoch, -1);
    scene_read_drop(&own);

    scene_read_ready(&own, 0);
    own.read.bytes_max = 1; /* one batch even so */
    assert_int_equal(scene_read(&own), MRT_OK);
    assert_int_equal(own.read.res.next_offset, 3);
    scene_read_drop(&own);

    scene_read_ready(&own, 0);
    own.read.bytes_max = 1;
    own.read.min_batches = 0;
    assert_int_equal(scene_read(&own), MRT_OK);
    assert_int_equal(own.read.res.data.n, 0);
}

static void the_end_reads_as_nothing_and_beyond_it_is_out_of_range(void **state)
{
    (void)state;
    struct scene_read own;
    scene_read_ready(&own, 8);
    assert_int_equal(scene_read(&own), MRT_OK);
    assert_int_equal(own.read.res.data.n, 0);
    assert_null(own.read.res.data.lease);
    scene_read_ready(&own, 9);
    assert_int_equal(scene_read(&own), MRT_ERANGE);
    scene_read_ready(&own, -1);
    assert_int_equal(scene_read(&own), MRT_ERANGE);
    assert_int_equal(scene_calls(KIND_READ), 0);
}

static void leader_epochs_are_compared(void **state)
{
    (void)state;
    struct scene_read own;
    scene_read_ready(&own, 0);
    own.read.leader_epoch = 4;
    assert_int_equal(scene_read(&own), MRT_EEPOCHOLD);
    scene_read_ready(&own, 0);
    own.read.leader_epoch = 6;
    assert_int_equal(scene_read(&own), MRT_EEPOCHNEW);
    scene_read_ready(&own, 0);
    own.read.leader_epoch = 5;
    assert_int_equal(scene_read(&own), MRT_OK);
    scene_read_drop(&own);
}

static void a_diverged_reader_learns_where_our_epoch_ends(void **state)
{
    (void)state;
    scene.leader_epoch = 7;
    scene_reopen();
    assert_int_equal(scene_append(1, &(struct scene_batch){.records = 2}, NULL), MRT_OK); /* 8, 9 */
    struct scene_read own;

    scene_read_ready(&own, 9); /* has 8 of epoch 5: ours ends at 8 */
    own.read.fetched_epoch = 5;
    assert_int_equal(scene_read(&own), MRT_OK);
    assert_int_equal(own.read.diverged_epoch, 5);
    assert_int_equal(own.read.diverged_end, 8);
    assert_int_equal(own.read.res.data.n, 0);

    scene_read_ready(&own, 8); /* has an epoch we never had */
    own.read.fetched_epoch = 6;
    assert_int_equal(scene_read(&own), MRT_OK);
    assert_int_equal(own.read.diverged_epoch, 5);
    assert_int_equal(own.read.diverged_end, 8);

    scene_read_ready(&own, 8); /* in step */
    own.read.fetched_epoch = 5;
    assert_int_equal(scene_read(&own), MRT_OK);
    assert_int_equal(own.read.diverged_epoch, -1);
    assert_int_equal(own.read.res.next_offset, 10);
    scene_read_drop(&own);

    scene_read_ready(&own, 8); /* of a leader we do not know */
    own.read.fetched_epoch = 8;
    assert_int_equal(scene_read(&own), MRT_ERANGE);
}

static void a_new_leader_epoch_begins_behind_what_flies(void **state)
{
    (void)state;
    struct scene_append own;
    struct log_find find;
    scene_hold(KIND_APPEND);
    scene_ready(&own, 1, &(struct scene_batch){.records = 1}); /* 8, under epoch 5 */
    scene_start(&own);
    scene_await_held(KIND_APPEND);
    assert_int_equal(scene_lead(9), MRT_OK);
    assert_int_equal(scene_lead(8), MRT_EEPOCHOLD);
    scene_pass(KIND_APPEND);
    scene_release(KIND_APPEND);
    assert_int_equal(scene_end(&own), MRT_OK);
    assert_int_equal(scene_append(1, &(struct scene_batch){.records = 1}, NULL), MRT_OK); /* 9 */
    assert_int_equal(scene_line().leader_epoch, 9);
    assert_int_equal(scene_find(&find, MRT_AT_LATEST), MRT_OK);
    assert_int_equal(find.found_epoch, 9);

    struct scene_read read;
    scene_read_ready(&read, 9);
    read.read.fetched_epoch = 5;
    assert_int_equal(scene_read(&read), MRT_OK);
    assert_int_equal(read.read.diverged_epoch, -1); /* epoch 5 ends at 9, not at 8 */
    scene_read_drop(&read);
    scene_reopen(); /* which needs the bigger epoch again */
    assert_int_equal(scene_line().end, 10);
}

static void several_reads_are_in_flight_beside_an_append(void **state)
{
    (void)state;
    struct scene_append append;
    struct scene_read first;
    struct scene_read second;
    scene_hold(KIND_READ);
    scene_read_ready(&first, 0);
    log_read(scene.log, &first.read);
    scene_await_held(KIND_READ);
    scene_pass(KIND_READ);
    scene_hold(KIND_APPEND);
    scene_ready(&append, 1, &(struct scene_batch){.records = 1});
    scene_start(&append);
    scene_await_held(KIND_APPEND);
    scene_read_ready(&second, 3);
    assert_int_equal(scene_read(&second), MRT_OK); /* overtakes both */
    scene_read_drop(&second);
    scene_pass(KIND_APPEND);
    scene_release(KIND_APPEND);
    assert_int_equal(scene_end(&append), MRT_OK);
    scene_release(KIND_READ);
    scene_wait(&first.done);
    assert_int_equal(first.read.request.status, MRT_OK);
    scene_read_drop(&first);
}

static void a_failed_read_gives_no_lease(void **state)
{
    (void)state;
    struct scene_read own;
    scene_fail(KIND_READ, 0, MRT_EIO);
    scene_read_ready(&own, 0);
    assert_int_equal(scene_read(&own), MRT_EIO);
    assert_null(own.read.res.data.lease);
    assert_int_equal(own.read.res.data.n, 0);
}

/* ---- finding --------------------------------------------------------------------------------- */

static void found(int64_t timestamp_ms, int64_t offset, int64_t found_ms, int32_t epoch)
{
    struct log_find find;
    assert_int_equal(scene_find(&find, timestamp_ms), MRT_OK);
    assert_int_equal(find.offset, offset);
    assert_int_equal(find.found_ms, found_ms);
    assert_int_equal(find.found_epoch, epoch);
}

static void the_ends_are_found_without_reading(void **state)
{
    (void)state;
    found(MRT_AT_EARLIEST, 0, -1, 5);
    found(MRT_AT_EARLIEST_LOCAL, 0, -1, 5);
    found(MRT_AT_LATEST, 8, -1, 5);
    found(MRT_AT_LATEST_TIERED, -1, -1, -1);
    assert_int_equal(scene_calls(KIND_READ), 0);
}

static void a_timestamp_finds_the_first_record_not_older(void **state)
{
    (void)state;
    found(0, 0, 100, 5);
    found(100, 0, 100, 5);
    found(101, 1, 101, 5);
    found(102, 2, 102, 5);
    found(103, 5, 200, 5);
    found(202, 7, 202, 5);
    found(203, -1, -1, -1);
}

static void the_greatest_timestamp_is_found_at_its_record(void **state)
{
    (void)state;
    found(MRT_AT_MAX_TIMESTAMP, 7, 202, 5);
}

static void what_was_trimmed_is_not_found_even_inside_a_batch(void **state)
{
    (void)state;
    int64_t low;
    assert_int_equal(scene_trim(1, &low), MRT_OK);
    found(100, 1, 101, 5);
    found(MRT_AT_EARLIEST, 1, -1, 5);
    assert_int_equal(scene_trim(3, &low), MRT_OK);
    found(100, 5, 200, 5); /* 3 and 4 are older */
    found(50, 3, 50, 5);
}

static void a_failed_read_fails_the_find(void **state)
{
    (void)state;
    struct log_find find;
    scene_fail(KIND_READ, 0, MRT_EIO);
    assert_int_equal(scene_find(&find, 101), MRT_EIO);
    assert_int_equal(find.offset, -1);
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, filled, scene_teardown),                                 \
        cmocka_unit_test_setup_teardown(name, filled_pending, scene_teardown),                     \
        cmocka_unit_test_setup_teardown(name, filled_simulated, scene_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_read_gives_whole_batches_from_the_one_that_holds_the_offset),
        TEST(the_end_reads_as_nothing_and_beyond_it_is_out_of_range),
        TEST(leader_epochs_are_compared),
        TEST(a_diverged_reader_learns_where_our_epoch_ends),
        TEST(a_new_leader_epoch_begins_behind_what_flies),
        TEST(several_reads_are_in_flight_beside_an_append),
        TEST(a_failed_read_gives_no_lease),
        TEST(the_ends_are_found_without_reading),
        TEST(a_timestamp_finds_the_first_record_not_older),
        TEST(the_greatest_timestamp_is_found_at_its_record),
        TEST(what_was_trimmed_is_not_found_even_inside_a_batch),
        TEST(a_failed_read_fails_the_find),
    };
    return cmocka_run_group_tests_name("log/read", tests, NULL, NULL);
}
