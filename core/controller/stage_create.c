/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stage_create.c - the request to create topics: is it possible, and who gets which replica.
 */
#include <string.h>

#include "core/base/assert.h"
#include "core/base/memory.h"
#include "core/base/str.h"
#include "core/base/uuid.h"
#include "core/cluster/node.h"
#include "core/controller/stage.h"

/* What a topic to be created will look like. */
struct plan {
    struct image_topic topic; /* its partitions and configs are the plan's */
    int32_t *replicas;        /* owned; of all partitions one after the other */
    struct image_config *configs;
};

/* ---- replicas -------------------------------------------------------------------------------- */

void stage_assign(
    const int32_t *brokers, uint32_t n, uint64_t first, uint32_t partitions, uint32_t factor,
    int32_t *out)
{
    ASSERT(factor > 0);
    ASSERT(factor <= n);
    for (uint32_t p = 0; p < partitions; p++) {
        uint64_t leader = (first % n + p) % n;
        uint64_t round = p / n;
        *out++ = brokers[leader];
        for (uint32_t r = 1; r < factor; r++) {
            uint64_t shift = 1 + (round + r - 1) % (n - 1);
            *out++ = brokers[(leader + shift) % n];
        }
    }
}

/* Ids of the brokers that may be given replicas; the caller frees. */
static int32_t *usable_brokers(const struct image *image, uint32_t *n)
{
    uint64_t count = image_broker_count(image);
    int32_t *ids = memory_array(count + 1, sizeof *ids);
    *n = 0;
    for (uint64_t i = 0; i < count; i++) {
        const struct image_broker *broker = image_broker_at(image, i);
        if (!broker->fenced)
            ids[(*n)++] = broker->id;
    }
    return ids;
}

static void plan_partition(
    struct plan *plan, uint32_t partition, const int32_t *replicas, uint32_t n)
{
    ASSERT(partition < plan->topic.n_partitions);
    plan->topic.partitions[partition] = (struct image_partition){
        .leader = replicas[0],
        .n_replicas = n,
        .replicas = replicas,
        .n_isr = n,
        .isr = replicas,
    };
}

static void plan_room(struct plan *plan, uint32_t partitions, uint32_t factor)
{
    plan->topic.n_partitions = partitions;
    plan->topic.partitions = memory_array(partitions, sizeof(struct image_partition));
    plan->replicas = memory_array((size_t)partitions * factor, sizeof(int32_t));
}

static bool plan_automatic(struct stage *stage, struct controller_topic *topic, struct plan *plan)
{
    uint32_t n;
    if (topic->partitions < 1) {
        stage_refuse(
            topic, CONTROLLER_REASON_PARTITIONS,
            error_set(&topic->error, MRT_EINVAL, "a topic has at least one partition"));
        return false;
    }
    int32_t *brokers = usable_brokers(stage->image, &n);
    bool fits = topic->replication_factor >= 1 && topic->replication_factor <= TOPIC_REPLICAS_MAX &&
                (uint32_t)topic->replication_factor <= n;
    if (fits) {
        uint32_t factor = (uint32_t)topic->replication_factor;
        plan_room(plan, (uint32_t)topic->partitions, factor);
        stage_assign(
            brokers, n, random_next(stage->random), plan->topic.n_partitions, factor,
            plan->replicas);
        for (uint32_t i = 0; i < plan->topic.n_partitions; i++)
            plan_partition(plan, i, plan->replicas + (size_t)i * factor, factor);
    } else {
        stage_refuse(
            topic, CONTROLLER_REASON_REPLICAS,
            error_set(
                &topic->error, MRT_EINVAL,
                "a replication factor of %d is not possible with %u brokers available",
                topic->replication_factor, n));
    }
    memory_free(brokers);
    return fits;
}

/* What is wrong with the assignment of one partition; NULL: nothing. */
static const char *assignment_fault(
    const struct stage *stage, const struct controller_topic *topic, uint32_t i)
{
    const struct controller_assignment *assignment = &topic->assignments[i];
    if (assignment->partition < 0 || (uint32_t)assignment->partition >= topic->n_assignments)
        return "partitions are not numbered from 0 without gaps";
    if (assignment->n_replicas == 0 || assignment->n_replicas > TOPIC_REPLICAS_MAX)
        return "the number of replicas is not possible";
    if (assignment->n_replicas != topic->assignments[0].n_replicas)
        return "partitions have different numbers of replicas";
    for (uint32_t r = 0; r < assignment->n_replicas; r++) {
        const struct image_broker *broker = image_broker(stage->image, assignment->replicas[r]);
        if (broker == NULL || broker->fenced)
            return "it names a broker that is not available";
        for (uint32_t before = 0; before < r; before++)
            if (assignment->replicas[before] == assignment->replicas[r])
                return "it names a broker twice";
    }
    return NULL;
}

static void refuse_assignment(struct controller_topic *topic, const char *fault)
{
    stage_refuse(
        topic, CONTROLLER_REASON_ASSIGNMENT,
        error_set(&topic->error, MRT_EINVAL, "replica assignment: %s", fault));
}

static bool plan_manual(struct stage *stage, struct controller_topic *topic, struct plan *plan)
{
    for (uint32_t i = 0; i < topic->n_assignments; i++) {
        const char *fault = assignment_fault(stage, topic, i);
        if (fault != NULL) {
            refuse_assignment(topic, fault);
            return false;
        }
    }
    uint32_t factor = topic->assignments[0].n_replicas;
    plan_room(plan, topic->n_assignments, factor);
    for (uint32_t i = 0; i < topic->n_assignments; i++) {
        const struct controller_assignment *assignment = &topic->assignments[i];
        uint32_t at = (uint32_t)assignment->partition;
        if (plan->topic.partitions[at].n_replicas > 0) {
            refuse_assignment(topic, "a partition is there twice");
            return false;
        }
        int32_t *replicas = plan->replicas + (size_t)at * factor;
        memcpy(replicas, assignment->replicas, factor * sizeof *replicas);
        plan_partition(plan, at, replicas, factor);
    }
    return true;
}

/* ---- create ---------------------------------------------------------------------------------- */

static void plan_fini(struct plan *plan)
{
    memory_free(plan->topic.partitions);
    memory_free(plan->replicas);
    memory_free(plan->configs);
}

/* In order of name, as entries want them. There are few: insertion is enough. */
static bool plan_configs(struct controller_topic *topic, struct plan *plan)
{
    const char *fault = topic->n_configs > TOPIC_CONFIGS_MAX ? "too many configs" : NULL;
    plan->configs = memory_array((size_t)topic->n_configs + 1, sizeof *plan->configs);
    for (uint32_t i = 0; fault == NULL && i < topic->n_configs; i++) {
        const struct controller_config *config = &topic->configs[i];
        uint32_t at = i;
        int order = 1;
        while (at > 0 && (order = str_compare(&plan->configs[at - 1].name, &config->name)) > 0) {
            plan->configs[at] = plan->configs[at - 1];
            at--;
        }
        if (at > 0 && order == 0)
            fault = "a config is there twice";
        if (config->name.n > CLUSTER_TEXT_MAX || config->value.n > CLUSTER_TEXT_MAX)
            fault = "the text of a config is too long";
        plan->configs[at] = (struct image_config){config->name, config->value};
    }
    if (fault != NULL)
        stage_refuse(
            topic, CONTROLLER_REASON_REQUEST, error_set(&topic->error, MRT_EINVAL, "%s", fault));
    plan->topic.configs = plan->configs;
    plan->topic.n_configs = topic->n_configs;
    return fault == NULL;
}

static bool name_free(struct stage *stage, struct controller_topic *topic)
{
    const mrt_str *name = &topic->name;
    if (!topic_name_ok(name)) {
        stage_refuse(
            topic, CONTROLLER_REASON_NAME,
            error_set(
                &topic->error, MRT_EINVAL,
                "a topic name has 1 to %d of the characters a-z A-Z 0-9 . _ - and is not . or ..",
                TOPIC_NAME_MAX));
        return false;
    }
    if (image_topic(stage->image, name) != NULL) {
        stage_refuse(
            topic, CONTROLLER_REASON_NONE,
            error_set(&topic->error, MRT_EEXIST, "topic %.*s exists", STR_ARGS(*name)));
        return false;
    }
    const struct image_topic *like = image_topic_like(stage->image, name);
    if (like != NULL) {
        stage_refuse(
            topic, CONTROLLER_REASON_NAME,
            error_set(
                &topic->error, MRT_EINVAL,
                "the name differs from that of topic %.*s only in '.' and '_'",
                STR_ARGS(like->name)));
        return false;
    }
    return true;
}

static void new_id(struct stage *stage, uint8_t *id)
{
    do {
        kit_put64(id, random_next(stage->random));
        kit_put64(id + 8, random_next(stage->random));
        uuid_shape(id);
    } while (image_topic_by_id(stage->image, id) != NULL);
    ASSERT(!uuid_is_zero(id));
}

static bool create_planned(
    struct stage *stage, struct controller_request *request, struct controller_topic *topic,
    struct plan *plan)
{
    topic->partitions = (int32_t)plan->topic.n_partitions;
    topic->replication_factor = (int32_t)plan->topic.partitions[0].n_replicas;
    if (request->validate_only)
        return true;
    uint64_t before = stage->entry->size;
    new_id(stage, plan->topic.id);
    entry_add_topic(stage->entry, &plan->topic);
    uint64_t size = stage->entry->size - before;
    if (!stage_fits(stage, before)) {
        if (stage->records > 0)
            return false; /* G3 */
        stage_refuse(
            topic, CONTROLLER_REASON_REQUEST,
            error_set(
                &topic->error, MRT_ETOOBIG, "its record of %llu bytes is more than %llu",
                (unsigned long long)size, (unsigned long long)stage->entry_max));
        return true;
    }
    memcpy(topic->id, plan->topic.id, sizeof topic->id);
    stage_take(stage, &topic->name);
    return true;
}

bool stage_create(
    struct stage *stage, struct controller_request *request, struct controller_topic *topic)
{
    if (topic->name.n <= TOPIC_NAME_MAX && stage_taken(stage, &topic->name))
        return false; /* G1 */
    memset(topic->id, 0, sizeof topic->id);
    if (!name_free(stage, topic))
        return true;

    struct plan plan = {.topic = {.name = topic->name}};
    bool done = true;
    bool good = topic->n_assignments > 0 ? plan_manual(stage, topic, &plan)
                                         : plan_automatic(stage, topic, &plan);
    if (good && plan_configs(topic, &plan))
        done = create_planned(stage, request, topic, &plan);
    plan_fini(&plan);
    return done;
}
