/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reactor.h - what the files of this layer share, and a simulated world looks at: the insides of
 * executors and of the runtime. Nobody else includes it.
 *
 *   R1  A reactor's members are touched by the thread its turn runs on, but for the atomic ones.
 *   R2  A strand that is not free has exactly one of: a holder, its entry in a reactor's queue, its
 *       entry in a reactor's list of strands.
 *   R3  A strand's timers are its own; its home reactor knows one alarm of it, never set later than
 *       the earliest of them, or is about to be told (rearm).
 */
#ifndef CORE_RUNTIME_REACTOR_H
#define CORE_RUNTIME_REACTOR_H

#include "core/runtime/budget.h"
#include "core/runtime/bytes.h"
#include "core/runtime/env.h"
#include "core/runtime/heap.h"
#include "core/runtime/queue.h"

#define TURN_TASKS   1024 /* a reactor runs in one turn, so that its timers and events get theirs */
#define TURN_STRANDS 256  /* entries in one turn; strands can post to each other for ever */
#define TURN_TIMERS  256  /* fired in one turn or entry */
#define STALL_NS     UINT64_C(100000000) /* a task or turn that takes longer is named in the log */
#define UNPOLLED_MAX 8                   /* turns without looking for events while there is work */
#define DEVICES_MAX  16 /* told apart when one is slow; further ones share the first's fate */

struct mrt_exec {
    struct runtime *runtime;
    struct reactor *reactor; /* itself, or a strand's home */
    struct strand *strand;   /* NULL: a reactor */
    uint32_t id;             /* from 1, in order of creation */
    struct queue queue;
    struct fifo ready; /* taken from the queue; whoever runs it */
    struct heap timers;
};

/* Read buffers of one reactor (rx.c). */
struct rx_pool {
    struct rx_buffer *free;
    uint32_t made; /* at most RX_BUFFERS */
    uint32_t free_count;
    uint32_t starved;    /* rx_take() failed since the waiting were last told */
    struct fifo waiting; /* tasks of rx_notify() */
};

struct reactor {
    mrt_exec exec;
    uint32_t index;
    uint32_t sleeping; /* atomic: waits for events or is about to; whoever clears it wakes it */
    uint32_t unpolled; /* turns since events were looked for */
    struct env_poller *poller; /* owned */
    const mrt_exec *inside;    /* what runs now; NULL between turns */
    uint64_t now_ns;           /* of this turn */
    int64_t wall_ms;
    struct fifo strands; /* entries of strands to run in this turn */
    struct rx_pool rx;
};

struct strand {
    mrt_exec exec;
    struct reactor *holder; /* whose turn runs it now; NULL: nobody's */
    struct node entry;      /* R2 */
    mrt_timer alarm;        /* on the home reactor */
    mrt_task rearm;         /* to the home reactor: set the alarm to alarm_ns */
    mrt_task tick;          /* to the strand: timers are due */
    mrt_task bury;          /* to the home reactor: strand_free() */
    uint64_t armed_ns;      /* the strand's: when it last asked to be called */
    uint64_t alarm_ns;      /* atomic: the same, for the home reactor */
    uint32_t rearm_posted;  /* atomic */
    uint32_t tick_posted;   /* atomic */
};

/* A device that was slow lately gets its writes from workers (host/file.c). */
struct device {
    uint64_t id;         /* atomic; 0: this place is free */
    uint64_t slow_until; /* atomic, ns */
};

struct log_rate {
    uint64_t second;  /* atomic: of what follows */
    uint64_t lines;   /* atomic: written in it */
    uint64_t dropped; /* atomic: since the last line that says so */
};

struct runtime {
    struct env *env; /* borrowed */
    uint32_t reactor_count;
    uint32_t log_level;
    uint64_t seed;
    uint32_t executors; /* atomic: ids given out */
    uint32_t jobs;      /* atomic: queued for or run by workers */
    uint32_t stopping;  /* atomic */
    struct budget budget;
    struct log_rate log_rate;
    struct device devices[DEVICES_MAX];
    struct reactor *reactors[REACTORS_MAX]; /* owned */
};

/* The reactor of @runtime whose turn runs on this thread, or NULL. */
static inline struct reactor *reactor_here(const struct runtime *runtime)
{
    struct reactor *here = env_thread(runtime->env)->reactor;
    return here != NULL && here->exec.runtime == runtime ? here : NULL;
}

/* ---- posting (exec.c) ------------------------------------------------------------------------ */

/* The one primitive: queues @node on @exec and has it run. */
void node_post(mrt_exec *exec, struct node *node);

/* Runs @node, taken from the queue of @exec, in @here's turn. */
void node_run(const mrt_exec *exec, struct node *node, struct reactor *here);

/* In a simulation: lets the seed choose which of @ready comes first (E2 of env.h). */
void ready_shuffle(const struct runtime *runtime, struct fifo *ready);

/* ---- reactors (reactor.c) -------------------------------------------------------------------- */

struct reactor *reactor_new(struct runtime *runtime, uint32_t index);
void reactor_free(struct reactor *reactor);

/* Pushes @node and wakes @reactor if it sleeps and is not the caller. */
void reactor_push(struct reactor *reactor, struct node *node, const struct reactor *here);

/* Is there anything to run without waiting for an event or for time? */
bool reactor_ready(const struct reactor *reactor);

/* When its first timer is due; UINT64_MAX if none is set. */
uint64_t reactor_due_ns(const struct reactor *reactor);

void reactor_wake(struct reactor *reactor);

/* The watchdog's line: executor @id kept @reactor from everything else for @ns. */
void stall_say(struct reactor *reactor, uint32_t id, uint64_t ns);

/* ---- strands (strand.c) ---------------------------------------------------------------------- */

void strand_push(struct strand *strand, struct node *node, struct reactor *here);

/* Runs the strand whose entry @node is, until it is empty or its bound is reached. */
void strand_run(struct node *entry, struct reactor *here);

/* Sees to it that the home reactor's alarm is not later than the first timer. */
void strand_arm(struct strand *strand);

/* ---- workers (work.c) ------------------------------------------------------------------------ */

/* False, and nothing done, when WORK_QUEUE_MAX are queued and @always is not set. */
bool work_submit(struct runtime *runtime, struct env_job *job, bool always);

/* Has the deadline of @op passed? Then what waited too long in the queue is not begun. */
bool work_is_late(const mrt_op *op);

/* To be called once by each job, before it makes its end known. */
void work_ended(struct runtime *runtime);

/* ---- read buffers (rx.c) --------------------------------------------------------------------- */

/* Posts waiting tasks, as many as there are free buffers. */
void rx_turn(struct reactor *reactor);
bool rx_ready(const struct rx_pool *pool);
void rx_fini(struct rx_pool *pool);

#endif /* CORE_RUNTIME_REACTOR_H */
