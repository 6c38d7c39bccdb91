/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/uuid.h"

#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void uuid_text(const uint8_t *uuid, char *out)
{
    uint32_t bits = 0;
    int held = 0;
    for (int i = 0; i < 16; i++) {
        bits = bits << 8 | uuid[i];
        for (held += 8; held >= 6; held -= 6)
            *out++ = digits[bits >> (held - 6) & 63];
    }
    *out++ = digits[bits << (6 - held) & 63];
    *out = '\0';
}

bool uuid_parse(const mrt_str *text, uint8_t *out)
{
    uint8_t uuid[17];
    uint32_t bits = 0;
    int held = 0;
    int n = 0;

    if (text->n != UUID_TEXT)
        return false;
    for (uint64_t i = 0; i < UUID_TEXT; i++) {
        const char *digit = text->p[i] == '\0' ? NULL : strchr(digits, text->p[i]);
        if (digit == NULL)
            return false;
        bits = bits << 6 | (uint32_t)(digit - digits);
        held += 6;
        if (held >= 8) {
            held -= 8;
            uuid[n++] = (uint8_t)(bits >> held);
        }
    }
    if ((bits & ((1U << held) - 1)) != 0)
        return false;
    memcpy(out, uuid, 16);
    return true;
}

void uuid_shape(uint8_t *uuid)
{
    uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x40);
    uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
    if (uuid[0] >> 2 == 62) /* the digit '-' would look like an option to Kafka's tools */
        uuid[0] ^= 0x80;
}

bool uuid_is_zero(const uint8_t *uuid)
{
    static const uint8_t zero[16];
    return memcmp(uuid, zero, sizeof zero) == 0;
}
