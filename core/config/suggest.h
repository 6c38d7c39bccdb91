/* SPDX-License-Identifier: Apache-2.0 */
/*
 * suggest.h - what somebody who wrote an unknown name probably meant, as a hint for a report.
 */
#ifndef CORE_CONFIG_SUGGEST_H
#define CORE_CONFIG_SUGGEST_H

#include "core/plugin/key.h"

/* Each writes a hint into @out, or "" when nothing comes near. */

/* Among the names of @keys; the key it is, or NULL. */
const struct note_key *suggest_key(
    const mrt_str *word, const struct note_key *keys, uint32_t count, char *out, size_t size);

/* Among @words. */
void suggest_word(
    const mrt_str *word, const char *const *words, uint32_t count, char *out, size_t size);

/* For a setting of the broker: its table,
 * and what Kafka has but this version keeps at a default. */
void suggest_broker(const mrt_str *word, char *out, size_t size);

/* For a name at the top of a file: the groups; and settings that belong into a group. */
void suggest_top(const mrt_str *word, char *out, size_t size);

/* For the name of a -o: the settings of the broker under both their names. */
void suggest_override(const mrt_str *word, char *out, size_t size);

#endif /* CORE_CONFIG_SUGGEST_H */
