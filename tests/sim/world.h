/* SPDX-License-Identifier: Apache-2.0 */
/*
 * world.h - a simulated run: brokers, each a runtime over a simulated environment, on one thread
 * and in virtual time. What happens next, and which legal outcome a call has, is drawn from a seed.
 *
 *   W1  The same seed, options and calls give the same run, and so the same world_hash(), whatever
 *       compiled it: nothing depends on addresses, on real time or on the order of hashes.
 *   W2  A step is one turn of one virtual reactor or one job of a worker; whatever could go next is
 *       drawn among. Time stands still inside a step and jumps when nothing can go.
 *   W3  The seed has strands met busy, OK made PENDING, files read and written by workers, tasks of
 *       different senders swapped, the strand's batch cut to one. A calm world does none of that.
 *
 * Use:
 *     struct world *world = world_new(&(struct world_options){.seed = 7});
 *     struct sim_node *node = sim_node_new(world, &(struct sim_node_options){.reactors = 3});
 *     ... strand_new(sim_node_runtime(node), 0), exec_post() ...
 *     assert_true(world_run(world, WORLD_FOREVER));
 *     world_free(world);
 */
#ifndef TESTS_SIM_WORLD_H
#define TESTS_SIM_WORLD_H

#include "core/runtime/runtime.h"
#include "tests/sim/disk.h"

#define WORLD_FOREVER   UINT64_MAX
#define WORLD_STEPS_MAX 10000000 /* of one world_run(): more is a livelock */
#define WORLD_NODES_MAX 16

struct world;
struct sim_node; /* one broker's environment and runtime */

struct world_options {
    uint64_t seed;
    bool calm;  /* W3 */
    bool print; /* log lines also go to standard error */
};

struct world *world_new(const struct world_options *options);

/* With all nodes, which must have come to rest. */
void world_free(struct world *world);

struct sim_node_options {
    uint32_t reactors;
    uint32_t log_level;  /* 0: MRT_LOG_DEBUG */
    uint64_t memory_max; /* as runtime_options */
    struct disk *disk;   /* borrowed until sim_node_free(); NULL: an empty one of its own */
};

struct sim_node *sim_node_new(struct world *world, const struct sim_node_options *options);

/* Stops and frees its runtime; nothing is in flight. The disk can start another node. */
void sim_node_free(struct sim_node *node);
struct runtime *sim_node_runtime(const struct sim_node *node);
struct disk *sim_node_disk(const struct sim_node *node);

/* One step (W2). False: nothing is queued, no timer set, no job left. */
bool world_step(struct world *world);

/* Steps until nothing is left (true), or virtual time has reached @until_ns (false). Afterwards it
 * has, unless that is WORLD_FOREVER. */
bool world_run(struct world *world, uint64_t until_ns);

/* Runs @run inside @exec, and steps until it has. Other things happen meanwhile. */
void world_inside(struct world *world, mrt_exec *exec, void (*run)(void *arg), void *arg);

uint64_t world_now_ns(const struct world *world);

/* Of every step, every task run and every log line so far. */
uint64_t world_hash(const struct world *world);

/* Steps taken, and how often the probe @name was reached. */
uint64_t world_steps(const struct world *world);
uint64_t world_reached(const struct world *world, const char *name);

#endif /* TESTS_SIM_WORLD_H */
