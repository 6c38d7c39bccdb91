/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve.h - sessions and requests on the serving side, and what handlers do with them.
 *
 *   K1  A request and all it needs but record bytes lie in its arena, which goes as a whole once
 *       the answer is sent, or the stream closed and no call in flight.
 *   K2  Requests of a session are decoded, and their first operations called, in the order of
 *       their bytes: so produces of one connection stay in order. Answers leave in that order, too.
 *   K3  A request has at most one operation in flight, whose envelope is its own.
 *   K4  A handler ends its request once: kafka_answer(), kafka_answer_nothing() or kafka_drop().
 *       Afterwards it does not touch it.
 *   K5  A session with a mistake of the client takes no more bytes and closes; what was answered
 *       before still leaves.
 *   K6  Record bytes stay where they were received, under a count of those who still look.
 */
#ifndef KAFKA_SERVE_H
#define KAFKA_SERVE_H

#include <mortise/draft/ops.h>
#include <mortise/draft/protocol.h>

#include "plugins/protocol/kafka/errors.h"
#include "plugins/protocol/kafka/frame.h"

/* A client with more requests under way than this is made to wait. Clients keep 5 to 20; each
 * holds an arena. */
#define KAFKA_IN_FLIGHT_MAX 128

/* Software name and version, from ApiVersions, cut to this many bytes each: for the log. */
#define KAFKA_SOFTWARE_MAX 40

#define KAFKA_CLIENT_ID_MAX 120 /* the same for the client id in the log */

struct kafka_instance {
    const mrt_host *host;
    const mrt_host_broker *broker;
    const mrt_host_stream *stream;
    const mrt_host_clock *clock;
    const mrt_host_log *log; /* may be NULL */
    uint64_t frame_max;      /* bytes of a request */
    uint32_t draining;       /* atomic: serves no more streams; the host ends those there are */
    uint32_t reserved;
};

/* What the plugin has on one reactor. */
struct kafka_shard {
    struct kafka_instance *instance;
    mrt_exec *exec;
    mrt_broker *broker;
    uint64_t traces; /* requests so far */
};

/* Bytes received that produces in flight still point into. */
struct kafka_hold {
    mrt_lease lease; /* first: release() finds the hold by it. refs counts who looks, atomically */
    const mrt_host *host;
    mrt_lease *inner; /* given back with the last; NULL: none */
};

struct kafka_request {
    struct kafka_request *next; /* in order of arrival */
    struct mrt_session *session;
    mrt_arena *arena;
    struct kit_memory memory; /* the arena, for the interpreter */
    struct kafka_head head;
    uint64_t slot;
    mrt_call call;
    void (*then)(struct kafka_request *request, mrt_status status);
    void *in;    /* the decoded message */
    void *out;   /* the response, set to defaults */
    void *state; /* the handler's */
    uint8_t calling;
    uint8_t refused; /* the last call() took nothing: leases stayed here */
    uint8_t filled;
    uint8_t reserved[5];
};

struct mrt_session {
    struct kafka_shard *shard;
    mrt_stream *stream;
    const mrt_who *who;
    struct kafka_request *first;
    struct kafka_request *last;
    struct kafka_hold *hold; /* of the bytes at hand, made when the first produce wants it */
    mrt_lease *lease;        /* of the bytes at hand */
    uint64_t throttled_ns;   /* until when nothing is read */
    uint32_t in_flight;
    uint32_t busy;   /* calls of ours on the stack */
    uint8_t starved; /* bytes wait for a slot, an arena or fewer requests under way */
    uint8_t paused;
    uint8_t failed;
    uint8_t closed;
    char client_id[KAFKA_CLIENT_ID_MAX + 1]; /* the first one seen */
    char software[2 * KAFKA_SOFTWARE_MAX + 2];
};

extern const mrt_protocol_ops kafka_protocol_ops;

/* @bytes of the request's memory, zeroed; NULL when there is no more. */
void *kafka_take(struct kafka_request *request, uint64_t bytes);

/* Carries out operation @number and goes on with @then, now or when it has completed. */
void kafka_call(
    struct kafka_request *request, uint32_t number, const void *in, void *out,
    void (*then)(struct kafka_request *request, mrt_status status));

/* Gives the operations of the request @ms from now on; nothing if @ms is not positive. */
void kafka_deadline(struct kafka_request *request, int32_t ms);

/*
 * By the tables made of .op files: kafka_pass() copies request->in to the operation's struct @in,
 * kafka_return() the operation's @out to request->out. 0: no memory.
 */
uint32_t kafka_pass(struct kafka_request *request, const struct kit_map *in_map, void *in);
uint32_t kafka_return(
    struct kafka_request *request, const struct kit_map *out_map, const void *out,
    enum kafka_errors list);

/* Sends request->out. */
void kafka_answer(struct kafka_request *request);

/* Sends request->out if it is @complete, else drops the request for want of memory. */
void kafka_answer_if(struct kafka_request *request, uint32_t complete);

/* Sends @body of @version of the API instead: for ApiVersions of a version we do not know. */
void kafka_answer_as(struct kafka_request *request, int16_t version, const void *body);

/* Ends the request without an answer (acks=0). */
void kafka_answer_nothing(struct kafka_request *request);

/* Ends the request and the session, saying why in the log. */
void kafka_drop(struct kafka_request *request, const char *why);

/* The code of a status; what no list has is logged. */
int16_t kafka_code(
    struct kafka_request *request, enum kafka_errors list, mrt_status status, int32_t reason);

/* The brokers that serve, as seen from this listener; texts live while @image is pinned. */
struct kafka_brokers {
    mrt_image_broker *v;
    uint32_t n;
    uint32_t reserved;
};

/* Fills @out, fenced brokers included if @fenced. 0: no memory. */
uint32_t kafka_brokers_list(
    struct kafka_request *request, const mrt_image *image, uint32_t fenced,
    struct kafka_brokers *out);

/* The broker @id, NULL if it is not in the list. */
const mrt_image_broker *kafka_broker_find(const struct kafka_brokers *brokers, int32_t id);

/*
 * An answer that says who leads instead says where that is, so that the client need not ask for
 * metadata first (KIP-951). Sends request->out with the brokers among the @n @leaders (-1: none)
 * put behind the pointer at @points, with their number: produce and fetch have equal structs there.
 */
void kafka_answer_with_leaders(
    struct kafka_request *request, const int32_t *leaders, uint32_t n, void *points,
    uint32_t *n_points);

/* Cluster id as text, 22 characters of base64url. */
#define KAFKA_CLUSTER_ID_MAX 23
mrt_str kafka_cluster_id(
    struct kafka_request *request, const mrt_image *image, int32_t *controller);

/* One release of the bytes at hand for each of @n takers; NULL: out of memory. */
mrt_lease *kafka_hold_for(struct mrt_session *session, uint64_t n);

/* A line of the session: `event key=value`. */
void kafka_log(struct mrt_session *session, uint32_t level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* session.c's side of reply.c. */
void kafka_request_filled(struct kafka_request *request);
void kafka_request_free(struct kafka_request *request);
void kafka_session_fail(struct mrt_session *session);

/* Finds the API's handler: its file is named after the family. */
typedef void (*kafka_handler)(struct kafka_request *request);
kafka_handler kafka_handler_of(const struct kafka_api *api);

#define KAFKA_DECLARE(name) void kafka_serve_##name(struct kafka_request *request);
KAFKA_EACH_API(KAFKA_DECLARE)
#undef KAFKA_DECLARE

/* The answer to an ApiVersions request of a version we do not know. */
void kafka_serve_api_versions_unknown(struct kafka_request *request);

static inline const mrt_host_broker *kafka_broker(const struct kafka_request *request)
{
    return request->session->shard->instance->broker;
}

static inline mrt_broker *kafka_broker_here(const struct kafka_request *request)
{
    return request->session->shard->broker;
}

#endif /* KAFKA_SERVE_H */
