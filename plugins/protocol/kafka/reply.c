/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reply.c - how a request ends. An answer is encoded into the request's arena; record bytes are
 * never touched: where the message has records, the encoded bytes are cut and the leased slices
 * put between. A handler says so by pointing the field at the mrt_slicev of its data.
 */
#include <string.h>

#include "plugins/protocol/kafka/serve.h"

void *kafka_take(struct kafka_request *r, uint64_t bytes)
{
    void *p = kafka_broker(r)->arena_alloc(r->arena, bytes ? bytes : 1);

    return p ? memset(p, 0, bytes) : NULL;
}

/* The last of a request: the host may free it inside, by telling that the answer is sent. */
static void fill(struct kafka_request *r, const mrt_slicev *v, uint32_t n)
{
    struct mrt_session *s = r->session;
    const mrt_host_stream *stream = s->shard->instance->stream;
    uint64_t slot = r->slot;

    if (n && !s->closed) {
        kafka_request_filled(r);
        stream->fill(s->stream, slot, v, n);
    } else {
        stream->fill(s->stream, slot, v, n); /* of a closed stream: gives the leases back */
        kafka_request_free(r);
    }
}

/* The client is told to wait; whether it does or not, it is not read until then (KIP-219). */
static void throttle(struct kafka_request *r, const struct kit_struct *type, void *body)
{
    struct mrt_session *s = r->session;
    const struct kafka_instance *inst = s->shard->instance;

    if (!r->call.throttle_ms || s->failed || s->closed)
        return;
    for (uint32_t i = 0; i < type->n; i++)
        if (!strcmp(type->fields[i].name, "throttle_time_ms"))
            memcpy(
                (uint8_t *)body + type->fields[i].offset, &r->call.throttle_ms,
                sizeof r->call.throttle_ms);
    s->throttled_ns =
        inst->clock->mono_ns(s->shard->exec) + (uint64_t)r->call.throttle_ms * 1000000;
    inst->stream->pause(s->stream);
    if (!s->paused)
        inst->stream->resume(s->stream, s->throttled_ns);
}

/* Encoded bytes and leased slices in the order of the wire. */
static uint32_t pieces(const struct kit_room *room, mrt_slicev *v, mrt_slice *slices)
{
    uint64_t at = 0;
    uint32_t n = 0;

    for (uint32_t i = 0; i <= room->n_cuts; i++) {
        uint64_t end = i < room->n_cuts ? room->cuts[i].at : room->used;
        if (end > at) {
            slices[i] = (mrt_slice){MRT_SLICE_MEM, 0, (uintptr_t)room->p, at, end - at};
            v[n++] = (mrt_slicev){&slices[i], 1, 0, end - at, NULL};
        }
        if (i < room->n_cuts && room->cuts[i].bytes.n)
            v[n++] = *(const mrt_slicev *)(const void *)room->cuts[i].bytes.p;
        at = end;
    }
    return n;
}

static void *room_for(struct kafka_request *r, uint64_t bytes)
{
    return kafka_broker(r)->arena_alloc(r->arena, bytes ? bytes : 1);
}

/* Encodes @body and hands it to the stream. On failure nothing was handed on. */
static mrt_status send(struct kafka_request *r, int16_t version, const void *body)
{
    struct kit_cut none;
    struct kit_room room = {.cuts = &none};
    mrt_status status = kafka_response_encode(&r->head, version, body, &room);

    if (status != MRT_OK)
        return status;
    room.cap = room.used;
    room.cuts_max = room.n_cuts;
    room.p = room_for(r, room.cap);
    room.cuts = room_for(r, room.n_cuts * sizeof *room.cuts);
    mrt_slice *slices = room_for(r, (room.n_cuts + 1) * sizeof *slices);
    mrt_slicev *v = room_for(r, (2 * room.n_cuts + 1) * sizeof *v);
    if (!room.p || !room.cuts || !slices || !v)
        return MRT_ENOMEM;
    status = kafka_response_encode(&r->head, version, body, &room);
    if (status == MRT_OK)
        fill(r, v, pieces(&room, v, slices));
    return status;
}

/* Leases that will not be sent go back: those of all records the response points at. */
static void release_records(const struct kit_struct *type, const void *value)
{
    for (uint32_t i = 0; i < type->n; i++) {
        const struct kit_field *field = &type->fields[i];
        const void *member = (const uint8_t *)value + field->offset;
        if (field->kind == KIT_RECORDS) {
            const mrt_str *records = member;
            const mrt_slicev *data = (const void *)records->p;
            if (records->n && data->lease)
                data->lease->ops->release(data->lease);
        } else if (field->kind == KIT_STRUCT && field->flags & KIT_ARRAY) {
            const uint8_t *elements;
            memcpy(&elements, member, sizeof elements);
            uint32_t n = *(const uint32_t *)(const void *)((const uint8_t *)value + field->count);
            for (uint32_t j = 0; j < n; j++)
                release_records(field->inner, elements + (uint64_t)j * field->inner->size);
        }
    }
}

void kafka_answer_as(struct kafka_request *r, int16_t version, const void *body)
{
    mrt_status status = send(r, version, body);

    if (status != MRT_OK)
        kafka_drop(r, status == MRT_ENOMEM ? "no memory for the answer" : "answer too long");
}

void kafka_answer(struct kafka_request *r)
{
    throttle(r, r->head.api->response->root, r->out);
    kafka_answer_as(r, r->head.version, r->out);
}

void kafka_answer_if(struct kafka_request *r, uint32_t complete)
{
    if (complete)
        kafka_answer(r);
    else
        kafka_drop(r, "no memory");
}

void kafka_answer_nothing(struct kafka_request *r)
{
    fill(r, NULL, 0);
}

void kafka_drop(struct kafka_request *r, const char *why)
{
    struct mrt_session *s = r->session;

    if (!s->closed)
        kafka_log(
            s, MRT_LOG_WARN, "request_refused api=%d version=%d why=\"%s\"", r->head.key,
            r->head.version, why);
    if (r->out)
        release_records(r->head.api->response->root, r->out);
    fill(r, NULL, 0);
    kafka_session_fail(s);
}

int16_t kafka_code(
    struct kafka_request *r, enum kafka_errors list, mrt_status status, int32_t reason)
{
    uint32_t known;
    int16_t code = kafka_error(list, status, reason, &known);

    if (!known)
        kafka_log(
            r->session, MRT_LOG_ERROR, "bug_status_unlisted api=%d version=%d status=%d reason=%d",
            r->head.key, r->head.version, status, reason);
    return code;
}

/* ---- by way of the tables of .op files ------------------------------------------------------- */

struct code_of {
    struct kafka_request *request;
    enum kafka_errors list;
};

static int16_t code_of(const void *at, mrt_status status, int32_t reason)
{
    const struct code_of *ctx = at;
    return kafka_code(ctx->request, ctx->list, status, reason);
}

uint32_t kafka_pass(struct kafka_request *r, const struct kit_map *map, void *in)
{
    return kit_copy_in(map, r->in, in, &r->memory) == MRT_OK;
}

uint32_t kafka_return(
    struct kafka_request *r, const struct kit_map *map, const void *out, enum kafka_errors list)
{
    const struct code_of ctx = {r, list};
    const struct kit_errors errors = {code_of, &ctx};

    return kit_copy_out(map, out, r->out, &r->memory, &errors) == MRT_OK;
}
