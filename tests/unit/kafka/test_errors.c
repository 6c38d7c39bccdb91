/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every list, every status, every reason: what comes out is in the whitelist that clients of that
 * API accept, written down here a second time from what clients do (UNKNOWN_SERVER_ERROR is in all
 * of them), and what the broker may well say is known.
 */
#include <mortise/draft/ops.h>

#include "plugins/protocol/kafka/errors.h"
#include "tests/unit/cmocka.h"

#define CODES_MAX 32
#define END       INT16_MIN

static const struct {
    enum kafka_errors list;
    int16_t codes[CODES_MAX];
} whitelists[] = {
    {KAFKA_OF_PRODUCE, {0, 2, 3, 6, 7, 10, 19, 20, 29, 32, 45, 46, 47, 48, 56, 59, 76, 87, END}},
    {KAFKA_OF_PRODUCE_ID,
     {0, 2, 6, 7, 10, 19, 20, 29, 32, 45, 46, 47, 48, 56, 59, 76, 87, 100, END}},
    {KAFKA_OF_FETCH, {0, 1, 2, 3, 6, 9, 29, 56, 74, 75, 78, END}},
    {KAFKA_OF_FETCH_ID, {0, 1, 2, 6, 9, 29, 56, 74, 75, 78, 100, 103, END}},
    {KAFKA_OF_LIST_OFFSETS, {0, 3, 5, 6, 9, 29, 43, 56, 74, 75, 78, END}},
    {KAFKA_OF_METADATA, {0, 3, 5, 17, 29, 38, END}},
    {KAFKA_OF_CREATE_TOPICS, {0, 7, 17, 29, 36, 37, 38, 39, 40, 41, 42, 44, 56, END}},
    {KAFKA_OF_DELETE_TOPICS, {0, 3, 7, 17, 29, 41, 42, 56, 73, END}},
    {KAFKA_OF_INIT_PRODUCER_ID, {0, 14, 15, 16, 31, 47, END}},
    {KAFKA_OF_DESCRIBE_CONFIGS, {0, 3, 7, 17, 29, 41, 42, 56, END}},
};

static const mrt_status statuses[] = {
    MRT_OK,           MRT_EINVAL,     MRT_ENOMEM,    MRT_EIO,          MRT_ENOSPC,
    MRT_ECORRUPT,     MRT_ECANCELED,  MRT_ETIMEDOUT, MRT_ENOTSUP,      MRT_EFENCED,
    MRT_EDENIED,      MRT_ETOOBIG,    MRT_ENOENT,    MRT_EEXIST,       MRT_ERANGE,
    MRT_EAGAIN,       MRT_EBUSY,      MRT_EFULL,     MRT_EUNKNOWN,     MRT_ESEALED,
    MRT_ENOTLEADER,   MRT_EGONE,      MRT_EOFFLINE,  MRT_ECLOSED,      MRT_ESHUTDOWN,
    MRT_ETOONEW,      MRT_EREADONLY,  MRT_EBUG,      MRT_EEPOCHOLD,    MRT_EEPOCHNEW,
    MRT_ESEQUENCE,    MRT_EDUPLICATE, MRT_EPRODUCER, MRT_EPRODUCEROLD, MRT_ETXNSTATE,
    MRT_EFEWREPLICAS, MRT_EFEWAFTER,  MRT_ERECORD,   MRT_ETIMESTAMP,   MRT_ECODEC,
    MRT_EIDMISMATCH,
};
#define STATUSES (sizeof statuses / sizeof *statuses)

static int is_listed(const int16_t *codes, int16_t code)
{
    while (*codes != END && *codes != code)
        codes++;
    return *codes == code;
}

static void no_list_says_what_its_clients_do_not_expect(void **state)
{
    (void)state;
    assert_int_equal(sizeof whitelists / sizeof *whitelists, KAFKA_ERROR_LISTS);
    for (uint32_t i = 0; i < KAFKA_ERROR_LISTS; i++) {
        assert_int_equal(whitelists[i].list, i);
        for (uint32_t j = 0; j < STATUSES; j++)
            for (int32_t reason = 0; reason <= MRT_WHY_TRANSACTIONAL; reason++) {
                uint32_t known;
                int16_t code = kafka_error(whitelists[i].list, statuses[j], reason, &known);
                if (known)
                    assert_true(is_listed(whitelists[i].codes, code));
                else
                    assert_int_equal(code, KAFKA_UNKNOWN_SERVER_ERROR);
                assert_true(statuses[j] == MRT_OK ? code == 0 && known : code != 0);
            }
    }
}

static void whatever_happens_to_any_broker_is_known_to_every_list(void **state)
{
    static const mrt_status common[] = {MRT_ENOMEM,    MRT_EIO,     MRT_ENOSPC,    MRT_ECANCELED,
                                        MRT_ETIMEDOUT, MRT_EDENIED, MRT_EBUSY,     MRT_EAGAIN,
                                        MRT_EOFFLINE,  MRT_ECLOSED, MRT_ESHUTDOWN, MRT_ENOTLEADER,
                                        MRT_EFENCED};

    (void)state;
    for (uint32_t i = 0; i < KAFKA_ERROR_LISTS; i++)
        for (uint32_t j = 0; j < sizeof common / sizeof *common; j++) {
            uint32_t known;
            kafka_error((enum kafka_errors)i, common[j], 0, &known);
            assert_int_equal(known, 1);
        }
}

static void a_bug_is_never_dressed_up(void **state)
{
    uint32_t known;

    (void)state;
    for (uint32_t i = 0; i < KAFKA_ERROR_LISTS; i++) {
        assert_int_equal(
            kafka_error((enum kafka_errors)i, MRT_EBUG, 0, &known), KAFKA_UNKNOWN_SERVER_ERROR);
        assert_int_equal(known, 0);
    }
}

static void a_consumer_never_hears_that_a_request_timed_out(void **state)
{
    uint32_t known;

    (void)state;
    for (uint32_t j = 0; j < STATUSES; j++) {
        assert_int_not_equal(
            kafka_error(KAFKA_OF_FETCH, statuses[j], 0, &known), KAFKA_REQUEST_TIMED_OUT);
        assert_int_not_equal(
            kafka_error(KAFKA_OF_LIST_OFFSETS, statuses[j], 0, &known), KAFKA_REQUEST_TIMED_OUT);
    }
}

static void a_reason_is_finer_than_its_status(void **state)
{
    uint32_t known;

    (void)state;
    assert_int_equal(
        kafka_error(KAFKA_OF_CREATE_TOPICS, MRT_EINVAL, MRT_WHY_REPLICATION, &known),
        KAFKA_INVALID_REPLICATION_FACTOR);
    assert_int_equal(
        kafka_error(KAFKA_OF_CREATE_TOPICS, MRT_EINVAL, MRT_WHY_CONFIG, &known),
        KAFKA_INVALID_CONFIG);
    assert_int_equal(
        kafka_error(KAFKA_OF_CREATE_TOPICS, MRT_EINVAL, 0, &known), KAFKA_INVALID_REQUEST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_list_says_what_its_clients_do_not_expect),
        cmocka_unit_test(whatever_happens_to_any_broker_is_known_to_every_list),
        cmocka_unit_test(a_bug_is_never_dressed_up),
        cmocka_unit_test(a_consumer_never_hears_that_a_request_timed_out),
        cmocka_unit_test(a_reason_is_finer_than_its_status),
    };
    return cmocka_run_group_tests_name("kafka/errors", tests, NULL, NULL);
}
