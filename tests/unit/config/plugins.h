/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plugins.h - what a plugin host would know, made up: the default plugins by name, storage/segment
 * with some keys, and storage/acme from elsewhere with a required and a secret one.
 */
#ifndef TESTS_UNIT_CONFIG_PLUGINS_H
#define TESTS_UNIT_CONFIG_PLUGINS_H

#include "core/config/settings.h"

extern const struct schema_source test_plugins;

/* The keys of storage/segment. */
extern const struct note_key test_segment_keys[];
extern const uint32_t test_segment_key_count;

#endif /* TESTS_UNIT_CONFIG_PLUGINS_H */
