/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A log of three sealed segments of 100 bytes each, [0, 10) [10, 20) [20, 30), whose newest records
 * are of 1000, 2000 and 3000 ms, and an active one [30, 40) of 50 bytes with 4000 ms. All of it is
 * cleanable. Each row of the table changes something and says what the policy answers.
 */
#include <mortise/cleanup.h>

#include "tests/unit/fakehost.h"

const mrt_plugin *cleanup_delete_LTX_mortise_plugin_entry(uint32_t host_abi);

#define NEVER -1

struct row {
    const char *rule;
    int64_t retention_ms, retention_bytes, now_ms;
    int64_t cleanable_end; /* 0: all of it */
    /* what the answer is */
    uint32_t drops; /* segments */
    uint32_t rolls;
    int64_t upto;
    int64_t not_before_ms;
    uint32_t weight;
};

static const struct row rows[] = {
    {"without limits there is nothing to say", NEVER, NEVER, 99999, 0, 0, 0, -1, 0, 0},
    {"exactly as old as allowed stays", 5000, NEVER, 6000, 0, 0, 0, 0, 6001, 0},
    {"a millisecond older goes", 5000, NEVER, 6001, 0, 1, 0, 10, 7001, 285},
    {"several go at once", 1000, NEVER, 3500, 0, 2, 0, 20, 4001, 571},
    {"the active one is sealed first", 1000, NEVER, 9000, 0, 3, 1, 30, 0, 857},
    {"nothing above the cleanable end goes", 1000, NEVER, 9000, 25, 2, 0, 20, 0, 571},
    {"a segment that ends there goes", 1000, NEVER, 9000, 30, 3, 0, 30, 0, 857},
    {"nor is sealed what could not go", 1000, NEVER, 9000, 39, 3, 0, 30, 0, 857},
    {"no retention at all empties the log", 0, NEVER, 4001, 0, 3, 1, 30, 0, 857},
    {"far in the future nothing overflows", INT64_MAX, NEVER, 4001, 0, 0, 0, 0, INT64_MAX, 0},
    {"a clock gone back drops nothing", 1000, NEVER, -5, 0, 0, 0, 0, 2001, 0},
    {"as large as allowed stays", NEVER, 350, 0, 0, 0, 0, -1, 0, 0},
    {"what stays is at least what is allowed", NEVER, 251, 0, 0, 0, 0, -1, 0, 0},
    {"a segment more than allowed goes", NEVER, 250, 0, 0, 1, 0, 10, 0, 285},
    {"size alone does not seal", NEVER, 1, 0, 0, 3, 0, 30, 0, 857},
    {"but no size at all does", NEVER, 0, 0, 0, 3, 1, 30, 0, 857},
    {"size stops at the cleanable end", NEVER, 0, 0, 10, 1, 0, 10, 0, 285},
    {"either limit is enough, by size", 99000, 150, 5000, 0, 2, 0, 20, 102001, 571},
    {"either limit is enough, by age", 1000, 350, 2500, 0, 1, 0, 10, 3001, 285},
};

static const mrt_segment four[] = {
    {0, 10, 1000, 500, 100, 1, 0, 0},
    {10, 20, 2000, 1500, 100, 2, 0, 0},
    {20, 30, 3000, 2500, 100, 3, 0, 0},
    {30, 40, 4000, 3500, 50, 4, MRT_SEGMENT_ACTIVE, 0},
};

static const mrt_cleanup_ops *ops;
static void *policy;
static mrt_cfg cfg;
static mrt_clean_view view;
static mrt_verdict verdicts[4];
static uint32_t n;

static int set_up(void **state)
{
    static struct fakehost host;
    static struct mrt_exec exec = {&host};
    const mrt_impl *impl = cleanup_delete_LTX_mortise_plugin_entry(MRT_ABI)->impls;
    (void)state;
    fakehost_init(&host);
    ops = impl->ops;
    view = (mrt_clean_view){
        .size = sizeof view,
        .n_segments = 4,
        .segments = four,
        .cleanable_end = 40,
        .bytes = 350,
        .view = &fakehost_view,
        .cfg = &cfg,
    };
    memset(verdicts, 0xff, sizeof verdicts);
    return fakehost_create(&host, &exec, impl, &cfg, &policy);
}

static void plan(void)
{
    assert_int_equal(ops->plan(policy, &view, verdicts, 4, &n), MRT_OK);
}

static void try_row(const struct row *row)
{
    uint32_t expected = (row->upto >= 0) + row->rolls;
    cfg.i64[0] = row->retention_ms;
    cfg.i64[1] = row->retention_bytes;
    view.now_ms = row->now_ms;
    view.cleanable_end = row->cleanable_end == 0 ? 40 : row->cleanable_end;
    plan();
    if (n != expected)
        fail_msg("%s: %u verdicts", row->rule, n);
    if (row->upto >= 0) {
        const mrt_verdict *drop = &verdicts[0];
        if (drop->action != MRT_CLEAN_DROP_HEAD || drop->upto != row->upto ||
            drop->n != row->drops || drop->not_before_ms != row->not_before_ms ||
            drop->weight != row->weight)
            fail_msg(
                "%s: drops %u upto %d, again at %d, weight %u", row->rule, drop->n, (int)drop->upto,
                (int)drop->not_before_ms, drop->weight);
    }
    if (row->rolls && verdicts[1].action != MRT_CLEAN_ROLL)
        fail_msg("%s: action %u", row->rule, verdicts[1].action);
}

static void every_row_of_the_table(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < sizeof rows / sizeof *rows; i++)
        try_row(&rows[i]);
}

static void an_empty_active_segment_is_left_alone(void **state)
{
    (void)state;
    const mrt_segment empty = {0, 0, -1, 500, 0, 1, MRT_SEGMENT_ACTIVE, 0};
    view.segments = &empty;
    view.n_segments = 1;
    view.bytes = 0;
    view.now_ms = 1 << 30;
    cfg = (mrt_cfg){{0, 0}};
    plan();
    assert_int_equal(n, 0);
}

static void without_timestamps_a_segment_is_as_old_as_its_end(void **state)
{
    (void)state;
    mrt_segment old[4];
    memcpy(old, four, sizeof old);
    for (uint32_t i = 0; i < 4; i++)
        old[i].max_timestamp_ms = -1;
    view.segments = old;
    cfg = (mrt_cfg){{1000, NEVER}};
    view.now_ms = 2501; /* the second one was begun at 1500 */
    plan();
    assert_int_equal(n, 1);
    assert_int_equal(verdicts[0].upto, 10);
    assert_int_equal(verdicts[0].not_before_ms, 3501);
    view.now_ms = 4501; /* the active one was begun at 3500 */
    plan();
    assert_int_equal(n, 2);
    assert_int_equal(verdicts[1].action, MRT_CLEAN_ROLL);
}

static void a_young_segment_keeps_old_ones_behind_it(void **state)
{
    (void)state;
    mrt_segment mixed[4];
    memcpy(mixed, four, sizeof mixed);
    mixed[1].max_timestamp_ms = 50000; /* a producer's clock ran ahead */
    view.segments = mixed;
    cfg = (mrt_cfg){{1000, NEVER}};
    view.now_ms = 9000;
    plan();
    assert_int_equal(n, 1);
    assert_int_equal(verdicts[0].n, 1);
    assert_int_equal(verdicts[0].not_before_ms, 51001);
}

static void the_answer_never_lies_below_the_start_of_the_log(void **state)
{
    (void)state;
    view.log_start = 15; /* inside the second segment, the first one is still there */
    cfg = (mrt_cfg){{1000, NEVER}};
    view.now_ms = 2500;
    plan();
    assert_int_equal(verdicts[0].upto, 15);
}

static void too_little_room_is_said_with_what_is_needed(void **state)
{
    (void)state;
    mrt_verdict untouched;
    memset(&untouched, 0xff, sizeof untouched);
    cfg = (mrt_cfg){{0, NEVER}};
    view.now_ms = 9000;
    assert_int_equal(ops->plan(policy, &view, verdicts, 1, &n), MRT_ETOOBIG);
    assert_int_equal(n, 2);
    assert_memory_equal(verdicts, &untouched, sizeof untouched);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_row_of_the_table),
        TEST(an_empty_active_segment_is_left_alone),
        TEST(without_timestamps_a_segment_is_as_old_as_its_end),
        TEST(a_young_segment_keeps_old_ones_behind_it),
        TEST(the_answer_never_lies_below_the_start_of_the_log),
        TEST(too_little_room_is_said_with_what_is_needed),
    };
    return cmocka_run_group_tests_name("cleanup/delete", tests, NULL, NULL);
}
