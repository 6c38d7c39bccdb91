/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cluster/table.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/base/memory.h"

/* Copying one costs as much as looking it up, and 100 000 topics are 1600 to 3200 of them. */
#define CHUNK_MAX 64
/* A chunk below this joins a neighbour when both fit: tables shrink when topics go. */
#define CHUNK_LOW 16
#define TOP_MIN   8

struct chunk {
    uint64_t refs;
    uint32_t n; /* never 0 */
    uint32_t reserved;
    void *v[CHUNK_MAX];
};

struct slot {
    struct chunk *chunk; /* counted */
    uint64_t first;      /* place of the chunk's first element in the table */
};

struct table_top {
    uint64_t refs;
    uint64_t count; /* of elements */
    uint32_t n;     /* of slots */
    uint32_t cap;
    struct slot slots[];
};

/* Where a key is or would be. */
struct place {
    uint32_t slot;
    uint32_t at;
    bool found;
};

static void hold(uint64_t *refs)
{
    uint64_t before = __atomic_fetch_add(refs, 1, __ATOMIC_RELAXED);
    ASSERT(before > 0);
}

/* True for the last holder. */
static bool let_go(uint64_t *refs)
{
    uint64_t before = __atomic_fetch_sub(refs, 1, __ATOMIC_ACQ_REL);
    ASSERT(before > 0);
    return before == 1;
}

static bool shared(const uint64_t *refs)
{
    return __atomic_load_n(refs, __ATOMIC_ACQUIRE) > 1;
}

static void chunk_unref(const struct table_kind *kind, struct chunk *chunk)
{
    if (!let_go(&chunk->refs))
        return;
    for (uint32_t i = 0; kind->unref != NULL && i < chunk->n; i++)
        kind->unref(chunk->v[i]);
    memory_free(chunk);
}

static void top_unref(const struct table_kind *kind, struct table_top *top)
{
    if (!let_go(&top->refs))
        return;
    for (uint32_t i = 0; i < top->n; i++)
        chunk_unref(kind, top->slots[i].chunk);
    memory_free(top);
}

static struct table_top *top_new(uint32_t cap)
{
    struct table_top *top =
        memory_new(sizeof(struct table_top) + (size_t)cap * sizeof(struct slot));
    top->refs = 1;
    top->cap = cap;
    return top;
}

/* T1: the list of chunks is ours alone afterwards, with room for one more. */
static struct table_top *own_top(struct table *table)
{
    struct table_top *old = table->top;
    if (old == NULL)
        return table->top = top_new(TOP_MIN);
    if (!shared(&old->refs) && old->n < old->cap)
        return old;

    struct table_top *top = top_new(old->n < old->cap ? old->cap : old->cap * 2);
    top->count = old->count;
    top->n = old->n;
    memcpy(top->slots, old->slots, old->n * sizeof(struct slot));
    for (uint32_t i = 0; i < top->n; i++)
        hold(&top->slots[i].chunk->refs);
    top_unref(table->kind, old);
    return table->top = top;
}

/* T1: the chunk in @slot is ours alone afterwards; the top is already. */
static struct chunk *own_chunk(struct table *table, uint32_t slot)
{
    ASSERT(slot < table->top->n);
    struct chunk *old = table->top->slots[slot].chunk;
    if (!shared(&old->refs))
        return old;

    struct chunk *chunk = memory_new(sizeof *chunk);
    chunk->refs = 1;
    chunk->n = old->n;
    memcpy(chunk->v, old->v, old->n * sizeof(void *));
    for (uint32_t i = 0; table->kind->ref != NULL && i < chunk->n; i++)
        table->kind->ref(chunk->v[i]);
    chunk_unref(table->kind, old);
    return table->top->slots[slot].chunk = chunk;
}

/* Index of the last slot whose first element is not above @key; 0 if all are. */
static uint32_t slot_of(const struct table *table, const void *key)
{
    uint32_t low = 0;
    uint32_t high = table->top->n;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (table->kind->compare(key, table->top->slots[middle].chunk->v[0]) < 0)
            high = middle;
        else
            low = middle;
    }
    return low;
}

static struct place place_of(const struct table *table, const void *key)
{
    if (table_count(table) == 0)
        return (struct place){0, 0, false};
    struct place place = {slot_of(table, key), 0, false};
    const struct chunk *chunk = table->top->slots[place.slot].chunk;
    uint32_t high = chunk->n;
    while (place.at < high) {
        uint32_t middle = place.at + (high - place.at) / 2;
        int order = table->kind->compare(key, chunk->v[middle]);
        if (order == 0)
            return (struct place){place.slot, middle, true};
        if (order < 0)
            high = middle;
        else
            place.at = middle + 1;
    }
    return place;
}

/* The elements' places from @slot on. */
static void number(struct table_top *top, uint32_t slot)
{
    uint64_t next = slot == 0 ? 0 : top->slots[slot - 1].first + top->slots[slot - 1].chunk->n;
    for (uint32_t i = slot; i < top->n; i++) {
        top->slots[i].first = next;
        next += top->slots[i].chunk->n;
    }
    top->count = next;
}

static void slot_insert(struct table_top *top, uint32_t at, struct chunk *chunk)
{
    ASSERT(top->n < top->cap);
    ASSERT(at <= top->n);
    memmove(top->slots + at + 1, top->slots + at, (top->n - at) * sizeof(struct slot));
    top->slots[at] = (struct slot){chunk, 0};
    top->n++;
}

static void slot_remove(struct table_top *top, uint32_t at)
{
    ASSERT(at < top->n);
    top->n--;
    memmove(top->slots + at, top->slots + at + 1, (top->n - at) * sizeof(struct slot));
}

/* Makes room in the full chunk of @place: its upper half becomes a chunk of its own, or nothing of
 * it where elements arrive in order, which leaves full chunks behind. */
static void split(struct table *table, struct place *place)
{
    struct chunk *low = own_chunk(table, place->slot);
    struct chunk *high = memory_new(sizeof *high);
    bool in_order = place->at == low->n && place->slot + 1 == table->top->n;
    uint32_t keep = in_order ? low->n : low->n / 2;

    high->refs = 1;
    high->n = low->n - keep;
    memcpy(high->v, low->v + keep, high->n * sizeof(void *));
    low->n = keep;
    slot_insert(table->top, place->slot + 1, high);
    if (place->at >= keep && (place->at > keep || in_order)) {
        place->slot++;
        place->at -= keep;
    }
}

/* Joins the chunk at @slot with the one after it when both are small enough. */
static void join(struct table *table, uint32_t slot)
{
    struct table_top *top = table->top;
    if (slot + 1 >= top->n)
        return;
    uint32_t n = top->slots[slot].chunk->n;
    uint32_t more = top->slots[slot + 1].chunk->n;
    if ((n >= CHUNK_LOW && more >= CHUNK_LOW) || n + more > CHUNK_MAX)
        return;

    struct chunk *low = own_chunk(table, slot);
    struct chunk *high = own_chunk(table, slot + 1);
    memcpy(low->v + n, high->v, more * sizeof(void *));
    low->n = n + more;
    memory_free(high);
    slot_remove(top, slot + 1);
}

struct table table_of(const struct table_kind *kind)
{
    ASSERT((kind->ref == NULL) == (kind->unref == NULL));
    return (struct table){kind, NULL};
}

struct table table_share(const struct table *table)
{
    if (table->top != NULL)
        hold(&table->top->refs);
    return *table;
}

void table_fini(struct table *table)
{
    if (table->top != NULL)
        top_unref(table->kind, table->top);
    table->top = NULL;
}

uint64_t table_count(const struct table *table)
{
    return table->top == NULL ? 0 : table->top->count;
}

void *table_at(const struct table *table, uint64_t i)
{
    ASSERT(i < table_count(table));
    uint32_t low = 0;
    uint32_t high = table->top->n;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (i < table->top->slots[middle].first)
            high = middle;
        else
            low = middle;
    }
    const struct slot *slot = &table->top->slots[low];
    ASSERT(i - slot->first < slot->chunk->n);
    return slot->chunk->v[i - slot->first];
}

void *table_find(const struct table *table, const void *key)
{
    struct place place = place_of(table, key);
    return place.found ? table->top->slots[place.slot].chunk->v[place.at] : NULL;
}

void table_insert(struct table *table, void *element)
{
    struct table_top *top = own_top(table);
    struct place place = place_of(table, table->kind->key(element));
    ASSERT(!place.found); /* T2 */

    if (top->n == 0) {
        struct chunk *chunk = memory_new(sizeof *chunk);
        chunk->refs = 1;
        slot_insert(top, 0, chunk);
    } else if (top->slots[place.slot].chunk->n == CHUNK_MAX) {
        split(table, &place);
    }
    struct chunk *chunk = own_chunk(table, place.slot);
    ASSERT(chunk->n < CHUNK_MAX);
    ASSERT(place.at <= chunk->n);
    memmove(chunk->v + place.at + 1, chunk->v + place.at, (chunk->n - place.at) * sizeof(void *));
    chunk->v[place.at] = element;
    chunk->n++;
    if (table->kind->ref != NULL)
        table->kind->ref(element);
    number(top, place.slot);
}

void table_replace(struct table *table, void *element)
{
    own_top(table);
    struct place place = place_of(table, table->kind->key(element));
    ASSERT(place.found);

    struct chunk *chunk = own_chunk(table, place.slot);
    void *old = chunk->v[place.at];
    chunk->v[place.at] = element;
    if (table->kind->ref != NULL) {
        table->kind->ref(element);
        table->kind->unref(old);
    }
}

void table_remove(struct table *table, const void *key)
{
    struct table_top *top = own_top(table);
    struct place place = place_of(table, key);
    ASSERT(place.found);

    struct chunk *chunk = own_chunk(table, place.slot);
    void *old = chunk->v[place.at];
    chunk->n--;
    memmove(chunk->v + place.at, chunk->v + place.at + 1, (chunk->n - place.at) * sizeof(void *));
    if (chunk->n == 0) {
        slot_remove(top, place.slot);
        memory_free(chunk);
    } else {
        join(table, place.slot);
        if (place.slot > 0)
            join(table, place.slot - 1);
    }
    number(top, place.slot == 0 ? 0 : place.slot - 1);
    if (table->kind->unref != NULL) /* last: @key may lie in it */
        table->kind->unref(old);
}

void table_check(const struct table *table)
{
    const void *before = NULL;
    uint64_t count = 0;
    for (uint32_t s = 0; table->top != NULL && s < table->top->n; s++) {
        const struct slot *slot = &table->top->slots[s];
        ASSERT(slot->chunk->n > 0);
        ASSERT(slot->chunk->n <= CHUNK_MAX);
        ASSERT(slot->first == count);
        for (uint32_t i = 0; i < slot->chunk->n; i++) {
            const void *element = slot->chunk->v[i];
            ASSERT(before == NULL || table->kind->compare(table->kind->key(before), element) < 0);
            before = element;
        }
        count += slot->chunk->n;
    }
    ASSERT(count == table_count(table));
}
