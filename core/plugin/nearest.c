/* SPDX-License-Identifier: Apache-2.0 */
#include "core/plugin/nearest.h"

#include <string.h>

#include "core/base/assert.h"

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Edits between @a and @b, both at most NEAREST_WORD_MAX; rows[i % 3] is the row of the table for
 * the first i bytes of @a. */
static uint32_t distance(const char *a, uint64_t n_a, const char *b, uint64_t n_b)
{
    uint32_t rows[3][NEAREST_WORD_MAX + 1];
    ASSERT(n_a <= NEAREST_WORD_MAX);
    ASSERT(n_b <= NEAREST_WORD_MAX);
    for (uint32_t j = 0; j <= n_b; j++)
        rows[0][j] = j;
    for (uint32_t i = 1; i <= n_a; i++) {
        uint32_t *row = rows[i % 3];
        const uint32_t *above = rows[(i + 2) % 3];
        const uint32_t *twice = rows[(i + 1) % 3];
        row[0] = i;
        for (uint32_t j = 1; j <= n_b; j++) {
            uint32_t change = above[j - 1] + (a[i - 1] != b[j - 1]);
            row[j] = least(change, least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], twice[j - 2] + 1);
        }
    }
    return rows[n_a % 3][n_b];
}

const char *nearest(const mrt_str *word, const char *const *words, uint32_t n)
{
    ASSERT(word != NULL);
    const char *best = NULL;
    uint32_t best_edits = NEAREST_EDITS + 1;
    if (word->n > NEAREST_WORD_MAX)
        return NULL;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t length = strlen(words[i]);
        if (length > NEAREST_WORD_MAX)
            continue;
        uint32_t edits = distance(word->p, word->n, words[i], length);
        if (edits >= best_edits || edits * 2 > word->n)
            continue;
        best = words[i];
        best_edits = edits;
    }
    return best;
}
