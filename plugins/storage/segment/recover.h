/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recover.h - what opening a log finds out: which segments there are, where the log ends, what a
 * crash left torn.
 *
 *   R1  What was closed in order is trusted; only the batches behind the last index entry are read.
 *   R2  After the end of the process the system's cache is whole: the same, and a last batch that
 *       is incomplete is cut off.
 *   R3  After the end of the system everything above the recovery point is read from the device and
 *       indexes are made again. A hole of zeros there is what lost writes leave: the log ends
 *       before it.
 *   R4  Everything else that is wrong is corruption: damage below the recovery point, or with valid
 *       batches behind it. Nothing is cut, the log is not opened: MRT_ECORRUPT.
 *   R5  What is kept is synced before the log is handed out: durable is end.
 */
#ifndef SEGMENT_RECOVER_H
#define SEGMENT_RECOVER_H

#include "plugins/storage/segment/parts.h"

/* Verifies one segment; lives in the recovery. */
struct verify {
    struct segment *segment;
    uint64_t position; /* of the next read */
    uint64_t filled;   /* bytes in the chunk */
    uint64_t fed;      /* of them taken */
    uint64_t at;       /* candidate of the search for a batch behind damage */
    uint64_t valid_at; /* where one was found, else 0 */
    uint32_t rebuild;  /* indexes are made again from nothing */
    uint32_t zeros;    /* the damage holds a sector of zeros */
    mrt_work work;
    mrt_file *log;
    mrt_file *index;
    mrt_file *time;
    struct scan scan;
    struct scan probe;
    struct tail tail;
    int64_t last;   /* offset the last index entry speaks of */
    uint8_t *chunk; /* owned; CHUNK_BYTES */
    uint8_t bytes[4096];
};

struct recovery {
    mrt_log *log;
    mrt_error *why;
    uint32_t create;
    uint32_t verify;
    uint32_t trust;
    uint32_t at; /* segment under work */
    uint32_t leftovers;
    uint32_t swap;    /* files of an unfinished compaction by Kafka */
    uint32_t cut;     /* the log was cut at segment `at` */
    uint32_t sync;    /* what is kept is to be synced */
    uint32_t suspect; /* segments from here on are read as a whole */
    const char *what; /* is wrong */
    int64_t recovered;
    uint64_t read; /* bytes verified */
    struct verify verify_one;
};

/* Coroutine, on the directory's executor, for a log not yet handed out; job->paths are made.
 * MRT_ECORRUPT, with a text in @recovery->why. */
mrt_status segment_recover(struct job *job, struct recovery *recovery);
void segment_recovery_free(struct job *job, struct recovery *recovery);

/* ---- verify.c -------------------------------------------------------------------------------- */

/* Opens the files of verify->segment. */
mrt_status segment_verify_open(struct job *job, struct verify *verify);
void segment_verify_close(struct job *job, struct verify *verify);

/* Reads from the last index entry on, or (rebuild) from the beginning; @evict: from the device.
 * Outcome in verify->scan; index entries are written, if the log may be. */
mrt_status segment_verify(struct job *job, struct recovery *recovery, uint32_t evict);

/* Writes the entries in verify->tail, if the log may be written. */
mrt_status segment_verify_entries(struct job *job, struct verify *verify);

/* The last time entry becomes the segment's latest time. MRT_EAGAIN: the index is not right. */
mrt_status segment_trust_time(struct job *job, struct verify *verify);

/* Looks for a valid batch behind the damage at verify->scan.good: valid_at, zeros. */
mrt_status segment_search(struct job *job, struct recovery *recovery);

#endif /* SEGMENT_RECOVER_H */
