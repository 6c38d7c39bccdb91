/* SPDX-License-Identifier: Apache-2.0 */
/*
 * producer_id.c - InitProducerId: idempotent producers get a number; transactional ones hear what
 * FindCoordinator would have told them.
 */
#include "plugins/protocol/kafka/serve.h"

static void given(struct kafka_request *r, mrt_status status)
{
    struct kafka_init_producer_id_response *out = r->out;
    const mrt_init_producer_id_out *result = r->state;

    uint32_t complete = 1;

    out->error_code = kafka_code(r, KAFKA_OF_INIT_PRODUCER_ID, status, 0);
    if (status == MRT_OK)
        complete =
            kafka_return(r, kafka_init_producer_id_response_map, result, KAFKA_OF_INIT_PRODUCER_ID);
    kafka_answer_if(r, complete);
}

void kafka_serve_init_producer_id(struct kafka_request *r)
{
    mrt_init_producer_id *in = kafka_take(r, sizeof *in);
    mrt_init_producer_id_out *out = in ? kafka_take(r, sizeof *out) : NULL;

    if (!out || !kafka_pass(r, kafka_init_producer_id_request_map, in)) {
        kafka_drop(r, "no memory");
        return;
    }
    in->size = sizeof *in;
    out->size = sizeof *out;
    r->state = out;
    kafka_call(r, MRT_OP_INIT_PRODUCER_ID, in, out, given);
}
