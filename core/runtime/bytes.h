/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bytes.h - the reactors' read buffers, and the one function that moves the bytes of slices.
 */
#ifndef CORE_RUNTIME_BYTES_H
#define CORE_RUNTIME_BYTES_H

#include "core/runtime/runtime.h"

#define RX_BYTES   (64 * 1024) /* of one read buffer */
#define RX_BUFFERS 64          /* of one reactor; further memory is taken per request */
#define BLOCK_MAX  (1u << 30)  /* of one block: beyond any request, below any overflow */

struct budget;

/* As mortise.host.buffers/1 rx(). MRT_EAGAIN: all are leased; rx_notify() tells when not. */
mrt_status rx_take(mrt_exec *reactor, mrt_rx *out);

/* Posts @task to @reactor once, as soon as a buffer is free after rx_take() failed. */
void rx_notify(mrt_exec *reactor, mrt_task *task);

/* One more holder of a lease made by rx_take() or block_new(); any thread. */
void lease_share(mrt_lease *lease);

/* @bytes of memory under a lease, for what does not fit a read buffer; NULL: no memory. */
mrt_status block_new(uint64_t bytes, uint8_t **out, mrt_lease **lease);

/* The same, charged to ACCOUNT_CACHE of @budget (NULL: nobody), which outlives the lease. */
mrt_status block_take(struct budget *budget, uint64_t bytes, uint8_t **out, mrt_lease **lease);

/* Gives one hold back; @lease may be NULL. Any thread. */
void lease_release(mrt_lease *lease);

/*
 * Copies all bytes of @in to @dst (at least @in->bytes): memory at once, files from the page cache
 * with a non-blocking read, otherwise by a worker. MRT_EIO, MRT_ECORRUPT (the file is shorter).
 * Leases stay with the caller. Inline or pending.
 */
mrt_status slices_pull(mrt_exec *exec, mrt_op *op, const mrt_slicev *in, void *dst);

#endif /* CORE_RUNTIME_BYTES_H */
