/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_apply.c - what each record does to an image. The rules stand here and nowhere else: what
 * the controller must not write is refused on every node in the same way (I5).
 */
#include <string.h>

#include "core/base/assert.h"
#include "core/base/str.h"
#include "core/base/uuid.h"
#include "core/cluster/state.h"

static mrt_status broken(struct build *build, const char *why)
{
    return error_set(build->error, MRT_ECORRUPT, "%s", why);
}

static bool read_all(const struct kit_reader *body)
{
    return body->ok && kit_left(body) == 0;
}

/* ---- changes --------------------------------------------------------------------------------- */

/* Points what this entry already said about @old at @now, or takes it back when @now is NULL: two
 * records of one entry may be about one topic. True if there was something. */
static bool changes_turn(
    struct build *build, const struct image_topic *old, const struct image_topic *now)
{
    struct image_changes *changes = build->changes;
    uint32_t kept = 0;
    bool found = false;
    for (uint32_t i = 0; i < changes->n; i++) {
        bool about = changes->v[i].topic == old && changes->v[i].kind != IMAGE_TOPIC_DELETED;
        found = found || about;
        if (about && now == NULL)
            continue;
        changes->v[kept] = changes->v[i];
        if (about)
            changes->v[kept].topic = now;
        kept++;
    }
    changes->n = kept;
    return found;
}

/* The node of the version before that @topic came from; NULL when this entry made it. */
static const struct image_topic *published(
    const struct build *build, const struct image_topic *topic)
{
    const struct image_topic *old =
        build->before == NULL ? NULL : table_find(&build->before->ids, topic->id);
    for (uint32_t i = 0; old != NULL && i < build->changes->n; i++)
        if (build->changes->v[i].topic == old)
            return NULL; /* deleted already: @topic took its id over */
    return old;
}

/* ---- records --------------------------------------------------------------------------------- */

static mrt_status apply_cluster(struct build *build, struct kit_reader *body)
{
    struct image *next = build->next;
    const uint8_t *id = kit_take(body, 16);
    uint64_t level = kit_read_uvarint(body);

    if (!read_all(body) || uuid_is_zero(id) || level == 0)
        return broken(build, "its fields do not fit its size");
    if (level > METADATA_LEVEL)
        return error_set(
            build->error, MRT_ETOONEW, "metadata.level is %llu, this release knows up to %u",
            (unsigned long long)level, METADATA_LEVEL);
    if (next->level != 0)
        return broken(build, "the cluster already has an id");
    memcpy(next->cluster_id, id, 16);
    next->level = (uint32_t)level;
    return MRT_OK;
}

static mrt_status apply_controller(struct build *build, struct kit_reader *body)
{
    uint64_t node = kit_read_uvarint(body);
    uint64_t epoch = kit_read_uvarint(body);

    if (!read_all(body) || node > INT32_MAX)
        return broken(build, "its fields do not fit its size");
    if (epoch > build->next->epoch || (build->before != NULL && epoch != build->next->epoch))
        return broken(build, "it names another epoch than the one it was written in");
    build->next->controller = (int32_t)node;
    return MRT_OK;
}

static mrt_status apply_broker(struct build *build, struct kit_reader *body)
{
    struct image_broker *broker = NULL;
    mrt_status status = broker_read(body, build->next->offset, &broker, build->error);
    if (status != MRT_OK)
        return status;

    const struct image_broker *old = image_broker(build->next, broker->id);
    if (old != NULL && (build->before == NULL || old->epoch >= broker->epoch)) {
        broker_unref(broker);
        return broken(build, "the broker's epoch does not rise");
    }
    if (old == NULL)
        table_insert(&build->next->brokers, broker);
    else
        table_replace(&build->next->brokers, broker);
    image_changes_add(build->changes, IMAGE_BROKER_CHANGED, broker->id, NULL);
    broker_unref(broker); /* the table holds it */
    return MRT_OK;
}

static const char *topic_clash(const struct image *image, const struct image_topic *topic)
{
    if (table_find(&image->ids, topic->id) != NULL)
        return "the topic's id is in use";
    if (table_find(&image->folds, &topic->name) != NULL)
        return "the topic's name is in use, or one that differs only in '.' and '_'";
    return NULL;
}

static mrt_status apply_topic(struct build *build, struct kit_reader *body)
{
    struct image_topic *topic = NULL;
    mrt_status status = topic_read(body, &topic, build->error);
    if (status != MRT_OK)
        return status;

    const char *clash = topic_clash(build->next, topic);
    if (clash != NULL) {
        topic_unref(topic);
        return broken(build, clash);
    }
    table_insert(&build->next->names, topic);
    table_insert(&build->next->ids, topic);
    table_insert(&build->next->folds, topic);
    image_changes_add(build->changes, IMAGE_TOPIC_CREATED, -1, topic);
    topic_unref(topic); /* the table holds it */
    return MRT_OK;
}

/* The topic whose id comes next in @body. */
static const struct image_topic *find_topic(struct build *build, struct kit_reader *body)
{
    const uint8_t *id = kit_take(body, 16);
    return id == NULL ? NULL : table_find(&build->next->ids, id);
}

static mrt_status apply_delete(struct build *build, struct kit_reader *body)
{
    const struct image_topic *topic = find_topic(build, body);
    if (topic == NULL || !read_all(body))
        return broken(build, "there is no topic of that id");

    const struct image_topic *old = published(build, topic);
    changes_turn(build, topic, NULL);
    if (old != NULL)
        image_changes_add(build->changes, IMAGE_TOPIC_DELETED, -1, old);
    table_remove(&build->next->ids, topic->id);
    table_remove(&build->next->folds, &topic->name);
    table_remove(&build->next->names, &topic->name);
    return MRT_OK;
}

static mrt_status apply_configs(struct build *build, struct kit_reader *body)
{
    const struct image_topic *old = find_topic(build, body);
    if (old == NULL)
        return broken(build, "there is no topic of that id");
    struct image_topic *topic = NULL;
    mrt_status status = topic_read_configs(old, body, &topic, build->error);
    if (status != MRT_OK)
        return status;

    if (!changes_turn(build, old, topic))
        image_changes_add(build->changes, IMAGE_TOPIC_CONFIGURED, -1, topic);
    table_replace(&build->next->ids, topic);
    table_replace(&build->next->folds, topic);
    table_replace(&build->next->names, topic);
    topic_unref(topic); /* the table holds it */
    return MRT_OK;
}

static mrt_status apply_producer_ids(struct build *build, struct kit_reader *body)
{
    uint64_t first = kit_read_uvarint(body);
    uint64_t count = kit_read_uvarint(body);

    if (!read_all(body) || count == 0 || count > INT64_MAX || first > INT64_MAX - count)
        return broken(build, "its fields do not fit its size");
    if (first != (uint64_t)build->next->next_producer_id)
        return broken(build, "the block does not begin where the last one ended");
    build->next->next_producer_id = (int64_t)(first + count);
    return MRT_OK;
}

mrt_status build_apply(struct build *build, struct entry_record *record)
{
    if (record->kind != ENTRY_CLUSTER && build->next->level == 0)
        return broken(build, "the cluster has no id yet");
    switch (record->kind) {
    case ENTRY_CLUSTER:
        return apply_cluster(build, &record->body);
    case ENTRY_CONTROLLER:
        return apply_controller(build, &record->body);
    case ENTRY_BROKER:
        return apply_broker(build, &record->body);
    case ENTRY_TOPIC:
        return apply_topic(build, &record->body);
    case ENTRY_DELETE_TOPIC:
        return apply_delete(build, &record->body);
    case ENTRY_TOPIC_CONFIGS:
        return apply_configs(build, &record->body);
    case ENTRY_PRODUCER_IDS:
        return apply_producer_ids(build, &record->body);
    case ENTRY_KINDS:
        break;
    }
    ASSERT(record->kind < ENTRY_KINDS); /* entry_next() gives no other */
    return MRT_EBUG;
}

/* ---- entries --------------------------------------------------------------------------------- */

static mrt_status apply_records(struct build *build, struct kit_reader *reader)
{
    struct entry_record record = {.number = UINT32_MAX};
    mrt_status status;
    while ((status = entry_next(reader, &record, build->error)) == MRT_OK) {
        mrt_error why = {0};
        struct build inner = *build;
        inner.error = &why;
        status = build_apply(&inner, &record);
        if (status != MRT_OK)
            return error_set(
                build->error, status, "record %u (%s): %s", record.number,
                entry_kind_name(record.kind), why.text);
    }
    if (status == MRT_ENOENT && record.number == UINT32_MAX)
        return error_set(build->error, MRT_ECORRUPT, "it holds no records");
    return status == MRT_ENOENT ? MRT_OK : status;
}

static mrt_status apply_entry(
    struct build *build, uint64_t offset, uint32_t epoch, const mrt_str *entry)
{
    struct kit_reader reader;
    if (offset != build->before->offset)
        return error_set(
            build->error, MRT_ECORRUPT, "the entry at %llu was to come next",
            (unsigned long long)build->before->offset);
    if (epoch < build->before->epoch)
        return error_set(
            build->error, MRT_ECORRUPT, "its epoch %u is older than %u before it", epoch,
            build->before->epoch);
    mrt_status status = entry_open(entry, &reader, build->error);
    if (status != MRT_OK)
        return status;

    build->next->epoch = epoch;
    status = apply_records(build, &reader);
    build->next->offset = offset + 1;
    build->next->version++;
    return status;
}

mrt_status image_apply(
    const struct image *image, uint64_t offset, uint32_t epoch, const mrt_str *entry,
    struct image **out, struct image_changes *changes, mrt_error *error)
{
    mrt_error why = {0};
    struct image_changes mine = {0};
    struct build build = {image_copy(image), image, &mine, &why};

    mrt_status status = apply_entry(&build, offset, epoch, entry);
    if (status != MRT_OK) {
        image_changes_free(&mine);
        image_unref(build.next);
        return error_set(
            error, status, "metadata entry %llu: %s", (unsigned long long)offset, why.text);
    }
    for (uint32_t i = 0; i < mine.n; i++)
        image_changes_add(changes, mine.v[i].kind, mine.v[i].partition, mine.v[i].topic);
    image_changes_free(&mine);
    CHECK(image_check(build.next));
    *out = build.next;
    return MRT_OK;
}
