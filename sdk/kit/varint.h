/* SPDX-License-Identifier: Apache-2.0 */
/*
 * varint.h - big-endian integers and Kafka's variable-length ones, read with bounds, written
 * without: the writer has sized its room.
 *
 * A reader is a cursor that stops at the first fault: later reads give 0 and leave it faulty, so a
 * decoder checks `ok` once, where it matters.
 */
#ifndef SDK_KIT_VARINT_H
#define SDK_KIT_VARINT_H

#include <stdint.h>

struct kit_reader {
    const uint8_t *at;
    const uint8_t *end;
    uint32_t ok; /* 1 until something did not fit */
    uint32_t reserved;
};

static inline uint16_t kit_get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t kit_get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint64_t kit_get64(const uint8_t *p)
{
    return (uint64_t)kit_get32(p) << 32 | kit_get32(p + 4);
}

static inline void kit_put16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline void kit_put32(uint8_t *p, uint32_t v)
{
    kit_put16(p, (uint16_t)(v >> 16));
    kit_put16(p + 2, (uint16_t)v);
}

static inline void kit_put64(uint8_t *p, uint64_t v)
{
    kit_put32(p, (uint32_t)(v >> 32));
    kit_put32(p + 4, (uint32_t)v);
}

static inline struct kit_reader kit_reader(const void *bytes, uint64_t size)
{
    const uint8_t *at = (const uint8_t *)bytes;
    struct kit_reader reader = {at, at + size, 1, 0};
    return reader;
}

static inline uint64_t kit_left(const struct kit_reader *r)
{
    return (uint64_t)(r->end - r->at);
}

/* The next @size bytes; NULL, and the reader is faulty, when there are fewer. */
static inline const uint8_t *kit_take(struct kit_reader *r, uint64_t size)
{
    const uint8_t *at = r->at;
    if (!r->ok || kit_left(r) < size) {
        r->ok = 0;
        return (const uint8_t *)0;
    }
    r->at += size;
    return at;
}

static inline uint8_t kit_read8(struct kit_reader *r)
{
    const uint8_t *p = kit_take(r, 1);
    return p ? *p : 0;
}

static inline uint16_t kit_read16(struct kit_reader *r)
{
    const uint8_t *p = kit_take(r, 2);
    return p ? kit_get16(p) : 0;
}

static inline uint32_t kit_read32(struct kit_reader *r)
{
    const uint8_t *p = kit_take(r, 4);
    return p ? kit_get32(p) : 0;
}

static inline uint64_t kit_read64(struct kit_reader *r)
{
    const uint8_t *p = kit_take(r, 8);
    return p ? kit_get64(p) : 0;
}

/* Base-128, least significant group first; at most ten bytes, and no bits beyond 64. */
static inline uint64_t kit_read_uvarint(struct kit_reader *r)
{
    uint64_t value = 0;
    for (uint32_t shift = 0; shift < 70; shift += 7) {
        uint8_t byte = kit_read8(r);
        if (shift == 63 && byte > 1)
            break;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return r->ok ? value : 0;
    }
    r->ok = 0;
    return 0;
}

/* Zig-zag: small magnitudes of either sign are short. */
static inline int64_t kit_read_varint(struct kit_reader *r)
{
    uint64_t raw = kit_read_uvarint(r);
    return (int64_t)(raw >> 1) ^ -(int64_t)(raw & 1);
}

static inline uint64_t kit_zigzag(int64_t value)
{
    return (uint64_t)value << 1 ^ (uint64_t)(value >> 63);
}

/* Bytes kit_put_uvarint() writes for @value: 1 to 10. */
static inline uint32_t kit_uvarint_size(uint64_t value)
{
    uint32_t size = 1;
    while (value >>= 7)
        size++;
    return size;
}

static inline uint8_t *kit_put_uvarint(uint8_t *p, uint64_t value)
{
    while (value >= 0x80) {
        *p++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *p++ = (uint8_t)value;
    return p;
}

#endif /* SDK_KIT_VARINT_H */
