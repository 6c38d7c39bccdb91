/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prints the hashes of a few simulated runs, one a line, for comparison between compilers, levels
 * of optimisation and sanitizers: `diff <(build/dev/tests/sim_trace)
 * <(build/clang/tests/sim_trace)`.
 */
#include <inttypes.h>
#include <stdio.h>

#include "tests/unit/runtime/play.h"

int main(void)
{
    uint32_t wrong = 0;
    for (uint64_t seed = 1; seed <= 8; seed++) {
        struct play_result result = play(seed, false);
        printf(
            "seed=%" PRIu64 " hash=%016" PRIx64 " steps=%" PRIu64 "\n", seed, result.hash,
            result.steps);
        wrong += result.wrong;
    }
    return wrong == 0 ? 0 : 1;
}
