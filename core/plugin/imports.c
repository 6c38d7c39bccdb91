/* SPDX-License-Identifier: Apache-2.0 */
/*
 * imports.c - what of libc a plugin must not reach past the host tables. A list of what is known to
 * reach out, not of what is harmless: plugins may stand on other libraries, whose names nobody
 * can list.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/plugin/check.h"

#define NAME_MAX_BYTES 48

struct import {
    const char *name;
    const char *reach;
};

/* Sorted by name; __x_chk, x64 and x_2 count as x. */
static const struct import imports[] = {
    {"accept", "network"},
    {"accept4", "network"},
    {"aligned_alloc", "memory"},
    {"arc4random", "random"},
    {"bind", "network"},
    {"calloc", "memory"},
    {"clock", "time"},
    {"clock_getres", "time"},
    {"clock_gettime", "time"},
    {"clock_nanosleep", "time"},
    {"clone", "processes"},
    {"close", "files"},
    {"closedir", "files"},
    {"connect", "network"},
    {"copy_file_range", "files"},
    {"creat", "files"},
    {"dlopen", "code"},
    {"dlsym", "code"},
    {"drand48", "random"},
    {"dup", "files"},
    {"dup2", "files"},
    {"dup3", "files"},
    {"execl", "processes"},
    {"execv", "processes"},
    {"execve", "processes"},
    {"exit", "processes"},
    {"fallocate", "files"},
    {"fclose", "files"},
    {"fcntl", "files"},
    {"fdatasync", "files"},
    {"fdopen", "files"},
    {"fflush", "files"},
    {"fopen", "files"},
    {"fork", "processes"},
    {"fprintf", "files"},
    {"fputs", "files"},
    {"fread", "files"},
    {"free", "memory"},
    {"fstat", "files"},
    {"fsync", "files"},
    {"ftruncate", "files"},
    {"futex", "threads"},
    {"fwrite", "files"},
    {"getaddrinfo", "network"},
    {"getenv", "environment"},
    {"gethostbyname", "network"},
    {"getpid", "processes"},
    {"getrandom", "random"},
    {"gettimeofday", "time"},
    {"gmtime", "time"},
    {"ioctl", "files"},
    {"kill", "processes"},
    {"link", "files"},
    {"listen", "network"},
    {"localtime", "time"},
    {"localtime_r", "time"},
    {"lseek", "files"},
    {"lstat", "files"},
    {"madvise", "memory"},
    {"malloc", "memory"},
    {"mkdir", "files"},
    {"mkstemp", "files"},
    {"mktime", "time"},
    {"mmap", "memory"},
    {"mprotect", "memory"},
    {"munmap", "memory"},
    {"nanosleep", "time"},
    {"open", "files"},
    {"openat", "files"},
    {"opendir", "files"},
    {"pipe", "files"},
    {"pipe2", "files"},
    {"poll", "files"},
    {"posix_fadvise", "files"},
    {"posix_fallocate", "files"},
    {"posix_memalign", "memory"},
    {"ppoll", "files"},
    {"pread", "files"},
    {"preadv", "files"},
    {"preadv2", "files"},
    {"printf", "files"},
    {"puts", "files"},
    {"pwrite", "files"},
    {"pwritev", "files"},
    {"pwritev2", "files"},
    {"raise", "processes"},
    {"rand", "random"},
    {"rand_r", "random"},
    {"random", "random"},
    {"read", "files"},
    {"readdir", "files"},
    {"readlink", "files"},
    {"readv", "files"},
    {"realloc", "memory"},
    {"reallocarray", "memory"},
    {"recv", "network"},
    {"recvfrom", "network"},
    {"recvmsg", "network"},
    {"remove", "files"},
    {"rename", "files"},
    {"renameat", "files"},
    {"rmdir", "files"},
    {"sched_yield", "threads"},
    {"select", "files"},
    {"send", "network"},
    {"sendfile", "network"},
    {"sendmsg", "network"},
    {"sendto", "network"},
    {"setenv", "environment"},
    {"setsockopt", "network"},
    {"shutdown", "network"},
    {"sigaction", "processes"},
    {"signal", "processes"},
    {"sleep", "time"},
    {"socket", "network"},
    {"socketpair", "network"},
    {"splice", "files"},
    {"srand", "random"},
    {"srandom", "random"},
    {"stat", "files"},
    {"statvfs", "files"},
    {"strdup", "memory"},
    {"strndup", "memory"},
    {"sync", "files"},
    {"sync_file_range", "files"},
    {"syncfs", "files"},
    {"syscall", "everything"},
    {"system", "processes"},
    {"time", "time"},
    {"truncate", "files"},
    {"unlink", "files"},
    {"unlinkat", "files"},
    {"usleep", "time"},
    {"vfprintf", "files"},
    {"wait", "processes"},
    {"waitpid", "processes"},
    {"write", "files"},
    {"writev", "files"},
};
#define IMPORTS (sizeof imports / sizeof *imports)

/* Whole families. */
static const struct import prefixes[] = {
    {"pthread_", "threads"}, {"sem_", "threads"},    {"mtx_", "threads"},  {"cnd_", "threads"},
    {"thrd_", "threads"},    {"epoll_", "files"},    {"eventfd", "files"}, {"timerfd_", "time"},
    {"inotify_", "files"},   {"io_uring_", "files"},
};
#define PREFIXES (sizeof prefixes / sizeof *prefixes)

static int by_name(const void *key, const void *element)
{
    return strcmp(key, ((const struct import *)element)->name);
}

static void drop_suffix(char *name, const char *suffix)
{
    size_t n = strlen(name), m = strlen(suffix);
    if (n > m && strcmp(name + n - m, suffix) == 0)
        name[n - m] = '\0';
}

const char *import_reach(const char *name)
{
    char plain[NAME_MAX_BYTES];
    ASSERT(name != NULL);
    const struct import *exact = bsearch(name, imports, IMPORTS, sizeof *imports, by_name);
    if (exact != NULL)
        return exact->reach;
    for (size_t i = 0; i < PREFIXES; i++)
        if (strncmp(name, prefixes[i].name, strlen(prefixes[i].name)) == 0)
            return prefixes[i].reach;
    size_t skip = strncmp(name, "__", 2) == 0 ? 2 : 0;
    if (strlen(name + skip) >= sizeof plain)
        return NULL;
    strcpy(plain, name + skip);
    drop_suffix(plain, "_chk");
    drop_suffix(plain, "_2");
    drop_suffix(plain, "64");
    const struct import *found = bsearch(plain, imports, IMPORTS, sizeof *imports, by_name);
    return found != NULL ? found->reach : NULL;
}
