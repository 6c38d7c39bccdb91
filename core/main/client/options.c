/* SPDX-License-Identifier: Apache-2.0 */
#include "core/main/client/options.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/str.h"

#define ID_HELP    'h'
#define NAME_WIDTH 26
#define TOPIC_MAX  249 /* bytes of a topic's name, for every broker */

bool options_wrong(const struct options *options, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "%s: ", options->command);
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n");
    va_end(arguments);
    return false;
}

static void print_row(const struct option_row *row)
{
    char left[64];
    int n = row->id < OPTIONS_WORDS ? snprintf(left, sizeof left, "-%c, --%s", row->id, row->name)
                                    : snprintf(left, sizeof left, "    --%s", row->name);
    if (row->value != NULL)
        snprintf(left + n, sizeof left - (size_t)n, " %s", row->value);
    printf("  %-*s ", NAME_WIDTH, left);
    if (strlen(left) > NAME_WIDTH)
        printf("\n%*s", NAME_WIDTH + 3, "");
    for (const char *at = row->about; *at != '\0'; at++) {
        putchar(*at);
        if (*at == '\n')
            printf("%*s", NAME_WIDTH + 3, "");
    }
    putchar('\n');
}

static void print_help(const struct options *options)
{
    static const struct option_row help = {ID_HELP, "help", NULL, "this text"};
    printf("usage: %s %s\n\n%s\n\n", options->command, options->usage, options->about);
    for (uint32_t i = 0; i < options->n; i++)
        print_row(&options->rows[i]);
    print_row(&help);
}

/* What getopt wants to know; @letters has room for three characters an option. */
static void describe(const struct options *options, char *letters, struct option *names)
{
    *letters++ = ':'; /* we speak ourselves, and tell a missing value apart */
    for (uint32_t i = 0; i < options->n; i++) {
        const struct option_row *row = &options->rows[i];
        names[i] = (struct option){
            row->name, row->value != NULL ? required_argument : no_argument, NULL, row->id};
        if (row->id >= OPTIONS_WORDS)
            continue;
        *letters++ = (char)row->id;
        if (row->value != NULL)
            *letters++ = ':';
    }
    names[options->n] = (struct option){"help", no_argument, NULL, ID_HELP};
    *letters++ = ID_HELP;
    *letters = '\0';
}

/* False: @option is not one that can be carried out, which was said. */
static bool take(
    const struct options *options, int id, const char *option,
    bool (*set)(void *context, int id, const char *value), void *context)
{
    if (id == '?')
        return options_wrong(options, "%s: no such option", option);
    if (id == ':')
        return options_wrong(options, "%s needs a value", option);
    return set(context, id, optarg);
}

bool options_read(
    const struct options *options, int argc, char **argv,
    bool (*set)(void *context, int id, const char *value), void *context, int *exit_code)
{
    char letters[3 * OPTIONS_MAX];
    struct option names[OPTIONS_MAX + 2] = {{0}};

    ASSERT(argc >= 1);
    ASSERT(options->n < OPTIONS_MAX);
    describe(options, letters, names);
    *exit_code = EXIT_USAGE;
    opterr = 0;
    optind = 1;
    for (int id; (id = getopt_long(argc, argv, letters, names, NULL)) != -1;) {
        if (id == ID_HELP) {
            print_help(options);
            *exit_code = EXIT_DONE;
            return false;
        }
        if (!take(options, id, argv[optind - 1], set, context))
            return false;
    }
    if (optind < argc)
        return options_wrong(options, "%s: unexpected; --help says what there is", argv[optind]);
    return true;
}

bool option_number(const char *text, int64_t least, int64_t most, int64_t *out)
{
    mrt_str digits = str_of(text);
    return str_to_i64(&digits, out) && *out >= least && *out <= most;
}

bool option_is_topic(const char *name)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t n = strlen(name);
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return false;
    return n > 0 && n <= TOPIC_MAX && strspn(name, allowed) == n;
}
