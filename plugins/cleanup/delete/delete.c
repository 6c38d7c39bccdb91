/* SPDX-License-Identifier: Apache-2.0 */
/*
 * delete.c - drops whole segments from the head of a log, by age and by size.
 *
 * A decision, nothing else (cleanup.h C1): no clock, no state, no memory. Segments go oldest first
 * and in a row: the first one that must stay keeps all behind it.
 */
#include <string.h>

#include <mortise/cleanup.h>

MRT_PLUGIN_NOTE(
    "name=cleanup-delete" MRT_NOTE_END "version=0.1.0" MRT_NOTE_END "abi=0.1" MRT_NOTE_END
    "need=0.1" MRT_NOTE_END "tier=stable" MRT_NOTE_END "flags=sim_safe" MRT_NOTE_END
    "impl=mortise.cleanup/1 delete" MRT_NOTE_END "key=retention_ms" MRT_NOTE_END
    "key.type=millis" MRT_NOTE_END "key.default=604800000" MRT_NOTE_END "key.min=-1" MRT_NOTE_END
    "key.flags=dynamic,per_topic" MRT_NOTE_END "key.kafka=retention.ms" MRT_NOTE_END
    "key.doc=A segment goes when its newest record is older than this; -1: never for its "
    "age." MRT_NOTE_END "key=retention_bytes" MRT_NOTE_END "key.type=bytes" MRT_NOTE_END
    "key.default=-1" MRT_NOTE_END "key.min=-1" MRT_NOTE_END
    "key.flags=dynamic,per_topic" MRT_NOTE_END "key.kafka=retention.bytes" MRT_NOTE_END
    "key.doc=The oldest segments go while the partition keeps at least this without them; -1: "
    "never for its size.");

enum {
    KEY_RETENTION_MS,
    KEY_RETENTION_BYTES
};

#define VERDICTS_MAX 2 /* drop the head, and seal the active segment */

struct decision {
    int64_t retention_ms, retention_bytes;
    uint32_t n;          /* segments to drop from the head */
    uint64_t bytes;      /* in them */
    uint32_t roll;       /* the active segment is due as well */
    int64_t next_due_ms; /* when the first one that stays gets too old; 0: not known */
};

/*
 * When the newest record of segment @i was written. Producers may send no timestamp; then it is no
 * later than the segment's end of use, which is when the next one was made.
 */
static int64_t newest_ms(const mrt_clean_view *view, uint32_t i)
{
    const mrt_segment *segment = &view->segments[i];
    if (segment->max_timestamp_ms >= 0)
        return segment->max_timestamp_ms;
    return i + 1 < view->n_segments ? segment[1].created_ms : segment->created_ms;
}

/* The first moment at which segment @i is too old. */
static int64_t due_ms(const mrt_clean_view *view, uint32_t i, int64_t retention_ms)
{
    int64_t due;
    if (__builtin_add_overflow(newest_ms(view, i), retention_ms, &due) || due == INT64_MAX)
        return INT64_MAX;
    return due + 1;
}

static uint32_t too_old(const struct decision *to, const mrt_clean_view *view, uint32_t i)
{
    return to->retention_ms >= 0 && view->now_ms >= due_ms(view, i, to->retention_ms);
}

/* Would the log still keep retention_bytes without the segments so far and @segment? */
static uint32_t too_much(
    const struct decision *to, const mrt_clean_view *view, const mrt_segment *segment)
{
    uint64_t gone = to->bytes + segment->bytes;
    return to->retention_bytes >= 0 && view->bytes >= gone &&
           view->bytes - gone >= (uint64_t)to->retention_bytes;
}

static void decide(struct decision *to, const mrt_clean_view *view)
{
    for (uint32_t i = 0; i < view->n_segments; i++) {
        const mrt_segment *segment = &view->segments[i];
        uint32_t active = i + 1 == view->n_segments;
        if (segment->next > view->cleanable_end || (active && segment->bytes == 0))
            return;
        if (!too_old(to, view, i) && !too_much(to, view, segment)) {
            if (to->retention_ms >= 0)
                to->next_due_ms = due_ms(view, i, to->retention_ms);
            return;
        }
        to->roll = active;
        to->n += !active;
        to->bytes += active ? 0 : segment->bytes;
    }
}

static uint32_t per_mille(uint64_t part, uint64_t of)
{
    if (part >= of)
        return of == 0 ? 0 : 1000;
    return (uint32_t)(of > UINT64_MAX / 1000 ? part / (of / 1000) : part * 1000 / of);
}

static mrt_status delete_plan(
    void *inst, const mrt_clean_view *view, mrt_verdict *out, uint32_t cap, uint32_t *n)
{
    struct decision to = {
        .retention_ms = view->view->i64(view->cfg, KEY_RETENTION_MS),
        .retention_bytes = view->view->i64(view->cfg, KEY_RETENTION_BYTES),
    };
    mrt_verdict verdicts[VERDICTS_MAX];
    (void)inst;

    decide(&to, view);
    *n = 0;
    int64_t upto = to.n == 0 ? view->log_start : view->segments[to.n - 1].next;
    upto = upto < view->log_start ? view->log_start : upto;
    if (to.n > 0 || to.next_due_ms > 0)
        verdicts[(*n)++] = (mrt_verdict){
            .action = MRT_CLEAN_DROP_HEAD,
            .n = to.n,
            .weight = per_mille(to.bytes, view->bytes),
            .upto = upto,
            .not_before_ms = to.next_due_ms,
        };
    if (to.roll)
        verdicts[(*n)++] =
            (mrt_verdict){.action = MRT_CLEAN_ROLL, .first = view->n_segments - 1, .n = 1};
    if (*n > cap)
        return MRT_ETOOBIG;
    memcpy(out, verdicts, *n * sizeof *verdicts);
    return MRT_OK;
}

/* ---- lifecycle ------------------------------------------------------------------------------- */

static mrt_status delete_create(const mrt_create *how, void **inst, mrt_error *error)
{
    (void)error;
    *inst = (void *)(uintptr_t)how->host; /* nothing to keep (C1); any address but NULL */
    return MRT_OK;
}

static mrt_status delete_nothing(void *inst, mrt_op *op)
{
    (void)inst, (void)op;
    return MRT_OK;
}

static mrt_status delete_reconfigure(
    void *inst, const mrt_cfg *next, uint32_t phase, mrt_error *error)
{
    (void)inst, (void)next, (void)phase, (void)error; /* plan() is given the topic's snapshot */
    return MRT_OK;
}

static void delete_destroy(void *inst)
{
    (void)inst;
}

static const mrt_lifecycle lifecycle = {
    .size = sizeof(mrt_lifecycle),
    .create = delete_create,
    .start = delete_nothing,
    .reconfigure = delete_reconfigure,
    .drain = delete_nothing,
    .stop = delete_nothing,
    .destroy = delete_destroy,
};

static const mrt_cleanup_ops ops = {
    .size = sizeof(mrt_cleanup_ops),
    .plan = delete_plan,
};

static const mrt_impl impls[] = {
    {sizeof(mrt_impl), 0, MRT_KIND_CLEANUP, "delete", &lifecycle, &ops},
};

static const mrt_plugin plugin = {
    .size = sizeof(mrt_plugin),
    .abi = MRT_ABI,
    .note = MRT_NOTE,
    .note_bytes = MRT_NOTE_BYTES,
    .impls = impls,
    .n_impls = 1,
    .impl_stride = sizeof(mrt_impl),
};

const mrt_plugin *MRT_ENTRY_NAME(uint32_t host_abi)
{
    return host_abi >> 16 == MRT_ABI_MAJOR ? &plugin : NULL;
}
