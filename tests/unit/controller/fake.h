/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fake.h - a coordination plugin whose log is an array, and which does as the test says. The log
 * outlives the handles, so a controller can be started again on it.
 *
 * Touched inside its executor only, or while nothing runs.
 */
#ifndef TESTS_UNIT_CONTROLLER_FAKE_H
#define TESTS_UNIT_CONTROLLER_FAKE_H

#include <stdbool.h>

#include <mortise/coordination.h>

#define FAKE_ENTRIES_MAX 512

enum fake_append {
    FAKE_COMMIT,       /* durable, delivered, then MRT_OK */
    FAKE_HOLD,         /* nothing until fake_release() */
    FAKE_FAIL,         /* MRT_PENDING, then @append_error; not in the log */
    FAKE_FAIL_INLINE,  /* @append_error at once */
    FAKE_LOSE_APPLIED, /* in the log, but MRT_EUNKNOWN and the epoch ends; leads again */
    FAKE_LOSE          /* the same, and it never gets into the log */
};

struct fake {
    mrt_exec *exec;

    /* The script. */
    enum fake_append append;
    mrt_status append_error;
    mrt_status open_error;
    bool answers_inline; /* else calls that may do either are pending */
    bool leads;          /* campaign() is followed by LEADER */
    uint64_t max_entry;
    uint64_t snap_chunk;

    /* The log. */
    struct fake_entry {
        uint32_t epoch;
        uint64_t n;
        char *bytes; /* owned */
    } log[FAKE_ENTRIES_MAX];
    uint64_t start;
    uint64_t end;
    uint32_t epoch;
    mrt_snap_id stored_id;
    uint8_t *stored; /* owned; NULL: no snapshot */

    /* The handle. */
    const mrt_coord_events *events;
    void *ctx;
    uint64_t delivered;
    uint64_t credit;
    uint64_t most_credit; /* ever granted and unused */
    bool open;
    bool reading; /* a snapshot was handed over and not ended */
    bool leader_due;
    bool lost_due;
    uint64_t read_at;
    mrt_op *in_flight;
    uint64_t *in_flight_offset;
    const mrt_str *held; /* borrowed until the completion, the struct, too */
    uint32_t held_epoch;
    mrt_task pump;
    bool pumping;
    bool putting;
    mrt_snap_id put_id;
    uint8_t *put; /* owned */
    uint64_t put_at;
    mrt_status put_error;
    uint32_t adopted;
    uint32_t resigned;
};

extern const mrt_coordination_ops fake_ops;

void fake_init(struct fake *fake);
void fake_fini(struct fake *fake);

/* Ends the held append: in the log or not, with @status. */
void fake_release(struct fake *fake, bool commit, mrt_status status);

/* The epoch ends without an append; leads again if it may. */
void fake_depose(struct fake *fake);

/* Goes on with what is due, later. */
void fake_go(struct fake *fake);

#endif /* TESTS_UNIT_CONTROLLER_FAKE_H */
