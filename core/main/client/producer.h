/* SPDX-License-Identifier: Apache-2.0 */
/*
 * producer.h - collects records into one batch a partition and sends them, one batch at a time.
 *
 *   D1  With acks=all every batch has a producer id and a sequence number, where the broker gives
 *       them: sent again after a broken connection it is still stored once.
 *   D2  Without, a batch whose connection broke is not sent again: that is told as an error.
 *   D3  Records with the same key go to the same partition, the one that Kafka's Java client picks;
 *       those without fill one partition's batch after the other's.
 */
#ifndef CORE_MAIN_CLIENT_PRODUCER_H
#define CORE_MAIN_CLIENT_PRODUCER_H

#include "core/main/client/client.h"
#include "core/main/client/engines.h"

#define PRODUCER_ANY (-1) /* as partition: by key, or in turn */

enum {
    ACKS_ALL = -1,
    ACKS_NONE = 0,
    ACKS_LEADER = 1
};

struct producer_options {
    struct client *client;   /* which has its topic */
    struct engines *engines; /* for the codec */
    int32_t partition;       /* or PRODUCER_ANY */
    int16_t acks;
    uint32_t codec; /* MRT_CODEC_, 0: none */
};

struct producer;

MUST_CHECK mrt_status
producer_new(const struct producer_options *options, struct producer **out, mrt_error *error);
void producer_free(struct producer *producer); /* NULL is fine */

/* Adds a record, sends a full batch. @key with p NULL: none. After an error, nothing more. */
MUST_CHECK mrt_status
producer_add(struct producer *producer, const mrt_str *key, const mrt_str *value, mrt_error *error);

/* Sends what was added. */
MUST_CHECK mrt_status producer_flush(struct producer *producer, mrt_error *error);

/* Records that were acknowledged, or, without acknowledgements, sent. */
uint64_t producer_sent(const struct producer *producer);

#endif /* CORE_MAIN_CLIENT_PRODUCER_H */
