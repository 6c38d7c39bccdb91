/* SPDX-License-Identifier: Apache-2.0 */
#include "core/runtime/budget.h"

#include "core/base/assert.h"

/* What a taker may fill of @account: of its own all, of a parent nine tenths unless privileged. */
static uint64_t share(const struct budget *account, enum account_kind kind, bool whole)
{
    uint64_t limit = account->limit[kind];
    if (limit == 0)
        return UINT64_MAX;
    return whole ? limit : limit - limit / 10;
}

static bool charge(struct budget *account, enum account_kind kind, uint64_t bytes, uint64_t most)
{
    uint64_t used = __atomic_load_n(&account->used[kind], __ATOMIC_RELAXED);
    do {
        if (bytes > most || used > most - bytes)
            return false;
    } while (!__atomic_compare_exchange_n(
        &account->used[kind], &used, used + bytes, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    return true;
}

static void discharge(struct budget *account, enum account_kind kind, uint64_t bytes)
{
    uint64_t before = __atomic_fetch_sub(&account->used[kind], bytes, __ATOMIC_RELAXED);
    ASSERT(before >= bytes); /* given back more than was taken */
}

bool budget_take(struct budget *budget, enum account_kind kind, uint64_t bytes)
{
    ASSERT(kind < ACCOUNT_KINDS);
    for (struct budget *account = budget; account != NULL; account = account->parent) {
        bool whole = account == budget || budget->privileged != 0;
        if (charge(account, kind, bytes, share(account, kind, whole)))
            continue;
        for (struct budget *taken = budget; taken != account; taken = taken->parent)
            discharge(taken, kind, bytes);
        return false;
    }
    return true;
}

void budget_give(struct budget *budget, enum account_kind kind, uint64_t bytes)
{
    ASSERT(kind < ACCOUNT_KINDS);
    for (struct budget *account = budget; account != NULL; account = account->parent)
        discharge(account, kind, bytes);
}

uint64_t budget_used(const struct budget *budget, enum account_kind kind)
{
    ASSERT(kind < ACCOUNT_KINDS);
    return __atomic_load_n(&budget->used[kind], __ATOMIC_RELAXED);
}
