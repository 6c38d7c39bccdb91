/* SPDX-License-Identifier: Apache-2.0 */
/*
 * commands.h - the commands that talk to a broker, and what all of them take. They answer
 * EXIT_DONE, EXIT_FAILED with one line on standard error, or EXIT_USAGE.
 */
#ifndef CORE_MAIN_CLIENT_COMMANDS_H
#define CORE_MAIN_CLIENT_COMMANDS_H

#include "core/main/client/client.h"
#include "core/main/client/options.h"

int produce_command(int argc, char **argv); /* argv[0] is "produce", and so on */
int consume_command(int argc, char **argv);
int topic_command(int argc, char **argv);

/* Rows that every such command has, and where their values go. */
#define TARGET_ROWS                                                                                \
    {'b', "bootstrap", "HOST:PORT", "a broker of the cluster, or several, with commas"},           \
        {'t', "topic", "TOPIC", "the topic"},                                                      \
    {                                                                                              \
        'T', "timeout", "MS", "how long anything may take, tried again included (10000)"           \
    }

struct target {
    const char *bootstrap;
    const char *topic;
    int64_t timeout_ms;
};

/* Was it one of TARGET_ROWS? *@good: and could it be. */
bool target_set(
    const struct options *options, struct target *target, int id, const char *value, bool *good);

/* Are -b and, if @topic, -t there? */
bool target_check(const struct options *options, const struct target *target, bool topic);

/* Prints "mortise produce: ..." and answers EXIT_FAILED. */
int command_failed(const struct options *options, const mrt_error *error);

/* Did all that was printed get out? Else says so. */
bool command_printed(const struct options *options);

#endif /* CORE_MAIN_CLIENT_COMMANDS_H */
