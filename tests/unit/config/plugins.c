/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/config/plugins.h"

#include <string.h>

#define COUNT(table) ((uint32_t)(sizeof(table) / sizeof *(table)))

static const char *const syncs[] = {"always", "never"};

const struct note_key test_segment_keys[] = {
    {.name = "index_interval_bytes",
     .type = KEY_BYTES,
     .flags = KEY_PER_TOPIC,
     .fallback = "4096",
     .min = "0",
     .kafka = "index.interval.bytes"},
    {.name = "sync", .type = KEY_ENUM, .fallback = "never", .choices = syncs, .n_choices = 2},
    {.name = "dirs", .type = KEY_LIST},
    {.name = "prefetch", .type = KEY_BYTES, .flags = KEY_PER_TOPIC, .fallback = "64KiB"},
};
const uint32_t test_segment_key_count = COUNT(test_segment_keys);

static const struct note_key acme_keys[] = {
    {.name = "bucket", .type = KEY_STR, .flags = KEY_REQUIRED, .doc = "Where segments go."},
    {.name = "token", .type = KEY_STR, .flags = KEY_SECRET},
    {.name = "ratio", .type = KEY_F64, .fallback = "0.5", .min = "0", .max = "1"},
};

static const struct note_key kafka_keys[] = {
    {.name = "request_bytes_max",
     .type = KEY_BYTES,
     .fallback = "100MiB",
     .kafka = "socket.request.max.bytes"},
};

struct plugin {
    const char *kind;
    const char *name;
    const struct note_key *keys;
    uint32_t count;
};

static const struct plugin plugins[] = {
    {"storage", "segment", test_segment_keys, COUNT(test_segment_keys)},
    {"storage", "memory", NULL, 0},
    {"storage", "acme", acme_keys, COUNT(acme_keys)},
    {"coordination", "standalone", NULL, 0},
    {"cleanup", "delete", NULL, 0},
    {"codec", "zstd", NULL, 0},
    {"transport", "tcp", NULL, 0},
    {"protocol", "kafka", kafka_keys, COUNT(kafka_keys)},
};

static bool find(
    void *context, const char *kind, const char *name, const struct note_key **keys,
    uint32_t *count)
{
    (void)context;
    for (uint32_t i = 0; i < COUNT(plugins); i++) {
        if (strcmp(plugins[i].kind, kind) != 0 || strcmp(plugins[i].name, name) != 0)
            continue;
        *keys = plugins[i].keys;
        *count = plugins[i].count;
        return true;
    }
    return false;
}

static const char *const *names(void *context, const char *kind, uint32_t *count)
{
    static const char *const storages[] = {"segment", "memory", "acme"};
    static const char *const transports[] = {"tcp"};
    static const char *const policies[] = {"delete"};
    (void)context;
    *count = 0;
    if (strcmp(kind, "storage") == 0) {
        *count = COUNT(storages);
        return storages;
    }
    *count = 1;
    return strcmp(kind, "transport") == 0 ? transports : policies;
}

const struct schema_source test_plugins = {NULL, find, names};
