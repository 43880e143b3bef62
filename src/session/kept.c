/*
 * kept.c - which bytes of the streams may be shown: those that were read as something that is no
 * login. Nothing is listed by guess, so what was not understood stays hidden.
 */
#include "session/build.h"

enum { CODE = 4, DOT = 4 }; /* "250-"; CRLF and a dot, before the LF at the end */

void sw_session_keep(struct sw_session *session, enum sw_side from, uint64_t begin, uint64_t end)
{
    struct sw_kept *last = session->kept_last[from];
    if (end <= begin)
        return;
    if (last && begin <= last->end) {
        if (end > last->end)
            last->end = end;
        return;
    }
    struct sw_kept *kept = SW_ARENA_NEW(&session->arena, struct sw_kept);
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

/* How much of a command line may be shown. */
static uint64_t harmless(const struct smtp_event *event)
{
    uint64_t whole = event->end.offset - event->begin.offset + 1;
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
    return shown ? whole : 0;
}

/* Text of a mail, as long as it is certain to be that: behind a gap, or where the 354 was not seen,
 * commands may have been taken for it. */
static void keep_text(struct sw_session *session, const struct smtp_event *event)
{
    uint64_t begin = event->begin.offset;
    if (event->flags & SMTP_FLAG_CUT)
        session->text_unsure = true;
    else if (event->text.len == 0 && !(event->flags & SMTP_FLAG_HIDDEN)) /* a line by itself */
        sw_session_keep(session, SW_CLIENT, begin, event->end.offset + 1);
    else if (event->text.len > 0 && begin > 0 && !session->text_unsure) /* 0: held back before */
        sw_session_keep(session, SW_CLIENT, begin, begin + event->text.len);
}

void sw_keep_event(struct sw_session *session, const struct smtp_event *event)
{
    enum sw_side from = event->from == SW_FROM_SERVER ? SW_SERVER : SW_CLIENT;
    uint64_t begin = event->begin.offset;
    if (event->kind == SMTP_EVENT_DATA_BEGIN)
        session->text_unsure = event->flags & SMTP_FLAG_GUESSED;
    else if (event->kind == SMTP_EVENT_COMMAND)
        sw_session_keep(session, from, begin, begin + harmless(event));
    else if (event->kind == SMTP_EVENT_REPLY_LINE) /* cut where it repeats something of a login */
        sw_session_keep(session, from, begin, begin + (event->code ? CODE : 0) + event->text.len);
    else if (event->kind == SMTP_EVENT_BODY)
        keep_text(session, event);
    else if (event->kind == SMTP_EVENT_PROXY)
        sw_session_keep(session, from, begin, event->end.offset + 1);
    else if (event->kind == SMTP_EVENT_END_OF_DATA && begin > 0) /* 0: it was not seen itself */
        sw_session_keep(session, from, begin > DOT ? begin - DOT : 0, event->end.offset + 1);
}
