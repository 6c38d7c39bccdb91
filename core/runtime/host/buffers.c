/* SPDX-License-Identifier: Apache-2.0 */
/* mortise.host.buffers/1: memory under leases, and what slices point at. */
#include "core/runtime/host/tables.h"

static mrt_status buffers_rx(mrt_exec *reactor, mrt_rx *out)
{
    CHECK(at_home(reactor));
    return reactor->strand == NULL ? rx_take(reactor, out) : MRT_EINVAL;
}

static mrt_status buffers_take(mrt_exec *exec, uint64_t bytes, mrt_slice *out, mrt_lease **lease)
{
    uint8_t *data = NULL;
    CHECK(at_home(exec));
    mrt_status status = block_take(&exec->runtime->budget, bytes, &data, lease);
    if (status == MRT_OK)
        *out = (mrt_slice){.kind = MRT_SLICE_MEM, .ref = (uintptr_t)data, .len = bytes};
    return status;
}

static mrt_status buffers_map(const mrt_host *table, const mrt_slice *slice, uint8_t **out)
{
    (void)table;
    if (slice->kind != MRT_SLICE_MEM)
        return MRT_ENOTSUP;
    *out = (uint8_t *)(uintptr_t)slice->ref + slice->off;
    return MRT_OK;
}

static mrt_status buffers_pull(
    mrt_exec *exec, mrt_op *op, const mrt_slicev *in, void *dst, uint64_t cap)
{
    CHECK(at_home(exec));
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < in->n; i++)
        bytes += in->v[i].len;
    if (bytes != in->bytes)
        return MRT_EINVAL;
    if (bytes > cap)
        return MRT_ETOOBIG;
    return slices_pull(exec, op, in, dst);
}

const mrt_host_buffers host_buffers_table = {
    .size = sizeof host_buffers_table,
    .rx = buffers_rx,
    .take = buffers_take,
    .map = buffers_map,
    .pull = buffers_pull,
};
