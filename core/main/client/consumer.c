/* SPDX-License-Identifier: Apache-2.0 */
#include "core/main/client/consumer.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/base/memory.h"
#include "core/base/str.h"

#define KEY_FETCH          1
#define FETCH_UNTIL        12 /* names, not ids */
#define KEY_LIST_OFFSETS   2
#define LIST_OFFSETS_UNTIL 7
#define WAIT_MS            500
#define FETCH_BYTES        (8 << 20)
#define FETCH_PARTITION    (1 << 20) /* a larger batch comes alone */
#define SESSION_EPOCH_NONE (-1)

struct position {
    int64_t next;
    bool over;  /* nothing is wanted of it, or any more */
    bool asked; /* in this turn */
};

struct consumer {
    struct consumer_options options;
    uint32_t count; /* of partitions */
    struct position *positions;
    uint32_t first;   /* partition that is asked for first: each in its turn */
    uint32_t leaders; /* that were asked in the last turn, at least 1 */
    struct tries tries;
    bool trouble;                                 /* in this turn: leaders must be looked for */
    struct kafka_fetch_request_partition *asking; /* room for all */
};

/* ---- where to begin -------------------------------------------------------------------------- */

static const struct kafka_list_offsets_response_partition *only(const void *response)
{
    const struct kafka_list_offsets_response *answer = response;
    if (answer->n_topics != 1 || answer->topics[0].n_partitions != 1)
        return NULL;
    return &answer->topics[0].partitions[0];
}

static int16_t offset_code(const void *response)
{
    return only(response) != NULL ? only(response)->error_code : KAFKA_UNKNOWN_SERVER_ERROR;
}

static mrt_status list_offset(
    struct client *client, uint32_t partition, int64_t special, int64_t *out, mrt_error *error)
{
    struct kafka_list_offsets_request_partition wanted = {
        .partition_index = (int32_t)partition, .current_leader_epoch = -1, .timestamp = special};
    struct kafka_list_offsets_request_topic topic = {
        .name = str_of(client_topic_name(client)), .partitions = &wanted, .n_partitions = 1};
    const struct kafka_list_offsets_request request = {
        .replica_id = -1, .topics = &topic, .n_topics = 1};
    struct kafka_list_offsets_response answer;
    const struct call call = {KEY_LIST_OFFSETS, LIST_OFFSETS_UNTIL, &request, &answer};
    int16_t code = 0;

    mrt_status status = client_ask(client, partition, &call, true, offset_code, &code, error);
    if (status == MRT_OK)
        *out = only(&answer)->offset;
    return status;
}

static mrt_status begin(struct consumer *consumer, uint32_t partition, mrt_error *error)
{
    const struct consumer_start *start = &consumer->options.start;
    struct client *client = consumer->options.client;
    int64_t *next = &consumer->positions[partition].next;
    int64_t least = 0;

    if (start->special != 0)
        return list_offset(client, partition, start->special, next, error);
    if (start->offset >= 0) {
        *next = start->offset;
        return MRT_OK;
    }
    mrt_status status = list_offset(client, partition, CONSUMER_LATEST, next, error);
    if (status == MRT_OK)
        status = list_offset(client, partition, CONSUMER_EARLIEST, &least, error);
    if (status == MRT_OK)
        *next = *next - least > -start->offset ? *next + start->offset : least;
    return status;
}

mrt_status consumer_new(
    const struct consumer_options *options, struct consumer **out, mrt_error *error)
{
    struct consumer *consumer = memory_new(sizeof *consumer);
    mrt_status status = MRT_OK;

    consumer->options = *options;
    consumer->count = client_partitions(options->client);
    ASSERT(consumer->count > 0);
    ASSERT(options->partition < (int32_t)consumer->count);
    consumer->positions = memory_array(consumer->count, sizeof *consumer->positions);
    consumer->asking = memory_array(consumer->count, sizeof *consumer->asking);
    consumer->leaders = 1;
    for (uint32_t i = 0; i < consumer->count && status == MRT_OK; i++) {
        bool wanted = options->partition == CONSUMER_ALL || options->partition == (int32_t)i;
        consumer->positions[i].over = !wanted;
        if (wanted)
            status = begin(consumer, i, error);
    }
    if (status != MRT_OK) {
        consumer_free(consumer);
        return status;
    }
    tries_begin(&consumer->tries, client_timeout_ms(options->client));
    *out = consumer;
    return MRT_OK;
}

void consumer_free(struct consumer *consumer)
{
    if (consumer == NULL)
        return;
    memory_free(consumer->positions);
    memory_free(consumer->asking);
    memory_free(consumer);
}

/* ---- what came ------------------------------------------------------------------------------- */

struct taker {
    struct consumer *consumer;
    int32_t partition;
};

static bool take(void *context, const struct record *record)
{
    const struct taker *taker = context;
    const struct consumer_options *options = &taker->consumer->options;
    return options->take(options->context, taker->partition, record);
}

/* Sets trouble where asking again can help, and fails where not. */
static mrt_status refused(
    struct consumer *consumer, const struct connection *connection, int32_t partition, int16_t code,
    mrt_error *error)
{
    mrt_status status = client_refused(
        connection, client_topic_name(consumer->options.client), partition, code, NULL, error);
    if (!code_find(code)->again)
        return status;
    consumer->trouble = true;
    return MRT_OK;
}

static mrt_status take_partition(
    struct consumer *consumer, const struct connection *connection,
    const struct kafka_fetch_response_partition *answer, mrt_error *error)
{
    uint32_t partition = (uint32_t)answer->partition_index;
    if (partition >= consumer->count || !consumer->positions[partition].asked)
        return error_set(
            error, MRT_ECORRUPT, "%s: answers for partition %u, which was not asked for",
            connection_name(connection), partition);
    if (answer->error_code != 0)
        return refused(consumer, connection, answer->partition_index, answer->error_code, error);
    struct position *position = &consumer->positions[partition];
    struct taker taker = {consumer, answer->partition_index};
    const struct sink sink = {take, &taker};
    mrt_status status =
        unpack(consumer->options.engines, &answer->records, &position->next, &sink, error);
    if (status == MRT_OK && consumer->options.exit_eof && position->next >= answer->high_watermark)
        position->over = true;
    if (status == MRT_OK || status == MRT_ECANCELED)
        return status;
    const mrt_error why = *error;
    return error_set(
        error, status, "topic %s, partition %u, %.200s",
        client_topic_name(consumer->options.client), partition, why.text);
}

static mrt_status take_answer(
    struct consumer *consumer, const struct connection *connection,
    const struct kafka_fetch_response *answer, mrt_error *error)
{
    mrt_status status = MRT_OK;
    if (answer->error_code != 0)
        return refused(consumer, connection, -1, answer->error_code, error);
    for (uint32_t i = 0; i < answer->n_responses; i++)
        for (uint32_t k = 0; k < answer->responses[i].n_partitions && status == MRT_OK; k++)
            status =
                take_partition(consumer, connection, &answer->responses[i].partitions[k], error);
    return status;
}

/* ---- asking ---------------------------------------------------------------------------------- */

/* Whom to ask next: a partition that was not asked for in this turn; the count: none. */
static uint32_t next_open(const struct consumer *consumer)
{
    for (uint32_t i = 0; i < consumer->count; i++) {
        uint32_t partition = (consumer->first + i) % consumer->count;
        const struct position *position = &consumer->positions[partition];
        if (!position->over && !position->asked)
            return partition;
    }
    return consumer->count;
}

/* All partitions that have the leader of @partition, for one request. */
static uint32_t gather(struct consumer *consumer, uint32_t partition)
{
    int32_t leader = client_leader(consumer->options.client, partition);
    uint32_t n = 0;
    for (uint32_t i = 0; i < consumer->count; i++) {
        uint32_t at = (partition + i) % consumer->count;
        struct position *position = &consumer->positions[at];
        if (at >= client_partitions(consumer->options.client) || position->over || position->asked)
            continue;
        if (client_leader(consumer->options.client, at) != leader)
            continue;
        position->asked = true;
        consumer->asking[n++] = (struct kafka_fetch_request_partition){
            .partition = (int32_t)at,
            .current_leader_epoch = -1,
            .fetch_offset = position->next,
            .last_fetched_epoch = -1,
            .log_start_offset = -1,
            .partition_max_bytes = FETCH_PARTITION,
        };
    }
    return n;
}

static mrt_status ask_leader(struct consumer *consumer, uint32_t partition, mrt_error *error)
{
    struct client *client = consumer->options.client;
    struct connection *connection = NULL;
    struct kafka_fetch_response answer;
    struct kafka_fetch_request_topic topic = {
        .topic = str_of(client_topic_name(client)), .partitions = consumer->asking};
    const struct kafka_fetch_request request = {
        .replica_id = -1,
        .max_wait_ms = WAIT_MS / (int32_t)consumer->leaders,
        .min_bytes = 1,
        .max_bytes = FETCH_BYTES,
        .session_epoch = SESSION_EPOCH_NONE,
        .topics = &topic,
        .n_topics = 1,
    };
    const struct call call = {KEY_FETCH, FETCH_UNTIL, &request, &answer};

    consumer->positions[partition].asked = true;
    mrt_status status = client_reach(client, partition, &connection, error);
    if (status == MRT_OK) {
        consumer->positions[partition].asked = false;
        topic.n_partitions = gather(consumer, partition);
        status = connection_ask(connection, &call, error);
    }
    if (status == MRT_OK)
        return take_answer(consumer, connection, &answer, error);
    if (status == MRT_ENOTSUP)
        return status;
    consumer->trouble = true;
    return MRT_OK;
}

mrt_status consumer_turn(struct consumer *consumer, mrt_error *error)
{
    mrt_status status = MRT_OK;
    uint32_t leaders = 0;

    for (uint32_t i = 0; i < consumer->count; i++)
        consumer->positions[i].asked = false;
    consumer->trouble = false;
    for (uint32_t partition; (partition = next_open(consumer)) < consumer->count;) {
        status = ask_leader(consumer, partition, error);
        if (status != MRT_OK)
            return status;
        leaders++;
    }
    consumer->leaders = leaders > 0 ? leaders : 1;
    consumer->first = (consumer->first + 1) % consumer->count;
    if (leaders == 0)
        return MRT_ECANCELED;
    if (!consumer->trouble) {
        tries_begin(&consumer->tries, client_timeout_ms(consumer->options.client));
        return MRT_OK;
    }
    client_forget(consumer->options.client);
    return tries_again(&consumer->tries) ? MRT_OK : MRT_EIO;
}
