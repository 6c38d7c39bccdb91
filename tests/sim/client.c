/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/client.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/base/memory.h"

#define ASK_STEPS_MAX 5000000

/* A block of decoded arrays. */
struct block {
    struct block *next;
    uint64_t bytes[];
};

static void *block_take(void *ctx, uint64_t bytes)
{
    struct sim_client *client = ctx;
    struct block *block = memory_new(sizeof *block + bytes + 8);
    block->next = client->blocks;
    client->blocks = block;
    return block->bytes;
}

static void blocks_free(struct sim_client *client)
{
    while (client->blocks != NULL) {
        struct block *block = client->blocks;
        client->blocks = block->next;
        memory_free(block);
    }
}

void client_open(struct sim_client *client, struct sim_broker *broker, uint32_t reactor)
{
    *client = (struct sim_client){
        .conn = sim_broker_connect(broker, reactor),
        .memory = {.take = block_take, .ctx = client, .copy = 0},
    };
}

void client_close(struct sim_client *client)
{
    pipe_drop(client->conn);
    blocks_free(client);
    client->conn = NULL;
}

void client_send(struct sim_client *client, int16_t key, int16_t version, const void *body)
{
    struct kafka_head head = {
        .api = kafka_api_find(key),
        .key = key,
        .version = version,
        .correlation = ++client->correlation,
        .client_id = {"sim", 3},
    };
    struct kit_room room = {.p = NULL};
    ASSERT(client->under_way < CLIENT_PIPELINE);
    mrt_status status = kafka_request_encode(&head, body, &room);
    ASSERT(status == MRT_OK);
    room = (struct kit_room){.p = memory_new(room.size), .cap = room.size};
    status = kafka_request_encode(&head, body, &room);
    ASSERT(status == MRT_OK);
    pipe_write(client->conn, room.p, room.used);
    memory_free(room.p);
    client->sent[client->under_way++] = head;
}

bool client_answer(struct sim_client *client, void *body)
{
    mrt_str bytes = pipe_read(client->conn);
    mrt_str frame;
    uint64_t want = 0;
    if (client->under_way == 0)
        return false;
    mrt_status status = kafka_frame_next(&bytes, INT32_MAX, &frame, &want);
    if (status == MRT_EAGAIN)
        return false;
    ASSERT(status == MRT_OK);
    blocks_free(client);
    char *copy = block_take(client, frame.n); /* views outlive the pipe's bytes */
    memcpy(copy, frame.p, frame.n);
    pipe_take(client->conn, frame.n + KAFKA_FRAME_PREFIX);
    frame.p = copy;
    status = kafka_response_decode(&client->sent[0], &frame, &client->memory, body);
    ASSERT(status == MRT_OK);
    client->under_way--;
    memmove(&client->sent[0], &client->sent[1], client->under_way * sizeof *client->sent);
    return true;
}

void client_ask(
    struct sim_client *client, struct world *world, int16_t key, int16_t version, const void *body,
    void *answer)
{
    ASSERT(client->under_way == 0);
    client_send(client, key, version, body);
    for (uint32_t i = 0; !client_answer(client, answer); i++) {
        ASSERT(i < ASK_STEPS_MAX);
        ASSERT(!pipe_closed(client->conn));
        bool stepped = world_step(world);
        ASSERT(stepped); /* else the answer never comes */
    }
}
