/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records through a whole broker: produced on one reactor, read on another, waited for. On one
 * reactor of 1 and of 4; every test has a broker of its own, which ends in order afterwards.
 */
#include "tests/unit/broker/bench.h"

static struct bench bench;

static int start(void **state)
{
    (void)state;
    bench_start(&bench);
    assert_int_equal(bench_create(&bench, 0, "t", 4), MRT_OK);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    bench_stop(&bench);
    return 0;
}

static void ok(mrt_produce_res result, int64_t offset)
{
    assert_int_equal(result.status, MRT_OK);
    assert_int_equal(result.base_offset, offset);
    assert_int_equal(result.log_start, 0);
}

static void what_is_acknowledged_on_one_reactor_is_read_on_all(void **state)
{
    (void)state;
    for (int64_t i = 0; i < 20; i++) {
        ok(bench_produce(&bench, (uint32_t)i, "t", 1, 100), i);
        for (uint32_t at = 0; at < bench.reactors; at++) {
            int64_t offset = -1;
            assert_int_equal(bench_offset(&bench, at, "t", 1, MRT_AT_LATEST, &offset), MRT_OK);
            assert_int_equal(offset, i + 1);
        }
    }
    for (uint32_t at = 0; at < bench.reactors; at++) {
        struct poll poll;
        mrt_sub *sub = bench_subscribe(&bench, at, "t", 4, 0, 1 << 20);
        poll_begin(&poll, &bench, at, sub, 0, 1 << 20, 1);
        assert_int_equal(poll_wait(&poll), MRT_OK);
        assert_int_equal(poll.out.n, 4);
        for (uint32_t i = 0; i < 4; i++) {
            const mrt_sub_res *res = &poll.out.parts[i];
            assert_int_equal(res->status, MRT_OK);
            assert_int_equal(res->cookie, i);
            assert_int_equal(res->high_watermark, i == 1 ? 20 : 0);
            assert_int_equal(res->data.bytes > 2000, i == 1);
        }
        poll_end(&poll);
        assert_int_equal(bench_unsubscribe(&bench, at, sub), MRT_OK);
    }
}

static void a_parked_poll_is_answered_by_the_next_record(void **state)
{
    (void)state;
    struct poll poll;
    mrt_sub *sub = bench_subscribe(&bench, 0, "t", 4, 0, 1 << 20);
    poll_begin(&poll, &bench, 0, sub, 30000 * MS, 1 << 20, 1);
    usleep(20000);
    assert_int_equal(poll.ask.ends, 0);
    ok(bench_produce(&bench, 1, "t", 3, 10), 0);
    assert_int_equal(poll_wait(&poll), MRT_OK);
    assert_true(poll_bytes(&poll) > 0);
    assert_int_equal(poll.out.parts[3].high_watermark, 1);
    poll_end(&poll);
    assert_int_equal(bench_unsubscribe(&bench, 0, sub), MRT_OK);
}

static void a_poll_waits_until_as_much_is_there_as_it_asked(void **state)
{
    (void)state;
    struct poll poll;
    mrt_sub *sub = bench_subscribe(&bench, 0, "t", 4, 0, 1 << 20);
    poll_begin(&poll, &bench, 0, sub, 30000 * MS, 1 << 20, 3000);
    for (uint32_t i = 0; i < 2; i++) {
        ok(bench_produce(&bench, i, "t", (int32_t)i, 1000), 0);
        usleep(10000);
        assert_int_equal(poll.ask.ends, 0);
    }
    ok(bench_produce(&bench, 0, "t", 2, 1000), 0);
    assert_int_equal(poll_wait(&poll), MRT_OK);
    assert_true(poll_bytes(&poll) >= 3000);
    poll_end(&poll);
    assert_int_equal(bench_unsubscribe(&bench, 0, sub), MRT_OK);
}

static void a_poll_whose_time_is_over_says_what_there_is(void **state)
{
    (void)state;
    struct poll poll;
    ok(bench_produce(&bench, 0, "t", 0, 10), 0);
    mrt_sub *sub = bench_subscribe(&bench, 1, "t", 4, 0, 1 << 20);
    poll_begin(&poll, &bench, 1, sub, 30 * MS, 1 << 20, 1 << 19);
    assert_int_equal(poll_wait(&poll), MRT_OK);
    assert_int_equal(poll.out.n, 4);
    assert_true(poll_bytes(&poll) > 0);
    poll_end(&poll);
    assert_int_equal(bench_unsubscribe(&bench, 1, sub), MRT_OK);
}

static void a_cancelled_poll_ends_soon_and_once(void **state)
{
    (void)state;
    struct poll poll;
    mrt_sub *sub = bench_subscribe(&bench, 1, "t", 4, 0, 1 << 20);
    poll_begin(&poll, &bench, 1, sub, 30000 * MS, 1 << 20, 1);
    ask_cancel(&poll.ask);
    ask_cancel(&poll.ask);
    assert_int_equal(poll_wait(&poll), MRT_OK);
    assert_int_equal(poll_bytes(&poll), 0);
    poll_end(&poll);
    assert_int_equal(bench_unsubscribe(&bench, 1, sub), MRT_OK);
}

static void a_subscription_is_busy_while_it_is_polled(void **state)
{
    (void)state;
    struct poll poll;
    struct poll second;
    mrt_sub *sub = bench_subscribe(&bench, 0, "t", 1, 0, 1 << 20);
    mrt_sub_set set = {.size = sizeof set, .sub = sub};
    poll_begin(&poll, &bench, 0, sub, 30000 * MS, 1 << 20, 1);
    poll_begin(&second, &bench, 0, sub, 0, 1 << 20, 1);
    assert_int_equal(poll_wait(&second), MRT_EBUSY);
    poll_end(&second);
    assert_int_equal(ask_all(&bench, 0, MRT_OP_SUB_SET, &set, NULL), MRT_EBUSY);
    assert_int_equal(bench_unsubscribe(&bench, 0, sub), MRT_EBUSY);
    ask_cancel(&poll.ask);
    assert_int_equal(poll_wait(&poll), MRT_OK);
    poll_end(&poll);
    assert_int_equal(bench_unsubscribe(&bench, 0, sub), MRT_OK);
}

/* ---- limits (KIP-74) ------------------------------------------------------------------------- */

static void fill(void)
{
    for (int32_t partition = 0; partition < 4; partition++)
        for (int64_t i = 0; i < 3; i++)
            ok(bench_produce(&bench, 0, "t", partition, 1000), i);
}

static void the_first_partition_gives_a_batch_however_small_the_limits(void **state)
{
    (void)state;
    struct poll poll;
    fill();
    mrt_sub *sub = bench_subscribe(&bench, 0, "t", 4, 0, 1);
    poll_begin(&poll, &bench, 0, sub, 0, 1, 1);
    assert_int_equal(poll_wait(&poll), MRT_OK);
    assert_int_equal(poll.out.n, 4);
    assert_true(poll.out.parts[0].data.bytes > 1000);
    assert_true(poll.out.parts[0].data.bytes < 2000);
    for (uint32_t i = 1; i < 4; i++) {
        assert_int_equal(poll.out.parts[i].data.bytes, 0);
        assert_int_equal(poll.out.parts[i].status, MRT_OK);
    }
    poll_end(&poll);
    poll_begin(&poll, &bench, 0, sub, 0, 1, 1); /* the next turn is another's */
    assert_int_equal(poll_wait(&poll), MRT_OK);
    assert_int_equal(poll.out.parts[0].data.bytes, 0);
    assert_true(poll.out.parts[1].data.bytes > 1000);
    poll_end(&poll);
    assert_int_equal(bench_unsubscribe(&bench, 0, sub), MRT_OK);
}

static void an_answer_stays_below_what_reader_and_broker_take(void **state)
{
    (void)state;
    struct poll poll;
    fill();
    mrt_sub *sub = bench_subscribe(&bench, 0, "t", 4, 0, 1 << 20);
    poll_begin(&poll, &bench, 0, sub, 0, 7000, 1);
    assert_int_equal(poll_wait(&poll), MRT_OK);
    assert_true(poll_bytes(&poll) <= 7000);
    assert_true(poll_bytes(&poll) > 5000);
    poll_end(&poll);
    assert_int_equal(bench_unsubscribe(&bench, 0, sub), MRT_OK);
}

/* ---- mistakes -------------------------------------------------------------------------------- */

static void what_is_not_there_is_said_for_each_partition(void **state)
{
    (void)state;
    int64_t offset = 0;
    assert_int_equal(bench_produce(&bench, 0, "unknown", 0, 10).status, MRT_ENOENT);
    assert_int_equal(bench_produce(&bench, 0, "t", 4, 10).status, MRT_ENOENT);
    assert_int_equal(bench_produce(&bench, 0, "t", -1, 10).status, MRT_ENOENT);
    assert_int_equal(bench_offset(&bench, 0, "t", 9, MRT_AT_LATEST, &offset), MRT_ENOENT);
    struct poll poll;
    mrt_sub *sub = bench_subscribe(&bench, 0, "unknown", 2, 0, 1 << 20);
    poll_begin(&poll, &bench, 0, sub, 30000 * MS, 1 << 20, 1); /* answered at once */
    assert_int_equal(poll_wait(&poll), MRT_OK);
    assert_int_equal(poll.out.parts[0].status, MRT_ENOENT);
    assert_int_equal(poll.out.parts[1].status, MRT_ENOENT);
    poll_end(&poll);
    assert_int_equal(bench_unsubscribe(&bench, 0, sub), MRT_OK);
    sub = bench_subscribe(&bench, 0, "t", 1, 5, 1 << 20);
    poll_begin(&poll, &bench, 0, sub, 30000 * MS, 1 << 20, 1);
    assert_int_equal(poll_wait(&poll), MRT_OK);
    assert_int_equal(poll.out.parts[0].status, MRT_ERANGE);
    poll_end(&poll);
    assert_int_equal(bench_unsubscribe(&bench, 0, sub), MRT_OK);
}

static void bytes_that_are_no_batch_are_refused_and_change_nothing(void **state)
{
    (void)state;
    mrt_slice slices[3];
    mrt_produce_part parts[3] = {0};
    mrt_produce_res results[3] = {0};
    for (uint32_t i = 0; i < 3; i++) {
        parts[i].tp = (mrt_tp){.topic = str_of("t"), .partition = 0, .leader_epoch = -1};
        parts[i].batches = bench_batch(&bench, 100, &slices[i]);
    }
    ((uint8_t *)(uintptr_t)slices[0].ref)[80] ^= 1; /* checksum */
    slices[1].len -= 1;
    parts[1].batches.bytes -= 1;
    mrt_produce in = {.size = sizeof in, .n = 3, .parts = parts, .acks = 1};
    assert_int_equal(ask_all(&bench, 0, MRT_OP_PRODUCE, &in, results), MRT_OK);
    assert_int_equal(results[0].status, MRT_ECORRUPT);
    assert_int_equal(results[1].status, MRT_ECORRUPT);
    ok(results[2], 0); /* partial success */
}

static void an_unknown_number_of_acks_is_refused_with_all_leases_back(void **state)
{
    (void)state;
    mrt_slice slice;
    mrt_produce_part part = {.tp = {.topic = str_of("t"), .leader_epoch = -1}};
    part.batches = bench_batch(&bench, 100, &slice);
    mrt_produce in = {.size = sizeof in, .n = 1, .parts = &part, .acks = 2};
    mrt_produce_res result = {0};
    assert_int_equal(ask_all(&bench, 0, MRT_OP_PRODUCE, &in, &result), MRT_OK);
    assert_int_equal(result.status, MRT_EINVAL);
    assert_int_equal(bench.leases, 0);
}

static void spend(void *arg)
{
    struct bench *b = arg;
    b->budget.limit[ACCOUNT_PARKED] = 4096; /* one arena's first piece */
}

static void unspend(void *arg)
{
    struct bench *b = arg;
    b->budget.limit[ACCOUNT_PARKED] = 0;
}

static void with_a_spent_account_requests_end_with_no_memory_and_take_nothing(void **state)
{
    (void)state;
    enum {
        N = 200
    };
    static mrt_slice slices[N];
    static mrt_produce_part parts[N];
    static mrt_produce_res results[N];
    for (uint32_t i = 0; i < N; i++) {
        parts[i].tp = (mrt_tp){.topic = str_of("t"), .partition = 0, .leader_epoch = -1};
        parts[i].batches = bench_batch(&bench, 100, &slices[i]);
    }
    mrt_produce in = {.size = sizeof in, .n = N, .parts = parts, .acks = 1};
    mrt_sub *sub = bench_subscribe(&bench, 0, "t", 4, 0, 1 << 20);
    live_inside(bench.broker->shards[0].reactor, spend, &bench);
    assert_int_equal(ask_all(&bench, 0, MRT_OP_PRODUCE, &in, results), MRT_ENOMEM);
    assert_int_equal(bench.leases, N);
    live_inside(bench.broker->shards[0].reactor, unspend, &bench);
    for (uint32_t i = 0; i < N; i++)
        lease_release(parts[i].batches.lease);
    ok(bench_produce(&bench, 0, "t", 0, 10), 0); /* nothing was stored */
    assert_int_equal(bench_unsubscribe(&bench, 0, sub), MRT_OK);
}

static void an_operation_nobody_knows_is_refused(void **state)
{
    (void)state;
    assert_int_equal(ask_all(&bench, 0, 0, NULL, NULL), MRT_ENOTSUP);
    assert_int_equal(ask_all(&bench, 0, 50, NULL, NULL), MRT_ENOTSUP);
    assert_int_equal(ask_all(&bench, 0, 1000, NULL, NULL), MRT_ENOTSUP);
    assert_int_equal(ask_all(&bench, 0, UINT32_MAX, NULL, NULL), MRT_ENOTSUP);
}

/* ---- the rest of the family ------------------------------------------------------------------ */

static void records_are_deleted_up_to_an_offset(void **state)
{
    (void)state;
    int64_t offset = -1;
    fill();
    mrt_delete_part part = {
        .tp = {.topic = str_of("t"), .partition = 2, .leader_epoch = -1}, .upto = 2};
    mrt_parts in = {.size = sizeof in, .n = 1, .parts = &part};
    assert_int_equal(ask_all(&bench, 1, MRT_OP_DELETE_RECORDS, &in, NULL), MRT_OK);
    assert_int_equal(part.status, MRT_OK);
    assert_int_equal(part.low_watermark, 2);
    assert_int_equal(bench_offset(&bench, 2, "t", 2, MRT_AT_EARLIEST, &offset), MRT_OK);
    assert_int_equal(offset, 2);
    assert_int_equal(bench_offset(&bench, 2, "t", 1, MRT_AT_EARLIEST, &offset), MRT_OK);
    assert_int_equal(offset, 0);
    part.upto = 9;
    assert_int_equal(ask_all(&bench, 1, MRT_OP_DELETE_RECORDS, &in, NULL), MRT_OK);
    assert_int_equal(part.status, MRT_ERANGE);
}

static void the_end_of_an_epoch_is_that_of_the_log(void **state)
{
    (void)state;
    fill();
    mrt_epoch_part part = {
        .tp = {.topic = str_of("t"), .partition = 0, .leader_epoch = -1}, .epoch = 0};
    mrt_parts in = {.size = sizeof in, .n = 1, .parts = &part};
    assert_int_equal(ask_all(&bench, 1, MRT_OP_EPOCH_END, &in, NULL), MRT_OK);
    assert_int_equal(part.status, MRT_OK);
    assert_int_equal(part.end, 3);
    part.tp.leader_epoch = 99;
    assert_int_equal(ask_all(&bench, 1, MRT_OP_EPOCH_END, &in, NULL), MRT_OK);
    assert_int_equal(part.status, MRT_EEPOCHNEW);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_acknowledged_on_one_reactor_is_read_on_all),
        TEST(a_parked_poll_is_answered_by_the_next_record),
        TEST(a_poll_waits_until_as_much_is_there_as_it_asked),
        TEST(a_poll_whose_time_is_over_says_what_there_is),
        TEST(a_cancelled_poll_ends_soon_and_once),
        TEST(a_subscription_is_busy_while_it_is_polled),
        TEST(the_first_partition_gives_a_batch_however_small_the_limits),
        TEST(an_answer_stays_below_what_reader_and_broker_take),
        TEST(what_is_not_there_is_said_for_each_partition),
        TEST(bytes_that_are_no_batch_are_refused_and_change_nothing),
        TEST(an_unknown_number_of_acks_is_refused_with_all_leases_back),
        TEST(with_a_spent_account_requests_end_with_no_memory_and_take_nothing),
        TEST(an_operation_nobody_knows_is_refused),
        TEST(records_are_deleted_up_to_an_offset),
        TEST(the_end_of_an_epoch_is_that_of_the_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
