/* The short cut of the decoder says what the walk says, or nothing. */
#include "decode/layer.h"
#include "support/frames.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

enum { ETHERNET = 1, LINUX_SLL = 113, LINUX_SLL2 = 276 };

/* The same packet, to the last bit; true when the short cut was taken. */
static bool agree(const uint8_t *bytes, size_t caplen, size_t len, int32_t link_type)
{
    uint8_t *exact = malloc(caplen + (caplen == 0)); /* so that a sanitizer sees every byte more */
    assert_non_null(exact);
    memcpy(exact, bytes, caplen);
    const struct sw_frame frame = {
        .bytes = exact, .caplen = (uint32_t)caplen, .len = (uint32_t)len, .link_type = link_type};
    struct sw_packet walked, decoded, straight;
    memset(&walked, 0xA5, sizeof(walked));
    memset(&decoded, 0xA5, sizeof(decoded));
    memset(&straight, 0xA5, sizeof(straight));
    enum sw_decode_result result = sw_decode_walk(&frame, &walked);
    assert_int_equal(sw_decode(&frame, &decoded), result);
    bool taken = sw_decode_straight(&frame, &straight);
    if (taken) {
        assert_int_equal(result, SW_DECODE_IP);
        assert_memory_equal(&decoded, &walked, sizeof(walked));
    }
    free(exact);
    return taken;
}

static const char timestamps[] = "\1\1\10\12\1\2\3\4\5\6\7\10";
static const char of_a_syn[] = "\2\4\5\264\4\2\10\12\1\2\3\4\5\6\7\10\1\3\3\7";

enum { SHAPES = 12 };

/* One of the shapes that the short cut is there for. */
static void build(struct frames *f, int32_t link_type, int shape, const char *text)
{
    bool four = shape % 2 == 0;
    bool tagged = shape / 2 % 2 == 1;
    unsigned type = four ? 0x0800 : 0x86DD;
    *f = (struct frames){0};
    if (link_type == LINUX_SLL) {
        for (int i = 0; i < 14; i++)
            frames_u8(f, 0);
        frames_u16(f, tagged ? 0x8100 : type);
    } else {
        frames_ethernet(f, tagged ? 0x8100 : type);
    }
    if (tagged)
        frames_vlan(f, 42, type);
    if (four)
        frames_ip4(f, 6);
    else
        frames_ip6(f, 6);
    int options = shape / 4;
    frames_tcp(f, options == 2 ? SW_TCP_SYN : SW_TCP_ACK | SW_TCP_PSH,
               options == 1   ? timestamps
               : options == 2 ? of_a_syn
                              : NULL,
               options == 1   ? 12
               : options == 2 ? 20
                              : 0);
    frames_text(f, text);
    frames_finish(f);
}

static void test_common_shapes_take_it(void **state)
{
    (void)state;
    static const int32_t links[] = {ETHERNET, LINUX_SLL};
    struct frames f;
    for (size_t link = 0; link < 2; link++) {
        for (int shape = 0; shape < SHAPES; shape++) {
            build(&f, links[link], shape, "EHLO client.example\r\n");
            assert_true(agree(f.bytes, f.len, f.len, links[link]));
            assert_true(agree(f.bytes, f.len + 6, f.len + 6, links[link])); /* padding */
            build(&f, links[link], shape, "");
            assert_true(agree(f.bytes, f.len, f.len, links[link]));
        }
    }
}

static void test_cut_anywhere(void **state)
{
    (void)state;
    struct frames f;
    for (int shape = 0; shape < SHAPES; shape++) {
        build(&f, ETHERNET, shape, "QUIT\r\n");
        for (size_t caplen = 0; caplen < f.len; caplen++)
            assert_false(agree(f.bytes, caplen, f.len, ETHERNET));
    }
}

/* Every header byte takes every value, whatever the others are then made of. */
static void test_any_byte(void **state)
{
    (void)state;
    struct frames f;
    for (int shape = 0; shape < SHAPES; shape++) {
        build(&f, ETHERNET, shape, "QUIT\r\n");
        for (size_t at = 0; at < f.len; at++) {
            uint8_t was = f.bytes[at];
            for (unsigned value = 0; value < 256; value++) {
                f.bytes[at] = (uint8_t)value;
                (void)agree(f.bytes, f.len, f.len, ETHERNET);
            }
            f.bytes[at] = was;
        }
    }
}

static uint32_t next_number(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

static void test_several_bytes(void **state)
{
    (void)state;
    static const int32_t links[] = {ETHERNET, LINUX_SLL, LINUX_SLL2};
    static const uint8_t odd[] = {0, 1, 4, 6, 8, 0x40, 0x45, 0x46, 0x50, 0x60, 0x80, 0x81, 0xFF};
    uint32_t seed = 1;
    unsigned taken = 0;
    enum { ROUNDS = 60000 };
    for (int round = 0; round < ROUNDS; round++) {
        struct frames f;
        int32_t link = links[next_number(&seed) % 3];
        build(&f, link, (int)(next_number(&seed) % SHAPES), "QUIT\r\n");
        for (uint32_t n = next_number(&seed) % 4; n > 0; n--)
            f.bytes[next_number(&seed) % f.len] = odd[next_number(&seed) % sizeof(odd)];
        size_t caplen = next_number(&seed) % 4 ? f.len : next_number(&seed) % f.len;
        taken += agree(f.bytes, caplen, f.len, link);
    }
    assert_true(taken > ROUNDS / 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_common_shapes_take_it),
        cmocka_unit_test(test_cut_anywhere),
        cmocka_unit_test(test_any_byte),
        cmocka_unit_test(test_several_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
