/* SPDX-License-Identifier: Apache-2.0 */
/* ledger_coordination.c - what was published in coordination.h.
 * Lines are added, never edited: see ledger.h. */
#include <mortise/coordination.h>

#include "sdk/abi/ledger.h"

TEXT(MRT_KIND_COORDINATION, "mortise.coordination/1");
TEXT(MRT_COORD_MEMBERS, "mortise.coordination.members/1");
VALUE(MRT_COORD_DURABLE, 1);
VALUE(MRT_COORD_SNAPSHOT_LOCAL, 2);
VALUE(MRT_COORD_SNAPSHOT_SHARED, 4);
VALUE(MRT_COORD_TRANSFER, 8);
VALUE(MRT_COORD_EXTERNAL, 16);
VALUE(MRT_ROLE_UNKNOWN, 0);
VALUE(MRT_ROLE_FOLLOWER, 1);
VALUE(MRT_ROLE_LEADER, 2);
VALUE(MRT_ROLE_OBSERVER, 3);

FROZEN(mrt_entry, 32);
AT(mrt_entry, offset, 0, uint64_t);
AT(mrt_entry, epoch, 8, uint32_t);
AT(mrt_entry, reserved, 12, uint32_t);
AT(mrt_entry, data, 16, mrt_str);

FROZEN(mrt_snap_id, 48);
AT(mrt_snap_id, end_offset, 0, uint64_t);
AT(mrt_snap_id, bytes, 8, uint64_t);
AT(mrt_snap_id, generation, 16, uint8_t[16]);
AT(mrt_snap_id, epoch, 32, uint32_t);
AT(mrt_snap_id, crc32c, 36, uint32_t);
AT(mrt_snap_id, reserved, 40, uint64_t);

GROWS(mrt_coord_events, 56);
AT(mrt_coord_events, size, 0, uint32_t);
AT(mrt_coord_events, flags, 4, uint32_t);
AT(mrt_coord_events, role, 8,
   void (*)(void *ctx, uint32_t role, uint32_t epoch, int32_t leader, uint64_t tail));
AT(mrt_coord_events, entries, 16, void (*)(void *ctx, const mrt_entry *v, uint32_t n));
AT(mrt_coord_events, snapshot, 24,
   void (*)(void *ctx, const mrt_snap_id *id, mrt_snapshot *snapshot));
AT(mrt_coord_events, want_snapshot, 32, void (*)(void *ctx, uint64_t min_offset));
AT(mrt_coord_events, sealed, 40, void (*)(void *ctx, uint64_t at, const mrt_str *descriptor));
AT(mrt_coord_events, fatal, 48, void (*)(void *ctx, const mrt_error *why));

GROWS(mrt_coord_spec, 64);
AT(mrt_coord_spec, size, 0, uint32_t);
AT(mrt_coord_spec, node, 4, int32_t);
AT(mrt_coord_spec, cluster_id, 8, uint8_t[16]);
AT(mrt_coord_spec, incarnation, 24, uint8_t[16]);
AT(mrt_coord_spec, have_offset, 40, uint64_t);
AT(mrt_coord_spec, events, 48, const mrt_coord_events *);
AT(mrt_coord_spec, ctx, 56, void *);

GROWS(mrt_coord_stat, 80);
AT(mrt_coord_stat, size, 0, uint32_t);
AT(mrt_coord_stat, role, 4, uint32_t);
AT(mrt_coord_stat, epoch, 8, uint32_t);
AT(mrt_coord_stat, leader, 12, int32_t);
AT(mrt_coord_stat, start, 16, uint64_t);
AT(mrt_coord_stat, committed, 24, uint64_t);
AT(mrt_coord_stat, tail, 32, uint64_t);
AT(mrt_coord_stat, max_entry, 40, uint64_t);
AT(mrt_coord_stat, snap_chunk, 48, uint64_t);
AT(mrt_coord_stat, lease_ms, 56, uint64_t);
AT(mrt_coord_stat, generation, 64, uint8_t[16]);

GROWS(mrt_coordination_ops, 120);
AT(mrt_coordination_ops, size, 0, uint32_t);
AT(mrt_coordination_ops, caps, 4, uint32_t);
AT(mrt_coordination_ops, open, 8,
   mrt_status (*)(void *inst, mrt_op *op, const mrt_coord_spec *spec, mrt_coord **out));
AT(mrt_coordination_ops, close, 16, mrt_status (*)(mrt_coord *coord, mrt_op *op));
AT(mrt_coordination_ops, campaign, 24,
   mrt_status (*)(mrt_coord *coord, uint32_t eligible, uint32_t priority));
AT(mrt_coordination_ops, resign, 32,
   mrt_status (*)(mrt_coord *coord, mrt_op *op, uint32_t epoch, int32_t prefer));
AT(mrt_coordination_ops, append, 40,
   mrt_status (*)(
       mrt_coord *coord, mrt_op *op, uint32_t epoch, uint64_t expect_offset, const mrt_str *entry,
       uint64_t *offset));
AT(mrt_coordination_ops, barrier, 48, mrt_status (*)(mrt_coord *coord, mrt_op *op, uint64_t *end));
AT(mrt_coordination_ops, credit, 56, void (*)(mrt_coord *coord, uint64_t bytes));
AT(mrt_coordination_ops, snapshot_read, 64,
   mrt_status (*)(mrt_snapshot *snapshot, mrt_op *op, void *buf, uint64_t cap, uint64_t *got));
AT(mrt_coordination_ops, snapshot_end, 72, void (*)(mrt_snapshot *snapshot, uint32_t adopted));
AT(mrt_coordination_ops, snapshot_begin, 80,
   mrt_status (*)(mrt_coord *coord, mrt_op *op, const mrt_snap_id *id, mrt_snapshot **out));
AT(mrt_coordination_ops, snapshot_put, 88,
   mrt_status (*)(mrt_snapshot *snapshot, mrt_op *op, const mrt_str *bytes));
AT(mrt_coordination_ops, snapshot_commit, 96,
   mrt_status (*)(mrt_snapshot *snapshot, mrt_op *op, uint32_t keep));
AT(mrt_coordination_ops, trim, 104, mrt_status (*)(mrt_coord *coord, mrt_op *op, uint64_t below));
AT(mrt_coordination_ops, stat, 112, void (*)(mrt_coord *coord, mrt_coord_stat *out));

FROZEN(mrt_member, 64);
AT(mrt_member, node, 0, int32_t);
AT(mrt_member, kind, 4, uint32_t);
AT(mrt_member, matched, 8, uint64_t);
AT(mrt_member, incarnation, 16, uint8_t[16]);
AT(mrt_member, endpoint, 32, mrt_str);
AT(mrt_member, last_seen_ns, 48, uint64_t);
AT(mrt_member, reserved, 56, uint64_t);

VALUE(MRT_MEMBER_ADD, 1);
VALUE(MRT_MEMBER_PROMOTE, 2);
VALUE(MRT_MEMBER_REMOVE, 3);

GROWS(mrt_coord_members, 32);
AT(mrt_coord_members, size, 0, uint32_t);
AT(mrt_coord_members, flags, 4, uint32_t);
AT(mrt_coord_members, list, 8,
   mrt_status (*)(mrt_coord *coord, mrt_member *out, uint32_t cap, uint32_t *n));
AT(mrt_coord_members, change, 16,
   mrt_status (*)(mrt_coord *coord, mrt_op *op, uint32_t what, const mrt_member *member));
AT(mrt_coord_members, seal, 24,
   mrt_status (*)(
       mrt_coord *coord, mrt_op *op, uint32_t epoch, const mrt_str *descriptor, uint64_t *at));
