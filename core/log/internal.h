/* SPDX-License-Identifier: Apache-2.0 */
/*
 * internal.h - one log as its own files see it. Everything here is touched inside the strand only,
 * but for what says otherwise.
 *
 * Mutating storage calls are made by jobs, one at a time (L1). A job is a step function: each call
 * of it makes the next storage call on log->op and returns its outcome; it is called again, with
 * log->job.status, when that is known, until it returns JOB_END. Nothing in it may wait otherwise,
 * so a chain of inline answers is a loop, not a recursion.
 *
 *   I1  job.step is NULL, or in_flight is 0 and the runner is about to call it, or in_flight is 1.
 *   I2  An append is in `arrived`, in the gate's flight, in `acks`, or finished.
 *   I3  What a flight assumes of producers and epochs lies in the flight; the log's own tables
 *       change when the storage took it (L2).
 */
#ifndef CORE_LOG_INTERNAL_H
#define CORE_LOG_INTERNAL_H

#include "core/base/assert.h"
#include "core/base/memory.h"
#include "core/log/epochs.h"
#include "core/log/log.h"
#include "core/log/producers.h"
#include "core/runtime/bytes.h"

#define GATE_BATCHES_MAX 64            /* of one storage append: what a busy turn brings */
#define GATE_BYTES_MAX   (1024 * 1024) /* likewise; one larger append goes alone */
#define LINE_WORDS       (sizeof(struct log_line) / sizeof(uint64_t))
#define JOB_END          2 /* beside MRT_OK and MRT_PENDING: no call was made, the job is over */

_Static_assert(sizeof(struct log_line) % sizeof(uint64_t) == 0, "the line is published in words");
_Static_assert(LOG_APPEND_BATCHES_MAX <= GATE_BATCHES_MAX, "every append fits a flight");

struct log_job {
    mrt_status (*step)(struct log *log);
    uint32_t at;       /* calls whose outcome is known */
    mrt_status status; /* of the last one */
};

/* What one storage append carries; taken with the first append, given back when idle. */
struct log_gate {
    struct list flight; /* log_append: in the order of their offsets, duplicates among them */
    uint32_t batch_count;
    uint32_t append_count;
    uint64_t bytes;
    int64_t end; /* the log's, if this is stored */
    mrt_append call;
    mrt_log_state after;
    mrt_batch batches[GATE_BATCHES_MAX];
    mrt_slice slices[GATE_BATCHES_MAX];
    struct kit_batch heads[GATE_BATCHES_MAX];
};

/* The waiters of one reactor; @waiters and @walking are touched on that reactor only. */
struct log_slot {
    struct log *log;
    mrt_exec *reactor;
    struct list waiters;
    struct list walking; /* of the note that runs: still to be woken */
    mrt_task note;
    uint32_t posted; /* atomic: the note is on its way */
    uint32_t index;
};

/* Recovery at open, see recover.c. */
struct recovery;

struct log {
    uint64_t refs; /* atomic */
    struct runtime *runtime;
    mrt_exec *exec;
    mrt_exec *dir_exec;
    const mrt_storage_ops *ops;
    mrt_dir *dir;
    mrt_log *store; /* NULL while not open */
    mrt_log_spec spec;
    char *topic; /* owned; spec.topic points at it */
    struct log_config config;
    struct log_policy policies[LOG_POLICIES_MAX];
    uint32_t policy_count;

    /* what is, and its published copy (seqlock; any thread) */
    struct log_line now;
    uint64_t sequence; /* atomic; odd while the words change */
    uint64_t words[LINE_WORDS];

    /* storage as last seen */
    int64_t durable;
    int64_t active_base;
    uint64_t active_bytes;
    int64_t first_ms;   /* max timestamp of the active segment's first batch; -1: not known */
    int64_t started_ms; /* when the active segment got its first batch; -1: none, or not known */

    struct producers producers;
    struct epochs epochs;

    /* jobs */
    mrt_op op;
    struct log_job job;
    bool in_flight;
    bool running;
    bool append_next; /* appends and the rest take turns */
    bool gate_posted; /* gate_task is on its way to jobs_run() */
    bool roll_wanted;
    bool retention_wanted;
    bool rolled_for_policy; /* a policy's wish to roll is granted once a pass */
    bool epochs_failed;     /* not written; maintenance tries again */
    bool gate_single;       /* the storage refused several appends together: one at a time */
    mrt_task gate_task;
    struct log_gate *gate;
    struct list arrived;   /* log_append, not yet in a flight */
    struct list acks;      /* log_append, stored, by stored_to */
    struct list trims;     /* log_trim */
    struct list maintains; /* log_request */
    int64_t trim_upto;     /* of the running trim or retention */
    uint8_t *blob;         /* owned; what a blob_put in flight borrows */
    mrt_str blob_view;     /* borrowed with it */

    /* flush: beside the jobs */
    mrt_op flush_op;
    bool flushing;
    bool timer_set;
    int64_t flush_upto;
    mrt_timer timer;

    /* open and close */
    struct recovery *recovery;
    struct log_request *ending; /* log_close or log_delete */
    bool deleting;
    bool opening;
    mrt_status ending_status; /* the first thing that went wrong */
    uint32_t reads;           /* storage reads in flight, finds among them */

    mrt_task free_task;
    uint64_t interested;      /* atomic; bit i: reactor i has waiters */
    struct log_slot *slots[]; /* atomic; by reactor */
};

/* ---- log.c: requests, line ------------------------------------------------------------------- */

/* Posts @request to the strand; @run there. Takes the reference that request_finish() gives. */
void request_post(struct log *log, struct log_request *request, void (*run)(mrt_task *task));
struct log_request *request_of(mrt_task *task);

/* Ends a request: done runs on its executor. */
void request_finish(struct log_request *request, mrt_status status);
/* The two halves of it: sends @request home, to run @run there; calls done. */
void request_send(struct log_request *request, mrt_status status, void (*run)(mrt_task *task));
void request_deliver(mrt_task *task);

/* Ends all that waits in the queue. */
void requests_drop(struct list *queue, mrt_status status);

/* MRT_OK, or why no new request is taken. */
mrt_status log_usable(const struct log *log);

/* MRT_OK, MRT_EEPOCHOLD or MRT_EEPOCHNEW. */
mrt_status log_epoch_check(const struct log *log, int32_t leader_epoch);

/* Notes that the present leader epoch begins at the end, unless that is known. */
void log_led(struct log *log);

/* Publishes log->now, wakes who waits if it changed. */
void line_publish(struct log *log);

/* The one place where stable end, high watermark and last stable offset come from (L3, L4). Then
 * publishes and answers appends. */
void log_advance(struct log *log);

/* Takes over what storage says of itself. */
void log_observe(struct log *log, const mrt_log_state *state);

/* Out of use until it is opened again; @status is what waiting appends are told. */
void log_offline(struct log *log, mrt_status status);

/* Writes one line about this log. */
void log_note(struct log *log, uint32_t level, const char *event, mrt_status status);

/* ---- jobs.c ---------------------------------------------------------------------------------- */

/* Goes on with the job there is, or picks the next. */
void jobs_run(struct log *log);
/* The same, behind everything that is queued for the strand now. */
void jobs_later(struct log *log);
void jobs_start(struct log *log, mrt_status (*step)(struct log *log));

/* ---- append.c, acks.c ------------------------------------------------------------------------ */

mrt_status append_step(struct log *log);
/* Gives the bytes back, then answers. */
void append_finish(struct log_append *append, mrt_status status);
/* Ends all that is not yet in a flight. */
void append_drop(struct log *log, mrt_status status);
/* The first arrived append; there is one. */
struct log_append *append_first(struct log *log);

/* @append is stored: it waits for what its acks ask, or ends. */
void acks_add(struct log *log, struct log_append *append);
void acks_release(struct log *log);
void acks_drop(struct log *log, mrt_status status);
void append_send(struct log_append *append, mrt_status status);

/* ---- roll.c, flush.c, trim.c, retention.c ---------------------------------------------------- */

/* Must the active segment be sealed before @bytes with @timestamp_ms come? */
bool roll_due(const struct log *log, uint64_t bytes, int64_t last_offset, int64_t timestamp_ms);
bool roll_aged(const struct log *log);
mrt_status roll_step(struct log *log);
mrt_status epochs_step(struct log *log);

/* Puts the producers' snapshot at the log's end. */
mrt_status snapshot_put(struct log *log);
mrt_status epochs_put(struct log *log);

bool flush_has(const struct log *log);
/* Flushes as the topic's setting asks, if there is something to flush. */
void flush_kick(struct log *log);
void flush_start(struct log *log);
void flush_stop(struct log *log);

mrt_status trim_step(struct log *log);
mrt_status retention_step(struct log *log);
/* log->trim_upto and log->job.at 0: removes what lies below. JOB_END at the end. */
mrt_status trim_go(struct log *log);

/* ---- recover.c, open.c, close.c, waiters.c --------------------------------------------------- */

mrt_status recover_step(struct log *log);
void recover_begin(struct log *log, struct log_request *request);

mrt_status close_step(struct log *log);
/* Removes the closed log from storage and answers @request. */
void remove_begin(struct log *log, struct log_request *request);

/* The line changed: one note per interested reactor. */
void waiters_wake(struct log *log);
void waiters_free(struct log *log);

#endif /* CORE_LOG_INTERNAL_H */
