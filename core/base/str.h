/* SPDX-License-Identifier: Apache-2.0 */
/*
 * str.h - the few things the core does with mrt_str: bytes with a length, borrowed.
 */
#ifndef CORE_BASE_STR_H
#define CORE_BASE_STR_H

#include <stdbool.h>
#include <string.h>

#include <mortise/abi.h>

/* A view of a terminated text. */
static inline mrt_str str_of(const char *text)
{
    return (mrt_str){text, strlen(text)};
}

/* For printf's "%.*s". */
#define STR_ARGS(str) (int)(str).n, (str).p

bool str_equal(const mrt_str *a, const mrt_str *b);
bool str_is(const mrt_str *a, const char *text);

/* Byte order; a prefix comes first. */
int str_compare(const mrt_str *a, const mrt_str *b);

/* A terminated copy the caller owns (memory_free()). */
char *str_copy(const mrt_str *str);

/* The whole of @text as a decimal int64; false when it is anything else. */
bool str_to_i64(const mrt_str *text, int64_t *out);

#endif /* CORE_BASE_STR_H */
