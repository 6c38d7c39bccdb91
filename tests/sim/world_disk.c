/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/memory.h"
#include "tests/sim/world_parts.h"

#define WALL_MS(node) ((node)->env.ops->wall_ms(&(node)->env))

struct env_file {
    struct sim_node *node;
    struct disk_file *file;
};

mrt_status sim_file_open(
    struct env *env, const mrt_str *path, uint32_t flags, struct env_file **out, uint64_t *device)
{
    struct sim_node *node = node_of(env);
    struct disk_file *file = NULL;
    mrt_status status = disk_open(node->disk, path, flags, WALL_MS(node), &file);
    if (status != MRT_OK)
        return status;
    *out = memory_new(sizeof **out);
    **out = (struct env_file){node, file};
    *device = 1;
    return MRT_OK;
}

void sim_file_close(struct env *env, struct env_file *file)
{
    (void)env;
    disk_close(file->file);
    memory_free(file);
}

/* The only call that may take time where it stands: who writes inline shall notice. */
mrt_status sim_file_write(struct env_file *file, const mrt_slice *v, uint32_t n, uint64_t off)
{
    file->node->world->now_ns += disk_write_ns(file->node->disk);
    return disk_write(file->file, v, n, off, WALL_MS(file->node));
}

mrt_status sim_file_read(struct env_file *file, void *to, uint64_t n, uint64_t off, uint64_t *got)
{
    return disk_read(file->file, to, n, off, got);
}

mrt_status sim_file_read_nowait(
    struct env_file *file, void *to, uint64_t n, uint64_t off, uint64_t *got)
{
    return disk_read_nowait(file->file, to, n, off, got);
}

mrt_status sim_file_sync(struct env_file *file, uint32_t flags)
{
    (void)flags;
    return disk_sync(file->file);
}

mrt_status sim_file_truncate(struct env_file *file, uint64_t bytes)
{
    return disk_truncate(file->file, bytes);
}

mrt_status sim_file_allocate(struct env_file *file, uint64_t off, uint64_t n)
{
    return disk_allocate(file->file, off, n);
}

mrt_status sim_file_evict(struct env_file *file, uint64_t off, uint64_t n)
{
    (void)off;
    (void)n;
    disk_evict(file->file);
    return MRT_OK;
}

mrt_status sim_file_length(struct env_file *file, uint64_t *bytes)
{
    *bytes = disk_length(file->file);
    return MRT_OK;
}

mrt_status sim_file_fd(struct env_file *file, int32_t *fd)
{
    (void)file;
    (void)fd;
    return MRT_ENOTSUP;
}

mrt_status sim_rename(struct env *env, const mrt_str *from, const mrt_str *to)
{
    return disk_rename(node_of(env)->disk, from, to);
}

mrt_status sim_unlink(struct env *env, const mrt_str *path)
{
    return disk_unlink(node_of(env)->disk, path);
}

mrt_status sim_mkdir(struct env *env, const mrt_str *path)
{
    return disk_mkdir(node_of(env)->disk, path, WALL_MS(node_of(env)));
}

mrt_status sim_sync_dir(struct env *env, const mrt_str *path)
{
    return disk_sync_dir(node_of(env)->disk, path);
}

mrt_status sim_space(struct env *env, const mrt_str *path, uint64_t *total, uint64_t *avail)
{
    (void)path;
    disk_space(node_of(env)->disk, total, avail);
    return MRT_OK;
}

mrt_status sim_stat(struct env *env, const mrt_str *path, struct env_stat *out)
{
    return disk_stat(node_of(env)->disk, path, out);
}

mrt_status sim_list(
    struct env *env, const mrt_str *path, bool (*each)(void *ctx, const mrt_str *name), void *ctx)
{
    return disk_list(node_of(env)->disk, path, each, ctx);
}
