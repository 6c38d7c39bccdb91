/* SPDX-License-Identifier: Apache-2.0 */
#include "core/runtime/heap.h"

#include "core/base/assert.h"
#include "core/base/list.h"

_Static_assert(
    sizeof(struct heap_node) <= sizeof(((mrt_timer *)0)->host), "a timer holds its heap node");

static bool comes_before(const struct heap_node *a, const struct heap_node *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

/* Joins two heaps; either may be NULL. Roots have neither next nor previous. */
static struct heap_node *meld(struct heap_node *a, struct heap_node *b)
{
    if (a == NULL || b == NULL)
        return a == NULL ? b : a;
    ASSERT(a != b);
    if (comes_before(b, a)) {
        struct heap_node *swap = a;
        a = b;
        b = swap;
    }
    b->next = a->child;
    if (b->next != NULL)
        b->next->previous = b;
    b->previous = a;
    a->child = b;
    return a;
}

/* Joins the siblings from @first on: in pairs from the left, then the pairs from the right, which
 * is what makes taking logarithmic on average. Without recursion: chains can be long. */
static struct heap_node *meld_siblings(struct heap_node *first)
{
    struct heap_node *pairs = NULL;
    while (first != NULL) {
        struct heap_node *a = first;
        struct heap_node *b = a->next;
        first = b == NULL ? NULL : b->next;
        a->next = a->previous = NULL;
        if (b != NULL)
            b->next = b->previous = NULL;
        struct heap_node *pair = meld(a, b);
        pair->next = pairs;
        pairs = pair;
    }
    struct heap_node *root = NULL;
    while (pairs != NULL) {
        struct heap_node *pair = pairs;
        pairs = pair->next;
        pair->next = NULL;
        root = meld(root, pair);
    }
    return root;
}

static void take_out(struct heap *heap, struct heap_node *node)
{
    ASSERT(node->heap == heap);
    struct heap_node *children = meld_siblings(node->child);
    node->child = NULL;
    if (node == heap->root) {
        heap->root = children;
    } else {
        ASSERT(node->previous != NULL);
        if (node->previous->child == node)
            node->previous->child = node->next;
        else
            node->previous->next = node->next;
        if (node->next != NULL)
            node->next->previous = node->previous;
        heap->root = meld(heap->root, children);
    }
    node->next = node->previous = NULL;
    node->heap = NULL;
}

void heap_set(struct heap *heap, mrt_timer *timer, uint64_t at_ns)
{
    struct heap_node *node = heap_node(timer);
    ASSERT(timer->fire != NULL);
    if (node->heap != NULL)
        take_out(heap, node);
    *node = (struct heap_node){.at_ns = at_ns, .order = ++heap->order, .heap = heap};
    heap->root = meld(heap->root, node);
}

void heap_remove(struct heap *heap, mrt_timer *timer)
{
    struct heap_node *node = heap_node(timer);
    if (node->heap != NULL)
        take_out(heap, node);
}

mrt_timer *heap_take(struct heap *heap, uint64_t now_ns, uint64_t order)
{
    struct heap_node *node = heap->root;
    if (node == NULL || node->at_ns > now_ns || node->order > order)
        return NULL;
    take_out(heap, node);
    return CONTAINER(node, mrt_timer, host);
}

uint64_t heap_due_ns(const struct heap *heap)
{
    return heap->root == NULL ? UINT64_MAX : heap->root->at_ns;
}
