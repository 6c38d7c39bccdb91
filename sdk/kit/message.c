/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message.c - the interpreter's reading half and what both halves share: defaults and sizes.
 *
 *   wire form of a field     not flexible               flexible
 *   number, bool, uuid       big-endian, fixed          the same
 *   string                   int16 length, -1 null      uvarint length + 1, 0 null
 *   bytes, records           int32 length, -1 null      uvarint length + 1, 0 null
 *   array                    int32 count, -1 null       uvarint count + 1, 0 null
 *   struct                   its fields                 its fields, then its tagged fields
 *   struct that may be null  int8: -1 null, 1 follows   the same
 *   tagged fields            none                       uvarint count, (uvarint tag, size, field)*
 */
#include "sdk/kit/message.h"

#include <string.h>

#include "sdk/kit/message_internal.h"
#include "sdk/kit/varint.h"

/* A schema never nests deeper than 6; a table that does is broken. */
#define DEPTH_MAX 12

/* Below this, a count is only compared with the bytes left; from it on with what they can hold. */
#define COUNT_SMALL 16

struct decoder {
    struct kit_reader in;
    const struct kit_memory *memory;
    mrt_status status;
    int16_t version;
    uint8_t flexible;
    uint8_t depth;
};

const uint8_t kit_kind_bytes[] = {
    [KIT_BOOL] = 1,  [KIT_INT8] = 1,    [KIT_INT16] = 2,  [KIT_INT32] = 4,
    [KIT_INT64] = 8, [KIT_UINT16] = 2,  [KIT_UINT32] = 4, [KIT_FLOAT64] = 8,
    [KIT_UUID] = 16, [KIT_STRING] = 16, [KIT_BYTES] = 16, [KIT_RECORDS] = 16,
};

uint32_t kit_element_bytes(const struct kit_field *field)
{
    return field->kind == KIT_STRUCT ? field->inner->size : kit_kind_bytes[field->kind];
}

int64_t kit_number(const struct kit_field *field, const void *member)
{
    switch ((enum kit_kind)field->kind) {
    case KIT_BOOL:
        return *(const uint8_t *)member;
    case KIT_INT8:
        return *(const int8_t *)member;
    case KIT_INT16:
        return *(const int16_t *)member;
    case KIT_UINT16:
        return *(const uint16_t *)member;
    case KIT_INT32:
        return *(const int32_t *)member;
    case KIT_UINT32:
        return *(const uint32_t *)member;
    case KIT_INT64:
        return *(const int64_t *)member;
    case KIT_FLOAT64:
    case KIT_UUID:
    case KIT_STRING:
    case KIT_BYTES:
    case KIT_RECORDS:
    case KIT_STRUCT:
        break;
    }
    int64_t bits;
    memcpy(&bits, member, sizeof bits); /* of a float: equal bits, equal values */
    return bits;
}

/* Stores a number into a member of the field's width. */
static void store(const struct kit_field *field, void *member, uint64_t value)
{
    switch (kit_kind_bytes[field->kind]) {
    case 1:
        *(uint8_t *)member = (uint8_t)value;
        break;
    case 2:
        *(uint16_t *)member = (uint16_t)value;
        break;
    case 4:
        *(uint32_t *)member = (uint32_t)value;
        break;
    default:
        *(uint64_t *)member = value;
        break;
    }
}

static void field_default(const struct kit_field *field, void *value)
{
    void *member = (uint8_t *)value + field->offset;

    if (field->flags & KIT_NULL)
        return; /* zeros already */
    if (field->flags & KIT_ARRAY) {
        if (field->nullable.first <= field->nullable.last)
            kit_pointer_set(member, "");
    } else if (kit_is_sized(field)) {
        const char *text = field->text ? field->text : "";
        *(mrt_str *)member = (mrt_str){text, strlen(text)};
    } else if (field->kind == KIT_STRUCT) {
        if (field->nullable.first > field->nullable.last)
            kit_struct_defaults(field->inner, member);
    } else if (field->initial) {
        store(field, member, (uint64_t)field->initial);
    }
}

void kit_struct_defaults(const struct kit_struct *type, void *value)
{
    memset(value, 0, type->size);
    for (uint32_t i = 0; i < type->n; i++)
        field_default(&type->fields[i], value);
}

static void fault(struct decoder *d, mrt_status status)
{
    if (d->status == MRT_OK)
        d->status = status;
    d->in.ok = 0;
}

/* A length or count; -1 is null. */
static int64_t read_length(struct decoder *d, uint32_t compact, uint32_t wide)
{
    if (compact) {
        uint64_t raw = kit_read_uvarint(&d->in);
        if (raw > (uint64_t)INT32_MAX + 1)
            fault(d, MRT_ECORRUPT);
        return d->in.ok ? (int64_t)raw - 1 : -1;
    }
    return wide ? (int32_t)kit_read32(&d->in) : (int16_t)kit_read16(&d->in);
}

/* Null must be allowed; any other negative length is a fault. */
static uint32_t is_null(struct decoder *d, const struct kit_field *field, int64_t length)
{
    if (length >= 0)
        return 0;
    if (length < -1 || !kit_in(field->nullable, d->version))
        fault(d, MRT_ECORRUPT);
    return 1;
}

static void *take(struct decoder *d, uint64_t bytes)
{
    void *p = d->memory->take(d->memory->ctx, bytes);
    if (!p)
        fault(d, MRT_ENOMEM);
    return p;
}

static void decode_sized(struct decoder *d, const struct kit_field *field, mrt_str *out)
{
    uint32_t compact = d->flexible && !(field->flags & KIT_PLAIN);
    int64_t length = read_length(d, compact, field->kind != KIT_STRING);

    *out = (mrt_str){NULL, 0};
    if (!d->in.ok || is_null(d, field, length))
        return;
    const uint8_t *bytes = kit_take(&d->in, (uint64_t)length);
    if (!bytes)
        return;
    if (d->memory->copy && field->kind != KIT_RECORDS && length > 0) {
        void *copy = take(d, (uint64_t)length);
        if (copy)
            memcpy(copy, bytes, (uint64_t)length);
        bytes = copy;
    }
    *out = (mrt_str){(const char *)bytes, bytes ? (uint64_t)length : 0};
}

static void decode_struct(struct decoder *d, const struct kit_struct *type, void *value);

/* One value that is not null: an element, or a field that is no array. */
static void decode_value(struct decoder *d, const struct kit_field *field, void *member)
{
    switch ((enum kit_kind)field->kind) {
    case KIT_BOOL:
        *(uint8_t *)member = kit_read8(&d->in) != 0;
        break;
    case KIT_INT8:
        *(uint8_t *)member = kit_read8(&d->in);
        break;
    case KIT_INT16:
    case KIT_UINT16:
        *(uint16_t *)member = kit_read16(&d->in);
        break;
    case KIT_INT32:
    case KIT_UINT32:
        *(uint32_t *)member = kit_read32(&d->in);
        break;
    case KIT_INT64:
    case KIT_FLOAT64: {
        uint64_t bits = kit_read64(&d->in);
        memcpy(member, &bits, sizeof bits);
        break;
    }
    case KIT_UUID: {
        const uint8_t *bytes = kit_take(&d->in, 16);
        if (bytes)
            memcpy(member, bytes, 16);
        break;
    }
    case KIT_STRING:
    case KIT_BYTES:
    case KIT_RECORDS:
        decode_sized(d, field, member);
        break;
    case KIT_STRUCT:
        decode_struct(d, field->inner, member);
        break;
    }
}

static uint64_t field_least(const struct kit_field *field, uint32_t flexible);

/* The fewest bytes a struct takes on the wire, at least 1. */
static uint64_t struct_least(const struct kit_struct *type, int16_t version, uint32_t flexible)
{
    uint64_t least = flexible;

    for (uint32_t i = 0; i < type->n; i++) {
        const struct kit_field *field = &type->fields[i];
        if (!kit_in(field->valid, version) || kit_in(field->tagged, version))
            continue;
        if (field->kind == KIT_STRUCT && !(field->flags & KIT_ARRAY))
            least += field->nullable.first <= field->nullable.last
                         ? 1
                         : struct_least(field->inner, version, flexible);
        else
            least += field_least(field, flexible);
    }
    return least ? least : 1;
}

/* Of anything but a struct. */
static uint64_t field_least(const struct kit_field *field, uint32_t flexible)
{
    if (field->flags & KIT_ARRAY)
        return flexible ? 1 : 4;
    if (!kit_is_sized(field))
        return kit_kind_bytes[field->kind];
    if (flexible && !(field->flags & KIT_PLAIN))
        return 1;
    return field->kind == KIT_STRING ? 2 : 4;
}

/* Can the bytes left hold @count elements (M3)? */
static uint32_t is_possible(const struct decoder *d, const struct kit_field *field, uint64_t count)
{
    struct kit_field element = *field;
    uint64_t least = 1;

    if (count > kit_left(&d->in))
        return 0;
    if (count < COUNT_SMALL)
        return 1;
    element.flags &= (uint8_t)~KIT_ARRAY;
    least = field->kind == KIT_STRUCT ? struct_least(field->inner, d->version, d->flexible)
                                      : field_least(&element, d->flexible);
    return count <= kit_left(&d->in) / least;
}

static void decode_array(struct decoder *d, const struct kit_field *field, void *value)
{
    void *member = (uint8_t *)value + field->offset;
    uint32_t *n = (uint32_t *)(void *)((uint8_t *)value + field->count);
    int64_t count = read_length(d, d->flexible, 1);
    uint32_t bytes = kit_element_bytes(field);

    kit_pointer_set(member, NULL);
    *n = 0;
    if (!d->in.ok || is_null(d, field, count))
        return;
    if (!is_possible(d, field, (uint64_t)count)) {
        fault(d, MRT_ECORRUPT);
        return;
    }
    uint8_t *elements = take(d, count ? (uint64_t)count * bytes : 1);
    if (!elements)
        return;
    for (int64_t i = 0; i < count && d->in.ok; i++)
        decode_value(d, field, elements + (uint64_t)i * bytes);
    kit_pointer_set(member, elements);
    *n = (uint32_t)count;
}

static void decode_nullable_struct(struct decoder *d, const struct kit_field *field, void *member)
{
    int8_t present = (int8_t)kit_read8(&d->in);

    kit_pointer_set(member, NULL);
    if (!d->in.ok || is_null(d, field, present))
        return;
    void *value = take(d, field->inner->size);
    if (value)
        decode_struct(d, field->inner, value);
    kit_pointer_set(member, value);
}

static void decode_field(struct decoder *d, const struct kit_field *field, void *value)
{
    void *member = (uint8_t *)value + field->offset;

    if (field->flags & KIT_ARRAY)
        decode_array(d, field, value);
    else if (field->kind == KIT_STRUCT && field->nullable.first <= field->nullable.last)
        decode_nullable_struct(d, field, member);
    else
        decode_value(d, field, member);
}

static const struct kit_field *tagged_field(
    const struct kit_struct *type, uint64_t tag, int16_t version)
{
    for (uint32_t i = 0; i < type->n; i++) {
        const struct kit_field *field = &type->fields[i];
        if (kit_in(field->tagged, version) && (uint64_t)field->tag == tag)
            return field;
    }
    return NULL;
}

static void decode_tags(struct decoder *d, const struct kit_struct *type, void *value)
{
    uint64_t count = kit_read_uvarint(&d->in);

    if (count > kit_left(&d->in) / 2)
        fault(d, MRT_ECORRUPT);
    for (uint64_t i = 0; i < count && d->in.ok; i++) {
        uint64_t tag = kit_read_uvarint(&d->in);
        uint64_t size = kit_read_uvarint(&d->in);
        const uint8_t *bytes = kit_take(&d->in, size);
        const struct kit_field *field = tagged_field(type, tag, d->version);
        if (!bytes || !field)
            continue;
        struct kit_reader outer = d->in;
        d->in = kit_reader(bytes, size);
        decode_field(d, field, value);
        outer.ok = d->in.ok;
        d->in = outer;
    }
}

static void decode_struct(struct decoder *d, const struct kit_struct *type, void *value)
{
    kit_struct_defaults(type, value);
    if (++d->depth > DEPTH_MAX)
        fault(d, MRT_ECORRUPT);
    for (uint32_t i = 0; i < type->n && d->in.ok; i++) {
        const struct kit_field *field = &type->fields[i];
        if (kit_in(field->valid, d->version) && !kit_in(field->tagged, d->version))
            decode_field(d, field, value);
    }
    if (d->flexible && d->in.ok)
        decode_tags(d, type, value);
    d->depth--;
}

mrt_status kit_message_decode(
    const struct kit_message *message, int16_t version, const mrt_str *in,
    const struct kit_memory *memory, void *value, uint64_t *used)
{
    struct decoder d = {
        .in = kit_reader(in->p, in->n),
        .memory = memory,
        .version = version,
        .flexible = version >= message->flexible,
    };

    if (version < message->since || version > message->until)
        return MRT_EINVAL;
    decode_struct(&d, message->root, value);
    if (!d.in.ok)
        return d.status == MRT_OK ? MRT_ECORRUPT : d.status;
    *used = (uint64_t)((const char *)d.in.at - in->p);
    return MRT_OK;
}
