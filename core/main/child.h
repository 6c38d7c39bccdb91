/* SPDX-License-Identifier: Apache-2.0 */
/*
 * child.h - runs a function in a process that may crash, hang or eat memory without taking us
 * along.
 */
#ifndef CORE_MAIN_CHILD_H
#define CORE_MAIN_CHILD_H

#include <stdbool.h>
#include <stddef.h>

#define CHILD_SECONDS 10 /* a rule of the checker takes milliseconds */

/* Runs @run(@arg, out) in a child with little of everything. True when it came back with true. The
 * text is what it wrote to its out, or how the child died; @out has @cap bytes here and there. */
bool child_run(bool (*run)(void *arg, char *out), void *arg, char *out, size_t cap);

#endif /* CORE_MAIN_CHILD_H */
