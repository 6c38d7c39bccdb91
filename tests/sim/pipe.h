/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipe.h - a transport plugin for simulated runs: connections are pairs of byte queues in memory.
 * The broker's end keeps the rules of <mortise/transport.h>; the client's end belongs to the test,
 * which uses it between two steps of the world.
 *
 *   Y1  Bytes arrive and leave in pieces that the instance's random stream chooses, some of one
 *       byte, some late. A send pends until its last byte was taken, and holds its leases so long.
 *   Y2  A connection lives until it is closed and its client let it go.
 */
#ifndef TESTS_SIM_PIPE_H
#define TESTS_SIM_PIPE_H

#include <stdbool.h>

#include <mortise/transport.h>

#include "core/plugin/builtins.h"

/* Kind transport, name "pipe". */
extern const struct builtin pipe_builtin;

/* Connects to whoever listens on shard @shard of the running instance @inst. */
mrt_conn *pipe_connect(void *inst, uint32_t shard);

void pipe_write(mrt_conn *conn, const void *bytes, uint64_t n);

/* What the broker has sent and pipe_take() has not yet taken off. */
mrt_str pipe_read(const mrt_conn *conn);
void pipe_take(mrt_conn *conn, uint64_t n);

/* The broker closed it, or refused it. */
bool pipe_closed(const mrt_conn *conn);

/* The client will write no more. */
void pipe_shut(mrt_conn *conn);

/* The client is gone, whatever is still on its way (Y2). */
void pipe_drop(mrt_conn *conn);

#endif /* TESTS_SIM_PIPE_H */
