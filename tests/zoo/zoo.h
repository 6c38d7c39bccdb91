/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zoo.h - a sound little plugin, the cleanup policy "zoo", that each animal spoils in one way.
 *
 * An animal defines what it wants to be different, then includes this:
 *   ZOO_NOTE    the whole note            ZOO_ENTRY   the entry's body, with host_abi at hand
 *   ZOO_CREATE  create() by another name  ZOO_DESTROY destroy(), ZOO_PLAN plan()
 *   ZOO_KIND, ZOO_NAME                    what the descriptor says
 */
#ifndef TESTS_ZOO_ZOO_H
#define TESTS_ZOO_ZOO_H

#include <string.h>

#include <mortise/cleanup.h>

#define L MRT_NOTE_END

#ifndef ZOO_KIND
#define ZOO_KIND MRT_KIND_CLEANUP
#endif
#ifndef ZOO_NAME
#define ZOO_NAME "zoo"
#endif
#define ZOO_HEAD_SOUND "name=zoo" L "version=1.0" L "abi=0.1" L "need=0.1" L "tier=stable"
#ifndef ZOO_NOTE
#define ZOO_NOTE                                                                                   \
    ZOO_HEAD_SOUND L "flags=sim_safe" L "impl=mortise.cleanup/1 zoo" L "key=animals" L             \
                     "key.type=i64" L "key.default=3" L "key.min=0" L "key.max=9" L                \
                     "key.doc=How many there are."
#endif

MRT_PLUGIN_NOTE(ZOO_NOTE);

struct zoo {
    const mrt_host *host;
    char *name;
    int64_t animals;
};

__attribute__((unused)) static mrt_status zoo_create(
    const mrt_create *how, void **inst, mrt_error *error)
{
    (void)error;
    const mrt_host *host = how->host;
    struct zoo *zoo = host->alloc(host, sizeof *zoo, 8);
    if (zoo == NULL)
        return MRT_ENOMEM;
    zoo->host = host;
    zoo->animals = how->view->i64(how->cfg, 0);
    zoo->name = host->alloc(host, how->name.n + 1, 1);
    if (zoo->name == NULL) {
        host->free(host, zoo);
        return MRT_ENOMEM;
    }
    memcpy(zoo->name, how->name.p, how->name.n);
    zoo->name[how->name.n] = '\0';
    *inst = zoo;
    return MRT_OK;
}

__attribute__((unused)) static void zoo_destroy(void *inst)
{
    struct zoo *zoo = inst;
    const mrt_host *host = zoo->host;
    host->free(host, zoo->name);
    host->free(host, zoo);
}

static mrt_status zoo_nothing(void *inst, mrt_op *op)
{
    (void)inst, (void)op;
    return MRT_OK;
}

static mrt_status zoo_reconfigure(void *inst, const mrt_cfg *next, uint32_t phase, mrt_error *error)
{
    (void)inst, (void)next, (void)phase, (void)error;
    return MRT_OK;
}

__attribute__((unused)) static mrt_status zoo_plan(
    void *inst, const mrt_clean_view *view, mrt_verdict *out, uint32_t cap, uint32_t *n)
{
    (void)inst, (void)view, (void)out, (void)cap;
    *n = 0;
    return MRT_OK;
}

#ifndef ZOO_CREATE
#define ZOO_CREATE zoo_create
#endif
#ifndef ZOO_DESTROY
#define ZOO_DESTROY zoo_destroy
#endif
#ifndef ZOO_PLAN
#define ZOO_PLAN zoo_plan
#endif
#ifndef ZOO_DESCRIPTOR_NOTE
#define ZOO_DESCRIPTOR_NOTE MRT_NOTE
#endif
#ifndef ZOO_CAPS
#define ZOO_CAPS 0
#endif
#ifndef ZOO_ABI
#define ZOO_ABI MRT_ABI
#endif

static const mrt_lifecycle zoo_life = {
    .size = sizeof zoo_life,
    .create = ZOO_CREATE,
    .start = zoo_nothing,
    .reconfigure = zoo_reconfigure,
    .drain = zoo_nothing,
    .stop = zoo_nothing,
    .destroy = ZOO_DESTROY,
};

static const mrt_cleanup_ops zoo_ops = {
    .size = sizeof zoo_ops,
    .caps = ZOO_CAPS,
    .plan = ZOO_PLAN,
};

static const mrt_impl zoo_impls[] = {
    {sizeof(mrt_impl), 0, ZOO_KIND, ZOO_NAME, &zoo_life, &zoo_ops},
};

__attribute__((unused)) static const mrt_plugin zoo_plugin = {
    sizeof(mrt_plugin), ZOO_ABI, ZOO_DESCRIPTOR_NOTE, MRT_NOTE_BYTES,
    zoo_impls,          1,       sizeof(mrt_impl),    NULL,
};

#ifndef ZOO_NO_ENTRY
#ifndef ZOO_ENTRY
#define ZOO_ENTRY return host_abi >> 16 == MRT_ABI_MAJOR ? &zoo_plugin : NULL;
#endif
const mrt_plugin *MRT_ENTRY_NAME(uint32_t host_abi)
{
    ZOO_ENTRY
}
#endif

#endif /* TESTS_ZOO_ZOO_H */
