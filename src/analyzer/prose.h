/*
 * prose.h - puts sentences together in the arena, with wire text made safe to read; private to the
 * analyzer.
 */
#ifndef SW_ANALYZER_PROSE_H
#define SW_ANALYZER_PROSE_H

#include "base/arena.h"
#include "session/session.h"

/* A growing text. When the arena is full it stops growing; what is there stays valid. */
struct sw_prose {
    struct sw_arena *arena;
    const struct sw_session *session; /* whose frames are named, may be NULL */
    char *text;                       /* NUL-terminated, or NULL while empty */
    size_t used, room;
};

/*
 * Adds up to eight texts, one behind the other: sw_prose_say(story, " and got ", words, "."). What
 * every session tells is said so, which takes a quarter of the time that a format does: the
 * lengths of literals are known to the compiler. NULL adds nothing.
 */
#define sw_prose_say(prose, ...)                                                                   \
    sw_prose_join((prose), (const struct sw_span[]){SW_PIECES(__VA_ARGS__)},                       \
                  sizeof((const char *[]){__VA_ARGS__}) / sizeof(const char *))
void sw_prose_join(struct sw_prose *prose, const struct sw_span *pieces, size_t count);
/* The same with a format, for what has numbers in it. */
void sw_prose_add(struct sw_prose *prose, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/*
 * Adds wire text: valid UTF-8, control and invisible characters replaced by '?', runs of blanks and
 * line ends as one blank, at most `most` characters (then "..."). No quotation marks of its own.
 */
void sw_prose_wire(struct sw_prose *prose, struct sw_span wire, size_t most);
/*
 * How a frame is named behind the word "frame": "12", or "12 of mail.pcap1" where the session
 * spans several files. In the arena, never NULL.
 */
const char *sw_prose_frame(const struct sw_prose *prose, uint64_t frame);
/* The text, never NULL. */
const char *sw_prose_text(const struct sw_prose *prose);

/* --- for the macro above --- */

#define SW_PIECES_1(a) sw_span_str(a)
#define SW_PIECES_2(a, ...) sw_span_str(a), SW_PIECES_1(__VA_ARGS__)
#define SW_PIECES_3(a, ...) sw_span_str(a), SW_PIECES_2(__VA_ARGS__)
#define SW_PIECES_4(a, ...) sw_span_str(a), SW_PIECES_3(__VA_ARGS__)
#define SW_PIECES_5(a, ...) sw_span_str(a), SW_PIECES_4(__VA_ARGS__)
#define SW_PIECES_6(a, ...) sw_span_str(a), SW_PIECES_5(__VA_ARGS__)
#define SW_PIECES_7(a, ...) sw_span_str(a), SW_PIECES_6(__VA_ARGS__)
#define SW_PIECES_8(a, ...) sw_span_str(a), SW_PIECES_7(__VA_ARGS__)
#define SW_PIECES_OF(a, b, c, d, e, f, g, h, list, ...) list
#define SW_PIECES(...)                                                                             \
    SW_PIECES_OF(__VA_ARGS__, SW_PIECES_8, SW_PIECES_7, SW_PIECES_6, SW_PIECES_5, SW_PIECES_4,     \
                 SW_PIECES_3, SW_PIECES_2, SW_PIECES_1, )                                          \
    (__VA_ARGS__)

/* Safe copy of wire text in the arena, never NULL ("" when there is no room). */
const char *sw_wire_text(struct sw_arena *arena, struct sw_span wire, size_t most);
/* The decimal digits of a number. In the arena, never NULL. */
const char *sw_number_text(struct sw_arena *arena, uint64_t number);
/* "0.4 seconds", "12 seconds", "3 minutes": for people. In the arena, never NULL. */
const char *sw_duration_text(struct sw_arena *arena, int64_t ns);
/* "812 bytes", "36 kB", "4.2 MB". In the arena, never NULL. */
const char *sw_size_text(struct sw_arena *arena, uint64_t bytes);
/* An address as text, "192.0.2.1" or "2001:db8::1" (RFC 5952). In the arena, never NULL. */
const char *sw_address_text(struct sw_arena *arena, const uint8_t address[16], int ip_version);

#endif
