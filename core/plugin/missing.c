/* SPDX-License-Identifier: Apache-2.0 */
#include "core/plugin/missing.h"

#include <stdio.h>

#include "core/base/assert.h"
#include "core/base/str.h"
#include "core/plugin/nearest.h"

#define NAMES_MAX 64 /* that "did you mean" looks through */

/* What packaging/debian/ makes of this tree; tests/package holds them together. */
static const struct shipped {
    const char *kind;
    const char *name;
    const char *package;
} shipped[] = {
    {"transport", "tcp", "mortised"},           {"protocol", "kafka", "mortised"},
    {"storage", "segment", "mortised"},         {"storage", "memory", "mortised"},
    {"coordination", "standalone", "mortised"}, {"cleanup", "delete", "mortised"},
    {"serializer", "string", "mortised"},       {"codec", "zstd", "mortise-plugin-codec-zstd"},
};
#define SHIPPED (sizeof shipped / sizeof *shipped)

const char *package_of(const char *kind, const char *name)
{
    ASSERT(kind != NULL);
    ASSERT(name != NULL);
    for (size_t i = 0; i < SHIPPED; i++)
        if (strcmp(shipped[i].kind, kind) == 0 && strcmp(shipped[i].name, name) == 0)
            return shipped[i].package;
    return NULL;
}

/* Of what is there first, then of what could be installed. */
static const char *near_name(
    const struct registry *registry, const struct kind *kind, const char *name)
{
    const char *names[NAMES_MAX];
    uint32_t n = 0;
    for (uint32_t i = 0; i < registry_count(registry); i++) {
        const struct plugin *plugin = registry_at(registry, i);
        for (uint32_t j = 0; j < plugin->n_impls && n < NAMES_MAX; j++)
            if (plugin->impls[j].kind == kind)
                names[n++] = plugin->impls[j].name;
    }
    for (size_t i = 0; i < SHIPPED && n < NAMES_MAX; i++)
        if (strcmp(shipped[i].kind, kind->name) == 0)
            names[n++] = shipped[i].name;
    mrt_str word = str_of(name);
    return nearest(&word, names, n);
}

mrt_status missing_text(
    const struct registry *registry, const char *directory, const char *kind, const char *name,
    mrt_error *error)
{
    const struct kind *known = kind_find(kind);
    if (known == NULL)
        return error_set(error, MRT_ENOENT, "%s is no kind of plugin that this core knows", kind);
    const char *package = package_of(known->name, name);
    const char *near = package == NULL ? near_name(registry, known, name) : NULL;
    char looked[240];
    snprintf(
        looked, sizeof looked, "no %s plugin \"%.64s\" in %.80s", known->name, name,
        directory != NULL ? directory : "this static build");
    if (near != NULL)
        return error_set(error, MRT_ENOENT, "%s: did you mean \"%s\"?", looked, near);
    if (package != NULL && directory == NULL)
        return error_set(
            error, MRT_ENOENT, "%s: build it with %s among MORTISE_PLUGINS", looked, name);
    if (package != NULL)
        return error_set(error, MRT_ENOENT, "%s: apt install %s", looked, package);
    return error_set(
        error, MRT_ENOENT, "%s: install the package that ships it, or give its file's path",
        looked);
}
