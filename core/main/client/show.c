/* SPDX-License-Identifier: Apache-2.0 */
#include "core/main/client/show.h"

#include <stdio.h>

#include "core/base/assert.h"
#include "core/base/memory.h"

static void put(const void *bytes, uint64_t n)
{
    if (n > 0)
        (void)fwrite(bytes, 1, n, stdout); /* its state is looked at by who flushes */
}

static void put_base64(const mrt_str *bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *p = (const uint8_t *)bytes->p;
    for (uint64_t at = 0; at < bytes->n; at += 3) {
        uint64_t n = bytes->n - at < 3 ? bytes->n - at : 3;
        uint32_t three = (uint32_t)p[at] << 16;
        three |= n > 1 ? (uint32_t)p[at + 1] << 8 : 0;
        three |= n > 2 ? p[at + 2] : 0;
        putchar(digits[three >> 18]);
        putchar(digits[three >> 12 & 63]);
        putchar(n > 1 ? digits[three >> 6 & 63] : '=');
        putchar(n > 2 ? digits[three & 63] : '=');
    }
}

/* As JSON in show->room, *@got bytes; false where the serializer does not know what it is. */
static bool convert(struct show *show, uint32_t part, const mrt_str *text, uint64_t *got)
{
    if (!engines_has_serializer(show->engines))
        return false;
    mrt_status status = engines_json(show->engines, part, text, show->room, show->capacity, got);
    if (status == MRT_ETOOBIG) {
        ASSERT(*got > show->capacity);
        show->capacity = *got * 2;
        show->room = memory_resize(show->room, show->capacity);
        status = engines_json(show->engines, part, text, show->room, show->capacity, got);
    }
    return status == MRT_OK;
}

/* "name":..., or "name_base64":"..." */
static void put_member(struct show *show, uint32_t part, const char *name, const mrt_str *text)
{
    uint64_t got = 0;
    if (text->p == NULL) {
        printf("\"%s\":null", name);
        return;
    }
    if (convert(show, part, text, &got)) {
        printf("\"%s\":", name);
        put(show->room, got);
        return;
    }
    printf("\"%s_base64\":\"", name);
    put_base64(text);
    printf("\"");
}

static void put_headers(struct show *show, const struct record *record)
{
    mrt_str left = record->headers;
    mrt_str key;
    mrt_str value;
    printf(",\"headers\":[");
    for (const char *between = ""; record_header_next(&left, &key, &value); between = ",") {
        printf("%s{", between);
        put_member(show, MRT_SUBJECT_KEY, "key", &key);
        putchar(',');
        put_member(show, MRT_SUBJECT_VALUE, "value", &value);
        putchar('}');
    }
    putchar(']');
}

static void show_json(struct show *show, int32_t partition, const struct record *record)
{
    printf(
        "{\"topic\":\"%s\",\"partition\":%d,\"offset\":%lld,\"timestamp\":%lld,", show->topic,
        partition, (long long)record->offset, (long long)record->timestamp_ms);
    put_member(show, MRT_SUBJECT_KEY, "key", &record->key);
    putchar(',');
    put_member(show, MRT_SUBJECT_VALUE, "value", &record->value);
    if (record->header_count > 0)
        put_headers(show, record);
    puts("}");
}

void show_record(struct show *show, int32_t partition, const struct record *record)
{
    if (show->json) {
        show_json(show, partition, record);
        return;
    }
    if (show->separator != NULL) {
        put(record->key.p, record->key.n);
        printf("%s", show->separator);
    }
    put(record->value.p, record->value.n);
    putchar('\n');
}

void show_end(struct show *show)
{
    memory_free(show->room);
    show->room = NULL;
}
