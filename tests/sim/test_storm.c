/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A storm over a whole broker: idempotent producers that pipeline, consumers that wait, clients
 * that hang up, an administrator who makes and deletes topics; the broker is killed, its power is
 * cut, it is restarted. What holds, whatever the seed:
 *
 *   S1  What was acknowledged is there, at the offset that was said, with the bytes that were sent.
 *   S2  What a consumer has seen stays, at its offset.
 *   S3  Every record is there once, those of a producer in the order of sending, also when a batch
 *       was sent again because its answer was lost.
 *   S4  A topic whose creation was acknowledged is there, one whose deletion was is not.
 *   S5  Every request is answered unless its connection ended: nothing hangs.
 *
 * The ledger says what is known of each offset. SIM_SEED=n runs that seed alone, SIM_SEEDS=n that
 * many, SIM_PRINT=1 prints the broker's log.
 */
#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/memory.h"
#include "core/base/str.h"
#include "tests/sim/requests.h"
#include "tests/unit/cmocka.h"

#define SEEDS        30
#define TOPIC        "storm"
#define PARTITIONS   3
#define PRODUCERS    3
#define CONSUMERS    2
#define WINDOW       4  /* batches under way of one producer; the broker remembers five */
#define BATCHES      40 /* of one producer */
#define RECORD_MAX   4000
#define BATCH_MAX    18000 /* below segment.bytes */
#define STEPS_MAX    3000000
#define OUT_OF_ORDER 45 /* OUT_OF_ORDER_SEQUENCE_NUMBER */

/* What is known of an offset; producer 0: nothing. */
struct entry {
    uint32_t producer;
    uint64_t number;
};

struct ledger {
    struct entry *v; /* owned */
    uint64_t n;
    uint64_t cap;
};

struct batch {
    int32_t partition;
    uint64_t first; /* number of its first record */
    uint32_t count;
    mrt_str bytes; /* owned */
};

struct storm;

struct producer {
    struct storm *storm;
    uint32_t name; /* from 1 */
    bool open;
    struct sim_client client;
    int64_t id; /* -1: not asked for yet */
    int16_t epoch;
    struct batch window[WINDOW]; /* not acknowledged, the oldest first */
    uint32_t count;
    uint32_t sent; /* of them, on this connection */
    uint64_t next[PARTITIONS];
    uint64_t lost_at[PARTITIONS]; /* next, when the broker was lost last */
    uint32_t left;                /* batches to come */
};

struct consumer {
    struct storm *storm;
    bool open;
    struct sim_client client;
    struct request_position at[PARTITIONS];
};

enum topic_state {
    TOPIC_ABSENT,
    TOPIC_MAKING,
    TOPIC_THERE,
    TOPIC_DELETING
};

struct admin {
    struct storm *storm;
    bool open;
    struct sim_client client;
    enum topic_state state;
    char name[32];
    uint32_t made;
};

struct storm {
    struct world *world;
    struct disk *disk;
    struct sim_broker *broker;
    uint32_t reactors;
    struct random random;
    struct ledger ledger[PARTITIONS];
    struct producer producers[PRODUCERS];
    struct consumer consumers[CONSUMERS];
    struct admin admin;
    bool print;
    uint64_t again;     /* batches sent a second time */
    uint64_t forgotten; /* of them, by their broker */
};

static uint64_t number_of(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

static uint64_t draw(struct storm *storm, uint64_t below)
{
    return (random_next(&storm->random) >> 16) % below;
}

/* ---- the ledger ------------------------------------------------------------------------------ */

static void ledger_note(struct ledger *ledger, int64_t offset, uint32_t producer, uint64_t number)
{
    uint64_t at = (uint64_t)offset;
    assert_true(offset >= 0);
    if (at >= ledger->cap) {
        uint64_t cap = at * 2 + 64;
        ledger->v = memory_resize(ledger->v, cap * sizeof *ledger->v);
        memset(&ledger->v[ledger->cap], 0, (cap - ledger->cap) * sizeof *ledger->v);
        ledger->cap = cap;
    }
    if (at >= ledger->n)
        ledger->n = at + 1;
    struct entry *entry = &ledger->v[at];
    if (entry->producer != 0 && (entry->producer != producer || entry->number != number))
        fail_msg(
            "offset %lld was record %llu of producer %u and is record %llu of producer %u",
            (long long)offset, (unsigned long long)entry->number, entry->producer,
            (unsigned long long)number, producer);
    *entry = (struct entry){producer, number};
}

static void record_seen(void *arg, const struct record *record)
{
    char text[48];
    unsigned producer = 0;
    unsigned long long number = 0;
    assert_true(record->value.n >= sizeof text);
    memcpy(text, record->value.p, sizeof text);
    text[sizeof text - 1] = '\0';
    assert_int_equal(sscanf(text, "%u:%llu:", &producer, &number), 2);
    ledger_note(arg, record->offset, producer, number);
}

/* ---- producers ------------------------------------------------------------------------------- */

static void batch_make(struct producer *producer, struct batch *batch)
{
    struct storm *storm = producer->storm;
    uint32_t partition = (uint32_t)draw(storm, PARTITIONS);
    uint32_t count = 1 + (uint32_t)draw(storm, draw(storm, 4) == 0 ? 16 : 2);
    char value[RECORD_MAX];
    struct record_maker maker;

    *batch = (struct batch){.partition = (int32_t)partition, .first = producer->next[partition]};
    uint8_t *bytes = memory_new(BATCH_MAX);
    record_make(&maker, bytes, BATCH_MAX);
    maker.batch.producer_id = producer->id;
    maker.batch.producer_epoch = producer->epoch;
    maker.batch.base_sequence = (int32_t)producer->next[partition];
    for (uint32_t i = 0; i < count; i++) {
        memset(value, 'a' + (char)producer->name, sizeof value);
        int n = snprintf(
            value, sizeof value, "%u:%llu", producer->name,
            (unsigned long long)(batch->first + batch->count));
        value[n] = ':';
        const struct record record = {
            .timestamp_ms = REQUEST_TIME_MS,
            .value = {value, 48 + draw(storm, draw(storm, 4) == 0 ? RECORD_MAX - 48 : 100)}};
        if (record_make_add(&maker, &record) == MRT_OK)
            batch->count++;
    }
    batch->bytes = (mrt_str){(char *)bytes, record_make_end(&maker)};
    producer->next[partition] += batch->count;
    producer->left--;
}

static void batch_drop(struct producer *producer)
{
    struct batch *batch = &producer->window[0];
    memory_free((char *)(uintptr_t)batch->bytes.p);
    producer->count--;
    producer->sent--;
    memmove(&producer->window[0], &producer->window[1], producer->count * sizeof *batch);
}

static bool is_known(const struct ledger *ledger, uint32_t producer, uint64_t number)
{
    for (uint64_t i = 0; i < ledger->n; i++)
        if (ledger->v[i].producer == producer && ledger->v[i].number == number)
            return true;
    return false;
}

/* A producer snapshot, which is Kafka's, has the last batch of each. Of what was sent before it and
 * answered to nobody, a broker that was lost cannot say that it is there: but it must be. */
static bool was_forgotten(
    const struct producer *producer, const struct batch *batch, int16_t error_code)
{
    const struct ledger *ledger = &producer->storm->ledger[batch->partition];
    if (error_code != OUT_OF_ORDER || batch->first >= producer->lost_at[batch->partition])
        return false;
    return is_known(ledger, producer->name, batch->first);
}

static void acknowledged(struct producer *producer, const struct kafka_produce_response *response)
{
    const struct kafka_produce_response_partition *part = request_produced(response);
    struct batch *batch = &producer->window[0];
    if (was_forgotten(producer, batch, part->error_code)) {
        producer->storm->forgotten++;
        batch_drop(producer);
        return;
    }
    if (part->error_code != 0)
        fail_msg(
            "producer %u, partition %d, records %llu and %u more: error %d", producer->name,
            batch->partition, (unsigned long long)batch->first, batch->count - 1, part->error_code);
    assert_int_equal(part->index, batch->partition);
    if (producer->storm->print)
        fprintf(
            stderr, "storm: producer %u partition %d records %llu+%u are at %lld\n", producer->name,
            batch->partition, (unsigned long long)batch->first, batch->count,
            (long long)part->base_offset);
    for (uint32_t i = 0; i < batch->count; i++)
        ledger_note(
            &producer->storm->ledger[batch->partition], part->base_offset + i, producer->name,
            batch->first + i);
    batch_drop(producer);
}

static void ask_id(struct producer *producer)
{
    struct kafka_init_producer_id_response response;
    const struct kafka_init_producer_id_request request = {
        .transaction_timeout_ms = 60000, .producer_id = -1, .producer_epoch = -1};
    if (producer->client.under_way == 0)
        client_send(&producer->client, CLIENT_INIT_PRODUCER_ID, 4, &request);
    if (!client_answer(&producer->client, &response))
        return;
    assert_int_equal(response.error_code, 0);
    producer->id = response.producer_id;
    producer->epoch = response.producer_epoch;
}

static void producer_go(struct producer *producer)
{
    struct storm *storm = producer->storm;
    struct kafka_produce_response response;

    if (!producer->open) {
        client_open(&producer->client, storm->broker, (uint32_t)draw(storm, storm->reactors));
        producer->open = true;
        producer->sent = 0;
        storm->again += producer->count;
    }
    if (producer->id < 0) {
        ask_id(producer);
        return;
    }
    while (client_answer(&producer->client, &response))
        acknowledged(producer, &response);
    if (producer->count < WINDOW && producer->left > 0 && draw(storm, 50) == 0)
        batch_make(producer, &producer->window[producer->count++]);
    for (; producer->sent < producer->count; producer->sent++) {
        const struct batch *batch = &producer->window[producer->sent];
        request_produce(&producer->client, TOPIC, batch->partition, &batch->bytes);
    }
    assert_false(pipe_closed(producer->client.conn));
}

/* ---- consumers ------------------------------------------------------------------------------- */

static void consumed(struct consumer *consumer, const struct kafka_fetch_response *response)
{
    assert_int_equal(response->error_code, 0);
    for (uint32_t i = 0; i < response->n_responses; i++)
        for (uint32_t j = 0; j < response->responses[i].n_partitions; j++) {
            const struct kafka_fetch_response_partition *part =
                &response->responses[i].partitions[j];
            struct request_position *at = &consumer->at[part->partition_index];
            if (part->error_code != 0)
                fail_msg(
                    "partition %d at %lld: error %d, high watermark %lld", part->partition_index,
                    (long long)at->from, part->error_code, (long long)part->high_watermark);
            at->from = request_records(
                &part->records, at->from, record_seen,
                &consumer->storm->ledger[part->partition_index]);
            assert_true(at->from <= part->high_watermark);
        }
}

static void consumer_go(struct consumer *consumer)
{
    struct storm *storm = consumer->storm;
    struct kafka_fetch_response response;

    if (!consumer->open) {
        client_open(&consumer->client, storm->broker, (uint32_t)draw(storm, storm->reactors));
        consumer->open = true;
    }
    if (client_answer(&consumer->client, &response))
        consumed(consumer, &response);
    if (consumer->client.under_way == 0)
        request_fetch(
            &consumer->client, TOPIC, consumer->at, PARTITIONS, (int32_t)draw(storm, 1000),
            1 + (int32_t)draw(storm, 30000));
    assert_false(pipe_closed(consumer->client.conn));
}

/* ---- the administrator ----------------------------------------------------------------------- */

static void admin_send(struct admin *admin)
{
    struct kafka_create_topics_request_topic topic = {
        .name = str_of(admin->name), .num_partitions = 2, .replication_factor = 1};
    const struct kafka_create_topics_request create = {
        .topics = &topic, .n_topics = 1, .timeout_ms = 10000};
    mrt_str name = str_of(admin->name);
    const struct kafka_delete_topics_request delete = {
        .topic_names = &name, .n_topic_names = 1, .timeout_ms = 10000};

    if (admin->state == TOPIC_ABSENT) {
        snprintf(admin->name, sizeof admin->name, "made%u", ++admin->made);
        topic.name = str_of(admin->name);
        admin->state = TOPIC_MAKING;
        client_send(&admin->client, CLIENT_CREATE_TOPICS, 5, &create);
    } else {
        admin->state = TOPIC_DELETING;
        client_send(&admin->client, CLIENT_DELETE_TOPICS, 4, &delete);
    }
}

static void admin_go(struct admin *admin)
{
    struct storm *storm = admin->storm;
    union {
        struct kafka_create_topics_response create;
        struct kafka_delete_topics_response delete;
    } response;

    if (!admin->open) {
        client_open(&admin->client, storm->broker, (uint32_t)draw(storm, storm->reactors));
        admin->open = true;
    }
    if (admin->client.under_way > 0) {
        if (!client_answer(&admin->client, &response))
            return;
        if (admin->state == TOPIC_MAKING) {
            assert_int_equal(response.create.topics[0].error_code, 0);
            admin->state = TOPIC_THERE;
        } else {
            assert_int_equal(response.delete.responses[0].error_code, 0);
            admin->state = TOPIC_ABSENT;
        }
    }
    if (draw(storm, 200) == 0)
        admin_send(admin);
}

/* Is the topic there? Of one that was on its way, either may be true; afterwards it is known. */
static void admin_look(struct admin *admin)
{
    struct kafka_metadata_request_topic topic = {.name = str_of(admin->name)};
    const struct kafka_metadata_request request = {.topics = &topic, .n_topics = 1};
    struct kafka_metadata_response response;
    struct sim_client client;

    if (admin->name[0] == '\0')
        return;
    client_open(&client, admin->storm->broker, 0);
    client_ask(&client, admin->storm->world, CLIENT_METADATA, 8, &request, &response);
    assert_int_equal(response.n_topics, 1);
    int16_t error = response.topics[0].error_code;
    assert_true(error == 0 || error == 3); /* UNKNOWN_TOPIC_OR_PARTITION */
    if (admin->state == TOPIC_THERE)
        assert_int_equal(error, 0);
    else if (admin->state == TOPIC_ABSENT)
        assert_int_equal(error, 3);
    admin->state = error == 0 ? TOPIC_THERE : TOPIC_ABSENT;
    client_close(&client);
}

/* ---- the broker ------------------------------------------------------------------------------ */

static void broker_start_again(struct storm *storm)
{
    static const char *const overrides[] = {
        "log_segment_bytes=20000", "log_retention_check_interval_ms=500"};
    storm->broker = sim_broker_start(&(struct sim_broker_options){
        .world = storm->world,
        .disk = storm->disk,
        .reactors = storm->reactors,
        .overrides = overrides,
        .override_count = 2,
    });
}

static void hang_up(struct sim_client *client, bool *open)
{
    if (*open)
        client_close(client);
    *open = false;
}

static void all_hang_up(struct storm *storm)
{
    for (uint32_t i = 0; i < PRODUCERS; i++)
        hang_up(&storm->producers[i].client, &storm->producers[i].open);
    for (uint32_t i = 0; i < CONSUMERS; i++)
        hang_up(&storm->consumers[i].client, &storm->consumers[i].open);
    hang_up(&storm->admin.client, &storm->admin.open);
}

/* Reads all of @partition; the ledger holds it against what was known. */
static void read_all(struct storm *storm, uint32_t partition)
{
    struct ledger *ledger = &storm->ledger[partition];
    struct request_position at = {.partition = (int32_t)partition};
    struct kafka_fetch_response response;
    struct sim_client client;
    int64_t end = 1;

    client_open(&client, storm->broker, partition % storm->reactors);
    while (at.from < end) {
        request_fetch(&client, TOPIC, &at, 1, 0, 100000);
        for (uint32_t i = 0; !client_answer(&client, &response); i++) {
            assert_true(i < STEPS_MAX);
            assert_true(world_step(storm->world));
        }
        const struct kafka_fetch_response_partition *part = &response.responses[0].partitions[0];
        assert_int_equal(part->error_code, 0);
        end = part->high_watermark;
        int64_t before = at.from;
        at.from = request_records(&part->records, at.from, record_seen, ledger);
        assert_true(at.from > before || at.from == end);
    }
    if (storm->print)
        fprintf(stderr, "storm: partition %u ends at %lld\n", partition, (long long)at.from);
    assert_int_equal(at.from, ledger->n); /* S1, S2: nothing known is missing */
    client_close(&client);
}

/* What is known is there. */
static void broker_check(struct storm *storm)
{
    admin_look(&storm->admin);
    for (uint32_t i = 0; i < PARTITIONS; i++) {
        read_all(storm, i);
        for (uint32_t j = 0; j < PRODUCERS; j++)
            storm->producers[j].lost_at[i] = storm->producers[j].next[i];
    }
}

/* What is on the disk at this moment, or what a power cut leaves of it, is all there is. */
static void broker_lost(struct storm *storm, bool power)
{
    uint64_t seed = random_next(&storm->random);
    struct disk *left = power ? disk_copy_cut(storm->disk, seed) : disk_copy(storm->disk);
    if (storm->print)
        fprintf(stderr, "storm: %s\n", power ? "the power is cut" : "killed");
    all_hang_up(storm);
    sim_broker_end(storm->broker);
    disk_free(storm->disk);
    storm->disk = left;
    broker_start_again(storm);
    broker_check(storm);
}

/* As SIGTERM while everybody is busy: answers on their way go out, then connections end. */
static void broker_stopped(struct storm *storm)
{
    if (storm->print)
        fprintf(stderr, "storm: stopped\n");
    sim_broker_end(storm->broker);
    for (uint32_t i = 0; i < PRODUCERS; i++) {
        struct producer *producer = &storm->producers[i];
        struct kafka_produce_response response;
        while (producer->open && producer->id >= 0 && client_answer(&producer->client, &response))
            acknowledged(producer, &response);
    }
    all_hang_up(storm);
    broker_start_again(storm);
    broker_check(storm);
}

/* ---- the run --------------------------------------------------------------------------------- */

static bool finished(const struct storm *storm)
{
    for (uint32_t i = 0; i < PRODUCERS; i++)
        if (storm->producers[i].left > 0 || storm->producers[i].count > 0)
            return false;
    return true;
}

static void storm_step(struct storm *storm)
{
    for (uint32_t i = 0; i < PRODUCERS; i++)
        producer_go(&storm->producers[i]);
    for (uint32_t i = 0; i < CONSUMERS; i++)
        consumer_go(&storm->consumers[i]);
    admin_go(&storm->admin);
    if (draw(storm, 2000) == 0) {
        struct producer *producer = &storm->producers[draw(storm, PRODUCERS)];
        hang_up(&producer->client, &producer->open);
    }
    if (draw(storm, 2000) == 0) {
        struct consumer *consumer = &storm->consumers[draw(storm, CONSUMERS)];
        hang_up(&consumer->client, &consumer->open);
    }
    world_step(storm->world);
}

static void storm_for(struct storm *storm, uint64_t steps)
{
    for (uint64_t i = 0; i < steps && !finished(storm); i++)
        storm_step(storm);
}

static void storm_to_the_end(struct storm *storm)
{
    for (uint32_t i = 0; !finished(storm); i++) {
        assert_true(i < STEPS_MAX); /* S5 */
        storm_step(storm);
    }
}

/* S3. */
static void check_order(struct storm *storm, uint32_t partition)
{
    const struct ledger *ledger = &storm->ledger[partition];
    uint64_t next[PRODUCERS] = {0};
    for (uint64_t i = 0; i < ledger->n; i++) {
        uint32_t producer = ledger->v[i].producer - 1;
        assert_true(producer < PRODUCERS);
        assert_int_equal(ledger->v[i].number, next[producer]);
        next[producer]++;
    }
    for (uint32_t i = 0; i < PRODUCERS; i++)
        assert_int_equal(next[i], storm->producers[i].next[partition]);
}

static void storm_make(struct storm *storm, uint64_t seed, uint32_t reactors)
{
    struct sim_client client;
    *storm = (struct storm){.reactors = reactors, .print = number_of("SIM_PRINT", 0) != 0};
    random_init(&storm->random, seed, "storm");
    storm->world =
        world_new(&(struct world_options){.seed = seed, .print = number_of("SIM_PRINT", 0) != 0});
    storm->disk = disk_new(0);
    for (uint32_t i = 0; i < PRODUCERS; i++)
        storm->producers[i] =
            (struct producer){.storm = storm, .name = i + 1, .id = -1, .left = BATCHES};
    for (uint32_t i = 0; i < CONSUMERS; i++) {
        storm->consumers[i].storm = storm;
        for (uint32_t j = 0; j < PARTITIONS; j++)
            storm->consumers[i].at[j].partition = (int32_t)j;
    }
    storm->admin.storm = storm;
    broker_start_again(storm);
    client_open(&client, storm->broker, 0);
    assert_int_equal(request_create(&client, storm->world, TOPIC, PARTITIONS), 0);
    client_close(&client);
}

static uint64_t storm_run(uint64_t seed, uint32_t reactors)
{
    struct storm *storm = memory_new(sizeof *storm);
    storm_make(storm, seed, reactors);
    storm_for(storm, 500 + draw(storm, 3000));
    broker_lost(storm, false);
    storm_for(storm, 300 + draw(storm, 1500));
    broker_stopped(storm);
    storm_for(storm, 500 + draw(storm, 3000));
    broker_lost(storm, true);
    storm_for(storm, draw(storm, 3000));
    broker_lost(storm, draw(storm, 2) == 0);
    storm_to_the_end(storm);
    for (uint32_t i = 0; i < PARTITIONS; i++)
        read_all(storm, i);
    all_hang_up(storm);
    sim_broker_end(storm->broker);
    broker_start_again(storm);
    admin_look(&storm->admin);
    for (uint32_t i = 0; i < PARTITIONS; i++) {
        read_all(storm, i);
        check_order(storm, i);
        memory_free(storm->ledger[i].v);
    }
    sim_broker_end(storm->broker);
    uint64_t hash = world_hash(storm->world);
    fprintf(
        stderr,
        "storm seed=%llu reactors=%u steps=%llu again=%llu forgotten=%llu topics=%u hash=%016llx\n",
        (unsigned long long)seed, reactors, (unsigned long long)world_steps(storm->world),
        (unsigned long long)storm->again, (unsigned long long)storm->forgotten, storm->admin.made,
        (unsigned long long)hash);
    world_free(storm->world);
    disk_free(storm->disk);
    memory_free(storm);
    return hash;
}

static void nothing_acknowledged_is_lost_and_nothing_is_there_twice(void **state)
{
    (void)state;
    uint64_t only = number_of("SIM_SEED", 0);
    uint64_t seeds = number_of("SIM_SEEDS", SEEDS);
    for (uint64_t seed = only > 0 ? only : 1; seed <= (only > 0 ? only : seeds); seed++)
        for (uint32_t reactors = 1; reactors <= 4; reactors += 3)
            storm_run(seed, reactors);
}

static void the_same_seed_is_the_same_storm(void **state)
{
    (void)state;
    uint64_t seed = number_of("SIM_SEED", 1);
    assert_true(storm_run(seed, 4) == storm_run(seed, 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_acknowledged_is_lost_and_nothing_is_there_twice),
        cmocka_unit_test(the_same_seed_is_the_same_storm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
