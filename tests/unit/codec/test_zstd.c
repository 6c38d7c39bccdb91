/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One instance, one context. `text` compresses well, `noise` does not. Frames of other makers are
 * made with libzstd itself. Every allocation is counted: at the end nothing is left.
 */
#include <stdio.h>
#include <zstd.h>

#include <mortise/codec.h>

#include "tests/unit/fakehost.h"

#define TEXT 100000

const mrt_plugin *codec_zstd_LTX_mortise_plugin_entry(uint32_t host_abi);

static struct fakehost host;
static struct mrt_exec exec = {&host};
static const mrt_impl *impl;
static const mrt_codec_ops *ops;
static void *codec;
static mrt_codec_ctx *ctx;
static uint8_t text[TEXT], noise[TEXT], packed[2 * TEXT], out[2 * TEXT];

static int set_up(void **state)
{
    static const mrt_cfg cfg;
    uint64_t seed = 42;
    (void)state;
    fakehost_init(&host);
    impl = codec_zstd_LTX_mortise_plugin_entry(MRT_ABI)->impls;
    ops = impl->ops;
    for (uint32_t i = 0; i < TEXT; i++) {
        text[i] = (uint8_t)("the broker is dumb, clients are smart "[i % 38] + (int)(i / 500 % 3));
        noise[i] = (uint8_t)test_random(&seed);
    }
    assert_int_equal(fakehost_create(&host, &exec, impl, &cfg, &codec), MRT_OK);
    return ops->context_open(codec, &ctx);
}

static int tear_down(void **state)
{
    (void)state;
    ops->context_close(ctx);
    assert_int_equal(impl->life->stop(codec, NULL), MRT_OK);
    impl->life->destroy(codec);
    assert_int_equal(host.blocks, 0);
    return 0;
}

static mrt_slicev one_slice(mrt_slice *slice, const void *p, uint64_t n)
{
    *slice = (mrt_slice){MRT_SLICE_MEM, 0, (uintptr_t)p, 0, n};
    return (mrt_slicev){slice, 1, 0, n, NULL};
}

/* As a streaming producer makes them: without content size. */
static uint64_t frame_without_size(
    const void *p, uint64_t n, int window_log, void *to, uint64_t cap)
{
    ZSTD_CCtx *maker = ZSTD_createCCtx();
    ZSTD_outBuffer o = {to, cap, 0};
    ZSTD_inBuffer i = {p, n, 0};
    ZSTD_CCtx_setParameter(maker, ZSTD_c_contentSizeFlag, 0);
    if (window_log > 0)
        ZSTD_CCtx_setParameter(maker, ZSTD_c_windowLog, window_log);
    while (i.pos < i.size)
        assert_false(ZSTD_isError(ZSTD_compressStream2(maker, &o, &i, ZSTD_e_continue)));
    assert_int_equal(ZSTD_compressStream2(maker, &o, &i, ZSTD_e_end), 0);
    ZSTD_freeCCtx(maker);
    return o.pos;
}

static mrt_status unpack(const void *p, uint64_t n, uint64_t cap, uint64_t *got)
{
    mrt_slice slice;
    const mrt_slicev in = one_slice(&slice, p, n);
    return ops->decompress(ctx, &in, out, cap, got);
}

/* Inflates with pieces of @piece bytes to out; *@got in all. */
static mrt_status inflate(const void *p, uint64_t n, uint64_t limit, uint64_t piece, uint64_t *got)
{
    mrt_slice slice;
    const mrt_slicev in = one_slice(&slice, p, n);
    mrt_inflate *stream;
    uint64_t more = 1;
    *got = 0;
    mrt_status status = ops->inflate_open(ctx, &in, limit, &stream);
    if (status != MRT_OK)
        return status;
    while (status == MRT_OK && more > 0) {
        more = 0;
        status = ops->inflate_next(stream, out + *got, piece, &more);
        if (status == MRT_OK)
            *got += more;
        assert_true(*got <= limit);
    }
    uint64_t again = 77; /* the end and an error stay what they are */
    assert_int_equal(ops->inflate_next(stream, out + *got, piece, &again), status);
    assert_int_equal(again, status == MRT_OK ? 0 : 77);
    ops->inflate_close(stream);
    return status;
}

static uint64_t pack(const void *p, uint64_t n, int32_t level)
{
    mrt_slice slice;
    const mrt_slicev in = one_slice(&slice, p, n);
    uint64_t got = 0;
    assert_int_equal(ops->compress(ctx, &in, level, packed, ops->bound(ctx, n), &got), MRT_OK);
    assert_true(got <= ops->bound(ctx, n));
    return got;
}

/* ---- round trips ----------------------------------------------------------------------------- */

static void what_goes_in_comes_out_at_every_level(void **state)
{
    static const int32_t levels[] = {-131072, -5, 0, 1, 3, 9, 22};
    static const uint64_t sizes[] = {0, 1, 61, 1000, 65536, TEXT};
    uint64_t got = 0;
    (void)state;
    for (uint32_t l = 0; l < sizeof levels / sizeof *levels; l++) {
        for (uint32_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            for (uint32_t kind = 0; kind < 2; kind++) {
                const uint8_t *in = kind ? noise : text;
                uint64_t n = pack(in, sizes[s], levels[l]);
                assert_int_equal(unpack(packed, n, sizes[s], &got), MRT_OK);
                assert_int_equal(got, sizes[s]);
                assert_memory_equal(out, in, sizes[s]);
                assert_int_equal(inflate(packed, n, sizes[s], 777, &got), MRT_OK);
                assert_int_equal(got, sizes[s]);
                assert_memory_equal(out, in, sizes[s]);
            }
        }
    }
}

static void slices_are_one_input_however_they_are_cut(void **state)
{
    mrt_slice slices[64];
    uint64_t seed = 7, got = 0, back = 0;
    (void)state;
    for (uint32_t round = 0; round < 20; round++) {
        uint64_t at = 0;
        for (uint32_t i = 0; i < 64; i++) {
            uint64_t n = i == 63 ? TEXT - at : test_random(&seed) % 3000 * (i % 5 != 0);
            n = n > TEXT - at ? TEXT - at : n;
            slices[i] =
                (mrt_slice){i % 2 ? MRT_SLICE_REGBUF : MRT_SLICE_MEM, 0, (uintptr_t)text, at, n};
            at += n;
        }
        const mrt_slicev in = {slices, 64, 0, TEXT, NULL};
        assert_int_equal(ops->compress(ctx, &in, 3, packed, sizeof packed, &got), MRT_OK);
        assert_true(got <= ops->bound(ctx, TEXT));
        assert_int_equal(ZSTD_decompress(out, TEXT, packed, got), TEXT); /* others read it */
        assert_memory_equal(out, text, TEXT);
        for (uint32_t i = 0; i < 64; i++)
            slices[i] = (mrt_slice){
                MRT_SLICE_MEM, 0, (uintptr_t)packed, got * i / 64,
                got * (i + 1) / 64 - got * i / 64};
        const mrt_slicev cut = {slices, 64, 0, got, NULL};
        memset(out, 0, TEXT);
        assert_int_equal(ops->decompress(ctx, &cut, out, TEXT, &back), MRT_OK);
        assert_int_equal(back, TEXT);
        assert_memory_equal(out, text, TEXT);
    }
}

static void frames_without_content_size_and_several_in_a_row_are_read(void **state)
{
    uint64_t got = 0;
    (void)state;
    uint64_t n = frame_without_size(text, 40000, 0, packed, sizeof packed);
    n += frame_without_size(text + 40000, 30000, 0, packed + n, sizeof packed - n);
    n += ZSTD_compress(packed + n, sizeof packed - n, text + 70000, 30000, 5);
    assert_int_equal(unpack(packed, n, TEXT, &got), MRT_OK);
    assert_int_equal(got, TEXT);
    assert_memory_equal(out, text, TEXT);
    memset(out, 0, TEXT);
    assert_int_equal(inflate(packed, n, TEXT + 5, 999, &got), MRT_OK);
    assert_int_equal(got, TEXT);
    assert_memory_equal(out, text, TEXT);
}

static void a_stream_may_stay_open_while_its_context_works(void **state)
{
    uint64_t got = 0;
    mrt_slice slice;
    mrt_inflate *streams[2];
    uint8_t small[100];
    static uint8_t frame[TEXT];
    (void)state;
    uint64_t n = pack(text, TEXT, 3);
    memcpy(frame, packed, n);
    const mrt_slicev in = one_slice(&slice, frame, n);
    for (uint32_t i = 0; i < 2; i++)
        assert_int_equal(ops->inflate_open(ctx, &in, TEXT, &streams[i]), MRT_OK);
    for (uint64_t at = 0; at < 5000; at += sizeof small) {
        for (uint32_t i = 0; i < 2; i++) {
            assert_int_equal(ops->inflate_next(streams[i], small, sizeof small, &got), MRT_OK);
            assert_memory_equal(small, text + at, sizeof small);
        }
        pack(noise, 500, 1);
        assert_int_equal(unpack(frame, n, TEXT, &got), MRT_OK);
    }
    ops->inflate_close(streams[0]);
    ops->inflate_close(streams[1]);
}

/* ---- limits ---------------------------------------------------------------------------------- */

static void one_byte_too_little_room_is_too_big(void **state)
{
    uint64_t got = 12345;
    mrt_slice slice;
    (void)state;
    uint64_t n = pack(text, TEXT, 3);
    const mrt_slicev in = one_slice(&slice, text, TEXT);
    assert_int_equal(ops->compress(ctx, &in, 3, out, n - 1, &got), MRT_ETOOBIG);
    assert_int_equal(ops->compress(ctx, &in, 3, out, 0, &got), MRT_ETOOBIG);
    assert_int_equal(ops->compress(ctx, &in, 3, out, n, &got), MRT_OK);
    out[TEXT - 1] = 0x77;
    assert_int_equal(unpack(packed, n, TEXT - 1, &got), MRT_ETOOBIG);
    assert_int_equal(out[TEXT - 1], 0x77);
    assert_int_equal(unpack(packed, n, 0, &got), MRT_ETOOBIG);
    assert_int_equal(inflate(packed, n, TEXT - 1, 5000, &got), MRT_ETOOBIG);
    n = frame_without_size(text, TEXT, 0, packed, sizeof packed);
    out[TEXT - 1] = 0x77;
    assert_int_equal(unpack(packed, n, TEXT - 1, &got), MRT_ETOOBIG);
    assert_int_equal(out[TEXT - 1], 0x77);
    assert_int_equal(inflate(packed, n, TEXT - 1, 5000, &got), MRT_ETOOBIG);
    assert_int_equal(inflate(packed, n, TEXT, 5000, &got), MRT_OK);
    assert_int_equal(inflate(packed, n, 0, 5000, &got), MRT_ETOOBIG);
    n = frame_without_size(text, TEXT, 12, packed, sizeof packed); /* so small that it streams */
    assert_int_equal(inflate(packed, n, TEXT - 1, 5000, &got), MRT_ETOOBIG);
    assert_int_equal(got, TEXT - 1);
    assert_int_equal(inflate(packed, n, TEXT, 5000, &got), MRT_OK);
    assert_int_equal(got, TEXT);
}

/* 256 MiB of zeros in kilobytes, with and without a size; nothing may be allocated for them. */
static void a_bomb_is_too_big_and_costs_no_memory(void **state)
{
    enum {
        MIB = 1 << 20,
        CAP = 50000
    };
    static uint8_t zeros[MIB];
    static uint8_t bomb[2][65536];
    uint64_t sizes[2], got = 0;
    (void)state;
    for (uint32_t with = 0; with < 2; with++) {
        ZSTD_CCtx *maker = ZSTD_createCCtx();
        ZSTD_outBuffer o = {bomb[with], sizeof bomb[with], 0};
        ZSTD_CCtx_setParameter(maker, ZSTD_c_windowLog, 27);
        if (with)
            ZSTD_CCtx_setPledgedSrcSize(maker, 256ull * MIB);
        for (uint32_t i = 0; i < 256; i++) {
            ZSTD_inBuffer in = {zeros, MIB, 0};
            while (in.pos < in.size)
                ZSTD_compressStream2(maker, &o, &in, ZSTD_e_continue);
        }
        ZSTD_inBuffer none = {zeros, 0, 0};
        assert_int_equal(ZSTD_compressStream2(maker, &o, &none, ZSTD_e_end), 0);
        sizes[with] = o.pos;
        ZSTD_freeCCtx(maker);
    }
    for (uint32_t with = 0; with < 2; with++) {
        host.bytes_max_seen = 0;
        assert_int_equal(unpack(bomb[with], sizes[with], CAP, &got), MRT_ETOOBIG);
        assert_int_equal(inflate(bomb[with], sizes[with], CAP, 1000, &got), MRT_ETOOBIG);
        assert_true(got <= CAP);
        assert_true(host.bytes_max_seen < 1 << 20); /* two contexts and their input blocks */
    }
}

static void a_window_larger_than_the_limit_is_no_obstacle(void **state)
{
    uint64_t got = 0;
    (void)state;
    uint64_t n = frame_without_size(text, TEXT, 27, packed, sizeof packed); /* 128 MiB window */
    host.bytes_max_seen = 0;
    assert_int_equal(inflate(packed, n, TEXT, 3333, &got), MRT_OK);
    assert_int_equal(got, TEXT);
    assert_memory_equal(out, text, TEXT);
    assert_int_equal(unpack(packed, n, TEXT, &got), MRT_OK);
    assert_true(host.bytes_max_seen < 1 << 20);
}

static void when_memory_is_spent_it_says_so_and_goes_on_later(void **state)
{
    uint64_t got = 0, tries = 0;
    mrt_slice slice;
    mrt_codec_ctx *fresh;
    (void)state;
    uint64_t n = pack(text, TEXT, 3);
    const mrt_slicev raw = one_slice(&slice, text, TEXT);
    mrt_codec_ctx *kept = ctx;
    host.fail_in = 0;
    assert_int_equal(ops->context_open(codec, &fresh), MRT_ENOMEM);
    for (int64_t at = 0; at < 12; at++) {
        assert_int_equal(ops->context_open(codec, &fresh), MRT_OK);
        ctx = fresh;
        host.fail_in = at;
        mrt_status packs = ops->compress(ctx, &raw, 3, out, sizeof out, &got);
        mrt_status unpacks = unpack(packed, n, TEXT, &got);
        mrt_status inflates = inflate(packed, n, TEXT, 3333, &got);
        tries += packs == MRT_ENOMEM || unpacks == MRT_ENOMEM || inflates == MRT_ENOMEM;
        host.fail_in = -1;
        assert_int_equal(ops->compress(ctx, &raw, 3, out, sizeof out, &got), MRT_OK);
        assert_int_equal(unpack(packed, n, TEXT, &got), MRT_OK);
        assert_int_equal(inflate(packed, n, TEXT, 3333, &got), MRT_OK);
        ops->context_close(fresh);
    }
    assert_true(tries >= 4);
    ctx = kept;
}

/* ---- hostile input --------------------------------------------------------------------------- */

static void an_input_cut_at_any_byte_is_corrupt(void **state)
{
    uint64_t got = 0;
    (void)state;
    for (uint32_t kind = 0; kind < 4; kind++) {
        uint64_t n = kind == 0   ? pack(text, 5000, 3)
                     : kind == 1 ? pack(noise, 700, 3)
                     : kind == 3 ? frame_without_size(text, 9000, 11, packed, sizeof packed)
                                 : frame_without_size(text, 5000, 0, packed, sizeof packed);
        for (uint64_t cut = 0; cut < n; cut++) {
            uint8_t *exact = malloc(cut + 1); /* for the sanitizer: not a byte behind it */
            memcpy(exact, packed, cut);
            assert_int_equal(unpack(exact, cut, TEXT, &got), MRT_ECORRUPT);
            assert_int_equal(inflate(exact, cut, TEXT, 512, &got), MRT_ECORRUPT);
            free(exact);
        }
    }
}

static void any_flipped_bit_does_no_harm(void **state)
{
    uint64_t got = 0, refused = 0, bits = 0;
    (void)state;
    for (uint32_t kind = 0; kind < 2; kind++) {
        uint64_t n = kind == 0 ? pack(text, 3000, 3)
                               : frame_without_size(text, 3000, 0, packed, sizeof packed);
        for (uint64_t bit = 0; bit < n * 8; bit++, bits++) {
            packed[bit / 8] ^= (uint8_t)(1u << bit % 8);
            mrt_status status = unpack(packed, n, 4000, &got);
            assert_true(status == MRT_OK || status == MRT_ECORRUPT || status == MRT_ETOOBIG);
            assert_true(status != MRT_OK || got <= 4000);
            refused += status != MRT_OK;
            status = inflate(packed, n, 4000, 300, &got);
            assert_true(status == MRT_OK || status == MRT_ECORRUPT || status == MRT_ETOOBIG);
            packed[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
    assert_true(refused > bits / 2);
    assert_true(host.bytes_max_seen < 64 << 20);
}

static void rubbish_is_corrupt(void **state)
{
    uint64_t seed = 99, got = 0;
    (void)state;
    for (uint32_t round = 0; round < 2000; round++) {
        uint64_t n = test_random(&seed) % 200;
        for (uint64_t i = 0; i < n; i++)
            packed[i] = (uint8_t)test_random(&seed);
        assert_int_equal(unpack(packed, n, TEXT, &got), MRT_ECORRUPT);
        assert_int_equal(inflate(packed, n, TEXT, 100, &got), MRT_ECORRUPT);
    }
    uint64_t n = pack(text, 1000, 3);
    memcpy(packed + n, "trailing", 8);
    assert_int_equal(unpack(packed, n + 8, TEXT, &got), MRT_ECORRUPT);
    assert_int_equal(inflate(packed, n + 8, TEXT, 100, &got), MRT_ECORRUPT);
}

static void what_is_not_in_memory_or_out_of_range_is_refused(void **state)
{
    const mrt_slice file = {MRT_SLICE_FILE, 0, 1, 0, 10};
    const mrt_slicev in = {&file, 1, 0, 10, NULL};
    mrt_slice slice;
    const mrt_slicev good = one_slice(&slice, text, 10);
    mrt_inflate *stream = NULL;
    uint64_t got = 5;
    (void)state;
    assert_int_equal(ops->compress(ctx, &in, 3, out, 100, &got), MRT_EINVAL);
    assert_int_equal(ops->decompress(ctx, &in, out, 100, &got), MRT_EINVAL);
    assert_int_equal(ops->inflate_open(ctx, &in, 100, &stream), MRT_EINVAL);
    assert_int_equal(ops->compress(ctx, &good, 23, out, 100, &got), MRT_EINVAL);
    assert_int_equal(ops->compress(ctx, &good, -131073, out, 100, &got), MRT_EINVAL);
    assert_int_equal(got, 5);
    assert_null(stream);
    assert_int_equal(ops->codec, 4);
    assert_int_equal(ops->level_min, ZSTD_minCLevel());
    assert_int_equal(ops->level_max, ZSTD_maxCLevel());
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_goes_in_comes_out_at_every_level),
        TEST(slices_are_one_input_however_they_are_cut),
        TEST(frames_without_content_size_and_several_in_a_row_are_read),
        TEST(a_stream_may_stay_open_while_its_context_works),
        TEST(one_byte_too_little_room_is_too_big),
        TEST(a_bomb_is_too_big_and_costs_no_memory),
        TEST(a_window_larger_than_the_limit_is_no_obstacle),
        TEST(when_memory_is_spent_it_says_so_and_goes_on_later),
        TEST(an_input_cut_at_any_byte_is_corrupt),
        TEST(any_flipped_bit_does_no_harm),
        TEST(rubbish_is_corrupt),
        TEST(what_is_not_in_memory_or_out_of_range_is_refused),
    };
    return cmocka_run_group_tests_name("codec/zstd", tests, NULL, NULL);
}
