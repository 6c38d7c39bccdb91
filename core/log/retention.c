/* SPDX-License-Identifier: Apache-2.0 */
/*
 * retention.c - what is due: producers expire, an aged segment is sealed, the policies decide what
 * goes. They only propose; whatever they say, nothing at or above the high watermark goes, nor the
 * active segment, nor a part of one.
 */
#include "core/log/internal.h"

#define SEGMENTS_MAX 65536 /* of one log: 64 TiB in segments of 1 GiB */
#define PAGE         64
#define VERDICTS_MAX 1024 /* a policy that says more is cut */

static mrt_status page_add(struct log *log, mrt_segment **all, uint32_t *count, uint32_t *n)
{
    int64_t from = *count == 0 ? log->now.start : (*all)[*count - 1].next;

    *all = memory_resize(*all, (*count + PAGE) * sizeof **all);
    mrt_status status = log->ops->segments(log->store, from, *all + *count, PAGE, n);
    if (status == MRT_OK)
        *count += *n;
    return status;
}

/* All segments, oldest first; the caller frees them. */
static mrt_status list_segments(struct log *log, mrt_segment **out, uint32_t *count)
{
    mrt_status status = MRT_OK;
    uint32_t n = PAGE;

    *count = 0;
    while (status == MRT_OK && n == PAGE && *count < SEGMENTS_MAX)
        status = page_add(log, out, count, &n);
    return status;
}

static mrt_status ask(
    const struct log_policy *policy, mrt_clean_view *view, mrt_verdict **out, uint32_t *n)
{
    uint32_t cap = 16;

    view->view = policy->view;
    view->cfg = policy->cfg;
    for (;;) {
        *out = memory_resize(*out, cap * sizeof **out);
        *n = 0;
        mrt_status status = policy->ops->plan(policy->inst, view, *out, cap, n);
        if (status != MRT_ETOOBIG)
            return status;
        if (*n <= cap || *n > VERDICTS_MAX)
            return MRT_EINVAL;
        cap = *n;
    }
}

/* The base of the segment that holds @upto: only whole sealed segments go. */
static int64_t whole_segments(const mrt_clean_view *view, int64_t upto)
{
    int64_t base = view->log_start;

    ASSERT(view->n_segments > 0);
    if (upto > view->cleanable_end)
        upto = view->cleanable_end;
    for (uint32_t i = 0; i < view->n_segments && view->segments[i].base <= upto; i++)
        base = view->segments[i].base;
    return base;
}

static void take_verdict(struct log *log, const mrt_clean_view *view, const mrt_verdict *verdict)
{
    if (verdict->action == MRT_CLEAN_DROP_HEAD) {
        int64_t upto = whole_segments(view, verdict->upto);
        if (upto > log->trim_upto)
            log->trim_upto = upto;
    } else if (verdict->action == MRT_CLEAN_ROLL && !log->rolled_for_policy) {
        log->roll_wanted = log->active_bytes > 0;
    }
}

static void ask_all(struct log *log, mrt_clean_view *view)
{
    mrt_verdict *verdicts = NULL;

    for (uint32_t i = 0; i < log->policy_count; i++) {
        uint32_t n = 0;
        mrt_status status = ask(&log->policies[i], view, &verdicts, &n);
        if (status != MRT_OK) {
            log_note(log, MRT_LOG_WARN, "log.policy_failed", status);
            continue;
        }
        for (uint32_t j = 0; j < n; j++)
            take_verdict(log, view, &verdicts[j]);
    }
    memory_free(verdicts);
}

/* Leaves log->trim_upto where the policies want the log to begin, and their wish to roll. */
static void plan(struct log *log)
{
    mrt_segment *segments = NULL;
    uint32_t count = 0;

    ASSERT(!log->in_flight);
    log->trim_upto = log->now.start;
    mrt_status status = list_segments(log, &segments, &count);
    if (status == MRT_OK && count > 0) {
        mrt_clean_view view = {
            .size = sizeof view,
            .n_segments = count,
            .segments = segments,
            .now_ms = exec_wall_ms(log->exec),
            .log_start = log->now.start,
            .cleanable_end = log->now.last_stable,
            .bytes = log->now.bytes,
        };
        if (log->ops->mark_get(log->store, MRT_MARK_CLEANED_TO, &view.cleaned_to) != MRT_OK)
            view.cleaned_to = log->now.start;
        ask_all(log, &view);
    }
    memory_free(segments);
}

static void answer(struct log *log, mrt_status status)
{
    log->rolled_for_policy = false;
    requests_drop(&log->maintains, status);
}

mrt_status retention_step(struct log *log)
{
    if (log->job.at == 0) {
        log->retention_wanted = false;
        producers_expire(&log->producers, exec_wall_ms(log->exec));
        plan(log);
        if (log->roll_wanted) { /* then again, with that segment sealed */
            log->rolled_for_policy = true;
            return JOB_END;
        }
        if (log->trim_upto <= log->now.start) {
            answer(log, MRT_OK);
            return JOB_END;
        }
    }
    mrt_status first = log->job.status;
    bool told = log->job.at == 1;
    mrt_status status = trim_go(log);
    if (told)
        answer(log, first);
    return status;
}

static void gate_release(struct log *log)
{
    if (log->in_flight || log->gate == NULL || !list_empty(&log->arrived))
        return;
    ASSERT(list_empty(&log->gate->flight));
    memory_free(log->gate);
    log->gate = NULL;
}

static void on_maintain(mrt_task *task)
{
    struct log_request *request = request_of(task);
    struct log *log = request->log;
    mrt_status status = log_usable(log);

    if (status != MRT_OK) {
        request_finish(request, status);
        return;
    }
    gate_release(log);
    log->epochs_failed = false;
    log->roll_wanted |= roll_aged(log);
    list_append(&log->maintains, &request->link);
    jobs_run(log);
}

void log_maintain(struct log *log, struct log_request *request)
{
    request_post(log, request, on_maintain);
}
