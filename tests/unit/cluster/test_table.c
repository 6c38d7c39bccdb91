/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table of numbers in a pool that counts how often each is held, against a plain array of flags
 * that says which numbers are in.
 */
#include <string.h>

#include "core/cluster/table.h"
#include "tests/unit/cmocka.h"

#define NUMBERS 3000

struct number {
    uint32_t value;
    uint32_t refs;
};

static struct number pool[NUMBERS];

static int compare(const void *key, const void *element)
{
    uint32_t a = *(const uint32_t *)key;
    uint32_t b = ((const struct number *)element)->value;
    return a < b ? -1 : a > b;
}

static const void *key_of(const void *element)
{
    return &((const struct number *)element)->value;
}

static void ref(void *element)
{
    ((struct number *)element)->refs++;
}

static void unref(void *element)
{
    ((struct number *)element)->refs--;
}

static const struct table_kind kind = {compare, key_of, ref, unref};

static int fill_pool(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < NUMBERS; i++)
        pool[i] = (struct number){i, 0};
    return 0;
}

/* The table holds exactly the numbers whose flag is set, in order. */
static void assert_holds(const struct table *table, const uint8_t *in)
{
    uint64_t at = 0;
    table_check(table);
    for (uint32_t i = 0; i < NUMBERS; i++) {
        assert_ptr_equal(table_find(table, &i), in[i] ? &pool[i] : NULL);
        if (in[i])
            assert_ptr_equal(table_at(table, at++), &pool[i]);
    }
    assert_int_equal(table_count(table), at);
}

static void it_agrees_with_an_array_whatever_comes_and_goes(void **state)
{
    (void)state;
    static uint8_t in[NUMBERS];
    struct table table = table_of(&kind);
    uint64_t random = 12345;

    memset(in, 0, sizeof in);
    for (uint32_t step = 0; step < 20000; step++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
        uint32_t i = (uint32_t)(random >> 33) % NUMBERS;
        bool wanted = (random >> 20) % 10 < (step < 10000 ? 7 : 2); /* grows, then shrinks */
        if (wanted && !in[i])
            table_insert(&table, &pool[i]);
        else if (!wanted && in[i])
            table_remove(&table, &i);
        in[i] = wanted;
        if (step % 1000 == 999)
            assert_holds(&table, in);
    }
    table_fini(&table);
    for (uint32_t i = 0; i < NUMBERS; i++)
        assert_int_equal(pool[i].refs, 0);
}

static void elements_arriving_in_order_are_all_found(void **state)
{
    (void)state;
    static uint8_t in[NUMBERS];
    struct table table = table_of(&kind);
    for (uint32_t i = 0; i < NUMBERS; i++) {
        table_insert(&table, &pool[i]);
        in[i] = 1;
    }
    assert_holds(&table, in);
    for (uint32_t i = 0; i < NUMBERS; i++) {
        table_remove(&table, &i);
        in[i] = 0;
    }
    assert_holds(&table, in);
    table_fini(&table);
}

static void a_shared_table_never_sees_what_the_other_does(void **state)
{
    (void)state;
    static uint8_t in[NUMBERS];
    struct table old = table_of(&kind);
    for (uint32_t i = 0; i < NUMBERS; i += 2)
        table_insert(&old, &pool[i]);
    for (uint32_t i = 0; i < NUMBERS; i++)
        in[i] = i % 2 == 0;

    struct table now = table_share(&old);
    struct number twin = {4, 0};
    for (uint32_t i = 1; i < NUMBERS; i += 2)
        table_insert(&now, &pool[i]);
    for (uint32_t i = 6; i < NUMBERS; i += 2)
        table_remove(&now, &i);
    table_replace(&now, &twin);
    assert_holds(&old, in);
    assert_ptr_equal(table_find(&now, &twin.value), &twin);

    table_fini(&old);
    table_check(&now);
    assert_int_equal(pool[8].refs, 0); /* only the old one had it */
    assert_int_equal(pool[9].refs, 1);
    table_fini(&now);
    assert_int_equal(pool[9].refs, 0);
    assert_int_equal(twin.refs, 0);
}

static void an_insertion_touches_one_chunk_of_a_shared_table(void **state)
{
    (void)state;
    struct table old = table_of(&kind);
    for (uint32_t i = 0; i < NUMBERS; i++)
        if (i != 1500)
            table_insert(&old, &pool[i]);
    struct table now = table_share(&old);
    table_insert(&now, &pool[1500]);

    uint32_t copied = 0;
    for (uint32_t i = 0; i < NUMBERS; i++)
        copied += pool[i].refs > 1; /* a shared chunk holds its elements once for all tables */
    assert_true(copied > 0);
    assert_true(copied <= 64);
    table_fini(&now);
    table_fini(&old);
}

#define TEST(name) cmocka_unit_test_setup(name, fill_pool)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_agrees_with_an_array_whatever_comes_and_goes),
        TEST(elements_arriving_in_order_are_all_found),
        TEST(a_shared_table_never_sees_what_the_other_does),
        TEST(an_insertion_touches_one_chunk_of_a_shared_table),
    };
    return cmocka_run_group_tests_name("core/cluster/table", tests, NULL, NULL);
}
