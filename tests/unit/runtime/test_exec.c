/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Executors on real threads: a running runtime with MORTISE_REACTORS reactors, and as many foreign
 * threads as a test starts. What is shared without atomics is shared because a strand protects it:
 * under ThreadSanitizer the suite is the proof of the strand's atomics.
 */
#include <pthread.h>

#include "core/base/memory.h"
#include "tests/unit/live.h"

static int scene(void **state)
{
    static struct live live;
    live_start(&live);
    *state = &live;
    return 0;
}

static int end(void **state)
{
    live_stop(*state);
    return 0;
}

/* ---- order ----------------------------------------------------------------------------------- */

#define POSTS 20000

struct numbered {
    mrt_task task;
    struct sink *sink;
    uint32_t sender;
    uint32_t number;
};

/* What the receiving executor saw; its own. */
struct sink {
    mrt_exec *exec;
    uint32_t next[4]; /* per sender */
    uint32_t wrong;
    uint32_t left;
    struct live_event all;
};

static void numbered_run(mrt_task *task)
{
    struct numbered *own = CONTAINER(task, struct numbered, task);
    struct sink *sink = own->sink;
    sink->wrong += own->number != sink->next[own->sender] ? 1 : 0;
    sink->wrong += exec_inside(sink->exec) ? 0 : 1;
    sink->next[own->sender]++;
    if (--sink->left == 0)
        live_signal(&sink->all);
}

struct sender {
    struct sink *sink;
    struct numbered *tasks;
};

static void send_all(void *arg)
{
    struct sender *sender = arg;
    for (uint32_t i = 0; i < POSTS; i++)
        exec_post(sender->sink->exec, &sender->tasks[i].task);
}

static void *send_thread(void *arg)
{
    send_all(arg);
    return NULL;
}

/* Two foreign threads and two reactors (or one twice) post to @exec at the same time. */
static void posts_keep_order(struct live *live, mrt_exec *exec)
{
    struct sink sink = {.exec = exec, .left = 4 * POSTS};
    struct numbered *tasks = memory_array(4 * POSTS, sizeof *tasks);
    struct sender senders[4];
    struct live_call calls[2];
    pthread_t threads[2];
    live_event_init(&sink.all);
    for (uint32_t s = 0; s < 4; s++) {
        senders[s] = (struct sender){&sink, tasks + s * POSTS};
        for (uint32_t i = 0; i < POSTS; i++)
            senders[s].tasks[i] = (struct numbered){{numbered_run, {0}}, &sink, s, i};
    }
    for (uint32_t i = 0; i < 2; i++) {
        calls[i] =
            (struct live_call){.task.run = live_call_run, .run = send_all, .arg = &senders[2 + i]};
        live_event_init(&calls[i].done);
        pthread_create(&threads[i], NULL, send_thread, &senders[i]);
        exec_post(
            runtime_reactor(live->runtime, i % runtime_reactors(live->runtime)), &calls[i].task);
    }
    live_wait(&sink.all);
    for (uint32_t i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        live_wait(&calls[i].done);
    }
    assert_int_equal(sink.wrong, 0);
    memory_free(tasks);
}

static void posts_of_one_sender_reach_a_reactor_in_order(void **state)
{
    struct live *live = *state;
    posts_keep_order(live, runtime_reactor(live->runtime, 0));
}

static void posts_of_one_sender_reach_a_strand_in_order(void **state)
{
    struct live *live = *state;
    mrt_exec *strand = strand_new(live->runtime, 1);
    posts_keep_order(live, strand);
    strand_free(strand);
}

/* ---- exclusion ------------------------------------------------------------------------------- */

#define STRANDS 8
#define BALLS   64
#define HOPS    2000

/* Guarded by its strand and by nothing else. */
struct court {
    mrt_exec *strand;
    uint32_t inside;
    uint64_t visits;
};

/* Goes from strand to reactor to strand, by its own count. */
struct ball {
    mrt_task task;
    struct game *game;
    uint32_t hops;
};

struct game {
    struct live *live;
    struct court courts[STRANDS];
    struct ball balls[BALLS];
    uint32_t wrong; /* atomic */
    uint32_t left;  /* atomic */
    struct live_event over;
};

static void ball_next(struct ball *ball);

static void ball_on_strand(mrt_task *task)
{
    struct ball *ball = CONTAINER(task, struct ball, task);
    struct court *court = &ball->game->courts[ball->hops % STRANDS];
    if (court->inside++ != 0 || !exec_inside(court->strand))
        __atomic_fetch_add(&ball->game->wrong, 1, __ATOMIC_RELAXED);
    court->visits++;
    court->inside--;
    ball_next(ball);
}

static void ball_on_reactor(mrt_task *task)
{
    ball_next(CONTAINER(task, struct ball, task));
}

static void ball_next(struct ball *ball)
{
    struct game *game = ball->game;
    if (++ball->hops > HOPS) {
        if (__atomic_sub_fetch(&game->left, 1, __ATOMIC_ACQ_REL) == 0)
            live_signal(&game->over);
        return;
    }
    if (ball->hops % 5 == 0) {
        uint32_t n = runtime_reactors(game->live->runtime);
        ball->task.run = ball_on_reactor;
        exec_post(runtime_reactor(game->live->runtime, ball->hops / 5 % n), &ball->task);
        return;
    }
    ball->task.run = ball_on_strand;
    exec_post(game->courts[ball->hops % STRANDS].strand, &ball->task);
}

static void a_strand_runs_one_task_at_a_time_whatever_threads_it_meets(void **state)
{
    struct game *game = memory_new(sizeof *game);
    game->live = *state;
    game->left = BALLS;
    live_event_init(&game->over);
    for (uint32_t i = 0; i < STRANDS; i++)
        game->courts[i].strand = strand_new(game->live->runtime, i);
    for (uint32_t i = 0; i < BALLS; i++) {
        game->balls[i] = (struct ball){.game = game, .hops = i};
        ball_next(&game->balls[i]);
    }
    live_wait(&game->over);
    uint64_t visits = 0;
    for (uint32_t i = 0; i < STRANDS; i++) {
        visits += game->courts[i].visits;
        strand_free(game->courts[i].strand);
    }
    uint64_t expected = 0;
    for (uint32_t i = 0; i < BALLS; i++)
        for (uint32_t hop = i + 1; hop <= HOPS; hop++)
            expected += hop % 5 == 0 ? 0 : 1;
    assert_int_equal(visits, expected);
    assert_int_equal(game->wrong, 0);
    memory_free(game);
}

/* ---- the turn -------------------------------------------------------------------------------- */

struct trampoline {
    mrt_exec *reactor;
    mrt_exec *strand;
    mrt_task outer;
    mrt_task inner;
    uint32_t in_outer;
    uint32_t nested;
    uint64_t outer_now, inner_now;
    bool same_thread;
    pthread_t thread;
    struct live_event done;
};

static void inner_run(mrt_task *task)
{
    struct trampoline *own = CONTAINER(task, struct trampoline, inner);
    own->nested = own->in_outer;
    own->inner_now = exec_now_ns(own->strand);
    own->same_thread = pthread_equal(own->thread, pthread_self()) != 0;
    live_signal(&own->done);
}

static void outer_run(mrt_task *task)
{
    struct trampoline *own = CONTAINER(task, struct trampoline, outer);
    own->thread = pthread_self();
    own->outer_now = exec_now_ns(own->reactor);
    own->in_outer = 1;
    exec_post(own->strand, &own->inner);
    own->in_outer = 0;
}

static void a_post_to_a_free_strand_runs_later_in_the_same_turn(void **state)
{
    struct live *live = *state;
    struct trampoline own = {.outer.run = outer_run, .inner.run = inner_run, .nested = 9};
    own.reactor = runtime_reactor(live->runtime, 0);
    own.strand = strand_new(live->runtime, 1); /* at home elsewhere, when there is an elsewhere */
    live_event_init(&own.done);
    exec_post(own.reactor, &own.outer);
    live_wait(&own.done);
    assert_int_equal(own.nested, 0);
    assert_true(own.same_thread);
    assert_true(own.inner_now == own.outer_now);
    strand_free(own.strand);
}

/* ---- workers --------------------------------------------------------------------------------- */

struct chore {
    mrt_work work;
    struct live_op op;
    mrt_exec *exec;
    mrt_status answer;
    mrt_status result;
    bool on_reactor;
    bool home;
    struct live_event *gate; /* waited for by the worker */
};

static mrt_status chore_run(mrt_work *work, mrt_error *error)
{
    struct chore *chore = CONTAINER(work, struct chore, work);
    (void)error;
    chore->on_reactor = runtime_current(exec_runtime(chore->exec)) != NULL;
    if (chore->gate != NULL)
        live_wait(chore->gate);
    return chore->result;
}

static void chore_done(mrt_op *op)
{
    struct chore *chore = CONTAINER(CONTAINER(op, struct live_op, op), struct chore, op);
    chore->home = exec_inside(chore->exec);
    live_op_done(op);
}

static void chore_offload(void *arg)
{
    struct chore *chore = arg;
    chore->work.run = chore_run;
    chore->op.op.done = chore_done;
    chore->answer =
        live_op_outcome(&chore->op, exec_offload(chore->exec, &chore->op.op, &chore->work));
}

static void offloaded_work_completes_once_and_at_home(void **state)
{
    struct live *live = *state;
    const mrt_status results[] = {MRT_OK, MRT_EIO, MRT_ENOENT};
    mrt_exec *strand = strand_new(live->runtime, 0);
    for (uint32_t i = 0; i < 3; i++) {
        struct chore chore = {.exec = strand, .result = results[i], .on_reactor = true};
        live_op_init(&chore.op, strand);
        live_inside(strand, chore_offload, &chore);
        assert_int_equal(live_op_wait(&chore.op), results[i]);
        assert_int_equal(chore.answer, MRT_PENDING);
        assert_int_equal(chore.op.completions, 1);
        assert_true(chore.home);
        assert_false(chore.on_reactor);
    }
    strand_free(strand);
}

static void work_whose_deadline_passed_in_the_queue_is_not_begun(void **state)
{
    struct live *live = *state;
    mrt_exec *reactor = runtime_reactor(live->runtime, 0);
    struct live_event gate; /* nobody opens it: running would be noticed */
    struct chore chore = {.exec = reactor, .gate = &gate, .on_reactor = true};
    live_event_init(&gate);
    live_op_init(&chore.op, reactor);
    chore.op.op.deadline_ns = 1;
    live_inside(reactor, chore_offload, &chore);
    assert_int_equal(live_op_wait(&chore.op), MRT_ETIMEDOUT);
    assert_true(chore.on_reactor); /* as before: run() would have said */
}

struct flood {
    mrt_exec *exec;
    struct chore *chores;
    uint32_t taken;
};

static void flood_run(void *arg)
{
    struct flood *flood = arg;
    for (uint32_t i = 0; i < WORK_QUEUE_MAX + 1; i++) {
        chore_offload(&flood->chores[i]);
        flood->taken += flood->chores[i].answer == MRT_PENDING ? 1 : 0;
    }
}

static void a_full_work_queue_refuses_and_what_was_taken_is_still_done(void **state)
{
    struct live *live = *state;
    struct flood flood = {.exec = runtime_reactor(live->runtime, 0)};
    struct live_event gate;
    live_event_init(&gate);
    flood.chores = memory_array(WORK_QUEUE_MAX + 1, sizeof *flood.chores);
    for (uint32_t i = 0; i <= WORK_QUEUE_MAX; i++) {
        flood.chores[i] = (struct chore){.exec = flood.exec, .gate = &gate};
        live_op_init(&flood.chores[i].op, flood.exec);
    }
    live_inside(flood.exec, flood_run, &flood);
    assert_int_equal(flood.taken, WORK_QUEUE_MAX);
    assert_int_equal(flood.chores[WORK_QUEUE_MAX].answer, MRT_EBUSY);
    for (uint32_t i = 0; i < WORK_QUEUE_MAX; i++)
        live_signal(&gate);
    for (uint32_t i = 0; i < WORK_QUEUE_MAX; i++)
        assert_int_equal(live_op_wait(&flood.chores[i].op), MRT_OK);
    memory_free(flood.chores);
}

/* ---- operations ------------------------------------------------------------------------------ */

static void an_inline_outcome_brings_no_completion(void **state)
{
    struct live *live = *state;
    struct live_op own;
    live_op_init(&own, runtime_reactor(live->runtime, 0));
    assert_int_equal(op_outcome(&own.op, MRT_ENOSPC), MRT_ENOSPC);
    assert_int_equal(own.op.status, MRT_ENOSPC);
    assert_int_equal(op_outcome(&own.op, MRT_OK), MRT_OK);
    assert_int_equal(own.op.status, MRT_OK);
    assert_int_equal(own.completions, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(posts_of_one_sender_reach_a_reactor_in_order),
        cmocka_unit_test(posts_of_one_sender_reach_a_strand_in_order),
        cmocka_unit_test(a_strand_runs_one_task_at_a_time_whatever_threads_it_meets),
        cmocka_unit_test(a_post_to_a_free_strand_runs_later_in_the_same_turn),
        cmocka_unit_test(offloaded_work_completes_once_and_at_home),
        cmocka_unit_test(work_whose_deadline_passed_in_the_queue_is_not_begun),
        cmocka_unit_test(a_full_work_queue_refuses_and_what_was_taken_is_still_done),
        cmocka_unit_test(an_inline_outcome_brings_no_completion),
    };
    return cmocka_run_group_tests_name("exec", tests, scene, end);
}
