/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec.h - executors: whatever has state belongs to one, and it runs one thing at a time.
 *
 * A reactor has a thread; a strand runs on any reactor's. There is one primitive: post.
 *
 *   X1  A task posted from a reactor's turn to a free strand runs on the same thread later in the
 *       same turn, after the task that posted it: several posts of one turn enter a strand once.
 *       Posted to a busy strand it waits for the holder. Nothing ever runs inside exec_post().
 *   X2  A holder runs at most STRAND_BATCH tasks or STRAND_NS, then the strand passes to the
 *       reactor whose turn posted the next task.
 *   X3  A post never allocates and never fails: the task is the queue's node. Tasks of one
 *       sender to one executor keep their order.
 *   X4  Posts from workers and foreign threads wake the executor's home reactor.
 *   X5  Nobody waits inside an executor, and nobody enters another one from inside: one posts.
 */
#ifndef CORE_RUNTIME_EXEC_H
#define CORE_RUNTIME_EXEC_H

#include <stdbool.h>

#include <mortise/host.h>

#include "core/base/error.h"

#define STRAND_BATCH 16
#define STRAND_NS    UINT64_C(100000)

struct runtime;

/* ---- posting; any thread --------------------------------------------------------------------- */

void exec_post(mrt_exec *exec, mrt_task *task);

/* Does the calling thread run inside @exec now? */
bool exec_inside(const mrt_exec *exec);

struct runtime *exec_runtime(const mrt_exec *exec);

/* ---- strands --------------------------------------------------------------------------------- */

/* A strand whose timers and foreign posts are served by reactor @home (modulo their number). The
 * caller's until strand_free(), by when no task, timer or operation of it is left. */
mrt_exec *strand_new(struct runtime *runtime, uint32_t home);
void strand_free(mrt_exec *strand);

/* ---- time; from inside @exec ----------------------------------------------------------------- */

/* Constant within a turn. */
uint64_t exec_now_ns(const mrt_exec *exec);
int64_t exec_wall_ms(const mrt_exec *exec);

/* As mortise.host.exec/1. A strand's timer lies on its home reactor and posts to the strand. */
void exec_timer_set(mrt_exec *exec, mrt_timer *timer, uint64_t at_ns);
void exec_timer_stop(mrt_exec *exec, mrt_timer *timer);

/* ---- operations ------------------------------------------------------------------------------ */

/* Readies @op for one call: zeroes it, then sets executor, completion and caller. */
void op_init(mrt_op *op, mrt_exec *exec, void (*done)(mrt_op *op), void *caller);

/*
 * Wrap around every call of a plugin that takes an operation:
 *     if (op_outcome(&op, ops->append(log, &op, ...)) == MRT_PENDING) return;
 * Hands @status back. In the simulator it may turn an inline outcome into MRT_PENDING, whose
 * completion then follows, so that both ways of every call are exercised. Sets op->status unless
 * pending.
 */
mrt_status op_outcome(mrt_op *op, mrt_status status);

/* Ends an operation somebody answered MRT_PENDING for: @op->done runs on @op->exec, later. Any
 * thread. Also the core's own way to complete what it promised. */
void op_complete(mrt_op *op, mrt_status status);

/* ---- workers --------------------------------------------------------------------------------- */

/* Runs @work on a worker thread, then completes @op with its result; MRT_ETIMEDOUT, and it did not
 * run, if op->deadline_ns passed in the queue. Always MRT_PENDING, or MRT_EBUSY when the queue is
 * full (WORK_QUEUE_MAX in runtime.h). */
mrt_status exec_offload(mrt_exec *exec, mrt_op *op, mrt_work *work);

#endif /* CORE_RUNTIME_EXEC_H */
