/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/str.h"

#include "core/base/memory.h"

bool str_equal(const mrt_str *a, const mrt_str *b)
{
    return a->n == b->n && (a->n == 0 || memcmp(a->p, b->p, a->n) == 0);
}

bool str_is(const mrt_str *a, const char *text)
{
    mrt_str b = str_of(text);
    return str_equal(a, &b);
}

int str_compare(const mrt_str *a, const mrt_str *b)
{
    uint64_t shared = a->n < b->n ? a->n : b->n;
    int order = shared > 0 ? memcmp(a->p, b->p, shared) : 0;
    if (order != 0)
        return order;
    return a->n < b->n ? -1 : a->n > b->n;
}

char *str_copy(const mrt_str *str)
{
    char *copy = memory_new(str->n + 1);
    if (str->n > 0)
        memcpy(copy, str->p, str->n);
    return copy;
}

bool str_to_i64(const mrt_str *text, int64_t *out)
{
    bool negative = text->n > 0 && text->p[0] == '-';
    uint64_t at = negative ? 1 : 0;
    int64_t value = 0;

    if (at == text->n)
        return false;
    for (; at < text->n; at++) {
        if (text->p[at] < '0' || text->p[at] > '9')
            return false;
        int64_t digit = text->p[at] - '0';
        if (__builtin_mul_overflow(value, 10, &value))
            return false;
        if (__builtin_add_overflow(value, negative ? -digit : digit, &value))
            return false;
    }
    *out = value;
    return true;
}
