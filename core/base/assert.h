/* SPDX-License-Identifier: Apache-2.0 */
/*
 * assert.h - checks for our own mistakes. They stay in release builds: a broker that has lost
 * track of its state must stop before it acknowledges anything else.
 */
#ifndef CORE_BASE_ASSERT_H
#define CORE_BASE_ASSERT_H

/* Cheap, always on. State what must hold; split conjunctions so the line names the culprit. */
#define ASSERT(condition)                                                                          \
    ((condition) ? (void)0 : assert_failed(#condition, __FILE__, __LINE__, __func__))

/* Walks a structure: in builds with MORTISE_CHECKS only, but compiled in all of them. */
#ifdef MORTISE_CHECKS
#define CHECKS 1
#else
#define CHECKS 0
#endif
#define CHECK(call)                                                                                \
    do {                                                                                           \
        if (CHECKS)                                                                                \
            call;                                                                                  \
    } while (0)

_Noreturn void assert_failed(const char *condition, const char *file, int line, const char *func);

#endif /* CORE_BASE_ASSERT_H */
