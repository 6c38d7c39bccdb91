/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a broker in the middle of everything: each call ends once, with its outcome or with
 * "shutting down"; nothing that was acknowledged is undone; no lease, arena or log is left.
 */
#include "tests/unit/broker/bench.h"

static struct bench bench;

static int start(void **state)
{
    (void)state;
    bench_start(&bench);
    assert_int_equal(bench_create(&bench, 0, "t", 4), MRT_OK);
    return 0;
}

static void after_the_end_everything_is_refused_but_cleaning_up(void **state)
{
    (void)state;
    mrt_sub *sub = bench_subscribe(&bench, 0, "t", 4, 0, 1 << 20);
    struct poll poll;
    poll_begin(&poll, &bench, 0, sub, 60000 * MS, 1 << 20, 1);
    bench_quiesce(&bench);
    assert_int_equal(poll_wait(&poll), MRT_OK); /* what there is */
    assert_int_equal(poll_bytes(&poll), 0);
    poll_end(&poll);
    bench_drain(&bench);
    assert_int_equal(bench_create(&bench, 0, "u", 1), MRT_ESHUTDOWN);
    assert_int_equal(bench_produce(&bench, 0, "t", 0, 10).status, MRT_ESHUTDOWN);
    assert_int_equal(bench_unsubscribe(&bench, 0, sub), MRT_OK);
    bench_free(&bench);
}

enum {
    POLLS = 8,
    PRODUCES = 64,
    CHANGES = 12
};

struct produce {
    struct ask ask;
    mrt_slice slice;
    mrt_produce_part part;
    mrt_produce in;
    mrt_produce_res result;
};

struct change {
    struct ask ask;
    char name[16];
    mrt_create_topics_topic topic;
    mrt_create_topics create;
    mrt_create_topics_out created;
    mrt_delete_topics_topic gone;
    mrt_delete_topics remove;
    mrt_delete_topics_out removed;
};

static struct poll polls[POLLS];
static mrt_sub *subs[POLLS];
static struct produce produces[PRODUCES];
static struct change changes[CHANGES];
static struct ask ids[CHANGES];
static mrt_init_producer_id_out id_outs[CHANGES];

static void begin_produce(struct produce *produce, uint32_t i)
{
    produce->part = (mrt_produce_part){
        .tp = {.topic = str_of("t"), .partition = (int32_t)(i % 4), .leader_epoch = -1}};
    produce->part.batches = bench_batch(&bench, 500, &produce->slice);
    produce->in = (mrt_produce){
        .size = sizeof produce->in, .n = 1, .parts = &produce->part, .acks = i % 2 ? 1 : -1};
    produce->result = (mrt_produce_res){0};
    ask_begin(&produce->ask, &bench, i, MRT_OP_PRODUCE, &produce->in, &produce->result);
}

static void begin_change(struct change *change, uint32_t i)
{
    memset(change, 0, sizeof *change);
    snprintf(change->name, sizeof change->name, "c%u", i / 3);
    if (i % 3 == 1) {
        change->gone.name = str_of(change->name);
        change->remove = (mrt_delete_topics){
            .size = sizeof change->remove, .topics = &change->gone, .n_topics = 1};
        change->removed.size = sizeof change->removed;
        ask_begin(&change->ask, &bench, i, MRT_OP_DELETE_TOPICS, &change->remove, &change->removed);
        return;
    }
    change->topic = (mrt_create_topics_topic){
        .name = str_of(change->name), .num_partitions = 5, .replication_factor = 1};
    change->create =
        (mrt_create_topics){.size = sizeof change->create, .topics = &change->topic, .n_topics = 1};
    change->created.size = sizeof change->created;
    ask_begin(&change->ask, &bench, i, MRT_OP_CREATE_TOPICS, &change->create, &change->created);
}

static void begin_everything(void)
{
    static const mrt_init_producer_id any = {.size = sizeof any, .producer_id = -1};

    for (uint32_t i = 0; i < POLLS; i++) {
        subs[i] = bench_subscribe(&bench, i, "t", 4, 0, 1 << 20);
        poll_begin(&polls[i], &bench, i, subs[i], 60000 * MS, 1 << 20, i % 2 ? 1 : 1 << 30);
    }
    for (uint32_t i = 0; i < CHANGES; i++) {
        begin_change(&changes[i], i);
        ask_begin(&ids[i], &bench, i, MRT_OP_INIT_PRODUCER_ID, &any, &id_outs[i]);
    }
    for (uint32_t i = 0; i < PRODUCES; i++)
        begin_produce(&produces[i], i);
}

static void end_produce(struct produce *produce)
{
    mrt_status status = ask_wait(&produce->ask);
    if (status != MRT_OK)
        lease_release(produce->part.batches.lease);
    else if (produce->result.status != MRT_OK)
        assert_int_equal(produce->result.status, MRT_EGONE);
    assert_true(status == MRT_OK || status == MRT_ESHUTDOWN);
    ask_end(&produce->ask);
}

static void end_polls(void)
{
    for (uint32_t i = 0; i < POLLS; i++) {
        assert_int_equal(poll_wait(&polls[i]), MRT_OK);
        poll_end(&polls[i]);
        assert_int_equal(bench_unsubscribe(&bench, i, subs[i]), MRT_OK);
    }
}

static void end_the_rest(void)
{
    for (uint32_t i = 0; i < PRODUCES; i++)
        end_produce(&produces[i]);
    for (uint32_t i = 0; i < CHANGES; i++) {
        mrt_status status = ask_wait(&changes[i].ask);
        assert_true(status == MRT_OK || status == MRT_ESHUTDOWN);
        ask_end(&changes[i].ask);
        status = ask_wait(&ids[i]); /* not leading: it was on its way to the log */
        assert_true(status == MRT_OK || status == MRT_ESHUTDOWN || status == MRT_ENOTLEADER);
        ask_end(&ids[i]);
    }
}

static void an_end_in_the_middle_of_everything_ends_everything_once(void **state)
{
    (void)state;
    begin_everything();
    bench_quiesce(&bench);
    end_polls();
    bench_drain(&bench);
    end_the_rest();
    bench_free(&bench);
}

static void the_same_at_other_moments(void **state)
{
    for (uint32_t i = 0; i < 8; i++) {
        start(state);
        begin_everything();
        usleep(i * 300);
        bench_quiesce(&bench);
        end_polls();
        bench_drain(&bench);
        end_the_rest();
        bench_free(&bench);
    }
}

static void nothing_under_way_ends_at_once(void **state)
{
    (void)state;
    bench_stop(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(after_the_end_everything_is_refused_but_cleaning_up, start),
        cmocka_unit_test_setup(an_end_in_the_middle_of_everything_ends_everything_once, start),
        cmocka_unit_test(the_same_at_other_moments),
        cmocka_unit_test_setup(nothing_under_way_ends_at_once, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
