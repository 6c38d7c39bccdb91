/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message_internal.h - what the interpreter's files share.
 */
#ifndef SDK_KIT_MESSAGE_INTERNAL_H
#define SDK_KIT_MESSAGE_INTERNAL_H

#include <string.h>

#include "sdk/kit/message.h"

/* Bytes in memory of each kind; 0 for structs. */
extern const uint8_t kit_kind_bytes[KIT_STRUCT + 1];

/* Bytes in memory of a field, or of an element of it. */
uint32_t kit_element_bytes(const struct kit_field *field);

/* A pointer member, whatever it points at. */
static inline const uint8_t *kit_pointer(const void *member)
{
    const uint8_t *p;
    memcpy(&p, member, sizeof p);
    return p;
}

static inline void kit_pointer_set(void *member, const void *p)
{
    memcpy(member, &p, sizeof p);
}

/* The number in a member of the field's width, with its sign. */
int64_t kit_number(const struct kit_field *field, const void *member);

static inline uint32_t kit_is_sized(const struct kit_field *field)
{
    return field->kind == KIT_STRING || field->kind == KIT_BYTES || field->kind == KIT_RECORDS;
}

/* Is it a pointer to a struct, and not an array? */
static inline uint32_t kit_is_optional(const struct kit_field *field)
{
    return field->kind == KIT_STRUCT && !(field->flags & KIT_ARRAY) &&
           field->nullable.first <= field->nullable.last;
}

#endif /* SDK_KIT_MESSAGE_INTERNAL_H */
