/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "core/base/cleanup.h"
#include "core/base/memory.h"
#include "core/base/str.h"
#include "core/config/config_dir.h"
#include "core/config/guard.h"

struct name {
    char *base;          /* owned */
    const char *dir;     /* borrowed from the caller's paths */
    uint32_t dir_number; /* the later one masks */
};

struct names {
    struct name v[CONFIG_FILES_MAX];
    uint32_t count;
};

static void close_dir(DIR **dir)
{
    if (*dir != NULL)
        closedir(*dir);
}

static void close_file(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static void names_clear(struct names *names)
{
    for (uint32_t i = 0; i < names->count; i++)
        memory_free(names->v[i].base);
    names->count = 0;
}

/* Hidden files and editor backups are not configuration: the suffix must be the very end. */
static bool is_config_name(const char *name)
{
    const size_t suffix = strlen(".conf");
    size_t length = strlen(name);
    return name[0] != '.' && length > suffix && strcmp(name + length - suffix, ".conf") == 0;
}

static mrt_status fail(mrt_error *error, const char *path)
{
    mrt_status status = errno == ENOENT ? MRT_ENOENT : errno == EACCES ? MRT_EDENIED : MRT_EIO;
    return error_set(error, status, "%s: %s", path, strerror(errno));
}

static mrt_status read_all(int fd, const char *path, char *text, uint64_t *size, mrt_error *error)
{
    while (*size <= GUARD_SIZE_MAX) {
        ssize_t got = read(fd, text + *size, GUARD_SIZE_MAX + 1 - *size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail(error, path);
        if (got == 0)
            return MRT_OK;
        *size += (uint64_t)got;
    }
    return error_set(
        error, MRT_ETOOBIG, "%s: larger than %d KiB", path, (int)(GUARD_SIZE_MAX >> 10));
}

static void free_text(char **text)
{
    memory_free(*text);
}

/* O_NONBLOCK, so that a named pipe left in conf.d does not hold the start up for ever. */
static mrt_status read_file(const char *path, struct list *sources, mrt_error *error)
{
    CLEANUP(close_file) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat stat;
    if (fd < 0 || fstat(fd, &stat) < 0)
        return fail(error, path);
    if (!S_ISREG(stat.st_mode))
        return error_set(error, MRT_EIO, "%s: neither a file nor a directory", path);

    CLEANUP(free_text) char *text = memory_new(GUARD_SIZE_MAX + 1);
    uint64_t size = 0;
    mrt_status status = read_all(fd, path, text, &size, error);
    if (status != MRT_OK)
        return status;
    list_append(sources, &source_new(path, text, size)->link);
    return MRT_OK;
}

static int compare_names(const void *a, const void *b)
{
    const struct name *x = a;
    const struct name *y = b;
    int order = strcmp(x->base, y->base);
    return order != 0 ? order : (x->dir_number > y->dir_number) - (x->dir_number < y->dir_number);
}

static mrt_status list_names(
    const char *path, uint32_t dir_number, struct names *names, mrt_error *error)
{
    CLEANUP(close_dir) DIR *dir = opendir(path);
    if (dir == NULL)
        return fail(error, path);
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (!is_config_name(entry->d_name))
            continue;
        if (names->count == CONFIG_FILES_MAX)
            return error_set(error, MRT_ETOOBIG, "%s: more than %d files", path, CONFIG_FILES_MAX);
        mrt_str base = str_of(entry->d_name);
        names->v[names->count++] = (struct name){str_copy(&base), path, dir_number};
    }
    return MRT_OK;
}

/* Reads the collected names in order, the last of equal ones only, and forgets them. */
static mrt_status read_names(struct names *names, struct list *sources, mrt_error *error)
{
    mrt_status status = MRT_OK;
    qsort(names->v, names->count, sizeof *names->v, compare_names);
    for (uint32_t i = 0; i < names->count && status == MRT_OK; i++) {
        const struct name *name = &names->v[i];
        if (i + 1 < names->count && strcmp(name->base, names->v[i + 1].base) == 0)
            continue;
        char path[4096];
        int n = snprintf(path, sizeof path, "%s/%s", name->dir, name->base);
        if (n < 0 || (size_t)n >= sizeof path)
            status = error_set(error, MRT_ETOOBIG, "%s: the path is too long", name->dir);
        else
            status = read_file(path, sources, error);
    }
    names_clear(names);
    return status;
}

static mrt_status read_paths(
    const struct config_path *paths, uint32_t count, struct list *sources, mrt_error *error)
{
    CLEANUP(names_clear) struct names names = {.count = 0};
    mrt_status status = MRT_OK;
    for (uint32_t i = 0; i < count && status == MRT_OK; i++) {
        struct stat info;
        if (stat(paths[i].path, &info) < 0) {
            if (errno == ENOENT && paths[i].optional)
                continue;
            return fail(error, paths[i].path);
        }
        if (S_ISDIR(info.st_mode)) {
            status = list_names(paths[i].path, i, &names, error);
            continue;
        }
        status = read_names(&names, sources, error);
        if (status == MRT_OK)
            status = read_file(paths[i].path, sources, error);
    }
    return status == MRT_OK ? read_names(&names, sources, error) : status;
}

mrt_status config_dir_read(
    const struct config_path *paths, uint32_t count, struct list *sources, mrt_error *error)
{
    ASSERT(paths != NULL || count == 0);
    ASSERT(sources != NULL);
    struct list found;
    list_init(&found);
    mrt_status status = read_paths(paths, count, &found, error);
    struct list *at;
    while ((at = list_take(&found)) != NULL) {
        if (status == MRT_OK)
            list_append(sources, at);
        else
            source_free(CONTAINER(at, struct source, link));
    }
    return status;
}
