/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/node.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/base/memory.h"
#include "core/base/str.h"

struct source *source_new(const char *name, const char *text, uint64_t size)
{
    ASSERT(name != NULL);
    ASSERT(text != NULL || size == 0);
    struct source *source = memory_new(sizeof *source);
    mrt_str name_str = str_of(name);
    mrt_str text_str = {text, size};
    source->name = str_copy(&name_str);
    source->text = str_copy(&text_str);
    source->size = size;
    return source;
}

void source_free(struct source *source)
{
    if (source == NULL)
        return;
    ASSERT(!list_linked(&source->link));
    memory_free(source->name);
    memory_free(source->text);
    memory_free(source);
}

struct node *node_new(enum node_type type, const char *name)
{
    struct node *node = memory_new(sizeof *node);
    node->type = type;
    list_init(&node->children);
    if (name != NULL) {
        mrt_str str = str_of(name);
        node->name = str_copy(&str);
    }
    return node;
}

/* Depth is bounded: the guard refuses more than GUARD_DEPTH_MAX levels, -o has as few. */
void node_free(struct node *node)
{
    if (node == NULL)
        return;
    ASSERT(!list_linked(&node->link));
    struct list *at;
    while ((at = list_take(&node->children)) != NULL)
        node_free(CONTAINER(at, struct node, link));
    memory_free(node->name);
    memory_free(node->text);
    memory_free(node);
}

void node_set_text(struct node *node, const char *text, uint64_t size)
{
    ASSERT(node->type != NODE_GROUP);
    ASSERT(node->type != NODE_LIST);
    mrt_str str = {text, size};
    memory_free(node->text);
    node->text = str_copy(&str);
}

void node_append(struct node *parent, struct node *child)
{
    ASSERT(parent->type == NODE_GROUP || parent->type == NODE_LIST);
    ASSERT(!list_linked(&child->link));
    ASSERT((parent->type == NODE_GROUP) == (child->name != NULL));
    list_append(&parent->children, &child->link);
    parent->child_count++;
}

struct node *node_find(const struct node *group, const mrt_str *name)
{
    ASSERT(group->type == NODE_GROUP);
    node_each (child, group)
        if (str_is(name, child->name))
            return child;
    return NULL;
}

struct node *node_find_text(const struct node *group, const char *name)
{
    mrt_str str = str_of(name);
    return node_find(group, &str);
}

void node_rename(struct node *node, const mrt_str *name)
{
    ASSERT(!list_linked(&node->link));
    ASSERT(name->n > 0);
    memory_free(node->name);
    node->name = str_copy(name);
}

void node_take(struct node *parent, struct node *node)
{
    ASSERT(list_linked(&node->link));
    ASSERT(parent->child_count > 0);
    list_remove(&node->link);
    parent->child_count--;
}

void node_remove(struct node *parent, struct node *node)
{
    node_take(parent, node);
    node_free(node);
}

void node_merge(struct node *into, struct node *from)
{
    ASSERT(into->type == NODE_GROUP);
    ASSERT(from->type == NODE_GROUP);
    ASSERT(into != from);
    struct node *child;
    while ((child = node_first(from)) != NULL) {
        node_take(from, child);
        struct node *old = node_find_text(into, child->name);
        if (old != NULL && old->type == NODE_GROUP && child->type == NODE_GROUP) {
            node_merge(old, child);
            continue;
        }
        if (old != NULL)
            node_remove(into, old);
        node_append(into, child);
    }
    node_free(from);
}
