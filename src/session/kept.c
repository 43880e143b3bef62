/*
 * kept.c - which bytes of the streams may be shown: those that were read as something that is no
 * login. Nothing is listed by guess, so what was not understood stays hidden.
 *
 * Of a session that is shown because the verdict on another one rests on it (limits.aside), neither
 * the text of a mail nor an address may be shown: it may be somebody else's.
 */
#include "base/rare.h"
#include "session/build.h"

enum { CODE = 4, LINE_END = 2, DOT = 4 }; /* "250-"; CRLF; a dot between two, but for the last LF */

SW_RARE static void begin_run(struct sw_session *session, enum sw_side from, uint64_t begin,
                              uint64_t end)
{
    struct sw_kept *kept = SW_ARENA_NEW(&session->arena, struct sw_kept);
    struct sw_kept *last = session->kept_last[from];
    if (!kept)
        return;
    kept->begin = begin;
    kept->end = end;
    if (last)
        last->next = kept;
    else
        session->kept[from] = kept;
    session->kept_last[from] = kept;
}

/* Most of what is kept stands behind the last. */
static inline void keep(struct sw_session *session, enum sw_side from, uint64_t begin, uint64_t end)
{
    struct sw_kept *last = session->kept_last[from];
    if (end <= begin)
        return;
    if (!last || begin > last->end)
        begin_run(session, from, begin, end);
    else if (end > last->end)
        last->end = end;
}

void sw_session_keep(struct sw_session *session, enum sw_side from, uint64_t begin, uint64_t end)
{
    keep(session, from, begin, end);
}

/* How much of a command line may be shown. */
static uint64_t harmless(const struct smtp_event *event)
{
    /* What ends at a gap ends before the byte that is said to be its end. */
    bool cut = event->flags & SMTP_FLAG_CUT;
    uint64_t whole = event->end.offset - event->begin.offset + !cut;
    bool shown = !(event->flags & SMTP_FLAG_HIDDEN);
    if (event->verb == SMTP_VERB_AUTH && event->mechanism == SMTP_MECH_UNKNOWN)
        return event->word.len; /* people type passwords there */
    if (event->verb == SMTP_VERB_AUTH && (event->flags & SMTP_FLAG_INITIAL))
        return event->word.len + 1 + event->text.len + 1; /* the mechanism */
    if (event->verb == SMTP_VERB_AUTH_DATA)
        return event->flags & (SMTP_FLAG_CANCEL | SMTP_FLAG_EMPTY) ? whole : 0;
    if (event->verb == SMTP_VERB_BURL) /* its argument holds an access token */
        return event->word.len + 1;
    if (event->verb == SMTP_VERB_JUNK)
        return shown ? event->text.len : 0;
    if (event->verb == SMTP_VERB_BDAT && !shown) /* what should be its size is none */
        return event->word.len + 1;
    return shown ? whole : 0;
}

/* As long as it is certain to be text: behind a gap, or where the 354 was not seen, commands may
 * have been taken for it. */
void sw_keep_text(struct sw_session *session, const struct smtp_event *event)
{
    uint64_t begin = event->begin.offset;
    if (session->limits.aside)
        return;
    if (event->flags & SMTP_FLAG_CUT)
        session->text_unsure = true;
    else if (event->text.len == 0 && !(event->flags & SMTP_FLAG_HIDDEN)) /* a line by itself */
        keep(session, SW_CLIENT, begin, event->end.offset + 1);
    else if (event->text.len > 0 && begin > 0 && !session->text_unsure) /* 0: held back before */
        keep(session, SW_CLIENT, begin, begin + event->text.len);
}

void sw_keep_end_of_text(struct sw_session *session, const struct smtp_event *event)
{
    uint64_t begin = event->begin.offset;
    if (begin > 0) /* 0: it was not seen itself */
        keep(session, SW_CLIENT, begin > DOT ? begin - DOT : 0, event->end.offset + 1);
}

static bool has_at(struct sw_span word)
{
    return sw_span_index(word, '@') < word.len;
}

/* A line of a reply without the words that hold an address. */
SW_RARE static void keep_words(struct sw_session *session, const struct smtp_event *event)
{
    struct sw_span text = event->text;
    uint64_t begin = event->begin.offset + (event->code ? CODE : 0);
    size_t at = 0;
    keep(session, SW_SERVER, event->begin.offset, begin);
    while (at < text.len) {
        struct sw_span rest = sw_span_from(text, at);
        size_t len = sw_span_index(rest, ' ');
        size_t hidden = has_at(sw_span_sub(rest, 0, len)) ? len : 0;
        size_t with_blank = len < rest.len ? len + 1 : len;
        keep(session, SW_SERVER, begin + at + hidden, begin + at + with_blank);
        at += with_blank;
    }
}

/* It is cut where it repeats something of a login; what is cut off is longer than the end of a
 * line. */
void sw_keep_reply_line(struct sw_session *session, const struct smtp_event *event)
{
    if (session->limits.aside) {
        keep_words(session, event);
        return;
    }
    uint64_t begin = event->begin.offset;
    uint64_t end = begin + (event->code ? CODE : 0) + event->text.len;
    uint64_t line_end = event->end.offset + 1;
    bool whole = !(event->flags & SMTP_FLAG_CUT) && line_end > end && line_end - end <= LINE_END;
    keep(session, SW_SERVER, begin, whole ? line_end : end);
}

/* "MAIL FROM:<", ">" and the blank behind it: neither the address nor the parameters, which may
 * hold others. */
static void keep_path(struct sw_session *session, const struct smtp_event *event)
{
    uint64_t begin = event->begin.offset;
    uint64_t text = begin + event->word.len + 1;
    size_t open = sw_span_index(event->text, '<');
    size_t shut = sw_span_index(event->text, '>');
    bool placed = text + event->text.len + LINE_END == event->end.offset + 1;
    keep(session, SW_CLIENT, begin, text);
    if (!placed || open >= shut || shut >= event->text.len)
        return;
    keep(session, SW_CLIENT, text, text + open + 1);
    keep(session, SW_CLIENT, text + shut, text + shut + 2);
}

/* Commands whose arguments name no people. */
static bool is_impersonal(const struct smtp_event *event)
{
    switch (event->verb) {
    case SMTP_VERB_HELO:
    case SMTP_VERB_EHLO:
    case SMTP_VERB_LHLO:
    case SMTP_VERB_BDAT:
    case SMTP_VERB_AUTH:
    case SMTP_VERB_AUTH_DATA:
    case SMTP_VERB_BURL:
        return true;
    default: /* the other verbs: whatever follows them is hidden */
        return event->text.len == 0;
    }
}

SW_RARE static void keep_command_aside(struct sw_session *session, const struct smtp_event *event)
{
    uint64_t begin = event->begin.offset;
    bool shown = !(event->flags & SMTP_FLAG_HIDDEN);
    if (event->verb == SMTP_VERB_JUNK || !shown)
        return;
    if (event->verb == SMTP_VERB_MAIL || event->verb == SMTP_VERB_RCPT)
        keep_path(session, event);
    else if (is_impersonal(event))
        keep(session, SW_CLIENT, begin, begin + harmless(event));
    else
        keep(session, SW_CLIENT, begin, begin + event->word.len + 1);
}

void sw_keep_command(struct sw_session *session, const struct smtp_event *event)
{
    uint64_t begin = event->begin.offset;
    if (session->limits.aside)
        keep_command_aside(session, event);
    else
        keep(session, SW_CLIENT, begin, begin + harmless(event));
}

enum { SIGN = 4, SIGN_OF_OCTETS = 11 };

/* The header of a packet of RFC 1006 section 6 and the fixed part of a connection request in it
 * (X.224 13.3), as of a remote desktop: who connects stands behind that. */
static bool is_connection_request(struct sw_span first)
{
    return first.len >= SIGN_OF_OCTETS && first.ptr[0] == 3 && first.ptr[1] == 0 &&
           (first.ptr[5] & 0xF0) == 0xE0;
}

/* "a1 LOGIN ", "a2 CAPABILITY": the tag and the command, not what a person wrote behind it. */
static uint64_t imap_words(struct sw_span first)
{
    struct sw_span rest = sw_span_sub(first, 0, sw_span_index(first, '\r'));
    (void)sw_span_word(&rest);
    struct sw_span command = sw_span_word(&rest);
    uint64_t end = command.len > 0 ? (uint64_t)(command.ptr - first.ptr) + command.len : 0;
    return end < first.len ? end + 1 : end;
}

/* By how many of its first bytes another protocol is recognised: of octets four, and further ones
 * that are no letters. */
static uint64_t signature_of(const struct sw_session *session)
{
    struct sw_span first = sw_session_opening(session, SW_CLIENT);
    uint64_t sign = first.len < SIGN ? first.len : SIGN;
    switch (session->first_bytes[SW_CLIENT].content) {
    case SW_CONTENT_HTTP:
        return sw_span_index(first, ' ') + 1;
    case SW_CONTENT_SSH:
        return sign;
    case SW_CONTENT_POP3: /* "USER " */
        return sign < first.len ? sign + 1 : sign;
    case SW_CONTENT_IMAP:
        return imap_words(first);
    case SW_CONTENT_BINARY:
        if (is_connection_request(first))
            return SIGN_OF_OCTETS;
        while (sign < first.len && sign < SIGN_OF_OCTETS && first.ptr[sign] < ' ')
            sign++;
        return sign;
    case SW_CONTENT_NOTHING:
    case SW_CONTENT_SMTP:
    case SW_CONTENT_TLS:
    case SW_CONTENT_SOCKS:
    case SW_CONTENT_PROXY:
    case SW_CONTENT_FTP:
    case SW_CONTENT_TEXT:
        break;
    }
    return 0;
}

void sw_keep_signature(struct sw_session *session)
{
    uint64_t end = signature_of(session);
    struct sw_kept *first = session->kept[SW_CLIENT];
    if (end == 0 || session->proxied)
        return;
    if (first && first->begin <= end) {
        first->begin = 0;
        return;
    }
    struct sw_kept *kept = SW_ARENA_NEW(&session->arena, struct sw_kept);
    if (!kept)
        return;
    kept->end = end;
    kept->next = first;
    session->kept[SW_CLIENT] = kept;
    if (!first)
        session->kept_last[SW_CLIENT] = kept;
}
