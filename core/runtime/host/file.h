/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file.h - files as the host's tables know them: which calls are made inline and which by a
 * worker, above the environment's blocking ones.
 *
 *   F1  A write is inline unless its device was slow within the last SLOW_NS. A read is inline if
 *       the page cache has it all. What may take milliseconds by nature always goes to a worker.
 *   F2  A file is closed, by a worker, when its handle and the leases of all its slices are back.
 *   F3  After a failed sync every call but evict, length and close is MRT_EIO: the kernel may have
 *       dropped the pages, and a second sync would say that all is well.
 */
#ifndef CORE_RUNTIME_HOST_FILE_H
#define CORE_RUNTIME_HOST_FILE_H

#include "core/runtime/host/tables.h"

#define SLOW_WRITE_NS   UINT64_C(1000000)    /* a write that took longer holds up a whole reactor */
#define SLOW_NS         UINT64_C(1000000000) /* how long workers write there from then on */
#define READ_INLINE_MAX (256 * 1024)         /* a copy of about 25 us */
#define PATH_BYTES_MAX  4095

struct mrt_file {
    mrt_lease lease; /* refs: the handle and each slice */
    mrt_exec
        *exec; /* borrowed; may be gone after close, while slices or the worker still hold us */
    struct runtime *runtime; /* borrowed */
    struct env_file *file;
    struct device *device;
    struct env_job close;
    uint32_t broken; /* atomic (F3) */
    uint32_t closed; /* the handle is back */
};

/* Lies in mrt_op.host while a worker has the operation. */
struct __attribute__((__may_alias__)) file_job {
    struct env_job job;
    uint64_t node; /* 0: the state of the queue's node that this becomes */
    mrt_status (*work)(mrt_op *op);
};

/* Completes @op with what @work returns, from a worker. Always MRT_PENDING, or MRT_ENOMEM when too
 * much is queued. @work finds its arguments in op->scratch. */
mrt_status file_offload(mrt_op *op, mrt_status (*work)(mrt_op *op));

/* The same for calls that may as well complete inline: in a simulated environment some do. */
mrt_status file_offload_or_not(mrt_op *op, mrt_status (*work)(mrt_op *op));

/* The file behind a FILE slice. */
mrt_file *file_of(const mrt_slice *slice);

/* A new handle around what the environment opened. */
mrt_file *file_new(mrt_exec *exec, struct env_file *file, uint64_t device);

/* ---- by path (file_path.c) ------------------------------------------------------------------- */

mrt_status path_open(
    mrt_exec *exec, mrt_op *op, const mrt_str *path, uint32_t flags, mrt_file **out);
mrt_status path_rename(mrt_exec *exec, mrt_op *op, const mrt_str *from, const mrt_str *to);
mrt_status path_unlink(mrt_exec *exec, mrt_op *op, const mrt_str *path);
mrt_status path_mkdir(mrt_exec *exec, mrt_op *op, const mrt_str *path);
mrt_status path_sync_dir(mrt_exec *exec, mrt_op *op, const mrt_str *path);
mrt_status path_space(
    mrt_exec *exec, mrt_op *op, const mrt_str *path, uint64_t *total, uint64_t *avail);

/* Absolute, no "..", no NUL, not too long. */
bool path_is_good(const mrt_str *path);

/* ---- listing (file_list.c) ------------------------------------------------------------------- */

mrt_status path_list(mrt_exec *exec, mrt_op *op, const mrt_str *path, mrt_dirlist *list);

#endif /* CORE_RUNTIME_HOST_FILE_H */
