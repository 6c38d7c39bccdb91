/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Topics that come and go, what the image shows of them, producer ids, descriptions. Every test has
 * a broker of its own.
 */
#include "tests/unit/broker/bench.h"

static struct bench bench;

static int start(void **state)
{
    (void)state;
    bench_start(&bench);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    bench_stop(&bench);
    return 0;
}

/* ---- the image ------------------------------------------------------------------------------- */

struct seen {
    mrt_broker *shard;
    const char *name;
    mrt_status status;
    mrt_image_topic topic;
    mrt_image_partition partition;
    mrt_image_broker broker;
    uint64_t version;
    uint32_t topics;
};

static void look(void *arg)
{
    struct seen *seen = arg;
    const mrt_str name = str_of(seen->name);
    const mrt_str listener = str_of("test");
    uint64_t cursor = 0;
    mrt_image_topic each;

    const mrt_image *image = broker_table.image_pin(seen->shard, &seen->version);
    seen->status = broker_table.topic(image, &name, NULL, &seen->topic);
    if (seen->status == MRT_OK) {
        mrt_image_topic same;
        assert_int_equal(broker_table.topic(image, NULL, seen->topic.id, &same), MRT_OK);
        assert_int_equal(same.index, seen->topic.index);
        assert_int_equal(
            broker_table.partition(image, seen->topic.index, 0, &seen->partition), MRT_OK);
        assert_int_equal(
            broker_table.partition(
                image, seen->topic.index, (int32_t)seen->topic.n_partitions, &seen->partition),
            MRT_ENOENT);
    }
    while (broker_table.topic_next(image, &cursor, &each) == MRT_OK)
        seen->topics++;
    cursor = 0;
    assert_int_equal(broker_table.broker_next(image, &listener, &cursor, &seen->broker), MRT_OK);
    broker_table.image_unpin(seen->shard, image);
}

static struct seen image_on(uint32_t at, const char *name)
{
    struct seen seen = {.shard = &bench.broker->shards[at % bench.reactors], .name = name};
    live_inside(seen.shard->reactor, look, &seen);
    return seen;
}

static void a_created_topic_is_known_on_every_reactor_when_it_is_answered(void **state)
{
    (void)state;
    char name[] = "topic-0";
    for (uint32_t i = 0; i < 8; i++) {
        name[6] = (char)('0' + i);
        assert_int_equal(bench_create(&bench, i, name, 2), MRT_OK);
        for (uint32_t at = 0; at < bench.reactors; at++) {
            struct seen seen = image_on(at, name);
            assert_int_equal(seen.status, MRT_OK);
            assert_int_equal(seen.topic.n_partitions, 2);
            assert_int_equal(seen.partition.leader, 7);
            assert_int_equal(seen.topics, i + 1);
            assert_int_equal(seen.broker.id, 7);
            assert_int_equal(seen.broker.port, 9092);
            assert_int_equal(bench_produce(&bench, at, name, 1, 10).status, MRT_OK);
        }
    }
}

static void a_deleted_topic_is_known_nowhere_when_it_is_answered(void **state)
{
    (void)state;
    assert_int_equal(bench_create(&bench, 0, "t", 2), MRT_OK);
    assert_int_equal(bench_delete(&bench, 1, "t"), MRT_OK);
    for (uint32_t at = 0; at < bench.reactors; at++) {
        assert_int_equal(image_on(at, "t").status, MRT_ENOENT);
        assert_int_equal(bench_produce(&bench, at, "t", 0, 10).status, MRT_ENOENT);
    }
    assert_int_equal(bench_delete(&bench, 1, "t"), MRT_ENOENT);
}

static void a_topic_made_again_is_empty_and_another_one(void **state)
{
    (void)state;
    struct seen before = {0};
    for (uint32_t i = 0; i < 30; i++) {
        assert_int_equal(bench_create(&bench, i, "t", 3), MRT_OK);
        struct seen seen = image_on(i, "t");
        assert_true(memcmp(seen.topic.id, before.topic.id, 16) != 0);
        before = seen;
        mrt_produce_res result = bench_produce(&bench, i + 1, "t", 2, 10);
        assert_int_equal(result.status, MRT_OK);
        assert_int_equal(result.base_offset, 0);
        assert_int_equal(bench_delete(&bench, i + 2, "t"), MRT_OK);
    }
}

static void a_parked_poll_learns_that_its_topic_is_deleted(void **state)
{
    (void)state;
    struct poll poll;
    assert_int_equal(bench_create(&bench, 0, "t", 1), MRT_OK);
    mrt_sub *sub = bench_subscribe(&bench, 1, "t", 1, 0, 1 << 20);
    poll_begin(&poll, &bench, 1, sub, 30000 * MS, 1 << 20, 1);
    assert_int_equal(bench_delete(&bench, 0, "t"), MRT_OK);
    assert_int_equal(poll_wait(&poll), MRT_OK);
    assert_int_equal(poll.out.n, 1);
    assert_int_equal(poll.out.parts[0].status, MRT_ENOENT);
    poll_end(&poll);
    assert_int_equal(bench_create(&bench, 0, "t", 1), MRT_OK);
    poll_begin(&poll, &bench, 1, sub, 30000 * MS, 1 << 20, 1); /* the same name, the new log */
    assert_int_equal(bench_produce(&bench, 0, "t", 0, 10).status, MRT_OK);
    assert_int_equal(poll_wait(&poll), MRT_OK);
    assert_true(poll_bytes(&poll) > 0);
    poll_end(&poll);
    assert_int_equal(bench_unsubscribe(&bench, 1, sub), MRT_OK);
}

/* ---- creating -------------------------------------------------------------------------------- */

static void what_a_topic_may_not_be_is_said_topic_by_topic(void **state)
{
    (void)state;
    mrt_create_topics_config wrong = {str_of("retention.ms"), str_of("soon")};
    mrt_create_topics_topic topics[] = {
        {.name = str_of("good"), .num_partitions = -1, .replication_factor = -1},
        {.name = str_of("bad name"), .num_partitions = 1, .replication_factor = 1},
        {.name = str_of("three-replicas"), .num_partitions = 1, .replication_factor = 3},
        {.name = str_of("no-partitions"), .num_partitions = 0, .replication_factor = 1},
        {.name = str_of("config"),
         .num_partitions = 1,
         .replication_factor = 1,
         .configs = &wrong,
         .n_configs = 1},
    };
    mrt_create_topics in = {.size = sizeof in, .topics = topics, .n_topics = 5};
    mrt_create_topics_out out = {.size = sizeof out};
    struct ask ask;
    ask_begin(&ask, &bench, 0, MRT_OP_CREATE_TOPICS, &in, &out);
    assert_int_equal(ask_wait(&ask), MRT_OK);
    assert_int_equal(out.n_topics, 5);
    assert_int_equal(out.topics[0].status, MRT_OK);
    assert_int_equal(out.topics[0].num_partitions, 3);
    assert_true(out.topics[0].n_configs > 20);
    assert_int_equal(out.topics[1].reason, MRT_WHY_NAME);
    assert_int_equal(out.topics[2].reason, MRT_WHY_REPLICATION);
    assert_int_equal(out.topics[3].reason, MRT_WHY_PARTITIONS);
    assert_int_equal(out.topics[4].reason, MRT_WHY_CONFIG);
    assert_non_null(out.topics[4].error_message.p);
    ask_end(&ask);
    assert_int_equal(image_on(0, "good").topics, 1);
    assert_int_equal(bench_create(&bench, 0, "good", 1), MRT_EEXIST);
}

static void what_is_only_checked_is_not_made(void **state)
{
    (void)state;
    mrt_create_topics_topic topic = {
        .name = str_of("t"), .num_partitions = 5, .replication_factor = 1};
    mrt_create_topics in = {.size = sizeof in, .topics = &topic, .n_topics = 1, .validate_only = 1};
    mrt_create_topics_out out = {.size = sizeof out};
    struct ask ask;
    ask_begin(&ask, &bench, 0, MRT_OP_CREATE_TOPICS, &in, &out);
    assert_int_equal(ask_wait(&ask), MRT_OK);
    assert_int_equal(out.topics[0].status, MRT_OK);
    ask_end(&ask);
    assert_int_equal(image_on(1, "t").status, MRT_ENOENT);
}

static mrt_status create_by_itself(const char *name)
{
    mrt_create_topics_topic topic = {
        .name = str_of(name), .num_partitions = -1, .replication_factor = -1};
    mrt_create_topics in = {.size = sizeof in, .topics = &topic, .n_topics = 1, .automatic = 1};
    mrt_create_topics_out out = {.size = sizeof out};
    struct ask ask;
    ask_begin(&ask, &bench, 0, MRT_OP_CREATE_TOPICS, &in, &out);
    mrt_status status = ask_wait(&ask);
    if (status == MRT_OK)
        status = out.topics[0].status;
    ask_end(&ask);
    return status;
}

static void topics_are_made_by_themselves_where_that_is_on(void **state)
{
    (void)state;
    assert_int_equal(create_by_itself("t"), MRT_OK);
    assert_int_equal(image_on(0, "t").topic.n_partitions, 3);
}

static int start_without_auto(void **state)
{
    (void)state;
    bench_make(&bench);
    bench.options.auto_create = 0;
    bench_begin(&bench);
    return 0;
}

static void topics_are_not_made_by_themselves_where_that_is_off(void **state)
{
    (void)state;
    assert_int_equal(create_by_itself("t"), MRT_EREADONLY);
    assert_int_equal(image_on(0, "t").status, MRT_ENOENT);
    assert_int_equal(bench_create(&bench, 0, "t", 1), MRT_OK); /* asked for, it is */
}

static int start_without_deletion(void **state)
{
    (void)state;
    bench_make(&bench);
    bench.options.delete_topics = 0;
    bench_begin(&bench);
    return 0;
}

static void topics_stay_where_deletion_is_off(void **state)
{
    (void)state;
    assert_int_equal(bench_create(&bench, 0, "t", 1), MRT_OK);
    assert_int_equal(bench_delete(&bench, 1, "t"), MRT_EDENIED);
    assert_int_equal(image_on(0, "t").status, MRT_OK);
}

/* ---- producers and descriptions -------------------------------------------------------------- */

static void producer_ids_are_given_once_on_all_reactors(void **state)
{
    (void)state;
    enum {
        N = 300
    };
    static struct ask asks[N];
    static mrt_init_producer_id_out outs[N];
    static uint8_t seen[4 * CONTROLLER_PRODUCER_BLOCK];
    const mrt_init_producer_id in = {.size = sizeof in, .producer_id = -1};
    memset(seen, 0, sizeof seen);
    for (uint32_t round = 0; round < 5; round++) { /* beyond a block */
        for (uint32_t i = 0; i < N; i++)
            ask_begin(&asks[i], &bench, i, MRT_OP_INIT_PRODUCER_ID, &in, &outs[i]);
        for (uint32_t i = 0; i < N; i++) {
            assert_int_equal(ask_wait(&asks[i]), MRT_OK);
            assert_int_equal(outs[i].producer_epoch, 0);
            assert_true(outs[i].producer_id >= 0);
            assert_true(outs[i].producer_id < (int64_t)sizeof seen);
            assert_int_equal(seen[outs[i].producer_id]++, 0);
            ask_end(&asks[i]);
        }
    }
}

static void configs_are_described_for_topics_and_for_this_broker(void **state)
{
    (void)state;
    assert_int_equal(bench_create(&bench, 0, "t", 1), MRT_OK);
    const mrt_str key = str_of("retention.ms");
    mrt_describe_configs_resource resources[] = {
        {.resource_type = MRT_RESOURCE_TOPIC,
         .resource_name = str_of("t"),
         .configuration_keys = &key,
         .n_configuration_keys = 1},
        {.resource_type = MRT_RESOURCE_TOPIC, .resource_name = str_of("unknown")},
        {.resource_type = MRT_RESOURCE_BROKER, .resource_name = str_of("7")},
        {.resource_type = MRT_RESOURCE_BROKER, .resource_name = str_of("8")},
        {.resource_type = MRT_RESOURCE_GROUP, .resource_name = str_of("g")},
    };
    mrt_describe_configs in = {
        .size = sizeof in, .resources = resources, .n_resources = 5, .include_synonyms = 1};
    mrt_describe_configs_out out = {.size = sizeof out};
    struct ask ask;
    ask_begin(&ask, &bench, 1, MRT_OP_DESCRIBE_CONFIGS, &in, &out);
    assert_int_equal(ask_wait(&ask), MRT_OK);
    assert_int_equal(out.n_results, 5);
    assert_int_equal(out.results[0].status, MRT_OK);
    assert_int_equal(out.results[0].n_configs, 1);
    assert_true(str_is(&out.results[0].configs[0].value, "604800000"));
    assert_int_equal(out.results[1].status, MRT_ENOENT);
    assert_int_equal(out.results[2].status, MRT_OK);
    assert_true(out.results[2].n_configs > 5);
    assert_int_equal(out.results[3].status, MRT_EINVAL);
    assert_int_equal(out.results[4].status, MRT_EINVAL);
    ask_end(&ask);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_created_topic_is_known_on_every_reactor_when_it_is_answered),
        TEST(a_deleted_topic_is_known_nowhere_when_it_is_answered),
        TEST(a_topic_made_again_is_empty_and_another_one),
        TEST(a_parked_poll_learns_that_its_topic_is_deleted),
        TEST(what_a_topic_may_not_be_is_said_topic_by_topic),
        TEST(what_is_only_checked_is_not_made),
        TEST(topics_are_made_by_themselves_where_that_is_on),
        cmocka_unit_test_setup_teardown(
            topics_are_not_made_by_themselves_where_that_is_off, start_without_auto, stop),
        cmocka_unit_test_setup_teardown(
            topics_stay_where_deletion_is_off, start_without_deletion, stop),
        TEST(producer_ids_are_given_once_on_all_reactors),
        TEST(configs_are_described_for_topics_and_for_this_broker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
