/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_dir.h - the files of a configuration in the order they apply, later ones winning.
 *
 * A path is a file or a directory of *.conf. Directories that follow each other are one: their
 * files are sorted together by name, and a name in a later one masks the same name in an earlier
 * one, so /etc/mortise/conf.d/20-broker.conf stands in for the packager's. A file keeps its place.
 */
#ifndef CORE_CONFIG_CONFIG_DIR_H
#define CORE_CONFIG_CONFIG_DIR_H

#include "core/base/error.h"
#include "core/config/node.h"

/* More files than this is a packaging accident, not a configuration. */
#define CONFIG_FILES_MAX 256

struct config_path {
    const char *path;
    bool optional; /* nothing there is no error */
};

/* Appends the files to @sources (struct source.link), the caller's. On failure nothing is appended
 * and @error names the file: MRT_ENOENT, MRT_EIO, MRT_ETOOBIG. */
MUST_CHECK mrt_status config_dir_read(
    const struct config_path *paths, uint32_t count, struct list *sources, mrt_error *error);

#endif /* CORE_CONFIG_CONFIG_DIR_H */
