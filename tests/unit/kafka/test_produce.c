/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Produce against the double (double.h): one batch to one partition of "seen", where record bytes
 * lie, who holds their lease, and what is answered when.
 */
#include "plugins/protocol/kafka/errors.h"
#include "tests/unit/kafka/double.h"

static int open_world(void **state)
{
    *state = world_open();
    return 0;
}

static int close_world(void **state)
{
    world_close(*state);
    return 0;
}

static const char *records_of(const mrt_call *call)
{
    const mrt_produce *in = call->in;
    const mrt_slice *slice = in->parts[0].batches.v;
    return (const char *)(uintptr_t)slice->ref + slice->off;
}

static void record_bytes_stay_where_they_were_received(void **state)
{
    struct double_world *w = *state;
    struct kafka_produce_request in = world_produce(-1);
    uint8_t frame[256];
    uint64_t n = world_request(&kafka_produce_request, 9, 1, &in, frame), want;

    world_bytes(w, frame, n, &want);
    const mrt_produce *op = w->call[0]->in;
    assert_true(records_of(w->call[0]) > (const char *)frame);
    assert_true(records_of(w->call[0]) < (const char *)frame + n);
    assert_memory_equal(records_of(w->call[0]), WORLD_RECORDS, 16);
    assert_false(
        op->parts[0].tp.topic.p > (const char *)frame &&
        op->parts[0].tp.topic.p < (const char *)frame + n); /* but the name was copied */
    assert_int_equal(w->call[0]->op.deadline_ns, w->now_ns + 1500000000);
    assert_int_equal(w->leases, 1);
    world_appended(w->call[0], 3);
    assert_int_equal(w->leases, 0); /* read credit comes back with the append, not the answer */
    world_complete(w, 0, MRT_OK);
}

static void two_produces_in_one_read_share_its_lease(void **state)
{
    struct double_world *w = *state;
    struct kafka_produce_request in = world_produce(-1);
    uint8_t frame[256];
    uint64_t n = world_request(&kafka_produce_request, 9, 1, &in, frame), want;

    memcpy(frame + n, frame, n);
    world_bytes(w, frame, 2 * n, &want);
    world_appended(w->call[0], 3);
    assert_int_equal(w->leases, 1);
    world_appended(w->call[1], 4);
    assert_int_equal(w->leases, 0);
    world_complete(w, 1, MRT_OK);
    world_complete(w, 0, MRT_OK);
}

static void a_refused_produce_keeps_its_lease_and_is_answered(void **state)
{
    struct double_world *w = *state;
    struct kafka_produce_request in = world_produce(1);
    struct kafka_produce_response out;

    w->on_call = world_refuses;
    for (int16_t version = 3; version <= 13; version++) {
        uint32_t slot = (uint32_t)version - 3;
        world_send(w, &kafka_produce_request, version, version, &in);
        world_answer(w, slot, &kafka_produce_response, version, version, &out);
        assert_int_equal(
            out.responses[0].partition_responses[0].error_code, KAFKA_NOT_LEADER_OR_FOLLOWER);
        assert_int_equal(out.responses[0].partition_responses[0].base_offset, -1);
        assert_int_equal(w->leases, 0);
    }
}

static mrt_status leads_elsewhere(struct double_world *w, mrt_call *call)
{
    (void)w;
    world_appended(call, -1);
    mrt_produce_res *out = call->out;
    out->status = MRT_ENOTLEADER;
    out->leader_id = 1;
    out->leader_epoch = 9;
    return MRT_OK;
}

static void a_client_is_told_who_leads_instead(void **state)
{
    struct double_world *w = *state;
    struct kafka_produce_request in = world_produce(1);
    struct kafka_produce_response out;

    w->on_call = leads_elsewhere;
    world_send(w, &kafka_produce_request, 10, 1, &in);
    world_answer(w, 0, &kafka_produce_response, 10, 1, &out);
    assert_int_equal(out.responses[0].partition_responses[0].current_leader.leader_id, 1);
    assert_int_equal(out.responses[0].partition_responses[0].current_leader.leader_epoch, 9);
    assert_int_equal(out.n_node_endpoints, 1);
    assert_int_equal(out.node_endpoints[0].port, 9092);
    world_send(w, &kafka_produce_request, 9, 2, &in);
    world_answer(w, 1, &kafka_produce_response, 9, 2, &out);
}

static void acks_0_is_never_answered_and_an_error_closes(void **state)
{
    struct double_world *w = *state;
    struct kafka_produce_request in = world_produce(0);

    world_send(w, &kafka_produce_request, 9, 1, &in);
    world_appended(w->call[0], 0);
    world_complete(w, 0, MRT_OK);
    assert_int_equal(w->slot[0].n, 0);
    assert_int_equal(w->closes, 0);
    assert_int_equal(w->arenas, 0);
    w->on_call = world_refuses;
    world_send(w, &kafka_produce_request, 9, 2, &in);
    assert_int_equal(w->slot[1].n, 0);
    assert_int_equal(w->closes, 1);
}

static void other_acks_are_refused_without_asking_the_broker(void **state)
{
    struct double_world *w = *state;
    struct kafka_produce_request in = world_produce(2);
    struct kafka_produce_response out;

    world_send(w, &kafka_produce_request, 3, 1, &in);
    world_answer(w, 0, &kafka_produce_response, 3, 1, &out);
    assert_int_equal(
        out.responses[0].partition_responses[0].error_code, KAFKA_INVALID_REQUIRED_ACKS);
    assert_int_equal(w->calls, 0);
    assert_int_equal(w->leases, 0);
}

static void a_throttled_client_is_told_and_not_read(void **state)
{
    struct double_world *w = *state;
    struct kafka_produce_request in = world_produce(1);
    struct kafka_produce_response out;

    world_send(w, &kafka_produce_request, 9, 1, &in);
    world_appended(w->call[0], 0);
    w->call[0]->throttle_ms = 250;
    world_complete(w, 0, MRT_OK);
    world_answer(w, 0, &kafka_produce_response, 9, 1, &out);
    assert_int_equal(out.throttle_time_ms, 250);
    assert_int_equal(w->pauses, 1);
    assert_int_equal(w->resumed_at, w->now_ns + 250000000);
}

static void room_does_not_end_a_throttling(void **state)
{
    struct double_world *w = *state;
    struct kafka_produce_request in = world_produce(1);
    uint8_t one[256];
    uint64_t n = world_request(&kafka_produce_request, 8, 1, &in, one), want;

    world_bytes(w, one, n, &want);
    w->reserve_max = 1;
    assert_int_equal(world_bytes(w, one, n, &want), 0);
    world_appended(w->call[0], 0);
    w->call[0]->throttle_ms = 40;
    world_complete(w, 0, MRT_OK);
    assert_int_equal(w->resumes, 1);
    assert_int_equal(w->resumed_at, w->now_ns + 40000000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(record_bytes_stay_where_they_were_received),
        TEST(two_produces_in_one_read_share_its_lease),
        TEST(a_refused_produce_keeps_its_lease_and_is_answered),
        TEST(a_client_is_told_who_leads_instead),
        TEST(acks_0_is_never_answered_and_an_error_closes),
        TEST(other_acks_are_refused_without_asking_the_broker),
        TEST(a_throttled_client_is_told_and_not_read),
        TEST(room_does_not_end_a_throttling),
    };
    return cmocka_run_group_tests_name("kafka/produce", tests, NULL, NULL);
}
