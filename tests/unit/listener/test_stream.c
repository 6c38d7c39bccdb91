/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a stream: bytes in pieces, pauses, ends, limits. On one reactor of 1 and of 4, above
 * the scripted transport and the echoing protocol of fake.h.
 */
#include <stdlib.h>

#include "tests/unit/listener/fake.h"

static struct bench bench;

static int start(void **state)
{
    (void)state;
    bench_start(&bench);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    bench_stop(&bench);
    return 0;
}

/* ---- input ----------------------------------------------------------------------------------- */

static const uint8_t letters[] = "\003abc\000\001d\010efghijkl\002mn";
#define LETTERS (sizeof letters - 1)

static uint64_t cut;

static void in_two(struct bench *b)
{
    bench_arrive(b, letters, cut);
    bench_arrive(b, letters + cut, LETTERS - cut);
}

static void bytes_cut_in_two_anywhere_give_the_same_frames(void **state)
{
    (void)state;
    bench.answers = 1;
    for (cut = 0; cut <= LETTERS; cut++) {
        bench.sent_n = 0;
        bench_do(&bench, in_two);
        assert_int_equal(bench.sent_n, 14);
        assert_memory_equal(bench.sent, "abcdefghijklmn", 14);
    }
    assert_int_equal(bench.session.frames, 5 * (LETTERS + 1));
}

static void byte_by_byte(struct bench *b)
{
    for (uint64_t i = 0; i < LETTERS; i++)
        bench_arrive(b, letters + i, 1);
}

static void bytes_that_come_one_by_one_give_the_same_frames(void **state)
{
    (void)state;
    bench.answers = 1;
    bench_do(&bench, byte_by_byte);
    assert_int_equal(bench.sent_n, 14);
    assert_memory_equal(bench.sent, "abcdefghijklmn", 14);
}

static void announce(struct bench *b)
{
    b->want_always = 900 * 1024;
    bench_arrive(b, letters, LETTERS);
}

static void what_is_announced_and_does_not_come_takes_no_memory(void **state)
{
    (void)state;
    bench_do(&bench, announce);
    assert_true(budget_used(&bench.budget, ACCOUNT_RX) <= 16 * 1024);
    assert_int_equal(bench.conn.closed, 0);
}

static void megabyte(struct bench *b)
{
    static uint8_t zeros[64 * 1024];
    b->want_always = 1024 * 1024;
    for (uint32_t i = 0; i < 16 && !b->conn.closed; i++)
        bench_arrive(b, zeros, sizeof zeros);
}

static void a_request_may_fill_the_whole_limit_of_its_connection(void **state)
{
    (void)state;
    bench.answers = 1;
    bench_do(&bench, megabyte);
    assert_int_equal(bench.conn.closed, 0);
    assert_int_equal(bench.rx_most, 1024 * 1024);
    assert_int_equal(bench.session.frames, 1);
}

static void beyond(struct bench *b)
{
    static uint8_t zeros[64 * 1024];
    b->want_always = 2 * 1024 * 1024;
    for (uint32_t i = 0; i < 17 && !b->conn.closed; i++)
        bench_arrive(b, zeros, sizeof zeros);
}

static void a_request_beyond_the_limit_ends_its_connection(void **state)
{
    (void)state;
    bench_do(&bench, beyond);
    assert_int_equal(bench.conn.over, 1);
    assert_int_equal(budget_used(&bench.budget, ACCOUNT_RX), 0);
}

static void spend(struct bench *b)
{
    b->budget.limit[ACCOUNT_RX] = 100 * 1024;
    b->want_always = 512 * 1024;
    static uint8_t zeros[64 * 1024];
    for (uint32_t i = 0; i < 8 && !b->conn.closed; i++)
        bench_arrive(b, zeros, sizeof zeros);
}

static void a_spent_account_of_received_bytes_ends_the_connection(void **state)
{
    (void)state;
    bench_do(&bench, spend);
    assert_int_equal(bench.conn.over, 1);
    assert_int_equal(bench.session.frames, 0);
}

/* ---- pauses ---------------------------------------------------------------------------------- */

static void pause_then_arrive(struct bench *b)
{
    bench_arrive(b, letters, 6);
    stream_table.pause(b->session.stream);
    stream_table.pause(b->session.stream);
    assert_int_equal(b->conn.paused, 1);
}

static void resume_now(struct bench *b)
{
    stream_table.resume(b->session.stream, 0);
}

static void a_paused_stream_is_not_read_until_it_is_resumed_once(void **state)
{
    (void)state;
    bench_do(&bench, pause_then_arrive);
    assert_int_equal(bench.conn.paused, 1);
    bench_do(&bench, resume_now);
    assert_int_equal(bench.conn.paused, 0);
}

static void throttle_then_pause(struct bench *b)
{
    stream_table.pause(b->session.stream);
    stream_table.resume(b->session.stream, exec_now_ns(b->reactor) + 2000000);
    stream_table.pause(b->session.stream); /* for another reason, without an end */
}

static void the_end_of_an_earlier_pause_does_not_end_a_later_one(void **state)
{
    (void)state;
    bench_do(&bench, throttle_then_pause);
    usleep(20000);
    bench_do(&bench, throttle_then_pause);
    assert_int_equal(bench.conn.paused, 1);
}

static void throttle(struct bench *b)
{
    stream_table.pause(b->session.stream);
    stream_table.resume(b->session.stream, exec_now_ns(b->reactor) + 2000000);
    assert_int_equal(b->conn.paused, 1);
}

static uint32_t paused;

static void look(struct bench *b)
{
    paused = b->conn.paused;
}

static void a_throttled_stream_is_read_again_by_itself(void **state)
{
    (void)state;
    bench_do(&bench, throttle);
    paused = 1;
    for (uint32_t i = 0; paused && i < 1000; i++) {
        usleep(2000);
        bench_do(&bench, look);
    }
    assert_int_equal(paused, 0);
}

static void hold(struct bench *b)
{
    stream_group_hold(&b->group);
}

static void release(struct bench *b)
{
    stream_group_release(&b->group);
}

static void streams_of_a_held_group_are_not_read(void **state)
{
    (void)state;
    bench_do(&bench, hold);
    assert_int_equal(bench.conn.paused, 1);
    bench_do(&bench, resume_now); /* another reason: it stays */
    assert_int_equal(bench.conn.paused, 1);
    bench_do(&bench, release);
    assert_int_equal(bench.conn.paused, 0);
}

/* ---- limits ---------------------------------------------------------------------------------- */

static struct mrt_conn another;

static void accept_another(struct bench *b)
{
    another = (struct mrt_conn){.bench = b};
    assert_int_equal(stream_accept(&b->group, &another), MRT_EFULL);
    assert_null(another.events);
}

static void connections_beyond_the_limit_are_refused_and_change_nothing(void **state)
{
    (void)state;
    bench_do(&bench, accept_another);
    assert_int_equal(bench.group.count, 1);
    assert_int_equal(bench.limit.open, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            bytes_cut_in_two_anywhere_give_the_same_frames, start, stop),
        cmocka_unit_test_setup_teardown(
            bytes_that_come_one_by_one_give_the_same_frames, start, stop),
        cmocka_unit_test_setup_teardown(
            what_is_announced_and_does_not_come_takes_no_memory, start, stop),
        cmocka_unit_test_setup_teardown(
            a_request_may_fill_the_whole_limit_of_its_connection, start, stop),
        cmocka_unit_test_setup_teardown(
            a_request_beyond_the_limit_ends_its_connection, start, stop),
        cmocka_unit_test_setup_teardown(
            a_spent_account_of_received_bytes_ends_the_connection, start, stop),
        cmocka_unit_test_setup_teardown(
            a_paused_stream_is_not_read_until_it_is_resumed_once, start, stop),
        cmocka_unit_test_setup_teardown(
            the_end_of_an_earlier_pause_does_not_end_a_later_one, start, stop),
        cmocka_unit_test_setup_teardown(a_throttled_stream_is_read_again_by_itself, start, stop),
        cmocka_unit_test_setup_teardown(streams_of_a_held_group_are_not_read, start, stop),
        cmocka_unit_test_setup_teardown(
            connections_beyond_the_limit_are_refused_and_change_nothing, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
