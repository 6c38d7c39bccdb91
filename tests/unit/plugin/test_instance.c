/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Instances of a plugin that is linked in: "actor" does what its settings say, inline or later,
 * and notes what it was asked. A second builtin has the same kind and another name.
 */
#include <string.h>

#include <mortise/cleanup.h>

#include "core/base/str.h"
#include "core/plugin/instance.h"
#include "tests/unit/live.h"

/* ---- the plugins ----------------------------------------------------------------------------- */

#define SLIP_OR(way)                                                                               \
    "key=" way MRT_NOTE_END "key.type=enum" MRT_NOTE_END                                           \
    "key.choices=ok,later,fail,fail_later" MRT_NOTE_END "key.default=ok" MRT_NOTE_END              \
    "key.doc=How the call of this name ends." MRT_NOTE_END

static const char actor_note[] =
    "name=test-actor" MRT_NOTE_END "version=1" MRT_NOTE_END "abi=0.1" MRT_NOTE_END
    "need=0.1" MRT_NOTE_END "tier=stable" MRT_NOTE_END
    "impl=mortise.cleanup/1 actor" MRT_NOTE_END SLIP_OR("start") SLIP_OR("drain")
        SLIP_OR("stop") "key=create" MRT_NOTE_END "key.type=bool" MRT_NOTE_END
                        "key.default=true" MRT_NOTE_END
                        "key.doc=Does create() succeed?" MRT_NOTE_END "key=level" MRT_NOTE_END
                        "key.type=i64" MRT_NOTE_END "key.default=1" MRT_NOTE_END
                        "key.min=0" MRT_NOTE_END "key.max=9" MRT_NOTE_END
                        "key.flags=dynamic" MRT_NOTE_END "key.doc=Even ones are refused.";

enum {
    KEY_START,
    KEY_DRAIN,
    KEY_STOP,
    KEY_CREATE,
    KEY_LEVEL
};

struct actor {
    const mrt_host *host;
    const mrt_host_exec *exec_table;
    const mrt_cfg_view *view;
    const mrt_cfg *cfg;
    mrt_exec *exec;
    mrt_task task;
    mrt_op *pending;
    mrt_status late;
    char asked[64]; /* a letter a call: s tart, d rain, x stop, r econfigure, a pply */
    char name[32];
};

static void note(struct actor *actor, char what)
{
    assert_int_equal(actor->host->inside(actor->host, actor->exec), 1);
    actor->asked[strlen(actor->asked)] = what;
}

static void actor_later(mrt_task *task)
{
    struct actor *actor = CONTAINER(task, struct actor, task);
    actor->host->op_done(actor->host, actor->pending, actor->late, NULL);
}

static mrt_status actor_end(struct actor *actor, uint32_t key, mrt_op *op)
{
    int64_t way = actor->view->i64(actor->cfg, key);
    mrt_status status = way < 2 ? MRT_OK : MRT_EIO;
    if (way % 2 == 0)
        return status;
    actor->pending = op;
    actor->late = status;
    actor->task = (mrt_task){.run = actor_later};
    actor->exec_table->post(actor->exec, &actor->task);
    return MRT_PENDING;
}

static mrt_status actor_create(const mrt_create *how, void **inst, mrt_error *error)
{
    if (how->view->i64(how->cfg, KEY_CREATE) == 0) {
        strcpy(error->text, "told to fail: set create = true");
        return MRT_EINVAL;
    }
    struct actor *actor = how->host->alloc(how->host, sizeof *actor, 8);
    memset(actor, 0, sizeof *actor);
    actor->host = how->host;
    actor->exec_table = how->host->get(how->host, MRT_HOST_EXEC);
    actor->view = how->view;
    actor->cfg = how->cfg;
    actor->exec = how->exec;
    memcpy(actor->name, how->name.p, how->name.n);
    *inst = actor;
    return MRT_OK;
}

static mrt_status actor_start(void *inst, mrt_op *op)
{
    note(inst, 's');
    return actor_end(inst, KEY_START, op);
}

static mrt_status actor_drain(void *inst, mrt_op *op)
{
    note(inst, 'd');
    return actor_end(inst, KEY_DRAIN, op);
}

static mrt_status actor_stop(void *inst, mrt_op *op)
{
    note(inst, 'x');
    return actor_end(inst, KEY_STOP, op);
}

static mrt_status actor_reconfigure(
    void *inst, const mrt_cfg *next, uint32_t phase, mrt_error *error)
{
    struct actor *actor = inst;
    note(actor, phase == MRT_RECONFIGURE_APPLY ? 'a' : 'r');
    if (phase == MRT_RECONFIGURE_APPLY)
        actor->cfg = next;
    else if (actor->view->i64(next, KEY_LEVEL) % 2 == 0) {
        strcpy(error->text, "level is even");
        return MRT_EINVAL;
    }
    return MRT_OK;
}

static void actor_destroy(void *inst)
{
    struct actor *actor = inst;
    actor->host->free(actor->host, actor);
}

static mrt_status actor_plan(
    void *inst, const mrt_clean_view *view, mrt_verdict *out, uint32_t cap, uint32_t *n)
{
    (void)inst, (void)view, (void)out, (void)cap;
    *n = 0;
    return MRT_OK;
}

static const mrt_lifecycle actor_life = {
    .size = sizeof actor_life,
    .create = actor_create,
    .start = actor_start,
    .reconfigure = actor_reconfigure,
    .drain = actor_drain,
    .stop = actor_stop,
    .destroy = actor_destroy,
};

static const mrt_cleanup_ops actor_ops = {.size = sizeof actor_ops, .plan = actor_plan};

static const mrt_plugin *actor_entry(uint32_t host_abi)
{
    static const mrt_impl impl = {sizeof impl, 0,           MRT_KIND_CLEANUP,
                                  "actor",     &actor_life, &actor_ops};
    static const mrt_plugin plugin = {sizeof plugin, MRT_ABI, actor_note,  sizeof actor_note,
                                      &impl,         1,       sizeof impl, NULL};
    (void)host_abi;
    return &plugin;
}

static const char extra_note[] =
    "name=test-extra" MRT_NOTE_END "version=1" MRT_NOTE_END "abi=0.1" MRT_NOTE_END
    "need=0.1" MRT_NOTE_END "tier=stable" MRT_NOTE_END "impl=mortise.cleanup/1 extra";

static const mrt_plugin *extra_entry(uint32_t host_abi)
{
    static const mrt_impl impl = {sizeof impl, 0,           MRT_KIND_CLEANUP,
                                  "extra",     &actor_life, &actor_ops};
    static const mrt_plugin plugin = {sizeof plugin, MRT_ABI, extra_note,  sizeof extra_note,
                                      &impl,         1,       sizeof impl, NULL};
    (void)host_abi;
    return &plugin;
}

/* ---- fixture --------------------------------------------------------------------------------- */

struct fixture {
    struct live live;
    struct registry *registry;
    const struct impl *impl;
};

static int setup(void **state)
{
    static const struct builtin builtins[] = {
        {"test-actor", actor_entry}, {"test-extra", extra_entry}};
    struct fixture *fixture = calloc(1, sizeof *fixture);
    mrt_error error = {0};
    live_start(&fixture->live);
    const struct registry_options options = {.builtins = builtins, .n_builtins = 2};
    assert_int_equal(registry_new(&options, &fixture->registry, &error), MRT_OK);
    assert_string_equal(registry_at(fixture->registry, 0)->refusal.text, "");
    assert_int_equal(
        registry_find(fixture->registry, MRT_KIND_CLEANUP, "actor", &fixture->impl, &error),
        MRT_OK);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    registry_free(fixture->registry);
    live_stop(&fixture->live);
    free(fixture);
    return 0;
}

/* An actor told to end @key in the way @how. */
static struct instance *actor(struct fixture *fixture, const char *key, const char *how)
{
    struct instance *instance = NULL;
    mrt_error error = {0};
    const mrt_str item = str_of(how);
    const struct cfg_value value = {key, &item, 1, NULL};
    const struct instance_options options = {
        .runtime = fixture->live.runtime, .name = "hamlet", .values = &value, .n_values = 1};
    assert_int_equal(instance_create(fixture->impl, &options, &instance, &error), MRT_OK);
    return instance;
}

static mrt_status step(
    struct fixture *fixture, struct instance *instance, void (*run)(struct instance *, mrt_op *))
{
    struct live_op op;
    live_op_init(&op, runtime_reactor(fixture->live.runtime, 0));
    run(instance, &op.op);
    return live_op_wait(&op);
}

static const char *asked(const struct instance *instance)
{
    return ((const struct actor *)instance->inst)->asked;
}

/* ---- rules ----------------------------------------------------------------------------------- */

static void two_builtins_are_told_apart(void **state)
{
    struct fixture *fixture = *state;
    const struct impl *extra = NULL;
    mrt_error error = {0};
    assert_int_equal(
        registry_find(fixture->registry, MRT_KIND_CLEANUP, "extra", &extra, &error), MRT_OK);
    assert_string_equal(extra->plugin->module->note->name, "test-extra");
    assert_string_equal(fixture->impl->plugin->module->note->name, "test-actor");
    assert_string_equal(fixture->impl->plugin->path, "builtin:test-actor");
}

static void a_life_in_order_whether_calls_end_at_once_or_later(void **state)
{
    struct fixture *fixture = *state;
    const char *const keys[] = {"start", "drain", "stop"};
    const char *const ways[] = {"ok", "later"};
    for (uint32_t i = 0; i < 6; i++) {
        struct instance *instance = actor(fixture, keys[i / 2], ways[i % 2]);
        assert_string_equal(((struct actor *)instance->inst)->name, "hamlet");
        assert_int_equal(step(fixture, instance, instance_start), MRT_OK);
        assert_int_equal(instance->state, INSTANCE_RUNNING);
        assert_int_equal(step(fixture, instance, instance_drain), MRT_OK);
        assert_int_equal(instance->state, INSTANCE_DRAINED);
        assert_int_equal(step(fixture, instance, instance_stop), MRT_OK);
        assert_string_equal(asked(instance), "sdx");
        instance_destroy(instance);
    }
}

static void a_failed_start_is_stopped_and_keeps_its_status(void **state)
{
    struct fixture *fixture = *state;
    const char *const ways[] = {"fail", "fail_later"};
    for (uint32_t i = 0; i < 2; i++) {
        struct instance *instance = actor(fixture, "start", ways[i]);
        assert_int_equal(step(fixture, instance, instance_start), MRT_EIO);
        assert_int_equal(instance->state, INSTANCE_STOPPED);
        assert_string_equal(asked(instance), "sx");
        instance_destroy(instance);
    }
}

static void an_instance_that_was_never_started_can_be_destroyed(void **state)
{
    struct fixture *fixture = *state;
    struct instance *instance = actor(fixture, "start", "ok");
    assert_true(host_memory(instance->host) > 0);
    instance_destroy(instance);
    instance_destroy(NULL);
}

static void a_failed_create_leaves_nothing_and_names_the_instance(void **state)
{
    struct fixture *fixture = *state;
    struct instance *instance = NULL;
    mrt_error error = {0};
    const mrt_str no = str_of("false");
    const struct cfg_value value = {"create", &no, 1, "conf.d/a.conf:1:2"};
    const struct instance_options options = {
        .runtime = fixture->live.runtime, .name = "hamlet", .values = &value, .n_values = 1};
    assert_int_equal(instance_create(fixture->impl, &options, &instance, &error), MRT_EINVAL);
    assert_string_equal(error.text, "hamlet: told to fail: set create = true");
    assert_null(instance);
}

static void settings_are_checked_before_the_plugin_is_asked(void **state)
{
    struct fixture *fixture = *state;
    struct instance *instance = NULL;
    mrt_error error = {0};
    const mrt_str ten = str_of("10");
    const struct cfg_value value = {"level", &ten, 1, "conf.d/a.conf:1:2"};
    const struct instance_options options = {
        .runtime = fixture->live.runtime, .name = "hamlet", .values = &value, .n_values = 1};
    assert_int_equal(instance_create(fixture->impl, &options, &instance, &error), MRT_EINVAL);
    assert_string_equal(
        error.text,
        "hamlet: conf.d/a.conf:1:2: level = \"10\" is out of range: 0 to 9 are allowed");
    assert_null(instance);
}

static mrt_status reconfigure(
    struct fixture *fixture, struct instance *instance, const mrt_cfg *next, uint32_t phase,
    mrt_error *error)
{
    struct live_op op;
    live_op_init(&op, runtime_reactor(fixture->live.runtime, 0));
    instance_reconfigure(instance, next, phase, &op.op, error);
    return live_op_wait(&op);
}

static void new_settings_are_checked_and_then_taken_over(void **state)
{
    struct fixture *fixture = *state;
    struct instance *instance = actor(fixture, "level", "3");
    const char *const texts[] = {"4", "5"};
    const mrt_cfg *next[2] = {NULL, NULL}, *first = instance->cfg;
    mrt_error error = {0};
    for (uint32_t i = 0; i < 2; i++) {
        const mrt_str text = str_of(texts[i]);
        const struct cfg_value value = {"level", &text, 1, NULL};
        const struct note_impl *keys = fixture->impl->declared;
        assert_int_equal(cfg_new(keys->keys, keys->n_keys, &value, 1, &next[i], &error), MRT_OK);
    }
    assert_int_equal(step(fixture, instance, instance_start), MRT_OK);
    assert_int_equal(
        reconfigure(fixture, instance, next[0], MRT_RECONFIGURE_CHECK, &error), MRT_EINVAL);
    assert_string_equal(error.text, "level is even");
    assert_ptr_equal(instance->cfg, first);
    assert_int_equal(
        reconfigure(fixture, instance, next[1], MRT_RECONFIGURE_CHECK, &error), MRT_OK);
    assert_ptr_equal(instance->cfg, first);
    assert_int_equal(
        reconfigure(fixture, instance, next[1], MRT_RECONFIGURE_APPLY, &error), MRT_OK);
    assert_ptr_equal(instance->cfg, next[1]);
    assert_ptr_equal(((struct actor *)instance->inst)->cfg, next[1]);
    cfg_free(next[0]);
    assert_int_equal(step(fixture, instance, instance_stop), MRT_OK);
    assert_string_equal(asked(instance), "srrax");
    instance_destroy(instance);
}

static void many_instances_of_one_plugin_live_side_by_side(void **state)
{
    struct fixture *fixture = *state;
    struct instance *instances[8];
    for (uint32_t i = 0; i < 8; i++)
        instances[i] = actor(fixture, "start", "later");
    for (uint32_t i = 0; i < 8; i++)
        assert_int_equal(step(fixture, instances[i], instance_start), MRT_OK);
    for (uint32_t i = 0; i < 8; i++) {
        assert_int_equal(step(fixture, instances[i], instance_stop), MRT_OK);
        assert_string_equal(asked(instances[i]), "sx");
        instance_destroy(instances[i]);
    }
}

struct shard_call {
    struct instance *instance;
    mrt_exec *reactor;
    mrt_status status;
    void *shard;
};

static void open_shard(void *arg)
{
    struct shard_call *call = arg;
    mrt_error error;
    call->status = instance_shard_open(call->instance, call->reactor, &call->shard, &error);
    instance_shard_close(call->instance, call->reactor, call->shard);
}

static void a_kind_without_shards_opens_empty_ones(void **state)
{
    struct fixture *fixture = *state;
    struct shard_call call = {actor(fixture, "start", "ok"), NULL, MRT_EBUG, fixture};
    call.reactor = runtime_reactor(fixture->live.runtime, 0);
    live_inside(call.reactor, open_shard, &call);
    assert_int_equal(call.status, MRT_OK);
    assert_null(call.shard);
    instance_destroy(call.instance);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(two_builtins_are_told_apart),
        TEST(a_life_in_order_whether_calls_end_at_once_or_later),
        TEST(a_failed_start_is_stopped_and_keeps_its_status),
        TEST(an_instance_that_was_never_started_can_be_destroyed),
        TEST(a_failed_create_leaves_nothing_and_names_the_instance),
        TEST(settings_are_checked_before_the_plugin_is_asked),
        TEST(new_settings_are_checked_and_then_taken_over),
        TEST(many_instances_of_one_plugin_live_side_by_side),
        TEST(a_kind_without_shards_opens_empty_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
