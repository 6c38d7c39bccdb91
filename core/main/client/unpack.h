/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unpack.h - the record bytes of a fetch as single records: checked, inflated, and without what is
 * not for people (control batches, records before the one asked for).
 */
#ifndef CORE_MAIN_CLIENT_UNPACK_H
#define CORE_MAIN_CLIENT_UNPACK_H

#include "core/main/client/engines.h"
#include "core/record/record.h"

/* Where records go. False: no more of them. */
struct sink {
    bool (*take)(void *context, const struct record *record);
    void *context;
};

/*
 * Gives @sink the records of @bytes from *@next on, and moves *@next behind what it took. A last
 * batch that is cut off is left for the next fetch. MRT_ECANCELED: the sink said so.
 */
MUST_CHECK mrt_status unpack(
    struct engines *engines, const mrt_str *bytes, int64_t *next, const struct sink *sink,
    mrt_error *error);

#endif /* CORE_MAIN_CLIENT_UNPACK_H */
