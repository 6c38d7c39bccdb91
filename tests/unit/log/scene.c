/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/log/scene.h"

#include "core/log/producers.h"

struct mrt_cfg {
    int64_t values[3]; /* bytes_max, segment_bytes, logs_max */
};

const mrt_plugin *storage_memory_LTX_mortise_plugin_entry(uint32_t host_abi);

struct scene scene;
uint64_t scene_seed = 1;
static const mrt_storage_ops *real;
static uint64_t answers;

/* ---- store and log --------------------------------------------------------------------------- */

static int64_t view_i64(const mrt_cfg *cfg, uint32_t key)
{
    return cfg->values[key];
}

static const mrt_cfg_view view = {.size = sizeof view, .i64 = view_i64};
static const mrt_cfg store_cfg = {{1 << 26, 1 << 24, 100}};

static void on_space(void *ctx, mrt_dir *dir, uint64_t used, uint64_t avail)
{
    (void)ctx, (void)dir, (void)used, (void)avail;
}

static void open_dir(void *arg)
{
    static const mrt_storage_events events = {.size = sizeof events, .dir_space = on_space};
    const mrt_dir_spec spec = {
        .size = sizeof spec, .exec = scene.dir_exec, .path = {"/d", 2}, .events = &events};
    struct live_op *own = arg;
    live_op_outcome(own, real->dir_open(scene.store, &own->op, &spec, &scene.dir));
}

static void close_dir(void *arg)
{
    struct live_op *own = arg;
    live_op_outcome(own, real->dir_close(scene.dir, &own->op));
}

static void stop_store(void *arg)
{
    struct live_op *own = arg;
    live_op_outcome(own, scene.impl->life->stop(scene.store, &own->op));
}

static void do_on_dir(void (*run)(void *arg))
{
    struct live_op own;
    live_op_init(&own, scene.dir_exec);
    scene_inside(scene.dir_exec, run, &own);
    scene_wait(&own.done);
    assert_int_equal(own.op.status, MRT_OK);
}

static void store_start(void)
{
    mrt_error error;
    scene.host =
        host_new(&(struct host_options){.runtime = scene.runtime, .name = "storage/memory"});
    scene.dir_exec = strand_new(scene.runtime, 0);
    const mrt_create how = {
        .size = sizeof how,
        .host = host_table(scene.host),
        .exec = scene.dir_exec,
        .view = &view,
        .cfg = &store_cfg,
    };
    scene.impl = storage_memory_LTX_mortise_plugin_entry(MRT_ABI)->impls;
    assert_int_equal(scene.impl->life->create(&how, &scene.store, &error), MRT_OK);
    real = scene.impl->ops;
    scene_door();
    do_on_dir(open_dir);
}

void scene_new(void)
{
    if (script.durable)
        scene.ops.caps |= MRT_STORAGE_DURABLE;
    struct log_options options = {
        .runtime = scene.runtime,
        .ops = &scene.ops,
        .dir = scene.dir,
        .dir_exec = scene.dir_exec,
        .topic_id = {7},
        .topic = {"orders", 6},
        .partition = 3,
        .leader_epoch = scene.leader_epoch,
        .home = 1,
        .config = scene.config,
        .policy_count = scene.policy_count,
    };
    memcpy(options.policies, scene.policies, sizeof options.policies);
    scene.log = log_new(&options);
}

static void environment_start(bool simulated)
{
    if (simulated) {
        scene.world = world_new(&(struct world_options){.seed = scene_seed});
        scene.node =
            sim_node_new(scene.world, &(struct sim_node_options){.reactors = test_reactors()});
        scene.runtime = sim_node_runtime(scene.node);
    } else {
        live_start(&scene.live);
        scene.runtime = scene.live.runtime;
    }
}

static void environment_stop(void)
{
    if (scene.world == NULL) {
        live_stop(&scene.live);
        return;
    }
    sim_node_free(scene.node);
    world_free(scene.world);
}

static int setup(bool simulated)
{
    memset(script.rules, 0, sizeof script.rules);
    script.pend_all = script.durable = script.full_once = false;
    script.durable_to = 0;
    script.chaos = 0;
    script.mutating = script.mutating_max = script.batches_max = 0;
    answers = 0;
    memset(&scene, 0, sizeof scene);
    scene.config = (struct log_config){
        .segment_bytes = 1 << 20,
        .segment_ms = INT64_MAX / 4,
        .message_bytes_max = 1 << 20,
        .timestamp_before_max_ms = INT64_MAX,
        .timestamp_after_max_ms = INT64_MAX,
    };
    scene.leader_epoch = 5;
    environment_start(simulated);
    store_start();
    scene_new();
    assert_int_equal(scene_open(), MRT_OK);
    return 0;
}

int scene_setup(void **state)
{
    (void)state;
    return setup(false);
}

int scene_setup_simulated(void **state)
{
    (void)state;
    return setup(true);
}

int scene_setup_pending(void **state)
{
    scene_setup(state);
    script.pend_all = true;
    return 0;
}

int scene_teardown(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < KINDS; i++)
        scene_pass((enum scene_kind)i);
    if (scene.log != NULL)
        scene_close();
    log_unref(scene.log);
    scene_settle();
    assert_int_equal(script.mutating, 0);
    assert_true(script.mutating_max <= 1); /* L1, in whatever the test did */
    do_on_dir(close_dir);
    do_on_dir(stop_store);
    scene.impl->life->destroy(scene.store);
    assert_int_equal(host_memory(scene.host), 0); /* every lease came back */
    host_free(scene.host);
    strand_free(scene.dir_exec);
    environment_stop();
    return 0;
}

/* ---- plain requests -------------------------------------------------------------------------- */

struct plain {
    struct log_request request;
    struct live_event done;
};

static void plain_done(struct log_request *request)
{
    live_signal(&CONTAINER(request, struct plain, request)->done);
}

static mrt_status plain(void (*call)(struct log *log, struct log_request *request))
{
    struct plain own = {.request = {.done = plain_done}};
    own.request.exec = runtime_reactor(scene.runtime, 0);
    live_event_init(&own.done);
    call(scene.log, &own.request);
    scene_wait(&own.done);
    return own.request.status;
}

mrt_status scene_open(void)
{
    return plain(log_open);
}

mrt_status scene_close(void)
{
    return plain(log_close);
}

mrt_status scene_delete(void)
{
    return plain(log_delete);
}

mrt_status scene_maintain(void)
{
    return plain(log_maintain);
}

void scene_reopen(void)
{
    assert_int_equal(scene_close(), MRT_OK);
    log_unref(scene.log);
    scene_new();
    assert_int_equal(scene_open(), MRT_OK);
}

struct scene_configure {
    struct log_configure change;
    struct live_event done;
};

static void configured(struct log_request *request)
{
    struct scene_configure *own = (struct scene_configure *)request;
    live_signal(&own->done);
}

mrt_status scene_configure(void)
{
    struct scene_configure own = {
        .change = {.config = scene.config, .policy_count = scene.policy_count}};
    memcpy(own.change.policies, scene.policies, sizeof own.change.policies);
    own.change.request.done = configured;
    own.change.request.exec = runtime_reactor(scene.runtime, 0);
    live_event_init(&own.done);
    log_configure(scene.log, &own.change);
    scene_wait(&own.done);
    return own.change.request.status;
}

struct scene_lead {
    struct log_lead lead;
    struct live_event done;
};

static void led(struct log_request *request)
{
    struct scene_lead *own = (struct scene_lead *)request;
    live_signal(&own->done);
}

mrt_status scene_lead(int32_t leader_epoch)
{
    struct scene_lead own = {.lead = {.leader_epoch = leader_epoch}};
    own.lead.request.done = led;
    own.lead.request.exec = runtime_reactor(scene.runtime, 0);
    live_event_init(&own.done);
    log_lead(scene.log, &own.lead);
    scene_wait(&own.done);
    return own.lead.request.status;
}

struct log_line scene_line(void)
{
    struct log_line line;
    log_line(scene.log, &line);
    return line;
}

struct list_blobs {
    int64_t *offsets;
    uint32_t cap;
    uint32_t n;
};

static void list_blobs(void *arg)
{
    struct list_blobs *own = arg;
    mrt_status status =
        real->blobs(script.store, MRT_BLOB_PRODUCERS, 0, own->offsets, own->cap, &own->n);
    ASSERT(status == MRT_OK);
}

uint32_t scene_snapshots(int64_t *offsets, uint32_t cap)
{
    struct list_blobs own = {offsets, cap, 0};
    scene_inside(log_exec(scene.log), list_blobs, &own);
    return own.n;
}

static void put_blob(void *arg)
{
    const int64_t *offset = arg;
    struct producers none;
    uint8_t bytes[64];
    mrt_op op = {0};
    producers_init(&none, 0);
    ASSERT(producers_size(&none) <= sizeof bytes);
    producers_encode(&none, bytes);
    mrt_str text = {(const char *)bytes, producers_size(&none)};
    mrt_status status = real->blob_put(script.store, &op, MRT_BLOB_PRODUCERS, *offset, &text, 0);
    ASSERT(status == MRT_OK); /* memory answers at once */
    producers_fini(&none);
}

void scene_put_snapshot(int64_t offset)
{
    scene_settle();
    scene_inside(log_exec(scene.log), put_blob, &offset);
}

void scene_inside(mrt_exec *exec, void (*run)(void *arg), void *arg)
{
    if (scene.world != NULL)
        world_inside(scene.world, exec, run, arg);
    else
        live_inside(exec, run, arg);
}

void scene_wait(struct live_event *event)
{
    if (scene.world == NULL) {
        live_wait(event);
        return;
    }
    while (sem_trywait(&event->sem) != 0)
        ASSERT(world_step(scene.world)); /* else it would wait for ever */
}

void scene_pause(uint32_t ms)
{
    if (scene.world != NULL)
        world_run(scene.world, world_now_ns(scene.world) + ms * UINT64_C(1000000));
    else
        usleep(ms * 1000);
}

static void nothing(void *arg)
{
    (void)arg;
}

void scene_settle(void)
{
    scene_pause(scene.world != NULL ? 1 : 0);
    for (uint32_t round = 0; round < 3; round++)
        for (uint32_t i = 0; i < runtime_reactors(scene.runtime); i++)
            scene_inside(runtime_reactor(scene.runtime, i), nothing, NULL);
}

/* ---- appends --------------------------------------------------------------------------------- */

static void append_done(struct log_request *request)
{
    struct scene_append *own = CONTAINER(request, struct scene_append, append.request);
    own->answers++;
    own->order = __atomic_fetch_add(&answers, 1, __ATOMIC_SEQ_CST);
    live_signal(&own->done);
}

static uint64_t make(uint8_t *bytes, uint64_t capacity, const struct scene_batch *what)
{
    static const char zeros[4096];
    struct record_maker maker;
    record_make(&maker, bytes, capacity);
    for (int32_t i = 0; i < (what->records > 0 ? what->records : 1); i++) {
        struct record record = {.timestamp_ms = what->timestamp_ms + i, .key = {"k", 1}};
        record.value = (mrt_str){zeros, what->value_bytes};
        assert_int_equal(record_make_add(&maker, &record), MRT_OK);
    }
    if (what->producer_id > 0) {
        maker.batch.producer_id = what->producer_id;
        maker.batch.producer_epoch = what->epoch;
        maker.batch.base_sequence = what->sequence;
    }
    return record_make_end(&maker);
}

void scene_ready(struct scene_append *own, int32_t acks, const struct scene_batch *batch)
{
    uint64_t capacity = 16384;
    uint8_t *bytes;
    mrt_lease *lease;

    memset(own, 0xa5, sizeof *own); /* nothing may depend on what was there */
    own->answers = 0;
    live_event_init(&own->done);
    assert_int_equal(block_new(capacity, &bytes, &lease), MRT_OK);
    uint64_t size = make(bytes, capacity, batch);
    own->slice = (mrt_slice){.kind = MRT_SLICE_MEM, .ref = (uintptr_t)bytes, .len = size};
    own->append.batches = (mrt_slicev){&own->slice, 1, 0, size, lease};
    own->append.acks = acks;
    own->append.leader_epoch = -1;
    own->append.trace = 0;
    own->append.request.done = append_done;
    own->append.request.exec = runtime_reactor(scene.runtime, 0);
    own->append.request.maintenance = 0;
}

void scene_start(struct scene_append *own)
{
    log_append(scene.log, &own->append);
}

mrt_status scene_end(struct scene_append *own)
{
    scene_wait(&own->done);
    assert_int_equal(own->answers, 1);
    return own->append.request.status;
}

bool scene_answered(struct scene_append *own)
{
    int value = 0;
    scene_settle();
    sem_getvalue(&own->done.sem, &value);
    return value > 0;
}

mrt_status scene_append(int32_t acks, const struct scene_batch *batch, int64_t *base)
{
    struct scene_append own;
    scene_ready(&own, acks, batch);
    scene_start(&own);
    mrt_status status = scene_end(&own);
    if (base != NULL)
        *base = own.append.base_offset;
    return status;
}

struct start_all {
    struct scene_append *all;
    uint32_t n;
};

static void start_all(void *arg)
{
    struct start_all *own = arg;
    for (uint32_t i = 0; i < own->n; i++)
        scene_start(&own->all[i]);
}

void scene_start_all(struct scene_append *all, uint32_t n)
{
    struct start_all own = {all, n};
    scene_inside(runtime_reactor(scene.runtime, 0), start_all, &own);
}

/* ---- reads, finds, trims --------------------------------------------------------------------- */

static void read_done(struct log_request *request)
{
    live_signal(&CONTAINER(request, struct scene_read, read.request)->done);
}

void scene_read_ready(struct scene_read *own, int64_t from)
{
    memset(own, 0xa5, sizeof *own);
    live_event_init(&own->done);
    own->read.res.slices = own->slices;
    own->read.res.cap = 8;
    own->read.from = from;
    own->read.bytes_max = 1 << 20;
    own->read.leader_epoch = -1;
    own->read.fetched_epoch = -1;
    own->read.committed = own->read.replica = 0;
    own->read.min_batches = 1;
    own->read.request.done = read_done;
    own->read.request.exec = runtime_reactor(scene.runtime, 0);
}

mrt_status scene_read(struct scene_read *own)
{
    log_read(scene.log, &own->read);
    scene_wait(&own->done);
    return own->read.request.status;
}

void scene_read_drop(struct scene_read *own)
{
    lease_release(own->read.res.data.lease);
    own->read.res.data.lease = NULL;
}

struct find {
    struct log_find find;
    struct live_event done;
};

static void find_done(struct log_request *request)
{
    struct find *own = (struct find *)request;
    live_signal(&own->done);
}

mrt_status scene_find(struct log_find *find, int64_t timestamp_ms)
{
    struct find own;
    memset(&own, 0xa5, sizeof own);
    own.find.request.done = find_done;
    own.find.request.exec = runtime_reactor(scene.runtime, 0);
    own.find.timestamp_ms = timestamp_ms;
    own.find.committed = 0;
    own.find.leader_epoch = -1;
    live_event_init(&own.done);
    log_find(scene.log, &own.find);
    scene_wait(&own.done);
    *find = own.find;
    return own.find.request.status;
}

struct trim {
    struct log_trim trim;
    struct live_event done;
};

static void trim_done(struct log_request *request)
{
    struct trim *own = (struct trim *)request;
    live_signal(&own->done);
}

mrt_status scene_trim(int64_t upto, int64_t *low)
{
    struct trim own = {.trim = {.upto = upto}};
    own.trim.request.done = trim_done;
    own.trim.request.exec = runtime_reactor(scene.runtime, 0);
    live_event_init(&own.done);
    log_trim(scene.log, &own.trim);
    scene_wait(&own.done);
    *low = own.trim.low_watermark;
    return own.trim.request.status;
}

static void put_epochs(void *arg)
{
    mrt_op op = {0};
    mrt_str text = {arg, strlen(arg)};
    mrt_status status = real->blob_put(script.store, &op, MRT_BLOB_EPOCHS, 0, &text, 0);
    ASSERT(status == MRT_OK); /* memory answers at once */
}

void scene_put_epochs(char *text)
{
    scene_settle();
    scene_inside(log_exec(scene.log), put_epochs, text);
}
