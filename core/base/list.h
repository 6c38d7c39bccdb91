/* SPDX-License-Identifier: Apache-2.0 */
/*
 * list.h - an intrusive doubly linked list: the node lies in the thing that is listed.
 */
#ifndef CORE_BASE_LIST_H
#define CORE_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

/* Also the list itself: an empty list points at itself. A zeroed node is in no list. */
struct list {
    struct list *next;
    struct list *previous;
};

#define CONTAINER(pointer, type, member)                                                           \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

static inline void list_init(struct list *list)
{
    list->next = list->previous = list;
}

static inline bool list_empty(const struct list *list)
{
    return list->next == list;
}

static inline bool list_linked(const struct list *node)
{
    return node->next != NULL;
}

static inline void list_insert(struct list *before, struct list *node)
{
    node->previous = before->previous;
    node->next = before;
    before->previous->next = node;
    before->previous = node;
}

static inline void list_append(struct list *list, struct list *node)
{
    list_insert(list, node);
}

/* @node is in no list afterwards; nothing happens if it was in none. */
static inline void list_remove(struct list *node)
{
    if (!list_linked(node))
        return;
    node->previous->next = node->next;
    node->next->previous = node->previous;
    node->next = node->previous = NULL;
}

/* Takes the first node out; NULL if there is none. */
static inline struct list *list_take(struct list *list)
{
    if (list_empty(list))
        return NULL;
    struct list *node = list->next;
    list_remove(node);
    return node;
}

#define list_each(node, head)                                                                      \
    for (struct list *node = (head)->next; node != (head); node = node->next)

/* @node may be removed inside. */
#define list_each_safe(node, head)                                                                 \
    for (struct list *node = (head)->next, *node##_next = node->next; node != (head);              \
         node = node##_next, node##_next = node->next)

#endif /* CORE_BASE_LIST_H */
