/* Packets in parts: every order, copies, contradictions, cut parts, missing parts, caps. */
#include "flow/fragment.h"
#include "support/frames.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

enum { WHOLE = 300, RAW = 12 };

#define SECOND INT64_C(1000000000)

static uint8_t content[WHOLE];

static struct sw_fragments *make(uint32_t packets, uint64_t bytes)
{
    for (int i = 0; i < WHOLE; i++)
        content[i] = (uint8_t)(i * 7 + i / 256);
    const struct sw_fragment_limits limits = {packets, bytes};
    struct sw_fragments *f = sw_fragments_new(&limits, &sw_hash_fixed_key);
    assert_non_null(f);
    return f;
}

static struct sw_packet part_of(uint32_t id, uint32_t from, uint32_t to, uint32_t total)
{
    struct sw_packet p = {.tuple = {.ip_version = 4, .src = {192, 0, 2, 1}, .dst = {192, 0, 2, 2}},
                          .part = {id, from, 6, to < total}};
    p.payload = sw_span_make(content + from, to - from);
    p.payload_wire = to - from;
    return p;
}

static bool take(struct sw_fragments *f, struct sw_packet p, int64_t time_ns,
                 struct sw_whole *whole)
{
    return sw_fragments_take(f, &p, time_ns, whole);
}

static void assert_whole(const struct sw_whole *whole, uint32_t frames)
{
    assert_int_equal(whole->wire, WHOLE);
    assert_int_equal(whole->bytes.len, WHOLE);
    assert_memory_equal(whole->bytes.ptr, content, WHOLE);
    assert_int_equal(whole->frames, frames);
    assert_false(whole->conflict);
}

static void test_every_order(void **state)
{
    (void)state;
    static const uint32_t at[5] = {0, 64, 128, 200, WHOLE};
    for (unsigned order = 0; order < 256; order++) { /* four digits to the base of four */
        unsigned digits[4] = {order % 4, order / 4 % 4, order / 16 % 4, order / 64};
        unsigned seen = 0;
        for (int i = 0; i < 4; i++)
            seen |= 1u << digits[i];
        if (seen != 15)
            continue;
        struct sw_fragments *f = make(8, 0);
        struct sw_whole whole;
        for (int i = 0; i < 4; i++) {
            unsigned d = digits[i];
            bool done = take(f, part_of(1, at[d], at[d + 1], WHOLE), i, &whole);
            assert_int_equal(done, i == 3);
        }
        assert_whole(&whole, 4);
        assert_int_equal(sw_fragments_held(f), 0);
        sw_fragments_finish(f);
        assert_int_equal(sw_fragments_count(f)->incomplete, 0);
        sw_fragments_free(f);
    }
}

/* Many parts, the last one first; apart from each other no more of them than are kept. */
static void test_many_parts(void **state)
{
    (void)state;
    enum { PARTS = 60, EACH = WHOLE / PARTS, KEPT = 64 };
    size_t account = 0;
    struct sw_fragments *f = make(8, 0);
    sw_fragments_account(f, &account);
    size_t empty = account;
    struct sw_whole whole;
    for (uint32_t i = PARTS; i-- > 0;) {
        bool done = take(f, part_of(1, i * EACH, (i + 1) * EACH, WHOLE), 1, &whole);
        assert_int_equal(done, i == 0);
    }
    assert_whole(&whole, PARTS);
    for (uint32_t i = 0; i <= KEPT; i++)
        assert_false(take(f, part_of(2, 2 * i, 2 * i + 1, WHOLE), 1, &whole));
    assert_int_equal(sw_fragments_count(f)->limit_hits, 1);
    assert_int_equal(sw_fragments_held(f), 0);
    sw_fragments_finish(f);
    assert_int_equal(account, empty);
    sw_fragments_free(f);
}

static void test_overlaps_of_equal_bytes(void **state)
{
    (void)state;
    struct sw_fragments *f = make(8, 0);
    struct sw_whole whole;
    assert_false(take(f, part_of(1, 40, 120, WHOLE), 0, &whole));
    assert_false(take(f, part_of(1, 160, 240, WHOLE), 0, &whole));
    assert_false(take(f, part_of(1, 40, 120, WHOLE), 0, &whole)); /* a copy */
    assert_false(take(f, part_of(1, 0, 200, WHOLE), 0, &whole));  /* over both, and between */
    assert_true(take(f, part_of(1, 200, WHOLE, WHOLE), 0, &whole));
    assert_whole(&whole, 5);
    sw_fragments_free(f);
}

static void test_the_first_copy_wins(void **state)
{
    (void)state;
    struct sw_fragments *f = make(8, 0);
    struct sw_whole whole;
    static const uint8_t other[200] = {0};
    assert_false(take(f, part_of(1, 0, 80, WHOLE), 0, &whole));
    struct sw_packet second = part_of(1, 40, 200, WHOLE);
    second.payload.ptr = other;
    assert_false(take(f, second, 0, &whole));
    assert_true(take(f, part_of(1, 200, WHOLE, WHOLE), 0, &whole));
    assert_true(whole.conflict);
    assert_memory_equal(whole.bytes.ptr, content, 80);
    assert_memory_equal(whole.bytes.ptr + 80, other, 120);
    assert_memory_equal(whole.bytes.ptr + 200, content + 200, 100);
    assert_int_equal(sw_fragments_count(f)->conflicts, 1);
    sw_fragments_free(f);
}

static void test_two_ends(void **state)
{
    (void)state;
    struct sw_fragments *f = make(8, 0);
    struct sw_whole whole;
    assert_false(take(f, part_of(1, 160, WHOLE, WHOLE), 0, &whole));
    assert_false(take(f, part_of(1, 80, 160, 160), 0, &whole)); /* "the last one", but it is not */
    assert_false(take(f, part_of(1, 0, 80, WHOLE), 0, &whole));
    assert_true(take(f, part_of(1, 80, 160, WHOLE), 0, &whole));
    assert_true(whole.conflict);
    assert_int_equal(whole.wire, WHOLE);
    sw_fragments_free(f);
}

static void test_cut_parts(void **state)
{
    (void)state;
    for (int middle = 0; middle < 2; middle++) {
        struct sw_fragments *f = make(8, 0);
        struct sw_whole whole;
        struct sw_packet one = part_of(1, 0, 160, WHOLE);
        struct sw_packet two = part_of(1, 160, WHOLE, WHOLE);
        (middle ? &one : &two)->payload.len = 60; /* the snaplen cut it */
        assert_false(take(f, two, 0, &whole));
        assert_true(take(f, one, 0, &whole));
        assert_int_equal(whole.wire, WHOLE);
        assert_int_equal(whole.bytes.len, middle ? 60 : 220);
        assert_memory_equal(whole.bytes.ptr, content, whole.bytes.len);
        sw_fragments_free(f);
    }
}

static void test_what_belongs_together(void **state)
{
    (void)state;
    struct sw_fragments *f = make(64, 0);
    struct sw_whole whole;
    struct sw_packet rest = part_of(7, 160, WHOLE, WHOLE);
    assert_false(take(f, part_of(7, 0, 160, WHOLE), 0, &whole));
    struct sw_packet other = rest;
    other.part.id = 8;
    assert_false(take(f, other, 0, &whole));
    other = rest;
    other.part.protocol = 17;
    assert_false(take(f, other, 0, &whole));
    other = rest;
    other.tuple.src[3] = 9;
    assert_false(take(f, other, 0, &whole));
    other = rest;
    other.tunnel.count = 1;
    other.tunnel.headers[0] = (struct sw_tunnel_header){.kind = SW_TUNNEL_VXLAN, .id = 5};
    assert_false(take(f, other, 0, &whole));
    assert_true(take(f, rest, 0, &whole));
    assert_whole(&whole, 2);
    sw_fragments_finish(f);
    assert_int_equal(sw_fragments_count(f)->incomplete, 4);
    sw_fragments_free(f);
}

/* RFC 8200 4.5: the next header of the first part counts, and is no part of the identification. */
static void test_ip6_takes_the_first_next_header(void **state)
{
    (void)state;
    struct sw_fragments *f = make(8, 0);
    struct sw_whole whole;
    struct sw_packet first = part_of(7, 0, 160, WHOLE);
    struct sw_packet last = part_of(7, 160, WHOLE, WHOLE);
    first.tuple.ip_version = last.tuple.ip_version = 6;
    last.part.protocol = 99;
    assert_false(take(f, first, 0, &whole));
    assert_true(sw_fragments_take(f, &last, 0, &whole));
    assert_int_equal(last.part.protocol, 6);
    sw_fragments_free(f);
}

static void test_late_copies_and_used_numbers(void **state)
{
    (void)state;
    struct sw_fragments *f = make(8, 0);
    struct sw_whole whole;
    assert_false(take(f, part_of(1, 0, 160, WHOLE), 0, &whole));
    assert_true(take(f, part_of(1, 160, WHOLE, WHOLE), 1000, &whole));
    assert_false(take(f, part_of(1, 160, WHOLE, WHOLE), 2000, &whole)); /* of a mirror port */
    assert_int_equal(sw_fragments_count(f)->copies, 1);
    /* Half a second later the number is that of another packet. */
    assert_false(take(f, part_of(1, 160, WHOLE, WHOLE), SECOND / 2, &whole));
    assert_true(take(f, part_of(1, 0, 160, WHOLE), SECOND / 2, &whole));
    assert_whole(&whole, 2);
    sw_fragments_free(f);
}

static void test_missing_parts_time_out(void **state)
{
    (void)state;
    struct sw_fragments *f = make(8, 0);
    struct sw_whole whole;
    assert_false(take(f, part_of(1, 0, 160, WHOLE), 0, &whole));
    assert_true(sw_fragments_held(f) > 0);
    assert_false(take(f, part_of(2, 0, 160, WHOLE), 31 * SECOND, &whole));
    assert_int_equal(sw_fragments_count(f)->incomplete, 1);
    assert_false(take(f, part_of(1, 160, WHOLE, WHOLE), 31 * SECOND, &whole)); /* too late */
    sw_fragments_finish(f);
    assert_int_equal(sw_fragments_count(f)->incomplete, 3);
    assert_int_equal(sw_fragments_held(f), 0);
    sw_fragments_free(f);
}

static void test_caps(void **state)
{
    (void)state;
    struct sw_fragments *f = make(4, 0);
    struct sw_whole whole;
    for (uint32_t id = 0; id < 10; id++)
        assert_false(take(f, part_of(id, 0, 160, WHOLE), 0, &whole));
    assert_int_equal(sw_fragments_count(f)->limit_hits, 6);
    assert_false(take(f, part_of(5, 160, WHOLE, WHOLE), 0, &whole)); /* driven out */
    assert_true(take(f, part_of(9, 160, WHOLE, WHOLE), 0, &whole));
    sw_fragments_free(f);
    f = make(1000, 8192);
    for (uint32_t id = 0; id < 100; id++) {
        assert_false(take(f, part_of(id, 0, 160, WHOLE), 0, &whole));
        assert_true(sw_fragments_held(f) <= 8192);
    }
    assert_true(take(f, part_of(99, 160, WHOLE, WHOLE), 0, &whole));
    sw_fragments_free(f);
    f = make(4, 0);
    bool done = false;
    for (uint32_t at = 0; at < 800 && !done; at += 8) { /* more pieces than anybody sends */
        struct sw_packet p = part_of(1, 0, 8, WHOLE);
        p.part.offset = at * 2;
        done = take(f, p, 0, &whole);
    }
    assert_false(done);
    assert_true(sw_fragments_count(f)->limit_hits > 0);
    sw_fragments_free(f);
}

/* The whole way: two frames with parts of a TCP segment, whose checksum is then judged. */
static void test_from_frames(void **state)
{
    (void)state;
    struct frames whole_frame = {0};
    frames_ip4(&whole_frame, 6);
    frames_tcp(&whole_frame, SW_TCP_ACK, NULL, 0);
    frames_text(&whole_frame, "RCPT TO:<bob@example.org>\r\n");
    frames_finish(&whole_frame);
    for (size_t cut = 8; cut < whole_frame.len - 20; cut += 8) {
        struct sw_fragments *f = make(8, 0);
        for (int n = 0; n < 2; n++) {
            size_t from = n == 0 ? 0 : cut;
            size_t to = n == 0 ? cut : whole_frame.len - 20;
            struct frames one = {0};
            frames_ip4(&one, 6);
            frames_bytes(&one, whole_frame.bytes + 20 + from, to - from);
            frames_finish(&one);
            frames_set16(&one, 6, (unsigned)(from / 8) | (n == 0 ? 0x2000 : 0));
            struct sw_packet packet;
            struct sw_whole whole;
            assert_int_equal(frames_decode(&one, RAW, &packet), SW_DECODE_FRAGMENT);
            bool done = sw_fragments_take(f, &packet, n, &whole);
            assert_int_equal(done, n == 1);
            if (!done)
                continue;
            struct sw_packet last = packet;
            assert_int_equal(sw_decode_whole(&last, whole.bytes, whole.wire, &packet),
                             SW_DECODE_IP);
            assert_int_equal(packet.transport, SW_TRANSPORT_TCP);
            assert_int_equal(packet.tuple.dst_port, FRAMES_DST_PORT);
            assert_int_equal(packet.payload.len, 27);
            assert_memory_equal(packet.payload.ptr, "RCPT TO:<bob@example.org>\r\n", 27);
            assert_int_equal(packet.ttl, 63);
            assert_false(sw_packet_is_damaged(&packet));
        }
        sw_fragments_free(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_order),
        cmocka_unit_test(test_many_parts),
        cmocka_unit_test(test_overlaps_of_equal_bytes),
        cmocka_unit_test(test_the_first_copy_wins),
        cmocka_unit_test(test_two_ends),
        cmocka_unit_test(test_cut_parts),
        cmocka_unit_test(test_what_belongs_together),
        cmocka_unit_test(test_ip6_takes_the_first_next_header),
        cmocka_unit_test(test_late_copies_and_used_numbers),
        cmocka_unit_test(test_missing_parts_time_out),
        cmocka_unit_test(test_caps),
        cmocka_unit_test(test_from_frames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
