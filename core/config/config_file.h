/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_file.h - the text of one configuration file as a tree. Only config_file.c knows libconfig,
 * and only as a parser of what the guard let through.
 */
#ifndef CORE_CONFIG_CONFIG_FILE_H
#define CORE_CONFIG_CONFIG_FILE_H

#include "core/config/node.h"
#include "core/config/report.h"

/* The root group, the caller's, its places in @source, which must outlive it. NULL, with an error
 * in @report, when the text is not a configuration. */
struct node *config_file_parse(const struct source *source, struct report *report);

#endif /* CORE_CONFIG_CONFIG_FILE_H */
