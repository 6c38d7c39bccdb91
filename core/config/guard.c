/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/guard.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/base/assert.h"
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/config/lexer.h"

#define WORD_SHOWN 40

enum expect {
    EXPECT_NAME,   /* or the end of the group */
    EXPECT_ASSIGN, /* = or : */
    EXPECT_VALUE,
    EXPECT_ITEM, /* just behind [ or ( : a value or the end */
    EXPECT_MORE  /* behind a value */
};

struct level {
    char open;            /* {, [ or (; 0 for the file itself */
    bool wide;            /* of an array: its integers get L */
    enum token_type type; /* of an array: of its first element, TOKEN_END before */
    struct mark at;
};

struct walk {
    struct lexer lexer;
    struct guard *guard;
    struct complaint *complaint;
    struct level levels[GUARD_DEPTH_MAX + 1];
    uint32_t depth;
    enum expect expect;
    const char *copied; /* the text before this is in the output */
    bool after_string;  /* the last token was a string */
};

PRINTF(4, 5)
static bool refuse(
    struct walk *walk, const struct mark *at, const char *hint, const char *format, ...)
{
    struct complaint *complaint = walk->complaint;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(complaint->text, sizeof complaint->text, format, arguments);
    va_end(arguments);
    snprintf(complaint->hint, sizeof complaint->hint, "%s", hint);
    complaint->line = at->line;
    complaint->column = at->column;
    return false;
}

static struct mark mark_of(const struct token *token)
{
    return (struct mark){token->line, token->column};
}

static int shown(const struct token *token)
{
    return token->n < WORD_SHOWN ? (int)token->n : WORD_SHOWN;
}

static struct level *top(struct walk *walk)
{
    ASSERT(walk->depth <= GUARD_DEPTH_MAX);
    return &walk->levels[walk->depth];
}

static char closing(char open)
{
    return open == '{' ? '}' : open == '[' ? ']' : ')';
}

static void copy_until(struct walk *walk, const char *end)
{
    ASSERT(end >= walk->copied);
    uint64_t n = (uint64_t)(end - walk->copied);
    memcpy(walk->guard->text + walk->guard->size, walk->copied, n);
    walk->guard->size += n;
    walk->copied = end;
}

static void widen(struct walk *walk, const struct token *token)
{
    copy_until(walk, token->p + token->n);
    walk->guard->text[walk->guard->size++] = 'L';
}

/* Does an integer beyond 31 bits, or one already marked, stand before the array's end? */
static bool array_is_wide(const struct walk *walk)
{
    struct complaint ignored;
    struct lexer ahead = walk->lexer;
    struct token token;
    ahead.complaint = &ignored;
    for (;;) {
        lexer_next(&ahead, &token);
        if (token.type == TOKEN_END || token.type == TOKEN_BAD)
            return false;
        if (token.type == TOKEN_PUNCTUATION && token.punctuation != ',')
            return false;
        if (token.type == TOKEN_INTEGER && (token.wide || token.marked))
            return true;
    }
}

static bool open_level(struct walk *walk, const struct token *token)
{
    struct mark at = mark_of(token);
    if (walk->depth == GUARD_DEPTH_MAX)
        return refuse(walk, &at, "", "nested deeper than %d levels", GUARD_DEPTH_MAX);
    if (top(walk)->open == '[')
        return refuse(
            walk, &at, "a list, ( ... ), may hold groups and lists",
            "an array holds plain values only");
    walk->guard->values[walk->guard->value_count++] = at;
    walk->depth++;
    bool wide = token->punctuation == '[' && array_is_wide(walk);
    *top(walk) = (struct level){token->punctuation, wide, TOKEN_END, at};
    walk->expect = token->punctuation == '{' ? EXPECT_NAME : EXPECT_ITEM;
    return true;
}

static bool close_level(struct walk *walk, const struct token *token)
{
    struct mark at = mark_of(token);
    struct level *level = top(walk);
    if (walk->depth == 0)
        return refuse(walk, &at, "", "nothing is open that '%c' could close", token->punctuation);
    if (closing(level->open) != token->punctuation)
        return refuse(
            walk, &at, "", "'%c' where '%c' should close line %u", token->punctuation,
            closing(level->open), level->at.line);
    walk->depth--;
    walk->expect = EXPECT_MORE;
    return true;
}

static bool on_name(struct walk *walk, const struct token *token)
{
    struct mark at = mark_of(token);
    char hint[COMPLAINT_TEXT];
    if (token->type == TOKEN_PUNCTUATION && token->punctuation == '}')
        return close_level(walk, token);
    if (token->type != TOKEN_WORD)
        return refuse(
            walk, &at, "settings are written name = value;", "a name should stand here, not %.*s",
            shown(token), token->p);
    if (token->dotted) {
        snprintf(hint, sizeof hint, "write %.*s", shown(token), token->p);
        for (char *c = hint; *c != '\0'; c++)
            *c = *c == '.' ? '_' : *c;
        return refuse(walk, &at, hint, "a name has no dots");
    }
    walk->guard->names[walk->guard->name_count++] = at;
    walk->expect = EXPECT_ASSIGN;
    return true;
}

static bool on_assign(struct walk *walk, const struct token *token)
{
    struct mark at = mark_of(token);
    char c = token->type == TOKEN_PUNCTUATION ? token->punctuation : '\0';
    if (c != '=' && c != ':')
        return refuse(
            walk, &at, "settings are written name = value;", "'=' should stand here, not %.*s",
            shown(token), token->p);
    walk->expect = EXPECT_VALUE;
    return true;
}

static bool is_letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* How much of the text at @token was meant as one value: localhost:9092 is two words and a ':'. */
static int meant(const struct walk *walk, const struct token *token)
{
    static const char others[] = "_.:%/+-";
    const char *end = walk->lexer.text + walk->lexer.size;
    const char *p = token->p;
    while (p < end && p - token->p < WORD_SHOWN && *p != '\0' &&
           (is_letter_or_digit(*p) || strchr(others, *p) != NULL))
        p++;
    return (int)(p - token->p);
}

static bool bare_word(struct walk *walk, const struct token *token)
{
    static const char *const yes[] = {"yes", "on", "enable", "enabled"};
    static const char *const no[] = {"no", "off", "disable", "disabled"};
    struct mark at = mark_of(token);
    char hint[COMPLAINT_TEXT];
    int n = meant(walk, token);
    snprintf(hint, sizeof hint, "text stands in quotes: \"%.*s\"", n, token->p);
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
        if (token->n == strlen(yes[i]) && strncasecmp(token->p, yes[i], token->n) == 0)
            snprintf(hint, sizeof hint, "a switch is true or false: write true");
        if (token->n == strlen(no[i]) && strncasecmp(token->p, no[i], token->n) == 0)
            snprintf(hint, sizeof hint, "a switch is true or false: write false");
    }
    return refuse(walk, &at, hint, "%.*s is not a value", n, token->p);
}

static bool on_scalar(struct walk *walk, const struct token *token)
{
    struct level *level = top(walk);
    struct mark at = mark_of(token);
    if (level->open == '[') {
        if (level->type != TOKEN_END && level->type != token->type)
            return refuse(walk, &at, "", "the values of an array are all of one kind");
        level->type = token->type;
    }
    if (token->type == TOKEN_INTEGER && !token->marked && (token->wide || level->wide))
        widen(walk, token);
    walk->guard->values[walk->guard->value_count++] = at;
    walk->expect = EXPECT_MORE;
    return true;
}

static bool on_value(struct walk *walk, const struct token *token)
{
    struct mark at = mark_of(token);
    if (token->type == TOKEN_WORD)
        return bare_word(walk, token);
    if (token->type != TOKEN_PUNCTUATION)
        return on_scalar(walk, token);
    if (strchr("{[(", token->punctuation) != NULL)
        return open_level(walk, token);
    if (walk->expect == EXPECT_ITEM && token->punctuation == closing(top(walk)->open))
        return close_level(walk, token);
    char open = top(walk)->open;
    bool trailing = (open == '[' || open == '(') && token->punctuation == closing(open);
    return refuse(
        walk, &at, trailing ? "take the comma before it away" : "",
        "a value should stand here, not '%c'", token->punctuation);
}

static bool on_more(struct walk *walk, const struct token *token)
{
    struct level *level = top(walk);
    struct mark at = mark_of(token);
    char c = token->type == TOKEN_PUNCTUATION ? token->punctuation : '\0';
    bool in_list = level->open == '[' || level->open == '(';

    if (in_list && c == ',') {
        walk->expect = EXPECT_VALUE;
        return true;
    }
    if (in_list && c == closing(level->open))
        return close_level(walk, token);
    if (token->type == TOKEN_STRING && walk->after_string)
        return refuse(
            walk, &at, in_list ? "put a comma between them" : "", "two strings side by side");
    if (in_list)
        return refuse(
            walk, &at, "", "',' or '%c' should stand here, not %.*s", closing(level->open),
            shown(token), token->p);
    walk->expect = EXPECT_NAME;
    if (c == ';' || c == ',')
        return true;
    return on_name(walk, token);
}

static bool on_end(struct walk *walk, const struct token *token)
{
    struct mark at = mark_of(token);
    const struct level *level = top(walk);
    if (walk->depth > 0)
        return refuse(walk, &level->at, "", "this '%c' is never closed", level->open);
    if (walk->expect == EXPECT_ASSIGN || walk->expect == EXPECT_VALUE)
        return refuse(walk, &at, "", "the file ends within a setting");
    return true;
}

static bool step(struct walk *walk, const struct token *token)
{
    switch (walk->expect) {
    case EXPECT_NAME:
        return on_name(walk, token);
    case EXPECT_ASSIGN:
        return on_assign(walk, token);
    case EXPECT_VALUE:
    case EXPECT_ITEM:
        return on_value(walk, token);
    case EXPECT_MORE:
        break;
    }
    ASSERT(walk->expect == EXPECT_MORE);
    return on_more(walk, token);
}

static bool walk_text(struct walk *walk)
{
    struct token token;
    for (;;) {
        lexer_next(&walk->lexer, &token);
        if (token.type == TOKEN_BAD)
            return false;
        if (token.type == TOKEN_END)
            return on_end(walk, &token);
        if (!step(walk, &token))
            return false;
        walk->after_string = token.type == TOKEN_STRING;
    }
}

/* A name or value has at least one byte and an integer gets at most one L, so tables of the size of
 * the text and twice its bytes are always enough. */
bool guard_run(const char *text, uint64_t size, struct guard *out, struct complaint *complaint)
{
    ASSERT(text != NULL || size == 0);
    *complaint = (struct complaint){0};
    if (size > GUARD_SIZE_MAX) {
        snprintf(
            complaint->text, sizeof complaint->text, "larger than %d KiB",
            (int)(GUARD_SIZE_MAX >> 10));
        return false;
    }
    *out = (struct guard){
        .text = memory_new(2 * size + 1),
        .names = memory_array(size + 1, sizeof(struct mark)),
        .values = memory_array(size + 1, sizeof(struct mark))};
    struct walk walk = {.guard = out, .complaint = complaint, .copied = text};
    lexer_init(&walk.lexer, text, size, complaint);
    if (!walk_text(&walk)) {
        guard_fini(out);
        return false;
    }
    if (size > 0)
        copy_until(&walk, text + size);
    ASSERT(out->size <= 2 * size);
    ASSERT(out->name_count <= size);
    ASSERT(out->value_count <= size);
    return true;
}

void guard_fini(struct guard *guard)
{
    memory_free(guard->text);
    memory_free(guard->names);
    memory_free(guard->values);
    *guard = (struct guard){0};
}
