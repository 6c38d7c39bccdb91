/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/coordination/scene.h"

#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/list.h"
#include "core/base/memory.h"
#include "core/base/str.h"
#include "sdk/kit/crc32c.h"
#include "tests/unit/cmocka.h"

const mrt_plugin *coordination_raft_LTX_mortise_plugin_entry(uint32_t host_abi);

struct mrt_cfg {
    int64_t i64[4];
};

static int64_t read_number(const mrt_cfg *cfg, uint32_t key)
{
    return cfg->i64[key];
}

static void read_text(const mrt_cfg *cfg, uint32_t key, mrt_str *out)
{
    (void)cfg;
    assert_int_equal(key, 0);
    *out = str_of(SCENE_DIR);
}

static const mrt_cfg_view view = {.size = sizeof view, .i64 = read_number, .str = read_text};

/* ---- the core that listens ------------------------------------------------------------------- */

static void on_role(void *ctx, uint32_t role, uint32_t epoch, int32_t leader, uint64_t tail)
{
    struct scene *scene = ctx;
    assert_true(exec_inside(scene->exec));
    if (role == MRT_ROLE_LEADER) {
        assert_true(epoch > scene->role_epoch); /* L1 */
        assert_int_equal(tail, scene->next);    /* L2 */
        assert_int_equal(leader, scene->options.node);
    }
    scene->role = role;
    scene->role_epoch = epoch;
    scene->role_tail = tail;
    scene->roles++;
}

static void on_entries(void *ctx, const mrt_entry *v, uint32_t n)
{
    struct scene *scene = ctx;
    assert_true(exec_inside(scene->exec));
    assert_null(scene->snapshot);
    for (uint32_t i = 0; i < n; i++) {
        ASSERT(scene->n_entries < SCENE_ENTRIES_MAX);
        assert_int_equal(v[i].offset, scene->next); /* O1 */
        struct heard *heard = &scene->entries[scene->n_entries++];
        *heard = (struct heard){v[i].offset, v[i].epoch, (uint32_t)v[i].data.n, {0}};
        memcpy(heard->bytes, v[i].data.p, v[i].data.n < 64 ? v[i].data.n : 64);
        scene->bytes += v[i].data.n;
        scene->next++;
    }
}

static void on_snapshot(void *ctx, const mrt_snap_id *id, mrt_snapshot *snapshot)
{
    struct scene *scene = ctx;
    scene->id = *id;
    scene->snapshot = snapshot;
}

static void on_want(void *ctx, uint64_t min_offset)
{
    struct scene *scene = ctx;
    scene->wants++;
    scene->wanted = min_offset;
}

static void on_fatal(void *ctx, const mrt_error *why)
{
    struct scene *scene = ctx;
    scene->why = *why;
    scene->fatals++;
}

static const mrt_coord_events events = {
    .size = sizeof(mrt_coord_events),
    .role = on_role,
    .entries = on_entries,
    .snapshot = on_snapshot,
    .want_snapshot = on_want,
    .fatal = on_fatal,
};

/* ---- calls ----------------------------------------------------------------------------------- */

/* One call, inside the executor, and its outcome. */
struct call {
    struct scene *scene;
    mrt_op op;
    mrt_status status;
    uint32_t ended;
    mrt_status (*run)(struct call *call);
    mrt_coord_spec spec;
    mrt_snapshot *handle;
    mrt_snap_id id;
    mrt_str bytes;
    void *to;
    uint64_t number;
    uint64_t got;
};

static void call_done(mrt_op *op)
{
    struct call *call = op->caller;
    assert_true(exec_inside(call->scene->exec));
    assert_int_equal(call->ended, 0);
    call->status = op->status;
    call->ended = 1;
}

static void call_inside(void *arg)
{
    struct call *call = arg;
    op_init(&call->op, call->scene->exec, call_done, call);
    mrt_status status = op_outcome(&call->op, call->run(call));
    if (status == MRT_PENDING)
        return;
    call->status = status;
    call->ended = 1;
}

static mrt_status call_run(struct call *call)
{
    world_inside(call->scene->world, call->scene->exec, call_inside, call);
    while (!call->ended && world_step(call->scene->world))
        continue;
    assert_int_equal(call->ended, 1);
    return call->status;
}

void scene_inside(struct scene *scene, void (*run)(void *arg), void *arg)
{
    world_inside(scene->world, scene->exec, run, arg);
}

void scene_settle(struct scene *scene)
{
    assert_true(world_run(scene->world, WORLD_FOREVER));
}

/* ---- life ------------------------------------------------------------------------------------ */

void scene_start(struct scene *scene, const struct scene_options *options)
{
    *scene = (struct scene){.options = *options};
    if (scene->options.node == 0)
        scene->options.node = 1;
    if (scene->options.segment_bytes == 0)
        scene->options.segment_bytes = 4096;
    scene->entries = memory_array(SCENE_ENTRIES_MAX, sizeof *scene->entries);
    scene->world = world_new(&(struct world_options){.seed = options->seed, .calm = options->calm});
    scene->sim = sim_node_new(
        scene->world,
        &(struct sim_node_options){.reactors = test_reactors(), .disk = options->disk});
    scene->exec = strand_new(sim_node_runtime(scene->sim), 0);
    scene->host = host_new(&(struct host_options){
        .runtime = sim_node_runtime(scene->sim), .name = "coordination/standalone"});
    scene->impl = coordination_raft_LTX_mortise_plugin_entry(MRT_ABI)->impls;
    scene->ops = scene->impl->ops;
    struct mrt_cfg cfg = {
        {0, (int64_t)scene->options.segment_bytes, (int64_t)scene->options.retain_bytes, 0}};
    mrt_create how = {
        .size = sizeof how,
        .host = host_table(scene->host),
        .exec = scene->exec,
        .view = &view,
        .cfg = &cfg,
        .name = str_of("test"),
    };
    mrt_error error = {0};
    assert_int_equal(scene->impl->life->create(&how, &scene->inst, &error), MRT_OK);
}

static mrt_status run_stop(struct call *call)
{
    return call->scene->impl->life->stop(call->scene->inst, &call->op);
}

void scene_end(struct scene *scene)
{
    struct call call = {.scene = scene, .run = run_stop};
    assert_int_equal(call_run(&call), MRT_OK);
    scene_settle(scene);
    scene->impl->life->destroy(scene->inst);
    assert_int_equal(host_memory(scene->host), 0);
    host_free(scene->host);
    strand_free(scene->exec);
    sim_node_free(scene->sim);
    world_free(scene->world);
    memory_free(scene->entries);
}

static mrt_status run_open(struct call *call)
{
    return call->scene->ops->open(call->scene->inst, &call->op, &call->spec, &call->scene->coord);
}

mrt_status scene_open(struct scene *scene, uint64_t have)
{
    struct call call = {
        .scene = scene,
        .run = run_open,
        .spec = {
            .size = sizeof(mrt_coord_spec),
            .node = scene->options.node,
            .have_offset = have,
            .events = &events,
            .ctx = scene,
        }};
    scene->next = have;
    scene->n_entries = 0;
    mrt_status status = call_run(&call);
    if (status != MRT_OK)
        scene->coord = NULL;
    return status;
}

static mrt_status run_close(struct call *call)
{
    return call->scene->ops->close(call->scene->coord, &call->op);
}

mrt_status scene_close(struct scene *scene)
{
    struct call call = {.scene = scene, .run = run_close};
    mrt_status status = call_run(&call);
    if (status == MRT_OK)
        scene->coord = NULL;
    scene_settle(scene); /* the host closes files, and so gives up the lock, a little later */
    return status;
}

static mrt_status run_credit(struct call *call)
{
    call->scene->ops->credit(call->scene->coord, call->number);
    return MRT_OK;
}

void scene_credit(struct scene *scene, uint64_t bytes)
{
    struct call call = {.scene = scene, .run = run_credit, .number = bytes};
    assert_int_equal(call_run(&call), MRT_OK);
}

static mrt_status run_campaign(struct call *call)
{
    return call->scene->ops->campaign(call->scene->coord, (uint32_t)call->number, 100);
}

mrt_status scene_campaign(struct scene *scene, uint32_t eligible)
{
    struct call call = {.scene = scene, .run = run_campaign, .number = eligible};
    return call_run(&call);
}

void scene_lead(struct scene *scene)
{
    assert_int_equal(scene_open(scene, 0), MRT_OK);
    scene_credit(scene, UINT64_MAX);
    assert_int_equal(scene_campaign(scene, 1), MRT_OK);
    scene_settle(scene);
    assert_int_equal(scene->role, MRT_ROLE_LEADER);
}

static mrt_status run_resign(struct call *call)
{
    return call->scene->ops->resign(call->scene->coord, &call->op, (uint32_t)call->number, -1);
}

mrt_status scene_resign(struct scene *scene, uint32_t epoch)
{
    struct call call = {.scene = scene, .run = run_resign, .number = epoch};
    return call_run(&call);
}

mrt_coord_stat scene_stat(struct scene *scene)
{
    mrt_coord_stat stat = {.size = sizeof stat};
    scene->ops->stat(scene->coord, &stat);
    return stat;
}

/* ---- appends --------------------------------------------------------------------------------- */

void entry_bytes(uint32_t number, uint8_t *out, uint64_t n)
{
    char text[24];
    int size = snprintf(text, sizeof text, "entry %u ", number);
    for (uint64_t i = 0; i < n; i++)
        out[i] = (uint8_t)text[i % (uint64_t)size];
}

static void append_done(mrt_op *op)
{
    struct appending *append = op->caller;
    assert_int_equal(append->ended, 0);
    append->ended = 1;
    append->status = op->status;
    append->heard_at_end = append->scene->next;
}

static void append_inside(void *arg)
{
    struct appending *append = arg;
    struct scene *scene = append->scene;
    op_init(&append->op, scene->exec, append_done, append);
    mrt_status status = op_outcome(
        &append->op, scene->ops->append(
                         scene->coord, &append->op, append->epoch, append->expect, &append->entry,
                         &append->offset));
    if (status == MRT_PENDING)
        return;
    append->status = status;
    append->ended = 1;
}

void appending_start(struct scene *scene, struct appending *append, uint32_t number, uint64_t n)
{
    append->scene = scene;
    append->bytes = memory_new(n + 1);
    entry_bytes(number, append->bytes, n);
    append->entry = (mrt_str){(const char *)append->bytes, n};
    if (append->epoch == 0) {
        append->epoch = scene->role_epoch;
        append->expect = scene_stat(scene).tail;
    }
    append_inside(append);
}

struct starting {
    struct scene *scene;
    struct appending *append;
    uint32_t number;
    uint64_t n;
};

static void start_inside(void *arg)
{
    const struct starting *starting = arg;
    appending_start(starting->scene, starting->append, starting->number, starting->n);
}

void scene_append_start(struct scene *scene, struct appending *append, uint32_t number, uint64_t n)
{
    scene_inside(scene, start_inside, &(struct starting){scene, append, number, n});
}

void appending_fini(struct appending *append)
{
    assert_int_equal(append->ended, 1);
    memory_free(append->bytes);
}

mrt_status scene_append(struct scene *scene, uint32_t number, uint64_t n)
{
    struct appending append = {.ended = 0};
    scene_append_start(scene, &append, number, n);
    while (!append.ended && world_step(scene->world))
        continue;
    appending_fini(&append);
    if (append.status == MRT_OK)
        assert_true(append.heard_at_end > append.offset); /* O2 */
    return append.status;
}

void assert_heard(const struct scene *scene, uint64_t i, uint32_t number, uint64_t n)
{
    uint8_t bytes[64];
    uint64_t shown = n < 64 ? n : 64;
    assert_true(i < scene->n_entries);
    entry_bytes(number, bytes, shown);
    assert_int_equal(scene->entries[i].n, n);
    assert_memory_equal(scene->entries[i].bytes, bytes, shown);
}

/* ---- snapshots ------------------------------------------------------------------------------- */

static mrt_status run_begin(struct call *call)
{
    return call->scene->ops->snapshot_begin(
        call->scene->coord, &call->op, &call->id, &call->handle);
}

static mrt_status run_put(struct call *call)
{
    return call->scene->ops->snapshot_put(call->handle, &call->op, &call->bytes);
}

static mrt_status run_commit(struct call *call)
{
    return call->scene->ops->snapshot_commit(call->handle, &call->op, (uint32_t)call->number);
}

mrt_status scene_store(struct scene *scene, uint64_t end, uint64_t n, uint32_t wrong_sum)
{
    uint8_t *bytes = memory_new(n + 1);
    entry_bytes((uint32_t)end, bytes, n);
    mrt_coord_stat stat = scene_stat(scene);
    mrt_snap_id id = {.end_offset = end, .bytes = n, .epoch = stat.epoch};
    memcpy(id.generation, stat.generation, 16);
    id.crc32c = kit_crc32c(0, bytes, n) ^ wrong_sum;
    struct call begin = {.scene = scene, .run = run_begin, .id = id};
    mrt_status status = call_run(&begin);
    for (uint64_t at = 0; status == MRT_OK && at < n; at += 1000) {
        uint64_t piece = n - at < 1000 ? n - at : 1000;
        struct call put = {
            .scene = scene,
            .run = run_put,
            .handle = begin.handle,
            .bytes = {(const char *)bytes + at, piece}};
        status = call_run(&put);
    }
    if (begin.status == MRT_OK) {
        struct call commit = {
            .scene = scene, .run = run_commit, .handle = begin.handle, .number = status == MRT_OK};
        mrt_status committed = call_run(&commit);
        status = status == MRT_OK ? committed : status;
    }
    memory_free(bytes);
    return status;
}

static mrt_status run_trim(struct call *call)
{
    return call->scene->ops->trim(call->scene->coord, &call->op, call->number);
}

mrt_status scene_trim(struct scene *scene, uint64_t below)
{
    struct call call = {.scene = scene, .run = run_trim, .number = below};
    return call_run(&call);
}

static mrt_status run_read(struct call *call)
{
    return call->scene->ops->snapshot_read(
        call->handle, &call->op, call->to, call->number, &call->got);
}

static mrt_status run_end(struct call *call)
{
    call->scene->ops->snapshot_end(call->handle, (uint32_t)call->number);
    return MRT_OK;
}

mrt_status scene_adopt(struct scene *scene, uint64_t n)
{
    uint8_t *wanted = memory_new(n + 1);
    uint8_t *bytes = memory_new(n + 1);
    mrt_status status = MRT_OK;
    uint64_t at = 0;
    assert_non_null(scene->snapshot);
    assert_int_equal(scene->id.bytes, n);
    while (status == MRT_OK && at < n) {
        struct call read = {
            .scene = scene,
            .run = run_read,
            .handle = scene->snapshot,
            .to = bytes + at,
            .number = 700};
        status = call_run(&read);
        at += status == MRT_OK ? read.got : 0;
        assert_true(status != MRT_OK || read.got > 0);
    }
    entry_bytes((uint32_t)scene->id.end_offset, wanted, n);
    if (status == MRT_OK)
        assert_memory_equal(bytes, wanted, n);
    struct call end = {
        .scene = scene, .run = run_end, .handle = scene->snapshot, .number = status == MRT_OK};
    scene->snapshot = NULL;
    scene->next = scene->id.end_offset;
    call_run(&end);
    memory_free(bytes);
    memory_free(wanted);
    return status;
}

/* ---- the disk -------------------------------------------------------------------------------- */

static struct disk_file *disk_file_at(struct disk *disk, const char *path, uint32_t flags)
{
    struct disk_file *file = NULL;
    mrt_str text = str_of(path);
    return disk_open(disk, &text, flags, 0, &file) == MRT_OK ? file : NULL;
}

uint64_t disk_size(struct disk *disk, const char *path)
{
    struct disk_file *file = disk_file_at(disk, path, MRT_FILE_READ);
    if (file == NULL)
        return 0;
    uint64_t size = disk_length(file);
    disk_close(file);
    return size;
}

bool disk_poke(struct disk *disk, const char *path, uint64_t at, uint8_t flip)
{
    struct disk_file *file = disk_file_at(disk, path, MRT_FILE_READ | MRT_FILE_WRITE);
    uint8_t byte = 0;
    uint64_t got = 0;
    if (file == NULL)
        return false;
    assert_int_equal(disk_read(file, &byte, 1, at, &got), MRT_OK);
    if (got == 1) {
        byte ^= flip;
        mrt_slice slice = {.kind = MRT_SLICE_MEM, .ref = (uintptr_t)&byte, .len = 1};
        assert_int_equal(disk_write(file, &slice, 1, at, 0), MRT_OK);
    }
    disk_close(file);
    return got == 1;
}

void disk_cut(struct disk *disk, const char *path, uint64_t bytes)
{
    struct disk_file *file = disk_file_at(disk, path, MRT_FILE_READ | MRT_FILE_WRITE);
    assert_non_null(file);
    assert_int_equal(disk_truncate(file, bytes), MRT_OK);
    disk_close(file);
}
