/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection (double.h), spoken to in bytes. Every test ends by checking that arenas, leases,
 * pins and memory were given back and that each reserved slot was filled once.
 */
#include <stdio.h>

#include "plugins/protocol/kafka/errors.h"
#include "sdk/kit/varint.h"
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

static void ask_versions(struct double_world *w, int16_t version, int32_t correlation)
{
    struct kafka_api_versions_request in = {{"librdkafka", 10}, {"2.0.2", 5}};
    world_send(w, &kafka_api_versions_request, version, correlation, &in);
}

/* ---- ApiVersions ----------------------------------------------------------------------------- */

static void api_versions_says_what_is_served_in_every_version(void **state)
{
    struct double_world *w = *state;
    struct kafka_api_versions_response out;

    for (int16_t version = 0; version <= 4; version++) {
        ask_versions(w, version, 70 + version);
        world_answer(
            w, (uint32_t)version, &kafka_api_versions_response, version, 70 + version, &out);
        assert_int_equal(out.error_code, 0);
        assert_int_equal(out.n_api_keys, KAFKA_APIS);
        assert_int_equal(out.api_keys[0].api_key, 0);
        assert_int_equal(out.api_keys[0].min_version, 0); /* for librdkafka, served from 3 */
        assert_int_equal(out.api_keys[0].max_version, 13);
        assert_int_equal(out.api_keys[1].min_version, 4);
        world_sent(w, (uint32_t)version);
    }
    assert_string_equal(w->client_id, "tester");
}

static void an_unknown_version_of_api_versions_is_answered_in_version_0(void **state)
{
    struct double_world *w = *state;
    struct kafka_api_versions_response out;
    uint8_t frame[] = {0, 0, 0, 10, 0, 18, 0, 99, 0, 0, 0, 5, 0xff, 0xff};
    uint64_t want;

    assert_int_equal(world_bytes(w, frame, sizeof frame, &want), sizeof frame);
    world_answer(w, 0, &kafka_api_versions_response, 0, 5, &out);
    assert_int_equal(out.error_code, KAFKA_UNSUPPORTED_VERSION);
    assert_int_equal(out.n_api_keys, 1);
    assert_int_equal(out.api_keys[0].api_key, 18);
    assert_int_equal(out.api_keys[0].max_version, 4);
    assert_int_equal(w->closes, 0);
    ask_versions(w, 0, 6);
    world_answer(w, 1, &kafka_api_versions_response, 0, 6, &out);
    assert_int_equal(out.error_code, 0);
}

static void a_client_software_name_with_odd_letters_is_refused(void **state)
{
    struct double_world *w = *state;
    struct kafka_api_versions_request in = {{"a b", 3}, {"1", 1}};
    struct kafka_api_versions_response out;

    world_send(w, &kafka_api_versions_request, 3, 1, &in);
    world_answer(w, 0, &kafka_api_versions_response, 3, 1, &out);
    assert_int_equal(out.error_code, KAFKA_INVALID_REQUEST);
}

/* ---- frames ---------------------------------------------------------------------------------- */

static void frames_may_come_cut_at_any_byte(void **state)
{
    struct double_world *w = *state;
    struct kafka_metadata_request in = {.topics = NULL, .allow_auto_topic_creation = 1};
    uint8_t bytes[512];
    uint64_t first = world_request(&kafka_metadata_request, 12, 1, &in, bytes);
    uint64_t n = first + world_request(&kafka_metadata_request, 1, 2, &in, bytes + first), want;
    uint32_t answers = 0;

    for (uint64_t cut = 1; cut < n; cut++) {
        uint64_t taken = world_bytes(w, bytes, cut, &want);
        assert_int_equal(taken, cut < first ? 0 : first);
        assert_true(want > cut - taken); /* or the host would ask again for nothing */
        assert_true(want <= n - taken);
        taken += world_bytes(w, bytes + taken, n - taken, &want);
        assert_int_equal(taken, n);
        assert_int_equal(want, 4);
        world_sent(w, answers++);
        world_sent(w, answers++);
        assert_int_equal(w->arenas, 0);
    }
    assert_int_equal(w->reserved, answers);
}

static void an_impossible_size_closes_the_connection(void **state)
{
    static const uint32_t sizes[] = {0, 7, (1 << 20) + 1, 0x7fffffff, 0xffffffff};

    for (uint32_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct double_world *w = world_open();
        uint8_t bytes[8] = {0};
        uint64_t want;
        kit_put32(bytes, sizes[i]);
        world_bytes(w, bytes, sizeof bytes, &want);
        assert_int_equal(w->closes, 1);
        assert_non_null(strstr(w->log, "impossible size"));
        world_close(w);
    }
    (void)state;
}

static void what_is_not_served_closes_the_connection_and_says_why(void **state)
{
    static const int16_t odd[][2] = {{0, 2}, {0, 14}, {1, 3}, {4, 0}, {93, 0}, {-1, 0}, {3, -1}};

    world_close(*state);
    for (uint32_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        struct double_world *w = world_open();
        uint8_t bytes[64] = {0, 0, 0, 30};
        char expected[64];
        uint64_t want;
        kit_put16(bytes + 4, (uint16_t)odd[i][0]);
        kit_put16(bytes + 6, (uint16_t)odd[i][1]);
        assert_int_equal(world_bytes(w, bytes, 34, &want), 34);
        assert_int_equal(w->closes, 1);
        snprintf(expected, sizeof expected, "api=%d version=%d why=", odd[i][0], odd[i][1]);
        assert_non_null(strstr(w->log, expected));
        assert_int_equal(world_bytes(w, bytes, 34, &want), 34); /* taken, not looked at */
        assert_int_equal(w->reserved, 1);
        world_close(w);
    }
    *state = world_open();
}

static void a_count_beyond_the_frame_closes_the_connection_without_allocating(void **state)
{
    struct double_world *w = *state;
    struct kafka_metadata_request in = {.topics = NULL};
    uint8_t bytes[128];
    uint64_t n = world_request(&kafka_metadata_request, 1, 1, &in, bytes), want;

    kit_put32(bytes + n - 4, 0x7fffffff); /* topics: two thousand million */
    assert_int_equal(world_bytes(w, bytes, n, &want), n);
    assert_int_equal(w->closes, 1);
    assert_non_null(strstr(w->log, "why=\"malformed\""));
    assert_int_equal(w->arenas, 0);
}

static void unknown_tagged_fields_and_trailing_bytes_do_no_harm(void **state)
{
    struct double_world *w = *state;
    struct kafka_api_versions_request in = {{"x", 1}, {"1", 1}};
    struct kafka_api_versions_response out;
    uint8_t bytes[128];
    uint64_t n = world_request(&kafka_api_versions_request, 3, 1, &in, bytes), want;
    static const uint8_t tail[] = {1, 99, 3, 'a', 'b', 'c', 0xde, 0xad};

    memcpy(bytes + n - 1, tail, sizeof tail); /* over the count of no tagged fields */
    n += sizeof tail - 1;
    kit_put32(bytes, (uint32_t)(n - 4));
    assert_int_equal(world_bytes(w, bytes, n, &want), n);
    world_answer(w, 0, &kafka_api_versions_response, 3, 1, &out);
    assert_int_equal(out.error_code, 0);
}

/* ---- order, limits --------------------------------------------------------------------------- */

static void answers_may_be_ready_in_any_order_and_fill_their_own_slots(void **state)
{
    struct double_world *w = *state;
    struct kafka_produce_request in = world_produce(-1);
    struct kafka_produce_response out;

    for (int32_t i = 0; i < 3; i++)
        world_send(w, &kafka_produce_request, 9, 100 + i, &in);
    assert_int_equal(w->calls, 3);
    for (uint32_t i = 3; i-- > 0;) {
        world_appended(w->call[i], 1000 + i);
        world_complete(w, i, MRT_OK);
        world_answer(w, i, &kafka_produce_response, 9, 100 + (int32_t)i, &out);
        assert_int_equal(out.responses[0].partition_responses[0].base_offset, 1000 + i);
    }
    for (uint32_t i = 0; i < 3; i++)
        world_sent(w, i);
    assert_int_equal(w->arenas, 0);
}

static void a_client_with_too_many_requests_waits_and_loses_nothing(void **state)
{
    struct double_world *w = *state;
    struct kafka_produce_request in = world_produce(1);
    uint8_t one[256], many[200 * 100];
    uint64_t n = world_request(&kafka_produce_request, 8, 1, &in, one), want, taken;

    assert_true(n < 100);
    for (uint32_t i = 0; i < 200; i++)
        memcpy(many + i * n, one, n);
    taken = world_bytes(w, many, 200 * n, &want);
    assert_int_equal(taken, 128 * n);
    assert_int_equal(w->calls, 128);
    assert_int_equal(w->pauses, 1);
    world_appended(w->call[0], 0);
    world_complete(w, 0, MRT_OK);
    assert_int_equal(w->resumes, 1);
    taken += world_bytes(w, many + taken, 200 * n - taken, &want);
    assert_int_equal(taken, 129 * n);
    assert_int_equal(w->pauses, 2);
    for (uint32_t i = 1; i < 129; i++) {
        world_appended(w->call[i], i);
        world_complete(w, i, MRT_OK);
    }
    taken += world_bytes(w, many + taken, 200 * n - taken, &want);
    assert_int_equal(taken, 200 * n);
    for (uint32_t i = 129; i < 200; i++) {
        world_appended(w->call[i], i);
        world_complete(w, i, MRT_OK);
    }
    for (uint32_t i = 0; i < 200; i++)
        world_sent(w, i);
}

static void without_a_slot_or_an_arena_bytes_stay_with_the_host(void **state)
{
    struct double_world *w = *state;
    struct kafka_produce_request in = world_produce(1);
    uint8_t one[256];
    uint64_t n = world_request(&kafka_produce_request, 8, 1, &in, one), want;

    world_bytes(w, one, n, &want);
    w->reserve_max = 1;
    assert_int_equal(world_bytes(w, one, n, &want), 0);
    assert_int_equal(w->pauses, 1);
    assert_int_equal(w->closes, 0);
    w->reserve_max = SLOTS_MAX;
    world_appended(w->call[0], 0);
    world_complete(w, 0, MRT_OK);
    assert_int_equal(w->resumes, 1);
    w->arenas_max = w->arenas;
    assert_int_equal(world_bytes(w, one, n, &want), 0);
    assert_int_equal(w->pauses, 2);
}

static void memory_may_run_out_anywhere(void **state)
{
    struct double_world *w = *state;
    struct kafka_metadata_request_topic topics[] = {{.name = {"seen", 4}}, {.name = {"new", 3}}};
    struct kafka_metadata_request in = {.topics = topics, .n_topics = 2};
    uint32_t blocks = 1;

    world_close(w);
    for (uint32_t closes = 1; closes; blocks++) {
        w = world_open();
        w->arena_blocks_left = blocks;
        uint8_t frame[256];
        uint64_t n = world_request(&kafka_metadata_request, 9, 1, &in, frame), want;
        world_bytes(w, frame, n, &want);
        closes = w->closes;
        world_close(w);
    }
    assert_true(blocks > 10); /* and then it was enough */
    *state = world_open();
}

static void a_client_for_whom_there_is_never_room_is_closed(void **state)
{
    struct double_world *w = *state;
    struct kafka_produce_request in = world_produce(1);
    uint8_t one[256];
    uint64_t n = world_request(&kafka_produce_request, 8, 1, &in, one), want, consumed;
    const mrt_protocol_ops *ops = w->impl->ops;
    mrt_str bytes = {(const char *)one, n};

    w->arenas_max = 0;
    assert_int_equal(
        ops->on_bytes(w->session, &bytes, world_lease(w), &consumed, &want), MRT_ENOMEM);
    assert_int_equal(consumed, 0);
    assert_int_equal(w->leases, 0);
}

/* Whatever the request: it is answered, or dropped with all it had taken. */
static void memory_may_run_out_in_any_request(void **state)
{
    static uint8_t frame[OUT_MAX];
    uint64_t seed = 1, want;

    world_close(*state);
    for (uint32_t i = 0; i < KAFKA_APIS; i++) {
        const struct kafka_api *api = &kafka_apis[i];
        for (int16_t version = api->since; version <= api->until; version += 3) {
            uint32_t closes = 1;
            for (uint32_t blocks = 1; closes && blocks < 500; blocks++) {
                struct double_world *w = world_open();
                void *in = world_memory.take(NULL, api->request->root->size);
                uint64_t same = seed;
                assert_int_equal(
                    kit_message_random(api->request, version, &world_memory, &same, in), MRT_OK);
                uint64_t n = world_request(api->request, version, 1, in, frame);
                w->on_call = world_refuses;
                w->arena_blocks_left = blocks;
                world_bytes(w, frame, n, &want);
                closes = w->closes && strstr(w->log, "no memory");
                world_close(w);
            }
            assert_int_equal(closes, 0);
            seed++;
        }
    }
    *state = world_open();
}

/* ---- the end --------------------------------------------------------------------------------- */

static void a_closed_connection_cancels_what_it_waits_for_and_goes_with_the_last(void **state)
{
    struct double_world *w = *state;
    struct kafka_produce_request in = world_produce(1);

    world_send(w, &kafka_produce_request, 9, 1, &in);
    world_send(w, &kafka_produce_request, 9, 2, &in);
    ask_versions(w, 0, 3); /* answered, not sent */
    world_closed(w);
    assert_int_equal(w->cancels, 2);
    assert_int_equal(w->arenas, 2);
    world_appended(w->call[1], 0);
    world_complete(w, 1, MRT_OK);
    assert_int_equal(w->arenas, 1);
    world_appended(w->call[0], 0);
    world_complete(w, 0, MRT_OK);
    assert_int_equal(w->arenas, 0);
}

static void while_draining_no_stream_is_served_and_those_there_go_on(void **state)
{
    struct double_world *w = *state;
    const mrt_protocol_ops *ops = w->impl->ops;
    mrt_session *another = NULL;
    struct kafka_api_versions_response out;

    assert_int_equal(w->impl->life->drain(w->instance, NULL), MRT_OK);
    assert_int_equal(ops->serve(w->shard, (mrt_stream *)w, &another), MRT_ESHUTDOWN);
    assert_null(another);
    ask_versions(w, 0, 1);
    world_answer(w, 0, &kafka_api_versions_response, 0, 1, &out);
    assert_int_equal(out.error_code, 0);
}

static void bytes_of_any_kind_are_survived(void **state)
{
    uint64_t seed = 12345;

    world_close(*state);
    for (uint32_t round = 0; round < 3000; round++) {
        struct double_world *w = world_open();
        uint8_t bytes[200];
        uint64_t want;
        for (uint32_t i = 0; i < sizeof bytes; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            bytes[i] = seed >> 60 < 9 ? 0 : (uint8_t)(seed >> 33);
        }
        const struct kafka_api *api = &kafka_apis[round % KAFKA_APIS];
        kit_put32(bytes, sizeof bytes - 4);
        kit_put16(bytes + 4, (uint16_t)api->key);
        uint32_t versions = (uint32_t)(api->until - api->since) + 1;
        uint32_t version = (uint32_t)api->since + round / KAFKA_APIS % versions;
        kit_put16(bytes + 6, (uint16_t)version);
        w->on_call = world_refuses;
        world_bytes(w, bytes, sizeof bytes, &want);
        world_close(w);
    }
    *state = world_open();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(api_versions_says_what_is_served_in_every_version),
        TEST(an_unknown_version_of_api_versions_is_answered_in_version_0),
        TEST(a_client_software_name_with_odd_letters_is_refused),
        TEST(frames_may_come_cut_at_any_byte),
        TEST(what_is_not_served_closes_the_connection_and_says_why),
        TEST(a_count_beyond_the_frame_closes_the_connection_without_allocating),
        TEST(unknown_tagged_fields_and_trailing_bytes_do_no_harm),
        TEST(answers_may_be_ready_in_any_order_and_fill_their_own_slots),
        TEST(a_client_with_too_many_requests_waits_and_loses_nothing),
        TEST(without_a_slot_or_an_arena_bytes_stay_with_the_host),
        TEST(memory_may_run_out_anywhere),
        TEST(memory_may_run_out_in_any_request),
        TEST(a_client_for_whom_there_is_never_room_is_closed),
        TEST(a_closed_connection_cancels_what_it_waits_for_and_goes_with_the_last),
        TEST(while_draining_no_stream_is_served_and_those_there_go_on),
        TEST(bytes_of_any_kind_are_survived),
        cmocka_unit_test(an_impossible_size_closes_the_connection),
    };
    return cmocka_run_group_tests_name("kafka/session", tests, NULL, NULL);
}
