#include "pipeline/proxy.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct turn {
    enum sw_side from;
    const char *bytes;
    size_t length;
};

#define TURN(side, text)                                                                           \
    {                                                                                              \
        side, text, sizeof(text) - 1                                                               \
    }

enum { NO_SPLIT = 1000 };

/* Plays the turns, each cut in two at `split`; returns the octets behind the tunnel's beginning. */
static size_t play(const struct turn *turns, size_t n, size_t split, struct sw_proxied *out)
{
    struct sw_proxy proxy;
    size_t left = 0;
    *out = (struct sw_proxied){0};
    sw_proxy_start(&proxy, sw_span_make(turns[0].bytes, turns[0].length), out);
    for (size_t i = 0; i < n; i++) {
        struct sw_span whole = sw_span_make(turns[i].bytes, turns[i].length);
        struct sw_span parts[] = {sw_span_sub(whole, 0, split), sw_span_from(whole, split)};
        for (int p = 0; p < 2; p++) {
            struct sw_mark mark = {i + 1, 0};
            bool over = proxy.step == SW_PROXY_IDLE;
            size_t used = over ? 0 : sw_proxy_feed(&proxy, turns[i].from, parts[p], mark, out);
            left += parts[p].len - used;
        }
    }
    return left;
}

static void expect(const struct turn *turns, size_t n, const char *host, uint16_t port,
                   uint16_t status, bool open, size_t behind)
{
    for (size_t split = 0; split <= 60; split++) {
        struct sw_proxied out;
        assert_int_equal(play(turns, n, split == 60 ? (size_t)NO_SPLIT : split, &out), behind);
        assert_true(sw_span_eq(sw_span_make(out.host, out.host_length), sw_span_str(host)));
        assert_int_equal(out.port, port);
        assert_int_equal(out.status, status);
        assert_int_equal(out.open, open);
        assert_int_equal(out.refused, !open);
    }
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_http(void **state)
{
    (void)state;
    static const struct turn granted[] = {
        TURN(SW_CLIENT, "CONNECT mx.example.org:25 HTTP/1.1\r\nProxy-Authorization: Basic c2Vj\r\n"
                        "Host: mx.example.org:25\r\n\r\n"),
        TURN(SW_SERVER, "HTTP/1.1 200 OK\r\n\r\n220 mx\r\n"),
    };
    expect(granted, COUNT(granted), "mx.example.org", 25, 200, true, 8);
    static const struct turn six[] = {
        TURN(SW_CLIENT, "CONNECT [2001:db8::19]:587 HTTP/1.0\n\n"),
        TURN(SW_SERVER, "HTTP/1.0 502 Bad Gateway\n\n"),
    };
    expect(six, COUNT(six), "[2001:db8::19]", 587, 502, false, 0);
}

static void test_socks5(void **state)
{
    (void)state;
    static const struct turn named[] = {
        TURN(SW_CLIENT, "\5\2\0\2"),
        TURN(SW_SERVER, "\5\2"),
        TURN(SW_CLIENT, "\1\4anna\6secret"),
        TURN(SW_SERVER, "\1\0"),
        TURN(SW_CLIENT, "\5\1\0\3\x0Emx.example.org\0\x19"),
        TURN(SW_SERVER, "\5\0\0\1\0\0\0\0\0\0"
                        "220 mx\r\n"),
    };
    expect(named, COUNT(named), "mx.example.org", 25, 0, true, 8);
    static const struct turn numbered[] = {
        TURN(SW_CLIENT, "\5\1\0"),
        TURN(SW_SERVER, "\5\0"),
        TURN(SW_CLIENT, "\5\1\0\1\xC6\x33\x64\x19\1\xD1"),
        TURN(SW_SERVER, "\5\4\0\3\4name\0\0"),
    };
    expect(numbered, COUNT(numbered), "198.51.100.25", 465, 4, false, 0);
}

static void test_socks4(void **state)
{
    (void)state;
    static const struct turn plain[] = {
        TURN(SW_CLIENT, "\4\1\0\x19\xC6\x33\x64\x19user\0"),
        TURN(SW_SERVER, "\0\x5A\0\0\0\0\0\0"
                        "220 mx\r\n"),
    };
    expect(plain, COUNT(plain), "198.51.100.25", 25, 0x5A, true, 8);
    static const struct turn named[] = {
        TURN(SW_CLIENT, "\4\1\2\x4B\0\0\0\1user\0mx.example.org\0"),
        TURN(SW_SERVER, "\0\x5B\0\0\0\0\0\0"),
    };
    expect(named, COUNT(named), "mx.example.org", 587, 0x5B, false, 0);
}

static void test_no_secret_is_kept(void **state)
{
    (void)state;
    struct sw_proxied out = {0};
    struct sw_proxy proxy;
    struct sw_mark mark = {1, 0};
    sw_proxy_start(&proxy, SW_SPAN_LIT("\5\1\2"), &out);
    (void)sw_proxy_feed(&proxy, SW_CLIENT, SW_SPAN_LIT("\5\1\2"), mark, &out);
    (void)sw_proxy_feed(&proxy, SW_SERVER, SW_SPAN_LIT("\5\2"), mark, &out);
    (void)sw_proxy_feed(&proxy, SW_CLIENT, SW_SPAN_LIT("\1\4anna\6sec"), mark, &out);
    struct sw_span all = sw_span_make(&proxy, sizeof(proxy));
    assert_int_equal(sw_span_find_nocase(all, SW_SPAN_LIT("anna")), all.len);
    assert_int_equal(sw_span_find_nocase(all, SW_SPAN_LIT("sec")), all.len);
}

static void test_what_begins(void **state)
{
    (void)state;
    uint16_t port;
    assert_int_equal(sw_proxy_begins(SW_SPAN_LIT("CONNECT a:443 HTTP/1.1\r\n"), &port),
                     SW_PROXY_IS_ONE);
    assert_int_equal(port, 443);
    assert_int_equal(sw_proxy_begins(SW_SPAN_LIT("\5\1\0"), &port), SW_PROXY_IS_ONE);
    assert_int_equal(port, 0);
    static const struct sw_span none[] = {
        SW_SPAN_LIT("CONNECT a HTTP/1.1\r\n"),
        SW_SPAN_LIT("GET / HTTP/1.1\r\n"),
        SW_SPAN_LIT("CONE"),
        SW_SPAN_LIT("\5\0"),
        SW_SPAN_LIT("\4\2"),
        SW_SPAN_LIT("\5\1\0\1"),
    };
    for (size_t i = 0; i < COUNT(none); i++)
        assert_int_equal(sw_proxy_begins(none[i], &port), SW_PROXY_IS_NONE);
    static const struct sw_span begun[] = {
        SW_SPAN_LIT("C"),  SW_SPAN_LIT("CONNECT"), SW_SPAN_LIT("\5"),
        SW_SPAN_LIT("\4"), SW_SPAN_LIT("\5\3\0"),  SW_SPAN_LIT("\4\1\0\x19\1"),
    };
    for (size_t i = 0; i < COUNT(begun); i++)
        assert_int_equal(sw_proxy_begins(begun[i], &port), SW_PROXY_MAY_BE);
}

/* As few octets as it takes: behind CONNECT there may be a password. */
static void test_collects_what_it_needs(void **state)
{
    (void)state;
    struct sw_proxy proxy = {0};
    size_t used;
    assert_int_equal(sw_proxy_collect(&proxy, SW_SPAN_LIT("CONN"), &used), SW_PROXY_MAY_BE);
    assert_int_equal(used, 4);
    assert_int_equal(sw_proxy_collect(&proxy, SW_SPAN_LIT("ECT a:25 HTTP/1.1"), &used),
                     SW_PROXY_IS_ONE);
    assert_int_equal(used, 4);
    assert_int_equal(proxy.kept, 8);
    uint8_t most[300];
    memset(most, 1, sizeof(most));
    most[0] = 5;
    most[1] = 255;
    proxy = (struct sw_proxy){0};
    for (size_t i = 0; i < 256; i++)
        assert_int_equal(sw_proxy_collect(&proxy, sw_span_make(most + i, 1), &used),
                         SW_PROXY_MAY_BE);
    assert_int_equal(sw_proxy_collect(&proxy, sw_span_make(most, 1), &used), SW_PROXY_IS_ONE);
    proxy = (struct sw_proxy){0};
    assert_int_equal(sw_proxy_collect(&proxy, sw_span_make(most, sizeof(most)), &used),
                     SW_PROXY_IS_NONE); /* more than the methods */
}

static void test_behind_a_gap_nothing_is_believed(void **state)
{
    (void)state;
    struct sw_proxied out = {0};
    struct sw_proxy proxy;
    struct sw_mark mark = {1, 0};
    sw_proxy_start(&proxy, SW_SPAN_LIT("\5\1\0"), &out);
    sw_proxy_gap(&proxy);
    assert_int_equal(sw_proxy_feed(&proxy, SW_SERVER, SW_SPAN_LIT("\5\0\0\1"), mark, &out), 4);
    assert_false(out.open || out.refused);
    struct sw_span greeting = SW_SPAN_LIT("220 mx.example.org ESMTP\r\n");
    proxy = (struct sw_proxy){.step = SW_PROXY_GUESS};
    sw_proxy_gap(&proxy); /* nobody knows whether it was one */
    assert_int_equal(sw_proxy_feed(&proxy, SW_SERVER, greeting, mark, NULL), greeting.len);
}

static void test_behind_a_gap_a_greeting_shows_that_it_connected(void **state)
{
    (void)state;
    struct sw_proxied out = {0};
    struct sw_proxy proxy;
    struct sw_mark mark = {1, 0};
    struct sw_span request = SW_SPAN_LIT("CONNECT mx.example.org:25 HTTP/1.1\r\n\r\n");
    struct sw_span greeting = SW_SPAN_LIT("220 mx.example.org ESMTP\r\n");
    sw_proxy_start(&proxy, request, &out);
    sw_proxy_gap(&proxy); /* the request is not known to have ended */
    assert_int_equal(sw_proxy_feed(&proxy, SW_SERVER, greeting, mark, &out), greeting.len);
    assert_false(out.open);
    sw_proxy_start(&proxy, request, &out);
    assert_int_equal(sw_proxy_feed(&proxy, SW_CLIENT, request, mark, &out), request.len);
    sw_proxy_gap(&proxy);
    assert_int_equal(sw_proxy_feed(&proxy, SW_SERVER, greeting, mark, &out), 0);
    assert_true(out.open && !out.refused);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_http),
        cmocka_unit_test(test_socks5),
        cmocka_unit_test(test_socks4),
        cmocka_unit_test(test_no_secret_is_kept),
        cmocka_unit_test(test_what_begins),
        cmocka_unit_test(test_collects_what_it_needs),
        cmocka_unit_test(test_behind_a_gap_nothing_is_believed),
        cmocka_unit_test(test_behind_a_gap_a_greeting_shows_that_it_connected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
