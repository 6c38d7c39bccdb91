/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/runtime/play.h"

#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/list.h"
#include "core/base/memory.h"
#include "core/base/str.h"
#include "core/runtime/host.h"
#include "tests/sim/world.h"

#define NODES    2
#define REACTORS 3
#define STRANDS  4
#define BALLS    12
#define HOPS     60

struct team;

struct court {
    struct team *team;
    mrt_exec *strand;
    mrt_file *file;
    mrt_op open;
    uint64_t written;
    uint32_t inside;
    uint32_t reactor; /* that ran it last */
};

struct ball {
    struct team *team;
    struct court *court; /* where it is, or goes */
    uint32_t number;
    uint32_t hops;
    mrt_task task;
    mrt_timer timer;
    mrt_work work;
    mrt_op op;
    mrt_slice slice;
    mrt_slicev v;
};

/* One node's. */
struct team {
    struct play_result *result;
    struct sim_node *node;
    struct runtime *runtime;
    struct host *host;
    const mrt_host_file *file;
    struct random random;
    struct court courts[STRANDS];
    struct ball balls[BALLS];
    uint32_t open; /* courts */
    uint32_t playing;
    char paths[STRANDS][8];
    mrt_str names[STRANDS];
};

static void hop(struct ball *ball);

/* One entry of the court's strand: @ball hops on, perhaps to another. */
static void visit(struct ball *ball)
{
    struct court *court = ball->court;
    struct team *team = court->team;
    mrt_exec *reactor = runtime_current(team->runtime);
    team->result->wrong += court->inside++ == 0 ? 0 : 1;
    team->result->wrong += exec_inside(court->strand) ? 0 : 1;
    team->result->moved += court->reactor != reactor_index(reactor) ? 1 : 0;
    court->reactor = reactor_index(reactor);
    hop(ball);
    court->inside--;
}

static void ball_arrives(mrt_task *task)
{
    struct ball *ball = CONTAINER(task, struct ball, task);
    visit(ball);
}

static void ball_fires(mrt_timer *timer)
{
    struct ball *ball = CONTAINER(timer, struct ball, timer);
    visit(ball);
}

static void ball_done(mrt_op *op)
{
    struct ball *ball = CONTAINER(op, struct ball, op);
    ball->team->result->wrong += op->status == MRT_OK ? 0 : 1;
    visit(ball);
}

static mrt_status ball_works(mrt_work *work, mrt_error *error)
{
    struct ball *ball = CONTAINER(work, struct ball, work);
    (void)error;
    ball->team->result->wrong += runtime_current(ball->team->runtime) == NULL ? 0 : 1;
    return MRT_OK;
}

static void go_elsewhere(struct ball *ball, uint64_t drawn)
{
    ball->court = &ball->team->courts[drawn / 8 % STRANDS];
    ball->task.run = ball_arrives;
    exec_post(ball->court->strand, &ball->task);
}

static void write_a_byte(struct ball *ball)
{
    struct court *court = ball->court;
    ball->slice = (mrt_slice){.kind = MRT_SLICE_MEM, .ref = (uintptr_t)&ball->number, .len = 1};
    ball->v = (mrt_slicev){.v = &ball->slice, .n = 1, .bytes = 1};
    op_init(&ball->op, court->strand, ball_done, NULL);
    mrt_status status = op_outcome(
        &ball->op, ball->team->file->writev(court->file, &ball->op, &ball->v, court->written++));
    if (status == MRT_PENDING) {
        ball->team->result->pending++;
        return;
    }
    ball->team->result->inline_end++;
    ball->team->result->wrong += status == MRT_OK ? 0 : 1;
    ball->task.run = ball_arrives;
    exec_post(court->strand, &ball->task);
}

/* Inside ball->court: what the ball does next. */
static void hop(struct ball *ball)
{
    struct team *team = ball->team;
    mrt_exec *strand = ball->court->strand;
    uint64_t drawn = random_next(&team->random) >> 8;
    team->result->hops++;
    if (++ball->hops == HOPS) {
        runtime_log(
            team->runtime, MRT_LOG_INFO, ball->number, "play.ball_out ball=%u", ball->number);
        team->playing--;
        return;
    }
    if (drawn % 8 < 4) {
        go_elsewhere(ball, drawn);
    } else if (drawn % 8 < 6) {
        write_a_byte(ball);
    } else if (drawn % 8 == 6) {
        ball->timer.fire = ball_fires;
        exec_timer_set(strand, &ball->timer, exec_now_ns(strand) + drawn / 8 % 5000000);
    } else {
        ball->work.run = ball_works;
        op_init(&ball->op, strand, ball_done, NULL);
        mrt_status status = op_outcome(&ball->op, exec_offload(strand, &ball->op, &ball->work));
        ASSERT(status == MRT_PENDING);
    }
}

/* ---- before and after ------------------------------------------------------------------------ */

static void court_opened(mrt_op *op)
{
    struct court *court = CONTAINER(op, struct court, open);
    ASSERT(op->status == MRT_OK);
    court->team->open++;
}

static void court_open(void *arg)
{
    struct court *court = arg;
    struct team *team = court->team;
    uint64_t at = (uint64_t)(court - team->courts);
    op_init(&court->open, court->strand, court_opened, NULL);
    mrt_status status = team->file->open(
        court->strand, &court->open, &team->names[at], MRT_FILE_WRITE | MRT_FILE_CREATE,
        &court->file);
    if (op_outcome(&court->open, status) != MRT_PENDING)
        court_opened(&court->open);
}

static void court_close(void *arg)
{
    struct court *court = arg;
    court->team->file->close(court->file);
}

static void team_start(struct team *team, struct world *world, struct play_result *result)
{
    team->result = result;
    team->node = sim_node_new(world, &(struct sim_node_options){.reactors = REACTORS});
    team->runtime = sim_node_runtime(team->node);
    team->host = host_new(&(struct host_options){.runtime = team->runtime, .name = "test/play"});
    team->file = host_table(team->host)->get(host_table(team->host), MRT_HOST_FILE);
    team->playing = BALLS;
    runtime_random(team->runtime, "play", &team->random);
    for (uint32_t i = 0; i < BALLS; i++)
        team->balls[i] = (struct ball){.team = team, .number = i + 1};
    for (uint32_t i = 0; i < STRANDS; i++) {
        team->courts[i].team = team;
        team->courts[i].strand = strand_new(team->runtime, i);
        snprintf(team->paths[i], sizeof team->paths[i], "/c%u", i);
        team->names[i] = str_of(team->paths[i]);
        world_inside(world, team->courts[i].strand, court_open, &team->courts[i]);
    }
    while (team->open < STRANDS) {
        bool stepped = world_step(world);
        ASSERT(stepped);
    }
    for (uint32_t i = 0; i < BALLS; i++)
        go_elsewhere(&team->balls[i], (uint64_t)i * 8);
}

static void team_end(struct team *team, struct world *world)
{
    team->result->wrong += team->playing;
    for (uint32_t i = 0; i < STRANDS; i++) {
        world_inside(world, team->courts[i].strand, court_close, &team->courts[i]);
        strand_free(team->courts[i].strand);
    }
    host_free(team->host);
    sim_node_free(team->node);
}

struct play_result play(uint64_t seed, bool calm)
{
    struct play_result result = {0};
    struct world *world = world_new(&(struct world_options){.seed = seed, .calm = calm});
    struct team *teams = memory_array(NODES, sizeof *teams);
    for (uint32_t i = 0; i < NODES; i++)
        team_start(&teams[i], world, &result);
    bool quiet = world_run(world, WORLD_FOREVER);
    ASSERT(quiet);
    result.hash = world_hash(world);
    result.steps = world_steps(world);
    for (uint32_t i = 0; i < NODES; i++)
        team_end(&teams[i], world);
    world_free(world);
    memory_free(teams);
    return result;
}
