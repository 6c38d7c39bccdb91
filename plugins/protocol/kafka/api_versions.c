/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api_versions.c - ApiVersions: what is served. The one request that may come in a version we do
 * not know: it is answered in version 0, with what we do know of ApiVersions itself (KIP-511).
 */
#include <string.h>

#include "plugins/protocol/kafka/serve.h"

static void row(struct kafka_api_versions_response_api *out, const struct kafka_api *api)
{
    *out = (struct kafka_api_versions_response_api){api->key, api->shown_since, api->shown_until};
}

static uint32_t is_alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* [a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])? */
static uint32_t is_software(const mrt_str *text)
{
    if (!text->n || !is_alphanumeric(text->p[0]) || !is_alphanumeric(text->p[text->n - 1]))
        return 0;
    for (uint64_t i = 0; i < text->n; i++)
        if (!is_alphanumeric(text->p[i]) && text->p[i] != '-' && text->p[i] != '.')
            return 0;
    return 1;
}

/* Both texts were checked: nothing in them needs care in the log. */
static void learn_software(struct mrt_session *s, const mrt_str *name, const mrt_str *version)
{
    uint64_t n = name->n < KAFKA_SOFTWARE_MAX ? name->n : KAFKA_SOFTWARE_MAX;
    uint64_t m = version->n < KAFKA_SOFTWARE_MAX ? version->n : KAFKA_SOFTWARE_MAX;

    memcpy(s->software, name->p, n);
    s->software[n] = '/';
    memcpy(s->software + n + 1, version->p, m);
    s->software[n + 1 + m] = 0;
}

void kafka_serve_api_versions(struct kafka_request *r)
{
    const struct kafka_api_versions_request *in = r->in;
    struct kafka_api_versions_response *out = r->out;
    struct kafka_api_versions_response_api *rows = kafka_take(r, KAFKA_APIS * sizeof *rows);

    if (rows && r->head.version >= 3) {
        if (!is_software(&in->client_software_name) || !is_software(&in->client_software_version)) {
            out->error_code = KAFKA_INVALID_REQUEST;
            kafka_answer(r);
            return;
        }
        learn_software(r->session, &in->client_software_name, &in->client_software_version);
    }
    for (uint32_t i = 0; rows && i < KAFKA_APIS; i++)
        row(&rows[i], &kafka_apis[i]);
    out->api_keys = rows;
    out->n_api_keys = KAFKA_APIS;
    kafka_answer_if(r, rows != NULL);
}

void kafka_serve_api_versions_unknown(struct kafka_request *r)
{
    struct kafka_api_versions_response_api only;
    struct kafka_api_versions_response out;

    row(&only, r->head.api);
    kit_struct_defaults(r->head.api->response->root, &out);
    out.error_code = KAFKA_UNSUPPORTED_VERSION;
    out.api_keys = &only;
    out.n_api_keys = 1;
    kafka_answer_as(r, 0, &out);
}
