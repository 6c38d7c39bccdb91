/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crc32c.h - CRC-32C (Castagnoli), as in Kafka's record batches and our own files.
 */
#ifndef SDK_KIT_CRC32C_H
#define SDK_KIT_CRC32C_H

#include <stdint.h>

/* The checksum of @size bytes that follow those summed up in @crc; 0 to begin. Uses the processor's
 * instruction where it has one. Pure, any thread. */
uint32_t kit_crc32c(uint32_t crc, const void *bytes, uint64_t size);

/* The same without the instruction; for tests and other processors. */
uint32_t kit_crc32c_portable(uint32_t crc, const void *bytes, uint64_t size);

#endif /* SDK_KIT_CRC32C_H */
