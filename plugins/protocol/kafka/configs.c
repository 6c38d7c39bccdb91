/* SPDX-License-Identifier: Apache-2.0 */
/*
 * configs.c - DescribeConfigs.
 */
#include "plugins/protocol/kafka/serve.h"

/* The call as a whole failed: each resource gets its status. */
static uint32_t all_are(struct kafka_request *r, mrt_describe_configs_out *out, mrt_status status)
{
    const struct kafka_describe_configs_request *in = r->in;

    out->results = kafka_take(r, in->n_resources * sizeof *out->results);
    out->n_results = out->results ? in->n_resources : 0;
    for (uint32_t i = 0; i < out->n_results; i++)
        out->results[i] = (mrt_describe_configs_out_resource){
            .status = status,
            .resource_type = in->resources[i].resource_type,
            .resource_name = in->resources[i].resource_name,
        };
    return out->results != NULL;
}

static void described(struct kafka_request *r, mrt_status status)
{
    mrt_describe_configs_out *out = r->state;

    uint32_t complete = status == MRT_OK || all_are(r, out, status);

    kafka_answer_if(
        r, complete && kafka_return(
                           r, kafka_describe_configs_response_map, out, KAFKA_OF_DESCRIBE_CONFIGS));
}

void kafka_serve_describe_configs(struct kafka_request *r)
{
    mrt_describe_configs *in = kafka_take(r, sizeof *in);
    mrt_describe_configs_out *out = in ? kafka_take(r, sizeof *out) : NULL;

    if (!out || !kafka_pass(r, kafka_describe_configs_request_map, in)) {
        kafka_drop(r, "no memory");
        return;
    }
    in->size = sizeof *in;
    out->size = sizeof *out;
    r->state = out;
    kafka_call(r, MRT_OP_DESCRIBE_CONFIGS, in, out, described);
}
