/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.c - what goes to the log and what comes back: leadership, entries, and the batch in flight.
 */
#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/controller/stage.h"
#include "core/controller/state.h"

/* ---- answers --------------------------------------------------------------------------------- */

static void run_done(mrt_task *task)
{
    struct controller_request *request = CONTAINER(task, struct controller_request, task);
    request->done(request);
}

/* K1. The request is its owner's again. */
static void answer(struct controller *controller, struct controller_request *request)
{
    list_remove(&request->link);
    request->version = image_version(controller->image);
    request->task.run = run_done;
    exec_post(request->exec, &request->task);
}

void controller_drop(struct controller *controller, mrt_status status)
{
    struct list *link;
    controller->split = NULL;
    while ((link = list_take(&controller->queue)) != NULL) {
        struct controller_request *request = CONTAINER(link, struct controller_request, link);
        request->status = status;
        answer(controller, request);
    }
}

void controller_end_batch(struct controller *controller, mrt_status status)
{
    struct list *link;
    while ((link = list_take(&controller->batch)) != NULL) {
        struct controller_request *request = CONTAINER(link, struct controller_request, link);
        if (status != MRT_OK)
            request->status = status;
        else if (request->kind == CONTROLLER_REGISTER_BROKER)
            request->broker_epoch = (int64_t)controller->append_offset;
        answer(controller, request);
    }
}

/* ---- appending ------------------------------------------------------------------------------- */

static void append_ended(struct controller *controller, mrt_status status);
static void take_over(struct controller *controller);

static void pump_soon(struct controller *controller)
{
    if (controller->pumping)
        return;
    controller->pumping = true;
    exec_post(controller->options.exec, &controller->pump);
}

static void append_done(mrt_op *op)
{
    append_ended(op->caller, op->status);
}

static void append(struct controller *controller)
{
    ASSERT(controller->leading);
    ASSERT(!controller->appending);
    ASSERT(!controller->committed);
    controller->bytes = entry_seal(&controller->entry);
    mrt_op *op = &controller->append;
    controller->appending = true;
    controller->append_epoch = controller->epoch;
    op_init(op, controller->options.exec, append_done, controller);
    mrt_status status = op_outcome(
        op, controller->options.ops->append(
                controller->coord, op, controller->epoch, image_offset(controller->image),
                &controller->bytes, &controller->append_offset));
    if (status != MRT_PENDING)
        append_ended(controller, status);
}

/* Leads no more in this epoch: what waits may be sent elsewhere at once (K2). */
static void step_down(struct controller *controller)
{
    controller->leading = false;
    controller->active = false;
    controller_drop(controller, MRT_ENOTLEADER);
}

static void take_over_again(mrt_timer *timer)
{
    take_over(CONTAINER(timer, struct controller, retry));
}

/* The entry that makes us active could not be written: nothing else can be. */
static void take_over_failed(struct controller *controller, mrt_status status)
{
    runtime_log(
        controller->options.runtime, MRT_LOG_ERROR, 0,
        "controller.take_over_failed node=%d epoch=%u status=%s", controller->options.node,
        controller->epoch, status_name(status));
    controller_drop(controller, status);
    mrt_op *op = controller->opener;
    controller->opener = NULL;
    if (op != NULL)
        op_complete(op, status);
    controller->retry.fire = take_over_again;
    exec_timer_set(
        controller->options.exec, &controller->retry,
        exec_now_ns(controller->options.exec) + TAKE_OVER_WAIT_NS);
}

static void became_active(struct controller *controller)
{
    controller->active = true;
    runtime_log(
        controller->options.runtime, MRT_LOG_INFO, 0,
        "controller.active node=%d epoch=%u offset=%llu", controller->options.node,
        controller->epoch, (unsigned long long)image_offset(controller->image));
    mrt_op *op = controller->opener;
    controller->opener = NULL;
    if (op != NULL)
        op_complete(op, MRT_OK);
}

/* The entry in flight is committed and applied: K1 lets its requests go. */
static void settle(struct controller *controller)
{
    if (!controller->committed || image_offset(controller->image) <= controller->append_offset)
        return;
    bool ours = controller->leading && controller->append_epoch == controller->epoch;
    controller->committed = false;
    controller->split = NULL;
    controller_end_batch(controller, MRT_OK);
    if (controller->taking_over && ours)
        became_active(controller);
    controller->taking_over = false;
    if (controller->leading && !controller->active)
        take_over(controller); /* a newer epoch waited for this entry to end */
    pump_soon(controller);
}

static bool ends_epoch(mrt_status status)
{
    return status == MRT_EUNKNOWN || status == MRT_ENOTLEADER || status == MRT_EFENCED ||
           status == MRT_ESEALED || status == MRT_ESHUTDOWN || status == MRT_ECANCELED;
}

/* Anything but the epoch's end was certainly not committed (U2): leading goes on. */
static void append_failed(struct controller *controller, mrt_status status)
{
    bool current = controller->leading && controller->append_epoch == controller->epoch;
    bool first = controller->taking_over;
    mrt_status answer_status = ends_epoch(status) ? MRT_ENOTLEADER : status;
    controller->taking_over = false;
    if (controller->split != NULL)
        controller->split->status = answer_status; /* at the head of the queue still */
    controller->split = NULL;
    controller_end_batch(controller, answer_status);
    if (current && ends_epoch(status))
        step_down(controller);
    else if (current && first)
        take_over_failed(controller, status);
    else if (controller->leading && !controller->active)
        take_over(controller);
}

static void append_ended(struct controller *controller, mrt_status status)
{
    ASSERT(controller->appending);
    bool led = controller->leading && controller->append_epoch == controller->epoch;
    controller->appending = false;
    if (status == MRT_OK && led) {
        controller->committed = true;
        settle(controller);
    } else {
        append_failed(controller, status == MRT_OK ? MRT_EUNKNOWN : status); /* L3 */
    }
    pump_soon(controller);
    controller_close_step(controller);
}

/* ---- requests -------------------------------------------------------------------------------- */

/* Moves requests from the queue into the entry. Those that need none of it are answered; one of
 * which only the first part found room stays at the head of the queue. */
static bool fill(struct controller *controller)
{
    struct stage stage;
    entry_begin(&controller->entry);
    stage_begin(
        &stage, controller->image, &controller->entry, &controller->random,
        controller->stat.max_entry);
    list_each_safe (link, &controller->queue) {
        struct controller_request *request = CONTAINER(link, struct controller_request, link);
        uint32_t before = stage.records;
        if (!stage_request(&stage, request)) {
            controller->split = stage.records > before ? request : NULL;
            break;
        }
        if (stage.records == before) {
            answer(controller, request);
            continue;
        }
        list_remove(&request->link);
        list_append(&controller->batch, &request->link);
    }
    stage_end(&stage);
    return stage.records > 0;
}

void controller_pump(mrt_task *task)
{
    struct controller *controller = CONTAINER(task, struct controller, pump);
    controller->pumping = false;
    bool free = !controller->appending && !controller->committed;
    if (controller->active && free && controller->phase == CONTROLLER_OPEN && fill(controller))
        append(controller);
    controller_close_step(controller);
}

static void take(mrt_task *task)
{
    struct controller_request *request = CONTAINER(task, struct controller_request, task);
    struct controller *controller = request->controller;
    bool open = controller->phase == CONTROLLER_OPEN && !controller->failed;
    list_append(&controller->queue, &request->link);
    stage_accept(request);
    if (!open || !controller->leading) {
        bool over = controller->phase == CONTROLLER_CLOSING;
        request->status = over ? MRT_ESHUTDOWN : MRT_ENOTLEADER; /* K2 */
        answer(controller, request);
        return;
    }
    pump_soon(controller);
}

void controller_submit(struct controller *controller, struct controller_request *request)
{
    ASSERT(request->done != NULL);
    ASSERT(request->exec != NULL);
    request->controller = controller;
    request->task.run = take;
    exec_post(controller->options.exec, &request->task);
}

/* ---- leadership ------------------------------------------------------------------------------ */

/* Writes the entry that makes us active; the first one of a log gives the cluster its id. */
static void take_over(struct controller *controller)
{
    static const uint8_t none[16];
    bool may = controller->leading && !controller->active && !controller->failed;
    if (!may || controller->phase != CONTROLLER_OPEN || controller->appending ||
        controller->committed)
        return;
    const uint8_t *id = image_cluster_id(controller->image);
    entry_begin(&controller->entry);
    if (memcmp(id, none, sizeof none) == 0)
        entry_add_cluster(&controller->entry, controller->options.cluster_id, METADATA_LEVEL);
    entry_add_controller(&controller->entry, controller->options.node, controller->epoch);
    controller->taking_over = true;
    append(controller);
}

/* The plugin did what its contract rules out. */
static void distrust(struct controller *controller, const char *what)
{
    mrt_error why;
    error_set(&why, MRT_EBUG, "the coordination plugin %s", what);
    controller_fail(controller, &why);
}

static void on_role(void *context, uint32_t role, uint32_t epoch, int32_t leader, uint64_t tail)
{
    struct controller *controller = context;
    char purpose[48];
    (void)leader;
    if (controller->failed)
        return;
    if (role != MRT_ROLE_LEADER) {
        step_down(controller);
        return;
    }
    if (epoch <= controller->epoch || (epoch > INT32_MAX)) {
        distrust(controller, "hands out an epoch that does not rise (L1)");
        return;
    }
    if (tail != image_offset(controller->image) || controller->reader.handle != NULL) {
        distrust(controller, "calls this node leader before it has all entries (L2)");
        return;
    }
    controller->epoch = epoch;
    controller->leading = true;
    controller->active = false;
    /* A stream per epoch: ids of topics deleted in an earlier life are never given again. */
    snprintf(purpose, sizeof purpose, "controller.epoch.%u", epoch);
    runtime_random(controller->options.runtime, purpose, &controller->random);
    take_over(controller);
}

static void on_entries(void *context, const mrt_entry *v, uint32_t n)
{
    struct controller *controller = context;
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < n && !controller->failed; i++) {
        struct image *next = NULL;
        struct image_changes changes = {0};
        mrt_error why = {0};
        if (controller->reader.handle != NULL) {
            distrust(controller, "delivers entries while a snapshot is being read");
            return;
        }
        mrt_status status = image_apply(
            controller->image, v[i].offset, v[i].epoch, &v[i].data, &next, &changes, &why);
        if (status == MRT_OK)
            controller_publish(controller, next, &changes);
        else
            controller_fail(controller, &why); /* I5 */
        image_changes_free(&changes);
        bytes += v[i].data.n;
    }
    if (controller->failed)
        return;
    controller->writer.bytes_since += bytes;
    controller->options.ops->credit(controller->coord, bytes);
    settle(controller);
    snapshot_consider(controller);
}

static void on_want_snapshot(void *context, uint64_t min_offset)
{
    struct controller *controller = context;
    if (min_offset > controller->writer.wanted)
        controller->writer.wanted = min_offset;
    snapshot_consider(controller);
}

static void on_sealed(void *context, uint64_t at, const mrt_str *descriptor)
{
    mrt_error why;
    (void)descriptor;
    error_set(
        &why, MRT_ESEALED,
        "the metadata log was sealed at %llu: it goes on with another coordination plugin",
        (unsigned long long)at);
    controller_fail(context, &why);
}

static void on_fatal(void *context, const mrt_error *why)
{
    controller_fail(context, why);
}

const mrt_coord_events controller_events = {
    .size = sizeof(mrt_coord_events),
    .role = on_role,
    .entries = on_entries,
    .snapshot = snapshot_receive,
    .want_snapshot = on_want_snapshot,
    .sealed = on_sealed,
    .fatal = on_fatal,
};
