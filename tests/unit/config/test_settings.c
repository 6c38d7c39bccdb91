/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Settings from files and -o. The scene: a directory of its own for each test, into which it puts
 * files; load() reads what paths[] names, checked against the made-up plugins of plugins.h.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/config/settings.h"
#include "core/config/value.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/config/plugins.h"

#define OVERRIDES_MAX 8

struct scene {
    char root[64];
    struct config_path paths[4];
    char names[4][128];
    uint32_t path_count;
    const char *overrides[OVERRIDES_MAX];
    uint32_t override_count;
    struct report *report;
    struct settings *settings;
};

static int set_up(void **state)
{
    struct scene *scene = calloc(1, sizeof *scene);
    strcpy(scene->root, "/tmp/mortise-config-XXXXXX");
    assert_non_null(mkdtemp(scene->root));
    scene->report = report_new();
    *state = scene;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    char command[128];
    settings_free(scene->settings);
    report_free(scene->report);
    snprintf(command, sizeof command, "rm -r %s", scene->root);
    assert_int_equal(system(command), 0);
    free(scene);
    return 0;
}

static void put(const struct scene *scene, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", scene->root, name);
    char *slash = strrchr(path, '/');
    *slash = '\0';
    mkdir(path, 0700);
    *slash = '/';
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void use_path(struct scene *scene, const char *name)
{
    uint32_t i = scene->path_count++;
    char path[128];
    snprintf(path, sizeof path, "%s/%s", scene->root, name);
    strcpy(scene->names[i], path);
    scene->paths[i] = (struct config_path){scene->names[i], true};
}

static void override(struct scene *scene, const char *text)
{
    scene->overrides[scene->override_count++] = text;
}

static const struct settings *load_with_errors(struct scene *scene)
{
    const struct settings_options options = {
        scene->paths, scene->path_count, scene->overrides, scene->override_count};
    assert_null(scene->settings);
    scene->settings = settings_load(&options, scene->report);
    settings_check_plugins(scene->settings, &test_plugins, scene->report);
    return scene->settings;
}

static const struct settings *load(struct scene *scene)
{
    const struct settings *settings = load_with_errors(scene);
    if (report_errors(scene->report) != 0)
        fail_msg("%s", report_text(scene->report));
    return settings;
}

static const struct settings *load_text(struct scene *scene, const char *text)
{
    put(scene, "a.conf", text);
    use_path(scene, "a.conf");
    return load(scene);
}

static void without_a_word_the_defaults_make_a_broker_on_loopback(void **state)
{
    const struct settings *settings = load(*state);
    struct settings_listener listener;
    assert_int_equal(settings_i64(settings, "broker.node_id"), 1);
    assert_int_equal(settings_i64(settings, "broker.log_segment_bytes"), 1 << 30);
    assert_true(settings_bool(settings, "broker.auto_create_topics_enable"));
    assert_false(settings_is_set(settings, "broker.log_retention_ms"));
    assert_string_equal(settings_use(settings, "storage"), "segment");
    assert_string_equal(settings_use(settings, "coordination"), "standalone");
    assert_int_equal(settings_listener_count(settings), 1);
    settings_listener(settings, 0, &listener);
    assert_string_equal(listener.name, "kafka");
    assert_string_equal(listener.bind, "127.0.0.1:9092");
    assert_string_equal(listener.transport, "tcp");
    assert_string_equal(listener.protocol, "kafka");
    assert_string_equal(listener.advertise, "auto");
    assert_int_equal(listener.channel_count, 0);
}

static void ten_gibibytes_are_ten_gibibytes_however_they_are_written(void **state)
{
    const struct settings *settings = load_text(
        *state, "broker: { log_retention_bytes = 10737418240; memory_max = \"10GiB\";"
                " memory_per_connection_max = 0x280000000; };");
    assert_int_equal(settings_i64(settings, "broker.log_retention_bytes"), 10737418240);
    assert_int_equal(settings_i64(settings, "broker.memory_max"), 10737418240);
    assert_int_equal(settings_i64(settings, "broker.memory_per_connection_max"), 10737418240);
    assert_string_equal(settings_find(settings, "broker.memory_max")->text, "10737418240");
}

static void durations_and_lists_are_read_in_the_form_they_have(void **state)
{
    const struct settings *settings = load_text(
        *state, "broker: { log_retention_ms = \"7d\"; log_dirs = [\"/a\", \"/b,c\"];"
                " log_level = \"warn\"; };");
    assert_int_equal(settings_i64(settings, "broker.log_retention_ms"), 604800000);
    assert_int_equal(settings_count(settings, "broker.log_dirs"), 2);
    assert_string_equal(settings_item(settings, "broker.log_dirs", 1), "/b,c");
    assert_string_equal(settings_str(settings, "broker.log_level"), "warn");
    assert_int_equal(settings_i64(settings, "broker.log_level"), 2);
}

static void groups_merge_and_lists_and_scalars_replace(void **state)
{
    struct scene *scene = *state;
    put(scene, "c/10.conf",
        "broker: { node_id = 1; rack = \"a\"; log_dirs = [\"/a\", \"/b\"]; };"
        "storage: { use = \"memory\"; segment: { sync = \"always\"; }; };"
        "listeners: { one: { bind = \"1\"; }; two: { bind = \"2\"; }; };");
    put(scene, "c/20.conf",
        "broker: { node_id = 2; log_dirs = [\"/c\"]; };"
        "storage: { segment: { prefetch = 7; }; };"
        "listeners: { two: { bind = \"22\"; }; };");
    use_path(scene, "c");
    const struct settings *settings = load(scene);
    assert_int_equal(settings_i64(settings, "broker.node_id"), 2);
    assert_string_equal(settings_str(settings, "broker.rack"), "a");
    assert_int_equal(settings_count(settings, "broker.log_dirs"), 1);
    assert_string_equal(settings_item(settings, "broker.log_dirs", 0), "/c");
    assert_string_equal(settings_use(settings, "storage"), "memory");
    assert_int_equal(settings_listener_count(settings), 2);
    assert_string_equal(settings_str(settings, "listeners.one.bind"), "1");
    assert_string_equal(settings_str(settings, "listeners.two.bind"), "22");
    uint32_t count;
    const struct cfg_value *values = settings_plugin_values(settings, "storage", "segment", &count);
    assert_int_equal(count, 2);
    assert_string_equal(values[0].name, "sync");
    assert_memory_equal(values[0].items[0].p, "always", 7);
    assert_string_equal(values[1].name, "prefetch");
    assert_memory_equal(values[1].items[0].p, "7", 2);
}

static void files_apply_by_name_over_all_directories_and_equal_names_mask(void **state)
{
    struct scene *scene = *state;
    put(scene, "lib/10.conf", "broker: { node_id = 10; rack = \"lib 10\"; };");
    put(scene, "lib/30.conf", "broker: { num_partitions = 30; };");
    put(scene, "etc/10.conf", "broker: { node_id = 11; };");
    put(scene, "etc/20.conf", "broker: { num_partitions = 20; };");
    put(scene, "etc/.hidden.conf", "broker: { node_id = 99; };");
    put(scene, "etc/90.conf~", "broker: { node_id = 98; };");
    use_path(scene, "lib");
    use_path(scene, "etc");
    const struct settings *settings = load(scene);
    assert_int_equal(settings_i64(settings, "broker.node_id"), 11);
    assert_string_equal(settings_str(settings, "broker.rack"), "");
    assert_int_equal(settings_i64(settings, "broker.num_partitions"), 30);
}

static void a_file_between_directories_keeps_its_place(void **state)
{
    struct scene *scene = *state;
    put(scene, "lib/90.conf", "broker: { node_id = 1; num_partitions = 1; };");
    put(scene, "mortise.conf", "broker: { node_id = 2; num_partitions = 2; };");
    put(scene, "etc/10.conf", "broker: { num_partitions = 3; };");
    use_path(scene, "lib");
    use_path(scene, "mortise.conf");
    use_path(scene, "etc");
    const struct settings *settings = load(scene);
    assert_int_equal(settings_i64(settings, "broker.node_id"), 2);
    assert_int_equal(settings_i64(settings, "broker.num_partitions"), 3);
}

static void what_is_missing_is_an_error_unless_it_is_optional(void **state)
{
    struct scene *scene = *state;
    use_path(scene, "nothing");
    scene->paths[0].optional = false;
    load_with_errors(scene);
    char expected[256];
    snprintf(
        expected, sizeof expected, "error: %s/nothing: No such file or directory\n", scene->root);
    assert_string_equal(report_text(scene->report), expected);
}

static void an_override_wins_under_all_its_names(void **state)
{
    struct scene *scene = *state;
    put(scene, "a.conf",
        "broker: { node_id = 1; log_retention_ms = 1; rack = \"a\"; };"
        "storage: { use = \"segment\"; segment: { sync = \"never\"; dirs = [\"/x\"]; }; };");
    use_path(scene, "a.conf");
    override(scene, "node_id=7");
    override(scene, "log.retention.ms=7d");
    override(scene, "broker.rack=b = c");
    override(scene, "storage.segment.dirs=/a,/b");
    override(scene, "log_dirs=[\"/a,b\", \"/c\"]");
    override(scene, "listeners.kafka.bind=[::1]:9092");
    override(scene, "storage=memory");
    override(scene, "auto_create_topics_enable=false");
    const struct settings *settings = load(scene);
    assert_int_equal(settings_i64(settings, "broker.node_id"), 7);
    assert_int_equal(settings_i64(settings, "broker.log_retention_ms"), 604800000);
    assert_string_equal(settings_str(settings, "broker.rack"), "b = c");
    assert_int_equal(settings_count(settings, "broker.log_dirs"), 2);
    assert_string_equal(settings_item(settings, "broker.log_dirs", 0), "/a,b");
    assert_string_equal(settings_use(settings, "storage"), "memory");
    assert_false(settings_bool(settings, "broker.auto_create_topics_enable"));
    uint32_t count;
    const struct cfg_value *values = settings_plugin_values(settings, "storage", "segment", &count);
    assert_int_equal(count, 2);
    assert_string_equal(values[1].name, "dirs");
    assert_int_equal(values[1].n, 2);
    assert_memory_equal(values[1].items[1].p, "/b", 3);
    assert_string_equal(values[1].origin, "-o");
}

/* A value in a file's form, cut at the brackets of an address and not. */
static void an_address_in_brackets_is_no_list(void **state)
{
    struct scene *scene = *state;
    override(scene, "listeners.a.bind=[::1]:9092");
    override(scene, "listeners.b.bind=\"[::]:9093\"");
    override(scene, "log_cleanup_policy=[]");
    const struct settings *settings = load(scene);
    assert_string_equal(settings_str(settings, "listeners.a.bind"), "[::1]:9092");
    assert_string_equal(settings_str(settings, "listeners.b.bind"), "[::]:9093");
    assert_int_equal(settings_count(settings, "broker.log_cleanup_policy"), 0);
}

static void a_listener_of_an_override_alone_needs_no_file(void **state)
{
    struct scene *scene = *state;
    override(scene, "listeners.mine.bind=127.0.0.1:1234");
    const struct settings *settings = load(scene);
    assert_int_equal(settings_listener_count(settings), 1);
    assert_string_equal(settings_str(settings, "listeners.mine.bind"), "127.0.0.1:1234");
}

static void a_path_as_storage_is_left_to_the_loader(void **state)
{
    struct scene *scene = *state;
    override(scene, "storage=./b/hello.so");
    const struct settings *settings = load(scene);
    assert_string_equal(settings_use(settings, "storage"), "./b/hello.so");
    assert_true(settings_is_path("./b/hello.so"));
    assert_false(settings_is_path("segment"));
}

static void overrides_say_where_they_are_wrong(void **state)
{
    struct scene *scene = *state;
    override(scene, "log_retention_mss=7d");
    override(scene, "num_partitions=three");
    override(scene, "novalue");
    override(scene, "log_dirs=[\"/a\"");
    override(scene, "storage.segment.index_interval_bytes=x");
    load_with_errors(scene);
    assert_string_equal(
        report_text(scene->report),
        "-o:1:1: error: unknown setting log_retention_mss\n"
        "    1 | log_retention_mss=7d\n"
        "      | ^\n"
        "      hint: did you mean log_retention_ms?\n"
        "-o:1:1: error: -o without a name and a value\n"
        "    1 | novalue\n"
        "      | ^\n"
        "      hint: -o takes name=value\n"
        "-o:1:10: error: this '[' is never closed\n"
        "    1 | log_dirs=[\"/a\"\n"
        "      |          ^\n"
        "-o:1:16: error: num_partitions = \"three\" is not a whole number\n"
        "    1 | num_partitions=three\n"
        "      |                ^\n"
        "-o:1:38: error: index_interval_bytes = \"x\" is not a size like 1048576 or \"64MiB\"\n"
        "    1 | storage.segment.index_interval_bytes=x\n"
        "      |                                      ^\n");
}

struct seen {
    char text[8192];
    size_t n;
};

static void note(void *context, const char *path, const struct value *value)
{
    struct seen *seen = context;
    char origin[128];
    settings_origin(value, origin, sizeof origin);
    if (value->is_set)
        seen->n += (size_t)snprintf(
            seen->text + seen->n, sizeof seen->text - seen->n, "%s=%s %s\n", path, value->text,
            strrchr(origin, '/') != NULL ? strrchr(origin, '/') + 1 : origin);
}

static void every_value_says_where_it_is_from(void **state)
{
    struct scene *scene = *state;
    override(scene, "rack=b");
    const struct settings *settings = load_text(
        scene, "broker: {\n  node_id = 3;\n};\nlisteners: { k: { bind = \"1:1\"; }; };\n"
               "storage: { segment: { sync = \"always\"; }; };\n");
    struct seen seen = {.n = 0};
    settings_walk(settings, note, &seen);
    assert_string_equal(
        seen.text, "broker.node_id=3 a.conf:2:3\nbroker.rack=b -o\n"
                   "listeners.k.bind=1:1 a.conf:4:19\n"
                   "storage.segment.sync=always a.conf:5:23\n");
    char origin[64];
    settings_origin(settings_find(settings, "broker.workers"), origin, sizeof origin);
    assert_string_equal(origin, "default");
}

static void plugins_from_elsewhere_have_a_kind_a_path_and_settings(void **state)
{
    const struct settings *settings = load_text(
        *state, "storage: { use = \"acme\"; };"
                "plugins: { acme: { kind = \"storage\"; path = \"/opt/t.so\"; bucket = \"logs\";"
                " ratio = 0.25; }; };");
    struct settings_plugin plugin;
    assert_int_equal(settings_plugin_count(settings), 1);
    settings_plugin(settings, 0, &plugin);
    assert_string_equal(plugin.name, "acme");
    assert_string_equal(plugin.kind, "storage");
    assert_string_equal(plugin.path, "/opt/t.so");
    uint32_t count;
    const struct cfg_value *values = settings_plugin_values(settings, "storage", "acme", &count);
    assert_int_equal(count, 2);
    assert_string_equal(values[0].name, "bucket");
    assert_memory_equal(values[1].items[0].p, "0.25", 5);
    settings_plugin_values(settings, "storage", "memory", &count);
    assert_int_equal(count, 0);
}

static void a_key_of_the_brokers_kafka_name_has_the_brokers_value(void **state)
{
    struct scene *scene = *state;
    override(scene, "socket_request_max_bytes=1MiB");
    const struct settings *settings = load(scene);
    uint32_t count;
    const struct cfg_value *values = settings_plugin_values(settings, "protocol", "kafka", &count);
    assert_int_equal(count, 1);
    assert_string_equal(values[0].name, "request_bytes_max");
    assert_memory_equal(values[0].items[0].p, "1048576", 8);
    assert_string_equal(values[0].origin, "-o");
}

static void a_wrong_file_keeps_no_one_from_hearing_of_the_next(void **state)
{
    struct scene *scene = *state;
    put(scene, "c/10.conf", "broker: { node_id = 1d; };");
    put(scene, "c/20.conf", "brokr: { };");
    use_path(scene, "c");
    load_with_errors(scene);
    assert_int_equal(report_errors(scene->report), 2);
    assert_non_null(strstr(report_text(scene->report), "c/10.conf:1:21: error: 1d"));
    assert_non_null(strstr(report_text(scene->report), "hint: did you mean broker?"));
}

static void after_a_hundred_messages_the_rest_is_only_counted(void **state)
{
    struct scene *scene = *state;
    char text[8192] = "broker: {\n";
    for (int i = 0; i < 150; i++)
        snprintf(text + strlen(text), 32, "zzzzzz%d = 1;\n", i);
    strcat(text, "};\n");
    put(scene, "a.conf", text);
    use_path(scene, "a.conf");
    load_with_errors(scene);
    assert_int_equal(report_errors(scene->report), 150);
    const char *said = report_text(scene->report);
    assert_non_null(strstr(said, "unknown setting zzzzzz99\n"));
    assert_null(strstr(said, "unknown setting zzzzzz100\n"));
    const char *last = strstr(said, "more than 100 messages: the rest is not shown\n");
    assert_non_null(last);
    assert_string_equal(last, "more than 100 messages: the rest is not shown\n");
}

static void a_file_too_large_or_no_file_at_all_is_named(void **state)
{
    struct scene *scene = *state;
    struct list sources;
    mrt_error error = {0};
    char *text = calloc(1, (1 << 20) + 2);
    memset(text, ' ', (1 << 20) + 1);
    list_init(&sources);
    put(scene, "large.conf", text);
    free(text);
    use_path(scene, "large.conf");
    assert_int_equal(config_dir_read(scene->paths, 1, &sources, &error), MRT_ETOOBIG);
    assert_true(list_empty(&sources));
    assert_non_null(strstr(error.text, "large.conf: larger than 1024 KiB"));
    const struct config_path device[] = {{"/dev/null", false}};
    assert_int_equal(config_dir_read(device, 1, &sources, &error), MRT_EIO);
    assert_string_equal(error.text, "/dev/null: neither a file nor a directory");
}

static void settings_of_a_plugin_that_is_gone_are_a_warning(void **state)
{
    struct scene *scene = *state;
    load_text(scene, "codec: { brotli: { level = 3; }; };");
    assert_int_equal(report_warnings(scene->report), 1);
    assert_non_null(strstr(
        report_text(scene->report),
        "a.conf:1:10: warning: settings of the codec plugin brotli, which is not installed\n"));
}

/* A build with one storage, which is not the default, and no cleanup policy. */
static bool find_in_small_build(
    void *context, const char *kind, const char *name, const struct note_key **keys,
    uint32_t *count)
{
    bool absent = strcmp(kind, "cleanup") == 0 || strcmp(name, "segment") == 0;
    return !absent && test_plugins.find(context, kind, name, keys, count);
}

static const char *const *names_in_small_build(void *context, const char *kind, uint32_t *count)
{
    static const char *const storages[] = {"memory"};
    (void)context;
    *count = strcmp(kind, "storage") == 0;
    return storages;
}

static void load_small(struct scene *scene)
{
    const struct schema_source small = {NULL, find_in_small_build, names_in_small_build};
    const struct settings_options options = {
        .overrides = scene->overrides, .override_count = scene->override_count};
    scene->settings = settings_load(&options, scene->report);
    settings_check_plugins(scene->settings, &small, scene->report);
}

static void a_default_plugin_that_was_left_out_is_an_error_that_says_what_there_is(void **state)
{
    struct scene *scene = *state;
    load_small(scene);
    assert_int_equal(report_errors(scene->report), 1);
    assert_string_equal(
        report_text(scene->report),
        "error: no storage plugin is called segment\n"
        "      hint: it is the default; there is memory: -o storage=memory\n"
        "warning: there is no cleanup plugin delete: topics keep everything, whatever their "
        "retention.ms\n");
}

static void a_broker_without_the_default_policy_keeps_everything_and_says_so(void **state)
{
    struct scene *scene = *state;
    override(scene, "storage=memory");
    load_small(scene);
    assert_int_equal(report_errors(scene->report), 0);
    assert_int_equal(report_warnings(scene->report), 1);
}

static void a_policy_that_was_asked_for_must_be_there(void **state)
{
    struct scene *scene = *state;
    override(scene, "storage=memory");
    override(scene, "log_cleanup_policy=delete");
    load_small(scene);
    assert_int_equal(report_errors(scene->report), 1);
    assert_non_null(
        strstr(report_text(scene->report), "error: no cleanup plugin is called delete"));
}

static void a_batch_that_cannot_arrive_is_worth_a_warning(void **state)
{
    struct scene *scene = *state;
    override(scene, "message_max_bytes=2MiB");
    override(scene, "socket_request_max_bytes=1MiB");
    load(scene);
    assert_int_equal(report_warnings(scene->report), 1);
    assert_non_null(strstr(report_text(scene->report), "-o:1:1: warning: message_max_bytes"));
}

static void the_samples_are_without_mistake(void **state)
{
    struct scene *scene = *state;
    scene->paths[0] = (struct config_path){CONFIG_SAMPLES, false};
    scene->path_count = 1;
    const struct settings *settings = load(scene);
    assert_int_equal(report_warnings(scene->report), 0);
    assert_string_equal(settings_str(settings, "listeners.kafka.bind"), "127.0.0.1:9092");
    assert_string_equal(settings_use(settings, "storage"), "segment");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_a_word_the_defaults_make_a_broker_on_loopback),
        TEST(ten_gibibytes_are_ten_gibibytes_however_they_are_written),
        TEST(durations_and_lists_are_read_in_the_form_they_have),
        TEST(groups_merge_and_lists_and_scalars_replace),
        TEST(files_apply_by_name_over_all_directories_and_equal_names_mask),
        TEST(a_file_between_directories_keeps_its_place),
        TEST(what_is_missing_is_an_error_unless_it_is_optional),
        TEST(an_override_wins_under_all_its_names),
        TEST(an_address_in_brackets_is_no_list),
        TEST(a_listener_of_an_override_alone_needs_no_file),
        TEST(a_path_as_storage_is_left_to_the_loader),
        TEST(overrides_say_where_they_are_wrong),
        TEST(every_value_says_where_it_is_from),
        TEST(plugins_from_elsewhere_have_a_kind_a_path_and_settings),
        TEST(a_key_of_the_brokers_kafka_name_has_the_brokers_value),
        TEST(a_wrong_file_keeps_no_one_from_hearing_of_the_next),
        TEST(after_a_hundred_messages_the_rest_is_only_counted),
        TEST(a_file_too_large_or_no_file_at_all_is_named),
        TEST(settings_of_a_plugin_that_is_gone_are_a_warning),
        TEST(a_default_plugin_that_was_left_out_is_an_error_that_says_what_there_is),
        TEST(a_broker_without_the_default_policy_keeps_everything_and_says_so),
        TEST(a_policy_that_was_asked_for_must_be_there),
        TEST(a_batch_that_cannot_arrive_is_worth_a_warning),
        TEST(the_samples_are_without_mistake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
