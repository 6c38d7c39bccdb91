/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/world.h"

#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/list.h"
#include "core/base/memory.h"
#include "core/runtime/reactor.h"
#include "tests/sim/world_parts.h"

#define START_NS    UINT64_C(1000000000) /* so that 0 is not a time */
#define TURN_NS     UINT64_C(1000)       /* what a turn takes */
#define JOB_MIN_NS  UINT64_C(10000)
#define JOB_MAX_NS  UINT64_C(2000000)  /* of a usual one */
#define JOB_SLOW_NS UINT64_C(80000000) /* of one in sixteen */

/* ---- the hash -------------------------------------------------------------------------------- */

void world_note(struct world *world, const void *bytes, uint64_t n)
{
    const uint8_t *at = bytes;
    for (uint64_t i = 0; i < n; i++)
        world->hash = (world->hash ^ at[i]) * UINT64_C(0x100000001b3); /* FNV-1a */
}

void world_note_u64(struct world *world, uint64_t v)
{
    for (uint32_t i = 0; i < 8; i++) {
        uint8_t byte = (uint8_t)(v >> (8 * i));
        world_note(world, &byte, 1);
    }
}

uint64_t world_hash(const struct world *world)
{
    return world->hash;
}

uint64_t world_steps(const struct world *world)
{
    return world->steps;
}

uint64_t world_now_ns(const struct world *world)
{
    return world->now_ns;
}

uint64_t world_reached(const struct world *world, const char *name)
{
    for (uint32_t i = 0; i < world->probe_count; i++) {
        if (strcmp(world->probes[i].name, name) == 0)
            return world->probes[i].count;
    }
    return 0;
}

/* ---- jobs ------------------------------------------------------------------------------------ */

void world_job_add(struct sim_node *node, struct env_job *job)
{
    struct world *world = node->world;
    uint64_t drawn = random_next(&world->jobs) >> 16;
    uint64_t most = drawn % 16 == 0 ? JOB_SLOW_NS : JOB_MAX_NS;
    uint64_t takes = world->options.calm ? JOB_MIN_NS : JOB_MIN_NS + drawn / 16 % most;
    if (world->pending_count == world->pending_cap) {
        world->pending_cap = world->pending_cap == 0 ? 64 : world->pending_cap * 2;
        world->pending = memory_resize(world->pending, world->pending_cap * sizeof *world->pending);
    }
    world->pending[world->pending_count++] = (struct world_job){job, node, world->now_ns + takes};
}

void world_job_run(struct world *world, uint32_t i)
{
    ASSERT(i < world->pending_count);
    ASSERT(world->thread.reactor == NULL);
    struct env_job *job = world->pending[i].job;
    world->pending_count--;
    memmove(
        &world->pending[i], &world->pending[i + 1],
        (world->pending_count - i) * sizeof *world->pending);
    job->run(job);
}

void world_jobs_drain(struct sim_node *node)
{
    struct world *world = node->world;
    for (uint32_t i = 0; i < world->pending_count;) {
        if (world->pending[i].node == node)
            world_job_run(world, i);
        else
            i++;
    }
}

/* ---- nodes ----------------------------------------------------------------------------------- */

struct sim_node *sim_node_new(struct world *world, const struct sim_node_options *options)
{
    uint32_t place = 0;
    while (place < WORLD_NODES_MAX && world->nodes[place] != NULL)
        place++;
    ASSERT(place < WORLD_NODES_MAX);

    struct sim_node *node = memory_new(sizeof *node);
    node->env.ops = &world_env_ops;
    node->world = world;
    node->boot = ++world->boots;
    node->disk = options->disk != NULL ? options->disk : disk_new(0);
    node->owns_disk = options->disk == NULL;
    random_init(&node->secrets, world->options.seed + node->boot, "secret");
    node->runtime = runtime_new(&(struct runtime_options){
        .env = &node->env,
        .reactors = options->reactors,
        .log_level = options->log_level,
        .seed = world->options.seed + node->boot,
        .memory_max = options->memory_max,
    });
    runtime_start(node->runtime);
    world->nodes[place] = node;
    return node;
}

void sim_node_free(struct sim_node *node)
{
    if (node == NULL)
        return;
    struct world *world = node->world;
    runtime_stop(node->runtime);
    runtime_free(node->runtime);
    if (node->owns_disk)
        disk_free(node->disk);
    for (uint32_t i = 0; i < WORLD_NODES_MAX; i++) {
        if (world->nodes[i] == node)
            world->nodes[i] = NULL;
    }
    memory_free(node);
}

struct runtime *sim_node_runtime(const struct sim_node *node)
{
    return node->runtime;
}

struct disk *sim_node_disk(const struct sim_node *node)
{
    return node->disk;
}

/* ---- the world ------------------------------------------------------------------------------- */

struct world *world_new(const struct world_options *options)
{
    struct world *world = memory_new(sizeof *world);
    world->options = *options;
    world->now_ns = START_NS;
    world->hash = UINT64_C(0xcbf29ce484222325);
    random_init(&world->next, options->seed, "world.next");
    random_init(&world->jobs, options->seed, "world.jobs");
    for (uint32_t i = 0; i < WORLD_CHOICES; i++) {
        char purpose[32];
        snprintf(purpose, sizeof purpose, "world.choice.%u", i);
        random_init(&world->choices[i], options->seed, purpose);
    }
    return world;
}

void world_free(struct world *world)
{
    if (world == NULL)
        return;
    for (uint32_t i = 0; i < WORLD_NODES_MAX; i++)
        sim_node_free(world->nodes[i]);
    ASSERT(world->pending_count == 0);
    memory_free(world->pending);
    memory_free(world);
}

/* One thing that can go next. */
struct candidate {
    struct reactor *reactor; /* NULL: job */
    uint32_t job;
};

/* Calls for what can go now: returns how many there are, and in *@out number @wanted. In *@due_ns
 * comes the time when the first of the others can. */
static uint32_t candidates(
    const struct world *world, uint32_t wanted, struct candidate *out, uint64_t *due_ns)
{
    uint32_t count = 0;
    *due_ns = UINT64_MAX;
    for (uint32_t n = 0; n < WORLD_NODES_MAX; n++) {
        const struct runtime *runtime = world->nodes[n] == NULL ? NULL : world->nodes[n]->runtime;
        for (uint32_t i = 0; runtime != NULL && i < runtime->reactor_count; i++) {
            struct reactor *reactor = runtime->reactors[i];
            uint64_t at_ns = reactor_ready(reactor) ? 0 : reactor_due_ns(reactor);
            if (at_ns <= world->now_ns && count++ == wanted)
                *out = (struct candidate){.reactor = reactor};
            else if (at_ns > world->now_ns && at_ns < *due_ns)
                *due_ns = at_ns;
        }
    }
    for (uint32_t i = 0; i < world->pending_count; i++) {
        uint64_t at_ns = world->pending[i].at_ns;
        if (at_ns <= world->now_ns && count++ == wanted)
            *out = (struct candidate){.job = i};
        else if (at_ns > world->now_ns && at_ns < *due_ns)
            *due_ns = at_ns;
    }
    return count;
}

static void run_candidate(struct world *world, const struct candidate *candidate)
{
    world->steps++;
    world_note_u64(world, world->now_ns);
    if (candidate->reactor == NULL) {
        world_job_run(world, candidate->job);
        return;
    }
    reactor_turn(&candidate->reactor->exec, false);
    world->now_ns += TURN_NS;
}

/* As world_step(), but lets time jump to @until_ns at most. */
static bool step_until(struct world *world, uint64_t until_ns)
{
    struct candidate chosen = {0};
    uint64_t due_ns = 0;
    uint32_t count = candidates(world, UINT32_MAX, &chosen, &due_ns);
    if (count == 0) {
        if (due_ns == UINT64_MAX)
            return false;
        world->now_ns = due_ns < until_ns ? due_ns : until_ns;
        return true;
    }
    uint32_t wanted = (uint32_t)((random_next(&world->next) >> 32) % count);
    candidates(world, wanted, &chosen, &due_ns);
    run_candidate(world, &chosen);
    return true;
}

bool world_step(struct world *world)
{
    return step_until(world, WORLD_FOREVER);
}

bool world_run(struct world *world, uint64_t until_ns)
{
    for (uint32_t i = 0; world->now_ns < until_ns; i++) {
        ASSERT(i < WORLD_STEPS_MAX);
        if (step_until(world, until_ns))
            continue;
        if (until_ns != WORLD_FOREVER)
            world->now_ns = until_ns;
        return true;
    }
    return false;
}

/* ---- inside an executor ---------------------------------------------------------------------- */

struct inside {
    mrt_task task;
    void (*run)(void *arg);
    void *arg;
    bool done;
};

static void inside_run(mrt_task *task)
{
    struct inside *inside = CONTAINER(task, struct inside, task);
    inside->run(inside->arg);
    inside->done = true;
}

void world_inside(struct world *world, mrt_exec *exec, void (*run)(void *arg), void *arg)
{
    struct inside inside = {.task.run = inside_run, .run = run, .arg = arg};
    exec_post(exec, &inside.task);
    while (!inside.done) {
        bool stepped = world_step(world);
        ASSERT(stepped);
    }
}
