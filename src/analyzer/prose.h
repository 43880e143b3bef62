/*
 * prose.h - puts sentences together in the arena, with wire text made safe to read; private to the
 * analyzer.
 */
#ifndef SW_ANALYZER_PROSE_H
#define SW_ANALYZER_PROSE_H

#include "base/arena.h"
#include "base/format.h"
#include "session/session.h"

/* A growing text. When the arena is full it stops growing; what is there stays. */
struct sw_prose {
    struct sw_arena *arena;
    const struct sw_session *session; /* whose frames are named; NULL where there is no series */
    char *text;                       /* NULL while empty; there is room for a NUL behind it */
    size_t used, room;
    struct sw_format_near frames; /* those that are named are close to one another */
    bool series;                  /* frames of several files: each is named with its own */
    bool full;                    /* something did not fit: nothing is added any more */
};

/*
 * Adds up to eight pieces, one behind the other: sw_prose_say(story, " and got ", words, " (frame
 * ", reply->first, ")"). A piece is a text, a number without a sign, or a mark, of which the frame
 * is named as below. All of them are added, or none. What every session tells is said so: the
 * lengths of literals are known to the compiler, and nothing is written anywhere but where it
 * belongs. NULL adds nothing.
 */
#define sw_prose_say(prose, ...)                                                                   \
    do {                                                                                           \
        struct sw_prose *const prose_ = (prose);                                                   \
        const size_t before_ = prose_->used;                                                       \
        SW_PIECES(prose_, __VA_ARGS__);                                                            \
        if (prose_->full)                                                                          \
            prose_->used = before_;                                                                \
    } while (0)
/* The same with a format, for what is said seldom. */
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

bool sw_prose_grow(struct sw_prose *prose, size_t more);
void sw_prose_put_number(struct sw_prose *prose, uint64_t number);
void sw_prose_put_frame(struct sw_prose *prose, struct sw_mark mark);

static inline void sw_prose_put(struct sw_prose *prose, const void *bytes, size_t n)
{
    if (n == 0 || (prose->room - prose->used <= n && !sw_prose_grow(prose, n)))
        return;
    memcpy(prose->text + prose->used, bytes, n);
    prose->used += n;
}

static inline void sw_prose_put_text(struct sw_prose *prose, const char *text)
{
    if (text)
        sw_prose_put(prose, text, strlen(text));
}

/* clang-format off */
#define SW_PIECE(prose, a)                                                                         \
    _Generic((a),                                                                                  \
        char *: sw_prose_put_text, const char *: sw_prose_put_text,                                \
        struct sw_mark: sw_prose_put_frame,                                                        \
        uint16_t: sw_prose_put_number, uint32_t: sw_prose_put_number,                              \
        uint64_t: sw_prose_put_number)((prose), (a))
/* clang-format on */
#define SW_PIECES_1(prose, a) SW_PIECE(prose, a)
#define SW_PIECES_2(prose, a, ...) SW_PIECE(prose, a), SW_PIECES_1(prose, __VA_ARGS__)
#define SW_PIECES_3(prose, a, ...) SW_PIECE(prose, a), SW_PIECES_2(prose, __VA_ARGS__)
#define SW_PIECES_4(prose, a, ...) SW_PIECE(prose, a), SW_PIECES_3(prose, __VA_ARGS__)
#define SW_PIECES_5(prose, a, ...) SW_PIECE(prose, a), SW_PIECES_4(prose, __VA_ARGS__)
#define SW_PIECES_6(prose, a, ...) SW_PIECE(prose, a), SW_PIECES_5(prose, __VA_ARGS__)
#define SW_PIECES_7(prose, a, ...) SW_PIECE(prose, a), SW_PIECES_6(prose, __VA_ARGS__)
#define SW_PIECES_8(prose, a, ...) SW_PIECE(prose, a), SW_PIECES_7(prose, __VA_ARGS__)
#define SW_PIECES_OF(a, b, c, d, e, f, g, h, list, ...) list
#define SW_PIECES(prose, ...)                                                                      \
    SW_PIECES_OF(__VA_ARGS__, SW_PIECES_8, SW_PIECES_7, SW_PIECES_6, SW_PIECES_5, SW_PIECES_4,     \
                 SW_PIECES_3, SW_PIECES_2, SW_PIECES_1, )                                          \
    (prose, __VA_ARGS__)

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
