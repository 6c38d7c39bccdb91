/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fetch against the double (double.h): two partitions of "seen", of which the broker answers what
 * the test says. The four operations behind a fetch complete at once or later, as the test says.
 */
#include "plugins/protocol/kafka/errors.h"
#include "tests/unit/kafka/double.h"

static const char stored[] = "batches as they lie on disk";

/* What on_call does: the plan of one test. */
static struct plan {
    uint32_t pend;     /* operation that pends; 0: none */
    uint32_t fail;     /* operation that fails */
    mrt_status status; /* with this */
    mrt_slice slices[2];
    mrt_sub_res results[2];
    mrt_sub_part parts[2]; /* as SUB_SET named them */
    mrt_sub_poll poll;     /* as SUB_POLL said */
    uint32_t open, closed;
} plan;

static const mrt_aborted aborted[] = {{70, 3}, {71, 9}};

static void results_into(struct double_world *w, mrt_sub_poll_out *out)
{
    for (uint32_t i = 0; i < 2; i++) {
        plan.slices[i] = (mrt_slice){MRT_SLICE_MEM, 0, (uintptr_t)stored, i * 8, 8};
        plan.results[i] = (mrt_sub_res){
            .cookie = plan.parts[1 - i].cookie, /* in an order of its own */
            .preferred_replica = -1,
            .high_watermark = 100 + plan.parts[1 - i].tp.partition,
            .last_stable = 90,
            .log_start = 5,
            .aborted = aborted,
            .n_aborted = 2,
            .diverged_epoch = -1,
            .leader_id = -1,
            .leader_epoch = -1,
            .data = {&plan.slices[i], 1, 0, 8, world_lease(w)},
        };
    }
    out->n = 2;
    out->parts = plan.results;
}

static mrt_status carry_out(struct double_world *w, mrt_call *call)
{
    if (call->number == plan.fail)
        return plan.status;
    if (call->number == MRT_OP_SUB_OPEN) {
        plan.open++;
        ((mrt_sub_open *)call->out)->sub = (mrt_sub *)&plan;
    } else if (call->number == MRT_OP_SUB_SET) {
        const mrt_sub_set *set = call->in;
        assert_ptr_equal(set->sub, &plan);
        assert_int_equal(set->n, 2);
        memcpy(plan.parts, set->parts, sizeof plan.parts);
    } else if (call->number == MRT_OP_SUB_POLL) {
        plan.poll = *(const mrt_sub_poll *)call->in;
        results_into(w, call->out);
    } else {
        assert_int_equal(call->number, MRT_OP_SUB_CLOSE);
        assert_ptr_equal(((const mrt_sub_open *)call->in)->sub, &plan);
        plan.closed++;
    }
    return MRT_OK;
}

static mrt_status on_call(struct double_world *w, mrt_call *call)
{
    return call->number == plan.pend ? MRT_PENDING : carry_out(w, call);
}

static int open_world(void **state)
{
    struct double_world *w = *state = world_open();
    plan = (struct plan){0};
    w->on_call = on_call;
    return 0;
}

static int close_world(void **state)
{
    assert_int_equal(plan.open, plan.closed);
    world_close(*state);
    return 0;
}

static struct kafka_fetch_request_partition parts[2];
static struct kafka_fetch_request_topic topic;

static struct kafka_fetch_request fetch_of(int8_t isolation)
{
    for (int32_t i = 0; i < 2; i++)
        parts[i] = (struct kafka_fetch_request_partition){
            .partition = i,
            .current_leader_epoch = 4,
            .fetch_offset = 10 + i,
            .last_fetched_epoch = -1,
            .log_start_offset = -1,
            .partition_max_bytes = 1000,
            .high_watermark = INT64_MAX,
        };
    topic = (struct kafka_fetch_request_topic){
        .topic = {"seen", 4}, .partitions = parts, .n_partitions = 2};
    memset(topic.topic_id, 7, 16);
    return (struct kafka_fetch_request){
        .replica_id = -1,
        .replica_state = {-1, -1},
        .max_wait_ms = 500,
        .min_bytes = 1,
        .max_bytes = 5000,
        .isolation_level = isolation,
        .session_epoch = -1,
        .topics = &topic,
        .n_topics = 1,
    };
}

static void records_leave_as_they_lie_in_every_version(void **state)
{
    struct double_world *w = *state;

    for (int16_t version = 4; version <= 18; version++) {
        struct kafka_fetch_request in = fetch_of((int8_t)(version % 2));
        struct kafka_fetch_response out;
        world_send(w, &kafka_fetch_request, version, version, &in);
        world_answer(w, (uint32_t)version - 4, &kafka_fetch_response, version, version, &out);
        assert_int_equal(out.error_code, 0);
        assert_int_equal(out.session_id, 0);
        for (int32_t i = 0; i < 2; i++) {
            const struct kafka_fetch_response_partition *p = &out.responses[0].partitions[i];
            assert_int_equal(p->partition_index, i);
            assert_int_equal(p->error_code, 0);
            assert_int_equal(p->high_watermark, 100 + i);
            assert_int_equal(p->records.n, 8);
            assert_memory_equal(p->records.p, stored + (1 - i) * 8, 8);
            assert_int_equal(p->n_aborted_transactions, version % 2 ? 2 : 0);
            assert_true(version % 2 || !p->aborted_transactions); /* null, not empty */
        }
        assert_int_equal(w->leases, 0);
        assert_int_equal(plan.parts[1].from, 11);
        assert_int_equal(plan.parts[0].tp.leader_epoch, version < 9 ? -1 : 4);
        assert_int_equal(plan.parts[0].tp.topic.n, version < 13 ? 4 : 0);
        assert_int_equal(plan.parts[0].tp.topic_id[5], version < 13 ? 0 : 7);
        assert_int_equal(plan.poll.max_wait_ns, 500000000);
        assert_int_equal(plan.poll.max_bytes, 5000);
        assert_int_equal(plan.poll.full, 1);
    }
}

static void any_operation_may_complete_later(void **state)
{
    static const uint32_t numbers[] = {
        MRT_OP_SUB_OPEN, MRT_OP_SUB_SET, MRT_OP_SUB_POLL, MRT_OP_SUB_CLOSE};
    struct double_world *w = *state;
    struct kafka_fetch_request in = fetch_of(0);
    struct kafka_fetch_response out;

    for (uint32_t i = 0; i < 4; i++) {
        plan.pend = numbers[i];
        world_send(w, &kafka_fetch_request, 11, 1, &in);
        assert_int_equal(w->slot[i].filled, 0);
        assert_int_equal(carry_out(w, w->call[w->calls - 1]), MRT_OK);
        world_complete(w, w->calls - 1, MRT_OK);
        world_answer(w, i, &kafka_fetch_response, 11, 1, &out);
        assert_int_equal(out.responses[0].partitions[0].error_code, 0);
        assert_int_equal(out.responses[0].partitions[1].records.n, 8);
    }
}

static void a_failed_operation_is_an_error_of_every_partition(void **state)
{
    static const uint32_t numbers[] = {MRT_OP_SUB_OPEN, MRT_OP_SUB_SET, MRT_OP_SUB_POLL};
    struct double_world *w = *state;
    struct kafka_fetch_request in = fetch_of(1);
    struct kafka_fetch_response out;

    plan.status = MRT_ESHUTDOWN;
    for (uint32_t i = 0; i < 3; i++) {
        plan.fail = numbers[i];
        world_send(w, &kafka_fetch_request, 13, 1, &in);
        world_answer(w, i, &kafka_fetch_response, 13, 1, &out);
        for (uint32_t j = 0; j < 2; j++)
            assert_int_equal(
                out.responses[0].partitions[j].error_code, KAFKA_NOT_LEADER_OR_FOLLOWER);
        assert_int_equal(plan.open, plan.closed);
    }
}

static void a_request_that_continues_a_session_hears_that_there_is_none(void **state)
{
    struct double_world *w = *state;
    struct kafka_fetch_request in = fetch_of(0);
    struct kafka_fetch_response out;

    in.session_id = 77;
    in.session_epoch = 3;
    for (int16_t version = 7; version <= 18; version++) {
        world_send(w, &kafka_fetch_request, version, 1, &in);
        world_answer(w, (uint32_t)version - 7, &kafka_fetch_response, version, 1, &out);
        assert_int_equal(out.error_code, KAFKA_FETCH_SESSION_ID_NOT_FOUND);
        assert_int_equal(out.session_id, 0);
        assert_int_equal(out.n_responses, 0);
    }
    assert_int_equal(w->calls, 0);
    in.session_epoch = 0; /* asks for a new one: gets all it asked for, and none */
    world_send(w, &kafka_fetch_request, 12, 1, &in);
    world_answer(w, 12, &kafka_fetch_response, 12, 1, &out);
    assert_int_equal(out.error_code, 0);
    assert_int_equal(out.session_id, 0);
    assert_int_equal(out.responses[0].n_partitions, 2);
}

static void a_fetch_of_nothing_is_answered_at_once(void **state)
{
    struct double_world *w = *state;
    struct kafka_fetch_request in = fetch_of(0);
    struct kafka_fetch_response out;

    in.n_topics = 0;
    world_send(w, &kafka_fetch_request, 12, 1, &in);
    world_answer(w, 0, &kafka_fetch_response, 12, 1, &out);
    assert_int_equal(out.n_responses, 0);
    assert_int_equal(w->calls, 0);
}

static void a_client_gone_while_parked_leaves_nothing_behind(void **state)
{
    struct double_world *w = *state;
    struct kafka_fetch_request in = fetch_of(0);

    plan.pend = MRT_OP_SUB_POLL;
    world_send(w, &kafka_fetch_request, 12, 1, &in);
    world_send(w, &kafka_fetch_request, 12, 2, &in);
    world_closed(w);
    assert_int_equal(w->cancels, 2);
    world_complete(w, w->calls - 1, MRT_ECANCELED);
    uint32_t other = 0;
    while (w->call[other]->number != MRT_OP_SUB_POLL)
        other++;
    carry_out(w, w->call[other]); /* the other one had found something by then */
    assert_int_equal(w->leases, 2);
    world_complete(w, other, MRT_OK);
    assert_int_equal(w->leases, 0);
    assert_int_equal(w->arenas, 0);
}

static void a_follower_says_who_it_is(void **state)
{
    struct double_world *w = *state;
    struct kafka_fetch_request in = fetch_of(0);

    plan.pend = MRT_OP_SUB_OPEN;
    in.replica_id = 9;
    world_send(w, &kafka_fetch_request, 14, 1, &in);
    assert_int_equal(((const mrt_sub_open *)w->call[0]->in)->replica_id, 9);
    in.replica_state = (struct kafka_fetch_request_replica_state){8, 21};
    world_send(w, &kafka_fetch_request, 17, 2, &in);
    assert_int_equal(((const mrt_sub_open *)w->call[1]->in)->replica_id, 8);
    assert_int_equal(((const mrt_sub_open *)w->call[1]->in)->replica_epoch, 21);
    for (uint32_t i = 0; i < 2; i++)
        world_complete(w, i, MRT_ESHUTDOWN);
}

static mrt_status led_elsewhere(struct double_world *w, mrt_call *call)
{
    mrt_status status = carry_out(w, call);

    if (call->number == MRT_OP_SUB_POLL) {
        plan.results[0].status = MRT_ENOTLEADER;
        plan.results[0].leader_id = 3;
        plan.results[0].leader_epoch = 8;
        plan.results[0].data.bytes = 0;
    }
    return status;
}

static void a_consumer_is_told_who_leads_instead_and_gets_the_rest(void **state)
{
    struct double_world *w = *state;
    struct kafka_fetch_request in = fetch_of(0);
    struct kafka_fetch_response out;

    w->on_call = led_elsewhere;
    world_send(w, &kafka_fetch_request, 16, 1, &in);
    world_answer(w, 0, &kafka_fetch_response, 16, 1, &out);
    assert_int_equal(out.responses[0].partitions[1].error_code, KAFKA_NOT_LEADER_OR_FOLLOWER);
    assert_int_equal(out.responses[0].partitions[1].current_leader.leader_id, 3);
    assert_int_equal(out.responses[0].partitions[0].records.n, 8);
    assert_int_equal(out.n_node_endpoints, 1);
    assert_int_equal(out.node_endpoints[0].node_id, 3);
    assert_memory_equal(out.node_endpoints[0].host.p, "::1", 3);
    world_send(w, &kafka_fetch_request, 15, 2, &in);
    world_answer(w, 1, &kafka_fetch_response, 15, 2, &out);
}

static mrt_status one_short(struct double_world *w, mrt_call *call)
{
    mrt_status status = carry_out(w, call);

    if (call->number == MRT_OP_SUB_POLL) {
        ((mrt_sub_poll_out *)call->out)->n = 1;
        plan.results[1].data.lease->ops->release(plan.results[1].data.lease);
        plan.results[0].data.bytes = 0; /* nothing to send, but a lease all the same */
    }
    return status;
}

static void a_partition_the_broker_forgot_is_an_unknown_error_and_a_line_in_the_log(void **state)
{
    struct double_world *w = *state;
    struct kafka_fetch_request in = fetch_of(0);
    struct kafka_fetch_response out;

    w->on_call = one_short;
    world_send(w, &kafka_fetch_request, 12, 1, &in);
    world_answer(w, 0, &kafka_fetch_response, 12, 1, &out);
    assert_int_equal(out.responses[0].partitions[0].error_code, KAFKA_UNKNOWN_SERVER_ERROR);
    assert_int_equal(out.responses[0].partitions[1].error_code, 0);
    assert_int_equal(out.responses[0].partitions[1].records.n, 0);
    assert_non_null(strstr(w->log, "bug_partitions_unanswered asked=2 answered=1"));
}

/* Also where the answer names another leader. */
static void memory_may_run_out_anywhere_and_no_subscription_stays(void **state)
{
    struct kafka_fetch_request in = fetch_of(1);
    uint32_t blocks = 1;

    world_close(*state);
    for (uint32_t bad = 1; bad; blocks++) {
        struct double_world *w = world_open();
        struct kafka_fetch_response out;
        w->on_call = led_elsewhere;
        w->arena_blocks_left = blocks;
        uint8_t frame[256];
        uint64_t n = world_request(&kafka_fetch_request, 16, 1, &in, frame), want;
        world_bytes(w, frame, n, &want);
        bad = w->closes;
        if (w->reserved && w->slot[0].n) {
            world_answer(w, 0, &kafka_fetch_response, 16, 1, &out);
            bad += out.responses[0].partitions[0].error_code != 0;
            bad += out.responses[0].partitions[1].error_code != KAFKA_NOT_LEADER_OR_FOLLOWER;
        }
        assert_int_equal(plan.open, plan.closed);
        world_close(w);
    }
    assert_true(blocks > 10);
    *state = world_open();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(records_leave_as_they_lie_in_every_version),
        TEST(any_operation_may_complete_later),
        TEST(a_failed_operation_is_an_error_of_every_partition),
        TEST(a_request_that_continues_a_session_hears_that_there_is_none),
        TEST(a_fetch_of_nothing_is_answered_at_once),
        TEST(a_client_gone_while_parked_leaves_nothing_behind),
        TEST(a_follower_says_who_it_is),
        TEST(a_consumer_is_told_who_leads_instead_and_gets_the_rest),
        TEST(a_partition_the_broker_forgot_is_an_unknown_error_and_a_line_in_the_log),
        TEST(memory_may_run_out_anywhere_and_no_subscription_stays),
    };
    return cmocka_run_group_tests_name("kafka/fetch", tests, NULL, NULL);
}
