/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zstd.c - libzstd behind the codec contract: id 4 of a record batch.
 *
 *   Z1  libzstd takes all its memory from the host, through its custom allocator.
 *   Z2  Output goes straight to the caller's buffer, which serves as the window: decompress()
 *       allocates the same little whatever a frame claims. inflate_next() has no such buffer; it
 *       lets libzstd keep a window if that is within the limit, else decompresses once into a
 *       buffer of at most the limit.
 *   Z3  A stream has a decompression context of its own, so that its owner may decompress something
 *       else meanwhile; one is kept for the next stream.
 */
#define ZSTD_STATIC_LINKING_ONLY /* custom allocator, output buffer as window */
#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <mortise/codec.h>

#define LEVEL_MIN     (-131072) /* ZSTD_minCLevel(), and Kafka's limit */
#define LEVEL_MAX     22
#define LEVEL_DEFAULT 3

MRT_PLUGIN_NOTE("name=codec-zstd" MRT_NOTE_END "version=0.1.0" MRT_NOTE_END "abi=0.1" MRT_NOTE_END
                "need=0.1" MRT_NOTE_END "tier=stable" MRT_NOTE_END "flags=sim_safe" MRT_NOTE_END
                "impl=mortise.codec/1 zstd");

struct zstd {
    const mrt_host *host;
    const mrt_host_buffers *buffers;
};

struct mrt_codec_ctx {
    const struct zstd *zstd;
    ZSTD_CCtx *compressor;   /* made when first needed */
    ZSTD_DCtx *decompressor; /* made when first needed */
    ZSTD_DCtx *spare;        /* for the next stream (Z3) */
};

/* The bytes of some slices, one after another. */
struct source {
    const struct zstd *zstd;
    const mrt_slicev *in;
    uint32_t next;
    ZSTD_inBuffer now;
};

struct mrt_inflate {
    mrt_codec_ctx *ctx;
    ZSTD_DCtx *decompressor;
    struct source source;
    uint64_t given, limit;
    mrt_status status; /* what every further call answers */
    uint32_t done;     /* a frame ended, and no other has begun */
    uint8_t *whole;    /* all output, if it is not streamed (Z2) */
    uint64_t whole_n;
};

/* ---- memory and slices ----------------------------------------------------------------------- */

static void *custom_alloc(void *opaque, size_t bytes)
{
    const mrt_host *host = opaque;
    return host->alloc(host, bytes, 64);
}

static void custom_free(void *opaque, void *p)
{
    const mrt_host *host = opaque;
    host->free(host, p);
}

static ZSTD_customMem custom(const struct zstd *zstd)
{
    return (ZSTD_customMem){custom_alloc, custom_free, (void *)(uintptr_t)zstd->host};
}

static const uint8_t *slice_bytes(const struct zstd *zstd, const mrt_slice *slice)
{
    uint8_t *bytes = NULL;
    if (slice->kind == MRT_SLICE_MEM)
        return (const uint8_t *)(uintptr_t)slice->ref + slice->off;
    if (slice->kind != MRT_SLICE_REGBUF)
        return NULL;
    return zstd->buffers->map(zstd->host, slice, &bytes) == MRT_OK ? bytes : NULL;
}

/* Sums the bytes of @in; MRT_EINVAL if some are not in memory. */
static mrt_status measure(const struct zstd *zstd, const mrt_slicev *in, uint64_t *bytes)
{
    *bytes = 0;
    for (uint32_t i = 0; i < in->n; i++) {
        if (in->v[i].len > 0 && slice_bytes(zstd, &in->v[i]) == NULL)
            return MRT_EINVAL;
        *bytes += in->v[i].len;
    }
    return MRT_OK;
}

/* Is there more? Then it begins at now.pos. */
static uint32_t source_more(struct source *source)
{
    while (source->now.pos == source->now.size && source->next < source->in->n) {
        const mrt_slice *slice = &source->in->v[source->next++];
        if (slice->len > 0)
            source->now = (ZSTD_inBuffer){slice_bytes(source->zstd, slice), (size_t)slice->len, 0};
    }
    return source->now.pos < source->now.size;
}

static mrt_status status_of(size_t result)
{
    ZSTD_ErrorCode code = ZSTD_getErrorCode(result);
    if (code == ZSTD_error_memory_allocation)
        return MRT_ENOMEM;
    if (code == ZSTD_error_dstSize_tooSmall || code == ZSTD_error_frameParameter_windowTooLarge)
        return MRT_ETOOBIG;
    return MRT_ECORRUPT;
}

/* ---- contexts -------------------------------------------------------------------------------- */

static mrt_status zstd_context_open(void *inst, mrt_codec_ctx **out)
{
    const struct zstd *zstd = inst;
    mrt_codec_ctx *ctx = zstd->host->alloc(zstd->host, sizeof *ctx, 64);
    if (ctx == NULL)
        return MRT_ENOMEM;
    *ctx = (mrt_codec_ctx){.zstd = zstd};
    *out = ctx;
    return MRT_OK;
}

static void zstd_context_close(mrt_codec_ctx *ctx)
{
    ZSTD_freeCCtx(ctx->compressor);
    ZSTD_freeDCtx(ctx->decompressor);
    ZSTD_freeDCtx(ctx->spare);
    ctx->zstd->host->free(ctx->zstd->host, ctx);
}

static uint64_t zstd_bound(const mrt_codec_ctx *ctx, uint64_t n)
{
    (void)ctx;
    size_t bound = n > SIZE_MAX ? 0 : ZSTD_compressBound((size_t)n);
    return bound == 0 || ZSTD_isError(bound) ? UINT64_MAX : bound;
}

/* ---- compressing ----------------------------------------------------------------------------- */

static mrt_status compressor_set_up(mrt_codec_ctx *ctx, int32_t level, uint64_t bytes)
{
    if (ctx->compressor == NULL)
        ctx->compressor = ZSTD_createCCtx_advanced(custom(ctx->zstd));
    if (ctx->compressor == NULL)
        return MRT_ENOMEM;
    ZSTD_CCtx_reset(ctx->compressor, ZSTD_reset_session_and_parameters);
    size_t level_set = ZSTD_CCtx_setParameter(ctx->compressor, ZSTD_c_compressionLevel, level);
    size_t size_set = ZSTD_CCtx_setPledgedSrcSize(ctx->compressor, bytes);
    return ZSTD_isError(level_set) || ZSTD_isError(size_set) ? MRT_EINVAL : MRT_OK;
}

static mrt_status zstd_compress(
    mrt_codec_ctx *ctx, const mrt_slicev *in, int32_t level, void *out, uint64_t cap, uint64_t *got)
{
    struct source source = {.zstd = ctx->zstd, .in = in};
    ZSTD_outBuffer to = {out, (size_t)cap, 0};
    uint64_t left;
    if (level < LEVEL_MIN || level > LEVEL_MAX)
        return MRT_EINVAL;
    mrt_status status = measure(ctx->zstd, in, &left);
    if (status == MRT_OK)
        status = compressor_set_up(ctx, level, left);
    if (status != MRT_OK)
        return status;
    for (;;) {
        source_more(&source);
        size_t before = source.now.pos;
        uint32_t last = left == source.now.size - before;
        size_t result = ZSTD_compressStream2(
            ctx->compressor, &to, &source.now, last ? ZSTD_e_end : ZSTD_e_continue);
        if (ZSTD_isError(result))
            return status_of(result);
        left -= source.now.pos - before;
        if (last && result == 0)
            break;
        if (to.pos == to.size)
            return MRT_ETOOBIG;
    }
    *got = to.pos;
    return MRT_OK;
}

/* ---- decompressing --------------------------------------------------------------------------- */

static mrt_status decompressor_make(const struct zstd *zstd, ZSTD_DCtx **at)
{
    if (*at == NULL)
        *at = ZSTD_createDCtx_advanced(custom(zstd));
    if (*at == NULL)
        return MRT_ENOMEM;
    ZSTD_DCtx_reset(*at, ZSTD_reset_session_and_parameters);
    return MRT_OK;
}

/* Everything at once; @out is the window, so a frame may ask for any (Z2). */
static mrt_status decompress_all(
    ZSTD_DCtx *decompressor, struct source *source, void *out, uint64_t cap, uint64_t *got)
{
    uint8_t nothing[1];
    ZSTD_outBuffer to = {cap == 0 ? nothing : out, (size_t)cap, 0};
    size_t result = 1; /* 0: at the end of a frame */
    ZSTD_DCtx_setParameter(decompressor, ZSTD_d_stableOutBuffer, 1);
    ZSTD_DCtx_setParameter(decompressor, ZSTD_d_windowLogMax, ZSTD_WINDOWLOG_MAX_64);
    while (source_more(source)) {
        result = ZSTD_decompressStream(decompressor, &to, &source->now);
        if (ZSTD_isError(result))
            return status_of(result);
    }
    *got = to.pos;
    return result == 0 ? MRT_OK : MRT_ECORRUPT; /* else it was cut off */
}

static mrt_status zstd_decompress(
    mrt_codec_ctx *ctx, const mrt_slicev *in, void *out, uint64_t cap, uint64_t *got)
{
    struct source source = {.zstd = ctx->zstd, .in = in};
    uint64_t bytes;
    mrt_status status = measure(ctx->zstd, in, &bytes);
    if (status == MRT_OK)
        status = decompressor_make(ctx->zstd, &ctx->decompressor);
    if (status == MRT_OK)
        status = decompress_all(ctx->decompressor, &source, out, cap, got);
    return status;
}

/* ---- decompressing piece by piece ------------------------------------------------------------ */

/* The header of the first frame of @in; 0 if it cannot be read. Reading on will say why. */
static uint32_t first_header(
    const struct zstd *zstd, const mrt_slicev *in, ZSTD_frameHeader *header)
{
    uint8_t start[ZSTD_FRAMEHEADERSIZE_MAX];
    size_t n = 0;
    for (uint32_t i = 0; i < in->n && n < sizeof start; i++) {
        size_t room = sizeof start - n;
        size_t take = in->v[i].len < room ? (size_t)in->v[i].len : room;
        if (take > 0)
            memcpy(start + n, slice_bytes(zstd, &in->v[i]), take);
        n += take;
    }
    return ZSTD_getFrameHeader(header, start, n) == 0 && header->frameType == ZSTD_frame;
}

/* Decides whether to stream (Z2). */
static mrt_status inflate_plan(struct mrt_inflate *inflate)
{
    const mrt_host *host = inflate->ctx->zstd->host;
    ZSTD_frameHeader header;
    int log = ZSTD_WINDOWLOG_MIN;

    while (log < ZSTD_WINDOWLOG_MAX_64 && inflate->limit >> log != 0)
        log++;
    ZSTD_DCtx_setParameter(inflate->decompressor, ZSTD_d_windowLogMax, log);
    if (!first_header(inflate->ctx->zstd, inflate->source.in, &header))
        return MRT_OK;
    if (header.frameContentSize != ZSTD_CONTENTSIZE_UNKNOWN &&
        header.frameContentSize > inflate->limit) {
        inflate->status = MRT_ETOOBIG;
        return MRT_OK;
    }
    if (header.windowSize <= inflate->limit)
        return MRT_OK;
    inflate->whole = host->alloc(host, inflate->limit + 1, 64);
    if (inflate->whole == NULL)
        return MRT_ENOMEM;
    inflate->status = decompress_all(
        inflate->decompressor, &inflate->source, inflate->whole, inflate->limit, &inflate->whole_n);
    return inflate->status == MRT_ENOMEM ? MRT_ENOMEM : MRT_OK;
}

static void zstd_inflate_close(mrt_inflate *inflate)
{
    mrt_codec_ctx *ctx = inflate->ctx;
    const mrt_host *host = ctx->zstd->host;
    if (ctx->spare == NULL)
        ctx->spare = inflate->decompressor;
    else
        ZSTD_freeDCtx(inflate->decompressor);
    host->free(host, inflate->whole);
    host->free(host, inflate);
}

static mrt_status zstd_inflate_open(
    mrt_codec_ctx *ctx, const mrt_slicev *in, uint64_t limit, mrt_inflate **out)
{
    const mrt_host *host = ctx->zstd->host;
    uint64_t bytes;
    mrt_status status = measure(ctx->zstd, in, &bytes);
    if (status != MRT_OK)
        return status;
    mrt_inflate *inflate = host->alloc(host, sizeof *inflate, 64);
    if (inflate == NULL)
        return MRT_ENOMEM;
    *inflate = (mrt_inflate){.ctx = ctx, .limit = limit};
    inflate->source = (struct source){.zstd = ctx->zstd, .in = in};
    inflate->decompressor = ctx->spare;
    ctx->spare = NULL;
    status = decompressor_make(ctx->zstd, &inflate->decompressor);
    if (status == MRT_OK)
        status = inflate_plan(inflate);
    if (status != MRT_OK) {
        zstd_inflate_close(inflate);
        return status;
    }
    *out = inflate;
    return MRT_OK;
}

static mrt_status give_whole(mrt_inflate *inflate, void *out, uint64_t cap, uint64_t *got)
{
    uint64_t left = inflate->whole_n - inflate->given;
    *got = left < cap ? left : cap;
    memcpy(out, inflate->whole + inflate->given, *got);
    inflate->given += *got;
    return MRT_OK;
}

/* The next bytes to @to; MRT_ECORRUPT if the input ends inside a frame before there are any. */
static mrt_status stream(mrt_inflate *inflate, ZSTD_outBuffer *to)
{
    while (to->pos < to->size) {
        size_t before = to->pos;
        uint32_t more = source_more(&inflate->source);
        if (!more && inflate->done)
            return MRT_OK;
        size_t result = ZSTD_decompressStream(inflate->decompressor, to, &inflate->source.now);
        if (ZSTD_isError(result))
            return status_of(result);
        inflate->done = result == 0;
        if (!more && to->pos == before) /* nothing left to flush either */
            return inflate->done || to->pos > 0 ? MRT_OK : MRT_ECORRUPT;
    }
    return MRT_OK;
}

static mrt_status zstd_inflate_next(mrt_inflate *inflate, void *out, uint64_t cap, uint64_t *got)
{
    uint8_t beyond; /* where a byte over the limit would go */
    uint64_t left = inflate->limit - inflate->given;
    if (inflate->status != MRT_OK)
        return inflate->status;
    if (cap == 0)
        return MRT_EINVAL;
    if (inflate->whole != NULL)
        return give_whole(inflate, out, cap, got);
    ZSTD_outBuffer to = {out, (size_t)(cap < left ? cap : left), 0};
    if (left == 0)
        to = (ZSTD_outBuffer){&beyond, 1, 0};
    inflate->status = stream(inflate, &to);
    if (inflate->status == MRT_OK && left == 0 && to.pos > 0)
        inflate->status = MRT_ETOOBIG;
    if (inflate->status != MRT_OK)
        return inflate->status;
    inflate->given += to.pos;
    *got = to.pos;
    return MRT_OK;
}

/* ---- lifecycle ------------------------------------------------------------------------------- */

static mrt_status zstd_create(const mrt_create *how, void **inst, mrt_error *error)
{
    struct zstd *zstd = how->host->alloc(how->host, sizeof *zstd, 16);
    if (zstd == NULL)
        return MRT_ENOMEM;
    zstd->host = how->host;
    zstd->buffers = how->host->get(how->host, MRT_HOST_BUFFERS);
    if (zstd->buffers == NULL) {
        static const char says[] = "this core does not offer " MRT_HOST_BUFFERS;
        memcpy(error->text, says, sizeof says);
        how->host->free(how->host, zstd);
        return error->status = MRT_ENOTSUP;
    }
    *inst = zstd;
    return MRT_OK;
}

static mrt_status zstd_nothing(void *inst, mrt_op *op)
{
    (void)inst, (void)op;
    return MRT_OK;
}

static mrt_status zstd_reconfigure(
    void *inst, const mrt_cfg *next, uint32_t phase, mrt_error *error)
{
    (void)inst, (void)next, (void)phase, (void)error; /* there are no keys */
    return MRT_OK;
}

static void zstd_destroy(void *inst)
{
    struct zstd *zstd = inst;
    zstd->host->free(zstd->host, zstd);
}

static const mrt_lifecycle lifecycle = {
    .size = sizeof(mrt_lifecycle),
    .create = zstd_create,
    .start = zstd_nothing,
    .reconfigure = zstd_reconfigure,
    .drain = zstd_nothing,
    .stop = zstd_nothing,
    .destroy = zstd_destroy,
};

static const mrt_codec_ops ops = {
    .size = sizeof(mrt_codec_ops),
    .codec = MRT_CODEC_ZSTD,
    .level_min = LEVEL_MIN,
    .level_max = LEVEL_MAX,
    .level_default = LEVEL_DEFAULT,
    .context_open = zstd_context_open,
    .context_close = zstd_context_close,
    .bound = zstd_bound,
    .compress = zstd_compress,
    .decompress = zstd_decompress,
    .inflate_open = zstd_inflate_open,
    .inflate_next = zstd_inflate_next,
    .inflate_close = zstd_inflate_close,
};

static const mrt_impl impls[] = {
    {sizeof(mrt_impl), 0, MRT_KIND_CODEC, "zstd", &lifecycle, &ops},
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
