/* SPDX-License-Identifier: Apache-2.0 */
#include "core/runtime/queue.h"

#include "core/base/assert.h"

uint32_t queue_take(struct queue *queue, struct node *mark, struct fifo *fifo)
{
    ASSERT(mark == QUEUE_FREE || mark == QUEUE_HELD);
    struct node *newest = __atomic_exchange_n(&queue->head, mark, __ATOMIC_SEQ_CST);
    if (newest == QUEUE_FREE || newest == QUEUE_HELD)
        return 0;

    struct node *oldest = NULL;
    uint32_t count = 0;
    for (struct node *node = newest; node != NULL; count++) {
        ASSERT(node->state == NODE_QUEUED);
        struct node *older = node->next;
        node->next = oldest;
        oldest = node;
        node = older;
    }
    if (fifo->first == NULL)
        fifo->first = oldest;
    else
        fifo->last->next = oldest;
    fifo->last = newest;
    return count;
}
