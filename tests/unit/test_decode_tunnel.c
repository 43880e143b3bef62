/* Tunnels: whatever is wrapped around it, the packet inside comes out, and the headers are named.
 */
#include "support/frames.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { ETHERNET = 1 };

/* A header whose length is only known when everything is there. */
struct open_ip {
    size_t ip_at;
    size_t udp_at; /* 0: none */
    uint8_t version;
};

static struct open_ip outer4(struct frames *f, unsigned protocol)
{
    frames_ethernet(f, 0x0800);
    frames_ip4(f, protocol);
    return (struct open_ip){f->ip_at, 0, 4};
}

static struct open_ip outer_udp(struct frames *f, unsigned port)
{
    struct open_ip outer = outer4(f, 17);
    outer.udp_at = f->len;
    frames_udp(f, 0);
    frames_set16(f, outer.udp_at + 2, port);
    return outer;
}

static void inner_tcp(struct frames *f, uint8_t version)
{
    if (version == 4)
        frames_ip4(f, 6);
    else
        frames_ip6(f, 6);
    frames_tcp(f, SW_TCP_ACK | SW_TCP_PSH, NULL, 0);
    frames_text(f, "RCPT TO:<bob@example.org>\r\n");
    frames_finish(f);
}

static void close_ip(struct frames *f, struct open_ip outer)
{
    size_t length = f->len - outer.ip_at;
    frames_set16(f, outer.ip_at + (outer.version == 4 ? 2 : 4),
                 (unsigned)(outer.version == 4 ? length : length - 40));
    if (outer.udp_at != 0)
        frames_set16(f, outer.udp_at + 4, (unsigned)(f->len - outer.udp_at));
}

static void assert_is_rcpt(const struct frames *f, int32_t link_type, struct sw_packet *packet)
{
    assert_int_equal(frames_decode(f, link_type, packet), SW_DECODE_IP);
    assert_int_equal(packet->transport, SW_TRANSPORT_TCP);
    assert_int_equal(packet->tuple.src_port, FRAMES_SRC_PORT);
    assert_int_equal(packet->tuple.dst_port, FRAMES_DST_PORT);
    assert_int_equal(packet->payload.len, 27);
    assert_int_equal(packet->payload_wire, 27);
    assert_ptr_equal(packet->payload.ptr, f->bytes + f->tcp_at + 20);
    assert_false(sw_packet_is_damaged(packet));
    assert_int_equal(packet->unread, SW_UNREAD_NOTHING);
    /* Every cut from the inner TCP header on gives the packet, and none before; the start of a
     * tunnel over UDP may still pass for a UDP packet. */
    for (size_t caplen = 0; caplen < f->len; caplen++) {
        struct sw_packet cut;
        bool tcp = frames_decode_cut(f, link_type, caplen, &cut) == SW_DECODE_IP &&
                   cut.transport == SW_TRANSPORT_TCP;
        assert_int_equal(tcp, caplen >= f->tcp_at + 20);
        if (tcp)
            assert_int_equal(cut.payload_wire, 27);
    }
}

static void assert_one_tunnel(const struct sw_packet *packet, enum sw_tunnel_kind kind, uint32_t id,
                              bool addressed)
{
    assert_int_equal(packet->tunnel.count, 1);
    const struct sw_tunnel_header *h = &packet->tunnel.headers[0];
    assert_int_equal(h->kind, kind);
    assert_int_equal(h->id, id);
    assert_int_equal(h->ip_version, addressed ? 4 : 0);
    if (addressed) {
        assert_memory_equal(h->src, frames_src4, 4);
        assert_memory_equal(h->dst, frames_dst4, 4);
    }
}

static void test_ip_in_ip(void **state)
{
    (void)state;
    struct frames f = {0};
    struct sw_packet packet;
    struct open_ip outer = outer4(&f, 4);
    inner_tcp(&f, 4);
    close_ip(&f, outer);
    assert_is_rcpt(&f, ETHERNET, &packet);
    assert_one_tunnel(&packet, SW_TUNNEL_IPIP, 0, true);
    f = (struct frames){0};
    outer = outer4(&f, 41);
    inner_tcp(&f, 6);
    close_ip(&f, outer);
    assert_is_rcpt(&f, ETHERNET, &packet);
    assert_one_tunnel(&packet, SW_TUNNEL_SIXINFOUR, 0, true);
    assert_int_equal(packet.tuple.ip_version, 6);
    for (unsigned protocol = 4; protocol <= 41; protocol += 37) { /* IPv6 outside */
        f = (struct frames){0};
        frames_ethernet(&f, 0x86DD);
        frames_ip6(&f, protocol);
        outer = (struct open_ip){f.ip_at, 0, 6};
        inner_tcp(&f, protocol == 4 ? 4 : 6);
        close_ip(&f, outer);
        assert_is_rcpt(&f, ETHERNET, &packet);
        assert_int_equal(packet.tunnel.headers[0].kind, SW_TUNNEL_IPIP);
        assert_int_equal(packet.tunnel.headers[0].ip_version, 6);
        assert_memory_equal(packet.tunnel.headers[0].dst, frames_dst6, 16);
    }
}

static void test_gre_with_every_option(void **state)
{
    (void)state;
    static const unsigned flags[] = {0x0000, 0x8000, 0x2000, 0x1000, 0xB000};
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        for (int bridged = 0; bridged < 2; bridged++) {
            struct frames f = {0};
            struct sw_packet packet;
            struct open_ip outer = outer4(&f, 47);
            frames_u16(&f, flags[i]);
            frames_u16(&f, bridged ? 0x6558 : 0x0800);
            if (flags[i] & 0x8000)
                frames_u32(&f, 0);
            if (flags[i] & 0x2000)
                frames_u32(&f, 77);
            if (flags[i] & 0x1000)
                frames_u32(&f, 5);
            if (bridged)
                frames_ethernet(&f, 0x0800);
            inner_tcp(&f, 4);
            close_ip(&f, outer);
            assert_is_rcpt(&f, ETHERNET, &packet);
            assert_one_tunnel(&packet, SW_TUNNEL_GRE, flags[i] & 0x2000 ? 77 : 0, true);
        }
    }
}

static void test_gre_that_is_not_read(void **state)
{
    (void)state;
    static const unsigned heads[][2] = {{0x4000, 0x0800}, {0x0002, 0x0800}, {0x0000, 0x1234}};
    for (size_t i = 0; i < 3; i++) {
        struct frames f = {0};
        struct sw_packet packet;
        struct open_ip outer = outer4(&f, 47);
        frames_u16(&f, heads[i][0]);
        frames_u16(&f, heads[i][1]);
        inner_tcp(&f, 4);
        close_ip(&f, outer);
        assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_OTHER);
        assert_int_equal(packet.unread, SW_UNREAD_GRE);
    }
}

static void test_pptp(void **state)
{
    (void)state;
    struct frames f = {0};
    struct sw_packet packet;
    struct open_ip outer = outer4(&f, 47);
    frames_u16(&f, 0x3081); /* key, sequence, acknowledgement, version 1 */
    frames_u16(&f, 0x880B);
    size_t length_at = f.len;
    frames_u16(&f, 0);
    frames_u16(&f, 9); /* call */
    frames_u32(&f, 1);
    frames_u32(&f, 2);
    size_t ppp_at = f.len;
    frames_u32(&f, 0xFF030021);
    inner_tcp(&f, 4);
    frames_set16(&f, length_at, (unsigned)(f.len - ppp_at));
    close_ip(&f, outer);
    assert_is_rcpt(&f, ETHERNET, &packet);
    assert_one_tunnel(&packet, SW_TUNNEL_PPTP, 9, true);
    frames_set16(&f, length_at, 0);
    assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_OTHER);
}

/* Types I, II and III; the last with and without the header of the platform, and with bare IP. */
static void test_erspan(void **state)
{
    (void)state;
    for (int variant = 0; variant < 5; variant++) {
        struct frames f = {0};
        struct sw_packet packet;
        struct open_ip outer = outer4(&f, 47);
        frames_u16(&f, variant == 0 ? 0x0000 : 0x1000);
        frames_u16(&f, variant < 2 ? 0x88BE : 0x22EB);
        if (variant > 0) {
            frames_u32(&f, 7);                                      /* sequence */
            frames_u32(&f, variant == 1 ? 0x10050123 : 0x20050123); /* version, VLAN, session */
            frames_u32(&f, 0);
        }
        if (variant > 1)
            frames_u32(&f, variant == 3 ? 0x00000001 : variant == 4 ? 0x00000800 : 0);
        if (variant == 3)
            frames_bytes(&f, "platform", 8);
        if (variant < 4) {
            frames_ethernet(&f, 0x8100);
            frames_vlan(&f, 33, 0x0800);
        }
        inner_tcp(&f, 4);
        close_ip(&f, outer);
        assert_is_rcpt(&f, ETHERNET, &packet);
        assert_one_tunnel(&packet, SW_TUNNEL_ERSPAN, variant == 0 ? 0 : 0x123, true);
        assert_int_equal(packet.vlan, variant < 4 ? 33 : 0);
    }
}

static void test_vxlan(void **state)
{
    (void)state;
    static const unsigned ports[] = {4789, 8472, 4790};
    for (size_t i = 0; i < 3; i++) {
        struct frames f = {0};
        struct sw_packet packet;
        struct open_ip outer = outer_udp(&f, ports[i]);
        frames_u32(&f, ports[i] == 4790 ? 0x0C000003 : 0x08000000);
        frames_u32(&f, 4242 << 8);
        frames_ethernet(&f, 0x86DD);
        inner_tcp(&f, 6);
        close_ip(&f, outer);
        assert_is_rcpt(&f, ETHERNET, &packet);
        assert_one_tunnel(&packet, SW_TUNNEL_VXLAN, 4242, true);
    }
}

static void test_vlan_of_the_carrier_does_not_count(void **state)
{
    (void)state;
    struct frames f = {0};
    struct sw_packet packet;
    frames_ethernet(&f, 0x8100);
    frames_vlan(&f, 12, 0x0800);
    frames_ip4(&f, 17);
    struct open_ip outer = {f.ip_at, f.len, 4};
    frames_udp(&f, 0);
    frames_set16(&f, outer.udp_at + 2, 4789);
    frames_u32(&f, 0x08000000);
    frames_u32(&f, 0);
    frames_ethernet(&f, 0x0800);
    inner_tcp(&f, 4);
    close_ip(&f, outer);
    assert_is_rcpt(&f, ETHERNET, &packet);
    assert_int_equal(packet.vlan, 0);
}

static void test_geneve_with_options(void **state)
{
    (void)state;
    for (unsigned words = 0; words <= 63; words += 21) {
        struct frames f = {0};
        struct sw_packet packet;
        struct open_ip outer = outer_udp(&f, 6081);
        frames_u8(&f, words);
        frames_u8(&f, 0x40);
        frames_u16(&f, words % 2 ? 0x6558 : 0x0800);
        frames_u32(&f, 99 << 8);
        for (unsigned n = 0; n < words; n++)
            frames_u32(&f, 0xFFFFFFFF);
        if (words % 2)
            frames_ethernet(&f, 0x0800);
        inner_tcp(&f, 4);
        close_ip(&f, outer);
        assert_is_rcpt(&f, ETHERNET, &packet);
        assert_one_tunnel(&packet, SW_TUNNEL_GENEVE, 99, true);
    }
}

/* The frame behind the tags is one of Ethernet, or of 802.11. */
static void test_tzsp_with_tags(void **state)
{
    (void)state;
    for (int variant = 0; variant < 4; variant++) {
        struct frames f = {0};
        struct sw_packet packet;
        bool wlan = variant > 1;
        struct open_ip outer = outer_udp(&f, 37008);
        frames_u16(&f, 0x0100);
        frames_u16(&f, wlan ? 0x12 : 1);
        if (variant % 2) /* padding, and a signal strength */
            frames_bytes(&f, "\0\x0A\1\xC5", 4);
        frames_u8(&f, 1);
        if (wlan) {
            frames_u16(&f, 0x0801);
            frames_bytes(&f, "\0\0\2\0\0\0\0\1\2\0\0\0\0\2\2\0\0\0\0\3\0\0", 22);
            frames_bytes(&f, "\xAA\xAA\3\0\0\0\x08\0", 8);
        } else {
            frames_ethernet(&f, 0x0800);
        }
        inner_tcp(&f, 4);
        close_ip(&f, outer);
        assert_is_rcpt(&f, ETHERNET, &packet);
        assert_one_tunnel(&packet, SW_TUNNEL_TZSP, 0, true);
    }
}

static void test_gtp_with_extensions(void **state)
{
    (void)state;
    for (int variant = 0; variant < 3; variant++) {
        struct frames f = {0};
        struct sw_packet packet;
        struct open_ip outer = outer_udp(&f, 2152);
        frames_u8(&f, variant == 0 ? 0x30 : variant == 1 ? 0x32 : 0x36);
        frames_u8(&f, 0xFF);
        size_t length_at = f.len;
        frames_u16(&f, 0);
        frames_u32(&f, 0xABCD);
        size_t body_at = f.len;
        if (variant > 0)
            frames_u32(&f, variant == 1 ? 0x00010000 : 0x00010085);
        if (variant == 2) {
            frames_u32(&f, 0x01FFFF85); /* one word, another follows */
            frames_u32(&f, 0x01FFFF00);
        }
        inner_tcp(&f, 4);
        frames_set16(&f, length_at, (unsigned)(f.len - body_at));
        close_ip(&f, outer);
        assert_is_rcpt(&f, ETHERNET, &packet);
        assert_one_tunnel(&packet, SW_TUNNEL_GTPU, 0xABCD, true);
    }
    struct frames f = {0};
    struct sw_packet packet;
    struct open_ip outer = outer_udp(&f, 2152); /* an extension of no length would never end */
    frames_u32(&f, 0x36FF0040);
    frames_u32(&f, 1);
    frames_u32(&f, 0x00010085);
    frames_u32(&f, 0x00000085);
    close_ip(&f, outer);
    assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_BROKEN);
}

static void test_l2tp_and_teredo(void **state)
{
    (void)state;
    struct frames f = {0};
    struct sw_packet packet;
    struct open_ip outer = outer_udp(&f, 1701);
    frames_u16(&f, 0x4A02); /* length, sequence, offset, version 2 */
    frames_u16(&f, 0);
    frames_u32(&f, 0x00050006);
    frames_u32(&f, 0);
    frames_u16(&f, 3);
    frames_bytes(&f, "pad", 3);
    frames_u32(&f, 0xFF030021);
    inner_tcp(&f, 4);
    close_ip(&f, outer);
    assert_is_rcpt(&f, ETHERNET, &packet);
    assert_one_tunnel(&packet, SW_TUNNEL_L2TP, 6, true);
    for (int origin = 0; origin < 2; origin++) {
        f = (struct frames){0};
        outer = outer_udp(&f, 3544);
        if (origin)
            frames_bytes(&f, "\0\0\x12\x34\1\2\3\4", 8);
        inner_tcp(&f, 6);
        close_ip(&f, outer);
        assert_is_rcpt(&f, ETHERNET, &packet);
        assert_one_tunnel(&packet, SW_TUNNEL_TEREDO, 0, true);
    }
}

/* Any program may use any port: what does not look like the tunnel stays UDP. */
static void test_other_udp_on_those_ports(void **state)
{
    (void)state;
    static const unsigned ports[] = {4789, 8472, 4790, 6081, 2152, 1701, 3544, 37008};
    for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
        struct frames f = {0};
        struct sw_packet packet;
        struct open_ip outer = outer_udp(&f, ports[i]);
        frames_text(&f, "\xF1 something else");
        close_ip(&f, outer);
        assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_IP);
        assert_int_equal(packet.transport, SW_TRANSPORT_UDP);
        assert_int_equal(packet.tuple.dst_port, ports[i]);
        assert_int_equal(packet.payload.len, 16);
        assert_int_equal(packet.tunnel.count, 0);
    }
}

static void test_tunnels_that_are_not_read(void **state)
{
    (void)state;
    struct sw_packet packet;
    static const struct {
        unsigned protocol;
        enum sw_unread unread;
    } protocols[] = {{50, SW_UNREAD_ESP}, {115, SW_UNREAD_L2TPV3}};
    for (size_t i = 0; i < 2; i++) {
        struct frames f = {0};
        struct open_ip outer = outer4(&f, protocols[i].protocol);
        frames_text(&f, "opaque");
        close_ip(&f, outer);
        assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_OTHER);
        assert_int_equal(packet.unread, protocols[i].unread);
        assert_non_null(sw_unread_name(packet.unread));
    }
    static const struct {
        unsigned from, to;
        const char *payload;
        enum sw_unread unread;
    } ports[] = {{4500, 4500, "\1\2\3\4opaque", SW_UNREAD_ESP},
                 {40000, 1194, "opaque", SW_UNREAD_OPENVPN},
                 {51820, 40000, "\4\0\0\0opaque", SW_UNREAD_WIREGUARD},
                 {4500, 4500, "\0\0\0\0", SW_UNREAD_NOTHING}};
    for (size_t i = 0; i < 4; i++) {
        struct frames f = {0};
        struct open_ip outer = outer_udp(&f, ports[i].to);
        frames_set16(&f, outer.udp_at, ports[i].from);
        frames_bytes(&f, ports[i].payload, i == 3 ? 4 : 6);
        close_ip(&f, outer);
        assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_IP);
        assert_int_equal(packet.transport, SW_TRANSPORT_UDP);
        assert_int_equal(packet.unread, ports[i].unread);
    }
    static const struct {
        unsigned type;
        enum sw_unread unread;
    } types[] = {{0x88E5, SW_UNREAD_MACSEC}, {0x88E7, SW_UNREAD_PBB}};
    for (size_t i = 0; i < 2; i++) {
        struct frames f = {0};
        frames_ethernet(&f, types[i].type);
        frames_text(&f, "opaque");
        assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_OTHER);
        assert_int_equal(packet.unread, types[i].unread);
    }
}

static void test_authentication_header(void **state)
{
    (void)state;
    struct frames f = {0};
    struct sw_packet packet;
    frames_ethernet(&f, 0x0800);
    frames_ip4(&f, 51);
    frames_bytes(&f, "\6\4\0\0\0\0\0\1\0\0\0\1abcdefghijkl", 24);
    frames_tcp(&f, SW_TCP_ACK, NULL, 0);
    frames_text(&f, "QUIT\r\n");
    frames_finish(&f);
    assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_IP);
    assert_int_equal(packet.tuple.transport, 6);
    assert_int_equal(packet.payload.len, 6);
    assert_int_equal(packet.payload_wire, 6);
    assert_false(sw_packet_is_damaged(&packet));
}

static void test_tunnels_inside_tunnels_are_capped(void **state)
{
    (void)state;
    for (int depth = 1; depth <= 20; depth++) {
        struct frames f = {0};
        struct sw_packet packet;
        size_t at[20];
        frames_ethernet(&f, 0x0800);
        for (int i = 0; i < depth; i++) {
            frames_ip4(&f, 4);
            at[i] = f.ip_at;
        }
        inner_tcp(&f, 4);
        for (int i = 0; i < depth; i++)
            frames_set16(&f, at[i] + 2, (unsigned)(f.len - at[i]));
        enum sw_decode_result expected = depth <= SW_TUNNELS_MAX ? SW_DECODE_IP : SW_DECODE_OTHER;
        assert_int_equal(frames_decode(&f, ETHERNET, &packet), expected);
        assert_int_equal(packet.unread,
                         depth <= SW_TUNNELS_MAX ? SW_UNREAD_NOTHING : SW_UNREAD_TOO_DEEP);
    }
}

/* Padding of the outer frame is nobody's payload; what the snaplen cut is missing inside. */
static void test_lengths_inside(void **state)
{
    (void)state;
    struct frames f = {0};
    struct sw_packet packet;
    struct open_ip outer = outer_udp(&f, 4789);
    frames_u32(&f, 0x08000000);
    frames_u32(&f, 1 << 8);
    frames_ethernet(&f, 0x0800);
    inner_tcp(&f, 4);
    close_ip(&f, outer);
    frames_set16(&f, f.ip_at + 2, 0); /* inner packet left to segmentation offload */
    size_t whole = f.len;
    frames_bytes(&f, "padding", 7);
    assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_IP);
    assert_int_equal(packet.payload.len, 27);
    assert_int_equal(packet.payload_wire, 27);
    f.len = whole;
    assert_int_equal(frames_decode_cut(&f, ETHERNET, whole - 20, &packet), SW_DECODE_IP);
    assert_int_equal(packet.payload.len, 7);
    assert_int_equal(packet.payload_wire, 27);
}

static void test_every_tunnel_has_a_name(void **state)
{
    (void)state;
    for (int i = 0; i < SW_TUNNEL_KINDS; i++) {
        assert_true(strlen(sw_tunnel_name((enum sw_tunnel_kind)i)) > 0);
        assert_non_null(sw_tunnel_number((enum sw_tunnel_kind)i));
        for (int j = 0; j < i; j++)
            assert_string_not_equal(sw_tunnel_name((enum sw_tunnel_kind)i),
                                    sw_tunnel_name((enum sw_tunnel_kind)j));
    }
    assert_null(sw_unread_name(SW_UNREAD_NOTHING));
    for (int i = SW_UNREAD_NOTHING + 1; i < SW_UNREAD_COUNT; i++)
        assert_non_null(sw_unread_name((enum sw_unread)i));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ip_in_ip),
        cmocka_unit_test(test_gre_with_every_option),
        cmocka_unit_test(test_gre_that_is_not_read),
        cmocka_unit_test(test_pptp),
        cmocka_unit_test(test_erspan),
        cmocka_unit_test(test_vxlan),
        cmocka_unit_test(test_vlan_of_the_carrier_does_not_count),
        cmocka_unit_test(test_geneve_with_options),
        cmocka_unit_test(test_tzsp_with_tags),
        cmocka_unit_test(test_gtp_with_extensions),
        cmocka_unit_test(test_l2tp_and_teredo),
        cmocka_unit_test(test_other_udp_on_those_ports),
        cmocka_unit_test(test_tunnels_that_are_not_read),
        cmocka_unit_test(test_authentication_header),
        cmocka_unit_test(test_tunnels_inside_tunnels_are_capped),
        cmocka_unit_test(test_lengths_inside),
        cmocka_unit_test(test_every_tunnel_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
