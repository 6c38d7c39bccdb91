/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stage.h - one scene in either environment: a runtime with MORTISE_REACTORS reactors, a strand, a
 * plugin's host and a directory of its own. The same tests run on Linux and in a simulated world,
 * of which each test gets a new one with the seed of its run.
 */
#ifndef TESTS_UNIT_RUNTIME_STAGE_H
#define TESTS_UNIT_RUNTIME_STAGE_H

#include <stdlib.h>
#include <string.h>

#include "core/base/str.h"
#include "core/runtime/bytes.h"
#include "core/runtime/host.h"
#include "tests/sim/world.h"
#include "tests/unit/live.h"

struct stage {
    bool simulated;
    uint64_t seed;       /* of the simulated world */
    uint64_t disk_bytes; /* of the simulated disk; 0: no limit */
    struct live live;
    struct world *world;
    struct sim_node *node;
    struct disk *disk;
    struct runtime *runtime;
    mrt_exec *exec; /* a strand */
    struct host *host;
    const mrt_host_file *file;
    char dir[64];
};

static inline void stage_open(struct stage *stage)
{
    if (stage->simulated) {
        stage->world = world_new(&(struct world_options){.seed = stage->seed});
        stage->disk = disk_new(stage->disk_bytes);
        stage->node = sim_node_new(
            stage->world,
            &(struct sim_node_options){.reactors = test_reactors(), .disk = stage->disk});
        stage->runtime = sim_node_runtime(stage->node);
        strcpy(stage->dir, "/d");
        mrt_str dir = str_of(stage->dir);
        assert_int_equal(disk_mkdir(stage->disk, &dir, 0), MRT_OK);
    } else {
        live_start(&stage->live);
        stage->runtime = stage->live.runtime;
        strcpy(stage->dir, "/tmp/mortise.XXXXXX");
        assert_non_null(mkdtemp(stage->dir));
    }
    stage->exec = strand_new(stage->runtime, 0);
    stage->host = host_new(&(struct host_options){.runtime = stage->runtime, .name = "test/stage"});
    stage->file = host_table(stage->host)->get(host_table(stage->host), MRT_HOST_FILE);
}

static inline void stage_close(struct stage *stage)
{
    host_free(stage->host);
    strand_free(stage->exec);
    if (stage->simulated) {
        sim_node_free(stage->node);
        world_free(stage->world);
        disk_free(stage->disk);
        return;
    }
    live_stop(&stage->live);
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", stage->dir);
    assert_int_equal(system(command), 0);
}

/* Runs @run inside the strand and comes back when it has. */
static inline void stage_inside(struct stage *stage, void (*run)(void *arg), void *arg)
{
    if (stage->simulated)
        world_inside(stage->world, stage->exec, run, arg);
    else
        live_inside(stage->exec, run, arg);
}

/* ---- one call that takes an operation -------------------------------------------------------- */

struct stage_call {
    struct stage *stage;
    mrt_status (*call)(void *arg, mrt_op *op);
    void *arg;
    mrt_status answer; /* what the call itself returned */
    struct live_op op;
};

static inline void stage_call_run(void *arg)
{
    struct stage_call *own = arg;
    own->answer = own->call(own->arg, &own->op.op);
    live_op_outcome(&own->op, own->answer);
}

static inline void stage_call_start(struct stage_call *own)
{
    live_op_init(&own->op, own->stage->exec);
    stage_inside(own->stage, stage_call_run, own);
}

static inline mrt_status stage_call_wait(struct stage_call *own)
{
    while (own->stage->simulated && own->op.completions + own->op.inline_ends == 0)
        assert_true(world_step(own->stage->world));
    return live_op_wait(&own->op);
}

/* Makes the call inside the strand; its outcome, however it came. */
static inline mrt_status stage_call(
    struct stage *stage, mrt_status (*call)(void *arg, mrt_op *op), void *arg)
{
    struct stage_call own = {.stage = stage, .call = call, .arg = arg};
    stage_call_start(&own);
    return stage_call_wait(&own);
}

#endif /* TESTS_UNIT_RUNTIME_STAGE_H */
