/* SPDX-License-Identifier: Apache-2.0 */
/* ledger_serializer.c - what was published in serializer.h.
 * Lines are added, never edited: see ledger.h. */
#include <mortise/serializer.h>

#include "sdk/abi/ledger.h"

TEXT(MRT_KIND_SERIALIZER, "mortise.serializer/1");
VALUE(MRT_SUBJECT_KEY, 1);
VALUE(MRT_SUBJECT_VALUE, 2);

FROZEN(mrt_datum, 32);
AT(mrt_datum, in, 0, mrt_str);
AT(mrt_datum, status, 16, mrt_status);
AT(mrt_datum, at, 20, uint32_t);
AT(mrt_datum, schema_id, 24, uint64_t);

GROWS(mrt_serializer_ops, 56);
AT(mrt_serializer_ops, size, 0, uint32_t);
AT(mrt_serializer_ops, caps, 4, uint32_t);
AT(mrt_serializer_ops, subject, 8,
   mrt_status (*)(
       void *inst, mrt_op *op, const mrt_str *topic, uint32_t part, const mrt_cfg *cfg,
       mrt_subject **out));
AT(mrt_serializer_ops, want, 16,
   mrt_status (*)(
       void *inst, mrt_op *op, const mrt_subject *old, uint64_t schema_id, mrt_subject **out));
AT(mrt_serializer_ops, release, 24, void (*)(mrt_subject *subject));
AT(mrt_serializer_ops, validate, 32,
   mrt_status (*)(const mrt_subject *subject, mrt_datum *v, uint32_t n));
AT(mrt_serializer_ops, to_json, 40,
   mrt_status (*)(
       const mrt_subject *subject, const mrt_str *in, void *out, uint64_t cap, uint64_t *got,
       mrt_error *why));
AT(mrt_serializer_ops, from_json, 48,
   mrt_status (*)(
       const mrt_subject *subject, const mrt_str *in, void *out, uint64_t cap, uint64_t *got,
       mrt_error *why));
