/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parts.h - the plugin instances a broker stands on: storage, coordination, cleanup policies.
 */
#ifndef CORE_MAIN_PARTS_H
#define CORE_MAIN_PARTS_H

#include "core/broker/broker.h"
#include "core/main/setup.h"

struct parts {
    struct instance *instances[LOG_POLICIES_MAX + 2];
    uint32_t count;
    char *dirs[BROKER_DIRS_MAX]; /* owned; absolute */
    uint32_t dir_count;
    char *metadata_dir; /* owned; absolute */
};

/* Makes the directories and the instances that the settings name, and puts them into @options.
 * parts_free() is owed also after a failure. */
mrt_status parts_make(
    struct parts *parts, const struct setup *setup, struct runtime *runtime,
    struct broker_options *options, mrt_error *error);
void parts_free(struct parts *parts);

#endif /* CORE_MAIN_PARTS_H */
