/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node.h - the tree that configuration files and -o become, and how trees are merged.
 *
 * Knows nothing of settings: which names exist and what they mean is the schema's.
 *
 *   N1  Only groups have children with names; in one group no name occurs twice.
 *   N2  Children are in the order of the text they came from; what a merge adds comes last.
 *   N3  Every scalar has a text; numbers are in decimal whatever they were written in.
 *   N4  A place points into a source that outlives the tree.
 */
#ifndef CORE_CONFIG_NODE_H
#define CORE_CONFIG_NODE_H

#include <stdbool.h>
#include <stdint.h>

#include <mortise/abi.h>

#include "core/base/list.h"

/* One file, or one -o: what reports take their excerpts from. */
struct source {
    struct list link;
    char *name; /* owned; the path, or "-o" */
    char *text; /* owned; terminated */
    uint64_t size;
};

struct place {
    const struct source *source; /* NULL: nowhere, a default */
    uint32_t line;               /* from 1; 0: the source as a whole */
    uint32_t column;             /* from 1, in bytes */
};

enum node_type {
    NODE_GROUP,
    NODE_LIST,
    NODE_STRING,
    NODE_INTEGER,
    NODE_FLOAT,
    NODE_BOOL
};

struct node {
    struct list link; /* in the parent's children */
    struct list children;
    uint32_t child_count;
    enum node_type type;
    bool loose; /* a string from a command line: may stand for a value of any type */
    char *name; /* owned; NULL for the root and for elements of lists */
    char *text; /* owned; of a scalar, else NULL */
    struct place name_at;
    struct place value_at;
};

struct source *source_new(const char *name, const char *text, uint64_t size);
void source_free(struct source *source);

/* @name may be NULL; both are copied. */
struct node *node_new(enum node_type type, const char *name);
void node_free(struct node *node);

/* Sets the text of a scalar; copied. */
void node_set_text(struct node *node, const char *text, uint64_t size);

/* @child, which is in no tree, becomes the last of @parent. */
void node_append(struct node *parent, struct node *child);

/* The child of @group with that name, or NULL. */
struct node *node_find(const struct node *group, const mrt_str *name);
struct node *node_find_text(const struct node *group, const char *name);

/* Another name for a node that is in no tree; copied. */
void node_rename(struct node *node, const mrt_str *name);

/* Takes @node out of @parent; it is the caller's then. */
void node_take(struct node *parent, struct node *node);

/* Takes @node out of @parent and frees it. */
void node_remove(struct node *parent, struct node *node);

/* Moves all of the group @from, which is freed, into the group @into: groups merge, anything else
 * replaces what has its name. */
void node_merge(struct node *into, struct node *from);

#define node_each(child, parent)                                                                   \
    for (struct node *child = node_first(parent); child != NULL; child = node_next(parent, child))

static inline struct node *node_first(const struct node *parent)
{
    return list_empty(&parent->children) ? NULL
                                         : CONTAINER(parent->children.next, struct node, link);
}

static inline struct node *node_next(const struct node *parent, const struct node *child)
{
    return child->link.next == &parent->children ? NULL
                                                 : CONTAINER(child->link.next, struct node, link);
}

#endif /* CORE_CONFIG_NODE_H */
