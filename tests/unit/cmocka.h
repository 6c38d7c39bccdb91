/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmocka.h - cmocka 1.1 with the headers it wants before it, and what all suites share.
 */
#ifndef TESTS_UNIT_CMOCKA_H
#define TESTS_UNIT_CMOCKA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* How many reactors this run is to have: MORTISE_REACTORS, else 1. */
static inline uint32_t test_reactors(void)
{
    const char *text = getenv("MORTISE_REACTORS");
    return text == NULL ? 1 : (uint32_t)strtoul(text, NULL, 10);
}

#endif /* TESTS_UNIT_CMOCKA_H */
