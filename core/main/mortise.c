/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mortise.c - the command line: finds the command and hands over. Commands live in cmd_*.c.
 */
#include <stdio.h>
#include <string.h>

#include "core/main/client/commands.h"
#include "core/main/cmd_plugin.h"

static int version_command(int argc, char **argv)
{
    (void)argc, (void)argv;
    printf("mortise %s, ABI %d.%d\n", MORTISE_VERSION, MRT_ABI_MAJOR, MRT_ABI_MINOR);
    return 0;
}

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *usage;
} commands[] = {
    {"produce", produce_command, "produce    lines as records of a topic"},
    {"consume", consume_command, "consume    records of a topic as lines or JSON"},
    {"topic", topic_command, "topic      list, create, describe and delete topics"},
    {"plugin", plugin_command, "plugin     list, look at, check and begin plugins"},
    {"version", version_command, "version    of this program and of the plugin ABI"},
};
#define COMMANDS (sizeof commands / sizeof *commands)

static void help(FILE *out)
{
    fprintf(out, "usage: mortise COMMAND ...\n\n");
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(out, "  %s\n", commands[i].usage);
    fprintf(out, "\nmortise COMMAND --help says more. The daemon is mortised.\n");
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "--version") == 0)
        name = "version";
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    if (strcmp(name, "--version") == 0)
        return version_command(argc, argv);
    bool asked = strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0;
    if (!asked && name[0] != '\0')
        fprintf(stderr, "mortise: %s: no such command\n", name);
    help(asked ? stdout : stderr);
    return asked ? EXIT_DONE : EXIT_USAGE;
}
