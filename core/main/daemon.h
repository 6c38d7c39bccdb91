/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon.h - a broker from checked settings to its orderly end.
 */
#ifndef CORE_MAIN_DAEMON_H
#define CORE_MAIN_DAEMON_H

#include "core/main/setup.h"

/* Serves until SIGTERM or SIGINT; the process's exit status. A second signal cuts the end short. */
int daemon_run(const struct setup *setup);

#endif /* CORE_MAIN_DAEMON_H */
