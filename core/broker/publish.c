/* SPDX-License-Identifier: Apache-2.0 */
/*
 * publish.c - the way of an image version from the controller to the reactors (B2).
 *
 * broker_on_image() runs on the controller's executor and only makes objects; the rest runs on the
 * control strand, one version after the other.
 */
#include "core/base/assert.h"
#include "core/base/memory.h"
#include "core/base/str.h"
#include "core/broker/sequence.h"

static void next_version(struct broker *broker);

/* ---- partitions ------------------------------------------------------------------------------ */

/* The directory with the fewest logs; ties go to the first. */
static struct broker_dir *choose_dir(struct broker *broker)
{
    struct broker_dir *best = NULL;
    uint32_t fewest = 0;

    for (uint32_t i = 0; i < broker->options.dir_count; i++) {
        struct broker_dir *dir = &broker->dirs[i];
        uint32_t logs = __atomic_load_n(&dir->logs, __ATOMIC_RELAXED);
        if (dir->dir == NULL || __atomic_load_n(&dir->state, __ATOMIC_RELAXED) != MRT_DIR_ONLINE)
            continue;
        if (best == NULL || logs < fewest) {
            best = dir;
            fewest = logs;
        }
    }
    return best != NULL ? best : &broker->dirs[0];
}

static struct partition *partition_new(
    struct broker *broker, const struct image_topic *topic, int32_t index)
{
    const struct image_partition *where = &topic->partitions[index];
    const struct broker_options *options = &broker->options;
    struct partition *partition = memory_new(sizeof *partition);
    struct broker_dir *dir = inventory_find(broker->inventory, &topic->name, index);
    if (dir == NULL)
        dir = choose_dir(broker);
    struct log_options log = {
        .runtime = options->runtime,
        .ops = options->storage->ops,
        .dir = dir->dir,
        .dir_exec = dir->exec,
        .topic = topic->name,
        .partition = index,
        .leader_epoch = where->leader_epoch,
        .home = (uint32_t)index,
    };

    memcpy(log.topic_id, topic->id, sizeof log.topic_id);
    configs_resolve(broker, topic, where->n_replicas, partition, &log);
    partition->broker = broker;
    partition->dir = dir;
    partition->config = log.config;
    partition->name = str_copy(&topic->name);
    partition->index = index;
    partition->log = log_new(&log);
    __atomic_add_fetch(&dir->logs, 1, __ATOMIC_RELAXED);
    return partition;
}

void partition_free(struct partition *partition)
{
    list_remove(&partition->link);
    log_unref(partition->log);
    __atomic_sub_fetch(&partition->dir->logs, 1, __ATOMIC_RELAXED);
    cfg_free(partition->storage_cfg);
    for (uint32_t i = 0; i < LOG_POLICIES_MAX; i++)
        cfg_free(partition->policy_cfg[i]);
    memory_free(partition->name);
    memory_free(partition);
}

static bool lives_here(const struct image_partition *where, int32_t node)
{
    for (uint32_t i = 0; i < where->n_replicas; i++)
        if (where->replicas[i] == node)
            return true;
    return false;
}

static void version_add(
    struct partition ***array, uint32_t *n, uint32_t *cap, struct partition *partition)
{
    if (*n == *cap) {
        *cap = *cap == 0 ? 16 : *cap * 2;
        *array = memory_resize(*array, *cap * sizeof(struct partition *));
    }
    (*array)[(*n)++] = partition;
}

static void version_open_topic(struct version *version, const struct image_topic *topic)
{
    struct broker *broker = version->broker;
    for (uint32_t i = 0; i < topic->n_partitions; i++) {
        struct image_partition *where = &topic->partitions[i];
        if (where->local != NULL || !lives_here(where, broker->options.node))
            continue;
        struct partition *partition = partition_new(broker, topic, (int32_t)i);
        where->local = partition;
        version_add(&version->opened, &version->n_opened, &version->cap_opened, partition);
    }
}

static void version_close_topic(struct version *version, const struct image_topic *topic)
{
    for (uint32_t i = 0; i < topic->n_partitions; i++) {
        struct partition *partition = topic->partitions[i].local;
        if (partition != NULL)
            version_add(&version->closed, &version->n_closed, &version->cap_closed, partition);
    }
}

/* ---- on the controller's executor ------------------------------------------------------------ */

static void version_run(mrt_task *task);

static struct version *version_new(struct broker *broker, struct image *image)
{
    struct version *version = memory_new(sizeof *version);
    version->broker = broker;
    version->image = image_ref(image);
    version->task.run = version_run;
    return version;
}

void broker_on_image(void *context, struct image *image, const struct image_changes *changes)
{
    struct broker *broker = context;

    if (broker->replaying) { /* what was created and deleted before we came needs no logs */
        image_unref(broker->latest);
        broker->latest = image_ref(image);
        return;
    }
    struct version *version = version_new(broker, image);
    for (uint32_t i = 0; i < changes->n; i++) {
        const struct image_change *change = &changes->v[i];
        if (change->kind == IMAGE_TOPIC_CREATED)
            version_open_topic(version, change->topic);
        else if (change->kind == IMAGE_TOPIC_DELETED)
            version_close_topic(version, change->topic);
    }
    exec_post(broker->exec, &version->task);
}

void broker_publish_replayed(struct broker *broker)
{
    ASSERT(broker->replaying);
    ASSERT(broker->latest != NULL);
    struct version *version = version_new(broker, broker->latest);
    for (uint64_t i = 0; i < image_topic_count(broker->latest); i++)
        version_open_topic(version, image_topic_at(broker->latest, i));
    image_unref(broker->latest);
    broker->latest = NULL;
    broker->replaying = 0;
    inventory_free(broker->inventory);
    broker->inventory = NULL;
    exec_post(broker->exec, &version->task);
}

/* ---- on the control strand ------------------------------------------------------------------- */

static void wake_waiters(struct broker *broker)
{
    list_each_safe (at, &broker->waiters) {
        struct version_waiter *waiter = CONTAINER(at, struct version_waiter, link);
        if (waiter->version > broker->published)
            continue;
        list_remove(&waiter->link);
        exec_post(waiter->exec, &waiter->task);
    }
}

static void partition_gone(struct log_request *request)
{
    struct partition *partition = CONTAINER(request, struct partition, closing);
    if (request->status != MRT_OK)
        runtime_log(
            partition->broker->options.runtime, MRT_LOG_ERROR, 0,
            "partition.delete_failed topic=%s partition=%d status=%s", partition->name,
            partition->index, status_name(request->status));
    struct broker *broker = partition->broker;
    partition->gone = 1;
    if (!partition->maintaining)
        partition_free(partition);
    ASSERT(broker->deleting > 0);
    if (--broker->deleting == 0)
        next_version(broker);
}

/* Every reactor shows the new version: nobody can find these any more. */
static void delete_closed(struct version *version)
{
    for (uint32_t i = 0; i < version->n_closed; i++) {
        struct partition *partition = version->closed[i];
        partition->closing =
            (struct log_request){.done = partition_gone, .exec = version->broker->exec};
        version->broker->deleting++;
        log_delete(partition->log, &partition->closing);
    }
}

static void version_done(struct version *version)
{
    struct broker *broker = version->broker;

    broker->published = image_version(version->image);
    delete_closed(version);
    list_remove(&version->link);
    image_unref(version->image);
    memory_free(version->opened);
    memory_free(version->closed);
    memory_free(version);
    wake_waiters(broker);
    next_version(broker);
}

static void adopted_run(mrt_task *task)
{
    struct mrt_broker *shard = CONTAINER(task, struct mrt_broker, adopt_task);
    struct version *version = CONTAINER(shard->broker->versions.next, struct version, link);
    ASSERT(version->waiting > 0);
    if (--version->waiting == 0)
        version_done(version);
}

static void adopt_run(mrt_task *task)
{
    struct mrt_broker *shard = CONTAINER(task, struct mrt_broker, adopt_task);
    image_unref(shard->image);
    shard->image = shard->adopt;
    shard->adopt = NULL;
    shard->adopt_task.run = adopted_run;
    exec_post(shard->broker->exec, &shard->adopt_task);
}

static void show_version(struct version *version)
{
    struct broker *broker = version->broker;

    version->waiting = runtime_reactors(broker->options.runtime);
    for (uint32_t i = 0; i < runtime_reactors(broker->options.runtime); i++) {
        struct mrt_broker *shard = &broker->shards[i];
        ASSERT(shard->adopt == NULL);
        shard->adopt = image_ref(version->image);
        shard->adopt_task.run = adopt_run;
        exec_post(shard->reactor, &shard->adopt_task);
    }
}

/* A log that cannot be opened answers so itself; the others and the image go on. */
static void log_opened(struct log_request *request)
{
    struct partition *partition = CONTAINER(request, struct partition, closing);
    struct broker *broker = partition->broker;
    struct version *version = CONTAINER(broker->versions.next, struct version, link);

    if (request->status != MRT_OK)
        runtime_log(
            broker->options.runtime, MRT_LOG_ERROR, 0,
            "partition.open_failed topic=%s partition=%d status=%s", partition->name,
            partition->index, status_name(request->status));
    ASSERT(version->waiting > 0);
    if (--version->waiting == 0)
        show_version(version);
}

static void next_version(struct broker *broker)
{
    if (list_empty(&broker->versions)) {
        if (broker->draining_step && broker->deleting == 0) {
            broker->draining_step = 0;
            sequence_next(broker, MRT_OK);
        }
        return;
    }
    struct version *version = CONTAINER(broker->versions.next, struct version, link);
    if (version->begun)
        return;
    if (version->n_opened > 0 && broker->deleting > 0)
        return; /* it may bear the name of one that is going: partition_gone() comes back */
    version->begun = 1;
    if (version->n_opened == 0) {
        show_version(version);
        return;
    }
    version->waiting = version->n_opened;
    for (uint32_t i = 0; i < version->n_opened; i++) {
        struct partition *partition = version->opened[i];
        list_append(&broker->partitions, &partition->link);
        partition->closing = (struct log_request){.done = log_opened, .exec = broker->exec};
        log_open(partition->log, &partition->closing);
    }
}

static void version_run(mrt_task *task)
{
    struct version *version = CONTAINER(task, struct version, task);
    struct broker *broker = version->broker;
    bool idle = list_empty(&broker->versions);

    list_append(&broker->versions, &version->link);
    if (idle)
        next_version(broker);
}

void versions_settle(struct broker *broker)
{
    broker->draining_step = 1;
    next_version(broker);
}

/* ---- waiting for a version ------------------------------------------------------------------- */

static void waiter_done(mrt_task *task)
{
    struct version_waiter *waiter = CONTAINER(task, struct version_waiter, task);
    waiter->done(waiter);
}

static void waiter_arrived(mrt_task *task)
{
    struct version_waiter *waiter = CONTAINER(task, struct version_waiter, task);
    struct broker *broker = waiter->broker;

    waiter->task.run = waiter_done;
    if (waiter->version <= broker->published)
        exec_post(waiter->exec, &waiter->task);
    else
        list_append(&broker->waiters, &waiter->link);
}

void broker_await_version(struct version_waiter *waiter)
{
    waiter->link = (struct list){0};
    waiter->task.run = waiter_arrived;
    exec_post(waiter->broker->exec, &waiter->task);
}
