/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_consume.c - `mortise consume`: records of a topic on standard output, as they come.
 */
#include <stdio.h>
#include <string.h>

#include "core/main/client/commands.h"
#include "core/main/client/consumer.h"
#include "core/main/client/show.h"

static const struct option_row rows[] = {
    TARGET_ROWS,
    {'p', "partition", "N|all", "of this partition (all)"},
    {'f', "from", "WHERE",
     "where to begin: earliest, latest, an offset, or -N, N records before\nthe end of each "
     "partition (earliest)"},
    {'n', "count", "N", "end after so many records"},
    {'e', "exit-eof", NULL, "end where the log ends, instead of waiting for more"},
    {'F', "format", "text|json",
     "text: a line a value; json: a line of JSON a record, with topic,\npartition, offset, "
     "timestamp, key, value and headers (text)"},
    {'k', "key", "SEPARATOR", "in text, the key and SEPARATOR before each value"},
    {'s', "serializer", "NAME",
     "the serializer plugin that makes JSON of keys and values (string).\nWhat it does not know, "
     "and everything with none, is given as\nvalue_base64 instead of value"},
};

static const struct options options = {
    .command = "mortise consume",
    .usage = "-b HOST:PORT -t TOPIC [OPTION]...",
    .about = "Prints the records of a topic and waits for more. Reads whatever a log holds,\n"
             "records of transactions that did not commit included. Exit code 0, 1 when reading\n"
             "failed, 2 for a wrong command line.",
    .rows = rows,
    .n = sizeof rows / sizeof *rows,
};

struct consume {
    struct target target;
    int64_t partition;
    struct consumer_start start;
    int64_t count; /* 0: no end */
    bool exit_eof;
    bool failed_to_print;
    const char *serializer;
    struct show show;
    struct client *client;
    struct engines *engines;
    struct consumer *consumer;
    int64_t shown;
    mrt_error error;
};

/* ---- options --------------------------------------------------------------------------------- */

static bool set_start(struct consume *consume, const char *value)
{
    consume->start = (struct consumer_start){0};
    if (strcmp(value, "earliest") == 0)
        consume->start.special = CONSUMER_EARLIEST;
    else if (strcmp(value, "latest") == 0)
        consume->start.special = CONSUMER_LATEST;
    else
        return option_number(value, -INT64_MAX, INT64_MAX, &consume->start.offset) ||
               options_wrong(&options, "--from %s: earliest, latest, an offset or -N", value);
    return true;
}

static bool set_partition(struct consume *consume, const char *value)
{
    consume->partition = CONSUMER_ALL;
    return strcmp(value, "all") == 0 || option_number(value, 0, INT32_MAX, &consume->partition) ||
           options_wrong(&options, "-p %s: not the number of a partition, nor all", value);
}

static bool set_format(struct consume *consume, const char *value)
{
    consume->show.json = strcmp(value, "json") == 0;
    return consume->show.json || strcmp(value, "text") == 0 ||
           options_wrong(&options, "--format %s: text or json", value);
}

static bool set(void *context, int id, const char *value)
{
    struct consume *consume = context;
    bool good = true;
    if (target_set(&options, &consume->target, id, value, &good))
        return good;
    if (id == 'f')
        return set_start(consume, value);
    if (id == 'p')
        return set_partition(consume, value);
    if (id == 'F')
        return set_format(consume, value);
    if (id == 'n')
        return option_number(value, 1, INT64_MAX, &consume->count) ||
               options_wrong(&options, "--count %s: 1 or more", value);
    if (id == 'e')
        consume->exit_eof = true;
    if (id == 'k')
        consume->show.separator = value;
    if (id == 's')
        consume->serializer = value;
    return true;
}

/* ---- the command ----------------------------------------------------------------------------- */

static bool take(void *context, int32_t partition, const struct record *record)
{
    struct consume *consume = context;
    show_record(&consume->show, partition, record);
    consume->shown++;
    consume->failed_to_print = ferror(stdout) != 0;
    return !consume->failed_to_print && consume->shown != consume->count;
}

static mrt_status open_consumer(struct consume *consume)
{
    mrt_error *error = &consume->error;
    mrt_status status = client_new(
        consume->target.bootstrap, (uint32_t)consume->target.timeout_ms, &consume->client, error);
    if (status == MRT_OK && consume->show.json && strcmp(consume->serializer, "none") != 0)
        status =
            engines_serializer(consume->engines, consume->serializer, consume->target.topic, error);
    if (status == MRT_OK)
        status = client_topic(consume->client, consume->target.topic, false, error);
    if (status != MRT_OK)
        return status;
    if (consume->partition >= client_partitions(consume->client))
        return error_set(
            error, MRT_ENOENT, "topic %s has partitions 0 to %u", consume->target.topic,
            client_partitions(consume->client) - 1);
    const struct consumer_options how = {
        .client = consume->client,
        .engines = consume->engines,
        .partition = (int32_t)consume->partition,
        .start = consume->start,
        .exit_eof = consume->exit_eof,
        .take = take,
        .context = consume,
    };
    return consumer_new(&how, &consume->consumer, error);
}

static mrt_status consume_all(struct consume *consume)
{
    mrt_status status = open_consumer(consume);
    while (status == MRT_OK) {
        status = consumer_turn(consume->consumer, &consume->error);
        if (fflush(stdout) != 0)
            return MRT_ECANCELED; /* command_printed() says it */
    }
    return status;
}

int consume_command(int argc, char **argv)
{
    struct consume consume = {
        .target.timeout_ms = CLIENT_TIMEOUT_MS,
        .partition = CONSUMER_ALL,
        .start.special = CONSUMER_EARLIEST,
        .serializer = "string",
    };
    int code = EXIT_USAGE;

    if (!options_read(&options, argc, argv, set, &consume, &code))
        return code;
    if (!target_check(&options, &consume.target, true))
        return EXIT_USAGE;
    consume.engines = engines_new();
    consume.show.engines = consume.engines;
    consume.show.topic = consume.target.topic;
    mrt_status status = consume_all(&consume);
    code = status == MRT_ECANCELED ? EXIT_DONE : command_failed(&options, &consume.error);
    consumer_free(consume.consumer);
    client_free(consume.client);
    engines_free(consume.engines);
    show_end(&consume.show);
    return command_printed(&options) ? code : EXIT_FAILED;
}
