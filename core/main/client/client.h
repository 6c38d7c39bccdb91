/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client.h - a small blocking Kafka client for the command line: finds the cluster and the brokers
 * that lead one topic's partitions, and knows when to try again. Any Kafka broker since 2.4 fits.
 *
 *   L1  The first contact is not repeated: a wrong address is told at once. What fails later is
 *       tried again until the timeout has passed, if that can help and does no harm.
 *   L2  A connection is the client's; it is valid until the next reach or forget.
 *   L3  Every error names the broker, and topic and partition where there are any.
 */
#ifndef CORE_MAIN_CLIENT_CLIENT_H
#define CORE_MAIN_CLIENT_CLIENT_H

#include <stdbool.h>

#include "core/main/client/codes.h"
#include "core/main/client/connection.h"

#define CLIENT_TIMEOUT_MS     10000
#define CLIENT_TIMEOUT_MS_MAX 600000

struct client;

/* @bootstrap is "host:port", or several with commas between. MRT_EINVAL. */
MUST_CHECK mrt_status
client_new(const char *bootstrap, uint32_t timeout_ms, struct client **out, mrt_error *error);
void client_free(struct client *client); /* NULL is fine */
uint32_t client_timeout_ms(const struct client *client);

/* Looks for @topic, the client's topic from then on; with @create, the broker may make it. */
MUST_CHECK mrt_status
client_topic(struct client *client, const char *topic, bool create, mrt_error *error);
const char *client_topic_name(const struct client *client);
uint32_t client_partitions(const struct client *client);

/* Who leads @partition of the topic, as far as known: a node, or -1. */
int32_t client_leader(const struct client *client, uint32_t partition);

/* A connection to the leader, after asking who that is, if it is not known. MRT_EAGAIN: nobody. */
MUST_CHECK mrt_status
client_reach(struct client *client, uint32_t partition, struct connection **out, mrt_error *error);

/* A connection to any broker; to the controller, where the brokers tell which that is. */
MUST_CHECK mrt_status
client_reach_any(struct client *client, struct connection **out, mrt_error *error);
MUST_CHECK mrt_status
client_reach_controller(struct client *client, struct connection **out, mrt_error *error);

/* What was known of leaders is out of date; closes all connections. */
void client_forget(struct client *client);

/* Asks the leader of @partition, and looks for the code of the answer with @code_of. Tries again
 * (L1); after a connection that broke only if the call is @repeatable. *@code is the code that the
 * last answer had, 0 with MRT_OK. */
MUST_CHECK mrt_status client_ask(
    struct client *client, uint32_t partition, const struct call *call, bool repeatable,
    int16_t (*code_of)(const void *response), int16_t *code, mrt_error *error);

/* Fills @error: the broker answered @code. @partition -1: the topic as such; @said may be NULL. */
mrt_status client_refused(
    const struct connection *connection, const char *topic, int32_t partition, int16_t code,
    const mrt_str *said, mrt_error *error);

/* ---- trying again ---------------------------------------------------------------------------- */

struct tries {
    uint64_t until_ms;
    uint32_t n;
};

void tries_begin(struct tries *tries, uint32_t timeout_ms);

/* Waits a little, longer each time; false when the time is over. */
bool tries_again(struct tries *tries);

#endif /* CORE_MAIN_CLIENT_CLIENT_H */
