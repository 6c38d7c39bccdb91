/* SPDX-License-Identifier: Apache-2.0 */
/*
 * queue.h - the queue of an executor: many threads push, its holder takes all at once.
 *
 *   Q1  The head is the queue's whole state: QUEUE_FREE nothing queued and nobody runs it,
 *       QUEUE_HELD nothing queued and somebody does, else the node pushed last.
 *   Q2  Who pushes onto QUEUE_FREE has to see to it that somebody runs the queue.
 *   Q3  Only the holder takes, and takes everything: so no node is ever compared after it was freed
 *       and pushed again.
 *   Q4  A push and what is read after it are sequentially consistent: see reactor_wait().
 */
#ifndef CORE_RUNTIME_QUEUE_H
#define CORE_RUNTIME_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reactor;

/* Lies in host[] of a task or an operation while that is queued. */
struct __attribute__((__may_alias__)) node {
    struct node *next;
    void (*run)(struct node *node, struct reactor *here);
    uint32_t sender;  /* id of the executor that posted it; 0: none */
    uint16_t reactor; /* index + 1 of the reactor whose turn posted it; 0: none */
    uint16_t state;   /* NODE_QUEUED while queued */
};

#define NODE_QUEUED 0x5155 /* unlikely in memory that nobody set */

#define QUEUE_FREE ((struct node *)0)
#define QUEUE_HELD ((struct node *)1)

struct queue {
    struct node *head; /* atomic; newest first */
};

/* Taken nodes, oldest first; the holder's. */
struct fifo {
    struct node *first;
    struct node *last;
};

/* What the head was before. */
static inline struct node *queue_push(struct queue *queue, struct node *node)
{
    struct node *head = __atomic_load_n(&queue->head, __ATOMIC_RELAXED);
    do {
        node->next = head == QUEUE_HELD ? NULL : head;
    } while (!__atomic_compare_exchange_n(
        &queue->head, &head, node, true, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
    return head;
}

static inline bool queue_is_empty(const struct queue *queue)
{
    struct node *head = __atomic_load_n(&queue->head, __ATOMIC_SEQ_CST);
    return head == QUEUE_FREE || head == QUEUE_HELD;
}

static inline void fifo_push(struct fifo *fifo, struct node *node)
{
    node->next = NULL;
    if (fifo->first == NULL)
        fifo->first = node;
    else
        fifo->last->next = node;
    fifo->last = node;
}

static inline struct node *fifo_take(struct fifo *fifo)
{
    struct node *node = fifo->first;
    if (node != NULL)
        fifo->first = node->next;
    return node;
}

/* Moves all that is queued to the end of @fifo and leaves @mark as the head. How many. */
uint32_t queue_take(struct queue *queue, struct node *mark, struct fifo *fifo);

#endif /* CORE_RUNTIME_QUEUE_H */
