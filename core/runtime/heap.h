/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heap.h - the timers of one executor, earliest first: a pairing heap whose nodes lie in the
 * timers, so that setting one cannot fail. Timers due at the same time come in the order they were
 * set.
 */
#ifndef CORE_RUNTIME_HEAP_H
#define CORE_RUNTIME_HEAP_H

#include <stdbool.h>

#include <mortise/host.h>

/* Lies in mrt_timer.host. A zeroed one is not set. */
struct __attribute__((__may_alias__)) heap_node {
    uint64_t at_ns;
    uint64_t order; /* of being set; not 0 while set */
    struct heap_node *child;
    struct heap_node *next;     /* sibling to the right */
    struct heap_node *previous; /* sibling to the left, or the parent of a first child */
    struct heap *heap;          /* NULL: not set */
};

struct heap {
    struct heap_node *root;
    uint64_t order; /* given out last */
};

/* @timer as a node; for asking whether and when it is set. */
static inline struct heap_node *heap_node(mrt_timer *timer)
{
    return (struct heap_node *)(void *)timer->host;
}

/* Adds @timer, or moves it if it is in @heap already. */
void heap_set(struct heap *heap, mrt_timer *timer, uint64_t at_ns);

/* Takes @timer out; nothing happens if it is not set. */
void heap_remove(struct heap *heap, mrt_timer *timer);

/* Takes out the first timer that is due at @now_ns and was set before @order was given out; NULL if
 * the first is not. */
mrt_timer *heap_take(struct heap *heap, uint64_t now_ns, uint64_t order);

/* When the first is due; UINT64_MAX if there is none. */
uint64_t heap_due_ns(const struct heap *heap);

#endif /* CORE_RUNTIME_HEAP_H */
