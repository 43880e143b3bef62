/* The less common link layers: serial lines, PPPoE, MPLS, radio, and the logs of packet filters. */
#include "support/frames.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum {
    ETHERNET = 1,
    PPP = 9,
    PPP_SERIAL = 50,
    PPPOE = 51,
    WLAN = 105,
    RADIOTAP = 127,
    NFLOG = 239
};

static void append_tcp(struct frames *f, uint8_t version)
{
    if (version == 4)
        frames_ip4(f, 6);
    else
        frames_ip6(f, 6);
    frames_tcp(f, SW_TCP_ACK, NULL, 0);
    frames_text(f, "NOOP\r\n");
    frames_finish(f);
}

static void assert_is_noop(const struct frames *f, int32_t link_type, struct sw_packet *packet)
{
    assert_int_equal(frames_decode(f, link_type, packet), SW_DECODE_IP);
    assert_int_equal(packet->transport, SW_TRANSPORT_TCP);
    assert_int_equal(packet->tuple.ip_version, f->version);
    assert_int_equal(packet->payload.len, 6);
    assert_int_equal(packet->payload_wire, 6);
    assert_ptr_equal(packet->payload.ptr, f->bytes + f->tcp_at + 20);
    assert_int_equal(frames_cut_everywhere(f, link_type), f->tcp_at + 20);
}

static void check(const void *head, size_t len, uint8_t version, int32_t link_type)
{
    struct frames f = {0};
    struct sw_packet packet;
    frames_bytes(&f, head, len);
    append_tcp(&f, version);
    assert_is_noop(&f, link_type, &packet);
}

static void test_serial_lines(void **state)
{
    (void)state;
    check("\xFF\x03\x00\x21", 4, 4, PPP);
    check("\xFF\x03\x00\x57", 4, 6, PPP);
    check("\x00\x21", 2, 4, PPP); /* without address and control */
    check("\x21", 1, 4, PPP);     /* and the protocol in one byte */
    check("\xFF\x03\x57", 3, 6, PPP);
    check("\xFF\x03\x00\x21", 4, 4, PPP_SERIAL);
    check("\x0F\x00\x08\x00", 4, 4, PPP_SERIAL); /* Cisco's */
    check("\x8F\x00\x86\xDD", 4, 6, 104);
    check("\x00\x03\x00\x21", 4, 4, 166); /* the direction in place of the address */
    check("\x01\xFF\x03\x00\x57", 5, 6, 204);
    check("\x00\x0F\x00\x08\x00", 5, 4, 205);
}

static void test_other_protocols_of_ppp(void **state)
{
    (void)state;
    struct frames f = {0};
    struct sw_packet packet;
    frames_bytes(&f, "\xFF\x03\xC0\x21\x01\x01", 6); /* LCP */
    assert_int_equal(frames_decode(&f, PPP, &packet), SW_DECODE_OTHER);
    assert_int_equal(packet.unread, SW_UNREAD_NOTHING);
    static const char *const not_read[] = {"\xFF\x03\x00\xFDxx", "\xFF\x03\x00\x3Dxx"};
    for (size_t i = 0; i < 2; i++) {
        f = (struct frames){0};
        frames_bytes(&f, not_read[i], 6);
        assert_int_equal(frames_decode(&f, PPP, &packet), SW_DECODE_OTHER);
        assert_int_equal(packet.unread, SW_UNREAD_PPP);
    }
}

static void test_pppoe(void **state)
{
    (void)state;
    struct frames f = {0};
    struct sw_packet packet;
    frames_ethernet(&f, 0x8864);
    frames_bytes(&f, "\x11\x00\x00\x2A\x00\x00\x00\x21", 8);
    size_t length_at = f.len - 4;
    append_tcp(&f, 4);
    frames_set16(&f, length_at, (unsigned)(f.len - length_at - 2));
    assert_is_noop(&f, ETHERNET, &packet);
    assert_int_equal(packet.tunnel.count, 1);
    assert_int_equal(packet.tunnel.headers[0].kind, SW_TUNNEL_PPPOE);
    assert_int_equal(packet.tunnel.headers[0].id, 42);
    assert_int_equal(packet.tunnel.headers[0].ip_version, 0);
    f.bytes[14] = 0x12; /* another version */
    assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_BROKEN);
    check("\x11\x00\x00\x2A\x00\x44\x00\x57", 8, 6, PPPOE);
}

static void test_mpls(void **state)
{
    (void)state;
    check("\x00\x01\x00\xFF\x00\x02\x01\xFF", 8, 4, 219);
    struct frames f = {0};
    struct sw_packet packet;
    frames_ethernet(&f, 0x8847);
    frames_u32(&f, 16 << 12 | 0x40);
    frames_u32(&f, 17 << 12 | 0x140);
    append_tcp(&f, 6);
    assert_is_noop(&f, ETHERNET, &packet);
    assert_int_equal(packet.tunnel.headers[0].kind, SW_TUNNEL_MPLS);
    assert_int_equal(packet.tunnel.headers[0].id, 16);
    for (int word = 0; word < 2; word++) { /* an Ethernet frame, with and without control word */
        f = (struct frames){0};
        frames_ethernet(&f, 0x8848);
        frames_u32(&f, 18 << 12 | 0x140);
        if (word)
            frames_u32(&f, 0);
        frames_ethernet(&f, 0x0800);
        append_tcp(&f, 4);
        assert_is_noop(&f, ETHERNET, &packet);
    }
    f = (struct frames){0};
    frames_ethernet(&f, 0x8847);
    for (int i = 0; i < 200; i++)
        frames_u32(&f, 0x00010040); /* a stack without a bottom */
    assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_BROKEN);
}

static void test_snap(void **state)
{
    (void)state;
    struct frames f = {0};
    struct sw_packet packet;
    frames_ethernet(&f, 60); /* a length */
    frames_bytes(&f, "\xAA\xAA\x03\x00\x00\x00\x08\x00", 8);
    append_tcp(&f, 4);
    assert_is_noop(&f, ETHERNET, &packet);
}

static void put_wlan(struct frames *f, const char *control, bool qos)
{
    frames_bytes(f, control, 2);
    frames_bytes(f, "\0\0aaaaaabbbbbbcccccc\0\0", 22);
    if ((control[1] & 3) == 3)
        frames_bytes(f, "dddddd", 6);
    if (qos)
        frames_bytes(f, "\0\0", 2);
}

static const char snap[] = "\xAA\xAA\x03\x00\x00\x00\x08\x00";

static void test_radio(void **state)
{
    (void)state;
    static const struct {
        const char *control;
        bool qos;
    } kinds[] = {{"\x08\x01", false}, {"\x08\x02", false}, {"\x88\x01", true}, {"\x88\x03", true}};
    struct sw_packet packet;
    for (size_t i = 0; i < 4; i++) {
        struct frames f = {0};
        put_wlan(&f, kinds[i].control, kinds[i].qos);
        frames_bytes(&f, snap, 8);
        append_tcp(&f, 4);
        assert_is_noop(&f, WLAN, &packet);
    }
    struct frames f = {0}; /* radiotap with clock and flags: the body is at a multiple of four */
    frames_bytes(&f, "\0\0\x12\0\x03\0\0\0", 8);
    frames_bytes(&f, "\0\0\0\0\0\0\0\0\x20\0", 10);
    put_wlan(&f, "\x88\x01", true);
    frames_bytes(&f, "\0\0", 2);
    frames_bytes(&f, snap, 8);
    append_tcp(&f, 4);
    assert_is_noop(&f, RADIOTAP, &packet);
    f.bytes[16] = 0x40; /* received with errors */
    assert_int_equal(frames_decode(&f, RADIOTAP, &packet), SW_DECODE_BROKEN);
}

static void test_radio_that_is_not_read(void **state)
{
    (void)state;
    static const struct {
        const char *control;
        enum sw_unread unread;
    } kinds[] = {{"\x08\x41", SW_UNREAD_WLAN_PROTECTED},
                 {"\x08\x05", SW_UNREAD_WLAN_PARTS},
                 {"\x48\x01", SW_UNREAD_NOTHING},  /* no data */
                 {"\x80\x00", SW_UNREAD_NOTHING}}; /* a beacon */
    for (size_t i = 0; i < 4; i++) {
        struct frames f = {0};
        struct sw_packet packet;
        put_wlan(&f, kinds[i].control, false);
        frames_bytes(&f, snap, 8);
        append_tcp(&f, 4);
        assert_int_equal(frames_decode(&f, WLAN, &packet), SW_DECODE_OTHER);
        assert_int_equal(packet.unread, kinds[i].unread);
    }
}

static void put_attribute(struct frames *f, bool little, unsigned type, const char *body, size_t n)
{
    unsigned length = (unsigned)n + 4;
    frames_u16(f, little ? __builtin_bswap16((uint16_t)length) : length);
    frames_u16(f, little ? __builtin_bswap16((uint16_t)type) : type);
    frames_bytes(f, body, n);
    frames_bytes(f, "\0\0\0", (4 - n % 4) % 4);
}

static void test_netfilter_log(void **state)
{
    (void)state;
    for (int little = 0; little < 2; little++) {
        struct frames f = {0};
        struct sw_packet packet;
        frames_bytes(&f, "\x02\x00\x00\x1E", 4);
        put_attribute(&f, little, 1, "\x08\x00\x00\x00", 4); /* packet header */
        put_attribute(&f, little, 10, "dropped\0", 8);       /* prefix */
        put_attribute(&f, little, 5, "abc", 3);
        put_attribute(&f, little, 9, "", 0);
        size_t length_at = f.len - 4;
        append_tcp(&f, 4);
        unsigned length = (unsigned)(f.len - length_at);
        frames_set16(&f, length_at, little ? __builtin_bswap16((uint16_t)length) : length);
        frames_text(&f, "\1\1"); /* padding behind the last attribute */
        assert_int_equal(frames_decode(&f, NFLOG, &packet), SW_DECODE_IP);
        f.len -= 2;
        assert_is_noop(&f, NFLOG, &packet);
    }
    struct frames f = {0};
    struct sw_packet packet;
    frames_bytes(&f, "\x02\x00\x00\x1E\x00\x00\x00\x00", 8); /* an attribute of no length */
    assert_int_equal(frames_decode(&f, NFLOG, &packet), SW_DECODE_BROKEN);
    f.bytes[0] = 7; /* ARP and the like */
    assert_int_equal(frames_decode(&f, NFLOG, &packet), SW_DECODE_OTHER);
}

static void test_other_logs(void **state)
{
    (void)state;
    char pf[64] = {61, 2};
    check(pf, 64, 4, 117);
    check("\x02\0\0\0\0\0\0\1\0\0\0\0", 12, 4, 109);
    char pktap[108] = {108, 0, 0, 0, 1, 0, 0, 0, 12};
    check(pktap, 108, 6, 258);
    pktap[8] = 0;
    struct frames f = {0};
    struct sw_packet packet;
    frames_bytes(&f, pktap, 108);
    frames_u32(&f, 0x1E000000);
    append_tcp(&f, 6);
    assert_is_noop(&f, 258, &packet);
    f.bytes[8] = 2; /* a PKTAP in a PKTAP, or anything else */
    f.bytes[9] = 1;
    assert_int_equal(frames_decode(&f, 258, &packet), SW_DECODE_OTHER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_serial_lines),
        cmocka_unit_test(test_other_protocols_of_ppp),
        cmocka_unit_test(test_pppoe),
        cmocka_unit_test(test_mpls),
        cmocka_unit_test(test_snap),
        cmocka_unit_test(test_radio),
        cmocka_unit_test(test_radio_that_is_not_read),
        cmocka_unit_test(test_netfilter_log),
        cmocka_unit_test(test_other_logs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
