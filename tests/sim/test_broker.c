/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole broker in a simulated world: plugins that are built as shared objects for the daemon run
 * here from the same sources, linked in. The scene: a world of a seed, a disk, one broker over it,
 * clients that speak Kafka's protocol over pipes.
 *
 * SIM_SEED=n in the environment runs that seed alone, SIM_SEEDS=n that many; SIM_PRINT=1 prints the
 * broker's log.
 */
#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/memory.h"
#include "core/base/str.h"
#include "core/record/record.h"
#include "tests/sim/requests.h"
#include "tests/unit/cmocka.h"

#define SEEDS     30
#define SECOND_NS UINT64_C(1000000000)

struct scene {
    struct world *world;
    struct disk *disk;
    struct sim_broker *broker;
    uint32_t reactors;
    const char *storage;
};

static uint64_t number_of(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

static void scene_start(struct scene *scene)
{
    const char *const overrides[] = {
        scene->storage, "log_segment_bytes=20000", "log_retention_check_interval_ms=500"};
    scene->broker = sim_broker_start(&(struct sim_broker_options){
        .world = scene->world,
        .disk = scene->disk,
        .reactors = scene->reactors,
        .overrides = overrides,
        .override_count = 3,
    });
}

static void scene_make(
    struct scene *scene, uint64_t seed, bool calm, uint32_t reactors, const char *storage)
{
    *scene = (struct scene){.reactors = reactors, .storage = storage};
    scene->world = world_new(&(struct world_options){
        .seed = seed, .calm = calm, .print = number_of("SIM_PRINT", 0) != 0});
    scene->disk = disk_new(0);
    scene_start(scene);
}

/* As kill -9 now, and a start over what is left. */
static void scene_kill(struct scene *scene)
{
    struct disk *left = disk_copy(scene->disk);
    sim_broker_end(scene->broker);
    disk_free(scene->disk);
    scene->disk = left;
    scene_start(scene);
}

static void scene_restart(struct scene *scene)
{
    sim_broker_end(scene->broker);
    scene_start(scene);
}

static uint64_t scene_end(struct scene *scene)
{
    sim_broker_end(scene->broker);
    uint64_t hash = world_hash(scene->world);
    world_free(scene->world);
    disk_free(scene->disk);
    return hash;
}

/* ---- requests -------------------------------------------------------------------------------- */

/* The offset given to one record; asserts that it was taken. */
static int64_t produce(
    struct sim_client *client, struct world *world, const char *topic, int32_t partition,
    const char *value)
{
    uint8_t room[1024];
    struct record_maker maker;
    struct kafka_produce_response response;
    const struct record record = {.timestamp_ms = REQUEST_TIME_MS, .value = str_of(value)};
    record_make(&maker, room, sizeof room);
    assert_int_equal(record_make_add(&maker, &record), MRT_OK);
    mrt_str batch = {(const char *)room, record_make_end(&maker)};
    request_produce(client, topic, partition, &batch);
    while (!client_answer(client, &response))
        assert_true(world_step(world));
    const struct kafka_produce_response_partition *part = request_produced(&response);
    assert_int_equal(part->error_code, 0);
    return part->base_offset;
}

static void send_fetch(struct sim_client *client, int32_t partition, int64_t from, int32_t wait_ms)
{
    const struct request_position position = {partition, from};
    request_fetch(client, "orders", &position, 1, wait_ms, 1000000);
}

/* The one partition of an answer to send_fetch(); asserts that it has no error. */
static const struct kafka_fetch_response_partition *fetched(
    const struct kafka_fetch_response *response)
{
    assert_int_equal(response->error_code, 0);
    assert_int_equal(response->n_responses, 1);
    assert_int_equal(response->responses[0].n_partitions, 1);
    const struct kafka_fetch_response_partition *part = &response->responses[0].partitions[0];
    assert_int_equal(part->error_code, 0);
    return part;
}

static void is_value(void *arg, const struct record *record)
{
    mrt_str wanted = str_of(arg);
    assert_int_equal(record->value.n, wanted.n);
    assert_memory_equal(record->value.p, wanted.p, wanted.n);
}

/* ---- one client, one step after the other ---------------------------------------------------- */

/* What is stored at offset 0 of partition 0 is @value, and nothing behind it. */
static void read_one(struct sim_client *client, struct world *world, char *value)
{
    struct kafka_fetch_response response;
    send_fetch(client, 0, 0, 0);
    while (!client_answer(client, &response))
        assert_true(world_step(world));
    const struct kafka_fetch_response_partition *part = fetched(&response);
    assert_int_equal(part->high_watermark, 1);
    assert_int_equal(request_records(&part->records, 0, is_value, value), 1);
}

/* A fetch at the end waits; it is answered by the record, or when its time is over. */
static void poll_long(struct scene *scene, struct sim_client *consumer, struct sim_client *producer)
{
    struct kafka_fetch_response response;
    char late[] = "late";
    uint64_t began_ns = world_now_ns(scene->world);
    send_fetch(consumer, 1, 0, 20000);
    world_run(scene->world, began_ns + SECOND_NS);
    assert_false(client_answer(consumer, &response));
    assert_int_equal(produce(producer, scene->world, "orders", 1, late), 0);
    while (!client_answer(consumer, &response))
        assert_true(world_step(scene->world));
    assert_true(world_now_ns(scene->world) < began_ns + 10 * SECOND_NS);
    assert_int_equal(request_records(&fetched(&response)->records, 0, is_value, late), 1);

    began_ns = world_now_ns(scene->world);
    send_fetch(consumer, 1, 1, 2000);
    while (!client_answer(consumer, &response))
        assert_true(world_step(scene->world));
    assert_int_equal(fetched(&response)->records.n, 0);
    uint64_t took_ns = world_now_ns(scene->world) - began_ns;
    assert_in_range(took_ns, 2 * SECOND_NS, 4 * SECOND_NS);
}

static uint64_t go_round(uint64_t seed, bool calm, uint32_t reactors, const char *storage)
{
    struct scene scene;
    struct sim_client one, other;
    char first[] = "first";

    scene_make(&scene, seed, calm, reactors, storage);
    client_open(&one, scene.broker, 0);
    client_open(&other, scene.broker, reactors - 1);
    assert_int_equal(request_create(&one, scene.world, "orders", 3), 0);
    assert_int_equal(
        request_create(&other, scene.world, "orders", 3), 36); /* TOPIC_ALREADY_EXISTS */
    assert_int_equal(produce(&one, scene.world, "orders", 0, first), 0);
    read_one(&other, scene.world, first);
    poll_long(&scene, &other, &one);
    client_close(&one);
    client_close(&other);

    if (strcmp(storage, "storage=memory") != 0) {
        scene_kill(&scene);
        client_open(&one, scene.broker, 0);
        read_one(&one, scene.world, first);
        client_close(&one);
        scene_restart(&scene);
        client_open(&one, scene.broker, reactors - 1);
        read_one(&one, scene.world, first);
        client_close(&one);
    }
    return scene_end(&scene);
}

static void a_record_goes_round_whatever_the_seed(void **state)
{
    (void)state;
    uint64_t only = number_of("SIM_SEED", 0);
    uint64_t seeds = number_of("SIM_SEEDS", SEEDS);
    for (uint64_t seed = only > 0 ? only : 1; seed <= (only > 0 ? only : seeds); seed++)
        for (uint32_t reactors = 1; reactors <= 4; reactors += 3) {
            fprintf(stderr, "round seed=%llu reactors=%u", (unsigned long long)seed, reactors);
            uint64_t hash = go_round(seed, false, reactors, "storage=segment");
            fprintf(stderr, " hash=%016llx\n", (unsigned long long)hash);
        }
}

static void a_record_goes_round_in_a_calm_world(void **state)
{
    (void)state;
    go_round(1, true, 1, "storage=segment");
    go_round(1, true, 4, "storage=segment");
}

static void a_record_goes_round_in_memory(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++)
        go_round(seed, false, 4, "storage=memory");
}

static void the_same_seed_is_the_same_broker(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        uint64_t once = go_round(seed, false, 4, "storage=segment");
        assert_true(go_round(seed, false, 4, "storage=segment") == once);
        assert_true(go_round(seed + 1000, false, 4, "storage=segment") != once);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_goes_round_in_a_calm_world),
        cmocka_unit_test(a_record_goes_round_whatever_the_seed),
        cmocka_unit_test(a_record_goes_round_in_memory),
        cmocka_unit_test(the_same_seed_is_the_same_broker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
