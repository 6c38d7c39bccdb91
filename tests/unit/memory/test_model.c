/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Thousands of random calls on one log, beside a model that is an array of batches. After each the
 * log must be what the model is; every byte of a batch follows from its number, so reads are
 * compared by content. Up to 8 reads stay pinned for a while and are compared again when they are
 * released. Some allocations fail: the call then says so, and nothing changed.
 */
#include <stdio.h>

#include <mortise/storage.h>

#include "tests/unit/fakehost.h"

#define BATCHES_MAX  512
#define SEGMENTS_MAX 64
#define PINS         8
#define SLICES       8
#define STEPS        20000

#ifndef FAILURES_LEAST
#define FAILURES_LEAST 100 /* allocations that must have failed in a run, or it tried too little */
#endif

const mrt_plugin *storage_memory_LTX_mortise_plugin_entry(uint32_t host_abi);

struct batch {
    int64_t base, last, at_ms;
    uint64_t bytes;
    uint32_t number;
};

struct model {
    struct batch v[BATCHES_MAX];
    uint32_t n;
    int64_t bases[SEGMENTS_MAX]; /* of segments, oldest first */
    uint32_t segments;
    int64_t start, end;
    uint32_t numbers;
};

struct pin {
    mrt_read_res res;
    mrt_slice slices[SLICES];
    struct batch first[BATCHES_MAX];
    uint32_t n;
};

static struct fakehost host;
static struct mrt_exec exec = {&host};
static const mrt_storage_ops *ops;
static mrt_log *log_;
static mrt_op op;
static struct model model;
static struct pin pins[PINS];
static uint64_t seed;

static uint32_t below(uint32_t n)
{
    return (uint32_t)(test_random(&seed) % n);
}

static uint8_t byte_of(uint32_t number, uint64_t i)
{
    return (uint8_t)(number * 167 + i * 13 + i / 256);
}

/* ---- the model ------------------------------------------------------------------------------- */

static int64_t segment_next(uint32_t i)
{
    return i + 1 < model.segments ? model.bases[i + 1] : INT64_MAX;
}

static uint64_t bytes_from(int64_t base)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < model.n; i++)
        bytes += model.v[i].base >= base ? model.v[i].bytes : 0;
    return bytes;
}

static void model_trim_head(int64_t upto)
{
    uint32_t gone = 0, kept = 0;
    while (gone + 1 < model.segments && model.bases[gone + 1] <= upto)
        gone++;
    memmove(model.bases, model.bases + gone, (model.segments - gone) * sizeof *model.bases);
    model.segments -= gone;
    for (uint32_t i = 0; i < model.n; i++)
        if (model.v[i].base >= model.bases[0])
            model.v[kept++] = model.v[i];
    model.n = kept;
    model.start = upto;
}

static void model_trim_tail(int64_t from)
{
    if (from == model.end)
        return;
    while (model.segments > 1 && model.bases[model.segments - 1] >= from)
        model.segments--;
    while (model.n > 0 && model.v[model.n - 1].last >= from)
        model.n--;
    int64_t base = model.bases[model.segments - 1];
    int64_t end =
        model.n > 0 && model.v[model.n - 1].last + 1 > base ? model.v[model.n - 1].last + 1 : base;
    model.end = end < model.start ? model.start : end;
}

/* ---- comparing ------------------------------------------------------------------------------- */

static void check_bytes(const struct pin *pin)
{
    uint32_t slice = 0;
    uint64_t at = 0;
    for (uint32_t i = 0; i < pin->n; i++) {
        for (uint64_t j = 0; j < pin->first[i].bytes; j++, at++) {
            while (at == pin->slices[slice].len) {
                slice++;
                at = 0;
            }
            assert_true(slice < pin->res.data.n);
            const uint8_t *p = (const uint8_t *)(uintptr_t)pin->slices[slice].ref;
            if (p[pin->slices[slice].off + at] != byte_of(pin->first[i].number, j))
                fail_msg("batch %u changed at byte %u", pin->first[i].number, (uint32_t)j);
        }
    }
}

static void unpin(struct pin *pin)
{
    if (pin->res.data.lease == NULL)
        return;
    check_bytes(pin);
    pin->res.data.lease->ops->release(pin->res.data.lease);
    pin->res.data.lease = NULL;
}

static void check_state(void)
{
    mrt_log_state state = {.size = sizeof state};
    mrt_segment segments[SEGMENTS_MAX];
    uint32_t n;
    ops->state(log_, &state);
    assert_int_equal(state.start, model.start);
    assert_int_equal(state.end, model.end);
    assert_int_equal(state.durable, model.start);
    assert_int_equal(state.active_base, model.bases[model.segments - 1]);
    assert_int_equal(state.active_bytes, bytes_from(state.active_base));
    assert_int_equal(state.bytes, bytes_from(INT64_MIN));
    assert_int_equal(ops->segments(log_, model.bases[0], segments, SEGMENTS_MAX, &n), MRT_OK);
    assert_int_equal(n, model.segments);
    for (uint32_t i = 0; i < n; i++) {
        assert_int_equal(segments[i].base, model.bases[i]);
        assert_int_equal(segments[i].next, i + 1 < n ? model.bases[i + 1] : model.end);
        assert_int_equal(
            segments[i].bytes, bytes_from(model.bases[i]) - bytes_from(segment_next(i)));
        for (uint32_t j = 0; j < i; j++)
            assert_int_not_equal(segments[i].handle, segments[j].handle);
    }
}

static void check_times(void)
{
    mrt_batch_at found;
    int64_t at_ms = (int64_t)below(1000);
    const struct batch *first = NULL, *latest = NULL;
    for (uint32_t i = 0; i < model.n; i++) {
        const struct batch *one = &model.v[i];
        if (one->last < model.start)
            continue;
        if (first == NULL && one->at_ms >= at_ms)
            first = one;
        if (latest == NULL || one->at_ms > latest->at_ms)
            latest = one;
    }
    assert_int_equal(ops->find_time(log_, &op, at_ms, &found), MRT_OK);
    assert_int_equal(found.base_offset, first == NULL ? -1 : first->base);
    assert_int_equal(ops->find_latest(log_, &op, &found), MRT_OK);
    assert_int_equal(found.base_offset, latest == NULL ? -1 : latest->base);
    if (latest != NULL)
        assert_int_equal(found.bytes, latest->bytes);
}

/* ---- steps ----------------------------------------------------------------------------------- */

static uint8_t scratch[4][6000];

/* Fills batch @i of an append behind @end. */
static struct batch invent(uint32_t i, int64_t end)
{
    struct batch one = {.number = ++model.numbers};
    one.base = end + (below(8) == 0 ? below(20) : 0); /* now and then a gap */
    one.last = one.base + below(10);
    one.at_ms = (int64_t)below(1000);
    one.bytes = 1 + below(below(10) == 0 ? 6000 : 300);
    for (uint64_t j = 0; j < one.bytes; j++)
        scratch[i][j] = byte_of(one.number, j);
    return one;
}

static void step_append(void)
{
    struct batch made[4];
    mrt_slice slices[4][3];
    mrt_batch v[4];
    uint32_t n = 1 + below(4);
    int64_t end = model.end;
    if (model.n + n > BATCHES_MAX)
        return;
    for (uint32_t i = 0; i < n; i++) {
        made[i] = invent(i, end);
        end = made[i].last + 1;
        uint64_t cut = below((uint32_t)made[i].bytes + 1);
        uintptr_t p = (uintptr_t)scratch[i];
        slices[i][0] = (mrt_slice){MRT_SLICE_MEM, 0, p, 0, cut};
        slices[i][1] = (mrt_slice){MRT_SLICE_MEM, 0, p, 0, 0};
        slices[i][2] = (mrt_slice){MRT_SLICE_REGBUF, 0, p, cut, made[i].bytes - cut};
        v[i] = (mrt_batch){{slices[i], 3, 0, made[i].bytes, NULL},
                           made[i].base,
                           made[i].last,
                           made[i].at_ms,
                           1,
                           0};
    }
    const mrt_append how = {.size = sizeof how, .v = v, .n = n};
    mrt_log_state after = {.size = sizeof after};
    mrt_status status = ops->append(log_, &op, &how, &after);
    if (status == MRT_EFULL) {
        assert_true(bytes_from(model.bases[model.segments - 1]) > 0);
        return;
    }
    if (status != MRT_OK) {
        assert_true(host.failed > 0 || status == MRT_ENOSPC);
        return;
    }
    memcpy(model.v + model.n, made, n * sizeof *made);
    model.n += n;
    model.end = end;
}

static void step_roll(void)
{
    int64_t active = model.bases[model.segments - 1];
    if (model.segments == SEGMENTS_MAX)
        return;
    mrt_status status = ops->roll(log_, &op);
    if (status == MRT_OK && bytes_from(active) > 0)
        model.bases[model.segments++] = model.end;
    assert_true(status == MRT_OK || status == MRT_ENOMEM || status == MRT_ENOSPC);
}

static void step_trim(void)
{
    int64_t span = model.end - model.start;
    int64_t at = model.start + (int64_t)below((uint32_t)span + 1);
    if (below(3) == 0) {
        assert_int_equal(ops->trim_tail(log_, &op, model.end + 1), MRT_ERANGE);
        at = model.end - (int64_t)below((uint32_t)(span < 40 ? span : 40) + 1);
        assert_int_equal(ops->trim_tail(log_, &op, at), MRT_OK);
        model_trim_tail(at);
    } else {
        assert_int_equal(ops->trim_head(log_, &op, model.start - 1), MRT_ERANGE);
        assert_int_equal(ops->trim_head(log_, &op, at), MRT_OK);
        model_trim_head(at);
    }
}

static void step_restart(void)
{
    int64_t start = (int64_t)below(5000);
    if (ops->restart(log_, &op, start) != MRT_OK)
        return;
    model.n = 0;
    model.segments = 1;
    model.bases[0] = model.start = model.end = start;
}

/* What a read must give, in batches: at most those of one segment. */
static void expect(const mrt_read *read, struct pin *pin)
{
    uint32_t i = 0;
    uint64_t bytes = 0;
    pin->n = 0;
    while (i < model.n && model.v[i].last < read->from)
        i++;
    uint32_t segment = 0;
    while (i < model.n && segment_next(segment) <= model.v[i].base)
        segment++;
    for (; i < model.n && model.v[i].last < read->upto; i++) {
        if (model.v[i].base >= segment_next(segment))
            break;
        if (pin->n >= read->min_batches && bytes + model.v[i].bytes > read->max_bytes)
            break;
        bytes += model.v[i].bytes;
        pin->first[pin->n++] = model.v[i];
    }
}

static void step_read(void)
{
    struct pin *pin = &pins[below(PINS)];
    unpin(pin);
    const mrt_read read = {
        .size = sizeof read,
        .min_batches = below(3),
        .from = model.start + (int64_t)below((uint32_t)(model.end - model.start) + 1),
        .upto = below(2) == 0 ? INT64_MAX : model.start + (int64_t)below(200),
        .max_bytes = below(4000),
    };
    pin->res = (mrt_read_res){.size = sizeof pin->res, .cap = 1 + below(SLICES)};
    pin->res.slices = pin->slices;
    assert_int_equal(ops->read(log_, &op, &read, &pin->res), MRT_OK);
    expect(&read, pin);
    uint64_t bytes = 0;
    uint32_t n = 0;
    while (n < pin->n && bytes < pin->res.data.bytes)
        bytes += pin->first[n++].bytes;
    assert_int_equal(bytes, pin->res.data.bytes); /* whole batches, the expected ones */
    if (n < pin->n)
        assert_int_equal(pin->res.data.n, pin->res.cap); /* fewer only for want of slices */
    pin->n = n;
    assert_int_equal(pin->res.data.lease != NULL, n > 0);
    assert_int_equal(pin->res.first_offset, n > 0 ? pin->first[0].base : read.from);
    assert_int_equal(pin->res.next_offset, n > 0 ? pin->first[n - 1].last + 1 : read.from);
    check_bytes(pin);
}

static void step_out_of_range(void)
{
    mrt_read read = {sizeof read, 1, model.end + 1, INT64_MAX, 100};
    mrt_read_res res = {.size = sizeof res};
    assert_int_equal(ops->read(log_, &op, &read, &res), MRT_ERANGE);
    read.from = model.start - 1;
    assert_int_equal(ops->read(log_, &op, &read, &res), MRT_ERANGE);
    assert_null(res.data.lease);
}

static void step(void)
{
    host.fail_in = below(6) == 0 ? (int64_t)below(3) : -1;
    uint32_t dice = below(100);
    if (dice < 45)
        step_append();
    else if (dice < 55)
        step_roll();
    else if (dice < 65)
        step_trim();
    else if (dice < 66)
        step_restart();
    else if (dice < 96)
        step_read();
    else
        step_out_of_range();
    host.fail_in = -1;
    check_state();
    if (dice % 4 == 0)
        check_times();
    fakehost_run(&host);
}

/* ---- the test -------------------------------------------------------------------------------- */

static void space(void *ctx, mrt_dir *dir, uint64_t used, uint64_t avail)
{
    (void)ctx, (void)dir, (void)used, (void)avail;
}

static void stopped(mrt_op *of)
{
    assert_int_equal(of->status, MRT_OK);
}

static void run(uint64_t with)
{
    static const mrt_cfg cfg = {{400000, 16384, 8}};
    static const mrt_storage_events events = {.size = sizeof events, .dir_space = space};
    const mrt_dir_spec dir_spec = {.size = sizeof dir_spec, .exec = &exec, .events = &events};
    const mrt_log_spec spec = {
        .size = sizeof spec, .flags = MRT_LOG_CREATE, .topic = {"t", 1}, .exec = &exec};
    const mrt_impl *impl = storage_memory_LTX_mortise_plugin_entry(MRT_ABI)->impls;
    void *store;
    mrt_dir *dir;

    printf("seed %llu\n", (unsigned long long)with);
    seed = with;
    fakehost_init(&host);
    memset(&model, 0, sizeof model);
    model.segments = 1;
    ops = impl->ops;
    op = (mrt_op){.done = stopped, .exec = &exec};
    assert_int_equal(fakehost_create(&host, &exec, impl, &cfg, &store), MRT_OK);
    assert_int_equal(ops->dir_open(store, &op, &dir_spec, &dir), MRT_OK);
    assert_int_equal(ops->log_open(dir, &op, &spec, &log_), MRT_OK);
    for (uint32_t i = 0; i < STEPS; i++)
        step();
    assert_int_equal(ops->log_close(log_, &op), MRT_OK);
    assert_int_equal(ops->dir_close(dir, &op), MRT_OK);
    for (uint32_t i = 0; i < PINS; i++)
        unpin(&pins[i]);
    assert_true(host.failed > FAILURES_LEAST);
    impl->life->stop(store, &op);
    fakehost_run(&host);
    impl->life->destroy(store);
    assert_int_equal(host.blocks, 0);
}

static void a_log_is_what_the_model_is(void **state)
{
    (void)state;
    for (uint64_t i = 1; i <= 4; i++)
        run(i * 0x9e3779b97f4a7c15u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_log_is_what_the_model_is)};
    return cmocka_run_group_tests_name("memory/model", tests, NULL, NULL);
}
