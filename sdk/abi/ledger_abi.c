/* SPDX-License-Identifier: Apache-2.0 */
/* ledger_abi.c - what was published in abi.h. Lines are added, never edited: see ledger.h. */
#include <mortise/abi.h>

#include "sdk/abi/ledger.h"

TYPE(mrt_status, int32_t);

VALUE(MRT_OK, 0);
VALUE(MRT_PENDING, 1);
VALUE(MRT_EINVAL, -1);
VALUE(MRT_ENOMEM, -2);
VALUE(MRT_EIO, -3);
VALUE(MRT_ENOSPC, -4);
VALUE(MRT_ECORRUPT, -5);
VALUE(MRT_ECANCELED, -6);
VALUE(MRT_ETIMEDOUT, -7);
VALUE(MRT_ENOTSUP, -8);
VALUE(MRT_EFENCED, -9);
VALUE(MRT_EDENIED, -10);
VALUE(MRT_ETOOBIG, -11);
VALUE(MRT_ENOENT, -12);
VALUE(MRT_EEXIST, -13);
VALUE(MRT_ERANGE, -14);
VALUE(MRT_EAGAIN, -15);
VALUE(MRT_EBUSY, -16);
VALUE(MRT_EFULL, -17);
VALUE(MRT_EUNKNOWN, -18);
VALUE(MRT_ESEALED, -19);
VALUE(MRT_ENOTLEADER, -20);
VALUE(MRT_EGONE, -21);
VALUE(MRT_EOFFLINE, -22);
VALUE(MRT_ECLOSED, -23);
VALUE(MRT_ESHUTDOWN, -24);
VALUE(MRT_ETOONEW, -25);
VALUE(MRT_EREADONLY, -26);
VALUE(MRT_EBUG, -27);

FROZEN(mrt_str, 16);
AT(mrt_str, p, 0, const char *);
AT(mrt_str, n, 8, uint64_t);

FROZEN(mrt_error, 256);
AT(mrt_error, status, 0, mrt_status);
AT(mrt_error, reserved, 4, uint32_t);
AT(mrt_error, text, 8, char[248]);

GROWS(mrt_lease_ops, 16);
AT(mrt_lease_ops, size, 0, uint32_t);
AT(mrt_lease_ops, flags, 4, uint32_t);
AT(mrt_lease_ops, release, 8, void (*)(mrt_lease *lease));

FROZEN(mrt_lease, 32);
AT(mrt_lease, ops, 0, const mrt_lease_ops *);
AT(mrt_lease, refs, 8, uint64_t);
AT(mrt_lease, owner, 16, uint64_t[2]);

VALUE(MRT_SLICE_MEM, 1);
VALUE(MRT_SLICE_FILE, 2);
VALUE(MRT_SLICE_REGBUF, 3);

FROZEN(mrt_slice, 32);
AT(mrt_slice, kind, 0, uint32_t);
AT(mrt_slice, flags, 4, uint32_t);
AT(mrt_slice, ref, 8, uint64_t);
AT(mrt_slice, off, 16, uint64_t);
AT(mrt_slice, len, 24, uint64_t);

FROZEN(mrt_slicev, 32);
AT(mrt_slicev, v, 0, const mrt_slice *);
AT(mrt_slicev, n, 8, uint32_t);
AT(mrt_slicev, flags, 12, uint32_t);
AT(mrt_slicev, bytes, 16, uint64_t);
AT(mrt_slicev, lease, 24, mrt_lease *);

FROZEN(mrt_op, 128);
AT(mrt_op, done, 0, void (*)(mrt_op *op));
AT(mrt_op, exec, 8, mrt_exec *);
AT(mrt_op, deadline_ns, 16, uint64_t);
AT(mrt_op, trace, 24, uint64_t);
AT(mrt_op, caller, 32, void *);
AT(mrt_op, status, 40, mrt_status);
AT(mrt_op, flags, 44, uint32_t);
AT(mrt_op, host, 48, uint64_t[4]);
AT(mrt_op, scratch, 80, uint64_t[6]);

VALUE(MRT_OP_MAINTENANCE, 1);
