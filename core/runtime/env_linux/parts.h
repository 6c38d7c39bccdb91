/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parts.h - what the files of the Linux environment share.
 */
#ifndef CORE_RUNTIME_ENV_LINUX_PARTS_H
#define CORE_RUNTIME_ENV_LINUX_PARTS_H

#include <pthread.h>

#include "core/runtime/env_linux.h"
#include "core/runtime/runtime.h"

struct env_linux {
    struct env env; /* first */
    struct env_linux_options options;

    pthread_t threads[REACTORS_MAX];
    uint32_t thread_count;

    pthread_t workers[ENV_WORKERS_MAX];
    pthread_mutex_t work_lock; /* guards what follows */
    pthread_cond_t work_ready; /* a job was queued, or no more will be */
    pthread_cond_t work_done;  /* nothing is queued or running */
    struct env_job *first;
    struct env_job *last;
    uint32_t running;
    bool started;
    bool stopping;

    pthread_mutex_t log_lock; /* so that two lines do not both see room for one */
};

static inline struct env_linux *linux_of(struct env *env)
{
    return (struct env_linux *)(void *)env;
}

/* What the members of struct env_ops are documented to do. */
void linux_thread_start(struct env *env, void (*body)(void *arg), void *arg);
void linux_threads_join(struct env *env);
void linux_work_start(struct env *env);
void linux_work(struct env *env, struct env_job *job);
void linux_work_drain(struct env *env);
void linux_work_stop(struct env *env);

struct env_lock *linux_lock_new(struct env *env);
void linux_lock_free(struct env_lock *lock);
void linux_lock_enter(struct env_lock *lock);
void linux_lock_leave(struct env_lock *lock);

struct env_poller *linux_poller_new(struct env *env);
void linux_poller_free(struct env_poller *poller);
void linux_poller_wait(struct env_poller *poller, uint64_t ns);
void linux_poller_run(struct env_poller *poller);
void linux_poller_wake(struct env_poller *poller);
mrt_status linux_watch(struct env_poller *poller, mrt_watch *watch, int32_t fd, uint32_t events);
void linux_unwatch(struct env_poller *poller, mrt_watch *watch);

mrt_status linux_file_open(
    struct env *env, const mrt_str *path, uint32_t flags, struct env_file **out, uint64_t *device);
void linux_file_close(struct env *env, struct env_file *file);
mrt_status linux_file_write(struct env_file *file, const mrt_slice *v, uint32_t n, uint64_t off);
mrt_status linux_file_read(
    struct env_file *file, void *to, uint64_t n, uint64_t off, uint64_t *got);
mrt_status linux_file_read_nowait(
    struct env_file *file, void *to, uint64_t n, uint64_t off, uint64_t *got);
mrt_status linux_file_sync(struct env_file *file, uint32_t flags);
mrt_status linux_file_truncate(struct env_file *file, uint64_t bytes);
mrt_status linux_file_allocate(struct env_file *file, uint64_t off, uint64_t n);
mrt_status linux_file_evict(struct env_file *file, uint64_t off, uint64_t n);
mrt_status linux_file_length(struct env_file *file, uint64_t *bytes);
mrt_status linux_file_fd(struct env_file *file, int32_t *fd);

mrt_status linux_rename(struct env *env, const mrt_str *from, const mrt_str *to);
mrt_status linux_unlink(struct env *env, const mrt_str *path);
mrt_status linux_mkdir(struct env *env, const mrt_str *path);
mrt_status linux_sync_dir(struct env *env, const mrt_str *path);
mrt_status linux_space(struct env *env, const mrt_str *path, uint64_t *total, uint64_t *avail);
mrt_status linux_stat(struct env *env, const mrt_str *path, struct env_stat *out);
mrt_status linux_list(
    struct env *env, const mrt_str *path, bool (*each)(void *ctx, const mrt_str *name), void *ctx);

/* errno as a status. */
mrt_status linux_status(int error);

#endif /* CORE_RUNTIME_ENV_LINUX_PARTS_H */
