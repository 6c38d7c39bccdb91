/* SPDX-License-Identifier: Apache-2.0 */
/* The calls of mortise.host.file/1 that name a path. */
#include <string.h>

#include "core/runtime/host/file.h"

/* What a call leaves in op->scratch for its worker. */
struct __attribute__((__may_alias__)) path_call {
    const mrt_str *path;
    union {
        const mrt_str *to;
        mrt_file **out;
        uint64_t *total;
    };
    union {
        uint32_t flags;
        uint64_t *avail;
    };
};

_Static_assert(sizeof(struct path_call) <= sizeof(((mrt_op *)0)->scratch), "an op holds its call");

static struct path_call *call_of(mrt_op *op)
{
    return (struct path_call *)(void *)op->scratch;
}

static struct env *env_of(const mrt_op *op)
{
    return op->exec->runtime->env;
}

bool path_is_good(const mrt_str *path)
{
    if (path->n == 0 || path->n > PATH_BYTES_MAX || path->p[0] != '/')
        return false;
    if (memchr(path->p, '\0', path->n) != NULL)
        return false;
    for (uint64_t i = 0; i + 3 <= path->n; i++) {
        bool up = memcmp(path->p + i, "/..", 3) == 0;
        if (up && (i + 3 == path->n || path->p[i + 3] == '/'))
            return false;
    }
    return true;
}

static mrt_status open_work(mrt_op *op)
{
    struct path_call *call = call_of(op);
    struct env_file *file = NULL;
    uint64_t device = 0;
    mrt_status status =
        env_of(op)->ops->file_open(env_of(op), call->path, call->flags, &file, &device);
    if (status == MRT_OK)
        *call->out = file_new(op->exec, file, device);
    return status;
}

mrt_status path_open(
    mrt_exec *exec, mrt_op *op, const mrt_str *path, uint32_t flags, mrt_file **out)
{
    const uint32_t known =
        MRT_FILE_READ | MRT_FILE_WRITE | MRT_FILE_CREATE | MRT_FILE_EXCLUSIVE | MRT_FILE_LOCK;
    CHECK(at_home(exec));
    ASSERT(op->exec == exec);
    if (!path_is_good(path) || (flags & ~known) != 0)
        return MRT_EINVAL;
    if ((flags & (MRT_FILE_READ | MRT_FILE_WRITE)) == 0)
        return MRT_EINVAL;
    *call_of(op) = (struct path_call){.path = path, .out = out, .flags = flags};
    return file_offload_or_not(op, open_work);
}

static mrt_status rename_work(mrt_op *op)
{
    struct path_call *call = call_of(op);
    return env_of(op)->ops->rename(env_of(op), call->path, call->to);
}

mrt_status path_rename(mrt_exec *exec, mrt_op *op, const mrt_str *from, const mrt_str *to)
{
    CHECK(at_home(exec));
    ASSERT(op->exec == exec);
    if (!path_is_good(from) || !path_is_good(to))
        return MRT_EINVAL;
    *call_of(op) = (struct path_call){.path = from, .to = to};
    return file_offload_or_not(op, rename_work);
}

static mrt_status unlink_work(mrt_op *op)
{
    return env_of(op)->ops->unlink(env_of(op), call_of(op)->path);
}

mrt_status path_unlink(mrt_exec *exec, mrt_op *op, const mrt_str *path)
{
    CHECK(at_home(exec));
    ASSERT(op->exec == exec);
    if (!path_is_good(path))
        return MRT_EINVAL;
    *call_of(op) = (struct path_call){.path = path};
    return file_offload(op, unlink_work);
}

static mrt_status mkdir_work(mrt_op *op)
{
    return env_of(op)->ops->mkdir(env_of(op), call_of(op)->path);
}

mrt_status path_mkdir(mrt_exec *exec, mrt_op *op, const mrt_str *path)
{
    CHECK(at_home(exec));
    ASSERT(op->exec == exec);
    if (!path_is_good(path))
        return MRT_EINVAL;
    *call_of(op) = (struct path_call){.path = path};
    return file_offload_or_not(op, mkdir_work);
}

static mrt_status sync_dir_work(mrt_op *op)
{
    return env_of(op)->ops->sync_dir(env_of(op), call_of(op)->path);
}

mrt_status path_sync_dir(mrt_exec *exec, mrt_op *op, const mrt_str *path)
{
    CHECK(at_home(exec));
    ASSERT(op->exec == exec);
    if (!path_is_good(path))
        return MRT_EINVAL;
    *call_of(op) = (struct path_call){.path = path};
    return file_offload(op, sync_dir_work);
}

static mrt_status space_work(mrt_op *op)
{
    struct path_call *call = call_of(op);
    return env_of(op)->ops->space(env_of(op), call->path, call->total, call->avail);
}

mrt_status path_space(
    mrt_exec *exec, mrt_op *op, const mrt_str *path, uint64_t *total, uint64_t *avail)
{
    CHECK(at_home(exec));
    ASSERT(op->exec == exec);
    if (!path_is_good(path))
        return MRT_EINVAL;
    *call_of(op) = (struct path_call){.path = path, .total = total, .avail = avail};
    return file_offload_or_not(op, space_work);
}
