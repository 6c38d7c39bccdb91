/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message_debug.c - prints messages for people, and makes them up for tests.
 *
 *   {acks: -1, topic_data: [{name: "a", partition_data: [{index: 0, records: 3:0a0b0c}]}]}
 *
 * Bytes are their number and the first 16 of them in hex; uuids are hex, floats the hex of their
 * bits. A field the version lacks is not printed.
 */
#include <stdio.h>
#include <string.h>

#include "sdk/kit/message.h"
#include "sdk/kit/message_internal.h"

#define BYTES_SHOWN 16

struct text {
    char *at;
    uint64_t left; /* room without the NUL */
    uint64_t n;    /* bytes so far */
};

static void add(struct text *t, const char *bytes, uint64_t n)
{
    uint64_t fits = n < t->left ? n : t->left;

    memcpy(t->at, bytes, fits);
    t->at += fits;
    t->left -= fits;
    t->n += fits;
}

static void add_text(struct text *t, const char *text)
{
    add(t, text, strlen(text));
}

static void add_hex(struct text *t, const uint8_t *bytes, uint64_t n)
{
    char hex[3];

    for (uint64_t i = 0; i < n; i++) {
        snprintf(hex, sizeof hex, "%02x", bytes[i]);
        add(t, hex, 2);
    }
}

static void add_string(struct text *t, const mrt_str *s)
{
    char one[5];

    add_text(t, "\"");
    for (uint64_t i = 0; i < s->n; i++) {
        char c = s->p[i];
        if (c < ' ' || c > '~' || c == '"' || c == '\\')
            snprintf(one, sizeof one, "\\x%02x", (uint8_t)c);
        else
            snprintf(one, sizeof one, "%c", c);
        add_text(t, one);
    }
    add_text(t, "\"");
}

static void add_number(struct text *t, const struct kit_field *field, const void *member)
{
    char number[24];
    snprintf(number, sizeof number, "%lld", (long long)kit_number(field, member));
    add_text(t, number);
}

static void add_struct(
    struct text *t, const struct kit_struct *type, int16_t version, const void *value);

static void add_value(
    struct text *t, const struct kit_field *field, int16_t version, const void *member)
{
    const mrt_str *sized = member;
    uint64_t bits;
    char number[24];

    if (field->kind == KIT_STRUCT) {
        add_struct(t, field->inner, version, member);
    } else if (field->kind == KIT_UUID) {
        add_hex(t, member, 16);
    } else if (field->kind == KIT_FLOAT64) {
        memcpy(&bits, member, sizeof bits);
        snprintf(number, sizeof number, "%016llx", (unsigned long long)bits);
        add_text(t, number);
    } else if (!kit_is_sized(field)) {
        add_number(t, field, member);
    } else if (!sized->p && kit_in(field->nullable, version)) {
        add_text(t, "null");
    } else if (field->kind == KIT_STRING) {
        add_string(t, sized);
    } else {
        snprintf(number, sizeof number, "%llu:", (unsigned long long)sized->n);
        add_text(t, number);
        add_hex(t, (const uint8_t *)sized->p, sized->n < BYTES_SHOWN ? sized->n : BYTES_SHOWN);
    }
}

static void add_array(
    struct text *t, const struct kit_field *field, int16_t version, const void *value)
{
    const uint8_t *elements = kit_pointer((const uint8_t *)value + field->offset);
    uint32_t n = *(const uint32_t *)(const void *)((const uint8_t *)value + field->count);

    if (!elements && kit_in(field->nullable, version)) {
        add_text(t, "null");
        return;
    }
    add_text(t, "[");
    for (uint32_t i = 0; i < n && t->left; i++) {
        add_text(t, i ? ", " : "");
        add_value(t, field, version, elements + (uint64_t)i * kit_element_bytes(field));
    }
    add_text(t, "]");
}

static void add_struct(
    struct text *t, const struct kit_struct *type, int16_t version, const void *value)
{
    const char *between = "";

    add_text(t, "{");
    for (uint32_t i = 0; i < type->n && t->left; i++) {
        const struct kit_field *field = &type->fields[i];
        const void *member = (const uint8_t *)value + field->offset;
        if (!kit_in(field->valid, version))
            continue;
        add_text(t, between);
        add_text(t, field->name);
        add_text(t, ": ");
        between = ", ";
        if (field->flags & KIT_ARRAY)
            add_array(t, field, version, value);
        else if (!kit_is_optional(field))
            add_value(t, field, version, member);
        else if (kit_pointer(member))
            add_struct(t, field->inner, version, kit_pointer(member));
        else
            add_text(t, "null");
    }
    add_text(t, "}");
}

uint64_t kit_message_print(
    const struct kit_message *message, int16_t version, const void *value, char *out, uint64_t cap)
{
    struct text t = {out, cap - 1, 0};

    add_struct(&t, message->root, version, value);
    *t.at = 0;
    return t.n;
}

/* ---- random ---------------------------------------------------------------------------------- */

struct maker {
    const struct kit_memory *memory;
    uint64_t *seed;
    mrt_status status;
    int16_t version;
    uint16_t reserved;
};

/* splitmix64 */
static uint64_t draw(struct maker *m)
{
    uint64_t z = *m->seed += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static void *room(struct maker *m, uint64_t bytes)
{
    void *p = m->memory->take(m->memory->ctx, bytes ? bytes : 1);
    if (!p)
        m->status = MRT_ENOMEM;
    return p;
}

static void make_struct(struct maker *m, const struct kit_struct *type, void *value);

static void make_value(struct maker *m, const struct kit_field *field, void *member)
{
    uint64_t bits = draw(m);

    if (field->kind == KIT_STRUCT) {
        make_struct(m, field->inner, member);
        return;
    }
    if (!kit_is_sized(field)) {
        uint8_t bytes[16];
        uint64_t more = draw(m);
        memcpy(bytes, &bits, 8);
        memcpy(bytes + 8, &more, 8);
        if (field->kind == KIT_BOOL)
            bytes[0] &= 1;
        memcpy(member, bytes, kit_element_bytes(field));
        return;
    }
    mrt_str *out = member;
    *out = (mrt_str){NULL, 0};
    if (kit_in(field->nullable, m->version) && bits % 4 == 0)
        return;
    uint64_t n = bits % 8 == 1 ? 200 : bits / 8 % 12; /* 200: two bytes of varint */
    uint8_t *bytes = room(m, n);
    for (uint64_t i = 0; i < n && bytes; i++)
        bytes[i] = (uint8_t)draw(m);
    *out = (mrt_str){(const char *)bytes, bytes ? n : 0};
}

static void make_array(struct maker *m, const struct kit_field *field, void *value)
{
    void *member = (uint8_t *)value + field->offset;
    uint32_t *n = (uint32_t *)(void *)((uint8_t *)value + field->count);
    uint64_t bits = draw(m);

    *n = 0;
    kit_pointer_set(member, NULL);
    if (kit_in(field->nullable, m->version) && bits % 4 == 0)
        return;
    uint32_t count = bits % 32 == 1 ? 20 : (uint32_t)(bits / 32 % 4);
    uint8_t *elements = room(m, (uint64_t)count * kit_element_bytes(field));
    for (uint32_t i = 0; i < count && elements; i++)
        make_value(m, field, elements + (uint64_t)i * kit_element_bytes(field));
    kit_pointer_set(member, elements);
    *n = elements ? count : 0;
}

static void make_struct(struct maker *m, const struct kit_struct *type, void *value)
{
    kit_struct_defaults(type, value);
    for (uint32_t i = 0; i < type->n && m->status == MRT_OK; i++) {
        const struct kit_field *field = &type->fields[i];
        void *member = (uint8_t *)value + field->offset;
        if (!kit_in(field->valid, m->version) || draw(m) % 8 == 0)
            continue; /* stays at its default */
        if (field->flags & KIT_ARRAY) {
            make_array(m, field, value);
        } else if (!kit_is_optional(field)) {
            make_value(m, field, member);
        } else if (draw(m) % 2) {
            void *inner = room(m, field->inner->size);
            if (inner)
                make_struct(m, field->inner, inner);
            kit_pointer_set(member, inner);
        }
    }
}

mrt_status kit_message_random(
    const struct kit_message *message, int16_t version, const struct kit_memory *memory,
    uint64_t *seed, void *value)
{
    struct maker m = {memory, seed, MRT_OK, version, 0};

    make_struct(&m, message->root, value);
    return m.status;
}
