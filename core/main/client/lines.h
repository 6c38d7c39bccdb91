/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lines.h - a descriptor as lines, as many at a time as are there: who works in batches is told
 * before a read that would wait.
 */
#ifndef CORE_MAIN_CLIENT_LINES_H
#define CORE_MAIN_CLIENT_LINES_H

#include <stdbool.h>

#include <mortise/abi.h>

#define LINES_BYTES_MAX (UINT64_C(64) << 20) /* of one line; brokers take 1 MiB unless told */

enum lines_found {
    LINES_ONE,
    LINES_WAIT, /* there is no further line now; the next call waits for one */
    LINES_END,
    LINES_FAILED /* errno; EMSGSIZE: a line beyond LINES_BYTES_MAX */
};

struct lines {
    int fd;
    bool ended;
    bool told;
    char *bytes; /* owned */
    uint64_t capacity;
    uint64_t n;
    uint64_t at;      /* where the next line begins */
    uint64_t scanned; /* up to here there is no end of a line */
};

void lines_begin(struct lines *lines, int fd);
void lines_end(struct lines *lines);

/* *@out, without its newline, until the next call. A last line needs none. */
enum lines_found lines_next(struct lines *lines, mrt_str *out);

#endif /* CORE_MAIN_CLIENT_LINES_H */
