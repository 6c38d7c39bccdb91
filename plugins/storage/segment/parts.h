/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parts.h - what the files of the plugin offer each other. "Coroutine" means: to be called with
 * JOB_STEP from a job on the executor of what it works on.
 */
#ifndef SEGMENT_PARTS_H
#define SEGMENT_PARTS_H

#include "plugins/storage/segment/store.h"

/* ---- store.c --------------------------------------------------------------------------------- */

/* A log line `event key=value ...`. */
void segment_say(const struct store *store, uint32_t level, const char *format, ...)
    __attribute__((__format__(__printf__, 3, 4)));

/* Fills @error; hands @status back. */
mrt_status segment_error(mrt_error *error, mrt_status status, const char *format, ...)
    __attribute__((__format__(__printf__, 3, 4)));

/* ---- files.c: paths, whole files ------------------------------------------------------------- */

/* Makes job->paths if there are none. */
mrt_status segment_paths(struct job *job);

/* Writes "<directory>[/<folder>][/<file>]" into @slot; empty parts are left out. */
const mrt_str *segment_path(struct job *job, uint32_t slot, const char *folder, const char *file);

/* The path of @segment's file @which, below job->folder. */
const mrt_str *segment_path_file(
    struct job *job, uint32_t slot, const struct segment *segment, uint32_t which);

/* Coroutines. Reads all of PATH_FILE, at most @most bytes, into job->loaded, terminated.
 * MRT_ENOENT, MRT_ETOOBIG. */
mrt_status segment_load(struct job *job, uint64_t most);

/* Writes PATH_FILE new: temporary file, sync, rename. The folder is not synced. */
mrt_status segment_replace(struct job *job, const char *bytes, uint64_t n);

/* Removes PATH_FOLDER with the files in it; it may be absent. */
mrt_status segment_remove_folder(struct job *job);

/* Removes PATH_FILE; it may be absent. */
mrt_status segment_remove_file(struct job *job);

/* Starts a listing of PATH_FOLDER, or goes on with it: job->listing has the next rows, n 0 at the
 * end. */
mrt_status segment_list(struct job *job, uint32_t from_start);

/* Not a coroutine: for JOB_AWAIT. From memory if it is there, else from the device. */
mrt_status segment_read_at(struct job *job, mrt_file *file, void *buf, uint64_t n, uint64_t off);

/* For JOB_AWAIT: writes @n bytes that live until the completion. */
mrt_status segment_write_at(
    struct job *job, mrt_file *file, const void *bytes, uint64_t n, uint64_t off);

/* ---- handles.c: open files of logs ----------------------------------------------------------- */

/* Coroutine. Opens @segment's file @which if it is closed, and keeps it open until
 * segment_job_unhold() or the job's end. */
mrt_status segment_hold(struct job *job, struct segment *segment, uint32_t which);

/* Closes @segment's files, those in use as soon as they are not. */
void segment_close_files(struct segment *segment);

/* A pin on @handle's bytes and the token to read them by. */
mrt_status segment_pin(struct handle *handle, mrt_lease **lease, uint64_t *ref);

/* Do reads pin bytes of files that were closed since? */
uint32_t segment_orphans(const struct store *store);

/* Do reads pin bytes of @handle? */
uint32_t segment_pinned(const struct handle *handle);

/* ---- tail.c: the index files ----------------------------------------------------------------- */

/* Coroutine. Writes the entries in memory to the index files. What could not be written stays. */
mrt_status segment_tail_write(struct job *job, struct segment *segment);

/* Coroutine. N2, then writes; the tail is freed. */
mrt_status segment_tail_seal(struct job *job, struct segment *segment);

/* The segment's tail, made if absent; NULL without memory (N3). */
struct tail *segment_tail(mrt_log *log, struct segment *segment);

/* ---- log.c ----------------------------------------------------------------------------------- */

/* Place of the segment that holds @offset: the last one that begins at or below it, else 0. */
uint32_t segment_index_of(const mrt_log *log, int64_t offset);

static inline struct segment *segment_active(const mrt_log *log)
{
    return log->segments[log->segment_count - 1];
}

/* The offset behind segment @i. */
static inline int64_t segment_next(const mrt_log *log, uint32_t i)
{
    return i + 1 < log->segment_count ? log->segments[i + 1]->index.base : log->end;
}

struct segment *segment_new(mrt_log *log, int64_t base, int64_t created_ms);
void segment_unref(struct segment *segment, const struct store *store);

/* The job uses @segment (NULL: none), instead of what it used before. */
void segment_use(struct job *job, struct segment *segment);

/* Makes room for one more segment; adds it behind the others. */
mrt_status segment_reserve(mrt_log *log);
void segment_push(mrt_log *log, struct segment *segment);

/* Takes @n segments at @at out: closes their files; their names stay on disk. */
void segment_drop(mrt_log *log, uint32_t at, uint32_t n);

/* Shows state and bytes to the directory. */
void segment_publish(mrt_log *log);

/* May @log be used (changed, with @change)? MRT_OK, MRT_EOFFLINE, MRT_EREADONLY. */
mrt_status segment_usable(const mrt_log *log, uint32_t change);

/* A job ended: goes on with what waited for it. */
void segment_log_quiet(mrt_log *log);

mrt_status segment_log_open(mrt_dir *dir, mrt_op *op, const mrt_log_spec *spec, mrt_log **out);
mrt_status segment_log_close(mrt_log *log, mrt_op *op);
mrt_status segment_log_config(mrt_log *log, const mrt_cfg *cfg);
void segment_state(mrt_log *log, mrt_log_state *out);
mrt_status segment_segments(
    mrt_log *log, int64_t from, mrt_segment *out, uint32_t cap, uint32_t *n);

/* ---- append.c, flush.c, read.c, trim.c, blob.c ----------------------------------------------- */

mrt_status segment_append(mrt_log *log, mrt_op *op, const mrt_append *append, mrt_log_state *after);
mrt_status segment_roll(mrt_log *log, mrt_op *op);
mrt_status segment_flush(mrt_log *log, mrt_op *op, int64_t upto);

/* Sees to it that everything below @upto becomes durable. */
void segment_sync_start(mrt_log *log, int64_t upto);

/* For JOB_AWAIT: completes when durable >= @upto. */
mrt_status segment_sync_wait(struct job *job, int64_t upto);

/* For JOB_AWAIT: waits for the sync in flight; none begins until segment_sync_go(). While files are
 * removed a sync could find durable what the removal, lost in a power cut, brings back undone. */
mrt_status segment_sync_still(struct job *job);
void segment_sync_go(mrt_log *log);

/* For JOB_AWAIT, from a mutating job: completes when no sync is in flight. */
mrt_status segment_sync_idle(struct job *job);

mrt_status segment_read(mrt_log *log, mrt_op *op, const mrt_read *read, mrt_read_res *res);
mrt_status segment_find_time(mrt_log *log, mrt_op *op, int64_t timestamp_ms, mrt_batch_at *out);
mrt_status segment_find_latest(mrt_log *log, mrt_op *op, mrt_batch_at *out);
void segment_hint(mrt_log *log, const struct hint *hint);

/* Coroutine. Empties or makes the files of @fresh, which stay held. */
mrt_status segment_make_files(struct job *job, struct segment *fresh);

mrt_status segment_trim_head(mrt_log *log, mrt_op *op, int64_t upto);
mrt_status segment_trim_tail(mrt_log *log, mrt_op *op, int64_t from);
mrt_status segment_restart(mrt_log *log, mrt_op *op, int64_t start);

mrt_status segment_blob_put(
    mrt_log *log, mrt_op *op, uint32_t kind, int64_t offset, const mrt_str *bytes, uint32_t flags);
mrt_status segment_blob_get(
    mrt_log *log, mrt_op *op, uint32_t kind, int64_t offset, void *buf, uint64_t cap,
    uint64_t *got);
mrt_status segment_blob_remove(mrt_log *log, mrt_op *op, uint32_t kind, int64_t offset);
mrt_status segment_blobs(
    mrt_log *log, uint32_t kind, int64_t from, int64_t *out, uint32_t cap, uint32_t *n);
/* Notes that blob (@kind, @offset) exists, or not; MRT_ENOMEM. */
mrt_status segment_side_add(mrt_log *log, uint32_t kind, int64_t offset);

/* ---- dir.c, entry.c, marks.c ----------------------------------------------------------------- */

mrt_status segment_dir_open(void *inst, mrt_op *op, const mrt_dir_spec *spec, mrt_dir **out);
mrt_status segment_dir_close(mrt_dir *dir, mrt_op *op);
mrt_status segment_dir_adopt(mrt_dir *dir, mrt_op *op);
mrt_status segment_logs(mrt_dir *dir, mrt_op *op, mrt_log_list *list);
mrt_status segment_log_remove(mrt_dir *dir, mrt_op *op, const mrt_log_spec *spec);
void segment_dir_quiet(mrt_dir *dir);

/* The device failed under @dir: ends its use (S6). Any executor. */
void segment_dir_offline(mrt_dir *dir, mrt_status status, const char *what);

/* Makes the next opening of @dir distrust its cache. On the directory's executor. */
void segment_distrust(mrt_dir *dir);

struct entry *segment_entry_find(const mrt_dir *dir, const mrt_str *topic, int32_t partition);
struct entry *segment_entry_add(mrt_dir *dir, const mrt_str *topic, int32_t partition);
void segment_entry_remove(mrt_dir *dir, struct entry *entry);
void segment_entries_free(mrt_dir *dir);

/* The entry's log was verified: it is clean now. */
void segment_entry_trust(mrt_dir *dir, struct entry *entry, uint32_t trust);

/* Atomic words of an entry. */
static inline int64_t mark_load(const struct entry *entry, uint32_t kind)
{
    return __atomic_load_n(&entry->mark[kind], __ATOMIC_RELAXED);
}
/* Sets one, to be written with the next checkpoint. Any executor. */
void segment_mark(mrt_dir *dir, struct entry *entry, uint32_t kind, int64_t value);

void segment_mark_set(mrt_log *log, uint32_t kind, int64_t value);
mrt_status segment_mark_get(mrt_log *log, uint32_t kind, int64_t *value);

/* Coroutine, on the directory's executor. Reads the checkpoints into entries. */
mrt_status segment_marks_load(struct job *job);

/* For JOB_AWAIT, from a job of a log or of the directory: completes when what is marked now is on
 * disk. */
mrt_status segment_checkpoint_wait(struct job *job);

/* Coroutine. Writes the id of the running system: what is not clean is distrusted only when the
 * system ends. */
mrt_status segment_boot_write(struct job *job);

/* Marks, boot id or space are to be looked at within checkpoint_ms. Any executor. */
void segment_dirty(mrt_dir *dir, uint32_t marks);

/* On the directory's executor: their tasks and timer are over. */
mrt_status segment_checkpoint_quiet(struct job *job);

/* Coroutine. Reads partition.metadata to entry->topic_id; zero if there is none. */
mrt_status segment_identity_load(struct job *job, struct entry *entry);

/* Removes folders that end in -delete, in the background. */
void segment_sweep(mrt_dir *dir);

/* Coroutine. Renames @entry's folder to "<name>.<32 hex><suffix>". */
mrt_status segment_rename_away(struct job *job, const struct entry *entry, const char *suffix);
void segment_entry_pin(struct entry *entry);
void segment_entry_unpin(mrt_dir *dir, struct entry *entry);

#endif /* SEGMENT_PARTS_H */
