/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host.h - a host that only create() and destroy() are run against. It counts what is taken
 * and given back, runs out of memory on order, leaves tables out, and notes what a plugin should
 * not have done. One thread, one instance at a time.
 */
#ifndef CORE_PLUGIN_CHECK_HOST_H
#define CORE_PLUGIN_CHECK_HOST_H

#include "core/plugin/check.h"

#define CHECK_TABLES    11                  /* named tables it can offer */
#define CHECK_BLOCKS    4096                /* blocks a plugin may hold at once */
#define CHECK_BYTES_MAX ((uint64_t)1 << 30) /* that one create() may ask for */

struct check_block {
    void *memory;
    uint64_t bytes;
};

struct check_host {
    mrt_host *table; /* at the end of guarded memory */
    const void *tables[CHECK_TABLES];
    uint32_t absent;      /* bits: these tables are not there */
    uint64_t fail_at;     /* the allocation that fails, from 1; 0: none */
    uint64_t allocations; /* asked for */
    uint64_t bytes;       /* held */
    uint32_t handles;     /* leaf locks that were made and not freed */
    struct check_block blocks[CHECK_BLOCKS];
    char violation[CHECK_PROBLEM]; /* the first thing that must not be done, or empty */
};

/* @newer: tables are longer than what this ABI published, as a later host's are. NULL: no
 * memory. */
struct check_host *check_host_new(void *(*guarded)(uint64_t n), uint32_t newer);

/* For the next create(): nothing held, nothing noted. */
void check_host_reset(struct check_host *host);

/* The id of table @i. */
const char *check_table_id(uint32_t i);

/* The executor to be born with. */
mrt_exec *check_host_exec(struct check_host *host);

#endif /* CORE_PLUGIN_CHECK_HOST_H */
