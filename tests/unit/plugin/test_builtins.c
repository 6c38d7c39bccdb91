/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two plugins of this tree linked in as the static build links them, from the same sources as
 * their shared objects.
 */
#include <string.h>

#include <mortise/cleanup.h>
#include <mortise/storage.h>

#include "core/plugin/registry.h"
#include "tests/unit/cmocka.h"

static struct registry *registry_of_builtins(void)
{
    struct registry *registry = NULL;
    mrt_error error = {0};
    uint32_t n = 0;
    const struct builtin *builtins = builtins_all(&n);
    const struct registry_options options = {.builtins = builtins, .n_builtins = n};
    assert_int_equal(n, 2);
    assert_int_equal(registry_new(&options, &registry, &error), MRT_OK);
    return registry;
}

static void linked_plugins_are_found_by_kind_and_name_each_with_its_own_tables(void **state)
{
    (void)state;
    struct registry *registry = registry_of_builtins();
    const struct impl *store = NULL, *policy = NULL;
    mrt_error error = {0};
    assert_int_equal(registry_find(registry, MRT_KIND_STORAGE, "memory", &store, &error), MRT_OK);
    assert_int_equal(registry_find(registry, MRT_KIND_CLEANUP, "delete", &policy, &error), MRT_OK);
    assert_string_equal(store->plugin->path, "builtin:storage-memory");
    assert_string_equal(policy->plugin->module->note->name, "cleanup-delete");
    assert_int_equal(((const mrt_storage_ops *)store->ops)->size, sizeof(mrt_storage_ops));
    assert_int_equal(((const mrt_cleanup_ops *)policy->ops)->size, sizeof(mrt_cleanup_ops));
    registry_free(registry);
}

static void what_is_not_linked_in_is_said_to_be_missing_in_the_build(void **state)
{
    (void)state;
    struct registry *registry = registry_of_builtins();
    const struct impl *impl = NULL;
    mrt_error error = {0};
    assert_int_equal(
        registry_find(registry, MRT_KIND_STORAGE, "segment", &impl, &error), MRT_ENOENT);
    assert_string_equal(
        error.text,
        "no storage plugin \"segment\" in this static build: build it with segment among "
        "MORTISE_PLUGINS");
    registry_free(registry);
}

static void a_second_registry_finds_the_same_plugins(void **state)
{
    (void)state;
    struct registry *first = registry_of_builtins(), *second = registry_of_builtins();
    const struct impl *a = NULL, *b = NULL;
    mrt_error error = {0};
    assert_int_equal(registry_find(first, MRT_KIND_STORAGE, "memory", &a, &error), MRT_OK);
    assert_int_equal(registry_find(second, MRT_KIND_STORAGE, "memory", &b, &error), MRT_OK);
    assert_ptr_equal(a->raw, b->raw);
    assert_ptr_not_equal(a->ops, b->ops);
    registry_free(first);
    assert_int_equal(((const mrt_storage_ops *)b->ops)->size, sizeof(mrt_storage_ops));
    registry_free(second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linked_plugins_are_found_by_kind_and_name_each_with_its_own_tables),
        cmocka_unit_test(what_is_not_linked_in_is_said_to_be_missing_in_the_build),
        cmocka_unit_test(a_second_registry_finds_the_same_plugins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
