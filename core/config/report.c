/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/memory.h"

#define EXCERPT_MAX  160 /* bytes shown of a line; the caret is inside */
#define EXCERPT_LEAD 80  /* of them before the caret at most, once a line is too long */
#define MESSAGE_MAX  1024

struct report {
    char *text; /* owned; terminated */
    uint64_t size;
    uint64_t room;
    uint32_t errors;
    uint32_t warnings;
    struct place *hidden; /* owned; lines with secrets */
    uint32_t hidden_count;
};

struct report *report_new(void)
{
    struct report *report = memory_new(sizeof *report);
    report->room = MESSAGE_MAX;
    report->text = memory_new(report->room);
    return report;
}

void report_free(struct report *report)
{
    if (report == NULL)
        return;
    memory_free(report->text);
    memory_free(report->hidden);
    memory_free(report);
}

static void add_bytes(struct report *report, const char *p, uint64_t n)
{
    ASSERT(report->size < report->room);
    if (report->room - report->size <= n) {
        report->room = 2 * (report->room + n);
        report->text = memory_resize(report->text, report->room);
    }
    memcpy(report->text + report->size, p, n);
    report->size += n;
    report->text[report->size] = '\0';
}

PRINTF(2, 3) static void add(struct report *report, const char *format, ...)
{
    char line[MESSAGE_MAX];
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    ASSERT(n >= 0);
    add_bytes(report, line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1);
}

/* The line of @at without its end; false when the source has no such line. */
static bool line_of(const struct place *at, mrt_str *out)
{
    const struct source *source = at->source;
    uint64_t begin = 0;
    if (at->line == 0)
        return false;
    for (uint32_t line = 1; line < at->line; line++) {
        const char *end = memchr(source->text + begin, '\n', source->size - begin);
        if (end == NULL)
            return false;
        begin = (uint64_t)(end - source->text) + 1;
    }
    uint64_t n = 0;
    while (begin + n < source->size && source->text[begin + n] != '\n')
        n++;
    *out = (mrt_str){source->text + begin, n};
    return n > 0;
}

void report_hide(struct report *report, const struct place *at)
{
    ASSERT(at != NULL);
    uint64_t count = report->hidden_count + UINT64_C(1);
    report->hidden = memory_resize(report->hidden, count * sizeof *report->hidden);
    report->hidden[report->hidden_count++] = *at;
}

static bool is_hidden(const struct report *report, const struct place *at)
{
    for (uint32_t i = 0; i < report->hidden_count; i++)
        if (report->hidden[i].source == at->source && report->hidden[i].line == at->line)
            return true;
    return false;
}

/* Control bytes would act on the reader's terminal. */
static char printable(char c)
{
    return c == '\t' || ((unsigned char)c >= 0x20 && c != 0x7f) ? c : '?';
}

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

static void add_excerpt(struct report *report, const struct place *at)
{
    mrt_str line;
    if (!line_of(at, &line))
        return;
    uint64_t caret = at->column > 0 ? at->column - 1 : 0;
    if (caret > line.n)
        caret = line.n;
    uint64_t from = line.n > EXCERPT_MAX && caret > EXCERPT_LEAD ? caret - EXCERPT_LEAD : 0;
    while (from > 0 && from < caret && is_continuation(line.p[from]))
        from++;
    uint64_t to = line.n - from > EXCERPT_MAX ? from + EXCERPT_MAX : line.n;

    char shown[EXCERPT_MAX];
    char pad[EXCERPT_MAX];
    uint64_t n = 0;
    uint64_t pads = 0;
    for (uint64_t i = from; i < to; i++) {
        shown[n++] = printable(line.p[i]);
        if (i < caret && !is_continuation(line.p[i]))
            pad[pads++] = line.p[i] == '\t' ? '\t' : ' ';
    }
    add(report, "%5u | ", at->line);
    add_bytes(report, shown, n);
    add(report, "\n      | ");
    add_bytes(report, pad, pads);
    add(report, "^\n");
}

static void add_place(struct report *report, const struct place *at)
{
    if (at == NULL || at->source == NULL)
        return;
    add(report, "%s:", at->source->name);
    if (at->line > 0)
        add(report, "%u:%u:", at->line, at->column > 0 ? at->column : 1);
    add(report, " ");
}

static void add_message(
    struct report *report, const struct place *at, const char *kind, const char *hint,
    const char *text)
{
    uint32_t before = report->errors + report->warnings;
    if (before > REPORT_LINES_MAX)
        return;
    if (before == REPORT_LINES_MAX) {
        add(report, "more than %d messages: the rest is not shown\n", REPORT_LINES_MAX);
        return;
    }
    add_place(report, at);
    add(report, "%s: %s\n", kind, text);
    if (at != NULL && at->source != NULL && !is_hidden(report, at))
        add_excerpt(report, at);
    if (hint != NULL && hint[0] != '\0')
        add(report, "      hint: %s\n", hint);
}

void report_error(
    struct report *report, const struct place *at, const char *hint, const char *format, ...)
{
    char text[MESSAGE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    add_message(report, at, "error", hint, text);
    report->errors++;
}

void report_warning(
    struct report *report, const struct place *at, const char *hint, const char *format, ...)
{
    char text[MESSAGE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    add_message(report, at, "warning", hint, text);
    report->warnings++;
}

void report_complaint(
    struct report *report, const struct source *source, const struct complaint *complaint)
{
    ASSERT(source != NULL);
    ASSERT(complaint->text[0] != '\0');
    struct place at = {source, complaint->line, complaint->column};
    report_error(report, &at, complaint->hint, "%s", complaint->text);
}

uint32_t report_errors(const struct report *report)
{
    return report->errors;
}

uint32_t report_warnings(const struct report *report)
{
    return report->warnings;
}

const char *report_text(const struct report *report)
{
    ASSERT(report->text[report->size] == '\0');
    return report->text;
}
