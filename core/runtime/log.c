/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The broker's log lines: `<time> <level> event key=value ... [trace=<hex>]`, logfmt after the
 * first two words. Lines come from any thread and never wait: what the sink does not take at once,
 * or what is above the rate, is counted, and the next line that gets through says how many were
 * lost.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/runtime/reactor.h"

#define LOG_LINE_MAX   4096 /* with its end: a pipe takes this much in one piece */
#define LOG_LINES_MAX  2000 /* a second; more says nothing more and fills the journal */
#define LOG_PREFIX_MAX 40

#define DAY_MS INT64_C(86400000)

static const char *level_name(uint32_t level)
{
    static const char *const names[] = {"?", "debug", "info", "warn", "error"};
    return names[level <= MRT_LOG_ERROR ? level : 0];
}

/* The civil date of a day number: years begin in March, so that leap days come last. */
static void date_of(int64_t day, int64_t *year, int64_t *month, int64_t *mday)
{
    int64_t z = day + 719468; /* since 0000-03-01 */
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t of_era = z - era * 146097;
    int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * of_year + 2) / 153;
    *mday = of_year - (153 * shifted + 2) / 5 + 1;
    *month = shifted < 10 ? shifted + 3 : shifted - 9;
    *year = year_of_era + era * 400 + (*month <= 2 ? 1 : 0);
}

/* "2026-11-22T02:14:56.123Z warn " */
static uint32_t put_prefix(char *out, uint64_t cap, int64_t wall_ms, uint32_t level)
{
    int64_t day = wall_ms / DAY_MS - (wall_ms % DAY_MS < 0 ? 1 : 0);
    int64_t ms = wall_ms - day * DAY_MS;
    int64_t year = 0, month = 0, mday = 0;
    date_of(day, &year, &month, &mday);
    int n = snprintf(
        out, cap, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ %s ", (int)year, (int)month, (int)mday,
        (int)(ms / 3600000), (int)(ms / 60000 % 60), (int)(ms / 1000 % 60), (int)(ms % 1000),
        level_name(level));
    ASSERT(n > 0);
    ASSERT((uint64_t)n < cap);
    return (uint32_t)n;
}

/* Nobody may end our line and begin one of his own. */
static void put_safe(char *line, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        if ((uint8_t)line[i] < 0x20 || line[i] == 0x7f)
            line[i] = '?';
    }
}

/* Completes the text of @n bytes behind the prefix and hands the line over. */
static bool line_out(struct runtime *runtime, char *line, uint64_t n)
{
    struct env *env = runtime->env;
    ASSERT(n < LOG_LINE_MAX);
    put_safe(line, n);
    line[n] = '\n';
    return env->ops->log(env, line, n + 1);
}

static bool within_rate(struct log_rate *rate, uint64_t now_ns)
{
    uint64_t second = now_ns / UINT64_C(1000000000);
    uint64_t old = __atomic_load_n(&rate->second, __ATOMIC_RELAXED);
    if (old != second &&
        __atomic_compare_exchange_n(
            &rate->second, &old, second, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        __atomic_store_n(&rate->lines, 0, __ATOMIC_RELAXED);
    return __atomic_fetch_add(&rate->lines, 1, __ATOMIC_RELAXED) < LOG_LINES_MAX;
}

/* Says how many lines were lost, before the first one that is not. */
static void say_dropped(struct runtime *runtime, int64_t wall_ms)
{
    struct log_rate *rate = &runtime->log_rate;
    uint64_t dropped = __atomic_exchange_n(&rate->dropped, 0, __ATOMIC_RELAXED);
    if (dropped == 0)
        return;
    char line[128];
    uint32_t n = put_prefix(line, sizeof line, wall_ms, MRT_LOG_WARN);
    n += (uint32_t)snprintf(
        line + n, sizeof line - n, "log.dropped lines=%llu", (unsigned long long)dropped);
    if (!line_out(runtime, line, n))
        __atomic_fetch_add(&rate->dropped, dropped, __ATOMIC_RELAXED);
}

/* Appends what @format says to @line; what does not fit is cut off. The new length. */
static PRINTF(4, 0) uint64_t
    put_text(char *line, uint64_t at, uint64_t cap, const char *format, va_list args)
{
    int n = vsnprintf(line + at, cap - at, format, args);
    ASSERT(n >= 0);
    return at + ((uint64_t)n < cap - at ? (uint64_t)n : cap - at - 1);
}

void runtime_log(struct runtime *runtime, uint32_t level, uint64_t trace, const char *format, ...)
{
    struct env *env = runtime->env;
    ASSERT(level >= MRT_LOG_DEBUG);
    ASSERT(level <= MRT_LOG_ERROR);
    if (level < runtime->log_level)
        return;
    if (!within_rate(&runtime->log_rate, env->ops->mono_ns(env))) {
        __atomic_fetch_add(&runtime->log_rate.dropped, 1, __ATOMIC_RELAXED);
        return;
    }
    int64_t wall_ms = env->ops->wall_ms(env);
    say_dropped(runtime, wall_ms);

    char line[LOG_LINE_MAX];
    uint64_t n = put_prefix(line, LOG_PREFIX_MAX, wall_ms, level);
    va_list args;
    va_start(args, format);
    n = put_text(line, n, sizeof line - 32, format, args); /* leaves room for the trace */
    va_end(args);
    if (trace != 0)
        n += (uint64_t)snprintf(
            line + n, sizeof line - n, " trace=%016llx", (unsigned long long)trace);
    if (!line_out(runtime, line, n))
        __atomic_fetch_add(&runtime->log_rate.dropped, 1, __ATOMIC_RELAXED);
}
