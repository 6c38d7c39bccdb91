/* SPDX-License-Identifier: Apache-2.0 */
/* The file system of the Linux environment: what goes by path. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "core/runtime/env_linux/parts.h"

struct name {
    char text[4096];
};

static void name_set(struct name *name, const mrt_str *path)
{
    ASSERT(path->n < sizeof name->text);
    memcpy(name->text, path->p, path->n);
    name->text[path->n] = '\0';
}

mrt_status linux_rename(struct env *env, const mrt_str *from, const mrt_str *to)
{
    struct name old, new;
    (void)env;
    name_set(&old, from);
    name_set(&new, to);
    return rename(old.text, new.text) == 0 ? MRT_OK : linux_status(errno);
}

mrt_status linux_unlink(struct env *env, const mrt_str *path)
{
    struct name name;
    (void)env;
    name_set(&name, path);
    return remove(name.text) == 0 ? MRT_OK : linux_status(errno);
}

mrt_status linux_mkdir(struct env *env, const mrt_str *path)
{
    struct name name;
    (void)env;
    name_set(&name, path);
    return mkdir(name.text, 0750) == 0 ? MRT_OK : linux_status(errno);
}

mrt_status linux_sync_dir(struct env *env, const mrt_str *path)
{
    struct name name;
    (void)env;
    name_set(&name, path);
    int fd = open(name.text, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return linux_status(errno);
    mrt_status status = fsync(fd) == 0 ? MRT_OK : MRT_EIO;
    close(fd);
    return status;
}

mrt_status linux_space(struct env *env, const mrt_str *path, uint64_t *total, uint64_t *avail)
{
    struct name name;
    struct statvfs space;
    (void)env;
    name_set(&name, path);
    if (statvfs(name.text, &space) != 0)
        return linux_status(errno);
    *total = (uint64_t)space.f_blocks * space.f_frsize;
    *avail = (uint64_t)space.f_bavail * space.f_frsize;
    return MRT_OK;
}

mrt_status linux_stat(struct env *env, const mrt_str *path, struct env_stat *out)
{
    struct name name;
    struct stat stat;
    (void)env;
    name_set(&name, path);
    if (lstat(name.text, &stat) != 0)
        return linux_status(errno);
    out->bytes = (uint64_t)stat.st_size;
    out->modified_ms = (int64_t)stat.st_mtim.tv_sec * 1000 + stat.st_mtim.tv_nsec / 1000000;
    out->kind = S_ISREG(stat.st_mode) ? 1 : S_ISDIR(stat.st_mode) ? 2 : 3;
    return MRT_OK;
}

mrt_status linux_list(
    struct env *env, const mrt_str *path, bool (*each)(void *ctx, const mrt_str *name), void *ctx)
{
    struct name name;
    (void)env;
    name_set(&name, path);
    DIR *dir = opendir(name.text);
    if (dir == NULL)
        return linux_status(errno);
    errno = 0;
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL; errno = 0) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (!each(ctx, &(mrt_str){entry->d_name, strlen(entry->d_name)}))
            break;
    }
    mrt_status status = errno == 0 ? MRT_OK : linux_status(errno);
    closedir(dir);
    return status;
}
