/* SPDX-License-Identifier: Apache-2.0 */
/*
 * budget.h - accounts of bytes: connection -> principal -> process. Taking charges the whole chain
 * or nothing. A tenth of a parent is kept for privileged takers, so that replication and
 * administration live on when clients have spent the rest.
 */
#ifndef CORE_RUNTIME_BUDGET_H
#define CORE_RUNTIME_BUDGET_H

#include <stdbool.h>

#include <mortise/abi.h>

enum account_kind {
    ACCOUNT_RX,
    ACCOUNT_PARKED,
    ACCOUNT_TX,
    ACCOUNT_CACHE,
    ACCOUNT_KINDS
};

/* Zero @limit: no limit of its own. Any thread.
 * Embedded by its owner, who outlives its children. */
struct budget {
    struct budget *parent; /* borrowed; NULL for the process */
    uint64_t limit[ACCOUNT_KINDS];
    uint64_t used[ACCOUNT_KINDS]; /* atomic */
    uint32_t privileged;
};

/* False, and nothing charged, when an account of the chain would go over its limit. */
bool budget_take(struct budget *budget, enum account_kind kind, uint64_t bytes);
void budget_give(struct budget *budget, enum account_kind kind, uint64_t bytes);
uint64_t budget_used(const struct budget *budget, enum account_kind kind);

#endif /* CORE_RUNTIME_BUDGET_H */
