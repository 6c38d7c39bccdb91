/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scene.h - the segment store over the real runtime, on Linux or in a simulated world: an instance,
 * a directory, logs, each with a strand of its own. Calls of the store's table are made inside the
 * right executor and waited for, whichever way they end.
 */
#ifndef TESTS_UNIT_SEGMENT_SCENE_H
#define TESTS_UNIT_SEGMENT_SCENE_H

#include <string.h>

#include <mortise/storage.h>

#include "core/base/str.h"
#include "core/runtime/bytes.h"
#include "core/runtime/host.h"
#include "sdk/kit/batch.h"
#include "tests/sim/world.h"
#include "tests/unit/live.h"

#define SCENE_BATCH_MAX 300000
#define SCENE_EVENTS    16

const mrt_plugin *storage_segment_LTX_mortise_plugin_entry(uint32_t host_abi);

/* Values in the order of the note's keys. */
struct mrt_cfg {
    int64_t v[4]; /* files_max, checkpoint_ms, index_interval_bytes, segment_index_bytes */
};

struct scene {
    bool simulated;
    uint64_t seed;
    uint64_t disk_bytes;
    bool calm;
    uint32_t boots;
    struct mrt_cfg cfg;
    struct live live;
    struct world *world;
    struct sim_node *node;
    struct disk *disk;
    struct runtime *runtime;
    struct host *host;
    const mrt_storage_ops *ops;
    const mrt_lifecycle *life;
    void *inst;
    mrt_exec *inst_exec;
    mrt_exec *dir_exec;
    mrt_dir *dir;
    char path[64];
    /* what the events said */
    uint32_t states[SCENE_EVENTS];
    uint32_t states_n;
    uint32_t spaces;
    uint32_t corrupts;
    int64_t corrupt_from;
    mrt_status why;
};

struct scene_log {
    struct scene *scene;
    mrt_log *log;
    mrt_exec *exec;
    char topic[64];
    int32_t partition;
    uint8_t topic_id[16];
};

/* ---- calls ----------------------------------------------------------------------------------- */

/* One call of the table, its arguments in here; which are used depends on the call. */
struct scene_call {
    struct scene *scene;
    mrt_exec *exec;
    mrt_status (*call)(struct scene_call *call, mrt_op *op);
    mrt_log *log;
    mrt_dir *dir;
    const void *in;
    void *out;
    int64_t offset;
    uint64_t n;
    uint64_t *got;
    uint32_t kind;
    uint32_t flags;
    mrt_status answer;
    struct live_op op;
};

static inline void scene_call_run(void *arg)
{
    struct scene_call *call = arg;
    call->answer = call->call(call, &call->op.op);
    live_op_outcome(&call->op, call->answer);
}

static inline void scene_inside(struct scene *scene, mrt_exec *exec, void (*run)(void *), void *arg)
{
    if (scene->simulated)
        world_inside(scene->world, exec, run, arg);
    else
        live_inside(exec, run, arg);
}

/* Starts it; scene_wait() is owed. */
static inline void scene_start(struct scene_call *call)
{
    live_op_init(&call->op, call->exec);
    scene_inside(call->scene, call->exec, scene_call_run, call);
}

static inline mrt_status scene_wait(struct scene_call *call)
{
    while (call->scene->simulated && call->op.completions + call->op.inline_ends == 0)
        assert_true(world_step(call->scene->world));
    return live_op_wait(&call->op);
}

static inline mrt_status scene_do(struct scene_call *call)
{
    scene_start(call);
    return scene_wait(call);
}

/* ---- the scene ------------------------------------------------------------------------------- */

static inline void scene_on_state(void *ctx, mrt_dir *dir, uint32_t state, const mrt_error *why)
{
    struct scene *scene = ctx;
    (void)dir;
    assert_true(exec_inside(scene->dir_exec));
    scene->states[scene->states_n++ % SCENE_EVENTS] = state;
    scene->why = why == NULL ? MRT_OK : why->status;
}

static inline void scene_on_space(void *ctx, mrt_dir *dir, uint64_t used, uint64_t avail)
{
    struct scene *scene = ctx;
    (void)dir, (void)used;
    assert_true(avail > 0 || scene->simulated);
    scene->spaces++;
}

static inline void scene_on_corrupt(void *ctx, mrt_dir *dir, void *log, int64_t from, int64_t to)
{
    struct scene *scene = ctx;
    (void)dir, (void)log;
    assert_true(from < to);
    scene->corrupts++;
    scene->corrupt_from = from;
}

static const mrt_storage_events scene_events = {
    .size = sizeof scene_events,
    .dir_state = scene_on_state,
    .dir_space = scene_on_space,
    .corrupt = scene_on_corrupt,
};

static int64_t scene_cfg_i64(const mrt_cfg *cfg, uint32_t key)
{
    assert_true(key < 4);
    return cfg->v[key];
}

static const mrt_cfg_view scene_view = {.size = sizeof scene_view, .i64 = scene_cfg_i64};

/* An instance of the plugin on a running runtime. */
static inline void scene_create(struct scene *scene)
{
    const mrt_impl *impl = storage_segment_LTX_mortise_plugin_entry(MRT_ABI)->impls;
    mrt_error error;
    scene->runtime = scene->simulated ? sim_node_runtime(scene->node) : scene->live.runtime;
    scene->host =
        host_new(&(struct host_options){.runtime = scene->runtime, .name = "storage/segment"});
    scene->ops = impl->ops;
    scene->life = impl->life;
    scene->inst_exec = strand_new(scene->runtime, 0);
    scene->dir_exec = strand_new(scene->runtime, 1);
    const mrt_create how = {
        .size = sizeof how,
        .host = host_table(scene->host),
        .exec = scene->inst_exec,
        .view = &scene_view,
        .cfg = &scene->cfg,
        .name = {"segment", 7},
    };
    assert_int_equal(scene->life->create(&how, &scene->inst, &error), MRT_OK);
}

/* A world with one node on scene->disk. The node's boot id follows from scene->boots. */
static inline void scene_world(struct scene *scene)
{
    const struct world_options options = {
        .seed = scene->seed, .calm = scene->calm, .print = getenv("SCENE_PRINT") != NULL};
    const struct sim_node_options node = {.reactors = test_reactors(), .disk = scene->disk};
    scene->world = world_new(&options);
    for (uint32_t i = 0; i < scene->boots; i++)
        sim_node_free(sim_node_new(scene->world, &(struct sim_node_options){.reactors = 1}));
    scene->node = sim_node_new(scene->world, &node);
}

static inline void scene_boot(struct scene *scene)
{
    if (scene->cfg.v[0] == 0)
        scene->cfg = (struct mrt_cfg){{64, 5000, 4096, 10485760}};
    if (scene->simulated) {
        scene->disk = disk_new(scene->disk_bytes);
        strcpy(scene->path, "/d");
        mrt_str path = str_of(scene->path), root = str_of("/");
        assert_int_equal(disk_mkdir(scene->disk, &path, 0), MRT_OK);
        assert_int_equal(disk_sync_dir(scene->disk, &root), MRT_OK);
        scene_world(scene);
    } else {
        live_start(&scene->live);
        strcpy(scene->path, "/tmp/mortise.XXXXXX");
        assert_non_null(mkdtemp(scene->path));
    }
    scene_create(scene);
}

static inline mrt_status scene_do_stop(struct scene_call *call, mrt_op *op)
{
    return call->scene->life->stop(call->scene->inst, op);
}

/* Ends the instance; everything it took is back. */
static inline void scene_destroy(struct scene *scene)
{
    struct scene_call call = {.scene = scene, .exec = scene->inst_exec, .call = scene_do_stop};
    assert_int_equal(scene_do(&call), MRT_OK);
    if (scene->simulated)
        world_run(scene->world, WORLD_FOREVER);
    scene->life->destroy(scene->inst);
    assert_int_equal(host_memory(scene->host), 0);
    host_free(scene->host);
    strand_free(scene->dir_exec);
    strand_free(scene->inst_exec);
}

/* The node goes, and comes back with @disk: another system if @rebooted, else the next process. */
static inline void scene_restart_on(struct scene *scene, struct disk *disk, bool rebooted)
{
    scene_destroy(scene);
    sim_node_free(scene->node);
    world_free(scene->world);
    disk_free(scene->disk);
    scene->disk = disk;
    scene->seed += 1000;
    if (rebooted)
        scene->boots++;
    scene_world(scene);
    scene_create(scene);
}

static inline void scene_end(struct scene *scene)
{
    scene_destroy(scene);
    if (scene->simulated) {
        sim_node_free(scene->node);
        world_free(scene->world);
        disk_free(scene->disk);
        return;
    }
    live_stop(&scene->live);
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", scene->path);
    if (getenv("SCENE_KEEP") == NULL)
        assert_int_equal(system(command), 0);
}

/* ---- directories ----------------------------------------------------------------------------- */

static inline mrt_status scene_do_dir_open(struct scene_call *call, mrt_op *op)
{
    const mrt_dir_spec spec = {
        .size = sizeof spec,
        .exec = call->scene->dir_exec,
        .path = str_of(call->scene->path),
        .events = &scene_events,
        .ctx = call->scene,
    };
    return call->scene->ops->dir_open(call->scene->inst, op, &spec, &call->scene->dir);
}

/* Completes on the instance's executor's op; the directory's is where it works. */
static inline mrt_status scene_dir_open(struct scene *scene)
{
    struct scene_call call = {.scene = scene, .exec = scene->dir_exec, .call = scene_do_dir_open};
    return scene_do(&call);
}

static inline mrt_status scene_do_dir_close(struct scene_call *call, mrt_op *op)
{
    return call->scene->ops->dir_close(call->scene->dir, op);
}

static inline mrt_status scene_dir_close(struct scene *scene)
{
    struct scene_call call = {.scene = scene, .exec = scene->dir_exec, .call = scene_do_dir_close};
    return scene_do(&call);
}

static inline mrt_status scene_do_adopt(struct scene_call *call, mrt_op *op)
{
    return call->scene->ops->dir_adopt(call->scene->dir, op);
}

static inline mrt_status scene_adopt(struct scene *scene)
{
    struct scene_call call = {.scene = scene, .exec = scene->dir_exec, .call = scene_do_adopt};
    return scene_do(&call);
}

/* ---- logs ------------------------------------------------------------------------------------ */

static inline void scene_spec(const struct scene_log *log, uint32_t flags, mrt_log_spec *spec)
{
    *spec = (mrt_log_spec){
        .size = sizeof *spec,
        .flags = flags,
        .topic = str_of(log->topic),
        .partition = log->partition,
        .exec = log->exec,
        .cfg = &log->scene->cfg,
        .ctx = (void *)(uintptr_t)log,
    };
    memcpy(spec->topic_id, log->topic_id, 16);
}

static inline mrt_status scene_do_log_open(struct scene_call *call, mrt_op *op)
{
    return call->scene->ops->log_open(call->scene->dir, op, call->in, call->out);
}

/* Opens @log, whose topic and partition are set; it gets a strand. */
static inline mrt_status scene_open(struct scene *scene, struct scene_log *log, uint32_t flags)
{
    mrt_log_spec spec;
    log->scene = scene;
    log->exec = strand_new(scene->runtime, (uint32_t)log->partition);
    scene_spec(log, flags, &spec);
    struct scene_call call = {
        .scene = scene,
        .exec = scene->dir_exec,
        .call = scene_do_log_open,
        .in = &spec,
        .out = &log->log,
    };
    mrt_status status = scene_do(&call);
    if (status != MRT_OK) {
        if (scene->simulated)
            world_run(scene->world, WORLD_FOREVER);
        strand_free(log->exec);
    }
    return status;
}

static inline mrt_status scene_do_log_close(struct scene_call *call, mrt_op *op)
{
    return call->scene->ops->log_close(call->log, op);
}

static inline mrt_status scene_close(struct scene_log *log)
{
    struct scene_call call = {
        .scene = log->scene, .exec = log->exec, .call = scene_do_log_close, .log = log->log};
    mrt_status status = scene_do(&call);
    if (log->scene->simulated)
        world_run(log->scene->world, WORLD_FOREVER);
    strand_free(log->exec);
    return status;
}

static inline mrt_status scene_do_log_remove(struct scene_call *call, mrt_op *op)
{
    return call->scene->ops->log_remove(call->scene->dir, op, call->in);
}

static inline mrt_status scene_remove(struct scene *scene, struct scene_log *log)
{
    mrt_log_spec spec;
    log->scene = scene;
    scene_spec(log, 0, &spec);
    struct scene_call call = {
        .scene = scene, .exec = scene->dir_exec, .call = scene_do_log_remove, .in = &spec};
    return scene_do(&call);
}

static inline mrt_status scene_do_logs(struct scene_call *call, mrt_op *op)
{
    return call->scene->ops->logs(call->scene->dir, op, call->out);
}

static inline mrt_status scene_logs(struct scene *scene, mrt_log_list *list)
{
    struct scene_call call = {
        .scene = scene, .exec = scene->dir_exec, .call = scene_do_logs, .out = list};
    return scene_do(&call);
}

static inline mrt_status scene_do_state(struct scene_call *call, mrt_op *op)
{
    (void)op;
    call->scene->ops->state(call->log, call->out);
    return MRT_OK;
}

static inline mrt_log_state scene_state(struct scene_log *log)
{
    mrt_log_state state = {.size = sizeof state};
    struct scene_call call = {
        .scene = log->scene,
        .exec = log->exec,
        .call = scene_do_state,
        .log = log->log,
        .out = &state,
    };
    assert_int_equal(scene_do(&call), MRT_OK);
    return state;
}

static inline mrt_status scene_do_append(struct scene_call *call, mrt_op *op)
{
    return call->scene->ops->append(call->log, op, call->in, call->out);
}

static inline mrt_status scene_append(
    struct scene_log *log, const mrt_batch *v, uint32_t n, uint32_t flags, mrt_log_state *after)
{
    const mrt_append append = {.size = sizeof append, .flags = flags, .v = v, .n = n};
    mrt_log_state state = {.size = sizeof state};
    struct scene_call call = {
        .scene = log->scene,
        .exec = log->exec,
        .call = scene_do_append,
        .log = log->log,
        .in = &append,
        .out = after != NULL ? after : &state,
    };
    return scene_do(&call);
}

static inline mrt_status scene_do_read(struct scene_call *call, mrt_op *op)
{
    return call->scene->ops->read(call->log, op, call->in, call->out);
}

static inline mrt_status scene_read(struct scene_log *log, const mrt_read *read, mrt_read_res *res)
{
    struct scene_call call = {
        .scene = log->scene,
        .exec = log->exec,
        .call = scene_do_read,
        .log = log->log,
        .in = read,
        .out = res,
    };
    return scene_do(&call);
}

static inline mrt_status scene_do_pull(struct scene_call *call, mrt_op *op)
{
    return slices_pull(call->exec, op, call->in, call->out);
}

/* The bytes a read gave; its lease stays. */
static inline void scene_pull(struct scene_log *log, const mrt_read_res *res, uint8_t *to)
{
    struct scene_call call = {
        .scene = log->scene,
        .exec = log->exec,
        .call = scene_do_pull,
        .in = &res->data,
        .out = to,
    };
    assert_int_equal(scene_do(&call), MRT_OK);
}

static inline mrt_status scene_do_flush(struct scene_call *call, mrt_op *op)
{
    return call->scene->ops->flush(call->log, op, call->offset);
}
static inline mrt_status scene_do_roll(struct scene_call *call, mrt_op *op)
{
    return call->scene->ops->roll(call->log, op);
}
static inline mrt_status scene_do_trim_head(struct scene_call *call, mrt_op *op)
{
    return call->scene->ops->trim_head(call->log, op, call->offset);
}
static inline mrt_status scene_do_trim_tail(struct scene_call *call, mrt_op *op)
{
    return call->scene->ops->trim_tail(call->log, op, call->offset);
}
static inline mrt_status scene_do_restart(struct scene_call *call, mrt_op *op)
{
    return call->scene->ops->restart(call->log, op, call->offset);
}
static inline mrt_status scene_do_find_time(struct scene_call *call, mrt_op *op)
{
    return call->scene->ops->find_time(call->log, op, call->offset, call->out);
}
static inline mrt_status scene_do_find_latest(struct scene_call *call, mrt_op *op)
{
    return call->scene->ops->find_latest(call->log, op, call->out);
}

/* Any call of a log that takes an offset, a time or nothing. */
static inline mrt_status scene_at(
    struct scene_log *log, mrt_status (*what)(struct scene_call *call, mrt_op *op), int64_t offset,
    void *out)
{
    struct scene_call call = {
        .scene = log->scene,
        .exec = log->exec,
        .call = what,
        .log = log->log,
        .offset = offset,
        .out = out,
    };
    return scene_do(&call);
}

#define scene_flush(log, upto)       scene_at(log, scene_do_flush, upto, NULL)
#define scene_roll(log)              scene_at(log, scene_do_roll, 0, NULL)
#define scene_trim_head(log, upto)   scene_at(log, scene_do_trim_head, upto, NULL)
#define scene_trim_tail(log, from)   scene_at(log, scene_do_trim_tail, from, NULL)
#define scene_restart(log, start)    scene_at(log, scene_do_restart, start, NULL)
#define scene_find_time(log, ms, at) scene_at(log, scene_do_find_time, ms, at)
#define scene_find_latest(log, at)   scene_at(log, scene_do_find_latest, 0, at)

/* ---- batches --------------------------------------------------------------------------------- */

/* A batch of real records in @p: offsets @base to @base + count - 1, values of @bytes in all. What
 * is in them follows from @number. Its size. */
static inline uint64_t scene_batch(
    uint8_t *p, int64_t base, int32_t count, int64_t ms, uint64_t bytes, uint32_t number)
{
    uint8_t *at = p + KIT_BATCH_HEADER;
    for (int32_t i = 0; i < count; i++) {
        uint64_t value = bytes / (uint64_t)count;
        uint64_t body = 1 + 1 + kit_uvarint_size(kit_zigzag(i)) + 1 +
                        kit_uvarint_size(kit_zigzag((int64_t)value)) + value + 1;
        at = kit_put_uvarint(at, kit_zigzag((int64_t)body));
        *at++ = 0; /* attributes */
        *at++ = 0; /* timestamp delta */
        at = kit_put_uvarint(at, kit_zigzag(i));
        *at++ = 1; /* no key */
        at = kit_put_uvarint(at, kit_zigzag((int64_t)value));
        for (uint64_t j = 0; j < value; j++)
            *at++ = (uint8_t)(1 + (number * 167 + j * 13 + j / 256) % 255); /* no zeros */
        *at++ = 0;                                                          /* no headers */
    }
    uint64_t size = (uint64_t)(at - p);
    memset(p, 0, KIT_BATCH_HEADER);
    kit_put64(p, (uint64_t)base);
    kit_put32(p + 8, (uint32_t)(size - KIT_BATCH_PREFIX));
    p[16] = KIT_BATCH_MAGIC;
    kit_put32(p + 23, (uint32_t)(count - 1));
    kit_put64(p + 27, (uint64_t)ms);
    kit_put64(p + 35, (uint64_t)ms);
    memset(p + 43, 0xff, 14);
    kit_put32(p + 57, (uint32_t)count);
    kit_batch_sum(p, size);
    return size;
}

/* Describes the batch at @p for append(). @slice holds its only piece. */
static inline mrt_batch scene_describe(const uint8_t *p, mrt_slice *slice)
{
    struct kit_batch batch;
    kit_batch_decode(p, &batch);
    *slice = (mrt_slice){.kind = MRT_SLICE_MEM, .ref = (uintptr_t)p, .len = batch.size};
    return (mrt_batch){
        .body = {.v = slice, .n = 1, .bytes = batch.size},
        .base_offset = batch.base_offset,
        .last_offset = kit_batch_last(&batch),
        .max_timestamp_ms = batch.max_timestamp_ms,
        .records = (uint32_t)batch.count,
    };
}

/* Appends one batch of @count records at the end; @number says what is in it. */
static inline mrt_status scene_put(
    struct scene_log *log, int32_t count, int64_t ms, uint64_t bytes, uint32_t number)
{
    static uint8_t room[SCENE_BATCH_MAX];
    mrt_slice slice;
    scene_batch(room, scene_state(log).end, count, ms, bytes, number);
    mrt_batch batch = scene_describe(room, &slice);
    return scene_append(log, &batch, 1, 0, NULL);
}

#endif /* TESTS_UNIT_SEGMENT_SCENE_H */
