/* SPDX-License-Identifier: Apache-2.0 */
/*
 * copy.h - copies fields of equal names between a wire message and an operation, by tables that
 * sdk/kit/schema/generate.py makes. Strings and plain arrays stay where they are; arrays of structs
 * are taken from the caller's memory.
 */
#ifndef SDK_KIT_COPY_H
#define SDK_KIT_COPY_H

#include "sdk/kit/message.h"

enum kit_pair_kind {
    KIT_PAIR_PLAIN,   /* the same bytes */
    KIT_PAIR_ARRAY,   /* a pointer and its count */
    KIT_PAIR_STRUCTS, /* an array of structs */
    KIT_PAIR_STATUS   /* the operation's status, beside its reason, and the message's error */
};

struct kit_map;

struct kit_pair {
    uint32_t message;         /* offset of the field in the message */
    uint32_t operation;       /* in the operation */
    uint32_t message_count;   /* of the array's count */
    uint32_t operation_count; /* the same, or of the reason */
    uint64_t bytes;
    enum kit_pair_kind kind;
    const struct kit_map *inner;
};

struct kit_map {
    const struct kit_pair *pairs;
    uint32_t n;
    uint32_t message_bytes;
    uint32_t operation_bytes;
    uint32_t reserved;
    const struct kit_struct *type; /* of the message: for the defaults of what is not copied */
};

/* Which error of the wire stands for a status. */
struct kit_errors {
    int16_t (*code)(const void *ctx, mrt_status status, int32_t reason);
    const void *ctx;
};

/* Fills @operation, zeroed by the caller, from @message. MRT_ENOMEM. */
mrt_status kit_copy_in(
    const struct kit_map *map, const void *message, void *operation,
    const struct kit_memory *memory);

/* Fills @message, set to its defaults by the caller, from @operation. MRT_ENOMEM. */
mrt_status kit_copy_out(
    const struct kit_map *map, const void *operation, void *message,
    const struct kit_memory *memory, const struct kit_errors *errors);

#endif /* SDK_KIT_COPY_H */
