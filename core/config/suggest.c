/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/suggest.h"

#include <stdio.h>

#include "core/base/assert.h"
#include "core/base/str.h"
#include "core/config/schema.h"
#include "core/config/topic/parts.h"
#include "core/plugin/nearest.h"

#define WORDS_MAX 512 /* two names for every setting of the largest table */

void suggest_word(
    const mrt_str *word, const char *const *words, uint32_t count, char *out, size_t size)
{
    ASSERT(size > 0);
    out[0] = '\0';
    const char *found = nearest(word, words, count);
    if (found != NULL)
        snprintf(out, size, "did you mean %s?", found);
}

const struct note_key *suggest_key(
    const mrt_str *word, const struct note_key *keys, uint32_t count, char *out, size_t size)
{
    const char *words[WORDS_MAX] = {NULL};
    ASSERT(count <= WORDS_MAX);
    for (uint32_t i = 0; i < count; i++)
        words[i] = keys[i].name;
    suggest_word(word, words, count, out, size);
    const char *found = nearest(word, words, count);
    for (uint32_t i = 0; i < count; i++)
        if (found == keys[i].name)
            return &keys[i];
    return NULL;
}

/* Is @word the name @kafka with _ for its dots, or that name itself? */
static bool is_kafka(const mrt_str *word, const char *kafka)
{
    if (word->n != strlen(kafka))
        return false;
    for (uint64_t i = 0; i < word->n; i++)
        if (word->p[i] != kafka[i] && (word->p[i] != '_' || kafka[i] != '.'))
            return false;
    return true;
}

void suggest_broker(const mrt_str *word, char *out, size_t size)
{
    uint32_t count;
    const struct topic_static *statics = topic_statics(&count);
    for (uint32_t i = 0; i < count; i++) {
        const char *kafka = statics[i].broker[0].kafka;
        if (statics[i].honoured || kafka == NULL || !is_kafka(word, kafka))
            continue;
        snprintf(
            out, size, "this version has %s = %s and cannot change it", kafka,
            statics[i].key.fallback);
        return;
    }
    const struct note_key *keys = schema_broker(&count);
    suggest_key(word, keys, count, out, size);
}

static uint32_t tops(const char **words)
{
    uint32_t count;
    const struct schema_kind *kinds = schema_kinds(&count);
    uint32_t n = 0;
    words[n++] = "broker";
    words[n++] = "listeners";
    words[n++] = "plugins";
    for (uint32_t i = 0; i < count; i++)
        words[n++] = kinds[i].name;
    ASSERT(n < WORDS_MAX);
    return n;
}

void suggest_top(const mrt_str *word, char *out, size_t size)
{
    const char *words[WORDS_MAX] = {NULL};
    uint32_t count;
    const struct note_key *keys = schema_broker(&count);
    for (uint32_t i = 0; i < count; i++) {
        if (!str_is(word, keys[i].name))
            continue;
        snprintf(out, size, "it belongs into a group: broker: { %s = ...; };", keys[i].name);
        return;
    }
    uint32_t n = tops(words);
    suggest_word(word, words, n, out, size);
    if (out[0] == '\0')
        suggest_key(word, keys, count, out, size);
}

void suggest_override(const mrt_str *word, char *out, size_t size)
{
    const char *words[WORDS_MAX] = {NULL};
    uint32_t count;
    const struct note_key *keys = schema_broker(&count);
    uint32_t n = tops(words);
    for (uint32_t i = 0; i < count; i++) {
        ASSERT(n + 2 <= WORDS_MAX);
        words[n++] = keys[i].name;
        if (keys[i].kafka != NULL)
            words[n++] = keys[i].kafka;
    }
    suggest_word(word, words, n, out, size);
}
