/* SPDX-License-Identifier: Apache-2.0 */
/*
 * broker.h - a whole broker in a simulated world: a node, the real plugins as they are linked into
 * a static file, the core above them, and the pipe (pipe.h) in the place of tcp. What core/main
 * does with files, threads and signals is done here with a disk in memory and steps of the world.
 *
 *     struct sim_broker *broker = sim_broker_start(&(struct sim_broker_options){
 *         .world = world, .disk = disk, .reactors = 4});
 *     mrt_conn *conn = sim_broker_connect(broker, 2);
 *     ... pipe_write(conn, request, n); world_step(world) ...
 *     pipe_drop(conn);
 *     sim_broker_end(broker);
 *
 * kill -9 is disk_copy() at that moment and a broker over the copy; the killed one is ended in
 * order, for nothing of a runtime may be left behind, but nobody looks at its disk any more.
 */
#ifndef TESTS_SIM_BROKER_H
#define TESTS_SIM_BROKER_H

#include "core/broker/broker.h"
#include "tests/sim/pipe.h"
#include "tests/sim/world.h"

#define SIM_BROKER_STEP_NS UINT64_C(30000000000) /* of a drain, as the daemon's */

struct sim_broker;

struct sim_broker_options {
    struct world *world;
    struct disk *disk; /* borrowed */
    uint32_t reactors;
    const char *const *overrides; /* as -o */
    uint32_t override_count;
};

/* Asserts that everything starts. */
struct sim_broker *sim_broker_start(const struct sim_broker_options *options);

/* Ends it as SIGTERM would, and frees it. Asserts that every step ends in time and well. */
void sim_broker_end(struct sim_broker *broker);

/* A connection to reactor @reactor. */
mrt_conn *sim_broker_connect(struct sim_broker *broker, uint32_t reactor);

struct runtime *sim_broker_runtime(const struct sim_broker *broker);

#endif /* TESTS_SIM_BROKER_H */
