/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stamp.c - append time, written into a batch whose checksum is known to be right.
 *
 * The sum is linear: that of (old xor change) is the old sum xor the bare sum of the change. The
 * change lies in the first 22 of the summed bytes; the zeros behind it only multiply its sum by a
 * power of x. So a batch of a megabyte costs as much as a small one.
 */
#include "core/base/assert.h"
#include "core/record/record.h"

#define POLYNOMIAL  0x82f63b78u /* CRC-32C, reflected: bit 31 is x^0 */
#define ONE         0x80000000u
#define CHANGED     22 /* summed bytes up to the end of the max timestamp */
#define ATTRIBUTES  (21 - KIT_BATCH_SUMMED)
#define MAX_TIME_AT (35 - KIT_BATCH_SUMMED)

_Static_assert(MAX_TIME_AT + 8 == CHANGED, "nothing behind the max timestamp changes");

/* The product of two polynomials. */
static uint32_t multiply(uint32_t a, uint32_t b)
{
    uint32_t product = 0;
    for (uint32_t bit = ONE; bit != 0; bit >>= 1) {
        if (a & bit)
            product ^= b;
        b = b & 1 ? b >> 1 ^ POLYNOMIAL : b >> 1;
    }
    return product;
}

/* x to the power of 8 * @bytes. */
static uint32_t power(uint64_t bytes)
{
    uint32_t result = ONE;
    uint32_t square = ONE >> 8; /* x^8 */
    for (; bytes > 0; bytes >>= 1) {
        if (bytes & 1)
            result = multiply(result, square);
        square = multiply(square, square);
    }
    return result;
}

/* The sum of @size bytes begun with zero and not inverted: linear in them. */
static uint32_t bare_sum(const uint8_t *bytes, uint64_t size)
{
    return ~kit_crc32c(~0u, bytes, size);
}

void record_stamp_time(uint8_t *bytes, uint64_t size, int64_t now_ms)
{
    uint8_t *summed = bytes + KIT_BATCH_SUMMED;
    uint8_t change[CHANGED];

    ASSERT(size >= KIT_BATCH_HEADER);
    ASSERT(bytes[16] == KIT_BATCH_MAGIC);
    for (uint32_t i = 0; i < CHANGED; i++)
        change[i] = summed[i];
    kit_put16(
        summed + ATTRIBUTES, (uint16_t)(kit_get16(summed + ATTRIBUTES) | KIT_BATCH_APPEND_TIME));
    kit_put64(summed + MAX_TIME_AT, (uint64_t)now_ms);
    for (uint32_t i = 0; i < CHANGED; i++)
        change[i] ^= summed[i];

    uint64_t behind = size - KIT_BATCH_SUMMED - CHANGED;
    uint32_t moved = multiply(bare_sum(change, CHANGED), power(behind));
    kit_put32(bytes + 17, kit_get32(bytes + 17) ^ moved);
    CHECK(ASSERT(kit_batch_sum_ok(bytes, size)));
}
