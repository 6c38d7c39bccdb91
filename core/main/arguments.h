/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arguments.h - the command line of mortised.
 */
#ifndef CORE_MAIN_ARGUMENTS_H
#define CORE_MAIN_ARGUMENTS_H

#include <stdbool.h>
#include <stdint.h>

#define OVERRIDES_MAX 128
#define CONF_MAX      16

enum mode {
    MODE_RUN,
    MODE_TEST,
    MODE_LIST,
    MODE_VERSION,
    MODE_HELP
};

struct arguments {
    enum mode mode;
    const char *conf[CONF_MAX]; /* --conf; none: the places of a packaged installation */
    uint32_t conf_count;
    const char *overrides[OVERRIDES_MAX]; /* -o */
    uint32_t override_count;
    const char *plugin_dir; /* NULL: where plugins are installed, or lie in a build tree */
};

/* False, and a message is on stderr, when the line cannot be understood. */
bool arguments_read(struct arguments *out, int argc, char **argv);
void arguments_help(void);

#endif /* CORE_MAIN_ARGUMENTS_H */
