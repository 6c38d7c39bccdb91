/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames byte by byte, as Kafka's documents and captures of clients have them, so that the two
 * halves of frame.c cannot agree on a mistake.
 */
#include <string.h>

#include "plugins/protocol/kafka/frame.h"
#include "tests/unit/cmocka.h"

static uint8_t pool[4096];
static uint64_t pooled;

static void *take(void *ctx, uint64_t bytes)
{
    (void)ctx;
    void *p = pool + pooled;
    pooled += (bytes + 7) / 8 * 8;
    assert_true(pooled <= sizeof pool);
    return p;
}

static const struct kit_memory memory = {take, NULL, 0, 0};

static int empty_pool(void **state)
{
    (void)state;
    pooled = 0;
    return 0;
}

/* ApiVersions 3 as librdkafka 2.0.2 sends it: flexible, but a client id of the old kind. */
static const uint8_t librdkafka[] = {
    0,   0, 0,  36,  0,   18,  0,   3,   0,   0,   0,   1,   0,   7, 'r', 'd', 'k', 'a', 'f', 'k',
    'a', 0, 11, 'l', 'i', 'b', 'r', 'd', 'k', 'a', 'f', 'k', 'a', 6, '2', '.', '0', '.', '2', 0};

static void the_first_request_of_librdkafka_is_read(void **state)
{
    (void)state;
    mrt_str bytes = {(const char *)librdkafka, sizeof librdkafka}, frame;
    struct kafka_api_versions_request body;
    struct kafka_head head;
    uint64_t want, used;

    assert_int_equal(kafka_frame_next(&bytes, 1000, &frame, &want), MRT_OK);
    assert_int_equal(kafka_head_decode(&frame, &memory, &head), MRT_OK);
    assert_int_equal(head.version, 3);
    assert_int_equal(head.correlation, 1);
    assert_int_equal(head.client_id.n, 7);
    assert_int_equal(
        kit_message_decode(head.api->request, 3, &head.body, &memory, &body, &used), MRT_OK);
    assert_memory_equal(body.client_software_name.p, "librdkafka", 10);
    assert_memory_equal(body.client_software_version.p, "2.0.2", 5);
}

static void requests_are_written_as_they_are_read(void **state)
{
    (void)state;
    const struct kafka_head head = {kafka_api_find(18), 18, 3, 1, {"rdkafka", 7}, {NULL, 0}};
    const struct kafka_api_versions_request body = {{"librdkafka", 10}, {"2.0.2", 5}};
    uint8_t out[64];
    struct kit_room room = {.p = out, .cap = sizeof out};

    assert_int_equal(kafka_request_encode(&head, &body, &room), MRT_OK);
    assert_int_equal(room.used, sizeof librdkafka);
    assert_memory_equal(out, librdkafka, sizeof librdkafka);
    for (uint64_t cap = 0; cap < sizeof librdkafka; cap++) {
        room = (struct kit_room){.p = out, .cap = cap};
        assert_int_equal(kafka_request_encode(&head, &body, &room), MRT_ETOOBIG);
    }
}

static void header_versions_follow_the_body_but_for_api_versions(void **state)
{
    (void)state;
    const struct kafka_api *produce = kafka_api_find(0), *versions = kafka_api_find(18);

    assert_int_equal(kafka_request_header_version(produce, 8), 1);
    assert_int_equal(kafka_request_header_version(produce, 9), 2);
    assert_int_equal(kafka_response_header_version(produce, 8), 0);
    assert_int_equal(kafka_response_header_version(produce, 9), 1);
    assert_int_equal(kafka_request_header_version(versions, 3), 2);
    assert_int_equal(kafka_response_header_version(versions, 3), 0);
}

static void a_flexible_response_has_a_tag_byte_in_its_header(void **state)
{
    (void)state;
    static const uint8_t expected[] = {
        0,   0,   0,   24,  0, 0,  0, 9, 0,     /* size, correlation, no tags */
        0,   0,   0,   7,   0, 15, 0,           /* throttle, error, no message */
        255, 255, 255, 255, 1, 0,  0, 0, 0, 0}; /* node, host, port, no tags */
    const struct kafka_head head = {kafka_api_find(10), 10, 3, 9, {NULL, 0}, {NULL, 0}};
    struct kafka_find_coordinator_response body = {
        .throttle_time_ms = 7, .error_code = 15, .node_id = -1};
    uint8_t out[64];
    struct kit_room room = {.p = out, .cap = sizeof out};

    assert_int_equal(kafka_response_encode(&head, 3, &body, &room), MRT_OK);
    assert_int_equal(room.used, sizeof expected);
    assert_memory_equal(out + 4, expected + 4, sizeof expected - 4);
    assert_int_equal(out[3], sizeof expected - 4);
    room = (struct kit_room){.p = out, .cap = sizeof out};
    assert_int_equal(kafka_response_encode(&head, 2, &body, &room), MRT_OK);
    assert_int_equal(out[11], 7); /* one byte earlier */
}

static void an_answer_to_another_request_is_corrupt(void **state)
{
    (void)state;
    struct kafka_head head = {kafka_api_find(10), 10, 3, 9, {NULL, 0}, {NULL, 0}};
    struct kafka_find_coordinator_response body = {.error_code = 15}, back;
    uint8_t out[64];
    struct kit_room room = {.p = out, .cap = sizeof out};

    assert_int_equal(kafka_response_encode(&head, 3, &body, &room), MRT_OK);
    mrt_str frame = {(const char *)out + 4, room.used - 4};
    assert_int_equal(kafka_response_decode(&head, &frame, &memory, &back), MRT_OK);
    assert_int_equal(back.error_code, 15);
    head.correlation = 8;
    assert_int_equal(kafka_response_decode(&head, &frame, &memory, &back), MRT_ECORRUPT);
}

static void an_older_broker_answers_api_versions_in_version_0(void **state)
{
    (void)state;
    const uint8_t frame[] = {0, 0, 0, 1, 0, 35, 0, 0, 0, 1, 0, 18, 0, 0, 0, 2};
    const struct kafka_head head = {kafka_api_find(18), 18, 4, 1, {NULL, 0}, {NULL, 0}};
    const mrt_str bytes = {(const char *)frame, sizeof frame};
    struct kafka_api_versions_response out;

    assert_int_equal(kafka_response_decode(&head, &bytes, &memory, &out), MRT_OK);
    assert_int_equal(out.error_code, 35);
    assert_int_equal(out.n_api_keys, 1);
    assert_int_equal(out.api_keys[0].max_version, 2);
}

static void sizes_are_checked_before_anything_is_awaited(void **state)
{
    (void)state;
    const uint8_t bytes[] = {0, 0, 1, 0};
    mrt_str in = {(const char *)bytes, 3}, frame;
    uint64_t want;

    assert_int_equal(kafka_frame_next(&in, 256, &frame, &want), MRT_EAGAIN);
    assert_int_equal(want, 4);
    in.n = 4;
    assert_int_equal(kafka_frame_next(&in, 256, &frame, &want), MRT_EAGAIN);
    assert_int_equal(want, 260);
    assert_int_equal(kafka_frame_next(&in, 255, &frame, &want), MRT_ECORRUPT);
}

#define TEST(name) cmocka_unit_test_setup(name, empty_pool)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_first_request_of_librdkafka_is_read),
        TEST(requests_are_written_as_they_are_read),
        TEST(header_versions_follow_the_body_but_for_api_versions),
        TEST(a_flexible_response_has_a_tag_byte_in_its_header),
        TEST(an_answer_to_another_request_is_corrupt),
        TEST(an_older_broker_answers_api_versions_in_version_0),
        TEST(sizes_are_checked_before_anything_is_awaited),
    };
    return cmocka_run_group_tests_name("kafka/frame", tests, NULL, NULL);
}
