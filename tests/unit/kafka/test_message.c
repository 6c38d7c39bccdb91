/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every message of the schema in every version, served or not, made up from seeds. With an argument
 * the program prints `message version hex text` lines instead: second_decoder.py reads them with a
 * decoder that shares nothing with the interpreter, and compares the texts.
 */
#include <stdio.h>
#include <string.h>

#include "kafka_all/messages.h"
#include "sdk/kit/varint.h"
#include "tests/unit/cmocka.h"

#define ROUNDS    12
#define TEXT_MAX  (1 << 18)
#define BYTES_MAX (1 << 18)

static struct pool {
    uint8_t bytes[1 << 22];
    uint64_t used, limit;
} pool;

static void *take(void *ctx, uint64_t bytes)
{
    (void)ctx;
    if (bytes > pool.limit - pool.used)
        return NULL;
    void *p = pool.bytes + pool.used;
    memset(p, 0xa5, bytes);
    pool.used += (bytes + 7) / 8 * 8;
    return p;
}

static const struct kit_memory memory = {take, NULL, 0, 0};
static const struct kit_memory copying = {take, NULL, 1, 0};

static void pool_reset(void)
{
    pool.used = 0;
    pool.limit = sizeof pool.bytes;
}

static void *made_up(const struct kit_message *m, int16_t version, uint64_t seed)
{
    void *value = take(NULL, m->root->size);
    assert_int_equal(kit_message_random(m, version, &memory, &seed, value), MRT_OK);
    return value;
}

static uint64_t encoded(const struct kit_message *m, int16_t version, const void *v, uint8_t *out)
{
    struct kit_room room = {.p = out, .cap = BYTES_MAX};
    assert_int_equal(kit_message_encode(m, version, v, &room), MRT_OK);
    assert_int_equal(room.used, room.size);
    return room.used;
}

typedef void (*visit)(const struct kit_message *m, int16_t version, uint64_t seed);

static void everything(visit each)
{
    for (uint32_t i = 0; i < KAFKA_MESSAGES; i++) {
        const struct kit_message *m = kafka_messages[i];
        for (int16_t version = m->since; version <= m->until; version++)
            for (uint64_t round = 0; round < ROUNDS; round++) {
                pool_reset();
                each(m, version, (i * 100 + (uint64_t)version) * 1000 + round);
            }
    }
}

static uint8_t first[BYTES_MAX], second[BYTES_MAX];
static char text[TEXT_MAX], again[TEXT_MAX];

static void comes_back(const struct kit_message *m, int16_t version, uint64_t seed)
{
    void *value = made_up(m, version, seed), *back = take(NULL, m->root->size);
    uint64_t n = encoded(m, version, value, first), used;
    struct kit_room sized = {.p = NULL};
    mrt_str in = {(const char *)first, n};

    assert_int_equal(kit_message_encode(m, version, value, &sized), MRT_OK);
    assert_int_equal(sized.used, n);
    assert_int_equal(
        kit_message_decode(m, version, &in, seed % 2 ? &memory : &copying, back, &used), MRT_OK);
    assert_int_equal(used, n);
    kit_message_print(m, version, value, text, sizeof text);
    kit_message_print(m, version, back, again, sizeof again);
    assert_string_equal(text, again);
    assert_int_equal(encoded(m, version, back, second), n);
    assert_memory_equal(first, second, n);
}

static void every_message_of_every_version_comes_back_as_it_was(void **state)
{
    (void)state;
    everything(comes_back);
}

/* One byte missing is noticed, wherever the end is. */
static void cut_off(const struct kit_message *m, int16_t version, uint64_t seed)
{
    void *value = made_up(m, version, seed), *back = take(NULL, m->root->size);
    uint64_t n = encoded(m, version, value, first), used, mark = pool.used;

    for (uint64_t cut = 0; cut < n; cut += 1 + cut / 8) {
        mrt_str in = {(const char *)first, cut};
        pool.used = mark;
        assert_int_equal(kit_message_decode(m, version, &in, &memory, back, &used), MRT_ECORRUPT);
    }
}

static void a_message_that_ends_early_is_corrupt(void **state)
{
    (void)state;
    everything(cut_off);
}

/* Whatever a wrong byte does, nothing is read or written out of place (asan) and no array is
 * larger than the bytes could hold. */
static void twisted(const struct kit_message *m, int16_t version, uint64_t seed)
{
    void *value = made_up(m, version, seed), *back = take(NULL, m->root->size);
    uint64_t n = encoded(m, version, value, first), used, mark = pool.used;

    for (uint64_t i = 0; i < n; i += 1 + n / 32) {
        mrt_str in = {(const char *)first, n};
        uint8_t was = first[i];
        first[i] = (uint8_t)(was ^ (0x80 | (seed + i) % 127));
        pool.used = mark;
        mrt_status status = kit_message_decode(m, version, &in, &memory, back, &used);
        assert_true(status == MRT_OK || status == MRT_ECORRUPT);
        first[i] = was;
    }
}

static void wrong_bytes_are_survived(void **state)
{
    (void)state;
    everything(twisted);
}

static void out_of_room(const struct kit_message *m, int16_t version, uint64_t seed)
{
    void *value = made_up(m, version, seed);
    uint64_t n = encoded(m, version, value, first);

    for (uint64_t cap = 0; cap < n; cap += 1 + cap / 4) {
        struct kit_room room = {.p = second, .cap = cap};
        memset(second, 0x5a, n + 1);
        assert_int_equal(kit_message_encode(m, version, value, &room), MRT_ETOOBIG);
        assert_int_equal(second[cap], 0x5a);
    }
}

static void encoding_stays_within_its_room(void **state)
{
    (void)state;
    everything(out_of_room);
}

static void a_count_is_refused_before_memory_is_taken_for_it(void **state)
{
    (void)state;
    uint8_t bytes[64] = {0, 0, 0, 40}; /* topics: 40 of at least 2 bytes each, in 60 bytes */
    struct kafka_metadata_request out;
    mrt_str in = {(const char *)bytes, sizeof bytes};
    uint64_t used;

    pool_reset();
    assert_int_equal(
        kit_message_decode(&kafka_metadata_request, 1, &in, &memory, &out, &used), MRT_ECORRUPT);
    assert_int_equal(pool.used, 0);
    bytes[3] = 30; /* fits exactly: empty names */
    assert_int_equal(
        kit_message_decode(&kafka_metadata_request, 1, &in, &memory, &out, &used), MRT_OK);
    assert_int_equal(out.n_topics, 30);
    assert_int_equal(used, sizeof bytes);
}

static void a_known_tag_is_found_behind_an_unknown_one(void **state)
{
    (void)state;
    /* Fetch 17 with a cluster id (tag 0) and a replica state (tag 1); tag 40 in front of them. */
    struct kafka_fetch_request in = {.cluster_id = {"c", 1}, .replica_state = {-1, 5}}, out;
    uint64_t n = encoded(&kafka_fetch_request, 17, &in, first), used;
    uint64_t tags = n - 1 - (2 + 2) - (2 + 13);
    static const uint8_t unknown[] = {40, 2, 0xff, 0xff};

    assert_int_equal(first[tags], 2);
    memmove(first + tags + 5, first + tags + 1, n - tags - 1);
    memcpy(first + tags + 1, unknown, sizeof unknown);
    first[tags] = 3;
    mrt_str bytes = {(const char *)first, n + sizeof unknown};
    pool_reset();
    assert_int_equal(
        kit_message_decode(&kafka_fetch_request, 17, &bytes, &memory, &out, &used), MRT_OK);
    assert_int_equal(used, bytes.n);
    assert_int_equal(out.cluster_id.n, 1);
    assert_int_equal(out.replica_state.replica_epoch, 5);
}

static void memory_that_runs_out_is_said(void **state)
{
    (void)state;
    const uint8_t bytes[] = {0, 0, 0, 1, 0, 1, 'a'};
    struct kafka_metadata_request out;
    mrt_str in = {(const char *)bytes, sizeof bytes};
    uint64_t used;

    pool_reset();
    pool.limit = 0;
    assert_int_equal(
        kit_message_decode(&kafka_metadata_request, 1, &in, &memory, &out, &used), MRT_ENOMEM);
}

static void records_can_be_left_out_and_are_counted(void **state)
{
    (void)state;
    struct kafka_fetch_response_partition parts[] = {
        {.records = {"abcdef", 6}}, {.records = {NULL, 0}}, {.records = {"xy", 2}}};
    struct kafka_fetch_response_topic topic = {.partitions = parts, .n_partitions = 3};
    struct kafka_fetch_response out = {.responses = &topic, .n_responses = 1};

    for (int16_t version = 4; version <= 18; version++) {
        struct kit_cut cuts[3];
        struct kit_room room = {.p = second, .cap = BYTES_MAX, .cuts = cuts, .cuts_max = 3};
        uint64_t n = encoded(&kafka_fetch_response, version, &out, first);
        assert_int_equal(kit_message_encode(&kafka_fetch_response, version, &out, &room), MRT_OK);
        assert_int_equal(room.n_cuts, 2); /* null is written, not cut */
        assert_int_equal(room.size, n);
        assert_int_equal(room.used, n - 8);
        memmove(second + cuts[1].at + 2, second + cuts[1].at, room.used - cuts[1].at);
        memcpy(second + cuts[1].at, cuts[1].bytes.p, 2);
        memmove(second + cuts[0].at + 6, second + cuts[0].at, room.used + 2 - cuts[0].at);
        memcpy(second + cuts[0].at, cuts[0].bytes.p, 6);
        assert_memory_equal(first, second, n);
        room.cuts_max = 1;
        assert_int_equal(
            kit_message_encode(&kafka_fetch_response, version, &out, &room), MRT_ETOOBIG);
    }
}

static void a_text_too_long_for_its_length_is_refused(void **state)
{
    (void)state;
    static char name[40000];
    struct kafka_heartbeat_request in = {.group_id = {name, sizeof name}};
    struct kit_room room = {.p = first, .cap = BYTES_MAX};

    assert_int_equal(kit_message_encode(&kafka_heartbeat_request, 0, &in, &room), MRT_EINVAL);
    assert_int_equal(kit_message_encode(&kafka_heartbeat_request, 4, &in, &room), MRT_EINVAL);
}

static void a_version_that_does_not_exist_is_refused(void **state)
{
    (void)state;
    struct kafka_heartbeat_request value = {0};
    struct kit_room room = {.p = first, .cap = BYTES_MAX};
    mrt_str in = {"", 0};
    uint64_t used;

    assert_int_equal(kit_message_encode(&kafka_heartbeat_request, 5, &value, &room), MRT_EINVAL);
    assert_int_equal(
        kit_message_decode(&kafka_heartbeat_request, -1, &in, &memory, &value, &used), MRT_EINVAL);
}

static void print_is_cut_at_its_room(void **state)
{
    (void)state;
    struct kafka_heartbeat_request in = {.group_id = {"group", 5}};
    char out[12];

    assert_int_equal(
        kit_message_print(&kafka_heartbeat_request, 0, &in, out, sizeof out), sizeof out - 1);
    assert_string_equal(out, "{group_id: ");
}

static void dump(const struct kit_message *m, int16_t version, uint64_t seed)
{
    void *value = made_up(m, version, seed);
    uint64_t n = encoded(m, version, value, first);

    kit_message_print(m, version, value, text, sizeof text);
    printf("%s %d ", m->name, version);
    for (uint64_t i = 0; i < n; i++)
        printf("%02x", first[i]);
    printf(" %s\n", text);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_of_every_version_comes_back_as_it_was),
        cmocka_unit_test(a_message_that_ends_early_is_corrupt),
        cmocka_unit_test(wrong_bytes_are_survived),
        cmocka_unit_test(encoding_stays_within_its_room),
        cmocka_unit_test(a_count_is_refused_before_memory_is_taken_for_it),
        cmocka_unit_test(a_known_tag_is_found_behind_an_unknown_one),
        cmocka_unit_test(memory_that_runs_out_is_said),
        cmocka_unit_test(records_can_be_left_out_and_are_counted),
        cmocka_unit_test(a_text_too_long_for_its_length_is_refused),
        cmocka_unit_test(a_version_that_does_not_exist_is_refused),
        cmocka_unit_test(print_is_cut_at_its_room),
    };

    (void)argv;
    if (argc > 1) {
        everything(dump);
        return 0;
    }
    return cmocka_run_group_tests_name("kit/message", tests, NULL, NULL);
}
