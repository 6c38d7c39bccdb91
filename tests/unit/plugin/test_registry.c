/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registry over the zoo: a registry without a directory to which files are added one by one,
 * and a scratch directory of copies where a directory is what matters.
 *
 * The zoo lies in the build tree, so nothing here runs as another user or needs root.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mortise/build.h>
#include <mortise/cleanup.h>

#include "core/plugin/registry.h"
#include "tests/unit/cmocka.h"

struct fixture {
    struct registry *registry;
    char directory[64]; /* scratch, with its files removed at the end */
};

static struct registry *registry_of(const char *directory)
{
    mrt_error error = {0};
    struct registry *registry = NULL;
    const struct registry_options options = {.directory = directory};
    assert_int_equal(registry_new(&options, &registry, &error), MRT_OK);
    return registry;
}

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    strcpy(fixture->directory, "/tmp/mortise-registry-XXXXXX");
    assert_non_null(mkdtemp(fixture->directory));
    fixture->registry = registry_of(NULL);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    char command[128];
    registry_free(fixture->registry);
    snprintf(command, sizeof command, "rm -r %s", fixture->directory);
    assert_int_equal(system(command), 0);
    free(fixture);
    return 0;
}

static const char *animal(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, ZOO_DIR "/%s.so", name);
    return path;
}

static const char *copy(const struct fixture *fixture, const char *name, const char *as)
{
    static char path[256];
    char command[1024];
    snprintf(path, sizeof path, "%s/%s", fixture->directory, as);
    snprintf(command, sizeof command, "cp %s %s && chmod 644 %s", animal(name), path, path);
    assert_int_equal(system(command), 0);
    return path;
}

/* Adding @path is refused with "@path: @text". */
static void refused(
    struct registry *registry, const char *path, mrt_status status, const char *text)
{
    mrt_error error = {0};
    char expected[1024];
    snprintf(expected, sizeof expected, "%s: %s", path, text);
    assert_int_equal(registry_add(registry, path, &error), status);
    assert_string_equal(error.text, expected);
    assert_int_equal(error.status, status);
}

/* It is let in by its note and refused when its code is loaded. */
static void refused_later(
    struct registry *registry, const char *path, mrt_status status, const char *text)
{
    mrt_error error = {0};
    char expected[1024];
    const struct impl *impl = NULL;
    snprintf(expected, sizeof expected, "%s: %s", path, text);
    assert_int_equal(registry_add(registry, path, &error), MRT_OK);
    assert_int_equal(registry_find(registry, MRT_KIND_CLEANUP, "zoo", &impl, &error), status);
    assert_string_equal(error.text, expected);
    assert_null(impl);
}

/* ---- a sound one ----------------------------------------------------------------------------- */

static void a_sound_plugin_is_loaded_when_asked_for_and_its_tables_are_complete(void **state)
{
    struct fixture *fixture = *state;
    mrt_error error = {0};
    const struct impl *impl = NULL;
    assert_int_equal(registry_add(fixture->registry, animal("sound"), &error), MRT_OK);
    const struct plugin *plugin = registry_at(fixture->registry, 0);
    assert_int_equal(plugin->loaded, 0);
    assert_null(plugin->module->plugin);

    assert_int_equal(
        registry_find(fixture->registry, MRT_KIND_CLEANUP, "zoo", &impl, &error), MRT_OK);
    assert_int_equal(plugin->loaded, 1);
    const mrt_cleanup_ops *ops = impl->ops;
    uint32_t n = 7;
    assert_int_equal(ops->size, sizeof *ops);
    assert_int_equal(ops->plan(NULL, NULL, NULL, 0, &n), MRT_OK);
    assert_int_equal(n, 0);
    assert_int_equal(impl->declared->n_keys, 1);
    assert_string_equal(impl->declared->keys[0].name, "animals");
}

static void a_slot_that_may_be_empty_is_filled_with_a_fallback(void **state)
{
    struct fixture *fixture = *state;
    mrt_error error = {0};
    const struct impl *impl = NULL;
    void *out = NULL, *shard = &error;
    assert_int_equal(registry_add(fixture->registry, animal("sound"), &error), MRT_OK);
    assert_int_equal(
        registry_find(fixture->registry, MRT_KIND_CLEANUP, "zoo", &impl, &error), MRT_OK);
    const mrt_cleanup_ops *ops = impl->ops;
    assert_int_equal(ops->pass_begin(NULL, NULL, 0, &out), MRT_ENOTSUP);
    assert_int_equal(impl->life.health(NULL, &error), MRT_OK);
    assert_int_equal(impl->life.shard_open(NULL, NULL, &shard), MRT_OK);
    assert_null(shard);
    assert_null(impl_extension(impl, "acme.none/1"));
}

static void the_same_file_in_two_registries_is_the_same_code(void **state)
{
    struct fixture *fixture = *state;
    mrt_error error = {0};
    const struct impl *first = NULL, *second = NULL;
    struct registry *other = registry_of(NULL);
    assert_int_equal(registry_add(fixture->registry, animal("sound"), &error), MRT_OK);
    assert_int_equal(registry_add(other, animal("sound"), &error), MRT_OK);
    assert_int_equal(
        registry_find(fixture->registry, MRT_KIND_CLEANUP, "zoo", &first, &error), MRT_OK);
    assert_int_equal(registry_find(other, MRT_KIND_CLEANUP, "zoo", &second, &error), MRT_OK);
    assert_ptr_not_equal(first, second);
    assert_ptr_equal(first->raw, second->raw);
    registry_free(other);
}

static void two_files_of_the_same_plugin_are_two_codes(void **state)
{
    struct fixture *fixture = *state;
    mrt_error error = {0};
    const struct impl *first = NULL, *second = NULL;
    struct registry *other = registry_of(NULL);
    assert_int_equal(registry_add(fixture->registry, animal("sound"), &error), MRT_OK);
    assert_int_equal(registry_add(other, copy(fixture, "sound", "b.so"), &error), MRT_OK);
    assert_int_equal(
        registry_find(fixture->registry, MRT_KIND_CLEANUP, "zoo", &first, &error), MRT_OK);
    assert_int_equal(registry_find(other, MRT_KIND_CLEANUP, "zoo", &second, &error), MRT_OK);
    assert_ptr_not_equal(first->raw, second->raw);
    registry_free(other);
}

static void a_file_changed_in_place_is_not_taken_for_what_was_loaded(void **state)
{
    struct fixture *fixture = *state;
    mrt_error error = {0};
    char expected[1024];
    const struct impl *impl = NULL;
    const char *path = copy(fixture, "sound", "edited.so");
    assert_int_equal(registry_add(fixture->registry, path, &error), MRT_OK);
    assert_int_equal(
        registry_find(fixture->registry, MRT_KIND_CLEANUP, "zoo", &impl, &error), MRT_OK);
    int fd = open(path, O_WRONLY | O_APPEND);
    assert_int_equal(write(fd, "more", 4), 4);
    close(fd);
    struct registry *other = registry_of(NULL);
    assert_int_equal(registry_add(other, path, &error), MRT_OK);
    assert_int_equal(registry_find(other, MRT_KIND_CLEANUP, "zoo", &impl, &error), MRT_EBUSY);
    snprintf(
        expected, sizeof expected,
        "%s: changed in place since it was loaded: restart, and install by renaming", path);
    assert_string_equal(error.text, expected);
    registry_free(other);
}

static void a_file_replaced_by_renaming_is_other_code(void **state)
{
    struct fixture *fixture = *state;
    mrt_error error = {0};
    char path[256];
    const struct impl *first = NULL, *second = NULL;
    strcpy(path, copy(fixture, "sound", "renamed.so"));
    assert_int_equal(registry_add(fixture->registry, path, &error), MRT_OK);
    assert_int_equal(
        registry_find(fixture->registry, MRT_KIND_CLEANUP, "zoo", &first, &error), MRT_OK);
    assert_int_equal(rename(copy(fixture, "sound", "new.so"), path), 0);
    struct registry *other = registry_of(NULL);
    assert_int_equal(registry_add(other, path, &error), MRT_OK);
    assert_int_equal(registry_find(other, MRT_KIND_CLEANUP, "zoo", &second, &error), MRT_OK);
    assert_ptr_not_equal(first->raw, second->raw);
    registry_free(other);
}

/* ---- trust ----------------------------------------------------------------------------------- */

static const char *distrust(uint32_t owner, uint32_t group, uint32_t mode, bool sticky_is_fine)
{
    const struct stat file = {.st_uid = owner, .st_gid = group, .st_mode = mode};
    const char *remedy = NULL;
    return file_distrust(&file, 1000, sticky_is_fine, &remedy);
}

static void only_root_and_we_ourselves_are_trusted(void **state)
{
    (void)state;
    assert_null(distrust(0, 0, S_IFREG | 0644, false));
    assert_null(distrust(1000, 1000, S_IFREG | 0600, false));
    assert_string_equal(distrust(1001, 1001, S_IFREG | 0644, false), "belongs to another user");
    assert_string_equal(distrust(1001, 0, S_IFDIR | 01777, true), "belongs to another user");
}

static void what_others_can_write_is_not_trusted(void **state)
{
    (void)state;
    assert_string_equal(distrust(0, 0, S_IFREG | 0646, false), "can be written by anybody");
    assert_string_equal(distrust(0, 0, S_IFREG | 0664, false), "can be written by its group");
    assert_string_equal(distrust(1000, 50, S_IFDIR | 0775, true), "can be written by its group");
    assert_null(distrust(1000, 1000, S_IFDIR | 0775, false)); /* a private group */
    assert_string_equal(distrust(1000, 1000, S_IFDIR | 0777, false), "can be written by anybody");
}

static void a_sticky_directory_is_trusted_above_and_not_next_to_a_plugin(void **state)
{
    (void)state;
    assert_null(distrust(0, 0, S_IFDIR | 01777, true));
    assert_string_equal(distrust(0, 0, S_IFDIR | 01777, false), "can be written by anybody");
    assert_string_equal(distrust(0, 0, S_IFREG | 01666, true), "can be written by anybody");
}

/* ---- refused before any of its code ran ------------------------------------------------------ */

static void a_file_that_is_not_there_says_so(void **state)
{
    struct fixture *fixture = *state;
    refused(
        fixture->registry, "/nowhere/codec-x.so", MRT_ENOENT,
        "no such file: check the path, or install what ships it");
}

static void a_relative_path_is_refused(void **state)
{
    struct fixture *fixture = *state;
    refused(
        fixture->registry, "codec-x.so", MRT_EINVAL,
        "plugins are loaded by absolute path only: begin with /");
}

static void a_directory_and_a_text_are_not_plugins(void **state)
{
    struct fixture *fixture = *state;
    refused(
        fixture->registry, fixture->directory, MRT_EINVAL,
        "not a regular file: name the .so itself");
    char path[128];
    snprintf(path, sizeof path, "%s/text.so", fixture->directory);
    int fd = open(path, O_WRONLY | O_CREAT, 0644);
    assert_int_equal(write(fd, "hello", 5), 5);
    close(fd);
    refused(
        fixture->registry, path, MRT_EINVAL,
        "not a shared object for this machine: it does not begin with an ELF header");
}

static void a_shared_object_without_a_note_is_not_a_plugin(void **state)
{
    struct fixture *fixture = *state;
    refused(
        fixture->registry, animal("no_note"), MRT_ENOENT,
        "not a Mortise plugin: no .note.mortise in it (MRT_PLUGIN_NOTE makes it)");
}

static void another_major_is_refused_with_both_numbers(void **state)
{
    struct fixture *fixture = *state;
    refused(
        fixture->registry, animal("wrong_major"), MRT_ENOTSUP,
        "built for ABI 7.0, and this core has 0.1: install a zoo built for ABI 0");
}

static void a_plugin_that_needs_more_says_what_and_what_there_is(void **state)
{
    struct fixture *fixture = *state;
    refused(
        fixture->registry, animal("needs_newer"), MRT_ENOTSUP,
        "needs ABI 0.98, and this core has 0.1: upgrade mortised, or install an older zoo");
}

static void a_draft_of_another_core_is_refused_with_both_build_ids(void **state)
{
    struct fixture *fixture = *state;
    refused(
        fixture->registry, animal("draft_other"), MRT_ENOTSUP,
        "a draft plugin for core 0.0.1+abc, and this is " MRT_BUILD_ID
        ": install the zoo of this core");
}

static void a_kind_nobody_knows_is_refused_by_its_id(void **state)
{
    struct fixture *fixture = *state;
    refused(
        fixture->registry, animal("unknown_kind"), MRT_ENOTSUP,
        "implements acme.teleport/1, a kind this core does not know: upgrade mortised, or correct "
        "it");
}

static void a_note_that_contradicts_itself_is_refused_by_key(void **state)
{
    struct fixture *fixture = *state;
    refused(
        fixture->registry, animal("bad_note"), MRT_EINVAL,
        "note: animals = \"12\" is out of range: at most 9 is allowed");
}

static void the_second_provider_of_a_name_is_refused_and_names_the_first(void **state)
{
    struct fixture *fixture = *state;
    mrt_error error = {0};
    char expected[1024];
    const char *second = copy(fixture, "sound", "twin.so");
    assert_int_equal(registry_add(fixture->registry, animal("sound"), &error), MRT_OK);
    snprintf(
        expected, sizeof expected, "cleanup zoo is provided by %s already: keep one of the two",
        animal("sound"));
    refused(fixture->registry, second, MRT_EEXIST, expected);
}

static void a_file_that_anybody_can_write_is_refused(void **state)
{
    struct fixture *fixture = *state;
    char expected[1024];
    const char *path = copy(fixture, "sound", "open.so");
    chmod(path, 0666);
    snprintf(
        expected, sizeof expected,
        "not loaded: it can be written by anybody (user %u, mode 0666): chmod go-w it",
        (unsigned)geteuid());
    refused(fixture->registry, path, MRT_EDENIED, expected);
}

static void a_directory_that_anybody_can_write_is_refused_even_if_sticky(void **state)
{
    struct fixture *fixture = *state;
    char expected[1024];
    const char *path = copy(fixture, "sound", "safe.so");
    chmod(fixture->directory, 01777);
    snprintf(
        expected, sizeof expected,
        "not loaded: directory %s can be written by anybody (user %u, mode 1777): chmod go-w it",
        fixture->directory, (unsigned)geteuid());
    refused(fixture->registry, path, MRT_EDENIED, expected);
    chmod(fixture->directory, 0700);
}

/* ---- refused by what the code shows ---------------------------------------------------------- */

static void an_empty_mandatory_slot_is_refused_by_name(void **state)
{
    struct fixture *fixture = *state;
    refused_later(
        fixture->registry, animal("null_slot"), MRT_EINVAL,
        "slot cleanup.plan is NULL: it is mandatory, fill it");
}

static void an_empty_lifecycle_slot_is_refused_by_name(void **state)
{
    struct fixture *fixture = *state;
    refused_later(
        fixture->registry, animal("null_life"), MRT_EINVAL,
        "slot lifecycle.destroy is NULL: it is mandatory, fill it");
}

static void a_capability_without_its_functions_is_refused_by_name(void **state)
{
    struct fixture *fixture = *state;
    refused_later(
        fixture->registry, animal("null_cap"), MRT_EINVAL,
        "slot cleanup.pass_begin is NULL: fill it, or take MRT_CLEANUP_PASS out of caps");
}

static void a_missing_entry_and_one_that_declines_are_told_apart(void **state)
{
    struct fixture *fixture = *state;
    struct registry *other = registry_of(NULL);
    refused_later(
        fixture->registry, animal("no_entry"), MRT_EINVAL,
        "it exports no mortise_plugin_entry: define MRT_ENTRY_NAME and export it");
    refused_later(
        other, animal("entry_null"), MRT_ENOTSUP,
        "its entry declined a host with ABI 0.1: install a version built for it");
    registry_free(other);
}

static void a_descriptor_with_another_note_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct registry *other = registry_of(NULL);
    refused_later(
        fixture->registry, animal("note_mismatch"), MRT_EINVAL,
        "its descriptor does not say what its note says (the note's bytes): rebuild it");
    refused_later(
        other, animal("name_mismatch"), MRT_EINVAL,
        "its descriptor does not say what its note says (a name): rebuild it");
    registry_free(other);
}

static void a_refused_plugin_is_not_tried_again(void **state)
{
    struct fixture *fixture = *state;
    mrt_error first = {0}, second = {0};
    const struct impl *impl = NULL;
    assert_int_equal(registry_add(fixture->registry, animal("null_slot"), &first), MRT_OK);
    (void)!registry_find(fixture->registry, MRT_KIND_CLEANUP, "zoo", &impl, &first);
    assert_int_equal(
        registry_find(fixture->registry, MRT_KIND_CLEANUP, "zoo", &impl, &second), MRT_EINVAL);
    assert_string_equal(second.text, first.text);
}

static void a_missing_library_is_named_in_the_linkers_words(void **state)
{
    struct fixture *fixture = *state;
    mrt_error error = {0};
    const struct impl *impl = NULL;
    assert_int_equal(registry_add(fixture->registry, animal("no_symbol"), &error), MRT_OK);
    assert_int_equal(
        registry_find(fixture->registry, MRT_KIND_CLEANUP, "zoo", &impl, &error), MRT_EINVAL);
    assert_non_null(strstr(error.text, "undefined symbol: zoo_keeper"));
    assert_non_null(strstr(error.text, "no_symbol.so: the linker refused it: "));
}

/* ---- directories ----------------------------------------------------------------------------- */

static void a_directory_is_listed_and_a_broken_file_does_not_spoil_it(void **state)
{
    struct fixture *fixture = *state;
    mrt_error error = {0};
    const struct impl *impl = NULL;
    copy(fixture, "no_note", "a.so");
    copy(fixture, "sound", "b.so");
    copy(fixture, "sound", ".hidden.so");
    copy(fixture, "sound", "c.so.bak");
    struct registry *registry = registry_of(fixture->directory);
    assert_int_equal(registry_count(registry), 2);
    assert_int_equal(registry_at(registry, 0)->refusal.status, MRT_ENOENT);
    assert_int_equal(registry_find(registry, MRT_KIND_CLEANUP, "zoo", &impl, &error), MRT_OK);
    registry_free(registry);
}

static void who_asks_for_a_refused_plugin_gets_its_refusal(void **state)
{
    struct fixture *fixture = *state;
    mrt_error error = {0};
    const struct impl *impl = NULL;
    copy(fixture, "no_note", "cleanup-shredder.so");
    copy(fixture, "needs_newer", "z.so");
    struct registry *registry = registry_of(fixture->directory);
    assert_int_equal(
        registry_find(registry, MRT_KIND_CLEANUP, "shredder", &impl, &error), MRT_ENOENT);
    assert_non_null(strstr(error.text, "cleanup-shredder.so: not a Mortise plugin"));
    assert_int_equal(registry_find(registry, MRT_KIND_CLEANUP, "zoo", &impl, &error), MRT_ENOTSUP);
    assert_non_null(strstr(error.text, "needs ABI 0.98"));
    registry_free(registry);
}

static void an_unknown_name_says_where_was_looked_and_what_was_meant(void **state)
{
    struct fixture *fixture = *state;
    mrt_error error = {0};
    char expected[1024];
    const struct impl *impl = NULL;
    copy(fixture, "sound", "b.so");
    struct registry *registry = registry_of(fixture->directory);
    assert_int_equal(registry_find(registry, MRT_KIND_CLEANUP, "zooo", &impl, &error), MRT_ENOENT);
    snprintf(
        expected, sizeof expected, "no cleanup plugin \"zooo\" in %s: did you mean \"zoo\"?",
        fixture->directory);
    assert_string_equal(error.text, expected);
    assert_int_equal(registry_find(registry, "mortise.codec/1", "zstd", &impl, &error), MRT_ENOENT);
    snprintf(
        expected, sizeof expected,
        "no codec plugin \"zstd\" in %s: apt install mortise-plugin-codec-zstd",
        fixture->directory);
    assert_string_equal(error.text, expected);
    registry_free(registry);
}

static void a_plugin_directory_that_is_not_there_has_no_plugins(void **state)
{
    (void)state;
    struct registry *registry = registry_of("/nowhere/plugins");
    assert_int_equal(registry_count(registry), 0);
    registry_free(registry);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_sound_plugin_is_loaded_when_asked_for_and_its_tables_are_complete),
        TEST(a_slot_that_may_be_empty_is_filled_with_a_fallback),
        TEST(the_same_file_in_two_registries_is_the_same_code),
        TEST(two_files_of_the_same_plugin_are_two_codes),
        TEST(a_file_changed_in_place_is_not_taken_for_what_was_loaded),
        TEST(a_file_replaced_by_renaming_is_other_code),
        cmocka_unit_test(only_root_and_we_ourselves_are_trusted),
        cmocka_unit_test(what_others_can_write_is_not_trusted),
        cmocka_unit_test(a_sticky_directory_is_trusted_above_and_not_next_to_a_plugin),
        TEST(a_file_that_is_not_there_says_so),
        TEST(a_relative_path_is_refused),
        TEST(a_directory_and_a_text_are_not_plugins),
        TEST(a_shared_object_without_a_note_is_not_a_plugin),
        TEST(another_major_is_refused_with_both_numbers),
        TEST(a_plugin_that_needs_more_says_what_and_what_there_is),
        TEST(a_draft_of_another_core_is_refused_with_both_build_ids),
        TEST(a_kind_nobody_knows_is_refused_by_its_id),
        TEST(a_note_that_contradicts_itself_is_refused_by_key),
        TEST(the_second_provider_of_a_name_is_refused_and_names_the_first),
        TEST(a_file_that_anybody_can_write_is_refused),
        TEST(a_directory_that_anybody_can_write_is_refused_even_if_sticky),
        TEST(an_empty_mandatory_slot_is_refused_by_name),
        TEST(an_empty_lifecycle_slot_is_refused_by_name),
        TEST(a_capability_without_its_functions_is_refused_by_name),
        TEST(a_missing_entry_and_one_that_declines_are_told_apart),
        TEST(a_descriptor_with_another_note_is_refused),
        TEST(a_refused_plugin_is_not_tried_again),
        TEST(a_missing_library_is_named_in_the_linkers_words),
        TEST(a_directory_is_listed_and_a_broken_file_does_not_spoil_it),
        TEST(who_asks_for_a_refused_plugin_gets_its_refusal),
        TEST(an_unknown_name_says_where_was_looked_and_what_was_meant),
        TEST(a_plugin_directory_that_is_not_there_has_no_plugins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
