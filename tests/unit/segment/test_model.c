/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random calls on one log beside a model that is an array of batches, with reopenings, kills of the
 * process and power cuts in simulated worlds. After each step the log is what the model is; after a
 * crash it is a prefix of it that has everything durable. Index files are checked entry by entry
 * against the log whenever it was just opened. Reads stay pinned over whatever comes next.
 *
 * MORTISE_SEED runs one seed instead of the built-in ones, and SCENE_PRINT=1 prints log lines.
 */
#include <stdio.h>

#include "tests/unit/segment/files.h"

#define BATCHES_MAX  6000
#define SEGMENTS_MAX 64
#define PINS         4
#define STEPS        700
#define FILE_MAX     (1 << 20)

struct batch {
    int64_t base, last, ms;
    uint64_t bytes;
    uint32_t number;
};

/* Batches below start stay in v: after a crash an older start may be back. */
struct model {
    struct batch v[BATCHES_MAX];
    uint32_t n;
    int64_t bases[SEGMENTS_MAX];
    uint32_t segments;
    int64_t start, end, durable;
    uint32_t numbers;
};

struct pin {
    mrt_read_res res;
    mrt_slice slice;
    struct batch first[64];
    uint32_t n;
};

static struct scene scene;
static struct scene_log log_;
static struct model model;
static struct pin pins[PINS];
static uint64_t state_;
static uint8_t room[4][8192];
static uint8_t file_log[FILE_MAX], file_index[FILE_MAX], bytes_[FILE_MAX], wanted[8192];

static uint32_t below(uint32_t n)
{
    state_ += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)((z ^ (z >> 31)) % n);
}

/* ---- the model ------------------------------------------------------------------------------- */

static int64_t segment_next(uint32_t i)
{
    return i + 1 < model.segments ? model.bases[i + 1] : INT64_MAX;
}

static uint64_t bytes_between(int64_t from, int64_t to)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < model.n; i++)
        bytes += model.v[i].base >= from && model.v[i].base < to ? model.v[i].bytes : 0;
    return bytes;
}

static uint64_t active_bytes(void)
{
    return bytes_between(model.bases[model.segments - 1], INT64_MAX);
}

/* What must be found again: everything after the end of the process, else what is durable; but the
 * log start may be old, and where the log ends at it without a batch before, so is the end. */
static int64_t content_end(void);
static int64_t promised(bool cut)
{
    int64_t durable = cut ? scene_state(&log_).durable : model.end;
    return durable < content_end() ? durable : content_end();
}

/* The offset behind the last batch, or where the active segment begins. */
static int64_t content_end(void)
{
    int64_t base = model.bases[model.segments - 1];
    int64_t last = model.n > 0 ? model.v[model.n - 1].last + 1 : 0;
    return last > base ? last : base;
}

static void model_trim_tail(int64_t from)
{
    if (from == model.end)
        return;
    while (model.segments > 1 && model.bases[model.segments - 1] > from)
        model.segments--;
    while (model.n > 0 && model.v[model.n - 1].last >= from)
        model.n--;
    model.end = content_end();
    if (model.end < model.start)
        model.end = model.start;
}

/* ---- comparing ------------------------------------------------------------------------------- */

static uint64_t remake(const struct batch *batch, uint8_t *to)
{
    int32_t count = (int32_t)(batch->last - batch->base) + 1;
    return scene_batch(to, batch->base, count, batch->ms, batch->number % 37 * 40, batch->number);
}

static void check_pin(const struct pin *pin)
{
    uint64_t at = 0;
    scene_pull(&log_, &pin->res, bytes_);
    for (uint32_t i = 0; i < pin->n; i++) {
        uint64_t size = remake(&pin->first[i], wanted);
        assert_memory_equal(bytes_ + at, wanted, size);
        at += size;
    }
}

static void unpin(struct pin *pin)
{
    if (pin->res.data.lease == NULL)
        return;
    check_pin(pin);
    lease_release(pin->res.data.lease);
    pin->res.data.lease = NULL;
}

static void unpin_all(void)
{
    for (uint32_t i = 0; i < PINS; i++)
        unpin(&pins[i]);
}

static void check_state(void)
{
    mrt_log_state state = scene_state(&log_);
    mrt_segment segments[SEGMENTS_MAX];
    assert_int_equal(state.start, model.start);
    assert_int_equal(state.end, model.end);
    assert_true(state.durable <= state.end);
    assert_int_equal(state.active_base, model.bases[model.segments - 1]);
    assert_int_equal(state.active_bytes, active_bytes());
    assert_int_equal(state.bytes, bytes_between(model.bases[0], INT64_MAX));
    uint32_t n = scene_segments(&log_, model.bases[0], segments, SEGMENTS_MAX);
    assert_int_equal(n, model.segments);
    for (uint32_t i = 0; i < n; i++) {
        assert_int_equal(segments[i].base, model.bases[i]);
        assert_int_equal(segments[i].next, i + 1 < n ? model.bases[i + 1] : model.end);
        assert_int_equal(segments[i].bytes, bytes_between(model.bases[i], segment_next(i)));
    }
    model.durable = state.durable;
}

static void check_times(void)
{
    mrt_batch_at found;
    int64_t ms = (int64_t)below(1000);
    const struct batch *first = NULL, *latest = NULL;
    for (uint32_t i = 0; i < model.n; i++) {
        const struct batch *one = &model.v[i];
        if (one->last < model.start || one->base < model.bases[0])
            continue;
        if (first == NULL && one->ms >= ms)
            first = one;
        if (latest == NULL || one->ms > latest->ms)
            latest = one;
    }
    assert_int_equal(scene_find_time(&log_, ms, &found), MRT_OK);
    assert_int_equal(found.base_offset, first == NULL ? -1 : first->base);
    assert_int_equal(scene_find_latest(&log_, &found), MRT_OK);
    assert_int_equal(found.base_offset, latest == NULL ? -1 : latest->base);
    if (latest != NULL)
        assert_int_equal(found.bytes, latest->bytes);
}

/* ---- index files ----------------------------------------------------------------------------- */

static uint64_t load(const char *kind, int64_t base, uint8_t *to)
{
    char name[128];
    snprintf(name, sizeof name, "orders-0/%020lld.%s", (long long)base, kind);
    int64_t n = scene_load(&scene, name, to, FILE_MAX);
    return n < 0 ? 0 : (uint64_t)n;
}

/* Every entry names the last offset of the batch at its place; the places rise. */
static void check_offset_index(int64_t base, uint64_t log_bytes, uint64_t bytes)
{
    struct kit_batch batch;
    int64_t relative = -1, position = -1;
    assert_int_equal(bytes % 8, 0);
    for (uint64_t at = 0; at < bytes; at += 8) {
        assert_true((int64_t)kit_get32(file_index + at) > relative);
        assert_true((int64_t)kit_get32(file_index + at + 4) > position);
        relative = kit_get32(file_index + at);
        position = kit_get32(file_index + at + 4);
        assert_true((uint64_t)position + KIT_BATCH_HEADER <= log_bytes);
        kit_batch_decode(file_log + position, &batch);
        assert_int_equal(kit_batch_last(&batch), base + relative);
    }
}

/* Every entry names a batch that has its timestamp; both rise. */
static void check_time_index(int64_t base, uint64_t log_bytes, uint64_t bytes, bool sealed)
{
    struct kit_batch batch;
    int64_t ms = -1, max = -1;
    uint64_t position = 0;
    assert_int_equal(bytes % 12, 0);
    for (uint64_t at = 0; at < bytes; at += 12) {
        assert_true((int64_t)kit_get64(file_index + at) > ms);
        ms = (int64_t)kit_get64(file_index + at);
        int64_t last = base + kit_get32(file_index + at + 8);
        do {
            assert_true(position < log_bytes);
            kit_batch_decode(file_log + position, &batch);
            position += batch.size;
        } while (kit_batch_last(&batch) < last);
        assert_int_equal(kit_batch_last(&batch), last);
        assert_int_equal(batch.max_timestamp_ms, ms);
    }
    for (position = 0; position < log_bytes; position += batch.size) {
        kit_batch_decode(file_log + position, &batch);
        max = batch.max_timestamp_ms > max ? batch.max_timestamp_ms : max;
    }
    assert_int_equal(position, log_bytes);
    if (sealed)
        assert_int_equal(ms, max);
}

static void check_indexes(bool closed)
{
    for (uint32_t i = 0; i < model.segments; i++) {
        int64_t base = model.bases[i];
        uint64_t log_bytes = load("log", base, file_log);
        assert_int_equal(log_bytes, bytes_between(base, segment_next(i)));
        check_offset_index(base, log_bytes, load("index", base, file_index));
        check_time_index(
            base, log_bytes, load("timeindex", base, file_index),
            log_bytes > 0 && (closed || i + 1 < model.segments));
    }
}

/* ---- steps ----------------------------------------------------------------------------------- */

static struct batch invent(uint32_t i, int64_t end)
{
    struct batch one = {.number = ++model.numbers};
    one.base = end + (below(8) == 0 ? below(20) : 0); /* now and then a gap */
    one.last = one.base + below(10);
    one.ms = (int64_t)below(1000);
    one.bytes = remake(&one, room[i]);
    return one;
}

static void step_append(void)
{
    struct batch made[4];
    mrt_slice slices[4];
    mrt_batch v[4];
    uint32_t n = 1 + below(4);
    int64_t end = model.end;
    if (model.n + n > BATCHES_MAX)
        return;
    for (uint32_t i = 0; i < n; i++) {
        made[i] = invent(i, end);
        end = made[i].last + 1;
        v[i] = scene_describe(room[i], &slices[i]);
    }
    mrt_status status = scene_append(&log_, v, n, below(4) == 0 ? MRT_APPEND_WILL_FLUSH : 0, NULL);
    if (status == MRT_EFULL) {
        assert_true(active_bytes() > 0);
        return;
    }
    assert_int_equal(status, MRT_OK);
    memcpy(model.v + model.n, made, n * sizeof *made);
    model.n += n;
    model.end = end;
}

static void step_roll(void)
{
    uint64_t active = active_bytes();
    if (model.segments == SEGMENTS_MAX)
        return;
    assert_int_equal(scene_roll(&log_), MRT_OK);
    if (active > 0)
        model.bases[model.segments++] = model.end;
}

static void step_trim_head(void)
{
    int64_t at = model.start + (int64_t)below((uint32_t)(model.end - model.start) + 1);
    uint32_t gone = 0;
    assert_int_equal(scene_trim_head(&log_, model.start - 1), MRT_ERANGE);
    assert_int_equal(scene_trim_head(&log_, at), MRT_OK);
    while (gone + 1 < model.segments && model.bases[gone + 1] <= at)
        gone++;
    memmove(model.bases, model.bases + gone, (model.segments - gone) * sizeof *model.bases);
    model.segments -= gone;
    model.start = at;
}

static void step_trim_tail(void)
{
    int64_t span = model.end - model.start;
    int64_t at = model.end - (int64_t)below((uint32_t)(span < 60 ? span : 60) + 1);
    assert_int_equal(scene_trim_tail(&log_, model.end + 1), MRT_ERANGE);
    assert_int_equal(scene_trim_tail(&log_, at), MRT_OK);
    model_trim_tail(at);
    if (at < model.end)
        assert_int_equal(scene_state(&log_).durable, model.end);
}

static void step_restart(void)
{
    int64_t start = (int64_t)below(5000);
    assert_int_equal(scene_restart(&log_, start), MRT_OK);
    model.n = 0;
    model.segments = 1;
    model.bases[0] = model.start = model.end = start;
}

static void expect(const mrt_read *read, struct pin *pin)
{
    uint32_t i = 0, segment = 0;
    uint64_t bytes = 0;
    pin->n = 0;
    while (i < model.n && (model.v[i].last < read->from || model.v[i].base < model.bases[0]))
        i++;
    while (i < model.n && segment_next(segment) <= model.v[i].base)
        segment++;
    for (; i < model.n && model.v[i].last < read->upto && pin->n < 64; i++) {
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
    uint64_t bytes = 0;
    unpin(pin);
    const mrt_read read = {
        .size = sizeof read,
        .min_batches = below(3),
        .from = model.start + (int64_t)below((uint32_t)(model.end - model.start) + 1),
        .upto = below(2) == 0 ? INT64_MAX : model.start + (int64_t)below(200),
        .max_bytes = below(12000),
    };
    pin->res = (mrt_read_res){.size = sizeof pin->res, .cap = 1, .slices = &pin->slice};
    assert_int_equal(scene_read(&log_, &read, &pin->res), MRT_OK);
    expect(&read, pin);
    for (uint32_t i = 0; i < pin->n; i++)
        bytes += pin->first[i].bytes;
    assert_int_equal(pin->res.data.bytes, bytes);
    assert_int_equal(pin->res.data.lease != NULL, pin->n > 0);
    assert_int_equal(pin->res.first_offset, pin->n > 0 ? pin->first[0].base : read.from);
    int64_t next = pin->n > 0 ? pin->first[pin->n - 1].last + 1 : read.from;
    assert_true(pin->res.next_offset >= next); /* a gap behind may be skipped */
    for (uint32_t i = 0; i < model.n && pin->n > 0; i++)
        assert_false(model.v[i].last >= next && model.v[i].last < pin->res.next_offset);
    if (pin->n > 0)
        check_pin(pin);
}

static void step_flush(void)
{
    int64_t upto = model.start + (int64_t)below((uint32_t)(model.end - model.start) + 1);
    assert_int_equal(scene_flush(&log_, upto), MRT_OK);
    assert_true(scene_state(&log_).durable >= upto);
}

/* One call of the disk fails, under a call of ours or in the background. Ours then
 * has done all of it or nothing. */
static void step_fault(void)
{
    static const enum disk_call calls[] = {DISK_OPEN, DISK_WRITE, DISK_RENAME, DISK_UNLINK};
    static const mrt_status kinds[] = {MRT_ENOSPC, MRT_ENOMEM};
    mrt_slice slice;
    mrt_segment segments[SEGMENTS_MAX];
    enum disk_call call = calls[below(4)];
    int64_t at = model.start + (int64_t)below((uint32_t)(model.end - model.start) + 1);
    struct batch made = invent(0, model.end);
    mrt_batch v = scene_describe(room[0], &slice);
    if (model.n == BATCHES_MAX || model.segments == SEGMENTS_MAX)
        return;
    disk_fail(scene.disk, call, below(4), kinds[below(2)]);
    switch (below(3)) {
    case 0:
        if (scene_append(&log_, &v, 1, 0, NULL) == MRT_OK) {
            model.v[model.n++] = made;
            model.end = made.last + 1;
        }
        break;
    case 1:
        scene_roll(&log_);
        break;
    default:
        if (scene_trim_head(&log_, at) == MRT_OK)
            model.start = at;
    }
    disk_fail(scene.disk, call, 1000000, MRT_OK);
    model.segments = scene_segments(&log_, 0, segments, SEGMENTS_MAX);
    for (uint32_t i = 0; i < model.segments; i++)
        model.bases[i] = segments[i].base;
}

/* ---- ends and beginnings --------------------------------------------------------------------- */

/* An empty last segment is not found again when there are others. */
static void model_reopened(void)
{
    if (model.segments > 1 && active_bytes() == 0)
        model.segments--;
    for (uint32_t i = 0; i + 1 < model.segments;) {
        if (bytes_between(model.bases[i], segment_next(i)) > 0) {
            i++;
            continue;
        }
        memmove(
            model.bases + i, model.bases + i + 1, (model.segments - i - 1) * sizeof *model.bases);
        model.segments--;
    }
}

static void step_reopen(void)
{
    bool whole = below(2) == 0;
    unpin_all();
    assert_int_equal(scene_close(&log_), MRT_OK);
    check_indexes(true);
    if (whole) {
        assert_int_equal(scene_dir_close(&scene), MRT_OK);
        assert_int_equal(scene_dir_open(&scene), MRT_OK);
    }
    assert_int_equal(scene_open(&scene, &log_, below(4) == 0 ? MRT_LOG_VERIFY : 0), MRT_OK);
    model_reopened();
    assert_int_equal(scene_state(&log_).durable, model.end);
}

/* Bytes of segment @i that a crash took are no loss where they had been trimmed. */
static void forget_lost(uint32_t i, uint64_t bytes)
{
    for (uint32_t b = model.n; b-- > 0;) {
        if (model.v[b].base < model.bases[i] || model.v[b].base >= segment_next(i))
            continue;
        if (model.v[b].last >= model.start ||
            bytes_between(model.bases[i], segment_next(i)) <= bytes)
            return;
        memmove(model.v + b, model.v + b + 1, (model.n - b - 1) * sizeof *model.v);
        model.n--;
    }
}

/* What is there now is a prefix with all that was durable; the model becomes it. */
static void adopt_prefix(int64_t durable)
{
    mrt_log_state state = scene_state(&log_);
    mrt_segment segments[SEGMENTS_MAX];
    assert_true(state.end <= model.end);
    assert_true(state.end >= durable);
    assert_true(state.start <= model.start);
    assert_int_equal(state.durable, state.end);
    while (model.n > 0 && model.v[model.n - 1].last >= state.end) {
        if (model.v[model.n - 1].base < state.end) /* no batch is cut in two */
            assert_int_equal(state.end, state.start);
        model.n--;
    }
    model.segments = scene_segments(&log_, 0, segments, SEGMENTS_MAX);
    for (uint32_t i = 0; i < model.segments; i++)
        model.bases[i] = segments[i].base;
    model.end = state.end;
    model.start = state.start;
    for (uint32_t i = 0; i < model.segments; i++)
        forget_lost(i, segments[i].bytes);
}

static struct disk *crash_disk(bool cut)
{
    return cut ? disk_copy_cut(scene.disk, below(1u << 30)) : disk_copy(scene.disk);
}

/* Goes on with what @disk has, as the next process or after a reboot. */
static void come_back(struct disk *disk, bool cut, int64_t durable)
{
    unpin_all();
    assert_int_equal(scene_close(&log_), MRT_OK);
    assert_int_equal(scene_dir_close(&scene), MRT_OK);
    scene_restart_on(&scene, disk, cut);
    assert_int_equal(scene_dir_open(&scene), MRT_OK);
    assert_int_equal(scene_open(&scene, &log_, 0), MRT_OK);
    adopt_prefix(durable);
    check_indexes(false);
}

static void step_crash(void)
{
    bool cut = below(2) == 0;
    int64_t durable = promised(cut);
    come_back(crash_disk(cut), cut, durable);
}

/* A crash while an append of up to 4 batches is on its way. */
static void step_crash_in_append(void)
{
    struct batch made[4];
    mrt_slice slices[4];
    mrt_batch v[4];
    uint32_t n = 1 + below(4);
    bool cut = below(2) == 0;
    int64_t end = model.end;
    if (model.n + n > BATCHES_MAX)
        return;
    for (uint32_t i = 0; i < n; i++) {
        made[i] = invent(i, end);
        end = made[i].last + 1;
        v[i] = scene_describe(room[i], &slices[i]);
    }
    const mrt_append append = {.size = sizeof append, .v = v, .n = n};
    mrt_log_state after = {.size = sizeof after};
    struct scene_call call = {
        .scene = &scene,
        .exec = log_.exec,
        .call = scene_do_append,
        .log = log_.log,
        .in = &append,
        .out = &after,
    };
    int64_t durable = promised(cut);
    scene_start(&call);
    for (uint32_t i = below(6); i > 0; i--)
        world_step(scene.world);
    struct disk *disk = crash_disk(cut);
    if (scene_wait(&call) == MRT_OK) {
        memcpy(model.v + model.n, made, n * sizeof *made);
        model.n += n;
        model.end = end;
    }
    come_back(disk, cut, durable);
}

/* A crash while a call that only removes or seals is on its way. */
static void step_crash_in(mrt_status (*what)(struct scene_call *call, mrt_op *op), int64_t at)
{
    bool cut = below(2) == 0;
    struct scene_call call = {
        .scene = &scene, .exec = log_.exec, .call = what, .log = log_.log, .offset = at};
    int64_t durable = promised(cut);
    struct model before = model;
    if (what == scene_do_trim_tail) {
        model_trim_tail(at);
        durable = content_end() < durable ? content_end() : durable;
        model = before;
    }
    scene_start(&call);
    for (uint32_t i = below(40); i > 0; i--)
        world_step(scene.world);
    struct disk *disk = crash_disk(cut);
    assert_int_equal(scene_wait(&call), MRT_OK);
    if (what == scene_do_trim_head)
        model.start = at;
    come_back(disk, cut, durable);
}

static void step_crash_in_some(void)
{
    uint32_t span = (uint32_t)(model.end - model.start);
    switch (below(5)) {
    case 0:
        step_crash_in(scene_do_roll, 0);
        break;
    case 1:
        step_crash_in(scene_do_flush, model.end);
        break;
    case 2:
        step_crash_in(scene_do_trim_head, model.start + (int64_t)below(span + 1));
        break;
    case 3:
        step_crash_in(scene_do_trim_tail, model.start + (int64_t)below(span + 1));
        break;
    default:
        step_crash_in_append();
    }
}

static void step(bool crashes)
{
    uint32_t dice = below(100);
    if (dice < 40)
        step_append();
    else if (dice < 50)
        step_roll();
    else if (dice < 55)
        step_trim_head();
    else if (dice < 60)
        step_trim_tail();
    else if (dice < 61)
        step_restart();
    else if (dice < 82)
        step_read();
    else if (dice < 90)
        step_flush();
    else if (dice < 94)
        step_reopen();
    else if (!crashes)
        step_read();
    else if (dice < 95)
        step_fault();
    else if (dice < 97)
        step_crash();
    else
        step_crash_in_some();
    check_state();
    if (dice % 4 == 0)
        check_times();
}

static void run(bool simulated, uint64_t seed, uint32_t steps)
{
    printf("seed %llu\n", (unsigned long long)seed);
    state_ = seed;
    memset(&model, 0, sizeof model);
    model.segments = 1;
    scene = (struct scene){.simulated = simulated, .seed = seed};
    scene.cfg = (struct mrt_cfg){{8, 50, (int64_t)below(3) * 700, 96 + 8 * (int64_t)below(100)}};
    log_ = (struct scene_log){.topic = "orders", .topic_id = {9}};
    scene_boot(&scene);
    assert_int_equal(scene_dir_open(&scene), MRT_OK);
    assert_int_equal(scene_open(&scene, &log_, MRT_LOG_CREATE), MRT_OK);
    for (uint32_t i = 0; i < steps; i++)
        step(simulated);
    unpin_all();
    assert_int_equal(scene_close(&log_), MRT_OK);
    check_indexes(true);
    assert_int_equal(scene_dir_close(&scene), MRT_OK);
    scene_end(&scene);
}

static void the_log_is_what_the_model_is_on_linux(void **state)
{
    const char *chosen = getenv("MORTISE_SEED");
    (void)state;
    run(false, chosen != NULL ? strtoull(chosen, NULL, 10) : 1, STEPS);
}

static void the_log_is_what_the_model_is_through_crashes(void **state)
{
    (void)state;
    const char *chosen = getenv("MORTISE_SEED");
    if (chosen != NULL)
        run(true, strtoull(chosen, NULL, 10), STEPS);
    for (uint64_t seed = 10; seed < 22 && chosen == NULL; seed++)
        run(true, seed, STEPS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_log_is_what_the_model_is_through_crashes),
        cmocka_unit_test(the_log_is_what_the_model_is_on_linux),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
