/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message.h - reads, writes, sizes, prints and makes up Kafka messages from the field tables that
 * sdk/kit/schema/generate.py makes. One interpreter for all messages and versions, both ways.
 *
 *   M1  A struct in memory holds the fields of all versions. Decoding sets those that the version
 *       lacks to their defaults; encoding leaves them out.
 *   M2  A string, or bytes, with p NULL is null where the version allows null, else empty. An array
 *       with a NULL pointer likewise; a struct that may be null is a pointer.
 *   M3  Decoded strings, bytes and records are views of the input, or copies if asked; arrays lie
 *       in the caller's memory. A count is refused unless the bytes left can hold as many.
 *   M4  Encoding stores nothing beyond the room given; sizing is encoding without a room.
 *   M5  Any input is safe: it decodes, or it is MRT_ECORRUPT. Unknown tagged fields are skipped,
 *       bytes after the message are not looked at.
 *   M6  Nothing here calls the system or keeps state.
 */
#ifndef SDK_KIT_MESSAGE_H
#define SDK_KIT_MESSAGE_H

#include <mortise/abi.h>

enum kit_kind {
    KIT_BOOL,
    KIT_INT8,
    KIT_INT16,
    KIT_INT32,
    KIT_INT64,
    KIT_UINT16,
    KIT_UINT32,
    KIT_FLOAT64,
    KIT_UUID,
    KIT_STRING,
    KIT_BYTES,
    KIT_RECORDS, /* bytes that may stay where they are when written: see kit_cut */
    KIT_STRUCT
};

enum {
    KIT_ARRAY = 1,
    KIT_PLAIN = 2, /* not in compact form, whatever the version */
    KIT_NULL = 4   /* its default is null */
};

#define KIT_NEVER INT16_MAX /* as the first flexible version: there is none */

/* A closed range, empty if first > last. */
struct kit_versions {
    int16_t first;
    int16_t last;
};

struct kit_struct;

struct kit_field {
    const char *name;
    const char *text;               /* default of a string, NULL: empty */
    const struct kit_struct *inner; /* of KIT_STRUCT */
    int64_t initial;                /* default of a number */
    uint32_t offset;                /* of the member */
    uint32_t count;                 /* of the member that counts an array */
    struct kit_versions valid;
    struct kit_versions nullable;
    struct kit_versions tagged;
    int16_t tag;
    uint8_t kind;
    uint8_t flags;
};

struct kit_struct {
    const char *name;
    const struct kit_field *fields; /* in the order of the wire */
    uint32_t n;
    uint32_t tags; /* tags in use are 0 to tags - 1 */
    uint32_t size; /* bytes in memory */
    uint32_t reserved;
};

struct kit_message {
    const char *name;
    const struct kit_struct *root;
    int16_t key; /* -1: none */
    int16_t since;
    int16_t until;
    int16_t flexible; /* first flexible version */
};

/* Where decoding puts arrays, and copies. */
struct kit_memory {
    void *(*take)(void *ctx, uint64_t bytes); /* aligned to 8; NULL: no more */
    void *ctx;
    uint32_t copy; /* 1: strings and bytes, but not records, are copied */
    uint32_t reserved;
};

/* Record bytes that were not written: they belong between @at - 1 and @at of what was. */
struct kit_cut {
    uint64_t at;
    mrt_str bytes;
};

/* What is written to, and afterwards how much. */
struct kit_room {
    uint8_t *p; /* NULL: only size */
    uint64_t cap;
    struct kit_cut *cuts; /* NULL: records are copied like bytes */
    uint32_t cuts_max;
    uint32_t n_cuts;
    uint64_t used; /* bytes written, or that would be */
    uint64_t size; /* bytes of the message: used and all cuts */
};

static inline int kit_in(struct kit_versions range, int16_t version)
{
    return version >= range.first && version <= range.last;
}

/* Sets every field of @value to its default. */
void kit_struct_defaults(const struct kit_struct *type, void *value);

/*
 * Reads a @message of @version from the front of @in into @value, a struct of its root's size; sets
 * *@used to the bytes it took. MRT_ECORRUPT; MRT_ENOMEM from @memory.
 */
mrt_status kit_message_decode(
    const struct kit_message *message, int16_t version, const mrt_str *in,
    const struct kit_memory *memory, void *value, uint64_t *used);

/*
 * Writes @value to @room, and says there what it took. MRT_ETOOBIG: the room or the cuts do not
 * suffice. MRT_EINVAL: a length beyond what the format can say.
 */
mrt_status kit_message_encode(
    const struct kit_message *message, int16_t version, const void *value, struct kit_room *room);

/* Writes @value as one line of text to @out, cut off at @cap, ended by NUL. Returns its length. */
uint64_t kit_message_print(
    const struct kit_message *message, int16_t version, const void *value, char *out, uint64_t cap);

/* Fills @value with what *@seed says, as @version may carry it; for tests. MRT_ENOMEM. */
mrt_status kit_message_random(
    const struct kit_message *message, int16_t version, const struct kit_memory *memory,
    uint64_t *seed, void *value);

#endif /* SDK_KIT_MESSAGE_H */
