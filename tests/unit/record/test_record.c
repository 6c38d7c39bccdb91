/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A batch of three records "k0" = "v0" ... at 1000, 1010 and 1020 ms; the second has two headers.
 * The topic takes batches up to 4096 bytes, its clock shows 2000 ms.
 */
#include <string.h>

#include "core/record/record.h"
#include "tests/unit/cmocka.h"

#define ROOM 4096

static uint8_t bytes[ROOM];
static uint64_t size;
static struct record_rules rules;
static struct record_info info;

static const uint8_t two_headers[] = {2, 'a', 2, 'x', 2, 'b', 1};

static struct record nth(int32_t i)
{
    static char texts[3][4];
    for (int32_t j = 0; j < 3; j++)
        memcpy(texts[j], (char[]){'k', (char)('0' + j), 'v', (char)('0' + j)}, 4);
    struct record record = {.timestamp_ms = 1000 + 10 * i, .key = {texts[i], 2}};
    record.value = (mrt_str){texts[i] + 2, 2};
    if (i == 1) {
        record.headers = (mrt_str){(const char *)two_headers, sizeof two_headers};
        record.header_count = 2;
    }
    return record;
}

static int three_records(void **state)
{
    (void)state;
    struct record_maker maker;
    record_make(&maker, bytes, sizeof bytes);
    for (int32_t i = 0; i < 3; i++) {
        struct record record = nth(i);
        assert_int_equal(record_make_add(&maker, &record), MRT_OK);
    }
    size = record_make_end(&maker);
    rules = (struct record_rules){
        .batch_bytes_max = ROOM,
        .batches_max = 1,
        .now_ms = 2000,
        .timestamp_before_max_ms = INT64_MAX,
        .timestamp_after_max_ms = 3600000,
    };
    return 0;
}

static mrt_status check(void)
{
    return record_check(bytes, size, &rules, &info);
}

static void a_batch_that_was_made_is_accepted_and_walks_back(void **state)
{
    (void)state;
    assert_int_equal(check(), MRT_OK);
    assert_int_equal(info.batches, 1);
    assert_int_equal(info.records, 3);
    assert_int_equal(info.max_timestamp_ms, 1020);
    assert_int_equal(info.producer_id, -1);
    assert_null(info.text);

    struct kit_batch batch;
    struct record_cursor cursor;
    struct record record;
    assert_int_equal(record_batch(bytes, size, &batch), MRT_OK);
    assert_int_equal(batch.size, size);
    record_walk(&cursor, bytes, &batch);
    for (int32_t i = 0; i < 3; i++) {
        struct record want = nth(i);
        assert_true(record_next(&cursor, &record));
        assert_int_equal(record.offset, i);
        assert_int_equal(record.timestamp_ms, want.timestamp_ms);
        assert_int_equal(record.key.n, 2);
        assert_memory_equal(record.key.p, want.key.p, 2);
        assert_memory_equal(record.value.p, want.value.p, 2);
        assert_int_equal(record.header_count, want.header_count);
    }
    assert_false(record_next(&cursor, &record));
    assert_null(cursor.text);
}

static void headers_are_walked_and_may_have_null_values(void **state)
{
    (void)state;
    struct record record = nth(1);
    mrt_str key;
    mrt_str value;
    assert_true(record_header_next(&record.headers, &key, &value));
    assert_int_equal(key.p[0], 'a');
    assert_int_equal(value.p[0], 'x');
    assert_true(record_header_next(&record.headers, &key, &value));
    assert_null(value.p);
    assert_false(record_header_next(&record.headers, &key, &value));
}

static void every_cut_is_corrupt_and_never_read_beyond(void **state)
{
    (void)state;
    for (uint64_t cut = 0; cut < size; cut++) {
        uint8_t *exact = malloc(cut + 1); /* a sanitizer sees the end */
        memcpy(exact, bytes, cut);
        mrt_status status = record_check(exact, cut, &rules, &info);
        assert_int_equal(status, MRT_ECORRUPT);
        assert_non_null(info.text);
        free(exact);
    }
}

static void every_flipped_bit_below_the_checksum_is_noticed(void **state)
{
    (void)state;
    for (uint64_t bit = KIT_BATCH_SUMMED * 8; bit < size * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(check(), MRT_ECORRUPT);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_int_equal(check(), MRT_OK);
}

/* With a true checksum, so that the walk has to cope alone. */
static void any_byte_behind_the_checksum_gives_an_answer(void **state)
{
    (void)state;
    uint32_t refused = 0;
    for (uint64_t at = KIT_BATCH_SUMMED; at < size; at++) {
        uint8_t before = bytes[at];
        for (uint32_t value = 0; value < 256; value++) {
            bytes[at] = (uint8_t)value;
            kit_batch_sum(bytes, size);
            uint8_t *exact = malloc(size);
            memcpy(exact, bytes, size);
            refused += record_check(exact, size, &rules, &info) != MRT_OK;
            free(exact);
        }
        bytes[at] = before;
    }
    assert_true(refused > 1000);
}

/* Puts @value (big-endian, @width bytes) at @at and makes the checksum true again. */
static void patch(uint64_t at, uint64_t value, uint32_t width)
{
    for (uint32_t i = 0; i < width; i++)
        bytes[at + i] = (uint8_t)(value >> (width - 1 - i) * 8);
    kit_batch_sum(bytes, size);
}

static void every_rule_of_the_header_is_named(void **state)
{
    const struct {
        uint64_t at;
        uint64_t value;
        uint32_t width;
        mrt_status status;
        const char *text;
    } faults[] = {
        {0, 1, 8, MRT_ERECORD, "base offset is not 0"},
        {8, 48, 4, MRT_ECORRUPT, "length of the batch"},
        {16, 1, 1, MRT_ERECORD, "only batches of magic 2 are taken"},
        {21, 5, 2, MRT_ECODEC, "no such codec"},
        {21, 8, 2, MRT_ETIMESTAMP, "append time is the broker's"},
        {21, 16, 2, MRT_ERECORD, "transactional without a producer id"},
        {21, 32, 2, MRT_ERECORD, "control batches are the broker's"},
        {21, 64, 2, MRT_ERECORD, "delete horizons are the broker's"},
        {23, 3, 4, MRT_ERECORD, "record count and last offset disagree"},
        {57, 0, 4, MRT_ERECORD, "record count and last offset disagree"},
        {35, 1019, 8, MRT_ERECORD, "max timestamp is not that of the records"},
        {43, (uint64_t)-2, 8, MRT_ERECORD, "producer id"},
        {43, 7, 8, MRT_ERECORD, "producer epoch"},
        {53, (uint64_t)-2, 4, MRT_ERECORD, "sequence"},
    };
    for (uint32_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        three_records(state);
        patch(faults[i].at, faults[i].value, faults[i].width);
        assert_int_equal(check(), faults[i].status);
        assert_string_equal(info.text, faults[i].text);
        assert_int_equal(info.record, -1);
    }
}

static void a_record_that_breaks_a_rule_is_named_by_its_place(void **state)
{
    (void)state;
    rules.timestamp_before_max_ms = 985; /* 1000 is too old, 1020 is not */
    assert_int_equal(check(), MRT_ETIMESTAMP);
    assert_int_equal(info.record, 0);
    rules.timestamp_before_max_ms = INT64_MAX;
    rules.now_ms = 0;
    rules.timestamp_after_max_ms = 1005;
    assert_int_equal(check(), MRT_ETIMESTAMP);
    assert_int_equal(info.record, 1);
}

static void a_compacted_topic_needs_keys(void **state)
{
    (void)state;
    struct record_maker maker;
    record_make(&maker, bytes, sizeof bytes);
    struct record keyed = nth(0);
    struct record keyless = {.timestamp_ms = 1, .value = {"v", 1}};
    assert_int_equal(record_make_add(&maker, &keyed), MRT_OK);
    assert_int_equal(record_make_add(&maker, &keyless), MRT_OK);
    size = record_make_end(&maker);
    assert_int_equal(check(), MRT_OK);
    rules.keys_required = true;
    assert_int_equal(check(), MRT_ERECORD);
    assert_int_equal(info.record, 1);
}

static void sizes_and_numbers_of_batches_are_limited(void **state)
{
    (void)state;
    rules.batch_bytes_max = size;
    assert_int_equal(check(), MRT_OK);
    rules.batch_bytes_max = size - 1;
    assert_int_equal(check(), MRT_ETOOBIG);

    rules.batch_bytes_max = size;
    memcpy(bytes + size, bytes, size);
    size *= 2;
    assert_int_equal(check(), MRT_ETOOBIG);
    rules.batches_max = 2;
    assert_int_equal(check(), MRT_OK);
    assert_int_equal(info.batches, 2);
    assert_int_equal(info.records, 6);
    size--;
    assert_int_equal(check(), MRT_ECORRUPT);
}

static void compressed_records_are_not_looked_at(void **state)
{
    (void)state;
    memset(bytes + KIT_BATCH_HEADER, 0xff, size - KIT_BATCH_HEADER);
    patch(21, 4, 2);
    assert_int_equal(check(), MRT_OK);
    assert_int_equal(info.codecs, 1 << 4);
    rules.now_ms = INT64_MIN + 5; /* no difference overflows */
    assert_int_equal(check(), MRT_ETIMESTAMP);
    patch(35, (uint64_t)-1, 8); /* a producer without a clock */
    assert_int_equal(check(), MRT_OK);
}

static void append_time_keeps_the_checksum_true_for_every_size(void **state)
{
    (void)state;
    for (uint64_t n = KIT_BATCH_HEADER; n < 700; n++) {
        for (uint64_t i = 0; i < n; i++)
            bytes[i] = (uint8_t)(i * 31 + n);
        bytes[16] = KIT_BATCH_MAGIC;
        kit_batch_sum(bytes, n);
        record_stamp_time(bytes, n, (int64_t)n << 33);
        assert_true(kit_batch_sum_ok(bytes, n));
        assert_true(bytes[22] & KIT_BATCH_APPEND_TIME);
        assert_true(kit_get64(bytes + 35) == n << 33);
        record_stamp_time(bytes, n, (int64_t)n << 33); /* nothing changes */
        assert_true(kit_batch_sum_ok(bytes, n));
    }
}

static void records_of_an_append_time_batch_have_its_time(void **state)
{
    (void)state;
    struct kit_batch batch;
    struct record_cursor cursor;
    struct record record;
    record_stamp_time(bytes, size, 5000);
    assert_int_equal(record_batch(bytes, size, &batch), MRT_OK);
    record_walk(&cursor, bytes, &batch);
    assert_true(record_next(&cursor, &record));
    assert_int_equal(record.timestamp_ms, 5000);
}

/* Where record @i is: lengths of the three take one byte. */
static uint64_t place_of(uint32_t i)
{
    uint64_t at = KIT_BATCH_HEADER;
    while (i-- > 0)
        at += 1 + bytes[at] / 2;
    return at;
}

/* Walks what patches made of the three; @text is what stops it, or NULL. */
static void walks(bool thinned, int32_t records, const char *text)
{
    struct kit_batch batch;
    struct record_cursor cursor;
    struct record record;
    int32_t n = 0;
    assert_int_equal(record_batch(bytes, size, &batch), MRT_OK);
    record_walk(&cursor, bytes, &batch);
    cursor.thinned = thinned;
    while (record_next(&cursor, &record))
        n++;
    assert_int_equal(n, records);
    if (text == NULL)
        assert_null(cursor.text);
    else
        assert_string_equal(cursor.text, text);
    if (records == 3)
        assert_int_equal(record.offset, batch.last_offset_delta);
}

static void gaps_in_offsets_are_only_for_who_expects_them(void **state)
{
    (void)state;
    const uint64_t delta = place_of(2) + 3; /* behind length, attributes, timestamp */
    assert_int_equal(bytes[delta], 4);
    bytes[delta] = 14;
    kit_put32(bytes + 23, 7);
    walks(false, 2, "offset delta");
    walks(true, 3, NULL);
    kit_put32(bytes + 23, 6);
    walks(true, 2, "offset delta"); /* beyond the batch */
    bytes[delta] = 2;
    walks(true, 2, "offset delta"); /* a second time the same */
    bytes[delta] = 1;
    walks(true, 2, "offset delta"); /* below 0 */
}

static void a_full_batch_refuses_a_record_and_stays_whole(void **state)
{
    (void)state;
    struct record_maker maker;
    struct record record = nth(0);
    uint32_t added = 0;
    record_make(&maker, bytes, 100);
    while (record_make_add(&maker, &record) == MRT_OK)
        added++;
    size = record_make_end(&maker);
    assert_true(added > 0);
    assert_true(size <= 100);
    assert_int_equal(check(), MRT_OK);
    assert_int_equal(info.records, added);
}

#define TEST(name) cmocka_unit_test_setup(name, three_records)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_batch_that_was_made_is_accepted_and_walks_back),
        TEST(headers_are_walked_and_may_have_null_values),
        TEST(every_cut_is_corrupt_and_never_read_beyond),
        TEST(every_flipped_bit_below_the_checksum_is_noticed),
        TEST(any_byte_behind_the_checksum_gives_an_answer),
        TEST(every_rule_of_the_header_is_named),
        TEST(a_record_that_breaks_a_rule_is_named_by_its_place),
        TEST(a_compacted_topic_needs_keys),
        TEST(sizes_and_numbers_of_batches_are_limited),
        TEST(compressed_records_are_not_looked_at),
        TEST(append_time_keeps_the_checksum_true_for_every_size),
        TEST(records_of_an_append_time_batch_have_its_time),
        TEST(gaps_in_offsets_are_only_for_who_expects_them),
        TEST(a_full_batch_refuses_a_record_and_stays_whole),
    };
    return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
