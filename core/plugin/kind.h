/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind.h - the kinds of plugin this core knows, and every slot of their tables: which must be
 * filled, which go with a capability, and what stands in for one that is empty.
 */
#ifndef CORE_PLUGIN_KIND_H
#define CORE_PLUGIN_KIND_H

#include <mortise/plugin.h>

/* Any function; called only through the type of its slot. */
typedef void slot_fn(void);

#define SLOT_OPTIONAL UINT32_MAX /* in @caps */

/* @caps is 0 for a mandatory slot, SLOT_OPTIONAL, or the capability without which the slot may be
 * NULL. @fallback is what the core calls then; NULL for mandatory slots. */
struct slot_rule {
    const char *name;
    uint32_t offset;
    uint32_t caps;
    const char *cap_name;
    slot_fn *fallback;
};

struct kind {
    const char *id;   /* "mortise.storage/1" */
    const char *name; /* "storage" */
    uint32_t draft;   /* 1: only with the exact build id */
    uint32_t ops_bytes;
    uint32_t caps; /* all capability bits that mean something */
    const struct slot_rule *slots;
    uint32_t n_slots;
};

/* The kind with that id, or NULL. */
const struct kind *kind_find(const char *id);

/* Kind @i, NULL at the end; in the order of listings. */
const struct kind *kind_at(uint32_t i);

/* The slots of mrt_lifecycle, as a kind without capabilities. */
const struct kind *lifecycle_kind(void);

#endif /* CORE_PLUGIN_KIND_H */
