/* SPDX-License-Identifier: Apache-2.0 */
#include "core/main/places.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/assert.h"

/* One thing and where it may lie; the first two are relative to the folder of this program. */
struct place {
    const char *built;
    const char *installed;
    const char *fallback; /* absolute */
};

static const struct place plugins = {
    "../plugins", MORTISE_RELATIVE_PLUGINS, MORTISE_ABSOLUTE_PLUGINS};
static const struct place templates = {
    "../templates", MORTISE_RELATIVE_TEMPLATES, MORTISE_ABSOLUTE_TEMPLATES};

_Static_assert(PLACE_MAX >= PATH_MAX, "realpath() writes as much");

bool place_absolute(const char *path, char *out)
{
    ASSERT(path != NULL);
    return realpath(path, out) != NULL;
}

static bool place_try(const char *folder, const char *relative, char *out)
{
    char path[PLACE_MAX];
    struct stat found;
    int n = snprintf(path, sizeof path, "%s/%s", folder, relative);
    if (n < 0 || (size_t)n >= sizeof path || !place_absolute(path, out))
        return false;
    return stat(out, &found) == 0 && S_ISDIR(found.st_mode);
}

static void place_find(const struct place *place, char *out)
{
    char program[PLACE_MAX];
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
    if (n > 0) {
        program[n] = '\0';
        char *slash = strrchr(program, '/');
        ASSERT(slash != NULL);
        *slash = '\0';
        if (place_try(program, place->built, out) || place_try(program, place->installed, out))
            return;
    }
    snprintf(out, PLACE_MAX, "%s", place->fallback);
}

void place_plugins(char *out)
{
    place_find(&plugins, out);
}

void place_templates(char *out)
{
    place_find(&templates, out);
}
