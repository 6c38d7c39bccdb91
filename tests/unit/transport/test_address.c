/* SPDX-License-Identifier: Apache-2.0 */
/* Endpoints as text: what is read, what is refused, what is printed. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "plugins/transport/tcp/tcp.h"
#include "tests/unit/cmocka.h"

static mrt_status read_text(const char *text, struct tcp_address *out)
{
    const mrt_str str = {text, strlen(text)};
    return tcp_address_read(&str, out);
}

static void good_endpoints_are_read_and_printed(void **state)
{
    static const struct {
        const char *text, *printed;
    } rows[] = {
        {"127.0.0.1:9092", "127.0.0.1:9092"},
        {"localhost:0", "127.0.0.1:0"},
        {"0.0.0.0:65535", "0.0.0.0:65535"},
        {"[::1]:9092", "[::1]:9092"},
        {"[::]:1", "[::]:1"},
        {"[2001:db8:0:0::7]:41212", "[2001:db8::7]:41212"},
        {"[::ffff:10.1.2.3]:80", "10.1.2.3:80"},
        {"[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:65535",
         "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"},
    };
    (void)state;
    for (uint32_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tcp_address address;
        char text[TCP_TEXT];
        assert_int_equal(read_text(rows[i].text, &address), MRT_OK);
        assert_int_equal(tcp_address_print(&address.at, text), strlen(rows[i].printed));
        assert_string_equal(text, rows[i].printed);
    }
}

static void a_descriptor_is_read(void **state)
{
    struct tcp_address address;
    (void)state;
    assert_int_equal(read_text("fd:3", &address), MRT_OK);
    assert_int_equal(address.fd, 3);
    assert_int_equal(address.n, 0);
    assert_int_equal(read_text("fd:12345", &address), MRT_OK);
    assert_int_equal(address.fd, 12345);
}

static void everything_else_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        ":",
        "9092",
        ":9092",
        "127.0.0.1",
        "127.0.0.1:",
        "1.2.3.4:-1",
        "1.2.3.4:65536",
        "1.2.3.4: 1",
        "1.2.3.4:1 ",
        "1.2.3.4:0x10",
        "1.2.3:9092",
        "256.1.1.1:1",
        "example.org:1",
        "localhos:1",
        "localhost::1",
        "[::1]",
        "[::1]9092",
        "[::1:9092",
        "::1:9092",
        "[]:9092",
        "[::g]:1",
        "[127.0.0.1]:1",
        "[fe80::1%lo]:1",
        "fd:",
        "fd:2",
        "fd:-1",
        "fd:99999",
        "fd:3x",
        "fd:123456",
        "tcp://127.0.0.1:1",
        "127.0.0.1:000001",
        "[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0001]:65535",
    };
    (void)state;
    for (uint32_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct tcp_address address;
        if (read_text(texts[i], &address) != MRT_EINVAL)
            fail_msg("accepted: '%s'", texts[i]);
    }
}

static void a_nul_inside_does_not_cut_the_text(void **state)
{
    struct tcp_address address;
    const mrt_str text = {"127.0.0.1\0.evil:80", 18};
    (void)state;
    assert_int_equal(tcp_address_read(&text, &address), MRT_EINVAL);
}

static void errors_of_the_system_have_a_status(void **state)
{
    (void)state;
    assert_int_equal(tcp_status(EADDRINUSE), MRT_EEXIST);
    assert_int_equal(tcp_status(EACCES), MRT_EDENIED);
    assert_int_equal(tcp_status(EADDRNOTAVAIL), MRT_EINVAL);
    assert_int_equal(tcp_status(ECONNRESET), MRT_ECLOSED);
    assert_int_equal(tcp_status(ETIMEDOUT), MRT_ETIMEDOUT);
    assert_int_equal(tcp_status(EMFILE), MRT_ENOMEM);
    assert_int_equal(tcp_status(ECONNREFUSED), MRT_EIO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_endpoints_are_read_and_printed),
        cmocka_unit_test(a_descriptor_is_read),
        cmocka_unit_test(everything_else_is_refused),
        cmocka_unit_test(a_nul_inside_does_not_cut_the_text),
        cmocka_unit_test(errors_of_the_system_have_a_status),
    };
    return cmocka_run_group_tests_name("transport/address", tests, NULL, NULL);
}
