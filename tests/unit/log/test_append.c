/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate, the order of answers, what acks wait for, and what is seen after a failure. The scene
 * is scene.h's: an open, empty log of leader epoch 5; each rule is tested with storage that answers
 * at once and with storage that always pends.
 */
#include "tests/unit/log/scene.h"

static void an_append_is_answered_with_its_offset_and_readable(void **state)
{
    (void)state;
    int64_t base = -1;
    assert_int_equal(scene_append(1, &(struct scene_batch){.records = 3}, &base), MRT_OK);
    assert_int_equal(base, 0);
    assert_int_equal(scene_append(-1, &(struct scene_batch){.records = 2}, &base), MRT_OK);
    assert_int_equal(base, 3);
    assert_int_equal(scene_append(0, &(struct scene_batch){.records = 1}, &base), MRT_OK);
    assert_int_equal(base, 5);

    struct log_line line = scene_line();
    assert_int_equal(line.state, MRT_OK);
    assert_int_equal(line.end, 6);
    assert_int_equal(line.high_watermark, 6);
    assert_int_equal(line.last_stable, 6);
    assert_int_equal(line.leader_epoch, 5);

    struct scene_read own;
    scene_read_ready(&own, 0);
    assert_int_equal(scene_read(&own), MRT_OK);
    assert_int_equal(own.read.res.next_offset, 6);
    struct kit_batch batch;
    const uint8_t *bytes = (const uint8_t *)(uintptr_t)own.slices[0].ref + own.slices[0].off;
    assert_int_equal(record_batch(bytes, own.slices[0].len, &batch), MRT_OK);
    assert_int_equal(batch.base_offset, 0);
    assert_int_equal(batch.leader_epoch, 5);
    assert_true(kit_batch_sum_ok(bytes, batch.size));
    scene_read_drop(&own);
}

static void appends_of_one_turn_are_one_storage_append(void **state)
{
    (void)state;
    struct scene_append all[8];
    for (uint32_t i = 0; i < 8; i++)
        scene_ready(&all[i], 1, &(struct scene_batch){.records = 1});
    scene_start_all(all, 8);
    for (uint32_t i = 0; i < 8; i++) {
        assert_int_equal(scene_end(&all[i]), MRT_OK);
        assert_int_equal(all[i].append.base_offset, i);
        assert_int_equal(all[i].order, i);
    }
    assert_int_equal(scene_calls(KIND_APPEND), 1);
    assert_int_equal(script.batches_max, 8);
}

static void one_append_is_in_flight_and_what_arrives_meanwhile_is_the_next(void **state)
{
    (void)state;
    struct scene_append all[9];
    for (uint32_t i = 0; i < 9; i++)
        scene_ready(&all[i], 1, &(struct scene_batch){.records = 2});
    scene_hold(KIND_APPEND);
    scene_start(&all[0]);
    scene_await_held(KIND_APPEND);
    for (uint32_t i = 1; i < 9; i++)
        scene_start(&all[i]);
    assert_false(scene_answered(&all[0]));
    assert_int_equal(scene_line().end, 0); /* assigned, not published */
    scene_pass(KIND_APPEND);
    scene_release(KIND_APPEND);
    for (uint32_t i = 0; i < 9; i++) {
        assert_int_equal(scene_end(&all[i]), MRT_OK);
        assert_int_equal(all[i].append.base_offset, 2 * i);
    }
    assert_int_equal(scene_calls(KIND_APPEND), 2);
}

static void a_failed_append_changes_nothing_that_anyone_sees(void **state)
{
    (void)state;
    const struct scene_batch first = {.records = 2, .producer_id = 9};
    const struct scene_batch second = {.records = 2, .producer_id = 9, .sequence = 2};
    int64_t base;
    assert_int_equal(scene_append(1, &first, &base), MRT_OK);
    struct log_line before = scene_line();

    scene_fail(KIND_APPEND, 0, MRT_ENOSPC);
    assert_int_equal(scene_append(1, &second, &base), MRT_ENOSPC);
    assert_int_equal(base, -1);
    struct log_line after = scene_line();
    assert_memory_equal(&after, &before, sizeof after);

    scene_pass(KIND_APPEND);
    assert_int_equal(scene_append(1, &second, &base), MRT_OK); /* the sequence is still expected */
    assert_int_equal(base, 2);
}

static void a_failure_fails_all_that_flew_together_and_none_that_waited(void **state)
{
    (void)state;
    struct scene_append all[4];
    for (uint32_t i = 0; i < 4; i++)
        scene_ready(&all[i], 1, &(struct scene_batch){.records = 1});
    scene_hold(KIND_APPEND);
    scene_fail(KIND_APPEND, 0, MRT_EIO);
    scene_start_all(all, 2);
    scene_await_held(KIND_APPEND);
    scene_start_all(all + 2, 2);
    scene_pass(KIND_APPEND);
    scene_release(KIND_APPEND);
    assert_int_equal(scene_end(&all[0]), MRT_EIO);
    assert_int_equal(scene_end(&all[1]), MRT_EIO);
    assert_int_equal(scene_end(&all[2]), MRT_OK);
    assert_int_equal(scene_end(&all[3]), MRT_OK);
    assert_int_equal(all[2].append.base_offset, 0);
    assert_int_equal(scene_line().end, 2);
}

static void a_stale_or_unknown_leader_epoch_is_refused(void **state)
{
    (void)state;
    struct scene_append own;
    scene_ready(&own, 1, &(struct scene_batch){.records = 1});
    own.append.leader_epoch = 4;
    scene_start(&own);
    assert_int_equal(scene_end(&own), MRT_EEPOCHOLD);
    scene_ready(&own, 1, &(struct scene_batch){.records = 1});
    own.append.leader_epoch = 6;
    scene_start(&own);
    assert_int_equal(scene_end(&own), MRT_EEPOCHNEW);
    assert_int_equal(scene_line().end, 0);
}

static void append_time_is_stamped_and_told(void **state)
{
    (void)state;
    scene.config.append_time = true;
    assert_int_equal(scene_configure(), MRT_OK);
    struct scene_append own;
    scene_ready(&own, 1, &(struct scene_batch){.records = 1, .timestamp_ms = 77});
    scene_start(&own);
    assert_int_equal(scene_end(&own), MRT_OK);
    assert_true(own.append.append_time_ms > INT64_C(1600000000000));
    struct log_find find;
    assert_int_equal(scene_find(&find, MRT_AT_MAX_TIMESTAMP), MRT_OK);
    assert_true(find.found_ms == own.append.append_time_ms);
}

static void a_slice_that_is_no_whole_batch_is_corrupt(void **state)
{
    (void)state;
    struct scene_append own;
    scene_ready(&own, 1, &(struct scene_batch){.records = 1});
    own.slice.len--;
    scene_start(&own);
    assert_int_equal(scene_end(&own), MRT_ECORRUPT);
    assert_int_equal(scene_calls(KIND_APPEND), 0);
}

/* Two batches in one append, the second one of a sequence that does not follow. */
static void an_append_is_stored_whole_or_not_at_all(void **state)
{
    (void)state;
    int64_t base;
    struct scene_append own;
    struct scene_append second;
    assert_int_equal(
        scene_append(1, &(struct scene_batch){.records = 1, .producer_id = 9}, &base), MRT_OK);
    scene_ready(&own, 1, &(struct scene_batch){.records = 1});
    scene_ready(&second, 1, &(struct scene_batch){1, 9, 0, 7, 0, 0});
    mrt_slice both[2] = {own.slice, second.slice};
    own.append.batches.v = both;
    own.append.batches.n = 2;
    own.append.batches.bytes += second.slice.len;
    struct scene_append pair[2];
    pair[0] = own;
    live_event_init(&pair[0].done);
    scene_ready(&pair[1], 1, &(struct scene_batch){.records = 1});
    scene_start_all(pair, 2); /* the good one flies as if the other had never been */
    assert_int_equal(scene_end(&pair[0]), MRT_ESEQUENCE);
    assert_int_equal(pair[0].append.base_offset, -1);
    assert_int_equal(scene_end(&pair[1]), MRT_OK);
    assert_int_equal(pair[1].append.base_offset, 1);
    assert_int_equal(scene_line().end, 2);
    lease_release(second.append.batches.lease);
}

static void what_a_full_segment_gave_back_keeps_its_order(void **state)
{
    (void)state;
    struct scene_append all[5];
    assert_int_equal(scene_append(1, &(struct scene_batch){.records = 1}, NULL), MRT_OK);
    for (uint32_t i = 0; i < 5; i++)
        scene_ready(&all[i], 1, &(struct scene_batch){.records = 1});
    script.full_once = true;
    scene_start_all(all, 5);
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(scene_end(&all[i]), MRT_OK);
        assert_int_equal(all[i].append.base_offset, 1 + i);
    }
    assert_int_equal(scene_calls(KIND_ROLL), 1);
}

/* ---- flush=ack ------------------------------------------------------------------------------- */

static void use_ack(void)
{
    script.durable = true;
    scene.config.flush = LOG_FLUSH_ACK;
    assert_int_equal(scene_close(), MRT_OK);
    log_unref(scene.log);
    scene_new();
    assert_int_equal(scene_open(), MRT_OK);
}

static void under_flush_ack_nothing_is_acknowledged_or_read_before_it_is_durable(void **state)
{
    (void)state;
    use_ack();
    struct scene_append all[3];
    scene_hold(KIND_FLUSH);
    for (int32_t i = 0; i < 3; i++)
        scene_ready(&all[i], i - 1, &(struct scene_batch){.records = 1});
    scene_start_all(all, 3);
    scene_await_held(KIND_FLUSH);
    assert_true(scene_answered(&all[1])); /* acks=0 waits for nothing */
    assert_false(scene_answered(&all[0]));
    assert_false(scene_answered(&all[2]));
    struct log_line line = scene_line();
    assert_int_equal(line.end, 3);
    assert_int_equal(line.stable_end, 0);
    assert_int_equal(line.high_watermark, 0);
    scene_pass(KIND_FLUSH);
    scene_release(KIND_FLUSH);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(scene_end(&all[i]), MRT_OK);
    assert_int_equal(scene_line().high_watermark, 3);
}

static void the_next_append_runs_while_a_flush_is_in_flight(void **state)
{
    (void)state;
    use_ack();
    struct scene_append first;
    struct scene_append second;
    scene_ready(&first, 1, &(struct scene_batch){.records = 1});
    scene_ready(&second, 1, &(struct scene_batch){.records = 1});
    scene_hold(KIND_FLUSH);
    scene_start(&first);
    scene_await_held(KIND_FLUSH);
    scene_start(&second);
    for (uint32_t i = 0; i < 1000 && scene_line().end < 2; i++)
        scene_pause(1);
    assert_int_equal(scene_line().end, 2); /* appended behind its back */
    scene_release(KIND_FLUSH);             /* the first one: up to 1 */
    assert_int_equal(scene_end(&first), MRT_OK);
    assert_int_equal(scene_line().stable_end, 1);
    assert_false(scene_answered(&second));
    scene_pass(KIND_FLUSH);
    scene_release(KIND_FLUSH);
    assert_int_equal(scene_end(&second), MRT_OK);
    assert_int_equal(scene_calls(KIND_FLUSH), 2);
}

static void a_failed_flush_takes_the_log_offline_and_acknowledges_nobody(void **state)
{
    (void)state;
    use_ack();
    int64_t base;
    scene_fail(KIND_FLUSH, 0, MRT_EIO);
    assert_int_equal(scene_append(1, &(struct scene_batch){.records = 1}, &base), MRT_EIO);
    assert_int_equal(scene_line().state, MRT_EOFFLINE);
    assert_int_equal(scene_line().high_watermark, 0);
    assert_int_equal(scene_append(1, &(struct scene_batch){.records = 1}, &base), MRT_EOFFLINE);
}

static void cancel_on_reactor(void *arg)
{
    struct scene_append *own = arg;
    log_append_cancel(scene.log, &own->append);
}

static void a_cancelled_append_that_is_stored_times_out_and_its_records_stay(void **state)
{
    (void)state;
    use_ack();
    struct scene_append own;
    scene_ready(&own, 1, &(struct scene_batch){.records = 1});
    scene_hold(KIND_FLUSH);
    scene_start(&own);
    scene_await_held(KIND_FLUSH);
    scene_inside(own.append.request.exec, cancel_on_reactor, &own);
    assert_int_equal(scene_end(&own), MRT_ETIMEDOUT);
    scene_pass(KIND_FLUSH);
    scene_release(KIND_FLUSH);
    assert_int_equal(scene_append(1, &(struct scene_batch){.records = 1}, NULL), MRT_OK);
    assert_int_equal(scene_line().high_watermark, 2);
}

static void a_cancel_before_it_is_stored_changes_nothing(void **state)
{
    (void)state;
    struct scene_append own;
    scene_ready(&own, 1, &(struct scene_batch){.records = 1});
    scene_hold(KIND_APPEND);
    scene_start(&own);
    scene_await_held(KIND_APPEND);
    scene_inside(own.append.request.exec, cancel_on_reactor, &own);
    assert_false(scene_answered(&own));
    scene_pass(KIND_APPEND);
    scene_release(KIND_APPEND);
    assert_int_equal(scene_end(&own), MRT_OK);
}

static void a_cancel_before_it_is_stored_is_not_forgotten(void **state)
{
    (void)state;
    use_ack();
    struct scene_append own;
    scene_ready(&own, 1, &(struct scene_batch){.records = 1});
    scene_hold(KIND_APPEND);
    scene_hold(KIND_FLUSH);
    scene_start(&own);
    scene_await_held(KIND_APPEND);
    scene_inside(own.append.request.exec, cancel_on_reactor, &own);
    assert_false(scene_answered(&own));
    scene_pass(KIND_APPEND);
    scene_release(KIND_APPEND);
    assert_int_equal(scene_end(&own), MRT_ETIMEDOUT); /* the flush still hangs */
    scene_await_held(KIND_FLUSH);                     /* it may begin after the answer */
    scene_pass(KIND_FLUSH);
    scene_release(KIND_FLUSH);
    assert_int_equal(scene_append(1, &(struct scene_batch){.records = 1}, NULL), MRT_OK);
    assert_int_equal(scene_line().high_watermark, 2);
}

static uint32_t still_cancelling;

static void release_and_cancel(void *arg)
{
    struct scene_append *own = arg;
    scene_release(KIND_APPEND);
    log_append_cancel(scene.log, &own->append);
}

static void done_checks_cancel(struct log_request *request)
{
    struct scene_append *own = CONTAINER(request, struct scene_append, append.request);
    still_cancelling += own->append.cancelling;
    own->answers++;
    live_signal(&own->done);
}

/* The answer is on its way home when the cancel is still on its way out: done may free the append,
 * so it has to wait for the cancel. */
static void done_waits_for_a_cancel_that_is_under_way(void **state)
{
    (void)state;
    still_cancelling = 0;
    for (uint32_t i = 0; i < 50; i++) {
        struct scene_append own;
        scene_ready(&own, 1, &(struct scene_batch){.records = 1});
        own.append.request.done = done_checks_cancel;
        scene_hold(KIND_APPEND);
        scene_start(&own);
        scene_await_held(KIND_APPEND);
        scene_pass(KIND_APPEND);
        scene_inside(own.append.request.exec, release_and_cancel, &own);
        assert_int_equal(scene_end(&own), MRT_OK);
    }
    assert_int_equal(still_cancelling, 0);
}

static void what_is_stored_when_the_log_is_offline_already_is_not_acknowledged(void **state)
{
    (void)state;
    use_ack();
    struct scene_append all[2];
    scene_hold(KIND_FLUSH);
    scene_fail(KIND_FLUSH, 0, MRT_EIO);
    for (uint32_t i = 0; i < 2; i++)
        scene_ready(&all[i], 1, &(struct scene_batch){.records = 1});
    scene_start(&all[0]);
    scene_await_held(KIND_FLUSH);
    scene_hold(KIND_APPEND);
    scene_start(&all[1]);
    scene_await_held(KIND_APPEND);
    scene_release(KIND_FLUSH);
    assert_int_equal(scene_end(&all[0]), MRT_EIO);
    scene_pass(KIND_APPEND);
    scene_release(KIND_APPEND);
    assert_int_equal(scene_end(&all[1]), MRT_EIO);
}

static void interval_flushes_by_its_timer_and_acknowledges_before(void **state)
{
    (void)state;
    script.durable = true;
    scene.config.flush = LOG_FLUSH_INTERVAL;
    scene.config.flush_interval_ms = 5;
    assert_int_equal(scene_close(), MRT_OK);
    log_unref(scene.log);
    scene_new();
    assert_int_equal(scene_open(), MRT_OK);
    assert_int_equal(scene_append(1, &(struct scene_batch){.records = 1}, NULL), MRT_OK);
    for (uint32_t i = 0; i < 5000 && scene_calls(KIND_FLUSH) == 0; i++)
        scene_pause(1);
    assert_int_equal(scene_calls(KIND_FLUSH), 1);
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown),                            \
        cmocka_unit_test_setup_teardown(name, scene_setup_pending, scene_teardown),                \
        cmocka_unit_test_setup_teardown(name, scene_setup_simulated, scene_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_append_is_answered_with_its_offset_and_readable),
        TEST(appends_of_one_turn_are_one_storage_append),
        TEST(one_append_is_in_flight_and_what_arrives_meanwhile_is_the_next),
        TEST(a_failed_append_changes_nothing_that_anyone_sees),
        TEST(a_failure_fails_all_that_flew_together_and_none_that_waited),
        TEST(a_stale_or_unknown_leader_epoch_is_refused),
        TEST(append_time_is_stamped_and_told),
        TEST(a_slice_that_is_no_whole_batch_is_corrupt),
        TEST(an_append_is_stored_whole_or_not_at_all),
        TEST(what_a_full_segment_gave_back_keeps_its_order),
        TEST(under_flush_ack_nothing_is_acknowledged_or_read_before_it_is_durable),
        TEST(the_next_append_runs_while_a_flush_is_in_flight),
        TEST(a_failed_flush_takes_the_log_offline_and_acknowledges_nobody),
        TEST(a_cancelled_append_that_is_stored_times_out_and_its_records_stay),
        TEST(a_cancel_before_it_is_stored_changes_nothing),
        TEST(a_cancel_before_it_is_stored_is_not_forgotten),
        TEST(done_waits_for_a_cancel_that_is_under_way),
        TEST(what_is_stored_when_the_log_is_offline_already_is_not_acknowledged),
        TEST(interval_flushes_by_its_timer_and_acknowledges_before),
    };
    return cmocka_run_group_tests_name("log/append", tests, NULL, NULL);
}
