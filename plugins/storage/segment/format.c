/* SPDX-License-Identifier: Apache-2.0 */
/*
 * format.c - names and text files. Reads bytes that anybody may have written: nothing is trusted.
 */
#include "plugins/storage/segment/format.h"

#include <stdio.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void segment_uuid_text(const uint8_t *uuid, char *out)
{
    uint32_t bits = 0, have = 0, n = 0;
    for (uint32_t i = 0; i < 16; i++) {
        bits = bits << 8 | uuid[i];
        for (have += 8; have >= 6; have -= 6)
            out[n++] = alphabet[bits >> (have - 6) & 63];
    }
    out[n++] = alphabet[bits << (6 - have) & 63];
    out[n] = 0;
}

uint32_t segment_uuid_parse(const char *p, uint64_t n, uint8_t *out)
{
    uint32_t bits = 0, have = 0, at = 0;
    if (n != UUID_TEXT)
        return 0;
    for (uint32_t i = 0; i < UUID_TEXT; i++) {
        const char *digit = p[i] ? strchr(alphabet, p[i]) : NULL;
        if (!digit)
            return 0;
        bits = bits << 6 | (uint32_t)(digit - alphabet);
        have += 6;
        if (have >= 8 && at < 16) {
            have -= 8;
            out[at++] = (uint8_t)(bits >> have);
        }
    }
    return 1;
}

uint32_t segment_number(const char *p, uint64_t n, int64_t *out)
{
    uint64_t value = 0, i = n && p[0] == '-';
    uint64_t most = i ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
    uint32_t negative = (uint32_t)i;
    if (i == n || n - i > 19)
        return 0;
    for (; i < n; i++) {
        if (p[i] < '0' || p[i] > '9')
            return 0;
        value = value * 10 + (uint64_t)(p[i] - '0');
    }
    if (value > most)
        return 0;
    *out = negative ? (int64_t)(0 - value) : (int64_t)value;
    return 1;
}

uint32_t segment_topic_ok(const mrt_str *topic)
{
    if (topic->n == 0 || topic->n > TOPIC_MAX)
        return 0;
    if (topic->p[0] == '.' && (topic->n == 1 || (topic->n == 2 && topic->p[1] == '.')))
        return 0;
    for (uint64_t i = 0; i < topic->n; i++) {
        char c = topic->p[i];
        uint32_t letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !(c >= '0' && c <= '9') && c != '.' && c != '_' && c != '-')
            return 0;
    }
    return 1;
}

uint32_t segment_folder_parse(const mrt_str *name, mrt_str *topic, int32_t *partition)
{
    uint64_t dash = name->n;
    int64_t number;
    while (dash > 0 && name->p[dash - 1] != '-')
        dash--;
    if (dash < 2)
        return 0;
    *topic = (mrt_str){name->p, dash - 1};
    uint64_t digits = name->n - dash;
    if (digits == 0 || digits > 10 || (digits > 1 && name->p[dash] == '0'))
        return 0;
    if (!segment_number(name->p + dash, digits, &number) || number > INT32_MAX)
        return 0;
    *partition = (int32_t)number;
    return segment_topic_ok(topic);
}

uint32_t segment_ends(const mrt_str *name, const char *suffix)
{
    uint64_t n = strlen(suffix);
    return name->n >= n && memcmp(name->p + name->n - n, suffix, n) == 0;
}

static uint32_t is(const mrt_str *text, const char *what)
{
    return text->n == strlen(what) && memcmp(text->p, what, text->n) == 0;
}

static void parse_suffix(const mrt_str *suffix, struct file_name *out)
{
    int64_t kind;
    if (is(suffix, ".log")) {
        out->what = NAME_LOG;
    } else if (is(suffix, ".index")) {
        out->what = NAME_INDEX;
    } else if (is(suffix, ".timeindex")) {
        out->what = NAME_TIME;
    } else if (is(suffix, ".snapshot")) {
        out->what = NAME_BLOB;
        out->kind = MRT_BLOB_PRODUCERS;
    } else if (is(suffix, ".txnindex")) {
        out->what = NAME_BLOB;
        out->kind = MRT_BLOB_ABORTED;
    } else if (
        suffix->n > 5 && memcmp(suffix->p, ".blob", 5) == 0 &&
        segment_number(suffix->p + 5, suffix->n - 5, &kind) && kind > MRT_BLOB_IDENTITY &&
        kind <= UINT32_MAX) {
        out->what = NAME_BLOB;
        out->kind = (uint32_t)kind;
    }
}

void segment_file_parse(const mrt_str *name, struct file_name *out)
{
    static const char *const leftovers[] = {".deleted", ".tmp", ".cleaned", ".swap"};
    *out = (struct file_name){.what = NAME_OTHER};
    for (uint32_t i = 0; i < sizeof(leftovers) / sizeof(leftovers[0]); i++)
        if (segment_ends(name, leftovers[i])) {
            out->what = NAME_LEFTOVER;
            return;
        }
    if (is(name, NAME_EPOCHS) || is(name, NAME_IDENTITY)) {
        out->what = NAME_BLOB;
        out->kind = is(name, NAME_EPOCHS) ? MRT_BLOB_EPOCHS : MRT_BLOB_IDENTITY;
        return;
    }
    if (name->n <= OFFSET_DIGITS || name->p[0] != '0' ||
        !segment_number(name->p + 1, OFFSET_DIGITS - 1, &out->offset))
        return;
    mrt_str suffix = {name->p + OFFSET_DIGITS, name->n - OFFSET_DIGITS};
    parse_suffix(&suffix, out);
}

void segment_blob_name(uint32_t kind, int64_t offset, char *out)
{
    if (kind == MRT_BLOB_EPOCHS)
        snprintf(out, 64, "%s", NAME_EPOCHS);
    else if (kind == MRT_BLOB_IDENTITY)
        snprintf(out, 64, "%s", NAME_IDENTITY);
    else if (kind == MRT_BLOB_PRODUCERS)
        snprintf(out, 64, "%020lld.snapshot", (long long)offset);
    else if (kind == MRT_BLOB_ABORTED)
        snprintf(out, 64, "%020lld.txnindex", (long long)offset);
    else
        snprintf(out, 64, "%020lld.blob%u", (long long)offset, kind);
}

uint32_t segment_line(mrt_str *text, mrt_str *line)
{
    if (text->n == 0)
        return 0;
    const char *end = memchr(text->p, '\n', text->n);
    line->p = text->p;
    line->n = end ? (uint64_t)(end - text->p) : text->n;
    uint64_t took = line->n + (end ? 1 : 0);
    text->p += took;
    text->n -= took;
    if (line->n > 0 && line->p[line->n - 1] == '\r')
        line->n--;
    return 1;
}

mrt_status segment_checkpoint_head(mrt_str *text, uint64_t *lines)
{
    mrt_str line;
    int64_t number;
    if (!segment_line(text, &line) || !segment_number(line.p, line.n, &number))
        return MRT_ECORRUPT;
    if (number != 0)
        return number > 0 ? MRT_ETOONEW : MRT_ECORRUPT;
    if (!segment_line(text, &line) || !segment_number(line.p, line.n, &number) || number < 0)
        return MRT_ECORRUPT;
    *lines = (uint64_t)number;
    return MRT_OK;
}

mrt_status segment_checkpoint_line(mrt_str *text, struct checkpoint_line *out)
{
    mrt_str line;
    int64_t partition;
    if (!segment_line(text, &line))
        return MRT_ECORRUPT;
    const char *first = memchr(line.p, ' ', line.n);
    if (!first)
        return MRT_ECORRUPT;
    out->topic = (mrt_str){line.p, (uint64_t)(first - line.p)};
    uint64_t left = line.n - out->topic.n - 1;
    const char *second = memchr(first + 1, ' ', left);
    if (!second || !segment_topic_ok(&out->topic))
        return MRT_ECORRUPT;
    uint64_t digits = (uint64_t)(second - first) - 1;
    if (!segment_number(first + 1, digits, &partition) || partition < 0 || partition > INT32_MAX)
        return MRT_ECORRUPT;
    out->partition = (int32_t)partition;
    out->reserved = 0;
    return segment_number(second + 1, left - digits - 1, &out->offset) ? MRT_OK : MRT_ECORRUPT;
}

/* Is @line `<key>=<value>`, spaces around both allowed? */
static uint32_t property(const mrt_str *line, const char *key, mrt_str *value)
{
    uint64_t at = 0, n = strlen(key);
    while (at < line->n && (line->p[at] == ' ' || line->p[at] == '\t'))
        at++;
    if (line->n - at < n || memcmp(line->p + at, key, n) != 0)
        return 0;
    at += n;
    while (at < line->n && line->p[at] == ' ')
        at++;
    if (at == line->n || (line->p[at] != '=' && line->p[at] != ':'))
        return 0;
    for (at++; at < line->n && line->p[at] == ' ';)
        at++;
    *value = (mrt_str){line->p + at, line->n - at};
    while (value->n > 0 && value->p[value->n - 1] == ' ')
        value->n--;
    return 1;
}

void segment_properties_parse(mrt_str text, struct properties *out)
{
    mrt_str line, value;
    *out = (struct properties){.present = 1, .kafka_version = -1};
    while (segment_line(&text, &line)) {
        int64_t number;
        if (property(&line, "version", &value)) {
            if (segment_number(value.p, value.n, &number))
                out->kafka_version = number;
        } else if (property(&line, "mortise.format", &value)) {
            if (segment_number(value.p, value.n, &number))
                out->format = number;
        } else if (property(&line, "directory.id", &value)) {
            out->has_id = segment_uuid_parse(value.p, value.n, out->id);
        }
    }
}

uint32_t segment_identity_parse(mrt_str text, uint8_t *topic_id)
{
    mrt_str line, value;
    while (segment_line(&text, &line))
        if (property(&line, "topic_id", &value))
            return segment_uuid_parse(value.p, value.n, topic_id);
    return 0;
}

uint32_t segment_identity_text(const uint8_t *topic_id, char *out)
{
    char id[UUID_TEXT + 1];
    segment_uuid_text(topic_id, id);
    return (uint32_t)snprintf(out, IDENTITY_BYTES, "version: 0\ntopic_id: %s\n", id);
}
