/* SPDX-License-Identifier: Apache-2.0 */
/*
 * env.h - the only door to the outside: time, chance, threads, events, files, log lines.
 *
 * env_linux/ is behind it in the daemon, tests/sim in a simulated run. What is above must not be
 * able to tell which, so no type of the operating system passes.
 *
 *   E1  Calls tagged "blocks" are made by workers, or inline where host/file.c says that is cheap.
 *   E2  In a simulated environment everything runs on one thread, and choose() is where its seed
 *       speaks: another legal order, another legal outcome. On Linux choose and trace are NULL.
 *   E3  A job handed to work() is run once, with no reactor current, and is not touched afterwards.
 */
#ifndef CORE_RUNTIME_ENV_H
#define CORE_RUNTIME_ENV_H

#include <stdbool.h>

#include <mortise/host.h>

#include "core/base/error.h"

#define ENV_FOREVER UINT64_MAX

struct env;
struct env_file;   /* one open file; the environment's */
struct env_lock;   /* one mutex */
struct env_poller; /* what one reactor waits with */
struct reactor;

/* What is known of the calling thread. */
struct env_thread {
    struct reactor *reactor; /* whose turn runs on it; NULL on workers, MAIN and foreign threads */
    uint32_t leaves;         /* leaf locks it holds: 0 or 1 */
};

/* Lies in the two first words of mrt_op.host or mrt_work.host, or in a core object. */
struct __attribute__((__may_alias__)) env_job {
    struct env_job *next;
    void (*run)(struct env_job *job);
};

struct env_stat {
    uint64_t bytes;
    int64_t modified_ms;
    uint32_t kind; /* as mrt_dirent.kind */
};

/* What choose() is asked. The answer 0 is what always happens on Linux. */
enum env_choice {
    CHOICE_BUSY,    /* 1: this free strand counts as busy and is run by another reactor */
    CHOICE_REACTOR, /* which reactor */
    CHOICE_BATCH,   /* how many tasks fewer than STRAND_BATCH */
    CHOICE_ORDER,   /* which of the queued tasks comes next; those of one sender keep their order */
    CHOICE_PENDING, /* 1: an inline MRT_OK becomes MRT_PENDING */
    CHOICE_INLINE,  /* 1: a file call that goes to a worker, but need not, completes inline */
    CHOICE_WORKER,  /* 1: a file call that could complete inline goes to a worker */
    CHOICE_RARE     /* mortise.host.probe/1 want() */
};

enum env_event {
    TRACE_RUN = 1, /* a task ran: reactor index, executor id, sender id */
    TRACE_LOG      /* a line was written */
};

struct env_ops {
    struct env_thread *(*thread)(struct env *env);

    uint64_t (*mono_ns)(struct env *env);
    int64_t (*wall_ms)(struct env *env);
    void (*secret)(struct env *env, void *out, uint64_t n);
    void (*boot_id)(struct env *env, uint8_t *out);

    /* Writes one line with its end. False: it would block, nothing was written. Any thread. */
    bool (*log)(struct env *env, const char *line, uint64_t n);

    /* Threads: body(arg) each; join() waits for all of them. None in a simulated environment. */
    void (*thread_start)(struct env *env, void (*body)(void *arg), void *arg);
    void (*threads_join)(struct env *env);

    /* Workers run until work_stop(). work_drain() returns when no job is queued or running. */
    void (*work_start)(struct env *env);
    void (*work)(struct env *env, struct env_job *job);
    void (*work_drain)(struct env *env);
    void (*work_stop)(struct env *env);

    struct env_lock *(*lock_new)(struct env *env);
    void (*lock_free)(struct env_lock *lock);
    void (*lock_enter)(struct env_lock *lock);
    void (*lock_leave)(struct env_lock *lock);

    /* wait(): at most @ns (ENV_FOREVER: no limit), less if woken; run(): calls ready() of the
     * watches that wait() found. wake() from any thread. watch() is MRT_ENOTSUP where there are no
     * descriptors. */
    struct env_poller *(*poller_new)(struct env *env);
    void (*poller_free)(struct env_poller *poller);
    void (*poller_wait)(struct env_poller *poller, uint64_t ns);
    void (*poller_run)(struct env_poller *poller);
    void (*poller_wake)(struct env_poller *poller);
    mrt_status (*watch)(struct env_poller *poller, mrt_watch *watch, int32_t fd, uint32_t events);
    void (*unwatch)(struct env_poller *poller, mrt_watch *watch);

    /* Files. All block but those that say so.
     * @flags are MRT_FILE_; @device is equal for files on one device. */
    mrt_status (*file_open)(
        struct env *env, const mrt_str *path, uint32_t flags, struct env_file **out,
        uint64_t *device);
    void (*file_close)(struct env *env, struct env_file *file);
    /* Writes all bytes of @n MEM slices, in order, at @off. */
    mrt_status (*file_write)(struct env_file *file, const mrt_slice *v, uint32_t n, uint64_t off);
    mrt_status (*file_read)(
        struct env_file *file, void *to, uint64_t n, uint64_t off, uint64_t *got);
    /* Never blocks: MRT_EAGAIN unless all that read() would give is in memory. */
    mrt_status (*file_read_nowait)(
        struct env_file *file, void *to, uint64_t n, uint64_t off, uint64_t *got);
    mrt_status (*file_sync)(struct env_file *file, uint32_t flags);
    mrt_status (*file_truncate)(struct env_file *file, uint64_t bytes);
    mrt_status (*file_allocate)(struct env_file *file, uint64_t off, uint64_t n);
    mrt_status (*file_evict)(struct env_file *file, uint64_t off, uint64_t n);
    /* Never blocks. */
    mrt_status (*file_length)(struct env_file *file, uint64_t *bytes);
    /* Never blocks. MRT_ENOTSUP where there are no descriptors. */
    mrt_status (*file_fd)(struct env_file *file, int32_t *fd);

    mrt_status (*rename)(struct env *env, const mrt_str *from, const mrt_str *to);
    mrt_status (*unlink)(struct env *env, const mrt_str *path);
    mrt_status (*mkdir)(struct env *env, const mrt_str *path);
    mrt_status (*sync_dir)(struct env *env, const mrt_str *path);
    mrt_status (*space)(struct env *env, const mrt_str *path, uint64_t *total, uint64_t *avail);
    mrt_status (*stat)(struct env *env, const mrt_str *path, struct env_stat *out);
    /* Calls each() with every name but "." and "..", in any order; stops when that is false. */
    mrt_status (*list)(
        struct env *env, const mrt_str *path, bool (*each)(void *ctx, const mrt_str *name),
        void *ctx);

    /* Simulation only (E2). A number below @n. */
    uint64_t (*choose)(struct env *env, enum env_choice what, uint64_t n);
    void (*trace)(struct env *env, enum env_event event, const uint64_t *v, uint32_t n);
    void (*reached)(struct env *env, const char *name);
};

/* Embedded as the first member of either implementation. */
struct env {
    const struct env_ops *ops;
};

static inline uint64_t env_choose(struct env *env, enum env_choice what, uint64_t n)
{
    return env->ops->choose == NULL || n < 2 ? 0 : env->ops->choose(env, what, n);
}

static inline struct env_thread *env_thread(struct env *env)
{
    return env->ops->thread(env);
}

#endif /* CORE_RUNTIME_ENV_H */
