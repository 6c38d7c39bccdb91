/* SPDX-License-Identifier: Apache-2.0 */
/*
 * builtins.h - plugins that are linked in: the same sources, found by name instead of by file.
 *
 * The static build and the simulator generate a table; the default daemon has none; tests make
 * their own. A builtin has no privilege: it passes the same checks as a file.
 */
#ifndef CORE_PLUGIN_BUILTINS_H
#define CORE_PLUGIN_BUILTINS_H

#include <mortise/plugin.h>

struct builtin {
    const char *name; /* "storage-memory"; static, and one entry a name in a process */
    const mrt_plugin *(*entry)(uint32_t host_abi);
};

/* What is linked into this program; *@n may be 0. Generated (MortiseBuiltins.cmake). */
const struct builtin *builtins_all(uint32_t *n);

#endif /* CORE_PLUGIN_BUILTINS_H */
