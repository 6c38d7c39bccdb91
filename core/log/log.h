/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.h - what the broker believes about one partition's bytes: offsets, epochs, producers, what is
 * stable, who waits. The bytes themselves are the storage plugin's.
 *
 * A log is a strand. Requests (log_append, log_read ...) are the caller's memory, posted to it;
 * when done they come back by a post to the caller's executor. They never allocate and never fail
 * to be queued; what they ask may fail.
 *
 *   L1  One mutating storage call in flight. What arrives meanwhile is the next append (coalesced).
 *   L2  Offsets, sequences and epochs are assigned when the call is made, published when it
 *       succeeds. After a failure nothing anyone saw has changed.
 *   L3  start <= last stable <= high watermark <= stable end <= end. The high watermark never goes
 *       back in one leader epoch.
 *   L4  stable end = durable under flush=ack, else end. acks=1 is answered at the stable end,
 *       acks=all and readers at the high watermark.
 *   L5  A producer's batch is stored once: its sequence continues the last one, or it is one of the
 *       last five and is answered with its first offset.
 *   L6  The core decides every roll; storage only says FULL.
 *   L7  After log_close or log_delete every request ends with MRT_EGONE.
 */
#ifndef CORE_LOG_LOG_H
#define CORE_LOG_LOG_H

#include <mortise/cleanup.h>
#include <mortise/draft/broker.h>
#include <mortise/storage.h>

#include "core/base/list.h"
#include "core/config/log_config.h"
#include "core/record/record.h"
#include "core/runtime/runtime.h"

/* One cleanup policy in force, in the order to ask them. Borrowed as long as the log. */
struct log_policy {
    const mrt_cleanup_ops *ops;
    void *inst;
    const mrt_cfg_view *view;
    const mrt_cfg *cfg; /* the policy's PER_TOPIC keys for this topic */
};

#define LOG_POLICIES_MAX 4

/* Batches of one log_append(); a client sends one, internal topics a few. */
#define LOG_APPEND_BATCHES_MAX 16

struct log_options {
    struct runtime *runtime;
    const mrt_storage_ops *ops; /* normalised; outlives the log */
    mrt_dir *dir;
    mrt_exec *dir_exec;
    const mrt_cfg *storage_cfg; /* the storage plugin's PER_TOPIC keys for this topic */
    uint8_t topic_id[16];
    mrt_str topic; /* copied */
    int32_t partition;
    int32_t leader_epoch;
    uint32_t home; /* reactor */
    struct log_config config;
    struct log_policy policies[LOG_POLICIES_MAX];
    uint32_t policy_count;
};

struct log;

/* A log in memory; log_open() makes it usable. References: see log_ref(). */
struct log *log_new(const struct log_options *options);
void log_ref(struct log *log);
void log_unref(struct log *log);

/* The strand it runs on. */
mrt_exec *log_exec(const struct log *log);

/* What record_check() is to ask of a client's batches for a topic with @config. */
void log_rules(const struct log_config *config, int64_t now_ms, struct record_rules *out);

/* ---- what everyone may read at any time, without entering the strand ------------------------- */

struct log_line {
    int64_t start;
    int64_t last_stable; /* = high_watermark while no transaction is open */
    int64_t high_watermark;
    int64_t stable_end;
    int64_t end;
    uint64_t bytes;
    int32_t leader_epoch;
    mrt_status state; /* MRT_OK; MRT_EAGAIN before log_open is done; MRT_EGONE; MRT_EOFFLINE */
};

/* A consistent copy (seqlock). Any thread. */
void log_line(const struct log *log, struct log_line *out);

/* ---- requests -------------------------------------------------------------------------------- */

/* Common head of every request. The caller sets @done and @exec; @done runs on @exec, exactly once,
 * never inside the posting call. */
struct log_request {
    mrt_task task;
    void (*done)(struct log_request *request);
    mrt_exec *exec;
    mrt_status status;    /* out */
    uint32_t maintenance; /* 1: may wait behind foreground work */
    /* the log's: */
    struct list link; /* in one of its queues */
    struct log *log;  /* a reference */
};

/* Opens the storage log (creating it if absent), recovers producers and epochs, sets the high
 * watermark; then the log takes requests. */
void log_open(struct log *log, struct log_request *request);

/* Flushes, writes producer snapshot and marks, closes. The last request but log_unref(). */
void log_close(struct log *log, struct log_request *request);

/* Ends all waiting requests with MRT_EGONE, closes and removes it from storage. */
void log_delete(struct log *log, struct log_request *request);

struct log_append {
    struct log_request request;
    mrt_slicev batches; /* in: MEM, each slice whole batches that record_check() accepted; stamped
                             in place. One release of the lease passes to the log with the call */
    uint64_t trace;
    int32_t acks;         /* 0, 1, -1 */
    int32_t leader_epoch; /* the caller's, -1: none */
    /* out: */
    int64_t base_offset;    /* of the first batch; a duplicate's original one */
    int64_t append_time_ms; /* -1 unless append_time */
    int64_t log_start;
    const char *text; /* static; why it was refused, or NULL */
    /* the log's: */
    int64_t stored_to;   /* end offset of this append, once stored */
    uint32_t waits;      /* 1: in the acknowledgement queue */
    uint32_t cancelling; /* 1: cancel_task is on its way; on the caller's executor */
    uint32_t held;       /* 1: done waits for cancel_task */
    uint32_t batch_count;
    uint32_t late; /* 1: cancelled before it was stored; in the strand */
    mrt_task cancel_task;
};

/* MRT_ETOOBIG, MRT_ECORRUPT, MRT_ESEQUENCE, MRT_EPRODUCEROLD, MRT_EEPOCHOLD, MRT_EEPOCHNEW,
 * MRT_ETIMESTAMP, MRT_ERECORD, MRT_ENOSPC, MRT_EIO, MRT_EOFFLINE, MRT_EGONE, MRT_ETIMEDOUT (after
 * cancel). */
void log_append(struct log *log, struct log_append *append);

/* Its time is over: once stored it does not wait for its acknowledgement, but ends with
 * MRT_ETIMEDOUT (the records stay); storing itself is not cut short. From append->request.exec, at
 * most once, before its done ran. Completion follows either way. */
void log_append_cancel(struct log *log, struct log_append *append);

struct log_read {
    struct log_request request;
    mrt_read_res res; /* in: slices and cap, the caller's; out: the rest; its lease passes */
    int64_t from;
    uint64_t bytes_max;
    int32_t leader_epoch;   /* the caller's, -1: none */
    int32_t fetched_epoch;  /* -1: do not check divergence (KIP-595) */
    uint32_t committed;     /* 1: up to the last stable offset */
    uint32_t replica;       /* 1: up to the end */
    uint32_t min_batches;   /* 1: one batch even beyond bytes_max; 0: none */
    struct log_line line;   /* out: at the time of the read */
    int32_t diverged_epoch; /* out: -1: none */
    int64_t diverged_end;
    /* the log's: */
    mrt_op op;
    mrt_read want;
};

/* MRT_ERANGE, MRT_EEPOCHOLD, MRT_EEPOCHNEW, MRT_EIO, MRT_EGONE. No data is MRT_OK with n 0. */
void log_read(struct log *log, struct log_read *read);

/* A new leader epoch begins at the log's end; records are stamped with it from here on. */
struct log_lead {
    struct log_request request;
    int32_t leader_epoch;
};

/* MRT_EEPOCHOLD if ours is newer; MRT_OK again for the same. */
void log_lead(struct log *log, struct log_lead *lead);

struct log_find {
    struct log_request request;
    int64_t timestamp_ms; /* in: or MRT_AT_ */
    uint32_t committed;
    int32_t leader_epoch;
    int64_t offset; /* out: -1: none */
    int64_t found_ms;
    int32_t found_epoch;
    /* the log's: */
    uint32_t stage;
    uint32_t batches; /* looked at so far */
    uint32_t reserved;
    mrt_op op;
    mrt_batch_at at;
    mrt_read want;
    mrt_read_res res;
    mrt_slice slices[4];
    uint8_t *bytes;
};

/* Per record, not per batch, where the batch is uncompressed; else the batch's base (the codec is
 * not the log's). */
void log_find(struct log *log, struct log_find *find);

struct log_epoch_end {
    struct log_request request;
    int32_t epoch;        /* in: asks for the end of the greatest epoch <= this */
    int32_t leader_epoch; /* in: the caller's */
    int32_t found_epoch;  /* out: -1: none */
    int64_t end;
};
void log_epoch_end(struct log *log, struct log_epoch_end *request);

struct log_trim {
    struct log_request request;
    int64_t upto;          /* in: -1: the high watermark */
    int64_t low_watermark; /* out */
};
void log_trim(struct log *log, struct log_trim *trim);

/* Everything a change of the topic's configuration replaces; as in log_options. */
struct log_configure {
    struct log_request request;
    struct log_config config;
    const mrt_cfg *storage_cfg;
    struct log_policy policies[LOG_POLICIES_MAX];
    uint32_t policy_count;
};
void log_configure(struct log *log, struct log_configure *request);

/* Retention by the policies, segment.ms, producer expiry, checkpoint of marks: whatever is due. */
void log_maintain(struct log *log, struct log_request *request);

/* ---- waiting for data, per reactor ----------------------------------------------------------- */

/* Embedded by the waiter; zeroed before its first use. */
struct log_waiter {
    struct list link;
    void (*wake)(struct log_waiter *waiter); /* on the waiter's reactor */
};

/* Calls @waiter->wake on this reactor, once a change, when the line of @log changed after this call
 * or since the caller last read it: so watch first, then read the line. From a reactor. */
void log_watch(struct log *log, struct log_waiter *waiter);

/* From the reactor that watched; wake does not run afterwards. */
void log_unwatch(struct log *log, struct log_waiter *waiter);

#endif /* CORE_LOG_LOG_H */
