/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of one plugin instance other than files: memory and its account, leaf locks, random
 * streams, buffers, metrics, watched descriptors, log lines. The lines of a runtime go into a pipe,
 * which the tests read, and one of them does not.
 */
#include <fcntl.h>

#include "core/base/memory.h"
#include "core/base/str.h"
#include "core/runtime/budget.h"
#include "core/runtime/bytes.h"
#include "core/runtime/host.h"
#include "tests/unit/live.h"

struct scene {
    struct live live;
    struct host *host;
    const mrt_host *table;
    mrt_exec *exec; /* reactor 0 */
    int lines[2];   /* a pipe */
};

static int start(void **state)
{
    static struct scene scene;
    assert_int_equal(pipe(scene.lines), 0);
    fcntl(scene.lines[0], F_SETFL, O_NONBLOCK);
    scene.live.env = env_linux_new(&(struct env_linux_options){.log_fd = scene.lines[1]});
    scene.live.runtime = runtime_new(&(struct runtime_options){
        .env = scene.live.env,
        .reactors = test_reactors(),
        .log_level = MRT_LOG_INFO,
        .seed = 7,
        .memory_max = 4 << 20,
    });
    runtime_start(scene.live.runtime);
    scene.host = host_new(&(struct host_options){
        .runtime = scene.live.runtime,
        .name = "storage/toy",
        .flags = HOST_OS,
        .memory_max = 10000,
    });
    scene.table = host_table(scene.host);
    scene.exec = runtime_reactor(scene.live.runtime, 0);
    *state = &scene;
    return 0;
}

static int end(void **state)
{
    struct scene *scene = *state;
    host_free(scene->host);
    live_stop(&scene->live);
    close(scene->lines[0]);
    close(scene->lines[1]);
    return 0;
}

/* What was logged since; terminated. */
static const char *lines(struct scene *scene)
{
    static char text[100000];
    ssize_t n = read(scene->lines[0], text, sizeof text - 1);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

/* ---- the base table -------------------------------------------------------------------------- */

static void tables_are_found_by_name(void **state)
{
    struct scene *scene = *state;
    static const uint32_t offered = 4;
    const char *ids[] = {MRT_HOST_EXEC,    MRT_HOST_CLOCK, MRT_HOST_RANDOM,  MRT_HOST_FILE,
                         MRT_HOST_BUFFERS, MRT_HOST_LOG,   MRT_HOST_METRICS, MRT_HOST_POLL};
    for (uint32_t i = 0; i < sizeof ids / sizeof *ids; i++)
        assert_non_null(scene->table->get(scene->table, ids[i]));
    assert_null(scene->table->get(scene->table, "mortise.host.exec/2"));
    assert_null(scene->table->get(scene->table, MRT_HOST_PROBE)); /* not in a daemon */

    struct host *plain =
        host_new(&(struct host_options){.runtime = scene->live.runtime, .name = "codec/toy"});
    const mrt_host *table = host_table(plain);
    assert_null(table->get(table, MRT_HOST_POLL));
    host_offer(plain, "mortise.host.peer/1", &offered, scene);
    assert_ptr_equal(table->get(table, "mortise.host.peer/1"), &offered);
    assert_ptr_equal(host_context(host_of(table), "mortise.host.peer/1"), scene);
    assert_null(scene->table->get(scene->table, "mortise.host.peer/1"));
    host_free(plain);
}

static void memory_is_accounted_aligned_and_limited(void **state)
{
    struct scene *scene = *state;
    void *blocks[5];
    const uint64_t aligns[] = {1, 8, 64, 512, 4096};
    for (uint32_t i = 0; i < 5; i++) {
        blocks[i] = scene->table->alloc(scene->table, 1000, aligns[i]);
        assert_non_null(blocks[i]);
        assert_int_equal((uintptr_t)blocks[i] % aligns[i], 0);
        memset(blocks[i], 0xaa, 1000);
    }
    assert_int_equal(host_memory(scene->host), 5000);
    assert_null(scene->table->alloc(scene->table, 5001, 8));
    assert_null(scene->table->alloc(scene->table, UINT64_MAX - 10, 8));
    assert_null(scene->table->alloc(scene->table, 8, 3));
    assert_int_equal(host_memory(scene->host), 5000);
    for (uint32_t i = 0; i < 5; i++)
        scene->table->free(scene->table, blocks[i]);
    scene->table->free(scene->table, NULL);
    assert_int_equal(host_memory(scene->host), 0);
}

static void what_an_instance_leaves_behind_is_freed_and_said(void **state)
{
    struct scene *scene = *state;
    struct host *host =
        host_new(&(struct host_options){.runtime = scene->live.runtime, .name = "codec/leaky"});
    assert_non_null(host_table(host)->alloc(host_table(host), 100, 8));
    assert_non_null(host_table(host)->alloc(host_table(host), 23, 8));
    host_free(host);
    assert_non_null(
        strstr(lines(scene), " warn plugin.leaked plugin=codec/leaky blocks=2 bytes=123\n"));
}

static void inside_is_about_the_calling_thread(void **state)
{
    struct scene *scene = *state;
    assert_int_equal(scene->table->inside(scene->table, scene->exec), 0);
}

/* ---- leaf locks ------------------------------------------------------------------------------ */

#define ROUNDS 20000

struct shared {
    const mrt_host_exec *exec;
    mrt_leaf *leaf;
    uint64_t count; /* guarded by leaf */
};

static void count_up(void *arg)
{
    struct shared *shared = arg;
    for (uint32_t i = 0; i < ROUNDS; i++) {
        shared->exec->leaf_enter(shared->leaf);
        shared->count++;
        shared->exec->leaf_leave(shared->leaf);
    }
}

static void a_leaf_lock_guards_what_executors_share(void **state)
{
    struct scene *scene = *state;
    struct shared shared = {.exec = scene->table->get(scene->table, MRT_HOST_EXEC)};
    struct live_call calls[3];
    assert_int_equal(shared.exec->leaf_new(scene->table, &shared.leaf), MRT_OK);
    for (uint32_t i = 0; i < 3; i++) {
        calls[i] = (struct live_call){.task.run = live_call_run, .run = count_up, .arg = &shared};
        live_event_init(&calls[i].done);
        exec_post(
            runtime_reactor(scene->live.runtime, i % runtime_reactors(scene->live.runtime)),
            &calls[i].task);
    }
    count_up(&shared);
    for (uint32_t i = 0; i < 3; i++)
        live_wait(&calls[i].done);
    assert_int_equal(shared.count, 4 * ROUNDS);
    shared.exec->leaf_free(shared.leaf);
}

/* ---- random ---------------------------------------------------------------------------------- */

struct draws {
    struct scene *scene;
    struct host *host;
    const char *purpose;
    mrt_status status;
    uint64_t v[4];
    uint8_t secret[32];
};

static void draw(void *arg)
{
    struct draws *draws = arg;
    const mrt_host *table = host_table(draws->host);
    const mrt_host_random *random = table->get(table, MRT_HOST_RANDOM);
    mrt_random *stream = NULL;
    mrt_str purpose = str_of(draws->purpose);
    draws->status = random->stream(table, draws->scene->exec, &purpose, &stream);
    for (uint32_t i = 0; i < 4 && draws->status == MRT_OK; i++)
        draws->v[i] = random->next(stream);
    random->secret(draws->scene->exec, draws->secret, sizeof draws->secret);
}

static void streams_are_told_apart_by_instance_and_purpose(void **state)
{
    struct scene *scene = *state;
    struct draws draws[4];
    struct host *hosts[2];
    for (uint32_t i = 0; i < 2; i++) /* the same name: as after a restart with the same seed */
        hosts[i] = host_new(&(struct host_options){.runtime = scene->live.runtime, .name = "x/y"});
    draws[0] = (struct draws){.scene = scene, .host = hosts[0], .purpose = "jitter"};
    draws[1] = (struct draws){.scene = scene, .host = hosts[1], .purpose = "jitter"};
    draws[2] = (struct draws){.scene = scene, .host = hosts[0], .purpose = "ids"};
    draws[3] = (struct draws){.scene = scene, .host = scene->host, .purpose = "jitter"};
    for (uint32_t i = 0; i < 4; i++) {
        live_inside(scene->exec, draw, &draws[i]);
        assert_int_equal(draws[i].status, MRT_OK);
    }
    assert_memory_equal(draws[0].v, draws[1].v, sizeof draws[0].v);
    assert_memory_not_equal(draws[0].v, draws[2].v, sizeof draws[0].v);
    assert_memory_not_equal(draws[0].v, draws[3].v, sizeof draws[0].v);
    assert_memory_not_equal(draws[0].secret, draws[1].secret, sizeof draws[0].secret);
    draws[1].purpose = "";
    live_inside(scene->exec, draw, &draws[1]);
    assert_int_equal(draws[1].status, MRT_EINVAL);
    host_free(hosts[0]);
    host_free(hosts[1]);
}

/* ---- buffers --------------------------------------------------------------------------------- */

struct room {
    struct scene *scene;
    uint64_t bytes;
    mrt_status status;
    mrt_slice slice;
    mrt_lease *lease;
};

static void take_room(void *arg)
{
    struct room *room = arg;
    const mrt_host *table = room->scene->table;
    const mrt_host_buffers *buffers = table->get(table, MRT_HOST_BUFFERS);
    room->status = buffers->take(room->scene->exec, room->bytes, &room->slice, &room->lease);
}

static void taken_memory_can_be_mapped_and_is_limited_by_the_process(void **state)
{
    struct scene *scene = *state;
    const mrt_host_buffers *buffers = scene->table->get(scene->table, MRT_HOST_BUFFERS);
    struct room room = {.scene = scene, .bytes = 100000};
    uint8_t *at = NULL;
    live_inside(scene->exec, take_room, &room);
    assert_int_equal(room.status, MRT_OK);
    room.slice.off = 5;
    assert_int_equal(buffers->map(scene->table, &room.slice, &at), MRT_OK);
    assert_ptr_equal(at, (uint8_t *)(uintptr_t)room.slice.ref + 5);
    struct budget *process = runtime_budget(scene->live.runtime);
    assert_int_equal(budget_used(process, ACCOUNT_CACHE), 100000);
    struct room more = {.scene = scene, .bytes = 1 << 20};
    live_inside(scene->exec, take_room, &more);
    assert_int_equal(more.status, MRT_ENOMEM);
    lease_release(room.lease);
    assert_int_equal(budget_used(process, ACCOUNT_CACHE), 0);
}

/* ---- metrics --------------------------------------------------------------------------------- */

struct seen {
    uint32_t n;
    struct host_metric rows[4];
};

static void see(void *ctx, const struct host_metric *metric)
{
    struct seen *seen = ctx;
    seen->rows[seen->n++] = *metric;
}

static void metrics_count_hold_and_spread(void **state)
{
    struct scene *scene = *state;
    const mrt_host_metrics *metrics = scene->table->get(scene->table, MRT_HOST_METRICS);
    const char *names[] = {"appends", "open_files", "flush_ns"};
    mrt_metric *handles[3];
    mrt_metric_def def = {.size = sizeof def};
    for (uint32_t i = 0; i < 3; i++) {
        def.name = str_of(names[i]);
        def.type = MRT_METRIC_COUNTER + i;
        assert_int_equal(metrics->define(scene->table, &def, &handles[i]), MRT_OK);
    }
    mrt_metric *twice = NULL;
    assert_int_equal(metrics->define(scene->table, &def, &twice), MRT_EEXIST);
    def.type = 9;
    assert_int_equal(metrics->define(scene->table, &def, &twice), MRT_EINVAL);
    assert_null(twice);
    metrics->add(handles[0], 2);
    metrics->add(handles[0], 3);
    metrics->set(handles[1], -7);
    metrics->observe(handles[2], 0);
    metrics->observe(handles[2], 5);
    metrics->observe(handles[2], UINT64_MAX / 2);
    struct seen seen = {0};
    host_metrics_each(scene->host, see, &seen);
    assert_int_equal(seen.n, 3);
    assert_string_equal(seen.rows[0].name, "appends");
    assert_int_equal(seen.rows[0].value, 5);
    assert_int_equal((int64_t)seen.rows[1].value, -7);
    assert_int_equal(seen.rows[2].value, 3);
    assert_int_equal(seen.rows[2].buckets[0], 1);
    assert_int_equal(seen.rows[2].buckets[3], 1); /* 4 to 7 */
    assert_int_equal(seen.rows[2].buckets[HOST_BUCKETS - 1], 1);
}

/* ---- watched descriptors --------------------------------------------------------------------- */

struct watcher {
    mrt_watch watch;
    struct scene *scene;
    int fds[2];
    struct watcher *ends; /* unwatched when this one is ready */
    uint32_t ready;
    uint32_t events;
    mrt_status status;
    struct live_event event;
};

static const mrt_host_poll *poll_table(struct scene *scene)
{
    return scene->table->get(scene->table, MRT_HOST_POLL);
}

static void on_ready(mrt_watch *watch, uint32_t events)
{
    struct watcher *own = CONTAINER(watch, struct watcher, watch);
    char byte;
    own->ready++;
    own->events = events;
    if ((events & MRT_POLL_READ) != 0)
        own->status = read(own->fds[0], &byte, 1) == 1 ? MRT_OK : MRT_EIO;
    if (own->ends != NULL)
        poll_table(own->scene)->unwatch(own->scene->exec, &own->ends->watch);
    live_signal(&own->event);
}

static void watch_start(void *arg)
{
    struct watcher *own = arg;
    own->watch.ready = on_ready;
    own->status =
        poll_table(own->scene)->watch(own->scene->exec, &own->watch, own->fds[0], MRT_POLL_READ);
}

static void watch_both(void *arg)
{
    struct watcher *watchers = arg;
    watch_start(&watchers[0]);
    watch_start(&watchers[1]);
    for (uint32_t i = 0; i < 2; i++) /* both are ready before the reactor looks */
        watchers[i].status = write(watchers[i].fds[1], "x", 1) == 1 ? MRT_OK : MRT_EIO;
}

static void watch_end(void *arg)
{
    struct watcher *own = arg;
    poll_table(own->scene)->unwatch(own->scene->exec, &own->watch);
    poll_table(own->scene)->unwatch(own->scene->exec, &own->watch); /* once is enough */
}

static void copy_ready(void *arg)
{
    struct watcher *watchers = arg;
    watchers[2].ready = watchers[0].ready + watchers[1].ready;
}

static void a_watch_that_was_ended_is_not_ready_any_more(void **state)
{
    struct scene *scene = *state;
    struct watcher watchers[3] = {{.scene = scene}, {.scene = scene}, {.scene = scene}};
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(pipe(watchers[i].fds), 0);
        watchers[i].ends = &watchers[1 - i];
        live_event_init(&watchers[i].event);
    }
    live_inside(scene->exec, watch_both, watchers);
    for (uint32_t i = 0; i < 1000 && watchers[2].ready == 0; i++) {
        usleep(100);
        live_inside(scene->exec, copy_ready, watchers);
    }
    live_inside(scene->exec, watch_end, &watchers[0]);
    live_inside(scene->exec, watch_end, &watchers[1]);
    live_inside(scene->exec, copy_ready, watchers);
    assert_int_equal(watchers[2].ready, 1);
    for (uint32_t i = 0; i < 2; i++) {
        close(watchers[i].fds[0]);
        close(watchers[i].fds[1]);
    }
}

/* ---- lines ----------------------------------------------------------------------------------- */

static void a_line_has_time_level_event_name_and_trace(void **state)
{
    struct scene *scene = *state;
    const mrt_host_log *log = scene->table->get(scene->table, MRT_HOST_LOG);
    assert_int_equal(log->enabled(scene->table, MRT_LOG_DEBUG), 0);
    assert_int_equal(log->enabled(scene->table, MRT_LOG_INFO), 1);
    mrt_str line = str_of("toy.opened files=3");
    log->write(scene->table, MRT_LOG_DEBUG, 0, &line);
    assert_string_equal(lines(scene), "");
    log->write(scene->table, MRT_LOG_ERROR, 0xabc, &line);
    const char *text = lines(scene);
    int64_t year, month, day, hour, minute, second, ms;
    assert_int_equal(
        sscanf(
            text, "%4ld-%2ld-%2ldT%2ld:%2ld:%2ld.%3ldZ", &year, &month, &day, &hour, &minute,
            &second, &ms),
        7);
    assert_true(year >= 2024);
    assert_string_equal(
        text + 24, " error toy.opened files=3 plugin=storage/toy trace=0000000000000abc\n");
}

static void a_value_cannot_begin_a_line_of_its_own(void **state)
{
    struct scene *scene = *state;
    runtime_log(scene->live.runtime, MRT_LOG_INFO, 0, "a.b topic=%s", "x\n2026 error fake");
    const char *text = lines(scene);
    assert_non_null(strstr(text, " info a.b topic=x?2026 error fake\n"));
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

static void count_nothing(void *arg)
{
    (void)arg;
}

static void dawdle(void *arg)
{
    (void)arg;
    usleep(120000);
}

static void who_blocks_a_reactor_is_named(void **state)
{
    struct scene *scene = *state;
    char expected[64];
    mrt_exec *strand = strand_new(scene->live.runtime, 0);
    uint32_t id = runtime_reactors(scene->live.runtime) + 1; /* the first strand */
    live_inside(strand, dawdle, NULL);
    live_inside(strand, count_nothing, NULL);
    snprintf(expected, sizeof expected, " warn reactor.stalled reactor=0 executor=%u ms=", id);
    assert_non_null(strstr(lines(scene), expected));
    live_inside(scene->exec, dawdle, NULL);
    live_inside(scene->exec, count_nothing, NULL);
    assert_non_null(strstr(lines(scene), " warn reactor.stalled reactor=0 executor=1 ms="));
    strand_free(strand);
}

static void a_long_line_is_cut_and_ends(void **state)
{
    struct scene *scene = *state;
    char *value = memory_new(10000);
    memset(value, 'v', 9999);
    runtime_log(scene->live.runtime, MRT_LOG_INFO, 5, "long.line v=%s", value);
    const char *text = lines(scene);
    assert_true(strlen(text) <= 4096);
    assert_non_null(strstr(text, "vv trace=0000000000000005\n"));
    memory_free(value);
}

static void lines_nobody_reads_are_counted_and_do_not_block(void **state)
{
    struct scene *scene = *state;
    for (uint32_t i = 0; i < 5000; i++) /* more than a pipe holds, and more than the rate */
        runtime_log(scene->live.runtime, MRT_LOG_INFO, 0, "flood.line %100d", (int)i);
    uint64_t read_back = 0;
    char text[4096];
    for (ssize_t n; (n = read(scene->lines[0], text, sizeof text)) > 0;)
        for (ssize_t i = 0; i < n; i++)
            read_back += text[i] == '\n' ? 1 : 0;
    assert_true(read_back > 100);
    assert_true(read_back < 5000);
    usleep(1100000); /* the next second */
    runtime_log(scene->live.runtime, MRT_LOG_INFO, 0, "calm.again");
    unsigned long long dropped = 0;
    const char *said = strstr(lines(scene), "log.dropped");
    assert_non_null(said);
    assert_int_equal(sscanf(said, "log.dropped lines=%llu", &dropped), 1);
    assert_int_equal(read_back + dropped, 5000);
    assert_non_null(strstr(said, "calm.again"));
}

int main(void)
{
#define SCENE(f) cmocka_unit_test_setup_teardown(f, start, end)
    const struct CMUnitTest tests[] = {
        SCENE(tables_are_found_by_name),
        SCENE(memory_is_accounted_aligned_and_limited),
        SCENE(what_an_instance_leaves_behind_is_freed_and_said),
        SCENE(inside_is_about_the_calling_thread),
        SCENE(a_leaf_lock_guards_what_executors_share),
        SCENE(streams_are_told_apart_by_instance_and_purpose),
        SCENE(taken_memory_can_be_mapped_and_is_limited_by_the_process),
        SCENE(metrics_count_hold_and_spread),
        SCENE(a_watch_that_was_ended_is_not_ready_any_more),
        SCENE(a_line_has_time_level_event_name_and_trace),
        SCENE(a_value_cannot_begin_a_line_of_its_own),
        SCENE(a_long_line_is_cut_and_ends),
        SCENE(who_blocks_a_reactor_is_named),
        SCENE(lines_nobody_reads_are_counted_and_do_not_block),
    };
    return cmocka_run_group_tests_name("host", tests, NULL, NULL);
}
