/* SPDX-License-Identifier: Apache-2.0 */
/* ledger_cleanup.c - what was published in cleanup.h.
 * Lines are added, never edited: see ledger.h. */
#include <mortise/cleanup.h>

#include "sdk/abi/ledger.h"

TEXT(MRT_KIND_CLEANUP, "mortise.cleanup/1");
VALUE(MRT_CLEANUP_PASS, 1);

GROWS(mrt_clean_view, 72);
AT(mrt_clean_view, size, 0, uint32_t);
AT(mrt_clean_view, n_segments, 4, uint32_t);
AT(mrt_clean_view, segments, 8, const mrt_segment *);
AT(mrt_clean_view, now_ms, 16, int64_t);
AT(mrt_clean_view, log_start, 24, int64_t);
AT(mrt_clean_view, cleanable_end, 32, int64_t);
AT(mrt_clean_view, cleaned_to, 40, int64_t);
AT(mrt_clean_view, bytes, 48, uint64_t);
AT(mrt_clean_view, view, 56, const mrt_cfg_view *);
AT(mrt_clean_view, cfg, 64, const mrt_cfg *);

VALUE(MRT_CLEAN_DROP_HEAD, 1);
VALUE(MRT_CLEAN_REWRITE, 2);
VALUE(MRT_CLEAN_ROLL, 3);

FROZEN(mrt_verdict, 32);
AT(mrt_verdict, action, 0, uint32_t);
AT(mrt_verdict, first, 4, uint32_t);
AT(mrt_verdict, n, 8, uint32_t);
AT(mrt_verdict, weight, 12, uint32_t);
AT(mrt_verdict, upto, 16, int64_t);
AT(mrt_verdict, not_before_ms, 24, int64_t);

VALUE(MRT_RECORD_TOMBSTONE, 1);
VALUE(MRT_RECORD_CONTROL, 2);
VALUE(MRT_RECORD_ABORTED, 4);
VALUE(MRT_RECORD_NO_KEY, 8);
VALUE(MRT_RECORD_EXPIRED, 16);

FROZEN(mrt_record, 48);
AT(mrt_record, key, 0, mrt_str);
AT(mrt_record, offset, 16, int64_t);
AT(mrt_record, timestamp_ms, 24, int64_t);
AT(mrt_record, value_bytes, 32, uint64_t);
AT(mrt_record, flags, 40, uint32_t);
AT(mrt_record, reserved, 44, uint32_t);

GROWS(mrt_cleanup_ops, 48);
AT(mrt_cleanup_ops, size, 0, uint32_t);
AT(mrt_cleanup_ops, caps, 4, uint32_t);
AT(mrt_cleanup_ops, plan, 8,
   mrt_status (*)(
       void *inst, const mrt_clean_view *view, mrt_verdict *out, uint32_t cap, uint32_t *n));
AT(mrt_cleanup_ops, pass_begin, 16,
   mrt_status (*)(void *inst, const mrt_clean_view *view, uint64_t budget, void **out));
AT(mrt_cleanup_ops, learn, 24,
   mrt_status (*)(void *pass, const mrt_record *v, uint32_t n, uint32_t *took));
AT(mrt_cleanup_ops, judge, 32,
   mrt_status (*)(void *pass, const mrt_record *v, uint32_t n, uint64_t *keep));
AT(mrt_cleanup_ops, pass_end, 40, void (*)(void *pass));
