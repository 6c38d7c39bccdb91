/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directories of the segment store, on Linux and in simulated worlds: their files, Kafka's
 * directories, names and ids of logs, marks, blobs, many logs with few descriptors.
 */
#include "tests/unit/segment/files.h"

#define MANY 40

static struct scene scene;
static struct scene_log log_;
static uint8_t room[SCENE_BATCH_MAX];

static int begin(void **state, bool simulated, uint64_t seed)
{
    scene = (struct scene){.simulated = simulated, .seed = seed};
    scene.cfg = (struct mrt_cfg){{8, 20, 4096, 10485760}};
    log_ = (struct scene_log){.topic = "orders", .topic_id = {1, 2, 3}};
    scene_boot(&scene);
    *state = &scene;
    return 0;
}

static int on_linux(void **state)
{
    return begin(state, false, 0);
}
static int in_world_1(void **state)
{
    return begin(state, true, 1);
}
static int in_world_2(void **state)
{
    return begin(state, true, 2);
}

static int end(void **state)
{
    (void)state;
    scene_end(&scene);
    return 0;
}

static const char *text_of(const char *name)
{
    int64_t n = scene_load(&scene, name, room, sizeof room - 1);
    if (n < 0)
        return NULL;
    room[n] = 0;
    return (const char *)room;
}

static void open_both(void)
{
    assert_int_equal(scene_dir_open(&scene), MRT_OK);
    assert_int_equal(scene_open(&scene, &log_, MRT_LOG_CREATE), MRT_OK);
}

static void close_both(void)
{
    assert_int_equal(scene_close(&log_), MRT_OK);
    assert_int_equal(scene_dir_close(&scene), MRT_OK);
}

static void a_fresh_directory_has_the_files_of_kafka(void **state)
{
    (void)state;
    open_both();
    assert_int_equal(scene_put(&log_, 3, 5, 900, 0), MRT_OK);
    assert_null(text_of(".kafka_cleanshutdown"));
    assert_string_equal(
        text_of("orders-0/partition.metadata"), "version: 0\ntopic_id: AQIDAAAAAAAAAAAAAAAAAA\n");
    close_both();
    assert_string_equal(text_of(".kafka_cleanshutdown"), "{\"version\":0,\"brokerEpoch\":-1}");
    assert_string_equal(text_of("recovery-point-offset-checkpoint"), "0\n1\norders 0 3\n");
    assert_memory_equal(text_of("meta.properties"), "version=1\ndirectory.id=", 23);
    assert_non_null(strstr(text_of("meta.properties"), "\nmortise.format=1\n"));
    assert_int_equal(scene_load(&scene, "orders-0/00000000000000000000.index", room, 9), 0);
    assert_int_equal(scene_load(&scene, "orders-0/00000000000000000000.timeindex", room, 99), 12);
    assert_int_equal(kit_get64(room), 5);
    assert_int_equal(kit_get32(room + 8), 2);
    assert_int_equal(scene_dir_open(&scene), MRT_OK);
    assert_null(text_of(".kafka_cleanshutdown"));
    assert_int_equal(scene_dir_close(&scene), MRT_OK);
}

static void a_directory_is_used_by_one_at_a_time(void **state)
{
    struct scene other;
    (void)state;
    assert_int_equal(scene_dir_open(&scene), MRT_OK);
    other = scene;
    assert_int_equal(scene_dir_open(&other), MRT_EBUSY);
    assert_int_equal(scene_dir_close(&scene), MRT_OK);
}

static void a_newer_directory_is_refused(void **state)
{
    static const char newer[] = "version=1\nmortise.format=2\n", kafka[] = "version=2\n";
    (void)state;
    scene_save(&scene, "meta.properties", newer, strlen(newer), 0);
    assert_int_equal(scene_dir_open(&scene), MRT_ETOONEW);
    scene_cut(&scene, "meta.properties", 0);
    scene_save(&scene, "meta.properties", kafka, strlen(kafka), 0);
    assert_int_equal(scene_dir_open(&scene), MRT_ETOONEW);
    assert_string_equal(text_of("meta.properties"), kafka);
}

/* A directory as Kafka leaves it, with two batches in orders-0 and no indexes. */
static void make_kafka(void)
{
    static const char meta[] = "#Tue\nnode.id=7\nversion=1\ncluster.id=x";
    static const char identity[] = "version: 0\ntopic_id: AQIDAAAAAAAAAAAAAAAAAA";
    uint64_t n = scene_batch(room, 0, 2, 1, 50, 1);
    n += scene_batch(room + n, 2, 2, 2, 50, 2);
    scene_save(&scene, "meta.properties", meta, strlen(meta), 0);
    scene_mkdir(&scene, "orders-0");
    scene_save(&scene, "orders-0/00000000000000000000.log", room, n, 0);
    scene_save(&scene, "orders-0/partition.metadata", identity, strlen(identity), 0);
}

static void what_kafka_wrote_is_read_only_until_adopted(void **state)
{
    (void)state;
    make_kafka();
    assert_int_equal(scene_dir_open(&scene), MRT_OK);
    assert_int_equal(scene.states_n, 1);
    assert_int_equal(scene.states[0], MRT_DIR_READONLY);
    assert_int_equal(scene_open(&scene, &log_, 0), MRT_OK);
    assert_int_equal(scene_state(&log_).end, 4);
    assert_int_equal(scene_put(&log_, 1, 1, 10, 1), MRT_EREADONLY);
    assert_int_equal(scene_trim_head(&log_, 2), MRT_EREADONLY);
    assert_int_equal(scene_remove(&scene, &log_), MRT_EREADONLY);
    assert_int_equal(scene_close(&log_), MRT_OK);
    assert_null(text_of("mortise-boot-id"));
    assert_int_equal(scene_adopt(&scene), MRT_OK);
    assert_int_equal(scene.states[1], MRT_DIR_ONLINE);
    assert_memory_equal(
        text_of("meta.properties"), "#Tue\nnode.id=7\nversion=1\ncluster.id=x\ndirectory.id=", 51);
    assert_int_equal(scene_open(&scene, &log_, 0), MRT_OK);
    assert_int_equal(scene_put(&log_, 1, 1, 10, 1), MRT_OK);
    close_both();
    open_both();
    assert_int_equal(scene.states_n, 2);
    assert_int_equal(scene_state(&log_).end, 5);
    close_both();
}

static void a_log_is_named_by_its_topic_id_too(void **state)
{
    struct scene_log other = {.topic = "orders", .topic_id = {9}};
    (void)state;
    open_both();
    assert_int_equal(scene_put(&log_, 3, 5, 900, 0), MRT_OK);
    struct scene_log again = log_;
    assert_int_equal(scene_open(&scene, &again, 0), MRT_EBUSY);
    assert_int_equal(scene_remove(&scene, &log_), MRT_EBUSY);
    assert_int_equal(scene_close(&log_), MRT_OK);
    assert_int_equal(scene_open(&scene, &other, 0), MRT_ENOENT);
    assert_int_equal(scene_remove(&scene, &other), MRT_ENOENT);
    assert_int_equal(scene_open(&scene, &other, MRT_LOG_CREATE), MRT_OK);
    assert_int_equal(scene_state(&other).end, 0); /* what was there is a stray now */
    assert_int_equal(scene_close(&other), MRT_OK);
    assert_int_equal(scene_open(&scene, &log_, 0), MRT_ENOENT);
    assert_int_equal(scene_remove(&scene, &other), MRT_OK);
    assert_int_equal(scene_remove(&scene, &other), MRT_ENOENT);
    assert_null(text_of("orders-0/partition.metadata"));
    assert_int_equal(scene_dir_close(&scene), MRT_OK);
}

static void names_that_kafka_would_not_allow_are_refused(void **state)
{
    static const char *const names[] = {"", ".", "..", "a/b", "../x", "a b", "\xc3\xa4"};
    (void)state;
    assert_int_equal(scene_dir_open(&scene), MRT_OK);
    for (uint32_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct scene_log bad = {.partition = 0};
        strcpy(bad.topic, names[i]);
        assert_int_equal(scene_open(&scene, &bad, MRT_LOG_CREATE), MRT_EINVAL);
    }
    struct scene_log negative = {.topic = "t", .partition = -1};
    assert_int_equal(scene_open(&scene, &negative, MRT_LOG_CREATE), MRT_EINVAL);
    struct scene_log future = {.topic = "t"};
    assert_int_equal(scene_open(&scene, &future, MRT_LOG_OPEN_FUTURE), MRT_EINVAL);
    assert_int_equal(scene_dir_close(&scene), MRT_OK);
}

static void marks_are_remembered_in_kafkas_checkpoints(void **state)
{
    int64_t value = 0;
    (void)state;
    open_both();
    assert_int_equal(scene_mark_get(&log_, MRT_MARK_HIGH_WATERMARK, &value), MRT_ENOENT);
    scene_mark_set(&log_, MRT_MARK_HIGH_WATERMARK, 7);
    scene_mark_set(&log_, MRT_MARK_CLEANED_TO, -3);
    scene_mark_set(&log_, 99, 1);
    assert_int_equal(scene_mark_get(&log_, MRT_MARK_HIGH_WATERMARK, &value), MRT_OK);
    assert_int_equal(value, 7);
    assert_int_equal(scene_mark_get(&log_, 99, &value), MRT_ENOENT);
    close_both();
    assert_string_equal(text_of("replication-offset-checkpoint"), "0\n1\norders 0 7\n");
    assert_string_equal(text_of("cleaner-offset-checkpoint"), "0\n1\norders 0 -3\n");
    open_both();
    assert_int_equal(scene_mark_get(&log_, MRT_MARK_CLEANED_TO, &value), MRT_OK);
    assert_int_equal(value, -3);
    close_both();
}

static void marks_reach_the_disk_by_themselves(void **state)
{
    (void)state;
    open_both();
    scene_mark_set(&log_, MRT_MARK_HIGH_WATERMARK, 7);
    if (scene.simulated)
        world_run(scene.world, world_now_ns(scene.world) + 100000000);
    for (uint32_t i = 0; i < 200 && text_of("replication-offset-checkpoint") == NULL; i++)
        usleep(10000);
    assert_string_equal(text_of("replication-offset-checkpoint"), "0\n1\norders 0 7\n");
    close_both();
}

static void blobs_are_kept_under_kafkas_names(void **state)
{
    char text[64];
    int64_t offsets[8];
    uint64_t got = 0;
    (void)state;
    open_both();
    assert_int_equal(scene_blob_put(&log_, MRT_BLOB_EPOCHS, 0, "0\n1\n5 0\n", 0), MRT_OK);
    assert_int_equal(scene_blob_put(&log_, MRT_BLOB_EPOCHS, 3, "x", 0), MRT_EINVAL);
    for (int64_t at = 30; at > 0; at -= 10)
        assert_int_equal(scene_blob_put(&log_, MRT_BLOB_PRODUCERS, at, "state", 0), MRT_OK);
    assert_int_equal(scene_blob_put(&log_, MRT_BLOB_ABORTED, 0, "ab", MRT_BLOB_APPEND), MRT_OK);
    assert_int_equal(scene_blob_put(&log_, MRT_BLOB_ABORTED, 0, "cd", MRT_BLOB_APPEND), MRT_OK);
    assert_int_equal(scene_blob_put(&log_, 70, 4, "ours", 0), MRT_OK);
    close_both();
    open_both();
    assert_string_equal(text_of("orders-0/leader-epoch-checkpoint"), "0\n1\n5 0\n");
    assert_string_equal(text_of("orders-0/00000000000000000020.snapshot"), "state");
    assert_string_equal(text_of("orders-0/00000000000000000000.txnindex"), "abcd");
    assert_int_equal(scene_blobs(&log_, MRT_BLOB_PRODUCERS, 15, offsets, 8), 2);
    assert_int_equal(offsets[0], 20);
    assert_int_equal(offsets[1], 30);
    assert_int_equal(scene_blob_get(&log_, MRT_BLOB_ABORTED, 0, text, 3, &got), MRT_ETOOBIG);
    assert_int_equal(got, 4);
    assert_int_equal(scene_blob_get(&log_, 70, 4, text, 64, &got), MRT_OK);
    assert_memory_equal(text, "ours", 4);
    assert_int_equal(scene_blob_get(&log_, 70, 5, text, 64, &got), MRT_ENOENT);
    assert_int_equal(scene_blob_remove(&log_, MRT_BLOB_PRODUCERS, 20), MRT_OK);
    assert_int_equal(scene_blob_remove(&log_, MRT_BLOB_PRODUCERS, 20), MRT_OK);
    assert_int_equal(scene_blobs(&log_, MRT_BLOB_PRODUCERS, 15, offsets, 8), 1);
    assert_null(text_of("orders-0/00000000000000000020.snapshot"));
    close_both();
}

static struct scene_log many[MANY];

static void open_many(uint32_t flags)
{
    for (int32_t i = 0; i < MANY; i++) {
        many[i] = (struct scene_log){.topic = "many", .partition = i, .topic_id = {4}};
        assert_int_equal(scene_open(&scene, &many[i], flags), MRT_OK);
    }
}

/* All logs at once: each gets an append, a flush and a read, in flight together. */
static void stir(uint32_t round)
{
    static uint8_t rooms[MANY][300];
    static mrt_slice slices[MANY], found[MANY];
    static mrt_batch v[MANY];
    static mrt_append appends[MANY];
    static mrt_log_state after[MANY];
    static mrt_read_res res[MANY];
    static struct scene_call calls[MANY];
    for (uint32_t i = 0; i < MANY; i++) {
        scene_batch(rooms[i], round, 1, round, 100, i);
        v[i] = scene_describe(rooms[i], &slices[i]);
        appends[i] = (mrt_append){.size = sizeof appends[i], .v = &v[i], .n = 1};
        calls[i] = (struct scene_call){
            .scene = &scene,
            .exec = many[i].exec,
            .call = scene_do_append,
            .log = many[i].log,
            .in = &appends[i],
            .out = &after[i],
        };
        scene_start(&calls[i]);
    }
    for (uint32_t i = 0; i < MANY; i++) {
        assert_int_equal(scene_wait(&calls[i]), MRT_OK);
        assert_int_equal(after[i].end, round + 1);
        calls[i].call = scene_do_flush;
        calls[i].offset = round + 1;
        scene_start(&calls[i]);
    }
    const mrt_read read = {sizeof read, 1, round, INT64_MAX, 1 << 20};
    for (uint32_t i = 0; i < MANY; i++) {
        assert_int_equal(scene_wait(&calls[i]), MRT_OK);
        res[i] = (mrt_read_res){.size = sizeof res[i], .cap = 1, .slices = &found[i]};
        calls[i].call = scene_do_read;
        calls[i].in = &read;
        calls[i].out = &res[i];
        scene_start(&calls[i]);
    }
    for (uint32_t i = 0; i < MANY; i++) {
        assert_int_equal(scene_wait(&calls[i]), MRT_OK);
        assert_int_equal(res[i].data.bytes, v[i].body.bytes);
        scene_pull(&many[i], &res[i], room);
        assert_memory_equal(room, rooms[i], v[i].body.bytes);
        lease_release(res[i].data.lease);
    }
}

static void many_logs_share_few_descriptors(void **state)
{
    (void)state;
    assert_int_equal(scene_dir_open(&scene), MRT_OK);
    open_many(MRT_LOG_CREATE);
    for (uint32_t round = 0; round < 10; round++)
        stir(round);
    for (uint32_t i = 0; i < MANY; i++)
        assert_int_equal(scene_close(&many[i]), MRT_OK);
    assert_int_equal(scene_dir_close(&scene), MRT_OK);
}

static void the_inventory_lists_logs_without_opening_them(void **state)
{
    static mrt_log_row rows[7];
    char text[600];
    bool seen[MANY] = {false};
    uint32_t n = 0;
    (void)state;
    assert_int_equal(scene_dir_open(&scene), MRT_OK);
    open_many(MRT_LOG_CREATE);
    stir(0);
    for (uint32_t i = 0; i < MANY; i++)
        assert_int_equal(scene_close(&many[i]), MRT_OK);
    assert_int_equal(scene_dir_close(&scene), MRT_OK);
    assert_int_equal(scene_dir_open(&scene), MRT_OK);
    mrt_log_list list = {.size = sizeof list, .rows = rows, .stride = sizeof rows[0]};
    list.text = text;
    list.cap = 7;
    list.text_cap = 3;
    assert_int_equal(scene_logs(&scene, &list), MRT_ETOOBIG);
    list.text_cap = 21; /* five names */
    do {
        assert_int_equal(scene_logs(&scene, &list), MRT_OK);
        for (uint32_t i = 0; i < list.n; i++, n++) {
            assert_int_equal(rows[i].state, MRT_LOG_CLEAN);
            assert_int_equal(rows[i].end, 1);
            assert_int_equal(rows[i].durable, 1);
            assert_int_equal(rows[i].topic_id[0], 4);
            assert_true(rows[i].bytes > 100);
            assert_int_equal(rows[i].topic.n, 4);
            assert_false(seen[rows[i].partition]);
            seen[rows[i].partition] = true;
        }
        assert_true(list.n <= 5);
    } while (list.n > 0);
    assert_int_equal(n, MANY);
    assert_int_equal(scene_dir_close(&scene), MRT_OK);
}

#define IN_ALL(test)                                                                               \
    cmocka_unit_test_setup_teardown(test, on_linux, end),                                          \
        cmocka_unit_test_setup_teardown(test, in_world_1, end),                                    \
        cmocka_unit_test_setup_teardown(test, in_world_2, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_ALL(a_fresh_directory_has_the_files_of_kafka),
        IN_ALL(a_directory_is_used_by_one_at_a_time),
        IN_ALL(a_newer_directory_is_refused),
        IN_ALL(what_kafka_wrote_is_read_only_until_adopted),
        IN_ALL(a_log_is_named_by_its_topic_id_too),
        IN_ALL(names_that_kafka_would_not_allow_are_refused),
        IN_ALL(marks_are_remembered_in_kafkas_checkpoints),
        IN_ALL(marks_reach_the_disk_by_themselves),
        IN_ALL(blobs_are_kept_under_kafkas_names),
        IN_ALL(many_logs_share_few_descriptors),
        IN_ALL(the_inventory_lists_logs_without_opening_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
