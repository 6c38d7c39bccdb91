/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loader.h - modules: files that were looked at, and code that was opened. The only place with
 * libltdl and dlopen, and with loader_file.c the only place of this layer that touches files.
 *
 *   M1  module_file() runs no code of the file. module_load() runs what lies behind the very
 *       descriptor whose note was read: replacing the file in between changes nothing.
 *   M2  A file is opened by absolute path, and only where nobody but root and the user we run as
 *       can put one (loader_file.c says how that is judged).
 *   M3  Code is never unmapped, and a file (device, inode) is opened once in a process.
 *   M4  The loader's own error text is kept: libltdl reports every failure as "file not found".
 *   M5  MAIN only: libltdl has no locks.
 */
#ifndef CORE_PLUGIN_LOADER_H
#define CORE_PLUGIN_LOADER_H

#include <stdbool.h>
#include <sys/stat.h>

#include "core/plugin/builtins.h"
#include "core/plugin/note.h"

#define LOADER_FILE_MAX  ((uint64_t)256 << 20) /* bytes; a debug build of ours has 3 MiB */
#define LOADER_FILES_MAX 256                   /* opened in a process */
#define LOADER_PATH_MAX  4096

/* What loading needs to know of a file, and what tells it from another. */
struct file_id {
    int fd; /* owned; -1 for a builtin */
    uint64_t device;
    uint64_t inode;
    uint64_t bytes;
    struct timespec changed;
};

struct module {
    char *path; /* owned; "builtin:<name>" for a builtin */
    struct file_id file;
    const struct builtin *builtin;                 /* NULL for a file */
    struct note *note;                             /* owned */
    const mrt_plugin *(*entry)(uint32_t host_abi); /* NULL until loaded, as plugin */
    const mrt_plugin *plugin;                      /* what the entry gave */
};

/* ---- modules (loader.c) ---------------------------------------------------------------------- */

/* Opens @path, checks that it can be trusted, reads its note. */
mrt_status module_file(const char *path, struct module **out, mrt_error *error) MUST_CHECK;

/* A builtin's note is only found by asking its entry, so this calls it. */
mrt_status module_builtin(const struct builtin *builtin, struct module **out, mrt_error *error)
    MUST_CHECK;

/* Opens the code and calls the entry; nothing if that was done. module->plugin is set on MRT_OK;
 * whether it says what the note said is plugin_check()'s to see. */
mrt_status module_load(struct module *module, mrt_error *error) MUST_CHECK;

/* The code stays; NULL is fine. */
void module_free(struct module *module);

/* ---- files (loader_file.c) ------------------------------------------------------------------- */

/* Opens @path for reading and judges it (M2). */
mrt_status file_open(const char *path, struct file_id *out, mrt_error *error) MUST_CHECK;
void file_close(struct file_id *file);

/* The whole content, for the caller to memory_free(). */
mrt_status file_read(const char *path, const struct file_id *file, void **out, mrt_error *error)
    MUST_CHECK;

/* May something with these owner and mode bits stand between root and code we run? For directories
 * @sticky_is_fine says that a sticky one may be written by others. NULL, or what is wrong. */
const char *file_distrust(
    const struct stat *file, uint32_t euid, bool sticky_is_fine, const char **remedy);

/* Names of the *.so files of directory @path, sorted, for names_free(). A directory that is not
 * there has none. */
struct names {
    char **v;
    uint32_t n;
};
mrt_status names_read(const char *path, struct names *out, mrt_error *error) MUST_CHECK;
void names_free(struct names *names);

#endif /* CORE_PLUGIN_LOADER_H */
