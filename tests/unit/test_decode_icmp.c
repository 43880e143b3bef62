/* ICMP and ICMPv6: which packet an error is about. */
#include "support/frames.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { ETHERNET = 1 };

static void begin4(struct frames *f, unsigned type, unsigned code, uint32_t rest)
{
    *f = (struct frames){0};
    frames_ethernet(f, 0x0800);
    frames_ip4(f, 1);
    frames_u8(f, type);
    frames_u8(f, code);
    frames_u16(f, 0);
    frames_u32(f, rest);
}

static void begin6(struct frames *f, unsigned type, unsigned code, uint32_t rest)
{
    *f = (struct frames){0};
    frames_ethernet(f, 0x86DD);
    frames_ip6(f, 58);
    frames_u8(f, type);
    frames_u8(f, code);
    frames_u16(f, 0);
    frames_u32(f, rest);
}

/* The outer lengths; the quoted headers keep what they were given. */
static void finish(struct frames *f)
{
    f->ip_at = 14;
    f->tcp_at = 0;
    frames_finish(f);
}

/* An IPv4 header as a router quotes it: the length is that of the whole packet. */
static size_t quote_ip4(struct frames *f, unsigned protocol)
{
    size_t at = f->len;
    frames_ip4(f, protocol);
    frames_set16(f, at + 2, 1500);
    return at;
}

static void quote_ip6(struct frames *f, unsigned next)
{
    size_t at = f->len;
    frames_ip6(f, next);
    frames_set16(f, at + 4, 1460);
}

static void eight_bytes_of_tcp(struct frames *f)
{
    frames_u16(f, FRAMES_SRC_PORT);
    frames_u16(f, FRAMES_DST_PORT);
    frames_u32(f, FRAMES_SEQ);
}

static void assert_quote(const struct sw_packet *packet, uint8_t version, uint8_t protocol)
{
    const struct sw_icmp_header *icmp = &packet->icmp;
    assert_true(icmp->has_quote);
    assert_int_equal(icmp->quote.ip_version, version);
    assert_int_equal(icmp->quote.transport, protocol);
    assert_int_equal(icmp->quote.src_port, FRAMES_SRC_PORT);
    assert_int_equal(icmp->quote.dst_port, FRAMES_DST_PORT);
    uint8_t src[16] = {0};
    uint8_t dst[16] = {0};
    memcpy(src, version == 4 ? frames_src4 : frames_src6, version == 4 ? 4 : 16);
    memcpy(dst, version == 4 ? frames_dst4 : frames_dst6, version == 4 ? 4 : 16);
    assert_memory_equal(icmp->quote.src, src, 16);
    assert_memory_equal(icmp->quote.dst, dst, 16);
    assert_int_equal(icmp->quote_seq, protocol == 6 ? FRAMES_SEQ : 0);
}

static void test_eight_bytes_of_tcp_are_enough(void **state)
{
    (void)state;
    static const uint8_t errors[][2] = {{3, 1}, {3, 3}, {3, 13}, {4, 0}, {5, 1}, {11, 0}, {12, 0}};
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        struct frames f;
        begin4(&f, errors[i][0], errors[i][1], 0);
        quote_ip4(&f, 6);
        eight_bytes_of_tcp(&f);
        finish(&f);
        struct sw_packet packet;
        assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_IP);
        assert_int_equal(packet.transport, SW_TRANSPORT_ICMP);
        assert_int_equal(packet.tuple.src_port, 0);
        assert_int_equal(packet.tuple.dst_port, 0);
        assert_int_equal(packet.icmp.type, errors[i][0]);
        assert_int_equal(packet.icmp.code, errors[i][1]);
        assert_int_equal(packet.icmp.mtu, 0);
        assert_int_equal(packet.payload_wire, 28);
        assert_quote(&packet, 4, 6);
        assert_int_equal(frames_cut_everywhere(&f, ETHERNET), 14 + 20 + 8);
    }
}

static void test_next_hop_mtu(void **state)
{
    (void)state;
    struct frames f;
    struct sw_packet packet;
    begin4(&f, 3, 4, 0xFFFF0000 | 1400); /* the upper half has another use (RFC 4884) */
    quote_ip4(&f, 6);
    eight_bytes_of_tcp(&f);
    finish(&f);
    assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_IP);
    assert_int_equal(packet.icmp.mtu, 1400);
    assert_quote(&packet, 4, 6);
    begin6(&f, 2, 0, 1280);
    quote_ip6(&f, 6);
    eight_bytes_of_tcp(&f);
    finish(&f);
    assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_IP);
    assert_int_equal(packet.transport, SW_TRANSPORT_ICMP6);
    assert_int_equal(packet.icmp.mtu, 1280);
    assert_quote(&packet, 6, 6);
    begin6(&f, 2, 0, 100000);
    finish(&f);
    assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_IP);
    assert_int_equal(packet.icmp.mtu, 65535);
    assert_false(packet.icmp.has_quote);
}

static void test_quote_of_udp_and_of_others(void **state)
{
    (void)state;
    struct frames f;
    struct sw_packet packet;
    begin4(&f, 3, 3, 0);
    quote_ip4(&f, 17);
    eight_bytes_of_tcp(&f); /* the ports stand in the same place */
    finish(&f);
    assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_IP);
    assert_quote(&packet, 4, 17);
    begin4(&f, 3, 2, 0);
    quote_ip4(&f, 47);
    eight_bytes_of_tcp(&f);
    finish(&f);
    assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_IP);
    assert_false(packet.icmp.has_quote);
    assert_int_equal(packet.icmp.quote.transport, 47);
}

static void test_options_in_the_quote(void **state)
{
    (void)state;
    struct frames f;
    struct sw_packet packet;
    begin4(&f, 11, 0, 0);
    size_t at = quote_ip4(&f, 6);
    f.bytes[at] = 0x47;
    frames_u32(&f, 0x01010101);
    frames_u32(&f, 0x01010100);
    eight_bytes_of_tcp(&f);
    finish(&f);
    assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_IP);
    assert_quote(&packet, 4, 6);
}

static void test_quoted_fragments(void **state)
{
    (void)state;
    struct frames f;
    struct sw_packet packet;
    begin4(&f, 3, 1, 0);
    size_t at = quote_ip4(&f, 6);
    eight_bytes_of_tcp(&f);
    finish(&f);
    frames_set16(&f, at + 6, 0x2000); /* the first part has the ports */
    assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_IP);
    assert_quote(&packet, 4, 6);
    frames_set16(&f, at + 6, 0x2001); /* a later one has not, whatever stands there */
    assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_IP);
    assert_false(packet.icmp.has_quote);
    assert_int_equal(packet.icmp.quote.src_port, 0);
}

static void test_extension_headers_in_the_quote(void **state)
{
    (void)state;
    struct frames f;
    struct sw_packet packet;
    begin6(&f, 1, 1, 0);
    quote_ip6(&f, 0);
    frames_bytes(&f, "\54\0\1\4\0\0\0\0", 8); /* hop-by-hop */
    frames_bytes(&f, "\6\0\0\1\0\0\0\7", 8);  /* a first fragment */
    eight_bytes_of_tcp(&f);
    finish(&f);
    assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_IP);
    assert_quote(&packet, 6, 6);
    assert_int_equal(frames_cut_everywhere(&f, ETHERNET), 14 + 40 + 8);
    f.bytes[f.len - 8 - 8 + 3] = 9; /* and a later one */
    assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_IP);
    assert_false(packet.icmp.has_quote);
    assert_int_equal(packet.icmp.quote.transport, 6);
}

/* The quote is there with its ports and the sequence number, with its ports only, or not at all. */
static void test_cut_quotes(void **state)
{
    (void)state;
    struct frames f;
    begin4(&f, 3, 13, 0);
    quote_ip4(&f, 6);
    eight_bytes_of_tcp(&f);
    finish(&f);
    for (size_t caplen = 14 + 20 + 8; caplen <= f.len; caplen++) {
        struct sw_packet packet;
        assert_int_equal(frames_decode_cut(&f, ETHERNET, caplen, &packet), SW_DECODE_IP);
        assert_int_equal(packet.icmp.has_quote, caplen >= f.len - 4);
        assert_int_equal(packet.icmp.quote_seq, caplen == f.len ? FRAMES_SEQ : 0);
    }
}

static void test_messages_without_a_quote(void **state)
{
    (void)state;
    struct frames f;
    struct sw_packet packet;
    begin4(&f, 8, 0, 0x00010001); /* echo: what it carries is not a packet, even if it looks so */
    quote_ip4(&f, 6);
    eight_bytes_of_tcp(&f);
    finish(&f);
    assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_IP);
    assert_false(packet.icmp.has_quote);
    begin6(&f, 128, 0, 0x00010001);
    quote_ip6(&f, 6);
    eight_bytes_of_tcp(&f);
    finish(&f);
    assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_IP);
    assert_int_equal(packet.transport, SW_TRANSPORT_ICMP6);
    assert_false(packet.icmp.has_quote);
}

static void test_quotes_that_are_no_packets(void **state)
{
    (void)state;
    static const uint8_t first_bytes[] = {0x44, 0x55, 0x65, 0x05, 0x40};
    for (size_t i = 0; i < sizeof(first_bytes); i++) {
        struct frames f;
        begin4(&f, 3, 1, 0);
        size_t at = quote_ip4(&f, 6);
        f.bytes[at] = first_bytes[i];
        eight_bytes_of_tcp(&f);
        finish(&f);
        struct sw_packet packet;
        assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_IP);
        assert_false(packet.icmp.has_quote);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_eight_bytes_of_tcp_are_enough),
        cmocka_unit_test(test_next_hop_mtu),
        cmocka_unit_test(test_quote_of_udp_and_of_others),
        cmocka_unit_test(test_options_in_the_quote),
        cmocka_unit_test(test_quoted_fragments),
        cmocka_unit_test(test_extension_headers_in_the_quote),
        cmocka_unit_test(test_cut_quotes),
        cmocka_unit_test(test_messages_without_a_quote),
        cmocka_unit_test(test_quotes_that_are_no_packets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
