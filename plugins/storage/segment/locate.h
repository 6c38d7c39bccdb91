/* SPDX-License-Identifier: Apache-2.0 */
/*
 * locate.h - finding batches by offset, time and position: index files first, then batch headers.
 */
#ifndef SEGMENT_LOCATE_H
#define SEGMENT_LOCATE_H

#include "plugins/storage/segment/parts.h"

#define WINDOW_BYTES 4096

/* Walks the headers of a segment's batches; lives in the job that walks. */
struct cursor {
    struct segment *segment;
    uint64_t position; /* of batch */
    struct kit_batch batch;
    uint64_t window_at;
    uint64_t window_bytes; /* of the log file at window_at; 0: something else is in it */
    /* of the search in an index file */
    int64_t want_ms;
    int64_t from; /* of segment_seek_time() */
    uint32_t want_relative;
    uint32_t want_position;
    uint64_t low;
    uint64_t high;
    uint8_t found[TIME_ENTRY];
    uint32_t reserved;
    uint8_t window[WINDOW_BYTES];
};

/* Coroutines. Reads the header at cursor->position, which is below the segment's size. */
mrt_status segment_cursor_load(struct job *job, struct cursor *cursor);

/* Position of the last batch with an index entry whose offset is at most @offset and whose position
 * is at most @position; 0 if there is none. */
mrt_status segment_floor(struct job *job, struct cursor *cursor, int64_t offset, uint64_t position);

/* Puts the cursor on the first batch that ends at or above @offset, or on the segment's end. */
mrt_status segment_seek(struct job *job, struct cursor *cursor, int64_t offset);

/* Puts the cursor on the first batch whose max timestamp is at least @ms and that ends at or above
 * @offset, or on the segment's end. */
mrt_status segment_seek_time(struct job *job, struct cursor *cursor, int64_t ms, int64_t offset);

/* What of the index files stays when a segment is cut. */
struct kept {
    uint64_t position; /* of the batch of the last offset entry, 0: none */
    int64_t time_ms;   /* of the last time entry, -1: none; so the next */
    int64_t time_last;
    uint32_t offsets;
    uint32_t times;
};
mrt_status segment_kept(
    struct job *job, struct cursor *cursor, uint64_t position, struct kept *out);

#endif /* SEGMENT_LOCATE_H */
