/* SPDX-License-Identifier: Apache-2.0 */
#include "core/main/parts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "core/base/memory.h"
#include "core/base/str.h"

/* Without this a power cut may take a new directory with all that is in it. At every start, for the
 * process that made it may have been killed before. */
static mrt_status keep_name(char *path, mrt_error *error)
{
    char *slash = strrchr(path, '/');
    ASSERT(slash != NULL);
    char kept = slash == path ? slash[1] : slash[0];
    char *cut = slash == path ? slash + 1 : slash;
    *cut = '\0';
    int parent = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    *cut = kept;
    if (parent < 0)
        return MRT_OK; /* not ours to read, so not ours to have made something in */
    int failed = fsync(parent);
    int why = errno;
    close(parent);
    if (failed != 0 && why != EINVAL && why != EROFS)
        return error_set(error, MRT_EIO, "%s: its parent: %s", path, strerror(why));
    return MRT_OK;
}

/* Makes @path and what leads to it; *@out is its absolute form, the caller's. */
static mrt_status make_directory(const char *path, char **out, mrt_error *error)
{
    char part[PATH_MAX];

    if (strlen(path) >= sizeof part || path[0] == '\0')
        return error_set(error, MRT_EINVAL, "%s: not a path of a directory", path);
    for (size_t i = 1; i <= strlen(path); i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        if (mkdir(part, 0750) != 0 && errno != EEXIST && errno != EISDIR && path[i] == '\0')
            return error_set(
                error, MRT_EIO, "%s: %s; make it, owned by the user mortised runs as", path,
                strerror(errno));
    }
    *out = realpath(path, NULL);
    if (*out == NULL)
        return error_set(error, MRT_EIO, "%s: %s", path, strerror(errno));
    return keep_name(*out, error);
}

static mrt_status make_directories(
    struct parts *parts, const struct settings *settings, struct broker_options *options,
    mrt_error *error)
{
    uint32_t n = settings_count(settings, "broker.log_dirs");
    const char *metadata = settings_str(settings, "broker.metadata_log_dir");
    char beside[PATH_MAX];

    if (n == 0 || n > BROKER_DIRS_MAX)
        return error_set(
            error, MRT_EINVAL, "broker.log_dirs: 1 to %d directories", BROKER_DIRS_MAX);
    for (uint32_t i = 0; i < n; i++) {
        const char *path = settings_item(settings, "broker.log_dirs", i);
        mrt_status status = make_directory(path, &parts->dirs[i], error);
        if (status != MRT_OK)
            return status;
        parts->dir_count++;
        options->dirs[i] = str_of(parts->dirs[i]);
    }
    options->dir_count = n;
    if (metadata[0] == '\0') {
        snprintf(beside, sizeof beside, "%s/__mortise_metadata", parts->dirs[0]);
        metadata = beside;
    }
    return make_directory(metadata, &parts->metadata_dir, error);
}

static bool declares(const struct impl *impl, const char *key)
{
    for (uint32_t i = 0; i < impl->declared->n_keys; i++)
        if (strcmp(impl->declared->keys[i].name, key) == 0)
            return true;
    return false;
}

static bool gives(const struct cfg_value *values, uint32_t n, const char *key)
{
    for (uint32_t i = 0; i < n; i++)
        if (strcmp(values[i].name, key) == 0)
            return true;
    return false;
}

static mrt_status make_instance(
    struct parts *parts, const struct setup *setup, struct runtime *runtime, const char *kind,
    const char *name, struct instance **out, mrt_error *error)
{
    const struct impl *impl = NULL;
    uint32_t n = 0;
    const struct cfg_value *given = settings_plugin_values(setup->settings, kind, name, &n);
    mrt_str directory = str_of(parts->metadata_dir);
    mrt_status status = registry_find(setup->registry, setup_kind_id(kind), name, &impl, error);

    if (status != MRT_OK)
        return status;
    struct cfg_value *values = memory_array(n + 1, sizeof *values);
    if (n > 0)
        memcpy(values, given, n * sizeof *values);
    /* A coordination that keeps files does so in the metadata directory unless told otherwise. */
    bool default_dir = strcmp(kind, "coordination") == 0 && declares(impl, "dir");
    if (default_dir && !gives(values, n, "dir"))
        values[n++] = (struct cfg_value){"dir", &directory, 1, NULL};
    struct instance_options options = {
        .runtime = runtime,
        .name = name,
        .values = values,
        .n_values = n,
        .memory_max = (uint64_t)settings_i64(setup->settings, "broker.memory_per_plugin_max"),
    };
    status = instance_create(impl, &options, out, error);
    if (status == MRT_OK)
        parts->instances[parts->count++] = *out;
    memory_free(values);
    return status;
}

/* Every cleanup policy that is there may be named by a topic. */
static mrt_status make_policies(
    struct parts *parts, const struct setup *setup, struct runtime *runtime,
    struct broker_options *options, mrt_error *error)
{
    for (uint32_t i = 0; i < registry_count(setup->registry); i++) {
        const struct plugin *plugin = registry_at(setup->registry, i);
        for (uint32_t j = 0; plugin->refusal.status == MRT_OK && j < plugin->n_impls; j++) {
            const struct impl *impl = &plugin->impls[j];
            if (strcmp(impl->kind->name, "cleanup") != 0)
                continue;
            if (options->policy_count == LOG_POLICIES_MAX)
                return error_set(
                    error, MRT_EINVAL, "more than %d cleanup policies", LOG_POLICIES_MAX);
            mrt_status status = make_instance(
                parts, setup, runtime, "cleanup", impl->name,
                &options->policies[options->policy_count], error);
            if (status != MRT_OK)
                return status;
            options->policy_count++;
        }
    }
    return MRT_OK;
}

mrt_status parts_make(
    struct parts *parts, const struct setup *setup, struct runtime *runtime,
    struct broker_options *options, mrt_error *error)
{
    const char *storage = NULL;
    const char *coordination = NULL;

    *parts = (struct parts){0};
    mrt_status status = make_directories(parts, setup->settings, options, error);
    if (status == MRT_OK)
        status = setup_used(setup, "storage", &storage, error);
    if (status == MRT_OK)
        status = make_instance(parts, setup, runtime, "storage", storage, &options->storage, error);
    if (status == MRT_OK)
        status = setup_used(setup, "coordination", &coordination, error);
    if (status == MRT_OK)
        status = make_instance(
            parts, setup, runtime, "coordination", coordination, &options->coordination, error);
    if (status == MRT_OK)
        status = make_policies(parts, setup, runtime, options, error);
    return status;
}

void parts_free(struct parts *parts)
{
    while (parts->count > 0)
        instance_destroy(parts->instances[--parts->count]);
    while (parts->dir_count > 0)
        free(parts->dirs[--parts->dir_count]);
    free(parts->metadata_dir);
    parts->metadata_dir = NULL;
}
