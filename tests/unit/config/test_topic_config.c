/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configs of topics. The scene: settings from -o texts alone, a table over them with the policy
 * delete and the PER_TOPIC keys of storage/segment as plugins.h makes them up (index.interval.bytes
 * under Kafka's name, prefetch as mortise.segment.prefetch).
 */
#include <stdio.h>
#include <string.h>

#include "core/config/topic_config.h"
#include "core/config/value.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/config/plugins.h"

#define OVERRIDES_MAX 8

struct scene {
    struct report *report;
    struct settings *settings;
    struct topic_table *table;
    struct topic_override overrides[OVERRIDES_MAX];
    struct topic_scope topic;
};

static struct scene *begin(void **state, const char *const *options, uint32_t count)
{
    struct scene *scene = calloc(1, sizeof *scene);
    const struct settings_options how = {NULL, 0, options, count};
    mrt_error error;
    *state = scene;
    scene->report = report_new();
    scene->settings = settings_load(&how, scene->report);
    settings_check_plugins(scene->settings, &test_plugins, scene->report);
    if (report_errors(scene->report) > 0)
        fail_msg("%s", report_text(scene->report));
    scene->table = topic_table_new(scene->settings);
    topic_table_policy(scene->table, "delete");
    assert_int_equal(
        topic_table_bind(
            scene->table, "storage", "segment", test_segment_keys, test_segment_key_count, &error),
        MRT_OK);
    scene->topic = (struct topic_scope){scene->overrides, 0, false, false};
    return scene;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    topic_table_free(scene->table);
    settings_free(scene->settings);
    report_free(scene->report);
    free(scene);
    return 0;
}

static void set(struct scene *scene, const char *name, const char *value)
{
    scene->overrides[scene->topic.count++] =
        (struct topic_override){{name, strlen(name)}, {value, strlen(value)}};
}

static const struct topic_row *row(const struct scene *scene, const char *name)
{
    mrt_str str = {name, strlen(name)};
    const struct topic_row *found = topic_table_find(scene->table, &str);
    assert_non_null(found);
    return found;
}

static void is(
    const struct scene *scene, const char *name, const char *text, enum topic_source source)
{
    struct topic_value value;
    topic_config_value(scene->table, row(scene, name), &scene->topic, &value);
    assert_int_equal(value.text.n, strlen(text));
    assert_memory_equal(value.text.p, text, value.text.n);
    assert_int_equal(value.source, source);
}

static void allows(struct scene *scene, const char *name, const char *value)
{
    mrt_error error = {0};
    const struct topic_override one = {{name, strlen(name)}, {value, strlen(value)}};
    if (topic_config_check(scene->table, &one, 1, &error) != MRT_OK)
        fail_msg("%s", error.text);
}

static void refuses(struct scene *scene, const char *name, const char *value, const char *text)
{
    mrt_error error = {0};
    const struct topic_override one = {{name, strlen(name)}, {value, strlen(value)}};
    assert_int_equal(topic_config_check(scene->table, &one, 1, &error), MRT_EINVAL);
    assert_string_equal(error.text, text);
}

static void the_table_is_kafkas_topic_level_in_order_of_name(void **state)
{
    static const char *const names[] = {
        "cleanup.policy",
        "compression.gzip.level",
        "compression.lz4.level",
        "compression.type",
        "compression.zstd.level",
        "delete.retention.ms",
        "file.delete.delay.ms",
        "flush",
        "flush.messages",
        "flush.ms",
        "follower.replication.throttled.replicas",
        "index.interval.bytes",
        "leader.replication.throttled.replicas",
        "local.retention.bytes",
        "local.retention.ms",
        "max.compaction.lag.ms",
        "max.message.bytes",
        "message.timestamp.after.max.ms",
        "message.timestamp.before.max.ms",
        "message.timestamp.type",
        "min.cleanable.dirty.ratio",
        "min.compaction.lag.ms",
        "min.insync.replicas",
        "mortise.segment.prefetch",
        "preallocate",
        "remote.log.copy.disable",
        "remote.log.delete.on.disable",
        "remote.storage.enable",
        "retention.bytes",
        "retention.ms",
        "segment.bytes",
        "segment.index.bytes",
        "segment.jitter.ms",
        "segment.ms",
        "unclean.leader.election.enable"};
    struct scene *scene = begin(state, NULL, 0);
    assert_int_equal(topic_table_count(scene->table), sizeof names / sizeof *names);
    for (uint32_t i = 0; i < topic_table_count(scene->table); i++)
        assert_string_equal(topic_table_row(scene->table, i)->name, names[i]);
}

static void every_default_is_good_and_agrees_with_the_brokers(void **state)
{
    struct scene *scene = begin(state, NULL, 0);
    for (uint32_t i = 0; i < topic_table_count(scene->table); i++) {
        const struct topic_row *line = topic_table_row(scene->table, i);
        struct topic_synonym synonyms[TOPIC_SYNONYMS_MAX];
        struct topic_value value;
        mrt_error error;
        topic_config_value(scene->table, line, &scene->topic, &value);
        assert_int_equal(value.source, TOPIC_SOURCE_DEFAULT);
        const struct topic_override same = {{line->name, strlen(line->name)}, value.text};
        assert_int_equal(topic_config_check(scene->table, &same, 1, &error), MRT_OK);
        assert_non_null(line->key->name);
        uint32_t n = topic_config_synonyms(scene->table, line, &scene->topic, synonyms);
        for (uint32_t k = 0; k < n; k++) {
            bool hours = strstr(synonyms[k].name, ".hours") != NULL;
            assert_int_equal(synonyms[k].source, TOPIC_SOURCE_DEFAULT);
            if (hours)
                assert_int_equal(atoll(synonyms[k].text.p) * 3600000, atoll(value.text.p));
            else
                assert_memory_equal(synonyms[k].text.p, value.text.p, value.text.n + 1);
        }
    }
}

static void a_topics_value_goes_before_the_brokers_before_the_default(void **state)
{
    static const char *const options[] = {"log_retention_hours=2", "log_segment_bytes=1MiB"};
    struct scene *scene = begin(state, options, 2);
    is(scene, "retention.ms", "7200000", TOPIC_SOURCE_BROKER);
    is(scene, "segment.bytes", "1048576", TOPIC_SOURCE_BROKER);
    is(scene, "segment.ms", "604800000", TOPIC_SOURCE_DEFAULT);
    set(scene, "retention.ms", "5");
    is(scene, "retention.ms", "5", TOPIC_SOURCE_TOPIC);
    is(scene, "segment.bytes", "1048576", TOPIC_SOURCE_BROKER);
}

static void the_finest_unit_the_operator_set_counts(void **state)
{
    static const char *const options[] = {
        "log_retention_hours=2", "log_retention_minutes=-1", "log_roll_hours=1", "log_roll_ms=7"};
    struct scene *scene = begin(state, options, 4);
    is(scene, "retention.ms", "-1", TOPIC_SOURCE_BROKER);
    is(scene, "segment.ms", "7", TOPIC_SOURCE_BROKER);
    struct topic_synonym synonyms[TOPIC_SYNONYMS_MAX];
    set(scene, "retention.ms", "9");
    uint32_t n =
        topic_config_synonyms(scene->table, row(scene, "retention.ms"), &scene->topic, synonyms);
    assert_int_equal(n, 3);
    assert_string_equal(synonyms[0].name, "retention.ms");
    assert_int_equal(synonyms[0].source, TOPIC_SOURCE_TOPIC);
    assert_string_equal(synonyms[1].name, "log.retention.minutes");
    assert_memory_equal(synonyms[1].text.p, "-1", 3);
    assert_int_equal(synonyms[1].source, TOPIC_SOURCE_BROKER);
    assert_string_equal(synonyms[2].name, "log.retention.hours");
    assert_memory_equal(synonyms[2].text.p, "2", 2);
}

static void what_clients_send_is_checked(void **state)
{
    struct scene *scene = begin(state, NULL, 0);
    allows(scene, "retention.ms", "-1");
    allows(scene, "cleanup.policy", "delete");
    allows(scene, "message.timestamp.type", "LogAppendTime");
    refuses(
        scene, "retension.ms", "1",
        "unknown topic config retension.ms; did you mean retention.ms?");
    refuses(scene, "message.format.version", "2.8", "unknown topic config message.format.version");
    refuses(scene, "retention.ms", "7d", "retention.ms = \"7d\" is not a whole number");
    refuses(scene, "retention.ms", "", "retention.ms = \"\" is not a whole number");
    refuses(
        scene, "retention.ms", "-2",
        "retention.ms = \"-2\" is out of range: -1 to 9223372036854775807 are allowed");
    refuses(
        scene, "segment.bytes", "2147483648",
        "segment.bytes = \"2147483648\" is out of range: 14 to 2147483647 are allowed");
    refuses(
        scene, "cleanup.policy", "delete,compact",
        "cleanup.policy: no cleanup plugin is called \"compact\"");
    refuses(
        scene, "message.timestamp.type", "createtime",
        "message.timestamp.type = \"createtime\" is not one of CreateTime, LogAppendTime; did "
        "you mean \"CreateTime\"?");
}

static void a_config_nobody_honours_is_read_only_at_its_default(void **state)
{
    struct scene *scene = begin(state, NULL, 0);
    assert_false(row(scene, "min.insync.replicas")->honoured);
    assert_true(row(scene, "retention.ms")->honoured);
    allows(scene, "min.insync.replicas", "1");
    allows(scene, "compression.type", "producer");
    refuses(
        scene, "min.insync.replicas", "2",
        "min.insync.replicas cannot be changed in this version: it is \"1\"");
    refuses(
        scene, "compression.type", "zstd",
        "compression.type cannot be changed in this version: it is \"producer\"");
}

static void a_name_twice_is_refused(void **state)
{
    struct scene *scene = begin(state, NULL, 0);
    mrt_error error;
    set(scene, "retention.ms", "1");
    set(scene, "retention.bytes", "1");
    set(scene, "retention.ms", "2");
    assert_int_equal(topic_config_check(scene->table, scene->overrides, 3, &error), MRT_EINVAL);
    assert_string_equal(error.text, "retention.ms is given twice");
    assert_int_equal(topic_config_check(scene->table, scene->overrides, 2, &error), MRT_OK);
}

static enum log_flush flush_of(const struct scene *scene)
{
    struct log_config config;
    topic_config_log(scene->table, &scene->topic, &config);
    return config.flush;
}

static void one_copy_or_internal_records_are_flushed_before_acknowledged(void **state)
{
    struct scene *scene = begin(state, NULL, 0);
    assert_int_equal(flush_of(scene), LOG_FLUSH_NONE);
    scene->topic.single_replica = true;
    assert_int_equal(flush_of(scene), LOG_FLUSH_ACK);
    is(scene, "flush", "ack", TOPIC_SOURCE_DEFAULT);
    scene->topic.single_replica = false;
    scene->topic.internal = true;
    assert_int_equal(flush_of(scene), LOG_FLUSH_ACK);
    set(scene, "flush", "none");
    assert_int_equal(flush_of(scene), LOG_FLUSH_NONE);
    is(scene, "flush", "none", TOPIC_SOURCE_TOPIC);
}

static void kafkas_two_flush_settings_mean_ack_and_interval(void **state)
{
    struct scene *scene = begin(state, NULL, 0);
    struct log_config config;
    set(scene, "flush.ms", "250");
    topic_config_log(scene->table, &scene->topic, &config);
    assert_int_equal(config.flush, LOG_FLUSH_INTERVAL);
    assert_int_equal(config.flush_interval_ms, 250);
    set(scene, "flush.messages", "1");
    assert_int_equal(flush_of(scene), LOG_FLUSH_ACK);
    set(scene, "flush", "interval");
    topic_config_log(scene->table, &scene->topic, &config);
    assert_int_equal(config.flush, LOG_FLUSH_INTERVAL);
    assert_int_equal(config.flush_interval_ms, 250);
    refuses(
        scene, "flush.messages", "1000",
        "flush.messages is 1 (flush before every acknowledgement) or 9223372036854775807 (never); "
        "in between there is flush.ms");
    allows(scene, "flush.messages", "9223372036854775807");
}

static void the_brokers_flush_holds_for_topics_that_do_not_say(void **state)
{
    static const char *const options[] = {"flush=none", "log_flush_interval_messages=1"};
    struct scene *scene = begin(state, options, 2);
    scene->topic.single_replica = true;
    assert_int_equal(flush_of(scene), LOG_FLUSH_NONE);
    is(scene, "flush", "none", TOPIC_SOURCE_BROKER);
    set(scene, "flush.messages", "1");
    assert_int_equal(flush_of(scene), LOG_FLUSH_ACK);
}

static void the_brokers_interval_is_its_topics_interval(void **state)
{
    static const char *const options[] = {"log_flush_interval_ms=50ms"};
    struct scene *scene = begin(state, options, 1);
    struct log_config config;
    topic_config_log(scene->table, &scene->topic, &config);
    assert_int_equal(config.flush, LOG_FLUSH_INTERVAL);
    assert_int_equal(config.flush_interval_ms, 50);
}

static void a_log_gets_what_its_topic_says(void **state)
{
    struct scene *scene = begin(state, NULL, 0);
    struct log_config config;
    topic_config_log(scene->table, &scene->topic, &config);
    assert_int_equal(config.segment_bytes, 1073741824);
    assert_int_equal(config.message_bytes_max, 1048588);
    assert_int_equal(config.timestamp_after_max_ms, 3600000);
    assert_int_equal(config.timestamp_before_max_ms, INT64_MAX);
    assert_int_equal(config.flush_interval_ms, TOPIC_FLUSH_INTERVAL_MS);
    assert_true(config.remove);
    assert_false(config.compact);
    assert_false(config.append_time);
    set(scene, "cleanup.policy", "");
    set(scene, "segment.bytes", "1000");
    set(scene, "segment.jitter.ms", "3");
    set(scene, "retention.bytes", "10737418240");
    set(scene, "message.timestamp.type", "LogAppendTime");
    topic_config_log(scene->table, &scene->topic, &config);
    assert_int_equal(config.segment_bytes, 1000);
    assert_int_equal(config.segment_jitter_ms, 3);
    is(scene, "retention.bytes", "10737418240", TOPIC_SOURCE_TOPIC);
    assert_true(config.append_time);
    assert_false(config.remove);
}

static void a_policy_of_a_plugin_may_be_named_once_it_is_there(void **state)
{
    struct scene *scene = begin(state, NULL, 0);
    const char *policies[TOPIC_POLICIES_MAX];
    topic_table_policy(scene->table, "compact");
    allows(scene, "cleanup.policy", "compact,delete");
    set(scene, "cleanup.policy", "compact,delete");
    assert_int_equal(topic_config_policies(scene->table, &scene->topic, policies), 2);
    assert_string_equal(policies[0], "compact");
    assert_string_equal(policies[1], "delete");
    struct log_config config;
    topic_config_log(scene->table, &scene->topic, &config);
    assert_true(config.compact);
    assert_true(config.remove);
}

static void a_plugins_key_is_a_config_and_makes_kafkas_honoured(void **state)
{
    static const char *const options[] = {"storage.segment.prefetch=1MiB"};
    struct scene *scene = begin(state, options, 1);
    assert_true(row(scene, "index.interval.bytes")->honoured);
    allows(scene, "index.interval.bytes", "100");
    is(scene, "mortise.segment.prefetch", "1048576", TOPIC_SOURCE_BROKER);
    allows(scene, "mortise.segment.prefetch", "64KiB");
    refuses(
        scene, "mortise.segment.prefetch", "much",
        "mortise.segment.prefetch = \"much\" is not a size like 1048576 or \"64MiB\"");
}

static const struct cfg_value *value_of(
    const struct cfg_value *values, uint32_t count, const char *name)
{
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(values[i].name, name) == 0)
            return &values[i];
    return NULL;
}

static void a_plugin_gets_the_operators_values_with_the_topics_in_their_place(void **state)
{
    static const char *const options[] = {
        "storage.segment.prefetch=1MiB", "storage.segment.sync=always"};
    struct scene *scene = begin(state, options, 2);
    uint32_t count;
    mrt_error error;
    const mrt_cfg *cfg;
    set(scene, "index.interval.bytes", "100");
    struct cfg_value *values =
        topic_plugin_values(scene->table, "storage", "segment", &scene->topic, &count);
    assert_int_equal(count, 3);
    assert_memory_equal(value_of(values, count, "index_interval_bytes")->items[0].p, "100", 3);
    assert_memory_equal(value_of(values, count, "prefetch")->items[0].p, "1048576", 7);
    assert_memory_equal(value_of(values, count, "sync")->items[0].p, "always", 6);
    assert_int_equal(
        cfg_new(test_segment_keys, test_segment_key_count, values, count, &cfg, &error), MRT_OK);
    assert_int_equal(cfg_view()->i64(cfg, 0), 100);
    assert_int_equal(cfg_view()->i64(cfg, 3), 1048576);
    cfg_free(cfg);
    topic_plugin_values_free(values, count);
}

static void two_plugins_may_feed_on_kafkas_name_but_not_claim_one_of_their_own(void **state)
{
    static const struct note_key other[] = {
        {.name = "interval",
         .type = KEY_I64,
         .flags = KEY_PER_TOPIC,
         .fallback = "1",
         .max = "50",
         .kafka = "index.interval.bytes"},
        {.name = "own", .type = KEY_I64, .flags = KEY_PER_TOPIC, .fallback = "1", .kafka = "x.y"}};
    struct scene *scene = begin(state, NULL, 0);
    mrt_error error;
    assert_int_equal(topic_table_bind(scene->table, "storage", "b", other, 2, &error), MRT_OK);
    uint32_t before = topic_table_count(scene->table);
    refuses(
        scene, "index.interval.bytes", "51",
        "index.interval.bytes = \"51\" is out of range: at most 50 is allowed");
    assert_int_equal(
        topic_table_bind(scene->table, "cleanup", "c", &other[1], 1, &error), MRT_EEXIST);
    assert_string_equal(
        error.text, "two plugins declare the topic config x.y; the second is cleanup.c");
    assert_int_equal(topic_table_count(scene->table), before);
}

#define TEST(name) cmocka_unit_test_teardown(name, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_table_is_kafkas_topic_level_in_order_of_name),
        TEST(every_default_is_good_and_agrees_with_the_brokers),
        TEST(a_topics_value_goes_before_the_brokers_before_the_default),
        TEST(the_finest_unit_the_operator_set_counts),
        TEST(what_clients_send_is_checked),
        TEST(a_config_nobody_honours_is_read_only_at_its_default),
        TEST(a_name_twice_is_refused),
        TEST(one_copy_or_internal_records_are_flushed_before_acknowledged),
        TEST(kafkas_two_flush_settings_mean_ack_and_interval),
        TEST(the_brokers_flush_holds_for_topics_that_do_not_say),
        TEST(the_brokers_interval_is_its_topics_interval),
        TEST(a_log_gets_what_its_topic_says),
        TEST(a_policy_of_a_plugin_may_be_named_once_it_is_there),
        TEST(a_plugins_key_is_a_config_and_makes_kafkas_honoured),
        TEST(a_plugin_gets_the_operators_values_with_the_topics_in_their_place),
        TEST(two_plugins_may_feed_on_kafkas_name_but_not_claim_one_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
