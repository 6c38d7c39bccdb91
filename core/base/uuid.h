/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uuid.h - Kafka's way to write 16 bytes as text: base64url without padding, 22 characters.
 */
#ifndef CORE_BASE_UUID_H
#define CORE_BASE_UUID_H

#include <stdbool.h>

#include <mortise/abi.h>

#define UUID_TEXT 22

/* Writes 22 characters and a NUL. */
void uuid_text(const uint8_t *uuid, char *out);

/* False, and nothing written, unless @text is 22 such characters. */
bool uuid_parse(const mrt_str *text, uint8_t *out);

/* Makes @uuid, 16 random bytes, a version 4 identifier whose text does not begin with a dash. */
void uuid_shape(uint8_t *uuid);

/* Is it the all-zero id, which names nothing? */
bool uuid_is_zero(const uint8_t *uuid);

#endif /* CORE_BASE_UUID_H */
