/* SPDX-License-Identifier: Apache-2.0 */
/*
 * world_parts.h - the insides of world.h.
 */
#ifndef TESTS_SIM_WORLD_PARTS_H
#define TESTS_SIM_WORLD_PARTS_H

#include "core/runtime/env.h"
#include "tests/sim/world.h"

#define WORLD_CHOICES 8
#define WORLD_PROBES  256

/* A job of a worker, and when it will be run. */
struct world_job {
    struct env_job *job; /* borrowed until run */
    struct sim_node *node;
    uint64_t at_ns;
};

struct world_probe {
    const char *name;
    uint64_t count;
};

struct world {
    struct world_options options;
    uint64_t now_ns;
    uint64_t hash;
    uint64_t steps;
    struct env_thread thread; /* the one there is */
    struct random next;       /* which step comes next */
    struct random jobs;       /* how long workers take */
    struct random choices[WORLD_CHOICES];
    struct sim_node *nodes[WORLD_NODES_MAX]; /* owned; NULL: none */
    uint32_t boots;                          /* nodes made so far */
    struct world_job *pending;               /* owned, in order of submission */
    uint32_t pending_count;
    uint32_t pending_cap;
    struct world_probe probes[WORLD_PROBES];
    uint32_t probe_count;
};

struct sim_node {
    struct env env; /* first */
    struct world *world;
    struct runtime *runtime; /* owned */
    struct disk *disk;
    bool owns_disk;
    uint32_t boot;
    struct random secrets;
};

static inline struct sim_node *node_of(struct env *env)
{
    return (struct sim_node *)(void *)env;
}

extern const struct env_ops world_env_ops;

/* Adds @n bytes at @bytes to the hash of the run. */
void world_note(struct world *world, const void *bytes, uint64_t n);
void world_note_u64(struct world *world, uint64_t v);

void world_job_add(struct sim_node *node, struct env_job *job);

/* Runs job @i of the pending ones. */
void world_job_run(struct world *world, uint32_t i);

/* Runs all pending jobs of @node. */
void world_jobs_drain(struct sim_node *node);

/* ---- files (world_disk.c): the environment's calls over the node's disk ---------------------- */

mrt_status sim_file_open(
    struct env *env, const mrt_str *path, uint32_t flags, struct env_file **out, uint64_t *device);
void sim_file_close(struct env *env, struct env_file *file);
mrt_status sim_file_write(struct env_file *file, const mrt_slice *v, uint32_t n, uint64_t off);
mrt_status sim_file_read(struct env_file *file, void *to, uint64_t n, uint64_t off, uint64_t *got);
mrt_status sim_file_read_nowait(
    struct env_file *file, void *to, uint64_t n, uint64_t off, uint64_t *got);
mrt_status sim_file_sync(struct env_file *file, uint32_t flags);
mrt_status sim_file_truncate(struct env_file *file, uint64_t bytes);
mrt_status sim_file_allocate(struct env_file *file, uint64_t off, uint64_t n);
mrt_status sim_file_evict(struct env_file *file, uint64_t off, uint64_t n);
mrt_status sim_file_length(struct env_file *file, uint64_t *bytes);
mrt_status sim_file_fd(struct env_file *file, int32_t *fd);
mrt_status sim_rename(struct env *env, const mrt_str *from, const mrt_str *to);
mrt_status sim_unlink(struct env *env, const mrt_str *path);
mrt_status sim_mkdir(struct env *env, const mrt_str *path);
mrt_status sim_sync_dir(struct env *env, const mrt_str *path);
mrt_status sim_space(struct env *env, const mrt_str *path, uint64_t *total, uint64_t *avail);
mrt_status sim_stat(struct env *env, const mrt_str *path, struct env_stat *out);
mrt_status sim_list(
    struct env *env, const mrt_str *path, bool (*each)(void *ctx, const mrt_str *name), void *ctx);

#endif /* TESTS_SIM_WORLD_PARTS_H */
