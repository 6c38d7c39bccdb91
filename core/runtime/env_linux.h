/* SPDX-License-Identifier: Apache-2.0 */
/*
 * env_linux.h - the environment of the daemon: threads, epoll, the file system, stderr.
 */
#ifndef CORE_RUNTIME_ENV_LINUX_H
#define CORE_RUNTIME_ENV_LINUX_H

#include "core/runtime/env.h"

#define ENV_WORKERS        2 /* when not told: one sync and one read at the same time */
#define ENV_WORKERS_MAX    64
#define ENV_DEFAULT_LOG_FD 2

struct env_linux_options {
    uint32_t workers; /* 1 to ENV_WORKERS_MAX; 0: ENV_WORKERS */
    int32_t log_fd;   /* where lines go; 0: standard error */
};

/* NULL options: all defaults. Freed after its runtime. */
struct env *env_linux_new(const struct env_linux_options *options);
void env_linux_free(struct env *env);

#endif /* CORE_RUNTIME_ENV_LINUX_H */
