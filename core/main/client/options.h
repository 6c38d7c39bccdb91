/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.h - the options of one command as a table, from which both its --help and its parser are
 * made, so that neither can know of something the other does not.
 */
#ifndef CORE_MAIN_CLIENT_OPTIONS_H
#define CORE_MAIN_CLIENT_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#define OPTIONS_MAX   24
#define OPTIONS_WORDS 256 /* ids from here on have no letter */

struct option_row {
    int id; /* the letter, or a number of its own from OPTIONS_WORDS */
    const char *name;
    const char *value; /* what it takes; NULL: nothing */
    const char *about; /* lines, all but the last ended with \n */
};

struct options {
    const char *command; /* "mortise produce" */
    const char *usage;   /* behind it */
    const char *about;
    const struct option_row *rows;
    uint32_t n;
};

enum {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2
};

/*
 * Gives each option of the command line to @set, which answers false, having said why, where it
 * cannot be. argv[0] is the command. False: the command is over, with *@exit_code.
 */
bool options_read(
    const struct options *options, int argc, char **argv,
    bool (*set)(void *context, int id, const char *value), void *context, int *exit_code);

/* Says "mortise produce: ..." and answers false. */
bool options_wrong(const struct options *options, const char *format, ...)
    __attribute__((__format__(__printf__, 2, 3)));

/* A whole number of @least to @most. */
bool option_number(const char *text, int64_t least, int64_t most, int64_t *out);

/* May a topic have this name? */
bool option_is_topic(const char *name);

#endif /* CORE_MAIN_CLIENT_OPTIONS_H */
