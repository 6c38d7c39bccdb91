/* SPDX-License-Identifier: Apache-2.0 */
/*
 * await.h - how MAIN has something done by an executor and waits for it.
 */
#ifndef CORE_MAIN_AWAIT_H
#define CORE_MAIN_AWAIT_H

#include <semaphore.h>

#include "core/runtime/runtime.h"

/* Runs @run inside @exec; back when it returned. */
void await_inside(mrt_exec *exec, void (*run)(void *arg), void *arg);

/* Has @call begin an operation inside @exec, and waits for its outcome. */
mrt_status await_op(mrt_exec *exec, mrt_status (*call)(void *arg, mrt_op *op), void *arg);

#endif /* CORE_MAIN_AWAIT_H */
