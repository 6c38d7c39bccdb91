/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Notes as bytes: a good one, then one line changed at a time. Each refusal is compared whole,
 * because its text is all that an author gets to see.
 */
#include <stdio.h>
#include <string.h>

#include "core/plugin/note.h"
#include "tests/unit/cmocka.h"

#define L    "\0"
#define HEAD "name=codec-zstd" L "version=1.2" L "abi=0.3" L "need=0.1" L "tier=stable" L
#define IMPL "impl=mortise.codec/1 zstd" L
#define KEY  "key=level" L "key.type=i64" L "key.doc=How hard it tries."

static struct note *parse(const char *text, uint64_t bytes)
{
    mrt_error error = {0};
    struct note *note = NULL;
    if (note_parse("x.so", text, bytes, &note, &error) != MRT_OK)
        fail_msg("%s", error.text);
    return note;
}

static void refuse(const char *text, uint64_t bytes, const char *expected)
{
    mrt_error error = {0};
    struct note *note = NULL;
    assert_int_equal(note_parse("x.so", text, bytes, &note, &error), MRT_EINVAL);
    assert_string_equal(error.text, expected);
    assert_null(note);
}

/* Literals with NULs in them, with their length. */
#define PARSE(text)            parse(text, sizeof(text))
#define REFUSE(text, expected) refuse(text, sizeof(text), expected)

static void everything_a_note_says_is_read(void **state)
{
    (void)state;
    struct note *note =
        PARSE(HEAD "flags=sim_safe" L "x-vendor=acme" L IMPL "key=level" L "key.type=i64" L
                   "key.default=3" L "key.min=-7" L "key.max=22" L "key.flags=dynamic,per_topic" L
                   "key.kafka=compression.zstd.level" L "key.doc=How hard it tries." L "x-since=1" L
                   "key=mode" L "key.type=enum" L "key.choices=fast, small" L "key.doc=Which way." L
                   "impl=mortise.codec/1 zstd_fast");
    assert_string_equal(note->name, "codec-zstd");
    assert_string_equal(note->version, "1.2");
    assert_int_equal(note->abi, 3);
    assert_int_equal(note->need, 1);
    assert_int_equal(note->draft, 0);
    assert_int_equal(note->flags, NOTE_SIM_SAFE);
    assert_int_equal(note->n_impls, 2);
    assert_string_equal(note->impls[0].kind, "mortise.codec/1");
    assert_string_equal(note->impls[1].name, "zstd_fast");
    assert_int_equal(note->impls[1].n_keys, 0);
    assert_int_equal(note->impls[0].n_keys, 2);
    const struct note_key *level = &note->impls[0].keys[0];
    assert_int_equal(level->type, KEY_I64);
    assert_string_equal(level->fallback, "3");
    assert_string_equal(level->min, "-7");
    assert_string_equal(level->max, "22");
    assert_int_equal(level->flags, KEY_DYNAMIC | KEY_PER_TOPIC);
    assert_string_equal(level->kafka, "compression.zstd.level");
    const struct note_key *mode = &note->impls[0].keys[1];
    assert_int_equal(mode->n_choices, 2);
    assert_string_equal(mode->choices[0], "fast");
    assert_string_equal(mode->choices[1], "small");
    note_free(note);
}

static void a_draft_names_its_core(void **state)
{
    (void)state;
    struct note *note = PARSE("name=p" L "version=1" L "abi=0.1" L "need=0.1" L "tier=draft" L
                              "core=abc" L "impl=mortise.protocol/1 kafka");
    assert_int_equal(note->draft, 1);
    assert_string_equal(note->core, "abc");
    note_free(note);
    REFUSE(
        "name=p" L "version=1" L "abi=0.1" L "need=0.1" L "tier=draft" L "impl=mortise.codec/1 x",
        "x.so: note line 6 (impl): expected core=; the head is name, version, abi, need, tier, "
        "core, flags");
    REFUSE(
        HEAD "core=abc" L IMPL KEY,
        "x.so: note line 6 (abc): expected core= with a build id, and only after tier=draft");
}

static void the_head_comes_in_its_order(void **state)
{
    (void)state;
    REFUSE(
        "version=1.2" L "name=x",
        "x.so: note line 1 (version): expected name=; the head is name, version, abi, need, tier, "
        "core, flags");
    REFUSE(
        HEAD "name=again" L IMPL KEY,
        "x.so: note line 6 (name): expected impl=; the head is name, version, abi, need, tier, "
        "core, flags");
    REFUSE(
        HEAD "colour=red" L IMPL KEY,
        "x.so: note line 6 (colour): expected impl=; the head is name, version, abi, need, tier, "
        "core, flags");
}

static void a_line_says_what_was_expected_of_it(void **state)
{
    (void)state;
    REFUSE(
        "name=Codec",
        "x.so: note line 1 (Codec): expected a name of a-z, 0-9, - and _, at most 64");
    REFUSE("name=x" L "version=", "x.so: note line 2 (): expected a version of 1 to 64 bytes");
    REFUSE(
        "name=x" L "version=1" L "abi=1",
        "x.so: note line 3 (1): expected abi=<major>.<minor>, like 0.1");
    REFUSE(
        "name=x" L "version=1" L "abi=0.70000",
        "x.so: note line 3 (0.70000): expected abi=<major>.<minor>, like 0.1");
    REFUSE(
        "name=x" L "version=1" L "abi=0.1" L "need=0.2",
        "x.so: note line 4 (0.2): expected need= of the same major as abi=, and not above it");
    REFUSE(
        "name=x" L "version=1" L "abi=0.1" L "need=0.1" L "tier=gold",
        "x.so: note line 5 (gold): expected tier=stable or tier=draft");
    REFUSE(
        HEAD "flags=fast" L IMPL,
        "x.so: note line 6 (fast): expected flags of sim_safe, own_threads, os");
    REFUSE(
        HEAD "flags=sim_safe,os" L IMPL,
        "x.so: note line 6 (sim_safe,os): expected sim_safe alone: a plugin with os or own_threads "
        "is not");
    REFUSE(
        HEAD "impl=codec zstd",
        "x.so: note line 6 (codec): expected impl=<owner.kind/major> <name>");
    REFUSE(
        HEAD "impl=mortise.codec/0 zstd",
        "x.so: note line 6 (mortise.codec/0): expected impl=<owner.kind/major> <name>");
    REFUSE(HEAD "tier", "x.so: note line 6 (tier): expected key=value");
    REFUSE(HEAD IMPL "doc=x", "x.so: note line 7 (doc): expected impl=, key= or key.<what>=");
}

static void a_key_is_described_completely_and_once(void **state)
{
    (void)state;
    REFUSE(
        HEAD IMPL "key.type=i64",
        "x.so: note line 7 (key.type): expected key=<name> before its key. lines");
    REFUSE(HEAD IMPL "key=a", "x.so: note: key a: key.type is missing");
    REFUSE(
        HEAD IMPL "key=a" L "key.type=i64",
        "x.so: note: key a: key.doc is missing: one sentence for operators");
    REFUSE(
        HEAD IMPL "key=a" L "key.type=int",
        "x.so: note line 8 (int): expected one key.type: bool i64 f64 str enum list path bytes "
        "millis");
    REFUSE(
        HEAD IMPL KEY L KEY,
        "x.so: note line 10 (level): expected each key once an implementation");
    REFUSE(
        HEAD IMPL KEY L "key.doc=again",
        "x.so: note line 10 (again): expected each line of a key once");
    REFUSE(
        HEAD IMPL KEY L "key.unit=s",
        "x.so: note line 10 (key.unit): expected key.type default min max choices flags kafka doc, "
        "each once");
    REFUSE(
        HEAD IMPL IMPL, "x.so: note line 7 (zstd): expected each kind and name once in a plugin");
}

static void a_key_must_agree_with_itself(void **state)
{
    (void)state;
    REFUSE(
        HEAD IMPL KEY L "key.min=9" L "key.max=3",
        "x.so: note: key level: key.min=9 is above key.max=3");
    REFUSE(
        HEAD IMPL KEY L "key.min=few", "x.so: note: key level: key.min=few is not a whole number");
    REFUSE(
        HEAD IMPL KEY L "key.flags=required" L "key.default=3",
        "x.so: note: key level: required, and yet it has a key.default");
    REFUSE(HEAD IMPL KEY L "key.choices=1,2", "x.so: note: key level: a i64 has no key.choices");
    REFUSE(
        HEAD IMPL "key=m" L "key.type=enum" L "key.doc=x",
        "x.so: note: key m: an enum needs key.choices");
    REFUSE(
        HEAD IMPL "key=m" L "key.type=str" L "key.doc=x" L "key.max=3",
        "x.so: note: key m: a str has no key.max");
    REFUSE(
        HEAD IMPL "key=m" L "key.type=bytes" L "key.doc=x" L "key.default=64M",
        "x.so: note: m = \"64M\" is not a size like 1048576 or \"64MiB\"");
}

static void lengths_are_limited_and_the_end_is_a_nul(void **state)
{
    (void)state;
    static char big[NOTE_BYTES_MAX + 1];
    refuse("", 0, "x.so: its note has 0 bytes: expected 1 to 65536 that end with NUL");
    refuse("name=x", 6, "x.so: its note has 6 bytes: expected 1 to 65536 that end with NUL");
    refuse(
        big, sizeof big, "x.so: its note has 65537 bytes: expected 1 to 65536 that end with NUL");
    REFUSE(HEAD, "x.so: note line 6 (): expected key=value");
    refuse(
        HEAD, sizeof HEAD - 1, "x.so: note line 5 (end): expected at least one impl=<kind> <name>");
}

static void too_many_implementations_are_refused(void **state)
{
    (void)state;
    char text[2048];
    size_t n = sizeof HEAD - 1;
    memcpy(text, HEAD, n);
    for (int i = 0; i <= NOTE_IMPLS_MAX; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "impl=mortise.codec/1 a%d", i) + 1;
    refuse(text, n, "x.so: note line 22 (mortise.codec/1): expected at most 16 implementations");
}

/* Any byte changed to any of a few: accepted or refused, never a crash (run it under ASan). */
static void no_damaged_byte_is_followed_out_of_the_note(void **state)
{
    (void)state;
    static const char sound[] = HEAD IMPL KEY L "key.min=1" L "key.max=3" L "key.default=2";
    static const char bytes[] = {'\0', '=', ',', '.', '/', ' ', 'a', '9', '\xff', '-'};
    char *text = malloc(sizeof sound);
    for (size_t at = 0; at < sizeof sound; at++) {
        for (size_t i = 0; i < sizeof bytes; i++) {
            mrt_error error = {0};
            struct note *note = NULL;
            memcpy(text, sound, sizeof sound);
            text[at] = bytes[i];
            if (note_parse("x.so", text, sizeof sound, &note, &error) == MRT_OK)
                note_free(note);
            else
                assert_memory_equal(error.text, "x.so: ", 6);
        }
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_a_note_says_is_read),
        cmocka_unit_test(a_draft_names_its_core),
        cmocka_unit_test(the_head_comes_in_its_order),
        cmocka_unit_test(a_line_says_what_was_expected_of_it),
        cmocka_unit_test(a_key_is_described_completely_and_once),
        cmocka_unit_test(a_key_must_agree_with_itself),
        cmocka_unit_test(lengths_are_limited_and_the_end_is_a_nul),
        cmocka_unit_test(too_many_implementations_are_refused),
        cmocka_unit_test(no_damaged_byte_is_followed_out_of_the_note),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
