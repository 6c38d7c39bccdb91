/* SPDX-License-Identifier: Apache-2.0 */
/*
 * string.c - keys and values that are text: UTF-8 as of RFC 3629, JSON strings as of RFC 8259.
 *
 * The same for every topic, so a subject is the instance itself. What is not text is refused, never
 * repaired: a replacement character would make two different records equal.
 */
#include <stdio.h>
#include <string.h>

#include <mortise/serializer.h>

MRT_PLUGIN_NOTE("name=serializer-string" MRT_NOTE_END "version=0.1.0" MRT_NOTE_END
                "abi=0.1" MRT_NOTE_END "need=0.1" MRT_NOTE_END "tier=stable" MRT_NOTE_END
                "flags=sim_safe" MRT_NOTE_END "impl=mortise.serializer/1 string");

/* ---- UTF-8 ----------------------------------------------------------------------------------- */

static uint32_t is_tail(const uint8_t *p, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return 1;
}

/*
 * Bytes of the sequence at @p (of @n more than 0), 0 if it is none. The second byte decides what
 * the first leaves open: E0 and F0 would be overlong, ED a surrogate, F4 beyond U+10FFFF.
 */
static uint32_t sequence(const uint8_t *p, uint64_t n)
{
    uint8_t first = p[0];
    uint32_t bytes = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    uint8_t low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    uint8_t high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;

    if (bytes == 1)
        return 1;
    if (first < 0xc2 || first > 0xf4 || n < bytes)
        return 0;
    if (p[1] < low || p[1] > high || !is_tail(p + 2, bytes - 2))
        return 0;
    return bytes;
}

/* The first byte that does not belong to UTF-8 text; @n if all do. */
static uint64_t first_bad(const uint8_t *p, uint64_t n)
{
    uint64_t at = 0;
    while (at < n) {
        uint64_t word;
        if (n - at >= sizeof word) { /* most text is ASCII: eight at a time */
            memcpy(&word, p + at, sizeof word);
            if ((word & UINT64_C(0x8080808080808080)) == 0) {
                at += sizeof word;
                continue;
            }
        }
        uint32_t bytes = sequence(p + at, n - at);
        if (bytes == 0)
            return at;
        at += bytes;
    }
    return n;
}

static uint32_t encode(uint32_t point, uint8_t out[4])
{
    if (point < 0x80) {
        out[0] = (uint8_t)point;
        return 1;
    }
    uint32_t bytes = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    for (uint32_t i = bytes - 1; i > 0; i--, point >>= 6)
        out[i] = (uint8_t)(0x80 | (point & 0x3f));
    out[0] = (uint8_t)((0xf00u >> bytes & 0xf0) | point);
    return bytes;
}

/* ---- output and errors ----------------------------------------------------------------------- */

/* Counts all, writes what fits. */
struct sink {
    uint8_t *out;
    uint64_t cap, n;
};

static void put(struct sink *sink, const void *bytes, uint64_t n)
{
    if (n > 0 && sink->n <= sink->cap && n <= sink->cap - sink->n)
        memcpy(sink->out + sink->n, bytes, n);
    sink->n += n;
}

static mrt_status finish(const struct sink *sink, uint64_t *got)
{
    *got = sink->n;
    return sink->n > sink->cap ? MRT_ETOOBIG : MRT_OK;
}

static mrt_status refuse(mrt_error *why, uint64_t at, const char *what)
{
    if (why != NULL) {
        why->status = MRT_EINVAL;
        snprintf(why->text, sizeof why->text, "byte %llu: %s", (unsigned long long)at, what);
    }
    return MRT_EINVAL;
}

/* ---- to JSON --------------------------------------------------------------------------------- */

/* The letter behind the backslash; 0: none. */
static char short_escape(uint8_t c)
{
    static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
    const char *at = c == 0 ? NULL : strchr(from, c);
    return at == NULL ? (char)0 : to[at - from];
}

static void put_escaped(struct sink *sink, uint8_t c)
{
    char text[7];
    char letter = short_escape(c);
    int n = letter != 0 ? snprintf(text, sizeof text, "\\%c", letter)
                        : snprintf(text, sizeof text, "\\u%04x", c);
    put(sink, text, (uint64_t)n);
}

static mrt_status string_to_json(
    const mrt_subject *subject, const mrt_str *in, void *out, uint64_t cap, uint64_t *got,
    mrt_error *why)
{
    struct sink sink = {out, cap, 0};
    const uint8_t *p = (const uint8_t *)in->p;
    uint64_t plain = 0; /* where the bytes not yet put begin */
    (void)subject;

    if (p == NULL) {
        put(&sink, "null", 4);
        return finish(&sink, got);
    }
    uint64_t bad = first_bad(p, in->n);
    if (bad < in->n)
        return refuse(why, bad, "not UTF-8");
    put(&sink, "\"", 1);
    for (uint64_t i = 0; i < in->n; i++) {
        if (p[i] >= 0x20 && p[i] != '"' && p[i] != '\\')
            continue;
        put(&sink, p + plain, i - plain);
        put_escaped(&sink, p[i]);
        plain = i + 1;
    }
    put(&sink, p + plain, in->n - plain);
    put(&sink, "\"", 1);
    return finish(&sink, got);
}

/* ---- from JSON ------------------------------------------------------------------------------- */

struct reader {
    const uint8_t *p;
    uint64_t n, at;
};

static void skip_space(struct reader *r)
{
    while (r->at < r->n && (r->p[r->at] == ' ' || r->p[r->at] == '\t' || r->p[r->at] == '\n' ||
                            r->p[r->at] == '\r'))
        r->at++;
}

/* "\uXXXX" at the reader's place, which it moves behind it; UINT32_MAX if there is none. */
static uint32_t read_unit(struct reader *r)
{
    uint32_t unit = 0;
    if (r->n - r->at < 6 || r->p[r->at] != '\\' || r->p[r->at + 1] != 'u')
        return UINT32_MAX;
    for (uint64_t i = r->at + 2; i < r->at + 6; i++) {
        uint8_t c = r->p[i], lower = c | 0x20;
        if (c >= '0' && c <= '9')
            unit = unit * 16 + (c - '0');
        else if (lower >= 'a' && lower <= 'f')
            unit = unit * 16 + (lower - 'a' + 10u);
        else
            return UINT32_MAX;
    }
    r->at += 6;
    return unit;
}

/* Puts the character of a \u escape, or of the two of a surrogate pair. NULL, or what is wrong. */
static const char *put_unit(struct reader *r, struct sink *sink)
{
    uint8_t bytes[4];
    uint32_t point = read_unit(r);
    if (point == UINT32_MAX)
        return "\\u wants four hexadecimal digits";
    if (point >= 0xd800 && point < 0xe000) {
        uint32_t second = point < 0xdc00 ? read_unit(r) : UINT32_MAX;
        if (second < 0xdc00 || second > 0xdfff)
            return "half a surrogate pair";
        point = 0x10000 + ((point - 0xd800) << 10) + (second - 0xdc00);
    }
    put(sink, bytes, encode(point, bytes));
    return NULL;
}

/* As put_unit(), for any escape; the reader is at its backslash. */
static const char *put_escape(struct reader *r, struct sink *sink)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    if (r->n - r->at < 2)
        return "an escape is cut off";
    uint8_t letter = r->p[r->at + 1];
    if (letter == 'u')
        return put_unit(r, sink);
    const char *at = letter == 0 ? NULL : strchr(from, letter);
    if (at == NULL)
        return "no such escape";
    put(sink, &to[at - from], 1);
    r->at += 2;
    return NULL;
}

/* The string whose opening quote was read, up to behind its closing one. */
static const char *read_string(struct reader *r, struct sink *sink)
{
    while (r->at < r->n) {
        uint8_t c = r->p[r->at];
        uint32_t bytes = 0;
        const char *wrong = NULL;
        if (c == '"') {
            r->at++;
            return NULL;
        }
        if (c < 0x20)
            return "a control character must be escaped";
        if (c == '\\')
            wrong = put_escape(r, sink);
        else if ((bytes = sequence(r->p + r->at, r->n - r->at)) == 0)
            wrong = "not UTF-8";
        if (wrong != NULL)
            return wrong;
        put(sink, r->p + r->at, bytes);
        r->at += bytes;
    }
    return "the string does not end";
}

static mrt_status string_from_json(
    const mrt_subject *subject, const mrt_str *in, void *out, uint64_t cap, uint64_t *got,
    mrt_error *why)
{
    struct reader r = {(const uint8_t *)in->p, in->n, 0};
    struct sink sink = {out, cap, 0};
    const char *wrong = NULL;
    uint32_t null = 0;
    (void)subject;

    skip_space(&r);
    if (r.n - r.at >= 4 && memcmp(r.p + r.at, "null", 4) == 0) {
        null = 1;
        r.at += 4;
    } else if (r.at < r.n && r.p[r.at] == '"') {
        r.at++;
        wrong = read_string(&r, &sink);
    } else {
        wrong = "a JSON string or null is wanted";
    }
    if (wrong == NULL)
        skip_space(&r);
    if (wrong == NULL && r.at < r.n)
        wrong = "there is more behind the value";
    if (wrong != NULL)
        return refuse(why, r.at, wrong);
    if (!null)
        return finish(&sink, got);
    *got = MRT_NULL_LENGTH;
    return MRT_OK;
}

/* ---- subjects and validation ----------------------------------------------------------------- */

static mrt_status string_subject(
    void *inst, mrt_op *op, const mrt_str *topic, uint32_t part, const mrt_cfg *cfg,
    mrt_subject **out)
{
    (void)op, (void)topic, (void)cfg;
    if (part != MRT_SUBJECT_KEY && part != MRT_SUBJECT_VALUE)
        return MRT_EINVAL;
    *out = inst;
    return MRT_OK;
}

static mrt_status string_want(
    void *inst, mrt_op *op, const mrt_subject *old, uint64_t schema_id, mrt_subject **out)
{
    (void)inst, (void)op, (void)old, (void)schema_id, (void)out;
    return MRT_ENOENT; /* text has no schemas, and validate() never asks for one */
}

static void string_release(mrt_subject *subject)
{
    (void)subject;
}

static mrt_status string_validate(const mrt_subject *subject, mrt_datum *v, uint32_t n)
{
    mrt_status first = MRT_OK;
    (void)subject;
    for (uint32_t i = 0; i < n; i++) {
        mrt_datum *datum = &v[i];
        uint64_t bytes = datum->in.p == NULL ? 0 : datum->in.n;
        uint64_t bad = first_bad((const uint8_t *)datum->in.p, bytes);
        datum->status = bad == bytes ? MRT_OK : MRT_EINVAL;
        datum->at = bad == bytes ? 0 : bad < UINT32_MAX ? (uint32_t)bad : UINT32_MAX;
        datum->schema_id = 0;
        if (first == MRT_OK)
            first = datum->status;
    }
    return first;
}

/* ---- lifecycle ------------------------------------------------------------------------------- */

static mrt_status string_create(const mrt_create *how, void **inst, mrt_error *error)
{
    (void)error;
    *inst = (void *)(uintptr_t)how->host; /* nothing to keep; any address but NULL */
    return MRT_OK;
}

static mrt_status string_nothing(void *inst, mrt_op *op)
{
    (void)inst, (void)op;
    return MRT_OK;
}

static mrt_status string_reconfigure(
    void *inst, const mrt_cfg *next, uint32_t phase, mrt_error *error)
{
    (void)inst, (void)next, (void)phase, (void)error; /* there are no keys */
    return MRT_OK;
}

static void string_destroy(void *inst)
{
    (void)inst;
}

static const mrt_lifecycle lifecycle = {
    .size = sizeof(mrt_lifecycle),
    .create = string_create,
    .start = string_nothing,
    .reconfigure = string_reconfigure,
    .drain = string_nothing,
    .stop = string_nothing,
    .destroy = string_destroy,
};

static const mrt_serializer_ops ops = {
    .size = sizeof(mrt_serializer_ops),
    .subject = string_subject,
    .want = string_want,
    .release = string_release,
    .validate = string_validate,
    .to_json = string_to_json,
    .from_json = string_from_json,
};

static const mrt_impl impls[] = {
    {sizeof(mrt_impl), 0, MRT_KIND_SERIALIZER, "string", &lifecycle, &ops},
};

static const mrt_plugin plugin = {
    .size = sizeof(mrt_plugin),
    .abi = MRT_ABI,
    .note = MRT_NOTE,
    .note_bytes = MRT_NOTE_BYTES,
    .impls = impls,
    .n_impls = 1,
    .impl_stride = sizeof(mrt_impl),
};

const mrt_plugin *MRT_ENTRY_NAME(uint32_t host_abi)
{
    return host_abi >> 16 == MRT_ABI_MAJOR ? &plugin : NULL;
}
