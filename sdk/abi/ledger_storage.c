/* SPDX-License-Identifier: Apache-2.0 */
/* ledger_storage.c - what was published in storage.h.
 * Lines are added, never edited: see ledger.h. */
#include <mortise/storage.h>

#include "sdk/abi/ledger.h"

TEXT(MRT_KIND_STORAGE, "mortise.storage/1");
VALUE(MRT_STORAGE_DURABLE, 1);
VALUE(MRT_STORAGE_FILES, 2);
VALUE(MRT_STORAGE_REWRITE, 4);
VALUE(MRT_DIR_ONLINE, 1);
VALUE(MRT_DIR_OFFLINE, 2);
VALUE(MRT_DIR_READONLY, 3);

GROWS(mrt_storage_events, 32);
AT(mrt_storage_events, size, 0, uint32_t);
AT(mrt_storage_events, flags, 4, uint32_t);
AT(mrt_storage_events, dir_state, 8,
   void (*)(void *ctx, mrt_dir *dir, uint32_t state, const mrt_error *why));
AT(mrt_storage_events, dir_space, 16,
   void (*)(void *ctx, mrt_dir *dir, uint64_t used, uint64_t avail));
AT(mrt_storage_events, corrupt, 24,
   void (*)(void *ctx, mrt_dir *dir, void *log_ctx, int64_t from, int64_t to));

GROWS(mrt_dir_spec, 48);
AT(mrt_dir_spec, size, 0, uint32_t);
AT(mrt_dir_spec, flags, 4, uint32_t);
AT(mrt_dir_spec, exec, 8, mrt_exec *);
AT(mrt_dir_spec, path, 16, mrt_str);
AT(mrt_dir_spec, events, 32, const mrt_storage_events *);
AT(mrt_dir_spec, ctx, 40, void *);

VALUE(MRT_LOG_CLEAN, 1);
VALUE(MRT_LOG_TORN, 2);
VALUE(MRT_LOG_FUTURE, 3);
VALUE(MRT_LOG_BROKEN, 4);

GROWS(mrt_log_row, 80);
AT(mrt_log_row, size, 0, uint32_t);
AT(mrt_log_row, state, 4, uint32_t);
AT(mrt_log_row, topic_id, 8, uint8_t[16]);
AT(mrt_log_row, topic, 24, mrt_str);
AT(mrt_log_row, partition, 40, int32_t);
AT(mrt_log_row, reserved, 44, uint32_t);
AT(mrt_log_row, start, 48, int64_t);
AT(mrt_log_row, end, 56, int64_t);
AT(mrt_log_row, durable, 64, int64_t);
AT(mrt_log_row, bytes, 72, uint64_t);

GROWS(mrt_log_list, 48);
AT(mrt_log_list, size, 0, uint32_t);
AT(mrt_log_list, n, 4, uint32_t);
AT(mrt_log_list, cursor, 8, uint64_t);
AT(mrt_log_list, rows, 16, mrt_log_row *);
AT(mrt_log_list, cap, 24, uint32_t);
AT(mrt_log_list, stride, 28, uint32_t);
AT(mrt_log_list, text, 32, char *);
AT(mrt_log_list, text_cap, 40, uint64_t);

VALUE(MRT_LOG_CREATE, 1);
VALUE(MRT_LOG_READONLY, 2);
VALUE(MRT_LOG_OPEN_FUTURE, 4);
VALUE(MRT_LOG_VERIFY, 8);

GROWS(mrt_log_spec, 72);
AT(mrt_log_spec, size, 0, uint32_t);
AT(mrt_log_spec, flags, 4, uint32_t);
AT(mrt_log_spec, topic_id, 8, uint8_t[16]);
AT(mrt_log_spec, topic, 24, mrt_str);
AT(mrt_log_spec, partition, 40, int32_t);
AT(mrt_log_spec, reserved, 44, uint32_t);
AT(mrt_log_spec, exec, 48, mrt_exec *);
AT(mrt_log_spec, cfg, 56, const mrt_cfg *);
AT(mrt_log_spec, ctx, 64, void *);

GROWS(mrt_log_state, 56);
AT(mrt_log_state, size, 0, uint32_t);
AT(mrt_log_state, flags, 4, uint32_t);
AT(mrt_log_state, start, 8, int64_t);
AT(mrt_log_state, end, 16, int64_t);
AT(mrt_log_state, durable, 24, int64_t);
AT(mrt_log_state, active_base, 32, int64_t);
AT(mrt_log_state, active_bytes, 40, uint64_t);
AT(mrt_log_state, bytes, 48, uint64_t);

FROZEN(mrt_batch, 64);
AT(mrt_batch, body, 0, mrt_slicev);
AT(mrt_batch, base_offset, 32, int64_t);
AT(mrt_batch, last_offset, 40, int64_t);
AT(mrt_batch, max_timestamp_ms, 48, int64_t);
AT(mrt_batch, records, 56, uint32_t);
AT(mrt_batch, reserved, 60, uint32_t);

VALUE(MRT_APPEND_WILL_FLUSH, 1);

GROWS(mrt_append, 24);
AT(mrt_append, size, 0, uint32_t);
AT(mrt_append, flags, 4, uint32_t);
AT(mrt_append, v, 8, const mrt_batch *);
AT(mrt_append, n, 16, uint32_t);
AT(mrt_append, reserved, 20, uint32_t);

GROWS(mrt_read, 32);
AT(mrt_read, size, 0, uint32_t);
AT(mrt_read, min_batches, 4, uint32_t);
AT(mrt_read, from, 8, int64_t);
AT(mrt_read, upto, 16, int64_t);
AT(mrt_read, max_bytes, 24, uint64_t);

GROWS(mrt_read_res, 64);
AT(mrt_read_res, size, 0, uint32_t);
AT(mrt_read_res, cap, 4, uint32_t);
AT(mrt_read_res, slices, 8, mrt_slice *);
AT(mrt_read_res, data, 16, mrt_slicev);
AT(mrt_read_res, first_offset, 48, int64_t);
AT(mrt_read_res, next_offset, 56, int64_t);

FROZEN(mrt_batch_at, 32);
AT(mrt_batch_at, base_offset, 0, int64_t);
AT(mrt_batch_at, last_offset, 8, int64_t);
AT(mrt_batch_at, max_timestamp_ms, 16, int64_t);
AT(mrt_batch_at, bytes, 24, uint64_t);

VALUE(MRT_SEGMENT_ACTIVE, 1);
VALUE(MRT_SEGMENT_REMOTE, 2);

FROZEN(mrt_segment, 56);
AT(mrt_segment, base, 0, int64_t);
AT(mrt_segment, next, 8, int64_t);
AT(mrt_segment, max_timestamp_ms, 16, int64_t);
AT(mrt_segment, created_ms, 24, int64_t);
AT(mrt_segment, bytes, 32, uint64_t);
AT(mrt_segment, handle, 40, uint64_t);
AT(mrt_segment, flags, 48, uint32_t);
AT(mrt_segment, reserved, 52, uint32_t);

VALUE(MRT_MARK_HIGH_WATERMARK, 1);
VALUE(MRT_MARK_LOG_START, 2);
VALUE(MRT_MARK_CLEANED_TO, 3);
VALUE(MRT_BLOB_EPOCHS, 1);
VALUE(MRT_BLOB_PRODUCERS, 2);
VALUE(MRT_BLOB_ABORTED, 3);
VALUE(MRT_BLOB_IDENTITY, 4);
VALUE(MRT_BLOB_APPEND, 1);

GROWS(mrt_storage_ops, 280);
AT(mrt_storage_ops, size, 0, uint32_t);
AT(mrt_storage_ops, caps, 4, uint32_t);
AT(mrt_storage_ops, dir_open, 8,
   mrt_status (*)(void *inst, mrt_op *op, const mrt_dir_spec *spec, mrt_dir **out));
AT(mrt_storage_ops, dir_close, 16, mrt_status (*)(mrt_dir *dir, mrt_op *op));
AT(mrt_storage_ops, dir_adopt, 24, mrt_status (*)(mrt_dir *dir, mrt_op *op));
AT(mrt_storage_ops, logs, 32, mrt_status (*)(mrt_dir *dir, mrt_op *op, mrt_log_list *list));
AT(mrt_storage_ops, log_open, 40,
   mrt_status (*)(mrt_dir *dir, mrt_op *op, const mrt_log_spec *spec, mrt_log **out));
AT(mrt_storage_ops, log_remove, 48,
   mrt_status (*)(mrt_dir *dir, mrt_op *op, const mrt_log_spec *spec));
AT(mrt_storage_ops, log_close, 56, mrt_status (*)(mrt_log *log, mrt_op *op));
AT(mrt_storage_ops, log_config, 64, mrt_status (*)(mrt_log *log, const mrt_cfg *cfg));
AT(mrt_storage_ops, promote, 72, mrt_status (*)(mrt_log *log, mrt_op *op));
AT(mrt_storage_ops, state, 80, void (*)(mrt_log *log, mrt_log_state *out));
AT(mrt_storage_ops, append, 88,
   mrt_status (*)(mrt_log *log, mrt_op *op, const mrt_append *append, mrt_log_state *after));
AT(mrt_storage_ops, read, 96,
   mrt_status (*)(mrt_log *log, mrt_op *op, const mrt_read *read, mrt_read_res *res));
AT(mrt_storage_ops, flush, 104, mrt_status (*)(mrt_log *log, mrt_op *op, int64_t upto));
AT(mrt_storage_ops, roll, 112, mrt_status (*)(mrt_log *log, mrt_op *op));
AT(mrt_storage_ops, trim_head, 120, mrt_status (*)(mrt_log *log, mrt_op *op, int64_t upto));
AT(mrt_storage_ops, trim_tail, 128, mrt_status (*)(mrt_log *log, mrt_op *op, int64_t from));
AT(mrt_storage_ops, restart, 136, mrt_status (*)(mrt_log *log, mrt_op *op, int64_t start));
AT(mrt_storage_ops, find_time, 144,
   mrt_status (*)(mrt_log *log, mrt_op *op, int64_t timestamp_ms, mrt_batch_at *out));
AT(mrt_storage_ops, find_latest, 152, mrt_status (*)(mrt_log *log, mrt_op *op, mrt_batch_at *out));
AT(mrt_storage_ops, segments, 160,
   mrt_status (*)(mrt_log *log, int64_t from, mrt_segment *out, uint32_t cap, uint32_t *n));
AT(mrt_storage_ops, mark_set, 168, void (*)(mrt_log *log, uint32_t kind, int64_t value));
AT(mrt_storage_ops, mark_get, 176, mrt_status (*)(mrt_log *log, uint32_t kind, int64_t *value));
AT(mrt_storage_ops, blob_put, 184,
   mrt_status (*)(
       mrt_log *log, mrt_op *op, uint32_t kind, int64_t offset, const mrt_str *bytes,
       uint32_t flags));
AT(mrt_storage_ops, blob_get, 192,
   mrt_status (*)(
       mrt_log *log, mrt_op *op, uint32_t kind, int64_t offset, void *buf, uint64_t cap,
       uint64_t *got));
AT(mrt_storage_ops, blob_remove, 200,
   mrt_status (*)(mrt_log *log, mrt_op *op, uint32_t kind, int64_t offset));
AT(mrt_storage_ops, blobs, 208,
   mrt_status (*)(
       mrt_log *log, uint32_t kind, int64_t from, int64_t *out, uint32_t cap, uint32_t *n));
AT(mrt_storage_ops, view_open, 216,
   mrt_status (*)(mrt_log *log, const uint64_t *handles, uint32_t n, mrt_view **out));
AT(mrt_storage_ops, view_read, 224,
   mrt_status (*)(mrt_view *view, uint64_t *cursor, void *buf, uint64_t cap, uint64_t *got));
AT(mrt_storage_ops, view_close, 232, void (*)(mrt_view *view));
AT(mrt_storage_ops, job_open, 240, mrt_status (*)(mrt_log *log, mrt_view *view, mrt_job **out));
AT(mrt_storage_ops, job_put, 248, mrt_status (*)(mrt_job *job, const mrt_batch *v, uint32_t n));
AT(mrt_storage_ops, job_seal, 256, mrt_status (*)(mrt_job *job));
AT(mrt_storage_ops, job_commit, 264, mrt_status (*)(mrt_job *job, mrt_op *op));
AT(mrt_storage_ops, job_abort, 272, void (*)(mrt_job *job));
