/* SPDX-License-Identifier: Apache-2.0 */
/*
 * requests.h - the few requests that simulated clients send, and how their answers are looked at.
 */
#ifndef TESTS_SIM_REQUESTS_H
#define TESTS_SIM_REQUESTS_H

#include "core/record/record.h"
#include "tests/sim/client.h"

#define REQUEST_TIME_MS INT64_C(1767225600000) /* of records */

/* Asks and waits; the error code of the topic. */
int16_t request_create(
    struct sim_client *client, struct world *world, const char *name, int32_t partitions);

/* acks=all; the batch is borrowed during the call. */
void request_produce(
    struct sim_client *client, const char *topic, int32_t partition, const mrt_str *batch);
const struct kafka_produce_response_partition *request_produced(
    const struct kafka_produce_response *response);

struct request_position {
    int32_t partition;
    int64_t from;
};

void request_fetch(
    struct sim_client *client, const char *topic, const struct request_position *positions,
    uint32_t n, int32_t wait_ms, int32_t bytes_max);

/* Calls @each with every whole record of @records from offset @from on, which must follow one
 * another without a gap; returns the next offset. */
int64_t request_records(
    const mrt_str *records, int64_t from, void (*each)(void *arg, const struct record *record),
    void *arg);

#endif /* TESTS_SIM_REQUESTS_H */
