/*
 * Sentences put together in the arena: pieces, numbers, and wire text made safe to read, whatever
 * stands in it and however many bytes are looked at together.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyzer/prose.h"
#include "base/text.h"

#include <stdio.h>

static void pieces_stand_one_behind_the_other(void **state)
{
    (void)state;
    struct sw_arena arena;
    sw_arena_init(&arena, 1 << 16, NULL);
    struct sw_prose prose = {.arena = &arena};
    const char *none = NULL;
    sw_prose_say(&prose, "a");
    sw_prose_say(&prose, "b", none, "", "c");
    sw_prose_say(&prose, "1", "2", "3", "4", "5", "6", "7", sw_number_text(&arena, 1234567890));
    assert_string_equal(sw_prose_text(&prose), "abc12345671234567890");
    sw_arena_release(&arena);
}

static void numbers_and_frames_are_pieces(void **state)
{
    (void)state;
    const char *const files[] = {"/tmp/a.pcap", "/tmp/b.pcap"};
    struct sw_mark mark = {(UINT64_C(1) << SW_FRAME_FILE_SHIFT) | 17, 0};
    struct sw_flow_facts facts = {.first = {3, 0}, .last = mark};
    struct sw_session session = {.facts = &facts, .files = files, .file_count = 2};
    struct sw_arena arena;
    sw_arena_init(&arena, 1 << 16, NULL);
    struct sw_prose one = {.arena = &arena};
    sw_prose_say(&one, (uint16_t)25, " ", UINT32_MAX, " ", UINT64_MAX, " (frame ", mark, ")");
    assert_string_equal(sw_prose_text(&one), "25 4294967295 18446744073709551615 (frame 17)");
    struct sw_prose series = {.arena = &arena, .session = &session, .series = true};
    sw_prose_say(&series, "frames ", facts.first, " and ", mark);
    assert_string_equal(sw_prose_text(&series), "frames 3 of a.pcap and 17 of b.pcap");
    series.series = false;
    sw_prose_say(&series, ", ", facts.first);
    assert_string_equal(sw_prose_text(&series), "frames 3 of a.pcap and 17 of b.pcap, 3");
    sw_arena_release(&arena);
}

static void what_does_not_fit_is_the_end(void **state)
{
    (void)state;
    char room[8];
    struct sw_arena arena;
    sw_arena_init(&arena, 4, NULL);
    struct sw_prose prose = {.arena = &arena, .text = room, .room = sizeof(room)};
    sw_prose_say(&prose, "1234567");
    assert_string_equal(sw_prose_text(&prose), "1234567");
    prose.used = 3;
    sw_prose_say(&prose, "456", "789");
    assert_true(prose.full);
    sw_prose_say(&prose, "4");
    sw_prose_add(&prose, "%d", 4);
    sw_prose_wire(&prose, SW_SPAN_LIT("4"), 9);
    assert_string_equal(sw_prose_text(&prose), "123");
    sw_arena_release(&arena);
}

static void a_text_grows_and_stops_growing(void **state)
{
    (void)state;
    enum { LIMIT = 4096 };
    struct sw_arena arena;
    sw_arena_init(&arena, LIMIT, NULL);
    struct sw_prose prose = {.arena = &arena};
    for (size_t i = 0; i < LIMIT; i++) {
        size_t before = prose.used;
        sw_prose_say(&prose, "[", "x", "]");
        assert_int_equal(strlen(sw_prose_text(&prose)), prose.used);
        assert_true(prose.used == before + 3 || (prose.used == before && arena.exhausted));
    }
    assert_true(arena.exhausted);
    for (size_t i = 0; i < prose.used; i++)
        assert_int_equal(prose.text[i], "[x]"[i % 3]);
    sw_arena_release(&arena);
}

/* The same as sw_prose_wire(), one character after the other. */
static size_t slow_wire(struct sw_span wire, size_t most, uint8_t *out)
{
    size_t n = 0;
    bool blank = false;
    wire = sw_span_trim(wire);
    for (size_t shown = 0; wire.len > 0; shown++) {
        if (shown == most) {
            memcpy(out + n, "...", 3);
            return n + 3;
        }
        int32_t c = sw_text_next(&wire);
        bool is_blank = c == ' ' || c == '\t' || c == '\r' || c == '\n';
        if (!is_blank || !blank)
            n += sw_text_put_utf8(is_blank                        ? ' '
                                  : c < 0 || sw_text_is_unsafe(c) ? '?'
                                                                  : c,
                                  out + n);
        blank = is_blank;
    }
    return n;
}

static void assert_shown(struct sw_span wire, size_t most)
{
    uint8_t expected[4 * 64 + 3];
    size_t length = slow_wire(wire, most, expected);
    struct sw_arena arena;
    sw_arena_init(&arena, 1 << 16, NULL);
    struct sw_prose prose = {.arena = &arena};
    sw_prose_wire(&prose, wire, most);
    assert_int_equal(prose.used, length);
    assert_memory_equal(sw_prose_text(&prose), expected, length);
    const char *alone = sw_wire_text(&arena, wire, most);
    assert_int_equal(strlen(alone), length);
    assert_memory_equal(alone, expected, length);
    sw_arena_release(&arena);
}

/* Words of 0 to 40 letters with one or two other bytes anywhere in them. */
static void wire_text_is_the_same_at_every_place(void **state)
{
    (void)state;
    static const char *const odd[] = {"",      " ",        "  ",   " !",   "! ",   "\n",
                                      "\x7f",  "\xc3\xa4", "\xff", "\x1b", " \t ", "\xe2\x80\xae",
                                      "\x80 ", "~",        "@",    "\x1f"};
    for (size_t n = 0; n <= 40; n++) {
        for (size_t at = 0; at <= n; at++) {
            for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
                uint8_t text[64];
                size_t len = strlen(odd[i]);
                memset(text, 'a', sizeof(text));
                memcpy(text + at, odd[i], len);
                assert_shown(sw_span_make(text, n + len), 100);
                assert_shown(sw_span_make(text, n + len), n);
                assert_shown(sw_span_make(text, n + len), n / 2);
            }
        }
    }
}

static void any_bytes_are_shown_as_one_by_one(void **state)
{
    (void)state;
    static const char common[] = "abc !. \t\r\n~\x7f\x80\xc3\xa4\"";
    uint32_t random = 1;
    for (int round = 0; round < 20000; round++) {
        uint8_t text[48];
        for (size_t i = 0; i < sizeof(text); i++) {
            random = random * 1664525u + 1013904223u;
            text[i] = random >> 31 ? 'a' : (uint8_t)common[(random >> 16) % (sizeof(common) - 1)];
        }
        assert_shown(sw_span_make(text, (random >> 8) % (sizeof(text) + 1)), random >> 26);
    }
}

static void durations_and_sizes_name_their_unit(void **state)
{
    (void)state;
    struct sw_arena arena;
    sw_arena_init(&arena, 1 << 16, NULL);
    assert_string_equal(sw_duration_text(&arena, 0), "0 milliseconds");
    assert_string_equal(sw_duration_text(&arena, SW_NS_PER_MS), "1 millisecond");
    assert_string_equal(sw_duration_text(&arena, 999 * SW_NS_PER_MS), "999 milliseconds");
    assert_string_equal(sw_duration_text(&arena, SW_NS_PER_S), "1 second");
    assert_string_equal(sw_duration_text(&arena, SW_NS_PER_S * 5 / 2), "2.5 seconds");
    assert_string_equal(sw_duration_text(&arena, 119 * SW_NS_PER_S), "119 seconds");
    assert_string_equal(sw_duration_text(&arena, 120 * SW_NS_PER_S), "2 minutes");
    assert_string_equal(sw_duration_text(&arena, 7200 * SW_NS_PER_S), "2 hours");
    assert_string_equal(sw_size_text(&arena, 0), "0 bytes");
    assert_string_equal(sw_size_text(&arena, 1), "1 byte");
    assert_string_equal(sw_size_text(&arena, 9999), "9999 bytes");
    assert_string_equal(sw_size_text(&arena, 10499), "10 kB");
    assert_string_equal(sw_size_text(&arena, 1250000), "1.3 MB");
    sw_arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_stand_one_behind_the_other),
        cmocka_unit_test(numbers_and_frames_are_pieces),
        cmocka_unit_test(what_does_not_fit_is_the_end),
        cmocka_unit_test(a_text_grows_and_stops_growing),
        cmocka_unit_test(wire_text_is_the_same_at_every_place),
        cmocka_unit_test(any_bytes_are_shown_as_one_by_one),
        cmocka_unit_test(durations_and_sizes_name_their_unit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
