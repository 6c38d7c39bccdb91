/* SPDX-License-Identifier: Apache-2.0 */
#include "frame.h"

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

mrt_status kafka_response_encode(
    const struct kafka_head *head, int16_t version, const void *body, struct kit_room *room)
{
    int16_t header = kafka_response_header_version(head->api, version);
    uint64_t front = KAFKA_FRAME_PREFIX + 4 + (header > 0);
    struct kit_room rest = *room;

    if (room->p && room->cap < front)
        return MRT_ETOOBIG;
    if (room->p) {
        rest.p += front;
        rest.cap -= front;
    }
    mrt_status status = kit_message_encode(head->api->response, version, body, &rest);
    room->used = rest.used + front;
    room->size = rest.size + front;
    room->n_cuts = rest.n_cuts;
    if (status != MRT_OK || !room->p)
        return status;
    if (room->size - KAFKA_FRAME_PREFIX > INT32_MAX)
        return MRT_ETOOBIG;
    kit_put32(room->p, (uint32_t)(room->size - KAFKA_FRAME_PREFIX));
    kit_put32(room->p + KAFKA_FRAME_PREFIX, (uint32_t)head->correlation);
    if (header > 0)
        room->p[front - 1] = 0; /* no tagged fields */
    for (uint32_t i = 0; i < room->n_cuts; i++)
        room->cuts[i].at += front;
    return MRT_OK;
}
