/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The controller on the standalone log on real threads and real files: what it wrote in one life is
 * what it finds in the next. The directory is made for the test and removed.
 */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "core/base/str.h"
#include "core/controller/controller.h"
#include "core/runtime/host.h"
#include "tests/unit/live.h"

#define ASKS 200

const mrt_plugin *coordination_raft_LTX_mortise_plugin_entry(uint32_t host_abi);

struct mrt_cfg {
    int64_t i64[4];
    mrt_str dir;
};

struct ask {
    struct controller_request request;
    struct controller_topic topic;
    char name[32];
    struct live_event done;
};

/* One life of a node. */
struct node {
    struct live live;
    mrt_exec *exec;
    struct host *host;
    const mrt_impl *impl;
    void *inst;
    struct mrt_cfg cfg;
    struct controller *controller;
    struct image *image; /* owned; read once the controller is at rest */
    uint32_t fatals;
    uint64_t snapshot_every;
};

static struct ask asks[ASKS];
static char dir[64];

static int64_t read_number(const mrt_cfg *cfg, uint32_t key)
{
    return cfg->i64[key];
}

static void read_text(const mrt_cfg *cfg, uint32_t key, mrt_str *out)
{
    (void)key;
    *out = cfg->dir;
}

static const mrt_cfg_view view = {.size = sizeof view, .i64 = read_number, .str = read_text};

static void on_image(void *context, struct image *image, const struct image_changes *changes)
{
    struct node *node = context;
    (void)changes;
    image_unref(node->image);
    node->image = image_ref(image);
}

static void on_fatal(void *context, const mrt_error *why)
{
    struct node *node = context;
    (void)why;
    node->fatals++;
}

struct call {
    struct node *node;
    struct live_op *op;
};

static void open_inside(void *arg)
{
    struct call *call = arg;
    live_op_init(call->op, call->node->exec);
    live_op_outcome(call->op, controller_open(call->node->controller, &call->op->op));
}

static void close_inside(void *arg)
{
    struct call *call = arg;
    live_op_init(call->op, call->node->exec);
    live_op_outcome(call->op, controller_close(call->node->controller, &call->op->op));
}

static mrt_status node_start(struct node *node, uint64_t snapshot_every)
{
    struct live_op op;
    mrt_error error = {0};
    *node = (struct node){.cfg = {.i64 = {0, 16384, 0, 0}, .dir = str_of(dir)}};
    live_start(&node->live);
    node->exec = strand_new(node->live.runtime, 1);
    node->host = host_new(&(struct host_options){.runtime = node->live.runtime, .name = "meta"});
    node->impl = coordination_raft_LTX_mortise_plugin_entry(MRT_ABI)->impls;
    mrt_create how = {
        .size = sizeof how,
        .host = host_table(node->host),
        .exec = node->exec,
        .view = &view,
        .cfg = &node->cfg,
        .name = str_of("meta"),
    };
    assert_int_equal(node->impl->life->create(&how, &node->inst, &error), MRT_OK);
    node->controller = controller_new(&(struct controller_options){
        .runtime = node->live.runtime,
        .exec = node->exec,
        .ops = node->impl->ops,
        .inst = node->inst,
        .node = 1,
        .cluster_id = {1, 2, 3},
        .snapshot_every_bytes = snapshot_every,
        .on_image = on_image,
        .on_fatal = on_fatal,
        .context = node,
    });
    live_inside(node->exec, open_inside, &(struct call){node, &op});
    return live_op_wait(&op);
}

static void node_stop(struct node *node)
{
    struct live_op op;
    live_inside(node->exec, close_inside, &(struct call){node, &op});
    assert_int_equal(live_op_wait(&op), MRT_OK);
    controller_free(node->controller);
    node->impl->life->destroy(node->inst);
    assert_int_equal(node->fatals, 0);
    assert_int_equal(host_memory(node->host), 0);
    host_free(node->host);
    strand_free(node->exec);
    live_stop(&node->live);
    image_unref(node->image);
}

static void on_done(struct controller_request *request)
{
    live_signal(&CONTAINER(request, struct ask, request)->done);
}

static void ask_init(struct ask *ask, struct node *node, enum controller_request_kind kind)
{
    memset(ask, 0, sizeof *ask);
    live_event_init(&ask->done);
    ask->request.kind = kind;
    ask->request.done = on_done;
    ask->request.exec = runtime_reactor(node->live.runtime, 0);
}

static void register_broker(struct node *node)
{
    struct image_broker broker = {.id = 1};
    ask_init(&asks[0], node, CONTROLLER_REGISTER_BROKER);
    asks[0].request.broker = &broker;
    controller_submit(node->controller, &asks[0].request);
    live_wait(&asks[0].done);
    assert_int_equal(asks[0].request.status, MRT_OK);
}

/* @n topics at once, all at the same time; every one must be made. */
static void create_topics(struct node *node, uint32_t from, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        struct ask *ask = &asks[i];
        ask_init(ask, node, CONTROLLER_CREATE_TOPICS);
        snprintf(ask->name, sizeof ask->name, "topic-%u", from + i);
        ask->topic.name = str_of(ask->name);
        ask->topic.partitions = 3;
        ask->topic.replication_factor = 1;
        ask->request.topics = &ask->topic;
        ask->request.n_topics = 1;
        controller_submit(node->controller, &ask->request);
    }
    for (uint32_t i = 0; i < n; i++) {
        live_wait(&asks[i].done);
        assert_int_equal(asks[i].request.status, MRT_OK);
        assert_int_equal(asks[i].topic.status, MRT_OK);
    }
}

static int make_directory(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/mortise-live-%d-XXXXXX", (int)getpid());
    assert_non_null(mkdtemp(dir));
    strcat(dir, "/meta");
    return 0;
}

static uint32_t remove_files(void)
{
    char path[512];
    uint32_t n = 0;
    DIR *handle = opendir(dir);
    assert_non_null(handle);
    for (struct dirent *entry = readdir(handle); entry != NULL; entry = readdir(handle)) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", dir, entry->d_name);
        n++;
        assert_int_equal(unlink(path), 0);
    }
    closedir(handle);
    return n;
}

static int remove_directory(void **state)
{
    (void)state;
    remove_files();
    assert_int_equal(rmdir(dir), 0);
    *strrchr(dir, '/') = '\0';
    assert_int_equal(rmdir(dir), 0);
    return 0;
}

static void what_one_life_wrote_the_next_one_finds(void **state)
{
    (void)state;
    static struct node node;
    uint8_t id[16];
    assert_int_equal(node_start(&node, 0), MRT_OK);
    register_broker(&node);
    create_topics(&node, 0, ASKS);
    memcpy(id, asks[7].topic.id, 16);
    node_stop(&node);
    for (uint32_t life = 1; life < 4; life++) {
        assert_int_equal(node_start(&node, 0), MRT_OK);
        register_broker(&node);
        create_topics(&node, life * ASKS, 5);
        assert_int_equal(image_topic_count(node.image), ASKS + 5 * life);
        const struct image_topic *topic = image_topic_by_id(node.image, id);
        assert_non_null(topic);
        assert_true(str_is(&topic->name, "topic-7"));
        assert_int_equal(image_epoch(node.image), life + 1);
        node_stop(&node);
    }
}

static void snapshots_are_stored_and_bound_the_log(void **state)
{
    (void)state;
    static struct node node;
    uint32_t made = 0;
    for (uint32_t life = 0; life < 6; life++) {
        assert_int_equal(node_start(&node, 20000), MRT_OK);
        register_broker(&node);
        for (uint32_t round = 0; round < 4; round++, made += 100)
            create_topics(&node, made, 100);
        assert_int_equal(image_topic_count(node.image), made);
        node_stop(&node);
    }
    assert_true(remove_files() < 16); /* lock, vote, a snapshot, and a few segments of 16 KiB */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_directory, remove_directory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_one_life_wrote_the_next_one_finds),
        TEST(snapshots_are_stored_and_bound_the_log),
    };
    return cmocka_run_group_tests_name("coordination/live", tests, NULL, NULL);
}
