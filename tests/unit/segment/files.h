/* SPDX-License-Identifier: Apache-2.0 */
/*
 * files.h - what lies beside the records of a log (blobs, marks, segments), and the files of the
 * scene as the disk has them.
 */
#ifndef TESTS_UNIT_SEGMENT_FILES_H
#define TESTS_UNIT_SEGMENT_FILES_H

#include "tests/unit/segment/scene.h"

struct scene_file {
    struct scene *scene;
    mrt_file *file;
    mrt_str path;
    uint32_t flags;
    uint8_t *room;
    uint64_t cap;
    uint64_t got;
    mrt_slice slice;
    mrt_slicev v;
};

static inline mrt_status scene_do_blob_put(struct scene_call *call, mrt_op *op)
{
    return call->scene->ops->blob_put(
        call->log, op, call->kind, call->offset, call->in, call->flags);
}

static inline mrt_status scene_blob_put(
    struct scene_log *log, uint32_t kind, int64_t offset, const char *text, uint32_t flags)
{
    mrt_str bytes = str_of(text);
    struct scene_call call = {
        .scene = log->scene,
        .exec = log->exec,
        .call = scene_do_blob_put,
        .log = log->log,
        .in = &bytes,
        .offset = offset,
        .kind = kind,
        .flags = flags,
    };
    return scene_do(&call);
}

static inline mrt_status scene_do_blob_get(struct scene_call *call, mrt_op *op)
{
    return call->scene->ops->blob_get(
        call->log, op, call->kind, call->offset, call->out, call->n, call->got);
}

static inline mrt_status scene_blob_get(
    struct scene_log *log, uint32_t kind, int64_t offset, char *to, uint64_t cap, uint64_t *got)
{
    struct scene_call call = {
        .scene = log->scene,
        .exec = log->exec,
        .call = scene_do_blob_get,
        .log = log->log,
        .out = to,
        .n = cap,
        .got = got,
        .offset = offset,
        .kind = kind,
    };
    return scene_do(&call);
}

static inline mrt_status scene_do_blob_remove(struct scene_call *call, mrt_op *op)
{
    return call->scene->ops->blob_remove(call->log, op, call->kind, call->offset);
}

static inline mrt_status scene_blob_remove(struct scene_log *log, uint32_t kind, int64_t offset)
{
    struct scene_call call = {
        .scene = log->scene,
        .exec = log->exec,
        .call = scene_do_blob_remove,
        .log = log->log,
        .offset = offset,
        .kind = kind,
    };
    return scene_do(&call);
}

static inline mrt_status scene_do_blobs(struct scene_call *call, mrt_op *op)
{
    uint32_t n = 0;
    (void)op;
    mrt_status status = call->scene->ops->blobs(
        call->log, call->kind, call->offset, call->out, (uint32_t)call->n, &n);
    *call->got = n;
    return status;
}

static inline uint64_t scene_blobs(
    struct scene_log *log, uint32_t kind, int64_t from, int64_t *out, uint32_t cap)
{
    uint64_t n = 0;
    struct scene_call call = {
        .scene = log->scene,
        .exec = log->exec,
        .call = scene_do_blobs,
        .log = log->log,
        .out = out,
        .n = cap,
        .got = &n,
        .offset = from,
        .kind = kind,
    };
    assert_int_equal(scene_do(&call), MRT_OK);
    return n;
}

static inline mrt_status scene_do_mark(struct scene_call *call, mrt_op *op)
{
    (void)op;
    if (call->out != NULL)
        return call->scene->ops->mark_get(call->log, call->kind, call->out);
    call->scene->ops->mark_set(call->log, call->kind, call->offset);
    return MRT_OK;
}

static inline void scene_mark_set(struct scene_log *log, uint32_t kind, int64_t value)
{
    struct scene_call call = {
        .scene = log->scene,
        .exec = log->exec,
        .call = scene_do_mark,
        .log = log->log,
        .offset = value,
        .kind = kind,
    };
    assert_int_equal(scene_do(&call), MRT_OK);
}

static inline mrt_status scene_mark_get(struct scene_log *log, uint32_t kind, int64_t *value)
{
    struct scene_call call = {
        .scene = log->scene,
        .exec = log->exec,
        .call = scene_do_mark,
        .log = log->log,
        .out = value,
        .kind = kind,
    };
    return scene_do(&call);
}

static inline mrt_status scene_do_segments(struct scene_call *call, mrt_op *op)
{
    uint32_t n = 0;
    (void)op;
    mrt_status status =
        call->scene->ops->segments(call->log, call->offset, call->out, (uint32_t)call->n, &n);
    *call->got = n;
    return status;
}

static inline uint32_t scene_segments(
    struct scene_log *log, int64_t from, mrt_segment *out, uint32_t cap)
{
    uint64_t n = 0;
    struct scene_call call = {
        .scene = log->scene,
        .exec = log->exec,
        .call = scene_do_segments,
        .log = log->log,
        .out = out,
        .n = cap,
        .got = &n,
        .offset = from,
    };
    assert_int_equal(scene_do(&call), MRT_OK);
    return (uint32_t)n;
}

static inline mrt_status scene_do_file(struct scene_call *call, mrt_op *op)
{
    struct scene_file *file = call->out;
    const mrt_host *host = host_table(call->scene->host);
    const mrt_host_file *ops = host->get(host, MRT_HOST_FILE);
    if (call->kind == 0)
        return ops->open(call->exec, op, &file->path, file->flags, &file->file);
    if (call->kind == 1)
        return ops->read(file->file, op, file->room, file->cap, 0, &file->got);
    if (call->kind == 2)
        return ops->writev(file->file, op, &file->v, file->cap);
    if (call->kind == 3)
        return ops->truncate(file->file, op, file->cap);
    if (call->kind == 4)
        return ops->mkdir(call->exec, op, &file->path);
    if (call->kind == 5)
        return ops->unlink(call->exec, op, &file->path);
    if (call->kind == 6)
        return ops->sync_dir(call->exec, op, &file->path);
    if (call->kind == 7)
        return ops->sync(file->file, op, 0);
    ops->close(file->file);
    return MRT_OK;
}

static inline mrt_status scene_file(struct scene_file *file, uint32_t kind)
{
    struct scene_call call = {
        .scene = file->scene,
        .exec = file->scene->inst_exec,
        .call = scene_do_file,
        .out = file,
        .kind = kind,
    };
    return scene_do(&call);
}

static inline mrt_str scene_path(const struct scene *scene, const char *name)
{
    static char path[4][512];
    static uint32_t next;
    char *text = path[next++ % 4];
    snprintf(text, sizeof path[0], "%s/%s", scene->path, name);
    return str_of(text);
}

/* Reads the file @name of the directory; its length, or -1 if there is none. */
static inline int64_t scene_load(struct scene *scene, const char *name, void *to, uint64_t cap)
{
    struct scene_file file = {
        .scene = scene,
        .path = scene_path(scene, name),
        .flags = MRT_FILE_READ,
        .room = to,
        .cap = cap,
    };
    mrt_status status = scene_file(&file, 0);
    if (status == MRT_ENOENT)
        return -1;
    assert_int_equal(status, MRT_OK);
    assert_int_equal(scene_file(&file, 1), MRT_OK);
    assert_int_equal(scene_file(&file, 99), MRT_OK);
    return (int64_t)file.got;
}

/* Writes @n bytes into the file @name at @off, and has them survive a power cut. */
static inline void scene_save(
    struct scene *scene, const char *name, const void *bytes, uint64_t n, uint64_t off)
{
    struct scene_file file = {
        .scene = scene,
        .path = scene_path(scene, name),
        .flags = MRT_FILE_WRITE | MRT_FILE_CREATE,
        .cap = off,
        .slice = {.kind = MRT_SLICE_MEM, .ref = (uintptr_t)bytes, .len = n},
    };
    file.v = (mrt_slicev){.v = &file.slice, .n = 1, .bytes = n};
    assert_int_equal(scene_file(&file, 0), MRT_OK);
    assert_int_equal(scene_file(&file, 2), MRT_OK);
    assert_int_equal(scene_file(&file, 7), MRT_OK);
    assert_int_equal(scene_file(&file, 99), MRT_OK);
}

static inline void scene_cut(struct scene *scene, const char *name, uint64_t bytes)
{
    struct scene_file file = {
        .scene = scene, .path = scene_path(scene, name), .flags = MRT_FILE_WRITE, .cap = bytes};
    assert_int_equal(scene_file(&file, 0), MRT_OK);
    assert_int_equal(scene_file(&file, 3), MRT_OK);
    assert_int_equal(scene_file(&file, 7), MRT_OK);
    assert_int_equal(scene_file(&file, 99), MRT_OK);
}

static inline void scene_mkdir(struct scene *scene, const char *name)
{
    struct scene_file file = {.scene = scene, .path = scene_path(scene, name)};
    assert_int_equal(scene_file(&file, 4), MRT_OK);
}

static inline mrt_status scene_unlink(struct scene *scene, const char *name)
{
    struct scene_file file = {.scene = scene, .path = scene_path(scene, name)};
    return scene_file(&file, 5);
}

#endif /* TESTS_UNIT_SEGMENT_FILES_H */
