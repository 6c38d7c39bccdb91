/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message_encode.c - the interpreter's writing half. The forms are those of message.c.
 *
 * A tagged field is written only if it differs from its default, with its size in front; the size
 * comes from writing it to nowhere first.
 */
#include <string.h>

#include "sdk/kit/message.h"
#include "sdk/kit/message_internal.h"
#include "sdk/kit/varint.h"

struct encoder {
    struct kit_room *room;
    mrt_status status;
    int16_t version;
    uint8_t flexible;
    uint8_t reserved;
};

static void put(struct encoder *e, const void *bytes, uint64_t n)
{
    struct kit_room *room = e->room;

    if (room->p && room->cap - room->used < n) {
        e->status = MRT_ETOOBIG;
        return;
    }
    if (room->p && n)
        memcpy(room->p + room->used, bytes, n);
    room->used += n;
    room->size += n;
}

static void put_uvarint(struct encoder *e, uint64_t value)
{
    uint8_t bytes[10];
    put(e, bytes, (uint64_t)(kit_put_uvarint(bytes, value) - bytes));
}

/* A length or count; -1 is null. */
static void put_length(struct encoder *e, int64_t length, uint32_t compact, uint32_t wide)
{
    uint8_t bytes[4];

    if (length > (wide ? INT32_MAX : INT16_MAX))
        e->status = MRT_EINVAL;
    if (compact) {
        put_uvarint(e, (uint64_t)(length + 1));
    } else if (wide) {
        kit_put32(bytes, (uint32_t)length);
        put(e, bytes, 4);
    } else {
        kit_put16(bytes, (uint16_t)length);
        put(e, bytes, 2);
    }
}

/* Leaves the records where they are (kit_cut). */
static void cut(struct encoder *e, const mrt_str *bytes)
{
    struct kit_room *room = e->room;

    if (room->p) {
        if (room->n_cuts == room->cuts_max) {
            e->status = MRT_ETOOBIG;
            return;
        }
        room->cuts[room->n_cuts] = (struct kit_cut){room->used, *bytes};
    }
    room->n_cuts++;
    room->size += bytes->n;
}

static void encode_sized(struct encoder *e, const struct kit_field *field, const mrt_str *value)
{
    uint32_t compact = e->flexible && !(field->flags & KIT_PLAIN);
    uint32_t null = !value->p && kit_in(field->nullable, e->version);

    put_length(e, null ? -1 : (int64_t)value->n, compact, field->kind != KIT_STRING);
    if (null || e->status != MRT_OK)
        return;
    if (field->kind == KIT_RECORDS && e->room->cuts)
        cut(e, value);
    else
        put(e, value->p, value->n);
}

static void encode_struct(struct encoder *e, const struct kit_struct *type, const void *value);

static void encode_value(struct encoder *e, const struct kit_field *field, const void *member)
{
    uint8_t bytes[8];

    switch ((enum kit_kind)field->kind) {
    case KIT_BOOL:
    case KIT_INT8:
        put(e, member, 1);
        break;
    case KIT_INT16:
    case KIT_UINT16:
        kit_put16(bytes, *(const uint16_t *)member);
        put(e, bytes, 2);
        break;
    case KIT_INT32:
    case KIT_UINT32:
        kit_put32(bytes, *(const uint32_t *)member);
        put(e, bytes, 4);
        break;
    case KIT_INT64:
    case KIT_FLOAT64:
        kit_put64(bytes, (uint64_t)kit_number(field, member));
        put(e, bytes, 8);
        break;
    case KIT_UUID:
        put(e, member, 16);
        break;
    case KIT_STRING:
    case KIT_BYTES:
    case KIT_RECORDS:
        encode_sized(e, field, member);
        break;
    case KIT_STRUCT:
        encode_struct(e, field->inner, member);
        break;
    }
}

static void encode_array(struct encoder *e, const struct kit_field *field, const void *value)
{
    const uint8_t *elements = kit_pointer((const uint8_t *)value + field->offset);
    uint32_t n = *(const uint32_t *)(const void *)((const uint8_t *)value + field->count);
    uint32_t null = !elements && kit_in(field->nullable, e->version);
    uint32_t bytes = kit_element_bytes(field);

    if (n && !elements)
        e->status = MRT_EINVAL;
    put_length(e, null ? -1 : (int64_t)n, e->flexible, 1);
    for (uint32_t i = 0; i < n && !null && e->status == MRT_OK; i++)
        encode_value(e, field, elements + (uint64_t)i * bytes);
}

static void encode_field(struct encoder *e, const struct kit_field *field, const void *value)
{
    const void *member = (const uint8_t *)value + field->offset;

    if (field->flags & KIT_ARRAY) {
        encode_array(e, field, value);
    } else if (kit_is_optional(field)) {
        const void *inner = kit_pointer(member);
        int8_t present = inner ? 1 : -1;
        put(e, &present, 1);
        if (inner)
            encode_struct(e, field->inner, inner);
    } else {
        encode_value(e, field, member);
    }
}

static uint32_t sized_is_default(const struct kit_field *field, const mrt_str *value)
{
    const char *text = field->text ? field->text : "";

    if (field->flags & KIT_NULL)
        return !value->p;
    if (!value->p)
        return field->nullable.first > field->nullable.last && !*text;
    return value->n == strlen(text) && !memcmp(value->p, text, value->n);
}

static uint32_t is_default(const struct kit_field *field, const void *value, int16_t version)
{
    static const uint8_t zeros[16] = {0};
    const void *member = (const uint8_t *)value + field->offset;

    if (field->flags & KIT_ARRAY) {
        uint32_t n = *(const uint32_t *)(const void *)((const uint8_t *)value + field->count);
        uint32_t null = !kit_pointer(member);
        if (field->flags & KIT_NULL)
            return null;
        return !n && !(null && kit_in(field->nullable, version));
    }
    if (kit_is_sized(field))
        return sized_is_default(field, member);
    if (kit_is_optional(field))
        return !kit_pointer(member);
    if (field->kind == KIT_UUID)
        return !memcmp(member, zeros, sizeof zeros);
    if (field->kind != KIT_STRUCT)
        return kit_number(field, member) == field->initial;
    for (uint32_t i = 0; i < field->inner->n; i++)
        if (kit_in(field->inner->fields[i].valid, version) &&
            !is_default(&field->inner->fields[i], member, version))
            return 0;
    return 1;
}

/* The field that travels as @tag in this version and has something to say, or NULL. */
static const struct kit_field *worth_sending(
    const struct encoder *e, const struct kit_struct *type, const void *value, uint32_t tag)
{
    for (uint32_t i = 0; i < type->n; i++) {
        const struct kit_field *field = &type->fields[i];
        if (kit_in(field->tagged, e->version) && (uint32_t)field->tag == tag)
            return is_default(field, value, e->version) ? NULL : field;
    }
    return NULL;
}

static void encode_tags(struct encoder *e, const struct kit_struct *type, const void *value)
{
    uint64_t count = 0;

    for (uint32_t tag = 0; tag < type->tags; tag++)
        count += worth_sending(e, type, value, tag) != NULL;
    put_uvarint(e, count);
    for (uint32_t tag = 0; tag < type->tags && count; tag++) {
        const struct kit_field *field = worth_sending(e, type, value, tag);
        if (!field)
            continue;
        struct kit_room nowhere = {.cuts = e->room->cuts};
        struct encoder sizer = {&nowhere, MRT_OK, e->version, e->flexible, 0};
        encode_field(&sizer, field, value);
        put_uvarint(e, tag);
        put_uvarint(e, nowhere.size);
        encode_field(e, field, value);
    }
}

static void encode_struct(struct encoder *e, const struct kit_struct *type, const void *value)
{
    for (uint32_t i = 0; i < type->n && e->status == MRT_OK; i++) {
        const struct kit_field *field = &type->fields[i];
        if (kit_in(field->valid, e->version) && !kit_in(field->tagged, e->version))
            encode_field(e, field, value);
    }
    if (e->flexible)
        encode_tags(e, type, value);
}

mrt_status kit_message_encode(
    const struct kit_message *message, int16_t version, const void *value, struct kit_room *room)
{
    struct encoder e = {room, MRT_OK, version, version >= message->flexible, 0};

    if (version < message->since || version > message->until)
        return MRT_EINVAL;
    room->used = 0;
    room->size = 0;
    room->n_cuts = 0;
    encode_struct(&e, message->root, value);
    return e.status;
}
