/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory.h - what the files of this plugin share: store, directory, log, segment.
 *
 *   M1  Bytes never move: a chunk is filled once, from front to back, and freed with its segment.
 *       What a read pinned stays as it was (S5), whatever happens to the log.
 *   M2  A batch lies in one chunk, so one slice holds it and a read of one slice gets on.
 *   M3  A segment is freed by its last holder: its log, or whoever released last.
 *   M4  Whatever is allocated for data is charged to the store before, and refused beyond
 *       bytes_max; an append needs at most one chunk and one index, both taken before it begins.
 *   M5  A log's fields are touched on its executor while it is open and on its directory's while
 *       not; `open`, `start`, `end` and `bytes` are atomic, for the inventory.
 */
#ifndef PLUGINS_STORAGE_MEMORY_MEMORY_H
#define PLUGINS_STORAGE_MEMORY_MEMORY_H

#include <string.h>

#include <mortise/storage.h>

#define MEMORY_NAME_MAX    249 /* bytes of a topic's name: Kafka's limit */
#define MEMORY_PATH_MAX    4096
#define MEMORY_MARKS       16 /* kinds below this are kept; the core has three */
#define MEMORY_BUCKETS     1024
#define MEMORY_CHUNK_MIN   4096      /* the first chunk of a segment: one page */
#define MEMORY_CHUNK_MAX   (1 << 20) /* chunks double up to here; a larger append gets its own */
#define MEMORY_BATCHES_MIN 16        /* entries of a segment's first index */

/* ---- memory.c: the store --------------------------------------------------------------------- */

struct memory_store {
    const mrt_host *host;
    const mrt_host_exec *exec;
    const mrt_host_clock *clock;
    const mrt_host_buffers *buffers;
    mrt_leaf *leaf; /* owned */
    uint64_t bytes_max, segment_bytes;
    int64_t logs_max;
    uint64_t used;        /* atomic: charged bytes */
    uint64_t pins;        /* atomic: leases out, and 1 until stop() */
    mrt_op *stopping;     /* completed when pins is 0 */
    struct mrt_dir *dirs; /* leaf */
};

/* @bytes charged to @store; MRT_ENOSPC (bytes_max), MRT_ENOMEM (the host's budget). */
mrt_status memory_take(struct memory_store *store, uint64_t bytes, void **out);
void memory_give(struct memory_store *store, void *p, uint64_t bytes);

void memory_pin(struct memory_store *store);
void memory_unpin(struct memory_store *store);

/* ---- segment.c ------------------------------------------------------------------------------- */

struct memory_chunk {
    struct memory_chunk *next;
    uint64_t cap, used; /* bytes of data */
    uint8_t data[];
};

struct memory_entry {
    int64_t base, last;
    int64_t max_timestamp_ms;
    int64_t greatest_ms; /* of this and all entries before it in the segment: binary search */
    const uint8_t *data; /* in one chunk (M2) */
    uint64_t bytes;
};

struct memory_segment {
    mrt_lease lease; /* first: release() finds the segment by it. refs: log and readers */
    struct memory_store *store;
    struct memory_segment *next; /* in log.head, oldest first */
    struct memory_chunk *chunks, *tail;
    struct memory_entry *entries; /* ascending */
    uint32_t count, cap;
    int64_t base, created_ms;
    uint64_t bytes; /* of all entries */
    uint64_t handle;
};

mrt_status memory_segment_new(
    struct memory_store *store, int64_t base, int64_t created_ms, struct memory_segment **out);

/* Gives one hold back; any thread. */
void memory_segment_unref(struct memory_segment *segment);

/* Makes room for @n more entries and @bytes of data in one chunk. On error nothing changed. */
mrt_status memory_segment_reserve(struct memory_segment *segment, uint32_t n, uint64_t bytes);

/* Adds @batch, for which room was reserved. */
void memory_segment_add(struct memory_segment *segment, const mrt_batch *batch);

/* Keeps the first @n entries. */
void memory_segment_cut(struct memory_segment *segment, uint32_t n);

/* The first entry whose last offset is >= @offset; count if there is none. */
uint32_t memory_segment_find(const struct memory_segment *segment, int64_t offset);

/* The first entry from @first on whose max timestamp is >= @timestamp_ms; count if none. */
uint32_t memory_segment_find_time(
    const struct memory_segment *segment, uint32_t first, int64_t timestamp_ms);

/* Fills *@res with the batches of @read from entry @i on. */
void memory_segment_read(
    struct memory_segment *segment, uint32_t i, const mrt_read *read, mrt_read_res *res);

/* The bytes of @slice; NULL if they are not in memory. */
const uint8_t *memory_slice(const struct memory_store *store, const mrt_slice *slice);

/* ---- dir.c ----------------------------------------------------------------------------------- */

struct mrt_dir {
    struct memory_store *store;
    struct mrt_dir *next; /* in store.dirs */
    mrt_exec *exec;
    const mrt_storage_events *events;
    void *ctx;
    mrt_log *first, *last; /* in order of their serials */
    mrt_log *buckets[MEMORY_BUCKETS];
    int64_t logs;
    uint64_t serials;
    mrt_task space;        /* brings dir_space() */
    uint32_t space_posted; /* atomic */
    uint64_t space_told;   /* atomic: bytes used when last told */
    mrt_op *closing;
    uint64_t path_n;
    char path[]; /* path_n bytes */
};

struct memory_blob;

struct mrt_log {
    mrt_dir *dir;
    mrt_log *next, *previous; /* in dir.first */
    mrt_log *chain;           /* in dir.buckets */
    mrt_exec *exec;
    struct memory_segment *head, *active; /* never NULL */
    struct memory_blob *blobs;            /* in order of (kind, offset) */
    int64_t start, end;
    uint64_t bytes;
    uint32_t open, readonly;
    uint64_t handles, serial;
    int64_t mark[MEMORY_MARKS];
    uint32_t marks_set; /* a bit for each kind */
    int32_t partition;
    uint8_t topic_id[16];
    uint32_t topic_n;
    char topic[]; /* topic_n bytes */
};

mrt_status memory_dir_open(void *inst, mrt_op *op, const mrt_dir_spec *spec, mrt_dir **out);
mrt_status memory_dir_close(mrt_dir *dir, mrt_op *op);
mrt_status memory_logs(mrt_dir *dir, mrt_op *op, mrt_log_list *list);
mrt_status memory_log_open(mrt_dir *dir, mrt_op *op, const mrt_log_spec *spec, mrt_log **out);
mrt_status memory_log_remove(mrt_dir *dir, mrt_op *op, const mrt_log_spec *spec);
mrt_status memory_log_close(mrt_log *log, mrt_op *op);

/* Tells the core, later, if the space in use moved by more than 1 %. Any executor. */
void memory_dir_moved(mrt_dir *dir);

/* ---- log.c ----------------------------------------------------------------------------------- */

/* Gives @log its first, empty segment. */
mrt_status memory_log_init(mrt_log *log, int64_t base);

/* Frees segments and blobs of a log that is not open. */
void memory_log_clear(mrt_log *log);

extern const mrt_storage_ops memory_ops;

/* ---- blob.c ---------------------------------------------------------------------------------- */

void memory_blobs_free(mrt_log *log);
void memory_mark_set(mrt_log *log, uint32_t kind, int64_t value);
mrt_status memory_mark_get(mrt_log *log, uint32_t kind, int64_t *value);
mrt_status memory_blob_put(
    mrt_log *log, mrt_op *op, uint32_t kind, int64_t offset, const mrt_str *bytes, uint32_t flags);
mrt_status memory_blob_get(
    mrt_log *log, mrt_op *op, uint32_t kind, int64_t offset, void *buf, uint64_t cap,
    uint64_t *got);
mrt_status memory_blob_remove(mrt_log *log, mrt_op *op, uint32_t kind, int64_t offset);
mrt_status memory_blobs(
    mrt_log *log, uint32_t kind, int64_t from, int64_t *out, uint32_t cap, uint32_t *n);

#endif /* PLUGINS_STORAGE_MEMORY_MEMORY_H */
