/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The controller on the standalone log in a simulated world: many requests at once, the power cut
 * at a moment the seed chooses, and another life on what the disk kept. What was answered is there.
 */
#include <stdio.h>
#include <string.h>

#include "core/base/list.h"
#include "core/base/str.h"
#include "core/controller/controller.h"
#include "core/runtime/host.h"
#include "tests/sim/world.h"
#include "tests/unit/cmocka.h"

#define ASKS  40
#define SEEDS 200

const mrt_plugin *coordination_raft_LTX_mortise_plugin_entry(uint32_t host_abi);

struct mrt_cfg {
    int64_t i64[4];
};

struct ask {
    struct controller_request request;
    struct controller_topic topic;
    char name[32];
    uint32_t answers;
};

/* One life. */
struct life {
    struct world *world;
    struct sim_node *sim;
    mrt_exec *exec;
    struct host *host;
    const mrt_impl *impl;
    void *inst;
    struct controller *controller;
    struct image *image; /* owned; the last one seen */
    mrt_op op;
    uint32_t ended;
    uint32_t fatals;
    struct ask asks[ASKS];
};

static struct life life;

static int64_t read_number(const mrt_cfg *cfg, uint32_t key)
{
    return cfg->i64[key];
}

static void read_text(const mrt_cfg *cfg, uint32_t key, mrt_str *out)
{
    (void)cfg, (void)key;
    *out = str_of("/meta");
}

static const mrt_cfg_view view = {.size = sizeof view, .i64 = read_number, .str = read_text};
static const struct mrt_cfg cfg = {{0, 4096, 0, 0}};

static void on_image(void *context, struct image *image, const struct image_changes *changes)
{
    (void)context, (void)changes;
    if (life.image != NULL)
        assert_true(image_version(image) > image_version(life.image)); /* K3 */
    image_unref(life.image);
    life.image = image_ref(image);
}

static void on_fatal(void *context, const mrt_error *why)
{
    (void)context;
    fail_msg("fatal: %s", why->text);
}

static void op_ended(mrt_op *op)
{
    life.ended++;
    assert_ptr_equal(op, &life.op);
}

static void open_inside(void *arg)
{
    (void)arg;
    op_init(&life.op, life.exec, op_ended, NULL);
    assert_int_equal(op_outcome(&life.op, controller_open(life.controller, &life.op)), MRT_PENDING);
}

static void close_inside(void *arg)
{
    (void)arg;
    op_init(&life.op, life.exec, op_ended, NULL);
    assert_int_equal(
        op_outcome(&life.op, controller_close(life.controller, &life.op)), MRT_PENDING);
}

static mrt_status wait_op(void (*begin)(void *arg))
{
    life.ended = 0;
    world_inside(life.world, life.exec, begin, NULL);
    while (!life.ended && world_step(life.world))
        continue;
    assert_int_equal(life.ended, 1);
    return life.op.status;
}

static void life_begin(struct disk *disk, uint64_t seed)
{
    mrt_error error = {0};
    memset(&life, 0, sizeof life);
    life.world = world_new(&(struct world_options){.seed = seed});
    life.sim = sim_node_new(
        life.world, &(struct sim_node_options){.reactors = test_reactors(), .disk = disk});
    struct runtime *runtime = sim_node_runtime(life.sim);
    life.exec = strand_new(runtime, 0);
    life.host = host_new(&(struct host_options){.runtime = runtime, .name = "meta"});
    life.impl = coordination_raft_LTX_mortise_plugin_entry(MRT_ABI)->impls;
    mrt_create how = {
        .size = sizeof how,
        .host = host_table(life.host),
        .exec = life.exec,
        .view = &view,
        .cfg = &cfg,
        .name = str_of("meta"),
    };
    assert_int_equal(life.impl->life->create(&how, &life.inst, &error), MRT_OK);
    life.controller = controller_new(&(struct controller_options){
        .runtime = runtime,
        .exec = life.exec,
        .ops = life.impl->ops,
        .inst = life.inst,
        .node = 1,
        .cluster_id = {7},
        .snapshot_every_bytes = seed % 2 == 0 ? 1500 : 0,
        .on_image = on_image,
        .on_fatal = on_fatal,
    });
    assert_int_equal(wait_op(open_inside), MRT_OK);
}

static void life_end(void)
{
    assert_int_equal(wait_op(close_inside), MRT_OK);
    assert_true(world_run(life.world, WORLD_FOREVER));
    controller_free(life.controller);
    life.impl->life->destroy(life.inst);
    assert_int_equal(host_memory(life.host), 0);
    host_free(life.host);
    strand_free(life.exec);
    sim_node_free(life.sim);
    world_free(life.world);
    image_unref(life.image);
    for (uint32_t i = 0; i < ASKS; i++) /* every request ends, once */
        assert_int_equal(life.asks[i].answers, life.asks[i].request.done != NULL);
}

static void on_done(struct controller_request *request)
{
    CONTAINER(request, struct ask, request)->answers++;
}

static void submit(uint32_t i, enum controller_request_kind kind, uint32_t number)
{
    static const struct image_broker broker = {.id = 1};
    struct ask *ask = &life.asks[i];
    snprintf(ask->name, sizeof ask->name, "topic-%u", number);
    ask->topic.name = str_of(ask->name);
    ask->topic.partitions = 2;
    ask->topic.replication_factor = 1;
    ask->request.kind = kind;
    ask->request.done = on_done;
    ask->request.exec = runtime_reactor(sim_node_runtime(life.sim), i % test_reactors());
    ask->request.topics = &ask->topic;
    ask->request.n_topics = kind == CONTROLLER_CREATE_TOPICS;
    ask->request.broker = &broker;
    controller_submit(life.controller, &ask->request);
}

static void register_broker(void)
{
    submit(0, CONTROLLER_REGISTER_BROKER, 0);
    while (life.asks[0].answers == 0 && world_step(life.world))
        continue;
    assert_int_equal(life.asks[0].request.status, MRT_OK);
}

static void what_was_answered_survives_a_power_cut(void **state)
{
    (void)state;
    uint32_t some = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        char answered[ASKS][32] = {{0}};
        struct disk *disk = disk_new(0);
        life_begin(disk, seed);
        register_broker();
        for (uint32_t i = 1; i < ASKS; i++) {
            submit(i, CONTROLLER_CREATE_TOPICS, i * 31 % 37); /* some names come twice */
            for (uint64_t step = 0; step < (i % 10 == 0 ? seed * i % 23 : 0); step++)
                world_step(life.world);
        }
        for (uint64_t step = 0; step < seed % 11; step++)
            world_step(life.world);
        uint32_t n = 0;
        for (uint32_t i = 1; i < ASKS; i++) {
            const struct ask *ask = &life.asks[i];
            bool made = ask->answers > 0 && ask->request.status == MRT_OK &&
                        (ask->topic.status == MRT_OK || ask->topic.status == MRT_EEXIST);
            if (made)
                memcpy(answered[n++], ask->name, sizeof ask->name);
        }
        struct disk *cut = disk_copy_cut(disk, seed);
        life_end();

        life_begin(cut, seed + 1000);
        for (uint32_t i = 0; i < n; i++) {
            mrt_str name = str_of(answered[i]);
            if (image_topic(life.image, &name) == NULL)
                fail_msg("seed %d: %s was answered and is gone", (int)seed, answered[i]);
        }
        some += n > 0 && n < ASKS - 1;
        assert_int_equal(image_controller(life.image), 1);
        register_broker();
        life_end();
        disk_free(cut);
        disk_free(disk);
    }
    assert_true(some > SEEDS / 4);
}

static void the_same_seed_is_the_same_run(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        uint64_t hash[2];
        for (uint32_t run = 0; run < 2; run++) {
            struct disk *disk = disk_new(0);
            life_begin(disk, seed);
            register_broker();
            for (uint32_t i = 1; i < ASKS; i++)
                submit(i, CONTROLLER_CREATE_TOPICS, i);
            assert_true(world_run(life.world, WORLD_FOREVER));
            hash[run] = world_hash(life.world);
            life_end();
            disk_free(disk);
        }
        assert_true(hash[0] == hash[1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_answered_survives_a_power_cut),
        cmocka_unit_test(the_same_seed_is_the_same_run),
    };
    return cmocka_run_group_tests_name("coordination/world", tests, NULL, NULL);
}
