/* SPDX-License-Identifier: Apache-2.0 */
/*
 * coordinator.c - FindCoordinator. There are no group, transaction or share coordinators in this
 * version, and the answer says so in the one way every client understands as "not now".
 */
#include "plugins/protocol/kafka/serve.h"

#define SHARE_KEYS 2

void kafka_serve_find_coordinator(struct kafka_request *r)
{
    const struct kafka_find_coordinator_request *in = r->in;
    struct kafka_find_coordinator_response *out = r->out;
    uint32_t known = in->key_type >= 0 && in->key_type <= SHARE_KEYS;
    int16_t code = known ? KAFKA_COORDINATOR_NOT_AVAILABLE : KAFKA_INVALID_REQUEST;

    out->error_code = code;
    out->node_id = -1;
    out->port = -1;
    out->coordinators = kafka_take(r, in->n_coordinator_keys * sizeof *out->coordinators);
    out->n_coordinators = out->coordinators ? in->n_coordinator_keys : 0;
    for (uint32_t i = 0; i < out->n_coordinators; i++)
        out->coordinators[i] = (struct kafka_find_coordinator_response_coordinator){
            .key = in->coordinator_keys[i], .node_id = -1, .port = -1, .error_code = code};
    kafka_answer_if(r, out->coordinators != NULL);
}
