/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guard lexer alone: what it adds, what it leaves, and that it ends on any bytes. Random texts
 * come from a seed, printed when a rule is broken (GUARD_SEED runs that one again).
 */
#include <libconfig.h>
#include <stdio.h>
#include <string.h>

#include "core/config/guard.h"
#include "tests/unit/cmocka.h"

#define ROUNDS   20000
#define TEXT_MAX 400

static void guards_to(const char *in, const char *out)
{
    struct guard guard;
    struct complaint complaint;
    if (!guard_run(in, strlen(in), &guard, &complaint))
        fail_msg("%s: %s", in, complaint.text);
    assert_string_equal(guard.text, out);
    guard_fini(&guard);
}

static void refuses(const char *in, uint32_t line, uint32_t column, const char *text)
{
    struct guard guard;
    struct complaint complaint;
    if (guard_run(in, strlen(in), &guard, &complaint))
        fail_msg("%s: let through", in);
    assert_string_equal(complaint.text, text);
    assert_int_equal(complaint.line, line);
    assert_int_equal(complaint.column, column);
}

static void integers_beyond_31_bits_get_an_L_and_others_do_not(void **state)
{
    (void)state;
    guards_to("a = 10737418240;", "a = 10737418240L;");
    guards_to("a = 2147483647;", "a = 2147483647;");
    guards_to("a = 2147483648;", "a = 2147483648L;");
    guards_to("a = -2147483648;", "a = -2147483648;");
    guards_to("a = -2147483649;", "a = -2147483649L;");
    guards_to("a = +3000000000;", "a = +3000000000L;");
    guards_to("a = 0x7fffffff;", "a = 0x7fffffff;");
    guards_to("a = 0xFFFFFFFF;", "a = 0xFFFFFFFFL;");
    guards_to("a = 9223372036854775807;", "a = 9223372036854775807L;");
    guards_to("a = -9223372036854775808;", "a = -9223372036854775808L;");
    guards_to("a = 5000000000L; b = 5LL;", "a = 5000000000L; b = 5LL;");
}

static void floats_strings_names_and_comments_stay_as_they_are(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "a = 10737418240.5;",
        "a = -3000000000.0e10;",
        "a = .5; b = 1.;",
        "a = \"10737418240\";",
        "a = \"say \\\"10737418240\\\" \\x41\";",
        "a10737418240 = 1;",
        "// 10737418240\na = 1; # 10737418240\n/* 10737418240\n10737418240 */",
        "a = true; b = FALSE;",
        "a: { b: { c = (1, \"x\", { d = 1 }, [ ], ( )) } }",
        ""};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        guards_to(texts[i], texts[i]);
}

static void one_wide_integer_widens_its_whole_array(void **state)
{
    (void)state;
    guards_to("a = [1, 10737418240, 3]; b = [1];", "a = [1L, 10737418240L, 3L]; b = [1];");
    guards_to("a = [1, 2L];", "a = [1L, 2L];");
    guards_to("a = (1, 10737418240);", "a = (1, 10737418240L);");
}

static void what_no_libconfig_reads_alike_is_refused_where_it_stands(void **state)
{
    (void)state;
    refuses("a = 7d;", 1, 5, "7d is not a number");
    refuses("\n\na = 64MiB;", 3, 5, "64MiB is not a number");
    refuses("a.b = 1;", 1, 1, "a name has no dots");
    refuses("a = \"x\ny\";", 1, 5, "this string never ends");
    refuses("a = 9223372036854775808;", 1, 5, "9223372036854775808 does not fit 64 bits");
    refuses("a = -9223372036854775809;", 1, 5, "-9223372036854775809 does not fit 64 bits");
    refuses("a = 0x8000000000000000;", 1, 5, "0x8000000000000000 does not fit 64 bits");
    refuses("  @include \"x\"", 1, 3, "@include is not supported");
    refuses("a = 1; /* x", 1, 8, "this comment never ends");
    refuses("a = [1, 2", 1, 5, "this '[' is never closed");
    refuses("a = (1,);", 1, 8, "a value should stand here, not ')'");
    refuses("a = );", 1, 5, "a value should stand here, not ')'");
    refuses("}", 1, 1, "nothing is open that '}' could close");
    refuses("a = [[1]];", 1, 6, "an array holds plain values only");
    refuses("a = -;", 1, 5, "- is not a number");
    refuses("a = 1e5;", 1, 5, "1e5 is not a number");
    refuses("a = \"\\x00\";", 1, 6, "an escape that means nothing");
    refuses("a = \"\x01\";", 1, 6, "a control character (0x01) in a string");
}

static void a_text_of_more_than_a_mebibyte_is_refused(void **state)
{
    (void)state;
    struct guard guard;
    struct complaint complaint;
    size_t size = GUARD_SIZE_MAX + 1;
    char *text = malloc(size);
    memset(text, ' ', size);
    assert_true(guard_run(text, GUARD_SIZE_MAX, &guard, &complaint));
    guard_fini(&guard);
    assert_false(guard_run(text, size, &guard, &complaint));
    assert_string_equal(complaint.text, "larger than 1024 KiB");
    free(text);
}

static void thirty_two_levels_are_read_and_no_more(void **state)
{
    (void)state;
    char text[200] = "a = ";
    for (int i = 0; i < GUARD_DEPTH_MAX; i++)
        strcat(text, "(");
    for (int i = 0; i < GUARD_DEPTH_MAX; i++)
        strcat(text, ")");
    guards_to(text, text);
    memmove(text + 5, text + 4, strlen(text + 4) + 1);
    refuses(text, 1, 5 + GUARD_DEPTH_MAX, "nested deeper than 32 levels");
}

/* xorshift: the same texts everywhere. */
static uint64_t draw(uint64_t *random)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return *random;
}

/* What a configuration is made of, and what it is not made of. */
static const char *const words[] = {
    "a",
    "bb",
    "=",
    ":",
    ";",
    ",",
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    "1",
    "-7",
    "\"",
    "\\",
    "\"x\"",
    "0x1F",
    "99999999999",
    "5L",
    "1.5",
    "7d",
    "\n",
    "#",
    "//",
    "/*",
    "*/",
    "@",
    "true",
    "a.b",
    "\r\n",
    "\t",
    " ",
    " ",
    "e5",
    ".",
    "+",
    "\x80",
    "0x",
    "a = 1;",
    "b: {",
    "};",
    "[1,",
    "2]",
    "-",
    "L",
    "a=[3000000000,1];"};

static size_t random_text(uint64_t *random, char *out)
{
    size_t n = 0;
    size_t end = draw(random) % (TEXT_MAX - 20);
    bool wild = draw(random) % 4 == 0;
    while (n < end) {
        const char *word = words[draw(random) % (sizeof words / sizeof *words)];
        if (wild) {
            out[n++] = (char)draw(random);
            continue;
        }
        size_t length = strlen(word);
        memcpy(out + n, word, length);
        n += length;
    }
    return n;
}

static uint32_t lines_of(const char *text, uint64_t size)
{
    uint32_t lines = 0;
    for (uint64_t i = 0; i < size; i++)
        lines += text[i] == '\n';
    return lines;
}

/* As config_file.c gives it: 1.5 takes no comment on a last line that does not end. */
static void libconfig_reads(const struct guard *guard)
{
    char text[2 * TEXT_MAX + 2];
    config_t config;
    snprintf(text, sizeof text, "%s\n", guard->text);
    config_init(&config);
    if (config_read_string(&config, text) != CONFIG_TRUE &&
        strcmp(config_error_text(&config), "duplicate setting name") != 0)
        fail_msg("%s%d: %s", text, config_error_line(&config), config_error_text(&config));
    config_destroy(&config);
}

/* G1, G2, G3 on one text; true when the guard let it through. */
static bool holds(const char *text, size_t size)
{
    struct guard once;
    struct guard twice;
    struct complaint complaint;
    if (!guard_run(text, size, &once, &complaint)) {
        assert_true(complaint.text[0] != '\0');
        assert_in_range(complaint.line, 1, lines_of(text, size) + 1);
        assert_in_range(complaint.column, 1, size + 1);
        return false;
    }
    assert_int_equal(lines_of(once.text, once.size), lines_of(text, size));
    assert_true(guard_run(once.text, once.size, &twice, &complaint));
    assert_int_equal(twice.size, once.size);
    assert_memory_equal(twice.text, once.text, once.size);
    libconfig_reads(&once);
    guard_fini(&once);
    guard_fini(&twice);
    return true;
}

static void any_bytes_give_a_text_libconfig_reads_or_one_complaint(void **state)
{
    (void)state;
    const char *again = getenv("GUARD_SEED");
    uint32_t passed = 0;
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        uint64_t random = (again != NULL ? strtoull(again, NULL, 10) : seed) * 0x9e3779b97f4a7c15;
        char text[TEXT_MAX + 40];
        size_t size = random_text(&random, text);
        if (again != NULL)
            print_message("%.*s\n", (int)size, text);
        passed += holds(text, size);
    }
    assert_true(passed > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_beyond_31_bits_get_an_L_and_others_do_not),
        cmocka_unit_test(floats_strings_names_and_comments_stay_as_they_are),
        cmocka_unit_test(one_wide_integer_widens_its_whole_array),
        cmocka_unit_test(what_no_libconfig_reads_alike_is_refused_where_it_stands),
        cmocka_unit_test(a_text_of_more_than_a_mebibyte_is_refused),
        cmocka_unit_test(thirty_two_levels_are_read_and_no_more),
        cmocka_unit_test(any_bytes_give_a_text_libconfig_reads_or_one_complaint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
