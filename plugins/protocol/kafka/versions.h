/* SPDX-License-Identifier: Apache-2.0 */
/*
 * versions.h - which APIs and versions this broker serves, and which header goes with them.
 *
 * The profile is a Kafka 4.2 broker without KRaft's keys, as far as `served` lists it. What is
 * advertised is what is served, except where `served` says otherwise: Produce is advertised from 0,
 * because librdkafka before 2.11 takes a higher minimum for "no compression"; nobody sends 0 to 2.
 */
#ifndef KAFKA_VERSIONS_H
#define KAFKA_VERSIONS_H

#include "kafka/messages.h"

#define KAFKA_API_VERSIONS_KEY 18

/* The API of @key, NULL if it is not served. */
const struct kafka_api *kafka_api_find(int16_t key);

static inline uint32_t kafka_api_serves(const struct kafka_api *api, int16_t version)
{
    return version >= api->since && version <= api->until;
}

/* Version of the header before a request body of @version. */
static inline int16_t kafka_request_header_version(const struct kafka_api *api, int16_t version)
{
    return version >= api->request->flexible ? 2 : 1;
}

/* ApiVersions is answered before the client knows what we speak: always the oldest header. */
static inline int16_t kafka_response_header_version(const struct kafka_api *api, int16_t version)
{
    return version >= api->response->flexible && api->key != KAFKA_API_VERSIONS_KEY ? 1 : 0;
}

#endif /* KAFKA_VERSIONS_H */
