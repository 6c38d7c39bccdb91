/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registry.h - the plugins of one broker: what there is, what was refused and why, what is loaded.
 *
 *   G1  Registering a file reads its note and runs nothing. Code is loaded when an implementation
 *       is asked for the first time, which is because a configuration names it.
 *   G2  A refused plugin stays listed with its sentence, and whoever asks for what it would have
 *       provided gets that sentence.
 *   G3  A kind and name is provided once. The second provider is refused, whatever its version.
 *   G4  An implementation, once given, lives as long as the registry; its tables are the host's
 *       size and complete (normalise.h).
 */
#ifndef CORE_PLUGIN_REGISTRY_H
#define CORE_PLUGIN_REGISTRY_H

#include "core/plugin/kind.h"
#include "core/plugin/loader.h"

#define REGISTRY_PLUGINS_MAX 512

struct plugin;

/* One implementation of one kind. Up to `plugin` it is what the note says, behind it what the
 * code says, empty until loaded. */
struct impl {
    const struct kind *kind;
    const char *name;
    const struct note_impl *declared; /* its keys */
    const struct plugin *plugin;
    mrt_lifecycle life;
    void *ops; /* kind->ops_bytes, owned; a mrt_storage_ops and so on */
    const mrt_impl *raw;
};

struct plugin {
    char *path;            /* or "builtin:<name>"; owned */
    struct module *module; /* owned; NULL when it was refused before its note was read */
    mrt_error refusal;     /* status MRT_OK while nothing speaks against it */
    uint32_t loaded;
    struct impl *impls; /* as many as the note declares; owned */
    uint32_t n_impls;
    const void *(*extension)(const mrt_impl *impl, const char *id); /* or NULL */
};

struct registry_options {
    const char *directory; /* absolute; NULL: none */
    const struct builtin *builtins;
    uint32_t n_builtins;
};

/* Registers the builtins and every *.so of the directory. One that is refused does not make this
 * fail (G2); a directory that cannot be read does. */
struct registry;
mrt_status registry_new(
    const struct registry_options *options, struct registry **out, mrt_error *error) MUST_CHECK;

/* After the last instance was destroyed. Code stays mapped. NULL is fine. */
void registry_free(struct registry *registry);

/* Registers one more file, named by the configuration. The refusal, too, is an error here. */
mrt_status registry_add(struct registry *registry, const char *path, mrt_error *error) MUST_CHECK;

/*
 * The implementation @name of @kind (MRT_KIND_STORAGE and so on), loaded. Else a sentence that says
 * what speaks against it, or where was looked and which package has it.
 */
mrt_status registry_find(
    struct registry *registry, const char *kind, const char *name, const struct impl **out,
    mrt_error *error) MUST_CHECK;

/* What the note says of @name, without loading: to check a configuration. As registry_find(). */
mrt_status registry_declared(
    struct registry *registry, const char *kind, const char *name, const struct note_impl **out,
    mrt_error *error) MUST_CHECK;

/* An optional ability "owner.name/REV" of a loaded implementation, or NULL. */
const void *impl_extension(const struct impl *impl, const char *id);

/* Loads plugin @i, whether or not something asks for it; its refusal if it has one. */
mrt_status registry_load(struct registry *registry, uint32_t i, mrt_error *error) MUST_CHECK;

/* For listings, in the order of registration: builtins, the directory by name, files by path. */
uint32_t registry_count(const struct registry *registry);
const struct plugin *registry_at(const struct registry *registry, uint32_t i);

#endif /* CORE_PLUGIN_REGISTRY_H */
