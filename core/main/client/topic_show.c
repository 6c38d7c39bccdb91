/* SPDX-License-Identifier: Apache-2.0 */
#include "core/main/client/topic_show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/memory.h"
#include "core/base/str.h"

#define SOURCE_TOPIC 1                     /* of a setting: it was set for this topic */
#define NEVER        "9223372036854775807" /* as flush.ms: not set */
#define NODE_TEXT    12

/* ---- facts ----------------------------------------------------------------------------------- */

static char *join(const int32_t *nodes, uint32_t n)
{
    char *text = memory_new((size_t)n * NODE_TEXT + 1);
    char *at = text;
    for (uint32_t i = 0; i < n; i++)
        at += sprintf(at, "%s%d", i > 0 ? "," : "", nodes[i]);
    return text;
}

static int by_name(const void *a, const void *b)
{
    const struct topic_facts *left = a;
    const struct topic_facts *right = b;
    return strcmp(left->name, right->name);
}

static void note_partition(
    struct topic_facts *facts, const struct kafka_metadata_response_partition *partition)
{
    uint32_t at = (uint32_t)partition->partition_index;
    if (at >= facts->count || facts->partitions[at].replicas != NULL)
        return;
    facts->partitions[at] = (struct partition_facts){
        .leader = partition->leader_id,
        .replicas = join(partition->replica_nodes, partition->n_replica_nodes),
        .in_sync = join(partition->isr_nodes, partition->n_isr_nodes),
    };
    if (partition->n_replica_nodes < facts->replicas)
        facts->replicas = partition->n_replica_nodes;
}

struct topic_facts *topic_facts_new(const struct kafka_metadata_response *answer, uint32_t *n)
{
    struct topic_facts *all = memory_array(answer->n_topics + 1, sizeof *all);
    *n = 0;
    for (uint32_t i = 0; i < answer->n_topics; i++) {
        const struct kafka_metadata_response_topic *topic = &answer->topics[i];
        struct topic_facts *facts = &all[*n];
        if (topic->error_code != 0 || topic->name.p == NULL)
            continue;
        facts->name = str_copy(&topic->name);
        facts->count = topic->n_partitions;
        facts->replicas = UINT32_MAX;
        facts->partitions = memory_array(topic->n_partitions + 1, sizeof *facts->partitions);
        for (uint32_t k = 0; k < topic->n_partitions; k++)
            note_partition(facts, &topic->partitions[k]);
        ++*n;
    }
    qsort(all, *n, sizeof *all, by_name);
    return all;
}

void topic_facts_free(struct topic_facts *facts, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t k = 0; k < facts[i].count; k++) {
            memory_free(facts[i].partitions[k].replicas);
            memory_free(facts[i].partitions[k].in_sync);
        }
        memory_free(facts[i].partitions);
        memory_free(facts[i].name);
    }
    memory_free(facts);
}

void topic_show_names(const struct kafka_metadata_response *answer)
{
    uint32_t n = 0;
    struct topic_facts *facts = topic_facts_new(answer, &n);
    for (uint32_t i = 0; i < n; i++)
        puts(facts[i].name);
    topic_facts_free(facts, n);
}

/* ---- describing ------------------------------------------------------------------------------ */

typedef struct kafka_describe_configs_response_resource resource;

/* Empty where the broker does not have that setting. */
static mrt_str value_of(const resource *configs, const char *name)
{
    for (uint32_t i = 0; i < configs->n_configs; i++)
        if (str_is(&configs->configs[i].name, name) && configs->configs[i].value.p != NULL)
            return configs->configs[i].value;
    return (mrt_str){"", 0};
}

/* Brokers that have no setting `flush` say the same with flush.messages and flush.ms. */
static const char *policy_of(const resource *configs)
{
    static const char *const policies[] = {"ack", "interval", "none"};
    const mrt_str flush = value_of(configs, "flush");
    const mrt_str messages = value_of(configs, "flush.messages");
    const mrt_str ms = value_of(configs, "flush.ms");

    for (size_t i = 0; i < sizeof policies / sizeof *policies; i++)
        if (str_is(&flush, policies[i]))
            return policies[i];
    if (str_is(&messages, "1"))
        return "ack";
    return ms.n > 0 && !str_is(&ms, NEVER) ? "interval" : "none";
}

/* What an acknowledged write survives on the machine that acknowledged it. */
static void show_survival(const struct topic_facts *facts, const resource *configs)
{
    const char *policy = policy_of(configs);
    const mrt_str ms = value_of(configs, "flush.ms");
    const mrt_str least = value_of(configs, "min.insync.replicas");

    printf("  acknowledged writes survive: ");
    if (strcmp(policy, "ack") == 0)
        printf("a power cut");
    else if (strcmp(policy, "none") == 0)
        printf("the process, not the machine");
    else if (str_is(&ms, NEVER))
        printf("a power cut, but for the last second");
    else
        printf("a power cut, but for the last %.*s ms", STR_ARGS(ms));
    if (facts->replicas > 1 && facts->replicas != UINT32_MAX && least.n > 0)
        printf("; with acks=all they are on %.*s replicas at least", STR_ARGS(least));
    printf("\n");
}

void topic_show(const struct topic_facts *facts, const resource *configs)
{
    ASSERT(facts->name != NULL);
    printf("%s: %u partition%s\n", facts->name, facts->count, facts->count == 1 ? "" : "s");
    show_survival(facts, configs);
    for (uint32_t i = 0; i < configs->n_configs; i++) {
        const struct kafka_describe_configs_response_config *config = &configs->configs[i];
        if (config->config_source == SOURCE_TOPIC)
            printf("  %.*s = %.*s\n", STR_ARGS(config->name), STR_ARGS(config->value));
    }
    for (uint32_t i = 0; i < facts->count; i++) {
        const struct partition_facts *partition = &facts->partitions[i];
        if (partition->replicas == NULL)
            continue;
        printf("  partition %u: leader ", i);
        if (partition->leader < 0)
            printf("none");
        else
            printf("%d", partition->leader);
        printf(", replicas %s, in sync %s\n", partition->replicas, partition->in_sync);
    }
}
