/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connection.h - one blocking connection to one broker, for tools: requests go out and answers come
 * back in order, in the newest version both sides know.
 *
 *   N1  A connection that answered an error is of no use any more: what is in flight is lost.
 *   N2  What an answer points into is the connection's, until its next receive.
 *   N3  No wait is longer than the timeout it was opened with.
 */
#ifndef CORE_MAIN_CLIENT_CONNECTION_H
#define CORE_MAIN_CLIENT_CONNECTION_H

#include "core/base/error.h"
#include "plugins/protocol/kafka/frame.h"

struct connection;

/* A request and where its answer goes: kafka_..._request and _response of messages.h. */
struct call {
    int16_t key;
    int16_t until; /* the newest version the caller can deal with */
    const void *request;
    void *response;
};

/* Connects and learns what the other end speaks. Its name in errors is "host:port". */
MUST_CHECK mrt_status connection_open(
    const char *host, uint32_t port, uint32_t timeout_ms, struct connection **out,
    mrt_error *error);
void connection_close(struct connection *connection); /* NULL is fine */

const char *connection_name(const struct connection *connection);

/* The version that API @key is called in; -1 when there is none both sides know, up to @until. */
int16_t connection_version(const struct connection *connection, int16_t key, int16_t until);

/* Sends; MRT_ENOTSUP, and nothing happened, without a version. */
MUST_CHECK mrt_status
connection_send(struct connection *connection, const struct call *call, mrt_error *error);

/* Waits for the answer to what was sent first. One request is in flight, at most. */
MUST_CHECK mrt_status
connection_receive(struct connection *connection, const struct call *call, mrt_error *error);

/* Both. */
MUST_CHECK mrt_status
connection_ask(struct connection *connection, const struct call *call, mrt_error *error);

#endif /* CORE_MAIN_CLIENT_CONNECTION_H */
