/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk/kit/copy.h"

#include <string.h>

#include "sdk/kit/message_internal.h"

static void *member(void *value, uint32_t offset)
{
    return (uint8_t *)value + offset;
}

static const void *member_of(const void *value, uint32_t offset)
{
    return (const uint8_t *)value + offset;
}

/* An array's pointer and count. */
static void copy_array(
    const void *from, uint32_t at, uint32_t count_at, void *to, uint32_t to_at, uint32_t to_count)
{
    memcpy(member(to, to_at), member_of(from, at), sizeof(void *));
    memcpy(member(to, to_count), member_of(from, count_at), sizeof(uint32_t));
}

/* Takes memory for as many structs as @from has; *@out NULL where it has NULL. */
static mrt_status new_array(
    const struct kit_memory *memory, const void *from, uint32_t n, uint32_t bytes, void **out)
{
    *out = NULL;
    if (!from)
        return MRT_OK;
    *out = memory->take(memory->ctx, n ? (uint64_t)n * bytes : 1);
    if (!*out)
        return MRT_ENOMEM;
    memset(*out, 0, (uint64_t)n * bytes);
    return MRT_OK;
}

static mrt_status structs_in(
    const struct kit_pair *pair, const void *message, void *operation,
    const struct kit_memory *memory)
{
    const struct kit_map *map = pair->inner;
    const uint8_t *from = kit_pointer(member_of(message, pair->message));
    uint32_t n = *(const uint32_t *)member_of(message, pair->message_count);
    void *to;
    mrt_status status = new_array(memory, from, n, map->operation_bytes, &to);

    for (uint32_t i = 0; i < n && to && status == MRT_OK; i++)
        status = kit_copy_in(
            map, from + (uint64_t)i * map->message_bytes,
            (uint8_t *)to + (uint64_t)i * map->operation_bytes, memory);
    kit_pointer_set(member(operation, pair->operation), to);
    *(uint32_t *)member(operation, pair->operation_count) = n;
    return status;
}

mrt_status kit_copy_in(
    const struct kit_map *map, const void *message, void *operation,
    const struct kit_memory *memory)
{
    mrt_status status = MRT_OK;

    for (uint32_t i = 0; i < map->n && status == MRT_OK; i++) {
        const struct kit_pair *pair = &map->pairs[i];
        switch (pair->kind) {
        case KIT_PAIR_PLAIN:
            memcpy(
                member(operation, pair->operation), member_of(message, pair->message), pair->bytes);
            break;
        case KIT_PAIR_ARRAY:
            copy_array(
                message, pair->message, pair->message_count, operation, pair->operation,
                pair->operation_count);
            break;
        case KIT_PAIR_STRUCTS:
            status = structs_in(pair, message, operation, memory);
            break;
        case KIT_PAIR_STATUS:
            break; /* requests have none */
        }
    }
    return status;
}

static mrt_status structs_out(
    const struct kit_pair *pair, const void *operation, void *message,
    const struct kit_memory *memory, const struct kit_errors *errors)
{
    const struct kit_map *map = pair->inner;
    const uint8_t *from = kit_pointer(member_of(operation, pair->operation));
    uint32_t n = *(const uint32_t *)member_of(operation, pair->operation_count);
    void *to;
    mrt_status status = new_array(memory, from, n, map->message_bytes, &to);

    for (uint32_t i = 0; i < n && to && status == MRT_OK; i++) {
        void *element = (uint8_t *)to + (uint64_t)i * map->message_bytes;
        kit_struct_defaults(map->type, element);
        status =
            kit_copy_out(map, from + (uint64_t)i * map->operation_bytes, element, memory, errors);
    }
    kit_pointer_set(member(message, pair->message), to);
    *(uint32_t *)member(message, pair->message_count) = n;
    return status;
}

static void status_out(
    const struct kit_pair *pair, const void *operation, void *message,
    const struct kit_errors *errors)
{
    mrt_status status = *(const mrt_status *)member_of(operation, pair->operation);
    int32_t reason = *(const int32_t *)member_of(operation, pair->operation_count);

    *(int16_t *)member(message, pair->message) = errors->code(errors->ctx, status, reason);
}

mrt_status kit_copy_out(
    const struct kit_map *map, const void *operation, void *message,
    const struct kit_memory *memory, const struct kit_errors *errors)
{
    mrt_status status = MRT_OK;

    for (uint32_t i = 0; i < map->n && status == MRT_OK; i++) {
        const struct kit_pair *pair = &map->pairs[i];
        switch (pair->kind) {
        case KIT_PAIR_PLAIN:
            memcpy(
                member(message, pair->message), member_of(operation, pair->operation), pair->bytes);
            break;
        case KIT_PAIR_ARRAY:
            copy_array(
                operation, pair->operation, pair->operation_count, message, pair->message,
                pair->message_count);
            break;
        case KIT_PAIR_STRUCTS:
            status = structs_out(pair, operation, message, memory, errors);
            break;
        case KIT_PAIR_STATUS:
            status_out(pair, operation, message, errors);
            break;
        }
    }
    return status;
}
