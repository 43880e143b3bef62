/* ARP and neighbour discovery: who asks for whom, who answers. */
#include "support/frames.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { ETHERNET = 1, ASK = 1, ANSWER = 2 };

static const uint8_t one[4] = {192, 0, 2, 1};
static const uint8_t two[4] = {192, 0, 2, 2};
static const uint8_t nobody[16] = {0};

static void arp(struct frames *f, unsigned operation, const uint8_t *sender, const uint8_t *target)
{
    *f = (struct frames){0};
    frames_ethernet(f, 0x0806);
    frames_u16(f, 1);
    frames_u16(f, 0x0800);
    frames_u16(f, 0x0604);
    frames_u16(f, operation);
    frames_bytes(f, "\2\0\0\0\0\1", 6);
    frames_bytes(f, sender, 4);
    frames_bytes(f, "\0\0\0\0\0\0", 6);
    frames_bytes(f, target, 4);
}

static void test_arp(void **state)
{
    (void)state;
    struct frames f;
    struct sw_packet p;
    arp(&f, ASK, one, two);
    assert_int_equal(frames_decode(&f, ETHERNET, &p), SW_DECODE_OTHER);
    assert_true(p.neighbour.seen && !p.neighbour.answer);
    assert_int_equal(p.neighbour.ip_version, 4);
    assert_memory_equal(p.neighbour.asker, one, 4);
    assert_memory_equal(p.neighbour.target, two, 4);
    arp(&f, ANSWER, two, one);
    assert_int_equal(frames_decode(&f, ETHERNET, &p), SW_DECODE_OTHER);
    assert_true(p.neighbour.seen && p.neighbour.answer);
    assert_memory_equal(p.neighbour.asker, one, 4);
    assert_memory_equal(p.neighbour.target, two, 4);
}

static void test_arp_about_oneself(void **state)
{
    (void)state;
    struct frames f;
    struct sw_packet p;
    arp(&f, ASK, one, one);
    assert_int_equal(frames_decode(&f, ETHERNET, &p), SW_DECODE_OTHER);
    assert_false(p.neighbour.seen);
    arp(&f, ASK, nobody, one);
    assert_int_equal(frames_decode(&f, ETHERNET, &p), SW_DECODE_OTHER);
    assert_false(p.neighbour.seen);
    arp(&f, 9, one, two);
    assert_int_equal(frames_decode(&f, ETHERNET, &p), SW_DECODE_OTHER);
    assert_false(p.neighbour.seen);
}

static void test_arp_at_every_cut(void **state)
{
    (void)state;
    struct frames f;
    struct sw_packet p;
    arp(&f, ASK, one, two);
    for (size_t n = 14; n < f.len; n++) {
        assert_int_equal(frames_decode_cut(&f, ETHERNET, n, &p), SW_DECODE_OTHER);
        assert_false(p.neighbour.seen);
    }
}

static void nd(struct frames *f, unsigned type)
{
    *f = (struct frames){0};
    frames_ethernet(f, 0x86DD);
    frames_ip6(f, 58);
    frames_u8(f, type);
    frames_u8(f, 0);
    frames_u16(f, 0);
    frames_u32(f, 0);
    frames_bytes(f, frames_dst6, 16);
    f->ip_at = 14;
    f->tcp_at = 0;
    frames_finish(f);
}

static void test_neighbour_discovery(void **state)
{
    (void)state;
    struct frames f;
    struct sw_packet p;
    nd(&f, 135);
    assert_int_equal(frames_decode(&f, ETHERNET, &p), SW_DECODE_IP);
    assert_true(p.neighbour.seen && !p.neighbour.answer);
    assert_int_equal(p.neighbour.ip_version, 6);
    assert_memory_equal(p.neighbour.asker, frames_src6, 16);
    assert_memory_equal(p.neighbour.target, frames_dst6, 16);
    nd(&f, 136);
    assert_int_equal(frames_decode(&f, ETHERNET, &p), SW_DECODE_IP);
    assert_true(p.neighbour.seen && p.neighbour.answer);
    nd(&f, 128);
    assert_int_equal(frames_decode(&f, ETHERNET, &p), SW_DECODE_IP);
    assert_false(p.neighbour.seen);
}

static void test_nobody_asks_for_a_free_address(void **state)
{
    (void)state;
    struct frames f;
    struct sw_packet p;
    nd(&f, 135);
    memset(f.bytes + 14 + 8, 0, 16); /* the source address */
    assert_int_equal(frames_decode(&f, ETHERNET, &p), SW_DECODE_IP);
    assert_false(p.neighbour.seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arp),
        cmocka_unit_test(test_arp_about_oneself),
        cmocka_unit_test(test_arp_at_every_cut),
        cmocka_unit_test(test_neighbour_discovery),
        cmocka_unit_test(test_nobody_asks_for_a_free_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
