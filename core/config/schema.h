/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schema.h - the names a configuration may have, with type, range, default, Kafka's name and a
 * sentence: declared the way plugins declare their keys, so that one reader checks both.
 *
 * KEY_DYNAMIC: takes effect at a reload. A setting without default is unset until somebody sets it.
 */
#ifndef CORE_CONFIG_SCHEMA_H
#define CORE_CONFIG_SCHEMA_H

#include "core/plugin/key.h"

/* A kind of plugin as conf.d names it. */
struct schema_kind {
    const char *name; /* "storage" */
    bool used;        /* one of the kind runs: use = "name" says which */
    const char *fallback;
};

/* The tables are static; @count is filled. */
const struct note_key *schema_broker(uint32_t *count);
const struct note_key *schema_listener(uint32_t *count);
const struct schema_kind *schema_kinds(uint32_t *count);

/* NULL when there is none of that name. */
const struct schema_kind *schema_kind_find(const char *name);

#endif /* CORE_CONFIG_SCHEMA_H */
