/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* memrchr() */
#include "core/main/client/client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/base/assert.h"
#include "core/base/memory.h"
#include "core/base/str.h"

#define KEY_METADATA   3
#define METADATA_UNTIL 12  /* names, not ids */
#define BOOTSTRAP_MAX  16  /* addresses */
#define HOST_BYTES     256 /* of a name, with its end */
#define WAIT_MS_LEAST  50
#define WAIT_MS_MOST   800

struct broker_entry {
    int32_t node; /* -1: only an address */
    uint32_t port;
    char host[HOST_BYTES];
    struct connection *connection; /* owned; NULL: none */
};

struct client {
    uint32_t timeout_ms;
    uint32_t bootstrap_count;
    struct broker_entry bootstrap[BOOTSTRAP_MAX];
    struct broker_entry spare;    /* a broker's address, where none of the above answers */
    struct broker_entry *brokers; /* owned */
    uint32_t broker_count;
    int32_t controller; /* -1: not known */
    char *topic;        /* owned; NULL: none yet */
    bool create;
    int32_t *leaders; /* owned; one a partition */
    uint32_t partitions;
    bool stale; /* leaders are not what they were */
};

/* ---- trying again ---------------------------------------------------------------------------- */

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void tries_begin(struct tries *tries, uint32_t timeout_ms)
{
    *tries = (struct tries){.until_ms = now_ms() + timeout_ms};
}

bool tries_again(struct tries *tries)
{
    uint64_t wait_ms = (uint64_t)WAIT_MS_LEAST << (tries->n < 4 ? tries->n : 4);
    wait_ms = wait_ms < WAIT_MS_MOST ? wait_ms : WAIT_MS_MOST;
    if (now_ms() + wait_ms > tries->until_ms)
        return false;
    tries->n++;
    struct timespec wait = {(time_t)(wait_ms / 1000), (long)(wait_ms % 1000) * 1000000};
    while (nanosleep(&wait, &wait) != 0 && errno == EINTR)
        continue;
    return true;
}

/* ---- addresses ------------------------------------------------------------------------------- */

/* "host:port", "[host]:port". */
static bool read_address(const char *text, size_t n, struct broker_entry *out)
{
    const char *colon = memrchr(text, ':', n);
    if (colon == NULL)
        return false;
    mrt_str host = {text, (uint64_t)(colon - text)};
    mrt_str digits = {colon + 1, n - host.n - 1};
    int64_t port = 0;
    if (host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
        host = (mrt_str){host.p + 1, host.n - 2};
    if (host.n == 0 || host.n >= HOST_BYTES || !str_to_i64(&digits, &port))
        return false;
    if (port < 1 || port > 65535)
        return false;
    *out = (struct broker_entry){.node = -1, .port = (uint32_t)port};
    memcpy(out->host, host.p, host.n);
    return true;
}

mrt_status client_new(
    const char *bootstrap, uint32_t timeout_ms, struct client **out, mrt_error *error)
{
    struct client *client = memory_new(sizeof *client);

    ASSERT(timeout_ms > 0);
    client->timeout_ms = timeout_ms;
    client->controller = -1;
    for (const char *at = bootstrap;;) {
        size_t n = strcspn(at, ",");
        bool room = client->bootstrap_count < BOOTSTRAP_MAX;
        if (!room || !read_address(at, n, &client->bootstrap[client->bootstrap_count])) {
            client_free(client);
            return error_set(
                error, MRT_EINVAL, "%.*s: HOST:PORT is wanted, or up to %d of them", (int)n, at,
                BOOTSTRAP_MAX);
        }
        client->bootstrap_count++;
        if (at[n] == '\0')
            break;
        at += n + 1;
    }
    *out = client;
    return MRT_OK;
}

static void hang_up(struct broker_entry *entries, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        connection_close(entries[i].connection);
        entries[i].connection = NULL;
    }
}

void client_forget(struct client *client)
{
    hang_up(client->bootstrap, client->bootstrap_count);
    hang_up(&client->spare, 1);
    hang_up(client->brokers, client->broker_count);
    client->stale = true;
}

void client_free(struct client *client)
{
    if (client == NULL)
        return;
    client_forget(client);
    memory_free(client->brokers);
    memory_free(client->leaders);
    memory_free(client->topic);
    memory_free(client);
}

uint32_t client_timeout_ms(const struct client *client)
{
    return client->timeout_ms;
}

/* ---- reaching brokers ------------------------------------------------------------------------ */

static mrt_status reach(
    struct client *client, struct broker_entry *entry, struct connection **out, mrt_error *error)
{
    mrt_status status = MRT_OK;
    if (entry->connection == NULL)
        status = connection_open(
            entry->host, entry->port, client->timeout_ms, &entry->connection, error);
    *out = entry->connection;
    return status;
}

/* Never one of client->brokers itself, which its answer replaces. */
mrt_status client_reach_any(struct client *client, struct connection **out, mrt_error *error)
{
    mrt_status status = MRT_EIO;
    ASSERT(client->bootstrap_count > 0);
    if (client->spare.connection != NULL)
        return reach(client, &client->spare, out, error);
    for (uint32_t i = 0; i < client->bootstrap_count && status != MRT_OK; i++)
        status = reach(client, &client->bootstrap[i], out, error);
    for (uint32_t i = 0; i < client->broker_count && status != MRT_OK; i++) {
        client->spare = client->brokers[i];
        client->spare.connection = NULL;
        status = reach(client, &client->spare, out, error);
    }
    return status;
}

static struct broker_entry *find_node(const struct client *client, int32_t node)
{
    for (uint32_t i = 0; i < client->broker_count; i++)
        if (client->brokers[i].node == node)
            return &client->brokers[i];
    return NULL;
}

/* ---- metadata -------------------------------------------------------------------------------- */

static void take_brokers(struct client *client, const struct kafka_metadata_response *answer)
{
    hang_up(client->brokers, client->broker_count);
    memory_free(client->brokers);
    client->brokers = memory_array(answer->n_brokers + 1, sizeof *client->brokers);
    client->broker_count = 0;
    client->controller = answer->controller_id;
    for (uint32_t i = 0; i < answer->n_brokers; i++) {
        const struct kafka_metadata_response_broker *broker = &answer->brokers[i];
        struct broker_entry *entry = &client->brokers[client->broker_count];
        if (broker->host.n == 0 || broker->host.n >= HOST_BYTES)
            continue;
        *entry = (struct broker_entry){.node = broker->node_id, .port = (uint32_t)broker->port};
        memcpy(entry->host, broker->host.p, broker->host.n);
        client->broker_count++;
    }
}

static void take_leaders(struct client *client, const struct kafka_metadata_response_topic *topic)
{
    memory_free(client->leaders);
    client->leaders = memory_array(topic->n_partitions + 1, sizeof *client->leaders);
    client->partitions = topic->n_partitions;
    for (uint32_t i = 0; i < topic->n_partitions; i++)
        client->leaders[i] = -1;
    for (uint32_t i = 0; i < topic->n_partitions; i++) {
        const struct kafka_metadata_response_partition *partition = &topic->partitions[i];
        uint32_t at = (uint32_t)partition->partition_index;
        if (at < client->partitions)
            client->leaders[at] = partition->leader_id;
    }
}

/* Asks for the cluster and, if there is one, the client's topic, whose code is *@code. */
static mrt_status refresh(
    struct client *client, struct connection *connection, int16_t *code, mrt_error *error)
{
    struct kafka_metadata_request_topic topic = {
        .name = client->topic != NULL ? str_of(client->topic) : (mrt_str){NULL, 0}};
    struct kafka_metadata_request request = {
        .topics = &topic,
        .n_topics = client->topic != NULL,
        .allow_auto_topic_creation = client->create,
    };
    struct kafka_metadata_response answer;
    const struct call call = {KEY_METADATA, METADATA_UNTIL, &request, &answer};

    *code = 0;
    mrt_status status = connection_ask(connection, &call, error);
    if (status != MRT_OK)
        return status;
    take_brokers(client, &answer);
    if (client->topic == NULL)
        return MRT_OK;
    *code = answer.n_topics == 1 ? answer.topics[0].error_code : KAFKA_UNKNOWN_SERVER_ERROR;
    if (*code == 0 && answer.topics[0].n_partitions == 0)
        *code = KAFKA_LEADER_NOT_AVAILABLE;
    if (*code != 0)
        return client_refused(connection, client->topic, -1, *code, NULL, error);
    take_leaders(client, &answer.topics[0]);
    client->stale = false;
    return MRT_OK;
}

/* A topic that nobody is to make either is there or is not. */
static bool may_come(const struct client *client, int16_t code)
{
    if (code == KAFKA_UNKNOWN_TOPIC_OR_PARTITION)
        return client->create;
    return code_find(code)->again;
}

mrt_status client_topic(struct client *client, const char *topic, bool create, mrt_error *error)
{
    const mrt_str name = str_of(topic);
    struct connection *connection = NULL;
    struct tries tries;
    int16_t code = 0;

    ASSERT(client->topic == NULL);
    client->topic = str_copy(&name);
    client->create = create;
    tries_begin(&tries, client->timeout_ms);
    mrt_status status = client_reach_any(client, &connection, error);
    while (status == MRT_OK) {
        status = refresh(client, connection, &code, error);
        if (code == 0 || !may_come(client, code) || !tries_again(&tries))
            return status;
        status = client_reach_any(client, &connection, error);
    }
    return status;
}

const char *client_topic_name(const struct client *client)
{
    ASSERT(client->topic != NULL);
    return client->topic;
}

uint32_t client_partitions(const struct client *client)
{
    return client->partitions;
}

int32_t client_leader(const struct client *client, uint32_t partition)
{
    return partition < client->partitions ? client->leaders[partition] : -1;
}

mrt_status client_reach(
    struct client *client, uint32_t partition, struct connection **out, mrt_error *error)
{
    struct connection *any = NULL;
    int16_t code = 0;
    mrt_status status = MRT_OK;

    if (client->stale || client_leader(client, partition) < 0) {
        status = client_reach_any(client, &any, error);
        if (status == MRT_OK)
            status = refresh(client, any, &code, error);
    }
    if (status != MRT_OK)
        return code != 0 && code_find(code)->again ? MRT_EAGAIN : status;
    struct broker_entry *entry = find_node(client, client_leader(client, partition));
    if (entry == NULL)
        return error_set(
            error, MRT_EAGAIN, "topic %s, partition %u: no broker leads it now", client->topic,
            partition);
    return reach(client, entry, out, error);
}

mrt_status client_reach_controller(struct client *client, struct connection **out, mrt_error *error)
{
    int16_t code = 0;
    mrt_status status = client_reach_any(client, out, error);
    if (status == MRT_OK)
        status = refresh(client, *out, &code, error);
    if (status != MRT_OK)
        return status;
    struct broker_entry *entry = find_node(client, client->controller);
    return entry != NULL ? reach(client, entry, out, error) : MRT_OK;
}

/* ---- asking ---------------------------------------------------------------------------------- */

mrt_status client_refused(
    const struct connection *connection, const char *topic, int32_t partition, int16_t code,
    const mrt_str *said, mrt_error *error)
{
    const struct code *found = code_find(code);
    mrt_str text = said != NULL && said->n > 0 ? *said : str_of(found->text);
    char where[32] = "";

    if (partition >= 0)
        snprintf(where, sizeof where, ", partition %d", partition);
    mrt_status status = code == KAFKA_UNKNOWN_TOPIC_OR_PARTITION ? MRT_ENOENT : MRT_EIO;
    return error_set(
        error, status, "%s: topic %s%s: %s (%d): %.*s", connection_name(connection), topic, where,
        found->name, code, STR_ARGS(text));
}

/* What one try came to. */
enum outcome {
    OUTCOME_OVER,   /* as it is */
    OUTCOME_BROKEN, /* the connection did; nobody knows whether it was carried out */
    OUTCOME_AGAIN   /* it was not carried out */
};

static enum outcome try_once(
    struct client *client, uint32_t partition, const struct call *call,
    int16_t (*code_of)(const void *response), int16_t *code, mrt_status *status, mrt_error *error)
{
    struct connection *connection = NULL;
    *code = 0;
    *status = client_reach(client, partition, &connection, error);
    if (*status != MRT_OK)
        return *status == MRT_ENOTSUP ? OUTCOME_OVER : OUTCOME_AGAIN;
    *status = connection_ask(connection, call, error);
    if (*status != MRT_OK)
        return *status == MRT_ENOTSUP ? OUTCOME_OVER : OUTCOME_BROKEN;
    *code = code_of(call->response);
    if (*code == 0)
        return OUTCOME_OVER;
    *status = client_refused(connection, client->topic, (int32_t)partition, *code, NULL, error);
    return code_find(*code)->again ? OUTCOME_AGAIN : OUTCOME_OVER;
}

/* A request that must not be repeated is on its way, and nobody answers. */
static mrt_status lost(mrt_error *error)
{
    const mrt_error why = *error;
    return error_set(
        error, MRT_EUNKNOWN, "%.180s; whether the last records were written is not known",
        why.text);
}

mrt_status client_ask(
    struct client *client, uint32_t partition, const struct call *call, bool repeatable,
    int16_t (*code_of)(const void *response), int16_t *code, mrt_error *error)
{
    struct tries tries;
    mrt_status status = MRT_OK;

    tries_begin(&tries, client->timeout_ms);
    for (;;) {
        enum outcome outcome = try_once(client, partition, call, code_of, code, &status, error);
        if (outcome == OUTCOME_OVER)
            return status;
        if (outcome == OUTCOME_BROKEN && !repeatable)
            return lost(error);
        client_forget(client);
        if (!tries_again(&tries))
            return status;
    }
}
