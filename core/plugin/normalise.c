/* SPDX-License-Identifier: Apache-2.0 */
#include "core/plugin/normalise.h"

#include <stdbool.h>
#include <string.h>

#include "core/base/assert.h"

/* What every growable table begins with. */
struct table_head {
    uint32_t size;
    uint32_t caps;
};

static slot_fn *slot_get(const void *table, const struct slot_rule *rule)
{
    slot_fn *function = NULL;
    memcpy(&function, (const char *)table + rule->offset, sizeof function);
    return function;
}

static void slot_set(void *table, const struct slot_rule *rule, slot_fn *function)
{
    memcpy((char *)table + rule->offset, &function, sizeof function);
}

static mrt_status slot_fill(
    const struct kind *kind, const struct slot_rule *rule, uint32_t caps, void *table,
    const char *where, mrt_error *error)
{
    ASSERT(rule->offset + sizeof(slot_fn *) <= kind->ops_bytes);
    bool filled = slot_get(table, rule) != NULL;
    bool optional = rule->caps == SLOT_OPTIONAL;
    bool owed = rule->caps == 0 || (!optional && (caps & rule->caps) != 0);
    if (filled && (optional || owed))
        return MRT_OK;
    if (!filled && owed && rule->caps == 0)
        return error_set(
            error, MRT_EINVAL, "%s: slot %s.%s is NULL: it is mandatory, fill it", where,
            kind->name, rule->name);
    if (!filled && owed)
        return error_set(
            error, MRT_EINVAL, "%s: slot %s.%s is NULL: fill it, or take %s out of caps", where,
            kind->name, rule->name, rule->cap_name);
    ASSERT(rule->fallback != NULL);
    slot_set(table, rule, rule->fallback);
    return MRT_OK;
}

mrt_status table_normalise(
    const struct kind *kind, const void *table, uint32_t newer, void *out, const char *where,
    mrt_error *error)
{
    ASSERT(kind != NULL);
    ASSERT(out != NULL);
    struct table_head head;
    if (table == NULL)
        return error_set(
            error, MRT_EINVAL, "%s: its %s table is NULL: point at one", where, kind->name);
    memcpy(&head, table, sizeof head.size);
    if (head.size < sizeof head || head.size % 4 != 0)
        return error_set(
            error, MRT_EINVAL, "%s: its %s table says size %u: set it to sizeof the struct", where,
            kind->name, (unsigned)head.size);

    memset(out, 0, kind->ops_bytes);
    memcpy(out, table, head.size < kind->ops_bytes ? head.size : kind->ops_bytes);
    memcpy(&head, out, sizeof head);
    uint32_t unknown = head.caps & ~kind->caps;
    if (unknown != 0 && !newer)
        return error_set(
            error, MRT_EINVAL, "%s: caps of its %s table have unknown bits 0x%x: leave them 0",
            where, kind->name, (unsigned)unknown);
    head.caps &= kind->caps;
    head.size = kind->ops_bytes;
    memcpy(out, &head, sizeof head);
    for (uint32_t i = 0; i < kind->n_slots; i++) {
        mrt_status status = slot_fill(kind, &kind->slots[i], head.caps, out, where, error);
        if (status != MRT_OK)
            return status;
    }
    return MRT_OK;
}
