/* SPDX-License-Identifier: Apache-2.0 */
#include "core/plugin/cfg.h"

#include <stdio.h>

#include "core/base/assert.h"
#include "core/base/memory.h"
#include "core/base/str.h"
#include "core/plugin/nearest.h"

#define NAMES_MAX 256 /* keys that "did you mean" looks through; a note has no more */

/* One key's worth. @items holds the text of a str, path or enum, or all elements of a list. */
struct slot {
    struct key_value value;
    mrt_str *items; /* owned, as are their bytes */
    uint32_t n_items;
    uint32_t set;
};

struct mrt_cfg {
    const struct note_key *keys; /* borrowed */
    uint32_t n;
    struct slot slots[];
};

/* ---- readers --------------------------------------------------------------------------------- */

/* A wrong index is the plugin's bug, so it reads as nothing instead of stopping the broker. */
static const struct slot *slot_of(const mrt_cfg *cfg, uint32_t key)
{
    ASSERT(cfg != NULL);
    return key < cfg->n ? &cfg->slots[key] : NULL;
}

static enum key_type type_of(const mrt_cfg *cfg, uint32_t key)
{
    ASSERT(key < cfg->n);
    return cfg->keys[key].type;
}

static int64_t read_i64(const mrt_cfg *cfg, uint32_t key)
{
    const struct slot *slot = slot_of(cfg, key);
    return slot == NULL ? 0 : slot->value.i64;
}

static double read_f64(const mrt_cfg *cfg, uint32_t key)
{
    const struct slot *slot = slot_of(cfg, key);
    return slot == NULL ? 0 : slot->value.f64;
}

static uint32_t read_count(const mrt_cfg *cfg, uint32_t key)
{
    const struct slot *slot = slot_of(cfg, key);
    return slot == NULL || type_of(cfg, key) != KEY_LIST ? 0 : slot->n_items;
}

static void read_item(const mrt_cfg *cfg, uint32_t key, uint32_t i, mrt_str *out)
{
    *out = (mrt_str){NULL, 0};
    if (i < read_count(cfg, key))
        *out = cfg->slots[key].items[i];
}

static void read_str(const mrt_cfg *cfg, uint32_t key, mrt_str *out)
{
    const struct slot *slot = slot_of(cfg, key);
    *out = (mrt_str){NULL, 0};
    if (slot != NULL && type_of(cfg, key) != KEY_LIST && slot->n_items == 1)
        *out = slot->items[0];
}

static uint32_t read_is_set(const mrt_cfg *cfg, uint32_t key)
{
    const struct slot *slot = slot_of(cfg, key);
    return slot == NULL ? 0 : slot->set;
}

const mrt_cfg_view *cfg_view(void)
{
    static const mrt_cfg_view view = {
        .size = sizeof view,
        .i64 = read_i64,
        .f64 = read_f64,
        .str = read_str,
        .count = read_count,
        .item = read_item,
        .is_set = read_is_set,
    };
    return &view;
}

/* ---- making ---------------------------------------------------------------------------------- */

static bool keeps_text(enum key_type type)
{
    return type == KEY_STR || type == KEY_PATH || type == KEY_ENUM || type == KEY_LIST;
}

static void slot_clear(struct slot *slot)
{
    for (uint32_t i = 0; i < slot->n_items; i++)
        memory_free((void *)(uintptr_t)slot->items[i].p);
    memory_free(slot->items);
    *slot = (struct slot){{0, 0}, NULL, 0, 0};
}

static void slot_add_text(struct slot *slot, const mrt_str *text)
{
    slot->items = memory_resize(slot->items, (slot->n_items + 1) * sizeof *slot->items);
    slot->items[slot->n_items++] = (mrt_str){str_copy(text), text->n};
}

static void slot_add(
    struct slot *slot, const struct note_key *key, const mrt_str *text,
    const struct key_value *value)
{
    slot->value = *value;
    if (keeps_text(key->type))
        slot_add_text(slot, text);
}

/* Puts the origin in front of what is already in @error. */
static mrt_status with_origin(const struct cfg_value *value, mrt_error *error)
{
    if (error == NULL || value->origin == NULL)
        return MRT_EINVAL;
    mrt_error inner = *error;
    return error_set(error, inner.status, "%s: %s", value->origin, inner.text);
}

static mrt_status slot_fill(
    struct slot *slot, const struct note_key *key, const struct cfg_value *value, mrt_error *error)
{
    if (key->type != KEY_LIST && value->n != 1) {
        (void)error_set(
            error, MRT_EINVAL, "%s takes one %s, not a list of %u", key->name,
            key_type_name(key->type), (unsigned)value->n);
        return with_origin(value, error);
    }
    slot_clear(slot);
    slot->set = 1;
    for (uint32_t i = 0; i < value->n; i++) {
        struct key_value worth = {0, 0};
        if (key_read(key, &value->items[i], &worth, error) != MRT_OK)
            return with_origin(value, error);
        slot_add(slot, key, &value->items[i], &worth);
    }
    return MRT_OK;
}

mrt_status cfg_value_check(
    const struct note_key *key, const struct cfg_value *value, mrt_error *error)
{
    struct slot slot = {{0, 0}, NULL, 0, 0};
    mrt_status status = slot_fill(&slot, key, value, error);
    slot_clear(&slot);
    return status;
}

/* Defaults were checked with the declaration (key_check()). */
static void slot_default(struct slot *slot, const struct note_key *key)
{
    if (key->fallback == NULL)
        return;
    mrt_str rest = str_of(key->fallback), element = rest;
    struct key_value value = {0, 0};
    if (key->type != KEY_LIST) {
        ASSERT(key_read(key, &element, &value, NULL) == MRT_OK);
        slot_add(slot, key, &element, &value);
        return;
    }
    while (list_next(&rest, &element))
        slot_add_text(slot, &element);
}

static mrt_status unknown_name(
    const struct note_key *keys, uint32_t n, const struct cfg_value *value, mrt_error *error)
{
    const char *names[NAMES_MAX];
    uint32_t n_names = n < NAMES_MAX ? n : NAMES_MAX;
    for (uint32_t i = 0; i < n_names; i++)
        names[i] = keys[i].name;
    mrt_str name = str_of(value->name);
    const char *near = nearest(&name, names, n_names);
    if (near != NULL)
        (void)error_set(
            error, MRT_EINVAL, "%s is not a setting here; did you mean %s?", value->name, near);
    else
        (void)error_set(error, MRT_EINVAL, "%s is not a setting here", value->name);
    return with_origin(value, error);
}

static mrt_status cfg_fill(
    mrt_cfg *cfg, const struct cfg_value *values, uint32_t n_values, mrt_error *error)
{
    for (uint32_t v = 0; v < n_values; v++) {
        uint32_t k = 0;
        while (k < cfg->n && strcmp(cfg->keys[k].name, values[v].name) != 0)
            k++;
        if (k == cfg->n)
            return unknown_name(cfg->keys, cfg->n, &values[v], error);
        if (cfg->slots[k].set) {
            (void)error_set(error, MRT_EINVAL, "%s is set twice", values[v].name);
            return with_origin(&values[v], error);
        }
        mrt_status status = slot_fill(&cfg->slots[k], &cfg->keys[k], &values[v], error);
        if (status != MRT_OK)
            return status;
    }
    for (uint32_t k = 0; k < cfg->n; k++)
        if ((cfg->keys[k].flags & KEY_REQUIRED) && !cfg->slots[k].set)
            return error_set(
                error, MRT_EINVAL, "%s must be set: %s", cfg->keys[k].name, cfg->keys[k].doc);
    return MRT_OK;
}

mrt_status cfg_new(
    const struct note_key *keys, uint32_t n_keys, const struct cfg_value *values, uint32_t n_values,
    const mrt_cfg **out, mrt_error *error)
{
    ASSERT(out != NULL);
    ASSERT(keys != NULL || n_keys == 0);
    ASSERT(values != NULL || n_values == 0);
    mrt_cfg *cfg = memory_new(sizeof *cfg + n_keys * sizeof *cfg->slots);
    cfg->keys = keys;
    cfg->n = n_keys;
    for (uint32_t k = 0; k < n_keys; k++)
        slot_default(&cfg->slots[k], &keys[k]);
    mrt_status status = cfg_fill(cfg, values, n_values, error);
    if (status == MRT_OK)
        *out = cfg;
    else
        cfg_free(cfg);
    return status;
}

void cfg_free(const mrt_cfg *cfg)
{
    if (cfg == NULL)
        return;
    mrt_cfg *mine = (mrt_cfg *)(uintptr_t)cfg;
    for (uint32_t k = 0; k < mine->n; k++)
        slot_clear(&mine->slots[k]);
    memory_free(mine);
}
