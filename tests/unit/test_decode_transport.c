/* TCP and UDP: fields, options, cut headers, checksums. */
#include "support/frames.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { ETHERNET = 1 };

static void build_tcp(struct frames *f, unsigned flags, const void *options, size_t options_len,
                      const char *text)
{
    *f = (struct frames){0};
    frames_ethernet(f, 0x0800);
    frames_ip4(f, 6);
    frames_tcp(f, flags, options, options_len);
    frames_text(f, text);
    frames_finish(f);
}

static void build_tcp6(struct frames *f, const char *text)
{
    *f = (struct frames){0};
    frames_ethernet(f, 0x86DD);
    frames_ip6(f, 6);
    frames_tcp(f, SW_TCP_ACK, NULL, 0);
    frames_text(f, text);
    frames_finish(f);
}

static void test_fields(void **state)
{
    (void)state;
    struct frames f;
    struct sw_packet packet;
    build_tcp(&f, 0x3F, NULL, 0, "");
    frames_set16(&f, f.tcp_at + 18, 0x0102);
    assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_IP);
    assert_int_equal(packet.tcp.seq, FRAMES_SEQ);
    assert_int_equal(packet.tcp.ack, FRAMES_ACK);
    assert_int_equal(packet.tcp.window, FRAMES_WINDOW);
    assert_int_equal(packet.tcp.urgent, 0x0102);
    assert_int_equal(packet.tcp.flags,
                     SW_TCP_FIN | SW_TCP_SYN | SW_TCP_RST | SW_TCP_PSH | SW_TCP_ACK | SW_TCP_URG);
    assert_false(packet.tcp.has_mss);
    assert_false(packet.tcp.has_window_scale);
    assert_false(packet.tcp.sack_permitted);
    assert_false(packet.tcp.has_timestamp);
    assert_int_equal(packet.tcp.sack_count, 0);
}

static void test_options_of_a_syn(void **state)
{
    (void)state;
    static const char options[] = "\2\4\5\264\4\2\10\12\1\2\3\4\5\6\7\10\1\3\3\7";
    struct frames f;
    struct sw_packet packet;
    build_tcp(&f, SW_TCP_SYN, options, 20, "");
    assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_IP);
    assert_true(packet.tcp.has_mss);
    assert_int_equal(packet.tcp.mss, 1460);
    assert_true(packet.tcp.sack_permitted);
    assert_true(packet.tcp.has_timestamp);
    assert_int_equal(packet.tcp.timestamp, 0x01020304);
    assert_int_equal(packet.tcp.timestamp_echo, 0x05060708);
    assert_true(packet.tcp.has_window_scale);
    assert_int_equal(packet.tcp.window_scale, 7);
    assert_int_equal(packet.payload_wire, 0);
}

static void test_sack_blocks(void **state)
{
    (void)state;
    for (unsigned blocks = 0; blocks <= 4; blocks++) {
        struct frames options = {0};
        frames_u16(&options, 0x0101);
        frames_u8(&options, 5);
        frames_u8(&options, 2 + 8 * blocks);
        for (uint32_t i = 0; i < 2 * blocks; i++)
            frames_u32(&options, 1000 + i);
        struct frames f;
        struct sw_packet packet;
        build_tcp(&f, SW_TCP_ACK, options.bytes, options.len, "");
        assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_IP);
        assert_int_equal(packet.tcp.sack_count, blocks);
        for (uint32_t i = 0; i < blocks; i++) {
            assert_int_equal(packet.tcp.sack[i].left, 1000 + 2 * i);
            assert_int_equal(packet.tcp.sack[i].right, 1001 + 2 * i);
        }
    }
}

/* Odd options never cost the packet, and what stood before them counts. */
static void test_bad_options_are_tolerated(void **state)
{
    (void)state;
    static const char *const odd[] = {
        "\2\4\5\264\3\0\0\0",   /* length 0 */
        "\2\4\5\264\3\1\0\0",   /* length 1 */
        "\2\4\5\264\3\77\7\0",  /* longer than the header */
        "\2\4\5\264\1\1\1\10",  /* a kind without a length */
        "\2\4\5\264\3\4\7\7",   /* a window scale of two bytes */
        "\2\4\5\264\10\4\7\7",  /* a timestamp of two bytes */
        "\2\4\5\264\4\4\7\7",   /* SACK permitted with content */
        "\2\4\5\264\0\3\3\7",   /* behind the end of the list */
        "\2\4\5\264\5\4\1\2",   /* a SACK of a quarter block */
        "\2\4\5\264\375\4\1\2", /* an unknown kind */
    };
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        struct frames f;
        struct sw_packet packet;
        build_tcp(&f, SW_TCP_SYN, odd[i], 8, "");
        assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_IP);
        assert_true(packet.tcp.has_mss);
        assert_int_equal(packet.tcp.mss, 1460);
        assert_false(packet.tcp.has_window_scale);
        assert_false(packet.tcp.has_timestamp);
        assert_false(packet.tcp.sack_permitted);
        assert_int_equal(packet.tcp.sack_count, 0);
    }
}

static void test_header_lengths(void **state)
{
    (void)state;
    struct frames f;
    struct sw_packet packet;
    build_tcp(&f, SW_TCP_ACK, NULL, 0, "NOOP\r\n");
    for (unsigned words = 0; words < 16; words++) {
        f.bytes[f.tcp_at + 12] = (uint8_t)(words << 4);
        /* Less than a header, or more than the packet has: 20 + 6 bytes. */
        enum sw_decode_result expected = words >= 5 && words <= 6 ? SW_DECODE_IP : SW_DECODE_BROKEN;
        assert_int_equal(frames_decode(&f, ETHERNET, &packet), expected);
    }
}

static void test_snaplen_in_the_options(void **state)
{
    (void)state;
    struct frames f;
    struct sw_packet packet;
    build_tcp(&f, SW_TCP_SYN, "\2\4\5\264\1\3\3\7", 8, "early");
    size_t options = f.tcp_at + 20;
    assert_int_equal(frames_decode_cut(&f, ETHERNET, options + 6, &packet), SW_DECODE_IP);
    assert_int_equal(packet.tcp.mss, 1460);
    assert_false(packet.tcp.has_window_scale);
    assert_int_equal(packet.payload.len, 0);
    assert_int_equal(packet.payload_wire, 5);
    assert_int_equal(frames_decode_cut(&f, ETHERNET, options - 1, &packet), SW_DECODE_BROKEN);
    assert_int_equal(frames_cut_everywhere(&f, ETHERNET), options);
}

static void test_snaplen_in_the_payload(void **state)
{
    (void)state;
    struct frames f;
    build_tcp(&f, SW_TCP_ACK, NULL, 0, "MAIL FROM:<a@b.example>\r\n");
    size_t payload = f.tcp_at + 20;
    for (size_t caplen = payload; caplen <= f.len; caplen++) {
        struct sw_packet packet;
        assert_int_equal(frames_decode_cut(&f, ETHERNET, caplen, &packet), SW_DECODE_IP);
        assert_int_equal(packet.payload.len, caplen - payload);
        assert_int_equal(packet.payload_wire, f.len - payload);
        assert_false(sw_packet_is_damaged(&packet));
    }
}

/* A wrong bit anywhere in the segment shows, at every length modulo eight. */
static void test_bad_checksum(void **state)
{
    (void)state;
    static const char text[] = "RCPT TO:<someone@example.net> NOTIFY=NEVER\r\n";
    for (size_t len = 1; len < sizeof(text); len++) {
        char part[sizeof(text)] = {0};
        memcpy(part, text, len);
        struct frames f4;
        struct frames f6;
        build_tcp(&f4, SW_TCP_ACK, NULL, 0, part);
        build_tcp6(&f6, part);
        for (struct frames *f = &f4;; f = &f6) {
            struct sw_packet packet;
            assert_int_equal(frames_decode(f, ETHERNET, &packet), SW_DECODE_IP);
            assert_false(sw_packet_is_damaged(&packet));
            for (size_t at = f->tcp_at + 20; at < f->len; at++) {
                f->bytes[at] ^= 0x10;
                assert_int_equal(frames_decode(f, ETHERNET, &packet), SW_DECODE_IP);
                assert_true(sw_packet_is_damaged(&packet));
                f->bytes[at] ^= 0x10;
            }
            if (f == &f6)
                break;
        }
    }
}

static uint32_t pseudo_sum(const struct frames *f, size_t length)
{
    size_t n = f->version == 4 ? 8 : 32;
    const uint8_t *at = f->bytes + f->ip_at + (f->version == 4 ? 12 : 8);
    uint32_t sum = 6 + (uint32_t)length;
    for (size_t i = 0; i < n; i += 2)
        sum += (uint32_t)(at[i] << 8 | at[i + 1]);
    while (sum >> 16)
        sum = (sum & 0xFFFF) + (sum >> 16);
    return sum;
}

static void test_offload_is_no_damage(void **state)
{
    (void)state;
    for (int version = 4; version <= 6; version += 2) {
        struct frames f;
        if (version == 4)
            build_tcp(&f, SW_TCP_ACK, NULL, 0, "DATA\r\n");
        else
            build_tcp6(&f, "DATA\r\n");
        size_t length = f.len - f.tcp_at;
        const uint32_t fine[] = {pseudo_sum(&f, length), pseudo_sum(&f, 0), 0};
        for (size_t i = 0; i < 3; i++) {
            struct sw_packet packet;
            frames_set16(&f, f.tcp_at + 16, fine[i]);
            assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_IP);
            assert_false(sw_packet_is_damaged(&packet));
            frames_set16(&f, f.tcp_at + 16, fine[i] + 1);
            assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_IP);
            assert_true(sw_packet_is_damaged(&packet));
        }
    }
}

static void test_checksum_that_cannot_be_judged(void **state)
{
    (void)state;
    struct sw_packet packet;
    struct frames f = {0};
    frames_ethernet(&f, 0x0800);
    frames_ip4(&f, 6);
    f.bytes[f.ip_at] = 0x46;
    frames_u32(&f, 0x01010101); /* options may be a source route */
    frames_tcp(&f, SW_TCP_ACK, NULL, 0);
    frames_text(&f, "DATA\r\n");
    frames_finish(&f);
    frames_set16(&f, f.tcp_at + 16, 0xBAD1);
    assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_IP);
    assert_false(sw_packet_is_damaged(&packet));

    build_tcp(&f, SW_TCP_ACK, NULL, 0, "DATA\r\n");
    frames_set16(&f, f.tcp_at + 16, 0xBAD1);
    assert_int_equal(frames_decode_cut(&f, ETHERNET, f.len - 1, &packet), SW_DECODE_IP);
    assert_false(sw_packet_is_damaged(&packet));
    assert_int_equal(frames_decode_cut(&f, ETHERNET, f.len, &packet), SW_DECODE_IP);
    assert_true(sw_packet_is_damaged(&packet));
    frames_set16(&f, f.ip_at + 2, 0); /* the packet does not say how long it is */
    assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_IP);
    assert_false(sw_packet_is_damaged(&packet));

    f = (struct frames){0};
    frames_ethernet(&f, 0x86DD);
    frames_ip6(&f, 43); /* a routing header may hold the true destination */
    frames_bytes(&f, "\6\0\0\0\0\0\0\0", 8);
    frames_tcp(&f, SW_TCP_ACK, NULL, 0);
    frames_text(&f, "DATA\r\n");
    frames_finish(&f);
    frames_set16(&f, f.tcp_at + 16, 0xBAD1);
    assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_IP);
    assert_false(sw_packet_is_damaged(&packet));
    f.bytes[f.ip_at + 6] = 0; /* as a hop-by-hop header it changes nothing */
    assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_IP);
    assert_true(sw_packet_is_damaged(&packet));
}

static void build_udp(struct frames *f, size_t claimed)
{
    *f = (struct frames){0};
    frames_ethernet(f, 0x0800);
    frames_ip4(f, 17);
    frames_udp(f, claimed);
    frames_text(f, "0123456789");
    frames_finish(f);
}

static void test_udp(void **state)
{
    (void)state;
    struct frames f;
    struct sw_packet packet;
    build_udp(&f, 10);
    assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_IP);
    assert_int_equal(packet.transport, SW_TRANSPORT_UDP);
    assert_int_equal(packet.tuple.src_port, FRAMES_SRC_PORT);
    assert_int_equal(packet.tuple.dst_port, 53);
    assert_int_equal(packet.payload_wire, 10);
    assert_memory_equal(packet.payload.ptr, "0123456789", 10);
    assert_int_equal(frames_cut_everywhere(&f, ETHERNET), f.len - 10);
    build_udp(&f, 4); /* shorter than IP says: the rest is not UDP's */
    assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_IP);
    assert_int_equal(packet.payload_wire, 4);
    assert_int_equal(packet.payload.len, 4);
    build_udp(&f, 4000); /* longer than IP says: IP wins */
    assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_IP);
    assert_int_equal(packet.payload_wire, 10);
    for (unsigned length = 0; length < 8; length++) {
        build_udp(&f, 10);
        frames_set16(&f, f.ip_at + 24, length);
        enum sw_decode_result expected = length == 0 ? SW_DECODE_IP : SW_DECODE_BROKEN;
        assert_int_equal(frames_decode(&f, ETHERNET, &packet), expected);
    }
    frames_set16(&f, f.ip_at + 2, 27); /* no room for the header */
    assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_BROKEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_options_of_a_syn),
        cmocka_unit_test(test_sack_blocks),
        cmocka_unit_test(test_bad_options_are_tolerated),
        cmocka_unit_test(test_header_lengths),
        cmocka_unit_test(test_snaplen_in_the_options),
        cmocka_unit_test(test_snaplen_in_the_payload),
        cmocka_unit_test(test_bad_checksum),
        cmocka_unit_test(test_offload_is_no_damage),
        cmocka_unit_test(test_checksum_that_cannot_be_judged),
        cmocka_unit_test(test_udp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
