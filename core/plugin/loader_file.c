/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loader_file.c - files of plugins, and whether they can be trusted.
 *
 * The file, and every directory on the way to where it really lies, must belong to root or to the
 * user we run as and must not be writable by others. Two things are let through, both needed in
 * development and neither a hole:
 *
 *   a sticky directory (/tmp) above the plugin's own: nobody else can replace what lies in it, and
 *       what lies in it is judged itself
 *   group write where the group is the owner's private one (same number, not root's): distributions
 *       that give every user such a group set umask 002
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "core/base/cleanup.h"
#include "core/base/memory.h"
#include "core/base/str.h"
#include "core/plugin/loader.h"

#define NAMES_MAX 1024 /* files in one plugin directory */

/* ---- trust ----------------------------------------------------------------------------------- */

const char *file_distrust(
    const struct stat *file, uint32_t euid, bool sticky_is_fine, const char **remedy)
{
    ASSERT(file != NULL);
    ASSERT(remedy != NULL);
    bool private_group = file->st_uid != 0 && file->st_gid == file->st_uid;
    bool others = (file->st_mode & S_IWOTH) != 0;
    bool group = (file->st_mode & S_IWGRP) != 0 && !private_group;
    *remedy = "chown it to root";
    if (file->st_uid != 0 && file->st_uid != euid)
        return "belongs to another user";
    *remedy = "chmod go-w it";
    if (S_ISDIR(file->st_mode) && sticky_is_fine && (file->st_mode & S_ISVTX) != 0)
        return NULL;
    return others ? "can be written by anybody" : group ? "can be written by its group" : NULL;
}

static mrt_status judge(
    const char *path, const char *part, const struct stat *stat, bool sticky, mrt_error *error)
{
    const char *remedy = NULL;
    const char *why = file_distrust(stat, (uint32_t)geteuid(), sticky, &remedy);
    if (why == NULL)
        return MRT_OK;
    if (S_ISDIR(stat->st_mode))
        return error_set(
            error, MRT_EDENIED, "%s: not loaded: directory %s %s (user %u, mode %04o): %s", path,
            part, why, (unsigned)stat->st_uid, (unsigned)(stat->st_mode & 07777), remedy);
    return error_set(
        error, MRT_EDENIED, "%s: not loaded: it %s (user %u, mode %04o): %s", path, why,
        (unsigned)stat->st_uid, (unsigned)(stat->st_mode & 07777), remedy);
}

/* Every directory of @real, which is absolute and of which @path is another name, root first. */
static mrt_status judge_parents(const char *path, char *real, mrt_error *error)
{
    char *last = strrchr(real, '/');
    ASSERT(real[0] == '/');
    ASSERT(last != NULL);
    for (char *slash = real; slash != NULL; slash = strchr(slash + 1, '/')) {
        struct stat directory;
        char kept = slash[1];
        slash[slash == real ? 1 : 0] = '\0';
        mrt_status status = MRT_OK;
        if (stat(real, &directory) != 0)
            status = error_set(error, MRT_EIO, "%s: %s: %s", path, real, strerror(errno));
        else
            status = judge(path, real, &directory, slash != last, error);
        if (slash == real)
            slash[1] = kept;
        else
            slash[0] = '/';
        if (status != MRT_OK)
            return status;
    }
    return MRT_OK;
}

/* ---- opening --------------------------------------------------------------------------------- */

static mrt_status cannot_open(const char *path, int why, mrt_error *error)
{
    if (why == ENOENT)
        return error_set(
            error, MRT_ENOENT, "%s: no such file: check the path, or install what ships it", path);
    return error_set(error, MRT_EIO, "%s: cannot open it: %s", path, strerror(why));
}

static mrt_status file_judge(const char *path, int fd, struct file_id *out, mrt_error *error)
{
    struct stat file;
    char link[64], real[LOADER_PATH_MAX];
    if (fstat(fd, &file) != 0)
        return cannot_open(path, errno, error);
    if (!S_ISREG(file.st_mode))
        return error_set(error, MRT_EINVAL, "%s: not a regular file: name the .so itself", path);
    if (file.st_size < 0 || (uint64_t)file.st_size > LOADER_FILE_MAX)
        return error_set(error, MRT_ETOOBIG, "%s: larger than a plugin can be (256 MiB)", path);
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, real, sizeof real - 1);
    if (n <= 0 || real[0] != '/')
        return error_set(
            error, MRT_EIO, "%s: /proc/self/fd does not say where it lies: mount /proc", path);
    real[n] = '\0';
    mrt_status status = judge(path, path, &file, false, error);
    if (status == MRT_OK)
        status = judge_parents(path, real, error);
    *out = (struct file_id){
        fd, (uint64_t)file.st_dev, (uint64_t)file.st_ino, (uint64_t)file.st_size, file.st_mtim};
    return status;
}

mrt_status file_open(const char *path, struct file_id *out, mrt_error *error)
{
    ASSERT(path != NULL);
    ASSERT(out != NULL);
    if (path[0] != '/')
        return error_set(
            error, MRT_EINVAL, "%s: plugins are loaded by absolute path only: begin with /", path);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return cannot_open(path, errno, error);
    struct file_id file = {.fd = fd};
    mrt_status status = file_judge(path, fd, &file, error);
    if (status == MRT_OK)
        *out = file;
    else
        close(fd);
    return status;
}

void file_close(struct file_id *file)
{
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
}

mrt_status file_read(const char *path, const struct file_id *file, void **out, mrt_error *error)
{
    ASSERT(file->fd >= 0);
    char *image = memory_try(file->bytes, 64);
    uint64_t at = 0;
    if (image == NULL)
        return error_set(error, MRT_ENOMEM, "%s: no memory to read it", path);
    while (at < file->bytes) {
        ssize_t n = pread(file->fd, image + at, file->bytes - at, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            memory_free(image);
            return error_set(
                error, MRT_EIO, "%s: cannot read it: %s", path,
                n < 0 ? strerror(errno) : "it became shorter");
        }
        at += (uint64_t)n;
    }
    *out = image;
    return MRT_OK;
}

/* ---- directories ----------------------------------------------------------------------------- */

static void close_dir(DIR **dir)
{
    if (*dir != NULL)
        closedir(*dir);
}

static bool is_plugin_name(const char *name)
{
    size_t n = strlen(name);
    return name[0] != '.' && n > 3 && strcmp(name + n - 3, ".so") == 0;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

mrt_status names_read(const char *path, struct names *out, mrt_error *error)
{
    *out = (struct names){NULL, 0};
    CLEANUP(close_dir) DIR *dir = opendir(path);
    if (dir == NULL && errno == ENOENT)
        return MRT_OK;
    if (dir == NULL)
        return error_set(
            error, MRT_EIO, "%s: cannot list the plugin directory: %s", path, strerror(errno));
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (!is_plugin_name(entry->d_name))
            continue;
        if (out->n == NAMES_MAX) {
            names_free(out);
            return error_set(
                error, MRT_ETOOBIG, "%s: over %d plugins: name the ones to use by path", path,
                NAMES_MAX);
        }
        mrt_str name = str_of(entry->d_name);
        out->v = memory_resize(out->v, (out->n + 1) * sizeof *out->v);
        out->v[out->n++] = str_copy(&name);
    }
    if (out->n > 0)
        qsort(out->v, out->n, sizeof *out->v, compare_names);
    return MRT_OK;
}

void names_free(struct names *names)
{
    for (uint32_t i = 0; i < names->n; i++)
        memory_free(names->v[i]);
    memory_free(names->v);
    *names = (struct names){NULL, 0};
}
