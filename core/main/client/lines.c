/* SPDX-License-Identifier: Apache-2.0 */
#include "core/main/client/lines.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "core/base/memory.h"

#define LINES_ROOM (UINT64_C(256) << 10)

void lines_begin(struct lines *lines, int fd)
{
    *lines = (struct lines){.fd = fd, .capacity = LINES_ROOM};
    lines->bytes = memory_resize(NULL, lines->capacity);
}

void lines_end(struct lines *lines)
{
    memory_free(lines->bytes);
    lines->bytes = NULL;
}

/* A line of what has been read; false: none is whole. */
static bool take(struct lines *lines, mrt_str *out)
{
    char *begin = lines->bytes + lines->at;
    char *newline = memchr(lines->bytes + lines->scanned, '\n', lines->n - lines->scanned);
    if (newline == NULL) {
        lines->scanned = lines->n;
        return false;
    }
    *out = (mrt_str){begin, (uint64_t)(newline - begin)};
    lines->at += out->n + 1;
    lines->scanned = lines->at;
    return true;
}

static bool would_wait(const struct lines *lines)
{
    struct pollfd ready = {.fd = lines->fd, .events = POLLIN};
    return poll(&ready, 1, 0) == 0;
}

/* Reads on, behind what was not taken yet. */
static bool fill(struct lines *lines)
{
    if (lines->at > 0) {
        memmove(lines->bytes, lines->bytes + lines->at, lines->n - lines->at);
        lines->n -= lines->at;
        lines->scanned -= lines->at;
        lines->at = 0;
    }
    if (lines->n == LINES_BYTES_MAX) {
        errno = EMSGSIZE;
        return false;
    }
    if (lines->n == lines->capacity)
        lines->bytes = memory_resize(lines->bytes, lines->capacity *= 2);
    ASSERT(lines->capacity <= LINES_BYTES_MAX);
    ssize_t got = -1;
    do
        got = read(lines->fd, lines->bytes + lines->n, lines->capacity - lines->n);
    while (got < 0 && errno == EINTR);
    if (got > 0)
        lines->n += (uint64_t)got;
    lines->ended = got == 0;
    return got >= 0;
}

enum lines_found lines_next(struct lines *lines, mrt_str *out)
{
    while (!take(lines, out)) {
        if (lines->ended && lines->at == lines->n)
            return LINES_END;
        if (lines->ended) {
            *out = (mrt_str){lines->bytes + lines->at, lines->n - lines->at};
            lines->at = lines->scanned = lines->n;
            return LINES_ONE;
        }
        if (!lines->told && would_wait(lines)) {
            lines->told = true;
            return LINES_WAIT;
        }
        lines->told = false;
        if (!fill(lines))
            return LINES_FAILED;
    }
    return LINES_ONE;
}
