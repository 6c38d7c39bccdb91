/* SPDX-License-Identifier: Apache-2.0 */
#include "core/runtime/host/file.h"

#include "core/base/memory.h"

#define COPY_BYTES 65536 /* at a time, from file to file */

/* What a call leaves in op->scratch for its worker. */
struct __attribute__((__may_alias__)) file_call {
    mrt_file *file;
    uint64_t off;
    union {
        const mrt_slicev *v; /* writev */
        struct {
            void *to;
            uint64_t n;
            uint64_t *got;
        } read;
        uint64_t n;
        uint32_t flags;
    };
};

_Static_assert(sizeof(struct file_call) <= sizeof(((mrt_op *)0)->scratch), "an op holds its call");
_Static_assert(sizeof(struct file_job) <= sizeof(((mrt_op *)0)->host), "an op holds its job");

static struct file_call *call_of(mrt_op *op)
{
    return (struct file_call *)(void *)op->scratch;
}

static const struct env_ops *ops_of(const mrt_file *file)
{
    return file->runtime->env->ops;
}

static bool is_broken(const mrt_file *file)
{
    return __atomic_load_n(&file->broken, __ATOMIC_ACQUIRE) != 0;
}

/* ---- workers --------------------------------------------------------------------------------- */

static void job_run(struct env_job *job)
{
    struct file_job *own = CONTAINER(job, struct file_job, job);
    mrt_op *op = CONTAINER(own, mrt_op, host);
    struct runtime *runtime = op->exec->runtime;
    mrt_status status = work_is_late(op) ? MRT_ETIMEDOUT : own->work(op);
    work_ended(runtime);
    op_complete(op, status);
}

mrt_status file_offload(mrt_op *op, mrt_status (*work)(mrt_op *op))
{
    struct file_job *own = (struct file_job *)(void *)op->host;
    ASSERT(op->exec != NULL);
    own->job.run = job_run;
    own->node = 0;
    own->work = work;
    return work_submit(op->exec->runtime, &own->job, false) ? MRT_PENDING : MRT_ENOMEM;
}

mrt_status file_offload_or_not(mrt_op *op, mrt_status (*work)(mrt_op *op))
{
    if (env_choose(op->exec->runtime->env, CHOICE_INLINE, 2) == 1)
        return work(op);
    return file_offload(op, work);
}

/* ---- handles --------------------------------------------------------------------------------- */

static void close_run(struct env_job *job)
{
    mrt_file *file = CONTAINER(job, mrt_file, close);
    struct runtime *runtime = file->runtime;
    runtime->env->ops->file_close(runtime->env, file->file);
    memory_free(file);
    work_ended(runtime);
}

static void file_release(mrt_lease *lease)
{
    mrt_file *file = CONTAINER(lease, mrt_file, lease);
    uint64_t before = __atomic_fetch_sub(&lease->refs, 1, __ATOMIC_ACQ_REL);
    ASSERT(before > 0);
    if (before > 1)
        return;
    file->close.run = close_run;
    work_submit(file->runtime, &file->close, true);
}

static const mrt_lease_ops file_lease_ops = {
    .size = sizeof file_lease_ops, .release = file_release};

/* The place of @id; what finds none shares the first. */
static struct device *device_of(struct runtime *runtime, uint64_t id)
{
    for (uint32_t i = 0; i < DEVICES_MAX; i++) {
        struct device *device = &runtime->devices[i];
        uint64_t there = 0;
        if (__atomic_compare_exchange_n(
                &device->id, &there, id, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED) ||
            there == id)
            return device;
    }
    return &runtime->devices[0];
}

mrt_file *file_new(mrt_exec *exec, struct env_file *env_file, uint64_t device)
{
    mrt_file *file = memory_new(sizeof *file);
    file->lease = (mrt_lease){.ops = &file_lease_ops, .refs = 1};
    file->exec = exec;
    file->runtime = exec->runtime;
    file->file = env_file;
    file->device = device_of(exec->runtime, device | 1); /* 0 means free; even and odd may share */
    return file;
}

mrt_file *file_of(const mrt_slice *slice)
{
    ASSERT(slice->kind == MRT_SLICE_FILE);
    mrt_file *file = (mrt_file *)(uintptr_t)slice->ref;
    ASSERT(file->lease.ops == &file_lease_ops);
    return file;
}

static void file_close(mrt_file *file)
{
    CHECK(at_home(file->exec));
    ASSERT(!file->closed);
    file->closed = 1;
    file_release(&file->lease);
}

/* ---- writing --------------------------------------------------------------------------------- */

static void note_time(mrt_file *file, uint64_t start_ns)
{
    uint64_t now_ns = ops_of(file)->mono_ns(file->runtime->env);
    if (now_ns - start_ns > SLOW_WRITE_NS)
        __atomic_store_n(&file->device->slow_until, now_ns + SLOW_NS, __ATOMIC_RELAXED);
}

static bool is_slow(const mrt_file *file)
{
    uint64_t until_ns = __atomic_load_n(&file->device->slow_until, __ATOMIC_RELAXED);
    return until_ns != 0 && ops_of(file)->mono_ns(file->runtime->env) < until_ns;
}

/* From another file, piece by piece. */
static mrt_status write_copy(mrt_file *file, const mrt_slice *from, uint64_t off)
{
    mrt_file *source = file_of(from);
    uint8_t *room = memory_new(COPY_BYTES);
    mrt_status status = MRT_OK;
    for (uint64_t at = 0; status == MRT_OK && at < from->len;) {
        uint64_t n = from->len - at < COPY_BYTES ? from->len - at : COPY_BYTES;
        uint64_t got = 0;
        status = ops_of(source)->file_read(source->file, room, n, from->off + at, &got);
        if (status == MRT_OK && got < n)
            status = MRT_ECORRUPT;
        mrt_slice piece = {.kind = MRT_SLICE_MEM, .ref = (uintptr_t)room, .len = n};
        if (status == MRT_OK)
            status = ops_of(file)->file_write(file->file, &piece, 1, off + at);
        at += n;
    }
    memory_free(room);
    return status;
}

static mrt_status write_all(mrt_file *file, const mrt_slicev *v, uint64_t off)
{
    uint64_t start_ns = ops_of(file)->mono_ns(file->runtime->env);
    mrt_status status = MRT_OK;
    for (uint32_t i = 0; status == MRT_OK && i < v->n;) {
        if (v->v[i].kind == MRT_SLICE_FILE) {
            status = write_copy(file, &v->v[i], off);
            off += v->v[i++].len;
            continue;
        }
        uint32_t first = i;
        uint64_t bytes = 0;
        while (i < v->n && v->v[i].kind == MRT_SLICE_MEM)
            bytes += v->v[i++].len;
        status = ops_of(file)->file_write(file->file, v->v + first, i - first, off);
        off += bytes;
    }
    note_time(file, start_ns);
    return status;
}

static mrt_status write_work(mrt_op *op)
{
    struct file_call *call = call_of(op);
    return write_all(call->file, call->v, call->off);
}

/* MRT_EINVAL for a vector that is not what it says. */
static mrt_status vector_check(const mrt_slicev *v, bool *files)
{
    uint64_t bytes = 0;
    *files = false;
    for (uint32_t i = 0; i < v->n; i++) {
        const mrt_slice *slice = &v->v[i];
        if (slice->kind != MRT_SLICE_MEM && slice->kind != MRT_SLICE_FILE)
            return MRT_EINVAL;
        *files |= slice->kind == MRT_SLICE_FILE;
        bytes += slice->len;
    }
    return bytes == v->bytes ? MRT_OK : MRT_EINVAL;
}

static mrt_status file_writev(mrt_file *file, mrt_op *op, const mrt_slicev *v, uint64_t off)
{
    bool files = false;
    CHECK(at_home(file->exec));
    mrt_status status = vector_check(v, &files);
    if (status != MRT_OK)
        return status;
    if (is_broken(file))
        return MRT_EIO;
    *call_of(op) = (struct file_call){.file = file, .off = off, .v = v};
    if (files || is_slow(file) || env_choose(file->runtime->env, CHOICE_WORKER, 2) == 1)
        return file_offload(op, write_work);
    return write_all(file, v, off);
}

/* ---- reading --------------------------------------------------------------------------------- */

static mrt_status read_work(mrt_op *op)
{
    struct file_call *call = call_of(op);
    return ops_of(call->file)
        ->file_read(call->file->file, call->read.to, call->read.n, call->off, call->read.got);
}

static mrt_status file_read_nowait(
    mrt_file *file, void *to, uint64_t n, uint64_t off, uint64_t *got)
{
    CHECK(at_home(file->exec));
    if (is_broken(file))
        return MRT_EIO;
    if (env_choose(file->runtime->env, CHOICE_WORKER, 2) == 1)
        return MRT_EAGAIN;
    return ops_of(file)->file_read_nowait(file->file, to, n, off, got);
}

static mrt_status file_read(
    mrt_file *file, mrt_op *op, void *to, uint64_t n, uint64_t off, uint64_t *got)
{
    mrt_status status = n > READ_INLINE_MAX ? MRT_EAGAIN : file_read_nowait(file, to, n, off, got);
    if (status != MRT_EAGAIN)
        return status;
    if (is_broken(file))
        return MRT_EIO;
    *call_of(op) = (struct file_call){.file = file, .off = off, .read = {to, n, got}};
    return file_offload(op, read_work);
}

/* ---- the rest -------------------------------------------------------------------------------- */

static mrt_status sync_work(mrt_op *op)
{
    struct file_call *call = call_of(op);
    if (is_broken(call->file))
        return MRT_EIO;
    mrt_status status = ops_of(call->file)->file_sync(call->file->file, call->flags);
    if (status == MRT_EIO)
        __atomic_store_n(&call->file->broken, 1, __ATOMIC_RELEASE);
    return status;
}

static mrt_status file_sync(mrt_file *file, mrt_op *op, uint32_t flags)
{
    CHECK(at_home(file->exec));
    if ((flags & ~(uint32_t)MRT_SYNC_DATA) != 0)
        return MRT_EINVAL;
    if (is_broken(file))
        return MRT_EIO;
    *call_of(op) = (struct file_call){.file = file, .flags = flags};
    return file_offload(op, sync_work);
}

static mrt_status truncate_work(mrt_op *op)
{
    struct file_call *call = call_of(op);
    return ops_of(call->file)->file_truncate(call->file->file, call->n);
}

static mrt_status file_truncate(mrt_file *file, mrt_op *op, uint64_t bytes)
{
    CHECK(at_home(file->exec));
    if (is_broken(file))
        return MRT_EIO;
    *call_of(op) = (struct file_call){.file = file, .n = bytes};
    return file_offload_or_not(op, truncate_work);
}

static mrt_status allocate_work(mrt_op *op)
{
    struct file_call *call = call_of(op);
    return ops_of(call->file)->file_allocate(call->file->file, call->off, call->n);
}

static mrt_status file_allocate(mrt_file *file, mrt_op *op, uint64_t off, uint64_t n)
{
    CHECK(at_home(file->exec));
    if (is_broken(file))
        return MRT_EIO;
    *call_of(op) = (struct file_call){.file = file, .off = off, .n = n};
    return file_offload(op, allocate_work);
}

static mrt_status evict_work(mrt_op *op)
{
    struct file_call *call = call_of(op);
    return ops_of(call->file)->file_evict(call->file->file, call->off, call->n);
}

static mrt_status file_evict(mrt_file *file, mrt_op *op, uint64_t off, uint64_t n)
{
    CHECK(at_home(file->exec));
    *call_of(op) = (struct file_call){.file = file, .off = off, .n = n};
    return file_offload(op, evict_work);
}

static mrt_status file_length(mrt_file *file, uint64_t *bytes)
{
    CHECK(at_home(file->exec));
    return ops_of(file)->file_length(file->file, bytes);
}

static mrt_status file_slice(
    mrt_file *file, uint64_t off, uint64_t n, mrt_slice *out, mrt_lease **lease)
{
    CHECK(at_home(file->exec));
    if (is_broken(file))
        return MRT_EIO;
    lease_share(&file->lease);
    *out = (mrt_slice){.kind = MRT_SLICE_FILE, .ref = (uintptr_t)file, .off = off, .len = n};
    *lease = &file->lease;
    return MRT_OK;
}

static mrt_status file_fd(const mrt_host *table, uint64_t ref, int32_t *fd)
{
    (void)table;
    mrt_file *file = file_of(&(mrt_slice){.kind = MRT_SLICE_FILE, .ref = ref});
    return ops_of(file)->file_fd(file->file, fd);
}

static void file_boot_id(const mrt_host *table, uint8_t *out)
{
    struct env *env = host_of(table)->runtime->env;
    env->ops->boot_id(env, out);
}

const mrt_host_file host_file_table = {
    .size = sizeof host_file_table,
    .open = path_open,
    .close = file_close,
    .writev = file_writev,
    .read = file_read,
    .read_nowait = file_read_nowait,
    .sync = file_sync,
    .truncate = file_truncate,
    .allocate = file_allocate,
    .length = file_length,
    .evict = file_evict,
    .slice = file_slice,
    .fd = file_fd,
    .rename = path_rename,
    .unlink = path_unlink,
    .mkdir = path_mkdir,
    .list = path_list,
    .sync_dir = path_sync_dir,
    .space = path_space,
    .boot_id = file_boot_id,
};
