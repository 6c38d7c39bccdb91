/* SPDX-License-Identifier: Apache-2.0 */
#include "core/main/arguments.h"

#include <getopt.h>
#include <stdio.h>

static const struct option names[] = {
    {"conf", required_argument, NULL, 'c'},
    {"option", required_argument, NULL, 'o'},
    {"plugin-dir", required_argument, NULL, 'p'},
    {"test", no_argument, NULL, 't'},
    {"list-plugins", no_argument, NULL, 'l'},
    {"version", no_argument, NULL, 'V'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

void arguments_help(void)
{
    puts("usage: mortised [--conf PATH]... [-o NAME=VALUE]... [--plugin-dir DIR]\n"
         "\n"
         "  --conf PATH         a file, or a directory of *.conf, instead of\n"
         "                      /usr/lib/mortise/conf.d, /etc/mortise/mortise.conf,\n"
         "                      /etc/mortise/conf.d; may be repeated\n"
         "  -o NAME=VALUE       one setting, over all files: -o broker.node_id=2, -o "
         "storage=memory\n"
         "  --plugin-dir DIR    where plugins lie\n"
         "  -t, --test          check the configuration, print what is wrong, exit 0 or 78\n"
         "  --list-plugins      what there is, what was refused and why\n"
         "  --version, --help");
}

static bool too_many(const char *what)
{
    fprintf(stderr, "mortised: more %s than there is room for\n", what);
    return false;
}

bool arguments_read(struct arguments *out, int argc, char **argv)
{
    *out = (struct arguments){.mode = MODE_RUN};
    for (int c; (c = getopt_long(argc, argv, "c:o:p:thV", names, NULL)) != -1;) {
        switch (c) {
        case 'c':
            if (out->conf_count == CONF_MAX)
                return too_many("--conf");
            out->conf[out->conf_count++] = optarg;
            break;
        case 'o':
            if (out->override_count == OVERRIDES_MAX)
                return too_many("-o");
            out->overrides[out->override_count++] = optarg;
            break;
        case 'p':
            out->plugin_dir = optarg;
            break;
        case 't':
            out->mode = MODE_TEST;
            break;
        case 'l':
            out->mode = MODE_LIST;
            break;
        case 'V':
            out->mode = MODE_VERSION;
            break;
        case 'h':
            out->mode = MODE_HELP;
            break;
        default:
            return false;
        }
    }
    if (optind < argc) {
        fprintf(
            stderr, "mortised: unexpected argument %s (settings are given with -o)\n",
            argv[optind]);
        return false;
    }
    return true;
}
