/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One subject. The reference for UTF-8 is written the other way round: a sequence is good if the
 * code point read from its bits, encoded the shortest way, gives the same bytes.
 */
#include <stdio.h>

#include <mortise/serializer.h>

#include "tests/unit/fakehost.h"

const mrt_plugin *serializer_string_LTX_mortise_plugin_entry(uint32_t host_abi);

static const mrt_serializer_ops *ops;
static mrt_subject *subject;

static int set_up(void **state)
{
    static struct fakehost host;
    static struct mrt_exec exec = {&host};
    static const mrt_cfg cfg;
    static mrt_op op;
    const mrt_str topic = {"orders", 6};
    const mrt_impl *impl = serializer_string_LTX_mortise_plugin_entry(MRT_ABI)->impls;
    void *inst;
    (void)state;
    fakehost_init(&host);
    host.fail_in = 0; /* it allocates nothing, ever */
    ops = impl->ops;
    assert_int_equal(fakehost_create(&host, &exec, impl, &cfg, &inst), MRT_OK);
    assert_int_equal(ops->subject(inst, &op, &topic, 3, NULL, &subject), MRT_EINVAL);
    assert_int_equal(ops->want(inst, &op, subject, 1, &subject), MRT_ENOENT);
    return ops->subject(inst, &op, &topic, MRT_SUBJECT_VALUE, NULL, &subject);
}

static uint32_t encode(uint32_t point, uint8_t out[4])
{
    if (point < 0x80)
        return out[0] = (uint8_t)point, 1;
    if (point < 0x800)
        return out[0] = (uint8_t)(0xc0 | point >> 6), out[1] = (uint8_t)(0x80 | (point & 63)), 2;
    if (point < 0x10000) {
        out[0] = (uint8_t)(0xe0 | point >> 12);
        out[1] = (uint8_t)(0x80 | (point >> 6 & 63));
        out[2] = (uint8_t)(0x80 | (point & 63));
        return 3;
    }
    out[0] = (uint8_t)(0xf0 | point >> 18);
    out[1] = (uint8_t)(0x80 | (point >> 12 & 63));
    out[2] = (uint8_t)(0x80 | (point >> 6 & 63));
    out[3] = (uint8_t)(0x80 | (point & 63));
    return 4;
}

/* Are the @n bytes at @p exactly one character? */
static uint32_t is_one(const uint8_t *p, uint32_t n)
{
    static const uint8_t mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint8_t again[4];
    uint32_t point = p[0] & mask[n];
    for (uint32_t i = 1; i < n; i++)
        point = point << 6 | (p[i] & 63);
    if (point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
        return 0;
    return encode(point, again) == n && memcmp(again, p, n) == 0;
}

static mrt_status check(const void *p, uint64_t n, uint32_t *at)
{
    mrt_datum datum = {.in = {p, n}, .status = 99, .at = 99};
    mrt_status status = ops->validate(subject, &datum, 1);
    assert_int_equal(datum.status, status);
    *at = datum.at;
    return status;
}

/* ---- UTF-8 ----------------------------------------------------------------------------------- */

static void every_sequence_of_two_and_three_bytes_is_judged_right(void **state)
{
    uint32_t at, good = 0;
    (void)state;
    for (uint32_t i = 0; i < 1u << 16; i++) {
        const uint8_t p[] = {(uint8_t)(i >> 8), (uint8_t)i};
        uint32_t right = is_one(p, 2) || (is_one(p, 1) && is_one(p + 1, 1));
        if ((check(p, 2, &at) == MRT_OK) != right)
            fail_msg("%04x", i);
    }
    for (uint32_t i = 0x800000; i < 1u << 24; i++) {
        const uint8_t p[] = {(uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};
        uint32_t right = is_one(p, 3) || (is_one(p, 2) && is_one(p + 2, 1));
        uint32_t ok = check(p, 3, &at) == MRT_OK;
        if (ok != right)
            fail_msg("%06x", i);
        good += ok && is_one(p, 3);
    }
    assert_int_equal(good, 0x10000 - 0x800 - 0x800); /* U+0800 to U+FFFF without surrogates */
}

/* Bytes beside every boundary, in all four places. */
static void every_boundary_of_four_bytes_is_judged_right(void **state)
{
    static const uint8_t bytes[] = {0x00, 0x7f, 0x80, 0x81, 0x8f, 0x90, 0x9f, 0xa0, 0xbe,
                                    0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xed, 0xef, 0xf0,
                                    0xf1, 0xf3, 0xf4, 0xf5, 0xf7, 0xf8, 0xff};
    enum {
        N = sizeof bytes
    };
    uint32_t at;
    (void)state;
    for (uint32_t i = 0; i < N * N * N * N; i++) {
        const uint8_t p[] = {
            bytes[i / (N * N * N)], bytes[i / (N * N) % N], bytes[i / N % N], bytes[i % N]};
        if (p[0] < 0xf0)
            continue;
        if ((check(p, 4, &at) == MRT_OK) != is_one(p, 4))
            fail_msg("%02x %02x %02x %02x", p[0], p[1], p[2], p[3]);
    }
}

static void the_place_is_where_the_bad_sequence_begins(void **state)
{
    static const struct {
        const char *text;
        uint32_t n, at;
    } rows[] = {
        {"\xff", 1, 0},
        {"abc\xff", 4, 3},
        {"abcdefgh\x80", 9, 8},                 /* behind eight at a time */
        {"abcdefghijklmno\xc3", 16, 15},        /* cut off by the end */
        {"\xc3\xa4\xc0\xaf", 4, 2},             /* overlong '/' */
        {"a\xe2\x82", 3, 1},                    /* cut */
        {"\xf0\x9f\x98\x80\xed\xa0\x80", 7, 4}, /* a surrogate behind an emoji */
        {"\xf4\x90\x80\x80", 4, 0},             /* U+110000 */
    };
    uint32_t at;
    (void)state;
    for (uint32_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t *exact = malloc(rows[i].n); /* for the sanitizer */
        memcpy(exact, rows[i].text, rows[i].n);
        assert_int_equal(check(exact, rows[i].n, &at), MRT_EINVAL);
        assert_int_equal(at, rows[i].at);
        free(exact);
    }
}

static void null_and_nothing_are_text_and_the_first_bad_one_decides(void **state)
{
    mrt_datum data[] = {
        {.in = {NULL, 0}, .status = 5, .at = 5},     {.in = {"", 0}, .status = 5, .at = 5},
        {.in = {"ok", 2}, .status = 5, .at = 5},     {.in = {"o\x80", 2}, .status = 5, .at = 5},
        {.in = {"ok\0ok", 5}, .status = 5, .at = 5}, {.in = {"\xfe", 1}, .status = 5, .at = 5},
    };
    static const mrt_status expected[] = {MRT_OK, MRT_OK, MRT_OK, MRT_EINVAL, MRT_OK, MRT_EINVAL};
    (void)state;
    assert_int_equal(ops->validate(subject, data, 6), MRT_EINVAL);
    for (uint32_t i = 0; i < 6; i++) {
        assert_int_equal(data[i].status, expected[i]);
        assert_int_equal(data[i].at, i == 3 ? 1 : 0);
    }
    assert_int_equal(ops->validate(subject, data, 3), MRT_OK);
    assert_int_equal(ops->validate(subject, data, 0), MRT_OK);
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static uint8_t json[64], back[64];

static mrt_status to_json(const void *p, uint64_t n, uint64_t *got)
{
    const mrt_str in = {p, n};
    return ops->to_json(subject, &in, json, sizeof json, got, NULL);
}

static mrt_status from_json(const void *p, uint64_t n, uint64_t *got)
{
    const mrt_str in = {p, n};
    return ops->from_json(subject, &in, back, sizeof back, got, NULL);
}

static void every_character_goes_to_json_and_back(void **state)
{
    uint8_t one[4];
    char escaped[32];
    uint64_t n, got;
    (void)state;
    for (uint32_t point = 0; point <= 0x10ffff; point++) {
        if (point >= 0xd800 && point < 0xe000)
            continue;
        uint32_t bytes = encode(point, one);
        assert_int_equal(to_json(one, bytes, &n), MRT_OK);
        if (from_json(json, n, &got) != MRT_OK || got != bytes || memcmp(one, back, bytes) != 0)
            fail_msg("U+%04X", point);
        if (point >= 0x20 && point != '"' && point != '\\')
            assert_int_equal(n, bytes + 2); /* as it is */
        uint32_t rest = point - 0x10000;
        int length = point < 0x10000 ? snprintf(escaped, sizeof escaped, "\"\\u%04X\"", point)
                                     : snprintf(
                                           escaped, sizeof escaped, "\"\\u%04x\\u%04x\"",
                                           0xd800 + (rest >> 10), 0xdc00 + (rest & 0x3ff));
        if (from_json(escaped, (uint64_t)length, &got) != MRT_OK || got != bytes ||
            memcmp(one, back, bytes) != 0)
            fail_msg("%s", escaped);
    }
}

static void what_must_be_escaped_is(void **state)
{
    static const struct {
        const char *text, *json;
    } rows[] = {
        {"", "\"\""},
        {"plain", "\"plain\""},
        {"a\"b\\c/d", "\"a\\\"b\\\\c/d\""},
        {"\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\""},
        {"\x01\x1f\x7f", "\"\\u0001\\u001f\x7f\""},
        {"gr\xc3\xbc\xc3\x9f", "\"gr\xc3\xbc\xc3\x9f\""},
    };
    uint64_t got;
    (void)state;
    for (uint32_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(to_json(rows[i].text, strlen(rows[i].text), &got), MRT_OK);
        assert_int_equal(got, strlen(rows[i].json));
        assert_memory_equal(json, rows[i].json, got);
    }
    assert_int_equal(to_json("a\0b", 3, &got), MRT_OK);
    assert_memory_equal(json, "\"a\\u0000b\"", 10);
}

static void null_is_not_the_empty_text(void **state)
{
    uint64_t got = 0;
    (void)state;
    assert_int_equal(to_json(NULL, 0, &got), MRT_OK);
    assert_int_equal(got, 4);
    assert_memory_equal(json, "null", 4);
    assert_int_equal(from_json(" null\n", 6, &got), MRT_OK);
    assert_true(got == MRT_NULL_LENGTH);
    assert_int_equal(from_json(" \t\r\n\"\" ", 7, &got), MRT_OK);
    assert_int_equal(got, 0);
}

static void good_json_is_read(void **state)
{
    static const struct {
        const char *json, *text;
    } rows[] = {
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
        {"\"\\u00e4\\u00E4\"", "\xc3\xa4\xc3\xa4"},
        {"\"x\\ud83d\\ude00y\"", "x\xf0\x9f\x98\x80y"},
        {"\"\x7f\"", "\x7f"},
    };
    uint64_t got;
    (void)state;
    for (uint32_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(from_json(rows[i].json, strlen(rows[i].json), &got), MRT_OK);
        assert_int_equal(got, strlen(rows[i].text));
        assert_memory_equal(back, rows[i].text, got);
    }
}

static void bad_json_is_refused_with_place_and_reason(void **state)
{
    static const struct {
        const char *json, *why;
    } rows[] = {
        {"", "byte 0: a JSON string or null is wanted"},
        {"  ", "byte 2: a JSON string or null is wanted"},
        {"nul", "byte 0: a JSON string or null is wanted"},
        {"12", "byte 0: a JSON string or null is wanted"},
        {"[\"a\"]", "byte 0: a JSON string or null is wanted"},
        {"null x", "byte 5: there is more behind the value"},
        {"nullnull", "byte 4: there is more behind the value"},
        {"\"a\" \"b\"", "byte 4: there is more behind the value"},
        {"\"", "byte 1: the string does not end"},
        {"\"abc", "byte 4: the string does not end"},
        {"\"a\nb\"", "byte 2: a control character must be escaped"},
        {"\"a\\", "byte 2: an escape is cut off"},
        {"\"\\x41\"", "byte 1: no such escape"},
        {"\"\\u12\"", "byte 1: \\u wants four hexadecimal digits"},
        {"\"\\u12g4\"", "byte 1: \\u wants four hexadecimal digits"},
        {"\"\\u123", "byte 1: \\u wants four hexadecimal digits"},
        {"\"\\ud800\"", "byte 7: half a surrogate pair"},
        {"\"\\ud800\\n\"", "byte 7: half a surrogate pair"},
        {"\"\\ud800\\u0041\"", "byte 13: half a surrogate pair"},
        {"\"\\ud800\\ud800\"", "byte 13: half a surrogate pair"},
        {"\"\\udc00\\ud800\"", "byte 7: half a surrogate pair"},
        {"\"\xc3\"", "byte 1: not UTF-8"},
        {"\"\xed\xa0\x80\"", "byte 1: not UTF-8"},
    };
    (void)state;
    for (uint32_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t n = strlen(rows[i].json), got = 123;
        uint8_t *exact = malloc(n + 1); /* for the sanitizer */
        mrt_error why = {0};
        memcpy(exact, rows[i].json, n);
        const mrt_str in = {(const char *)exact, n};
        assert_int_equal(ops->from_json(subject, &in, back, sizeof back, &got, &why), MRT_EINVAL);
        assert_int_equal(why.status, MRT_EINVAL);
        assert_string_equal(why.text, rows[i].why);
        assert_int_equal(got, 123);
        free(exact);
    }
    uint64_t got = 123;
    mrt_error why = {0};
    const mrt_str in = {"ab\xe0\x80\x80", 5};
    assert_int_equal(ops->to_json(subject, &in, json, sizeof json, &got, &why), MRT_EINVAL);
    assert_string_equal(why.text, "byte 2: not UTF-8");
    assert_int_equal(got, 123);
}

static void too_little_room_says_how_much_is_needed_and_writes_nothing_beyond(void **state)
{
    static const char text[] = "a\nb\x01\xc3\xa4 \"quoted\"";
    const mrt_str in = {text, sizeof text - 1};
    uint64_t need, got;
    (void)state;
    assert_int_equal(to_json(in.p, in.n, &need), MRT_OK);
    const mrt_str packed = {(const char *)json, need};
    for (uint64_t cap = 0; cap <= need; cap++) {
        uint8_t *exact = malloc(cap + 1);
        exact[cap] = 0x77;
        mrt_status status = ops->to_json(subject, &in, exact, cap, &got, NULL);
        assert_int_equal(status, cap < need ? MRT_ETOOBIG : MRT_OK);
        assert_int_equal(got, need);
        assert_int_equal(exact[cap], 0x77);
        if (cap <= in.n) {
            status = ops->from_json(subject, &packed, exact, cap, &got, NULL);
            assert_int_equal(status, cap < in.n ? MRT_ETOOBIG : MRT_OK);
            assert_int_equal(got, in.n);
            assert_int_equal(exact[cap], 0x77);
        }
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_sequence_of_two_and_three_bytes_is_judged_right),
        cmocka_unit_test(every_boundary_of_four_bytes_is_judged_right),
        cmocka_unit_test(the_place_is_where_the_bad_sequence_begins),
        cmocka_unit_test(null_and_nothing_are_text_and_the_first_bad_one_decides),
        cmocka_unit_test(every_character_goes_to_json_and_back),
        cmocka_unit_test(what_must_be_escaped_is),
        cmocka_unit_test(null_is_not_the_empty_text),
        cmocka_unit_test(good_json_is_read),
        cmocka_unit_test(bad_json_is_refused_with_place_and_reason),
        cmocka_unit_test(too_little_room_says_how_much_is_needed_and_writes_nothing_beyond),
    };
    return cmocka_run_group_tests_name("serializer/string", tests, set_up, NULL);
}
