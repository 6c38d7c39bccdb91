/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/broker/bench.h"

#include <dirent.h>
#include <stdlib.h>

#include "core/record/record.h"

/* ---- making ---------------------------------------------------------------------------------- */

static bool find_keys(
    void *context, const char *kind, const char *name, const struct note_key **keys,
    uint32_t *count)
{
    struct bench *bench = context;
    const struct note_impl *declared = NULL;
    mrt_error error;
    const char *id = strcmp(kind, "storage") == 0   ? MRT_KIND_STORAGE
                     : strcmp(kind, "cleanup") == 0 ? MRT_KIND_CLEANUP
                                                    : MRT_KIND_COORDINATION;
    if (registry_declared(bench->registry, id, name, &declared, &error) != MRT_OK)
        return false;
    *keys = declared->keys;
    *count = declared->n_keys;
    return true;
}

static void make_settings(struct bench *bench)
{
    const struct settings_options none = {0};
    struct schema_source source = {.context = bench, .find = find_keys};

    bench->report = report_new();
    bench->settings = settings_load(&none, bench->report);
    settings_check_plugins(bench->settings, &source, bench->report);
    bench->topics = topic_table_new(bench->settings);
    topic_table_policy(bench->topics, "delete");
}

static struct instance *make_instance(struct bench *bench, const char *kind, const char *name)
{
    const struct impl *impl = NULL;
    struct instance *instance = NULL;
    mrt_error error = {0};
    mrt_str dir = str_of(bench->path);
    struct cfg_value values[] = {{"dir", &dir, 1, NULL}};

    assert_int_equal(registry_find(bench->registry, kind, name, &impl, &error), MRT_OK);
    struct instance_options options = {
        .runtime = bench->live.runtime,
        .name = name,
        .values = values,
        .n_values = strcmp(kind, MRT_KIND_COORDINATION) == 0,
    };
    if (instance_create(impl, &options, &instance, &error) != MRT_OK)
        fail_msg("%s", error.text);
    return instance;
}

static void on_fatal(void *context, const mrt_error *why)
{
    (void)context;
    fail_msg("fatal: %s", why->text);
}

void bench_make(struct bench *bench)
{
    mrt_error error = {0};
    struct registry_options builtins = {0};

    memset(bench, 0, sizeof *bench);
    live_start(&bench->live);
    bench->reactors = runtime_reactors(bench->live.runtime);
    snprintf(bench->path, sizeof bench->path, "/tmp/mortise-broker-XXXXXX");
    assert_non_null(mkdtemp(bench->path));
    builtins.builtins = builtins_all(&builtins.n_builtins);
    assert_int_equal(registry_new(&builtins, &bench->registry, &error), MRT_OK);
    make_settings(bench);
    bench->storage = make_instance(bench, MRT_KIND_STORAGE, "memory");
    bench->coordination = make_instance(bench, MRT_KIND_COORDINATION, "standalone");
    bench->policy = make_instance(bench, MRT_KIND_CLEANUP, "delete");
    bench->options = (struct broker_options){
        .runtime = bench->live.runtime,
        .storage = bench->storage,
        .coordination = bench->coordination,
        .policies = {bench->policy},
        .policy_count = 1,
        .dir_count = 2,
        .dirs = {str_of("/memory/one"), str_of("/memory/two")},
        .topics = bench->topics,
        .settings = bench->settings,
        .node = 7,
        .partitions_default = 3,
        .delete_topics = 1,
        .replicas_default = 1,
        .auto_create = 1,
        .rack = str_of("here"),
        .cluster_id = {1, 2, 3},
        .incarnation = {4, 5, 6},
        .endpoints = {{.listener = str_of("test"), .host = str_of("h.example"), .port = 9092}},
        .endpoint_count = 1,
        .memory_max = 64 * 1024 * 1024,
        .maintenance_ms = 20, /* so that rounds meet everything else */
        .snapshot_every_bytes = 4096,
        .on_fatal = on_fatal,
        .context = bench,
    };
}

/* ---- running --------------------------------------------------------------------------------- */

void bench_begin(struct bench *bench)
{
    struct live_op op;

    bench->broker = broker_new(&bench->options);
    bench->budget.parent = broker_budget(bench->broker);
    live_op_init(&op, broker_exec(bench->broker));
    broker_start(bench->broker, &op.op);
    assert_int_equal(live_op_wait(&op), MRT_OK);
}

void bench_quiesce(struct bench *bench)
{
    struct live_op op;

    live_op_init(&op, broker_exec(bench->broker));
    broker_quiesce(bench->broker, &op.op, BENCH_STEP_NS);
    assert_int_equal(live_op_wait(&op), MRT_OK);
}

void bench_drain(struct bench *bench)
{
    struct live_op op;

    live_op_init(&op, broker_exec(bench->broker));
    broker_drain(bench->broker, &op.op, BENCH_STEP_NS);
    assert_int_equal(live_op_wait(&op), MRT_OK);
}

static void remove_files(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *entry = NULL;
    char name[512];

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        (void)unlink(name);
    }
    if (dir != NULL)
        closedir(dir);
    (void)rmdir(path);
}

void bench_free(struct bench *bench)
{
    for (uint32_t kind = 0; kind < ACCOUNT_KINDS; kind++)
        assert_int_equal(budget_used(&bench->budget, kind), 0);
    runtime_stop(bench->live.runtime);
    broker_free(bench->broker);
    instance_destroy(bench->policy);
    instance_destroy(bench->coordination);
    instance_destroy(bench->storage);
    topic_table_free(bench->topics);
    registry_free(bench->registry);
    settings_free(bench->settings);
    report_free(bench->report);
    runtime_free(bench->live.runtime);
    env_linux_free(bench->live.env);
    assert_int_equal(bench->leases, 0);
    remove_files(bench->path);
}

void bench_start(struct bench *bench)
{
    bench_make(bench);
    bench_begin(bench);
}

void bench_stop(struct bench *bench)
{
    bench_quiesce(bench);
    bench_drain(bench);
    bench_free(bench);
}

/* ---- one operation --------------------------------------------------------------------------- */

static void ended(struct ask *ask, mrt_status status)
{
    ask->status = status;
    ask->ends++;
    live_signal(&ask->done);
}

static void on_done(mrt_op *op)
{
    struct ask *ask = op->caller;
    assert_true(exec_inside(ask->shard->reactor));
    ended(ask, op->status);
}

static void begin_inside(void *arg)
{
    struct ask *ask = arg;

    ask->call.arena = broker_table.arena_new(ask->shard, &ask->who);
    assert_non_null(ask->call.arena);
    mrt_status status = broker_table.call(ask->shard, &ask->call);
    if (status != MRT_PENDING)
        ended(ask, status);
}

void ask_begin(
    struct ask *ask, struct bench *bench, uint32_t at, uint32_t number, const void *in, void *out)
{
    memset(ask, 0, sizeof *ask);
    ask->bench = bench;
    ask->shard = &bench->broker->shards[at % bench->reactors];
    ask->who = (mrt_who){
        .size = sizeof ask->who,
        .principal = str_of("User:test"),
        .quota_bucket = (uintptr_t)&bench->budget,
    };
    ask->call = (mrt_call){
        .size = sizeof ask->call,
        .number = number,
        .op = {.done = on_done, .exec = ask->shard->reactor, .caller = ask},
        .who = &ask->who,
        .in = in,
        .out = out,
    };
    live_event_init(&ask->done);
    live_inside(ask->shard->reactor, begin_inside, ask);
}

mrt_status ask_wait(struct ask *ask)
{
    live_wait(&ask->done);
    assert_int_equal(ask->ends, 1);
    return ask->status;
}

static void end_inside(void *arg)
{
    struct ask *ask = arg;
    assert_int_equal(ask->ends, 1);
    broker_table.arena_free(ask->call.arena);
}

void ask_end(struct ask *ask)
{
    live_inside(ask->shard->reactor, end_inside, ask);
}

static void cancel_inside(void *arg)
{
    struct ask *ask = arg;
    if (ask->ends == 0)
        broker_table.cancel(ask->shard, &ask->call);
}

void ask_cancel(struct ask *ask)
{
    live_inside(ask->shard->reactor, cancel_inside, ask);
}

mrt_status ask_all(struct bench *bench, uint32_t at, uint32_t number, const void *in, void *out)
{
    struct ask ask;
    ask_begin(&ask, bench, at, number, in, out);
    mrt_status status = ask_wait(&ask);
    ask_end(&ask);
    return status;
}

/* ---- topics ---------------------------------------------------------------------------------- */

mrt_status bench_create(struct bench *bench, uint32_t at, const char *name, int32_t partitions)
{
    mrt_create_topics_topic topic = {
        .name = str_of(name), .num_partitions = partitions, .replication_factor = -1};
    mrt_create_topics in = {.size = sizeof in, .topics = &topic, .n_topics = 1};
    mrt_create_topics_out out = {.size = sizeof out};
    struct ask ask;

    ask_begin(&ask, bench, at, MRT_OP_CREATE_TOPICS, &in, &out);
    mrt_status status = ask_wait(&ask);
    if (status == MRT_OK)
        status = out.topics[0].status;
    ask_end(&ask);
    return status;
}

mrt_status bench_delete(struct bench *bench, uint32_t at, const char *name)
{
    mrt_delete_topics_topic topic = {.name = str_of(name)};
    mrt_delete_topics in = {.size = sizeof in, .topics = &topic, .n_topics = 1};
    mrt_delete_topics_out out = {.size = sizeof out};
    struct ask ask;

    ask_begin(&ask, bench, at, MRT_OP_DELETE_TOPICS, &in, &out);
    mrt_status status = ask_wait(&ask);
    if (status == MRT_OK)
        status = out.responses[0].status;
    ask_end(&ask);
    return status;
}

/* ---- records --------------------------------------------------------------------------------- */

struct counted {
    mrt_lease lease;
    struct bench *bench;
    uint8_t bytes[];
};

static void counted_release(mrt_lease *lease)
{
    struct counted *counted = (struct counted *)(void *)lease;
    struct bench *bench = counted->bench;
    if (__atomic_sub_fetch(&lease->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    free(counted);
    __atomic_sub_fetch(&bench->leases, 1, __ATOMIC_RELAXED);
}

static const mrt_lease_ops counted_ops = {.size = sizeof counted_ops, .release = counted_release};

mrt_slicev bench_batch(struct bench *bench, uint64_t bytes, mrt_slice *slice)
{
    uint64_t room = bytes + 256;
    struct counted *counted = calloc(1, sizeof *counted + room + bytes);
    struct record_maker maker;
    char *value = (char *)counted->bytes + room;
    struct record record = {.timestamp_ms = time(NULL) * 1000, .value = {value, bytes}};

    memset(value, 'v', bytes);
    counted->lease.ops = &counted_ops;
    counted->lease.refs = 1;
    counted->bench = bench;
    __atomic_add_fetch(&bench->leases, 1, __ATOMIC_RELAXED);
    record_make(&maker, counted->bytes, room);
    assert_int_equal(record_make_add(&maker, &record), MRT_OK);
    uint64_t size = record_make_end(&maker);
    *slice = (mrt_slice){MRT_SLICE_MEM, 0, (uintptr_t)counted->bytes, 0, size};
    return (mrt_slicev){slice, 1, 0, size, &counted->lease};
}

mrt_produce_res bench_produce(
    struct bench *bench, uint32_t at, const char *topic, int32_t partition, uint64_t bytes)
{
    mrt_slice slice;
    mrt_produce_part part = {
        .tp = {.topic = str_of(topic), .partition = partition, .leader_epoch = -1},
        .batches = bench_batch(bench, bytes, &slice),
    };
    mrt_produce in = {.size = sizeof in, .n = 1, .parts = &part, .acks = -1};
    mrt_produce_res result = {0};
    mrt_status status = ask_all(bench, at, MRT_OP_PRODUCE, &in, &result);

    if (status != MRT_OK) { /* nothing was taken */
        lease_release(part.batches.lease);
        result = (mrt_produce_res){.status = status, .base_offset = -1};
    }
    return result;
}

mrt_status bench_offset(
    struct bench *bench, uint32_t at, const char *topic, int32_t partition, int64_t timestamp_ms,
    int64_t *offset)
{
    mrt_list_part part = {
        .tp = {.topic = str_of(topic), .partition = partition, .leader_epoch = -1},
        .timestamp_ms = timestamp_ms,
    };
    mrt_parts in = {.size = sizeof in, .n = 1, .parts = &part};
    mrt_status status = ask_all(bench, at, MRT_OP_LIST_OFFSETS, &in, NULL);
    *offset = part.offset;
    return status != MRT_OK ? status : part.status;
}

/* ---- reading --------------------------------------------------------------------------------- */

mrt_sub *bench_subscribe(
    struct bench *bench, uint32_t at, const char *topic, uint32_t n, int64_t from,
    uint32_t max_bytes)
{
    mrt_sub_open open = {.size = sizeof open, .replica_id = -1};
    assert_int_equal(ask_all(bench, at, MRT_OP_SUB_OPEN, &open, &open), MRT_OK);
    mrt_sub_part *parts = calloc(n + 1, sizeof *parts);
    for (uint32_t i = 0; i < n; i++)
        parts[i] = (mrt_sub_part){
            .tp = {.topic = str_of(topic), .partition = (int32_t)i, .leader_epoch = -1},
            .from = from,
            .cookie = i,
            .fetched_epoch = -1,
            .max_bytes = max_bytes,
        };
    mrt_sub_set set = {.size = sizeof set, .n = n, .sub = open.sub, .parts = parts};
    assert_int_equal(ask_all(bench, at, MRT_OP_SUB_SET, &set, NULL), MRT_OK);
    free(parts);
    return open.sub;
}

mrt_status bench_unsubscribe(struct bench *bench, uint32_t at, mrt_sub *sub)
{
    mrt_sub_open in = {.size = sizeof in, .sub = sub};
    return ask_all(bench, at, MRT_OP_SUB_CLOSE, &in, NULL);
}

void poll_begin(
    struct poll *poll, struct bench *bench, uint32_t at, mrt_sub *sub, uint64_t wait_ns,
    uint64_t max_bytes, uint32_t min_bytes)
{
    memset(poll, 0, sizeof *poll);
    poll->in = (mrt_sub_poll){
        .size = sizeof poll->in,
        .sub = sub,
        .max_wait_ns = wait_ns,
        .max_bytes = max_bytes,
        .min_bytes = min_bytes,
        .full = 1,
    };
    poll->out.size = sizeof poll->out;
    ask_begin(&poll->ask, bench, at, MRT_OP_SUB_POLL, &poll->in, &poll->out);
}

mrt_status poll_wait(struct poll *poll)
{
    return ask_wait(&poll->ask);
}

uint64_t poll_bytes(const struct poll *poll)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < poll->out.n; i++)
        bytes += poll->out.parts[i].data.bytes;
    return bytes;
}

void poll_end(struct poll *poll)
{
    for (uint32_t i = 0; i < poll->out.n; i++)
        lease_release(poll->out.parts[i].data.lease);
    ask_end(&poll->ask);
}
