/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_plugin.h - `mortise plugin ...`. Commands answer 0, 1 when something is wrong with what they
 * looked at, 2 when they could not look.
 */
#ifndef CORE_MAIN_CMD_PLUGIN_H
#define CORE_MAIN_CMD_PLUGIN_H

#include "core/plugin/builtins.h"

/* argv[0] is "plugin". */
int plugin_command(int argc, char **argv);

int plugin_check_command(int argc, char **argv); /* argv[0] is "check", and so on */
int plugin_new_command(int argc, char **argv);

/* One line a plugin of @directory (NULL: the default place), and of @builtins; loads each, so that
 * what is said holds. Also for `mortised --list-plugins`. */
int plugin_list(const char *directory, const struct builtin *builtins, uint32_t n_builtins);

#endif /* CORE_MAIN_CMD_PLUGIN_H */
