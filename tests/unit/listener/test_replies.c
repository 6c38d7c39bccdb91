/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replies on their way out: order, slots, the mark of unsent bytes, ends of streams with replies
 * under way. bench_stop() asserts after each test that no stream, lease or byte is left.
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

/* @n empty frames arrive; the group reads what it wants of them. */
static void frames(struct bench *b, uint32_t n)
{
    uint8_t *zeros = calloc(n, 1);
    bench_arrive(b, zeros, n);
    free(zeros);
}

/* ---- order ----------------------------------------------------------------------------------- */

static void out_of_order(struct bench *b)
{
    frames(b, 3);
    bench_answer(b, 2, 1, 1, 'c');
    bench_answer(b, 0, 1, 1, 'a');
    bench_answer(b, 1, 2, 1, 'b');
}

static void replies_leave_in_the_order_of_reservation_in_one_send(void **state)
{
    (void)state;
    bench_do(&bench, out_of_order);
    assert_int_equal(bench.sent_n, 4);
    assert_memory_equal(bench.sent, "abbc", 4);
    assert_int_equal(bench.conn.sends, 1);
    assert_int_equal(bench.session.sent, 3);
}

static void last_two(struct bench *b)
{
    frames(b, 3);
    bench_answer(b, 1, 1, 1, 'b');
    bench_answer(b, 2, 0, 0, 0); /* no reply */
}

static void the_first(struct bench *b)
{
    bench_answer(b, 0, 1, 1, 'a');
}

static void nothing_overtakes_a_reply_that_is_not_filled(void **state)
{
    (void)state;
    bench_do(&bench, last_two);
    assert_int_equal(bench.sent_n, 0);
    assert_int_equal(bench.session.sent, 0);
    bench_do(&bench, the_first);
    assert_memory_equal(bench.sent, "ab", 2);
    assert_int_equal(bench.session.sent, 3);
}

static void many_vectors(struct bench *b)
{
    frames(b, 3);
    bench_answer(b, 0, 1, 1, 'a');
    bench_answer(b, 1, 1000, 7, 'b');
    bench_answer(b, 2, 1, 1, 'c');
}

static void assert_many_vectors(void)
{
    assert_int_equal(bench.sent_n, 7002);
    assert_int_equal(bench.sent[0], 'a');
    for (uint32_t i = 1; i <= 7000; i++)
        assert_int_equal(bench.sent[i], 'b');
    assert_int_equal(bench.sent[7001], 'c');
    assert_int_equal(bench.session.sent, 3);
    assert_int_equal(bench.leases, 0);
}

static void a_reply_of_more_vectors_than_a_send_takes_leaves_in_several(void **state)
{
    (void)state;
    bench_do(&bench, many_vectors);
    assert_many_vectors();
    assert_int_equal(bench.conn.sends, 4);
}

static void sent(struct bench *b)
{
    bench_sent(b, MRT_OK);
}

static void the_same_holds_for_sends_that_take_their_time(void **state)
{
    (void)state;
    bench.holds = 1;
    bench_do(&bench, many_vectors);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(bench.conn.sends, i + 1);
        bench_do(&bench, sent);
    }
    assert_many_vectors();
}

/* ---- what is not read ------------------------------------------------------------------------ */

static void hundred(struct bench *b)
{
    frames(b, 100);
}

static void answer_all(struct bench *b)
{
    for (uint32_t i = b->session.sent; i < b->session.frames; i++)
        bench_answer(b, i, 1, 1, (uint8_t)i);
}

static void a_client_that_pipelines_more_than_there_are_slots_waits(void **state)
{
    (void)state;
    bench_do(&bench, hundred);
    assert_int_equal(bench.session.frames, STREAM_SLOTS);
    assert_int_equal(bench.conn.paused, 1);
    bench_do(&bench, answer_all);
    assert_int_equal(bench.session.frames, 100);
    assert_int_equal(bench.conn.paused, 0);
    bench_do(&bench, answer_all);
    assert_int_equal(bench.sent_n, 100);
    for (uint32_t i = 0; i < 100; i++)
        assert_int_equal(bench.sent[i], i);
}

static void nine_megabytes(struct bench *b)
{
    b->holds = 1;
    frames(b, 10);
    for (uint32_t i = 0; i < 9; i++)
        bench_answer(b, i, 1, 1024 * 1024, 'x');
}

static void who_does_not_take_his_answers_is_not_read(void **state)
{
    (void)state;
    bench_do(&bench, nine_megabytes);
    assert_int_equal(bench.conn.paused, 1);
    assert_int_equal(bench.session.drained, 0);
    bench_do(&bench, sent);
    assert_int_equal(bench.sent_n, 9 * 1024 * 1024);
    assert_int_equal(bench.conn.paused, 0);
    assert_int_equal(bench.session.drained, 1);
}

/* ---- ends ------------------------------------------------------------------------------------ */

static void close_with_two_open(struct bench *b)
{
    frames(b, 2);
    stream_table.close(b->session.stream, 0);
}

static void answer_both(struct bench *b)
{
    bench_answer(b, 1, 1, 1, 'b');
    bench_answer(b, 0, 1, 1, 'a');
}

static void a_stream_that_is_closed_in_order_answers_what_was_asked_first(void **state)
{
    (void)state;
    bench_do(&bench, close_with_two_open);
    assert_int_equal(bench.conn.paused, 1);
    assert_int_equal(bench.conn.closed, 0);
    bench_do(&bench, answer_both);
    assert_memory_equal(bench.sent, "ab", 2);
    assert_int_equal(bench.conn.over, 1);
}

static void end_of_input(struct bench *b)
{
    frames(b, 2);
    b->conn.events->on_eof(b->conn.ctx);
}

static void a_client_that_says_no_more_still_gets_its_answers(void **state)
{
    (void)state;
    bench_do(&bench, end_of_input);
    assert_int_equal(bench.conn.closed, 0);
    bench_do(&bench, answer_both);
    assert_memory_equal(bench.sent, "ab", 2);
    assert_int_equal(bench.conn.over, 1);
}

static void close_at_once(struct bench *b)
{
    frames(b, 3);
    bench_answer(b, 1, 3, 1, 'b');
    stream_table.close(b->session.stream, 1);
}

static void answer_the_rest(struct bench *b)
{
    bench_answer(b, 0, 2, 1, 'a');
    bench_answer(b, 2, 300, 1, 'c');
}

static void filling_slots_of_a_closed_stream_gives_the_leases_back(void **state)
{
    (void)state;
    bench_do(&bench, close_at_once);
    assert_int_equal(bench.conn.over, 1);
    assert_int_equal(bench.group.count, 1); /* open slots keep it */
    bench_do(&bench, answer_the_rest);
    assert_int_equal(bench.group.count, 0);
    assert_int_equal(bench.leases, 0);
    assert_int_equal(bench.sent_n, 0);
    assert_int_equal(bench.session.sent, 0);
}

static void cut(struct bench *b)
{
    stream_table.close(b->session.stream, 1);
}

static void a_stream_cut_off_in_a_send_of_half_a_reply_gives_all_leases_back(void **state)
{
    (void)state;
    bench.holds = 1;
    bench_do(&bench, many_vectors);
    assert_int_equal(bench.conn.sends, 1);
    bench_do(&bench, cut);
    assert_int_equal(bench.leases, 0);
    assert_int_equal(bench.group.count, 0);
}

static void a_refused_send_ends_the_stream_and_gives_all_leases_back(void **state)
{
    (void)state;
    bench.refuses = MRT_ECLOSED;
    bench_do(&bench, many_vectors);
    assert_int_equal(bench.sent_n, 0);
    assert_int_equal(bench.conn.over, 1);
    assert_int_equal(bench.leases, 0);
}

static void failed(struct bench *b)
{
    bench_sent(b, MRT_ECLOSED);
}

static void a_failed_send_ends_the_stream(void **state)
{
    (void)state;
    bench.holds = 1;
    bench_do(&bench, many_vectors);
    bench_do(&bench, failed);
    assert_int_equal(bench.conn.over, 1);
    assert_int_equal(bench.leases, 0);
}

static void close_group(struct bench *b)
{
    stream_group_close(&b->group, false);
}

static void an_idle_stream_ends_at_once_with_its_group(void **state)
{
    (void)state;
    bench_do(&bench, close_group);
    assert_int_equal(bench.conn.over, 1);
    assert_int_equal(bench.group.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            replies_leave_in_the_order_of_reservation_in_one_send, start, stop),
        cmocka_unit_test_setup_teardown(nothing_overtakes_a_reply_that_is_not_filled, start, stop),
        cmocka_unit_test_setup_teardown(
            a_reply_of_more_vectors_than_a_send_takes_leaves_in_several, start, stop),
        cmocka_unit_test_setup_teardown(the_same_holds_for_sends_that_take_their_time, start, stop),
        cmocka_unit_test_setup_teardown(
            a_client_that_pipelines_more_than_there_are_slots_waits, start, stop),
        cmocka_unit_test_setup_teardown(who_does_not_take_his_answers_is_not_read, start, stop),
        cmocka_unit_test_setup_teardown(
            a_stream_that_is_closed_in_order_answers_what_was_asked_first, start, stop),
        cmocka_unit_test_setup_teardown(
            a_client_that_says_no_more_still_gets_its_answers, start, stop),
        cmocka_unit_test_setup_teardown(
            filling_slots_of_a_closed_stream_gives_the_leases_back, start, stop),
        cmocka_unit_test_setup_teardown(
            a_stream_cut_off_in_a_send_of_half_a_reply_gives_all_leases_back, start, stop),
        cmocka_unit_test_setup_teardown(
            a_refused_send_ends_the_stream_and_gives_all_leases_back, start, stop),
        cmocka_unit_test_setup_teardown(a_failed_send_ends_the_stream, start, stop),
        cmocka_unit_test_setup_teardown(an_idle_stream_ends_at_once_with_its_group, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
