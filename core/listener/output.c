/* SPDX-License-Identifier: Apache-2.0 */
/*
 * output.c - replies on their way out: slots in order, moved to memory as far as the account of
 * sent bytes allows, one send at a time.
 */
#include "core/base/assert.h"
#include "core/base/memory.h"
#include "core/listener/stream_state.h"
#include "core/runtime/bytes.h"

mrt_status stream_reserve(mrt_stream *stream, uint64_t *slot)
{
    struct reply_ring *ring = &stream->ring;

    if (ring->tail - ring->head == STREAM_SLOTS) {
        stream_pause(stream, PAUSE_SLOTS);
        return MRT_ENOMEM;
    }
    ASSERT(reply_at(ring, ring->tail) == NULL);
    struct reply *reply = memory_new(sizeof *reply);
    reply->state = REPLY_RESERVED;
    reply->sequence = ring->tail;
    reply->stream = stream;
    ring->slots[ring->tail % STREAM_SLOTS] = reply;
    *slot = ring->tail++;
    stream_ref(stream);
    return MRT_OK;
}

/* The slot's turn is over: the next one may take its place. */
static void slot_free(mrt_stream *stream, struct reply *reply)
{
    stream->ring.slots[reply->sequence % STREAM_SLOTS] = NULL;
    memory_free(reply);
    stream_unref(stream);
}

void stream_fill(mrt_stream *stream, uint64_t slot, const mrt_slicev *v, uint32_t n)
{
    struct reply *reply = reply_at(&stream->ring, slot);

    ASSERT(reply != NULL);
    ASSERT(reply->state == REPLY_RESERVED);
    ASSERT(reply->sequence == slot);
    reply_take(reply, v, n);
    reply->state = REPLY_FILLED;
    stream->unsent += reply->bytes;
    if (stream->unsent > STREAM_TX_MARK)
        stream_pause(stream, PAUSE_TX);
    stream_flush_later(stream);
}

/* ---- from files to memory -------------------------------------------------------------------- */

static void slot_moved(mrt_op *op);

/* Goes on moving, or ends it: @status is that of what was moved last. */
static void slot_move(mrt_stream *stream, struct reply *reply, mrt_status status)
{
    ASSERT(reply->state == REPLY_MOVING);
    if (status == MRT_OK && stream->conn != NULL)
        status = reply_move(reply, stream->group->reactor, slot_moved);
    if (status == MRT_PENDING)
        return;
    if (status != MRT_OK)
        stream_fail(stream, status_name(status));
    reply->state = REPLY_READY;
    stream_flush_later(stream);
}

static void slot_moved(mrt_op *op)
{
    struct reply *reply = op->caller;
    slot_move(reply->stream, reply, reply_moved(reply, op->status));
}

static void room_fire(mrt_timer *timer)
{
    stream_flush_later(CONTAINER(timer, struct mrt_stream, room_timer));
}

/* Charges the memory @reply is moved to. False: there is none now; the next flush asks again. */
static bool take_room(mrt_stream *stream, struct reply *reply)
{
    uint64_t bytes = reply_file_bytes(reply);

    if (bytes == 0)
        return true;
    if (budget_take(&stream->budget, ACCOUNT_TX, bytes)) {
        reply->charged = bytes;
        stream->room_refused = 0;
        return true;
    }
    if (++stream->room_refused > STREAM_ROOM_TRIES) {
        stream_fail(stream, status_name(MRT_ENOMEM));
        return false;
    }
    stream->room_timer.fire = room_fire;
    exec_timer_set(
        stream->group->reactor, &stream->room_timer,
        exec_now_ns(stream->group->reactor) + STREAM_ROOM_NS);
    return false;
}

/* Moves what is filled, in order, as far as the mark; the head in any case (T5). */
static void move_ahead(mrt_stream *stream)
{
    struct reply_ring *ring = &stream->ring;

    for (uint64_t at = ring->head; at < ring->tail; at++) {
        struct reply *reply = reply_at(ring, at);
        if (reply->state != REPLY_FILLED)
            continue;
        if (at > ring->head && budget_used(&stream->budget, ACCOUNT_TX) >= STREAM_TX_MARK)
            return;
        if (!take_room(stream, reply))
            return;
        reply->state = REPLY_MOVING;
        slot_move(stream, reply, MRT_OK);
    }
}

/* ---- sending --------------------------------------------------------------------------------- */

/* Drops the slot at the head, whose bytes are sent (or never will be). */
static void slot_done(mrt_stream *stream)
{
    struct reply *reply = reply_at(&stream->ring, stream->ring.head);

    ASSERT(stream->unsent >= reply->bytes);
    stream->unsent -= reply->bytes;
    reply_drop(reply);
    budget_give(&stream->budget, ACCOUNT_TX, reply->charged);
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
    stream->in_send = 0;
    memory_free(stream->send_v);
    stream->send_v = NULL;
    stream->sends++;
    for (uint32_t i = 0; i < sent; i++)
        slot_done(stream);
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

/* Vectors that are ready at the head, as many as one send takes. */
static uint32_t count_ready(const mrt_stream *stream)
{
    const struct reply_ring *ring = &stream->ring;
    uint32_t n = 0;

    for (uint64_t at = ring->head; at < ring->tail && n < STREAM_VECTORS; at++) {
        const struct reply *reply = ring->slots[at % STREAM_SLOTS];
        if (reply->state != REPLY_READY)
            break;
        n += reply->n - reply->sent;
    }
    return n < STREAM_VECTORS ? n : STREAM_VECTORS;
}

/* Gathers the ready slots at the head, in order, up to the vectors of one send: the last one
 * perhaps in part. */
static void gather(mrt_stream *stream)
{
    struct reply_ring *ring = &stream->ring;
    uint32_t room = count_ready(stream);

    ASSERT(stream->send_v == NULL);
    if (room > 0)
        stream->send_v = memory_array(room, sizeof *stream->send_v);
    stream->send_n = 0;
    stream->sending = 0;
    for (uint64_t at = ring->head; at < ring->tail; at++) {
        const struct reply *reply = reply_at(ring, at);
        if (reply->state != REPLY_READY)
            return;
        for (uint32_t i = reply->sent; i < reply->n; i++) {
            if (stream->send_n == room)
                return;
            stream->send_v[stream->send_n++] = reply->v[i];
        }
        stream->sending++;
    }
}

/* The leases of what was gathered are the transport's now. */
static void leases_passed(mrt_stream *stream)
{
    uint32_t left = stream->send_n;

    for (uint64_t at = stream->ring.head; left > 0; at++) {
        struct reply *reply = reply_at(&stream->ring, at);
        uint32_t rest = reply->n - reply->sent;
        uint32_t part = rest < left ? rest : left;
        ASSERT(reply->state == REPLY_READY);
        reply->sent += part;
        left -= part;
    }
}

/* Of a closed stream: nothing is sent any more. */
static void drop_filled(mrt_stream *stream)
{
    struct reply_ring *ring = &stream->ring;

    ASSERT(!stream->in_send);
    while (ring->head < ring->tail) {
        enum reply_state state = reply_at(ring, ring->head)->state;
        if (state != REPLY_READY && state != REPLY_FILLED)
            return;
        slot_done(stream);
    }
}

static void flush(mrt_stream *stream)
{
    if (stream->conn == NULL) {
        drop_filled(stream);
        return;
    }
    move_ahead(stream);
    if (stream->in_send)
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
    stream->in_send = 1;
    mrt_status status = op_outcome(
        &stream->send_op, stream->group->transport->send(
                              stream->conn, &stream->send_op, stream->send_v, stream->send_n));
    if (status == MRT_OK || status == MRT_PENDING)
        leases_passed(stream); /* on error they are still ours */
    if (status == MRT_PENDING)
        return;
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
