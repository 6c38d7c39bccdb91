/* SPDX-License-Identifier: Apache-2.0 */
#include "core/plugin/note.h"

#include <stdio.h>

#include "core/base/assert.h"
#include "core/base/memory.h"
#include "core/base/str.h"

/*
 * The lines come in three stages: the head in a fixed order, then implementations, each with its
 * keys. `key` and `impl` point into arrays that move when they grow: they are set anew at each add.
 */
struct parser {
    struct note *note;
    const char *where;
    mrt_error *error;
    uint32_t line;          /* from 1 */
    uint32_t head;          /* next of head_lines */
    struct note_impl *impl; /* the one whose keys follow; NULL in the head */
    struct note_key *key;   /* the one being described, NULL between */
};

typedef mrt_status line_fn(struct parser *parser, char *value);

static mrt_status refuse(const struct parser *parser, const char *line, const char *expected)
{
    return error_set(
        parser->error, MRT_EINVAL, "%s: note line %u (%.60s): expected %s", parser->where,
        (unsigned)parser->line, line, expected);
}

static bool is_name(const char *text, bool dash)
{
    size_t n = 0;
    for (; text[n] != '\0'; n++) {
        bool lower = text[n] >= 'a' && text[n] <= 'z';
        bool later =
            (text[n] >= '0' && text[n] <= '9') || text[n] == '_' || (dash && text[n] == '-');
        if (!lower && !(n > 0 && later))
            return false;
    }
    return n > 0 && n <= NOTE_NAME_MAX;
}

/* "mortise.storage/1": owner, dot, name, slash, the kind's own major. */
static bool is_kind(const char *text)
{
    const char *dot = strchr(text, '.');
    const char *slash = strchr(text, '/');
    if (dot == NULL || slash == NULL || dot == text || slash <= dot + 1)
        return false;
    mrt_str revision = str_of(slash + 1);
    int64_t major = 0;
    return strlen(text) <= NOTE_NAME_MAX && str_to_i64(&revision, &major) && major > 0;
}

static bool abi_parse(const char *text, uint32_t *out)
{
    const char *dot = strchr(text, '.');
    if (dot == NULL)
        return false;
    mrt_str major_text = {text, (uint64_t)(dot - text)};
    mrt_str minor_text = str_of(dot + 1);
    int64_t major = 0, minor = 0;
    if (!str_to_i64(&major_text, &major) || !str_to_i64(&minor_text, &minor))
        return false;
    if (major < 0 || major > UINT16_MAX || minor < 0 || minor > UINT16_MAX)
        return false;
    *out = (uint32_t)major << 16 | (uint32_t)minor;
    return true;
}

/* ---- head ------------------------------------------------------------------------------------ */

static mrt_status read_name(struct parser *parser, char *value)
{
    if (!is_name(value, true))
        return refuse(parser, value, "a name of a-z, 0-9, - and _, at most 64");
    parser->note->name = value;
    return MRT_OK;
}

static mrt_status read_version(struct parser *parser, char *value)
{
    if (value[0] == '\0' || strlen(value) > NOTE_NAME_MAX)
        return refuse(parser, value, "a version of 1 to 64 bytes");
    parser->note->version = value;
    return MRT_OK;
}

static mrt_status read_abi(struct parser *parser, char *value)
{
    if (!abi_parse(value, &parser->note->abi))
        return refuse(parser, value, "abi=<major>.<minor>, like 0.1");
    return MRT_OK;
}

static mrt_status read_need(struct parser *parser, char *value)
{
    struct note *note = parser->note;
    if (!abi_parse(value, &note->need))
        return refuse(parser, value, "need=<major>.<minor>, like 0.1");
    if (note->need > note->abi || note->need >> 16 != note->abi >> 16)
        return refuse(parser, value, "need= of the same major as abi=, and not above it");
    return MRT_OK;
}

static mrt_status read_tier(struct parser *parser, char *value)
{
    if (strcmp(value, "stable") != 0 && strcmp(value, "draft") != 0)
        return refuse(parser, value, "tier=stable or tier=draft");
    parser->note->draft = strcmp(value, "draft") == 0;
    return MRT_OK;
}

static mrt_status read_core(struct parser *parser, char *value)
{
    if (!parser->note->draft || value[0] == '\0')
        return refuse(parser, value, "core= with a build id, and only after tier=draft");
    parser->note->core = value;
    return MRT_OK;
}

static mrt_status read_words(
    const struct parser *parser, char *value, const char *const *words, uint32_t n,
    const char *expected, uint32_t *bits)
{
    mrt_str rest = str_of(value), word;
    *bits = 0;
    while (list_next(&rest, &word)) {
        uint32_t i = 0;
        while (i < n && !str_is(&word, words[i]))
            i++;
        if (i == n)
            return refuse(parser, value, expected);
        *bits |= 1u << i;
    }
    return MRT_OK;
}

static mrt_status read_flags(struct parser *parser, char *value)
{
    static const char *const words[] = {"sim_safe", "own_threads", "os"};
    uint32_t *flags = &parser->note->flags;
    mrt_status status =
        read_words(parser, value, words, 3, "flags of sim_safe, own_threads, os", flags);
    if (status == MRT_OK && (*flags & NOTE_SIM_SAFE) && (*flags & (NOTE_OS | NOTE_OWN_THREADS)))
        return refuse(parser, value, "sim_safe alone: a plugin with os or own_threads is not");
    return status;
}

static const struct head_line {
    const char *name;
    line_fn *read;
    bool required;
} head_lines[] = {
    {"name", read_name, true},    {"version", read_version, true}, {"abi", read_abi, true},
    {"need", read_need, true},    {"tier", read_tier, true},       {"core", read_core, false},
    {"flags", read_flags, false},
};
#define HEAD_LINES (sizeof head_lines / sizeof *head_lines)

/* The next line that must come before line @upto of the head, if one is missing. */
static const char *head_missing(const struct parser *parser, uint32_t upto)
{
    for (uint32_t i = parser->head; i < upto; i++) {
        bool draft_core = head_lines[i].read == read_core && parser->note->draft;
        if (head_lines[i].required || draft_core)
            return head_lines[i].name;
    }
    return NULL;
}

static mrt_status head_line(struct parser *parser, const char *name, char *value)
{
    char expected[96];
    uint32_t i = parser->head;
    while (i < HEAD_LINES && strcmp(head_lines[i].name, name) != 0)
        i++;
    const char *missing = head_missing(parser, i < HEAD_LINES ? i : HEAD_LINES);
    if (missing == NULL && i < HEAD_LINES) {
        parser->head = i + 1;
        return head_lines[i].read(parser, value);
    }
    snprintf(
        expected, sizeof expected, "%s=; the head is name, version, abi, need, tier, core, flags",
        missing != NULL ? missing : "impl");
    return refuse(parser, name, expected);
}

/* ---- keys ------------------------------------------------------------------------------------ */

static mrt_status key_end(struct parser *parser)
{
    ASSERT(parser->key == NULL || parser->impl != NULL);
    mrt_error inner = {0};
    const struct note_key *key = parser->key;
    parser->key = NULL;
    if (key == NULL)
        return MRT_OK;
    if (key->type == KEY_TYPES)
        return error_set(
            parser->error, MRT_EINVAL, "%s: note: key %s: key.type is missing", parser->where,
            key->name);
    if (key_check(key, &inner) == MRT_OK)
        return MRT_OK;
    return error_set(parser->error, MRT_EINVAL, "%s: note: %s", parser->where, inner.text);
}

static mrt_status read_key(struct parser *parser, char *value)
{
    struct note_impl *impl = parser->impl;
    ASSERT(impl != NULL);
    ASSERT(impl->n_keys <= NOTE_KEYS_MAX);
    mrt_status status = key_end(parser);
    if (status != MRT_OK)
        return status;
    if (!is_name(value, false))
        return refuse(parser, value, "a key name of a-z, 0-9 and _, at most 64");
    if (impl->n_keys == NOTE_KEYS_MAX)
        return refuse(parser, value, "at most 256 keys an implementation");
    for (uint32_t i = 0; i < impl->n_keys; i++)
        if (strcmp(impl->keys[i].name, value) == 0)
            return refuse(parser, value, "each key once an implementation");
    impl->keys = memory_resize(impl->keys, (impl->n_keys + 1) * sizeof *impl->keys);
    parser->key = &impl->keys[impl->n_keys++];
    *parser->key = (struct note_key){.name = value, .type = KEY_TYPES};
    return MRT_OK;
}

static mrt_status read_type(struct parser *parser, char *value)
{
    if (parser->key->type != KEY_TYPES || !key_type_find(value, &parser->key->type))
        return refuse(parser, value, "one key.type: bool i64 f64 str enum list path bytes millis");
    return MRT_OK;
}

/* Cuts @value at its commas, in place. */
static mrt_status read_choices(struct parser *parser, char *value)
{
    struct note_key *key = parser->key;
    mrt_str rest = str_of(value), word;
    const char **choices = memory_array(NOTE_CHOICES_MAX, sizeof *choices);
    key->choices = choices;
    while (list_next(&rest, &word)) {
        if (word.n == 0 || key->n_choices == NOTE_CHOICES_MAX)
            return refuse(parser, value, "1 to 64 choices, none of them empty");
        choices[key->n_choices++] = word.p;
        value[(uint64_t)(word.p - value) + word.n] = '\0';
    }
    return MRT_OK;
}

static mrt_status read_key_flags(struct parser *parser, char *value)
{
    static const char *const words[] = {"required", "secret", "dynamic", "per_topic"};
    return read_words(
        parser, value, words, 4, "key.flags of required, secret, dynamic, per_topic",
        &parser->key->flags);
}

/* A line that is only kept; twice is refused. */
static mrt_status keep(const struct parser *parser, const char **member, char *value)
{
    if (*member != NULL)
        return refuse(parser, value, "each line of a key once");
    *member = value;
    return MRT_OK;
}

static mrt_status key_line(struct parser *parser, const char *name, char *value)
{
    struct note_key *key = parser->key;
    if (key == NULL)
        return refuse(parser, name, "key=<name> before its key. lines");
    if (strcmp(name, "key.type") == 0)
        return read_type(parser, value);
    if (strcmp(name, "key.default") == 0)
        return keep(parser, &key->fallback, value);
    if (strcmp(name, "key.min") == 0)
        return keep(parser, &key->min, value);
    if (strcmp(name, "key.max") == 0)
        return keep(parser, &key->max, value);
    if (strcmp(name, "key.choices") == 0 && key->choices == NULL)
        return read_choices(parser, value);
    if (strcmp(name, "key.flags") == 0)
        return read_key_flags(parser, value);
    if (strcmp(name, "key.kafka") == 0)
        return keep(parser, &key->kafka, value);
    if (strcmp(name, "key.doc") == 0)
        return keep(parser, &key->doc, value);
    return refuse(parser, name, "key.type default min max choices flags kafka doc, each once");
}

/* ---- implementations ------------------------------------------------------------------------- */

static mrt_status read_impl(struct parser *parser, char *value)
{
    struct note *note = parser->note;
    mrt_status status = key_end(parser);
    if (status != MRT_OK)
        return status;
    char *space = strchr(value, ' ');
    if (space != NULL)
        *space = '\0';
    if (space == NULL || !is_kind(value) || !is_name(space + 1, false))
        return refuse(parser, value, "impl=<owner.kind/major> <name>");
    for (uint32_t i = 0; i < note->n_impls; i++)
        if (strcmp(note->impls[i].kind, value) == 0 && strcmp(note->impls[i].name, space + 1) == 0)
            return refuse(parser, space + 1, "each kind and name once in a plugin");
    if (note->n_impls == NOTE_IMPLS_MAX)
        return refuse(parser, value, "at most 16 implementations");
    note->impls = memory_resize(note->impls, (note->n_impls + 1) * sizeof *note->impls);
    parser->impl = &note->impls[note->n_impls++];
    *parser->impl = (struct note_impl){value, space + 1, NULL, 0};
    return MRT_OK;
}

static mrt_status body_line(struct parser *parser, const char *name, char *value)
{
    if (strcmp(name, "impl") == 0)
        return read_impl(parser, value);
    if (strcmp(name, "key") == 0)
        return read_key(parser, value);
    if (strncmp(name, "key.", 4) == 0)
        return key_line(parser, name, value);
    return refuse(parser, name, "impl=, key= or key.<what>=");
}

/* ---- the whole ------------------------------------------------------------------------------- */

static mrt_status line_read(struct parser *parser, char *line)
{
    char *equals = strchr(line, '=');
    if (equals == NULL)
        return refuse(parser, line, "key=value");
    if (strncmp(line, "x-", 2) == 0)
        return MRT_OK;
    *equals = '\0';
    if (parser->impl != NULL)
        return body_line(parser, line, equals + 1);
    if (strcmp(line, "impl") != 0)
        return head_line(parser, line, equals + 1);
    const char *missing = head_missing(parser, HEAD_LINES);
    return missing == NULL ? read_impl(parser, equals + 1) : head_line(parser, line, equals + 1);
}

static mrt_status lines_read(struct parser *parser)
{
    struct note *note = parser->note;
    uint64_t at = 0;
    while (at < note->bytes) {
        char *line = note->words + at;
        at += strlen(note->text + at) + 1;
        parser->line++;
        mrt_status status = line_read(parser, line);
        if (status != MRT_OK)
            return status;
    }
    ASSERT(at == note->bytes);
    if (note->n_impls == 0)
        return refuse(parser, "end", "at least one impl=<kind> <name>");
    return key_end(parser);
}

mrt_status note_parse(
    const char *where, const char *text, uint64_t bytes, struct note **out, mrt_error *error)
{
    ASSERT(where != NULL);
    ASSERT(out != NULL);
    if (bytes == 0 || bytes > NOTE_BYTES_MAX || text[bytes - 1] != '\0')
        return error_set(
            error, MRT_EINVAL, "%s: its note has %llu bytes: expected 1 to %d that end with NUL",
            where, (unsigned long long)bytes, NOTE_BYTES_MAX);
    struct note *note = memory_new(sizeof *note);
    note->bytes = bytes;
    note->text = memory_new(bytes);
    note->words = memory_new(bytes);
    memcpy(note->text, text, bytes);
    memcpy(note->words, text, bytes);
    struct parser parser = {.note = note, .where = where, .error = error};
    mrt_status status = lines_read(&parser);
    if (status == MRT_OK)
        *out = note;
    else
        note_free(note);
    return status;
}

void note_free(struct note *note)
{
    if (note == NULL)
        return;
    for (uint32_t i = 0; i < note->n_impls; i++) {
        for (uint32_t k = 0; k < note->impls[i].n_keys; k++)
            memory_free((void *)(uintptr_t)note->impls[i].keys[k].choices);
        memory_free(note->impls[i].keys);
    }
    memory_free(note->impls);
    memory_free(note->text);
    memory_free(note->words);
    memory_free(note);
}
