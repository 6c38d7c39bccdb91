/* SPDX-License-Identifier: Apache-2.0 */
/*
 * subscription.c - SUB_OPEN, SUB_SET, SUB_CLOSE: which partitions a reader follows and from where.
 * The polls are in poll.c.
 *
 * A subscription is local to its reactor. What it follows is named by topic and partition; the log
 * behind the name is looked up in the image at every poll, so that a topic deleted and made again
 * is noticed.
 */
#include "core/broker/subscription.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/base/memory.h"
#include "core/base/str.h"

mrt_status sub_open_call(mrt_broker *shard, mrt_call *call)
{
    const mrt_sub_open *asked = call->in;
    mrt_sub_open *open = call->out;
    mrt_sub *sub = memory_try(sizeof *sub, 16);

    if (sub == NULL)
        return MRT_ENOMEM;
    *sub = (struct mrt_sub){.shard = shard, .replica_id = asked->replica_id};
    open->sub = sub;
    return MRT_OK;
}

static bool same(const struct sub_part *part, const mrt_tp *tp)
{
    if (part->partition != tp->partition)
        return false;
    if (tp->topic.p != NULL)
        return str_equal(&part->topic, &tp->topic);
    return part->topic.p == NULL && memcmp(part->topic_id, tp->topic_id, 16) == 0;
}

static struct sub_part *find(mrt_sub *sub, const mrt_tp *tp)
{
    for (uint32_t i = 0; i < sub->n; i++)
        if (same(&sub->parts[i], tp))
            return &sub->parts[i];
    return NULL;
}

static void part_drop(struct sub_part *part)
{
    ASSERT(!list_linked(&part->waiter.link));
    memory_free(part->name);
}

static void remove_part(mrt_sub *sub, struct sub_part *part)
{
    part_drop(part);
    uint32_t at = (uint32_t)(part - sub->parts);
    memmove(part, part + 1, (sub->n - at - 1) * sizeof *part);
    sub->n--;
}

/* Room for @more parts; parked waiters would be left behind, so only between polls. */
static mrt_status reserve(mrt_sub *sub, uint32_t more)
{
    uint32_t need = sub->n + more;
    if (need <= sub->cap)
        return MRT_OK;
    if (need > SUB_PARTS_MAX)
        return MRT_ETOOBIG;
    struct sub_part *parts = memory_try(need * sizeof *parts, 16);
    if (parts == NULL)
        return MRT_ENOMEM;
    if (sub->n > 0)
        memcpy(parts, sub->parts, sub->n * sizeof *parts);
    memory_free(sub->parts);
    sub->parts = parts;
    sub->cap = need;
    return MRT_OK;
}

static void set_part(struct sub_part *part, const mrt_sub_part *asked)
{
    part->from = asked->from;
    part->cookie = asked->cookie;
    part->fetched_epoch = asked->fetched_epoch;
    part->leader_epoch = asked->tp.leader_epoch;
    part->max_bytes = asked->max_bytes;
}

static void add_part(mrt_sub *sub, const mrt_sub_part *asked)
{
    struct sub_part *part = &sub->parts[sub->n++];
    *part = (struct sub_part){.sub = sub, .partition = asked->tp.partition};
    memcpy(part->topic_id, asked->tp.topic_id, sizeof part->topic_id);
    if (asked->tp.topic.p != NULL) {
        part->name = str_copy(&asked->tp.topic);
        part->topic = (mrt_str){part->name, asked->tp.topic.n};
    }
    set_part(part, asked);
}

mrt_status sub_set_call(mrt_broker *shard, mrt_call *call)
{
    const mrt_sub_set *in = call->in;
    mrt_sub *sub = in->sub;

    ASSERT(sub->shard == shard);
    if (sub->poll != NULL)
        return MRT_EBUSY;
    mrt_status status = reserve(sub, in->n);
    if (status != MRT_OK)
        return status;
    bool known = sub->n > 0; /* a fresh one has nothing to look up */
    for (uint32_t i = 0; i < in->n; i++) {
        const mrt_sub_part *asked = &in->parts[i];
        struct sub_part *part = known ? find(sub, &asked->tp) : NULL;
        if ((asked->flags & MRT_SUB_REMOVE) != 0) {
            if (part != NULL)
                remove_part(sub, part);
        } else if (part != NULL) {
            set_part(part, asked);
        } else {
            add_part(sub, asked);
        }
    }
    return MRT_OK;
}

void sub_free(mrt_sub *sub)
{
    ASSERT(sub->closed);
    for (uint32_t i = 0; i < sub->n; i++)
        part_drop(&sub->parts[i]);
    memory_free(sub->parts);
    memory_free(sub);
}

mrt_status sub_close_call(mrt_broker *shard, mrt_call *call)
{
    const mrt_sub_open *in = call->in;
    mrt_sub *sub = in->sub;

    ASSERT(sub->shard == shard);
    if (sub->poll != NULL)
        return MRT_EBUSY;
    sub->closed = 1;
    if (!sub->again_posted)
        sub_free(sub);
    return MRT_OK;
}
