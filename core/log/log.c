/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.c - a log's life in memory, its requests on their way in and out, and its published line.
 */
#include <string.h>

#include "core/base/str.h"
#include "core/log/internal.h"

/* ---- life ------------------------------------------------------------------------------------ */

/* Not secret, but different for each log: a client that finds colliding ids in one log has found
 * them in that one only. */
static uint64_t seed_of(const struct log_options *options)
{
    struct random random;
    char purpose[32] = "log.producers";
    runtime_random(options->runtime, purpose, &random);
    return random_next(&random) ^ kit_get64(options->topic_id) ^ (uint64_t)options->partition;
}

static void copy_spec(struct log *log, const struct log_options *options)
{
    log->topic = str_copy(&options->topic);
    log->spec = (mrt_log_spec){
        .size = sizeof log->spec,
        .flags = MRT_LOG_CREATE,
        .topic = {log->topic, options->topic.n},
        .partition = options->partition,
        .exec = log->exec,
        .cfg = options->storage_cfg,
        .ctx = log,
    };
    memcpy(log->spec.topic_id, options->topic_id, sizeof log->spec.topic_id);
}

static void init_lists(struct log *log)
{
    list_init(&log->arrived);
    list_init(&log->acks);
    list_init(&log->trims);
    list_init(&log->maintains);
}

struct log *log_new(const struct log_options *options)
{
    uint32_t reactors = runtime_reactors(options->runtime);
    struct log *log = memory_new(sizeof *log + reactors * sizeof log->slots[0]);

    ASSERT(reactors <= REACTORS_MAX);
    ASSERT(options->policy_count <= LOG_POLICIES_MAX);
    ASSERT(options->ops != NULL);
    ASSERT(options->dir_exec != NULL);
    log->refs = 1;
    log->runtime = options->runtime;
    log->exec = strand_new(options->runtime, options->home);
    log->dir_exec = options->dir_exec;
    log->ops = options->ops;
    log->dir = options->dir;
    copy_spec(log, options);
    log->config = options->config;
    memcpy(log->policies, options->policies, sizeof log->policies);
    log->policy_count = options->policy_count;
    log->now = (struct log_line){.leader_epoch = options->leader_epoch, .state = MRT_EAGAIN};
    log->first_ms = -1;
    log->started_ms = -1;
    init_lists(log);
    producers_init(&log->producers, seed_of(options));
    line_publish(log);
    return log;
}

static void log_free(struct log *log)
{
    ASSERT(log->store == NULL);
    ASSERT(log->job.step == NULL);
    ASSERT(list_empty(&log->arrived));
    ASSERT(list_empty(&log->acks));
    waiters_free(log);
    producers_fini(&log->producers);
    epochs_fini(&log->epochs);
    memory_free(log->gate);
    memory_free(log->blob);
    memory_free(log->topic);
    strand_free(log->exec);
    memory_free(log);
}

/* Inside the strand, behind everything else in it. */
static void on_last(mrt_task *task)
{
    log_free(CONTAINER(task, struct log, free_task));
}

void log_ref(struct log *log)
{
    uint64_t before = __atomic_fetch_add(&log->refs, 1, __ATOMIC_RELAXED);
    ASSERT(before > 0);
}

void log_unref(struct log *log)
{
    if (log == NULL)
        return;
    uint64_t before = __atomic_fetch_sub(&log->refs, 1, __ATOMIC_ACQ_REL);
    ASSERT(before > 0);
    if (before > 1)
        return;
    log->free_task.run = on_last;
    exec_post(log->exec, &log->free_task);
}

mrt_exec *log_exec(const struct log *log)
{
    return log->exec;
}

void log_rules(const struct log_config *config, int64_t now_ms, struct record_rules *out)
{
    uint64_t bytes_max = config->message_bytes_max;
    *out = (struct record_rules){
        .batch_bytes_max = bytes_max < config->segment_bytes ? bytes_max : config->segment_bytes,
        .batches_max = 1,
        .keys_required = config->compact,
        .now_ms = now_ms,
        /* under append time the producer's clock does not count */
        .timestamp_before_max_ms =
            config->append_time ? INT64_MAX : config->timestamp_before_max_ms,
        .timestamp_after_max_ms = config->append_time ? INT64_MAX : config->timestamp_after_max_ms,
    };
}

void log_note(struct log *log, uint32_t level, const char *event, mrt_status status)
{
    runtime_log(
        log->runtime, level, 0, "%s topic=%s partition=%d status=%s", event, log->topic,
        log->spec.partition, status_name(status));
}

/* ---- requests -------------------------------------------------------------------------------- */

struct log_request *request_of(mrt_task *task)
{
    return CONTAINER(task, struct log_request, task);
}

void request_post(struct log *log, struct log_request *request, void (*run)(mrt_task *task))
{
    ASSERT(request->done != NULL);
    ASSERT(request->exec != NULL);
    log_ref(log);
    request->log = log;
    request->link = (struct list){0};
    request->task = (mrt_task){.run = run};
    exec_post(log->exec, &request->task);
}

void request_deliver(mrt_task *task)
{
    struct log_request *request = request_of(task);
    struct log *log = request->log;

    request->done(request); /* which may free it */
    log_unref(log);
}

void request_send(struct log_request *request, mrt_status status, void (*run)(mrt_task *task))
{
    ASSERT(status <= MRT_OK);
    ASSERT(!list_linked(&request->link));
    request->status = status;
    request->task.run = run;
    exec_post(request->exec, &request->task);
}

void request_finish(struct log_request *request, mrt_status status)
{
    request_send(request, status, request_deliver);
}

void requests_drop(struct list *queue, mrt_status status)
{
    for (struct list *at; (at = list_take(queue)) != NULL;)
        request_finish(CONTAINER(at, struct log_request, link), status);
}

mrt_status log_usable(const struct log *log)
{
    return log->ending != NULL ? MRT_EGONE : log->now.state;
}

mrt_status log_epoch_check(const struct log *log, int32_t leader_epoch)
{
    if (leader_epoch < 0 || leader_epoch == log->now.leader_epoch)
        return MRT_OK;
    return leader_epoch < log->now.leader_epoch ? MRT_EEPOCHOLD : MRT_EEPOCHNEW;
}

static void on_epoch_end(mrt_task *task)
{
    struct log_epoch_end *asked = (struct log_epoch_end *)request_of(task);
    struct log *log = asked->request.log;
    mrt_status status = log_usable(log);

    if (status == MRT_OK)
        status = log_epoch_check(log, asked->leader_epoch);
    asked->found_epoch = -1;
    asked->end = -1;
    if (status == MRT_OK)
        epochs_end(&log->epochs, asked->epoch, log->now.end, &asked->found_epoch, &asked->end);
    request_finish(&asked->request, status);
}

void log_epoch_end(struct log *log, struct log_epoch_end *request)
{
    request_post(log, &request->request, on_epoch_end);
}

void log_led(struct log *log)
{
    if (log->now.leader_epoch >= 0)
        epochs_note(&log->epochs, log->now.leader_epoch, log->now.end);
}

static void on_lead(mrt_task *task)
{
    struct log_lead *lead = (struct log_lead *)request_of(task);
    struct log *log = lead->request.log;
    mrt_status status = log_usable(log);

    if (status == MRT_OK && lead->leader_epoch < log->now.leader_epoch)
        status = MRT_EEPOCHOLD;
    if (status == MRT_OK) {
        log->now.leader_epoch = lead->leader_epoch;
        if (log->job.step !=
            append_step) /* what flies was stamped with the old one: then after it */
            log_led(log);
        line_publish(log);
    }
    request_finish(&lead->request, status);
}

void log_lead(struct log *log, struct log_lead *lead)
{
    ASSERT(lead->leader_epoch >= 0);
    request_post(log, &lead->request, on_lead);
}

static void on_configure(mrt_task *task)
{
    struct log_configure *change = (struct log_configure *)request_of(task);
    struct log *log = change->request.log;
    mrt_status status = log_usable(log);

    if (status == MRT_OK && MRT_CAN(log->ops, log_config))
        status = log->ops->log_config(log->store, change->storage_cfg);
    if (status == MRT_OK) {
        log->config = change->config;
        log->spec.cfg = change->storage_cfg;
        memcpy(log->policies, change->policies, sizeof log->policies);
        log->policy_count = change->policy_count;
        flush_kick(log);
        log_advance(log);
    }
    request_finish(&change->request, status);
}

void log_configure(struct log *log, struct log_configure *request)
{
    ASSERT(request->policy_count <= LOG_POLICIES_MAX);
    request_post(log, &request->request, on_configure);
}

/* ---- the line -------------------------------------------------------------------------------- */

/* A seqlock without fences, which the thread sanitizer does not know: every word is stored with
 * release, so whoever sees a new word also sees the odd number before it. */
static void line_store(struct log *log, const uint64_t *words)
{
    uint64_t sequence = log->sequence;

    ASSERT(sequence % 2 == 0);
    __atomic_store_n(&log->sequence, sequence + 1, __ATOMIC_RELAXED);
    for (uint32_t i = 0; i < LINE_WORDS; i++)
        __atomic_store_n(&log->words[i], words[i], __ATOMIC_RELEASE);
    __atomic_store_n(&log->sequence, sequence + 2, __ATOMIC_RELEASE);
}

void log_line(const struct log *log, struct log_line *out)
{
    uint64_t words[LINE_WORDS];
    uint64_t before;
    uint64_t after;

    do {
        before = __atomic_load_n(&log->sequence, __ATOMIC_ACQUIRE);
        for (uint32_t i = 0; i < LINE_WORDS; i++)
            words[i] = __atomic_load_n(&log->words[i], __ATOMIC_ACQUIRE);
        after = __atomic_load_n(&log->sequence, __ATOMIC_RELAXED);
    } while (before != after || before % 2 == 1);
    memcpy(out, words, sizeof *out);
}

static void line_check(const struct log *log)
{
    const struct log_line *line = &log->now;
    ASSERT(line->last_stable <= line->high_watermark); /* L3 */
    ASSERT(line->high_watermark <= line->stable_end);  /* L3 */
    ASSERT(line->stable_end <= line->end);             /* L3 */
    ASSERT(line->start <= line->last_stable);          /* L3 */
}

void line_publish(struct log *log)
{
    uint64_t words[LINE_WORDS];

    CHECK(line_check(log));
    memcpy(words, &log->now, sizeof words);
    if (memcmp(words, log->words, sizeof words) == 0)
        return;
    line_store(log, words);
    waiters_wake(log);
}

/* With one replica what is stable here is stable everywhere. Followers' positions come in here. */
static int64_t committed_end(const struct log *log)
{
    return log->now.stable_end;
}

void log_advance(struct log *log)
{
    ASSERT(log->store != NULL);
    bool acked = log->config.flush == LOG_FLUSH_ACK && flush_has(log);
    int64_t stable = acked ? log->durable : log->now.end;

    if (stable > log->now.end)
        stable = log->now.end;
    if (stable > log->now.stable_end) /* a change to flush=ack takes nothing back */
        log->now.stable_end = stable;
    int64_t committed = committed_end(log);
    if (committed > log->now.high_watermark) {
        log->now.high_watermark = committed;
        log->ops->mark_set(log->store, MRT_MARK_HIGH_WATERMARK, committed);
    }
    log->now.last_stable = log->now.high_watermark;
    line_publish(log);
    acks_release(log);
}

void log_observe(struct log *log, const mrt_log_state *state)
{
    ASSERT(log->store != NULL);
    if (state->start > log->now.start) /* what was trimmed stays so, whatever storage keeps */
        log->now.start = state->start;
    log->now.end = state->end;
    log->now.bytes = state->bytes;
    if (state->durable > log->durable)
        log->durable = state->durable;
    if (state->active_base != log->active_base || state->active_bytes == 0) {
        log->first_ms = -1;
        log->started_ms = -1;
    }
    log->active_base = state->active_base;
    log->active_bytes = state->active_bytes;
}

void log_offline(struct log *log, mrt_status status)
{
    ASSERT(status < 0);
    if (log->now.state != MRT_OK)
        return;
    log_note(log, MRT_LOG_ERROR, "log.offline", status);
    log->now.state = MRT_EOFFLINE;
    line_publish(log);
    flush_stop(log);
    append_drop(log, MRT_EOFFLINE);
    requests_drop(&log->trims, MRT_EOFFLINE);
    requests_drop(&log->maintains, MRT_EOFFLINE);
    acks_drop(log, status);
}
