/* SPDX-License-Identifier: Apache-2.0 */
/*
 * poll.c - SUB_POLL: look, read, and answer or park (P1 to P3 of subscription.h).
 */
#include <string.h>

#include "core/base/assert.h"
#include "core/base/memory.h"
#include "core/broker/subscription.h"
#include "core/runtime/bytes.h"

static mrt_status round_end(mrt_sub *sub);
static void poll_finish(mrt_sub *sub, mrt_status status);

static const mrt_sub_poll *asked(const mrt_sub *sub)
{
    return sub->poll->in;
}

/* Bytes of one answer: what the reader takes and the broker gives (KIP-74, KIP-541). */
static uint64_t bytes_max(const mrt_sub *sub)
{
    uint64_t most = sub->shard->broker->options.fetch_bytes_max;
    if (most == 0 || sub->replica_id >= 0 || asked(sub)->max_bytes < most)
        return asked(sub)->max_bytes;
    return most;
}

/* ---- looking --------------------------------------------------------------------------------- */

static void part_fail(struct sub_part *part, mrt_status status)
{
    part->res.status = status;
    part->sub->errors++;
}

static mrt_status epoch_check(int32_t theirs, int32_t ours)
{
    if (theirs < 0 || theirs == ours)
        return MRT_OK;
    return theirs < ours ? MRT_EEPOCHOLD : MRT_EEPOCHNEW;
}

static void fill_from_line(mrt_sub_res *res, const struct log_line *line)
{
    res->high_watermark = line->high_watermark;
    res->last_stable = line->last_stable;
    res->log_start = line->start;
}

static int64_t readable_end(const mrt_sub *sub, const struct log_line *line)
{
    if (sub->replica_id >= 0)
        return line->end;
    return asked(sub)->isolation == 1 ? line->last_stable : line->high_watermark;
}

/* @log is what the partition's name means now; NULL: nothing. */
static void part_follow(struct sub_part *part, struct log *log)
{
    if (part->log == log)
        return;
    if (list_linked(&part->waiter.link))
        log_unwatch(part->log, &part->waiter);
    log_unref(part->log);
    part->log = log;
    if (log != NULL)
        log_ref(log);
}

/* Fills part->res from what is known without entering the strand. True if there is something to
 * read. */
static bool part_look(struct sub_part *part)
{
    mrt_sub *sub = part->sub;
    const struct image_partition *where = NULL;
    struct partition *partition = NULL;
    struct log_line line;
    mrt_tp tp = {.topic = part->topic, .partition = part->partition, .leader_epoch = -1};

    part->res = (mrt_sub_res){
        .cookie = part->cookie,
        .preferred_replica = -1,
        .high_watermark = -1,
        .last_stable = -1,
        .log_start = -1,
        .diverged_epoch = -1,
        .diverged_end = -1,
        .leader_id = -1,
        .leader_epoch = -1};
    part->has_data = 0;
    memcpy(tp.topic_id, part->topic_id, sizeof tp.topic_id);
    mrt_status status = broker_route(sub->shard, &tp, &partition, &where);
    if (where != NULL) {
        part->res.leader_id = where->leader;
        part->res.leader_epoch = where->leader_epoch;
    }
    if (status == MRT_OK) {
        log_line(partition->log, &line);
        status = line.state;
    }
    if (status == MRT_OK)
        status = epoch_check(part->leader_epoch, line.leader_epoch);
    if (status != MRT_OK) {
        part_fail(part, status);
        return false;
    }
    fill_from_line(&part->res, &line);
    if (part->from < line.start || part->from > line.end) {
        part_fail(part, MRT_ERANGE);
        return false;
    }
    part_follow(part, partition->log);
    return part->from < readable_end(sub, &line) || part->fetched_epoch >= 0;
}

/* ---- reading --------------------------------------------------------------------------------- */

static void part_release(struct sub_part *part)
{
    if (part->has_data)
        lease_release(part->res.data.lease);
    part->res.data = (mrt_slicev){0};
    part->has_data = 0;
}

static void part_read_done(struct log_request *request)
{
    struct sub_part *part =
        CONTAINER(CONTAINER(request, struct log_read, request), struct sub_part, read);
    mrt_sub *sub = part->sub;

    part->reading = 0;
    if (request->status != MRT_OK) {
        part_fail(part, request->status);
    } else {
        fill_from_line(&part->res, &part->read.line);
        part->res.diverged_epoch = part->read.diverged_epoch;
        part->res.diverged_end = part->read.diverged_end;
        if (part->read.diverged_epoch >= 0)
            sub->errors++;
        part->res.data = part->read.res.data;
        part->has_data = part->read.res.data.n > 0;
        sub->bytes += part->read.res.data.bytes;
    }
    ASSERT(sub->reading > 0);
    if (--sub->reading == 0)
        poll_finish(sub, round_end(sub));
}

static void part_read(struct sub_part *part)
{
    mrt_sub *sub = part->sub;
    uint64_t most = bytes_max(sub);

    part->reading = 1;
    part->read = (struct log_read){
        .request = {.done = part_read_done, .exec = sub->shard->reactor},
        .res = {.size = sizeof part->read.res, .cap = SUB_SLICES, .slices = part->slices},
        .from = part->from,
        .bytes_max = part->max_bytes < most ? part->max_bytes : most,
        .leader_epoch = part->leader_epoch,
        .fetched_epoch = part->fetched_epoch,
        .committed = asked(sub)->isolation == 1,
        .replica = sub->replica_id >= 0,
        .min_batches = 1,
        .diverged_epoch = -1,
        .diverged_end = -1,
    };
    log_read(part->log, &part->read);
}

/* ---- answering ------------------------------------------------------------------------------- */

/* P3, beginning with the partition whose turn it is. */
static void fit(mrt_sub *sub)
{
    uint64_t room = bytes_max(sub);
    bool first = true;

    for (uint32_t i = 0; i < sub->n; i++) {
        struct sub_part *part = &sub->parts[(sub->turn + i) % sub->n];
        if (!part->has_data)
            continue;
        uint64_t bytes = part->res.data.bytes;
        if (!first && bytes > room) {
            part_release(part);
            continue;
        }
        room = bytes > room ? 0 : room - bytes;
        first = false;
    }
    sub->turn = sub->n > 0 ? (sub->turn + 1) % sub->n : 0;
}

static void unwatch(mrt_sub *sub)
{
    for (uint32_t i = 0; i < sub->n; i++) {
        part_follow(&sub->parts[i], NULL);
    }
}

static bool has_news(const mrt_sub *sub, const struct sub_part *part)
{
    return asked(sub)->full || part->has_data || part->res.status != MRT_OK ||
           part->res.diverged_epoch >= 0;
}

/* Copies the answers into the request's arena; the leases pass. */
static mrt_status answer(mrt_sub *sub)
{
    struct mrt_arena *arena = sub->poll->arena;
    mrt_sub_poll_out *out = sub->poll->out;
    mrt_sub_res *results = arena_alloc(arena, sub->n * sizeof *results);
    mrt_slice *slices = arena_alloc(arena, (uint64_t)sub->n * SUB_SLICES * sizeof *slices);

    list_remove(&sub->link);
    sub->parked = 0;
    exec_timer_stop(sub->shard->reactor, &sub->timer);
    unwatch(sub);
    if (results == NULL || slices == NULL) {
        for (uint32_t i = 0; i < sub->n; i++)
            part_release(&sub->parts[i]);
        return MRT_ENOMEM;
    }
    fit(sub);
    out->n = 0;
    out->parts = results;
    for (uint32_t i = 0; i < sub->n; i++, slices += SUB_SLICES) {
        struct sub_part *part = &sub->parts[i];
        if (!has_news(sub, part))
            continue;
        mrt_sub_res *res = &results[out->n++];
        *res = part->res;
        for (uint32_t j = 0; j < res->data.n; j++)
            slices[j] = res->data.v[j];
        res->data.v = slices;
        part->has_data = 0; /* the lease went along */
    }
    return MRT_OK;
}

/* ---- rounds ---------------------------------------------------------------------------------- */

/* Looks at everything and starts the reads of what has something; ends at once when nothing has. */
static mrt_status round_begin(mrt_sub *sub)
{
    uint32_t starting = 0;

    sub->bytes = 0;
    sub->errors = 0;
    sub->woken = 0;
    for (uint32_t i = 0; i < sub->n; i++) {
        struct sub_part *part = &sub->parts[i];
        part_release(part);
        part->reading = part_look(part);
        starting += part->reading;
    }
    if (starting == 0)
        return round_end(sub);
    sub->reading = starting;
    for (uint32_t i = 0; i < sub->n; i++)
        if (sub->parts[i].reading)
            part_read(&sub->parts[i]);
    return MRT_PENDING;
}

static void again_run(mrt_task *task)
{
    mrt_sub *sub = CONTAINER(task, struct mrt_sub, again);
    sub->again_posted = 0;
    if (sub->closed) {
        sub_free(sub);
        return;
    }
    if (sub->poll != NULL && sub->reading == 0)
        poll_finish(sub, round_begin(sub));
}

/* Looks again: later, and once for all that happens until then. */
static void again(mrt_sub *sub)
{
    sub->woken = 1;
    if (sub->again_posted || sub->reading > 0 || sub->poll == NULL)
        return;
    sub->again_posted = 1;
    sub->again.run = again_run;
    exec_post(sub->shard->reactor, &sub->again);
}

static void part_wake(struct log_waiter *waiter)
{
    again(CONTAINER(waiter, struct sub_part, waiter)->sub);
}

static void poll_expired(mrt_timer *timer)
{
    mrt_sub *sub = CONTAINER(timer, struct mrt_sub, timer);
    sub->expired = 1;
    again(sub);
}

/* Watched first, looked at last: nothing is missed. */
static void park(mrt_sub *sub)
{
    bool fresh = !sub->parked;

    for (uint32_t i = 0; i < sub->n; i++) {
        struct sub_part *part = &sub->parts[i];
        part_release(part);
        if (part->log == NULL || list_linked(&part->waiter.link))
            continue;
        part->waiter.wake = part_wake;
        log_watch(part->log, &part->waiter);
    }
    if (fresh) {
        sub->parked = 1;
        list_append(&sub->shard->polls, &sub->link);
        sub->timer.fire = poll_expired;
        exec_timer_set(
            sub->shard->reactor, &sub->timer,
            exec_now_ns(sub->shard->reactor) + asked(sub)->max_wait_ns);
    }
    if (fresh || sub->woken)
        again(sub);
}

static mrt_status round_end(mrt_sub *sub)
{
    const mrt_sub_poll *in = asked(sub);

    uint64_t enough = in->min_bytes < bytes_max(sub) ? in->min_bytes : bytes_max(sub);

    if (sub->errors > 0 || sub->bytes >= enough || in->max_wait_ns == 0 || sub->expired ||
        sub->shard->draining)
        return answer(sub);
    park(sub);
    return MRT_PENDING;
}

static void poll_finish(mrt_sub *sub, mrt_status status)
{
    mrt_call *call = sub->poll;
    if (status == MRT_PENDING)
        return;
    sub->poll = NULL;
    op_complete(&call->op, status);
}

mrt_status sub_poll_call(mrt_broker *shard, mrt_call *call)
{
    const mrt_sub_poll *in = call->in;
    mrt_sub *sub = in->sub;

    ASSERT(sub->shard == shard);
    if (sub->poll != NULL)
        return MRT_EBUSY;
    sub->poll = call;
    sub->expired = 0;
    mrt_status status = round_begin(sub);
    if (status != MRT_PENDING)
        sub->poll = NULL;
    return status;
}

/* Answers with what there is, soon; the call completes as any other. */
void sub_poll_cancel(mrt_call *call)
{
    mrt_sub *sub = ((const mrt_sub_poll *)call->in)->sub;
    if (sub->poll != call)
        return;
    sub->expired = 1;
    again(sub);
}

void sub_drain(mrt_broker *shard)
{
    shard->draining = 1;
    list_each_safe (at, &shard->polls) {
        again(CONTAINER(at, struct mrt_sub, link));
    }
}
