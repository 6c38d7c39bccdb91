/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state.h - inside core/controller: the controller and its parts, all on its executor.
 *
 *               open()             ops->open
 *      CLOSED ---------> OPENING ------------> OPEN ---close()---> CLOSING ---> CLOSED
 *
 *   while OPEN   following --role(LEADER)--> taking over --ControllerActive applied--> active
 *                    ^------- role(other), an append that ends the epoch, failure --------'
 */
#ifndef CORE_CONTROLLER_STATE_H
#define CORE_CONTROLLER_STATE_H

#include "core/cluster/entry.h"
#include "core/controller/controller.h"

#define CREDIT_MIN        (1024 * 1024) /* bytes of entries under way to us, at least one entry */
#define ENTRY_MAX_LEAST   (256 * 1024)  /* bytes; what every plugin takes */
#define SNAPSHOT_MAX      (UINT64_C(1) << 30)  /* bytes; a million partitions are 11 MB */
#define TAKE_OVER_WAIT_NS UINT64_C(1000000000) /* before the next attempt when the disk was full */

enum controller_phase {
    CONTROLLER_CLOSED,
    CONTROLLER_OPENING,
    CONTROLLER_OPEN,
    CONTROLLER_CLOSING
};

enum writer_step {
    WRITER_IDLE,
    WRITER_ENCODE,
    WRITER_BEGIN,
    WRITER_PUT,
    WRITER_COMMIT,
    WRITER_TRIM
};

/* Stores a snapshot: encoded by a worker from an image that does not change, then put in pieces. */
struct snapshot_writer {
    enum writer_step step;
    struct controller *controller;
    mrt_op op;
    mrt_work work;
    struct image *image; /* owned while busy */
    uint8_t *bytes;      /* owned while busy */
    uint64_t size;
    uint64_t at; /* put so far */
    mrt_snap_id id;
    mrt_snapshot *handle;
    mrt_str piece;
    mrt_status fault; /* why it is given up; MRT_OK: it is not */
    uint64_t wanted;  /* the plugin asked for one that covers this offset; 0: it did not */
    uint64_t covered; /* end of the last one stored */
    uint64_t bytes_since;
};

/* Reads a snapshot the plugin gave instead of entries. */
struct snapshot_reader {
    struct controller *controller;
    mrt_op op;
    mrt_snapshot *handle; /* NULL: idle */
    mrt_snap_id id;
    uint8_t *bytes; /* owned while busy */
    uint64_t at;
    uint64_t got;
};

struct controller {
    struct controller_options options;
    mrt_coord_spec spec;
    mrt_coord *coord;
    mrt_coord_stat stat; /* as of open: limits and generation */
    struct image *image; /* owned; the committed state */
    enum controller_phase phase;
    bool failed;

    /* Leadership. */
    bool leading;
    bool active;    /* our ControllerActive entry was applied */
    uint32_t epoch; /* the last one we led in */
    mrt_timer retry;
    struct random random; /* of this epoch */

    /* Requests, and the one entry in flight. */
    struct list queue;
    struct list batch; /* answered by the entry in flight */
    struct entry entry;
    mrt_str bytes; /* of @entry, borrowed by the plugin while it has them */
    mrt_op append;
    bool appending;   /* the plugin has it */
    bool committed;   /* the plugin reported it, entries() did not bring it yet */
    bool taking_over; /* it is the ControllerActive entry */
    uint32_t append_epoch;
    uint64_t append_offset;
    struct controller_request *split; /* head of the queue whose first part is in the entry */
    mrt_task pump;
    bool pumping; /* @pump is posted */

    struct snapshot_writer writer;
    struct snapshot_reader reader;

    mrt_op step; /* of open, resign and close */
    mrt_op *opener;
    mrt_op *closer;
    bool calling; /* @step is in flight while closing */
    enum {
        CLOSE_RESIGN,
        CLOSE_LOG,
        CLOSE_DONE
    } closing; /* what comes next */
};

/* Takes @next (owned) for the state from now on and tells the observer. */
void controller_publish(
    struct controller *controller, struct image *next, const struct image_changes *changes);

/* The plugin or the log cannot be trusted any more: nothing is written or answered from here on. */
void controller_fail(struct controller *controller, const mrt_error *why);

/* Ends all waiting requests. */
void controller_drop(struct controller *controller, mrt_status status);

/* Goes on with closing when something ended. */
void controller_close_step(struct controller *controller);

/* ---- log.c ----------------------------------------------------------------------------------- */

extern const mrt_coord_events controller_events;

/* Answers the requests of the entry that was in flight. */
void controller_end_batch(struct controller *controller, mrt_status status);

/* Writes what waits in the queue, if that is possible now. */
void controller_pump(mrt_task *task);

/* ---- snapshot.c ------------------------------------------------------------------------------ */

/* Stores a snapshot if one is due and none is being stored. */
void snapshot_consider(struct controller *controller);
bool snapshot_idle(const struct controller *controller);

/* Reads @snapshot; the events' slot. */
void snapshot_receive(void *context, const mrt_snap_id *id, mrt_snapshot *snapshot);

#endif /* CORE_CONTROLLER_STATE_H */
