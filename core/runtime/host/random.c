/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mortise.host.random/1: streams named by instance and purpose. Asking for a name again gives the
 * same stream, which goes on where it was.
 */
#include <stdio.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/base/str.h"
#include "core/runtime/host/tables.h"

struct mrt_random {
    struct list node; /* in host.streams */
    mrt_exec *exec;
    struct random random;
    char purpose[64];
};

static mrt_random *stream_find(struct host *host, const mrt_str *purpose)
{
    list_each (node, &host->streams) {
        mrt_random *stream = CONTAINER(node, mrt_random, node);
        if (str_is(purpose, stream->purpose))
            return stream;
    }
    return NULL;
}

static mrt_random *stream_new(struct host *host, mrt_exec *exec, const mrt_str *purpose)
{
    char name[192];
    mrt_random *stream = memory_new(sizeof *stream);
    stream->exec = exec;
    memcpy(stream->purpose, purpose->p, purpose->n);
    snprintf(name, sizeof name, "%s/%s", host->name, stream->purpose);
    runtime_random(host->runtime, name, &stream->random);
    list_append(&host->streams, &stream->node);
    host->stream_count++;
    return stream;
}

static mrt_status random_stream(
    const mrt_host *table, mrt_exec *exec, const mrt_str *purpose, mrt_random **out)
{
    struct host *host = host_of(table);
    CHECK(at_home(exec));
    if (purpose->n == 0 || purpose->n >= sizeof((*out)->purpose))
        return MRT_EINVAL;
    host_lock(host);
    mrt_random *stream = stream_find(host, purpose);
    if (stream == NULL && host->stream_count < HOST_STREAMS_MAX)
        stream = stream_new(host, exec, purpose);
    host_unlock(host);
    if (stream == NULL)
        return MRT_ENOMEM;
    *out = stream;
    return stream->exec == exec ? MRT_OK : MRT_EINVAL;
}

static uint64_t random_draw(mrt_random *stream)
{
    CHECK(at_home(stream->exec));
    return random_next(&stream->random);
}

static void random_secret(mrt_exec *exec, void *out, uint64_t n)
{
    CHECK(at_home(exec));
    runtime_secret(exec->runtime, out, n);
}

void host_streams_free(struct host *host)
{
    while (!list_empty(&host->streams))
        memory_free(CONTAINER(list_take(&host->streams), mrt_random, node));
}

const mrt_host_random host_random_table = {
    .size = sizeof host_random_table,
    .stream = random_stream,
    .next = random_draw,
    .secret = random_secret,
};
