/* SPDX-License-Identifier: Apache-2.0 */
/*
 * setup.h - from the command line to checked settings and a registry that has what they name.
 */
#ifndef CORE_MAIN_SETUP_H
#define CORE_MAIN_SETUP_H

#include "core/config/settings.h"
#include "core/config/topic_config.h"
#include "core/main/arguments.h"
#include "core/main/places.h"
#include "core/plugin/registry.h"

#define SETUP_NAMES_MAX 64 /* of one kind that "did you mean" looks through */

struct setup {
    struct settings *settings;
    struct report *report;
    struct registry *registry;
    struct topic_table *topics;
    char plugin_dir[PLACE_MAX];
    const char *names[SETUP_NAMES_MAX]; /* of the kind last asked for */
};

/* Reads and checks everything. False when something is wrong: setup->report, or @error where not
 * even that is possible. setup_free() is owed either way. */
bool setup_make(struct setup *setup, const struct arguments *arguments, mrt_error *error);
void setup_free(struct setup *setup);

/* The name of the implementation of @kind ("storage") that is to run: a name as it is, or that of
 * the only one of its kind in the shared object a path names. */
mrt_status setup_used(
    const struct setup *setup, const char *kind, const char **name, mrt_error *error);

/* "mortise.storage/1" of "storage". */
const char *setup_kind_id(const char *kind);

#endif /* CORE_MAIN_SETUP_H */
