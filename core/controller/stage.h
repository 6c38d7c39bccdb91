/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stage.h - inside core/controller: turns requests into records of one entry. Pure: no log, no
 * executor, no clock; randomness is passed in.
 *
 *   G1  A request is validated against the committed image. One that is about a topic this entry
 *       already changes waits for the next entry: so nobody is told "exists" on account of an entry
 *       that may fail, and no state beside the image is needed.
 *   G2  Refusals are per topic and final; topics that are not refused have a record in the entry.
 *   G3  An entry is at most entry_max bytes; it takes no further record beyond ENTRY_BATCH.
 */
#ifndef CORE_CONTROLLER_STAGE_H
#define CORE_CONTROLLER_STAGE_H

#include "core/base/map.h"
#include "core/cluster/entry.h"
#include "core/controller/controller.h"

#define ENTRY_BATCH            (512 * 1024) /* bytes; keeps one commit short */
#define REQUEST_PARTITIONS_MAX 10000        /* of all topics of one request; Kafka's limit */
#define REQUEST_TOPICS_MAX     10000        /* each has at least one partition */

struct stage {
    const struct image *image; /* borrowed; the committed one */
    struct entry *entry;       /* borrowed; begun */
    struct random *random;     /* borrowed; of topic ids and first replicas */
    uint64_t entry_max;        /* bytes; what the plugin takes */
    uint32_t records;          /* staged so far */
    bool broker;               /* one of them registers a broker */
    int64_t next_producer_id;
    struct map names; /* folded names of topics this entry changes */
};

void stage_begin(
    struct stage *stage, const struct image *image, struct entry *entry, struct random *random,
    uint64_t entry_max);
void stage_end(struct stage *stage);

/* Readies the outputs of @request and refuses what is wrong whatever the image says. */
void stage_accept(struct controller_request *request);

/* Stages what is left of @request. False: the rest must wait for the next entry. */
bool stage_request(struct stage *stage, struct controller_request *request);

/* ---- shared by its files --------------------------------------------------------------------- */

/* Does this entry change the topic of that name, or of one that is like it? */
bool stage_taken(const struct stage *stage, const mrt_str *name);
void stage_take(struct stage *stage, const mrt_str *name);

/* Counts the record added since the entry had @before bytes, or cuts it off again: no room (G3). */
bool stage_fits(struct stage *stage, uint64_t before);

/* @status comes from error_set(&topic->error, ...). */
void stage_refuse(struct controller_topic *topic, uint32_t reason, mrt_status status);

/* False: it must wait for the next entry. */
bool stage_create(
    struct stage *stage, struct controller_request *request, struct controller_topic *topic);

/*
 * Chooses replicas for @partitions: brokers are taken in turn from place @first on, and the second
 * and later replicas shift by one with every round, so that the partitions one broker leads are
 * followed by different brokers. @out: @partitions * @factor ids. @factor is at most @n.
 */
void stage_assign(
    const int32_t *brokers, uint32_t n, uint64_t first, uint32_t partitions, uint32_t factor,
    int32_t *out);

#endif /* CORE_CONTROLLER_STAGE_H */
