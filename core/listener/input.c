/* SPDX-License-Identifier: Apache-2.0 */
/*
 * input.c - received bytes on their way to the protocol: as they came where they are whole, joined
 * in a block of their own where they are not.
 */
#include <string.h>

#include "core/base/assert.h"
#include "core/listener/stream_state.h"
#include "core/runtime/bytes.h"

#define CARRY_FIRST (16 * 1024)

void stream_carry_drop(mrt_stream *stream)
{
    struct carry *carry = &stream->carry;

    if (carry->lease != NULL) {
        budget_give(&stream->budget, ACCOUNT_RX, carry->capacity);
        lease_release(carry->lease);
    }
    *carry = (struct carry){0};
}

/* Makes room for @need bytes in all, at most doubling: T2. False: the account is spent. */
static bool carry_grow(mrt_stream *stream, uint64_t need)
{
    struct carry *carry = &stream->carry;
    uint64_t capacity = carry->capacity == 0 ? CARRY_FIRST : carry->capacity;
    uint8_t *bytes = NULL;
    mrt_lease *lease = NULL;

    if (need <= carry->capacity)
        return true;
    while (capacity < need)
        capacity *= 2;
    if (capacity > stream->group->rx_max) /* not @need: each further piece would copy it all */
        capacity = stream->group->rx_max;
    if (capacity < need)
        return false;
    if (!budget_take(&stream->budget, ACCOUNT_RX, capacity))
        return false;
    if (block_new(capacity, &bytes, &lease) != MRT_OK) {
        budget_give(&stream->budget, ACCOUNT_RX, capacity);
        return false;
    }
    if (carry->size > 0)
        memcpy(bytes, carry->bytes, carry->size);
    uint64_t size = carry->size;
    uint64_t want = carry->want;
    stream_carry_drop(stream);
    *carry = (struct carry){bytes, lease, size, capacity, want};
    return true;
}

static bool carry_add(mrt_stream *stream, const uint8_t *bytes, uint64_t n)
{
    if (!carry_grow(stream, stream->carry.size + n))
        return false;
    memcpy(stream->carry.bytes + stream->carry.size, bytes, n);
    stream->carry.size += n;
    return true;
}

/* Hands @bytes over; what is consumed. The lease stays with the caller, too. */
static uint64_t give(mrt_stream *stream, const uint8_t *bytes, uint64_t n, mrt_lease *lease)
{
    mrt_str view = {(const char *)bytes, n};
    uint64_t consumed = 0;
    uint64_t want = 0;

    lease_share(lease);
    mrt_status status =
        stream->group->protocol->on_bytes(stream->session, &view, lease, &consumed, &want);
    if (status != MRT_OK) {
        stream_fail(stream, status_name(status));
        return n;
    }
    ASSERT(consumed <= n);
    stream->carry.want = want;
    return consumed;
}

/* Carried bytes go first. What is left of them afterwards begins a new carry. */
static void give_carried(mrt_stream *stream)
{
    struct carry old = stream->carry;

    stream->carry = (struct carry){0};
    uint64_t consumed = give(stream, old.bytes, old.size, old.lease);
    if (consumed == 0 && stream->conn != NULL) {
        uint64_t want = stream->carry.want;
        stream->carry = old;
        stream->carry.want = want;
        return;
    }
    if (stream->conn != NULL && consumed < old.size)
        if (!carry_add(stream, old.bytes + consumed, old.size - consumed))
            stream_fail(stream, "ENOMEM");
    budget_give(&stream->budget, ACCOUNT_RX, old.capacity);
    lease_release(old.lease);
}

void stream_feed_again(mrt_stream *stream)
{
    stream_ref(stream);
    while (stream->conn != NULL && stream->paused == 0 && stream->carry.size > 0 &&
           stream->carry.size >= stream->carry.want) {
        uint64_t before = stream->carry.size;
        give_carried(stream);
        if (stream->carry.size == before)
            break;
    }
    stream_unref(stream);
}

void stream_on_bytes(void *context, const mrt_str *bytes, mrt_lease *lease)
{
    mrt_stream *stream = context;
    const uint8_t *at = (const uint8_t *)bytes->p;
    uint64_t n = bytes->n;

    stream_ref(stream);
    while (n > 0 && stream->conn != NULL) {
        if (stream->paused != 0 || stream->carry.size > 0) {
            uint64_t missing = stream->carry.want > stream->carry.size
                                   ? stream->carry.want - stream->carry.size
                                   : n;
            uint64_t part = missing < n && stream->paused == 0 ? missing : n;
            if (!carry_add(stream, at, part)) {
                stream_fail(stream, "ENOMEM");
                break;
            }
            at += part;
            n -= part;
            stream_feed_again(stream);
            continue;
        }
        uint64_t consumed = give(stream, at, n, lease);
        at += consumed;
        n -= consumed;
        if (stream->conn != NULL && n > 0 && !carry_add(stream, at, n))
            stream_fail(stream, "ENOMEM");
        n = 0;
    }
    lease_release(lease);
    stream_unref(stream);
}
