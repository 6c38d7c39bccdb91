/* SPDX-License-Identifier: Apache-2.0 */
/*
 * epochs.h - which leader epoch wrote which offsets (KIP-101). Pure state.
 *
 *   E1  Epochs and start offsets both rise strictly from entry to entry.
 *   E2  An entry's range ends where the next begins, the last one's at the log's end.
 *
 * As bytes it is Kafka's leader-epoch-checkpoint: lines "0", the number of entries, and for each
 * "epoch start".
 */
#ifndef CORE_LOG_EPOCHS_H
#define CORE_LOG_EPOCHS_H

#include <stdbool.h>

#include "core/base/error.h"

/* Elections one log can remember; retention removes old ones long before. */
#define EPOCHS_MAX 65536

struct epoch_entry {
    int32_t epoch;
    int64_t start;
};

struct epochs {
    struct epoch_entry *entries; /* owned */
    uint32_t count;
    uint32_t capacity;
    bool dirty; /* changed since it was last written */
};

void epochs_fini(struct epochs *epochs);

/* @epoch begins at @start. Nothing happens unless it is newer than the last one; entries that begin
 * at or after @start held no records and go. */
void epochs_note(struct epochs *epochs, int32_t epoch, int64_t start);

/* The newest epoch, -1 if there is none. */
int32_t epochs_latest(const struct epochs *epochs);

/* The epoch @offset was written in, -1 if not known. */
int32_t epochs_at(const struct epochs *epochs, int64_t offset);

/* The greatest epoch <= @epoch and where it ends, -1 and -1 if not known; an epoch older than all
 * is said to end where they begin. */
void epochs_end(
    const struct epochs *epochs, int32_t epoch, int64_t log_end, int32_t *found, int64_t *end);

/* The log now begins at @start: entries before it go, the one that holds it begins there. */
void epochs_trim_head(struct epochs *epochs, int64_t start);

/* The log now ends at @end: entries that begin there or behind it go, they hold no records. */
void epochs_trim_tail(struct epochs *epochs, int64_t end);

/* Bytes that epochs_encode() writes at most. */
uint64_t epochs_size(const struct epochs *epochs);
uint64_t epochs_encode(const struct epochs *epochs, char *out);

/* Replaces all entries. MRT_ECORRUPT, and nothing changed. */
MUST_CHECK mrt_status epochs_decode(struct epochs *epochs, const char *text, uint64_t size);

#endif /* CORE_LOG_EPOCHS_H */
