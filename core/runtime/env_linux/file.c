/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file system of the Linux environment: open files. Short writes and interrupted calls end
 * here. path.c has what goes by path.
 */
#define _GNU_SOURCE /* preadv2, fallocate */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "core/base/memory.h"
#include "core/runtime/env_linux/parts.h"

#define PIECES 64 /* of one pwritev; the kernel takes 1024, the stack is small */

struct env_file {
    int fd;
};

mrt_status linux_status(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
        return MRT_ENOENT;
    case EEXIST:
        return MRT_EEXIST;
    case EACCES:
    case EPERM:
    case EROFS:
    case ELOOP:
        return MRT_EDENIED;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return MRT_ENOSPC;
    case EWOULDBLOCK:
    case EBUSY:
    case ENOTEMPTY:
        return MRT_EBUSY;
    case ENOMEM:
    case EMFILE:
    case ENFILE:
        return MRT_ENOMEM;
    case EOPNOTSUPP:
    case ENOSYS:
        return MRT_ENOTSUP;
    case EINVAL:
    case EISDIR:
    case ENAMETOOLONG:
    case EBADF:
        return MRT_EINVAL;
    default:
        return MRT_EIO;
    }
}

static int open_flags(uint32_t flags)
{
    int os = O_CLOEXEC;
    if ((flags & MRT_FILE_WRITE) == 0)
        os |= O_RDONLY;
    else
        os |= (flags & MRT_FILE_READ) != 0 ? O_RDWR : O_WRONLY;
    if ((flags & MRT_FILE_CREATE) != 0)
        os |= O_CREAT;
    if ((flags & MRT_FILE_EXCLUSIVE) != 0)
        os |= O_EXCL;
    return os;
}

mrt_status linux_file_open(
    struct env *env, const mrt_str *path, uint32_t flags, struct env_file **out, uint64_t *device)
{
    char name[4096];
    struct stat stat;
    (void)env;
    ASSERT(path->n < sizeof name);
    memcpy(name, path->p, path->n);
    name[path->n] = '\0';
    int fd = open(name, open_flags(flags), 0640);
    if (fd < 0)
        return linux_status(errno);
    mrt_status status = fstat(fd, &stat) == 0 ? MRT_OK : linux_status(errno);
    if (status == MRT_OK && S_ISDIR(stat.st_mode))
        status = MRT_EINVAL;
    if (status == MRT_OK && (flags & MRT_FILE_LOCK) != 0 && flock(fd, LOCK_EX | LOCK_NB) != 0)
        status = linux_status(errno);
    if (status != MRT_OK) {
        close(fd);
        return status;
    }
    *out = memory_new(sizeof **out);
    (*out)->fd = fd;
    *device = stat.st_dev;
    return MRT_OK;
}

void linux_file_close(struct env *env, struct env_file *file)
{
    (void)env;
    close(file->fd); /* what a late error would say, sync has said, or nobody asked */
    memory_free(file);
}

/* Fills @pieces from @v, beginning at byte @skip of slice @first. */
static int pieces_fill(
    struct iovec *pieces, const mrt_slice *v, uint32_t n, uint32_t first, uint64_t skip)
{
    int count = 0;
    for (uint32_t i = first; i < n && count < PIECES; i++) {
        ASSERT(v[i].kind == MRT_SLICE_MEM);
        uint8_t *from = (uint8_t *)(uintptr_t)v[i].ref + v[i].off;
        pieces[count++] = (struct iovec){from + skip, v[i].len - skip};
        skip = 0;
    }
    return count;
}

mrt_status linux_file_write(struct env_file *file, const mrt_slice *v, uint32_t n, uint64_t off)
{
    struct iovec pieces[PIECES];
    uint32_t at = 0;   /* the slice that is next */
    uint64_t skip = 0; /* bytes of it that are written */
    while (at < n) {
        if (v[at].len == skip) {
            at++;
            skip = 0;
            continue;
        }
        ssize_t done = pwritev(file->fd, pieces, pieces_fill(pieces, v, n, at, skip), (off_t)off);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return done < 0 ? linux_status(errno) : MRT_EIO;
        off += (uint64_t)done;
        for (uint64_t left = (uint64_t)done; left > 0;) {
            uint64_t step = v[at].len - skip < left ? v[at].len - skip : left;
            left -= step;
            skip += step;
            if (skip == v[at].len) {
                at++;
                skip = 0;
            }
        }
    }
    return MRT_OK;
}

static mrt_status read_loop(
    struct env_file *file, void *to, uint64_t n, uint64_t off, int flags, uint64_t *got)
{
    uint64_t at = 0;
    while (at < n) {
        struct iovec piece = {(uint8_t *)to + at, n - at};
        ssize_t done = preadv2(file->fd, &piece, 1, (off_t)(off + at), flags);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return errno == EAGAIN || (flags != 0 && errno == EOPNOTSUPP) ? MRT_EAGAIN
                                                                          : linux_status(errno);
        if (done == 0)
            break;
        at += (uint64_t)done;
    }
    *got = at;
    return MRT_OK;
}

mrt_status linux_file_read(struct env_file *file, void *to, uint64_t n, uint64_t off, uint64_t *got)
{
    return read_loop(file, to, n, off, 0, got);
}

mrt_status linux_file_read_nowait(
    struct env_file *file, void *to, uint64_t n, uint64_t off, uint64_t *got)
{
    return read_loop(file, to, n, off, RWF_NOWAIT, got);
}

mrt_status linux_file_sync(struct env_file *file, uint32_t flags)
{
    int failed = (flags & MRT_SYNC_DATA) != 0 ? fdatasync(file->fd) : fsync(file->fd);
    if (failed == 0)
        return MRT_OK;
    mrt_status status = linux_status(errno);
    return status == MRT_ENOSPC ? MRT_ENOSPC : MRT_EIO; /* whatever it was, it is not on the disk */
}

mrt_status linux_file_truncate(struct env_file *file, uint64_t bytes)
{
    return ftruncate(file->fd, (off_t)bytes) == 0 ? MRT_OK : linux_status(errno);
}

mrt_status linux_file_allocate(struct env_file *file, uint64_t off, uint64_t n)
{
    return fallocate(file->fd, FALLOC_FL_KEEP_SIZE, (off_t)off, (off_t)n) == 0
               ? MRT_OK
               : linux_status(errno);
}

mrt_status linux_file_evict(struct env_file *file, uint64_t off, uint64_t n)
{
    int error = posix_fadvise(file->fd, (off_t)off, (off_t)n, POSIX_FADV_DONTNEED);
    return error == 0 ? MRT_OK : linux_status(error);
}

mrt_status linux_file_length(struct env_file *file, uint64_t *bytes)
{
    struct stat stat;
    if (fstat(file->fd, &stat) != 0)
        return linux_status(errno);
    *bytes = (uint64_t)stat.st_size;
    return MRT_OK;
}

mrt_status linux_file_fd(struct env_file *file, int32_t *fd)
{
    *fd = file->fd;
    return MRT_OK;
}
