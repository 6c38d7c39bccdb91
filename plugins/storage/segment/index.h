/* SPDX-License-Identifier: Apache-2.0 */
/*
 * index.h - Kafka's sparse indexes of a segment: which batches get an entry, and the entries'
 * bytes.
 *
 *   .index      8 bytes:  4 last offset of a batch - base   4 position where that batch begins
 *   .timeindex 12 bytes:  8 greatest timestamp so far, ms   4 last offset of its batch - base
 *
 *   N1  A batch gets an offset entry when more than the interval was appended since the last one,
 *       the batch itself not counted. The time entry goes with it, if it rises.
 *   N2  A sealed or closed segment ends its time index with its greatest timestamp.
 *   N3  An entry may be left out (both indexes are sparse), never be wrong.
 */
#ifndef SEGMENT_INDEX_H
#define SEGMENT_INDEX_H

#include "sdk/kit/batch.h"

#define INDEX_ENTRY  8
#define TIME_ENTRY   12
#define TAIL_ENTRIES 128

struct offset_entry {
    uint32_t relative;
    uint32_t position;
};

struct time_entry {
    int64_t ms;
    uint32_t relative;
    uint32_t reserved;
};

/* Entries that are not in the files yet, ascending. */
struct tail {
    uint32_t offsets;
    uint32_t times;
    struct offset_entry offset[TAIL_ENTRIES];
    struct time_entry time[TAIL_ENTRIES];
};

/* Where the indexes of one segment stand. */
struct indexer {
    int64_t base;     /* of the segment */
    int64_t max_ms;   /* greatest timestamp, -1: none */
    int64_t max_last; /* last offset of the first batch that carries it */
    int64_t time_ms;  /* of the last time entry, -1: none */
    uint64_t since;   /* bytes since the batch with the last offset entry began; N1 */
    uint64_t interval;
};

void segment_indexer_init(struct indexer *indexer, int64_t base, uint64_t interval);

/* Notes a batch of @size bytes at @position; @tail gets what N1 asks for, if it has room. */
void segment_index_batch(
    struct indexer *indexer, struct tail *tail, const struct kit_batch *batch, uint64_t position);

/* N2: adds the last time entry if it is missing; @tail has room. */
void segment_index_seal(struct indexer *indexer, struct tail *tail);

void segment_offset_encode(const struct offset_entry *v, uint32_t n, uint8_t *out);
void segment_time_encode(const struct time_entry *v, uint32_t n, uint8_t *out);
void segment_offset_decode(const uint8_t *p, struct offset_entry *out);
void segment_time_decode(const uint8_t *p, struct time_entry *out);

/* Is what the header says possible in segment @base,
 * where the next batch begins at or above @expect? */
uint32_t segment_header_ok(const struct kit_batch *batch, int64_t base, int64_t expect);

/* ---- verification ---------------------------------------------------------------------------- */

enum {
    SCAN_GOING,
    SCAN_FULL,   /* the tail is full: write it, then feed the rest */
    SCAN_SHORT,  /* a batch does not end before @limit */
    SCAN_HEADER, /* no batch begins here */
    SCAN_SUM     /* a whole batch that does not carry its checksum */
};

/* Checks a run of batches that comes in pieces of any size. */
struct scan {
    struct indexer indexer;
    struct tail *tail;
    uint64_t limit;    /* where the file ends */
    uint64_t position; /* of the next byte to be fed */
    uint64_t good;     /* position behind the last good batch */
    uint64_t after;    /* SCAN_SUM: behind the bad batch */
    int64_t end;       /* offset behind the last good batch */
    uint64_t batches;
    struct kit_batch batch;
    uint64_t left; /* bytes of the batch still to come, its header not counted */
    uint32_t crc;
    uint32_t have; /* bytes of the header */
    uint32_t result;
    uint32_t reserved;
    uint8_t header[KIT_BATCH_HEADER];
};

/* A scan from @position, whose batch begins at or above offset @expect. */
void segment_scan_init(
    struct scan *scan, const struct indexer *indexer, struct tail *tail, uint64_t position,
    uint64_t limit, int64_t expect);

/* Feeds @n bytes; how many it took. All of them while result is SCAN_GOING. */
uint64_t segment_scan_feed(struct scan *scan, const uint8_t *p, uint64_t n);

/* The file ended: a batch begun is SCAN_SHORT. */
void segment_scan_end(struct scan *scan);

#endif /* SEGMENT_INDEX_H */
