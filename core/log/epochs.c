/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log/epochs.h"

#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/memory.h"
#include "core/base/str.h"

#define LINE_MAX_BYTES 33 /* two numbers, a space, a line end */

static void check(const struct epochs *epochs)
{
    ASSERT(epochs->count <= epochs->capacity);
    for (uint32_t i = 1; i < epochs->count; i++) {
        ASSERT(epochs->entries[i - 1].epoch < epochs->entries[i].epoch); /* E1 */
        ASSERT(epochs->entries[i - 1].start < epochs->entries[i].start); /* E1 */
    }
}

void epochs_fini(struct epochs *epochs)
{
    memory_free(epochs->entries);
    *epochs = (struct epochs){0};
}

int32_t epochs_latest(const struct epochs *epochs)
{
    return epochs->count == 0 ? -1 : epochs->entries[epochs->count - 1].epoch;
}

static void remove_first(struct epochs *epochs, uint32_t n)
{
    ASSERT(n <= epochs->count);
    epochs->count -= n;
    memmove(epochs->entries, epochs->entries + n, epochs->count * sizeof *epochs->entries);
}

void epochs_note(struct epochs *epochs, int32_t epoch, int64_t start)
{
    ASSERT(start >= 0);
    if (epoch <= epochs_latest(epochs))
        return;
    while (epochs->count > 0 && epochs->entries[epochs->count - 1].start >= start)
        epochs->count--;
    if (epochs->count == EPOCHS_MAX)
        remove_first(epochs, 1);
    if (epochs->count == epochs->capacity) {
        epochs->capacity = epochs->capacity == 0 ? 2 : epochs->capacity * 2;
        epochs->entries =
            memory_resize(epochs->entries, epochs->capacity * sizeof *epochs->entries);
    }
    epochs->entries[epochs->count++] = (struct epoch_entry){epoch, start};
    epochs->dirty = true;
    CHECK(check(epochs));
}

/* How many entries have an epoch <= @epoch. */
static uint32_t count_to(const struct epochs *epochs, int32_t epoch)
{
    uint32_t low = 0;
    uint32_t high = epochs->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (epochs->entries[middle].epoch <= epoch)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int32_t epochs_at(const struct epochs *epochs, int64_t offset)
{
    uint32_t i = epochs->count; /* asked of the newest, mostly */
    while (i > 0 && epochs->entries[i - 1].start > offset)
        i--;
    return i == 0 ? -1 : epochs->entries[i - 1].epoch;
}

void epochs_end(
    const struct epochs *epochs, int32_t epoch, int64_t log_end, int32_t *found, int64_t *end)
{
    *found = -1;
    *end = -1;
    if (epoch < 0 || epoch > epochs_latest(epochs))
        return;
    uint32_t next = count_to(epochs, epoch);
    if (next == epochs->count) {
        *found = epochs_latest(epochs);
        *end = log_end;
        return;
    }
    *found = next == 0 ? epoch : epochs->entries[next - 1].epoch;
    *end = epochs->entries[next].start;
}

void epochs_trim_head(struct epochs *epochs, int64_t start)
{
    uint32_t gone = 0;
    while (gone + 1 < epochs->count && epochs->entries[gone + 1].start <= start)
        gone++;
    if (epochs->count == 0 || (gone == 0 && epochs->entries[0].start >= start))
        return;
    remove_first(epochs, gone);
    if (epochs->entries[0].start < start)
        epochs->entries[0].start = start;
    epochs->dirty = true;
    CHECK(check(epochs));
}

void epochs_trim_tail(struct epochs *epochs, int64_t end)
{
    uint32_t before = epochs->count;
    ASSERT(end >= 0);
    while (epochs->count > 0 && epochs->entries[epochs->count - 1].start >= end)
        epochs->count--;
    if (epochs->count < before)
        epochs->dirty = true;
    CHECK(check(epochs));
}

uint64_t epochs_size(const struct epochs *epochs)
{
    return ((uint64_t)epochs->count + 2) * LINE_MAX_BYTES;
}

uint64_t epochs_encode(const struct epochs *epochs, char *out)
{
    uint64_t size = epochs_size(epochs);
    uint64_t at = (uint64_t)snprintf(out, size, "0\n%u\n", epochs->count);
    for (uint32_t i = 0; i < epochs->count; i++) {
        const struct epoch_entry *entry = &epochs->entries[i];
        at += (uint64_t)snprintf(
            out + at, size - at, "%d %lld\n", entry->epoch, (long long)entry->start);
        ASSERT(at < size);
    }
    return at;
}

/* The number up to @end_mark, which is stepped over. */
static bool take_number(mrt_str *text, char end_mark, int64_t *out)
{
    const char *mark = text->n == 0 ? NULL : memchr(text->p, end_mark, text->n);
    if (mark == NULL)
        return false;
    mrt_str number = {text->p, (uint64_t)(mark - text->p)};
    *text = (mrt_str){mark + 1, text->n - number.n - 1};
    return str_to_i64(&number, out);
}

static bool take_entry(mrt_str *text, struct epochs *into)
{
    int64_t epoch;
    int64_t start;
    if (!take_number(text, ' ', &epoch) || !take_number(text, '\n', &start))
        return false;
    if (epoch < 0 || epoch > INT32_MAX || start < 0)
        return false;
    uint32_t before = into->count;
    epochs_note(into, (int32_t)epoch, start);
    return into->count == before + 1;
}

mrt_status epochs_decode(struct epochs *epochs, const char *text, uint64_t size)
{
    mrt_str rest = {text, size};
    struct epochs fresh = {0};
    int64_t version;
    int64_t count;

    if (!take_number(&rest, '\n', &version) || version != 0)
        return MRT_ECORRUPT;
    if (!take_number(&rest, '\n', &count) || count < 0 || count > EPOCHS_MAX)
        return MRT_ECORRUPT;
    bool ok = true;
    for (int64_t i = 0; ok && i < count; i++)
        ok = take_entry(&rest, &fresh);
    if (!ok || rest.n > 0) {
        epochs_fini(&fresh);
        return MRT_ECORRUPT;
    }
    epochs_fini(epochs);
    *epochs = fresh;
    epochs->dirty = false;
    return MRT_OK;
}
