/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/assert.h"
#include "core/config/topic/parts.h"

#define COUNT(table) ((uint32_t)(sizeof(table) / sizeof *(table)))
#define INT32_TEXT   "2147483647"
#define INT64_TEXT   "9223372036854775807"
#define MINUTE       INT64_C(60000)
#define HOUR         INT64_C(3600000)

#define NUMBER(n, t, initial, low, high, is_honoured, d, ...)                                      \
    {                                                                                              \
        .key =                                                                                     \
            {.name = n,                                                                            \
             .type = KEY_I64,                                                                      \
             .fallback = initial,                                                                  \
             .min = low,                                                                           \
             .max = high,                                                                          \
             .kafka = n,                                                                           \
             .doc = d},                                                                            \
        .type = t, .honoured = is_honoured, .broker = {                                            \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }
#define OTHER(n, kt, t, initial, is_honoured, d, ...)                                              \
    {                                                                                              \
        .key = {.name = n, .type = kt, .fallback = initial, .kafka = n, .doc = d}, .type = t,      \
        .honoured = is_honoured, .broker = {                                                       \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }
#define CHOICE(n, initial, words, is_honoured, d, ...)                                             \
    {                                                                                              \
        .key =                                                                                     \
            {.name = n,                                                                            \
             .type = KEY_ENUM,                                                                     \
             .fallback = initial,                                                                  \
             .choices = words,                                                                     \
             .n_choices = COUNT(words),                                                            \
             .kafka = n,                                                                           \
             .doc = d},                                                                            \
        .type = TOPIC_STRING, .honoured = is_honoured, .broker = {                                 \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }

static const char *const codecs[] = {"producer", "uncompressed", "gzip", "snappy", "lz4", "zstd"};
static const char *const times[] = {"CreateTime", "LogAppendTime"};
static const char *const flushes[] = {"none", "interval", "ack"};

/* In order of name (T4). Defaults and ranges are Kafka 4's. */
static const struct topic_static statics[] = {
    OTHER(
        "cleanup.policy", KEY_LIST, TOPIC_LIST, "delete", true,
        "What may go from the log's old end: cleanup policies, comma-separated.",
        {"log.cleanup.policy", 0}),
    NUMBER(
        "compression.gzip.level", TOPIC_INT, "-1", "-1", "9", false,
        "The level when the broker recompresses with gzip.", {"compression.gzip.level", 0}),
    NUMBER(
        "compression.lz4.level", TOPIC_INT, "9", "1", "17", false,
        "The level when the broker recompresses with lz4.", {"compression.lz4.level", 0}),
    CHOICE(
        "compression.type", "producer", codecs, false,
        "What batches are stored compressed with; producer: as they came.",
        {"compression.type", 0}),
    NUMBER(
        "compression.zstd.level", TOPIC_INT, "3", "-131072", "22", false,
        "The level when the broker recompresses with zstd.", {"compression.zstd.level", 0}),
    NUMBER(
        "delete.retention.ms", TOPIC_LONG, "86400000", "0", INT64_TEXT, false,
        "How long tombstones stay in a compacted log.", {"log.cleaner.delete.retention.ms", 0}),
    NUMBER(
        "file.delete.delay.ms", TOPIC_LONG, "60000", "0", INT64_TEXT, false,
        "How long the files of a deleted segment stay.", {"log.segment.delete.delay.ms", 0}),
    CHOICE(
        "flush", NULL, flushes, true,
        "What acknowledged records survive: none, a crash of the process; interval, a loss of "
        "power but for flush.ms; ack, a loss of power.",
        {NULL, 0}),
    NUMBER(
        "flush.messages", TOPIC_LONG, INT64_TEXT, "1", INT64_TEXT, true,
        "1: records are on the device before they are acknowledged (flush=ack). No other number "
        "is supported.",
        {"log.flush.interval.messages", 0}),
    NUMBER(
        "flush.ms", TOPIC_LONG, INT64_TEXT, "0", INT64_TEXT, true,
        "The longest that acknowledged records wait for the device (flush=interval).",
        {"log.flush.interval.ms", 0}),
    OTHER(
        "follower.replication.throttled.replicas", KEY_LIST, TOPIC_LIST, "", false,
        "Replicas whose fetching is throttled.", {NULL, 0}),
    NUMBER(
        "index.interval.bytes", TOPIC_INT, "4096", "0", INT32_TEXT, false,
        "Bytes of log for each entry of the offset index.", {"log.index.interval.bytes", 0}),
    OTHER(
        "leader.replication.throttled.replicas", KEY_LIST, TOPIC_LIST, "", false,
        "Replicas whose serving is throttled.", {NULL, 0}),
    NUMBER(
        "local.retention.bytes", TOPIC_LONG, "-2", "-2", INT64_TEXT, false,
        "What tiering leaves here; -2: retention.bytes.", {"log.local.retention.bytes", 0}),
    NUMBER(
        "local.retention.ms", TOPIC_LONG, "-2", "-2", INT64_TEXT, false,
        "How long tiering leaves it here; -2: retention.ms.", {"log.local.retention.ms", 0}),
    NUMBER(
        "max.compaction.lag.ms", TOPIC_LONG, INT64_TEXT, "1", INT64_TEXT, false,
        "The longest a record waits for compaction.", {"log.cleaner.max.compaction.lag.ms", 0}),
    NUMBER(
        "max.message.bytes", TOPIC_INT, "1048588", "0", INT32_TEXT, true,
        "The largest record batch, as it is stored.", {"message.max.bytes", 0}),
    NUMBER(
        "message.timestamp.after.max.ms", TOPIC_LONG, "3600000", "0", INT64_TEXT, true,
        "How far ahead of the broker's clock a record's time may be.",
        {"log.message.timestamp.after.max.ms", 0}),
    NUMBER(
        "message.timestamp.before.max.ms", TOPIC_LONG, INT64_TEXT, "0", INT64_TEXT, true,
        "How far behind the broker's clock a record's time may be.",
        {"log.message.timestamp.before.max.ms", 0}),
    CHOICE(
        "message.timestamp.type", "CreateTime", times, true,
        "Whose clock a record's time is from: the producer's or the broker's.",
        {"log.message.timestamp.type", 0}),
    OTHER(
        "min.cleanable.dirty.ratio", KEY_F64, TOPIC_DOUBLE, "0.5", false,
        "The dirty part at which a log is compacted.", {"log.cleaner.min.cleanable.ratio", 0}),
    NUMBER(
        "min.compaction.lag.ms", TOPIC_LONG, "0", "0", INT64_TEXT, false,
        "The shortest a record stays uncompacted.", {"log.cleaner.min.compaction.lag.ms", 0}),
    NUMBER(
        "min.insync.replicas", TOPIC_INT, "1", "1", INT32_TEXT, false,
        "Replicas that must have a record before acks=all is answered.",
        {"min.insync.replicas", 0}),
    OTHER(
        "preallocate", KEY_BOOL, TOPIC_BOOLEAN, "false", false,
        "Reserve the bytes of a new segment.", {"log.preallocate", 0}),
    OTHER(
        "remote.log.copy.disable", KEY_BOOL, TOPIC_BOOLEAN, "false", false,
        "Stop tiering; what was tiered is read on.", {NULL, 0}),
    OTHER(
        "remote.log.delete.on.disable", KEY_BOOL, TOPIC_BOOLEAN, "false", false,
        "Delete what was tiered when tiering ends.", {NULL, 0}),
    OTHER(
        "remote.storage.enable", KEY_BOOL, TOPIC_BOOLEAN, "false", false,
        "Tier old segments to remote storage.", {NULL, 0}),
    NUMBER(
        "retention.bytes", TOPIC_LONG, "-1", "-1", INT64_TEXT, true,
        "Bytes of a partition that stay; -1: all.", {"log.retention.bytes", 0}),
    NUMBER(
        "retention.ms", TOPIC_LONG, "604800000", "-1", INT64_TEXT, true,
        "How long records stay; -1: for ever.", {"log.retention.ms", 0},
        {"log.retention.minutes", MINUTE}, {"log.retention.hours", HOUR}),
    NUMBER(
        "segment.bytes", TOPIC_INT, "1073741824", "14", INT32_TEXT, true,
        "The size at which a segment is full; also the largest batch.", {"log.segment.bytes", 0}),
    NUMBER(
        "segment.index.bytes", TOPIC_INT, "10485760", "4", INT32_TEXT, false,
        "The size of an index at which a segment is full.", {"log.index.size.max.bytes", 0}),
    NUMBER(
        "segment.jitter.ms", TOPIC_LONG, "0", "0", INT64_TEXT, true,
        "The most that segment.ms is shortened by, at random.", {"log.roll.jitter.ms", 0},
        {"log.roll.jitter.hours", HOUR}),
    NUMBER(
        "segment.ms", TOPIC_LONG, "604800000", "1", INT64_TEXT, true,
        "The age at which a segment is full.", {"log.roll.ms", 0}, {"log.roll.hours", HOUR}),
    OTHER(
        "unclean.leader.election.enable", KEY_BOOL, TOPIC_BOOLEAN, "false", false,
        "Let a replica lead that may lack acknowledged records.",
        {"unclean.leader.election.enable", 0}),
};

const struct topic_static *topic_statics(uint32_t *count)
{
    ASSERT(count != NULL);
    *count = COUNT(statics);
    return statics;
}
