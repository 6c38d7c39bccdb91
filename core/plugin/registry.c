/* SPDX-License-Identifier: Apache-2.0 */
#include "core/plugin/registry.h"

#include <stdio.h>

#include "core/base/assert.h"
#include "core/base/memory.h"
#include "core/base/str.h"
#include "core/plugin/admit.h"
#include "core/plugin/missing.h"

/* One instance per broker. Plugins are only ever added, so their addresses are handed out. */
struct registry {
    char *directory; /* owned; NULL: none */
    struct plugin *plugins[REGISTRY_PLUGINS_MAX];
    uint32_t n;
};

/* ---- registering ----------------------------------------------------------------------------- */

static void plugin_free(struct plugin *plugin)
{
    for (uint32_t i = 0; i < plugin->n_impls; i++)
        memory_free(plugin->impls[i].ops);
    memory_free(plugin->impls);
    module_free(plugin->module);
    memory_free(plugin->path);
    memory_free(plugin);
}

static struct impl *impl_of(struct plugin *plugin, const char *kind, const char *name)
{
    for (uint32_t i = 0; i < plugin->n_impls; i++)
        if (strcmp(plugin->impls[i].kind->id, kind) == 0 &&
            strcmp(plugin->impls[i].name, name) == 0)
            return &plugin->impls[i];
    return NULL;
}

/* Who provides it and was not refused, or NULL. */
static struct plugin *provider(const struct registry *registry, const char *kind, const char *name)
{
    for (uint32_t i = 0; i < registry->n; i++)
        if (registry->plugins[i]->refusal.status == MRT_OK &&
            impl_of(registry->plugins[i], kind, name) != NULL)
            return registry->plugins[i];
    return NULL;
}

static mrt_status unique(
    const struct registry *registry, const struct plugin *plugin, mrt_error *error)
{
    const struct note *note = plugin->module->note;
    for (uint32_t i = 0; i < note->n_impls; i++) {
        const struct plugin *other = provider(registry, note->impls[i].kind, note->impls[i].name);
        if (other != NULL)
            return error_set(
                error, MRT_EEXIST, "%s: %s %s is provided by %s already: keep one of the two",
                plugin->path, kind_find(note->impls[i].kind)->name, note->impls[i].name,
                other->path);
    }
    return MRT_OK;
}

/* The impls as the note declares them, once all kinds are known. */
static void impls_declare(struct plugin *plugin)
{
    const struct note *note = plugin->module->note;
    plugin->impls = memory_array(note->n_impls, sizeof *plugin->impls);
    plugin->n_impls = note->n_impls;
    for (uint32_t i = 0; i < note->n_impls; i++) {
        struct impl *impl = &plugin->impls[i];
        impl->kind = kind_find(note->impls[i].kind);
        impl->name = note->impls[i].name;
        impl->declared = &note->impls[i];
        impl->plugin = plugin;
        ASSERT(impl->kind != NULL);
    }
}

static void plugin_register(
    struct registry *registry, const char *path, struct module *module, mrt_error *refusal)
{
    mrt_str text = str_of(path);
    struct plugin *plugin = memory_new(sizeof *plugin);
    ASSERT(registry->n < REGISTRY_PLUGINS_MAX);
    plugin->path = str_copy(&text);
    plugin->module = module;
    registry->plugins[registry->n++] = plugin;
    if (refusal->status == MRT_OK)
        refusal->status = note_admit(module->note, path, MRT_ABI, refusal);
    if (refusal->status == MRT_OK)
        refusal->status = unique(registry, plugin, refusal);
    if (refusal->status == MRT_OK)
        impls_declare(plugin);
    plugin->refusal = *refusal;
}

static bool is_full(const struct registry *registry, mrt_error *error)
{
    if (registry->n < REGISTRY_PLUGINS_MAX)
        return false;
    (void)error_set(
        error, MRT_ETOOBIG, "over %d plugins: remove those that are not used",
        REGISTRY_PLUGINS_MAX);
    return true;
}

/* The plugin of that path, which was seen before, or NULL. */
static const struct plugin *known(const struct registry *registry, const char *path)
{
    for (uint32_t i = 0; i < registry->n; i++)
        if (strcmp(registry->plugins[i]->path, path) == 0)
            return registry->plugins[i];
    return NULL;
}

/* Whatever comes of it is kept with the plugin (G2). */
static const struct plugin *file_add(struct registry *registry, const char *path)
{
    mrt_error refusal = {0};
    struct module *module = NULL;
    if (module_file(path, &module, &refusal) != MRT_OK)
        module = NULL;
    plugin_register(registry, path, module, &refusal);
    return registry->plugins[registry->n - 1];
}

mrt_status registry_add(struct registry *registry, const char *path, mrt_error *error)
{
    ASSERT(path != NULL);
    const struct plugin *plugin = known(registry, path);
    if (plugin == NULL && is_full(registry, error))
        return MRT_ETOOBIG;
    if (plugin == NULL)
        plugin = file_add(registry, path);
    if (plugin->refusal.status == MRT_OK)
        return MRT_OK;
    return error_set(error, plugin->refusal.status, "%s", plugin->refusal.text);
}

static mrt_status builtins_add(
    struct registry *registry, const struct registry_options *options, mrt_error *error)
{
    char path[96];
    for (uint32_t i = 0; i < options->n_builtins; i++) {
        mrt_error refusal = {0};
        struct module *module = NULL;
        if (is_full(registry, error))
            return MRT_ETOOBIG;
        if (module_builtin(&options->builtins[i], &module, &refusal) != MRT_OK)
            module = NULL;
        snprintf(path, sizeof path, "builtin:%s", options->builtins[i].name);
        plugin_register(registry, path, module, &refusal);
    }
    return MRT_OK;
}

static mrt_status directory_add(struct registry *registry, const char *directory, mrt_error *error)
{
    struct names names;
    char path[LOADER_PATH_MAX];
    mrt_status status = names_read(directory, &names, error);
    for (uint32_t i = 0; i < names.n && status == MRT_OK; i++) {
        int n = snprintf(path, sizeof path, "%s/%s", directory, names.v[i]);
        if (n < 0 || (size_t)n >= sizeof path)
            status = error_set(error, MRT_ETOOBIG, "%s: its name is too long", directory);
        else if (is_full(registry, error))
            status = MRT_ETOOBIG;
        else
            file_add(registry, path);
    }
    names_free(&names);
    return status;
}

mrt_status registry_new(
    const struct registry_options *options, struct registry **out, mrt_error *error)
{
    ASSERT(options != NULL);
    ASSERT(out != NULL);
    struct registry *registry = memory_new(sizeof *registry);
    mrt_status status = builtins_add(registry, options, error);
    if (status == MRT_OK && options->directory != NULL) {
        mrt_str directory = str_of(options->directory);
        registry->directory = str_copy(&directory);
        status = directory_add(registry, registry->directory, error);
    }
    if (status == MRT_OK)
        *out = registry;
    else
        registry_free(registry);
    return status;
}

void registry_free(struct registry *registry)
{
    if (registry == NULL)
        return;
    for (uint32_t i = 0; i < registry->n; i++)
        plugin_free(registry->plugins[i]);
    memory_free(registry->directory);
    memory_free(registry);
}

/* ---- finding --------------------------------------------------------------------------------- */

mrt_status registry_load(struct registry *registry, uint32_t i, mrt_error *error)
{
    ASSERT(i < registry->n);
    struct plugin *plugin = registry->plugins[i];
    if (plugin->refusal.status == MRT_OK && !plugin->loaded) {
        plugin->refusal.status = module_load(plugin->module, &plugin->refusal);
        if (plugin->refusal.status == MRT_OK)
            plugin->refusal.status = plugin_admit(plugin, &plugin->refusal);
    }
    if (plugin->refusal.status == MRT_OK)
        return MRT_OK;
    return error_set(error, plugin->refusal.status, "%s", plugin->refusal.text);
}

/* Would @plugin, which was refused, have provided it: by its note, or by its file's name? */
static bool would_provide(const struct plugin *plugin, const char *kind, const char *name)
{
    char file[2 * NOTE_NAME_MAX + 8];
    const struct kind *known = kind_find(kind);
    const char *base = strrchr(plugin->path, '/');
    if (plugin->module != NULL) {
        const struct note *note = plugin->module->note;
        for (uint32_t i = 0; i < note->n_impls; i++)
            if (strcmp(note->impls[i].kind, kind) == 0 && strcmp(note->impls[i].name, name) == 0)
                return true;
        return false;
    }
    snprintf(
        file, sizeof file, "%.*s-%.*s.so", NOTE_NAME_MAX, known != NULL ? known->name : kind,
        NOTE_NAME_MAX, name);
    return base != NULL && strcmp(base + 1, file) == 0;
}

static mrt_status not_found(
    const struct registry *registry, const char *kind, const char *name, mrt_error *error)
{
    for (uint32_t i = 0; i < registry->n; i++) {
        const mrt_error *refusal = &registry->plugins[i]->refusal;
        if (refusal->status != MRT_OK && would_provide(registry->plugins[i], kind, name))
            return error_set(error, refusal->status, "%s", refusal->text);
    }
    return missing_text(registry, registry->directory, kind, name, error);
}

static mrt_status place(
    const struct registry *registry, const char *kind, const char *name, uint32_t *out,
    mrt_error *error)
{
    ASSERT(kind != NULL);
    ASSERT(name != NULL);
    const struct plugin *plugin = provider(registry, kind, name);
    if (plugin == NULL)
        return not_found(registry, kind, name, error);
    for (*out = 0; registry->plugins[*out] != plugin; ++*out)
        ASSERT(*out < registry->n);
    return MRT_OK;
}

mrt_status registry_find(
    struct registry *registry, const char *kind, const char *name, const struct impl **out,
    mrt_error *error)
{
    uint32_t i = 0;
    mrt_status status = place(registry, kind, name, &i, error);
    if (status == MRT_OK)
        status = registry_load(registry, i, error);
    if (status == MRT_OK)
        *out = impl_of(registry->plugins[i], kind, name);
    return status;
}

mrt_status registry_declared(
    struct registry *registry, const char *kind, const char *name, const struct note_impl **out,
    mrt_error *error)
{
    uint32_t i = 0;
    mrt_status status = place(registry, kind, name, &i, error);
    if (status == MRT_OK)
        *out = impl_of(registry->plugins[i], kind, name)->declared;
    return status;
}

const void *impl_extension(const struct impl *impl, const char *id)
{
    ASSERT(impl->plugin->loaded);
    ASSERT(id != NULL);
    return impl->plugin->extension == NULL ? NULL : impl->plugin->extension(impl->raw, id);
}

uint32_t registry_count(const struct registry *registry)
{
    return registry->n;
}

const struct plugin *registry_at(const struct registry *registry, uint32_t i)
{
    ASSERT(i < registry->n);
    return registry->plugins[i];
}
