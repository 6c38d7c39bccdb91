/* SPDX-License-Identifier: Apache-2.0 */
#include "core/main/client/producer.h"

#include <string.h>
#include <time.h>

#include "core/base/assert.h"
#include "core/base/memory.h"
#include "core/base/str.h"
#include "core/record/record.h"

#define KEY_PRODUCE       0
#define PRODUCE_UNTIL     12 /* names, not ids */
#define KEY_PRODUCER_ID   22
#define PRODUCER_ID_UNTIL 4
#define ZSTD_SINCE        7 /* version of produce; older brokers do not know the codec */
#define BATCH_BYTES       (UINT64_C(128) << 10)
#define RECORD_OVERHEAD   128 /* a record's numbers, and the header of its batch */

struct batch {
    uint8_t *bytes; /* owned; NULL until there is a record */
    uint64_t capacity;
    struct record_maker maker;
    int32_t sequence; /* of the first record */
};

struct producer {
    struct producer_options options;
    int64_t id; /* -1: none */
    int16_t epoch;
    uint32_t count; /* of partitions */
    struct batch *batches;
    uint32_t turn; /* partition of records without a key */
    uint64_t sent;
};

/* ---- making ---------------------------------------------------------------------------------- */

static mrt_status ask_id(
    struct producer *producer, struct connection *connection, int16_t *code, mrt_error *error)
{
    const struct kafka_init_producer_id_request request = {
        .transaction_timeout_ms = INT32_MAX, .producer_id = -1, .producer_epoch = -1};
    struct kafka_init_producer_id_response answer;
    const struct call call = {KEY_PRODUCER_ID, PRODUCER_ID_UNTIL, &request, &answer};

    mrt_status status = connection_ask(connection, &call, error);
    if (status != MRT_OK)
        return status;
    *code = answer.error_code;
    if (*code == 0) {
        producer->id = answer.producer_id;
        producer->epoch = answer.producer_epoch;
    }
    return MRT_OK;
}

/* A broker that does not give ids to such as us is written to without (D2). */
static mrt_status take_id(struct producer *producer, mrt_error *error)
{
    struct client *client = producer->options.client;
    struct connection *connection = NULL;
    struct tries tries;
    int16_t code = 0;

    tries_begin(&tries, client_timeout_ms(client));
    do {
        mrt_status status = client_reach_any(client, &connection, error);
        if (status != MRT_OK)
            return status;
        if (connection_version(connection, KEY_PRODUCER_ID, PRODUCER_ID_UNTIL) < 0)
            return MRT_OK;
        status = ask_id(producer, connection, &code, error);
        if (status != MRT_OK)
            return status;
    } while (code != 0 && code != KAFKA_CLUSTER_AUTHORIZATION_FAILED && tries_again(&tries));
    return MRT_OK;
}

static mrt_status check_codec(struct producer *producer, mrt_error *error)
{
    struct connection *connection = NULL;
    uint32_t partition =
        producer->options.partition > 0 ? (uint32_t)producer->options.partition : 0;
    if (producer->options.codec != MRT_CODEC_ZSTD)
        return MRT_OK;
    mrt_status status = client_reach(producer->options.client, partition, &connection, error);
    if (status == MRT_OK && connection_version(connection, KEY_PRODUCE, PRODUCE_UNTIL) < ZSTD_SINCE)
        return error_set(
            error, MRT_ENOTSUP, "%s: the broker is too old for zstd", connection_name(connection));
    return status == MRT_EAGAIN ? MRT_OK : status;
}

mrt_status producer_new(
    const struct producer_options *options, struct producer **out, mrt_error *error)
{
    struct producer *producer = memory_new(sizeof *producer);

    producer->options = *options;
    producer->id = -1;
    producer->epoch = -1;
    producer->count = client_partitions(options->client);
    producer->batches = memory_array(producer->count + 1, sizeof *producer->batches);
    ASSERT(producer->count > 0);
    ASSERT(options->partition < (int32_t)producer->count);
    mrt_status status = check_codec(producer, error);
    if (status == MRT_OK && options->acks == ACKS_ALL)
        status = take_id(producer, error);
    if (status != MRT_OK) {
        producer_free(producer);
        return status;
    }
    *out = producer;
    return MRT_OK;
}

void producer_free(struct producer *producer)
{
    if (producer == NULL)
        return;
    for (uint32_t i = 0; i < producer->count; i++)
        memory_free(producer->batches[i].bytes);
    memory_free(producer->batches);
    memory_free(producer);
}

uint64_t producer_sent(const struct producer *producer)
{
    return producer->sent;
}

/* ---- partitions ------------------------------------------------------------------------------ */

/* 32-bit MurmurHash2 with the seed of Kafka's Java client, so that both find a key's partition. */
static uint32_t key_hash(const uint8_t *p, uint64_t n)
{
    const uint32_t m = 0x5bd1e995;
    uint32_t hash = 0x9747b28cu ^ (uint32_t)n;
    for (; n >= 4; p += 4, n -= 4) {
        uint32_t k = (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
        k *= m;
        k ^= k >> 24;
        hash = hash * m ^ k * m;
    }
    if (n == 3)
        hash ^= (uint32_t)p[2] << 16;
    if (n >= 2)
        hash ^= (uint32_t)p[1] << 8;
    if (n >= 1)
        hash = (hash ^ p[0]) * m;
    hash = (hash ^ hash >> 13) * m;
    return hash ^ hash >> 15;
}

static uint32_t pick(const struct producer *producer, const mrt_str *key)
{
    if (producer->options.partition != PRODUCER_ANY)
        return (uint32_t)producer->options.partition;
    if (key->p == NULL)
        return producer->turn;
    return (key_hash((const uint8_t *)key->p, key->n) & INT32_MAX) % producer->count;
}

/* ---- sending --------------------------------------------------------------------------------- */

static int16_t code_of(const void *response)
{
    const struct kafka_produce_response *answer = response;
    if (answer->n_responses != 1 || answer->responses[0].n_partition_responses != 1)
        return KAFKA_UNKNOWN_SERVER_ERROR;
    int16_t code = answer->responses[0].partition_responses[0].error_code;
    return code == KAFKA_DUPLICATE_SEQUENCE_NUMBER ? 0 : code; /* it is there: sent twice (D1) */
}

/* Without an answer all that can be known is that the connection took it. */
static mrt_status send_blind(
    struct client *client, uint32_t partition, const struct call *call, mrt_error *error)
{
    struct connection *connection = NULL;
    struct tries tries;

    tries_begin(&tries, client_timeout_ms(client));
    mrt_status status = client_reach(client, partition, &connection, error);
    while (status != MRT_OK && tries_again(&tries)) {
        client_forget(client);
        status = client_reach(client, partition, &connection, error);
    }
    return status == MRT_OK ? connection_send(connection, call, error) : status;
}

static mrt_status send_batch(
    struct producer *producer, uint32_t partition, const mrt_str *batch, mrt_error *error)
{
    struct client *client = producer->options.client;
    struct kafka_produce_request_partition data = {(int32_t)partition, *batch};
    struct kafka_produce_request_topic topic = {
        .name = str_of(client_topic_name(client)), .partition_data = &data, .n_partition_data = 1};
    const struct kafka_produce_request request = {
        .acks = producer->options.acks,
        .timeout_ms = (int32_t)client_timeout_ms(client),
        .topic_data = &topic,
        .n_topic_data = 1,
    };
    struct kafka_produce_response answer;
    struct call call = {KEY_PRODUCE, PRODUCE_UNTIL, &request, &answer};
    int16_t code = 0;

    if (producer->options.acks == ACKS_NONE) {
        call.response = NULL;
        return send_blind(client, partition, &call, error);
    }
    return client_ask(client, partition, &call, producer->id >= 0, code_of, &code, error);
}

/* *@out, for memory_free(), is @batch with its records compressed; NULL where that is not less. */
static mrt_status compress(
    struct producer *producer, const mrt_str *batch, uint8_t **out, uint64_t *size,
    mrt_error *error)
{
    const uint8_t *plain = (const uint8_t *)batch->p;
    uint8_t *packed = NULL;
    uint64_t n = 0;

    *out = NULL;
    mrt_status status = engines_compress(
        producer->options.engines, producer->options.codec, plain + KIT_BATCH_HEADER,
        batch->n - KIT_BATCH_HEADER, &packed, &n, error);
    if (status != MRT_OK)
        return status;
    if (KIT_BATCH_HEADER + n < batch->n) {
        *size = KIT_BATCH_HEADER + n;
        *out = memory_new(*size);
        memcpy(*out, plain, KIT_BATCH_HEADER);
        memcpy(*out + KIT_BATCH_HEADER, packed, n);
        kit_put32(*out + 8, (uint32_t)(*size - KIT_BATCH_PREFIX));
        kit_put16(*out + 21, (uint16_t)(kit_get16(plain + 21) | producer->options.codec));
        kit_batch_sum(*out, *size);
    }
    memory_free(packed);
    return MRT_OK;
}

static mrt_status flush_one(struct producer *producer, uint32_t partition, mrt_error *error)
{
    struct batch *batch = &producer->batches[partition];
    struct record_maker *maker = &batch->maker;
    uint8_t *packed = NULL;
    mrt_status status = MRT_OK;

    if (batch->bytes == NULL || maker->batch.count == 0)
        return MRT_OK;
    int32_t count = maker->batch.count;
    maker->batch.producer_id = producer->id;
    maker->batch.producer_epoch = producer->epoch;
    maker->batch.base_sequence = producer->id < 0 ? -1 : batch->sequence;
    mrt_str bytes = {(const char *)batch->bytes, record_make_end(maker)};
    if (producer->options.codec != 0)
        status = compress(producer, &bytes, &packed, &bytes.n, error);
    if (packed != NULL)
        bytes.p = (const char *)packed;
    if (status == MRT_OK)
        status = send_batch(producer, partition, &bytes, error);
    memory_free(packed);
    record_make(maker, batch->bytes, batch->capacity);
    batch->sequence = (int32_t)(((uint32_t)batch->sequence + (uint32_t)count) & INT32_MAX);
    if (status == MRT_OK)
        producer->sent += (uint64_t)count;
    if (partition == producer->turn)
        producer->turn = (producer->turn + 1) % producer->count;
    return status;
}

mrt_status producer_flush(struct producer *producer, mrt_error *error)
{
    mrt_status status = MRT_OK;
    for (uint32_t i = 0; i < producer->count && status == MRT_OK; i++)
        status = flush_one(producer, i, error);
    return status;
}

/* ---- adding ---------------------------------------------------------------------------------- */

static void make_room(struct batch *batch, uint64_t bytes)
{
    uint64_t wanted = bytes > BATCH_BYTES ? bytes : BATCH_BYTES;
    if (batch->bytes == NULL || batch->capacity < wanted) {
        batch->bytes = memory_resize(batch->bytes, wanted);
        batch->capacity = wanted;
    }
    record_make(&batch->maker, batch->bytes, batch->capacity);
}

static int64_t wall_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

mrt_status producer_add(
    struct producer *producer, const mrt_str *key, const mrt_str *value, mrt_error *error)
{
    const struct record record = {.timestamp_ms = wall_ms(), .key = *key, .value = *value};
    uint32_t partition = pick(producer, key);
    struct batch *batch = &producer->batches[partition];
    ASSERT(partition < producer->count);

    if (batch->bytes != NULL && record_make_add(&batch->maker, &record) == MRT_OK)
        return MRT_OK;
    mrt_status status = flush_one(producer, partition, error);
    if (status != MRT_OK)
        return status;
    make_room(batch, key->n + value->n + RECORD_OVERHEAD);
    status = record_make_add(&batch->maker, &record);
    ASSERT(status == MRT_OK); /* into an empty batch that was made for it */
    return status;
}
