/* SPDX-License-Identifier: Apache-2.0 */
/* ledger_host.c - what was published in host.h. Lines are added, never edited: see ledger.h. */
#include <mortise/host.h>

#include "sdk/abi/ledger.h"

GROWS(mrt_host, 56);
AT(mrt_host, size, 0, uint32_t);
AT(mrt_host, abi, 4, uint32_t);
AT(mrt_host, core_version, 8, const char *);
AT(mrt_host, get, 16, const void *(*)(const mrt_host *host, const char *id));
AT(mrt_host, alloc, 24, void *(*)(const mrt_host *host, uint64_t bytes, uint64_t align));
AT(mrt_host, free, 32, void (*)(const mrt_host *host, void *p));
AT(mrt_host, op_done, 40,
   void (*)(const mrt_host *host, mrt_op *op, mrt_status status, const mrt_error *why));
AT(mrt_host, inside, 48, uint32_t (*)(const mrt_host *host, const mrt_exec *exec));

TEXT(MRT_HOST_EXEC, "mortise.host.exec/1");

FROZEN(mrt_task, 40);
AT(mrt_task, run, 0, void (*)(mrt_task *task));
AT(mrt_task, host, 8, uint64_t[4]);

FROZEN(mrt_timer, 56);
AT(mrt_timer, fire, 0, void (*)(mrt_timer *timer));
AT(mrt_timer, host, 8, uint64_t[6]);

FROZEN(mrt_work, 48);
AT(mrt_work, run, 0, mrt_status (*)(mrt_work *work, mrt_error *error));
AT(mrt_work, host, 8, uint64_t[5]);

GROWS(mrt_host_exec, 72);
AT(mrt_host_exec, size, 0, uint32_t);
AT(mrt_host_exec, flags, 4, uint32_t);
AT(mrt_host_exec, post, 8, void (*)(mrt_exec *exec, mrt_task *task));
AT(mrt_host_exec, timer_set, 16, void (*)(mrt_exec *exec, mrt_timer *timer, uint64_t at_ns));
AT(mrt_host_exec, timer_stop, 24, void (*)(mrt_exec *exec, mrt_timer *timer));
AT(mrt_host_exec, offload, 32, mrt_status (*)(mrt_exec *exec, mrt_op *op, mrt_work *work));
AT(mrt_host_exec, leaf_new, 40, mrt_status (*)(const mrt_host *host, mrt_leaf **out));
AT(mrt_host_exec, leaf_free, 48, void (*)(mrt_leaf *leaf));
AT(mrt_host_exec, leaf_enter, 56, void (*)(mrt_leaf *leaf));
AT(mrt_host_exec, leaf_leave, 64, void (*)(mrt_leaf *leaf));

TEXT(MRT_HOST_CLOCK, "mortise.host.clock/1");

GROWS(mrt_host_clock, 24);
AT(mrt_host_clock, size, 0, uint32_t);
AT(mrt_host_clock, flags, 4, uint32_t);
AT(mrt_host_clock, mono_ns, 8, uint64_t (*)(const mrt_exec *exec));
AT(mrt_host_clock, wall_ms, 16, int64_t (*)(const mrt_exec *exec));

TEXT(MRT_HOST_RANDOM, "mortise.host.random/1");

GROWS(mrt_host_random, 32);
AT(mrt_host_random, size, 0, uint32_t);
AT(mrt_host_random, flags, 4, uint32_t);
AT(mrt_host_random, stream, 8,
   mrt_status (*)(const mrt_host *host, mrt_exec *exec, const mrt_str *purpose, mrt_random **out));
AT(mrt_host_random, next, 16, uint64_t (*)(mrt_random *random));
AT(mrt_host_random, secret, 24, void (*)(mrt_exec *exec, void *out, uint64_t n));

TEXT(MRT_HOST_FILE, "mortise.host.file/1");
VALUE(MRT_FILE_READ, 1);
VALUE(MRT_FILE_WRITE, 2);
VALUE(MRT_FILE_CREATE, 4);
VALUE(MRT_FILE_EXCLUSIVE, 8);
VALUE(MRT_FILE_LOCK, 16);
VALUE(MRT_SYNC_DATA, 1);

FROZEN(mrt_dirent, 40);
AT(mrt_dirent, name, 0, mrt_str);
AT(mrt_dirent, bytes, 16, uint64_t);
AT(mrt_dirent, modified_ms, 24, int64_t);
AT(mrt_dirent, kind, 32, uint32_t);
AT(mrt_dirent, reserved, 36, uint32_t);

GROWS(mrt_dirlist, 48);
AT(mrt_dirlist, size, 0, uint32_t);
AT(mrt_dirlist, n, 4, uint32_t);
AT(mrt_dirlist, cursor, 8, uint64_t);
AT(mrt_dirlist, v, 16, mrt_dirent *);
AT(mrt_dirlist, text, 24, char *);
AT(mrt_dirlist, text_cap, 32, uint64_t);
AT(mrt_dirlist, cap, 40, uint32_t);
AT(mrt_dirlist, reserved, 44, uint32_t);

GROWS(mrt_host_file, 160);
AT(mrt_host_file, size, 0, uint32_t);
AT(mrt_host_file, flags, 4, uint32_t);
AT(mrt_host_file, open, 8,
   mrt_status (*)(mrt_exec *exec, mrt_op *op, const mrt_str *path, uint32_t flags, mrt_file **out));
AT(mrt_host_file, close, 16, void (*)(mrt_file *file));
AT(mrt_host_file, writev, 24,
   mrt_status (*)(mrt_file *file, mrt_op *op, const mrt_slicev *v, uint64_t off));
AT(mrt_host_file, read, 32,
   mrt_status (*)(mrt_file *file, mrt_op *op, void *buf, uint64_t n, uint64_t off, uint64_t *got));
AT(mrt_host_file, read_nowait, 40,
   mrt_status (*)(mrt_file *file, void *buf, uint64_t n, uint64_t off, uint64_t *got));
AT(mrt_host_file, sync, 48, mrt_status (*)(mrt_file *file, mrt_op *op, uint32_t flags));
AT(mrt_host_file, truncate, 56, mrt_status (*)(mrt_file *file, mrt_op *op, uint64_t bytes));
AT(mrt_host_file, allocate, 64,
   mrt_status (*)(mrt_file *file, mrt_op *op, uint64_t off, uint64_t n));
AT(mrt_host_file, length, 72, mrt_status (*)(mrt_file *file, uint64_t *bytes));
AT(mrt_host_file, evict, 80, mrt_status (*)(mrt_file *file, mrt_op *op, uint64_t off, uint64_t n));
AT(mrt_host_file, slice, 88,
   mrt_status (*)(mrt_file *file, uint64_t off, uint64_t n, mrt_slice *out, mrt_lease **lease));
AT(mrt_host_file, fd, 96, mrt_status (*)(const mrt_host *host, uint64_t ref, int32_t *fd));
AT(mrt_host_file, rename, 104,
   mrt_status (*)(mrt_exec *exec, mrt_op *op, const mrt_str *from, const mrt_str *to));
AT(mrt_host_file, unlink, 112, mrt_status (*)(mrt_exec *exec, mrt_op *op, const mrt_str *path));
AT(mrt_host_file, mkdir, 120, mrt_status (*)(mrt_exec *exec, mrt_op *op, const mrt_str *path));
AT(mrt_host_file, list, 128,
   mrt_status (*)(mrt_exec *exec, mrt_op *op, const mrt_str *path, mrt_dirlist *list));
AT(mrt_host_file, sync_dir, 136, mrt_status (*)(mrt_exec *exec, mrt_op *op, const mrt_str *path));
AT(mrt_host_file, space, 144,
   mrt_status (*)(
       mrt_exec *exec, mrt_op *op, const mrt_str *path, uint64_t *total, uint64_t *avail));
AT(mrt_host_file, boot_id, 152, void (*)(const mrt_host *host, uint8_t *out));

TEXT(MRT_HOST_BUFFERS, "mortise.host.buffers/1");

FROZEN(mrt_rx, 32);
AT(mrt_rx, p, 0, uint8_t *);
AT(mrt_rx, cap, 8, uint64_t);
AT(mrt_rx, lease, 16, mrt_lease *);
AT(mrt_rx, reserved, 24, uint64_t);

GROWS(mrt_host_buffers, 40);
AT(mrt_host_buffers, size, 0, uint32_t);
AT(mrt_host_buffers, flags, 4, uint32_t);
AT(mrt_host_buffers, rx, 8, mrt_status (*)(mrt_exec *reactor, mrt_rx *out));
AT(mrt_host_buffers, take, 16,
   mrt_status (*)(mrt_exec *exec, uint64_t bytes, mrt_slice *out, mrt_lease **lease));
AT(mrt_host_buffers, map, 24,
   mrt_status (*)(const mrt_host *host, const mrt_slice *slice, uint8_t **out));
AT(mrt_host_buffers, pull, 32,
   mrt_status (*)(mrt_exec *exec, mrt_op *op, const mrt_slicev *in, void *dst, uint64_t cap));

TEXT(MRT_HOST_LOG, "mortise.host.log/1");
VALUE(MRT_LOG_DEBUG, 1);
VALUE(MRT_LOG_INFO, 2);
VALUE(MRT_LOG_WARN, 3);
VALUE(MRT_LOG_ERROR, 4);

GROWS(mrt_host_log, 24);
AT(mrt_host_log, size, 0, uint32_t);
AT(mrt_host_log, flags, 4, uint32_t);
AT(mrt_host_log, enabled, 8, uint32_t (*)(const mrt_host *host, uint32_t level));
AT(mrt_host_log, write, 16,
   void (*)(const mrt_host *host, uint32_t level, uint64_t trace, const mrt_str *line));

TEXT(MRT_HOST_METRICS, "mortise.host.metrics/1");
VALUE(MRT_METRIC_COUNTER, 1);
VALUE(MRT_METRIC_GAUGE, 2);
VALUE(MRT_METRIC_HISTOGRAM, 3);

GROWS(mrt_metric_def, 56);
AT(mrt_metric_def, size, 0, uint32_t);
AT(mrt_metric_def, type, 4, uint32_t);
AT(mrt_metric_def, name, 8, mrt_str);
AT(mrt_metric_def, help, 24, mrt_str);
AT(mrt_metric_def, labels, 40, mrt_str);

GROWS(mrt_host_metrics, 40);
AT(mrt_host_metrics, size, 0, uint32_t);
AT(mrt_host_metrics, flags, 4, uint32_t);
AT(mrt_host_metrics, define, 8,
   mrt_status (*)(const mrt_host *host, const mrt_metric_def *def, mrt_metric **out));
AT(mrt_host_metrics, add, 16, void (*)(mrt_metric *metric, uint64_t n));
AT(mrt_host_metrics, set, 24, void (*)(mrt_metric *metric, int64_t v));
AT(mrt_host_metrics, observe, 32, void (*)(mrt_metric *metric, uint64_t v));

TEXT(MRT_HOST_POLL, "mortise.host.poll/1");
VALUE(MRT_POLL_READ, 1);
VALUE(MRT_POLL_WRITE, 2);
VALUE(MRT_POLL_ERROR, 4);

FROZEN(mrt_watch, 48);
AT(mrt_watch, ready, 0, void (*)(mrt_watch *watch, uint32_t events));
AT(mrt_watch, host, 8, uint64_t[5]);

GROWS(mrt_host_poll, 24);
AT(mrt_host_poll, size, 0, uint32_t);
AT(mrt_host_poll, flags, 4, uint32_t);
AT(mrt_host_poll, watch, 8,
   mrt_status (*)(mrt_exec *reactor, mrt_watch *watch, int32_t fd, uint32_t events));
AT(mrt_host_poll, unwatch, 16, void (*)(mrt_exec *reactor, mrt_watch *watch));

TEXT(MRT_HOST_PROBE, "mortise.host.probe/1");

GROWS(mrt_host_probe, 24);
AT(mrt_host_probe, size, 0, uint32_t);
AT(mrt_host_probe, flags, 4, uint32_t);
AT(mrt_host_probe, reached, 8, void (*)(const mrt_host *host, const char *name));
AT(mrt_host_probe, want, 16, uint32_t (*)(const mrt_exec *exec, const char *name));
