/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_topic.c - `mortise topic list|create|describe|delete`: its options, and what asks a broker.
 * What is printed is topic_show.c's.
 */
#include <stdio.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/base/str.h"
#include "core/main/client/commands.h"
#include "core/main/client/topic_show.h"

#define KEY_METADATA         3
#define METADATA_UNTIL       12
#define KEY_CREATE           19
#define CREATE_UNTIL         7
#define KEY_DELETE           20
#define DELETE_UNTIL         5 /* by name */
#define KEY_DESCRIBE_CONFIGS 32
#define DESCRIBE_UNTIL       4
#define RESOURCE_TOPIC       2
#define SETTINGS_MAX         64

struct topic_run {
    const struct options *options;
    struct target target;
    int64_t partitions;
    int64_t replicas;
    struct kafka_create_topics_request_config settings[SETTINGS_MAX];
    uint32_t setting_count;
    struct client *client;
    mrt_error error;
};

/* ---- options --------------------------------------------------------------------------------- */

static bool add_setting(struct topic_run *run, const char *value)
{
    const char *equals = strchr(value, '=');
    if (equals == NULL || equals == value)
        return options_wrong(run->options, "-c %s: NAME=VALUE is wanted", value);
    if (run->setting_count == SETTINGS_MAX)
        return options_wrong(run->options, "-c: at most %d settings", SETTINGS_MAX);
    run->settings[run->setting_count++] = (struct kafka_create_topics_request_config){
        {value, (uint64_t)(equals - value)}, str_of(equals + 1)};
    return true;
}

static bool set(void *context, int id, const char *value)
{
    struct topic_run *run = context;
    bool good = true;
    if (target_set(run->options, &run->target, id, value, &good))
        return good;
    if (id == 'c')
        return add_setting(run, value);
    if (id == 'p')
        return option_number(value, 1, INT32_MAX, &run->partitions) ||
               options_wrong(run->options, "-p %s: 1 or more", value);
    return option_number(value, 1, INT16_MAX, &run->replicas) ||
           options_wrong(run->options, "-r %s: 1 or more", value);
}

/* ---- asking ---------------------------------------------------------------------------------- */

/* Asks the controller, again while the answer's code says that can help. */
static mrt_status ask_controller(
    struct topic_run *run, const struct call *call,
    int16_t (*code_of)(const void *response, mrt_str *said))
{
    struct tries tries;
    struct connection *connection = NULL;
    mrt_str said = {NULL, 0};

    tries_begin(&tries, (uint32_t)run->target.timeout_ms);
    for (;;) {
        mrt_status status = client_reach_controller(run->client, &connection, &run->error);
        if (status == MRT_OK)
            status = connection_ask(connection, call, &run->error);
        if (status != MRT_OK)
            return status;
        int16_t code = code_of(call->response, &said);
        if (code == 0)
            return MRT_OK;
        status = client_refused(connection, run->target.topic, -1, code, &said, &run->error);
        bool again = code_find(code)->again && code != KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
        if (!again || !tries_again(&tries))
            return status;
    }
}

static mrt_status ask_metadata(
    struct topic_run *run, struct connection *connection, struct kafka_metadata_response *answer)
{
    struct kafka_metadata_request_topic topic;
    struct kafka_metadata_request request = {.topics = NULL};
    const struct call call = {KEY_METADATA, METADATA_UNTIL, &request, answer};

    if (run->target.topic != NULL) {
        topic = (struct kafka_metadata_request_topic){.name = str_of(run->target.topic)};
        request.topics = &topic;
        request.n_topics = 1;
    }
    mrt_status status = connection_ask(connection, &call, &run->error);
    for (uint32_t i = 0; status == MRT_OK && i < answer->n_topics; i++)
        if (run->target.topic != NULL && answer->topics[i].error_code != 0)
            status = client_refused(
                connection, run->target.topic, -1, answer->topics[i].error_code, NULL, &run->error);
    return status;
}

/* ---- list, describe -------------------------------------------------------------------------- */

static mrt_status list(struct topic_run *run)
{
    struct connection *connection = NULL;
    struct kafka_metadata_response answer;
    mrt_status status = client_reach_any(run->client, &connection, &run->error);
    if (status == MRT_OK)
        status = ask_metadata(run, connection, &answer);
    if (status == MRT_OK)
        topic_show_names(&answer);
    return status;
}

static mrt_status ask_configs(
    struct topic_run *run, struct connection *connection, struct topic_facts *facts)
{
    struct kafka_describe_configs_request_resource resource = {
        .resource_type = RESOURCE_TOPIC, .resource_name = str_of(facts->name)};
    const struct kafka_describe_configs_request request = {
        .resources = &resource, .n_resources = 1};
    struct kafka_describe_configs_response answer;
    const struct call call = {KEY_DESCRIBE_CONFIGS, DESCRIBE_UNTIL, &request, &answer};

    mrt_status status = connection_ask(connection, &call, &run->error);
    if (status != MRT_OK)
        return status;
    int16_t code =
        answer.n_results == 1 ? answer.results[0].error_code : KAFKA_UNKNOWN_SERVER_ERROR;
    if (code != 0)
        return client_refused(connection, facts->name, -1, code, NULL, &run->error);
    topic_show(facts, &answer.results[0]);
    return MRT_OK;
}

static mrt_status describe(struct topic_run *run)
{
    struct connection *connection = NULL;
    struct kafka_metadata_response answer;
    uint32_t n = 0;
    mrt_status status = client_reach_any(run->client, &connection, &run->error);
    if (status == MRT_OK)
        status = ask_metadata(run, connection, &answer);
    if (status != MRT_OK)
        return status;
    struct topic_facts *facts =
        topic_facts_new(&answer, &n); /* the next answer replaces this one */
    for (uint32_t i = 0; i < n && status == MRT_OK; i++)
        status = ask_configs(run, connection, &facts[i]);
    topic_facts_free(facts, n);
    return status;
}

/* ---- create, delete -------------------------------------------------------------------------- */

static int16_t create_code(const void *response, mrt_str *said)
{
    const struct kafka_create_topics_response *answer = response;
    if (answer->n_topics != 1)
        return KAFKA_UNKNOWN_SERVER_ERROR;
    *said = answer->topics[0].error_message;
    return answer->topics[0].error_code;
}

static mrt_status create(struct topic_run *run)
{
    struct kafka_create_topics_request_topic topic = {
        .name = str_of(run->target.topic),
        .num_partitions = (int32_t)run->partitions,
        .replication_factor = (int16_t)run->replicas,
        .configs = run->settings,
        .n_configs = run->setting_count,
    };
    const struct kafka_create_topics_request request = {
        .topics = &topic, .n_topics = 1, .timeout_ms = (int32_t)run->target.timeout_ms};
    struct kafka_create_topics_response answer;
    const struct call call = {KEY_CREATE, CREATE_UNTIL, &request, &answer};
    return ask_controller(run, &call, create_code);
}

static int16_t delete_code(const void *response, mrt_str *said)
{
    const struct kafka_delete_topics_response *answer = response;
    if (answer->n_responses != 1)
        return KAFKA_UNKNOWN_SERVER_ERROR;
    *said = answer->responses[0].error_message;
    return answer->responses[0].error_code;
}

static mrt_status delete (struct topic_run *run)
{
    const mrt_str name = str_of(run->target.topic);
    const struct kafka_delete_topics_request request = {
        .topic_names = &name, .n_topic_names = 1, .timeout_ms = (int32_t)run->target.timeout_ms};
    struct kafka_delete_topics_response answer;
    const struct call call = {KEY_DELETE, DELETE_UNTIL, &request, &answer};
    return ask_controller(run, &call, delete_code);
}

/* ---- the command ----------------------------------------------------------------------------- */

static const struct option_row plain_rows[] = {TARGET_ROWS};
static const struct option_row create_rows[] = {
    TARGET_ROWS,
    {'p', "partitions", "N", "how many (what the broker makes of its own)"},
    {'r', "replicas", "N", "copies of each partition (what the broker makes of its own)"},
    {'c', "config", "NAME=VALUE",
     "a setting of the topic, as flush=ack or retention.ms=3600000;\nmay be repeated"},
};

static const struct {
    const char *name;
    mrt_status (*run)(struct topic_run *run);
    uint32_t one; /* 1: -t must be there */
    struct options options;
} commands[] = {
    {"list",
     list,
     0,
     {"mortise topic list", "-b HOST:PORT [OPTION]...", "Prints the names of all topics.",
      plain_rows, sizeof plain_rows / sizeof *plain_rows}},
    {"create",
     create,
     1,
     {"mortise topic create", "-b HOST:PORT -t TOPIC [OPTION]...", "Makes a topic.", create_rows,
      sizeof create_rows / sizeof *create_rows}},
    {"describe",
     describe,
     0,
     {"mortise topic describe", "-b HOST:PORT [-t TOPIC] [OPTION]...",
      "Prints partitions, leaders and replicas of one topic or all, what differs from\n"
      "defaults, and what acknowledged writes survive.",
      plain_rows, sizeof plain_rows / sizeof *plain_rows}},
    {"delete",
     delete,
     1,
     {"mortise topic delete", "-b HOST:PORT -t TOPIC [OPTION]...",
      "Deletes a topic and all of its records.", plain_rows,
      sizeof plain_rows / sizeof *plain_rows}},
};
#define COMMANDS (sizeof commands / sizeof *commands)

static int run_command(size_t at, int argc, char **argv)
{
    struct topic_run run = {
        .options = &commands[at].options,
        .target.timeout_ms = CLIENT_TIMEOUT_MS,
        .partitions = -1,
        .replicas = -1,
    };
    int code = EXIT_USAGE;

    if (!options_read(run.options, argc, argv, set, &run, &code))
        return code;
    if (!target_check(run.options, &run.target, commands[at].one != 0))
        return EXIT_USAGE;
    mrt_status status =
        client_new(run.target.bootstrap, (uint32_t)run.target.timeout_ms, &run.client, &run.error);
    if (status == MRT_OK)
        status = commands[at].run(&run);
    code = status == MRT_OK ? EXIT_DONE : command_failed(run.options, &run.error);
    client_free(run.client);
    return command_printed(run.options) ? code : EXIT_FAILED;
}

static void help(FILE *out)
{
    fprintf(out, "usage: mortise topic COMMAND ...\n\n");
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].options.usage);
    fprintf(out, "\nmortise topic COMMAND --help says more.\n");
}

int topic_command(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0)
            return run_command(i, argc - 1, argv + 1);
    bool asked = strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0;
    if (!asked && name[0] != '\0')
        fprintf(stderr, "mortise topic: %s: no such command\n", name);
    help(asked ? stdout : stderr);
    return asked ? EXIT_DONE : EXIT_USAGE;
}
