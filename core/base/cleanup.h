/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cleanup.h - release what a local variable holds when its scope ends (GCC and Clang).
 *
 * For functions that acquire several things and can fail between them. Declare such a variable
 * already initialised, always.
 */
#ifndef CORE_BASE_CLEANUP_H
#define CORE_BASE_CLEANUP_H

#define CLEANUP(function) __attribute__((__cleanup__(function)))

/* Gives the value up: the variable is left empty and its cleanup finds nothing to do. */
#define TAKE(variable)                                                                             \
    __extension__({                                                                                \
        __typeof__(variable) taken_ = (variable);                                                  \
        (variable) = NULL;                                                                         \
        taken_;                                                                                    \
    })

#endif /* CORE_BASE_CLEANUP_H */
