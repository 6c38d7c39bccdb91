/* SPDX-License-Identifier: Apache-2.0 */
#include "core/main/client/connection.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "core/base/list.h"
#include "core/base/memory.h"
#include "core/base/str.h"
#include "sdk/kit/varint.h"

#define NAME_BYTES  300                 /* a host's name and a port */
#define ANSWER_MAX  (UINT64_C(1) << 28) /* no broker takes larger batches, nor answers more */
#define CHUNK_BYTES (64 * 1024)
#define HELLO       3 /* version of ApiVersions that every broker since 2.4 knows */

/* Memory of one answer, taken piece by piece. */
struct chunk {
    struct chunk *next;
    uint64_t used;
    uint64_t bytes;
    _Alignas(16) uint8_t data[];
};

struct range {
    int16_t since;
    int16_t until;
};

struct connection {
    int fd;
    uint32_t waiting; /* a request was sent whose answer was not received */
    struct kafka_head sent;
    struct range ranges[KAFKA_APIS]; /* the other end's; until -1: not served */
    uint8_t *frame;                  /* owned; the answer's bytes */
    struct chunk *chunks;            /* owned; the answer's arrays */
    char name[NAME_BYTES];
};

const char *connection_name(const struct connection *connection)
{
    return connection->name;
}

/* ---- memory of answers ----------------------------------------------------------------------- */

static void *chunk_take(void *context, uint64_t bytes)
{
    struct connection *connection = context;
    struct chunk *chunk = connection->chunks;
    bytes = (bytes + 15) & ~UINT64_C(15);
    if (chunk == NULL || chunk->bytes - chunk->used < bytes) {
        uint64_t size = bytes > CHUNK_BYTES ? bytes : CHUNK_BYTES;
        chunk = memory_try(sizeof *chunk + size, 16);
        if (chunk == NULL)
            return NULL;
        *chunk = (struct chunk){.next = connection->chunks, .bytes = size};
        connection->chunks = chunk;
    }
    void *at = chunk->data + chunk->used;
    chunk->used += bytes;
    return at;
}

static void answer_free(struct connection *connection)
{
    while (connection->chunks != NULL) {
        struct chunk *chunk = connection->chunks;
        connection->chunks = chunk->next;
        memory_free(chunk);
    }
    memory_free(connection->frame);
    connection->frame = NULL;
}

/* ---- bytes ----------------------------------------------------------------------------------- */

static mrt_status fail(const struct connection *connection, int cause, mrt_error *error)
{
    if (cause == EAGAIN || cause == EINPROGRESS || cause == ETIMEDOUT)
        return error_set(error, MRT_ETIMEDOUT, "%s: no answer in time", connection->name);
    return error_set(error, MRT_EIO, "%s: %s", connection->name, strerror(cause));
}

static mrt_status write_all(
    struct connection *connection, const uint8_t *p, uint64_t n, mrt_error *error)
{
    while (n > 0) {
        ssize_t sent = send(connection->fd, p, n, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return fail(connection, errno, error);
        p += sent;
        n -= (uint64_t)sent;
    }
    return MRT_OK;
}

static mrt_status read_all(struct connection *connection, uint8_t *p, uint64_t n, mrt_error *error)
{
    while (n > 0) {
        ssize_t got = recv(connection->fd, p, n, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail(connection, errno, error);
        if (got == 0)
            return error_set(
                error, MRT_ECLOSED,
                "%s: the broker closed the connection; does this listener speak plain Kafka?",
                connection->name);
        p += got;
        n -= (uint64_t)got;
    }
    return MRT_OK;
}

/* ---- calls ----------------------------------------------------------------------------------- */

int16_t connection_version(const struct connection *connection, int16_t key, int16_t until)
{
    const struct kafka_api *api = kafka_api_find(key);
    ASSERT(api != NULL);
    const struct range *theirs = &connection->ranges[api - kafka_apis];
    int16_t newest = theirs->until < until ? theirs->until : until;
    newest = newest < api->until ? newest : api->until;
    int16_t oldest = theirs->since > api->since ? theirs->since : api->since;
    return newest >= oldest ? newest : -1;
}

static mrt_status send_version(
    struct connection *connection, const struct call *call, int16_t version, mrt_error *error)
{
    struct kafka_head head = {
        .api = kafka_api_find(call->key),
        .key = call->key,
        .version = version,
        .correlation = connection->sent.correlation + 1,
        .client_id = str_of("mortise"),
    };
    struct kit_room room = {.p = NULL};

    ASSERT(connection->waiting == 0);
    if (kafka_request_encode(&head, call->request, &room) != MRT_OK)
        return error_set(error, MRT_ETOOBIG, "%s: a request beyond the format", connection->name);
    uint64_t size = room.size;
    uint8_t *bytes = memory_new(size);
    room = (struct kit_room){.p = bytes, .cap = size};
    mrt_status status = kafka_request_encode(&head, call->request, &room);
    ASSERT(status == MRT_OK); /* as it was when sized */
    status = write_all(connection, bytes, size, error);
    memory_free(bytes);
    connection->sent = head;
    connection->waiting = status == MRT_OK;
    return status;
}

mrt_status connection_send(struct connection *connection, const struct call *call, mrt_error *error)
{
    int16_t version = connection_version(connection, call->key, call->until);
    if (version < 0)
        return error_set(
            error, MRT_ENOTSUP, "%s: the broker and this program know no common version of %s",
            connection->name, kafka_api_find(call->key)->name);
    mrt_status status = send_version(connection, call, version, error);
    if (call->response == NULL) /* as produce with acks=0: there will be no answer */
        connection->waiting = 0;
    return status;
}

mrt_status connection_receive(
    struct connection *connection, const struct call *call, mrt_error *error)
{
    const struct kit_memory memory = {.take = chunk_take, .ctx = connection};
    uint8_t prefix[KAFKA_FRAME_PREFIX];

    ASSERT(connection->waiting == 1);
    ASSERT(connection->sent.key == call->key);
    answer_free(connection);
    mrt_status status = read_all(connection, prefix, sizeof prefix, error);
    if (status != MRT_OK)
        return status;
    uint64_t size = kit_get32(prefix);
    connection->frame = size > 0 && size <= ANSWER_MAX ? memory_try(size, 16) : NULL;
    if (connection->frame == NULL)
        return error_set(
            error, MRT_ECORRUPT, "%s: what answers is not a Kafka broker", connection->name);
    status = read_all(connection, connection->frame, size, error);
    if (status != MRT_OK)
        return status;
    mrt_str frame = {(const char *)connection->frame, size};
    status = kafka_response_decode(&connection->sent, &frame, &memory, call->response);
    connection->waiting = 0;
    if (status != MRT_OK)
        return error_set(
            error, status, "%s: its answer to %s version %d cannot be read", connection->name,
            connection->sent.api->name, connection->sent.version);
    return MRT_OK;
}

mrt_status connection_ask(struct connection *connection, const struct call *call, mrt_error *error)
{
    mrt_status status = connection_send(connection, call, error);
    return status == MRT_OK ? connection_receive(connection, call, error) : status;
}

/* ---- opening --------------------------------------------------------------------------------- */

static void note_ranges(
    struct connection *connection, const struct kafka_api_versions_response *answer)
{
    for (uint32_t i = 0; i < KAFKA_APIS; i++)
        connection->ranges[i].until = -1;
    for (uint32_t i = 0; i < answer->n_api_keys; i++) {
        const struct kafka_api_versions_response_api *theirs = &answer->api_keys[i];
        const struct kafka_api *api = kafka_api_find(theirs->api_key);
        if (api != NULL)
            connection->ranges[api - kafka_apis] =
                (struct range){theirs->min_version, theirs->max_version};
    }
}

/* A broker that does not know the version we ask in says so in the oldest, and we ask in that. */
static mrt_status hello(struct connection *connection, mrt_error *error)
{
    const struct kafka_api_versions_request request = {
        .client_software_name = str_of("mortise"), .client_software_version = str_of("1")};
    struct kafka_api_versions_response answer = {0};
    const struct call call = {
        .key = KAFKA_API_VERSIONS_KEY, .request = &request, .response = &answer};

    int16_t version = HELLO;
    mrt_status status = send_version(connection, &call, version, error);
    if (status == MRT_OK)
        status = connection_receive(connection, &call, error);
    if (status == MRT_OK && answer.error_code == 35) {
        status = send_version(connection, &call, 0, error);
        if (status == MRT_OK)
            status = connection_receive(connection, &call, error);
    }
    if (status != MRT_OK)
        return status;
    if (answer.error_code != 0)
        return error_set(
            error, MRT_ENOTSUP, "%s: refuses to say what it speaks (error %d)", connection->name,
            answer.error_code);
    note_ranges(connection, &answer);
    return MRT_OK;
}

static mrt_status try_address(
    struct connection *connection, const struct addrinfo *address, uint32_t timeout_ms,
    mrt_error *error)
{
    const struct timeval limit = {timeout_ms / 1000, timeout_ms % 1000 * 1000};
    const int on = 1;
    int fd = socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return fail(connection, errno, error);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(fd, address->ai_addr, address->ai_addrlen) == 0) {
        connection->fd = fd;
        return MRT_OK;
    }
    int cause = errno;
    close(fd);
    return fail(connection, cause, error);
}

static mrt_status dial(
    struct connection *connection, const char *host, uint32_t port, uint32_t timeout_ms,
    mrt_error *error)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char service[12];
    mrt_status status = MRT_ENOENT;

    snprintf(service, sizeof service, "%u", port);
    int wrong = getaddrinfo(host, service, &hints, &found);
    if (wrong != 0)
        return error_set(error, MRT_ENOENT, "%s: %s", connection->name, gai_strerror(wrong));
    for (const struct addrinfo *at = found; at != NULL && status != MRT_OK; at = at->ai_next)
        status = try_address(connection, at, timeout_ms, error);
    freeaddrinfo(found);
    return status;
}

mrt_status connection_open(
    const char *host, uint32_t port, uint32_t timeout_ms, struct connection **out, mrt_error *error)
{
    struct connection *connection = memory_new(sizeof *connection);
    bool brackets = strchr(host, ':') != NULL;

    ASSERT(timeout_ms > 0);
    connection->fd = -1;
    snprintf(
        connection->name, sizeof connection->name, "%s%.255s%s:%u", brackets ? "[" : "", host,
        brackets ? "]" : "", port);
    mrt_status status = dial(connection, host, port, timeout_ms, error);
    if (status == MRT_OK)
        status = hello(connection, error);
    if (status != MRT_OK) {
        connection_close(connection);
        return status;
    }
    *out = connection;
    return MRT_OK;
}

void connection_close(struct connection *connection)
{
    if (connection == NULL)
        return;
    if (connection->fd >= 0)
        close(connection->fd);
    answer_free(connection);
    memory_free(connection);
}
