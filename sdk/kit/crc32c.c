/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk/kit/crc32c.h"

#include <string.h>

#if defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>
#endif

/* Of each half byte, for the reflected polynomial 0x82f63b78. */
static const uint32_t half[16] = {
    0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
    0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

uint32_t kit_crc32c_portable(uint32_t crc, const void *bytes, uint64_t size)
{
    const uint8_t *p = bytes;

    crc = ~crc;
    for (; size > 0; size--) {
        crc ^= *p++;
        crc = crc >> 4 ^ half[crc & 15];
        crc = crc >> 4 ^ half[crc & 15];
    }
    return ~crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t with_instruction(
    uint32_t crc, const uint8_t *p, uint64_t size)
{
    uint64_t sum = ~crc;
    for (; size >= 8; size -= 8, p += 8) {
        uint64_t word;
        memcpy(&word, p, sizeof word);
        sum = __builtin_ia32_crc32di(sum, word);
    }
    crc = (uint32_t)sum;
    for (; size > 0; size--)
        crc = __builtin_ia32_crc32qi(crc, *p++);
    return ~crc;
}

uint32_t kit_crc32c(uint32_t crc, const void *bytes, uint64_t size)
{
    if (__builtin_cpu_supports("sse4.2"))
        return with_instruction(crc, bytes, size);
    return kit_crc32c_portable(crc, bytes, size);
}
#elif defined(__ARM_FEATURE_CRC32)
uint32_t kit_crc32c(uint32_t crc, const void *bytes, uint64_t size)
{
    const uint8_t *p = bytes;

    crc = ~crc;
    for (; size >= 8; size -= 8, p += 8) {
        uint64_t word;
        memcpy(&word, p, sizeof word);
        crc = __crc32cd(crc, word);
    }
    for (; size > 0; size--)
        crc = __crc32cb(crc, *p++);
    return ~crc;
}
#else
uint32_t kit_crc32c(uint32_t crc, const void *bytes, uint64_t size)
{
    return kit_crc32c_portable(crc, bytes, size);
}
#endif
