/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check.c - is what lies in the directory a log? What a power cut explains is repaired by open.c;
 * everything else is refused with the file, the place and the remedy.
 */
#include <string.h>

#include "plugins/coordination/raft/raft.h"

#define NUMBER(x) ((unsigned long long)(x))

static const char *too_new = "written by a newer release: start that one";

static mrt_status damaged(struct mrt_coord *coord, uint64_t position, const char *what)
{
    const struct raft_segment *segment = &coord->segments[coord->at_segment];
    return raft_error(
        &coord->why, MRT_ECORRUPT, "%.*s/%020llu.wal, byte %llu: %s; put the file back from a copy",
        (int)coord->store->dir_n, coord->store->dir, NUMBER(segment->first), NUMBER(position),
        what);
}

static int is_last(const struct mrt_coord *coord)
{
    return coord->at_segment + 1 == coord->n_segments;
}

/* Where reading of the segment with @header begins; it must follow the one before. */
static mrt_status follow(
    struct mrt_coord *coord, const struct raft_header *header, struct raft_cursor *out)
{
    uint64_t first = coord->segments[coord->at_segment].first;
    if (memcmp(header->generation, coord->vote.generation, WAL_GENERATION) != 0)
        return damaged(coord, 8, "it belongs to another log");
    if (header->node != coord->vote.node)
        return damaged(coord, 24, "it belongs to another node");
    if (header->first != first)
        return damaged(coord, 32, "its name is not that of its first entry");
    *out = (struct raft_cursor){WAL_HEADER, first, 0, header->sum};
    if (coord->at_segment == 0)
        return MRT_OK;
    if (first != coord->tail.offset || header->sum != coord->tail.sum)
        return damaged(coord, 28, "it does not follow the file before it, or one is missing");
    out->epoch = coord->tail.epoch;
    return MRT_OK;
}

static mrt_status read_header(struct mrt_coord *coord, struct raft_header *header)
{
    const struct raft_load *load = &coord->load;
    mrt_status status =
        load->got < WAL_HEADER ? MRT_ECORRUPT : raft_header_get(load->bytes, header);
    if (status == MRT_ETOONEW)
        return raft_error(
            &coord->why, MRT_ETOONEW, "%.*s/%020llu.wal: %s", (int)coord->store->dir_n,
            coord->store->dir, NUMBER(coord->segments[coord->at_segment].first), too_new);
    if (status == MRT_OK)
        return MRT_OK;
    /* The header is durable before the first record is written. */
    if (is_last(coord) && load->got <= WAL_HEADER) {
        coord->torn = RAFT_TORN_HEADER;
        return MRT_OK;
    }
    return damaged(coord, 0, "its header is damaged");
}

mrt_status raft_check_segment(struct mrt_coord *coord)
{
    const struct raft_load *load = &coord->load;
    struct raft_segment *segment = &coord->segments[coord->at_segment];
    struct raft_header header;
    struct raft_cursor cursor;
    struct raft_record record;

    mrt_status status = read_header(coord, &header);
    if (status != MRT_OK || coord->torn == RAFT_TORN_HEADER)
        return status;
    status = follow(coord, &header, &cursor);
    while (status == MRT_OK)
        status = raft_record_next(load->bytes, load->got, &cursor, &record);
    if (status == MRT_ECORRUPT && coord->why.status == MRT_OK) {
        if (!is_last(coord) || !raft_record_torn(load->bytes, load->got, &cursor))
            return damaged(
                coord, cursor.position,
                "a record is damaged, and what was written after it is intact");
        coord->torn = RAFT_TORN_TAIL;
    } else if (status == MRT_ETOONEW) {
        return raft_error(
            &coord->why, MRT_ETOONEW, "%.*s: %s", (int)coord->store->dir_n, coord->store->dir,
            too_new);
    } else if (status != MRT_ENOENT) {
        return status;
    }
    if (cursor.epoch > coord->vote.epoch)
        return damaged(coord, cursor.position, "its epoch is newer than that of the vote file");
    segment->end = cursor.offset;
    segment->bytes = cursor.position;
    coord->tail = cursor;
    return MRT_OK;
}

mrt_status raft_check_whole(struct mrt_coord *coord)
{
    uint64_t start = coord->n_segments > 0 ? coord->segments[0].first : coord->snapshot.end;
    uint64_t end = coord->n_segments > 0 ? coord->tail.offset : coord->snapshot.end;
    int dir_n = (int)coord->store->dir_n;
    const char *dir = coord->store->dir;

    if (start > coord->snapshot.end)
        return raft_error(
            &coord->why, MRT_ECORRUPT,
            "%.*s: the log begins at entry %llu and no snapshot has what was before; put the "
            "missing files back from a copy",
            dir_n, dir, NUMBER(start));
    uint64_t known =
        coord->vote.committed > coord->snapshot.end ? coord->vote.committed : coord->snapshot.end;
    if (known > end)
        return raft_error(
            &coord->why, MRT_ECORRUPT,
            "%.*s: the log ends at entry %llu, but entries up to %llu were stored; put the damaged "
            "or missing files back from a copy",
            dir_n, dir, NUMBER(end), NUMBER(known));
    if (coord->have > end)
        return raft_error(
            &coord->why, MRT_ERANGE, "%.*s: the log ends at entry %llu, less than the broker has",
            dir_n, dir, NUMBER(end));
    return MRT_OK;
}
