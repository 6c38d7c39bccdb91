/* SPDX-License-Identifier: Apache-2.0 */
/*
 * consumer.h - follows partitions of one topic: where to begin, what comes next, where they end.
 * Reads what is there, transactions that were not committed included.
 */
#ifndef CORE_MAIN_CLIENT_CONSUMER_H
#define CORE_MAIN_CLIENT_CONSUMER_H

#include "core/main/client/client.h"
#include "core/main/client/unpack.h"

#define CONSUMER_ALL      (-1)
#define CONSUMER_EARLIEST (-2) /* as ListOffsets has them */
#define CONSUMER_LATEST   (-1)

/* Where to begin. */
struct consumer_start {
    int64_t special; /* CONSUMER_EARLIEST, CONSUMER_LATEST, or 0: the offset */
    int64_t offset;  /* below 0: as many before the end */
};

struct consumer_options {
    struct client *client; /* which has its topic */
    struct engines *engines;
    int32_t partition; /* or CONSUMER_ALL */
    struct consumer_start start;
    bool exit_eof; /* a partition is over where its log ends */
    /* Takes a record; false: no more. */
    bool (*take)(void *context, int32_t partition, const struct record *record);
    void *context;
};

struct consumer;

MUST_CHECK mrt_status
consumer_new(const struct consumer_options *options, struct consumer **out, mrt_error *error);
void consumer_free(struct consumer *consumer); /* NULL is fine */

/* Asks every leader once, which waits for records for about half a second. MRT_ECANCELED: the taker
 * wants no more, or all partitions are over. */
MUST_CHECK mrt_status consumer_turn(struct consumer *consumer, mrt_error *error);

#endif /* CORE_MAIN_CLIENT_CONSUMER_H */
