/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/assert.h"
#include "core/base/str.h"
#include "core/config/schema.h"

#define COUNT(table) ((uint32_t)(sizeof(table) / sizeof *(table)))
#define INT32_TEXT   "2147483647"
#define INT64_TEXT   "9223372036854775807"

#define SWITCH(n, initial, bits, k, d)                                                             \
    {                                                                                              \
        .name = n, .type = KEY_BOOL, .flags = bits, .fallback = initial, .kafka = k, .doc = d      \
    }
#define TEXT(n, initial, bits, k, d)                                                               \
    {                                                                                              \
        .name = n, .type = KEY_STR, .flags = bits, .fallback = initial, .kafka = k, .doc = d       \
    }
#define LIST(n, initial, bits, k, d)                                                               \
    {                                                                                              \
        .name = n, .type = KEY_LIST, .flags = bits, .fallback = initial, .kafka = k, .doc = d      \
    }
#define RANGE(t, n, initial, low, high, bits, k, d)                                                \
    {                                                                                              \
        .name = n, .type = t, .flags = bits, .fallback = initial, .min = low, .max = high,         \
        .kafka = k, .doc = d                                                                       \
    }
#define CHOICE(t, n, initial, words, bits, k, d)                                                   \
    {                                                                                              \
        .name = n, .type = t, .flags = bits, .fallback = initial, .choices = words,                \
        .n_choices = COUNT(words), .kafka = k, .doc = d                                            \
    }

static const char *const levels[] = {"debug", "info", "warn", "error"};
static const char *const times[] = {"CreateTime", "LogAppendTime"};
static const char *const flushes[] = {"none", "interval", "ack"};

static const struct note_key broker[] = {
    RANGE(
        KEY_I64, "node_id", "1", "0", INT32_TEXT, 0, "node.id",
        "This broker's number in the cluster."),
    TEXT(
        "cluster_id", "", 0, NULL,
        "The cluster's id, 22 characters; empty: drawn when the metadata log is made."),
    TEXT("rack", "", 0, "broker.rack", "Where this broker stands; told to clients."),
    LIST(
        "log_dirs", "/var/lib/mortise", 0, "log.dirs",
        "Directories that hold partitions, one a device."),
    TEXT(
        "metadata_log_dir", "", 0, "metadata.log.dir",
        "Directory of the metadata log; empty: the first of log_dirs."),
    RANGE(
        KEY_I64, "reactors", "0", "0", "64", 0, "num.network.threads",
        "Threads that serve connections; 0: one a processor."),
    RANGE(
        KEY_I64, "workers", "4", "1", "256", 0, "num.io.threads",
        "Threads for work that may block."),
    CHOICE(
        KEY_ENUM, "log_level", "info", levels, KEY_DYNAMIC, NULL,
        "The least important log lines that are written."),

    RANGE(
        KEY_BYTES, "memory_max", "256MiB", "16MiB", NULL, 0, NULL,
        "What requests and answers in flight may take together."),
    RANGE(
        KEY_BYTES, "memory_per_connection_max", "110MiB", "64KiB", NULL, 0, NULL,
        "The part of it that one connection may take."),
    RANGE(
        KEY_BYTES, "memory_per_plugin_max", "0", "0", NULL, 0, NULL,
        "What one plugin instance may allocate; 0: no limit of its own."),

    RANGE(
        KEY_BYTES, "socket_request_max_bytes", "104857600", "1024", "1073741824", 0,
        "socket.request.max.bytes", "The largest request; a larger one ends its connection."),
    RANGE(
        KEY_I64, "max_connections", INT32_TEXT, "0", INT32_TEXT, KEY_DYNAMIC, "max.connections",
        "Connections of the whole broker."),
    RANGE(
        KEY_BYTES, "fetch_max_bytes", "57671680", "1024", INT32_TEXT, KEY_DYNAMIC,
        "fetch.max.bytes", "The most one fetch is answered with, whatever it asks."),

    RANGE(
        KEY_I64, "num_partitions", "1", "1", "10000", KEY_DYNAMIC, "num.partitions",
        "Partitions of a topic that does not say."),
    RANGE(
        KEY_I64, "default_replication_factor", "1", "1", "16", KEY_DYNAMIC,
        "default.replication.factor", "Replicas of a topic that does not say."),
    SWITCH(
        "auto_create_topics_enable", "true", KEY_DYNAMIC, "auto.create.topics.enable",
        "Make a topic when a client asks for its metadata."),
    SWITCH(
        "delete_topic_enable", "true", KEY_DYNAMIC, "delete.topic.enable",
        "Let clients delete topics."),
    RANGE(
        KEY_MILLIS, "log_retention_check_interval_ms", "300000", "1", NULL, KEY_DYNAMIC,
        "log.retention.check.interval.ms", "How often cleanup policies look at every log."),

    /* What topics have unless they say otherwise: topic/table.c names these as synonyms. */
    LIST(
        "log_cleanup_policy", "delete", KEY_DYNAMIC, "log.cleanup.policy",
        "Default of cleanup.policy."),
    RANGE(
        KEY_BYTES, "log_segment_bytes", "1073741824", "14", INT32_TEXT, KEY_DYNAMIC,
        "log.segment.bytes", "Default of segment.bytes."),
    RANGE(
        KEY_MILLIS, "log_roll_ms", NULL, "1", NULL, KEY_DYNAMIC, "log.roll.ms",
        "Default of segment.ms; unset: log_roll_hours."),
    RANGE(
        KEY_I64, "log_roll_hours", "168", "1", "2562047788015", 0, "log.roll.hours",
        "Default of segment.ms, in hours."),
    RANGE(
        KEY_MILLIS, "log_roll_jitter_ms", NULL, "0", NULL, KEY_DYNAMIC, "log.roll.jitter.ms",
        "Default of segment.jitter.ms; unset: log_roll_jitter_hours."),
    RANGE(
        KEY_I64, "log_roll_jitter_hours", "0", "0", "2562047788015", 0, "log.roll.jitter.hours",
        "Default of segment.jitter.ms, in hours."),
    RANGE(
        KEY_MILLIS, "log_retention_ms", NULL, "-1", NULL, KEY_DYNAMIC, "log.retention.ms",
        "Default of retention.ms; unset: log_retention_minutes."),
    RANGE(
        KEY_I64, "log_retention_minutes", NULL, "-1", "153722867280912", 0, "log.retention.minutes",
        "Default of retention.ms, in minutes; unset: log_retention_hours."),
    RANGE(
        KEY_I64, "log_retention_hours", "168", "-1", "2562047788015", 0, "log.retention.hours",
        "Default of retention.ms, in hours."),
    RANGE(
        KEY_BYTES, "log_retention_bytes", "-1", "-1", NULL, KEY_DYNAMIC, "log.retention.bytes",
        "Default of retention.bytes."),
    RANGE(
        KEY_BYTES, "message_max_bytes", "1048588", "0", INT32_TEXT, KEY_DYNAMIC,
        "message.max.bytes", "Default of max.message.bytes."),
    CHOICE(
        KEY_ENUM, "log_message_timestamp_type", "CreateTime", times, KEY_DYNAMIC,
        "log.message.timestamp.type", "Default of message.timestamp.type."),
    RANGE(
        KEY_MILLIS, "log_message_timestamp_before_max_ms", INT64_TEXT, "0", NULL, KEY_DYNAMIC,
        "log.message.timestamp.before.max.ms", "Default of message.timestamp.before.max.ms."),
    RANGE(
        KEY_MILLIS, "log_message_timestamp_after_max_ms", "3600000", "0", NULL, KEY_DYNAMIC,
        "log.message.timestamp.after.max.ms", "Default of message.timestamp.after.max.ms."),
    CHOICE(
        KEY_ENUM, "flush", NULL, flushes, KEY_DYNAMIC, NULL,
        "Default of flush; unset: ack for internal and single-replica topics, else none."),
    RANGE(
        KEY_I64, "log_flush_interval_messages", INT64_TEXT, "1", NULL, KEY_DYNAMIC,
        "log.flush.interval.messages", "Default of flush.messages."),
    RANGE(
        KEY_MILLIS, "log_flush_interval_ms", NULL, "1", NULL, KEY_DYNAMIC, "log.flush.interval.ms",
        "Default of flush.ms."),
};

static const struct note_key listener[] = {
    TEXT("transport", "tcp", 0, NULL, "The plugin that moves its bytes."),
    LIST("channel", "", 0, NULL, "Filters between transport and protocol, outermost first."),
    TEXT("protocol", "kafka", 0, NULL, "The plugin that speaks with its clients."),
    TEXT(
        "bind", NULL, KEY_REQUIRED, NULL,
        "The address it listens on, as its transport writes them."),
    TEXT(
        "advertise", "auto", 0, NULL,
        "The address clients are told; auto: the one they reached us on."),
};

static const struct schema_kind kinds[] = {
    {"storage", true, "segment"}, {"coordination", true, "standalone"},
    {"cleanup", false, NULL},     {"codec", false, NULL},
    {"serializer", false, NULL},  {"transport", false, NULL},
    {"channel", false, NULL},     {"protocol", false, NULL},
};

const struct note_key *schema_broker(uint32_t *count)
{
    ASSERT(count != NULL);
    *count = COUNT(broker);
    return broker;
}

const struct note_key *schema_listener(uint32_t *count)
{
    ASSERT(count != NULL);
    *count = COUNT(listener);
    return listener;
}

const struct schema_kind *schema_kinds(uint32_t *count)
{
    ASSERT(count != NULL);
    *count = COUNT(kinds);
    return kinds;
}

const struct schema_kind *schema_kind_find(const char *name)
{
    ASSERT(name != NULL);
    for (uint32_t i = 0; i < COUNT(kinds); i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}
