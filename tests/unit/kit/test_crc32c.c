/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk/kit/batch.h"
#include "tests/unit/cmocka.h"

static void known_answers(void **state)
{
    (void)state;
    uint8_t zeros[32] = {0};
    assert_int_equal(
        kit_crc32c(0, "123456789", 9), 0xe3069283); /* the check value of the CRC catalogue */
    assert_int_equal(kit_crc32c(0, zeros, sizeof zeros), 0x8a9136aa); /* RFC 3720 B.4 */
    assert_int_equal(kit_crc32c(0, "", 0), 0);
}

static void the_instruction_and_the_table_agree_in_every_cut(void **state)
{
    (void)state;
    uint8_t bytes[257];
    for (uint32_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 167 + 13);
    for (uint64_t cut = 0; cut <= sizeof bytes; cut++) {
        uint32_t whole = kit_crc32c_portable(0, bytes, sizeof bytes);
        uint32_t first = kit_crc32c(0, bytes, cut);
        assert_int_equal(kit_crc32c(first, bytes + cut, sizeof bytes - cut), whole);
    }
}

static void varints_round_trip_and_refuse_more_than_64_bits(void **state)
{
    (void)state;
    const int64_t values[] = {0, -1, 1, -64, 64, INT32_MAX, INT64_MIN, INT64_MAX};
    for (uint32_t i = 0; i < sizeof values / sizeof *values; i++) {
        uint8_t room[10];
        uint8_t *end = kit_put_uvarint(room, kit_zigzag(values[i]));
        assert_int_equal(end - room, kit_uvarint_size(kit_zigzag(values[i])));
        struct kit_reader r = kit_reader(room, (uint64_t)(end - room));
        assert_true(kit_read_varint(&r) == values[i]);
        assert_int_equal(r.ok, 1);
        r = kit_reader(room, (uint64_t)(end - room) - 1);
        kit_read_varint(&r);
        assert_int_equal(r.ok, 0);
    }
    uint8_t endless[11] = {255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1};
    struct kit_reader r = kit_reader(endless, sizeof endless);
    kit_read_varint(&r);
    assert_int_equal(r.ok, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers),
        cmocka_unit_test(the_instruction_and_the_table_agree_in_every_cut),
        cmocka_unit_test(varints_round_trip_and_refuse_more_than_64_bits),
    };
    return cmocka_run_group_tests_name("kit", tests, NULL, NULL);
}
