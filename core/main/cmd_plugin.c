/* SPDX-License-Identifier: Apache-2.0 */
#include "core/main/cmd_plugin.h"

#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/main/places.h"
#include "core/plugin/registry.h"

/* ---- list ------------------------------------------------------------------------------------ */

static void list_impl(const struct plugin *plugin, const struct note_impl *impl)
{
    const struct note *note = plugin->module->note;
    const struct kind *kind = kind_find(impl->kind);
    printf(
        "%-13s %-14s %-10s %u.%u  %-6s  %s  ok\n", kind != NULL ? kind->name : impl->kind,
        impl->name, note->version, note->abi >> 16, note->abi & 0xffff,
        note->draft ? "draft" : "stable", plugin->path);
}

/* Zero when it was let in. */
static int list_plugin(struct registry *registry, uint32_t i)
{
    mrt_error error;
    const struct plugin *plugin = registry_at(registry, i);
    if (registry_load(registry, i, &error) != MRT_OK) {
        printf("%-13s %-14s %-10s %-4s %-6s  %s\n", "-", "-", "-", "-", "-", error.text);
        return 1;
    }
    ASSERT(plugin->module != NULL);
    for (uint32_t k = 0; k < plugin->module->note->n_impls; k++)
        list_impl(plugin, &plugin->module->note->impls[k]);
    return 0;
}

int plugin_list(const char *directory, const struct builtin *builtins, uint32_t n_builtins)
{
    char place[PLACE_MAX];
    struct registry *registry = NULL;
    mrt_error error;
    int result = 0;
    struct registry_options options = {
        .directory = directory,
        .builtins = builtins,
        .n_builtins = n_builtins,
    };
    if (directory == NULL && n_builtins == 0) { /* a static build is complete */
        place_plugins(place);
        options.directory = place;
    }
    if (registry_new(&options, &registry, &error) != MRT_OK) {
        fprintf(stderr, "mortise: %s\n", error.text);
        return 2;
    }
    printf("%-13s %-14s %-10s %-4s %-6s  %s\n", "KIND", "NAME", "VERSION", "ABI", "TIER", "FILE");
    for (uint32_t i = 0; i < registry_count(registry); i++)
        result |= list_plugin(registry, i);
    if (registry_count(registry) == 0)
        printf("no plugins in %s\n", options.directory);
    registry_free(registry);
    return result;
}

/* plugin list [DIRECTORY] */
static int list_command(int argc, char **argv)
{
    char directory[PLACE_MAX];
    if (argc > 2) {
        fprintf(stderr, "usage: mortise plugin list [DIRECTORY]\n");
        return 2;
    }
    if (argc == 2 && !place_absolute(argv[1], directory)) {
        fprintf(stderr, "mortise: %s: no such directory\n", argv[1]);
        return 2;
    }
    uint32_t n = 0;
    const struct builtin *builtins = builtins_all(&n);
    return plugin_list(argc == 2 ? directory : NULL, builtins, n);
}

/* ---- info ------------------------------------------------------------------------------------ */

static void info_flags(uint32_t flags, const char *const *names, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (flags & 1u << i)
            printf(" %s", names[i]);
}

static void info_key(const struct note_key *key)
{
    static const char *const flags[] = {"required", "secret", "dynamic", "per_topic"};
    printf("    %s (%s", key->name, key_type_name(key->type));
    info_flags(key->flags, flags, 4);
    printf(")");
    if (key->fallback != NULL)
        printf(" = %s", key->flags & KEY_SECRET ? "(secret)" : key->fallback);
    if (key->min != NULL || key->max != NULL)
        printf("  [%s .. %s]", key->min != NULL ? key->min : "", key->max != NULL ? key->max : "");
    for (uint32_t i = 0; i < key->n_choices; i++)
        printf("%s%s", i == 0 ? "  " : "|", key->choices[i]);
    printf("\n        %s\n", key->doc);
    if (key->kafka != NULL)
        printf("        In Kafka's tools: %s\n", key->kafka);
}

static void info_print(const struct module *module)
{
    static const char *const flags[] = {"sim_safe", "own_threads", "os"};
    const struct note *note = module->note;
    printf(
        "%s %s\n  file   %s\n  abi    %u.%u, needs %u.%u\n  tier   %s%s%s\n  flags ", note->name,
        note->version, module->path, note->abi >> 16, note->abi & 0xffff, note->need >> 16,
        note->need & 0xffff, note->draft ? "draft, core " : "stable",
        note->core != NULL ? note->core : "", "");
    info_flags(note->flags, flags, 3);
    printf("\n");
    for (uint32_t i = 0; i < note->n_impls; i++) {
        printf("  %s %s\n", note->impls[i].kind, note->impls[i].name);
        for (uint32_t k = 0; k < note->impls[i].n_keys; k++)
            info_key(&note->impls[i].keys[k]);
    }
}

/* plugin info FILE: the note, without running anything */
static int info_command(int argc, char **argv)
{
    char path[PLACE_MAX];
    struct module *module = NULL;
    mrt_error error;
    if (argc != 2) {
        fprintf(stderr, "usage: mortise plugin info FILE\n");
        return 2;
    }
    if (!place_absolute(argv[1], path)) {
        fprintf(stderr, "mortise: %s: no such file\n", argv[1]);
        return 2;
    }
    if (module_file(path, &module, &error) != MRT_OK) {
        fprintf(stderr, "mortise: %s\n", error.text);
        return 1;
    }
    info_print(module);
    module_free(module);
    return 0;
}

/* ---- plugin ---------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *usage;
} commands[] = {
    {"list", list_command, "list [DIRECTORY]       what there is, and what is wrong with it"},
    {"info", info_command,
     "info FILE              what a plugin says of itself, without loading it"},
    {"check", plugin_check_command, "check [-v] FILE...     every rule, as TAP; --explain RULE"},
    {"new", plugin_new_command, "new KIND NAME          a plugin to begin with, in folder NAME"},
};
#define COMMANDS (sizeof commands / sizeof *commands)

int plugin_command(int argc, char **argv)
{
    ASSERT(argc >= 1);
    for (size_t i = 0; argc > 1 && i < COMMANDS; i++)
        if (strcmp(commands[i].name, argv[1]) == 0)
            return commands[i].run(argc - 1, argv + 1);
    fprintf(stderr, "usage: mortise plugin COMMAND\n");
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(stderr, "  %s\n", commands[i].usage);
    return 2;
}
