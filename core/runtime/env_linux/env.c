/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "core/base/memory.h"
#include "core/runtime/env_linux.h"
#include "core/runtime/env_linux/parts.h"

/* The one thread-local of the core: which reactor's turn this thread is in. */
static __thread struct env_thread here;

static struct env_thread *linux_thread(struct env *env)
{
    (void)env;
    return &here;
}

static uint64_t linux_mono_ns(struct env *env)
{
    struct timespec now;
    (void)env;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static int64_t linux_wall_ms(struct env *env)
{
    struct timespec now;
    (void)env;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void linux_secret(struct env *env, void *out, uint64_t n)
{
    (void)env;
    for (uint64_t at = 0; at < n;) {
        ssize_t got = getrandom((uint8_t *)out + at, n - at, 0);
        ASSERT(got > 0 || errno == EINTR); /* blocks only before the system is seeded, at boot */
        at += got > 0 ? (uint64_t)got : 0;
    }
}

static uint8_t hex_digit(char c)
{
    return (uint8_t)(c >= 'a' ? c - 'a' + 10 : c - '0');
}

/* "d2f8…-…" as 16 bytes; zeros where the kernel does not tell. */
static void linux_boot_id(struct env *env, uint8_t *out)
{
    char text[64] = {0};
    (void)env;
    memset(out, 0, 16);
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    uint32_t digits = 0;
    for (ssize_t i = 0; i < n && digits < 32; i++) {
        bool hex = (text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f');
        if (!hex)
            continue;
        out[digits / 2] = (uint8_t)(out[digits / 2] << 4 | hex_digit(text[i]));
        digits++;
    }
}

/* Asks first instead of making standard error non-blocking: it may be shared with the shell. */
static bool linux_log(struct env *env, const char *line, uint64_t n)
{
    struct env_linux *own = linux_of(env);
    struct pollfd sink = {.fd = own->options.log_fd, .events = POLLOUT};
    bool written = false;
    pthread_mutex_lock(&own->log_lock);
    if (poll(&sink, 1, 0) == 1 && (sink.revents & POLLOUT) != 0)
        written = write(own->options.log_fd, line, n) == (ssize_t)n;
    pthread_mutex_unlock(&own->log_lock);
    return written;
}

static const struct env_ops linux_ops = {
    .thread = linux_thread,
    .mono_ns = linux_mono_ns,
    .wall_ms = linux_wall_ms,
    .secret = linux_secret,
    .boot_id = linux_boot_id,
    .log = linux_log,
    .thread_start = linux_thread_start,
    .threads_join = linux_threads_join,
    .work_start = linux_work_start,
    .work = linux_work,
    .work_drain = linux_work_drain,
    .work_stop = linux_work_stop,
    .lock_new = linux_lock_new,
    .lock_free = linux_lock_free,
    .lock_enter = linux_lock_enter,
    .lock_leave = linux_lock_leave,
    .poller_new = linux_poller_new,
    .poller_free = linux_poller_free,
    .poller_wait = linux_poller_wait,
    .poller_run = linux_poller_run,
    .poller_wake = linux_poller_wake,
    .watch = linux_watch,
    .unwatch = linux_unwatch,
    .file_open = linux_file_open,
    .file_close = linux_file_close,
    .file_write = linux_file_write,
    .file_read = linux_file_read,
    .file_read_nowait = linux_file_read_nowait,
    .file_sync = linux_file_sync,
    .file_truncate = linux_file_truncate,
    .file_allocate = linux_file_allocate,
    .file_evict = linux_file_evict,
    .file_length = linux_file_length,
    .file_fd = linux_file_fd,
    .rename = linux_rename,
    .unlink = linux_unlink,
    .mkdir = linux_mkdir,
    .sync_dir = linux_sync_dir,
    .space = linux_space,
    .stat = linux_stat,
    .list = linux_list,
};

struct env *env_linux_new(const struct env_linux_options *options)
{
    struct env_linux *env = memory_new(sizeof *env);
    env->env.ops = &linux_ops;
    if (options != NULL)
        env->options = *options;
    if (env->options.workers == 0)
        env->options.workers = ENV_WORKERS;
    if (env->options.log_fd == 0)
        env->options.log_fd = ENV_DEFAULT_LOG_FD;
    ASSERT(env->options.workers <= ENV_WORKERS_MAX);
    pthread_mutex_init(&env->work_lock, NULL);
    pthread_mutex_init(&env->log_lock, NULL);
    pthread_cond_init(&env->work_ready, NULL);
    pthread_cond_init(&env->work_done, NULL);
    return &env->env;
}

void env_linux_free(struct env *env)
{
    if (env == NULL)
        return;
    struct env_linux *own = linux_of(env);
    ASSERT(own->thread_count == 0);
    ASSERT(own->first == NULL);
    pthread_mutex_destroy(&own->work_lock);
    pthread_mutex_destroy(&own->log_lock);
    pthread_cond_destroy(&own->work_ready);
    pthread_cond_destroy(&own->work_done);
    memory_free(own);
}
