/* SPDX-License-Identifier: Apache-2.0 */
/*
 * subscription.h - a reader's partitions and its poll, for subscription.c and poll.c.
 *
 *   P1  One poll per subscription at a time; while it is parked it costs nothing but its waiters.
 *   P2  A poll looks at every partition without entering its strand; only those with something to
 *       read are read, all at once. Reading locates and pins; no bytes move.
 *   P3  The first partition with data gives at least one batch, however small the limits (KIP-74);
 *       the others only what still fits. What does not fit is given back.
 */
#ifndef CORE_BROKER_SUBSCRIPTION_H
#define CORE_BROKER_SUBSCRIPTION_H

#include "core/broker/broker_state.h"

/* Partitions of one subscription: more than a client asks for, less than hurts. */
#define SUB_PARTS_MAX 100000
/* Slices of one partition's answer: a read stays in one segment, so one does, with room. */
#define SUB_SLICES 4

struct sub_part {
    mrt_sub *sub;
    mrt_str topic; /* p NULL: named by id */
    char *name;    /* owned, behind topic */
    uint8_t topic_id[16];
    int32_t partition;
    int32_t fetched_epoch;
    int32_t leader_epoch;
    uint32_t max_bytes;
    int64_t from;
    int64_t cookie;

    /* of the poll under way */
    struct log *log; /* a reference while read or watched */
    struct log_waiter waiter;
    struct log_read read;
    mrt_slice slices[SUB_SLICES];
    uint32_t reading;
    uint32_t has_data;
    mrt_sub_res res;
};

struct mrt_sub {
    mrt_broker *shard;
    struct sub_part *parts; /* owned */
    uint32_t n;
    uint32_t cap;
    int32_t replica_id;
    uint32_t turn; /* where the next poll begins, so that all get their share */

    /* the poll under way */
    mrt_call *poll;
    struct list link; /* in shard->polls while parked */
    mrt_timer timer;
    mrt_task again;
    uint32_t again_posted;
    uint32_t woken;   /* something happened since the round began */
    uint32_t expired; /* answer with what there is */
    uint32_t closed;  /* freed when `again` has run */
    uint32_t parked;
    uint32_t reading; /* reads under way */
    uint32_t errors;
    uint64_t bytes;
};

/* Frees a closed subscription; nothing of it is under way. */
void sub_free(mrt_sub *sub);

#endif /* CORE_BROKER_SUBSCRIPTION_H */
