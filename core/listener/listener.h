/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listener.h - one configured listener on one reactor: where connections come in and become
 * streams.
 *
 * The same endpoint is listened on once a reactor; the transport spreads connections over them.
 */
#ifndef CORE_LISTENER_LISTENER_H
#define CORE_LISTENER_LISTENER_H

#include "core/listener/stream.h"

struct listener {
    struct stream_group group;
    void *transport_shard;
    mrt_listener *handle;  /* NULL while not listening */
    uint32_t refused;      /* connections over the limit since the last log line */
    mrt_task resume_task;  /* read buffers are free again */
    mrt_status state;      /* as the transport last said */
    uint32_t open_streams; /* as last counted on the reactor, for others to read */
};

/* Everything in @listener->group but its list, and transport_shard are set. */
void listener_init(struct listener *listener);

/* Starts listening on @endpoint, which is borrowed until completion. From the reactor. MRT_EEXIST,
 * MRT_EDENIED, MRT_EINVAL. Inline or pending. */
mrt_status listener_open(struct listener *listener, mrt_op *op, const mrt_str *endpoint);

/* The address bound, a port 0 resolved; lives as long as the listener listens. */
mrt_str listener_bound(const struct listener *listener);

/* No new connections; those there are stay. */
void listener_close(struct listener *listener);

#endif /* CORE_LISTENER_LISTENER_H */
