/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listing a directory in byte order of the names, page by page. The cursor is the number of names
 * before the page, so whatever changes the directory between two pages can make one name appear
 * twice or not at all. Only the entries of a page are looked up.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/base/str.h"
#include "core/runtime/host/file.h"

#define LIST_NAMES_MAX                                                                             \
    (1u << 20) /* in one directory: beyond it MRT_ENOMEM, not all of our memory */

struct __attribute__((__may_alias__)) list_call {
    const mrt_str *path;
    mrt_dirlist *list;
};

/* All names of a directory. */
struct names {
    char *text; /* owned; one after the other */
    uint64_t text_bytes;
    uint64_t text_cap;
    mrt_str *v; /* owned; p is an offset into text until all are there */
    uint32_t n;
    uint32_t cap;
};

static void names_fini(struct names *names)
{
    memory_free(names->text);
    memory_free(names->v);
}

static bool names_add(void *ctx, const mrt_str *name)
{
    struct names *names = ctx;
    if (names->n == LIST_NAMES_MAX)
        return false;
    if (names->n == names->cap) {
        names->cap = names->cap == 0 ? 64 : names->cap * 2;
        names->v = memory_resize(names->v, names->cap * sizeof *names->v);
    }
    if (names->text_cap - names->text_bytes < name->n) {
        names->text_cap = names->text_cap * 2 + name->n + 1024;
        names->text = memory_resize(names->text, names->text_cap);
    }
    memcpy(names->text + names->text_bytes, name->p, name->n);
    names->v[names->n++] = (mrt_str){(const char *)(uintptr_t)names->text_bytes, name->n};
    names->text_bytes += name->n;
    return true;
}

static int by_bytes(const void *a, const void *b)
{
    return str_compare(a, b);
}

/* Writes @name's entry, if it still exists. MRT_ETOOBIG: no room for the text. */
static mrt_status put_entry(
    struct env *env, const struct list_call *call, const mrt_str *name, uint64_t *text_bytes)
{
    mrt_dirlist *list = call->list;
    char path[PATH_BYTES_MAX + 1];
    if (call->path->n + 1 + name->n > PATH_BYTES_MAX)
        return MRT_OK; /* could not be opened either */
    memcpy(path, call->path->p, call->path->n);
    path[call->path->n] = '/';
    memcpy(path + call->path->n + 1, name->p, name->n);

    struct env_stat stat = {0};
    mrt_status status = env->ops->stat(env, &(mrt_str){path, call->path->n + 1 + name->n}, &stat);
    if (status == MRT_ENOENT)
        return MRT_OK; /* went away since its name was read */
    if (status != MRT_OK)
        return status;
    if (list->text_cap - *text_bytes < name->n)
        return MRT_ETOOBIG;
    memcpy(list->text + *text_bytes, name->p, name->n);
    list->v[list->n++] = (mrt_dirent){
        .name = {list->text + *text_bytes, name->n},
        .bytes = stat.bytes,
        .modified_ms = stat.modified_ms,
        .kind = stat.kind,
    };
    *text_bytes += name->n;
    return MRT_OK;
}

static mrt_status put_page(struct env *env, const struct list_call *call, const struct names *names)
{
    mrt_dirlist *list = call->list;
    uint64_t text_bytes = 0;
    uint64_t at = list->cursor;
    list->n = 0;
    for (; at < names->n && list->n < list->cap; at++) {
        mrt_status status = put_entry(env, call, &names->v[at], &text_bytes);
        if (status == MRT_ETOOBIG && list->n > 0)
            break; /* the page is full of text */
        if (status != MRT_OK)
            return status;
    }
    list->cursor = at;
    return MRT_OK;
}

static mrt_status list_work(mrt_op *op)
{
    struct list_call *call = (struct list_call *)(void *)op->scratch;
    struct env *env = op->exec->runtime->env;
    struct names names = {0};
    mrt_status status = env->ops->list(env, call->path, names_add, &names);
    if (status == MRT_OK && names.n == LIST_NAMES_MAX)
        status = MRT_ENOMEM;
    if (status == MRT_OK) {
        for (uint32_t i = 0; i < names.n; i++)
            names.v[i].p = names.text + (uintptr_t)names.v[i].p;
        if (names.n > 0)
            qsort(names.v, names.n, sizeof *names.v, by_bytes);
        status = put_page(env, call, &names);
    }
    names_fini(&names);
    return status;
}

mrt_status path_list(mrt_exec *exec, mrt_op *op, const mrt_str *path, mrt_dirlist *list)
{
    CHECK(at_home(exec));
    ASSERT(op->exec == exec);
    if (!path_is_good(path) || !MRT_HAS(list, cap) || list->cap == 0)
        return MRT_EINVAL;
    *(struct list_call *)(void *)op->scratch = (struct list_call){path, list};
    return file_offload(op, list_work);
}
