/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lexer.h - the words of a configuration file, each with its place.
 *
 * Takes any bytes whatever and always ends: every call either moves on or returns TOKEN_END or
 * TOKEN_BAD, after which the caller stops. The order of words is guard.h's business.
 */
#ifndef CORE_CONFIG_LEXER_H
#define CORE_CONFIG_LEXER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/config/complaint.h"

enum token_type {
    TOKEN_END,
    TOKEN_BAD,  /* lexer->complaint says why */
    TOKEN_WORD, /* a name or a bare word; may contain dots, which the caller judges */
    TOKEN_BOOL,
    TOKEN_INTEGER, /* decimal or hexadecimal, fits int64 */
    TOKEN_FLOAT,
    TOKEN_STRING, /* quotes included */
    TOKEN_PUNCTUATION
};

struct token {
    enum token_type type;
    char punctuation; /* one of = : ; , { } [ ] ( ) */
    bool wide;        /* an integer beyond 31 bits, not yet marked L */
    bool marked;      /* an integer that ends in L */
    bool dotted;      /* a word with a dot in it */
    const char *p;    /* into the text */
    uint64_t n;
    uint32_t line;
    uint32_t column;
};

struct lexer {
    const char *text;
    uint64_t size;
    uint64_t at;
    uint64_t line_start;
    uint32_t line;
    struct complaint *complaint;
};

/* @text, borrowed as long as the lexer, is at most 1 GiB. */
void lexer_init(struct lexer *lexer, const char *text, uint64_t size, struct complaint *complaint);

void lexer_next(struct lexer *lexer, struct token *out);

#endif /* CORE_CONFIG_LEXER_H */
