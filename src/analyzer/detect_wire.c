/*
 * detect_wire.c - how the octets themselves misbehave: injected commands, smuggled messages, line
 * ends, attacks, content that anybody can read.
 */
#include "analyzer/detect.h"

static const struct sw_oddity *odd(const struct sw_case *c, enum smtp_anomaly kind)
{
    const struct sw_oddity *o;
    SW_EACH(o, c->session->oddities) {
        if (o->kind == kind)
            return o;
    }
    return NULL;
}

static bool seen(const struct sw_case *c, struct sw_hit *hit, enum smtp_anomaly kind)
{
    const struct sw_oddity *o = odd(c, kind);
    if (o)
        hit->mark = o->mark;
    return o != NULL;
}

/* Commands behind STARTTLS that the server did not refuse. */
static bool command_injection(const struct sw_case *c, struct sw_hit *hit)
{
    const struct sw_step *starttls = c->session->starttls;
    return starttls && sw_reply_is(starttls->reply, 2) && seen(c, hit, SMTP_ODD_AFTER_STARTTLS);
}

static bool response_injection(const struct sw_case *c, struct sw_hit *hit)
{
    return seen(c, hit, SMTP_ODD_INJECTED_REPLY);
}

static bool smuggling(const struct sw_case *c, struct sw_hit *hit)
{
    return seen(c, hit, SMTP_ODD_FALSE_END);
}

/* A lone LF that the server did not object to. */
static bool bare_lf(const struct sw_case *c, struct sw_hit *hit)
{
    return c->reading.cause != SW_CAUSE_DATA_BARE_LF && seen(c, hit, SMTP_ODD_BARE_LF);
}

static bool bare_cr(const struct sw_case *c, struct sw_hit *hit)
{
    return seen(c, hit, SMTP_ODD_BARE_CR);
}

static bool pipelining_violation(const struct sw_case *c, struct sw_hit *hit)
{
    const struct sw_hello *hello = c->session->hello;
    bool allowed = sw_capability_find(hello, "PIPELINING") != NULL;
    return hello && hello->reply && !allowed && c->session->gaps_in_dialogue == 0 &&
           c->complete_start && seen(c, hit, SMTP_ODD_PIPELINED);
}

static bool line_too_long(const struct sw_case *c, struct sw_hit *hit)
{
    return seen(c, hit, SMTP_ODD_LONG_LINE);
}

static bool early_talker(const struct sw_case *c, struct sw_hit *hit)
{
    return c->server_seen && c->session->first_bytes[SW_CLIENT].content != SW_CONTENT_TLS &&
           seen(c, hit, SMTP_ODD_EARLY_TALKER);
}

static bool conflicting_overlap(const struct sw_case *c, struct sw_hit *hit)
{
    (void)hit;
    return c->facts->conflicts > 0;
}

/* Arguments that only an attack has: OpenSMTPD's CVE-2020-7247, Exim's CVE-2019-10149, Shellshock.
 */
static bool exploit_attempt(const struct sw_case *c, struct sw_hit *hit)
{
    static const char *const shapes[] = {"${run{", "<;", "() {", "`", "$(", "|/bin/"};
    const struct sw_step *s;
    SW_EACH(s, c->session->steps) {
        bool envelope =
            s->from == SW_CLIENT && (s->verb == SMTP_VERB_MAIL || s->verb == SMTP_VERB_RCPT ||
                                     s->verb == SMTP_VERB_EHLO || s->verb == SMTP_VERB_HELO);
        for (size_t i = 0; envelope && i < sizeof(shapes) / sizeof(shapes[0]); i++) {
            if (sw_span_find_nocase(s->argument, sw_span_str(shapes[i])) == s->argument.len)
                continue;
            hit->mark = s->last;
            return true;
        }
    }
    return false;
}

/* Line ends in encoded form inside an address. */
static bool header_injection(const struct sw_case *c, struct sw_hit *hit)
{
    static const char *const shapes[] = {"%0a", "%0d", "\\r\\n", "\\n"};
    const struct sw_step *s;
    SW_EACH(s, c->session->steps) {
        bool envelope =
            s->from == SW_CLIENT && (s->verb == SMTP_VERB_MAIL || s->verb == SMTP_VERB_RCPT);
        for (size_t i = 0; envelope && i < sizeof(shapes) / sizeof(shapes[0]); i++) {
            if (sw_span_find_nocase(s->argument, sw_span_str(shapes[i])) == s->argument.len)
                continue;
            hit->mark = s->last;
            return true;
        }
    }
    return false;
}

static bool cleartext_content(const struct sw_case *c, struct sw_hit *hit)
{
    const struct sw_message *m;
    const struct sw_tuple *t = &c->facts->tuple;
    if (sw_detect_loopback(c))
        return false;
    SW_EACH(m, c->session->messages) {
        if (!m->body_seen || (m->data && m->data->encrypted) || c->session->tls == SW_TLS_CLEAR)
            continue;
        hit->mark = m->body_first;
        bool inside =
            sw_detect_private(t->src, t->ip_version) && sw_detect_private(t->dst, t->ip_version);
        hit->severity = inside ? SW_SEVERITY_MEDIUM : SW_SEVERITY_HIGH;
        return true;
    }
    return false;
}

static bool ends_with(struct sw_span s, const char *suffix)
{
    size_t n = strlen(suffix);
    return s.len > n && sw_span_eq_nocase(sw_span_from(s, s.len - n), sw_span_str(suffix));
}

/* A private address or an inside name, told to a server outside. */
static bool internal_leak(const struct sw_case *c, struct sw_hit *hit)
{
    const struct sw_tuple *t = &c->facts->tuple;
    const struct sw_hello *hello;
    if (sw_detect_private(t->dst, t->ip_version))
        return false;
    SW_EACH(hello, c->session->hellos) {
        struct sw_span name = sw_span_trim(hello->command->argument);
        if (hello->encrypted || name.len == 0)
            continue;
        bool inside = ends_with(name, ".local") || ends_with(name, ".lan") ||
                      ends_with(name, ".corp") || ends_with(name, ".internal") ||
                      ends_with(name, ".home") || sw_span_starts(name, SW_SPAN_LIT("[10.")) ||
                      sw_span_starts(name, SW_SPAN_LIT("[192.168."));
        if (!inside)
            continue;
        hit->mark = hello->command->last;
        return true;
    }
    return false;
}

const struct sw_detector sw_detect_wire[] = {
    {SW_FINDING_STARTTLS_CMD_INJECTION, command_injection},
    {SW_FINDING_STARTTLS_RESPONSE_INJECTION, response_injection},
    {SW_FINDING_SMUGGLING_SEQUENCE, smuggling},
    {SW_FINDING_BARE_LF, bare_lf},
    {SW_FINDING_BARE_CR, bare_cr},
    {SW_FINDING_PIPELINING_VIOLATION, pipelining_violation},
    {SW_FINDING_EXPLOIT_ATTEMPT, exploit_attempt},
    {SW_FINDING_HEADER_INJECTION, header_injection},
    {SW_FINDING_CLEARTEXT_CONTENT, cleartext_content},
    {SW_FINDING_INTERNAL_HOST_LEAK, internal_leak},
    {SW_FINDING_CONFLICTING_OVERLAP, conflicting_overlap},
    {SW_FINDING_LINE_TOO_LONG, line_too_long},
    {SW_FINDING_EARLY_TALKER, early_talker},
    {SW_FINDING_COUNT, NULL},
};
