/* SPDX-License-Identifier: Apache-2.0 */
/*
 * start.c - from created instances to a broker that serves: storage and its directories, policies,
 * coordination, the replayed image with its logs, the registration of this node.
 */
#include <string.h>

#include "core/base/assert.h"
#include "core/broker/sequence.h"

static mrt_status visit_start(struct broker *broker, void *object, mrt_op *op)
{
    (void)broker;
    instance_start(object, op);
    return MRT_PENDING;
}

static void start_storage(struct broker *broker)
{
    sequence_visit(broker, broker->exec, broker->options.storage, visit_start);
}

static void start_coordination(struct broker *broker)
{
    sequence_visit(broker, broker->exec, broker->options.coordination, visit_start);
}

/* ---- directories ----------------------------------------------------------------------------- */

static void dir_state(void *context, mrt_dir *dir, uint32_t state, const mrt_error *why)
{
    static const char *const names[] = {"?", "online", "offline", "readonly"};
    struct broker_dir *at = context;

    (void)dir;
    __atomic_store_n(&at->state, state, __ATOMIC_RELAXED);
    runtime_log(
        at->broker->options.runtime, state == MRT_DIR_ONLINE ? MRT_LOG_INFO : MRT_LOG_ERROR, 0,
        "directory.state path=%.*s state=%s reason=\"%s\"", (int)at->path.n, at->path.p,
        state <= MRT_DIR_READONLY ? names[state] : names[0], why == NULL ? "" : why->text);
}

static void dir_space(void *context, mrt_dir *dir, uint64_t used, uint64_t avail)
{
    struct broker_dir *at = context;

    (void)dir;
    runtime_log(
        at->broker->options.runtime, MRT_LOG_DEBUG, 0,
        "directory.space path=%.*s used=%llu available=%llu", (int)at->path.n, at->path.p,
        (unsigned long long)used, (unsigned long long)avail);
}

static void dir_corrupt(void *context, mrt_dir *dir, void *log, int64_t from, int64_t to)
{
    struct broker_dir *at = context;

    (void)dir, (void)log;
    runtime_log(
        at->broker->options.runtime, MRT_LOG_ERROR, 0,
        "directory.corrupt path=%.*s from=%lld to=%lld", (int)at->path.n, at->path.p,
        (long long)from, (long long)to);
}

static const mrt_storage_events dir_events = {
    .size = sizeof dir_events,
    .dir_state = dir_state,
    .dir_space = dir_space,
    .corrupt = dir_corrupt,
};

static mrt_status visit_dir_open(struct broker *broker, void *object, mrt_op *op)
{
    struct broker_dir *dir = object;
    const mrt_storage_ops *ops = broker->options.storage->ops;
    dir->spec = (mrt_dir_spec){
        .size = sizeof dir->spec,
        .exec = dir->exec,
        .path = dir->path,
        .events = &dir_events,
        .ctx = dir,
    };
    return ops->dir_open(broker->options.storage->inst, op, &dir->spec, &dir->dir);
}

/* A step a directory; afterwards the sequence counts on with the next. */
static void open_directories(struct broker *broker)
{
    struct sequence *sequence = &broker->sequence;

    if (sequence->count == broker->options.dir_count) {
        sequence->count = 0;
        sequence_next(broker, MRT_OK);
        return;
    }
    struct broker_dir *dir = &broker->dirs[sequence->count++];
    sequence->at--; /* the same step again, until all are open */
    sequence_visit(broker, broker->options.storage->exec, dir, visit_dir_open);
}

static void start_policies(struct broker *broker)
{
    struct sequence *sequence = &broker->sequence;

    if (sequence->count == broker->options.policy_count) {
        sequence->count = 0;
        sequence_next(broker, MRT_OK);
        return;
    }
    struct instance *policy = broker->options.policies[sequence->count++];
    sequence->at--;
    sequence_visit(broker, broker->exec, policy, visit_start);
}

/* ---- metadata -------------------------------------------------------------------------------- */

static mrt_status visit_controller_open(struct broker *broker, void *object, mrt_op *op)
{
    (void)object;
    return controller_open(broker->controller, op);
}

static void open_controller(struct broker *broker)
{
    sequence_visit(broker, broker->options.coordination->exec, NULL, visit_controller_open);
}

static void self_shown(struct version_waiter *waiter)
{
    sequence_next(waiter->broker, MRT_OK);
}

static void await_self(struct broker *broker, uint64_t version)
{
    broker->self_waiter = (struct version_waiter){
        .broker = broker,
        .version = version,
        .exec = broker->exec,
        .done = self_shown,
    };
    broker_await_version(&broker->self_waiter);
}

static mrt_status visit_publish(struct broker *broker, void *object, mrt_op *op)
{
    (void)object, (void)op;
    broker_publish_replayed(broker);
    return MRT_OK;
}

/* On the coordination's executor, because that is where images are seen. */
static void publish_image(struct broker *broker)
{
    sequence_visit(broker, broker->options.coordination->exec, NULL, visit_publish);
}

static void registered(struct controller_request *request)
{
    struct broker *broker = request->caller;

    if (request->status != MRT_OK)
        sequence_next(broker, request->status);
    else
        await_self(broker, request->version);
}

static void register_node(struct broker *broker)
{
    const struct broker_options *options = &broker->options;

    broker->self = (struct image_broker){
        .id = options->node,
        .rack = options->rack,
        .n_endpoints = options->endpoint_count,
        .endpoints = options->endpoints,
    };
    memcpy(broker->self.incarnation, options->incarnation, sizeof broker->self.incarnation);
    broker->registration = (struct controller_request){
        .kind = CONTROLLER_REGISTER_BROKER,
        .broker = &broker->self,
        .done = registered,
        .exec = broker->exec,
        .caller = broker,
    };
    controller_submit(broker->controller, &broker->registration);
}

static void serve(struct broker *broker)
{
    maintenance_start(broker);
    __atomic_store_n(&broker->phase, BROKER_SERVING, __ATOMIC_RELEASE);
    sequence_next(broker, MRT_OK);
}

static const struct sequence_step steps[] = {
    {"storage", start_storage},
    {"directories", open_directories},
    {"inventory", inventory_read},
    {"policies", start_policies},
    {"coordination", start_coordination},
    {"controller", open_controller},
    {"image", publish_image},
    {"registration", register_node},
    {"serve", serve},
    {NULL, NULL},
};

void broker_start(struct broker *broker, mrt_op *op)
{
    ASSERT(broker_phase_now(broker) == BROKER_NEW);
    __atomic_store_n(&broker->phase, BROKER_STARTING, __ATOMIC_RELEASE);
    broker->replaying = 1;
    sequence_begin(broker, steps, op, 0);
}
