/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engines.h - the plugins a tool uses: one serializer for keys and values of one topic, and codecs
 * as batches need them. Made when first asked for; a tool that needs none starts no thread.
 */
#ifndef CORE_MAIN_CLIENT_ENGINES_H
#define CORE_MAIN_CLIENT_ENGINES_H

#include <stdbool.h>

#include <mortise/codec.h>
#include <mortise/serializer.h>

#include "core/base/error.h"

#define ENGINES_INFLATED_MAX (UINT64_C(256) << 20) /* bytes of one batch */

struct engines;

struct engines *engines_new(void);
void engines_free(struct engines *engines); /* NULL is fine */

/* Loads serializer @name and makes its subjects for @topic. Once. */
MUST_CHECK mrt_status
engines_serializer(struct engines *engines, const char *name, const char *topic, mrt_error *error);

/* Is there one? Without, nothing is validated and nothing has JSON. */
bool engines_has_serializer(const struct engines *engines);

/* @part is MRT_SUBJECT_KEY or _VALUE. *@at: the byte where @text goes wrong. */
MUST_CHECK mrt_status
engines_validate(struct engines *engines, uint32_t part, const mrt_str *text, uint32_t *at);

/* As mrt_serializer_ops.to_json(). */
MUST_CHECK mrt_status engines_json(
    struct engines *engines, uint32_t part, const mrt_str *in, void *out, uint64_t cap,
    uint64_t *got);

/* *@out, for memory_free(), are the @n bytes at @bytes as they were before codec @id. */
MUST_CHECK mrt_status engines_inflate(
    struct engines *engines, uint32_t id, const void *bytes, uint64_t n, uint8_t **out,
    uint64_t *got, mrt_error *error);

/* The reverse, at the codec's usual level. */
MUST_CHECK mrt_status engines_compress(
    struct engines *engines, uint32_t id, const void *bytes, uint64_t n, uint8_t **out,
    uint64_t *got, mrt_error *error);

/* "gzip" and so on; NULL: no such codec. */
const char *engines_codec_name(uint32_t id);

#endif /* CORE_MAIN_CLIENT_ENGINES_H */
