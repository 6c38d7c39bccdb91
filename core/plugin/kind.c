/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind.c - one line per published slot. A slot that is added to a table and not here fails to
 * compile; so does a fallback whose type is not the slot's.
 */
#include "core/plugin/kind.h"

#include <string.h>

#include <mortise/cleanup.h>
#include <mortise/codec.h>
#include <mortise/coordination.h>
#include <mortise/draft/protocol.h>
#include <mortise/serializer.h>
#include <mortise/storage.h>
#include <mortise/transport.h>

#define SLOT_AT(T, member) (uint32_t) offsetof(T, member)
#define MUST(T, member)                                                                            \
    {                                                                                              \
#member, SLOT_AT(T, member), 0, NULL, NULL                                                 \
    }
#define SAME(T, member, f)                                                                         \
    __builtin_types_compatible_p(__typeof__(((T *)0)->member), __typeof__(&f))
#define FALLBACK(T, member, f)                                                                     \
    ((slot_fn *)(sizeof(char[SAME(T, member, f) ? 1 : -1]) == 1 ? (slot_fn *)f : NULL))
#define MAY(T, member, f)                                                                          \
    {                                                                                              \
#member, SLOT_AT(T, member), SLOT_OPTIONAL, NULL, FALLBACK(T, member, f)                   \
    }
#define CAP(T, member, cap, f)                                                                     \
    {                                                                                              \
#member, SLOT_AT(T, member), cap, #cap, FALLBACK(T, member, f)                             \
    }

#define ROWS(table) (uint32_t)(sizeof(table) / sizeof *(table))

/* Functions begin at member @first and go on to the end: as many rows as pointers. */
#define COMPLETE(T, first, table)                                                                  \
    _Static_assert(                                                                                \
        offsetof(T, first) + sizeof(table) / sizeof *(table) * sizeof(slot_fn *) == sizeof(T),     \
        "one row a slot of " #T)

/* ---- lifecycle ------------------------------------------------------------------------------- */

static void no_cancel(void *inst, mrt_op *op)
{
    (void)inst, (void)op; /* P5: a request; the operation completes all the same */
}

static mrt_status no_health(void *inst, mrt_error *detail)
{
    (void)inst, (void)detail;
    return MRT_OK;
}

static mrt_status no_shard_open(void *inst, mrt_exec *reactor, void **shard)
{
    (void)inst, (void)reactor;
    *shard = NULL; /* P6: nothing of this kind asks for it */
    return MRT_OK;
}

static void no_shard_close(void *shard)
{
    (void)shard;
}

static const struct slot_rule lifecycle_slots[] = {
    MUST(mrt_lifecycle, create),
    MUST(mrt_lifecycle, start),
    MUST(mrt_lifecycle, reconfigure),
    MUST(mrt_lifecycle, drain),
    MUST(mrt_lifecycle, stop),
    MUST(mrt_lifecycle, destroy),
    MAY(mrt_lifecycle, cancel, no_cancel),
    MAY(mrt_lifecycle, health, no_health),
    MAY(mrt_lifecycle, shard_open, no_shard_open),
    MAY(mrt_lifecycle, shard_close, no_shard_close),
};
COMPLETE(mrt_lifecycle, create, lifecycle_slots);

/* ---- transport ------------------------------------------------------------------------------- */

static mrt_status no_connect(void *shard, mrt_op *op, const mrt_str *endpoint, mrt_conn **out)
{
    (void)shard, (void)op, (void)endpoint, (void)out;
    return MRT_ENOTSUP;
}

static const struct slot_rule transport_slots[] = {
    MUST(mrt_transport_ops, listen),
    MUST(mrt_transport_ops, unlisten),
    MUST(mrt_transport_ops, bound),
    CAP(mrt_transport_ops, connect, MRT_TRANSPORT_CONNECT, no_connect),
    MUST(mrt_transport_ops, attach),
    MUST(mrt_transport_ops, pause),
    MUST(mrt_transport_ops, resume),
    MUST(mrt_transport_ops, send),
    MUST(mrt_transport_ops, shutdown),
    MUST(mrt_transport_ops, close),
    MUST(mrt_transport_ops, peer),
};
COMPLETE(mrt_transport_ops, listen, transport_slots);

/* ---- storage --------------------------------------------------------------------------------- */

static mrt_status no_dir_adopt(mrt_dir *dir, mrt_op *op)
{
    (void)dir, (void)op;
    return MRT_ENOTSUP;
}

static mrt_status no_log_config(mrt_log *log, const mrt_cfg *cfg)
{
    (void)log, (void)cfg;
    return MRT_OK; /* a store without it has no per-topic settings to take over */
}

static mrt_status no_promote(mrt_log *log, mrt_op *op)
{
    (void)log, (void)op;
    return MRT_ENOTSUP;
}

static mrt_status no_flush(mrt_log *log, mrt_op *op, int64_t upto)
{
    (void)log, (void)op, (void)upto;
    return MRT_ENOTSUP;
}

static mrt_status no_view_open(mrt_log *log, const uint64_t *handles, uint32_t n, mrt_view **out)
{
    (void)log, (void)handles, (void)n, (void)out;
    return MRT_ENOTSUP;
}

static mrt_status no_view_read(
    mrt_view *view, uint64_t *cursor, void *buf, uint64_t cap, uint64_t *got)
{
    (void)view, (void)cursor, (void)buf, (void)cap, (void)got;
    return MRT_ENOTSUP;
}

static void no_view_close(mrt_view *view)
{
    (void)view;
}

static mrt_status no_job_open(mrt_log *log, mrt_view *view, mrt_job **out)
{
    (void)log, (void)view, (void)out;
    return MRT_ENOTSUP;
}

static mrt_status no_job_put(mrt_job *job, const mrt_batch *v, uint32_t n)
{
    (void)job, (void)v, (void)n;
    return MRT_ENOTSUP;
}

static mrt_status no_job_seal(mrt_job *job)
{
    (void)job;
    return MRT_ENOTSUP;
}

static mrt_status no_job_commit(mrt_job *job, mrt_op *op)
{
    (void)job, (void)op;
    return MRT_ENOTSUP;
}

static void no_job_abort(mrt_job *job)
{
    (void)job;
}

static const struct slot_rule storage_slots[] = {
    MUST(mrt_storage_ops, dir_open),
    MUST(mrt_storage_ops, dir_close),
    MAY(mrt_storage_ops, dir_adopt, no_dir_adopt),
    MUST(mrt_storage_ops, logs),
    MUST(mrt_storage_ops, log_open),
    MUST(mrt_storage_ops, log_remove),
    MUST(mrt_storage_ops, log_close),
    MAY(mrt_storage_ops, log_config, no_log_config),
    MAY(mrt_storage_ops, promote, no_promote),
    MUST(mrt_storage_ops, state),
    MUST(mrt_storage_ops, append),
    MUST(mrt_storage_ops, read),
    CAP(mrt_storage_ops, flush, MRT_STORAGE_DURABLE, no_flush),
    MUST(mrt_storage_ops, roll),
    MUST(mrt_storage_ops, trim_head),
    MUST(mrt_storage_ops, trim_tail),
    MUST(mrt_storage_ops, restart),
    MUST(mrt_storage_ops, find_time),
    MUST(mrt_storage_ops, find_latest),
    MUST(mrt_storage_ops, segments),
    MUST(mrt_storage_ops, mark_set),
    MUST(mrt_storage_ops, mark_get),
    MUST(mrt_storage_ops, blob_put),
    MUST(mrt_storage_ops, blob_get),
    MUST(mrt_storage_ops, blob_remove),
    MUST(mrt_storage_ops, blobs),
    CAP(mrt_storage_ops, view_open, MRT_STORAGE_REWRITE, no_view_open),
    CAP(mrt_storage_ops, view_read, MRT_STORAGE_REWRITE, no_view_read),
    CAP(mrt_storage_ops, view_close, MRT_STORAGE_REWRITE, no_view_close),
    CAP(mrt_storage_ops, job_open, MRT_STORAGE_REWRITE, no_job_open),
    CAP(mrt_storage_ops, job_put, MRT_STORAGE_REWRITE, no_job_put),
    CAP(mrt_storage_ops, job_seal, MRT_STORAGE_REWRITE, no_job_seal),
    CAP(mrt_storage_ops, job_commit, MRT_STORAGE_REWRITE, no_job_commit),
    CAP(mrt_storage_ops, job_abort, MRT_STORAGE_REWRITE, no_job_abort),
};
COMPLETE(mrt_storage_ops, dir_open, storage_slots);

/* ---- coordination ---------------------------------------------------------------------------- */

static const struct slot_rule coordination_slots[] = {
    MUST(mrt_coordination_ops, open),         MUST(mrt_coordination_ops, close),
    MUST(mrt_coordination_ops, campaign),     MUST(mrt_coordination_ops, resign),
    MUST(mrt_coordination_ops, append),       MUST(mrt_coordination_ops, barrier),
    MUST(mrt_coordination_ops, credit),       MUST(mrt_coordination_ops, snapshot_read),
    MUST(mrt_coordination_ops, snapshot_end), MUST(mrt_coordination_ops, snapshot_begin),
    MUST(mrt_coordination_ops, snapshot_put), MUST(mrt_coordination_ops, snapshot_commit),
    MUST(mrt_coordination_ops, trim),         MUST(mrt_coordination_ops, stat),
};
COMPLETE(mrt_coordination_ops, open, coordination_slots);

/* ---- cleanup --------------------------------------------------------------------------------- */

static mrt_status no_pass_begin(void *inst, const mrt_clean_view *view, uint64_t budget, void **out)
{
    (void)inst, (void)view, (void)budget, (void)out;
    return MRT_ENOTSUP;
}

static mrt_status no_learn(void *pass, const mrt_record *v, uint32_t n, uint32_t *took)
{
    (void)pass, (void)v, (void)n, (void)took;
    return MRT_ENOTSUP;
}

static mrt_status no_judge(void *pass, const mrt_record *v, uint32_t n, uint64_t *keep)
{
    (void)pass, (void)v, (void)n, (void)keep;
    return MRT_ENOTSUP;
}

static void no_pass_end(void *pass)
{
    (void)pass;
}

static const struct slot_rule cleanup_slots[] = {
    MUST(mrt_cleanup_ops, plan),
    CAP(mrt_cleanup_ops, pass_begin, MRT_CLEANUP_PASS, no_pass_begin),
    CAP(mrt_cleanup_ops, learn, MRT_CLEANUP_PASS, no_learn),
    CAP(mrt_cleanup_ops, judge, MRT_CLEANUP_PASS, no_judge),
    CAP(mrt_cleanup_ops, pass_end, MRT_CLEANUP_PASS, no_pass_end),
};
COMPLETE(mrt_cleanup_ops, plan, cleanup_slots);

/* ---- serializer, codec ----------------------------------------------------------------------- */

static const struct slot_rule serializer_slots[] = {
    MUST(mrt_serializer_ops, subject), MUST(mrt_serializer_ops, want),
    MUST(mrt_serializer_ops, release), MUST(mrt_serializer_ops, validate),
    MUST(mrt_serializer_ops, to_json), MUST(mrt_serializer_ops, from_json),
};
COMPLETE(mrt_serializer_ops, subject, serializer_slots);

static const struct slot_rule codec_slots[] = {
    MUST(mrt_codec_ops, context_open), MUST(mrt_codec_ops, context_close),
    MUST(mrt_codec_ops, bound),        MUST(mrt_codec_ops, compress),
    MUST(mrt_codec_ops, decompress),   MUST(mrt_codec_ops, inflate_open),
    MUST(mrt_codec_ops, inflate_next), MUST(mrt_codec_ops, inflate_close),
};
COMPLETE(mrt_codec_ops, context_open, codec_slots);

/* ---- protocol (draft) ------------------------------------------------------------------------ */

static mrt_status no_session(void *shard, mrt_stream *stream, mrt_session **out)
{
    (void)shard, (void)stream, (void)out;
    return MRT_ENOTSUP;
}

static mrt_status no_call(mrt_session *session, mrt_call *call)
{
    (void)session, (void)call;
    return MRT_ENOTSUP;
}

static const struct slot_rule protocol_slots[] = {
    MUST(mrt_protocol_ops, sniff),
    MUST(mrt_protocol_ops, serve),
    CAP(mrt_protocol_ops, connect, MRT_PROTOCOL_CALL, no_session),
    MUST(mrt_protocol_ops, on_bytes),
    MUST(mrt_protocol_ops, on_sent),
    MUST(mrt_protocol_ops, on_drained),
    MUST(mrt_protocol_ops, on_closed),
    MAY(mrt_protocol_ops, call, no_call),
};
COMPLETE(mrt_protocol_ops, sniff, protocol_slots);

/* ---- the kinds ------------------------------------------------------------------------------- */

static const struct kind kinds[] = {
    {MRT_KIND_TRANSPORT, "transport", 0, sizeof(mrt_transport_ops),
     MRT_TRANSPORT_CONNECT | MRT_TRANSPORT_FILES | MRT_TRANSPORT_IDENTITY, transport_slots,
     ROWS(transport_slots)},
    {MRT_KIND_STORAGE, "storage", 0, sizeof(mrt_storage_ops),
     MRT_STORAGE_DURABLE | MRT_STORAGE_FILES | MRT_STORAGE_REWRITE, storage_slots,
     ROWS(storage_slots)},
    {MRT_KIND_COORDINATION, "coordination", 0, sizeof(mrt_coordination_ops),
     MRT_COORD_DURABLE | MRT_COORD_SNAPSHOT_LOCAL | MRT_COORD_SNAPSHOT_SHARED | MRT_COORD_TRANSFER |
         MRT_COORD_EXTERNAL,
     coordination_slots, ROWS(coordination_slots)},
    {MRT_KIND_CLEANUP, "cleanup", 0, sizeof(mrt_cleanup_ops), MRT_CLEANUP_PASS, cleanup_slots,
     ROWS(cleanup_slots)},
    {MRT_KIND_SERIALIZER, "serializer", 0, sizeof(mrt_serializer_ops), 0, serializer_slots,
     ROWS(serializer_slots)},
    {MRT_KIND_CODEC, "codec", 0, sizeof(mrt_codec_ops), 0, codec_slots, ROWS(codec_slots)},
    {MRT_KIND_PROTOCOL, "protocol", 1, sizeof(mrt_protocol_ops), MRT_PROTOCOL_CALL, protocol_slots,
     ROWS(protocol_slots)},
};

const struct kind *kind_at(uint32_t i)
{
    return i < ROWS(kinds) ? &kinds[i] : NULL;
}

const struct kind *kind_find(const char *id)
{
    for (uint32_t i = 0; i < ROWS(kinds); i++)
        if (strcmp(kinds[i].id, id) == 0)
            return &kinds[i];
    return NULL;
}

const struct kind *lifecycle_kind(void)
{
    static const struct kind lifecycle = {"mortise.lifecycle",   "lifecycle", 0,
                                          sizeof(mrt_lifecycle), 0,           lifecycle_slots,
                                          ROWS(lifecycle_slots)};
    return &lifecycle;
}
