/* SPDX-License-Identifier: Apache-2.0 */
/* ledger_transport.c - what was published in transport.h.
 * Lines are added, never edited: see ledger.h. */
#include <mortise/transport.h>

#include "sdk/abi/ledger.h"

TEXT(MRT_KIND_TRANSPORT, "mortise.transport/1");
VALUE(MRT_TRANSPORT_CONNECT, 1);
VALUE(MRT_TRANSPORT_FILES, 2);
VALUE(MRT_TRANSPORT_IDENTITY, 4);
VALUE(MRT_PEER_CREDENTIALS, 1);

GROWS(mrt_peer, 56);
AT(mrt_peer, size, 0, uint32_t);
AT(mrt_peer, flags, 4, uint32_t);
AT(mrt_peer, remote, 8, mrt_str);
AT(mrt_peer, local, 24, mrt_str);
AT(mrt_peer, uid, 40, uint32_t);
AT(mrt_peer, gid, 44, uint32_t);
AT(mrt_peer, pid, 48, uint32_t);
AT(mrt_peer, reserved, 52, uint32_t);

GROWS(mrt_conn_events, 32);
AT(mrt_conn_events, size, 0, uint32_t);
AT(mrt_conn_events, flags, 4, uint32_t);
AT(mrt_conn_events, on_bytes, 8, void (*)(void *ctx, const mrt_str *bytes, mrt_lease *lease));
AT(mrt_conn_events, on_eof, 16, void (*)(void *ctx));
AT(mrt_conn_events, on_closed, 24, void (*)(void *ctx, mrt_status status));

GROWS(mrt_listener_events, 24);
AT(mrt_listener_events, size, 0, uint32_t);
AT(mrt_listener_events, flags, 4, uint32_t);
AT(mrt_listener_events, on_accept, 8, mrt_status (*)(void *ctx, mrt_conn *conn));
AT(mrt_listener_events, on_state, 16, void (*)(void *ctx, mrt_status status));

GROWS(mrt_transport_ops, 96);
AT(mrt_transport_ops, size, 0, uint32_t);
AT(mrt_transport_ops, caps, 4, uint32_t);
AT(mrt_transport_ops, listen, 8,
   mrt_status (*)(
       void *shard, mrt_op *op, const mrt_str *endpoint, const mrt_listener_events *events,
       void *ctx, mrt_listener **out));
AT(mrt_transport_ops, unlisten, 16, void (*)(mrt_listener *listener));
AT(mrt_transport_ops, bound, 24, void (*)(mrt_listener *listener, mrt_str *out));
AT(mrt_transport_ops, connect, 32,
   mrt_status (*)(void *shard, mrt_op *op, const mrt_str *endpoint, mrt_conn **out));
AT(mrt_transport_ops, attach, 40,
   void (*)(mrt_conn *conn, const mrt_conn_events *events, void *ctx));
AT(mrt_transport_ops, pause, 48, void (*)(mrt_conn *conn));
AT(mrt_transport_ops, resume, 56, void (*)(mrt_conn *conn));
AT(mrt_transport_ops, send, 64,
   mrt_status (*)(mrt_conn *conn, mrt_op *op, const mrt_slicev *v, uint32_t n));
AT(mrt_transport_ops, shutdown, 72, mrt_status (*)(mrt_conn *conn));
AT(mrt_transport_ops, close, 80, void (*)(mrt_conn *conn));
AT(mrt_transport_ops, peer, 88, void (*)(mrt_conn *conn, mrt_peer *out));
