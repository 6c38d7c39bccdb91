/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_produce.c - `mortise produce`: lines of standard input as records. What was read is sent
 * before the next line is waited for, so a person at a terminal and a file are both served well.
 */
#define _GNU_SOURCE /* memmem() */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/main/client/commands.h"
#include "core/main/client/lines.h"
#include "core/main/client/producer.h"

static const struct option_row rows[] = {
    TARGET_ROWS,
    {'p', "partition", "N", "to this partition; otherwise by key, and without one in turn"},
    {'k', "key", "SEPARATOR",
     "what stands before the first SEPARATOR of a line is the key;\na line without has none"},
    {'a', "acks", "0|1|all",
     "who has to have a record before it counts as written: nobody,\nthe leader, all replicas in "
     "sync (all)"},
    {'s', "serializer", "NAME",
     "the serializer plugin that says what keys and values may be\n(string, which takes UTF-8); "
     "none lets "
     "everything pass"},
    {'z', "compression", "CODEC", "none or zstd (none)"},
    {'v', "verbose", NULL, "say at the end how many records were written"},
};

static const struct options options = {
    .command = "mortise produce",
    .usage = "-b HOST:PORT -t TOPIC [OPTION]...",
    .about = "Writes each line of standard input as a record. A line the serializer refuses ends\n"
             "it: the lines before are written, none behind. Exit code 0 when all was written,\n"
             "1 when not, 2 for a wrong command line.",
    .rows = rows,
    .n = sizeof rows / sizeof *rows,
};

struct produce {
    struct target target;
    int64_t partition;
    const char *separator; /* NULL: no keys */
    int16_t acks;
    const char *serializer;
    uint32_t codec;
    bool verbose;
    struct client *client;
    struct engines *engines;
    struct producer *producer;
    uint64_t line; /* number of the last one read */
    mrt_error error;
};

/* ---- options --------------------------------------------------------------------------------- */

static bool set_acks(struct produce *produce, const char *value)
{
    static const struct {
        const char *text;
        int16_t acks;
    } known[] = {{"0", ACKS_NONE}, {"1", ACKS_LEADER}, {"all", ACKS_ALL}, {"-1", ACKS_ALL}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(known[i].text, value) != 0)
            continue;
        produce->acks = known[i].acks;
        return true;
    }
    return options_wrong(&options, "--acks %s: 0, 1 or all", value);
}

static bool set_codec(struct produce *produce, const char *value)
{
    bool zstd = strcmp(value, "zstd") == 0;
    produce->codec = zstd ? MRT_CODEC_ZSTD : 0;
    return zstd || strcmp(value, "none") == 0 ||
           options_wrong(&options, "--compression %s: none or zstd", value);
}

static bool set(void *context, int id, const char *value)
{
    struct produce *produce = context;
    bool good = true;
    if (target_set(&options, &produce->target, id, value, &good))
        return good;
    if (id == 'a')
        return set_acks(produce, value);
    if (id == 'z')
        return set_codec(produce, value);
    if (id == 'p')
        return option_number(value, 0, INT32_MAX, &produce->partition) ||
               options_wrong(&options, "-p %s: not the number of a partition", value);
    if (id == 'k' && value[0] == '\0')
        return options_wrong(&options, "-k: the separator is empty");
    if (id == 'k')
        produce->separator = value;
    if (id == 's')
        produce->serializer = value;
    if (id == 'v')
        produce->verbose = true;
    return true;
}

/* ---- lines ----------------------------------------------------------------------------------- */

/* Characters before byte @at, which are UTF-8 so far as the serializer accepted them, and one. */
static uint64_t column(const char *line, uint64_t at)
{
    uint64_t characters = 1;
    for (uint64_t i = 0; i < at; i++)
        characters += ((uint8_t)line[i] & 0xc0) != 0x80;
    return characters;
}

static mrt_status validate(
    struct produce *produce, uint32_t part, const mrt_str *line, const mrt_str *text)
{
    uint32_t at = 0;
    if (text->p == NULL || !engines_has_serializer(produce->engines))
        return MRT_OK;
    mrt_status status = engines_validate(produce->engines, part, text, &at);
    if (status == MRT_OK)
        return MRT_OK;
    return error_set(
        &produce->error, status,
        "line %llu, column %llu: not what serializer %s takes%s; of the lines before, all were "
        "given to the broker",
        (unsigned long long)produce->line,
        (unsigned long long)column(line->p, (uint64_t)(text->p - line->p) + at),
        produce->serializer, strcmp(produce->serializer, "string") == 0 ? ", which is UTF-8" : "");
}

static mrt_status produce_line(struct produce *produce, const mrt_str *line)
{
    mrt_str key = {NULL, 0};
    mrt_str value = *line;
    const char *at = NULL;

    produce->line++;
    if (produce->separator != NULL)
        at = memmem(line->p, line->n, produce->separator, strlen(produce->separator));
    if (at != NULL) {
        uint64_t behind = (uint64_t)(at - line->p) + strlen(produce->separator);
        key = (mrt_str){line->p, (uint64_t)(at - line->p)};
        value = (mrt_str){line->p + behind, line->n - behind};
    }
    mrt_status status = validate(produce, MRT_SUBJECT_KEY, line, &key);
    if (status == MRT_OK)
        status = validate(produce, MRT_SUBJECT_VALUE, line, &value);
    if (status == MRT_OK)
        return producer_add(produce->producer, &key, &value, &produce->error);
    mrt_error unsent;
    if (producer_flush(produce->producer, &unsent) != MRT_OK)
        fprintf(stderr, "%s: %s\n", options.command, unsent.text);
    return status;
}

static mrt_status produce_lines(struct produce *produce)
{
    struct lines lines;
    mrt_status status = MRT_OK;
    enum lines_found found = LINES_ONE;

    lines_begin(&lines, STDIN_FILENO);
    while (status == MRT_OK && found != LINES_END) {
        mrt_str line;
        found = lines_next(&lines, &line);
        if (found == LINES_ONE)
            status = produce_line(produce, &line);
        else if (found == LINES_FAILED)
            status = error_set(
                &produce->error, MRT_EIO, "standard input, behind line %llu: %s",
                (unsigned long long)produce->line, strerror(errno));
        else
            status = producer_flush(produce->producer, &produce->error);
    }
    lines_end(&lines);
    return status;
}

/* ---- the command ----------------------------------------------------------------------------- */

static mrt_status open_producer(struct produce *produce)
{
    mrt_error *error = &produce->error;
    mrt_status status = client_new(
        produce->target.bootstrap, (uint32_t)produce->target.timeout_ms, &produce->client, error);
    if (status == MRT_OK && strcmp(produce->serializer, "none") != 0)
        status =
            engines_serializer(produce->engines, produce->serializer, produce->target.topic, error);
    if (status == MRT_OK)
        status = client_topic(produce->client, produce->target.topic, true, error);
    if (status != MRT_OK)
        return status;
    if (produce->partition >= client_partitions(produce->client))
        return error_set(
            error, MRT_ENOENT, "topic %s has partitions 0 to %u", produce->target.topic,
            client_partitions(produce->client) - 1);
    const struct producer_options how = {
        .client = produce->client,
        .engines = produce->engines,
        .partition = (int32_t)produce->partition,
        .acks = produce->acks,
        .codec = produce->codec,
    };
    return producer_new(&how, &produce->producer, error);
}

int produce_command(int argc, char **argv)
{
    struct produce produce = {
        .target.timeout_ms = CLIENT_TIMEOUT_MS,
        .partition = PRODUCER_ANY,
        .acks = ACKS_ALL,
        .serializer = "string",
    };
    int code = EXIT_USAGE;

    if (!options_read(&options, argc, argv, set, &produce, &code))
        return code;
    if (!target_check(&options, &produce.target, true))
        return EXIT_USAGE;
    produce.engines = engines_new();
    mrt_status status = open_producer(&produce);
    if (status == MRT_OK)
        status = produce_lines(&produce);
    if (produce.verbose && produce.producer != NULL)
        printf(
            "%llu records to %s\n", (unsigned long long)producer_sent(produce.producer),
            produce.target.topic);
    code = status == MRT_OK ? EXIT_DONE : command_failed(&options, &produce.error);
    producer_free(produce.producer);
    client_free(produce.client);
    engines_free(produce.engines);
    return command_printed(&options) ? code : EXIT_FAILED;
}
