/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every mistakes/NAME.conf is a whole configuration with a mistake, loaded and checked against a
 * made-up set of plugins; mistakes/NAME.expected is all that is said about it. With
 * MORTISE_WRITE_EXPECTED set the files are written instead of compared.
 */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/memory.h"
#include "core/config/settings.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/config/plugins.h"

#define MISTAKES_MIN 25
#define TEXT_MAX     16384

static char *load(const char *path)
{
    struct report *report = report_new();
    const struct config_path paths[] = {{path, false}};
    const struct settings_options options = {paths, 1, NULL, 0};
    struct settings *settings = settings_load(&options, report);
    settings_check_plugins(settings, &test_plugins, report);
    assert_int_not_equal(report_errors(report), 0);
    char *text = strdup(report_text(report));
    settings_free(settings);
    report_free(report);
    return text;
}

static void expected_path(const char *path, char *out, size_t size)
{
    snprintf(out, size, "%.*s.expected", (int)(strlen(path) - strlen(".conf")), path);
}

static void compare(const char *path)
{
    char name[512];
    char expected[TEXT_MAX];
    char *text = load(path);
    expected_path(path, name, sizeof name);
    if (getenv("MORTISE_WRITE_EXPECTED") != NULL) {
        FILE *out = fopen(name, "w");
        assert_non_null(out);
        fputs(text, out);
        fclose(out);
        free(text);
        return;
    }
    FILE *in = fopen(name, "r");
    if (in == NULL)
        fail_msg("%s is missing; it would be:\n%s", name, text);
    size_t n = fread(expected, 1, sizeof expected - 1, in);
    expected[n] = '\0';
    fclose(in);
    if (strcmp(text, expected) != 0)
        fail_msg("%s\n--- expected\n%s--- but\n%s", path, expected, text);
    free(text);
}

static void every_mistake_has_its_message(void **state)
{
    (void)state;
    assert_int_equal(chdir(CONFIG_TEST_DIR), 0);
    DIR *dir = opendir("mistakes");
    assert_non_null(dir);
    uint32_t count = 0;
    char path[300];
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (strstr(entry->d_name, ".conf") == NULL)
            continue;
        snprintf(path, sizeof path, "mistakes/%s", entry->d_name);
        compare(path);
        count++;
    }
    closedir(dir);
    assert_true(count >= MISTAKES_MIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_mistake_has_its_message)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
