/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wal.h - the bytes of the write-ahead log: segments of records, the vote file, snapshot files.
 * Pure: encodes, decodes and judges memory; no files, no allocation. Integers are big-endian.
 *
 *   offset  size  segment header       offset  size  record, at multiples of 8
 *        0     4  "MRTW"                    0     4  length of the payload
 *        4     2  format, 1                 4     4  CRC-32C of all but this field
 *        6     2  flags, 0                  8     8  offset of the entry
 *        8    16  generation of the log    16     8  batch: offset of the first record that was
 *       24     4  node                               written together with this one
 *       28     4  checksum of the record   24     4  epoch
 *                 before the first         28     4  checksum of the record before
 *       32     8  offset of the first      32     1  type, WAL_ENTRY
 *       40    20  0                        33     7  0
 *       60     4  CRC-32C of 0 to 60       40        payload, then zeros up to a multiple of 8
 *
 *   offset  size  vote                 offset  size  snapshot header, the state follows
 *        0     8  "MRTV", 1, 0              0     8  "MRTS", 1, 0
 *        8    16  generation                8    16  generation
 *       24     4  node                     24     8  end offset
 *       28     4  epoch                    32     8  bytes of the state
 *       32     4  voted for, a node        40     4  epoch
 *       36     4  0                        44     4  CRC-32C of the state
 *       40     8  entries below are        48    12  0
 *                 known to be durable      60     4  CRC-32C of 0 to 60
 *       48    12  0
 *       60     4  CRC-32C of 0 to 60
 *
 *   W1  A record follows another: offset is one more, epoch not less, and it names its checksum.
 *   W2  What was written together became durable together: a torn write leaves any part of its
 *       batch and nothing after it. So a record that is not sound is torn if nothing intact shows
 *       that a later batch was written; otherwise it was damaged later, and that is never repaired
 *       by cutting.
 */
#ifndef PLUGINS_COORDINATION_RAFT_WAL_H
#define PLUGINS_COORDINATION_RAFT_WAL_H

#include <mortise/abi.h>

#define WAL_FORMAT     1
#define WAL_HEADER     64 /* bytes of every file's header */
#define WAL_RECORD     40 /* bytes before the payload */
#define WAL_ENTRY_MAX  (8 * 1024 * 1024)
#define WAL_GENERATION 16

enum {
    WAL_ENTRY = 1 /* types above belong to raft: MRT_ETOONEW */
};

struct raft_header {
    uint8_t generation[WAL_GENERATION];
    int32_t node;
    uint32_t sum; /* of the record before the first */
    uint64_t first;
};

struct raft_vote {
    uint8_t generation[WAL_GENERATION];
    int32_t node;
    uint32_t epoch;
    int32_t voted_for;
    uint32_t reserved;
    uint64_t committed;
};

struct raft_state {
    uint8_t generation[WAL_GENERATION];
    uint64_t end;
    uint64_t bytes;
    uint32_t epoch;
    uint32_t sum;
};

struct raft_record {
    uint64_t offset;
    uint64_t batch;
    const uint8_t *payload;
    uint32_t length;
    uint32_t epoch;
    uint32_t before; /* checksum of the record before */
    uint32_t sum;
};

/* Where reading a segment has come to: what the next record must follow (W1). */
struct raft_cursor {
    uint64_t position; /* bytes into the file */
    uint64_t offset;
    uint32_t epoch;
    uint32_t sum;
};

/* All write or read WAL_HEADER bytes. MRT_ETOONEW, MRT_ECORRUPT. */
void raft_header_put(const struct raft_header *header, uint8_t *out);
mrt_status raft_header_get(const uint8_t *bytes, struct raft_header *out);
void raft_vote_put(const struct raft_vote *vote, uint8_t *out);
mrt_status raft_vote_get(const uint8_t *bytes, struct raft_vote *out);
void raft_state_put(const struct raft_state *state, uint8_t *out);
mrt_status raft_state_get(const uint8_t *bytes, struct raft_state *out);

/* Bytes of a record with that payload, padding included. */
uint64_t raft_record_size(uint64_t length);

/* Writes the WAL_RECORD bytes before @record's payload, and sets @record->sum. */
void raft_record_put(struct raft_record *record, uint8_t *out);

/* The record at @cursor of the @size bytes of a segment; moves @cursor on. MRT_ENOENT at the end,
 * MRT_ECORRUPT when it is not sound or does not follow, MRT_ETOONEW. */
mrt_status raft_record_next(
    const uint8_t *bytes, uint64_t size, struct raft_cursor *cursor, struct raft_record *out);

/* Is what is not sound at @cursor a torn write (W2)? */
int raft_record_torn(const uint8_t *bytes, uint64_t size, const struct raft_cursor *cursor);

#endif /* PLUGINS_COORDINATION_RAFT_WAL_H */
