/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cluster.c - DescribeCluster, and what other answers say of brokers and the cluster.
 *
 * A broker whose advertised address is left to chance ("auto": the image has no host) is named by
 * the address this client reached us on.
 */
#include <string.h>

#include "plugins/protocol/kafka/serve.h"

/* Bits of the operations an authorizer could grant on the cluster; without one all are. */
#define CLUSTER_OPERATIONS 8096

/* "[::1]:9092" or "10.0.0.1:9092" into host and port; a text without a port has none. */
static void split_address(const mrt_str *text, mrt_str *host, uint32_t *port)
{
    uint64_t end = text->n;

    while (end && text->p[end - 1] != ':')
        end--;
    *host = (mrt_str){text->p, end ? end - 1 : text->n};
    *port = 0;
    for (uint64_t i = end; end && i < text->n && text->p[i] >= '0' && text->p[i] <= '9'; i++)
        *port = *port * 10 + (uint32_t)(text->p[i] - '0');
    if (host->n >= 2 && host->p[0] == '[')
        *host = (mrt_str){host->p + 1, host->n - 2};
}

static void advertise(const struct kafka_request *r, mrt_image_broker *broker)
{
    const struct mrt_session *s = r->session;
    mrt_peer peer = {.size = sizeof peer};
    uint32_t port;

    if (broker->host.n && broker->port)
        return;
    s->shard->instance->stream->peer(s->stream, &peer);
    mrt_str host;
    split_address(&peer.local, &host, &port);
    if (!broker->host.n)
        broker->host = host;
    if (!broker->port)
        broker->port = port;
}

uint32_t kafka_brokers_list(
    struct kafka_request *r, const mrt_image *image, uint32_t fenced, struct kafka_brokers *out)
{
    const mrt_host_broker *broker = kafka_broker(r);
    const mrt_str *listener = &r->session->who->listener;
    mrt_image_broker one;
    uint64_t cursor = 0;
    uint32_t n = 0;

    while (broker->broker_next(image, listener, &cursor, &one) == MRT_OK)
        n++;
    *out = (struct kafka_brokers){kafka_take(r, n * sizeof *out->v), 0, 0};
    cursor = 0;
    while (out->v && out->n < n && broker->broker_next(image, listener, &cursor, &one) == MRT_OK) {
        if (one.flags & 1 && !fenced)
            continue;
        advertise(r, &one);
        out->v[out->n++] = one;
    }
    return out->v != NULL;
}

const mrt_image_broker *kafka_broker_find(const struct kafka_brokers *brokers, int32_t id)
{
    for (uint32_t i = 0; i < brokers->n; i++)
        if (brokers->v[i].id == id)
            return &brokers->v[i];
    return NULL;
}

static uint32_t is_among(const int32_t *ids, uint32_t n, int32_t id)
{
    while (n && ids[n - 1] != id)
        n--;
    return n > 0;
}

void kafka_answer_with_leaders(
    struct kafka_request *r, const int32_t *leaders, uint32_t n, void *points, uint32_t *n_points)
{
    const mrt_host_broker *broker = kafka_broker(r);
    mrt_broker *here = kafka_broker_here(r);
    struct kafka_produce_response_node_endpoint *v = NULL;
    struct kafka_brokers brokers;
    uint64_t version;

    const mrt_image *image = broker->image_pin(here, &version);
    if (kafka_brokers_list(r, image, 0, &brokers))
        v = kafka_take(r, brokers.n * sizeof *v);
    for (uint32_t i = 0; i < brokers.n && v; i++) {
        const mrt_image_broker *b = &brokers.v[i];
        if (is_among(leaders, n, b->id))
            v[(*n_points)++] = (struct kafka_produce_response_node_endpoint){
                b->id, b->host, (int32_t)b->port, b->rack};
    }
    memcpy(points, &v, sizeof v);
    kafka_answer_if(r, v != NULL);
    broker->image_unpin(here, image);
}

mrt_str kafka_cluster_id(struct kafka_request *r, const mrt_image *image, int32_t *controller)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint8_t id[18] = {0};
    char *text = kafka_take(r, KAFKA_CLUSTER_ID_MAX);

    if (!text)
        return (mrt_str){NULL, 0};
    kafka_broker(r)->cluster(image, id, controller);
    for (uint32_t i = 0; i < KAFKA_CLUSTER_ID_MAX - 1; i++) {
        uint32_t bit = i * 6;
        uint32_t pair = (uint32_t)id[bit / 8] << 8 | id[bit / 8 + 1];
        text[i] = digits[pair >> (10 - bit % 8) & 63];
    }
    return (mrt_str){text, KAFKA_CLUSTER_ID_MAX - 1};
}

static uint32_t describe(struct kafka_request *r, const mrt_image *image)
{
    const struct kafka_describe_cluster_request *in = r->in;
    struct kafka_describe_cluster_response *out = r->out;
    struct kafka_brokers brokers;

    out->cluster_id = kafka_cluster_id(r, image, &out->controller_id);
    if (!out->cluster_id.p || !kafka_brokers_list(r, image, in->include_fenced_brokers, &brokers))
        return 0;
    out->brokers = kafka_take(r, brokers.n * sizeof *out->brokers);
    if (!out->brokers)
        return 0;
    out->n_brokers = brokers.n;
    for (uint32_t i = 0; i < brokers.n; i++) {
        const mrt_image_broker *b = &brokers.v[i];
        out->brokers[i] = (struct kafka_describe_cluster_response_broker){
            b->id, b->host, (int32_t)b->port, b->rack, b->flags & 1};
    }
    if (!kafka_broker_find(&brokers, out->controller_id) && brokers.n)
        out->controller_id = brokers.v[0].id; /* any broker passes it on */
    if (in->include_cluster_authorized_operations)
        out->cluster_authorized_operations = CLUSTER_OPERATIONS;
    return 1;
}

void kafka_serve_describe_cluster(struct kafka_request *r)
{
    const struct kafka_describe_cluster_request *in = r->in;
    struct kafka_describe_cluster_response *out = r->out;
    const mrt_host_broker *broker = kafka_broker(r);
    mrt_broker *here = kafka_broker_here(r);
    uint64_t version;

    if (in->endpoint_type != 1) { /* controllers have no endpoints for clients here */
        out->error_code = KAFKA_UNSUPPORTED_VERSION;
        kafka_answer(r);
        return;
    }
    out->endpoint_type = 1;
    const mrt_image *image = broker->image_pin(here, &version);
    kafka_answer_if(r, describe(r, image));
    broker->image_unpin(here, image);
}
