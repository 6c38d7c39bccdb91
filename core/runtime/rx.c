/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Read buffers and blocks: memory under a lease. A reactor's buffers are made when first needed and
 * kept; a lease's last release from elsewhere is posted home. Blocks are freed where they end.
 */
#include "core/base/assert.h"
#include "core/base/list.h"
#include "core/base/memory.h"
#include "core/runtime/bytes.h"
#include "core/runtime/reactor.h"

struct rx_buffer {
    mrt_lease lease;
    mrt_task home;           /* brings the last release to the reactor */
    struct reactor *reactor; /* whose */
    struct rx_buffer *next;  /* in rx_pool.free */
    uint8_t bytes[] __attribute__((__aligned__(64)));
};

struct block {
    mrt_lease lease;
    struct budget *budget; /* charged with @bytes of ACCOUNT_CACHE; NULL: nobody */
    uint64_t bytes;
    uint8_t data[] __attribute__((__aligned__(64)));
};

/* True for the last hold. */
static bool lease_drop(mrt_lease *lease)
{
    uint64_t before = __atomic_fetch_sub(&lease->refs, 1, __ATOMIC_ACQ_REL);
    ASSERT(before > 0); /* released once too often */
    return before == 1;
}

void lease_share(mrt_lease *lease)
{
    uint64_t before = __atomic_fetch_add(&lease->refs, 1, __ATOMIC_RELAXED);
    ASSERT(before > 0);
}

void lease_release(mrt_lease *lease)
{
    if (lease != NULL)
        lease->ops->release(lease);
}

/* ---- read buffers ---------------------------------------------------------------------------- */

static void buffer_put(struct rx_buffer *buffer)
{
    struct rx_pool *pool = &buffer->reactor->rx;
    ASSERT(pool->free_count < pool->made);
    buffer->next = pool->free;
    pool->free = buffer;
    pool->free_count++;
}

static void buffer_home(mrt_task *task)
{
    buffer_put(CONTAINER(task, struct rx_buffer, home));
}

static void buffer_release(mrt_lease *lease)
{
    struct rx_buffer *buffer = CONTAINER(lease, struct rx_buffer, lease);
    struct reactor *reactor = buffer->reactor;
    if (!lease_drop(lease))
        return;
    if (reactor_here(reactor->exec.runtime) == reactor)
        buffer_put(buffer);
    else
        exec_post(&reactor->exec, &buffer->home);
}

static const mrt_lease_ops buffer_ops = {.size = sizeof buffer_ops, .release = buffer_release};

static struct rx_buffer *buffer_new(struct reactor *reactor)
{
    struct rx_buffer *buffer = memory_try(sizeof *buffer + RX_BYTES, 64);
    if (buffer == NULL)
        return NULL;
    *buffer = (struct rx_buffer){.lease.ops = &buffer_ops, .home.run = buffer_home};
    buffer->reactor = reactor;
    reactor->rx.made++;
    return buffer;
}

mrt_status rx_take(mrt_exec *exec, mrt_rx *out)
{
    struct reactor *reactor = exec->reactor;
    struct rx_pool *pool = &reactor->rx;
    ASSERT(exec->strand == NULL);
    ASSERT(reactor_here(exec->runtime) == reactor);

    struct rx_buffer *buffer = pool->free;
    if (buffer != NULL) {
        pool->free = buffer->next;
        pool->free_count--;
    } else if (pool->made < RX_BUFFERS) {
        buffer = buffer_new(reactor);
    }
    if (buffer == NULL) {
        pool->starved = 1;
        return MRT_EAGAIN;
    }
    buffer->lease.refs = 1;
    *out = (mrt_rx){.p = buffer->bytes, .cap = RX_BYTES, .lease = &buffer->lease};
    return MRT_OK;
}

void rx_notify(mrt_exec *exec, mrt_task *task)
{
    struct node *node = (struct node *)(void *)task->host;
    ASSERT(exec->strand == NULL);
    ASSERT(reactor_here(exec->runtime) == exec->reactor);
    ASSERT(node->state != NODE_QUEUED);
    fifo_push(&exec->reactor->rx.waiting, node);
}

bool rx_ready(const struct rx_pool *pool)
{
    return pool->starved && pool->waiting.first != NULL &&
           (pool->free != NULL || pool->made < RX_BUFFERS);
}

void rx_turn(struct reactor *reactor)
{
    struct rx_pool *pool = &reactor->rx;
    if (!rx_ready(pool))
        return;
    uint32_t room = pool->free_count + (RX_BUFFERS - pool->made);
    while (room-- > 0 && pool->waiting.first != NULL)
        exec_post(&reactor->exec, CONTAINER(fifo_take(&pool->waiting), mrt_task, host));
    pool->starved = pool->waiting.first != NULL; /* those who were told may wait again */
}

void rx_fini(struct rx_pool *pool)
{
    ASSERT(pool->free_count == pool->made); /* a lease was not released */
    while (pool->free != NULL) {
        struct rx_buffer *next = pool->free->next;
        memory_free(pool->free);
        pool->free = next;
    }
}

/* ---- blocks ---------------------------------------------------------------------------------- */

static void block_release(mrt_lease *lease)
{
    struct block *block = CONTAINER(lease, struct block, lease);
    if (!lease_drop(lease))
        return;
    if (block->budget != NULL)
        budget_give(block->budget, ACCOUNT_CACHE, block->bytes);
    memory_free(block);
}

static const mrt_lease_ops block_ops = {.size = sizeof block_ops, .release = block_release};

mrt_status block_take(struct budget *budget, uint64_t bytes, uint8_t **out, mrt_lease **lease)
{
    if (bytes > BLOCK_MAX)
        return MRT_ENOMEM;
    if (budget != NULL && !budget_take(budget, ACCOUNT_CACHE, bytes))
        return MRT_ENOMEM;
    struct block *block = memory_try(sizeof *block + bytes, 64);
    if (block == NULL) {
        if (budget != NULL)
            budget_give(budget, ACCOUNT_CACHE, bytes);
        return MRT_ENOMEM;
    }
    *block = (struct block){.lease = {.ops = &block_ops, .refs = 1}};
    block->budget = budget;
    block->bytes = bytes;
    *out = block->data;
    *lease = &block->lease;
    return MRT_OK;
}

mrt_status block_new(uint64_t bytes, uint8_t **out, mrt_lease **lease)
{
    return block_take(NULL, bytes, out, lease);
}
