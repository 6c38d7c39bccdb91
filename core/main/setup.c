/* SPDX-License-Identifier: Apache-2.0 */
#include "core/main/setup.h"

#include <string.h>

#include "core/base/memory.h"
#include "core/base/str.h"
#include "core/main/places.h"

static void read_settings(struct setup *setup, const struct arguments *arguments)
{
    struct config_path packaged[] = {
        {"/usr/lib/mortise/conf.d", true},
        {MORTISE_CONF_DIR "/mortise.conf", true},
        {MORTISE_CONF_DIR "/conf.d", true},
    };
    struct config_path asked[CONF_MAX];
    for (uint32_t i = 0; i < arguments->conf_count; i++)
        asked[i] = (struct config_path){arguments->conf[i], false};
    struct settings_options options = {
        .paths = arguments->conf_count > 0 ? asked : packaged,
        .path_count =
            arguments->conf_count > 0 ? arguments->conf_count : sizeof packaged / sizeof *packaged,
        .overrides = arguments->overrides,
        .override_count = arguments->override_count,
    };
    setup->settings = settings_load(&options, setup->report);
}

const char *setup_kind_id(const char *kind)
{
    const struct kind *found = NULL;
    for (uint32_t i = 0; (found = kind_at(i)) != NULL; i++)
        if (strcmp(found->name, kind) == 0)
            return found->id;
    return NULL;
}

/* ---- plugins that the configuration names by path -------------------------------------------- */

static void add_path(struct setup *setup, const char *path, const struct place *at)
{
    char absolute[PLACE_MAX];
    mrt_error error;

    if (!place_absolute(path, absolute))
        report_error(setup->report, at, NULL, "%s: there is no such plugin file", path);
    else if (registry_add(setup->registry, absolute, &error) != MRT_OK)
        report_error(setup->report, at, NULL, "%s", error.text);
}

static void add_paths(struct setup *setup)
{
    static const char *const used[] = {"storage", "coordination"};
    const struct place nowhere = {0};

    for (uint32_t i = 0; i < sizeof used / sizeof *used; i++) {
        const char *use = settings_use(setup->settings, used[i]);
        if (settings_is_path(use))
            add_path(setup, use, &nowhere);
    }
    for (uint32_t i = 0; i < settings_plugin_count(setup->settings); i++) {
        struct settings_plugin plugin;
        settings_plugin(setup->settings, i, &plugin);
        if (plugin.path != NULL)
            add_path(setup, plugin.path, &plugin.at);
    }
}

static const char *only_impl(const struct setup *setup, const char *path, const char *kind)
{
    for (uint32_t i = 0; i < registry_count(setup->registry); i++) {
        const struct plugin *plugin = registry_at(setup->registry, i);
        if (strcmp(plugin->path, path) != 0)
            continue;
        for (uint32_t j = 0; j < plugin->n_impls; j++)
            if (strcmp(plugin->impls[j].kind->name, kind) == 0)
                return plugin->impls[j].name;
    }
    return NULL;
}

mrt_status setup_used(
    const struct setup *setup, const char *kind, const char **name, mrt_error *error)
{
    const char *use = settings_use(setup->settings, kind);

    *name = use;
    if (!settings_is_path(use))
        return MRT_OK;
    char absolute[PLACE_MAX];
    *name = place_absolute(use, absolute) ? only_impl(setup, absolute, kind) : NULL;
    if (*name == NULL)
        return error_set(error, MRT_ENOENT, "%s: holds no %s plugin", use, kind);
    return MRT_OK;
}

/* ---- checking what plugins declare ----------------------------------------------------------- */

static bool find_keys(
    void *context, const char *kind, const char *name, const struct note_key **keys,
    uint32_t *count)
{
    const struct setup *setup = context;
    const struct note_impl *declared = NULL;
    const char *id = setup_kind_id(kind);
    mrt_error error;

    if (settings_is_path(name) && setup_used(setup, kind, &name, &error) != MRT_OK)
        return false;
    if (id == NULL || registry_declared(setup->registry, id, name, &declared, &error) != MRT_OK)
        return false;
    *keys = declared->keys;
    *count = declared->n_keys;
    return true;
}

static const char *const *list_names(void *context, const char *kind, uint32_t *count)
{
    struct setup *setup = context;

    *count = 0;
    for (uint32_t i = 0; i < registry_count(setup->registry); i++) {
        const struct plugin *plugin = registry_at(setup->registry, i);
        for (uint32_t j = 0; plugin->refusal.status == MRT_OK && j < plugin->n_impls; j++)
            if (strcmp(plugin->impls[j].kind->name, kind) == 0 && *count < SETUP_NAMES_MAX)
                setup->names[(*count)++] = plugin->impls[j].name;
    }
    return setup->names;
}

/* Every policy that is there may be named in cleanup.policy, and its PER_TOPIC keys are configs. */
static bool bind_topics(struct setup *setup, mrt_error *error)
{
    setup->topics = topic_table_new(setup->settings);
    for (uint32_t i = 0; i < registry_count(setup->registry); i++) {
        const struct plugin *plugin = registry_at(setup->registry, i);
        for (uint32_t j = 0; plugin->refusal.status == MRT_OK && j < plugin->n_impls; j++) {
            const struct impl *impl = &plugin->impls[j];
            const char *kind = impl->kind->name;
            const char *used = NULL;
            bool policy = strcmp(kind, "cleanup") == 0;
            if (policy)
                topic_table_policy(setup->topics, impl->name);
            else if (
                strcmp(kind, "storage") != 0 || setup_used(setup, kind, &used, error) != MRT_OK ||
                strcmp(used, impl->name) != 0)
                continue;
            if (topic_table_bind(
                    setup->topics, kind, impl->name, impl->declared->keys, impl->declared->n_keys,
                    error) != MRT_OK)
                return false;
        }
    }
    return true;
}

bool setup_make(struct setup *setup, const struct arguments *arguments, mrt_error *error)
{
    *setup = (struct setup){.report = report_new()};
    read_settings(setup, arguments);
    struct registry_options options = {.directory = setup->plugin_dir};
    options.builtins = builtins_all(&options.n_builtins);
    if (arguments->plugin_dir == NULL && options.n_builtins > 0) {
        options.directory = NULL; /* a static build is complete */
    } else if (arguments->plugin_dir == NULL) {
        place_plugins(setup->plugin_dir);
    } else if (!place_absolute(arguments->plugin_dir, setup->plugin_dir)) {
        error_set(error, MRT_ENOENT, "%s: no such plugin directory", arguments->plugin_dir);
        return false;
    }
    if (registry_new(&options, &setup->registry, error) != MRT_OK)
        return false;
    add_paths(setup);
    struct schema_source source = {.context = setup, .find = find_keys, .names = list_names};
    settings_check_plugins(setup->settings, &source, setup->report);
    if (!bind_topics(setup, error))
        return false;
    error->text[0] = '\0';
    return report_errors(setup->report) == 0;
}

void setup_free(struct setup *setup)
{
    topic_table_free(setup->topics);
    registry_free(setup->registry);
    if (setup->settings != NULL)
        settings_free(setup->settings);
    report_free(setup->report);
}
