/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Producers through the log, restarts, and ends: what a log knows again when it is opened, and what
 * becomes of everything that is in flight when it goes. The scene is scene.h's.
 */
#include "tests/unit/log/scene.h"

#define IDS                                                                                        \
    {                                                                                              \
        .records = 2, .producer_id = 9                                                             \
    }

/* ---- producers ------------------------------------------------------------------------------- */

static void a_duplicate_is_answered_with_its_first_offset_and_stored_once(void **state)
{
    (void)state;
    int64_t base;
    assert_int_equal(scene_append(1, &(struct scene_batch)IDS, &base), MRT_OK);
    assert_int_equal(base, 0);
    assert_int_equal(scene_append(1, &(struct scene_batch){.records = 4}, &base), MRT_OK);
    assert_int_equal(scene_append(1, &(struct scene_batch)IDS, &base), MRT_OK);
    assert_int_equal(base, 0);
    assert_int_equal(scene_line().end, 6);
}

static void five_batches_in_flight_and_a_duplicate_of_one_share_their_fate(void **state)
{
    (void)state;
    struct scene_append all[6];
    for (int32_t i = 0; i < 5; i++)
        scene_ready(&all[i], 1, &(struct scene_batch){2, 9, 0, 2 * i, 0, 0});
    scene_ready(&all[5], 1, &(struct scene_batch){2, 9, 0, 4, 0, 0}); /* again the third */
    scene_hold(KIND_APPEND);
    scene_start_all(all, 6);
    scene_await_held(KIND_APPEND);
    assert_false(scene_answered(&all[5]));
    scene_pass(KIND_APPEND);
    scene_release(KIND_APPEND);
    for (uint32_t i = 0; i < 6; i++)
        assert_int_equal(scene_end(&all[i]), MRT_OK);
    assert_int_equal(all[5].append.base_offset, 4);
    assert_int_equal(scene_line().end, 10);
}

static void a_duplicate_that_arrives_while_the_original_is_in_flight_waits_for_it(void **state)
{
    (void)state;
    struct scene_append all[2];
    scene_ready(&all[0], 1, &(struct scene_batch)IDS);
    scene_ready(&all[1], 1, &(struct scene_batch)IDS);
    scene_hold(KIND_APPEND);
    scene_start(&all[0]);
    scene_await_held(KIND_APPEND);
    scene_start(&all[1]);
    assert_false(scene_answered(&all[1]));
    scene_pass(KIND_APPEND);
    scene_release(KIND_APPEND);
    assert_int_equal(scene_end(&all[0]), MRT_OK);
    assert_int_equal(scene_end(&all[1]), MRT_OK);
    assert_int_equal(all[1].append.base_offset, 0);
    assert_int_equal(scene_calls(KIND_APPEND), 1);
}

static void a_duplicate_of_a_failed_batch_is_the_batch(void **state)
{
    (void)state;
    struct scene_append all[3];
    for (uint32_t i = 0; i < 3; i++)
        scene_ready(&all[i], 1, &(struct scene_batch)IDS);
    scene_hold(KIND_APPEND);
    scene_fail(KIND_APPEND, 0, MRT_ENOSPC);
    scene_start_all(all, 2); /* both in one flight: both fail */
    scene_await_held(KIND_APPEND);
    scene_start(&all[2]);
    scene_settle();
    scene_pass(KIND_APPEND);
    scene_release(KIND_APPEND);
    assert_int_equal(scene_end(&all[0]), MRT_ENOSPC);
    assert_int_equal(scene_end(&all[1]), MRT_ENOSPC);
    assert_int_equal(scene_end(&all[2]), MRT_OK);
    assert_int_equal(all[2].append.base_offset, 0);
    assert_int_equal(scene_line().end, 2);
}

static void what_follows_a_failed_batch_is_out_of_sequence(void **state)
{
    (void)state;
    struct scene_append all[2];
    assert_int_equal(scene_append(1, &(struct scene_batch)IDS, NULL), MRT_OK);
    scene_ready(&all[0], 1, &(struct scene_batch){2, 9, 0, 2, 0, 0});
    scene_ready(&all[1], 1, &(struct scene_batch){2, 9, 0, 4, 0, 0});
    scene_hold(KIND_APPEND);
    scene_fail(KIND_APPEND, 0, MRT_ENOSPC);
    scene_start(&all[0]);
    scene_await_held(KIND_APPEND);
    scene_start(&all[1]);
    scene_settle();
    scene_pass(KIND_APPEND);
    scene_release(KIND_APPEND);
    assert_int_equal(scene_end(&all[0]), MRT_ENOSPC);
    assert_int_equal(scene_end(&all[1]), MRT_ESEQUENCE);
    assert_non_null(all[1].append.text);
    assert_int_equal(scene_line().end, 2);
}

static void a_duplicate_waits_until_its_original_is_durable(void **state)
{
    (void)state;
    script.durable = true;
    scene.config.flush = LOG_FLUSH_ACK;
    assert_int_equal(scene_close(), MRT_OK);
    log_unref(scene.log);
    scene_new();
    assert_int_equal(scene_open(), MRT_OK);

    struct scene_append all[2];
    scene_ready(&all[0], 1, &(struct scene_batch)IDS);
    scene_ready(&all[1], 1, &(struct scene_batch)IDS);
    scene_hold(KIND_FLUSH);
    scene_start(&all[0]);
    scene_await_held(KIND_FLUSH);
    scene_start(&all[1]);
    assert_false(scene_answered(&all[1]));
    scene_pass(KIND_FLUSH);
    scene_release(KIND_FLUSH);
    assert_int_equal(scene_end(&all[0]), MRT_OK);
    assert_int_equal(scene_end(&all[1]), MRT_OK);
    assert_int_equal(all[1].append.base_offset, 0);
    assert_int_equal(scene_line().end, 2);
}

/* ---- restarts -------------------------------------------------------------------------------- */

static void a_closed_log_opens_with_what_it_knew(void **state)
{
    (void)state;
    int64_t base;
    assert_int_equal(scene_append(1, &(struct scene_batch)IDS, NULL), MRT_OK);
    assert_int_equal(scene_append(1, &(struct scene_batch){.records = 3}, NULL), MRT_OK);
    scene.leader_epoch = 6;
    scene_reopen();
    struct log_line line = scene_line();
    assert_int_equal(line.end, 5);
    assert_int_equal(line.high_watermark, 5);
    assert_int_equal(line.leader_epoch, 6);
    assert_int_equal(scene_calls(KIND_READ), 0); /* the snapshot at the end says it all */
    assert_int_equal(scene_append(1, &(struct scene_batch)IDS, &base), MRT_OK);
    assert_int_equal(base, 0);
    assert_int_equal(
        scene_append(1, &(struct scene_batch){2, 9, 0, 4, 0, 0}, &base), MRT_ESEQUENCE);
    assert_int_equal(scene_append(1, &(struct scene_batch){2, 9, 0, 2, 0, 0}, &base), MRT_OK);
}

static void without_snapshots_producers_are_learnt_from_the_batches(void **state)
{
    (void)state;
    int64_t base;
    for (int32_t i = 0; i < 7; i++)
        assert_int_equal(
            scene_append(1, &(struct scene_batch){2, 9, 0, 2 * i, 0, 0}, NULL), MRT_OK);
    scene_fail(KIND_PUT, 0, MRT_ENOSPC);
    assert_int_equal(scene_close(), MRT_ENOSPC);
    scene_pass(KIND_PUT);
    log_unref(scene.log);
    scene_new();
    assert_int_equal(scene_open(), MRT_OK);
    assert_true(scene_calls(KIND_READ) > 0);
    for (int32_t i = 2; i < 7; i++) { /* all five, which a snapshot would not have */
        assert_int_equal(
            scene_append(1, &(struct scene_batch){2, 9, 0, 2 * i, 0, 0}, &base), MRT_OK);
        assert_int_equal(base, 2 * i);
    }
    assert_int_equal(
        scene_append(1, &(struct scene_batch){2, 9, 0, 2, 0, 0}, &base), MRT_EDUPLICATE);
    assert_int_equal(scene_line().end, 14);
}

static void what_was_appended_behind_a_snapshot_is_replayed(void **state)
{
    (void)state;
    int64_t base;
    assert_int_equal(scene_append(1, &(struct scene_batch)IDS, NULL), MRT_OK);
    scene_reopen(); /* a snapshot at 2 */
    assert_int_equal(scene_append(1, &(struct scene_batch){2, 9, 0, 2, 0, 0}, NULL), MRT_OK);
    assert_int_equal(scene_append(1, &(struct scene_batch){2, 8, 3, 0, 0, 0}, NULL), MRT_OK);
    scene_fail(KIND_PUT, 0, MRT_ENOSPC);
    assert_int_equal(scene_close(), MRT_ENOSPC);
    scene_pass(KIND_PUT);
    log_unref(scene.log);
    scene_new();
    assert_int_equal(scene_open(), MRT_OK);
    assert_int_equal(scene_append(1, &(struct scene_batch)IDS, &base), MRT_OK);
    assert_int_equal(base, 0);
    assert_int_equal(scene_append(1, &(struct scene_batch){2, 9, 0, 2, 0, 0}, &base), MRT_OK);
    assert_int_equal(base, 2);
    assert_int_equal(
        scene_append(1, &(struct scene_batch){2, 8, 2, 0, 0, 0}, &base), MRT_EPRODUCEROLD);
}

/* The process ends without writing side files. */
static void crash(void)
{
    scene_fail(KIND_PUT, 0, MRT_ENOSPC);
    assert_int_equal(scene_close(), MRT_ENOSPC);
    scene_pass(KIND_PUT);
    log_unref(scene.log);
    scene_new();
    assert_int_equal(scene_open(), MRT_OK);
}

/* As after a power cut that took the log's tail: side files may be ahead of it. */
static void a_snapshot_from_beyond_the_end_is_not_believed(void **state)
{
    (void)state;
    int64_t base;
    int64_t snapshots[4];
    assert_int_equal(scene_append(1, &(struct scene_batch)IDS, NULL), MRT_OK);
    scene_put_snapshot(4);
    scene_put_snapshot(1000);
    crash();
    assert_int_equal(scene_append(1, &(struct scene_batch)IDS, &base), MRT_OK);
    assert_int_equal(base, 0); /* the snapshot says producer 9 is unknown */
    assert_int_equal(scene_line().end, 2);
    assert_int_equal(scene_snapshots(snapshots, 4), 0);
}

static void a_snapshot_from_beyond_the_end_is_not_believed_when_the_end_is_beyond_it(void **state)
{
    (void)state;
    int64_t base;
    assert_int_equal(scene_append(1, &(struct scene_batch)IDS, NULL), MRT_OK);
    scene_put_snapshot(4);
    crash();
    assert_int_equal(scene_append(1, &(struct scene_batch){2, 9, 0, 2, 0, 0}, NULL), MRT_OK);
    assert_int_equal(scene_append(1, &(struct scene_batch){.records = 3}, NULL), MRT_OK);
    crash();
    assert_int_equal(scene_append(1, &(struct scene_batch){2, 9, 0, 2, 0, 0}, &base), MRT_OK);
    assert_int_equal(base, 2);
    assert_int_equal(scene_append(1, &(struct scene_batch){2, 9, 0, 4, 0, 0}, &base), MRT_OK);
    assert_int_equal(base, 7);
}

static void an_epoch_from_beyond_the_end_is_not_believed(void **state)
{
    (void)state;
    struct scene_read read;
    char text[] = "0\n2\n5 0\n6 40\n";
    assert_int_equal(scene_append(1, &(struct scene_batch)IDS, NULL), MRT_OK);
    scene_put_epochs(text);
    scene.leader_epoch = 6;
    crash();
    scene_read_ready(&read, 30); /* a reader that has what we lost */
    read.read.fetched_epoch = 5;
    assert_int_equal(scene_read(&read), MRT_OK);
    assert_int_equal(read.read.diverged_epoch, 5);
    assert_int_equal(read.read.diverged_end, 2);
}

static void a_log_that_cannot_be_recovered_does_not_open_and_can_be_tried_again(void **state)
{
    (void)state;
    assert_int_equal(scene_append(1, &(struct scene_batch)IDS, NULL), MRT_OK);
    scene_fail(KIND_PUT, 0, MRT_ENOSPC);
    assert_int_equal(scene_close(), MRT_ENOSPC);
    scene_pass(KIND_PUT);
    log_unref(scene.log);
    scene_new();
    scene_fail(KIND_READ, 0, MRT_EIO);
    assert_int_equal(scene_open(), MRT_EIO);
    assert_int_equal(scene_line().state, MRT_EAGAIN);
    assert_int_equal(scene_append(1, &(struct scene_batch)IDS, NULL), MRT_EAGAIN);
    scene_pass(KIND_READ);
    assert_int_equal(scene_open(), MRT_OK);
    assert_int_equal(scene_line().end, 2);
    assert_int_equal(scene_open(), MRT_EBUSY);
}

/* ---- ends ------------------------------------------------------------------------------------ */

static void after_a_close_everything_is_gone(void **state)
{
    (void)state;
    struct scene_read read;
    struct log_find find;
    int64_t low;
    assert_int_equal(scene_append(1, &(struct scene_batch)IDS, NULL), MRT_OK);
    assert_int_equal(scene_close(), MRT_OK);
    assert_int_equal(scene_line().state, MRT_EGONE);
    assert_int_equal(scene_append(1, &(struct scene_batch)IDS, NULL), MRT_EGONE);
    scene_read_ready(&read, 0);
    assert_int_equal(scene_read(&read), MRT_EGONE);
    assert_null(read.read.res.data.lease);
    assert_int_equal(scene_find(&find, MRT_AT_LATEST), MRT_EGONE);
    assert_int_equal(scene_trim(-1, &low), MRT_EGONE);
    assert_int_equal(scene_maintain(), MRT_EGONE);
    assert_int_equal(scene_configure(), MRT_EGONE);
}

struct ending {
    struct log_request request;
    struct live_event done;
};

static void ending_done(struct log_request *request)
{
    live_signal(&CONTAINER(request, struct ending, request)->done);
}

static void begin(struct ending *own, void (*call)(struct log *log, struct log_request *request))
{
    memset(own, 0, sizeof *own);
    own->request.done = ending_done;
    own->request.exec = runtime_reactor(scene.runtime, 0);
    live_event_init(&own->done);
    call(scene.log, &own->request);
}

static void a_close_waits_for_what_is_in_flight_and_acknowledges_it(void **state)
{
    (void)state;
    struct scene_append all[2];
    struct ending close;
    scene_ready(&all[0], 1, &(struct scene_batch)IDS);
    scene_ready(&all[1], 1, &(struct scene_batch)IDS);
    scene_hold(KIND_APPEND);
    scene_start(&all[0]);
    scene_await_held(KIND_APPEND);
    scene_start(&all[1]);
    scene_settle();
    begin(&close, log_close);
    assert_int_equal(scene_end(&all[1]), MRT_EGONE); /* had not begun */
    assert_false(scene_answered(&all[0]));
    scene_pass(KIND_APPEND);
    scene_release(KIND_APPEND);
    assert_int_equal(scene_end(&all[0]), MRT_OK);
    scene_wait(&close.done);
    assert_int_equal(close.request.status, MRT_OK);
    assert_int_equal(scene_calls(KIND_CLOSE), 1);
}

static void a_delete_ends_all_that_waits_and_leaves_nothing(void **state)
{
    (void)state;
    script.durable = true;
    scene.config.flush = LOG_FLUSH_ACK;
    assert_int_equal(scene_close(), MRT_OK);
    log_unref(scene.log);
    scene_new();
    assert_int_equal(scene_open(), MRT_OK);
    assert_int_equal(scene_append(1, &(struct scene_batch){.records = 1}, NULL), MRT_OK);

    struct scene_append all[4];
    struct scene_read read;
    struct ending deletion;
    for (int32_t i = 0; i < 4; i++)
        scene_ready(&all[i], 1, &(struct scene_batch){.records = 1});
    scene_hold(KIND_FLUSH);
    scene_start(&all[0]); /* stored, waits for its flush */
    scene_await_held(KIND_FLUSH);
    scene_hold(KIND_APPEND);
    scene_start(&all[1]); /* in flight */
    scene_await_held(KIND_APPEND);
    scene_start(&all[2]); /* queued */
    scene_start(&all[3]);
    scene_hold(KIND_READ);
    scene_read_ready(&read, 0);
    log_read(scene.log, &read.read); /* in flight */
    scene_await_held(KIND_READ);

    begin(&deletion, log_delete);
    assert_int_equal(scene_end(&all[0]), MRT_EGONE);
    assert_int_equal(scene_end(&all[2]), MRT_EGONE);
    assert_int_equal(scene_end(&all[3]), MRT_EGONE);
    assert_false(scene_answered(&all[1]));
    for (uint32_t i = 0; i < KINDS; i++)
        scene_pass((enum scene_kind)i);
    scene_release(KIND_READ);
    scene_wait(&read.done);
    assert_int_equal(read.read.request.status, MRT_OK);
    scene_release(KIND_FLUSH);
    assert_int_equal(scene_calls(KIND_CLOSE), 1); /* that was before: an append is in flight */
    scene_release(KIND_APPEND);
    assert_int_equal(scene_end(&all[1]), MRT_EGONE);
    scene_wait(&deletion.done);
    assert_int_equal(deletion.request.status, MRT_OK);
    scene_read_drop(&read); /* what is pinned outlives it */

    log_unref(scene.log);
    scene_new();
    assert_int_equal(scene_open(), MRT_OK);
    assert_int_equal(scene_line().end, 0);
}

static void a_close_waits_for_reads_and_flushes(void **state)
{
    (void)state;
    script.durable = true;
    scene.config.flush = LOG_FLUSH_ACK;
    scene_reopen();
    assert_int_equal(scene_append(1, &(struct scene_batch){.records = 1}, NULL), MRT_OK);
    struct scene_append append;
    struct scene_append later;
    struct scene_read read;
    struct ending close;
    uint32_t closes = scene_calls(KIND_CLOSE);
    scene_hold(KIND_READ);
    scene_hold(KIND_FLUSH);
    scene_read_ready(&read, 0);
    log_read(scene.log, &read.read);
    scene_await_held(KIND_READ);
    scene_ready(&append, 1, &(struct scene_batch){.records = 1});
    scene_start(&append);
    scene_await_held(KIND_FLUSH);
    scene_ready(&later, -1, &(struct scene_batch){.records = 1});
    scene_start(&later); /* not covered by that flush, but by the close's own */
    for (uint32_t i = 0; i < 1000 && scene_line().end < 3; i++)
        scene_pause(1);
    begin(&close, log_close);
    scene_settle();
    scene_pass(KIND_READ);
    scene_pass(KIND_FLUSH);
    scene_release(KIND_READ);
    scene_wait(&read.done);
    scene_settle();
    assert_int_equal(scene_calls(KIND_CLOSE), closes); /* the flush is still out */
    scene_release(KIND_FLUSH);
    scene_wait(&close.done);
    assert_int_equal(close.request.status, MRT_OK);
    assert_int_equal(scene_end(&append), MRT_OK);
    assert_int_equal(scene_end(&later), MRT_OK);
    scene_read_drop(&read);

    log_unref(scene.log);
    scene_new();
    assert_int_equal(scene_open(), MRT_OK);
    closes = scene_calls(KIND_CLOSE);
    scene_hold(KIND_READ);
    scene_read_ready(&read, 0);
    log_read(scene.log, &read.read);
    scene_await_held(KIND_READ);
    begin(&close, log_close);
    scene_settle();
    assert_int_equal(scene_calls(KIND_CLOSE), closes);
    scene_pass(KIND_READ);
    scene_release(KIND_READ);
    scene_wait(&read.done);
    scene_wait(&close.done);
    scene_read_drop(&read);
}

static void deleting_a_closed_or_unopened_log_removes_it(void **state)
{
    (void)state;
    assert_int_equal(scene_append(1, &(struct scene_batch)IDS, NULL), MRT_OK);
    assert_int_equal(scene_close(), MRT_OK);
    log_unref(scene.log);
    scene_new();
    assert_int_equal(scene_delete(), MRT_OK);
    assert_int_equal(scene_delete(), MRT_OK); /* gone already */
    log_unref(scene.log);
    scene_new();
    assert_int_equal(scene_open(), MRT_OK);
    assert_int_equal(scene_line().end, 0);
}

static void a_failed_flush_at_close_is_told_and_acknowledges_nobody(void **state)
{
    (void)state;
    script.durable = true;
    scene.config.flush = LOG_FLUSH_NONE;
    assert_int_equal(scene_close(), MRT_OK);
    log_unref(scene.log);
    scene_new();
    assert_int_equal(scene_open(), MRT_OK);
    assert_int_equal(scene_append(1, &(struct scene_batch){.records = 1}, NULL), MRT_OK);
    scene_settle();
    uint32_t puts = scene_calls(KIND_PUT);
    scene_fail(KIND_FLUSH, 0, MRT_EIO);
    assert_int_equal(scene_close(), MRT_EIO);
    assert_int_equal(scene_calls(KIND_PUT), puts); /* a snapshot would promise what may be lost */
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown),                            \
        cmocka_unit_test_setup_teardown(name, scene_setup_pending, scene_teardown),                \
        cmocka_unit_test_setup_teardown(name, scene_setup_simulated, scene_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_duplicate_is_answered_with_its_first_offset_and_stored_once),
        TEST(five_batches_in_flight_and_a_duplicate_of_one_share_their_fate),
        TEST(a_duplicate_that_arrives_while_the_original_is_in_flight_waits_for_it),
        TEST(a_duplicate_of_a_failed_batch_is_the_batch),
        TEST(what_follows_a_failed_batch_is_out_of_sequence),
        TEST(a_duplicate_waits_until_its_original_is_durable),
        TEST(a_closed_log_opens_with_what_it_knew),
        TEST(without_snapshots_producers_are_learnt_from_the_batches),
        TEST(what_was_appended_behind_a_snapshot_is_replayed),
        TEST(a_snapshot_from_beyond_the_end_is_not_believed),
        TEST(a_snapshot_from_beyond_the_end_is_not_believed_when_the_end_is_beyond_it),
        TEST(an_epoch_from_beyond_the_end_is_not_believed),
        TEST(a_log_that_cannot_be_recovered_does_not_open_and_can_be_tried_again),
        TEST(after_a_close_everything_is_gone),
        TEST(a_close_waits_for_what_is_in_flight_and_acknowledges_it),
        TEST(a_delete_ends_all_that_waits_and_leaves_nothing),
        TEST(a_close_waits_for_reads_and_flushes),
        TEST(deleting_a_closed_or_unopened_log_removes_it),
        TEST(a_failed_flush_at_close_is_told_and_acknowledges_nobody),
    };
    return cmocka_run_group_tests_name("log/life", tests, NULL, NULL);
}
