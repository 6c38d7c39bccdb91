/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A controller on a log that fails, forgets, deposes and starts again. It has not been opened yet.
 */
#include <stdio.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/base/str.h"
#include "tests/unit/controller/bench.h"

static struct ask ask; /* too large for a stack */
static struct ask other;

static void set_hold(void *arg)
{
    ((struct fake *)arg)->append = FAKE_HOLD;
}

static void set_lose(void *arg)
{
    ((struct fake *)arg)->append = FAKE_LOSE;
}

static void set_lose_applied(void *arg)
{
    ((struct fake *)arg)->append = FAKE_LOSE_APPLIED;
}

static void set_fail(void *arg)
{
    ((struct fake *)arg)->append = FAKE_FAIL;
    ((struct fake *)arg)->append_error = MRT_ENOSPC;
}

static void set_fail_inline(void *arg)
{
    ((struct fake *)arg)->append = FAKE_FAIL_INLINE;
    ((struct fake *)arg)->append_error = MRT_EIO;
}

static void set_commit(void *arg)
{
    ((struct fake *)arg)->append = FAKE_COMMIT;
}

static void depose(void *arg)
{
    fake_depose(arg);
}

static void depose_for_good(void *arg)
{
    ((struct fake *)arg)->leads = false;
    fake_depose(arg);
}

/* An OK that was under way when the role was already lost (L3). */
static void release_late(void *arg)
{
    struct fake *fake = arg;
    fake->append = FAKE_COMMIT;
    fake_release(fake, true, MRT_OK);
}

static void release_lost(void *arg)
{
    struct fake *fake = arg;
    fake->append = FAKE_COMMIT;
    fake_release(fake, false, MRT_EUNKNOWN);
}

static void set_inline(void *arg)
{
    ((struct fake *)arg)->answers_inline = true;
}

static void with(struct bench *bench, void (*change)(void *arg))
{
    bench_inside(bench, change, &bench->fake);
}

static void lead(struct bench *bench)
{
    assert_int_equal(bench_open(bench), MRT_OK);
    assert_int_equal(bench_register(bench, 1), MRT_OK);
}

static void send_create(struct bench *bench, struct ask *create, const char *name)
{
    ask_init(create, bench, CONTROLLER_CREATE_TOPICS);
    ask_topic(create, name);
    ask_send(create, bench);
    bench_settle(bench);
}

static void opening_waits_until_this_node_leads(void **state)
{
    struct bench *bench = *state;
    static struct live_op op;
    bench->fake.leads = false;
    bench_open_async(bench, &op);
    bench_settle(bench);
    assert_int_equal(op.completions, 0);
    assert_int_equal(bench_create(bench, "a"), MRT_ENOTLEADER); /* K2 */
    bench->fake.leads = true;
    with(bench, depose);
    assert_int_equal(live_op_wait(&op), MRT_OK);
    assert_int_equal(bench->fake.end, 1);
}

static void an_open_that_fails_leaves_nothing_behind(void **state)
{
    struct bench *bench = *state;
    bench->fake.open_error = MRT_EBUSY;
    assert_int_equal(bench_open(bench), MRT_EBUSY);
    assert_int_equal(bench->fatals, 0);
    controller_free(bench->controller);
    bench->controller = NULL;
    bench->fake.open_error = MRT_OK;
    lead(bench);
}

static void a_plugin_that_answers_inline_is_as_good(void **state)
{
    struct bench *bench = *state;
    bench->fake.answers_inline = true;
    lead(bench);
    assert_int_equal(bench_create(bench, "a"), MRT_OK);
    assert_non_null(bench_topic(bench, "a"));
}

static void a_full_disk_at_start_fails_the_open_and_leading_is_tried_again(void **state)
{
    struct bench *bench = *state;
    set_fail(&bench->fake);
    assert_int_equal(bench_open(bench), MRT_ENOSPC);
    assert_int_equal(bench_create(bench, "a"), MRT_ENOSPC); /* a second later */
    with(bench, set_commit);
    assert_int_equal(bench_register(bench, 1), MRT_OK);
    assert_int_equal(bench->fake.epoch, 1);
}

static void an_unknown_outcome_ends_the_epoch_and_the_log_decides(void **state)
{
    struct bench *bench = *state;
    lead(bench);
    with(bench, set_lose_applied);
    assert_int_equal(bench_create(bench, "applied"), MRT_ENOTLEADER); /* K1 */
    with(bench, set_commit);
    bench_settle(bench);
    assert_int_equal(bench->fake.epoch, 2);
    assert_non_null(bench_topic(bench, "applied"));
    assert_int_equal(bench_create(bench, "applied"), MRT_EEXIST);

    with(bench, set_lose);
    assert_int_equal(bench_create(bench, "lost"), MRT_ENOTLEADER);
    bench_settle(bench);
    assert_int_equal(bench->fake.epoch, 3);
    assert_null(bench_topic(bench, "lost"));
    assert_int_equal(bench_create(bench, "lost"), MRT_OK);
    assert_int_equal(bench->fatals, 0);
}

static void losing_the_lead_ends_all_requests_and_a_late_ok_is_none(void **state)
{
    struct bench *bench = *state;
    lead(bench);
    with(bench, set_hold);
    send_create(bench, &ask, "in-flight");
    send_create(bench, &other, "waiting");
    with(bench, depose_for_good);
    assert_int_equal(ask_wait(&other), MRT_ENOTLEADER);
    assert_int_equal(ask.answers, 0);
    with(bench, release_late);
    assert_int_equal(ask_wait(&ask), MRT_ENOTLEADER);
    assert_non_null(bench_topic(bench, "in-flight")); /* it happened, and the log told */
    assert_int_equal(bench_create(bench, "more"), MRT_ENOTLEADER);
}

static void the_next_epoch_waits_for_the_append_of_the_last(void **state)
{
    struct bench *bench = *state;
    lead(bench);
    with(bench, set_hold);
    send_create(bench, &ask, "ghost");
    with(bench, depose); /* and it leads again at once */
    bench_settle(bench);
    uint64_t end = bench->fake.end;
    with(bench, release_lost);
    assert_int_equal(ask_wait(&ask), MRT_ENOTLEADER);
    bench_settle(bench);
    assert_int_equal(bench->fake.end, end + 1); /* ControllerActive of epoch 2 */
    assert_int_equal(bench_create(bench, "ghost"), MRT_OK);
}

static void an_append_that_certainly_failed_ends_its_requests_only(void **state)
{
    struct bench *bench = *state;
    lead(bench);
    with(bench, set_fail);
    assert_int_equal(bench_create(bench, "a"), MRT_ENOSPC);
    with(bench, set_fail_inline);
    assert_int_equal(bench_create(bench, "a"), MRT_EIO);
    with(bench, set_commit);
    assert_int_equal(bench_create(bench, "a"), MRT_OK);
    assert_int_equal(bench->fake.epoch, 1);
}

static void a_split_request_whose_first_part_failed_has_failed(void **state)
{
    struct bench *bench = *state;
    char *text = memory_new(30000);
    memset(text, 'v', 30000);
    const struct controller_config config = {str_of("big"), {text, 30000}};
    static char names[10][8];
    lead(bench);
    with(bench, set_fail);
    ask_init(&ask, bench, CONTROLLER_CREATE_TOPICS);
    for (uint32_t i = 0; i < 10; i++) {
        snprintf(names[i], sizeof names[i], "t%u", i);
        ask_topic(&ask, names[i])->configs = &config;
        ask.topics[i].n_configs = 1;
    }
    ask_send(&ask, bench);
    assert_int_equal(ask_wait(&ask), MRT_ENOSPC);
    bench_settle(bench);
    assert_int_equal(image_topic_count(bench->image), 0);
    memory_free(text);
}

static void closing_ends_what_waits_and_resigns_first(void **state)
{
    struct bench *bench = *state;
    lead(bench);
    with(bench, set_hold);
    send_create(bench, &ask, "in-flight");
    send_create(bench, &other, "waiting");
    bench_close(bench);
    assert_int_equal(ask_wait(&other), MRT_ESHUTDOWN);
    assert_int_equal(ask_wait(&ask), MRT_ENOTLEADER);
    assert_int_equal(bench->fake.resigned, 1);
}

static void an_entry_that_cannot_be_read_stops_the_node(void **state)
{
    struct bench *bench = *state;
    lead(bench);
    bench_close(bench);
    bench->fake.log[1].bytes[9] ^= 1;
    assert_int_equal(bench_open(bench), MRT_ECORRUPT);
    assert_int_equal(bench->fatals, 1);
    assert_non_null(strstr(bench->fatal.text, "entry 1"));
    assert_int_equal(image_offset(bench->image), 1); /* what was before it still stands */
    assert_int_equal(bench_create(bench, "a"), MRT_ENOTLEADER);
}

static void an_entry_of_a_newer_release_is_named_so(void **state)
{
    struct bench *bench = *state;
    lead(bench);
    bench_close(bench);
    bench->fake.log[1].bytes[0] = 9;
    assert_int_equal(bench_open(bench), MRT_ETOONEW);
    assert_int_equal(bench->fatals, 1);
}

static void repeat_epoch(void *arg)
{
    struct fake *fake = arg;
    fake->epoch--;
    fake_depose(fake);
}

static void a_plugin_that_hands_out_an_epoch_twice_is_not_trusted(void **state)
{
    struct bench *bench = *state;
    lead(bench);
    with(bench, repeat_epoch);
    live_wait(&bench->fatal_event);
    assert_int_equal(bench->fatal.status, MRT_EBUG);
    assert_non_null(strstr(bench->fatal.text, "L1"));
}

static void fill(struct bench *bench, uint32_t n)
{
    char name[32];
    for (uint32_t i = 0; i < n; i++) {
        snprintf(name, sizeof name, "topic-%u", i);
        assert_int_equal(bench_create(bench, name), MRT_OK);
    }
}

struct look {
    struct bench *bench;
    uint64_t start;
};

static void look_inside(void *arg)
{
    struct look *look = arg;
    look->start = look->bench->fake.start;
}

/* Where the log begins now. */
static uint64_t log_start(struct bench *bench)
{
    struct look look = {bench, 0};
    bench_inside(bench, look_inside, &look);
    return look.start;
}

/* Waits for the worker that encodes it. */
static void wait_for_snapshot(struct bench *bench, uint64_t start)
{
    for (uint32_t i = 0; i < 2000 && log_start(bench) <= start; i++)
        usleep(1000);
    assert_true(log_start(bench) > start);
}

static void start_from_a_snapshot(struct bench *bench)
{
    bench->snapshot_every = 1000;
    lead(bench);
    fill(bench, 40);
    wait_for_snapshot(bench, 0);
    bench_settle(bench);
    struct image *old = image_ref(bench->image);
    bench_close(bench);
    uint64_t start = bench->fake.start;
    assert_int_equal(bench->fake.stored_id.end_offset, start);

    assert_int_equal(bench_open(bench), MRT_OK);
    assert_int_equal(bench->fake.adopted, 1);
    assert_int_equal(bench->created, 40); /* the observer heard of each, once */
    assert_true(bench->versions < 41);
    assert_int_equal(image_offset(bench->image), image_offset(old) + 1);
    for (uint64_t i = 0; i < 40; i++)
        assert_memory_equal(image_topic_at(bench->image, i)->id, image_topic_at(old, i)->id, 16);
    assert_int_equal(bench_create(bench, "topic-3"), MRT_EEXIST);
    image_unref(old);
}

static void a_snapshot_is_stored_and_the_next_start_begins_with_it(void **state)
{
    start_from_a_snapshot(*state);
}

static void the_same_with_a_plugin_that_answers_inline(void **state)
{
    struct bench *bench = *state;
    set_inline(&bench->fake);
    start_from_a_snapshot(bench);
}

static void want(void *arg)
{
    struct fake *fake = arg;
    fake->events->want_snapshot(fake->ctx, 1);
}

static void a_snapshot_the_plugin_asks_for_is_stored(void **state)
{
    struct bench *bench = *state;
    lead(bench);
    with(bench, want);
    wait_for_snapshot(bench, 0);
    assert_int_equal(bench->fake.stored_id.end_offset, bench->fake.end);
}

static void heal(void *arg)
{
    ((struct fake *)arg)->put_error = MRT_OK;
}

static void a_snapshot_that_fails_is_given_up_and_tried_again_later(void **state)
{
    struct bench *bench = *state;
    bench->snapshot_every = 1000;
    bench->fake.put_error = MRT_ENOSPC;
    lead(bench);
    fill(bench, 20);
    assert_int_equal(log_start(bench), 0);
    with(bench, heal);
    char name[32];
    for (uint32_t i = 0; i < 400 && log_start(bench) == 0; i++) {
        snprintf(name, sizeof name, "later-%u", i);
        assert_int_equal(bench_create(bench, name), MRT_OK);
        usleep(1000);
    }
    assert_true(log_start(bench) > 0);
}

static void a_damaged_snapshot_stops_the_node(void **state)
{
    struct bench *bench = *state;
    bench->snapshot_every = 1000;
    lead(bench);
    fill(bench, 40);
    wait_for_snapshot(bench, 0);
    bench_close(bench);
    bench->fake.stored[50] ^= 1;
    assert_int_equal(bench_open(bench), MRT_ECORRUPT);
    assert_int_equal(bench->fake.adopted, 0);
    assert_int_equal(bench->fatals, 1);
}

static void credit_never_exceeds_the_window_and_comes_back(void **state)
{
    struct bench *bench = *state;
    lead(bench);
    fill(bench, 100);
    bench_close(bench);
    assert_int_equal(bench->fake.most_credit, 1024 * 1024);
    bench->fake.max_entry = 4 * 1024 * 1024;
    assert_int_equal(bench_open(bench), MRT_OK);
    assert_int_equal(bench_create(bench, "more"), MRT_OK);
    bench_close(bench);
    assert_int_equal(bench->fake.most_credit, 8 * 1024 * 1024);
    assert_int_equal(bench->fake.credit, 8 * 1024 * 1024); /* all of it, once nothing is due */
}

static void closing_while_a_snapshot_is_stored_leaves_none_half_done(void **state)
{
    struct bench *bench = *state;
    bench->snapshot_every = 100;
    lead(bench);
    for (uint32_t i = 0; i < 10; i++) {
        char name[32];
        snprintf(name, sizeof name, "t%u", i);
        assert_int_equal(bench_create(bench, name), MRT_OK);
        bench_close(bench);
        assert_false(bench->fake.putting);
        assert_int_equal(bench_open(bench), MRT_OK);
    }
    assert_int_equal(image_topic_count(bench->image), 10);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_begin, bench_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(opening_waits_until_this_node_leads),
        TEST(an_open_that_fails_leaves_nothing_behind),
        TEST(a_plugin_that_answers_inline_is_as_good),
        TEST(a_full_disk_at_start_fails_the_open_and_leading_is_tried_again),
        TEST(an_unknown_outcome_ends_the_epoch_and_the_log_decides),
        TEST(losing_the_lead_ends_all_requests_and_a_late_ok_is_none),
        TEST(the_next_epoch_waits_for_the_append_of_the_last),
        TEST(an_append_that_certainly_failed_ends_its_requests_only),
        TEST(a_split_request_whose_first_part_failed_has_failed),
        TEST(closing_ends_what_waits_and_resigns_first),
        TEST(an_entry_that_cannot_be_read_stops_the_node),
        TEST(an_entry_of_a_newer_release_is_named_so),
        TEST(a_plugin_that_hands_out_an_epoch_twice_is_not_trusted),
        TEST(a_snapshot_is_stored_and_the_next_start_begins_with_it),
        TEST(the_same_with_a_plugin_that_answers_inline),
        TEST(a_snapshot_the_plugin_asks_for_is_stored),
        TEST(a_snapshot_that_fails_is_given_up_and_tried_again_later),
        TEST(a_damaged_snapshot_stops_the_node),
        TEST(credit_never_exceeds_the_window_and_comes_back),
        TEST(closing_while_a_snapshot_is_stored_leaves_none_half_done),
    };
    return cmocka_run_group_tests_name("core/controller/leading", tests, NULL, NULL);
}
