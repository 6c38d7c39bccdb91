/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/coordination/raft/wal.h"

#include <string.h>

#include "sdk/kit/crc32c.h"
#include "sdk/kit/varint.h"

#define SUM_AT 60 /* of a header */

/* ---- headers --------------------------------------------------------------------------------- */

static void begin(uint8_t *out, const char *magic, const uint8_t *generation)
{
    memset(out, 0, WAL_HEADER);
    memcpy(out, magic, 4);
    kit_put16(out + 4, WAL_FORMAT);
    memcpy(out + 8, generation, WAL_GENERATION);
}

static void finish(uint8_t *out)
{
    kit_put32(out + SUM_AT, kit_crc32c(0, out, SUM_AT));
}

static int all_zero(const uint8_t *bytes, uint64_t n)
{
    uint8_t any = 0;
    for (uint64_t i = 0; i < n; i++)
        any |= bytes[i];
    return any == 0;
}

/* The format decides before the checksum: a newer one may lie elsewhere. */
static mrt_status check(const uint8_t *bytes, const char *magic)
{
    if (memcmp(bytes, magic, 4) != 0)
        return MRT_ECORRUPT;
    uint16_t format = kit_get16(bytes + 4);
    if (kit_get32(bytes + SUM_AT) != kit_crc32c(0, bytes, SUM_AT))
        return format > WAL_FORMAT ? MRT_ETOONEW : MRT_ECORRUPT;
    if (format > WAL_FORMAT || kit_get16(bytes + 6) != 0)
        return MRT_ETOONEW;
    return format == WAL_FORMAT ? MRT_OK : MRT_ECORRUPT;
}

void raft_header_put(const struct raft_header *header, uint8_t *out)
{
    begin(out, "MRTW", header->generation);
    kit_put32(out + 24, (uint32_t)header->node);
    kit_put32(out + 28, header->sum);
    kit_put64(out + 32, header->first);
    finish(out);
}

mrt_status raft_header_get(const uint8_t *bytes, struct raft_header *out)
{
    mrt_status status = check(bytes, "MRTW");
    if (status != MRT_OK)
        return status;
    if (!all_zero(bytes + 40, 20))
        return MRT_ECORRUPT;
    memcpy(out->generation, bytes + 8, WAL_GENERATION);
    out->node = (int32_t)kit_get32(bytes + 24);
    out->sum = kit_get32(bytes + 28);
    out->first = kit_get64(bytes + 32);
    return MRT_OK;
}

void raft_vote_put(const struct raft_vote *vote, uint8_t *out)
{
    begin(out, "MRTV", vote->generation);
    kit_put32(out + 24, (uint32_t)vote->node);
    kit_put32(out + 28, vote->epoch);
    kit_put32(out + 32, (uint32_t)vote->voted_for);
    kit_put64(out + 40, vote->committed);
    finish(out);
}

mrt_status raft_vote_get(const uint8_t *bytes, struct raft_vote *out)
{
    mrt_status status = check(bytes, "MRTV");
    if (status != MRT_OK)
        return status;
    if (!all_zero(bytes + 36, 4) || !all_zero(bytes + 48, 12))
        return MRT_ECORRUPT;
    memcpy(out->generation, bytes + 8, WAL_GENERATION);
    out->node = (int32_t)kit_get32(bytes + 24);
    out->epoch = kit_get32(bytes + 28);
    out->voted_for = (int32_t)kit_get32(bytes + 32);
    out->reserved = 0;
    out->committed = kit_get64(bytes + 40);
    return MRT_OK;
}

void raft_state_put(const struct raft_state *state, uint8_t *out)
{
    begin(out, "MRTS", state->generation);
    kit_put64(out + 24, state->end);
    kit_put64(out + 32, state->bytes);
    kit_put32(out + 40, state->epoch);
    kit_put32(out + 44, state->sum);
    finish(out);
}

mrt_status raft_state_get(const uint8_t *bytes, struct raft_state *out)
{
    mrt_status status = check(bytes, "MRTS");
    if (status != MRT_OK)
        return status;
    if (!all_zero(bytes + 48, 12))
        return MRT_ECORRUPT;
    memcpy(out->generation, bytes + 8, WAL_GENERATION);
    out->end = kit_get64(bytes + 24);
    out->bytes = kit_get64(bytes + 32);
    out->epoch = kit_get32(bytes + 40);
    out->sum = kit_get32(bytes + 44);
    return MRT_OK;
}

/* ---- records --------------------------------------------------------------------------------- */

uint64_t raft_record_size(uint64_t length)
{
    return (WAL_RECORD + length + 7) & ~UINT64_C(7);
}

static uint32_t sum_of(const uint8_t *head, const uint8_t *payload, uint64_t length)
{
    uint32_t sum = kit_crc32c(0, head, 4);
    sum = kit_crc32c(sum, head + 8, WAL_RECORD - 8);
    return kit_crc32c(sum, payload, length);
}

void raft_record_put(struct raft_record *record, uint8_t *out)
{
    memset(out, 0, WAL_RECORD);
    kit_put32(out, record->length);
    kit_put64(out + 8, record->offset);
    kit_put64(out + 16, record->batch);
    kit_put32(out + 24, record->epoch);
    kit_put32(out + 28, record->before);
    out[32] = WAL_ENTRY;
    record->sum = sum_of(out, record->payload, record->length);
    kit_put32(out + 4, record->sum);
}

/* Is there a sound record in the @left bytes at @at? */
static int sound(const uint8_t *at, uint64_t left, struct raft_record *out)
{
    if (left < WAL_RECORD)
        return 0;
    uint32_t length = kit_get32(at);
    if (length > WAL_ENTRY_MAX || raft_record_size(length) > left || !all_zero(at + 33, 7))
        return 0;
    *out = (struct raft_record){
        .offset = kit_get64(at + 8),
        .batch = kit_get64(at + 16),
        .payload = at + WAL_RECORD,
        .length = length,
        .epoch = kit_get32(at + 24),
        .before = kit_get32(at + 28),
        .sum = kit_get32(at + 4),
    };
    if (out->batch > out->offset || out->sum != sum_of(at, out->payload, length))
        return 0;
    return all_zero(out->payload + length, raft_record_size(length) - WAL_RECORD - length);
}

mrt_status raft_record_next(
    const uint8_t *bytes, uint64_t size, struct raft_cursor *cursor, struct raft_record *out)
{
    if (cursor->position >= size)
        return MRT_ENOENT;
    const uint8_t *at = bytes + cursor->position;
    if (!sound(at, size - cursor->position, out))
        return MRT_ECORRUPT;
    if (out->offset != cursor->offset || out->epoch < cursor->epoch || out->before != cursor->sum)
        return MRT_ECORRUPT;
    if (at[32] != WAL_ENTRY)
        return MRT_ETOONEW;
    cursor->position += raft_record_size(out->length);
    cursor->offset++;
    cursor->epoch = out->epoch;
    cursor->sum = out->sum;
    return MRT_OK;
}

int raft_record_torn(const uint8_t *bytes, uint64_t size, const struct raft_cursor *cursor)
{
    struct raft_record record;
    if (sound(bytes + cursor->position, size - cursor->position, &record))
        return 0; /* intact, but it follows something else */
    for (uint64_t at = cursor->position + 8; at < size; at += 8)
        if (sound(bytes + at, size - at, &record) && record.offset > cursor->offset &&
            record.batch > cursor->offset)
            return 0;
    return 1;
}
