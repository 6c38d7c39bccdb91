/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fakehost.h - a host for plugins that use tables only: one thread, no runtime. Posts and
 * completions wait in a queue until fakehost_run(), so a test sees that nothing ran inside a call.
 * Memory is counted, and the next allocation but `fail_in` fails on order.
 */
#ifndef TESTS_UNIT_FAKEHOST_H
#define TESTS_UNIT_FAKEHOST_H

#include <stdlib.h>
#include <string.h>

#include <mortise/plugin.h>

#include "tests/unit/cmocka.h"

#define FAKEHOST_QUEUE 64

struct fakehost {
    mrt_host table; /* first: found by it */
    uint64_t blocks, bytes, bytes_max_seen;
    int64_t fail_in; /* 0: the next allocation fails, once; below 0: none */
    uint64_t failed;
    mrt_task *tasks[FAKEHOST_QUEUE];
    mrt_op *ops[FAKEHOST_QUEUE];
    uint32_t tasks_n, ops_n;
};

struct mrt_exec {
    struct fakehost *host;
};

struct mrt_cfg {
    int64_t i64[8];
};

static int64_t fakehost_wall_ms = 1000;

static inline struct fakehost *fakehost_of(const mrt_host *table)
{
    return (struct fakehost *)(uintptr_t)table;
}

/* ---- the base table -------------------------------------------------------------------------- */

/* Sizes lie in front of the block, so that free() can count. */
static inline void *fakehost_alloc(const mrt_host *table, uint64_t bytes, uint64_t align)
{
    struct fakehost *host = fakehost_of(table);
    uint8_t *block;
    if (host->fail_in >= 0 && host->fail_in-- == 0) {
        host->failed++;
        return NULL;
    }
    align = align < 16 ? 16 : align;
    block = aligned_alloc(align, (align + bytes + align - 1) / align * align);
    assert_non_null(block);
    memset(block, 0xa5, align + bytes);
    memcpy(block + align - 16, &bytes, 8);
    memcpy(block + align - 8, &align, 8);
    host->blocks++;
    host->bytes += bytes;
    if (host->bytes > host->bytes_max_seen)
        host->bytes_max_seen = host->bytes;
    return block + align;
}

static inline void fakehost_free(const mrt_host *table, void *p)
{
    struct fakehost *host = fakehost_of(table);
    uint64_t bytes, align;
    if (p == NULL)
        return;
    memcpy(&bytes, (uint8_t *)p - 16, 8);
    memcpy(&align, (uint8_t *)p - 8, 8);
    memset(p, 0x5a, bytes);
    host->blocks--;
    host->bytes -= bytes;
    free((uint8_t *)p - align);
}

static inline void fakehost_op_done(
    const mrt_host *table, mrt_op *op, mrt_status status, const mrt_error *why)
{
    struct fakehost *host = fakehost_of(table);
    (void)why;
    assert_true(host->ops_n < FAKEHOST_QUEUE);
    op->status = status;
    host->ops[host->ops_n++] = op;
}

static inline uint32_t fakehost_inside(const mrt_host *table, const mrt_exec *exec)
{
    return exec->host == fakehost_of(table);
}

/* ---- tables found by name -------------------------------------------------------------------- */

static inline void fakehost_post(mrt_exec *exec, mrt_task *task)
{
    assert_true(exec->host->tasks_n < FAKEHOST_QUEUE);
    exec->host->tasks[exec->host->tasks_n++] = task;
}

static inline mrt_status fakehost_leaf_new(const mrt_host *table, mrt_leaf **out)
{
    uint32_t *held = fakehost_alloc(table, sizeof *held, 8);
    if (held == NULL)
        return MRT_ENOMEM;
    struct fakehost *host = fakehost_of(table);
    *held = 0;
    host->blocks--; /* the lock is the host's, not charged */
    host->bytes -= sizeof *held;
    *out = (mrt_leaf *)(void *)held;
    return MRT_OK;
}

static inline void fakehost_leaf_free(mrt_leaf *leaf)
{
    free((uint8_t *)(void *)leaf - 16);
}

static inline void fakehost_leaf_enter(mrt_leaf *leaf)
{
    assert_int_equal((*(uint32_t *)(void *)leaf)++, 0);
}

static inline void fakehost_leaf_leave(mrt_leaf *leaf)
{
    assert_int_equal((*(uint32_t *)(void *)leaf)--, 1);
}

static inline int64_t fakehost_clock_wall_ms(const mrt_exec *exec)
{
    (void)exec;
    return fakehost_wall_ms;
}

static inline mrt_status fakehost_map(const mrt_host *table, const mrt_slice *slice, uint8_t **out)
{
    (void)table;
    if (slice->kind == MRT_SLICE_FILE)
        return MRT_ENOTSUP;
    *out = (uint8_t *)(uintptr_t)slice->ref + slice->off; /* buffer ids are addresses here */
    return MRT_OK;
}

static const mrt_host_exec fakehost_exec = {
    .size = sizeof(mrt_host_exec),
    .post = fakehost_post,
    .leaf_new = fakehost_leaf_new,
    .leaf_free = fakehost_leaf_free,
    .leaf_enter = fakehost_leaf_enter,
    .leaf_leave = fakehost_leaf_leave,
};
static const mrt_host_clock fakehost_clock = {
    .size = sizeof(mrt_host_clock),
    .wall_ms = fakehost_clock_wall_ms,
};
static const mrt_host_buffers fakehost_buffers = {
    .size = sizeof(mrt_host_buffers),
    .map = fakehost_map,
};

static inline const void *fakehost_get(const mrt_host *table, const char *id)
{
    (void)table;
    if (strcmp(id, MRT_HOST_EXEC) == 0)
        return &fakehost_exec;
    if (strcmp(id, MRT_HOST_CLOCK) == 0)
        return &fakehost_clock;
    return strcmp(id, MRT_HOST_BUFFERS) == 0 ? &fakehost_buffers : NULL;
}

/* ---- for tests ------------------------------------------------------------------------------- */

static inline void fakehost_init(struct fakehost *host)
{
    memset(host, 0, sizeof *host);
    host->fail_in = -1;
    host->table = (mrt_host){
        .size = sizeof(mrt_host),
        .abi = MRT_ABI,
        .core_version = "test",
        .get = fakehost_get,
        .alloc = fakehost_alloc,
        .free = fakehost_free,
        .op_done = fakehost_op_done,
        .inside = fakehost_inside,
    };
}

/* Runs what was posted and completed until nothing is left. */
static inline void fakehost_run(struct fakehost *host)
{
    while (host->tasks_n > 0 || host->ops_n > 0) {
        if (host->ops_n > 0) {
            mrt_op *op = host->ops[0];
            memmove(host->ops, host->ops + 1, --host->ops_n * sizeof *host->ops);
            op->done(op);
        } else {
            mrt_task *task = host->tasks[0];
            memmove(host->tasks, host->tasks + 1, --host->tasks_n * sizeof *host->tasks);
            task->run(task);
        }
    }
}

static inline int64_t fakehost_cfg_i64(const mrt_cfg *cfg, uint32_t key)
{
    return cfg->i64[key];
}

static const mrt_cfg_view fakehost_view = {
    .size = sizeof(mrt_cfg_view),
    .i64 = fakehost_cfg_i64,
};

static inline mrt_status fakehost_create(
    struct fakehost *host, mrt_exec *exec, const mrt_impl *impl, const mrt_cfg *cfg, void **inst)
{
    mrt_error error = {0};
    const mrt_create how = {
        .size = sizeof how,
        .host = &host->table,
        .exec = exec,
        .view = &fakehost_view,
        .cfg = cfg,
        .name = {"test", 4},
    };
    return impl->life->create(&how, inst, &error);
}

/* xorshift; the same seed gives the same numbers. */
static inline uint64_t test_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

#endif /* TESTS_UNIT_FAKEHOST_H */
