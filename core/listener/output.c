/* SPDX-License-Identifier: Apache-2.0 */
/*
 * output.c - replies on their way out: slots in order, one send a turn, the account of unsent
 * bytes.
 */
#include "core/base/assert.h"
#include "core/listener/stream_state.h"
#include "core/runtime/bytes.h"

mrt_status stream_reserve(mrt_stream *stream, uint64_t *slot)
{
    struct reply_ring *ring = &stream->ring;

    if (ring->tail - ring->head == STREAM_SLOTS) {
        stream_pause(stream, PAUSE_SLOTS);
        return MRT_ENOMEM;
    }
    struct reply *reply = reply_at(ring, ring->tail);
    ASSERT(reply->state == REPLY_FREE);
    reply->state = REPLY_RESERVED;
    reply->sequence = ring->tail;
    reply->stream = stream;
    *slot = ring->tail++;
    stream_ref(stream);
    return MRT_OK;
}

/* The slot's turn is over: the next one may take its place. */
static void slot_free(mrt_stream *stream, struct reply *reply)
{
    reply->state = REPLY_FREE;
    stream_unref(stream);
}

static void slot_ready(mrt_stream *stream, struct reply *reply)
{
    reply->state = REPLY_READY;
    stream_flush_later(stream);
}

static void slot_moved(mrt_op *op)
{
    struct reply *reply = op->caller;
    mrt_stream *stream = reply->stream;
    mrt_status status = reply_moved(reply, op->status);

    if (status == MRT_OK)
        status = reply_move(reply, stream->group->reactor, slot_moved);
    if (status == MRT_PENDING)
        return;
    if (status != MRT_OK)
        stream_fail(stream, status_name(status));
    slot_ready(stream, reply);
}

void stream_fill(mrt_stream *stream, uint64_t slot, const mrt_slicev *v, uint32_t n)
{
    struct reply *reply = reply_at(&stream->ring, slot);

    ASSERT(reply->state == REPLY_RESERVED);
    ASSERT(reply->sequence == slot);
    reply_take(reply, v, n);
    stream->unsent += reply->bytes;
    if (stream->unsent > STREAM_TX_MARK)
        stream_pause(stream, PAUSE_TX);
    if (stream->conn != NULL) {
        reply->state = REPLY_MOVING;
        mrt_status status = reply_move(reply, stream->group->reactor, slot_moved);
        if (status == MRT_PENDING)
            return;
        if (status != MRT_OK)
            stream_fail(stream, status_name(status));
    }
    slot_ready(stream, reply);
}

/* Drops the slot at the head, whose bytes are sent (or never will be). */
static void slot_done(mrt_stream *stream, bool leases)
{
    struct reply *reply = reply_at(&stream->ring, stream->ring.head);

    stream->unsent -= reply->bytes;
    reply_drop(reply, leases);
    stream->ring.head++;
    if (stream->session != NULL)
        stream->group->protocol->on_sent(stream->session, reply->sequence);
    slot_free(stream, reply);
}

static void after_progress(mrt_stream *stream)
{
    if (stream->conn == NULL)
        return;
    if ((stream->paused & PAUSE_TX) != 0 && stream->unsent < STREAM_TX_MARK / 2) {
        stream_unpause(stream, PAUSE_TX);
        stream->group->protocol->on_drained(stream->session);
    }
    if (stream->conn != NULL)
        stream_unpause(stream, PAUSE_SLOTS);
}

static void send_finished(mrt_stream *stream, mrt_status status)
{
    uint32_t sent = stream->sending;

    stream->sending = 0;
    for (uint32_t i = 0; i < sent; i++)
        slot_done(stream, false);
    if (status != MRT_OK)
        stream_fail(stream, NULL);
    after_progress(stream);
    stream_flush_later(stream);
}

static void send_done(mrt_op *op)
{
    mrt_stream *stream = op->caller;
    send_finished(stream, op->status);
    stream_unref(stream);
}

/* Gathers the ready slots at the head, in order, up to the vectors of one send. */
static void gather(mrt_stream *stream)
{
    struct reply_ring *ring = &stream->ring;

    stream->send_n = 0;
    stream->sending = 0;
    for (uint64_t at = ring->head; at < ring->tail; at++) {
        struct reply *reply = reply_at(ring, at);
        if (reply->state != REPLY_READY)
            break;
        if (stream->sending > 0 && stream->send_n + reply->n > STREAM_VECTORS)
            break;
        ASSERT(reply->n <= STREAM_VECTORS);
        for (uint32_t i = 0; i < reply->n; i++)
            stream->send_v[stream->send_n++] = reply->v[i];
        reply->state = REPLY_SENDING;
        stream->sending++;
    }
}

static void drop_ready(mrt_stream *stream)
{
    struct reply_ring *ring = &stream->ring;
    while (ring->head < ring->tail && reply_at(ring, ring->head)->state == REPLY_READY)
        slot_done(stream, true);
}

static void flush(mrt_stream *stream)
{
    if (stream->conn == NULL) {
        if (stream->sending == 0)
            drop_ready(stream);
        return;
    }
    if (stream->sending > 0)
        return;
    gather(stream);
    if (stream->send_n == 0) {
        if (stream->sending > 0)
            send_finished(stream, MRT_OK);
        else if (stream->closing && stream->ring.head == stream->ring.tail)
            stream_fail(stream, NULL);
        return;
    }
    op_init(&stream->send_op, stream->group->reactor, send_done, stream);
    stream_ref(stream);
    mrt_status status = op_outcome(
        &stream->send_op, stream->group->transport->send(
                              stream->conn, &stream->send_op, stream->send_v, stream->send_n));
    if (status == MRT_PENDING)
        return;
    if (status != MRT_OK) /* on error the leases are still ours */
        for (uint32_t i = 0; i < stream->send_n; i++)
            lease_release(stream->send_v[i].lease);
    send_finished(stream, status);
    stream_unref(stream);
}

static void flush_run(mrt_task *task)
{
    mrt_stream *stream = CONTAINER(task, struct mrt_stream, flush_task);
    stream->flush_posted = 0;
    flush(stream);
    stream_unref(stream);
}

void stream_flush_later(mrt_stream *stream)
{
    if (stream->flush_posted)
        return;
    stream->flush_posted = 1;
    stream_ref(stream);
    stream->flush_task.run = flush_run;
    exec_post(stream->group->reactor, &stream->flush_task);
}

void stream_output_drop(mrt_stream *stream)
{
    stream_flush_later(stream);
}
