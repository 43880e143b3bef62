/* IPv4 and IPv6: lengths, padding, fragments, extension headers. */
#include "support/frames.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { ETHERNET = 1, ETHERNET_BYTES = 14, RAW = 12 };

static void begin4(struct frames *f)
{
    *f = (struct frames){0};
    frames_ethernet(f, 0x0800);
    frames_ip4(f, 6);
}

static void finish_with_text(struct frames *f)
{
    frames_tcp(f, SW_TCP_ACK, NULL, 0);
    frames_text(f, "QUIT\r\n");
    frames_finish(f);
}

static void assert_is_quit(const struct frames *f, struct sw_packet *packet)
{
    assert_int_equal(frames_decode(f, ETHERNET, packet), SW_DECODE_IP);
    assert_int_equal(packet->transport, SW_TRANSPORT_TCP);
    assert_int_equal(packet->tuple.transport, 6);
    assert_int_equal(packet->payload.len, 6);
    assert_memory_equal(packet->payload.ptr, "QUIT\r\n", 6);
    assert_int_equal(packet->payload_wire, 6);
}

static void test_fields_of_ip4(void **state)
{
    (void)state;
    struct frames f;
    begin4(&f);
    finish_with_text(&f);
    struct sw_packet packet;
    assert_is_quit(&f, &packet);
    assert_int_equal(packet.ttl, 63);
    assert_int_equal(packet.ip_id, 0x1234);
}

static void test_padding_is_no_payload(void **state)
{
    (void)state;
    struct frames f;
    struct sw_packet packet;
    begin4(&f);
    finish_with_text(&f);
    frames_bytes(&f, "padding", 7);
    assert_is_quit(&f, &packet);
    assert_false(sw_packet_is_damaged(&packet));
    /* An ACK without data in a frame of the least size. */
    begin4(&f);
    frames_tcp(&f, SW_TCP_ACK, NULL, 0);
    frames_finish(&f);
    frames_bytes(&f, "\0\0\0\0\0\0", 6);
    assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_IP);
    assert_int_equal(packet.payload.len, 0);
    assert_int_equal(packet.payload_wire, 0);
}

static void test_options_of_ip4(void **state)
{
    (void)state;
    for (unsigned words = 6; words <= 15; words++) {
        struct frames f;
        begin4(&f);
        f.bytes[f.ip_at] = (uint8_t)(0x40 | words);
        for (unsigned i = 5; i < words; i++)
            frames_u32(&f, 0x01010101);
        finish_with_text(&f);
        struct sw_packet packet;
        assert_is_quit(&f, &packet);
        assert_int_equal(frames_cut_everywhere(&f, ETHERNET), f.tcp_at + 20);
    }
}

static void test_headers_that_contradict_themselves(void **state)
{
    (void)state;
    struct frames f;
    struct sw_packet packet;
    begin4(&f);
    finish_with_text(&f);
    frames_set16(&f, f.ip_at + 2, 19); /* a total length below the header's */
    assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_BROKEN);
    frames_set16(&f, f.ip_at + 2, 20 + 19); /* no room for a TCP header */
    assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_BROKEN);
    frames_finish(&f);
    for (unsigned words = 0; words < 5; words++) {
        f.bytes[f.ip_at] = (uint8_t)(0x40 | words);
        assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_BROKEN);
    }
    f.bytes[f.ip_at] = 0x65; /* another version than the EtherType said */
    assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_BROKEN);
}

static void test_packet_longer_than_the_frame(void **state)
{
    (void)state;
    struct frames f;
    struct sw_packet packet;
    begin4(&f);
    finish_with_text(&f);
    frames_set16(&f, f.ip_at + 2, 20 + 20 + 1000);
    assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_IP);
    assert_int_equal(packet.payload.len, 6);
    assert_int_equal(packet.payload_wire, 1000);
    assert_false(sw_packet_is_damaged(&packet)); /* cannot be known */
}

static void test_length_zero_takes_what_there_is(void **state)
{
    (void)state;
    struct frames f;
    struct sw_packet packet;
    begin4(&f);
    finish_with_text(&f);
    frames_set16(&f, f.ip_at + 2, 0);
    assert_is_quit(&f, &packet);
    /* With a snaplen the rest of the frame counts as sent. */
    assert_int_equal(frames_decode_cut(&f, ETHERNET, f.len - 4, &packet), SW_DECODE_IP);
    assert_int_equal(packet.payload.len, 2);
    assert_int_equal(packet.payload_wire, 6);
}

static void test_parts_of_ip4(void **state)
{
    (void)state;
    static const struct {
        unsigned field;
        uint32_t offset;
        bool more;
    } parts[] = {{0x2000, 0, true}, {0x2001, 8, true}, {0x0001, 8, false}, {0x1F00, 63488, false}};
    struct frames f;
    struct sw_packet packet;
    begin4(&f);
    frames_tcp(&f, SW_TCP_ACK, NULL, 0);
    frames_text(&f, "NOOP");
    frames_finish(&f);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        frames_set16(&f, f.ip_at + 6, parts[i].field);
        assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_FRAGMENT);
        assert_int_equal(packet.transport, SW_TRANSPORT_NONE);
        assert_int_equal(packet.part.id, 0x1234);
        assert_int_equal(packet.part.offset, parts[i].offset);
        assert_int_equal(packet.part.more, parts[i].more);
        assert_int_equal(packet.part.protocol, 6);
        assert_ptr_equal(packet.payload.ptr, f.bytes + f.tcp_at);
        assert_int_equal(packet.payload.len, 24);
        assert_int_equal(packet.payload_wire, 24);
    }
    frames_set16(&f, f.ip_at + 6, 0x1FFF); /* it would end behind 65535 */
    assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_BROKEN);
    begin4(&f);
    finish_with_text(&f); /* 26 bytes: only the last part may be no multiple of eight */
    frames_set16(&f, f.ip_at + 6, 0x2000);
    assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_BROKEN);
    frames_set16(&f, f.ip_at + 6, 0x8000); /* the reserved bit alone fragments nothing */
    assert_is_quit(&f, &packet);
}

static void test_other_protocols(void **state)
{
    (void)state;
    static const uint8_t protocols[] = {0, 2, 47, 50, 89, 132, 255};
    struct frames f;
    struct sw_packet packet;
    begin4(&f);
    finish_with_text(&f);
    for (size_t i = 0; i < sizeof(protocols); i++) {
        f.bytes[f.ip_at + 9] = protocols[i];
        assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_OTHER);
        assert_int_equal(packet.tuple.transport, protocols[i]);
    }
}

/* IPv6 behind Ethernet with these extension headers; `first` is the first next-header value. */
static void build6(struct frames *f, unsigned first, const void *extensions, size_t len)
{
    *f = (struct frames){0};
    frames_ethernet(f, 0x86DD);
    frames_ip6(f, first);
    frames_bytes(f, extensions, len);
    finish_with_text(f);
}

struct chain {
    unsigned first;
    const char *bytes;
    size_t len;
};

static void test_extension_headers(void **state)
{
    (void)state;
    static const struct chain chains[] = {
        {6, "", 0},
        {0, "\6\0\5\2\0\0\1\0", 8},  /* hop-by-hop with a router alert */
        {60, "\6\0\1\4\0\0\0\0", 8}, /* destination options */
        {43, "\6\2\0\0\0\0\0\0\1\2\3\4\5\6\7\10\1\2\3\4\5\6\7\10", 24}, /* routing */
        {51, "\6\4\0\0\0\0\0\1\0\0\0\1abcdefghijkl", 24}, /* authentication: words of four bytes */
        {44, "\6\0\0\0\0\0\0\7", 8},                      /* an atomic fragment */
        {44, "\6\0\0\6\0\0\0\7", 8},                      /* its reserved bits do not matter */
        {135, "\6\0\0\0\0\0\0\0", 8},                     /* mobility */
        {139, "\6\0\0\0\0\0\0\0", 8},                     /* HIP */
        {140, "\6\0\0\0\0\0\0\0", 8},                     /* Shim6 */
        {0, "\74\0\1\4\0\0\0\0\53\0\1\4\0\0\0\0\54\0\0\0\0\0\0\0\6\0\0\0\0\0\0\1", 32}, /* four */
    };
    for (size_t i = 0; i < sizeof(chains) / sizeof(chains[0]); i++) {
        struct frames f;
        build6(&f, chains[i].first, chains[i].bytes, chains[i].len);
        struct sw_packet packet;
        assert_is_quit(&f, &packet);
        assert_int_equal(packet.tuple.ip_version, 6);
        assert_int_equal(packet.ttl, 62);
        assert_int_equal(packet.ip_id, 0);
        assert_int_equal(frames_cut_everywhere(&f, ETHERNET), f.tcp_at + 20);
    }
}

static void test_parts_of_ip6(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        uint32_t offset;
        bool more;
    } parts[] = {{"\6\0\0\1\0\0\0\7", 0, true},
                 {"\6\0\0\10\0\0\0\7", 8, false},
                 {"\6\0\0\11\0\0\0\7", 8, true},
                 {"\6\0\360\0\0\0\0\7", 61440, false}};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        struct frames f = {0};
        frames_ethernet(&f, 0x86DD);
        frames_ip6(&f, 44);
        frames_bytes(&f, parts[i].header, 8);
        frames_tcp(&f, SW_TCP_ACK, NULL, 0);
        frames_text(&f, "NOOP");
        frames_finish(&f);
        struct sw_packet packet;
        assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_FRAGMENT);
        assert_int_equal(packet.tuple.transport, 6);
        assert_int_equal(packet.transport, SW_TRANSPORT_NONE);
        assert_int_equal(packet.part.id, 7);
        assert_int_equal(packet.part.offset, parts[i].offset);
        assert_int_equal(packet.part.more, parts[i].more);
        assert_int_equal(packet.payload_wire, 24);
    }
}

static void test_endless_extensions(void **state)
{
    (void)state;
    static const char one[] = "\74\0\1\4\0\0\0\0"; /* destination options, and again */
    char chain[8 * 30];
    for (size_t i = 0; i < 30; i++)
        memcpy(chain + 8 * i, one, 8);
    chain[8 * 29] = 6;
    struct frames f;
    build6(&f, 60, chain, sizeof(chain));
    struct sw_packet packet;
    assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_BROKEN);
}

static void test_extension_longer_than_the_packet(void **state)
{
    (void)state;
    struct frames f;
    struct sw_packet packet;
    build6(&f, 60, "\6\377\1\4\0\0\0\0", 8);
    assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_BROKEN);
    build6(&f, 59, "", 0); /* no next header */
    assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_OTHER);
}

static void test_jumbo_payload(void **state)
{
    (void)state;
    struct frames f;
    build6(&f, 0, "\6\0\302\4\0\0\0\0", 8);
    size_t length = f.len - f.ip_at - 40;
    frames_set16(&f, f.ip_at + 4, 0);
    frames_set16(&f, f.ip_at + 40 + 6, (unsigned)length);
    struct sw_packet packet;
    assert_is_quit(&f, &packet);
    frames_text(&f, "more than the jumbo length");
    assert_is_quit(&f, &packet);
    frames_set16(&f, f.ip_at + 40 + 4, 1); /* 65536 bytes more than there are */
    assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_IP);
    assert_int_equal(packet.payload_wire, 65536 + 6);
    frames_set16(&f, f.ip_at + 40 + 4, 0);
    frames_set16(&f, f.ip_at + 40 + 6, 5); /* less than the option's own header */
    assert_int_equal(frames_decode(&f, ETHERNET, &packet), SW_DECODE_BROKEN);
}

static void test_length_zero_of_ip6(void **state)
{
    (void)state;
    struct frames f;
    struct sw_packet packet;
    build6(&f, 6, "", 0);
    frames_set16(&f, f.ip_at + 4, 0);
    assert_is_quit(&f, &packet);
    build6(&f, 0, "\6\0\1\4\0\0\0\0", 8); /* hop-by-hop without a jumbo length */
    frames_set16(&f, f.ip_at + 4, 0);
    assert_is_quit(&f, &packet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields_of_ip4),
        cmocka_unit_test(test_padding_is_no_payload),
        cmocka_unit_test(test_options_of_ip4),
        cmocka_unit_test(test_headers_that_contradict_themselves),
        cmocka_unit_test(test_packet_longer_than_the_frame),
        cmocka_unit_test(test_length_zero_takes_what_there_is),
        cmocka_unit_test(test_parts_of_ip4),
        cmocka_unit_test(test_other_protocols),
        cmocka_unit_test(test_extension_headers),
        cmocka_unit_test(test_parts_of_ip6),
        cmocka_unit_test(test_endless_extensions),
        cmocka_unit_test(test_extension_longer_than_the_packet),
        cmocka_unit_test(test_jumbo_payload),
        cmocka_unit_test(test_length_zero_of_ip6),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
