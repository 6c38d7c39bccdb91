/* SPDX-License-Identifier: Apache-2.0 */
/*
 * life.c - rules about what a plugin does when it is asked: its entry, and create() and
 * destroy() of each implementation. start() does I/O and is for suites that have a runtime.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/memory.h"
#include "core/base/str.h"
#include "core/plugin/cfg.h"
#include "core/plugin/check/host.h"
#include "core/plugin/registry.h"

#define ALLOCATIONS_MAX 10000 /* of one create(); each is made to fail once */
#define TEXT_LONG       4096  /* bytes of the longest text that settings are tried with */
#define TEXTS_MAX       12    /* tried a key */
#define UNTOUCHED       ((void *)(uintptr_t)0x6d7274)

/* ---- settings -------------------------------------------------------------------------------- */

/* A text that would do for @key: what it has as its default, bound or choice, or invents. */
static const char *plausible(const struct note_key *key)
{
    static const char *const texts[KEY_TYPES] = {
        [KEY_BOOL] = "true",
        [KEY_I64] = "1",
        [KEY_F64] = "1",
        [KEY_STR] = "text",
        [KEY_ENUM] = "",
        [KEY_LIST] = "one",
        [KEY_PATH] = "/tmp/mortise-check",
        [KEY_BYTES] = "1MiB",
        [KEY_MILLIS] = "1s",
    };
    if (key->fallback != NULL)
        return key->fallback;
    if (key->min != NULL)
        return key->min;
    if (key->max != NULL)
        return key->max;
    return key->n_choices > 0 ? key->choices[0] : texts[key->type];
}

/* The snapshot with every REQUIRED key set, and key @changed (or none: n_keys) to @text. NULL when
 * the schema refuses it, which is not the plugin's business. */
static const mrt_cfg *cfg_with(const struct note_impl *impl, uint32_t changed, const char *text)
{
    ASSERT(impl->n_keys <= NOTE_KEYS_MAX);
    mrt_str items[NOTE_KEYS_MAX];
    struct cfg_value values[NOTE_KEYS_MAX];
    const mrt_cfg *cfg = NULL;
    uint32_t n = 0;
    for (uint32_t i = 0; i < impl->n_keys; i++) {
        bool required = (impl->keys[i].flags & KEY_REQUIRED) != 0;
        if (!required && i != changed)
            continue;
        items[n] = str_of(i == changed ? text : plausible(&impl->keys[i]));
        values[n] = (struct cfg_value){impl->keys[i].name, &items[n], 1, NULL};
        n++;
    }
    if (cfg_new(impl->keys, impl->n_keys, values, n, &cfg, NULL) != MRT_OK)
        return NULL;
    return cfg;
}

/* ---- one create() ---------------------------------------------------------------------------- */

struct born {
    mrt_status status;
    mrt_error error;
    void *inst;
};

static struct born create(
    const struct impl *impl, struct check_host *host, const mrt_cfg *cfg, const char *name)
{
    ASSERT(cfg != NULL);
    ASSERT(impl->life.create != NULL); /* the tables are complete */
    struct born born = {MRT_EBUG, {0}, UNTOUCHED};
    const mrt_create how = {
        .size = sizeof how,
        .host = host->table,
        .exec = check_host_exec(host),
        .view = cfg_view(),
        .cfg = cfg,
        .name = str_of(name),
    };
    born.status = impl->life.create(&how, &born.inst, &born.error);
    return born;
}

/* After create(), and destroy() if it succeeded: is everything back? */
static bool all_back(const struct check_host *host, const char *when, char *problem)
{
    if (host->violation[0] != '\0')
        return check_problem(problem, "%s: %s", when, host->violation);
    if (host->bytes != 0)
        return check_problem(
            problem, "%s: %llu bytes were not given back to free()", when,
            (unsigned long long)host->bytes);
    if (host->handles != 0)
        return check_problem(problem, "%s: %u leaf locks were not freed", when, host->handles);
    return true;
}

/* Ends what create() began; nothing may be left of it. */
static bool finish(
    const struct impl *impl, struct check_host *host, const struct born *born, const char *when,
    char *problem)
{
    if (born->status == MRT_OK && born->inst == UNTOUCHED)
        return check_problem(problem, "%s: create() answered OK and set no instance", when);
    if (born->status > MRT_OK)
        return check_problem(problem, "%s: create() answered PENDING: it completes at once", when);
    if (born->status == MRT_OK)
        impl->life.destroy(born->inst);
    return all_back(host, when, problem);
}

/* Runs @judge for each implementation with a host of its own. */
static bool each_impl(
    const struct check *check, uint32_t newer, char *problem,
    bool (*judge)(const struct impl *impl, struct check_host *host, char *problem))
{
    ASSERT(check->plugin != NULL);
    for (uint32_t i = 0; i < check->plugin->n_impls; i++) {
        struct check_host *host = check_host_new(check->guarded, newer);
        if (host == NULL)
            return check_problem(problem, "no memory for a host to check with");
        bool holds = judge(&check->plugin->impls[i], host, problem);
        check_host_reset(host);
        memory_free(host);
        if (!holds)
            return false;
    }
    return true;
}

/* ---- rules ----------------------------------------------------------------------------------- */

static bool entry_is_constant(const struct check *check, char *problem)
{
    ASSERT(check->module->entry != NULL);
    return check->module->entry(MRT_ABI) == check->module->plugin ||
           check_problem(problem, "its entry answers differently when it is called twice");
}

static bool entry_knows_majors(const struct check *check, char *problem)
{
    const uint32_t next = MRT_ABI + ((uint32_t)1 << 16);
    return check->module->entry(next) == NULL ||
           check_problem(
               problem,
               "its entry accepts a host with ABI %u.%u: compare host_abi >> 16 with "
               "MRT_ABI_MAJOR",
               next >> 16, next & 0xffff);
}

static bool create_is_clean(const struct impl *impl, struct check_host *host, char *problem)
{
    const mrt_cfg *cfg = cfg_with(impl->declared, impl->declared->n_keys, NULL);
    if (cfg == NULL)
        return check_problem(problem, "no settings were found that its schema takes");
    struct born born = create(impl, host, cfg, "check");
    bool holds = finish(impl, host, &born, "with plain settings", problem);
    if (holds && born.status != MRT_OK)
        holds = check_problem(
            problem, "create() with plain settings: %s %.160s", status_name(born.status),
            born.error.text);
    cfg_free(cfg);
    return holds;
}

static bool create_works(const struct check *check, char *problem)
{
    return each_impl(check, 0, problem, create_is_clean);
}

static bool create_on_newer(const struct check *check, char *problem)
{
    return each_impl(check, 1, problem, create_is_clean);
}

static bool lacks_each_table(const struct impl *impl, struct check_host *host, char *problem)
{
    char when[64];
    bool holds = true;
    const mrt_cfg *cfg = cfg_with(impl->declared, impl->declared->n_keys, NULL);
    for (uint32_t i = 0; i <= CHECK_TABLES && holds && cfg != NULL; i++) {
        bool all = i == CHECK_TABLES;
        snprintf(when, sizeof when, "without %s", all ? "any table" : check_table_id(i));
        check_host_reset(host);
        host->absent = all ? UINT32_MAX : 1u << i;
        struct born born = create(impl, host, cfg, "check");
        holds = finish(impl, host, &born, when, problem);
        if (holds && born.status == MRT_ENOTSUP && born.error.text[0] == '\0')
            holds = check_problem(
                problem, "%s: create() answered ENOTSUP and its text names no table", when);
        if (holds && born.status != MRT_OK && born.status != MRT_ENOTSUP)
            holds = check_problem(
                problem, "%s: create() answered %s: OK or ENOTSUP is expected", when,
                status_name(born.status));
    }
    cfg_free(cfg);
    return holds;
}

static bool create_without_tables(const struct check *check, char *problem)
{
    return each_impl(check, 0, problem, lacks_each_table);
}

static bool fails_each_allocation(const struct impl *impl, struct check_host *host, char *problem)
{
    char when[64];
    bool holds = true, more = true;
    const mrt_cfg *cfg = cfg_with(impl->declared, impl->declared->n_keys, NULL);
    for (uint64_t n = 1; more && holds && cfg != NULL; n++) {
        snprintf(when, sizeof when, "allocation %llu fails", (unsigned long long)n);
        check_host_reset(host);
        host->fail_at = n;
        struct born born = create(impl, host, cfg, "check");
        more = host->allocations >= n && n < ALLOCATIONS_MAX;
        holds = finish(impl, host, &born, when, problem);
        if (holds && more && born.status != MRT_OK && born.status != MRT_ENOMEM)
            holds = check_problem(
                problem, "%s: create() answered %s: ENOMEM is expected", when,
                status_name(born.status));
    }
    cfg_free(cfg);
    return holds;
}

static bool create_without_memory(const struct check *check, char *problem)
{
    return each_impl(check, 0, problem, fails_each_allocation);
}

/* What is tried for @key, at the edges of what its schema takes; the number of texts. */
static uint32_t texts_for(const struct note_key *key, char *longest, const char **out)
{
    uint32_t n = 0;
    memset(longest, '/', 1);
    memset(longest + 1, 'x', TEXT_LONG - 1);
    longest[TEXT_LONG] = '\0';
    const char *const always[] = {plausible(key),        "",     "0",     "-1",
                                  "9223372036854775807", "true", "false", longest};
    for (size_t i = 0; i < sizeof always / sizeof *always; i++)
        out[n++] = always[i];
    if (key->min != NULL)
        out[n++] = key->min;
    if (key->max != NULL)
        out[n++] = key->max;
    ASSERT(n <= TEXTS_MAX);
    return n;
}

static bool tries_text(
    const struct impl *impl, struct check_host *host, uint32_t key, const char *text, char *problem)
{
    char when[160];
    const mrt_cfg *cfg = cfg_with(impl->declared, key, text);
    if (cfg == NULL)
        return true;
    snprintf(
        when, sizeof when, "with %s = \"%.32s%s\"", impl->declared->keys[key].name, text,
        strlen(text) > 32 ? "..." : "");
    check_host_reset(host);
    struct born born = create(impl, host, cfg, "check");
    bool holds = finish(impl, host, &born, when, problem);
    if (holds && born.status == MRT_EINVAL && born.error.text[0] == '\0')
        holds = check_problem(problem, "%s: create() answered EINVAL without a text", when);
    if (holds && born.status != MRT_OK && born.status != MRT_EINVAL && born.status != MRT_ENOMEM)
        holds = check_problem(
            problem, "%s: create() answered %s: OK or EINVAL is expected", when,
            status_name(born.status));
    cfg_free(cfg);
    return holds;
}

static bool tries_each_key(const struct impl *impl, struct check_host *host, char *problem)
{
    static const uint32_t longest_bytes = TEXT_LONG + 1;
    char *longest = memory_new(longest_bytes);
    const struct note_impl *declared = impl->declared;
    bool holds = true;
    for (uint32_t k = 0; k < declared->n_keys && holds; k++) {
        const char *texts[TEXTS_MAX];
        uint32_t n = texts_for(&declared->keys[k], longest, texts);
        for (uint32_t i = 0; i < n && holds; i++)
            holds = tries_text(impl, host, k, texts[i], problem);
        for (uint32_t i = 0; i < declared->keys[k].n_choices && holds; i++)
            holds = tries_text(impl, host, k, declared->keys[k].choices[i], problem);
    }
    memory_free(longest);
    return holds;
}

static bool create_with_settings(const struct check *check, char *problem)
{
    return each_impl(check, 0, problem, tries_each_key);
}

/* Two at once, ended in the order of their birth: no state is shared that should not be. */
static bool lives_twice(const struct impl *impl, struct check_host *host, char *problem)
{
    const mrt_cfg *cfg = cfg_with(impl->declared, impl->declared->n_keys, NULL);
    if (cfg == NULL)
        return true;
    struct born first = create(impl, host, cfg, "first");
    struct born second = create(impl, host, cfg, "second-with-a-rather-long-name-of-its-own");
    bool holds = first.status == MRT_OK && second.status == MRT_OK;
    if (!holds)
        check_problem(
            problem, "create() answered %s the first time and %s the second",
            status_name(first.status), status_name(second.status));
    if (first.status == MRT_OK)
        impl->life.destroy(first.inst);
    if (second.status == MRT_OK)
        impl->life.destroy(second.inst);
    cfg_free(cfg);
    return holds && all_back(host, "two instances", problem);
}

static bool two_instances(const struct check *check, char *problem)
{
    return each_impl(check, 0, problem, lives_twice);
}

static const struct check_rule rules[] = {
    {"entry.constant", "The entry gives the same answer whenever it is called.", entry_is_constant},
    {"entry.major", "The entry declines a host of another major.", entry_knows_majors},
    {"create.plain", "create() with plain settings works, and destroy() gives all back.",
     create_works},
    {"create.newer", "The same on a later host, whose tables are longer.", create_on_newer},
    {"create.tables", "A host without one of the tables gets OK or ENOTSUP with its name.",
     create_without_tables},
    {"create.memory", "Whichever allocation fails, create() gives all back and says ENOMEM.",
     create_without_memory},
    {"create.settings", "Whatever its schema takes gets OK, or EINVAL with a text.",
     create_with_settings},
    {"create.twice", "Two instances live in one process.", two_instances},
};

const struct check_rule *check_handshake_rule(uint32_t i)
{
    return i < sizeof rules / sizeof *rules ? &rules[i] : NULL;
}
