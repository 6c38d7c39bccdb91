/* SPDX-License-Identifier: Apache-2.0 */
/*
 * override.h - one -o name=value as a tree of its own, to be merged over what the files say.
 *
 *   log_retention_ms=7d           a setting of the group broker
 *   log.retention.ms=7d           the same by Kafka's name
 *   storage=memory                a kind: the same as storage.use=memory
 *   storage.segment.dirs=/a,/b    a path of groups; a list's elements are cut at the commas
 *   log_dirs=["/a,b", "/c"]       a value that begins with " [" ( { is written as in a file
 */
#ifndef CORE_CONFIG_OVERRIDE_H
#define CORE_CONFIG_OVERRIDE_H

#include "core/config/node.h"
#include "core/config/report.h"

/* The root group, the caller's; NULL with an error in @report.
 * @source is the -o and outlives it. */
struct node *override_parse(struct source *source, struct report *report);

#endif /* CORE_CONFIG_OVERRIDE_H */
