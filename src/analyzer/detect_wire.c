/*
 * detect_wire.c - how the octets themselves misbehave: injected commands, smuggled messages, line
 * ends, commands out of turn.
 */
#include "analyzer/detect.h"

static bool seen(const struct sw_case *c, struct sw_hit *hit, enum sw_side from,
                 enum smtp_anomaly kind)
{
    const struct sw_oddity *o = sw_detect_odd(c, from, kind);
    if (o)
        hit->mark = o->mark;
    return o != NULL;
}

/* Commands behind STARTTLS that the server did not refuse. */
static bool command_injection(const struct sw_case *c, struct sw_hit *hit)
{
    const struct sw_step *starttls = c->session->starttls;
    return starttls && sw_reply_is(starttls->reply, 2) &&
           seen(c, hit, SW_CLIENT, SMTP_ODD_AFTER_STARTTLS);
}

static bool response_injection(const struct sw_case *c, struct sw_hit *hit)
{
    return seen(c, hit, SW_SERVER, SMTP_ODD_INJECTED_REPLY);
}

static const char *variant_name(uint64_t variant)
{
    static const char *const names[SMTP_FALSE_END_COUNT] = {
        [SMTP_FALSE_LF_DOT_LF] = "LF.LF",     [SMTP_FALSE_LF_DOT_CRLF] = "LF.CRLF",
        [SMTP_FALSE_CRLF_DOT_LF] = "CRLF.LF", [SMTP_FALSE_CRLF_DOT_CR] = "CRLF.CR",
        [SMTP_FALSE_LF_DOT_CR] = "LF.CR",     [SMTP_FALSE_CR_DOT_CR] = "CR.CR",
        [SMTP_FALSE_CR_DOT_CRLF] = "CR.CRLF", [SMTP_FALSE_CR_DOT_LF] = "CR.LF",
    };
    return variant > 0 && variant < SMTP_FALSE_END_COUNT ? names[variant] : "not CRLF.CRLF";
}

/* A positive reply that nobody asked for, behind a look-alike: the server saw one more end. */
static bool answers_too_often(const struct sw_case *c, const struct sw_oddity *look)
{
    const struct sw_step *s;
    SW_EACH(s, c->session->steps) {
        bool unasked = s->from == SW_SERVER && (s->flags & SMTP_FLAG_UNSOLICITED) &&
                       !(s->flags & SMTP_FLAG_GUESSED);
        if (unasked && s->first.frame > look->mark.frame && (s->code / 100 == 2 || s->code == 354))
            return true;
    }
    return false;
}

/*
 * An end-of-data look-alike alone is a matter of line ends. It smuggles when mail commands follow
 * it, or when the server takes it for the end; both readings are told.
 */
static bool smuggling(const struct sw_case *c, struct sw_hit *hit)
{
    const struct sw_oddity *look = sw_detect_odd(c, SW_CLIENT, SMTP_ODD_FALSE_END);
    const struct sw_oddity *commands = sw_detect_odd(c, SW_CLIENT, SMTP_ODD_SMUGGLING);
    if (!look)
        return false;
    bool taken =
        sw_detect_odd(c, SW_SERVER, SMTP_ODD_FALSE_END_TAKEN) || answers_too_often(c, look);
    if (!commands && !taken)
        return false;
    const struct sw_oddity *shown = commands ? commands : look;
    hit->mark = shown->mark;
    const char *summary = sw_arena_printf(
        c->arena,
        "The text contains a false end (%s)%s: read by the standard it is one message, %s.",
        variant_name(shown->number), commands ? " with mail commands behind it" : "",
        taken ? "but this server took the false end for the real one"
              : "a server that takes the false end for the real one reads two");
    if (summary)
        hit->summary = summary;
    return true;
}

/* Did the server take what stands at this place: the message that it is part of, or the command? */
static bool was_taken(const struct sw_case *c, struct sw_mark mark)
{
    const struct sw_message *m;
    SW_EACH(m, c->session->messages) {
        if (m->body_seen && mark.frame >= m->body_first.frame && mark.frame <= m->body_last.frame)
            return sw_reply_is(m->final, 2);
    }
    const struct sw_step *s;
    SW_EACH(s, c->session->steps) {
        if (s->from == SW_CLIENT && s->reply && mark.frame >= s->first.frame &&
            mark.frame <= sw_step_last(s).frame)
            return s->reply->code < 400;
    }
    return false;
}

static bool bare_lf(const struct sw_case *c, struct sw_hit *hit)
{
    return seen(c, hit, SW_CLIENT, SMTP_ODD_BARE_LF) && was_taken(c, hit->mark);
}

static bool bare_cr(const struct sw_case *c, struct sw_hit *hit)
{
    return seen(c, hit, SW_CLIENT, SMTP_ODD_BARE_CR) && was_taken(c, hit->mark);
}

static bool pipelining_violation(const struct sw_case *c, struct sw_hit *hit)
{
    const struct sw_hello *hello = c->session->hello;
    if (!hello || !hello->reply || c->session->gaps_in_dialogue > 0 || !c->complete_start)
        return false;
    if (seen(c, hit, SW_CLIENT, SMTP_ODD_PIPELINED) && !sw_capability_find(hello, "PIPELINING"))
        return true;
    if (c->survey.overtaking)
        hit->mark = sw_step_last(c->survey.overtaking);
    return c->survey.overtaking != NULL;
}

static bool line_too_long(const struct sw_case *c, struct sw_hit *hit)
{
    if (seen(c, hit, SW_CLIENT, SMTP_ODD_LONG_LINE)) {
        hit->summary = "The client sent a line that is longer than mail allows.";
        return true;
    }
    hit->summary = "The server sent a line that is longer than mail allows.";
    return seen(c, hit, SW_SERVER, SMTP_ODD_LONG_LINE);
}

static bool early_talker(const struct sw_case *c, struct sw_hit *hit)
{
    return c->server_seen && c->session->first_bytes[SW_CLIENT].content != SW_CONTENT_TLS &&
           seen(c, hit, SW_CLIENT, SMTP_ODD_EARLY_TALKER);
}

static bool conflicting_overlap(const struct sw_case *c, struct sw_hit *hit)
{
    if (c->session->conflict.frame)
        hit->mark = c->session->conflict;
    return c->facts->conflicts > 0;
}

const struct sw_detector sw_detect_wire[] = {
    {SW_FINDING_PIPELINING_VIOLATION, pipelining_violation, SW_HAS_HELLO},
    {SW_FINDING_STARTTLS_CMD_INJECTION, command_injection, SW_HAS_ODDITY},
    {SW_FINDING_STARTTLS_RESPONSE_INJECTION, response_injection, SW_HAS_ODDITY},
    {SW_FINDING_SMUGGLING_SEQUENCE, smuggling, SW_HAS_ODDITY},
    {SW_FINDING_BARE_LF, bare_lf, SW_HAS_ODDITY},
    {SW_FINDING_BARE_CR, bare_cr, SW_HAS_ODDITY},
    {SW_FINDING_CONFLICTING_OVERLAP, conflicting_overlap, SW_HAS_CONFLICT},
    {SW_FINDING_LINE_TOO_LONG, line_too_long, SW_HAS_ODDITY},
    {SW_FINDING_EARLY_TALKER, early_talker, SW_HAS_ODDITY},
    {SW_FINDING_COUNT, NULL, 0},
};
