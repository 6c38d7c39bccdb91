/* SPDX-License-Identifier: Apache-2.0 */
/*
 * controller.c - opening, closing and failing. What goes through the log is in log.c.
 */
#include "core/controller/controller.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/base/memory.h"
#include "core/controller/state.h"

struct controller *controller_new(const struct controller_options *options)
{
    ASSERT(options->ops != NULL);
    ASSERT(options->on_image != NULL);
    ASSERT(options->on_fatal != NULL);
    struct controller *controller = memory_new(sizeof *controller);
    controller->options = *options;
    controller->image = image_empty();
    controller->writer.controller = controller;
    controller->reader.controller = controller;
    controller->pump.run = controller_pump;
    list_init(&controller->queue);
    list_init(&controller->batch);
    return controller;
}

void controller_free(struct controller *controller)
{
    if (controller == NULL)
        return;
    ASSERT(controller->phase == CONTROLLER_CLOSED);
    ASSERT(list_empty(&controller->queue));
    ASSERT(list_empty(&controller->batch));
    ASSERT(snapshot_idle(controller));
    image_unref(controller->image);
    entry_fini(&controller->entry);
    memory_free(controller);
}

void controller_publish(
    struct controller *controller, struct image *next, const struct image_changes *changes)
{
    struct image *old = controller->image;
    ASSERT(image_version(next) > image_version(old)); /* K3 */
    ASSERT(image_offset(next) > image_offset(old));
    controller->image = next;
    controller->options.on_image(controller->options.context, next, changes);
    image_unref(old);
}

static void end_opening(struct controller *controller, mrt_status status)
{
    mrt_op *op = controller->opener;
    controller->opener = NULL;
    if (op != NULL)
        op_complete(op, status);
}

void controller_fail(struct controller *controller, const mrt_error *why)
{
    ASSERT(why->status < 0);
    if (controller->failed)
        return;
    controller->failed = true;
    controller->leading = false;
    controller->active = false;
    runtime_log(
        controller->options.runtime, MRT_LOG_ERROR, 0,
        "controller.failed node=%d status=%s why=\"%s\"", controller->options.node,
        status_name(why->status), why->text);
    controller_drop(controller, MRT_ENOTLEADER); /* K2 */
    controller->options.on_fatal(controller->options.context, why);
    end_opening(controller, why->status);
}

/* ---- opening --------------------------------------------------------------------------------- */

static void begin_close(struct controller *controller);

static void opened(struct controller *controller)
{
    ASSERT(controller->phase == CONTROLLER_OPENING);
    const mrt_coordination_ops *ops = controller->options.ops;
    controller->phase = CONTROLLER_OPEN;
    controller->stat = (mrt_coord_stat){.size = sizeof controller->stat};
    ops->stat(controller->coord, &controller->stat);
    if (controller->closer != NULL) {
        begin_close(controller);
        return;
    }
    if (controller->stat.max_entry < ENTRY_MAX_LEAST || controller->stat.snap_chunk == 0) {
        mrt_error why;
        error_set(
            &why, MRT_EBUG, "the coordination plugin takes entries of only %llu bytes",
            (unsigned long long)controller->stat.max_entry);
        controller_fail(controller, &why);
        return;
    }
    uint64_t window = controller->stat.max_entry * 2;
    ops->credit(controller->coord, window > CREDIT_MIN ? window : CREDIT_MIN);
    mrt_status status = ops->campaign(controller->coord, 1, 100);
    if (status != MRT_OK) {
        mrt_error why;
        error_set(&why, status, "the coordination plugin refuses this node as a candidate");
        controller_fail(controller, &why);
    }
}

static void open_done(mrt_op *op)
{
    struct controller *controller = op->caller;
    if (op->status == MRT_OK) {
        opened(controller);
        return;
    }
    controller->phase = CONTROLLER_CLOSED;
    end_opening(controller, op->status);
    if (controller->closer != NULL)
        op_complete(controller->closer, MRT_OK);
    controller->closer = NULL;
}

mrt_status controller_open(struct controller *controller, mrt_op *op)
{
    const struct controller_options *options = &controller->options;
    ASSERT(exec_inside(options->exec));
    ASSERT(controller->phase == CONTROLLER_CLOSED);
    ASSERT(controller->coord == NULL); /* once */
    controller->spec = (mrt_coord_spec){
        .size = sizeof controller->spec,
        .node = options->node,
        .have_offset = image_offset(controller->image),
        .events = &controller_events,
        .ctx = controller,
    };
    memcpy(controller->spec.cluster_id, options->cluster_id, 16);
    memcpy(controller->spec.incarnation, options->incarnation, 16);
    controller->phase = CONTROLLER_OPENING;
    controller->opener = op;
    op_init(&controller->step, options->exec, open_done, controller);
    mrt_status status = op_outcome(
        &controller->step,
        options->ops->open(
            options->inst, &controller->step, &controller->spec, &controller->coord));
    if (status == MRT_PENDING)
        return MRT_PENDING;
    if (status == MRT_OK) {
        opened(controller);
        return MRT_PENDING; /* until this node leads */
    }
    controller->phase = CONTROLLER_CLOSED;
    controller->opener = NULL;
    return status;
}

/* ---- closing --------------------------------------------------------------------------------- */

static void close_done(mrt_op *op)
{
    struct controller *controller = op->caller;
    ASSERT(controller->calling);
    controller->calling = false;
    controller->closing++;
    controller_close_step(controller);
}

/* The next call of closing; its outcome. */
static mrt_status close_call(struct controller *controller)
{
    const struct controller_options *options = &controller->options;
    mrt_op *op = &controller->step;
    op_init(op, options->exec, close_done, controller);
    if (controller->closing == CLOSE_LOG)
        return op_outcome(op, options->ops->close(controller->coord, op));
    ASSERT(controller->closing == CLOSE_RESIGN);
    if (!controller->leading)
        return MRT_OK;
    return op_outcome(op, options->ops->resign(controller->coord, op, controller->epoch, -1));
}

static void closed(struct controller *controller)
{
    ASSERT(!controller->appending); /* the plugin ended it */
    if (controller->retry.fire != NULL)
        exec_timer_stop(controller->options.exec, &controller->retry);
    controller->leading = false;
    controller->committed = false;
    controller_end_batch(
        controller, MRT_ENOTLEADER); /* committed, but entries() did not bring it */
    controller->phase = CONTROLLER_CLOSED;
    mrt_op *op = controller->closer;
    controller->closer = NULL;
    op_complete(op, MRT_OK);
}

/* A failed resign or close changes nothing here: the process goes, and the log stands a crash. */
void controller_close_step(struct controller *controller)
{
    if (controller->phase != CONTROLLER_CLOSING || controller->calling ||
        !snapshot_idle(controller))
        return;
    while (controller->closing != CLOSE_DONE) {
        controller->calling = true;
        if (close_call(controller) == MRT_PENDING)
            return;
        controller->calling = false;
        controller->closing++;
    }
    if (!controller->appending && !controller->pumping)
        closed(controller);
}

static void begin_close(struct controller *controller)
{
    ASSERT(controller->closer != NULL);
    controller->phase = CONTROLLER_CLOSING;
    controller->closing = CLOSE_RESIGN;
    controller->active = false;
    end_opening(controller, MRT_ESHUTDOWN);
    controller_drop(controller, MRT_ESHUTDOWN);
    controller_close_step(controller);
}

mrt_status controller_close(struct controller *controller, mrt_op *op)
{
    ASSERT(exec_inside(controller->options.exec));
    ASSERT(controller->closer == NULL);
    if (controller->phase == CONTROLLER_CLOSED)
        return MRT_OK;
    controller->closer = op;
    if (controller->phase == CONTROLLER_OPEN)
        begin_close(controller); /* else when the plugin has opened the log */
    return MRT_PENDING;
}
