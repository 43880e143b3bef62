/*
 * Reassembly against a naive model: whatever is done to the segments of one stream on their way,
 * the text that comes out is right, and what is missing is told. Seeds are fixed; each round is
 * another way of cutting, mixing, copying and losing.
 */
#include "support/segments.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

enum { ROUNDS = 1500, ROUNDS_AMONG_MANY = 300, PIECES_MAX = 400 };

static int rounds = ROUNDS;

static uint32_t seed;

static uint32_t dice(uint32_t sides)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed % sides;
}

static uint8_t stream[SEGMENTS_STREAM_BYTES];
static size_t stream_bytes;

struct piece {
    size_t from, to;
    bool lost, lying;
    uint8_t twist; /* what a lying copy does to its bytes */
};

static struct piece pieces[PIECES_MAX];
static size_t piece_count;

/* A new stream, cut at random places into segments. */
static void cut_stream(size_t largest)
{
    stream_bytes = 1 + dice(SEGMENTS_STREAM_BYTES / 2);
    for (size_t i = 0; i < stream_bytes; i++)
        stream[i] = (uint8_t)dice(256);
    piece_count = 0;
    for (size_t at = 0; at < stream_bytes && piece_count < PIECES_MAX / 2;) {
        size_t n = 1 + dice((uint32_t)largest);
        if (piece_count == PIECES_MAX / 2 - 1 || at + n > stream_bytes)
            n = stream_bytes - at;
        pieces[piece_count++] = (struct piece){.from = at, .to = at + n};
        at += n;
    }
}

static void insert(size_t at, struct piece piece)
{
    memmove(&pieces[at + 1], &pieces[at], (piece_count - at) * sizeof(piece));
    pieces[at] = piece;
    piece_count++;
}

/* Copies of what was sent, whole or with other borders, somewhere behind it. */
static void add_copies(size_t copies)
{
    for (size_t n = 0; n < copies && piece_count < PIECES_MAX; n++) {
        size_t from = dice((uint32_t)stream_bytes);
        size_t to = from + 1 + dice(400);
        insert(dice((uint32_t)piece_count + 1),
               (struct piece){.from = from, .to = to < stream_bytes ? to : stream_bytes});
    }
}

/* Swaps segments with others not further away than a network (or a recorder) would. */
static void mix(size_t distance)
{
    for (size_t i = 0; i < piece_count; i++) {
        size_t j = i + dice((uint32_t)distance + 1);
        if (j >= piece_count)
            continue;
        struct piece keep = pieces[i];
        pieces[i] = pieces[j];
        pieces[j] = keep;
    }
}

/* What a naive reassembler has: of every byte the first copy that was recorded. */
struct model {
    bool seen[SEGMENTS_STREAM_BYTES];
    uint8_t bytes[SEGMENTS_STREAM_BYTES];
    bool differs;
};

static void model_takes(struct model *m, const struct piece *p)
{
    for (size_t at = p->from; at < p->to; at++) {
        uint8_t byte = p->lying ? stream[at] ^ p->twist : stream[at];
        if (m->seen[at])
            m->differs = m->differs || m->bytes[at] != byte;
        else
            m->bytes[at] = byte;
        m->seen[at] = true;
    }
}

static struct model model;
static struct segments out;

static void send_piece(enum sw_side from, const struct piece *p)
{
    uint8_t bytes[SEGMENTS_STREAM_BYTES];
    for (size_t at = p->from; at < p->to; at++)
        bytes[at - p->from] = p->lying ? stream[at] ^ p->twist : stream[at];
    segments_send(&out, from, SW_TCP_ACK | SW_TCP_PSH, p->from, bytes, p->to - p->from, 0);
    model_takes(&model, p);
}

/* Sequence numbers that wrap within the stream, in three rounds of four. */
static void begin(const struct sw_flow_limits *limits)
{
    memset(&model, 0, sizeof(model));
    uint32_t near_the_end = 0xFFFFFFFFu - dice((uint32_t)stream_bytes + 2);
    segments_open(&out, dice(4) ? near_the_end : dice(UINT32_MAX), dice(UINT32_MAX), limits);
    segments_handshake(&out);
}

/* All captured: what was delivered is the model's, and everything was. */
static void assert_whole(enum sw_side from)
{
    assert_int_equal(out.next[from], stream_bytes);
    assert_memory_equal(out.text[from], model.bytes, stream_bytes);
    for (int kind = 0; kind < 4; kind++)
        assert_int_equal(out.gaps[from][kind], 0);
    assert_int_equal(out.facts.half[from].bytes, stream_bytes);
}

static void test_any_cut_order_and_copy_gives_the_same_text(void **state)
{
    (void)state;
    for (int round = 0; round < rounds; round++) {
        seed = 1000003u * (uint32_t)(round + 1);
        enum sw_side from = dice(2) ? SW_CLIENT : SW_SERVER;
        cut_stream(1 + dice(300));
        add_copies(dice(30));
        mix(dice(12));
        begin(NULL);
        for (size_t i = 0; i < piece_count; i++) {
            send_piece(from, &pieces[i]);
            size_t had = 0;
            while (had < stream_bytes && model.seen[had])
                had++;
            if (dice(3) == 0)
                segments_send(&out, sw_side_other(from), SW_TCP_ACK, 0, NULL, 0, had);
            assert_int_equal(out.next[from], had); /* at once, and never further */
        }
        segments_send(&out, from, SW_TCP_ACK | SW_TCP_FIN, stream_bytes, NULL, 0, 0);
        segments_send(&out, sw_side_other(from), SW_TCP_ACK, 0, NULL, 0, stream_bytes + 1);
        segments_close(&out);
        assert_whole(from);
        assert_int_equal(out.conflicts, 0);
        assert_int_equal(out.facts.conflicts, 0);
        assert_int_equal(out.shuts[from], 1);
        assert_int_equal(out.facts.half[from].unacked_bytes, 0);
        assert_int_equal(out.facts.half[from].hole_bytes, 0);
    }
}

/* Whatever is recorded out of order, an answer comes behind what it answers. */
static void test_causes_come_before_effects(void **state)
{
    (void)state;
    static const char question[] = "EHLO pc\r\n";
    static const char answer[] = "250 mx\r\n";
    for (uint64_t cut = 1; cut < 9; cut++) {
        segments_open(&out, 0xFFFFFFF0u, 7, NULL);
        segments_handshake(&out);
        segments_send(&out, SW_SERVER, SW_TCP_ACK, 0, answer, 8, 9);
        assert_int_equal(out.next[SW_SERVER], 0);
        segments_send(&out, SW_CLIENT, SW_TCP_ACK, cut, question + cut, 9 - cut, 0);
        assert_int_equal(out.next[SW_SERVER], 0);
        segments_send(&out, SW_CLIENT, SW_TCP_ACK, 0, question, cut, 0);
        assert_int_equal(out.next[SW_CLIENT], 9);
        assert_int_equal(out.next[SW_SERVER], 8);
        segments_close(&out);
    }
}

static void test_conflicting_copies_are_told_and_the_first_wins(void **state)
{
    (void)state;
    unsigned told = 0;
    for (int round = 0; round < rounds; round++) {
        seed = 2000003u * (uint32_t)(round + 1);
        cut_stream(1 + dice(200));
        add_copies(1 + dice(12));
        for (size_t i = 0; i < piece_count; i++) {
            /* One byte before the next is a keep-alive, and its content no data. */
            pieces[i].lying = dice(8) == 0 && pieces[i].to - pieces[i].from > 1;
            pieces[i].twist = (uint8_t)(1 + dice(255));
        }
        mix(dice(6));
        begin(NULL);
        for (size_t i = 0; i < piece_count; i++)
            send_piece(SW_SERVER, &pieces[i]);
        segments_send(&out, SW_CLIENT, SW_TCP_ACK, 0, NULL, 0, stream_bytes);
        segments_close(&out);
        assert_whole(SW_SERVER);
        assert_int_equal(out.conflicts > 0, model.differs);
        assert_int_equal(out.facts.conflicts, out.conflicts);
        told += out.conflicts > 0;
    }
    assert_in_range(told, (unsigned)rounds / 4,
                    (unsigned)rounds - 1); /* both kinds of round were there */
}

/* What the model never saw must be a gap, and what it saw must be text. */
static void assert_gaps_where_nothing_was_seen(enum sw_side from, enum sw_gap_kind kind)
{
    uint64_t missing = 0;
    assert_int_equal(out.next[from], stream_bytes);
    for (size_t at = 0; at < stream_bytes; at++) {
        assert_int_equal(out.delivered[from][at], model.seen[at]);
        missing += !model.seen[at];
        if (model.seen[at])
            assert_int_equal(out.text[from][at], model.bytes[at]);
    }
    assert_int_equal(out.gaps[from][kind], missing);
}

static void lose_some(unsigned one_in)
{
    for (size_t i = 0; i < piece_count; i++)
        pieces[i].lost = dice(one_in) == 0;
}

static void send_what_is_left(enum sw_side from)
{
    for (size_t i = 0; i < piece_count; i++) {
        if (!pieces[i].lost)
            send_piece(from, &pieces[i]);
    }
}

static void test_what_the_capture_lost_is_a_gap(void **state)
{
    (void)state;
    for (int round = 0; round < rounds; round++) {
        seed = 3000017u * (uint32_t)(round + 1);
        enum sw_side from = dice(2) ? SW_CLIENT : SW_SERVER;
        cut_stream(1 + dice(300));
        add_copies(dice(10));
        mix(dice(6));
        lose_some(2 + dice(10));
        begin(NULL);
        send_what_is_left(from);
        /* The other side has it all, so the capture is what lacks it. */
        segments_send(&out, from, SW_TCP_ACK | SW_TCP_FIN, stream_bytes, NULL, 0, 0);
        segments_send(&out, sw_side_other(from), SW_TCP_ACK, 0, NULL, 0, stream_bytes + 1);
        segments_close(&out);
        assert_gaps_where_nothing_was_seen(from, SW_GAP_CAPTURE);
        assert_int_equal(out.conflicts, 0);
        assert_int_equal(out.shuts[from], 1);
    }
}

/* Acknowledged piece by piece, as it happens: gaps are told on the way, not only at the end. */
static void test_gaps_on_the_way(void **state)
{
    (void)state;
    for (int round = 0; round < rounds; round++) {
        seed = 4000037u * (uint32_t)(round + 1);
        cut_stream(1 + dice(100));
        lose_some(2 + dice(10));
        begin(NULL);
        for (size_t i = 0; i < piece_count; i++) {
            if (!pieces[i].lost)
                send_piece(SW_CLIENT, &pieces[i]);
            segments_send(&out, SW_SERVER, SW_TCP_ACK, 0, NULL, 0, pieces[i].to);
            if (dice(5) == 0)
                segments_wait(&out, 200 * SW_NS_PER_MS);
        }
        segments_send(&out, SW_CLIENT, SW_TCP_ACK | SW_TCP_FIN, stream_bytes, NULL, 0, 0);
        segments_send(&out, SW_SERVER, SW_TCP_ACK, 0, NULL, 0, stream_bytes + 1);
        segments_close(&out);
        assert_gaps_where_nothing_was_seen(SW_CLIENT, SW_GAP_CAPTURE);
    }
}

/* Never acknowledged: the network lost it, nothing behind the first hole was ever read. */
static void test_what_the_network_lost_is_no_gap(void **state)
{
    (void)state;
    for (int round = 0; round < rounds; round++) {
        seed = 5000011u * (uint32_t)(round + 1);
        cut_stream(1 + dice(300));
        mix(dice(6));
        lose_some(2 + dice(10));
        begin(NULL);
        send_what_is_left(SW_CLIENT);
        size_t had = 0;
        while (had < stream_bytes && model.seen[had])
            had++;
        segments_send(&out, SW_SERVER, SW_TCP_ACK, 0, NULL, 0, had);
        segments_close(&out);
        assert_int_equal(out.next[SW_CLIENT], had);
        assert_memory_equal(out.text[SW_CLIENT], stream, had);
        for (int kind = 0; kind < 4; kind++)
            assert_int_equal(out.gaps[SW_CLIENT][kind], 0);
        size_t behind = had;
        while (behind < stream_bytes && !model.seen[behind])
            behind++;
        assert_int_equal(out.facts.half[SW_CLIENT].hole_bytes,
                         behind < stream_bytes ? behind - had : 0);
    }
}

/* One side only: nobody tells what arrived, so everything that was seen comes out (and a copy that
 * comes long after a hole comes too late, so there are none here). */
static void test_one_sided(void **state)
{
    (void)state;
    for (int round = 0; round < rounds; round++) {
        seed = 6000011u * (uint32_t)(round + 1);
        cut_stream(1 + dice(300));
        mix(dice(6));
        lose_some(2 + dice(10));
        memset(&model, 0, sizeof(model));
        segments_open(&out, 0xFFFFFFFFu - dice((uint32_t)stream_bytes + 2), 0, NULL);
        segments_send(&out, SW_CLIENT, SW_TCP_SYN, UINT64_MAX, NULL, 0, 0);
        send_what_is_left(SW_CLIENT);
        segments_close(&out);
        size_t last = stream_bytes;
        while (last > 0 && !model.seen[last - 1])
            last--;
        stream_bytes = last;
        assert_gaps_where_nothing_was_seen(SW_CLIENT, SW_GAP_UNKNOWN);
    }
}

/* Caps that are far too small: still no wrong text, and no byte twice. */
static void test_small_caps_lose_but_do_not_lie(void **state)
{
    (void)state;
    const struct sw_flow_limits limits = {.held_per_side_bytes = 2048, .held_segments = 4};
    for (int round = 0; round < rounds; round++) {
        seed = 7000003u * (uint32_t)(round + 1);
        cut_stream(1 + dice(200));
        add_copies(dice(20));
        mix(20 + dice(60));
        begin(&limits);
        send_what_is_left(SW_CLIENT);
        segments_send(&out, SW_SERVER, SW_TCP_ACK, 0, NULL, 0, stream_bytes);
        segments_close(&out);
        assert_int_equal(out.next[SW_CLIENT], stream_bytes);
        for (size_t at = 0; at < stream_bytes; at++) {
            if (out.delivered[SW_CLIENT][at])
                assert_int_equal(out.text[SW_CLIENT][at], stream[at]);
        }
        assert_int_equal(out.conflicts, 0);
        if (out.gaps[SW_CLIENT][SW_GAP_LIMIT] > 0)
            assert_true(out.facts.limit_hit);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_cut_order_and_copy_gives_the_same_text),
        cmocka_unit_test(test_causes_come_before_effects),
        cmocka_unit_test(test_conflicting_copies_are_told_and_the_first_wins),
        cmocka_unit_test(test_what_the_capture_lost_is_a_gap),
        cmocka_unit_test(test_gaps_on_the_way),
        cmocka_unit_test(test_what_the_network_lost_is_no_gap),
        cmocka_unit_test(test_one_sided),
        cmocka_unit_test(test_small_caps_lose_but_do_not_lie),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    segments_among_many = true;
    rounds = ROUNDS_AMONG_MANY;
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
