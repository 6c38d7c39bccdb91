/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/lexer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/base/assert.h"
#include "core/base/error.h"
#include "core/config/number.h"

#define WORD_SHOWN 40 /* characters of a wrong word that a message repeats */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* What people put into a value they forgot to quote: 7d, 10.0.0.1:9092, 50%. */
static bool is_number_word(char c)
{
    return is_digit(c) || is_letter(c) || (c != '\0' && strchr("_.:%/+-", c) != NULL);
}

static bool is_name(char c)
{
    return is_digit(c) || is_letter(c) || (c != '\0' && strchr("_-*.", c) != NULL);
}

static int shown(uint64_t n)
{
    return n < WORD_SHOWN ? (int)n : WORD_SHOWN;
}

void lexer_init(struct lexer *lexer, const char *text, uint64_t size, struct complaint *complaint)
{
    ASSERT(text != NULL || size == 0);
    ASSERT(size <= UINT64_C(1) << 30);
    ASSERT(complaint != NULL);
    *lexer = (struct lexer){text, size, 0, 0, 1, complaint};
}

/* The byte @ahead of the next one; NUL, which no caller takes for anything, beyond the end. */
static char peek(const struct lexer *lexer, uint64_t ahead)
{
    return lexer->at + ahead < lexer->size ? lexer->text[lexer->at + ahead] : '\0';
}

static uint32_t column_of(const struct lexer *lexer)
{
    ASSERT(lexer->at >= lexer->line_start);
    return (uint32_t)(lexer->at - lexer->line_start) + 1;
}

static void newline(struct lexer *lexer)
{
    ASSERT(peek(lexer, 0) == '\n');
    lexer->at++;
    lexer->line++;
    lexer->line_start = lexer->at;
}

static void start(const struct lexer *lexer, struct token *out)
{
    *out = (struct token){
        .type = TOKEN_END,
        .p = lexer->text + lexer->at,
        .line = lexer->line,
        .column = column_of(lexer)};
}

static void finish(const struct lexer *lexer, struct token *out, enum token_type type)
{
    out->type = type;
    out->n = (uint64_t)(lexer->text + lexer->at - out->p);
}

PRINTF(5, 6)
static void bad(
    struct lexer *lexer, struct token *out, uint32_t column, const char *hint, const char *format,
    ...)
{
    struct complaint *complaint = lexer->complaint;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(complaint->text, sizeof complaint->text, format, arguments);
    va_end(arguments);
    snprintf(complaint->hint, sizeof complaint->hint, "%s", hint);
    complaint->line = out->line;
    complaint->column = column;
    out->type = TOKEN_BAD;
}

/* Over one comment; false when it does not end. */
static bool skip_comment(struct lexer *lexer)
{
    if (peek(lexer, 0) == '#' || peek(lexer, 1) == '/') {
        while (lexer->at < lexer->size && peek(lexer, 0) != '\n')
            lexer->at++;
        return true;
    }
    lexer->at += 2;
    while (lexer->at < lexer->size) {
        if (peek(lexer, 0) == '*' && peek(lexer, 1) == '/') {
            lexer->at += 2;
            return true;
        }
        if (peek(lexer, 0) == '\n')
            newline(lexer);
        else
            lexer->at++;
    }
    return false;
}

static bool at_comment(const struct lexer *lexer)
{
    if (peek(lexer, 0) == '#')
        return true;
    return peek(lexer, 0) == '/' && (peek(lexer, 1) == '/' || peek(lexer, 1) == '*');
}

/* Over space and comments; false, with a complaint, when a comment does not end. */
static bool skip_blank(struct lexer *lexer, struct token *out)
{
    for (;;) {
        start(lexer, out);
        if (lexer->at == lexer->size)
            return true;
        char c = peek(lexer, 0);
        if (c == '\n') {
            newline(lexer);
        } else if (c == ' ' || c == '\t' || c == '\r') {
            lexer->at++;
        } else if (at_comment(lexer)) {
            if (!skip_comment(lexer)) {
                bad(lexer, out, out->column, "end it with */", "this comment never ends");
                return false;
            }
        } else {
            return true;
        }
    }
}

/* The bytes of an escape at a backslash; 0: not one that every libconfig reads the same way. */
static uint32_t escape_length(const struct lexer *lexer)
{
    char c = peek(lexer, 1);
    if (c == 'x') {
        bool zero = peek(lexer, 2) == '0' && peek(lexer, 3) == '0';
        return is_hex(peek(lexer, 2)) && is_hex(peek(lexer, 3)) && !zero ? 4 : 0;
    }
    return c != '\0' && strchr("nrtf\\\"", c) != NULL ? 2 : 0;
}

static void lex_string(struct lexer *lexer, struct token *out)
{
    static const char unescaped[] = "write \\\\ for a backslash";
    lexer->at++;
    while (lexer->at < lexer->size) {
        char c = peek(lexer, 0);
        if (c == '"') {
            lexer->at++;
            finish(lexer, out, TOKEN_STRING);
            return;
        }
        if (c == '\n' || c == '\r')
            break;
        if (c != '\t' && ((unsigned char)c < 0x20 || c == 0x7f)) {
            bad(lexer, out, column_of(lexer), "take it out, or write it as \\xHH",
                "a control character (0x%02x) in a string", (unsigned)c);
            return;
        }
        uint32_t step = c == '\\' ? escape_length(lexer) : 1;
        if (step == 0) {
            bad(lexer, out, column_of(lexer), unescaped, "an escape that means nothing");
            return;
        }
        lexer->at += step;
    }
    bad(lexer, out, out->column, "a string ends on its line, with \"", "this string never ends");
}

/* A name, or a value that lacks its quotes; what may stand where is the caller's to say. */
static void lex_word(struct lexer *lexer, struct token *out)
{
    while (is_name(peek(lexer, 0))) {
        out->dotted = out->dotted || peek(lexer, 0) == '.';
        lexer->at++;
    }
    finish(lexer, out, TOKEN_WORD);
    if ((out->n == 4 && strncasecmp(out->p, "true", 4) == 0) ||
        (out->n == 5 && strncasecmp(out->p, "false", 5) == 0))
        out->type = TOKEN_BOOL;
}

static void lex_number(struct lexer *lexer, struct token *out)
{
    while (is_number_word(peek(lexer, 0)) && !at_comment(lexer))
        lexer->at++;
    finish(lexer, out, TOKEN_INTEGER);

    char hint[COMPLAINT_TEXT];
    snprintf(
        hint, sizeof hint, "text and values with a unit stand in quotes: \"%.*s\"", shown(out->n),
        out->p);
    switch (number_scan(out->p, out->n, &out->wide, &out->marked)) {
    case NUMBER_INTEGER:
        return;
    case NUMBER_FLOAT:
        out->type = TOKEN_FLOAT;
        return;
    case NUMBER_TOO_GREAT:
        bad(lexer, out, out->column, "", "%.*s does not fit 64 bits", shown(out->n), out->p);
        return;
    case NUMBER_ZEROS:
        bad(lexer, out, out->column, "numbers are decimal, or hexadecimal after 0x",
            "%.*s begins with a zero", shown(out->n), out->p);
        return;
    case NUMBER_NONE:
        bad(lexer, out, out->column, hint, "%.*s is not a number", shown(out->n), out->p);
        return;
    }
}

static void lex_other(struct lexer *lexer, struct token *out)
{
    char c = peek(lexer, 0);
    if (c != '\0' && strchr("=:;,{}[]()", c) != NULL) {
        lexer->at++;
        finish(lexer, out, TOKEN_PUNCTUATION);
        out->punctuation = c;
    } else if (c == '@') {
        bad(lexer, out, out->column, "put the other file into conf.d/ instead",
            "@include is not supported");
    } else if (c == '\0') {
        bad(lexer, out, out->column, "is this a text file?", "a NUL byte");
    } else if (c > 0x20 && c < 0x7f) {
        bad(lexer, out, out->column, "text stands in quotes", "a stray '%c'", c);
    } else {
        bad(lexer, out, out->column, "outside of strings and comments only ASCII is allowed",
            "a stray byte (0x%02x)", (unsigned)(unsigned char)c);
    }
}

void lexer_next(struct lexer *lexer, struct token *out)
{
    if (!skip_blank(lexer, out) || lexer->at == lexer->size)
        return;
    uint64_t before = lexer->at;
    char c = peek(lexer, 0);
    if (c == '"')
        lex_string(lexer, out);
    else if (is_letter(c) || c == '*')
        lex_word(lexer, out);
    else if (is_digit(c) || c == '-' || c == '+' || c == '.')
        lex_number(lexer, out);
    else
        lex_other(lexer, out);
    ASSERT(lexer->at <= lexer->size);
    ASSERT(lexer->at > before || out->type == TOKEN_BAD);
}
