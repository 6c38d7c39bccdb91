/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inventory.c - at start: which directory already keeps which log, so that a partition is opened
 * where its records are. Logs are found by name, as storage tells them apart in one directory.
 */
#include <stdio.h>

#include "core/base/assert.h"
#include "core/base/map.h"
#include "core/base/memory.h"
#include "core/broker/sequence.h"

#define INVENTORY_ROWS 64         /* of one look */
#define INVENTORY_TEXT (64 * 256) /* a topic's name has at most 249 bytes */
#define INVENTORY_KEY  (256 + 12) /* name, '-', partition */

struct found {
    struct map_node node;
    struct broker_dir *dir;
    char key[INVENTORY_KEY];
};

struct inventory {
    struct map found;
    uint32_t dir; /* that is listed */
    mrt_log_list list;
    mrt_log_row rows[INVENTORY_ROWS];
    char text[INVENTORY_TEXT];
};

static mrt_str key_make(char *room, const mrt_str *topic, int32_t partition)
{
    int n = snprintf(room, INVENTORY_KEY, "%.*s-%d", (int)topic->n, topic->p, partition);
    ASSERT(n > 0);
    return (mrt_str){room, n < INVENTORY_KEY ? (uint64_t)n : INVENTORY_KEY - 1};
}

static struct inventory *inventory_new(const struct broker *broker)
{
    struct inventory *inventory = memory_new(sizeof *inventory);
    struct random random;

    runtime_random(broker->options.runtime, "broker.inventory", &random);
    map_init(&inventory->found, random_next(&random));
    return inventory;
}

void inventory_free(struct inventory *inventory)
{
    if (inventory == NULL)
        return;
    list_each_safe (at, &inventory->found.order) {
        struct map_node *node = CONTAINER(at, struct map_node, order);
        map_remove(&inventory->found, node);
        memory_free(CONTAINER(node, struct found, node));
    }
    map_fini(&inventory->found);
    memory_free(inventory);
}

struct broker_dir *inventory_find(
    const struct inventory *inventory, const mrt_str *topic, int32_t partition)
{
    char room[INVENTORY_KEY];

    if (inventory == NULL)
        return NULL;
    mrt_str key = key_make(room, topic, partition);
    struct map_node *node = map_find(&inventory->found, &key);
    return node == NULL ? NULL : CONTAINER(node, struct found, node)->dir;
}

/* A log that is in two directories is opened in the first; the other is left alone. */
static void take_row(struct broker *broker, struct inventory *inventory, const mrt_log_row *row)
{
    struct broker_dir *dir = &broker->dirs[inventory->dir];
    const struct broker_dir *before = inventory_find(inventory, &row->topic, row->partition);

    if (row->state == MRT_LOG_FUTURE)
        return;
    if (before != NULL) {
        runtime_log(
            broker->options.runtime, MRT_LOG_WARN, 0,
            "partition.twice topic=%.*s partition=%d path=%.*s ignored=%.*s", (int)row->topic.n,
            row->topic.p, row->partition, (int)before->path.n, before->path.p, (int)dir->path.n,
            dir->path.p);
        return;
    }
    struct found *found = memory_new(sizeof *found);
    found->dir = dir;
    mrt_str key = key_make(found->key, &row->topic, row->partition);
    map_insert(&inventory->found, &found->node, &key);
}

static mrt_status visit_list(struct broker *broker, void *object, mrt_op *op)
{
    struct inventory *inventory = object;
    mrt_log_list *list = &inventory->list;

    for (uint32_t i = 0; i < INVENTORY_ROWS; i++)
        inventory->rows[i] = (mrt_log_row){.size = sizeof inventory->rows[i]};
    *list = (mrt_log_list){
        .size = sizeof *list,
        .cursor = list->cursor,
        .rows = inventory->rows,
        .cap = INVENTORY_ROWS,
        .stride = sizeof inventory->rows[0],
        .text = inventory->text,
        .text_cap = sizeof inventory->text,
    };
    const mrt_storage_ops *ops = broker->options.storage->ops;
    return ops->logs(broker->dirs[inventory->dir].dir, op, list);
}

void inventory_read(struct broker *broker)
{
    struct inventory *inventory = broker->inventory;

    if (inventory == NULL) {
        inventory = broker->inventory = inventory_new(broker);
    } else {
        ASSERT(inventory->list.n <= INVENTORY_ROWS);
        for (uint32_t i = 0; i < inventory->list.n; i++)
            take_row(broker, inventory, &inventory->rows[i]);
        if (inventory->list.n == 0) {
            inventory->dir++;
            inventory->list.cursor = 0;
        }
    }
    if (inventory->dir == broker->options.dir_count) {
        sequence_next(broker, MRT_OK);
        return;
    }
    broker->sequence.at--; /* the same step again, until all is listed */
    sequence_visit(broker, broker->dirs[inventory->dir].exec, inventory, visit_list);
}
