/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admit.h - may this plugin come in? First by what its note says, before its code runs; then by
 * whether the code's descriptor says the same and fills its tables.
 */
#ifndef CORE_PLUGIN_ADMIT_H
#define CORE_PLUGIN_ADMIT_H

#include "core/plugin/registry.h"

/* ABI major, lowest ABI needed, tier and build id, kinds. @host_abi is MRT_ABI but in tests. */
mrt_status note_admit(
    const struct note *note, const char *where, uint32_t host_abi, mrt_error *error) MUST_CHECK;

/* Compares @plugin's descriptor with its note and fills its impls (normalise.h); loaded then. */
mrt_status plugin_admit(struct plugin *plugin, mrt_error *error) MUST_CHECK;

#endif /* CORE_PLUGIN_ADMIT_H */
