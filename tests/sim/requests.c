/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/requests.h"

#include "core/base/assert.h"
#include "core/base/str.h"

#define POSITIONS_MAX 8

int16_t request_create(
    struct sim_client *client, struct world *world, const char *name, int32_t partitions)
{
    struct kafka_create_topics_request_topic topic = {
        .name = str_of(name), .num_partitions = partitions, .replication_factor = 1};
    const struct kafka_create_topics_request request = {
        .topics = &topic, .n_topics = 1, .timeout_ms = 10000};
    struct kafka_create_topics_response response;
    client_ask(client, world, CLIENT_CREATE_TOPICS, 5, &request, &response);
    ASSERT(response.n_topics == 1);
    return response.topics[0].error_code;
}

void request_produce(
    struct sim_client *client, const char *topic, int32_t partition, const mrt_str *batch)
{
    struct kafka_produce_request_partition part = {.index = partition, .records = *batch};
    struct kafka_produce_request_topic row = {
        .name = str_of(topic), .partition_data = &part, .n_partition_data = 1};
    const struct kafka_produce_request request = {
        .acks = -1, .timeout_ms = 10000, .topic_data = &row, .n_topic_data = 1};
    client_send(client, CLIENT_PRODUCE, 9, &request);
}

const struct kafka_produce_response_partition *request_produced(
    const struct kafka_produce_response *response)
{
    ASSERT(response->n_responses == 1);
    ASSERT(response->responses[0].n_partition_responses == 1);
    return &response->responses[0].partition_responses[0];
}

void request_fetch(
    struct sim_client *client, const char *topic, const struct request_position *positions,
    uint32_t n, int32_t wait_ms, int32_t bytes_max)
{
    struct kafka_fetch_request_partition parts[POSITIONS_MAX];
    ASSERT(n <= POSITIONS_MAX);
    for (uint32_t i = 0; i < n; i++)
        parts[i] = (struct kafka_fetch_request_partition){
            .partition = positions[i].partition,
            .current_leader_epoch = -1,
            .fetch_offset = positions[i].from,
            .last_fetched_epoch = -1,
            .log_start_offset = -1,
            .partition_max_bytes = bytes_max,
        };
    struct kafka_fetch_request_topic row = {
        .topic = str_of(topic), .partitions = parts, .n_partitions = n};
    const struct kafka_fetch_request request = {
        .replica_id = -1,
        .max_wait_ms = wait_ms,
        .min_bytes = 1,
        .max_bytes = bytes_max,
        .session_epoch = -1,
        .topics = &row,
        .n_topics = 1,
    };
    client_send(client, CLIENT_FETCH, 11, &request);
}

int64_t request_records(
    const mrt_str *records, int64_t from, void (*each)(void *arg, const struct record *record),
    void *arg)
{
    const char *at = records->p;
    uint64_t left = records->n;
    struct kit_batch batch;
    while (left > 0 && record_batch(at, left, &batch) == MRT_OK) {
        struct record_cursor cursor;
        struct record record;
        ASSERT(kit_batch_sum_ok((const uint8_t *)at, batch.size));
        record_walk(&cursor, at, &batch);
        while (record_next(&cursor, &record)) {
            if (record.offset < from)
                continue;
            ASSERT(record.offset == from);
            each(arg, &record);
            from++;
        }
        ASSERT(cursor.text == NULL);
        at += batch.size;
        left -= batch.size;
    }
    return from;
}
