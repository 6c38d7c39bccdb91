/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/controller/bench.h"

#include <string.h>

#include "core/base/str.h"

const uint8_t bench_cluster[16] = {9, 8, 7, 6, 5, 4, 0x43, 2, 0x81, 1, 2, 3, 4, 5, 6, 7};

static void on_image(void *context, struct image *image, const struct image_changes *changes)
{
    struct bench *bench = context;
    ASSERT(exec_inside(bench->exec));
    ASSERT(bench->image == NULL || image_version(image) > image_version(bench->image)); /* K3 */
    image_unref(bench->image);
    bench->image = image_ref(image);
    bench->versions++;
    for (uint32_t i = 0; i < changes->n; i++)
        bench->created += changes->v[i].kind == IMAGE_TOPIC_CREATED;
}

static void on_fatal(void *context, const mrt_error *why)
{
    struct bench *bench = context;
    bench->fatal = *why;
    bench->fatals++;
    live_signal(&bench->fatal_event);
}

int bench_begin(void **state)
{
    static struct bench bench;
    bench = (struct bench){.snapshot_every = 0};
    live_start(&bench.live);
    live_event_init(&bench.fatal_event);
    bench.exec = strand_new(bench.live.runtime, 0);
    fake_init(&bench.fake);
    bench.fake.exec = bench.exec;
    *state = &bench;
    return 0;
}

int bench_end(void **state)
{
    struct bench *bench = *state;
    if (bench->controller != NULL)
        bench_close(bench);
    bench_settle(bench);
    strand_free(bench->exec);
    live_stop(&bench->live);
    image_unref(bench->image);
    fake_fini(&bench->fake);
    return 0;
}

struct call {
    struct bench *bench;
    struct live_op *op;
};

static void open_inside(void *arg)
{
    struct call *call = arg;
    live_op_init(call->op, call->bench->exec);
    live_op_outcome(call->op, controller_open(call->bench->controller, &call->op->op));
}

static void close_inside(void *arg)
{
    struct call *call = arg;
    live_op_init(call->op, call->bench->exec);
    live_op_outcome(call->op, controller_close(call->bench->controller, &call->op->op));
}

void bench_inside(struct bench *bench, void (*run)(void *arg), void *arg)
{
    live_inside(bench->exec, run, arg);
}

static void nothing(void *arg)
{
    (void)arg;
}

void bench_settle(struct bench *bench)
{
    for (uint32_t i = 0; i < 20; i++)
        live_inside(bench->exec, nothing, NULL);
}

void bench_open_async(struct bench *bench, struct live_op *op)
{
    struct controller_options options = {
        .runtime = bench->live.runtime,
        .exec = bench->exec,
        .ops = &fake_ops,
        .inst = &bench->fake,
        .node = 1,
        .snapshot_every_bytes = bench->snapshot_every,
        .on_image = on_image,
        .on_fatal = on_fatal,
        .context = bench,
    };
    memcpy(options.cluster_id, bench_cluster, 16);
    image_unref(bench->image);
    bench->image = NULL;
    bench->created = 0;
    bench->versions = 0;
    bench->controller = controller_new(&options);
    live_inside(bench->exec, open_inside, &(struct call){bench, op});
}

mrt_status bench_open(struct bench *bench)
{
    static struct live_op op;
    bench_open_async(bench, &op);
    return live_op_wait(&op);
}

void bench_close(struct bench *bench)
{
    struct live_op op;
    live_inside(bench->exec, close_inside, &(struct call){bench, &op});
    assert_int_equal(live_op_wait(&op), MRT_OK);
    bench_settle(bench);
    controller_free(bench->controller);
    bench->controller = NULL;
}

static void on_done(struct controller_request *request)
{
    struct ask *ask = CONTAINER(request, struct ask, request);
    ASSERT(exec_inside(request->exec));
    ask->answers++;
    live_signal(&ask->done);
}

void ask_init(struct ask *ask, struct bench *bench, enum controller_request_kind kind)
{
    *ask = (struct ask){
        .request = {
            .kind = kind,
            .done = on_done,
            .exec = runtime_reactor(bench->live.runtime, 0),
            .topics = ask->topics,
        }};
    live_event_init(&ask->done);
}

struct controller_topic *ask_topic(struct ask *ask, const char *name)
{
    ASSERT(ask->request.n_topics < BENCH_TOPICS);
    struct controller_topic *topic = &ask->topics[ask->request.n_topics++];
    topic->name = str_of(name);
    topic->partitions = 1;
    topic->replication_factor = 1;
    return topic;
}

void ask_send(struct ask *ask, struct bench *bench)
{
    controller_submit(bench->controller, &ask->request);
}

mrt_status ask_wait(struct ask *ask)
{
    live_wait(&ask->done);
    assert_int_equal(ask->answers, 1);
    return ask->request.status;
}

static mrt_status one(struct bench *bench, const char *name, enum controller_request_kind kind)
{
    static struct ask ask;
    ask_init(&ask, bench, kind);
    ask_topic(&ask, name);
    ask_send(&ask, bench);
    mrt_status status = ask_wait(&ask);
    return status != MRT_OK ? status : ask.topics[0].status;
}

mrt_status bench_create(struct bench *bench, const char *name)
{
    return one(bench, name, CONTROLLER_CREATE_TOPICS);
}

mrt_status bench_delete(struct bench *bench, const char *name)
{
    return one(bench, name, CONTROLLER_DELETE_TOPICS);
}

mrt_status bench_register(struct bench *bench, int32_t id)
{
    static struct ask ask;
    struct image_endpoint endpoint = {str_of("kafka"), str_of(""), 9092, 0};
    struct image_broker broker = {.id = id, .n_endpoints = 1, .endpoints = &endpoint};
    ask_init(&ask, bench, CONTROLLER_REGISTER_BROKER);
    ask.request.broker = &broker;
    ask_send(&ask, bench);
    mrt_status status = ask_wait(&ask);
    if (status == MRT_OK)
        assert_int_equal(ask.request.broker_epoch, image_broker(bench->image, id)->epoch);
    return status;
}

const struct image_topic *bench_topic(const struct bench *bench, const char *name)
{
    mrt_str text = str_of(name);
    return image_topic(bench->image, &text);
}
