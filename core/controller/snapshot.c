/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snapshot.c - storing snapshots of the image, and starting from one the plugin kept.
 *
 * Storing is upkeep: when a step fails it is given up with a log line and tried again after as many
 * bytes of entries. Reading one is not: without it the node has no state, so any fault is final.
 */
#include <string.h>

#include "core/base/assert.h"
#include "core/base/memory.h"
#include "core/controller/state.h"
#include "sdk/kit/crc32c.h"

bool snapshot_idle(const struct controller *controller)
{
    return controller->writer.step == WRITER_IDLE && controller->reader.handle == NULL;
}

/* ---- storing --------------------------------------------------------------------------------- */

static void writer_advance(struct snapshot_writer *writer, mrt_status status);

static void writer_done(mrt_op *op)
{
    writer_advance(op->caller, op->status);
}

static mrt_status encode(mrt_work *work, mrt_error *error)
{
    struct snapshot_writer *writer = CONTAINER(work, struct snapshot_writer, work);
    (void)error;
    image_snapshot(writer->image, &writer->bytes, &writer->size);
    writer->id.crc32c = kit_crc32c(0, writer->bytes, writer->size);
    return MRT_OK;
}

static void writer_finish(struct snapshot_writer *writer, mrt_status status)
{
    struct controller *controller = writer->controller;
    ASSERT(writer->step != WRITER_IDLE);
    bool fine = status == MRT_OK || status == MRT_ESHUTDOWN;
    runtime_log(
        controller->options.runtime, fine ? MRT_LOG_INFO : MRT_LOG_WARN, 0,
        "controller.snapshot node=%d end=%llu bytes=%llu status=%s", controller->options.node,
        (unsigned long long)writer->id.end_offset, (unsigned long long)writer->size,
        status_name(status));
    image_unref(writer->image);
    memory_free(writer->bytes);
    writer->image = NULL;
    writer->bytes = NULL;
    writer->size = 0;
    writer->step = WRITER_IDLE;
    controller_close_step(controller);
}

/* Does @step; its outcome. */
static mrt_status writer_do(struct snapshot_writer *writer, enum writer_step step)
{
    struct controller *controller = writer->controller;
    const mrt_coordination_ops *ops = controller->options.ops;
    mrt_op *op = &writer->op;
    uint64_t left = writer->size - writer->at;

    op_init(op, controller->options.exec, writer_done, writer);
    op->flags = MRT_OP_MAINTENANCE;
    switch (step) {
    case WRITER_ENCODE:
        return exec_offload(controller->options.exec, op, &writer->work);
    case WRITER_BEGIN:
        writer->id.bytes = writer->size;
        return op_outcome(
            op, ops->snapshot_begin(controller->coord, op, &writer->id, &writer->handle));
    case WRITER_PUT:
        writer->piece.p = (const char *)writer->bytes + writer->at;
        writer->piece.n = left < controller->stat.snap_chunk ? left : controller->stat.snap_chunk;
        return op_outcome(op, ops->snapshot_put(writer->handle, op, &writer->piece));
    case WRITER_COMMIT:
        return op_outcome(op, ops->snapshot_commit(writer->handle, op, writer->fault == MRT_OK));
    case WRITER_TRIM:
        return op_outcome(op, ops->trim(controller->coord, op, writer->id.end_offset));
    case WRITER_IDLE:
        break;
    }
    ASSERT(step != WRITER_IDLE); /* which is no step */
    return MRT_EBUG;
}

/* What follows the present step, which ended with @status. WRITER_IDLE: nothing. */
static enum writer_step writer_next(struct snapshot_writer *writer, mrt_status status)
{
    struct controller *controller = writer->controller;
    bool closing = controller->closer != NULL || controller->failed;
    switch (writer->step) {
    case WRITER_ENCODE:
        writer->fault = closing ? MRT_ESHUTDOWN : MRT_OK;
        return status == MRT_OK && !closing ? WRITER_BEGIN : WRITER_IDLE;
    case WRITER_BEGIN:
        return status == MRT_OK ? WRITER_PUT : WRITER_IDLE;
    case WRITER_PUT:
        writer->at += writer->piece.n;
        writer->fault = status != MRT_OK ? status : closing ? MRT_ESHUTDOWN : MRT_OK;
        return writer->fault == MRT_OK && writer->at < writer->size ? WRITER_PUT : WRITER_COMMIT;
    case WRITER_COMMIT:
        if (status != MRT_OK || writer->fault != MRT_OK)
            return WRITER_IDLE;
        writer->covered = writer->id.end_offset;
        return closing ? WRITER_IDLE : WRITER_TRIM;
    case WRITER_TRIM:
    case WRITER_IDLE:
        break;
    }
    return WRITER_IDLE;
}

static void writer_advance(struct snapshot_writer *writer, mrt_status status)
{
    while (status != MRT_PENDING) {
        enum writer_step step = writer_next(writer, status);
        if (step == WRITER_IDLE) {
            writer_finish(writer, writer->fault != MRT_OK ? writer->fault : status);
            return;
        }
        writer->step = step;
        status = writer_do(writer, step);
    }
}

static bool writer_due(const struct controller *controller)
{
    const struct snapshot_writer *writer = &controller->writer;
    uint64_t every = controller->options.snapshot_every_bytes;
    uint64_t end = image_offset(controller->image);
    bool asked = writer->wanted > writer->covered && end >= writer->wanted;
    bool grown = every > 0 && writer->bytes_since >= every && end > writer->covered;
    bool ours =
        controller->leading || (controller->options.ops->caps & MRT_COORD_SNAPSHOT_SHARED) == 0;
    return (asked || grown) && ours;
}

void snapshot_consider(struct controller *controller)
{
    struct snapshot_writer *writer = &controller->writer;
    if (controller->phase != CONTROLLER_OPEN || controller->closer != NULL || controller->failed ||
        writer->step != WRITER_IDLE || !writer_due(controller))
        return;
    writer->image = image_ref(controller->image);
    writer->work.run = encode;
    writer->at = 0;
    writer->fault = MRT_OK;
    writer->wanted = 0;
    writer->bytes_since = 0;
    writer->id = (mrt_snap_id){
        .end_offset = image_offset(controller->image),
        .epoch = image_epoch(controller->image),
    };
    memcpy(writer->id.generation, controller->stat.generation, 16);
    writer->step = WRITER_ENCODE;
    writer_advance(writer, writer_do(writer, WRITER_ENCODE));
}

/* ---- reading --------------------------------------------------------------------------------- */

static void reader_advance(struct snapshot_reader *reader, mrt_status status);

static void reader_done(mrt_op *op)
{
    reader_advance(op->caller, op->status);
}

static mrt_status reader_pull(struct snapshot_reader *reader)
{
    const struct controller_options *options = &reader->controller->options;
    uint64_t left = reader->id.bytes - reader->at;
    uint64_t chunk = reader->controller->stat.snap_chunk;
    op_init(&reader->op, options->exec, reader_done, reader);
    return op_outcome(
        &reader->op, options->ops->snapshot_read(
                         reader->handle, &reader->op, reader->bytes + reader->at,
                         left < chunk ? left : chunk, &reader->got));
}

/* Replaces the image by what was read. */
static mrt_status reader_adopt(struct snapshot_reader *reader, mrt_error *why)
{
    struct controller *controller = reader->controller;
    struct image *next = NULL;
    struct image_changes changes = {0};
    if (reader->at != reader->id.bytes ||
        kit_crc32c(0, reader->bytes, reader->at) != reader->id.crc32c)
        return error_set(
            why, MRT_ECORRUPT, "the snapshot that ends at %llu is not what was stored",
            (unsigned long long)reader->id.end_offset);
    mrt_status status = image_restore(reader->bytes, reader->at, &next, why);
    if (status != MRT_OK)
        return status;
    if (image_offset(next) != reader->id.end_offset ||
        image_offset(next) <= image_offset(controller->image) ||
        image_version(next) <= image_version(controller->image)) {
        image_unref(next);
        return error_set(
            why, MRT_ECORRUPT, "the snapshot that ends at %llu holds another state",
            (unsigned long long)reader->id.end_offset);
    }
    image_changes_between(controller->image, next, &changes);
    controller_publish(controller, next, &changes);
    image_changes_free(&changes);
    controller->writer.covered = reader->id.end_offset;
    return MRT_OK;
}

static void reader_finish(struct snapshot_reader *reader, mrt_status status)
{
    struct controller *controller = reader->controller;
    mrt_error why = {0};
    bool closing = controller->closer != NULL || controller->failed;
    if (status == MRT_OK && !closing)
        status = reader_adopt(reader, &why);
    else
        error_set(
            &why, status, "the snapshot that ends at %llu cannot be read",
            (unsigned long long)reader->id.end_offset);
    mrt_snapshot *handle = reader->handle;
    reader->handle = NULL;
    memory_free(reader->bytes);
    reader->bytes = NULL;
    controller->options.ops->snapshot_end(handle, status == MRT_OK && !closing);
    if (status != MRT_OK && !closing)
        controller_fail(controller, &why);
    controller_close_step(controller);
}

static void reader_advance(struct snapshot_reader *reader, mrt_status status)
{
    while (status == MRT_OK) {
        bool overrun = reader->got > reader->id.bytes - reader->at;
        reader->at += overrun ? 0 : reader->got;
        if (overrun || reader->got == 0 || reader->at == reader->id.bytes ||
            reader->controller->closer != NULL) {
            reader_finish(reader, overrun ? MRT_EBUG : MRT_OK);
            return;
        }
        status = reader_pull(reader);
    }
    if (status != MRT_PENDING)
        reader_finish(reader, status);
}

void snapshot_receive(void *context, const mrt_snap_id *id, mrt_snapshot *snapshot)
{
    struct controller *controller = context;
    struct snapshot_reader *reader = &controller->reader;
    if (controller->failed || reader->handle != NULL) {
        controller->options.ops->snapshot_end(snapshot, 0);
        return;
    }
    reader->handle = snapshot;
    reader->id = *id;
    reader->at = 0;
    reader->got = 0;
    reader->bytes = id->bytes == 0 || id->bytes > SNAPSHOT_MAX ? NULL : memory_try(id->bytes, 16);
    if (reader->bytes == NULL) {
        reader_finish(reader, id->bytes == 0 ? MRT_ECORRUPT : MRT_ENOMEM);
        return;
    }
    mrt_status status = reader_pull(reader);
    if (status != MRT_PENDING)
        reader_advance(reader, status);
}
