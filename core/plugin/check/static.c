/* SPDX-License-Identifier: Apache-2.0 */
/*
 * static.c - rules about the file: how it was linked, what it shows, what it reaches for.
 * That there is a note, and that it would be let in, was seen by whoever made the struct check.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/plugin/check.h"

#define ENTRY "mortise_plugin_entry"

bool check_problem(char *problem, const char *format, ...)
{
    va_list arguments;
    ASSERT(problem != NULL);
    va_start(arguments, format);
    vsnprintf(problem, CHECK_PROBLEM, format, arguments);
    va_end(arguments);
    return false;
}

/* ---- symbols --------------------------------------------------------------------------------- */

/* Calls @judge for each dynamic symbol of that side until one is refused. */
static bool each_symbol(
    const struct check *check, enum elf_side side,
    bool (*judge)(const struct check *check, const struct elf_symbol *symbol, char *problem),
    char *problem)
{
    struct elf_symbol symbol;
    ASSERT(check->elf != NULL);
    ASSERT(check->facts != NULL);
    for (uint32_t i = 1; i < check->facts->n_symbols; i++) {
        if (!elf_symbol(check->elf, check->facts, i, &symbol))
            return check_problem(problem, "its symbol table is damaged: link it again");
        if (symbol.side == side && !judge(check, &symbol, problem))
            return false;
    }
    return true;
}

static bool is_entry(const struct check *check, const struct elf_symbol *symbol, char *problem)
{
    (void)check;
    if (strcmp(symbol->name, ENTRY) == 0 && symbol->function)
        return true;
    return check_problem(
        problem, "it exports %s beside " ENTRY ": link with mortise-plugin.map", symbol->name);
}

static bool one_export(const struct check *check, char *problem)
{
    uint32_t exports = 0;
    struct elf_symbol symbol;
    if (!each_symbol(check, ELF_EXPORT, is_entry, problem))
        return false;
    for (uint32_t i = 1; i < check->facts->n_symbols; i++)
        exports += elf_symbol(check->elf, check->facts, i, &symbol) && symbol.side == ELF_EXPORT;
    if (exports == 1)
        return true;
    return check_problem(problem, "it exports no " ENTRY ": define MRT_ENTRY_NAME");
}

static bool is_not_ours(const struct check *check, const struct elf_symbol *symbol, char *problem)
{
    (void)check;
    if (strncmp(symbol->name, "mrt_", 4) != 0 && strncmp(symbol->name, "mortise_", 8) != 0)
        return true;
    return check_problem(
        problem, "it imports %s: the host exports nothing, everything comes as a table",
        symbol->name);
}

static bool no_host_symbol(const struct check *check, char *problem)
{
    return each_symbol(check, ELF_IMPORT, is_not_ours, problem);
}

/* own_threads may have threads and memory; os everything; who says neither nothing. */
static bool is_allowed(const struct check *check, const struct elf_symbol *symbol, char *problem)
{
    ASSERT(symbol->side == ELF_IMPORT);
    uint32_t flags = check->module->note->flags;
    const char *reach = symbol->weak ? NULL : import_reach(symbol->name);
    bool threads = (flags & NOTE_OWN_THREADS) != 0;
    if (reach == NULL || (flags & NOTE_OS) != 0)
        return true;
    if (threads && (strcmp(reach, "threads") == 0 || strcmp(reach, "memory") == 0))
        return true;
    return check_problem(
        problem, "it imports %s (%s), and its note says %s: use the host's tables, or say flags=os",
        symbol->name, reach,
        flags & NOTE_SIM_SAFE ? "sim_safe"
        : threads             ? "own_threads only"
                              : "no flags=os");
}

static bool honest_imports(const struct check *check, char *problem)
{
    return each_symbol(check, ELF_IMPORT, is_allowed, problem);
}

/* ---- linking --------------------------------------------------------------------------------- */

static bool bound_now(const struct check *check, char *problem)
{
    return check->facts->now ||
           check_problem(
               problem, "it is bound lazily, so a missing function kills at its first call: link "
                        "with -z now");
}

static bool never_unmapped(const struct check *check, char *problem)
{
    return check->facts->nodelete ||
           check_problem(
               problem, "its code could be unmapped under its threads: link with -z nodelete");
}

static bool relro(const struct check *check, char *problem)
{
    return check->facts->relro ||
           check_problem(problem, "its tables stay writable: link with -z relro");
}

static bool no_textrel(const struct check *check, char *problem)
{
    return !check->facts->textrel ||
           check_problem(problem, "its code is changed by relocation: compile with -fPIC");
}

static bool no_exec_stack(const struct check *check, char *problem)
{
    return !check->facts->exec_stack ||
           check_problem(problem, "it asks for an executable stack: link with -z noexecstack");
}

static bool no_rpath(const struct check *check, char *problem)
{
    return check->facts->rpath == NULL ||
           check_problem(
               problem, "it has a library path of its own, %.120s: link without -rpath",
               check->facts->rpath);
}

static const struct check_rule rules[] = {
    {"export.entry", "It exports " ENTRY " and nothing else.", one_export},
    {"import.host", "It imports nothing of the host.", no_host_symbol},
    {"import.flags", "It reaches the operating system only as its note says.", honest_imports},
    {"link.now", "All its functions are bound when it is loaded.", bound_now},
    {"link.nodelete", "Its code is never unmapped.", never_unmapped},
    {"link.relro", "Its relocated data becomes read-only.", relro},
    {"link.textrel", "Its code needs no relocation.", no_textrel},
    {"link.stack", "Its stack is not executable.", no_exec_stack},
    {"link.rpath", "It has no library path of its own.", no_rpath},
};

const struct check_rule *check_static_rule(uint32_t i)
{
    return i < sizeof rules / sizeof *rules ? &rules[i] : NULL;
}
