/* SPDX-License-Identifier: Apache-2.0 */
#include "core/plugin/admit.h"

#include <mortise/build.h>

#include "core/base/assert.h"
#include "core/base/memory.h"
#include "core/base/str.h"
#include "core/plugin/normalise.h"

#define MAJOR(abi) (unsigned)((abi) >> 16)
#define MINOR(abi) (unsigned)((abi)&0xffff)

/* ---- by the note ----------------------------------------------------------------------------- */

static mrt_status abi_admit(
    const struct note *note, const char *where, uint32_t host, mrt_error *error)
{
    if (MAJOR(note->abi) != MAJOR(host))
        return error_set(
            error, MRT_ENOTSUP,
            "%s: built for ABI %u.%u, and this core has %u.%u: install a %s built for ABI %u",
            where, MAJOR(note->abi), MINOR(note->abi), MAJOR(host), MINOR(host), note->name,
            MAJOR(host));
    if (note->need > host)
        return error_set(
            error, MRT_ENOTSUP,
            "%s: needs ABI %u.%u, and this core has %u.%u: upgrade mortised, or install an older "
            "%s",
            where, MAJOR(note->need), MINOR(note->need), MAJOR(host), MINOR(host), note->name);
    return MRT_OK;
}

static mrt_status kind_admit(
    const struct note *note, const struct note_impl *impl, const char *where, mrt_error *error)
{
    const struct kind *kind = kind_find(impl->kind);
    if (kind == NULL)
        return error_set(
            error, MRT_ENOTSUP,
            "%s: implements %s, a kind this core does not know: upgrade mortised, or correct it",
            where, impl->kind);
    if (kind->draft && !note->draft)
        return error_set(
            error, MRT_EINVAL, "%s: %s is a draft: its note must say tier=draft and core=%s", where,
            impl->kind, MRT_BUILD_ID);
    return MRT_OK;
}

mrt_status note_admit(
    const struct note *note, const char *where, uint32_t host_abi, mrt_error *error)
{
    ASSERT(note != NULL);
    ASSERT(where != NULL);
    mrt_status status = abi_admit(note, where, host_abi, error);
    for (uint32_t i = 0; i < note->n_impls && status == MRT_OK; i++)
        status = kind_admit(note, &note->impls[i], where, error);
    if (status == MRT_OK && note->draft && strcmp(note->core, MRT_BUILD_ID) != 0)
        return error_set(
            error, MRT_ENOTSUP,
            "%s: a draft plugin for core %s, and this is %s: install the %s of this core", where,
            note->core, MRT_BUILD_ID, note->name);
    return status;
}

/* ---- by the descriptor ----------------------------------------------------------------------- */

/* What the first published descriptor had; every later one has at least that. */
#define DESCRIPTOR_LEAST (offsetof(mrt_plugin, impl_stride) + sizeof(uint32_t))
#define IMPL_LEAST       sizeof(mrt_impl)

static mrt_status differs(const struct plugin *plugin, mrt_error *error, const char *what)
{
    return error_set(
        error, MRT_EINVAL, "%s: its descriptor does not say what its note says (%s): rebuild it",
        plugin->path, what);
}

static mrt_status descriptor_read(const struct plugin *plugin, mrt_plugin *out, mrt_error *error)
{
    const mrt_plugin *raw = plugin->module->plugin;
    const struct note *note = plugin->module->note;
    memset(out, 0, sizeof *out);
    if (raw->size < DESCRIPTOR_LEAST)
        return error_set(
            error, MRT_EINVAL, "%s: its descriptor says size %u: set it to sizeof(mrt_plugin)",
            plugin->path, (unsigned)raw->size);
    memcpy(out, raw, raw->size < sizeof *out ? raw->size : sizeof *out);
    if (out->note == NULL || out->note_bytes != note->bytes ||
        memcmp(out->note, note->text, note->bytes) != 0)
        return differs(plugin, error, "the note's bytes");
    if (out->abi != note->abi)
        return differs(plugin, error, "abi");
    if (out->n_impls != note->n_impls || out->impls == NULL)
        return differs(plugin, error, "the number of implementations");
    if (out->impl_stride < IMPL_LEAST || out->impl_stride % 8 != 0)
        return error_set(
            error, MRT_EINVAL, "%s: impl_stride is %u: set it to sizeof(mrt_impl)", plugin->path,
            (unsigned)out->impl_stride);
    return MRT_OK;
}

static bool says(const char *text, const char *expected)
{
    return text != NULL && strcmp(text, expected) == 0;
}

static mrt_status impl_admit(
    const struct plugin *plugin, struct impl *impl, const mrt_impl *raw, mrt_error *error)
{
    if (raw->size < IMPL_LEAST || raw->flags != 0)
        return error_set(
            error, MRT_EINVAL, "%s: implementation %s has size %u and flags %u: expected %zu and 0",
            plugin->path, impl->name, (unsigned)raw->size, (unsigned)raw->flags, IMPL_LEAST);
    if (!says(raw->kind, impl->kind->id))
        return differs(plugin, error, "a kind");
    if (!says(raw->name, impl->name))
        return differs(plugin, error, "a name");
    uint32_t newer = plugin->module->note->abi > MRT_ABI;
    mrt_status status =
        table_normalise(lifecycle_kind(), raw->life, newer, &impl->life, plugin->path, error);
    if (status != MRT_OK)
        return status;
    if (impl->ops == NULL)
        impl->ops = memory_new(impl->kind->ops_bytes);
    impl->raw = raw;
    return table_normalise(impl->kind, raw->ops, newer, impl->ops, plugin->path, error);
}

mrt_status plugin_admit(struct plugin *plugin, mrt_error *error)
{
    ASSERT(plugin->module != NULL);
    ASSERT(plugin->module->plugin != NULL);
    mrt_plugin descriptor;
    mrt_status status = descriptor_read(plugin, &descriptor, error);
    for (uint32_t i = 0; i < plugin->n_impls && status == MRT_OK; i++) {
        const char *raw = (const char *)descriptor.impls + (uint64_t)i * descriptor.impl_stride;
        status = impl_admit(plugin, &plugin->impls[i], (const mrt_impl *)(const void *)raw, error);
    }
    if (status != MRT_OK)
        return status;
    plugin->extension = descriptor.extension;
    plugin->loaded = 1;
    return MRT_OK;
}
