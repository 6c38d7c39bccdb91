/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check.h - the rules that `mortise plugin check` holds against a plugin, each with a name.
 *
 * Static rules read the file. Handshake rules run the plugin's code against a host made for the
 * purpose (check/host.h), which refuses, runs out of memory and counts; whoever calls them does so
 * in a process it can afford to lose. A rule either holds or says in one sentence what is wrong.
 */
#ifndef CORE_PLUGIN_CHECK_H
#define CORE_PLUGIN_CHECK_H

#include <stdbool.h>

#include "core/plugin/elf.h"
#include "core/plugin/loader.h"

#define CHECK_PROBLEM 256 /* bytes of a sentence, NUL included */

/* What a rule looks at. For static rules `plugin` is NULL. */
struct check {
    const char *path;
    const struct module *module; /* its note was read and let in */
    const struct elf *elf;
    const struct elf_facts *facts;
    const struct plugin *plugin; /* loaded */

    /* @n bytes that end where reading on is a crash; never freed. NULL: no memory. */
    void *(*guarded)(uint64_t n);
};

struct check_rule {
    const char *name;
    const char *text; /* one sentence: the rule */
    bool (*run)(const struct check *check, char *problem);
};

/* Rule @i of each kind, NULL at the end. */
const struct check_rule *check_static_rule(uint32_t i);
const struct check_rule *check_handshake_rule(uint32_t i);

/* Writes the sentence and hands false back. */
bool check_problem(char *problem, const char *format, ...) PRINTF(2, 3);

/* What import @name reaches of the operating system, or of libc's own state: "time", "files",
 * "memory"... NULL: nothing that the simulator would have to know of. */
const char *import_reach(const char *name);

#endif /* CORE_PLUGIN_CHECK_H */
