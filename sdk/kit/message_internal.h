/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message_internal.h - what the interpreter's files share.
 */
#ifndef SDK_KIT_MESSAGE_INTERNAL_H
#define SDK_KIT_MESSAGE_INTERNAL_H

#include "sdk/kit/message.h"

/* Bytes in memory of each kind; 0 for structs. */
extern const uint8_t kit_kind_bytes[KIT_STRUCT + 1];

/* Bytes in memory of a field, or of an element of it. */
uint32_t kit_element_bytes(const struct kit_field *field);

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
