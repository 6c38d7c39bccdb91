/* SPDX-License-Identifier: Apache-2.0 */
/*
 * topic_show.h - topics for people: where their partitions are, and what acknowledged writes
 * survive.
 */
#ifndef CORE_MAIN_CLIENT_TOPIC_SHOW_H
#define CORE_MAIN_CLIENT_TOPIC_SHOW_H

#include "kafka/messages.h"

/* What Metadata said of one partition of a topic, kept while something else is asked. */
struct partition_facts {
    int32_t leader; /* -1: none */
    char *replicas; /* owned; "1,2,3" */
    char *in_sync;  /* owned */
};

struct topic_facts {
    char *name; /* owned */
    uint32_t count;
    uint32_t replicas; /* of the partition that has fewest */
    struct partition_facts *partitions;
};

/* Of all topics that have partitions, by name. For topic_facts_free(). */
struct topic_facts *topic_facts_new(const struct kafka_metadata_response *answer, uint32_t *n);
void topic_facts_free(struct topic_facts *facts, uint32_t n);

/* The names alone, sorted. */
void topic_show_names(const struct kafka_metadata_response *answer);

void topic_show(
    const struct topic_facts *facts,
    const struct kafka_describe_configs_response_resource *configs);

#endif /* CORE_MAIN_CLIENT_TOPIC_SHOW_H */
