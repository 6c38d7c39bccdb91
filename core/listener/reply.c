/* SPDX-License-Identifier: Apache-2.0 */
#include "core/listener/reply.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/base/memory.h"
#include "core/runtime/bytes.h"

void reply_take(struct reply *reply, const mrt_slicev *v, uint32_t n)
{
    uint64_t slices = 0;

    ASSERT(reply->state == REPLY_RESERVED);
    for (uint32_t i = 0; i < n; i++)
        slices += v[i].n;
    reply->v = memory_array(n, sizeof *reply->v);
    reply->slices = memory_array(slices, sizeof *reply->slices);
    reply->n = n;
    reply->bytes = 0;
    reply->charged = 0;
    reply->moving = 0;
    reply->sent = 0;

    mrt_slice *at = reply->slices;
    for (uint32_t i = 0; i < n; i++) {
        reply->v[i] = v[i];
        reply->v[i].v = at;
        for (uint32_t j = 0; j < v[i].n; j++)
            *at++ = v[i].v[j];
        reply->bytes += v[i].bytes;
    }
}

static bool lies_in_files(const mrt_slicev *v)
{
    for (uint32_t i = 0; i < v->n; i++)
        if (v->v[i].kind == MRT_SLICE_FILE)
            return true;
    return false;
}

uint64_t reply_file_bytes(const struct reply *reply)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < reply->n; i++)
        if (lies_in_files(&reply->v[i]))
            bytes += reply->v[i].bytes;
    return bytes;
}

/* The vector now lies in one block of memory; the file's lease goes back. */
static void adopt_moved(struct reply *reply)
{
    mrt_slicev *v = &reply->v[reply->moving];
    mrt_slice *first = &reply->slices[v->v - reply->slices];

    lease_release(v->lease);
    *first = reply->moved;
    *v = (mrt_slicev){first, 1, 0, reply->moved.len, reply->moved_lease};
    reply->moved_lease = NULL;
    reply->moving++;
}

mrt_status reply_moved(struct reply *reply, mrt_status status)
{
    ASSERT(reply->moved_lease != NULL);
    if (status != MRT_OK) {
        lease_release(reply->moved_lease);
        reply->moved_lease = NULL;
        return status;
    }
    adopt_moved(reply);
    return MRT_OK;
}

mrt_status reply_move(struct reply *reply, mrt_exec *reactor, void (*done)(mrt_op *op))
{
    while (reply->moving < reply->n) {
        const mrt_slicev *v = &reply->v[reply->moving];
        if (!lies_in_files(v)) {
            reply->moving++;
            continue;
        }
        uint8_t *room = NULL;
        mrt_status status = block_new(v->bytes, &room, &reply->moved_lease);
        if (status != MRT_OK)
            return status;
        reply->moved = (mrt_slice){MRT_SLICE_MEM, 0, (uintptr_t)room, 0, v->bytes};
        op_init(&reply->op, reactor, done, reply);
        status = op_outcome(&reply->op, slices_pull(reactor, &reply->op, v, room));
        if (status == MRT_PENDING)
            return status;
        status = reply_moved(reply, status);
        if (status != MRT_OK)
            return status;
    }
    return MRT_OK;
}

void reply_drop(struct reply *reply)
{
    ASSERT(reply->sent <= reply->n);
    ASSERT(reply->moved_lease == NULL);
    for (uint32_t i = reply->sent; i < reply->n; i++)
        lease_release(reply->v[i].lease);
    memory_free(reply->v);
    memory_free(reply->slices);
    reply->v = NULL;
    reply->slices = NULL;
    reply->n = 0;
}
