/* SPDX-License-Identifier: Apache-2.0 */
/*
 * raft.h - what the files of this plugin share: instance, open log, chains of calls.
 *
 *   R1  One voter: what is durable here is committed. An entry's life is
 *           queue -> writing (one write and one sync at a time) -> waiting (durable) -> delivered
 *       and its append ends after entries() had it.
 *   R2  The vote file names an epoch before anybody hears of it.
 *   R3  A sync that failed is final: nothing is known of what is on disk. `dead` from then on.
 *   R4  Nothing of the core runs inside a call: events leave from the pump, a posted task.
 *   R5  A chain has one call of the host in flight; there are four chains, for what may overlap.
 */
#ifndef PLUGINS_COORDINATION_RAFT_RAFT_H
#define PLUGINS_COORDINATION_RAFT_RAFT_H

#include <mortise/coordination.h>

#include "plugins/coordination/raft/chain.h"
#include "plugins/coordination/raft/wal.h"

#define RAFT_BATCH_RECORDS 128 /* entries of one write: bounds its headers */
#define RAFT_BATCH_BYTES   (1024 * 1024)
#define RAFT_APPENDS_MAX   8192   /* in flight; the core has one, tests more */
#define RAFT_SEGMENTS_MAX  100000 /* beyond it the last one grows */
#define RAFT_SNAP_CHUNK    (256 * 1024)
#define RAFT_EVENT_ENTRIES 64 /* of one entries() */
#define RAFT_LEASE_MS      10000
#define RAFT_WANT_SEGMENTS 16 /* full ones behind the snapshot before another is asked for */

struct raft_store {
    const mrt_host *host;
    const mrt_host_exec *exec_table;
    const mrt_host_file *file;
    const mrt_host_random *random;
    const mrt_host_log *log; /* or NULL */
    mrt_exec *exec;
    struct mrt_coord *coord; /* the open log, or NULL */
    uint64_t segment_bytes;
    uint64_t retain_bytes;
    uint32_t drained;
    uint32_t dir_n;
    char dir[RAFT_DIR_MAX];
};

struct raft_segment {
    uint64_t first; /* offset */
    uint64_t end;   /* offset after its last entry */
    uint64_t bytes;
};

/* A whole segment in memory. */
struct raft_load {
    struct raft_chain *chain;
    mrt_status (*next)(struct mrt_coord *coord, mrt_status status);
    mrt_file *file;
    uint8_t *bytes;
    uint64_t size;
    uint64_t got;
};

/* The segment being made. */
struct raft_make {
    struct raft_chain *chain;
    mrt_status (*next)(struct mrt_coord *coord, mrt_status status);
    mrt_file *file;
    mrt_status fault;
};

/* Lies in the scratch of an append's operation. */
struct __attribute__((__may_alias__)) raft_append {
    mrt_op *next;
    const mrt_str *entry;
    uint64_t *offset; /* out */
    uint64_t at;
};

struct raft_queue {
    mrt_op *head;
    mrt_op **tail;
    uint32_t n;
};

struct mrt_coord {
    struct raft_store *store;
    const mrt_coord_events *events;
    void *ctx;
    int32_t node;
    enum {
        RAFT_RUNNING,
        RAFT_CLOSING, /* chains in flight end first */
        RAFT_SIGNING, /* the vote file is written, with the end */
        RAFT_CLOSED   /* files are closed, the last task is posted */
    } closing;
    uint32_t dead; /* R3 */
    mrt_error why; /* of dead, and of an open that fails */

    struct raft_chain main;   /* open, elect, close */
    struct raft_chain writer; /* appends */
    struct raft_chain reader; /* replay, snapshot_read */
    struct raft_chain saver;  /* snapshot_put, trim */
    struct raft_call opening, closer, trimmer, committer;
    mrt_status beginning; /* of a snapshot_begin() that failed inside */
    mrt_coord **out;      /* of open */
    uint64_t have;        /* the core has entries below */

    /* Files. */
    mrt_file *lock;
    mrt_file *active; /* the last segment */
    struct raft_segment *segments;
    uint32_t n_segments, segments_cap;
    struct raft_vote vote;
    struct raft_state snapshot; /* end 0: there is none */
    struct raft_cursor tail;    /* of the last segment: position, offset, epoch, sum */
    mrt_file *vote_file;        /* while it is written or read */
    mrt_status (*vote_next)(struct mrt_coord *coord, mrt_status status);
    struct raft_make make;
    struct raft_load load;
    uint32_t at_segment; /* while opening: the one being read */
    uint32_t found;      /* while opening: RAFT_FOUND_ bits */
    uint64_t stale;      /* end of an older snapshot, to be removed; 0: none */
    uint32_t torn;       /* while opening: RAFT_TORN_ of the last segment */
    mrt_dirlist list;
    mrt_dirent *entries;
    char *names;
    uint64_t below; /* of the trim under way */
    uint32_t trimmed;

    /* Leadership. */
    uint32_t leading; /* LEADER was said */
    uint32_t eligible;
    uint32_t role_due; /* LEADER is to be said once all is delivered */
    uint32_t fatal_due;
    uint32_t want_due; /* a snapshot is to be asked for */
    uint64_t wanted;   /* end of the snapshot when that was done last, plus one */
    uint32_t yields;   /* gives up leading once what is in flight has ended */
    struct raft_call resigner;

    /* Entries (R1). */
    struct raft_queue queue, writing, waiting;
    uint64_t next;      /* offset the next append gets */
    uint64_t committed; /* offset after the last durable entry */
    uint64_t delivered;
    uint64_t from_files; /* entries below lie in files, others in waiting appends */
    uint64_t credit;
    uint64_t batch_bytes;
    struct raft_cursor after; /* tail once what is being written is durable */
    mrt_status refusal;       /* why what is being written is cut back */
    uint8_t heads[RAFT_BATCH_RECORDS][WAL_RECORD];
    mrt_slice slices[3 * RAFT_BATCH_RECORDS];
    mrt_slicev slicev;
    uint8_t header[WAL_HEADER];

    /* Replay. */
    struct raft_cursor replay; /* in the loaded segment */
    uint64_t replay_from;      /* delivered, when it was loaded */
    mrt_snapshot *reading;     /* handed to the core, or NULL */
    mrt_snapshot *putting;
    mrt_task pump;
    uint32_t pump_posted;
    mrt_task last; /* of closing */
};

enum {
    RAFT_WHOLE,
    RAFT_TORN_TAIL,  /* cut at tail.position */
    RAFT_TORN_HEADER /* never had a record: removed */
};

enum {
    RAFT_FOUND_VOTE = 1,
    RAFT_FOUND_FILES = 2
};

/* ---- open.c, recover.c, load.c, check.c ------------------------------------------------------ */

mrt_status raft_open(void *inst, mrt_op *op, const mrt_coord_spec *spec, mrt_coord **out);
void raft_coord_free(struct mrt_coord *coord);
void raft_list_free(struct mrt_coord *coord);

/* Ends the open with @status; coord->why says why, or names @what if it does not yet. */
mrt_status raft_open_failed(struct mrt_coord *coord, mrt_status status, const char *what);

/* Goes on where the vote is known. */
mrt_status raft_recover(struct mrt_coord *coord);

/* Reads the segment that begins at @first into coord->load on @chain, then @next. */
mrt_status raft_load_start(
    struct raft_chain *chain, uint64_t first,
    mrt_status (*next)(struct mrt_coord *coord, mrt_status status));
void raft_load_free(struct mrt_coord *coord);

/* Judges the segment in coord->load, number coord->at_segment; sets coord->torn for the last. */
mrt_status raft_check_segment(struct mrt_coord *coord);
/* Do segments, snapshot and vote agree? */
mrt_status raft_check_whole(struct mrt_coord *coord);

/* ---- vote.c ---------------------------------------------------------------------------------- */

/* Writes coord->vote durably on the main chain, then @next. */
mrt_status raft_vote_write(
    struct mrt_coord *coord, mrt_status (*next)(struct mrt_coord *coord, mrt_status status));
/* Begins an election if this node may lead and does not. */
void raft_elect(struct mrt_coord *coord);

/* ---- append.c, roll.c ------------------------------------------------------------------------ */

mrt_status raft_append_entry(
    mrt_coord *coord, mrt_op *op, uint32_t epoch, uint64_t expect_offset, const mrt_str *entry,
    uint64_t *offset);
void raft_queue_init(struct raft_queue *queue);
mrt_op *raft_queue_take(struct raft_queue *queue);
struct raft_append *raft_append_of(mrt_op *op);
/* Ends all of @queue with @status. */
void raft_queue_end(struct mrt_coord *coord, struct raft_queue *queue, mrt_status status);
/* Makes the next segment on @chain, then @next. */
mrt_status raft_segment_make(
    struct raft_chain *chain, mrt_status (*next)(struct mrt_coord *coord, mrt_status status));
struct raft_segment *raft_segment_add(struct mrt_coord *coord, uint64_t first, uint64_t bytes);
/* R3. @what names the call that failed. */
void raft_die(struct mrt_coord *coord, mrt_status status, const char *what);

/* ---- deliver.c ------------------------------------------------------------------------------- */

void raft_pump_soon(struct mrt_coord *coord);
void raft_pump(mrt_task *task);

/* ---- close.c --------------------------------------------------------------------------------- */

mrt_status raft_close(mrt_coord *coord, mrt_op *op);
/* The same for an instance that is stopped although its log is open: handles go with it. */
mrt_status raft_close_all(mrt_coord *coord, mrt_op *op);
/* Frees @coord later, and completes its close if there is one. */
void raft_forget(mrt_coord *coord);
/* Goes on with closing when a chain ended. */
void raft_close_step(struct mrt_coord *coord);

#endif /* PLUGINS_COORDINATION_RAFT_RAFT_H */
