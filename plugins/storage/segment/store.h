/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store.h - the objects of the plugin: store (instance) -> directory -> log -> segment.
 *
 *   D1  An entry is what a directory knows of a log, open or not. Entries belong to the directory's
 *       executor, except the words marked atomic, which the open log writes.
 *   D2  A log and its segments belong to the log's executor. No two of them share state, but for
 *       the entry, the directory's atomic words, and the open files' list under the store's leaf.
 *   D3  start <= durable <= end. Segments are neighbours in ascending order, one at least; the last
 *       one is the active one. A batch lies in one segment.
 *   D4  entry->mark[MARK_RECOVERED] (Kafka's recovery point) never exceeds what survives a power
 *       cut, indexes of sealed segments included; it is lowered durably before bytes below it go.
 *   D5  Index files hold entries of batches that are in the log file only; entries not yet written
 *       are in segment->tail.
 */
#ifndef SEGMENT_STORE_H
#define SEGMENT_STORE_H

#include "plugins/storage/segment/format.h"
#include "plugins/storage/segment/index.h"
#include "plugins/storage/segment/job.h"

#define DIR_PATH_MAX 700
#define HINTS        4
#define UNSET        INT64_MIN
#define POSITION_MAX INT64_C(0x7fffffff) /* Kafka's positions are int32 */
#define CHUNK_BYTES  (256u * 1024)       /* verified at once by a worker */
#define FILES_MIN    8

enum {
    KEY_FILES_MAX,
    KEY_CHECKPOINT_MS,
    KEY_INDEX_INTERVAL,
    KEY_INDEX_BYTES
};

/* Open files, one list for the store (leaf): the least recently used are closed first. */
struct files {
    mrt_leaf *leaf;
    struct handle *newest;
    struct handle *oldest;
    uint64_t count; /* open, listed or not */
    uint64_t max;
    uint64_t orphans; /* atomic: closed by us, but read by somebody who pinned them */
};

struct store {
    const mrt_host *host;
    const mrt_host_exec *exec;
    const mrt_host_clock *clock;
    const mrt_host_random *random;
    const mrt_host_file *file;
    const mrt_host_log *log;
    const mrt_cfg_view *view;
    mrt_exec *home;
    struct files files;
    int64_t checkpoint_ms;
    uint32_t stopping;
    uint32_t reserved;
};

enum {
    MARK_RECOVERED = 0, /* ours; the others are MRT_MARK_ */
    MARKS = 4
};

enum {
    TRUST_CLEAN,   /* closed in order, or made by us */
    TRUST_PROCESS, /* the process ended, the system did not: its cache is whole */
    TRUST_NONE     /* the system ended: above the recovery point anything may be missing */
};

struct entry {
    struct entry *chain; /* in dir.buckets */
    struct entry *next;  /* in dir.first, ascending serials */
    struct entry *previous;
    uint64_t serial;
    uint64_t hash;
    int64_t mark[MARKS]; /* atomic; UNSET */
    int64_t start;       /* atomic, as the open log last published it; so the next three */
    int64_t end;
    int64_t durable;
    uint64_t bytes;
    uint8_t topic_id[16];
    int32_t partition;
    uint32_t open; /* atomic */
    uint32_t trust;
    uint32_t known;   /* topic_id, start and bytes were read */
    uint32_t settled; /* end and durable are those of an open or closed log, not guesses */
    uint32_t broken;
    uint32_t pins; /* by jobs that list entries */
    uint32_t dead; /* removed, freed with the last pin */
    uint16_t topic_bytes;
    uint16_t name_bytes;
    char name[]; /* "topic-partition", terminated: the folder */
};

struct mrt_dir {
    struct store *store;
    mrt_exec *exec;
    const mrt_storage_events *events;
    void *ctx;
    struct entry **buckets; /* owned; a power of two */
    struct entry *first;
    struct entry *last;
    uint64_t bucket_count;
    uint64_t count;
    uint64_t serials;
    uint64_t distrusted; /* entries that are not TRUST_CLEAN */
    uint64_t strangers;  /* of them TRUST_NONE */
    uint64_t jobs;
    struct job *last_job;    /* owned; memory for dir_close(), which cannot fail */
    struct job *closer;      /* parked until it is the only job */
    struct job *checkpoints; /* parked until the next checkpoint is written */
    struct job *checkpoint;  /* the job that writes one, or NULL */
    struct job *sweep;       /* the job that removes folders, or NULL */
    mrt_timer timer;
    mrt_task dirty_task;
    mrt_task offline_task;
    mrt_error offline_why;   /* written once, by who sets offline */
    uint32_t dirty;          /* atomic: a bit per mark that changed since its checkpoint */
    uint32_t dirty_posted;   /* atomic */
    uint32_t offline;        /* atomic: the use of the directory has ended */
    uint32_t offline_posted; /* atomic */
    uint32_t unclean;        /* atomic: a log was not closed in order */
    uint32_t readonly;
    uint32_t timer_on;
    uint32_t sweep_again;
    uint32_t boot_due; /* nothing distrusts the system's last end any more: say so */
    uint32_t closing;
    uint64_t bytes;     /* atomic: of all logs known */
    uint64_t told_used; /* in the last dir_space event; so the next */
    uint64_t told_avail;
    mrt_file *lock;
    struct properties properties;
    char path[DIR_PATH_MAX + 1];
};

enum {
    FILE_LOG,
    FILE_INDEX,
    FILE_TIME,
    SEGMENT_FILES
};

/* One open file. Pinned reads hold it by its lease, which outlives segment and log. */
struct handle {
    mrt_lease lease; /* first; refs: the segment and pinned reads */
    struct store *store;
    mrt_file *file;
    mrt_lease *keep; /* the host's; taken at the first read */
    uint64_t ref;    /* of FILE slices */
    struct handle *newer;
    struct handle *older;
    mrt_log *log;
    struct segment *segment; /* NULL once closed */
    mrt_task evict;
    uint32_t which;
    uint32_t held;   /* by jobs; log's executor */
    uint32_t doomed; /* closed when nobody holds it */
    uint32_t listed; /* under the leaf */
    uint32_t orphan; /* counted in files.orphans */
    uint32_t reserved;
};

struct segment {
    uint64_t size;
    uint64_t synced; /* bytes of .log that survive a power cut */
    struct indexer index;
    int64_t created_ms;
    uint64_t serial; /* mrt_segment.handle */
    struct handle *file[SEGMENT_FILES];
    struct tail *tail;     /* owned; entries not yet in the index files, or NULL */
    uint32_t index_count;  /* entries in .index */
    uint32_t time_count;   /* entries in .timeindex */
    uint32_t index_synced; /* all entries in the files survive a power cut */
    uint32_t named;        /* its directory entry survives a power cut */
    uint32_t refs;         /* the log and jobs */
    uint32_t gone;         /* trimmed */
    uint32_t found;        /* in the listing; so the next two, and of a sane length */
    uint32_t index_found;
    uint32_t time_found;
    uint32_t reserved;
};

/* A boundary between batches where somebody is likely to read next. */
struct hint {
    int64_t offset; /* reading from here ... */
    int64_t base;   /* ... begins with this batch */
    uint64_t serial;
    uint64_t position;
};

/* A waiter of flush(), in mrt_op.scratch. */
struct flusher {
    mrt_op *next;
    int64_t upto;
};
_Static_assert(sizeof(struct flusher) <= sizeof(((mrt_op *)0)->scratch), "no room in mrt_op");

struct side {
    int64_t offset;
    uint32_t kind;
    uint32_t reserved;
};

struct mrt_log {
    struct store *store;
    mrt_dir *dir;
    struct entry *entry;
    mrt_exec *exec;
    const mrt_cfg *cfg;
    void *ctx;
    struct segment **segments; /* owned */
    uint32_t segment_count;
    uint32_t segment_cap;
    int64_t start;
    int64_t end;
    int64_t durable;
    uint64_t bytes;
    uint64_t serials;
    uint64_t index_interval;
    uint64_t index_bytes;
    struct hint hint[HINTS];
    uint32_t hint_next;
    uint32_t busy; /* a mutating call is in flight (S1) */
    uint32_t readonly;
    uint32_t failed;    /* could not be cut back (S2) */
    uint32_t evictions; /* posted, not yet run; under the leaf */
    uint32_t jobs;
    struct job *closer;    /* parked until jobs is 1 and evictions is 0 */
    struct job *last_job;  /* owned; memory for log_close(), which cannot fail */
    struct job *sync;      /* the job that syncs, NULL when none runs */
    mrt_op *flushers;      /* by struct flusher, oldest last */
    struct job *sync_idle; /* parked until sync is NULL */
    int64_t sync_upto;     /* somebody wants to be durable up to here */
    int64_t indexed;       /* sealed segments below have their indexes synced */
    struct side *sides;    /* owned; blobs by (kind, offset), ascending */
    uint32_t side_count;
    uint32_t side_cap;
    uint32_t unnamed; /* files were made since the last sync of the folder */
    uint32_t discard_again;
    uint32_t still; /* no sync may begin */
    uint32_t reserved;
    struct job *discard; /* the job that removes .deleted files, or NULL */
};

#endif /* SEGMENT_STORE_H */
