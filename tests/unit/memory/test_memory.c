/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store of 1 MiB with segments of 16 KiB and at most 8 logs, one directory, and in it the open
 * log orders/3, empty. Its neighbour below, the model, is in test_model.c.
 */
#include <mortise/storage.h>

#include "tests/unit/fakehost.h"

const mrt_plugin *storage_memory_LTX_mortise_plugin_entry(uint32_t host_abi);

static struct fakehost host;
static struct mrt_exec exec = {&host};
static const mrt_impl *impl;
static const mrt_storage_ops *ops;
static void *store;
static mrt_dir *dir;
static mrt_log *log_;
static mrt_op op;
static uint32_t completions, space_events;
static uint64_t space_used;
static uint8_t payload[40000];

static void completed(mrt_op *of)
{
    assert_ptr_equal(of, &op);
    completions++;
}

static void space(void *ctx, mrt_dir *of, uint64_t used, uint64_t avail)
{
    assert_ptr_equal(ctx, &host);
    assert_ptr_equal(of, dir);
    assert_int_equal(used + avail, 1 << 20);
    space_used = used;
    space_events++;
}

static const mrt_storage_events events = {.size = sizeof events, .dir_space = space};

static mrt_log_spec spec_of(const char *topic, int32_t partition, uint32_t flags)
{
    return (mrt_log_spec){
        .size = sizeof(mrt_log_spec),
        .flags = flags,
        .topic_id = {7},
        .topic = {topic, strlen(topic)},
        .partition = partition,
        .exec = &exec,
    };
}

static mrt_status open_log(const char *topic, int32_t partition, uint32_t flags, mrt_log **out)
{
    mrt_log_spec spec = spec_of(topic, partition, flags);
    return ops->log_open(dir, &op, &spec, out);
}

static mrt_status open_dir(const char *path, mrt_dir **out)
{
    const mrt_dir_spec spec = {
        .size = sizeof spec,
        .exec = &exec,
        .path = {path, strlen(path)},
        .events = &events,
        .ctx = &host,
    };
    return ops->dir_open(store, &op, &spec, out);
}

static int set_up(void **state)
{
    static const mrt_cfg cfg = {{1 << 20, 16384, 8}};
    (void)state;
    fakehost_init(&host);
    completions = space_events = 0;
    op = (mrt_op){.done = completed, .exec = &exec};
    impl = storage_memory_LTX_mortise_plugin_entry(MRT_ABI)->impls;
    ops = impl->ops;
    for (uint32_t i = 0; i < sizeof payload; i++)
        payload[i] = (uint8_t)(i * 31 + i / 256);
    assert_int_equal(fakehost_create(&host, &exec, impl, &cfg, &store), MRT_OK);
    assert_int_equal(open_dir("/data", &dir), MRT_OK);
    return open_log("orders", 3, MRT_LOG_CREATE, &log_);
}

static int tear_down(void **state)
{
    (void)state;
    if (log_ != NULL)
        ops->log_close(log_, &op);
    completions = 0;
    if (ops->dir_close(dir, &op) == MRT_PENDING) {
        fakehost_run(&host);
        assert_int_equal(completions, 1);
    }
    completions = 0;
    assert_int_equal(impl->life->stop(store, &op), MRT_PENDING);
    fakehost_run(&host);
    assert_int_equal(completions, 1);
    impl->life->destroy(store);
    assert_int_equal(host.blocks, 0);
    return 0;
}

/* One batch of offsets [@base, @last] and @bytes of payload, in two slices. */
static mrt_status append(mrt_log *to, int64_t base, int64_t last, uint64_t bytes, int64_t at_ms)
{
    const mrt_slice v[] = {
        {MRT_SLICE_MEM, 0, (uintptr_t)payload, 0, bytes / 3},
        {MRT_SLICE_REGBUF, 0, (uintptr_t)payload, bytes / 3, bytes - bytes / 3},
    };
    const mrt_batch batch = {{v, 2, 0, bytes, NULL}, base, last, at_ms, 1, 0};
    const mrt_append how = {.size = sizeof how, .v = &batch, .n = 1};
    mrt_log_state after = {.size = sizeof after};
    mrt_status status = ops->append(to, &op, &how, &after);
    if (status == MRT_OK)
        assert_int_equal(after.end, last + 1);
    return status;
}

static mrt_log_state state_of(mrt_log *of)
{
    mrt_log_state out = {.size = sizeof out};
    ops->state(of, &out);
    return out;
}

static mrt_read_res read_from(mrt_log *of, int64_t from, mrt_slice *slices, uint32_t cap)
{
    const mrt_read read = {sizeof read, 1, from, INT64_MAX, 1 << 20};
    mrt_read_res res = {.size = sizeof res, .cap = cap, .slices = slices};
    assert_int_equal(ops->read(of, &op, &read, &res), MRT_OK);
    return res;
}

static void give_back(const mrt_read_res *res)
{
    if (res->data.lease != NULL)
        res->data.lease->ops->release(res->data.lease);
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void a_closed_log_is_found_again_with_all_it_had(void **state)
{
    (void)state;
    mrt_slice slices[4];
    const mrt_str blob = {"epochs", 6};
    char buf[8];
    uint64_t got;
    int64_t mark = 0;

    assert_int_equal(append(log_, 0, 9, 300, 5), MRT_OK);
    ops->mark_set(log_, MRT_MARK_HIGH_WATERMARK, 10);
    assert_int_equal(ops->blob_put(log_, &op, MRT_BLOB_EPOCHS, 0, &blob, 0), MRT_OK);
    assert_int_equal(open_log("orders", 3, 0, &log_), MRT_EBUSY);
    assert_int_equal(ops->log_close(log_, &op), MRT_OK);
    assert_int_equal(open_log("orders", 3, 0, &log_), MRT_OK);
    assert_int_equal(state_of(log_).end, 10);
    assert_int_equal(ops->mark_get(log_, MRT_MARK_HIGH_WATERMARK, &mark), MRT_OK);
    assert_int_equal(mark, 10);
    assert_int_equal(ops->mark_get(log_, MRT_MARK_LOG_START, &mark), MRT_ENOENT);
    assert_int_equal(ops->blob_get(log_, &op, MRT_BLOB_EPOCHS, 0, buf, 8, &got), MRT_OK);
    assert_int_equal(got, 6);
    mrt_read_res res = read_from(log_, 4, slices, 4);
    assert_int_equal(res.data.bytes, 300);
    assert_int_equal(res.first_offset, 0);
    assert_int_equal(res.next_offset, 10);
    assert_memory_equal((void *)(uintptr_t)(slices[0].ref + slices[0].off), payload, 300);
    give_back(&res);
}

static void another_topic_id_is_another_log(void **state)
{
    (void)state;
    mrt_log *other;
    mrt_log_spec spec = spec_of("orders", 3, 0);
    spec.topic_id[15] = 1;
    assert_int_equal(ops->log_open(dir, &op, &spec, &other), MRT_ENOENT);
    spec.flags = MRT_LOG_CREATE;
    assert_int_equal(ops->log_open(dir, &op, &spec, &other), MRT_OK);
    assert_ptr_not_equal(other, log_);
    assert_int_equal(ops->log_remove(dir, &op, &spec), MRT_EBUSY);
    assert_int_equal(ops->log_close(other, &op), MRT_OK);
    assert_int_equal(ops->log_remove(dir, &op, &spec), MRT_OK);
    assert_int_equal(ops->log_remove(dir, &op, &spec), MRT_ENOENT);
}

static void open_refuses_what_it_does_not_know(void **state)
{
    (void)state;
    char name[300];
    mrt_log *other = NULL;
    mrt_dir *second = NULL;
    memset(name, 'a', sizeof name);
    name[250] = 0;
    assert_int_equal(open_log("x", 0, MRT_LOG_OPEN_FUTURE | MRT_LOG_CREATE, &other), MRT_EINVAL);
    assert_int_equal(open_log("x", 0, 1u << 30, &other), MRT_EINVAL);
    assert_int_equal(open_log("", 0, MRT_LOG_CREATE, &other), MRT_EINVAL);
    assert_int_equal(open_log(name, 0, MRT_LOG_CREATE, &other), MRT_EINVAL);
    assert_int_equal(open_dir("/data", &second), MRT_EBUSY);
    assert_null(other);
    assert_null(second);
}

static void a_directory_holds_logs_max_logs(void **state)
{
    (void)state;
    mrt_log *logs[8];
    for (int32_t i = 0; i < 7; i++)
        assert_int_equal(open_log("many", i, MRT_LOG_CREATE, &logs[i]), MRT_OK);
    assert_int_equal(open_log("many", 7, MRT_LOG_CREATE, &logs[7]), MRT_ENOMEM);
    for (int32_t i = 0; i < 7; i++)
        assert_int_equal(ops->log_close(logs[i], &op), MRT_OK);
}

static void the_inventory_pages_on_while_logs_come_and_go(void **state)
{
    (void)state;
    mrt_log *one;
    mrt_log_row rows[2];
    char text[13]; /* two names of six bytes */
    mrt_log_list list = {sizeof list, 0, 0, rows, 2, sizeof *rows, text, sizeof text};
    const mrt_log_spec gone = spec_of("topic0", 0, 0);

    assert_int_equal(append(log_, 0, 4, 100, 5), MRT_OK);
    for (int32_t i = 0; i < 4; i++) {
        char name[8] = "topic0";
        name[5] = (char)('0' + i);
        assert_int_equal(open_log(name, i, MRT_LOG_CREATE, &one), MRT_OK);
        assert_int_equal(ops->log_close(one, &op), MRT_OK);
    }
    assert_int_equal(ops->logs(dir, &op, &list), MRT_OK);
    assert_int_equal(list.n, 2);
    assert_memory_equal(rows[0].topic.p, "orders", 6);
    assert_int_equal(rows[0].end, 5);
    assert_int_equal(rows[0].durable, 0);
    assert_int_equal(rows[0].bytes, 100);
    assert_int_equal(rows[0].topic_id[0], 7);
    assert_int_equal(ops->log_remove(dir, &op, &gone), MRT_OK); /* the last row given */
    assert_int_equal(ops->logs(dir, &op, &list), MRT_OK);
    assert_int_equal(list.n, 2);
    assert_memory_equal(rows[0].topic.p, "topic1", 6);
    list.text_cap = 5;
    assert_int_equal(ops->logs(dir, &op, &list), MRT_ETOOBIG);
    list.text_cap = 6;
    assert_int_equal(ops->logs(dir, &op, &list), MRT_OK);
    assert_int_equal(list.n, 1);
    assert_memory_equal(rows[0].topic.p, "topic3", 6);
    assert_int_equal(ops->logs(dir, &op, &list), MRT_OK);
    assert_int_equal(list.n, 0);
}

static void a_full_segment_asks_for_a_roll_and_an_empty_one_takes_anything(void **state)
{
    (void)state;
    assert_int_equal(append(log_, 0, 0, 20000, 1), MRT_OK); /* larger than a segment, alone */
    const mrt_log_state before = state_of(log_);
    assert_int_equal(append(log_, 1, 1, 1, 1), MRT_EFULL);
    const mrt_log_state after = state_of(log_);
    assert_memory_equal(&before, &after, sizeof before);
    assert_int_equal(ops->roll(log_, &op), MRT_OK);
    assert_int_equal(state_of(log_).active_base, 1);
    assert_int_equal(state_of(log_).active_bytes, 0);
    assert_int_equal(append(log_, 1, 1, 1, 1), MRT_OK);
}

static void rolling_an_empty_segment_does_nothing(void **state)
{
    (void)state;
    mrt_segment segments[4];
    uint32_t n;
    assert_int_equal(append(log_, 0, 0, 10, 1), MRT_OK);
    assert_int_equal(ops->roll(log_, &op), MRT_OK);
    assert_int_equal(ops->roll(log_, &op), MRT_OK);
    assert_int_equal(ops->segments(log_, 0, segments, 4, &n), MRT_OK);
    assert_int_equal(n, 2);
    assert_int_equal(segments[0].flags, 0);
    assert_int_equal(segments[1].flags, MRT_SEGMENT_ACTIVE);
    assert_int_equal(segments[1].max_timestamp_ms, -1);
}

static void a_segment_says_when_it_was_made_and_its_greatest_timestamp(void **state)
{
    (void)state;
    mrt_segment segments[4];
    uint32_t n;
    assert_int_equal(append(log_, 0, 0, 10, 500), MRT_OK);
    assert_int_equal(append(log_, 1, 1, 10, 300), MRT_OK);
    fakehost_wall_ms = 2000;
    assert_int_equal(ops->roll(log_, &op), MRT_OK);
    fakehost_wall_ms = 1000;
    assert_int_equal(ops->segments(log_, 0, segments, 4, &n), MRT_OK);
    assert_int_equal(segments[0].max_timestamp_ms, 500);
    assert_int_equal(segments[0].created_ms, 1000);
    assert_int_equal(segments[1].created_ms, 2000);
    assert_int_equal(segments[0].next, 2);
    assert_int_equal(ops->segments(log_, 2, segments, 4, &n), MRT_OK);
    assert_int_equal(n, 1);
    assert_int_equal(segments[0].base, 2);
}

static void pinned_bytes_survive_trimming_rewriting_closing_and_removal(void **state)
{
    (void)state;
    mrt_slice slices[2];
    const mrt_log_spec spec = spec_of("orders", 3, 0);
    assert_int_equal(append(log_, 0, 9, 900, 1), MRT_OK);
    mrt_read_res res = read_from(log_, 0, slices, 2);
    assert_int_equal(ops->trim_tail(log_, &op, 0), MRT_OK);
    memset(payload, 0xee, 900);
    assert_int_equal(append(log_, 0, 0, 900, 1), MRT_OK); /* where the cut bytes were, almost */
    assert_int_equal(ops->restart(log_, &op, 77), MRT_OK);
    assert_int_equal(ops->log_close(log_, &op), MRT_OK);
    log_ = NULL;
    assert_int_equal(ops->log_remove(dir, &op, &spec), MRT_OK);
    const uint8_t *bytes = (const uint8_t *)(uintptr_t)(slices[0].ref + slices[0].off);
    for (uint32_t i = 0; i < 900; i++)
        assert_int_equal(bytes[i], (uint8_t)(i * 31 + i / 256));
    give_back(&res);
}

static void stop_waits_for_the_last_lease(void **state)
{
    static const mrt_cfg cfg = {{1 << 20, 16384, 8}};
    mrt_slice slices[2];
    void *mine, *kept = store;
    mrt_dir *kept_dir = dir;
    mrt_log *kept_log = log_;
    (void)state;
    assert_int_equal(fakehost_create(&host, &exec, impl, &cfg, &mine), MRT_OK);
    store = mine; /* the second instance of this process */
    assert_int_equal(open_dir("/data", &dir), MRT_OK);
    assert_int_equal(open_log("orders", 3, MRT_LOG_CREATE, &log_), MRT_OK);
    assert_int_equal(append(log_, 0, 0, 100, 1), MRT_OK);
    mrt_read_res first = read_from(log_, 0, slices, 2), second = read_from(log_, 0, slices, 2);
    assert_int_equal(ops->log_close(log_, &op), MRT_OK);
    assert_int_equal(ops->dir_close(dir, &op), MRT_OK);
    assert_int_equal(impl->life->stop(mine, &op), MRT_PENDING);
    give_back(&first);
    fakehost_run(&host);
    assert_int_equal(completions, 0);
    give_back(&second);
    fakehost_run(&host);
    assert_int_equal(completions, 1);
    impl->life->destroy(mine);
    store = kept;
    dir = kept_dir;
    log_ = kept_log;
}

static void a_spent_budget_refuses_writing_and_nothing_else(void **state)
{
    (void)state;
    mrt_slice slices[64];
    int64_t end = 0;
    mrt_status status = MRT_OK;
    while (status == MRT_OK) {
        status = append(log_, end, end, 8000, 1);
        if (status == MRT_EFULL)
            status = ops->roll(log_, &op);
        else if (status == MRT_OK)
            end++;
    }
    assert_int_equal(status, MRT_ENOSPC);
    assert_in_range(end, 100, 131); /* 1 MiB holds 131 of them, chunks and indexes aside */
    const mrt_log_state before = state_of(log_);
    const mrt_str blob = {(const char *)payload, 30000};
    assert_int_equal(ops->blob_put(log_, &op, 1, 0, &blob, 0), MRT_ENOSPC);
    assert_int_equal(ops->blob_put(log_, &op, 1, 0, &blob, MRT_BLOB_APPEND), MRT_ENOSPC);
    const mrt_log_state after = state_of(log_);
    assert_memory_equal(&before, &after, sizeof before);
    mrt_read_res res = read_from(log_, 0, slices, 64);
    assert_true(res.data.n > 0);
    give_back(&res);
    assert_int_equal(ops->trim_head(log_, &op, end / 2), MRT_OK);
    assert_int_equal(append(log_, end, end, 8000, 1), MRT_OK);
    assert_int_equal(ops->trim_tail(log_, &op, end / 2), MRT_OK);
    assert_int_equal(state_of(log_).end, end / 2);
}

static void space_is_told_later_and_only_when_it_moved(void **state)
{
    (void)state;
    assert_int_equal(append(log_, 0, 0, 10, 1), MRT_OK);
    fakehost_run(&host);
    uint32_t told = space_events; /* opening may have moved it */
    assert_int_equal(append(log_, 1, 1, 10, 1), MRT_OK);
    fakehost_run(&host);
    assert_int_equal(space_events, told);
    assert_int_equal(ops->roll(log_, &op), MRT_OK);
    assert_int_equal(append(log_, 2, 2, 16000, 1), MRT_OK);
    assert_int_equal(space_events, told);
    fakehost_run(&host);
    assert_int_equal(space_events, told + 1);
    assert_true(space_used > 16000);
    assert_int_equal(ops->restart(log_, &op, 0), MRT_OK); /* an event under way as we close */
}

static void a_read_only_log_refuses_every_change(void **state)
{
    (void)state;
    const mrt_str blob = {"x", 1};
    int64_t mark;
    assert_int_equal(append(log_, 0, 0, 10, 1), MRT_OK);
    assert_int_equal(ops->log_close(log_, &op), MRT_OK);
    assert_int_equal(open_log("orders", 3, MRT_LOG_READONLY | MRT_LOG_VERIFY, &log_), MRT_OK);
    const mrt_log_state before = state_of(log_);
    assert_int_equal(append(log_, 1, 1, 10, 1), MRT_EREADONLY);
    assert_int_equal(ops->roll(log_, &op), MRT_EREADONLY);
    assert_int_equal(ops->trim_head(log_, &op, 1), MRT_EREADONLY);
    assert_int_equal(ops->trim_tail(log_, &op, 0), MRT_EREADONLY);
    assert_int_equal(ops->restart(log_, &op, 0), MRT_EREADONLY);
    assert_int_equal(ops->blob_put(log_, &op, 1, 0, &blob, 0), MRT_EREADONLY);
    assert_int_equal(ops->blob_remove(log_, &op, 1, 0), MRT_EREADONLY);
    ops->mark_set(log_, 1, 5);
    assert_int_equal(ops->mark_get(log_, 1, &mark), MRT_ENOENT);
    const mrt_log_state after = state_of(log_);
    assert_memory_equal(&before, &after, sizeof before);
}

static void a_bad_append_changes_nothing(void **state)
{
    (void)state;
    const mrt_slice file = {MRT_SLICE_FILE, 0, 1, 0, 10};
    const mrt_slice mem = {MRT_SLICE_MEM, 0, (uintptr_t)payload, 0, 10};
    const mrt_batch bad[][2] = {
        {{{&mem, 1, 0, 10, NULL}, 5, 5, 1, 1, 0}, {{&mem, 1, 0, 10, NULL}, 5, 6, 1, 1, 0}},
        {{{&mem, 1, 0, 10, NULL}, 5, 5, 1, 1, 0}, {{&file, 1, 0, 10, NULL}, 6, 6, 1, 1, 0}},
        {{{&mem, 1, 0, 10, NULL}, 5, 5, 1, 1, 0}, {{&mem, 1, 0, 11, NULL}, 6, 6, 1, 1, 0}},
        {{{&mem, 1, 0, 10, NULL}, 5, 5, 1, 1, 0}, {{&mem, 1, 0, 10, NULL}, 7, 6, 1, 1, 0}},
    };
    assert_int_equal(append(log_, 0, 4, 10, 1), MRT_OK);
    const mrt_log_state before = state_of(log_);
    for (uint32_t i = 0; i < 4; i++) {
        const mrt_append how = {.size = sizeof how, .v = bad[i], .n = 2};
        mrt_log_state out = {.size = sizeof out};
        assert_int_equal(ops->append(log_, &op, &how, &out), i == 0 ? MRT_ERANGE : MRT_EINVAL);
        const mrt_log_state after = state_of(log_);
        assert_memory_equal(&before, &after, sizeof before);
    }
}

static void cutting_inside_a_batch_below_the_start_ends_at_the_start(void **state)
{
    (void)state;
    mrt_slice slice;
    assert_int_equal(append(log_, 0, 9, 10, 1), MRT_OK);
    assert_int_equal(append(log_, 10, 19, 10, 1), MRT_OK);
    assert_int_equal(ops->trim_head(log_, &op, 5), MRT_OK);
    mrt_read_res res = read_from(log_, 5, &slice, 1);
    assert_int_equal(res.first_offset, 0); /* whole batches */
    give_back(&res);
    assert_int_equal(ops->trim_tail(log_, &op, 4), MRT_ERANGE);
    assert_int_equal(ops->trim_tail(log_, &op, 5), MRT_OK);
    assert_int_equal(state_of(log_).end, 5);
    res = read_from(log_, 5, &slice, 1);
    assert_int_equal(res.data.n, 0);
    assert_null(res.data.lease);
    assert_int_equal(append(log_, 5, 5, 10, 1), MRT_OK);
}

static void blobs_grow_are_listed_in_order_and_go(void **state)
{
    (void)state;
    const mrt_str part = {"abcdefgh", 8};
    int64_t offsets[4];
    char buf[1000];
    uint64_t got = 0;
    uint32_t n;
    for (uint32_t i = 0; i < 100; i++)
        assert_int_equal(ops->blob_put(log_, &op, 3, 50, &part, MRT_BLOB_APPEND), MRT_OK);
    assert_int_equal(ops->blob_put(log_, &op, 3, 10, &part, 0), MRT_OK);
    assert_int_equal(ops->blob_put(log_, &op, 3, 30, &part, 0), MRT_OK);
    assert_int_equal(ops->blob_put(log_, &op, 2, 40, &part, 0), MRT_OK);
    assert_int_equal(ops->blob_put(log_, &op, 3, 30, &part, 1u << 9), MRT_EINVAL);
    assert_int_equal(ops->blob_get(log_, &op, 3, 50, buf, 799, &got), MRT_ETOOBIG);
    assert_int_equal(got, 800);
    assert_int_equal(ops->blob_get(log_, &op, 3, 50, buf, 800, &got), MRT_OK);
    for (uint32_t i = 0; i < 800; i++)
        assert_int_equal(buf[i], 'a' + (char)(i % 8));
    assert_int_equal(ops->blobs(log_, 3, 11, offsets, 4, &n), MRT_OK);
    assert_int_equal(n, 2);
    assert_int_equal(offsets[0], 30);
    assert_int_equal(offsets[1], 50);
    assert_int_equal(ops->blob_remove(log_, &op, 3, 30), MRT_OK);
    assert_int_equal(ops->blob_remove(log_, &op, 3, 30), MRT_OK);
    assert_int_equal(ops->blob_get(log_, &op, 3, 30, buf, 8, &got), MRT_ENOENT);
    assert_int_equal(ops->blob_put(log_, &op, 3, 50, &part, 0), MRT_OK);
    assert_int_equal(ops->blob_get(log_, &op, 3, 50, buf, 8, &got), MRT_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_closed_log_is_found_again_with_all_it_had),
        TEST(another_topic_id_is_another_log),
        TEST(open_refuses_what_it_does_not_know),
        TEST(a_directory_holds_logs_max_logs),
        TEST(the_inventory_pages_on_while_logs_come_and_go),
        TEST(a_full_segment_asks_for_a_roll_and_an_empty_one_takes_anything),
        TEST(rolling_an_empty_segment_does_nothing),
        TEST(a_segment_says_when_it_was_made_and_its_greatest_timestamp),
        TEST(pinned_bytes_survive_trimming_rewriting_closing_and_removal),
        TEST(stop_waits_for_the_last_lease),
        TEST(a_spent_budget_refuses_writing_and_nothing_else),
        TEST(space_is_told_later_and_only_when_it_moved),
        TEST(a_read_only_log_refuses_every_change),
        TEST(a_bad_append_changes_nothing),
        TEST(cutting_inside_a_batch_below_the_start_ends_at_the_start),
        TEST(blobs_grow_are_listed_in_order_and_go),
    };
    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
