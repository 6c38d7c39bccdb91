/* SPDX-License-Identifier: Apache-2.0 */
/*
 * append.c - the gate: what arrived becomes one storage append (L1). Each batch is judged against
 * what the log knows plus what is before it in the flight, so that a failed flight has nothing to
 * take back (L2).
 */
#include "core/log/internal.h"

static uint8_t *address(const mrt_slice *slice)
{
    ASSERT(slice->kind == MRT_SLICE_MEM);
    return (uint8_t *)(uintptr_t)slice->ref + slice->off;
}

/* ---- arriving -------------------------------------------------------------------------------- */

void append_finish(struct log_append *append, mrt_status status)
{
    mrt_lease *lease = append->batches.lease;

    append->batches.lease = NULL;
    lease_release(lease);
    append_send(append, status);
}

void append_drop(struct log *log, mrt_status status)
{
    for (struct list *at; (at = list_take(&log->arrived)) != NULL;)
        append_finish((struct log_append *)CONTAINER(at, struct log_request, link), status);
}

struct log_append *append_first(struct log *log)
{
    ASSERT(!list_empty(&log->arrived));
    return (struct log_append *)CONTAINER(log->arrived.next, struct log_request, link);
}

static void on_append(mrt_task *task)
{
    struct log_append *append = (struct log_append *)request_of(task);
    struct log *log = append->request.log;
    mrt_status status = append->request.status;

    if (status == MRT_OK)
        status = log_usable(log);
    if (status == MRT_OK)
        status = log_epoch_check(log, append->leader_epoch);
    append->log_start = log->now.start;
    if (status != MRT_OK) {
        append_finish(append, status);
        return;
    }
    list_append(&log->arrived, &append->request.link);
    jobs_later(log); /* behind what else is queued now: all of that goes in one append (L1) */
}

/* Counts the batches; the headers were checked,
 * but a slice that is cut wrong would poison the log. */
static mrt_status count_batches(struct log_append *append)
{
    uint64_t bytes = 0;

    append->batch_count = 0;
    for (uint32_t i = 0; i < append->batches.n; i++) {
        const uint8_t *at = address(&append->batches.v[i]);
        uint64_t left = append->batches.v[i].len;
        bytes += left;
        while (left > 0) {
            struct kit_batch batch;
            mrt_status status = record_batch(at, left, &batch);
            if (status != MRT_OK)
                return status;
            if (++append->batch_count > LOG_APPEND_BATCHES_MAX)
                return MRT_ETOOBIG;
            at += batch.size;
            left -= batch.size;
        }
    }
    ASSERT(bytes == append->batches.bytes);
    return append->batch_count > 0 ? MRT_OK : MRT_ECORRUPT;
}

void log_append(struct log *log, struct log_append *append)
{
    ASSERT(append->acks >= -1);
    ASSERT(append->acks <= 1);
    append->base_offset = -1;
    append->append_time_ms = -1;
    append->log_start = -1;
    append->text = NULL;
    append->stored_to = -1;
    append->waits = 0;
    append->cancelling = 0;
    append->held = 0;
    append->late = 0;
    append->cancel_task = (mrt_task){0};
    append->request.status = count_batches(append);
    request_post(log, &append->request, on_append);
}

/* ---- judging --------------------------------------------------------------------------------- */

/* What the log will know of this producer once the flight is stored. */
static const struct producer *foresee(
    const struct log *log, const struct kit_batch *batch, struct producer *room)
{
    const struct producer *known = producers_find(&log->producers, batch->producer_id);
    bool copied = false;

    for (uint32_t i = 0; i < log->gate->batch_count; i++) {
        const struct kit_batch *before = &log->gate->heads[i];
        if (before->producer_id != batch->producer_id)
            continue;
        if (!copied)
            *room = known != NULL ? *known : (struct producer){.epoch = before->producer_epoch};
        copied = true;
        producer_push(room, before);
    }
    return copied ? room : known;
}

static mrt_status judge(
    const struct log *log, struct log_append *append, const struct kit_batch *batch)
{
    struct producer room;
    struct producer_batch original;

    if (batch->producer_id < 0 || batch->attributes & KIT_BATCH_CONTROL)
        return MRT_OK;
    mrt_status status = producer_judge(foresee(log, batch, &room), batch, &original);
    if (status == MRT_ESEQUENCE)
        append->text = "sequence does not follow the producer's last one";
    if (status != MRT_EEXIST)
        return status;
    if (append->batch_count > 1)
        return MRT_EDUPLICATE; /* half of it may be new */
    append->base_offset = original.base_offset;
    append->stored_to = original.last_offset + 1;
    return MRT_EEXIST;
}

/* ---- the flight ------------------------------------------------------------------------------ */

static void stamp(
    struct log *log, struct log_append *append, uint8_t *bytes, struct kit_batch *batch)
{
    struct log_gate *gate = log->gate;

    kit_batch_stamp(bytes, gate->end, log->now.leader_epoch);
    if (log->config.append_time) {
        append->append_time_ms = exec_wall_ms(log->exec);
        record_stamp_time(bytes, batch->size, append->append_time_ms);
        batch->max_timestamp_ms = append->append_time_ms;
        batch->attributes |= KIT_BATCH_APPEND_TIME;
    }
    batch->base_offset = gate->end;
    batch->leader_epoch = log->now.leader_epoch;
}

static void flight_add(struct log_gate *gate, uint8_t *bytes, const struct kit_batch *batch)
{
    uint32_t i = gate->batch_count++;

    ASSERT(i < GATE_BATCHES_MAX);
    ASSERT(batch->base_offset == gate->end);
    gate->heads[i] = *batch;
    gate->slices[i] =
        (mrt_slice){.kind = MRT_SLICE_MEM, .ref = (uintptr_t)bytes, .len = batch->size};
    gate->batches[i] = (mrt_batch){
        .body = {.v = &gate->slices[i], .n = 1, .bytes = batch->size},
        .base_offset = batch->base_offset,
        .last_offset = kit_batch_last(batch),
        .max_timestamp_ms = batch->max_timestamp_ms,
        .records = (uint32_t)batch->count,
    };
    gate->bytes += batch->size;
    gate->end = kit_batch_last(batch) + 1;
}

/* Puts all batches of @append into the flight, or none. */
static mrt_status admit(struct log *log, struct log_append *append)
{
    struct log_gate *gate = log->gate;
    uint32_t count = gate->batch_count;
    uint64_t bytes = gate->bytes;
    int64_t end = gate->end;
    mrt_status status = MRT_OK;

    append->base_offset = end;
    for (uint32_t i = 0; status == MRT_OK && i < append->batches.n; i++) {
        uint8_t *at = address(&append->batches.v[i]);
        for (uint64_t left = append->batches.v[i].len; status == MRT_OK && left > 0;) {
            struct kit_batch batch;
            kit_batch_decode(at, &batch);
            ASSERT(batch.size <= left); /* count_batches() */
            status = judge(log, append, &batch);
            if (status == MRT_OK) {
                stamp(log, append, at, &batch);
                flight_add(gate, at, &batch);
            }
            at += batch.size;
            left -= batch.size;
        }
    }
    if (status == MRT_OK) {
        append->stored_to = gate->end;
        return MRT_OK;
    }
    gate->batch_count = count;
    gate->bytes = bytes;
    gate->end = end;
    return status;
}

/* Is there room in the flight for one more append of this size? The first always fits. */
static bool fits(const struct log *log, const struct log_append *append)
{
    const struct log_gate *gate = log->gate;

    if (gate->batch_count == 0)
        return true;
    if (log->gate_single)
        return false;
    if (gate->batch_count + append->batch_count > GATE_BATCHES_MAX)
        return false;
    if (gate->bytes + append->batches.bytes > GATE_BYTES_MAX)
        return false;
    return log->active_bytes + gate->bytes + append->batches.bytes <= log->config.segment_bytes;
}

/* A duplicate of what is stored needs no flight; of what is in this flight, it shares its fate. */
static void take_duplicate(struct log *log, struct log_append *append)
{
    append->append_time_ms = -1;
    if (append->stored_to > log->now.end)
        list_append(&log->gate->flight, &append->request.link);
    else
        acks_add(log, append);
}

static void assemble(struct log *log)
{
    struct log_gate *gate = log->gate;

    gate->batch_count = 0;
    gate->append_count = 0;
    gate->bytes = 0;
    gate->end = log->now.end;
    ASSERT(list_empty(&gate->flight));
    while (!list_empty(&log->arrived)) {
        struct log_append *append = append_first(log);
        if (!fits(log, append))
            return;
        list_remove(&append->request.link);
        mrt_status status = admit(log, append);
        if (status == MRT_OK) {
            list_append(&gate->flight, &append->request.link);
            gate->append_count++;
        } else if (status == MRT_EEXIST) {
            take_duplicate(log, append);
        } else {
            append->base_offset = -1;
            append_finish(append, status);
        }
    }
}

/* As if nothing had been tried: the next flight begins with the same appends. */
static void put_back(struct log *log)
{
    while (!list_empty(&log->gate->flight)) {
        struct list *last = log->gate->flight.previous;
        list_remove(last);
        list_insert(log->arrived.next, last);
    }
}

/* ---- outcomes -------------------------------------------------------------------------------- */

static void learn(struct log *log)
{
    const struct log_gate *gate = log->gate;
    int64_t now_ms = exec_wall_ms(log->exec);

    for (uint32_t i = 0; i < gate->batch_count; i++) {
        const struct kit_batch *batch = &gate->heads[i];
        if (batch->producer_id >= 0 && !(batch->attributes & KIT_BATCH_CONTROL))
            producers_note(&log->producers, batch, now_ms);
    }
    if (gate->heads[0].leader_epoch >= 0)
        epochs_note(&log->epochs, gate->heads[0].leader_epoch, gate->heads[0].base_offset);
    if (log->first_ms < 0)
        log->first_ms = gate->heads[0].max_timestamp_ms;
    if (log->started_ms < 0)
        log->started_ms = now_ms;
}

static void on_stored(struct log *log)
{
    struct log_gate *gate = log->gate;

    ASSERT(gate->batch_count > 0);
    ASSERT(!list_empty(&gate->flight));
    log_observe(log, &gate->after);
    learn(log);
    log->gate_single = false;
    log_advance(log); /* who is answered finds the line already so */
    for (struct list *at; (at = list_take(&gate->flight)) != NULL;) {
        struct log_append *append = (struct log_append *)CONTAINER(at, struct log_request, link);
        ASSERT(append->stored_to <= log->now.end);
        acks_add(log, append);
    }
    flush_kick(log);
}

static void on_failed(struct log *log, mrt_status status)
{
    for (struct list *at; (at = list_take(&log->gate->flight)) != NULL;) {
        struct log_append *append = (struct log_append *)CONTAINER(at, struct log_request, link);
        append->base_offset = -1;
        append->append_time_ms = -1;
        append_finish(append, status);
    }
    if (status == MRT_EOFFLINE)
        log_offline(log, MRT_EOFFLINE);
}

/* The segment takes no more (L6): a new one, or fewer at once, or it can never be stored. */
static void on_full(struct log *log)
{
    if (log_usable(log) != MRT_OK) {
        on_failed(log, log_usable(log));
    } else if (log->active_bytes > 0) {
        put_back(log);
        log->roll_wanted = true;
    } else if (log->gate->append_count > 1) {
        put_back(log);
        log->gate_single = true;
    } else {
        on_failed(log, MRT_ETOOBIG);
    }
}

static bool roll_first(struct log *log)
{
    const struct log_append *append = append_first(log);
    struct kit_batch batch;

    kit_batch_decode(address(&append->batches.v[0]), &batch);
    return roll_due(
        log, append->batches.bytes, log->now.end + batch.last_offset_delta, batch.max_timestamp_ms);
}

/* Of several requests in one call the first lends its name. */
static uint64_t flight_trace(const struct log_gate *gate)
{
    ASSERT(!list_empty(&gate->flight));
    struct list *first = gate->flight.next;
    return ((struct log_append *)CONTAINER(first, struct log_request, link))->trace;
}

static void gate_ready(struct log *log)
{
    if (log->gate != NULL)
        return;
    log->gate = memory_new(sizeof *log->gate);
    list_init(&log->gate->flight);
}

mrt_status append_step(struct log *log)
{
    if (log->job.at == 0) {
        if (list_empty(&log->arrived))
            return JOB_END;
        if (roll_first(log)) {
            log->roll_wanted = true;
            return JOB_END;
        }
        gate_ready(log);
        assemble(log);
        struct log_gate *gate = log->gate;
        if (gate->batch_count == 0)
            return JOB_END;
        log->op.trace = flight_trace(gate);
        bool acked = log->config.flush == LOG_FLUSH_ACK && flush_has(log);
        gate->call = (mrt_append){
            sizeof gate->call, acked ? MRT_APPEND_WILL_FLUSH : 0, gate->batches, gate->batch_count,
            0};
        gate->after = (mrt_log_state){.size = sizeof gate->after};
        return op_outcome(
            &log->op, log->ops->append(log->store, &log->op, &gate->call, &gate->after));
    }
    if (log->job.status == MRT_EFULL)
        on_full(log);
    else if (log->job.status != MRT_OK)
        on_failed(log, log->job.status);
    else if (log->gate->after.end != log->gate->end)
        on_failed(log, MRT_EOFFLINE); /* it keeps something else than it was given */
    else
        on_stored(log);
    log_led(log); /* log_lead() may have come meanwhile */
    return JOB_END;
}
