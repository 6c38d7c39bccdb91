/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The simulated environment of one node: time is the world's, chance is the seed's, a reactor that
 * waits does not, workers are steps of the world.
 */
#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/memory.h"
#include "tests/sim/world_parts.h"

#define WALL_START_MS INT64_C(1767225600000) /* 2026-01-01T00:00:00Z */

static struct env_thread *sim_thread(struct env *env)
{
    return &node_of(env)->world->thread;
}

static uint64_t sim_mono_ns(struct env *env)
{
    return node_of(env)->world->now_ns;
}

static int64_t sim_wall_ms(struct env *env)
{
    return WALL_START_MS + (int64_t)(node_of(env)->world->now_ns / 1000000);
}

static void sim_secret(struct env *env, void *out, uint64_t n)
{
    uint8_t *to = out;
    for (uint64_t i = 0; i < n; i++)
        to[i] = (uint8_t)(random_next(&node_of(env)->secrets) >> 56);
}

static void sim_boot_id(struct env *env, uint8_t *out)
{
    memset(out, 0, 16);
    out[0] = (uint8_t)node_of(env)->boot;
}

static bool sim_log(struct env *env, const char *line, uint64_t n)
{
    struct sim_node *node = node_of(env);
    world_note_u64(node->world, node->boot);
    world_note(node->world, line, n);
    if (node->world->options.print)
        fprintf(stderr, "%u %.*s", node->boot, (int)n, line);
    return true;
}

static void sim_thread_start(struct env *env, void (*body)(void *arg), void *arg)
{
    (void)env;
    ASSERT(body != NULL);
    ASSERT(arg != NULL);
}

static void sim_nothing(struct env *env)
{
    (void)env;
}

static void sim_work(struct env *env, struct env_job *job)
{
    world_job_add(node_of(env), job);
}

static void sim_work_drain(struct env *env)
{
    world_jobs_drain(node_of(env));
}

/* ---- locks: with one thread, who finds one taken would wait for ever ------------------------- */

struct env_lock {
    bool taken;
};

static struct env_lock *sim_lock_new(struct env *env)
{
    (void)env;
    return memory_new(sizeof(struct env_lock));
}

static void sim_lock_free(struct env_lock *lock)
{
    ASSERT(lock == NULL || !lock->taken);
    memory_free(lock);
}

static void sim_lock_enter(struct env_lock *lock)
{
    ASSERT(!lock->taken);
    lock->taken = true;
}

static void sim_lock_leave(struct env_lock *lock)
{
    ASSERT(lock->taken);
    lock->taken = false;
}

/* ---- pollers: the world knows itself who is ready -------------------------------------------- */

struct env_poller {
    uint64_t wakes;
};

static struct env_poller *sim_poller_new(struct env *env)
{
    (void)env;
    return memory_new(sizeof(struct env_poller));
}

static void sim_poller_free(struct env_poller *poller)
{
    memory_free(poller);
}

static void sim_poller_wait(struct env_poller *poller, uint64_t ns)
{
    (void)poller;
    ASSERT(ns == 0); /* the world calls turns that may not wait */
}

static void sim_poller_run(struct env_poller *poller)
{
    poller->wakes = 0;
}

static void sim_poller_wake(struct env_poller *poller)
{
    poller->wakes++;
}

static mrt_status sim_watch(
    struct env_poller *poller, mrt_watch *watch, int32_t fd, uint32_t events)
{
    (void)poller;
    (void)watch;
    (void)fd;
    (void)events;
    return MRT_ENOTSUP;
}

static void sim_unwatch(struct env_poller *poller, mrt_watch *watch)
{
    (void)poller;
    (void)watch;
}

/* ---- the seed -------------------------------------------------------------------------------- */

/* One in so many answers of a yes-or-no question is yes.
 * Half of the strands' batches are of one. */
static uint64_t one_in(enum env_choice what)
{
    switch (what) {
    case CHOICE_BUSY:
        return 4;
    case CHOICE_PENDING:
        return 2;
    case CHOICE_INLINE:
        return 2;
    case CHOICE_WORKER:
        return 4;
    case CHOICE_RARE:
        return 16;
    case CHOICE_BATCH:
    case CHOICE_ORDER:
    case CHOICE_REACTOR:
    default:
        return 2;
    }
}

static uint64_t sim_choose(struct env *env, enum env_choice what, uint64_t n)
{
    struct world *world = node_of(env)->world;
    ASSERT((uint32_t)what < WORLD_CHOICES);
    ASSERT(n >= 2);
    if (world->options.calm)
        return 0;
    struct random *random = &world->choices[what];
    uint64_t drawn = random_next(random) >> 32;
    if (what == CHOICE_BATCH)
        return drawn % one_in(what) == 0 ? n - 1 : drawn / 2 % n;
    if (what == CHOICE_ORDER || what == CHOICE_REACTOR)
        return drawn % n;
    return drawn % one_in(what) == 0 ? 1 : 0;
}

static void sim_trace(struct env *env, enum env_event event, const uint64_t *v, uint32_t n)
{
    struct sim_node *node = node_of(env);
    world_note_u64(node->world, (uint64_t)event << 32 | node->boot);
    for (uint32_t i = 0; i < n; i++)
        world_note_u64(node->world, v[i]);
}

static void sim_reached(struct env *env, const char *name)
{
    struct world *world = node_of(env)->world;
    for (uint32_t i = 0; i < world->probe_count; i++) {
        if (strcmp(world->probes[i].name, name) == 0) {
            world->probes[i].count++;
            return;
        }
    }
    ASSERT(world->probe_count < WORLD_PROBES);
    world->probes[world->probe_count++] = (struct world_probe){name, 1};
}

const struct env_ops world_env_ops = {
    .thread = sim_thread,
    .mono_ns = sim_mono_ns,
    .wall_ms = sim_wall_ms,
    .secret = sim_secret,
    .boot_id = sim_boot_id,
    .log = sim_log,
    .thread_start = sim_thread_start,
    .threads_join = sim_nothing,
    .work_start = sim_nothing,
    .work = sim_work,
    .work_drain = sim_work_drain,
    .work_stop = sim_work_drain,
    .lock_new = sim_lock_new,
    .lock_free = sim_lock_free,
    .lock_enter = sim_lock_enter,
    .lock_leave = sim_lock_leave,
    .poller_new = sim_poller_new,
    .poller_free = sim_poller_free,
    .poller_wait = sim_poller_wait,
    .poller_run = sim_poller_run,
    .poller_wake = sim_poller_wake,
    .watch = sim_watch,
    .unwatch = sim_unwatch,
    .file_open = sim_file_open,
    .file_close = sim_file_close,
    .file_write = sim_file_write,
    .file_read = sim_file_read,
    .file_read_nowait = sim_file_read_nowait,
    .file_sync = sim_file_sync,
    .file_truncate = sim_file_truncate,
    .file_allocate = sim_file_allocate,
    .file_evict = sim_file_evict,
    .file_length = sim_file_length,
    .file_fd = sim_file_fd,
    .rename = sim_rename,
    .unlink = sim_unlink,
    .mkdir = sim_mkdir,
    .sync_dir = sim_sync_dir,
    .space = sim_space,
    .stat = sim_stat,
    .list = sim_list,
    .choose = sim_choose,
    .trace = sim_trace,
    .reached = sim_reached,
};
