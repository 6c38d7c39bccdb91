/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xoshiro256** (Blackman and Vigna, 2018), seeded by splitmix64 from the runtime's seed and an
 * FNV-1a hash of the purpose. One stream per purpose: a new use does not shift the numbers of the
 * others.
 */
#include "core/base/assert.h"
#include "core/runtime/reactor.h"

static uint64_t splitmix(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

void random_init(struct random *random, uint64_t seed, const char *purpose)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (const char *c = purpose; *c != '\0'; c++)
        hash = (hash ^ (uint8_t)*c) * UINT64_C(0x100000001b3);
    uint64_t state = seed ^ hash;
    for (uint32_t i = 0; i < 4; i++)
        random->state[i] = splitmix(&state);
    ASSERT((random->state[0] | random->state[1] | random->state[2] | random->state[3]) != 0);
}

void runtime_random(const struct runtime *runtime, const char *purpose, struct random *out)
{
    random_init(out, runtime->seed, purpose);
}

static uint64_t rotate(uint64_t x, uint32_t by)
{
    return x << by | x >> (64 - by);
}

uint64_t random_next(struct random *random)
{
    uint64_t *s = random->state;
    uint64_t result = rotate(s[1] * 5, 7) * 9;
    uint64_t shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate(s[3], 45);
    return result;
}

void runtime_secret(struct runtime *runtime, void *out, uint64_t n)
{
    ASSERT(out != NULL || n == 0);
    runtime->env->ops->secret(runtime->env, out, n);
}
