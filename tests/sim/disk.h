/* SPDX-License-Identifier: Apache-2.0 */
/*
 * disk.h - a file system in memory that knows what a power cut would leave of it.
 *
 *   D1  A file's bytes are safe after disk_sync() of it, its name after disk_sync_dir() of the
 *       directory. Until then a cut may keep either state, page by page and directory by directory.
 *   D2  Everything goes by path, and in the order of insertion where an order shows.
 *   D3  An unlinked or replaced file lives as long as it is open.
 */
#ifndef TESTS_SIM_DISK_H
#define TESTS_SIM_DISK_H

#include "core/runtime/env.h"

#define DISK_PAGE 4096 /* what a power cut leaves old or new as a whole */

struct disk;
struct disk_file; /* one open file */

/* Calls that can be made to fail. */
enum disk_call {
    DISK_OPEN,
    DISK_WRITE,
    DISK_READ,
    DISK_SYNC,
    DISK_TRUNCATE,
    DISK_ALLOCATE,
    DISK_RENAME,
    DISK_UNLINK,
    DISK_MKDIR,
    DISK_SYNC_DIR,
    DISK_LIST,
    DISK_CALLS
};

/* An empty disk with a root directory and room for @bytes of contents; 0: no limit. */
struct disk *disk_new(uint64_t bytes);

/* No file is open any more. */
void disk_free(struct disk *disk);

/* The disk as it is: what a process finds after kill -9. Open files and locks stay behind. */
struct disk *disk_copy(struct disk *disk);

/* The disk as a power cut at this moment would leave it;
 * @seed decides what was still on its way. */
struct disk *disk_copy_cut(struct disk *disk, uint64_t seed);

/* After @skip further ones, one @call answers @status and does nothing but a write, of which the
 * first half happens. */
void disk_fail(struct disk *disk, enum disk_call call, uint32_t skip, mrt_status status);

/* Every write takes this long from now on. */
void disk_slow(struct disk *disk, uint64_t write_ns);
uint64_t disk_write_ns(const struct disk *disk);

/* Changes one byte of what is stored at @path, as a rotting device would. False: there is none. */
bool disk_rot(struct disk *disk, const char *path, uint64_t off);

/* ---- what the environment's calls do (env.h); times are the caller's ------------------------- */

mrt_status disk_open(
    struct disk *disk, const mrt_str *path, uint32_t flags, int64_t now_ms, struct disk_file **out);
void disk_close(struct disk_file *file);
mrt_status disk_write(
    struct disk_file *file, const mrt_slice *v, uint32_t n, uint64_t off, int64_t now_ms);
mrt_status disk_read(struct disk_file *file, void *to, uint64_t n, uint64_t off, uint64_t *got);
mrt_status disk_read_nowait(
    struct disk_file *file, void *to, uint64_t n, uint64_t off, uint64_t *got);
mrt_status disk_sync(struct disk_file *file);
mrt_status disk_truncate(struct disk_file *file, uint64_t bytes);
mrt_status disk_allocate(struct disk_file *file, uint64_t off, uint64_t n);
void disk_evict(struct disk_file *file);
uint64_t disk_length(const struct disk_file *file);

mrt_status disk_rename(struct disk *disk, const mrt_str *from, const mrt_str *to);
mrt_status disk_unlink(struct disk *disk, const mrt_str *path);
mrt_status disk_mkdir(struct disk *disk, const mrt_str *path, int64_t now_ms);
mrt_status disk_sync_dir(struct disk *disk, const mrt_str *path);
void disk_space(const struct disk *disk, uint64_t *total, uint64_t *avail);
mrt_status disk_stat(struct disk *disk, const mrt_str *path, struct env_stat *out);
mrt_status disk_list(
    struct disk *disk, const mrt_str *path, bool (*each)(void *ctx, const mrt_str *name),
    void *ctx);

#endif /* TESTS_SIM_DISK_H */
