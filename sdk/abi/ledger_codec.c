/* SPDX-License-Identifier: Apache-2.0 */
/* ledger_codec.c - what was published in codec.h. Lines are added, never edited: see ledger.h. */
#include <mortise/codec.h>

#include "sdk/abi/ledger.h"

TEXT(MRT_KIND_CODEC, "mortise.codec/1");
VALUE(MRT_CODEC_GZIP, 1);
VALUE(MRT_CODEC_SNAPPY, 2);
VALUE(MRT_CODEC_LZ4, 3);
VALUE(MRT_CODEC_ZSTD, 4);

GROWS(mrt_codec_ops, 88);
AT(mrt_codec_ops, size, 0, uint32_t);
AT(mrt_codec_ops, caps, 4, uint32_t);
AT(mrt_codec_ops, codec, 8, uint32_t);
AT(mrt_codec_ops, level_min, 12, int32_t);
AT(mrt_codec_ops, level_max, 16, int32_t);
AT(mrt_codec_ops, level_default, 20, int32_t);
AT(mrt_codec_ops, context_open, 24, mrt_status (*)(void *inst, mrt_codec_ctx **out));
AT(mrt_codec_ops, context_close, 32, void (*)(mrt_codec_ctx *ctx));
AT(mrt_codec_ops, bound, 40, uint64_t (*)(const mrt_codec_ctx *ctx, uint64_t n));
AT(mrt_codec_ops, compress, 48,
   mrt_status (*)(
       mrt_codec_ctx *ctx, const mrt_slicev *in, int32_t level, void *out, uint64_t cap,
       uint64_t *got));
AT(mrt_codec_ops, decompress, 56,
   mrt_status (*)(
       mrt_codec_ctx *ctx, const mrt_slicev *in, void *out, uint64_t cap, uint64_t *got));
AT(mrt_codec_ops, inflate_open, 64,
   mrt_status (*)(mrt_codec_ctx *ctx, const mrt_slicev *in, uint64_t limit, mrt_inflate **out));
AT(mrt_codec_ops, inflate_next, 72,
   mrt_status (*)(mrt_inflate *inflate, void *out, uint64_t cap, uint64_t *got));
AT(mrt_codec_ops, inflate_close, 80, void (*)(mrt_inflate *inflate));
