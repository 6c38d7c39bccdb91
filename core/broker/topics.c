/* SPDX-License-Identifier: Apache-2.0 */
/*
 * topics.c - CREATE_TOPICS and DELETE_TOPICS: configs are checked here, everything else by the
 * controller; the answer waits until every reactor shows the outcome.
 */
#include <mortise/draft/ops.h>

#include "core/base/assert.h"
#include "core/base/str.h"
#include "core/broker/broker_state.h"

struct topics_change {
    mrt_call *call;
    mrt_broker *shard;
    struct controller_request request;
    struct version_waiter waiter;
    uint32_t *place; /* of each controller topic, its index in the answer */
};

static const int32_t why[] = {
    [CONTROLLER_REASON_NONE] = 0,
    [CONTROLLER_REASON_NAME] = MRT_WHY_NAME,
    [CONTROLLER_REASON_PARTITIONS] = MRT_WHY_PARTITIONS,
    [CONTROLLER_REASON_REPLICAS] = MRT_WHY_REPLICATION,
    [CONTROLLER_REASON_ASSIGNMENT] = MRT_WHY_ASSIGNMENT,
    [CONTROLLER_REASON_REQUEST] = MRT_WHY_REQUEST,
};

static mrt_str error_text(const mrt_error *error)
{
    return error->text[0] == '\0' ? (mrt_str){NULL, 0} : str_of(error->text);
}

/* ---- answering ------------------------------------------------------------------------------- */

static mrt_status topic_status(const struct topics_change *change, const struct controller_topic *t)
{
    return change->request.status != MRT_OK ? change->request.status : t->status;
}

static void answer_created(struct topics_change *change)
{
    mrt_create_topics_out *out = change->call->out;

    for (uint32_t i = 0; i < change->request.n_topics; i++) {
        const struct controller_topic *topic = &change->request.topics[i];
        mrt_create_topics_out_topic *answer = &out->topics[change->place[i]];
        answer->status = topic_status(change, topic);
        answer->reason = answer->status == MRT_OK ? 0 : why[topic->reason];
        answer->error_message = error_text(&topic->error);
        answer->num_partitions = topic->partitions;
        answer->replication_factor = (int16_t)topic->replication_factor;
        memcpy(answer->topic_id, topic->id, sizeof answer->topic_id);
        if (answer->status == MRT_OK)
            configs_of_new_topic(change->shard, change->call, topic, answer);
    }
}

static void answer_deleted(struct topics_change *change)
{
    mrt_delete_topics_out *out = change->call->out;

    for (uint32_t i = 0; i < change->request.n_topics; i++) {
        const struct controller_topic *topic = &change->request.topics[i];
        mrt_delete_topics_out_topic *answer = &out->responses[change->place[i]];
        answer->status = topic_status(change, topic);
        answer->reason = answer->status == MRT_OK ? 0 : why[topic->reason];
        answer->error_message = error_text(&topic->error);
        memcpy(answer->topic_id, topic->id, sizeof answer->topic_id);
    }
}

static void change_answer(struct topics_change *change)
{
    if (change->request.kind == CONTROLLER_CREATE_TOPICS)
        answer_created(change);
    else
        answer_deleted(change);
    op_complete(&change->call->op, MRT_OK);
}

static void change_shown(struct version_waiter *waiter)
{
    change_answer(waiter->caller);
}

static void change_decided(struct controller_request *request)
{
    struct topics_change *change = request->caller;

    if (request->status != MRT_OK || request->validate_only) {
        change_answer(change);
        return;
    }
    change->waiter = (struct version_waiter){
        .broker = change->shard->broker,
        .version = request->version,
        .exec = change->shard->reactor,
        .done = change_shown,
        .caller = change,
    };
    broker_await_version(&change->waiter);
}

static struct topics_change *change_new(mrt_broker *shard, mrt_call *call, uint32_t topics)
{
    struct topics_change *change = arena_alloc(call->arena, sizeof *change);
    if (change == NULL)
        return NULL;
    change->call = call;
    change->shard = shard;
    change->request.caller = change;
    change->request.done = change_decided;
    change->request.exec = shard->reactor;
    change->request.topics = arena_alloc(call->arena, topics * sizeof *change->request.topics);
    change->place = arena_alloc(call->arena, topics * sizeof *change->place);
    return change->request.topics != NULL && change->place != NULL ? change : NULL;
}

static mrt_status change_submit(struct topics_change *change)
{
    if (change->request.n_topics == 0)
        return MRT_OK;
    controller_submit(change->shard->broker->controller, &change->request);
    return MRT_PENDING;
}

/* ---- CREATE_TOPICS --------------------------------------------------------------------------- */

/* Checks and copies the configs of @asked. False: refused, the answer says why. */
static bool take_configs(
    const struct topics_change *change, const mrt_create_topics_topic *asked,
    struct controller_topic *topic, mrt_create_topics_out_topic *answer)
{
    struct topic_override *configs =
        arena_alloc(change->call->arena, asked->n_configs * sizeof *configs);
    mrt_error *error = arena_alloc(change->call->arena, sizeof *error);

    if (configs == NULL || error == NULL) {
        answer->status = MRT_ENOMEM;
        return false;
    }
    for (uint32_t i = 0; i < asked->n_configs; i++)
        configs[i] = (struct topic_override){asked->configs[i].name, asked->configs[i].value};
    answer->status =
        topic_config_check(change->shard->broker->options.topics, configs, asked->n_configs, error);
    if (answer->status != MRT_OK) {
        answer->reason = MRT_WHY_CONFIG;
        answer->error_message = error_text(error);
        return false;
    }
    topic->configs = (const void *)configs; /* the same two texts: see configs.c */
    topic->n_configs = asked->n_configs;
    return true;
}

static bool take_assignments(
    const struct topics_change *change, const mrt_create_topics_topic *asked,
    struct controller_topic *topic, mrt_create_topics_out_topic *answer)
{
    const struct broker_options *options = &change->shard->broker->options;

    if (asked->n_assignments == 0) {
        topic->partitions =
            asked->num_partitions == -1 ? options->partitions_default : asked->num_partitions;
        topic->replication_factor =
            asked->replication_factor == -1 ? options->replicas_default : asked->replication_factor;
        return true;
    }
    if (asked->num_partitions != -1 || asked->replication_factor != -1) {
        answer->status = MRT_EINVAL;
        answer->reason = MRT_WHY_REQUEST;
        answer->error_message = str_of("counts are -1 where replicas are assigned");
        return false;
    }
    struct controller_assignment *assignments =
        arena_alloc(change->call->arena, asked->n_assignments * sizeof *assignments);
    if (assignments == NULL) {
        answer->status = MRT_ENOMEM;
        return false;
    }
    for (uint32_t i = 0; i < asked->n_assignments; i++)
        assignments[i] = (struct controller_assignment){
            asked->assignments[i].partition_index, asked->assignments[i].n_broker_ids,
            asked->assignments[i].broker_ids};
    topic->assignments = assignments;
    topic->n_assignments = asked->n_assignments;
    topic->partitions = (int32_t)asked->n_assignments;
    topic->replication_factor = (int32_t)asked->assignments[0].n_broker_ids;
    return true;
}

mrt_status create_topics_call(mrt_broker *shard, mrt_call *call)
{
    const mrt_create_topics *in = call->in;
    mrt_create_topics_out *out = call->out;
    struct topics_change *change = change_new(shard, call, in->n_topics);

    out->topics = arena_alloc(call->arena, in->n_topics * sizeof *out->topics);
    if (change == NULL || out->topics == NULL)
        return MRT_ENOMEM;
    out->n_topics = in->n_topics;
    change->request.kind = CONTROLLER_CREATE_TOPICS;
    change->request.validate_only = in->validate_only;
    for (uint32_t i = 0; i < in->n_topics; i++) {
        const mrt_create_topics_topic *asked = &in->topics[i];
        struct controller_topic *topic = &change->request.topics[change->request.n_topics];
        mrt_create_topics_out_topic *answer = &out->topics[i];
        *answer = (mrt_create_topics_out_topic){
            .name = asked->name, .num_partitions = -1, .replication_factor = -1};
        if (in->automatic && !shard->broker->options.auto_create) {
            answer->status = MRT_EREADONLY;
            continue;
        }
        *topic = (struct controller_topic){.name = asked->name};
        if (!take_configs(change, asked, topic, answer) ||
            !take_assignments(change, asked, topic, answer))
            continue;
        change->place[change->request.n_topics++] = i;
    }
    return change_submit(change);
}

/* ---- DELETE_TOPICS --------------------------------------------------------------------------- */

/* The name of a topic that was asked for by id, as the answer carries it (KIP-516). */
static mrt_str name_by_id(mrt_broker *shard, mrt_call *call, const uint8_t *id)
{
    const struct image_topic *topic = image_topic_by_id(shard->image, id);
    if (topic == NULL)
        return (mrt_str){NULL, 0};
    char *copy = arena_alloc(call->arena, topic->name.n);
    if (copy == NULL)
        return (mrt_str){NULL, 0};
    memcpy(copy, topic->name.p, topic->name.n);
    return (mrt_str){copy, topic->name.n};
}

/* delete.topic.enable is off. */
static void refuse_deletion(const mrt_delete_topics *in, mrt_delete_topics_out *out)
{
    for (uint32_t i = 0; i < in->n_topics; i++) {
        out->responses[i] = (mrt_delete_topics_out_topic){
            .name = in->topics[i].name,
            .status = MRT_EDENIED,
            .reason = MRT_WHY_DISABLED,
            .error_message = str_of("broker.delete_topic_enable is off"),
        };
        memcpy(out->responses[i].topic_id, in->topics[i].topic_id, 16);
    }
}

mrt_status delete_topics_call(mrt_broker *shard, mrt_call *call)
{
    const mrt_delete_topics *in = call->in;
    mrt_delete_topics_out *out = call->out;
    struct topics_change *change = change_new(shard, call, in->n_topics);

    out->responses = arena_alloc(call->arena, in->n_topics * sizeof *out->responses);
    if (change == NULL || out->responses == NULL)
        return MRT_ENOMEM;
    out->n_responses = in->n_topics;
    change->request.kind = CONTROLLER_DELETE_TOPICS;
    if (!shard->broker->options.delete_topics) {
        refuse_deletion(in, out);
        return MRT_OK;
    }
    for (uint32_t i = 0; i < in->n_topics; i++) {
        const mrt_delete_topics_topic *asked = &in->topics[i];
        struct controller_topic *topic = &change->request.topics[i];
        out->responses[i] = (mrt_delete_topics_out_topic){.name = asked->name};
        memcpy(out->responses[i].topic_id, asked->topic_id, sizeof asked->topic_id);
        if (asked->name.p == NULL)
            out->responses[i].name = name_by_id(shard, call, asked->topic_id);
        *topic = (struct controller_topic){.name = asked->name};
        memcpy(topic->id, asked->topic_id, sizeof topic->id);
        change->place[i] = i;
    }
    change->request.n_topics = in->n_topics;
    return change_submit(change);
}
