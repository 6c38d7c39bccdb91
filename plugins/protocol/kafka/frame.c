/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/protocol/kafka/frame.h"

#include "sdk/kit/varint.h"

mrt_status kafka_frame_next(const mrt_str *bytes, uint64_t max, mrt_str *frame, uint64_t *want)
{
    *want = KAFKA_FRAME_PREFIX;
    if (bytes->n < KAFKA_FRAME_PREFIX)
        return MRT_EAGAIN;
    int32_t size = (int32_t)kit_get32((const uint8_t *)bytes->p);
    if (size < KAFKA_FRAME_LEAST || (uint64_t)size > max)
        return MRT_ECORRUPT;
    *want = KAFKA_FRAME_PREFIX + (uint64_t)size;
    if (bytes->n < *want)
        return MRT_EAGAIN;
    *frame = (mrt_str){bytes->p + KAFKA_FRAME_PREFIX, (uint64_t)size};
    return MRT_OK;
}

mrt_status kafka_head_decode(
    const mrt_str *frame, const struct kit_memory *memory, struct kafka_head *out)
{
    struct kit_reader front = kit_reader(frame->p, frame->n);
    struct kafka_request_header header;
    uint64_t used;

    *out = (struct kafka_head){.key = (int16_t)kit_read16(&front)};
    out->version = (int16_t)kit_read16(&front);
    out->correlation = (int32_t)kit_read32(&front);
    if (!front.ok)
        return MRT_ECORRUPT;
    out->api = kafka_api_find(out->key);
    if (!out->api || !kafka_api_serves(out->api, out->version))
        return MRT_ENOTSUP;
    mrt_status status = kit_message_decode(
        &kafka_request_header, kafka_request_header_version(out->api, out->version), frame, memory,
        &header, &used);
    if (status != MRT_OK)
        return status;
    out->client_id = header.client_id;
    out->body = (mrt_str){frame->p + used, frame->n - used};
    return MRT_OK;
}

/* Encodes a body behind @front bytes that the caller writes; the size goes before them. */
static mrt_status encode_behind(
    uint64_t front, const struct kit_message *message, int16_t version, const void *body,
    struct kit_room *room)
{
    struct kit_room rest = *room;

    if (room->p && room->cap < front)
        return MRT_ETOOBIG;
    if (room->p) {
        rest.p += front;
        rest.cap -= front;
    }
    mrt_status status = kit_message_encode(message, version, body, &rest);
    room->used = rest.used + front;
    room->size = rest.size + front;
    room->n_cuts = rest.n_cuts;
    if (status != MRT_OK || !room->p)
        return status;
    if (room->size - KAFKA_FRAME_PREFIX > INT32_MAX)
        return MRT_ETOOBIG;
    kit_put32(room->p, (uint32_t)(room->size - KAFKA_FRAME_PREFIX));
    for (uint32_t i = 0; i < room->n_cuts && room->cuts; i++)
        room->cuts[i].at += front;
    return MRT_OK;
}

mrt_status kafka_response_encode(
    const struct kafka_head *head, int16_t version, const void *body, struct kit_room *room)
{
    int16_t header = kafka_response_header_version(head->api, version);
    uint64_t front = KAFKA_FRAME_PREFIX + 4 + (header > 0);
    mrt_status status = encode_behind(front, head->api->response, version, body, room);

    if (status != MRT_OK || !room->p)
        return status;
    kit_put32(room->p + KAFKA_FRAME_PREFIX, (uint32_t)head->correlation);
    if (header > 0)
        room->p[front - 1] = 0; /* no tagged fields */
    return MRT_OK;
}

mrt_status kafka_request_encode(
    const struct kafka_head *head, const void *body, struct kit_room *room)
{
    int16_t version = kafka_request_header_version(head->api, head->version);
    struct kafka_request_header header = {
        head->api->key, head->version, head->correlation, head->client_id};
    struct kit_room front = {.p = NULL};
    mrt_status status = kit_message_encode(&kafka_request_header, version, &header, &front);

    if (status == MRT_OK)
        status = encode_behind(
            KAFKA_FRAME_PREFIX + front.used, head->api->request, head->version, body, room);
    if (status != MRT_OK || !room->p)
        return status;
    front.p = room->p + KAFKA_FRAME_PREFIX;
    front.cap = front.used;
    return kit_message_encode(&kafka_request_header, version, &header, &front);
}

mrt_status kafka_response_decode(
    const struct kafka_head *head, const mrt_str *frame, const struct kit_memory *memory,
    void *body)
{
    int16_t version = kafka_response_header_version(head->api, head->version);
    struct kafka_response_header header;
    uint64_t used, ignored;
    mrt_status status =
        kit_message_decode(&kafka_response_header, version, frame, memory, &header, &used);

    if (status != MRT_OK)
        return status;
    if (header.correlation_id != head->correlation)
        return MRT_ECORRUPT;
    mrt_str rest = {frame->p + used, frame->n - used};
    status = kit_message_decode(head->api->response, head->version, &rest, memory, body, &ignored);
    if (status == MRT_ECORRUPT && head->api->key == KAFKA_API_VERSIONS_KEY)
        status = kit_message_decode(head->api->response, 0, &rest, memory, body, &ignored);
    return status;
}
