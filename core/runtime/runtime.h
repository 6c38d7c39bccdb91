/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runtime.h - the reactors and workers of one broker, above one environment.
 *
 * The environment (env.h) is the only door to the operating system: env_linux/ behind it in the
 * daemon, tests/sim behind it in a simulated run. N runtimes may live in one process.
 */
#ifndef CORE_RUNTIME_RUNTIME_H
#define CORE_RUNTIME_RUNTIME_H

#include "core/runtime/exec.h"

#define REACTORS_MAX   64 /* bits of one word: a log notes its interested reactors in a mask */
#define WORK_QUEUE_MAX 4096

struct env;
struct budget;

struct runtime_options {
    struct env *env;     /* borrowed until runtime_free() */
    uint32_t reactors;   /* 1 to REACTORS_MAX */
    uint32_t log_level;  /* MRT_LOG_; lines below are dropped */
    uint64_t seed;       /* of all random streams that are not secret */
    uint64_t memory_max; /* bytes, for the process account of budget.h */
};

struct runtime *runtime_new(const struct runtime_options *options);

/* Starts the threads. In a simulated environment there are none: the world calls reactor_turn().
 * What was posted before waits until then. */
void runtime_start(struct runtime *runtime);

/* Ends the reactors once their queues are empty and joins them. From MAIN; nothing is in flight but
 * what needs no completion, as closing files and freeing strands, which is carried out. */
void runtime_stop(struct runtime *runtime);

/* Carries out what was left after runtime_stop(), then frees all. */
void runtime_free(struct runtime *runtime);

struct env *runtime_env(const struct runtime *runtime);
uint32_t runtime_reactors(const struct runtime *runtime);

/* The process account: the parent of all others. A quarter of memory_max for each kind. */
struct budget *runtime_budget(struct runtime *runtime);

/* Reactor @i as an executor; the runtime's. */
mrt_exec *runtime_reactor(const struct runtime *runtime, uint32_t i);

/* The reactor whose thread this is; NULL on workers, MAIN and foreign threads. */
mrt_exec *runtime_current(const struct runtime *runtime);
uint32_t reactor_index(const mrt_exec *reactor);

/* One turn: the environment's events, waiting for them if @may_wait and nothing is queued; what was
 * posted and what is due; then strands. For the world and for the reactors' own threads. */
void reactor_turn(mrt_exec *reactor, bool may_wait);

/* One line `event key=value ...`, at most 4096 bytes; @trace joins lines of one request, 0: none.
 * Any thread, never blocks. */
void runtime_log(struct runtime *runtime, uint32_t level, uint64_t trace, const char *format, ...)
    PRINTF(4, 5);

/* The stream of pseudo-random numbers named @purpose; the same seed and name give the same numbers.
 * The caller keeps it, on one executor. */
struct random {
    uint64_t state[4];
};
void runtime_random(const struct runtime *runtime, const char *purpose, struct random *out);
uint64_t random_next(struct random *random);

/* The same for who has no runtime: the stream of @seed and @purpose. */
void random_init(struct random *random, uint64_t seed, const char *purpose);

/* @n bytes from the system's generator; seeded in a simulated environment. */
void runtime_secret(struct runtime *runtime, void *out, uint64_t n);

#endif /* CORE_RUNTIME_RUNTIME_H */
