/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may have how much memory: budgets, arenas, read buffers, blocks. Read buffers are tried in
 * the simulated world, where a reactor's turns can be told apart, and on threads that release
 * leases.
 */
#include "core/runtime/arena.h"
#include "core/runtime/budget.h"
#include "tests/unit/runtime/stage.h"

/* ---- budgets --------------------------------------------------------------------------------- */

static void taking_charges_the_whole_chain_or_nothing(void **state)
{
    (void)state;
    struct budget process = {.limit = {1000, 1000}};
    struct budget principal = {.parent = &process, .limit = {500, 500}};
    struct budget connection = {.parent = &principal, .limit = {400, 600}};
    assert_true(budget_take(&connection, ACCOUNT_RX, 300));
    assert_int_equal(budget_used(&process, ACCOUNT_RX), 300);
    assert_false(budget_take(&connection, ACCOUNT_RX, 101));     /* its own limit */
    assert_false(budget_take(&connection, ACCOUNT_PARKED, 501)); /* the principal's */
    assert_int_equal(budget_used(&connection, ACCOUNT_PARKED), 0);
    assert_int_equal(budget_used(&principal, ACCOUNT_PARKED), 0);
    assert_int_equal(budget_used(&connection, ACCOUNT_RX), 300);
    budget_give(&connection, ACCOUNT_RX, 300);
    assert_int_equal(budget_used(&connection, ACCOUNT_RX), 0);
    assert_int_equal(budget_used(&process, ACCOUNT_RX), 0);
}

static void a_tenth_of_the_parent_is_kept_for_the_privileged(void **state)
{
    (void)state;
    struct budget process = {.limit = {1000}};
    struct budget client = {.parent = &process};
    struct budget broker = {.parent = &process, .privileged = 1};
    assert_true(budget_take(&client, ACCOUNT_RX, 900));
    assert_false(budget_take(&client, ACCOUNT_RX, 1));
    assert_true(budget_take(&broker, ACCOUNT_RX, 100));
    assert_false(budget_take(&broker, ACCOUNT_RX, 1));
    assert_true(budget_take(&process, ACCOUNT_TX, 1)); /* no limit */
}

static void amounts_that_overflow_are_refused(void **state)
{
    (void)state;
    struct budget process = {.limit = {1000}};
    struct budget client = {.parent = &process};
    assert_true(budget_take(&client, ACCOUNT_RX, 500));
    assert_false(budget_take(&client, ACCOUNT_RX, UINT64_MAX));
    assert_false(budget_take(&client, ACCOUNT_RX, UINT64_MAX - 400));
    assert_int_equal(budget_used(&client, ACCOUNT_RX), 500);
}

/* ---- arenas ---------------------------------------------------------------------------------- */

static void an_arena_gives_zeroed_aligned_pieces_that_do_not_overlap(void **state)
{
    (void)state;
    struct budget budget = {0};
    struct mrt_arena *arena = arena_new(&budget);
    struct random random;
    uint8_t *pieces[400];
    uint32_t sizes[400];
    random_init(&random, 3, "arena");
    for (uint32_t i = 0; i < 400; i++) {
        sizes[i] = (uint32_t)(random_next(&random) >> 33) % (i % 40 == 0 ? 100000 : 700);
        pieces[i] = arena_alloc(arena, sizes[i]);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % 16, 0);
        for (uint32_t at = 0; at < sizes[i]; at++)
            assert_int_equal(pieces[i][at], 0);
        memset(pieces[i], (int)(i % 255 + 1), sizes[i]);
    }
    for (uint32_t i = 0; i < 400; i++)
        for (uint32_t at = 0; at < sizes[i]; at++)
            assert_int_equal(pieces[i][at], i % 255 + 1);
    assert_true(budget_used(&budget, ACCOUNT_PARKED) > 0);
    arena_free(arena);
    assert_int_equal(budget_used(&budget, ACCOUNT_PARKED), 0);
}

static void a_spent_account_gives_no_arena_and_no_piece(void **state)
{
    (void)state;
    struct budget budget = {.limit = {0, 20000}};
    struct mrt_arena *arena = arena_new(&budget);
    assert_non_null(arena);
    assert_null(arena_alloc(arena, 30000));
    assert_null(arena_alloc(arena, UINT64_MAX));
    uint64_t used = budget_used(&budget, ACCOUNT_PARKED);
    assert_non_null(arena_alloc(arena, 100)); /* still of use */
    assert_int_equal(budget_used(&budget, ACCOUNT_PARKED), used);
    assert_true(budget_take(&budget, ACCOUNT_PARKED, 20000 - used));
    assert_null(arena_new(&budget));
    budget_give(&budget, ACCOUNT_PARKED, 20000 - used);
    arena_free(arena);
    assert_int_equal(budget_used(&budget, ACCOUNT_PARKED), 0);
}

/* ---- read buffers ---------------------------------------------------------------------------- */

static struct stage stage;
static mrt_exec *reactor;

static int on_linux(void **state)
{
    (void)state;
    stage = (struct stage){0};
    stage_open(&stage);
    reactor = runtime_reactor(stage.runtime, 0);
    return 0;
}

static int in_a_world(void **state)
{
    (void)state;
    stage = (struct stage){.simulated = true, .seed = 9};
    stage_open(&stage);
    reactor = runtime_reactor(stage.runtime, 0);
    return 0;
}

static int end(void **state)
{
    (void)state;
    stage_close(&stage);
    return 0;
}

static void on_reactor(void (*run)(void *arg), void *arg)
{
    if (stage.simulated)
        world_inside(stage.world, reactor, run, arg);
    else
        live_inside(reactor, run, arg);
}

struct taker {
    mrt_rx rx[RX_BUFFERS + 1];
    mrt_status last;
    mrt_task wanted; /* of rx_notify() */
    uint32_t notified;
    struct live_event event;
};

static void take_all(void *arg)
{
    struct taker *taker = arg;
    for (uint32_t i = 0; i <= RX_BUFFERS; i++)
        taker->last = rx_take(reactor, &taker->rx[i]);
}

static void on_notify(mrt_task *task)
{
    struct taker *taker = CONTAINER(task, struct taker, wanted);
    taker->notified++;
    taker->last = rx_take(reactor, &taker->rx[0]);
    live_signal(&taker->event);
}

static void want(void *arg)
{
    struct taker *taker = arg;
    taker->wanted.run = on_notify;
    rx_notify(reactor, &taker->wanted);
}

static void nothing(void *arg)
{
    (void)arg;
}

static void buffers_run_out_and_who_waits_is_told_once_when_one_is_back(void **state)
{
    (void)state;
    struct taker taker = {0};
    live_event_init(&taker.event);
    on_reactor(take_all, &taker);
    assert_int_equal(taker.last, MRT_EAGAIN);
    for (uint32_t i = 0; i < RX_BUFFERS; i++) {
        assert_int_equal(taker.rx[i].cap, RX_BYTES);
        memset(taker.rx[i].p, (int)i, RX_BYTES);
    }
    on_reactor(want, &taker);
    on_reactor(nothing, NULL);
    assert_int_equal(taker.notified, 0);
    lease_share(taker.rx[0].lease);
    lease_release(taker.rx[0].lease);
    on_reactor(nothing, NULL);
    assert_int_equal(taker.notified, 0); /* somebody holds it still */
    assert_int_equal(taker.rx[1].p[RX_BYTES - 1], 1);

    lease_release(taker.rx[0].lease); /* from MAIN: it has to find its way home */
    if (stage.simulated)
        world_run(stage.world, WORLD_FOREVER);
    live_wait(&taker.event);
    assert_int_equal(taker.notified, 1);
    assert_int_equal(taker.last, MRT_OK);
    for (uint32_t i = 0; i < RX_BUFFERS; i++)
        lease_release(taker.rx[i].lease);
    on_reactor(nothing, NULL);
    assert_int_equal(taker.notified, 1);
}

static void wait_together(void *arg)
{
    struct taker *takers = arg;
    want(&takers[0]);
    want(&takers[1]);
}

static void every_waiter_gets_its_turn(void **state)
{
    (void)state;
    static struct taker all, takers[2];
    memset(&all, 0, sizeof all);
    memset(takers, 0, sizeof takers);
    live_event_init(&takers[0].event);
    live_event_init(&takers[1].event);
    on_reactor(take_all, &all);
    on_reactor(wait_together, takers);
    for (uint32_t i = 0; i < RX_BUFFERS; i++)
        lease_release(all.rx[i].lease);
    if (stage.simulated)
        world_run(stage.world, WORLD_FOREVER);
    for (uint32_t i = 0; i < 2; i++) {
        live_wait(&takers[i].event);
        assert_int_equal(takers[i].last, MRT_OK);
        lease_release(takers[i].rx[0].lease);
    }
}

/* ---- blocks ---------------------------------------------------------------------------------- */

static void a_block_is_charged_until_its_last_hold_is_back(void **state)
{
    (void)state;
    struct budget budget = {.limit = {[ACCOUNT_CACHE] = 5000}};
    uint8_t *data = NULL;
    mrt_lease *lease = NULL;
    assert_int_equal(block_take(&budget, 5001, &data, &lease), MRT_ENOMEM);
    assert_null(lease);
    assert_int_equal(block_take(&budget, 5000, &data, &lease), MRT_OK);
    memset(data, 7, 5000);
    lease_share(lease);
    lease_release(lease);
    assert_int_equal(budget_used(&budget, ACCOUNT_CACHE), 5000);
    lease_release(lease);
    assert_int_equal(budget_used(&budget, ACCOUNT_CACHE), 0);
    lease_release(NULL);
    assert_int_equal(block_new(UINT64_MAX, &data, &lease), MRT_ENOMEM);
}

int main(void)
{
#define BOTH(f)                                                                                    \
    cmocka_unit_test_setup_teardown(f, on_linux, end),                                             \
        cmocka_unit_test_setup_teardown(f, in_a_world, end)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(taking_charges_the_whole_chain_or_nothing),
        cmocka_unit_test(a_tenth_of_the_parent_is_kept_for_the_privileged),
        cmocka_unit_test(amounts_that_overflow_are_refused),
        cmocka_unit_test(an_arena_gives_zeroed_aligned_pieces_that_do_not_overlap),
        cmocka_unit_test(a_spent_account_gives_no_arena_and_no_piece),
        BOTH(buffers_run_out_and_who_waits_is_told_once_when_one_is_back),
        BOTH(every_waiter_gets_its_turn),
        cmocka_unit_test(a_block_is_charged_until_its_last_hold_is_back),
    };
    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
