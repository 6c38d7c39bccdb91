/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nearest.h - "did you mean": the word that somebody who typed another one probably wanted.
 */
#ifndef CORE_PLUGIN_NEAREST_H
#define CORE_PLUGIN_NEAREST_H

#include <mortise/abi.h>

#define NEAREST_EDITS    2  /* more is another word, not a slip */
#define NEAREST_WORD_MAX 64 /* bytes; longer words are not compared */

/* The one of @words with the fewest insertions, removals, changes and swaps of neighbours from
 * @word, the first of equals; NULL when all are farther than NEAREST_EDITS or half of @word. */
const char *nearest(const mrt_str *word, const char *const *words, uint32_t n);

#endif /* CORE_PLUGIN_NEAREST_H */
