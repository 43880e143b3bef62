/* Link layers: every one of them leads to the same packet. */
#include "support/frames.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { ETHERNET = 1 };

static void append_tcp4(struct frames *f)
{
    frames_ip4(f, 6);
    frames_tcp(f, SW_TCP_ACK | SW_TCP_PSH, NULL, 0);
    frames_text(f, "EHLO client.example\r\n");
    frames_finish(f);
}

static void append_tcp6(struct frames *f)
{
    frames_ip6(f, 6);
    frames_tcp(f, SW_TCP_ACK | SW_TCP_PSH, NULL, 0);
    frames_text(f, "EHLO client.example\r\n");
    frames_finish(f);
}

static void assert_is_ehlo(const struct sw_packet *packet, uint8_t version)
{
    assert_int_equal(packet->transport, SW_TRANSPORT_TCP);
    assert_int_equal(packet->tuple.ip_version, version);
    assert_int_equal(packet->tuple.transport, 6);
    assert_int_equal(packet->tuple.src_port, FRAMES_SRC_PORT);
    assert_int_equal(packet->tuple.dst_port, FRAMES_DST_PORT);
    uint8_t src[16] = {0};
    uint8_t dst[16] = {0};
    memcpy(src, version == 4 ? frames_src4 : frames_src6, version == 4 ? 4 : 16);
    memcpy(dst, version == 4 ? frames_dst4 : frames_dst6, version == 4 ? 4 : 16);
    assert_memory_equal(packet->tuple.src, src, 16); /* the rest of IPv4's is zero */
    assert_memory_equal(packet->tuple.dst, dst, 16);
    assert_int_equal(packet->payload_wire, 21);
    assert_int_equal(packet->payload.len, 21);
    assert_memory_equal(packet->payload.ptr, "EHLO client.example\r\n", 21);
    assert_false(sw_packet_is_damaged(packet));
}

static void assert_decodes(const struct frames *f, int32_t link_type, uint8_t version)
{
    struct sw_packet packet;
    assert_true(sw_decode_knows(link_type));
    assert_int_equal(frames_decode(f, link_type, &packet), SW_DECODE_IP);
    assert_is_ehlo(&packet, version);
    assert_int_equal(packet.vlan, 0);
    /* Everything from the whole TCP header on is a packet, everything before is broken. */
    assert_int_equal(frames_cut_everywhere(f, link_type), f->tcp_at + 20);
}

static void test_ethernet(void **state)
{
    (void)state;
    struct frames four = {0};
    frames_ethernet(&four, 0x0800);
    append_tcp4(&four);
    assert_decodes(&four, ETHERNET, 4);
    struct frames six = {0};
    frames_ethernet(&six, 0x86DD);
    append_tcp6(&six);
    assert_decodes(&six, ETHERNET, 6);
}

static void test_raw_ip(void **state)
{
    (void)state;
    static const int32_t numbers[] = {12, 14, 101, 228, 229};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        struct frames four = {0};
        append_tcp4(&four);
        assert_decodes(&four, numbers[i], 4);
        struct frames six = {0};
        append_tcp6(&six);
        assert_decodes(&six, numbers[i], 6);
    }
    struct frames odd = {0};
    frames_u32(&odd, 0x50000000);
    struct sw_packet packet;
    assert_int_equal(frames_decode(&odd, 12, &packet), SW_DECODE_OTHER);
    odd.len = 0;
    assert_int_equal(frames_decode(&odd, 12, &packet), SW_DECODE_BROKEN);
}

static void put_family(struct frames *f, uint32_t family, bool little)
{
    if (little)
        family = __builtin_bswap32(family);
    frames_u32(f, family);
}

static void test_loopback_of_every_system(void **state)
{
    (void)state;
    static const uint32_t families6[] = {10, 23, 24, 28, 30};
    for (int little = 0; little < 2; little++) {
        struct frames four = {0};
        put_family(&four, 2, little);
        append_tcp4(&four);
        assert_decodes(&four, 0, 4);
        assert_decodes(&four, 108, 4);
        for (size_t i = 0; i < sizeof(families6) / sizeof(families6[0]); i++) {
            struct frames six = {0};
            put_family(&six, families6[i], little);
            append_tcp6(&six);
            assert_decodes(&six, 0, 6);
            assert_decodes(&six, 108, 6);
        }
        struct frames other = {0};
        put_family(&other, 7, little);
        append_tcp4(&other);
        struct sw_packet packet;
        assert_int_equal(frames_decode(&other, 0, &packet), SW_DECODE_OTHER);
    }
}

static void test_linux_cooked(void **state)
{
    (void)state;
    struct frames one = {0};
    frames_u16(&one, 4); /* sent by us */
    frames_u16(&one, 1);
    frames_u16(&one, 6);
    frames_bytes(&one, "\2\0\0\0\0\1\0\0", 8);
    frames_u16(&one, 0x0800);
    append_tcp4(&one);
    assert_decodes(&one, 113, 4);
    struct frames two = {0};
    frames_u16(&two, 0x86DD);
    frames_u16(&two, 0);
    frames_u32(&two, 2); /* interface */
    frames_u16(&two, 1);
    frames_u8(&two, 0);
    frames_u8(&two, 6);
    frames_bytes(&two, "\2\0\0\0\0\1\0\0", 8);
    append_tcp6(&two);
    assert_decodes(&two, 276, 6);
}

static void test_vlan_tags_of_every_type(void **state)
{
    (void)state;
    static const unsigned types[] = {0x8100, 0x88A8, 0x9100};
    for (size_t i = 0; i < 3; i++) {
        struct frames f = {0};
        frames_ethernet(&f, types[i]);
        frames_vlan(&f, 0xE000 | 42, 0x0800); /* the priority is not part of the id */
        append_tcp4(&f);
        struct sw_packet packet;
        assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_IP);
        assert_is_ehlo(&packet, 4);
        assert_int_equal(packet.vlan, 42);
        assert_int_equal(frames_cut_everywhere(&f, ETHERNET), f.tcp_at + 20);
    }
}

static void test_double_tag_gives_the_outer_id(void **state)
{
    (void)state;
    struct frames f = {0};
    frames_ethernet(&f, 0x88A8);
    frames_vlan(&f, 100, 0x8100);
    frames_vlan(&f, 200, 0x86DD);
    append_tcp6(&f);
    struct sw_packet packet;
    assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_IP);
    assert_is_ehlo(&packet, 6);
    assert_int_equal(packet.vlan, 100);
}

static void test_tag_in_linux_cooked(void **state)
{
    (void)state;
    struct frames f = {0};
    frames_bytes(&f, "\0\4\0\1\0\6\2\0\0\0\0\1\0\0", 14);
    frames_u16(&f, 0x8100);
    frames_vlan(&f, 7, 0x0800);
    append_tcp4(&f);
    struct sw_packet packet;
    assert_int_equal(frames_decode(&f, 113, &packet), SW_DECODE_IP);
    assert_int_equal(packet.vlan, 7);
}

static void test_vlan_bomb_ends(void **state)
{
    (void)state;
    for (int tags = 1; tags <= 40; tags++) {
        struct frames f = {0};
        frames_ethernet(&f, 0x8100);
        for (int i = 1; i < tags; i++)
            frames_vlan(&f, 5, 0x8100);
        frames_vlan(&f, 5, 0x0800);
        append_tcp4(&f);
        struct sw_packet packet;
        enum sw_decode_result expected = tags <= 8 ? SW_DECODE_IP : SW_DECODE_BROKEN;
        assert_int_equal(frames_decode(&f, ETHERNET, &packet), expected);
        (void)frames_cut_everywhere(&f, ETHERNET);
    }
}

static void test_other_frames(void **state)
{
    (void)state;
    /* ARP, LLDP, PPPoE discovery, 802.3 with LLC (a length in place of the type). */
    static const unsigned types[] = {0x0806, 0x88CC, 0x8863, 0x0026};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        struct frames f = {0};
        frames_ethernet(&f, types[i]);
        frames_bytes(&f, "\x42\x42\x03", 3);
        struct sw_packet packet;
        assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_OTHER);
        assert_int_equal(packet.transport, SW_TRANSPORT_NONE);
        assert_int_equal(packet.payload.len, 0);
        for (size_t n = 0; n < 14; n++)
            assert_int_equal(frames_decode_cut(&f, ETHERNET, n, &packet), SW_DECODE_BROKEN);
    }
}

static void test_unknown_link_types(void **state)
{
    (void)state;
    static const int32_t known[] = {0,   1,   9,   12,  14,  50,  51,  101, 104, 105, 108, 109,
                                    113, 117, 127, 166, 204, 205, 219, 228, 229, 239, 258, 276};
    size_t count = 0;
    for (int32_t number = -1; number < 400; number++) {
        bool listed = false;
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
            listed = listed || known[i] == number;
        assert_int_equal(sw_decode_knows(number), listed);
        count += sw_decode_knows(number);
        struct frames f = {0};
        frames_ethernet(&f, 0x0800);
        append_tcp4(&f);
        struct sw_packet packet;
        if (!listed)
            assert_int_equal(frames_decode(&f, number, &packet), SW_DECODE_OTHER);
    }
    assert_int_equal(count, sizeof(known) / sizeof(known[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ethernet),
        cmocka_unit_test(test_raw_ip),
        cmocka_unit_test(test_loopback_of_every_system),
        cmocka_unit_test(test_linux_cooked),
        cmocka_unit_test(test_vlan_tags_of_every_type),
        cmocka_unit_test(test_double_tag_gives_the_outer_id),
        cmocka_unit_test(test_tag_in_linux_cooked),
        cmocka_unit_test(test_vlan_bomb_ends),
        cmocka_unit_test(test_other_frames),
        cmocka_unit_test(test_unknown_link_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
