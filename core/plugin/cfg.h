/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cfg.h - the typed, immutable snapshot of settings that a plugin instance reads (mrt_cfg).
 *
 * Made of declared keys and the texts an operator wrote, checked as a whole: a snapshot exists or
 * an error says which key to change. Snapshots are never changed; a new one replaces an old one.
 */
#ifndef CORE_PLUGIN_CFG_H
#define CORE_PLUGIN_CFG_H

#include <mortise/plugin.h>

#include "core/plugin/key.h"

/* One setting as it was written. A list has any number of items, everything else exactly one. */
struct cfg_value {
    const char *name;
    const mrt_str *items;
    uint32_t n;
    const char *origin; /* "conf.d/10-store.conf:4:3", at the front of error texts; or NULL */
};

/*
 * Checks @values against @keys and makes the snapshot; key i of the plugin is keys[i]. Keys are
 * borrowed while the snapshot lives, values only during the call. A name that is no key, or given
 * twice, a REQUIRED key that is missing, and every text that key_read() refuses are MRT_EINVAL.
 */
mrt_status cfg_new(
    const struct note_key *keys, uint32_t n_keys, const struct cfg_value *values, uint32_t n_values,
    const mrt_cfg **out, mrt_error *error) MUST_CHECK;

/* NULL is fine. */
void cfg_free(const mrt_cfg *cfg);

/* The readers that go with every snapshot; static. */
const mrt_cfg_view *cfg_view(void);

/* Would @value do for @key? The same texts as cfg_new(). For one key changed at run time. */
mrt_status cfg_value_check(
    const struct note_key *key, const struct cfg_value *value, mrt_error *error) MUST_CHECK;

#endif /* CORE_PLUGIN_CFG_H */
