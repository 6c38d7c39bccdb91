/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session.c - one client's stream: frames become requests, requests wait for their calls, answered
 * ones go when their bytes are sent. Knows no API but for the way of its bytes.
 *
 * The host may close the stream from inside any call of ours on it: `busy` keeps the session until
 * the last of them has returned.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "plugins/protocol/kafka/serve.h"

#define LOG_LINE_MAX 512

static const mrt_host_stream *stream_of(const struct mrt_session *s)
{
    return s->shard->instance->stream;
}

void kafka_log(struct mrt_session *s, uint32_t level, const char *format, ...)
{
    const struct kafka_instance *inst = s->shard->instance;
    char text[LOG_LINE_MAX];
    va_list args;

    if (!inst->log || !inst->log->enabled(inst->host, level))
        return;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    uint64_t length = n < 0 ? 0 : (uint64_t)n < sizeof text ? (uint64_t)n : sizeof text - 1;
    int more = snprintf(
        text + length, sizeof text - length, " client=\"%s\" software=\"%s\"", s->client_id,
        s->software);
    length += more < 0 ? 0 : (uint64_t)more;
    mrt_str line = {text, length < sizeof text ? length : sizeof text - 1};
    inst->log->write(inst->host, level, 0, &line);
}

/* ---- holds ----------------------------------------------------------------------------------- */

static void hold_drop(struct kafka_hold *hold, uint64_t n)
{
    if (__atomic_sub_fetch(&hold->lease.refs, n, __ATOMIC_ACQ_REL))
        return;
    if (hold->inner)
        hold->inner->ops->release(hold->inner);
    hold->host->free(hold->host, hold);
}

static void hold_release(mrt_lease *lease)
{
    hold_drop((struct kafka_hold *)(void *)lease, 1);
}

static const mrt_lease_ops hold_ops = {.size = sizeof hold_ops, .release = hold_release};

mrt_lease *kafka_hold_for(struct mrt_session *s, uint64_t n)
{
    const mrt_host *host = s->shard->instance->host;

    if (!s->hold) {
        s->hold = host->alloc(host, sizeof *s->hold, 8);
        if (!s->hold)
            return NULL;
        *s->hold = (struct kafka_hold){{&hold_ops, 1, {0, 0}}, host, s->lease};
        s->lease = NULL;
    }
    __atomic_add_fetch(&s->hold->lease.refs, n, __ATOMIC_RELAXED);
    return &s->hold->lease;
}

/* The bytes at hand are looked at no more. */
static void bytes_done(struct mrt_session *s)
{
    if (s->hold)
        hold_drop(s->hold, 1);
    else if (s->lease)
        s->lease->ops->release(s->lease);
    s->hold = NULL;
    s->lease = NULL;
}

/* ---- flow ------------------------------------------------------------------------------------ */

/* Frees the session once nobody can come back to it. */
static void session_leave(struct mrt_session *s)
{
    const mrt_host *host = s->shard->instance->host;

    if (--s->busy || !s->closed || s->first)
        return;
    host->free(host, s);
}

/* Reads go on, or stand still, as there is room for requests. */
static void session_flow(struct mrt_session *s)
{
    if (s->closed || s->failed)
        return;
    if (s->starved && !s->paused) {
        s->paused = 1;
        stream_of(s)->pause(s->stream);
    } else if (!s->starved && s->paused) {
        s->paused = 0;
        stream_of(s)->resume(s->stream, s->throttled_ns);
    }
}

/* K5. */
void kafka_session_fail(struct mrt_session *s)
{
    if (s->failed || s->closed)
        return;
    s->failed = 1;
    stream_of(s)->close(s->stream, 0);
}

/* Takes the request out of the session and frees it (K1). */
void kafka_request_free(struct kafka_request *r)
{
    struct mrt_session *s = r->session;
    const mrt_host_broker *broker = s->shard->instance->broker;
    struct kafka_request **at = &s->first;
    struct kafka_request *before = NULL;

    while (*at != r) {
        before = *at;
        at = &before->next;
    }
    *at = r->next;
    if (s->last == r)
        s->last = before;
    s->in_flight -= !r->filled;
    s->starved = 0;
    broker->arena_free(r->arena);
}

/* The answer is about to go to the stream, which borrows it until on_sent(). */
void kafka_request_filled(struct kafka_request *r)
{
    r->filled = 1;
    r->session->in_flight--;
    r->session->starved = 0;
}

static void on_sent(mrt_session *s, uint64_t slot)
{
    struct kafka_request *r = s->first;

    s->busy++;
    while (r && r->slot != slot)
        r = r->next;
    if (r && r->filled) {
        kafka_request_free(r);
        session_flow(s);
    }
    session_leave(s);
}

static void on_drained(mrt_session *s)
{
    s->busy++;
    s->starved = 0;
    session_flow(s);
    session_leave(s);
}

static void on_closed(mrt_session *s, mrt_status status)
{
    const struct kafka_instance *inst = s->shard->instance;
    struct kafka_request *next;

    (void)status; /* the transport has said it in the log */
    s->busy++;
    s->closed = 1;
    for (struct kafka_request *r = s->first; r; r = next) {
        next = r->next;
        if (r->filled)
            kafka_request_free(r);
    }
    for (struct kafka_request *r = s->first; r; r = r->next)
        if (r->calling)
            inst->broker->cancel(s->shard->broker, &r->call);
    session_leave(s);
}

/* ---- calls ----------------------------------------------------------------------------------- */

static void call_done(mrt_op *op)
{
    struct kafka_request *r = op->caller;
    struct mrt_session *s = r->session;

    s->busy++;
    r->calling = 0;
    r->then(r, op->status);
    session_flow(s);
    session_leave(s);
}

void kafka_call(
    struct kafka_request *r, uint32_t number, const void *in, void *out,
    void (*then)(struct kafka_request *request, mrt_status status))
{
    struct mrt_session *s = r->session;
    const mrt_op before = r->call.op;

    r->then = then;
    r->refused = 0;
    r->call = (mrt_call){
        .size = sizeof r->call,
        .number = number,
        .op =
            {.done = call_done,
             .exec = s->shard->exec,
             .deadline_ns = before.deadline_ns,
             .trace = before.trace,
             .caller = r},
        .who = s->who,
        .arena = r->arena,
        .in = in,
        .out = out,
    };
    r->calling = 1;
    mrt_status status = kafka_broker(r)->call(s->shard->broker, &r->call);
    if (status == MRT_PENDING)
        return;
    r->calling = 0;
    r->refused = status != MRT_OK;
    then(r, status);
}

void kafka_deadline(struct kafka_request *r, int32_t ms)
{
    const struct kafka_shard *shard = r->session->shard;

    if (ms > 0)
        r->call.op.deadline_ns =
            shard->instance->clock->mono_ns(shard->exec) + (uint64_t)ms * 1000000;
}

/* ---- requests -------------------------------------------------------------------------------- */

static void *arena_take(void *ctx, uint64_t bytes)
{
    struct kafka_request *r = ctx;
    return kafka_broker(r)->arena_alloc(r->arena, bytes);
}

/* A request in an arena of its own; NULL while there is no room for one. */
static struct kafka_request *request_new(struct mrt_session *s)
{
    const mrt_host_broker *broker = s->shard->instance->broker;
    mrt_arena *arena = broker->arena_new(s->shard->broker, s->who);
    struct kafka_request *r = arena ? broker->arena_alloc(arena, sizeof *r) : NULL;

    if (!r) {
        if (arena)
            broker->arena_free(arena);
        return NULL;
    }
    *r = (struct kafka_request){.session = s, .arena = arena};
    r->memory = (struct kit_memory){arena_take, r, 1, 0};
    return r;
}

static void request_add(struct kafka_request *r)
{
    struct mrt_session *s = r->session;

    if (s->last)
        s->last->next = r;
    else
        s->first = r;
    s->last = r;
    s->in_flight++;
    r->call.op.trace = ++s->shard->traces;
}

/* The first client id names the connection, for quotas and in the log. */
static void learn_client(struct mrt_session *s, const mrt_str *client_id)
{
    mrt_who who = {.size = sizeof who, .client_id = *client_id};

    if (s->client_id[0] || !client_id->n)
        return;
    for (uint64_t i = 0; i < client_id->n && i < KAFKA_CLIENT_ID_MAX; i++) {
        char c = client_id->p[i];
        s->client_id[i] = c < ' ' || c > '~' || c == '"' ? '?' : c;
    }
    if (stream_of(s)->identify(s->stream, &who) == MRT_OK)
        s->who = stream_of(s)->who(s->stream);
}

/* Decodes the body and lets the API's handler go on. */
static void request_run(struct kafka_request *r)
{
    const struct kafka_api *api = r->head.api;
    uint64_t used;

    r->in = kafka_take(r, api->request->root->size);
    r->out = kafka_take(r, api->response->root->size);
    if (!r->in || !r->out) {
        kafka_drop(r, "no memory");
        return;
    }
    kit_struct_defaults(api->response->root, r->out);
    mrt_status status =
        kit_message_decode(api->request, r->head.version, &r->head.body, &r->memory, r->in, &used);
    if (status == MRT_OK)
        kafka_handler_of(api)(r);
    else
        kafka_drop(r, status == MRT_ENOMEM ? "no memory" : "malformed");
}

/* One frame. MRT_EAGAIN: no room now, ask again. */
static mrt_status frame_take(struct mrt_session *s, const mrt_str *frame)
{
    struct kafka_request *r = s->in_flight < KAFKA_IN_FLIGHT_MAX ? request_new(s) : NULL;

    if (!r)
        return MRT_EAGAIN;
    if (stream_of(s)->reserve(s->stream, &r->slot) != MRT_OK) {
        kafka_broker(r)->arena_free(r->arena);
        return MRT_EAGAIN;
    }
    request_add(r);
    mrt_status status = kafka_head_decode(frame, &r->memory, &r->head);
    learn_client(s, &r->head.client_id);
    if (status == MRT_OK)
        request_run(r);
    else if (status == MRT_ENOTSUP && r->head.key == KAFKA_API_VERSIONS_KEY)
        kafka_serve_api_versions_unknown(r);
    else
        kafka_drop(r, status == MRT_ENOTSUP ? "not served" : "malformed header");
    return MRT_OK;
}

/* All whole frames there is room for; returns what they took. */
static uint64_t frames_take(struct mrt_session *s, const mrt_str *bytes, uint64_t *want)
{
    mrt_str rest = *bytes, frame;

    while (!s->failed && !s->closed) {
        mrt_status status = kafka_frame_next(&rest, s->shard->instance->frame_max, &frame, want);
        if (status == MRT_ECORRUPT) {
            kafka_log(s, MRT_LOG_WARN, "request_refused why=\"impossible size\"");
            kafka_session_fail(s);
        }
        if (status != MRT_OK)
            break;
        if (frame_take(s, &frame) == MRT_EAGAIN) {
            s->starved = 1;
            break;
        }
        rest.p += KAFKA_FRAME_PREFIX + frame.n;
        rest.n -= KAFKA_FRAME_PREFIX + frame.n;
    }
    return bytes->n - rest.n;
}

static mrt_status on_bytes(
    mrt_session *s, const mrt_str *bytes, mrt_lease *lease, uint64_t *consumed, uint64_t *want)
{
    mrt_status status = MRT_OK;

    s->busy++;
    s->lease = lease;
    *want = KAFKA_FRAME_PREFIX;
    *consumed = frames_take(s, bytes, want);
    bytes_done(s);
    if (s->starved && !s->first && !s->closed) {
        kafka_log(s, MRT_LOG_WARN, "request_refused why=\"no memory\"");
        status = MRT_ENOMEM; /* nothing is under way that would give room back */
    }
    if (s->failed)
        *consumed = bytes->n;
    session_flow(s);
    session_leave(s);
    return status;
}

static mrt_status serve(void *at, mrt_stream *stream, mrt_session **out)
{
    struct kafka_shard *shard = at;
    const mrt_host *host = shard->instance->host;
    mrt_session *s;

    if (__atomic_load_n(&shard->instance->draining, __ATOMIC_RELAXED))
        return MRT_ESHUTDOWN;
    s = host->alloc(host, sizeof *s, 8);
    if (!s)
        return MRT_ENOMEM;
    *s = (mrt_session){.shard = shard, .stream = stream};
    s->who = shard->instance->stream->who(stream);
    *out = s;
    return MRT_OK;
}

/* A request begins with its size, which for a first request is small, and ApiVersions or the
 * like: no other protocol's first four bytes are two zeros. */
static mrt_status sniff(void *shard, const mrt_str *first)
{
    (void)shard;
    if (first->n < 2)
        return MRT_EAGAIN;
    return first->p[0] == 0 && first->p[1] == 0 ? MRT_OK : MRT_EINVAL;
}

const mrt_protocol_ops kafka_protocol_ops = {
    .size = sizeof kafka_protocol_ops,
    .sniff = sniff,
    .serve = serve,
    .on_bytes = on_bytes,
    .on_sent = on_sent,
    .on_drained = on_drained,
    .on_closed = on_closed,
};
