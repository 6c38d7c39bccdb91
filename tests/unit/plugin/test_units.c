/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts of sizes and durations. There is no state: every test is a table of texts and what they
 * are worth, and every refusal is shown to leave the result alone.
 */
#include "core/base/str.h"
#include "core/plugin/units.h"
#include "tests/unit/cmocka.h"

#define UNTOUCHED INT64_C(-777)

typedef bool parse_fn(const mrt_str *text, int64_t *out);

static int64_t parsed(parse_fn *parse, const char *text)
{
    mrt_str str = str_of(text);
    int64_t out = UNTOUCHED;
    assert_true(parse(&str, &out));
    return out;
}

static void refused(parse_fn *parse, const char *text)
{
    mrt_str str = str_of(text);
    int64_t out = UNTOUCHED;
    assert_false(parse(&str, &out));
    assert_int_equal(out, UNTOUCHED);
}

static void bytes_count_in_1024_and_in_1000(void **state)
{
    (void)state;
    assert_int_equal(parsed(bytes_parse, "0"), 0);
    assert_int_equal(parsed(bytes_parse, "-1"), -1);
    assert_int_equal(parsed(bytes_parse, "512B"), 512);
    assert_int_equal(parsed(bytes_parse, "64KiB"), 65536);
    assert_int_equal(parsed(bytes_parse, "64MiB"), 67108864);
    assert_int_equal(parsed(bytes_parse, "10GiB"), INT64_C(10737418240));
    assert_int_equal(parsed(bytes_parse, "2TiB"), INT64_C(2199023255552));
    assert_int_equal(parsed(bytes_parse, "3kB"), 3000);
    assert_int_equal(parsed(bytes_parse, "5GB"), INT64_C(5000000000));
    assert_int_equal(parsed(bytes_parse, "9223372036854775807"), INT64_MAX);
}

static void bytes_that_could_be_read_two_ways_are_refused(void **state)
{
    (void)state;
    const char *const texts[] = {
        "",   "MiB", "64 MiB", "64mib",      "64M",  "1.5GiB", "-1MiB", "+1",
        " 1", "1 ",  "64MiBs", "8388608TiB", "0x10", "1e6",    "30s",   "9223372036854775808"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        refused(bytes_parse, texts[i]);
}

static void the_largest_size_that_fits_is_taken_and_one_more_refused(void **state)
{
    (void)state;
    assert_int_equal(parsed(bytes_parse, "8388607TiB"), INT64_C(8388607) << 40);
    refused(bytes_parse, "8388608TiB");
}

static void millis_take_every_unit(void **state)
{
    (void)state;
    assert_int_equal(parsed(millis_parse, "250ms"), 250);
    assert_int_equal(parsed(millis_parse, "30s"), 30000);
    assert_int_equal(parsed(millis_parse, "5m"), 300000);
    assert_int_equal(parsed(millis_parse, "2h"), 7200000);
    assert_int_equal(parsed(millis_parse, "7d"), 604800000);
    assert_int_equal(parsed(millis_parse, "1w"), 604800000);
    assert_int_equal(parsed(millis_parse, "604800000"), 604800000);
    assert_int_equal(parsed(millis_parse, "-1"), -1);
    refused(millis_parse, "1y");
    refused(millis_parse, "64MiB");
    refused(millis_parse, "99999999999999999d");
}

static void a_text_is_read_only_up_to_its_length(void **state)
{
    (void)state;
    const mrt_str text = {"30sX", 3};
    int64_t out = UNTOUCHED;
    assert_true(millis_parse(&text, &out));
    assert_int_equal(out, 30000);
}

static void switches_are_true_or_false(void **state)
{
    (void)state;
    assert_int_equal(parsed(bool_parse, "true"), 1);
    assert_int_equal(parsed(bool_parse, "false"), 0);
    refused(bool_parse, "yes");
    refused(bool_parse, "True");
    refused(bool_parse, "1");
}

static void fractions_are_decimal_and_finite(void **state)
{
    (void)state;
    const char *const bad[] = {"", "nan", "inf", "0x1p3", "1,5", "1.5x", "1e999", "--1", " 1"};
    double out = 7;
    const mrt_str good = str_of("-2.5e1");
    assert_true(f64_parse(&good, &out));
    assert_true(out == -25.0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const mrt_str text = str_of(bad[i]);
        assert_false(f64_parse(&text, &out));
        assert_true(out == -25.0);
    }
}

static void a_written_value_reads_back(void **state)
{
    (void)state;
    const int64_t values[] = {0, -1, 1, 1000, 1024, 65536, 67108864, 604800000, 30000, INT64_MAX};
    char text[UNITS_TEXT];
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        bytes_text(values[i], text);
        assert_int_equal(parsed(bytes_parse, text), values[i]);
        millis_text(values[i], text);
        assert_int_equal(parsed(millis_parse, text), values[i]);
    }
    bytes_text(67108864, text);
    assert_string_equal(text, "64MiB");
    millis_text(604800000, text);
    assert_string_equal(text, "7d");
    millis_text(1001, text);
    assert_string_equal(text, "1001");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_count_in_1024_and_in_1000),
        cmocka_unit_test(bytes_that_could_be_read_two_ways_are_refused),
        cmocka_unit_test(the_largest_size_that_fits_is_taken_and_one_more_refused),
        cmocka_unit_test(millis_take_every_unit),
        cmocka_unit_test(a_text_is_read_only_up_to_its_length),
        cmocka_unit_test(switches_are_true_or_false),
        cmocka_unit_test(fractions_are_decimal_and_finite),
        cmocka_unit_test(a_written_value_reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
