/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/main/client/commands.h"

bool target_set(
    const struct options *options, struct target *target, int id, const char *value, bool *good)
{
    *good = true;
    if (id == 'b')
        target->bootstrap = value;
    else if (id == 't')
        target->topic = value;
    else if (id == 'T')
        *good = option_number(value, 1, CLIENT_TIMEOUT_MS_MAX, &target->timeout_ms) ||
                options_wrong(options, "--timeout %s: 1 to %d", value, CLIENT_TIMEOUT_MS_MAX);
    else
        return false;
    if (id == 't' && !option_is_topic(value))
        *good = options_wrong(
            options, "%s: a topic is called 1 to 249 of a-z A-Z 0-9 . _ - (not . or ..)", value);
    return true;
}

bool target_check(const struct options *options, const struct target *target, bool topic)
{
    if (target->bootstrap == NULL)
        return options_wrong(options, "-b HOST:PORT is missing; --help says what there is");
    if (topic && target->topic == NULL)
        return options_wrong(options, "-t TOPIC is missing; --help says what there is");
    return true;
}

int command_failed(const struct options *options, const mrt_error *error)
{
    fflush(stdout);
    fprintf(stderr, "%s: %s\n", options->command, error->text);
    return EXIT_FAILED;
}

bool command_printed(const struct options *options)
{
    if (fflush(stdout) == 0 && ferror(stdout) == 0)
        return true;
    return options_wrong(options, "standard output: %s", strerror(errno));
}
