/* SPDX-License-Identifier: Apache-2.0 */
/*
 * job.h - an operation that spans several host calls, written as straight code.
 *
 * A coroutine is a function that starts with JOB_BEGIN and ends with JOB_END. At every call that
 * may pend it can leave, and it is entered again from the top when the call completed: it then goes
 * on behind that call. So what must live across a call is a member of the job, and locals are set
 * anew above JOB_BEGIN or behind the call.
 *
 *   J1  A job has one host call in flight at most, on job->op.
 *   J2  Between JOB_BEGIN and JOB_END a coroutine is left with JOB_RETURN only.
 *   J3  Arguments of JOB_STEP are evaluated again when the job goes on.
 *   J4  run() of a job is never entered from inside itself, nor from another executor.
 */
#ifndef SEGMENT_JOB_H
#define SEGMENT_JOB_H

#include <mortise/storage.h>

#define JOB_DEPTH  16   /* coroutines that call each other; recovery needs 11 */
#define JOB_HELD   4    /* open files kept from being closed while a job uses them */
#define PATH_BYTES 1280 /* directory, log and file name; segment_dir_open() refuses longer ones */
#define PATHS      4
#define LIST_ROWS  64
#define LIST_NAME  256 /* bytes of the longest name */
#define LIST_WIDE  64  /* times as many rows: the host reads a folder anew for every page */

struct store;
struct handle;
struct segment;
struct job;

typedef mrt_status (*job_run)(struct job *job);

/* Every level of coroutine writes into a slot of its own. */
enum {
    PATH_FILE,
    PATH_TEMPORARY,
    PATH_FOLDER,
    PATH_OPEN
};

struct paths {
    char text[PATHS][PATH_BYTES];
    mrt_str str[PATHS];
};

struct listing {
    mrt_dirlist list;
    uint32_t rows;
    uint32_t reserved;
    mrt_dirent row[]; /* then the text */
};

struct job {
    mrt_op op; /* the host call in flight */
    struct store *store;
    mrt_exec *exec;
    mrt_op *caller; /* ended when run() ended after a wait; NULL: nobody asked */
    job_run run;
    void (*end)(struct job *job, mrt_status status); /* before the job is freed; may be NULL */
    mrt_dir *dir;
    mrt_log *log;        /* counted in its jobs; NULL for jobs of the directory */
    struct paths *paths; /* owned, NULL until needed; so the next two */
    struct listing *listing;
    char *loaded;
    uint64_t loaded_bytes;
    mrt_file *opened; /* owned between two calls of files.c */
    uint64_t got;
    uint32_t wide; /* list a folder that may hold 100 000 names */
    uint32_t reserved;
    uint32_t at;        /* a counter across calls */
    uint32_t change;    /* verify.c: may files be changed? */
    const char *folder; /* of the log whose files segment_path_file() names */
    mrt_slice slice;    /* one piece of memory to be written */
    mrt_slicev vec;
    struct segment *segment; /* used: stays in memory; see segment_use() */
    mrt_error *why;          /* into the job's own memory, or NULL: goes with the completion */
    struct job *next;        /* in a queue of parked jobs */
    mrt_task task;           /* to be parked on another executor */
    struct handle *held[JOB_HELD];
    char boot[24];     /* text of segment_boot_write() */
    mrt_status status; /* of the host call that completed */
    uint32_t depth;
    uint32_t line[JOB_DEPTH]; /* where each coroutine on the way down goes on */
};

/* A zeroed job of @bytes (its own struct begins with struct job); NULL without memory. @log may be
 * NULL. It runs on the executor of the log, else of the directory. */
void *segment_job_new(mrt_dir *dir, mrt_log *log, mrt_op *caller, job_run run, uint64_t bytes);

/* The same in memory of the caller's, which the job's end gives back. */
void segment_job_init(
    struct job *job, mrt_dir *dir, mrt_log *log, mrt_op *caller, job_run run, uint64_t bytes);

/* Runs @job until it ends, and hands its status back, or until it waits: MRT_PENDING. */
mrt_status segment_job_start(struct job *job);

/* Readies job->op for a host call. */
void segment_job_ready(struct job *job);

/* Parks: what JOB_AWAIT gets when somebody will end job->op with segment_job_wake(). */
mrt_status segment_job_park(struct job *job);
void segment_job_wake(struct job *job, mrt_status status);

/* For JOB_AWAIT: lets go and comes back in a turn of its own. */
mrt_status segment_job_yield(struct job *job);

/* Gives back the files held by segment_hold(). */
void segment_job_unhold(struct job *job);

static inline uint32_t *job_enter(struct job *job)
{
    if (job->depth == JOB_DEPTH)
        __builtin_trap(); /* ours: a deeper call needs a larger JOB_DEPTH */
    return &job->line[job->depth++];
}

static inline mrt_status job_leave(struct job *job, uint32_t *line, mrt_status status)
{
    if (status != MRT_PENDING)
        *line = 0;
    job->depth--;
    return status;
}

#define JOB_BEGIN(job)                                                                             \
    uint32_t *line_ = job_enter(job);                                                              \
    mrt_status got_ = MRT_OK;                                                                      \
    (void)got_;                                                                                    \
    switch (*line_) {                                                                              \
    default:

#define JOB_END(job, result)                                                                       \
    }                                                                                              \
    return job_leave(job, line_, result)

#define JOB_RETURN(job, result) return job_leave(job, line_, result)

/* Makes host call @call with &job->op; its outcome, never MRT_PENDING, goes to @out. */
#define JOB_AWAIT(job, out, call)                                                                  \
    do {                                                                                           \
        segment_job_ready(job);                                                                    \
        (out) = (call);                                                                            \
        if ((out) == MRT_PENDING) {                                                                \
            *line_ = __LINE__;                                                                     \
            return job_leave(job, line_, MRT_PENDING);                                             \
        case __LINE__:                                                                             \
            (out) = (job)->status;                                                                 \
        }                                                                                          \
    } while (0)

/* Runs coroutine call @call; its outcome, never MRT_PENDING, goes to @out. */
#define JOB_STEP(job, out, call)                                                                   \
    do {                                                                                           \
        *line_ = __LINE__;                                                                         \
        __attribute__((__fallthrough__));                                                          \
    case __LINE__:                                                                                 \
        (out) = (call);                                                                            \
        if ((out) == MRT_PENDING)                                                                  \
            return job_leave(job, line_, MRT_PENDING);                                             \
    } while (0)

/* The same, leaving the coroutine with the error if there is one. */
#define JOB_AWAIT_OK(job, call)                                                                    \
    do {                                                                                           \
        segment_job_ready(job);                                                                    \
        got_ = (call);                                                                             \
        if (got_ == MRT_PENDING) {                                                                 \
            *line_ = __LINE__;                                                                     \
            return job_leave(job, line_, MRT_PENDING);                                             \
        case __LINE__:                                                                             \
            got_ = (job)->status;                                                                  \
        }                                                                                          \
        if (got_ < 0)                                                                              \
            return job_leave(job, line_, got_);                                                    \
    } while (0)

#define JOB_STEP_OK(job, call)                                                                     \
    do {                                                                                           \
        *line_ = __LINE__;                                                                         \
        __attribute__((__fallthrough__));                                                          \
    case __LINE__:                                                                                 \
        got_ = (call);                                                                             \
        if (got_)                                                                                  \
            return job_leave(job, line_, got_);                                                    \
    } while (0)

#endif /* SEGMENT_JOB_H */
