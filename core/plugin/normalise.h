/* SPDX-License-Identifier: Apache-2.0 */
/*
 * normalise.h - makes a plugin's tables the host's size, once, at load.
 *
 *   N1  Afterwards every slot can be called: it is the plugin's own or the core's fallback.
 *   N2  A slot the plugin owes and does not fill is refused by its name.
 *   N3  Of a larger table than ours the tail is not looked at; what a smaller one lacks is empty.
 */
#ifndef CORE_PLUGIN_NORMALISE_H
#define CORE_PLUGIN_NORMALISE_H

#include "core/base/error.h"
#include "core/plugin/kind.h"

/*
 * Copies @table, which begins with its `uint32_t size` and `uint32_t caps` (flags), into @out of
 * kind->ops_bytes. @newer says that the plugin was built for a later minor than ours, so that bits
 * we do not know are dropped instead of refused (abi.h A9). @where begins the error texts.
 */
mrt_status table_normalise(
    const struct kind *kind, const void *table, uint32_t newer, void *out, const char *where,
    mrt_error *error) MUST_CHECK;

#endif /* CORE_PLUGIN_NORMALISE_H */
