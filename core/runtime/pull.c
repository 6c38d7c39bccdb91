/* SPDX-License-Identifier: Apache-2.0 */
/* slices_pull(): the bytes of slices, wherever they are. */
#include <string.h>

#include "core/runtime/bytes.h"
#include "core/runtime/host/file.h"

#define PULL_INLINE_MAX (1024 * 1024) /* of files: a copy of about 100 us */

struct __attribute__((__may_alias__)) pull_call {
    const mrt_slicev *in;
    uint8_t *to;    /* where slice @first goes */
    uint32_t first; /* the first one that was not copied yet */
};

_Static_assert(sizeof(struct pull_call) <= sizeof(((mrt_op *)0)->scratch), "an op holds its call");

static mrt_status pull_file(const mrt_slice *slice, uint8_t *to, bool nowait)
{
    mrt_file *file = file_of(slice);
    const struct env_ops *ops = file->runtime->env->ops;
    uint64_t got = 0;
    if (__atomic_load_n(&file->broken, __ATOMIC_ACQUIRE) != 0)
        return MRT_EIO;
    mrt_status status = nowait ? ops->file_read_nowait(file->file, to, slice->len, slice->off, &got)
                               : ops->file_read(file->file, to, slice->len, slice->off, &got);
    if (status == MRT_OK && got < slice->len)
        return MRT_ECORRUPT;
    return status;
}

/* Goes on with @call until the end or an error, and leaves in it how far it came. */
static mrt_status pull(struct pull_call *call, bool nowait)
{
    for (; call->first < call->in->n; call->first++) {
        const mrt_slice *slice = &call->in->v[call->first];
        mrt_status status = MRT_OK;
        if (slice->kind == MRT_SLICE_MEM) {
            const uint8_t *from = (const uint8_t *)(uintptr_t)slice->ref;
            if (slice->len > 0)
                memcpy(call->to, from + slice->off, slice->len);
        } else {
            status = pull_file(slice, call->to, nowait);
        }
        if (status != MRT_OK)
            return status;
        call->to += slice->len;
    }
    return MRT_OK;
}

static mrt_status pull_work(mrt_op *op)
{
    return pull((struct pull_call *)(void *)op->scratch, false);
}

mrt_status slices_pull(mrt_exec *exec, mrt_op *op, const mrt_slicev *in, void *dst)
{
    uint64_t in_files = 0;
    ASSERT(op->exec == exec);
    for (uint32_t i = 0; i < in->n; i++) {
        if (in->v[i].kind == MRT_SLICE_FILE)
            in_files += in->v[i].len;
        else if (in->v[i].kind != MRT_SLICE_MEM)
            return MRT_EINVAL;
    }
    struct pull_call call = {.in = in, .to = dst};
    bool nowait = in_files <= PULL_INLINE_MAX &&
                  (in_files == 0 || env_choose(exec->runtime->env, CHOICE_WORKER, 2) == 0);
    mrt_status status = nowait ? pull(&call, true) : MRT_EAGAIN;
    if (status != MRT_EAGAIN)
        return status;
    *(struct pull_call *)(void *)op->scratch = call;
    return file_offload(op, pull_work);
}
