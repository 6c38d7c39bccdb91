/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link.h - intrusive rings: what a shard owns hangs in one of them, so that stopping finds it.
 */
#ifndef PLUGINS_TRANSPORT_TCP_LINK_H
#define PLUGINS_TRANSPORT_TCP_LINK_H

#include <stddef.h>

/* A ring's head or a member; a member of no ring points at itself. */
struct link {
    struct link *previous, *next;
};

#define LINK_OWNER(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

static inline void link_init(struct link *link)
{
    link->previous = link->next = link;
}

static inline int link_empty(const struct link *head)
{
    return head->next == head;
}

static inline void link_add(struct link *head, struct link *link)
{
    link->previous = head->previous;
    link->next = head;
    head->previous->next = link;
    head->previous = link;
}

/* Leaves its ring; nothing if it is in none. */
static inline void link_drop(struct link *link)
{
    link->previous->next = link->next;
    link->next->previous = link->previous;
    link_init(link);
}

#endif /* PLUGINS_TRANSPORT_TCP_LINK_H */
