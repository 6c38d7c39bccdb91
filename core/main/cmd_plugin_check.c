/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_plugin_check.c - `mortise plugin check`: each rule of core/plugin/check.h as one line of TAP.
 * Code of the plugin runs in children only, one a rule, so that a crash is that rule's result.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "core/base/memory.h"
#include "core/main/child.h"
#include "core/main/cmd_plugin.h"
#include "core/main/places.h"
#include "core/plugin/admit.h"
#include "core/plugin/check.h"

/* Results of one run, over all files. */
struct tally {
    uint32_t n;
    uint32_t failed;
    bool verbose;
};

static const char note_rule[] = "note.admitted";
static const char load_rule[] = "load.admitted";

/* ---- output ---------------------------------------------------------------------------------- */

static void result(struct tally *tally, const char *rule, const char *text, const char *problem)
{
    ASSERT(tally->failed <= tally->n);
    tally->n++;
    tally->failed += problem != NULL;
    printf("%sok %u - %s", problem != NULL ? "not " : "", tally->n, rule);
    if (tally->verbose)
        printf(": %s", text);
    printf("\n");
    if (problem != NULL)
        printf("# %s\n", problem);
}

static void skipped(struct tally *tally, const char *rule, const char *why)
{
    tally->n++;
    printf("ok %u - %s # SKIP %s\n", tally->n, rule, why);
}

/* ---- static rules ---------------------------------------------------------------------------- */

static bool static_rules(struct tally *tally, struct check *check)
{
    bool holds = true;
    char problem[CHECK_PROBLEM];
    for (uint32_t i = 0; check_static_rule(i) != NULL; i++) {
        const struct check_rule *rule = check_static_rule(i);
        bool passed = rule->run(check, problem);
        holds &= passed;
        result(tally, rule->name, rule->text, passed ? NULL : problem);
    }
    return holds;
}

/* ---- handshake rules ------------------------------------------------------------------------- */

/* @n bytes right before a page that nobody may touch. */
static void *guarded(uint64_t n)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    ASSERT(n > 0);
    ASSERT(page > 0);
    uint64_t bytes = (n + page - 1) / page * page;
    char *pages =
        mmap(NULL, bytes + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED || mprotect(pages + bytes, page, PROT_NONE) != 0)
        return NULL;
    return pages + bytes - n;
}

struct handshake {
    const char *path;
    const struct check_rule *rule; /* NULL: only load it */
};

/* Runs in the child. */
static bool handshake_run(void *arg, char *problem)
{
    const struct handshake *handshake = arg;
    struct registry *registry = NULL;
    mrt_error error = {0};
    if (registry_new(&(struct registry_options){.directory = NULL}, &registry, &error) != MRT_OK)
        return check_problem(problem, "%s", error.text);
    if (registry_add(registry, handshake->path, &error) != MRT_OK ||
        registry_load(registry, 0, &error) != MRT_OK)
        return check_problem(problem, "%s", error.text);
    const struct plugin *plugin = registry_at(registry, 0);
    const struct check check = {
        .path = plugin->path, .module = plugin->module, .plugin = plugin, .guarded = guarded};
    return handshake->rule == NULL || handshake->rule->run(&check, problem);
}

/* A plugin that cannot be loaded, or is not even created in peace, is not asked for more. */
static void handshake_rules(struct tally *tally, const char *path)
{
    char problem[CHECK_PROBLEM];
    struct handshake handshake = {path, NULL};
    bool sound = child_run(handshake_run, &handshake, problem, sizeof problem);
    result(
        tally, load_rule, "Its code says what its note says, and fills its tables.",
        sound ? NULL : problem);
    for (uint32_t i = 0; check_handshake_rule(i) != NULL; i++) {
        handshake.rule = check_handshake_rule(i);
        if (!sound) {
            skipped(tally, handshake.rule->name, "a rule before it does not hold");
            continue;
        }
        bool passed = child_run(handshake_run, &handshake, problem, sizeof problem);
        sound = passed || strcmp(handshake.rule->name, "create.plain") != 0;
        result(tally, handshake.rule->name, handshake.rule->text, passed ? NULL : problem);
    }
}

/* ---- one file -------------------------------------------------------------------------------- */

/* The module whose note was let in, or NULL with the sentence. */
static struct module *admitted(const char *path, mrt_error *error)
{
    struct module *module = NULL;
    if (module_file(path, &module, error) != MRT_OK)
        return NULL;
    if (note_admit(module->note, path, MRT_ABI, error) == MRT_OK)
        return module;
    module_free(module);
    return NULL;
}

static void check_image(
    struct tally *tally, const struct module *module, const void *image, mrt_error *error)
{
    struct elf elf;
    struct elf_facts facts;
    if (elf_open(&elf, module->path, image, module->file.bytes, error) != MRT_OK ||
        elf_facts(&elf, &facts, error) != MRT_OK) {
        result(tally, "link.dynamic", "Its dynamic section can be read.", error->text);
        return;
    }
    struct check check = {.path = module->path, .module = module, .elf = &elf, .facts = &facts};
    (void)static_rules(tally, &check);
    handshake_rules(tally, module->path);
}

static void check_file(struct tally *tally, const char *path)
{
    mrt_error error = {0};
    void *image = NULL;
    printf("# %s\n", path);
    struct module *module = admitted(path, &error);
    result(
        tally, note_rule, "Its note is there, is sound, and lets this core take it.",
        module != NULL ? NULL : error.text);
    if (module == NULL)
        return;
    if (file_read(path, &module->file, &image, &error) == MRT_OK)
        check_image(tally, module, image, &error);
    else
        result(tally, "file.read", "Its file can be read.", error.text);
    memory_free(image);
    module_free(module);
}

/* ---- the command ----------------------------------------------------------------------------- */

static const struct check_rule *rule_named(const char *name)
{
    const struct check_rule *rule = NULL;
    for (uint32_t i = 0; (rule = check_static_rule(i)) != NULL; i++)
        if (strcmp(rule->name, name) == 0)
            return rule;
    for (uint32_t i = 0; (rule = check_handshake_rule(i)) != NULL; i++)
        if (strcmp(rule->name, name) == 0)
            return rule;
    return NULL;
}

static int explain(const char *name)
{
    const struct check_rule *rule = rule_named(name);
    if (rule == NULL) {
        fprintf(stderr, "mortise: %s: no such rule; check -v lists them\n", name);
        return 2;
    }
    printf("%s: %s\n", rule->name, rule->text);
    return 0;
}

int plugin_check_command(int argc, char **argv)
{
    struct tally tally = {0, 0, argc > 1 && strcmp(argv[1], "-v") == 0};
    int first = tally.verbose ? 2 : 1;
    if (argc == 3 && strcmp(argv[1], "--explain") == 0)
        return explain(argv[2]);
    if (argc <= first || argv[first][0] == '-') {
        fprintf(stderr, "usage: mortise plugin check [-v] FILE... | --explain RULE\n");
        return 2;
    }
    printf("TAP version 13\n");
    for (int i = first; i < argc; i++) {
        char path[PLACE_MAX];
        if (!place_absolute(argv[i], path)) {
            fprintf(stderr, "mortise: %s: no such file\n", argv[i]);
            return 2;
        }
        check_file(&tally, path);
    }
    printf("1..%u\n", tally.n);
    return tally.failed > 0 ? 1 : 0;
}
