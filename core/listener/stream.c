/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream.c - the life of a stream: accepted, paused and resumed, closed, freed.
 */
#include "core/listener/stream.h"

#include "core/base/assert.h"
#include "core/base/memory.h"
#include "core/base/str.h"
#include "core/listener/stream_state.h"

void stream_ref(mrt_stream *stream)
{
    ASSERT(stream->references > 0);
    stream->references++;
}

static void limit_give(struct stream_limit *limit)
{
    if (limit != NULL)
        __atomic_sub_fetch(&limit->open, 1, __ATOMIC_RELAXED);
}

void stream_unref(mrt_stream *stream)
{
    ASSERT(stream->references > 0);
    if (--stream->references > 0)
        return;
    struct stream_group *group = stream->group;
    ASSERT(stream->conn == NULL);
    ASSERT(stream->ring.head == stream->ring.tail);
    ASSERT(stream->send_v == NULL);
    stream_carry_drop(stream);
    memory_free(stream->remote);
    memory_free(stream->client_id);
    memory_free(stream->principal);
    list_remove(&stream->link);
    memory_free(stream);
    limit_give(group->limit);
    ASSERT(group->count > 0);
    if (--group->count == 0 && group->on_empty != NULL)
        group->on_empty(group);
}

void stream_pause(mrt_stream *stream, uint32_t why)
{
    uint32_t before = stream->paused;
    stream->paused |= why;
    if (before == 0 && stream->conn != NULL)
        stream->group->transport->pause(stream->conn);
}

static void feed_run(mrt_task *task)
{
    mrt_stream *stream = CONTAINER(task, struct mrt_stream, feed_task);
    stream->feed_posted = 0;
    stream_feed_again(stream);
    if (stream->conn != NULL && stream->paused == 0)
        stream->group->transport->resume(stream->conn);
    stream_unref(stream);
}

void stream_unpause(mrt_stream *stream, uint32_t why)
{
    uint32_t before = stream->paused;
    stream->paused &= ~why;
    if (before == 0 || stream->paused != 0 || stream->conn == NULL || stream->feed_posted)
        return;
    stream->feed_posted = 1; /* what is carried comes before what the socket holds */
    stream_ref(stream);
    stream->feed_task.run = feed_run;
    exec_post(stream->group->reactor, &stream->feed_task);
}

void stream_fail(mrt_stream *stream, const char *why)
{
    if (stream->conn == NULL || (stream->paused & PAUSE_CLOSING) != 0)
        return;
    if (why != NULL)
        runtime_log(
            stream->group->runtime, MRT_LOG_WARN, 0,
            "connection.refused listener=%.*s client=%.*s client_id=%.*s reason=%s",
            STR_ARGS(stream->group->listener), STR_ARGS(stream->peer.remote),
            STR_ARGS(stream->who.client_id), why);
    stream_pause(stream, PAUSE_CLOSING);
    stream->group->transport->close(stream->conn);
}

static void linger_fire(mrt_timer *timer);

static void linger(mrt_stream *stream)
{
    stream->sends_before = stream->sends;
    stream->linger_timer.fire = linger_fire;
    exec_timer_set(
        stream->group->reactor, &stream->linger_timer,
        exec_now_ns(stream->group->reactor) + STREAM_LINGER_NS);
}

static void linger_fire(mrt_timer *timer)
{
    mrt_stream *stream = CONTAINER(timer, struct mrt_stream, linger_timer);
    if (stream->sends == stream->sends_before)
        stream_fail(stream, NULL);
    else
        linger(stream);
}

/* Closes after what is still to be answered, if the peer takes it. */
static void close_later(mrt_stream *stream)
{
    if (stream->conn == NULL || stream->closing)
        return;
    stream->closing = 1;
    linger(stream);
    stream_flush_later(stream);
}

/* ---- the transport's events ------------------------------------------------------------------ */

static void on_eof(void *context)
{
    close_later(context); /* answers to what was asked still go out */
}

static void on_closed(void *context, mrt_status status)
{
    mrt_stream *stream = context;

    stream->conn = NULL;
    exec_timer_stop(stream->group->reactor, &stream->resume_timer);
    exec_timer_stop(stream->group->reactor, &stream->linger_timer);
    exec_timer_stop(stream->group->reactor, &stream->room_timer);
    mrt_session *session = stream->session;
    stream->session = NULL;
    if (session != NULL)
        stream->group->protocol->on_closed(session, status);
    stream_flush_later(stream); /* drops what was filled */
    stream_unref(stream);
}

static const mrt_conn_events events = {
    .size = sizeof events,
    .on_bytes = stream_on_bytes,
    .on_eof = on_eof,
    .on_closed = on_closed,
};

static bool limit_take(struct stream_limit *limit)
{
    if (limit == NULL)
        return true;
    if (__atomic_add_fetch(&limit->open, 1, __ATOMIC_RELAXED) <= limit->max)
        return true;
    __atomic_sub_fetch(&limit->open, 1, __ATOMIC_RELAXED);
    return false;
}

mrt_status stream_accept(struct stream_group *group, mrt_conn *conn)
{
    if (!limit_take(group->limit))
        return MRT_EFULL;
    mrt_stream *stream = memory_try(sizeof *stream, 16);
    if (stream == NULL) {
        limit_give(group->limit);
        return MRT_ENOMEM;
    }
    *stream = (struct mrt_stream){.group = group, .conn = conn, .references = 1};
    stream->budget.parent = group->parent;
    stream->budget.privileged = (group->who_flags & MRT_WHO_PRIVILEGED) != 0;
    stream->peer.size = sizeof stream->peer;
    group->transport->peer(conn, &stream->peer);
    stream->remote = str_copy(&stream->peer.remote);
    stream->peer.remote.p = stream->remote;
    stream->who = (mrt_who){
        .size = sizeof stream->who,
        .flags = group->who_flags,
        .principal = str_of("User:ANONYMOUS"),
        .host = stream->peer.remote,
        .listener = group->listener,
        .quota_bucket = (uintptr_t)&stream->budget,
    };
    list_append(&group->streams, &stream->link);
    group->count++;

    mrt_status status = group->protocol->serve(group->protocol_shard, stream, &stream->session);
    if (status != MRT_OK) {
        stream->session = NULL;
        stream->conn = NULL;
        stream_unref(stream);
        return status;
    }
    group->transport->attach(conn, &events, stream);
    if (group->held)
        stream->paused |= PAUSE_HELD;
    else
        group->transport->resume(conn);
    return MRT_OK;
}

void stream_group_resume(struct stream_group *group)
{
    list_each_safe (at, &group->streams) {
        mrt_stream *stream = CONTAINER(at, struct mrt_stream, link);
        if (stream->conn != NULL && stream->paused == 0)
            group->transport->resume(stream->conn);
    }
}

void stream_group_hold(struct stream_group *group)
{
    group->held = 1;
    list_each_safe (at, &group->streams) {
        stream_pause(CONTAINER(at, struct mrt_stream, link), PAUSE_HELD);
    }
}

void stream_group_release(struct stream_group *group)
{
    group->held = 0;
    list_each_safe (at, &group->streams) {
        stream_unpause(CONTAINER(at, struct mrt_stream, link), PAUSE_HELD);
    }
}

void stream_group_close(struct stream_group *group, bool now)
{
    list_each_safe (at, &group->streams) {
        stream_table.close(CONTAINER(at, struct mrt_stream, link), now);
    }
}

/* ---- mortise.host.stream/1 ------------------------------------------------------------------- */

static mrt_status table_send(mrt_stream *stream, const mrt_slicev *v, uint32_t n)
{
    uint64_t slot = 0;
    if (stream->conn == NULL)
        return MRT_ECLOSED;
    mrt_status status = stream_reserve(stream, &slot);
    if (status == MRT_OK)
        stream_fill(stream, slot, v, n);
    return status;
}

static void table_pause(mrt_stream *stream)
{
    exec_timer_stop(stream->group->reactor, &stream->resume_timer); /* of a pause before */
    stream_pause(stream, PAUSE_PROTOCOL);
}

static void resume_fire(mrt_timer *timer)
{
    stream_unpause(CONTAINER(timer, struct mrt_stream, resume_timer), PAUSE_PROTOCOL);
}

static void table_resume(mrt_stream *stream, uint64_t at_ns)
{
    if (stream->conn == NULL)
        return;
    exec_timer_stop(stream->group->reactor, &stream->resume_timer);
    if (at_ns <= exec_now_ns(stream->group->reactor)) {
        stream_unpause(stream, PAUSE_PROTOCOL);
        return;
    }
    stream->resume_timer.fire = resume_fire;
    exec_timer_set(stream->group->reactor, &stream->resume_timer, at_ns);
}

static void table_close(mrt_stream *stream, uint32_t now)
{
    if (now) {
        stream_fail(stream, NULL);
        return;
    }
    if (stream->conn == NULL)
        return;
    stream_pause(stream, PAUSE_ENDING);
    close_later(stream);
}

static void table_peer(mrt_stream *stream, mrt_peer *out)
{
    *out = stream->peer;
}

static mrt_status table_identify(mrt_stream *stream, const mrt_who *who)
{
    char *client_id = str_copy(&who->client_id);
    char *principal = str_copy(&who->principal);

    memory_free(stream->client_id);
    memory_free(stream->principal);
    stream->client_id = client_id;
    stream->principal = principal;
    stream->who.client_id = (mrt_str){client_id, who->client_id.n};
    if (who->principal.n > 0)
        stream->who.principal = (mrt_str){principal, who->principal.n};
    return MRT_OK;
}

static const mrt_who *table_who(mrt_stream *stream)
{
    return &stream->who;
}

const mrt_host_stream stream_table = {
    .size = sizeof stream_table,
    .reserve = stream_reserve,
    .fill = stream_fill,
    .send = table_send,
    .pause = table_pause,
    .resume = table_resume,
    .close = table_close,
    .peer = table_peer,
    .identify = table_identify,
    .who = table_who,
};
