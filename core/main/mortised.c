/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mortised.c - the daemon.
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/main/arguments.h"
#include "core/main/cmd_plugin.h"
#include "core/main/daemon.h"

#define EXIT_USAGE  64
#define EXIT_CONFIG 78

/* What is wrong, all of it; 0 when nothing is. */
static int print_check(struct setup *setup, bool good, const mrt_error *error)
{
    fputs(report_text(setup->report), stderr);
    if (error->text[0] != '\0')
        fprintf(stderr, "mortised: %s\n", error->text);
    return good ? EXIT_SUCCESS : EXIT_CONFIG;
}

int main(int argc, char **argv)
{
    struct arguments arguments;
    struct setup setup;
    mrt_error error = {0};

    if (!arguments_read(&arguments, argc, argv))
        return EXIT_USAGE;
    if (arguments.mode == MODE_HELP) {
        arguments_help();
        return EXIT_SUCCESS;
    }
    if (arguments.mode == MODE_VERSION) {
        puts("mortised " MORTISE_VERSION);
        return EXIT_SUCCESS;
    }
    if (arguments.mode == MODE_LIST) {
        uint32_t n = 0;
        const struct builtin *builtins = builtins_all(&n);
        return plugin_list(arguments.plugin_dir, builtins, n);
    }
    bool good = setup_make(&setup, &arguments, &error);
    int status = print_check(&setup, good, &error);
    if (arguments.mode == MODE_TEST && good)
        fprintf(stderr, "mortised: the configuration is good\n");
    else if (arguments.mode == MODE_RUN && good)
        status = daemon_run(&setup);
    setup_free(&setup);
    return status;
}
