/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A controller that leads in epoch 1, with brokers 1 to 3 registered, on a log that keeps every
 * promise. Tests send requests.
 */
#include <stdio.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/base/str.h"
#include "core/base/uuid.h"
#include "core/controller/stage.h"
#include "tests/unit/controller/bench.h"

static struct ask ask; /* too large for a stack */
static struct ask other;

static int begin(void **state)
{
    bench_begin(state);
    struct bench *bench = *state;
    assert_int_equal(bench_open(bench), MRT_OK);
    for (int32_t id = 1; id <= 3; id++)
        assert_int_equal(bench_register(bench, id), MRT_OK);
    return 0;
}

static void assert_refused(const struct controller_topic *topic, mrt_status status, uint32_t reason)
{
    assert_int_equal(topic->status, status);
    assert_int_equal(topic->reason, reason);
    assert_true(topic->error.text[0] != '\0');
}

static void the_first_entry_of_a_log_gives_the_cluster_its_id_and_controller(void **state)
{
    struct bench *bench = *state;
    assert_memory_equal(image_cluster_id(bench->image), bench_cluster, 16);
    assert_int_equal(image_controller(bench->image), 1);
    assert_int_equal(bench->fake.end, 4); /* it, and a registration each */
}

static void a_created_topic_is_in_the_image_when_the_answer_comes(void **state)
{
    struct bench *bench = *state;
    const struct controller_config configs[] = {
        {str_of("retention.ms"), str_of("1000")}, {str_of("cleanup.policy"), str_of("delete")}};
    ask_init(&ask, bench, CONTROLLER_CREATE_TOPICS);
    struct controller_topic *asked = ask_topic(&ask, "orders");
    asked->partitions = 6;
    asked->replication_factor = 2;
    asked->n_configs = 2;
    asked->configs = configs;
    ask_send(&ask, bench);
    assert_int_equal(ask_wait(&ask), MRT_OK);
    assert_int_equal(asked->status, MRT_OK);
    assert_int_equal(asked->id[6] >> 4, 4);
    assert_true(image_version(bench->image) >= ask.request.version);

    const struct image_topic *topic = image_topic_by_id(bench->image, asked->id);
    assert_non_null(topic);
    assert_int_equal(topic->n_partitions, 6);
    assert_true(str_is(&topic->configs[0].name, "cleanup.policy"));
    uint32_t led[4] = {0};
    for (uint32_t i = 0; i < 6; i++) {
        const struct image_partition *partition = &topic->partitions[i];
        assert_int_equal(partition->n_replicas, 2);
        assert_int_equal(partition->n_isr, 2);
        assert_int_equal(partition->leader, partition->replicas[0]);
        assert_int_not_equal(partition->replicas[0], partition->replicas[1]);
        led[partition->leader]++;
    }
    for (int32_t id = 1; id <= 3; id++)
        assert_int_equal(led[id], 2);
}

static void followers_are_spread_over_all_other_brokers(void **state)
{
    (void)state;
    const int32_t brokers[] = {4, 7, 9};
    int32_t out[12];
    stage_assign(brokers, 3, 1, 6, 2, out);
    const int32_t expected[] = {7, 9, 9, 4, 4, 7, 7, 4, 9, 7, 4, 9};
    assert_memory_equal(out, expected, sizeof expected);
}

static void an_existing_topic_is_named_so_and_a_deleted_one_may_come_back(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(bench_create(bench, "a"), MRT_OK);
    uint64_t end = bench->fake.end;
    assert_int_equal(bench_create(bench, "a"), MRT_EEXIST);
    assert_int_equal(bench->fake.end, end);
    assert_int_equal(bench_delete(bench, "a"), MRT_OK);
    assert_null(bench_topic(bench, "a"));
    assert_int_equal(bench_delete(bench, "a"), MRT_ENOENT);
    assert_int_equal(bench_create(bench, "a"), MRT_OK);
}

static void a_topic_is_deleted_by_its_id(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(bench_create(bench, "a"), MRT_OK);
    ask_init(&ask, bench, CONTROLLER_DELETE_TOPICS);
    memcpy(ask_topic(&ask, "")->id, bench_topic(bench, "a")->id, 16);
    ask_topic(&ask, "")->id[3] = 1;
    ask_send(&ask, bench);
    assert_int_equal(ask_wait(&ask), MRT_OK);
    assert_int_equal(ask.topics[0].status, MRT_OK);
    assert_refused(&ask.topics[1], MRT_ENOENT, CONTROLLER_REASON_NONE);
    assert_null(bench_topic(bench, "a"));
}

static void each_topic_is_refused_for_its_own_reason_and_the_others_are_made(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(bench_create(bench, "a.b"), MRT_OK);
    ask_init(&ask, bench, CONTROLLER_CREATE_TOPICS);
    ask_topic(&ask, "not legal");
    ask_topic(&ask, "a_b");
    ask_topic(&ask, "none")->partitions = 0;
    ask_topic(&ask, "many")->replication_factor = 4;
    ask_topic(&ask, "few")->replication_factor = 0;
    ask_topic(&ask, "twice");
    ask_topic(&ask, "twice");
    ask_topic(&ask, "good");
    ask_send(&ask, bench);
    assert_int_equal(ask_wait(&ask), MRT_OK);
    assert_refused(&ask.topics[0], MRT_EINVAL, CONTROLLER_REASON_NAME);
    assert_refused(&ask.topics[1], MRT_EINVAL, CONTROLLER_REASON_NAME);
    assert_refused(&ask.topics[2], MRT_EINVAL, CONTROLLER_REASON_PARTITIONS);
    assert_refused(&ask.topics[3], MRT_EINVAL, CONTROLLER_REASON_REPLICAS);
    assert_refused(&ask.topics[4], MRT_EINVAL, CONTROLLER_REASON_REPLICAS);
    assert_refused(&ask.topics[5], MRT_EINVAL, CONTROLLER_REASON_REQUEST);
    assert_refused(&ask.topics[6], MRT_EINVAL, CONTROLLER_REASON_REQUEST);
    assert_int_equal(ask.topics[7].status, MRT_OK);
    assert_non_null(bench_topic(bench, "good"));
    assert_int_equal(image_topic_count(bench->image), 2);
}

static void replicas_may_be_given_and_are_checked(void **state)
{
    struct bench *bench = *state;
    const int32_t pairs[][2] = {{3, 1}, {2, 3}, {1, 1}, {1, 9}};
    const struct controller_assignment good[] = {{1, 2, pairs[0]}, {0, 2, pairs[1]}};
    const struct controller_assignment gap[] = {{0, 2, pairs[0]}, {2, 2, pairs[1]}};
    const struct controller_assignment twice[] = {{0, 2, pairs[0]}, {0, 2, pairs[1]}};
    const struct controller_assignment same[] = {{0, 2, pairs[2]}};
    const struct controller_assignment strange[] = {{0, 2, pairs[3]}};
    const struct controller_assignment *bad[] = {gap, twice, same, strange};
    ask_init(&ask, bench, CONTROLLER_CREATE_TOPICS);
    ask_topic(&ask, "t0");
    ask_topic(&ask, "t1");
    ask_topic(&ask, "t2");
    ask_topic(&ask, "t3");
    for (uint32_t i = 0; i < 4; i++) {
        ask.topics[i].assignments = bad[i];
        ask.topics[i].n_assignments = i < 2 ? 2 : 1;
    }
    ask_topic(&ask, "good")->assignments = good;
    ask.topics[4].n_assignments = 2;
    ask_send(&ask, bench);
    assert_int_equal(ask_wait(&ask), MRT_OK);
    for (uint32_t i = 0; i < 4; i++)
        assert_refused(&ask.topics[i], MRT_EINVAL, CONTROLLER_REASON_ASSIGNMENT);
    assert_int_equal(ask.topics[4].status, MRT_OK);
    assert_int_equal(ask.topics[4].replication_factor, 2);
    assert_int_equal(bench_topic(bench, "good")->partitions[1].leader, 3);
    assert_int_equal(bench_topic(bench, "good")->partitions[0].leader, 2);
}

static void validating_only_says_what_would_be_and_writes_nothing(void **state)
{
    struct bench *bench = *state;
    uint64_t end = bench->fake.end;
    ask_init(&ask, bench, CONTROLLER_CREATE_TOPICS);
    ask.request.validate_only = 1;
    ask_topic(&ask, "a");
    ask_topic(&ask, "b c");
    ask_send(&ask, bench);
    assert_int_equal(ask_wait(&ask), MRT_OK);
    assert_int_equal(ask.topics[0].status, MRT_OK);
    assert_true(uuid_is_zero(ask.topics[0].id));
    assert_refused(&ask.topics[1], MRT_EINVAL, CONTROLLER_REASON_NAME);
    assert_int_equal(bench->fake.end, end);
}

static void a_request_for_too_many_partitions_is_refused_as_a_whole(void **state)
{
    struct bench *bench = *state;
    ask_init(&ask, bench, CONTROLLER_CREATE_TOPICS);
    ask_topic(&ask, "a")->partitions = 6000;
    ask_topic(&ask, "b")->partitions = 4001;
    ask_send(&ask, bench);
    assert_int_equal(ask_wait(&ask), MRT_OK);
    assert_refused(&ask.topics[0], MRT_ERANGE, CONTROLLER_REASON_PARTITIONS);
    assert_refused(&ask.topics[1], MRT_ERANGE, CONTROLLER_REASON_PARTITIONS);
    ask_init(&ask, bench, CONTROLLER_CREATE_TOPICS);
    ask_topic(&ask, "c")->partitions = 10000;
    ask_send(&ask, bench);
    assert_int_equal(ask_wait(&ask), MRT_OK);
    assert_int_equal(ask.topics[0].status, MRT_OK);
}

static void hold(void *arg)
{
    ((struct fake *)arg)->append = FAKE_HOLD;
}

static void release(void *arg)
{
    struct fake *fake = arg;
    fake->append = FAKE_COMMIT;
    fake_release(fake, true, MRT_OK);
}

static void requests_that_wait_share_the_next_entry(void **state)
{
    struct bench *bench = *state;
    static struct ask asks[4];
    static const char *const names[] = {"a", "b", "c", "a"};
    uint64_t end = bench->fake.end;
    bench_inside(bench, hold, &bench->fake);
    for (uint32_t i = 0; i < 4; i++) {
        ask_init(&asks[i], bench, CONTROLLER_CREATE_TOPICS);
        ask_topic(&asks[i], names[i]);
    }
    ask_send(&asks[0], bench);
    bench_settle(bench);
    for (uint32_t i = 1; i < 4; i++)
        ask_send(&asks[i], bench);
    bench_settle(bench);
    assert_int_equal(asks[0].answers, 0); /* K1 */
    assert_null(bench_topic(bench, "a"));
    bench_inside(bench, release, &bench->fake);
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(ask_wait(&asks[i]), MRT_OK);
    assert_int_equal(asks[3].topics[0].status, MRT_EEXIST);
    assert_int_equal(bench->fake.end, end + 2);
}

static void a_request_about_a_topic_in_the_entry_waits_for_the_next(void **state)
{
    struct bench *bench = *state;
    uint64_t end = bench->fake.end;
    bench_inside(bench, hold, &bench->fake);
    ask_init(&ask, bench, CONTROLLER_CREATE_TOPICS);
    ask_topic(&ask, "first");
    ask_send(&ask, bench);
    bench_settle(bench);
    ask_init(&other, bench, CONTROLLER_CREATE_TOPICS);
    ask_topic(&other, "x.y");
    static struct ask third;
    ask_init(&third, bench, CONTROLLER_CREATE_TOPICS);
    ask_topic(&third, "x_y"); /* would collide with x.y, which is not committed yet */
    ask_send(&other, bench);
    ask_send(&third, bench);
    bench_settle(bench);
    bench_inside(bench, release, &bench->fake);
    assert_int_equal(ask_wait(&other), MRT_OK);
    assert_int_equal(ask_wait(&third), MRT_OK);
    assert_int_equal(other.topics[0].status, MRT_OK);
    assert_refused(&third.topics[0], MRT_EINVAL, CONTROLLER_REASON_NAME);
    assert_int_equal(bench->fake.end, end + 2);
    assert_int_equal(ask_wait(&ask), MRT_OK);
}

static void a_request_that_does_not_fit_one_entry_is_split_between_topics(void **state)
{
    struct bench *bench = *state;
    char *text = memory_new(30000);
    memset(text, 'v', 30000);
    const struct controller_config config = {str_of("big"), {text, 30000}};
    static char names[BENCH_TOPICS][8];
    uint64_t end = bench->fake.end;
    ask_init(&ask, bench, CONTROLLER_CREATE_TOPICS);
    for (uint32_t i = 0; i < BENCH_TOPICS; i++) {
        snprintf(names[i], sizeof names[i], "t%u", i);
        struct controller_topic *topic = ask_topic(&ask, names[i]);
        topic->configs = &config;
        topic->n_configs = 1;
    }
    ask_send(&ask, bench);
    assert_int_equal(ask_wait(&ask), MRT_OK);
    for (uint32_t i = 0; i < BENCH_TOPICS; i++)
        assert_int_equal(ask.topics[i].status, MRT_OK);
    assert_int_equal(image_topic_count(bench->image), BENCH_TOPICS);
    assert_int_equal(bench->fake.end - end, 8); /* eight of 30 000 bytes fit 256 KiB */
    for (uint64_t i = end; i < bench->fake.end; i++)
        assert_true(bench->fake.log[i].n <= bench->fake.max_entry);

    struct controller_config configs[9];
    static char keys[9][8];
    for (uint32_t i = 0; i < 9; i++) {
        snprintf(keys[i], sizeof keys[i], "k%u", i);
        configs[i] = (struct controller_config){str_of(keys[i]), {text, 30000}};
    }
    ask_init(&ask, bench, CONTROLLER_CREATE_TOPICS);
    ask_topic(&ask, "huge")->configs = configs;
    ask.topics[0].n_configs = 9;
    ask_topic(&ask, "small");
    ask_send(&ask, bench);
    assert_int_equal(ask_wait(&ask), MRT_OK);
    assert_refused(&ask.topics[0], MRT_ETOOBIG, CONTROLLER_REASON_REQUEST);
    assert_int_equal(ask.topics[1].status, MRT_OK);
    memory_free(text);
}

static void producer_ids_come_in_blocks_that_never_overlap(void **state)
{
    struct bench *bench = *state;
    int64_t next = 0;
    for (uint32_t i = 0; i < 3; i++) {
        ask_init(&ask, bench, CONTROLLER_PRODUCER_IDS);
        ask_init(&other, bench, CONTROLLER_PRODUCER_IDS);
        ask_send(&ask, bench);
        ask_send(&other, bench);
        assert_int_equal(ask_wait(&ask), MRT_OK);
        assert_int_equal(ask_wait(&other), MRT_OK);
        assert_int_equal(ask.request.producer_id_first, next);
        assert_int_equal(other.request.producer_id_first, next + CONTROLLER_PRODUCER_BLOCK);
        next += 2 * CONTROLLER_PRODUCER_BLOCK;
    }
    assert_int_equal(image_next_producer_id(bench->image), next);
}

static void a_broker_that_registers_again_gets_a_higher_epoch(void **state)
{
    struct bench *bench = *state;
    int64_t epoch = image_broker(bench->image, 2)->epoch;
    assert_int_equal(bench_register(bench, 2), MRT_OK);
    assert_true(image_broker(bench->image, 2)->epoch > epoch);
    assert_int_equal(bench_register(bench, -5), MRT_EINVAL);
}

static void after_a_restart_the_image_is_the_same_and_ids_are_new(void **state)
{
    struct bench *bench = *state;
    uint8_t *before;
    uint8_t *after;
    uint64_t n;
    uint64_t m;
    uint8_t id[16];
    assert_int_equal(bench_create(bench, "kept"), MRT_OK);
    assert_int_equal(bench_create(bench, "gone"), MRT_OK);
    memcpy(id, bench_topic(bench, "gone")->id, 16);
    assert_int_equal(bench_delete(bench, "gone"), MRT_OK);
    struct image *old = image_ref(bench->image);
    bench_close(bench);

    uint64_t end = bench->fake.end;
    assert_int_equal(bench_open(bench), MRT_OK);
    assert_int_equal(bench->fake.epoch, 2);
    assert_int_equal(bench->fake.end, end + 1);
    assert_int_equal(bench->versions, end + 1);
    image_snapshot(old, &before, &n);
    image_snapshot(bench->image, &after, &m);
    assert_int_equal(n, m);
    assert_memory_equal(before + 33, after + 33, 20);
    assert_memory_equal(bench_topic(bench, "kept")->id, image_topic_at(old, 0)->id, 16);
    assert_int_equal(bench_create(bench, "gone"), MRT_OK);
    assert_memory_not_equal(bench_topic(bench, "gone")->id, id, 16);
    memory_free(before);
    memory_free(after);
    image_unref(old);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, bench_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_first_entry_of_a_log_gives_the_cluster_its_id_and_controller),
        TEST(a_created_topic_is_in_the_image_when_the_answer_comes),
        TEST(followers_are_spread_over_all_other_brokers),
        TEST(an_existing_topic_is_named_so_and_a_deleted_one_may_come_back),
        TEST(a_topic_is_deleted_by_its_id),
        TEST(each_topic_is_refused_for_its_own_reason_and_the_others_are_made),
        TEST(replicas_may_be_given_and_are_checked),
        TEST(validating_only_says_what_would_be_and_writes_nothing),
        TEST(a_request_for_too_many_partitions_is_refused_as_a_whole),
        TEST(requests_that_wait_share_the_next_entry),
        TEST(a_request_about_a_topic_in_the_entry_waits_for_the_next),
        TEST(a_request_that_does_not_fit_one_entry_is_split_between_topics),
        TEST(producer_ids_come_in_blocks_that_never_overlap),
        TEST(a_broker_that_registers_again_gets_a_higher_epoch),
        TEST(after_a_restart_the_image_is_the_same_and_ids_are_new),
    };
    return cmocka_run_group_tests_name("core/controller/requests", tests, NULL, NULL);
}
