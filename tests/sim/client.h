/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client.h - a Kafka client over a pipe: requests written by the wire library, answers read by it,
 * in order. It decides nothing; tests say what to send, step the world, and look for answers.
 */
#ifndef TESTS_SIM_CLIENT_H
#define TESTS_SIM_CLIENT_H

#include "plugins/protocol/kafka/frame.h"
#include "tests/sim/broker.h"

#define CLIENT_PIPELINE 8 /* requests under way */

/* Keys of the protocol. */
enum {
    CLIENT_PRODUCE = 0,
    CLIENT_FETCH = 1,
    CLIENT_LIST_OFFSETS = 2,
    CLIENT_METADATA = 3,
    CLIENT_CREATE_TOPICS = 19,
    CLIENT_DELETE_TOPICS = 20,
    CLIENT_INIT_PRODUCER_ID = 22
};

struct sim_client {
    mrt_conn *conn;
    int32_t correlation;
    struct kafka_head sent[CLIENT_PIPELINE]; /* asked and not answered, the oldest first */
    uint32_t under_way;
    struct kit_memory memory; /* of the last answer */
    void *blocks;
};

void client_open(struct sim_client *client, struct sim_broker *broker, uint32_t reactor);

/* Lets go of the connection; what was under way is not answered any more. */
void client_close(struct sim_client *client);

/* Sends @body as a request of @key and @version. */
void client_send(struct sim_client *client, int16_t key, int16_t version, const void *body);

/* The answer to the oldest request, if it is there whole, into @body, a struct of its kind; its
 * texts live until the next call. */
bool client_answer(struct sim_client *client, void *body);

/* Both, and steps until the answer is there. */
void client_ask(
    struct sim_client *client, struct world *world, int16_t key, int16_t version, const void *body,
    void *answer);

#endif /* TESTS_SIM_CLIENT_H */
