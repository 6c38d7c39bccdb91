/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_config.h - what one topic's settings mean to its logs. It lies in config, not in log, because
 * the topic configs are resolved here and log is the layer above.
 */
#ifndef CORE_CONFIG_LOG_CONFIG_H
#define CORE_CONFIG_LOG_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

enum log_flush {
    LOG_FLUSH_NONE,
    LOG_FLUSH_INTERVAL,
    LOG_FLUSH_ACK
};

/* A topic's settings as far as its logs need them; copied. */
struct log_config {
    uint64_t segment_bytes;          /* segment.bytes */
    int64_t segment_ms;              /* segment.ms */
    int64_t segment_jitter_ms;       /* segment.jitter.ms */
    uint32_t message_bytes_max;      /* max.message.bytes */
    int64_t timestamp_before_max_ms; /* message.timestamp.before.max.ms */
    int64_t timestamp_after_max_ms;  /* message.timestamp.after.max.ms */
    enum log_flush flush;
    int64_t flush_interval_ms; /* with LOG_FLUSH_INTERVAL */
    bool append_time;          /* message.timestamp.type = LogAppendTime */
    bool compact;              /* cleanup.policy names compact: keys are required */
    bool remove;               /* cleanup.policy names delete */
};

#endif /* CORE_CONFIG_LOG_CONFIG_H */
