/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rolls, trims and what policies may do. Batches carry one value of 2000 bytes, segments hold 5000:
 * two batches each. The policy of the suite says whatever the test wrote into `says`.
 */
#include "tests/unit/log/scene.h"

static mrt_verdict says[4];
static uint32_t said;       /* verdicts in says */
static uint32_t asked;      /* times */
static uint32_t seen;       /* segments in the last view */
static int64_t seen_active; /* base of the active one */

static mrt_status plan(
    void *inst, const mrt_clean_view *view, mrt_verdict *out, uint32_t cap, uint32_t *n)
{
    (void)inst;
    ASSERT(cap >= said);
    asked++;
    seen = view->n_segments;
    seen_active = view->segments[seen - 1].base;
    ASSERT(view->segments[seen - 1].flags & MRT_SEGMENT_ACTIVE);
    for (uint32_t i = 0; i < said; i++)
        out[i] = says[i];
    *n = said;
    return MRT_OK;
}

static const mrt_cleanup_ops policy = {.size = sizeof policy, .plan = plan};

static int shrink(void)
{
    said = asked = seen = 0;
    scene.config.segment_bytes = 5000;
    scene.policies[0].ops = &policy;
    scene.policy_count = 1;
    assert_int_equal(scene_configure(), MRT_OK);
    return 0;
}

static int small_segments(void **state)
{
    scene_setup(state);
    return shrink();
}

static int small_segments_simulated(void **state)
{
    scene_setup_simulated(state);
    return shrink();
}

static int small_segments_pending(void **state)
{
    small_segments(state);
    script.pend_all = true;
    return 0;
}

static void fill(int32_t batches)
{
    for (int32_t i = 0; i < batches; i++)
        assert_int_equal(
            scene_append(1, &(struct scene_batch){.records = 1, .value_bytes = 2000}, NULL),
            MRT_OK);
}

/* The offsets of all snapshots after a restart, whose own one is the last. */
static uint32_t snapshots(int64_t *offsets, uint32_t cap)
{
    scene_reopen();
    return scene_snapshots(offsets, cap);
}

/* ---- rolls ----------------------------------------------------------------------------------- */

static void a_segment_is_sealed_before_it_would_grow_beyond_its_size(void **state)
{
    (void)state;
    int64_t offsets[8];
    fill(6);
    scene_settle();
    assert_int_equal(scene_calls(KIND_ROLL), 2);
    assert_int_equal(scene_line().end, 6);
    assert_int_equal(snapshots(offsets, 8), 3); /* one where each segment begins, one at the end */
    assert_int_equal(offsets[0], 2);
    assert_int_equal(offsets[1], 4);
    assert_int_equal(offsets[2], 6);
}

static void a_flight_never_spans_segments(void **state)
{
    (void)state;
    struct scene_append all[6];
    for (uint32_t i = 0; i < 6; i++)
        scene_ready(&all[i], 1, &(struct scene_batch){.records = 1, .value_bytes = 2000});
    scene_start_all(all, 6);
    for (uint32_t i = 0; i < 6; i++) {
        assert_int_equal(scene_end(&all[i]), MRT_OK);
        assert_int_equal(all[i].append.base_offset, i);
    }
    assert_int_equal(script.batches_max, 2);
    assert_int_equal(scene_calls(KIND_ROLL), 2);
}

static void a_storage_that_is_full_gets_a_new_segment_and_the_same_append(void **state)
{
    (void)state;
    int64_t base;
    fill(1);
    script.full_once = true;
    assert_int_equal(
        scene_append(1, &(struct scene_batch){.records = 1, .value_bytes = 10}, &base), MRT_OK);
    assert_int_equal(base, 1);
    assert_int_equal(scene_calls(KIND_ROLL), 1);
    assert_int_equal(scene_line().end, 2);
}

static void what_does_not_fit_an_empty_segment_is_too_big(void **state)
{
    (void)state;
    struct scene_append all[2];
    scene_fail(KIND_APPEND, 0, MRT_EFULL);
    for (uint32_t i = 0; i < 2; i++)
        scene_ready(&all[i], 1, &(struct scene_batch){.records = 1});
    scene_start_all(all, 2);
    assert_int_equal(scene_end(&all[0]), MRT_ETOOBIG);
    assert_int_equal(scene_end(&all[1]), MRT_ETOOBIG);
    assert_int_equal(scene_calls(KIND_APPEND), 3); /* together, then each alone */
    assert_int_equal(scene_calls(KIND_ROLL), 0);
}

static void a_failed_roll_fails_the_append_that_needed_it(void **state)
{
    (void)state;
    fill(2);
    scene_fail(KIND_ROLL, 0, MRT_ENOSPC);
    const struct scene_batch big = {.records = 1, .value_bytes = 2000};
    assert_int_equal(scene_append(1, &big, NULL), MRT_ENOSPC);
    assert_int_equal(scene_line().end, 2);
    scene_pass(KIND_ROLL);
    assert_int_equal(scene_append(1, &big, NULL), MRT_OK);
    assert_int_equal(scene_line().end, 3);
}

static void records_much_newer_than_the_first_begin_a_segment(void **state)
{
    (void)state;
    scene.config.segment_ms = 1000;
    assert_int_equal(scene_configure(), MRT_OK);
    assert_int_equal(scene_append(1, &(struct scene_batch){.timestamp_ms = 5000}, NULL), MRT_OK);
    assert_int_equal(scene_append(1, &(struct scene_batch){.timestamp_ms = 6000}, NULL), MRT_OK);
    assert_int_equal(scene_calls(KIND_ROLL), 0);
    assert_int_equal(scene_append(1, &(struct scene_batch){.timestamp_ms = 6001}, NULL), MRT_OK);
    assert_int_equal(scene_calls(KIND_ROLL), 1);
}

static void an_aged_segment_is_sealed_by_maintenance(void **state)
{
    (void)state;
    fill(1);
    assert_int_equal(scene_maintain(), MRT_OK);
    assert_int_equal(scene_calls(KIND_ROLL), 0);
    scene.config.segment_ms = 1;
    assert_int_equal(scene_configure(), MRT_OK);
    scene_pause(5);
    assert_int_equal(scene_maintain(), MRT_OK);
    assert_int_equal(scene_calls(KIND_ROLL), 1);
    assert_int_equal(scene_maintain(), MRT_OK); /* it is empty: nothing ages */
    assert_int_equal(scene_calls(KIND_ROLL), 1);
}

/* ---- trims ----------------------------------------------------------------------------------- */

static void a_trim_moves_the_start_and_takes_the_snapshots_of_what_went(void **state)
{
    (void)state;
    int64_t low;
    int64_t offsets[8];
    fill(6);
    assert_int_equal(scene_trim(3, &low), MRT_OK);
    assert_int_equal(low, 3);
    assert_int_equal(scene_line().start, 3);
    assert_int_equal(scene_trim(1, &low), MRT_OK); /* is gone already */
    assert_int_equal(low, 3);
    assert_int_equal(scene_trim(7, &low), MRT_ERANGE);
    assert_int_equal(low, -1);
    struct scene_read own;
    scene_read_ready(&own, 2);
    assert_int_equal(scene_read(&own), MRT_ERANGE);
    assert_int_equal(scene_trim(-1, &low), MRT_OK);
    assert_int_equal(low, 6);
    scene_settle();
    assert_int_equal(snapshots(offsets, 8), 2);
    assert_int_equal(offsets[0], 4); /* the active segment begins there */
    assert_int_equal(offsets[1], 6);
    assert_int_equal(scene_line().start, 6); /* also after the restart */
}

static void a_failed_trim_changes_nothing(void **state)
{
    (void)state;
    int64_t low;
    fill(4);
    struct log_line before = scene_line();
    scene_fail(KIND_TRIM, 0, MRT_EIO);
    assert_int_equal(scene_trim(2, &low), MRT_EIO);
    struct log_line after = scene_line();
    assert_memory_equal(&after, &before, sizeof after);
}

/* ---- policies -------------------------------------------------------------------------------- */

static void policies_are_asked_at_every_roll_and_by_maintenance(void **state)
{
    (void)state;
    fill(4);
    scene_settle();
    assert_int_equal(asked, 1);
    assert_int_equal(seen, 2);
    assert_int_equal(seen_active, 2);
    assert_int_equal(scene_maintain(), MRT_OK);
    assert_int_equal(asked, 2);
}

static void only_whole_sealed_segments_below_the_watermark_go(void **state)
{
    (void)state;
    fill(7); /* segments at 0, 2, 4, 6 */
    scene_settle();
    said = 1;
    says[0] = (mrt_verdict){.action = MRT_CLEAN_DROP_HEAD, .upto = 3};
    assert_int_equal(scene_maintain(), MRT_OK);
    assert_int_equal(scene_line().start, 2);
    says[0].upto = INT64_MAX; /* a policy that is wrong loses what it was asked about, no more */
    assert_int_equal(scene_maintain(), MRT_OK);
    assert_int_equal(scene_line().start, 6);
    assert_int_equal(scene_line().end, 7);
    says[0].upto = -5;
    assert_int_equal(scene_maintain(), MRT_OK);
    assert_int_equal(scene_line().start, 6);
}

static void nothing_at_or_above_the_high_watermark_goes(void **state)
{
    (void)state;
    script.durable = true;
    scene.config.flush = LOG_FLUSH_ACK;
    scene_reopen();
    scene_hold(KIND_FLUSH);
    const struct scene_batch big = {.records = 1, .value_bytes = 2000};
    for (int32_t i = 0; i < 6; i++)
        assert_int_equal(scene_append(0, &big, NULL), MRT_OK);
    said = 1;
    says[0] = (mrt_verdict){.action = MRT_CLEAN_DROP_HEAD, .upto = 6};
    assert_int_equal(scene_maintain(), MRT_OK);
    assert_int_equal(scene_line().high_watermark, 0);
    assert_int_equal(scene_line().start, 0); /* sealed, but not durable */
    scene_pass(KIND_FLUSH);
    scene_release(KIND_FLUSH);
    assert_int_equal(scene_append(1, &big, NULL), MRT_OK); /* waits for a flush of all */
    assert_int_equal(scene_maintain(), MRT_OK);
    assert_int_equal(scene_line().start, 6);
}

static void a_policy_may_have_the_active_segment_sealed_first(void **state)
{
    (void)state;
    fill(1);
    said = 2;
    says[0] = (mrt_verdict){.action = MRT_CLEAN_ROLL};
    says[1] = (mrt_verdict){.action = MRT_CLEAN_DROP_HEAD, .upto = 1};
    assert_int_equal(scene_maintain(), MRT_OK);
    assert_int_equal(scene_calls(KIND_ROLL), 1); /* and not again and again */
    assert_int_equal(scene_line().start, 1);
    assert_int_equal(scene_line().bytes, 0);
}

static void epochs_of_what_went_are_forgotten(void **state)
{
    (void)state;
    fill(2);
    scene.leader_epoch = 8;
    scene_reopen();
    fill(2); /* 2 and 3, in a segment of their own */
    int64_t low;
    struct log_find find;
    assert_int_equal(scene_find(&find, MRT_AT_EARLIEST), MRT_OK);
    assert_int_equal(find.found_epoch, 5);
    assert_int_equal(scene_trim(2, &low), MRT_OK);
    assert_int_equal(scene_find(&find, MRT_AT_EARLIEST), MRT_OK);
    assert_int_equal(find.found_epoch, 8);
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, small_segments, scene_teardown),                         \
        cmocka_unit_test_setup_teardown(name, small_segments_pending, scene_teardown),             \
        cmocka_unit_test_setup_teardown(name, small_segments_simulated, scene_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_segment_is_sealed_before_it_would_grow_beyond_its_size),
        TEST(a_flight_never_spans_segments),
        TEST(a_storage_that_is_full_gets_a_new_segment_and_the_same_append),
        TEST(what_does_not_fit_an_empty_segment_is_too_big),
        TEST(a_failed_roll_fails_the_append_that_needed_it),
        TEST(records_much_newer_than_the_first_begin_a_segment),
        TEST(an_aged_segment_is_sealed_by_maintenance),
        TEST(a_trim_moves_the_start_and_takes_the_snapshots_of_what_went),
        TEST(a_failed_trim_changes_nothing),
        TEST(policies_are_asked_at_every_roll_and_by_maintenance),
        TEST(only_whole_sealed_segments_below_the_watermark_go),
        TEST(nothing_at_or_above_the_high_watermark_goes),
        TEST(a_policy_may_have_the_active_segment_sealed_first),
        TEST(epochs_of_what_went_are_forgotten),
    };
    return cmocka_run_group_tests_name("log/retention", tests, NULL, NULL);
}
