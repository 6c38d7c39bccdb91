/* SPDX-License-Identifier: Apache-2.0 */
/*
 * waiters.c - waking those who wait for a change of the line, one note per interested reactor.
 *
 * No wakeup is lost: log_watch() sets the reactor's bit, then its caller reads the line; the strand
 * writes the line, then reads the bits. Both are read-modify-writes of one word, so one of them
 * comes first: either the strand sees the bit, or the caller sees the line.
 */
#include "core/log/internal.h"

static void on_note(mrt_task *task)
{
    struct log_slot *slot = CONTAINER(task, struct log_slot, note);
    struct log *log = slot->log;

    /* First: a change from here on posts again. */
    __atomic_store_n(&slot->posted, 0, __ATOMIC_SEQ_CST);
    ASSERT(list_empty(&slot->walking));
    for (struct list *at; (at = list_take(&slot->waiters)) != NULL;)
        list_append(&slot->walking, at);
    for (struct list *at; (at = list_take(&slot->walking)) != NULL;) {
        struct log_waiter *waiter = CONTAINER(at, struct log_waiter, link);
        list_append(&slot->waiters, at);
        waiter->wake(waiter); /* may unwatch any of them, and watch */
    }
    log_unref(log);
}

static struct log_slot *slot_of(struct log *log, uint32_t reactor)
{
    ASSERT(reactor < runtime_reactors(log->runtime));
    return __atomic_load_n(&log->slots[reactor], __ATOMIC_ACQUIRE);
}

static struct log_slot *slot_new(struct log *log, mrt_exec *reactor, uint32_t index)
{
    struct log_slot *slot = memory_new(sizeof *slot);
    slot->log = log;
    slot->reactor = reactor;
    slot->index = index;
    slot->note.run = on_note;
    list_init(&slot->waiters);
    list_init(&slot->walking);
    __atomic_store_n(&log->slots[index], slot, __ATOMIC_RELEASE);
    return slot;
}

void log_watch(struct log *log, struct log_waiter *waiter)
{
    mrt_exec *reactor = runtime_current(log->runtime);
    ASSERT(reactor != NULL);
    ASSERT(!list_linked(&waiter->link));
    uint32_t index = reactor_index(reactor);
    struct log_slot *slot = slot_of(log, index);

    if (slot == NULL)
        slot = slot_new(log, reactor, index);
    list_append(&slot->waiters, &waiter->link);
    __atomic_fetch_or(&log->interested, UINT64_C(1) << index, __ATOMIC_SEQ_CST);
}

void log_unwatch(struct log *log, struct log_waiter *waiter)
{
    mrt_exec *reactor = runtime_current(log->runtime);
    ASSERT(reactor != NULL);
    struct log_slot *slot = slot_of(log, reactor_index(reactor));
    ASSERT(slot != NULL);

    list_remove(&waiter->link);
    if (list_empty(&slot->waiters) && list_empty(&slot->walking))
        __atomic_fetch_and(&log->interested, ~(UINT64_C(1) << slot->index), __ATOMIC_SEQ_CST);
}

void waiters_wake(struct log *log)
{
    uint64_t interested = __atomic_fetch_or(&log->interested, 0, __ATOMIC_SEQ_CST);

    while (interested != 0) {
        uint32_t index = (uint32_t)__builtin_ctzll(interested);
        interested &= interested - 1;
        struct log_slot *slot = slot_of(log, index);
        ASSERT(slot != NULL);
        if (__atomic_exchange_n(&slot->posted, 1, __ATOMIC_SEQ_CST) == 1)
            continue;
        log_ref(log);
        exec_post(slot->reactor, &slot->note);
    }
}

void waiters_free(struct log *log)
{
    for (uint32_t i = 0; i < runtime_reactors(log->runtime); i++) {
        struct log_slot *slot = slot_of(log, i);
        if (slot == NULL)
            continue;
        ASSERT(list_empty(&slot->waiters));
        memory_free(slot);
    }
}
