/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frame.h - requests and responses as frames: a 32-bit size, a header, a body.
 *
 *   request    int32 size | int16 key | int16 version | int32 correlation | string client id | ...
 *   response   int32 size | int32 correlation | (tagged fields) | ...
 *
 * Pure: bytes in, views out. Sessions and the call side stand on it.
 */
#ifndef KAFKA_FRAME_H
#define KAFKA_FRAME_H

#include "plugins/protocol/kafka/versions.h"

#define KAFKA_FRAME_PREFIX 4 /* bytes of the size */
#define KAFKA_FRAME_LEAST  8 /* key, version, correlation: what every header begins with */

/* The front of a request, of any version of any API. */
struct kafka_head {
    const struct kafka_api *api; /* NULL: not one of ours */
    int16_t key;
    int16_t version;
    int32_t correlation;
    mrt_str client_id; /* a view; p NULL: none */
    mrt_str body;      /* a view */
};

/*
 * Looks for a frame at the front of @bytes; sets *@frame to what follows the size, and *@want to
 * the bytes that must be there before it is worth looking again. MRT_EAGAIN: not all there yet.
 * MRT_ECORRUPT: no possible size, or more than @max.
 */
mrt_status kafka_frame_next(const mrt_str *bytes, uint64_t max, mrt_str *frame, uint64_t *want);

/*
 * Reads the header of @frame. MRT_ECORRUPT. MRT_ENOTSUP: the API or its version is not served; then
 * only key, version and correlation are set, and api where the key is known.
 */
mrt_status kafka_head_decode(
    const mrt_str *frame, const struct kit_memory *memory, struct kafka_head *out);

/*
 * Writes size, header and body of a response to memory; without record bytes (kit_room.cuts), but
 * with their size counted. @room has p NULL to size: used and size then include the front.
 */
mrt_status kafka_response_encode(
    const struct kafka_head *head, int16_t version, const void *body, struct kit_room *room);

/* ---- the call side --------------------------------------------------------------------------- */

/*
 * Writes size, header and @body of a request to @room, as kafka_response_encode() does: head->api,
 * version, correlation and client_id are what goes into the header.
 */
mrt_status kafka_request_encode(
    const struct kafka_head *head, const void *body, struct kit_room *room);

/*
 * Reads the answer @frame to the request of @head into @body. MRT_ECORRUPT, also where it answers
 * another request. ApiVersions of a version the other end does not know is answered in version 0:
 * its error code says so.
 */
mrt_status kafka_response_decode(
    const struct kafka_head *head, const mrt_str *frame, const struct kit_memory *memory,
    void *body);

#endif /* KAFKA_FRAME_H */
