/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Snapshots over one set of keys, one of each type, read back the way a plugin reads them: through
 * the view, by the place of the key.
 */
#include <string.h>

#include "core/base/str.h"
#include "core/plugin/cfg.h"
#include "tests/unit/cmocka.h"

enum {
    ON,
    LEVEL,
    RATIO,
    TITLE,
    MODE,
    HOSTS,
    HOME,
    ROOM,
    WAIT,
    TOKEN,
    KEYS
};

static const char *const modes[] = {"none", "interval", "ack"};
static const struct note_key keys[KEYS] = {
    [ON] = {.name = "on", .type = KEY_BOOL, .fallback = "true", .doc = "d"},
    [LEVEL] = {.name = "level", .type = KEY_I64, .fallback = "3", .min = "-7", .max = "22"},
    [RATIO] = {.name = "ratio", .type = KEY_F64, .fallback = "0.5", .min = "0", .max = "1"},
    [TITLE] = {.name = "title", .type = KEY_STR},
    [MODE] =
        {.name = "mode",
         .type = KEY_ENUM,
         .fallback = "interval",
         .choices = modes,
         .n_choices = 3},
    [HOSTS] = {.name = "hosts", .type = KEY_LIST, .fallback = "a, b"},
    [HOME] = {.name = "home", .type = KEY_PATH, .fallback = "/var/lib"},
    [ROOM] = {.name = "room", .type = KEY_BYTES, .fallback = "64MiB", .min = "1MiB"},
    [WAIT] = {.name = "wait", .type = KEY_MILLIS, .fallback = "30s", .max = "1h"},
    [TOKEN] =
        {.name = "token",
         .type = KEY_STR,
         .flags = KEY_SECRET | KEY_REQUIRED,
         .doc = "What it signs with."},
};

/* TOKEN, and @name = @text when there is a name. */
static mrt_status make(const char *name, const char *text, const mrt_cfg **out, mrt_error *error)
{
    const mrt_str items[] = {str_of("s3cret"), str_of(text != NULL ? text : "")};
    const struct cfg_value values[] = {
        {"token", &items[0], 1, "a.conf:1:1"}, {name, &items[1], 1, "a.conf:2:1"}};
    return cfg_new(keys, KEYS, values, name != NULL ? 2 : 1, out, error);
}

static const mrt_cfg *made(const char *name, const char *text)
{
    const mrt_cfg *cfg = NULL;
    mrt_error error = {0};
    if (make(name, text, &cfg, &error) != MRT_OK)
        fail_msg("%s", error.text);
    return cfg;
}

static void refused(const char *name, const char *text, const char *expected)
{
    const mrt_cfg *cfg = NULL;
    mrt_error error = {0};
    assert_int_equal(make(name, text, &cfg, &error), MRT_EINVAL);
    assert_string_equal(error.text, expected);
    assert_null(cfg);
}

static void reads(const mrt_cfg *cfg, uint32_t key, const char *expected)
{
    mrt_str text;
    cfg_view()->str(cfg, key, &text);
    assert_true(str_is(&text, expected));
}

static void what_is_not_set_has_its_default(void **state)
{
    (void)state;
    const mrt_cfg_view *view = cfg_view();
    const mrt_cfg *cfg = made(NULL, NULL);
    mrt_str item;
    assert_int_equal(view->i64(cfg, ON), 1);
    assert_int_equal(view->i64(cfg, LEVEL), 3);
    assert_true(view->f64(cfg, RATIO) == 0.5);
    reads(cfg, TITLE, "");
    assert_int_equal(view->i64(cfg, MODE), 1);
    reads(cfg, MODE, "interval");
    assert_int_equal(view->count(cfg, HOSTS), 2);
    view->item(cfg, HOSTS, 1, &item);
    assert_true(str_is(&item, "b"));
    reads(cfg, HOME, "/var/lib");
    assert_int_equal(view->i64(cfg, ROOM), 67108864);
    assert_int_equal(view->i64(cfg, WAIT), 30000);
    assert_int_equal(view->is_set(cfg, WAIT), 0);
    assert_int_equal(view->is_set(cfg, TOKEN), 1);
    cfg_free(cfg);
}

static void what_is_set_is_read_back_typed(void **state)
{
    (void)state;
    const mrt_cfg_view *view = cfg_view();
    const mrt_cfg *cfg = made("room", "2GiB");
    assert_int_equal(view->i64(cfg, ROOM), INT64_C(2147483648));
    assert_int_equal(view->is_set(cfg, ROOM), 1);
    cfg_free(cfg);
    cfg = made("mode", "ack");
    assert_int_equal(view->i64(cfg, MODE), 2);
    cfg_free(cfg);
    cfg = made("title", "a = b");
    reads(cfg, TITLE, "a = b");
    cfg_free(cfg);
}

static void a_list_replaces_its_default_and_may_be_empty(void **state)
{
    (void)state;
    const mrt_cfg *cfg = NULL;
    mrt_error error;
    const mrt_str items[] = {str_of("s"), str_of("x"), str_of("y,z"), str_of("w")};
    const struct cfg_value values[] = {{"token", items, 1, NULL}, {"hosts", items + 1, 3, NULL}};
    assert_int_equal(cfg_new(keys, KEYS, values, 2, &cfg, &error), MRT_OK);
    mrt_str item;
    assert_int_equal(cfg_view()->count(cfg, HOSTS), 3);
    cfg_view()->item(cfg, HOSTS, 1, &item);
    assert_true(str_is(&item, "y,z"));
    cfg_free(cfg);

    const struct cfg_value none[] = {{"token", items, 1, NULL}, {"hosts", NULL, 0, NULL}};
    assert_int_equal(cfg_new(keys, KEYS, none, 2, &cfg, &error), MRT_OK);
    assert_int_equal(cfg_view()->count(cfg, HOSTS), 0);
    assert_int_equal(cfg_view()->is_set(cfg, HOSTS), 1);
    cfg_free(cfg);
}

static void the_snapshot_keeps_its_own_texts(void **state)
{
    (void)state;
    char text[] = "mutable";
    const mrt_cfg *cfg = made("title", text);
    memset(text, '#', sizeof text - 1);
    reads(cfg, TITLE, "mutable");
    cfg_free(cfg);
}

static void a_wrong_index_or_type_reads_as_nothing(void **state)
{
    (void)state;
    const mrt_cfg_view *view = cfg_view();
    const mrt_cfg *cfg = made(NULL, NULL);
    mrt_str text = {"x", 1};
    assert_int_equal(view->i64(cfg, KEYS), 0);
    assert_int_equal(view->i64(cfg, UINT32_MAX), 0);
    assert_int_equal(view->is_set(cfg, KEYS), 0);
    assert_int_equal(view->count(cfg, LEVEL), 0);
    assert_int_equal(view->count(cfg, TITLE), 0);
    view->str(cfg, HOSTS, &text);
    assert_int_equal(text.n, 0);
    text.n = 1;
    view->item(cfg, HOSTS, 2, &text);
    assert_int_equal(text.n, 0);
    text.n = 1;
    view->str(cfg, KEYS, &text);
    assert_int_equal(text.n, 0);
    cfg_free(cfg);
}

static void every_refusal_says_where_what_and_what_instead(void **state)
{
    (void)state;
    refused("on", "yes", "a.conf:2:1: on = \"yes\" is not true or false");
    refused("level", "23", "a.conf:2:1: level = \"23\" is out of range: -7 to 22 are allowed");
    refused("level", "fast", "a.conf:2:1: level = \"fast\" is not a whole number");
    refused("ratio", "1.01", "a.conf:2:1: ratio = \"1.01\" is out of range: 0 to 1 are allowed");
    refused(
        "mode", "ak",
        "a.conf:2:1: mode = \"ak\" is not one of none, interval, ack; did you mean \"ack\"?");
    refused("mode", "always", "a.conf:2:1: mode = \"always\" is not one of none, interval, ack");
    refused("home", "var", "a.conf:2:1: home = \"var\" is not an absolute path");
    refused("room", "64M", "a.conf:2:1: room = \"64M\" is not a size like 1048576 or \"64MiB\"");
    refused(
        "room", "1KiB", "a.conf:2:1: room = \"1KiB\" is out of range: at least 1MiB is allowed");
    refused("wait", "2h", "a.conf:2:1: wait = \"2h\" is out of range: at most 1h is allowed");
    refused("leve", "3", "a.conf:2:1: leve is not a setting here; did you mean level?");
    refused("colour", "red", "a.conf:2:1: colour is not a setting here");
    refused("token", "again", "a.conf:2:1: token is set twice");
}

static void a_missing_required_key_is_named_with_its_purpose(void **state)
{
    (void)state;
    const mrt_cfg *cfg = NULL;
    mrt_error error;
    assert_int_equal(cfg_new(keys, KEYS, NULL, 0, &cfg, &error), MRT_EINVAL);
    assert_string_equal(error.text, "token must be set: What it signs with.");
    assert_null(cfg);
}

static void a_list_for_a_single_value_is_refused(void **state)
{
    (void)state;
    const mrt_str items[] = {str_of("1"), str_of("2")};
    const struct cfg_value value = {"level", items, 2, NULL};
    mrt_error error;
    assert_int_equal(cfg_value_check(&keys[LEVEL], &value, &error), MRT_EINVAL);
    assert_string_equal(error.text, "level takes one i64, not a list of 2");
}

static void the_value_of_a_secret_is_in_no_text(void **state)
{
    (void)state;
    const struct note_key pin = {
        .name = "pin", .type = KEY_I64, .flags = KEY_SECRET, .min = "0", .max = "9"};
    const char *const texts[] = {"hunter2", "77"};
    for (uint32_t i = 0; i < 2; i++) {
        const mrt_str item = str_of(texts[i]);
        const struct cfg_value value = {"pin", &item, 1, "a.conf:1:1"};
        mrt_error error;
        assert_int_equal(cfg_value_check(&pin, &value, &error), MRT_EINVAL);
        assert_null(strstr(error.text, texts[i]));
        assert_non_null(strstr(error.text, "(secret)"));
    }
}

static void a_long_value_is_cut_in_the_text(void **state)
{
    (void)state;
    char text[600];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    refused(
        "level", text,
        "a.conf:2:1: level = \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...\" is not a "
        "whole "
        "number");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_set_has_its_default),
        cmocka_unit_test(what_is_set_is_read_back_typed),
        cmocka_unit_test(a_list_replaces_its_default_and_may_be_empty),
        cmocka_unit_test(the_snapshot_keeps_its_own_texts),
        cmocka_unit_test(a_wrong_index_or_type_reads_as_nothing),
        cmocka_unit_test(every_refusal_says_where_what_and_what_instead),
        cmocka_unit_test(a_missing_required_key_is_named_with_its_purpose),
        cmocka_unit_test(a_list_for_a_single_value_is_refused),
        cmocka_unit_test(the_value_of_a_secret_is_in_no_text),
        cmocka_unit_test(a_long_value_is_cut_in_the_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
