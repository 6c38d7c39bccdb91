/* SPDX-License-Identifier: Apache-2.0 */
/* mortise.host.log/1: a plugin's lines among the broker's, each with the instance's name. */
#include "core/runtime/host/tables.h"

#define PLUGIN_LINE_MAX 3900 /* what then still fits a line: time, level, name, trace */

static uint32_t log_enabled(const mrt_host *table, uint32_t level)
{
    return level >= host_of(table)->runtime->log_level ? 1 : 0;
}

static void log_write(const mrt_host *table, uint32_t level, uint64_t trace, const mrt_str *line)
{
    const struct host *host = host_of(table);
    CHECK(no_leaf(host->runtime));
    if (level < MRT_LOG_DEBUG || level > MRT_LOG_ERROR)
        level = MRT_LOG_ERROR;
    int n = line->n < PLUGIN_LINE_MAX ? (int)line->n : PLUGIN_LINE_MAX;
    runtime_log(host->runtime, level, trace, "%.*s plugin=%s", n, line->p, host->name);
}

const mrt_host_log host_log_table = {
    .size = sizeof host_log_table,
    .enabled = log_enabled,
    .write = log_write,
};
