/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.h - host tables a plugin cannot do without, looked up when it is created.
 */
#ifndef SDK_KIT_TABLE_H
#define SDK_KIT_TABLE_H

#include <string.h>

#include <mortise/plugin.h>

/* The host's table @id. NULL when this core has none: the first such is named in @error, whose text
 * was empty before the first call. */
static inline const void *kit_table(const mrt_create *how, const char *id, mrt_error *error)
{
    const void *found = how->host->get(how->host, id);
    if (found == NULL && error->text[0] == 0) {
        static const char says[] = "this core does not offer ";
        memcpy(error->text, says, sizeof says - 1);
        memcpy(error->text + sizeof says - 1, id, strlen(id) + 1);
    }
    return found;
}

#endif /* SDK_KIT_TABLE_H */
