/* SPDX-License-Identifier: Apache-2.0 */
/*
 * play.h - a simulated run with a bit of everything: two nodes, whose strands and reactors pass
 * balls around, each ball stopping to write a file, to wait for a timer or for a worker. What a
 * strand's rules promise is checked on the way.
 */
#ifndef TESTS_UNIT_RUNTIME_PLAY_H
#define TESTS_UNIT_RUNTIME_PLAY_H

#include <stdbool.h>
#include <stdint.h>

struct play_result {
    uint64_t hash;
    uint64_t steps;
    uint64_t hops;       /* of all balls */
    uint64_t pending;    /* file calls that ended by a completion */
    uint64_t inline_end; /* and those that did not */
    uint64_t moved;      /* entries of a strand by another reactor than the last */
    uint32_t wrong;      /* broken rules */
};

struct play_result play(uint64_t seed, bool calm);

#endif /* TESTS_UNIT_RUNTIME_PLAY_H */
