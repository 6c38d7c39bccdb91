/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scene.h - one standalone log in a simulated world, and a core that writes down what it hears.
 * Calls are made inside the instance's executor; the world runs until they ended.
 */
#ifndef TESTS_UNIT_COORDINATION_SCENE_H
#define TESTS_UNIT_COORDINATION_SCENE_H

#include <mortise/coordination.h>

#include "core/runtime/host.h"
#include "tests/sim/world.h"

#define SCENE_ENTRIES_MAX 4096
#define SCENE_DIR         "/meta"

struct scene_options {
    struct disk *disk; /* borrowed */
    uint64_t seed;
    bool calm;
    int32_t node;
    uint64_t segment_bytes;
    uint64_t retain_bytes;
};

struct heard {
    uint64_t offset;
    uint32_t epoch;
    uint32_t n;
    uint8_t bytes[64]; /* the first ones */
};

struct scene {
    struct scene_options options;
    struct world *world;
    struct sim_node *sim;
    mrt_exec *exec;
    struct host *host;
    const mrt_impl *impl;
    const mrt_coordination_ops *ops;
    void *inst;
    mrt_coord *coord;

    /* What was heard since scene_start(). */
    struct heard *entries;
    uint64_t n_entries;
    uint64_t bytes; /* of entries */
    uint64_t next;  /* offset expected next; set by open and snapshot */
    uint32_t role;
    uint32_t role_epoch;
    uint64_t role_tail;
    uint32_t roles;
    mrt_snap_id id;
    mrt_snapshot *snapshot;
    uint32_t wants;
    uint64_t wanted;
    uint32_t fatals;
    mrt_error why;
};

/* Whatever is not set has a default: node 1, segments of 4 KiB, nothing retained. */
void scene_start(struct scene *scene, const struct scene_options *options);
/* Closes the log if it is open, stops the instance, ends the world. The disk stays. */
void scene_end(struct scene *scene);

/* Runs @run inside the executor. */
void scene_inside(struct scene *scene, void (*run)(void *arg), void *arg);
/* Until nothing is left to do. */
void scene_settle(struct scene *scene);

mrt_status scene_open(struct scene *scene, uint64_t have);
mrt_status scene_close(struct scene *scene);
void scene_credit(struct scene *scene, uint64_t bytes);
mrt_status scene_campaign(struct scene *scene, uint32_t eligible);
/* Opens, credits without limit, campaigns, and hears LEADER. */
void scene_lead(struct scene *scene);
mrt_status scene_resign(struct scene *scene, uint32_t epoch);
mrt_coord_stat scene_stat(struct scene *scene);

/* An append under way; its bytes are those of "entry <number>" repeated to @n. */
struct appending {
    struct scene *scene;
    mrt_op op;
    mrt_str entry;
    uint8_t *bytes; /* owned */
    uint64_t offset;
    uint64_t heard_at_end; /* entries heard when it completed */
    mrt_status status;
    uint32_t ended;
    uint32_t epoch;
    uint64_t expect;
};
/* @append->epoch and ->expect are the right ones unless they are set already. */
void appending_start(struct scene *scene, struct appending *append, uint32_t number, uint64_t n);
/* The same from outside the executor. */
void scene_append_start(struct scene *scene, struct appending *append, uint32_t number, uint64_t n);
void appending_fini(struct appending *append);
/* One from beginning to end. */
mrt_status scene_append(struct scene *scene, uint32_t number, uint64_t n);
/* The bytes of entry @number; @out has room for @n. */
void entry_bytes(uint32_t number, uint8_t *out, uint64_t n);
/* Entry @i of those heard has these bytes. */
void assert_heard(const struct scene *scene, uint64_t i, uint32_t number, uint64_t n);

/* Stores a snapshot of @n bytes that ends at @end; the first status that is not MRT_OK. */
mrt_status scene_store(struct scene *scene, uint64_t end, uint64_t n, uint32_t wrong_sum);
mrt_status scene_trim(struct scene *scene, uint64_t below);
/* Reads the offered snapshot; its bytes must be those stored. */
mrt_status scene_adopt(struct scene *scene, uint64_t n);

/* Flips bits of a byte of a file, or cuts it; false: there is no such byte. */
bool disk_poke(struct disk *disk, const char *path, uint64_t at, uint8_t flip);
void disk_cut(struct disk *disk, const char *path, uint64_t bytes);
uint64_t disk_size(struct disk *disk, const char *path); /* 0: none */

#endif /* TESTS_UNIT_COORDINATION_SCENE_H */
