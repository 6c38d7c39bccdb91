/* SPDX-License-Identifier: Apache-2.0 */
/*
 * missing.h - what to say to somebody whose configuration names a plugin that is not there.
 */
#ifndef CORE_PLUGIN_MISSING_H
#define CORE_PLUGIN_MISSING_H

#include "core/plugin/registry.h"

/* Fills @error with where was looked, then a name that is nearly the same or the package that ships
 * the plugin. MRT_ENOENT. @directory may be NULL. */
mrt_status missing_text(
    const struct registry *registry, const char *directory, const char *kind, const char *name,
    mrt_error *error);

/* The package that ships it, or NULL when none of ours does; @kind is a name like "storage". */
const char *package_of(const char *kind, const char *name);

#endif /* CORE_PLUGIN_MISSING_H */
