/*
 * detect_server.c - what a server offers or gives away: encryption, commands, versions, relaying.
 */
#include "analyzer/detect.h"

/* The clear-text hello that was answered, or NULL. */
static const struct sw_hello *clear_hello(const struct sw_case *c)
{
    const struct sw_hello *hello = sw_session_hello(c->session, false);
    return hello && hello->command->verb == SMTP_VERB_EHLO ? hello : NULL;
}

static bool is_masked(const struct sw_hello *hello)
{
    const struct sw_capability *cap;
    SW_EACH(cap, hello->capabilities) {
        if (sw_span_starts_nocase(cap->keyword, SW_SPAN_LIT("XXXX")))
            return true;
    }
    return false;
}

static bool starttls_not_offered(const struct sw_case *c, struct sw_hit *hit)
{
    uint16_t port = c->facts->tuple.dst_port;
    const struct sw_hello *hello = clear_hello(c);
    bool port_for_it = port == 25 || port == 587 || port == 2525;
    if (!hello || !port_for_it || sw_capability_find(hello, "STARTTLS") || is_masked(hello))
        return false;
    hit->mark = hello->reply->first;
    if (port == 587)
        hit->severity = SW_SEVERITY_HIGH;
    return true;
}

static bool starttls_not_used(const struct sw_case *c, struct sw_hit *hit)
{
    const struct sw_hello *hello = clear_hello(c);
    if (!hello || !sw_capability_find(hello, "STARTTLS") || c->session->starttls)
        return false;
    const struct sw_step *s;
    SW_EACH(s, c->session->steps) {
        bool goes_on =
            s->from == SW_CLIENT && (s->verb == SMTP_VERB_MAIL || s->verb == SMTP_VERB_AUTH);
        if (!goes_on)
            continue;
        hit->mark = s->last;
        return true;
    }
    return false;
}

static bool starttls_optional(const struct sw_case *c, struct sw_hit *hit)
{
    const struct sw_hello *hello = clear_hello(c);
    if (c->facts->tuple.dst_port != 587 || !hello || !sw_capability_find(hello, "STARTTLS"))
        return false;
    const struct sw_message *m;
    SW_EACH(m, c->session->messages) {
        if (!m->mail || m->mail->encrypted || !sw_reply_is(m->mail->reply, 2))
            continue;
        hit->mark = m->mail->reply->first;
        return true;
    }
    return false;
}

/* The keyword painted over, or offered and then denied. */
static bool starttls_stripped(const struct sw_case *c, struct sw_hit *hit)
{
    const struct sw_hello *hello = clear_hello(c);
    if (!hello)
        return false;
    const struct sw_capability *cap;
    SW_EACH(cap, hello->capabilities) {
        if (cap->keyword.len == 8 && sw_span_starts_nocase(cap->keyword, SW_SPAN_LIT("XXXXXXX"))) {
            hit->mark = hello->reply->first;
            return true;
        }
    }
    const struct sw_step *starttls = c->session->starttls;
    bool denied = starttls && starttls->reply &&
                  (starttls->reply->code == 500 || starttls->reply->code == 502);
    if (!denied || !sw_capability_find(hello, "STARTTLS"))
        return false;
    hit->mark = starttls->reply->first;
    return true;
}

static bool port465_plain(const struct sw_case *c, struct sw_hit *hit)
{
    if (c->facts->tuple.dst_port != 465 || !c->session->greeting || c->session->greeting->encrypted)
        return false;
    hit->mark = c->session->greeting->first;
    return true;
}

static const struct sw_step *answered(const struct sw_case *c, enum smtp_verb verb)
{
    const struct sw_step *s;
    SW_EACH(s, c->session->steps) {
        if (s->from == SW_SERVER && s->verb == verb)
            return s;
    }
    return NULL;
}

static bool vrfy_enabled(const struct sw_case *c, struct sw_hit *hit)
{
    const struct sw_step *reply = answered(c, SMTP_VERB_VRFY);
    if (!reply || (reply->code != 250 && reply->code != 251 && reply->code != 553))
        return false;
    hit->mark = reply->first;
    return true;
}

static bool expn_enabled(const struct sw_case *c, struct sw_hit *hit)
{
    const struct sw_step *reply = answered(c, SMTP_VERB_EXPN);
    if (!reply || reply->code != 250)
        return false;
    hit->mark = reply->first;
    return true;
}

static bool debug_commands(const struct sw_case *c, struct sw_hit *hit)
{
    static const char *const keywords[] = {"XCLIENT", "XFORWARD", "DEBUG", "WIZ", "TURN",
                                           "ETRN",    "SEND",     "SOML",  "SAML"};
    const struct sw_tuple *t = &c->facts->tuple;
    if (sw_detect_private(t->src, t->ip_version))
        return false; /* a trusted front end is usually a neighbour */
    const struct sw_hello *hello;
    SW_EACH(hello, c->session->hellos) {
        for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
            if (!hello->reply || !sw_capability_find(hello, keywords[i]))
                continue;
            hit->mark = hello->reply->first;
            return true;
        }
    }
    return false;
}

enum { GUESSED_RECIPIENTS = 10 };

static bool user_enumeration(const struct sw_case *c, struct sw_hit *hit)
{
    unsigned unknown = 0;
    unsigned known = 0;
    const struct sw_step *s;
    SW_EACH(s, c->session->steps) {
        if (s->from != SW_SERVER || (s->verb != SMTP_VERB_RCPT && s->verb != SMTP_VERB_VRFY))
            continue;
        known += sw_reply_is(s, 2);
        if (s->code == 550 || s->code == 551 || s->code == 553) {
            unknown++;
            hit->mark = s->first;
        }
    }
    /* a mailing list with a few dead addresses has more living ones */
    return unknown >= GUESSED_RECIPIENTS && unknown > known;
}

static struct sw_span domain_of(struct sw_span address)
{
    size_t at = sw_span_index(address, '@');
    return at < address.len ? sw_span_from(address, at + 1) : (struct sw_span){NULL, 0};
}

/* The last two labels of a name: enough to tell organisations apart for a suspicion. */
static struct sw_span organisation(struct sw_span name)
{
    size_t dots = 0;
    for (size_t i = name.len; i > 0; i--) {
        if (name.ptr[i - 1] == '.' && ++dots == 2)
            return sw_span_from(name, i);
    }
    return name;
}

/* Accepted for three or more unrelated foreign domains, without a login, from a foreign address. */
static bool open_relay(const struct sw_case *c, struct sw_hit *hit)
{
    enum { DOMAINS = 3 };
    const struct sw_tuple *t = &c->facts->tuple;
    bool foreign =
        !sw_detect_private(t->src, t->ip_version) && !sw_detect_private(t->dst, t->ip_version);
    if (t->dst_port != 25 || c->session->authenticated || !foreign || !c->session->hello ||
        !c->session->hello->reply)
        return false;
    struct sw_span own = c->session->hello->reply->text;
    own = sw_span_word(&own);
    struct sw_span seen[DOMAINS];
    unsigned count = 0;
    const struct sw_message *m;
    SW_EACH(m, c->session->messages) {
        const struct sw_recipient *r;
        SW_EACH(r, m->recipients) {
            struct sw_span domain = organisation(domain_of(r->address));
            if (!sw_reply_is(r->reply, 2) || !sw_reply_is(m->final, 2) || domain.len == 0 ||
                sw_span_eq_nocase(domain, organisation(own)))
                continue;
            bool known = false;
            for (unsigned i = 0; i < count; i++)
                known = known || sw_span_eq_nocase(seen[i], domain);
            if (!known)
                seen[count++] = domain;
            hit->mark = r->reply->first;
            if (count == DOMAINS)
                return true;
        }
    }
    return false;
}

/* A digit behind a product name in the greeting: "Postfix 3.7", "Exim 4.96", "Microsoft ESMTP MAIL
 * Service, Version: 8.5". */
static bool version_banner(const struct sw_case *c, struct sw_hit *hit)
{
    static const char *const products[] = {"Postfix",   "Exim",    "Sendmail",   "Version",
                                           "OpenSMTPD", "qmail",   "MailEnable", "hMailServer",
                                           "Haraka",    "MDaemon", "CommuniGate"};
    const struct sw_step *greeting = c->session->greeting;
    if (!sw_reply_is(greeting, 2))
        return false;
    for (size_t i = 0; i < sizeof(products) / sizeof(products[0]); i++) {
        size_t at = sw_span_find_nocase(greeting->text, sw_span_str(products[i]));
        struct sw_span behind = sw_span_from(greeting->text, at + strlen(products[i]));
        while (behind.len > 0 &&
               (behind.ptr[0] == ' ' || behind.ptr[0] == ':' || behind.ptr[0] == '/'))
            behind = sw_span_from(behind, 1);
        if (behind.len > 0 && sw_ascii_digit(behind.ptr[0])) {
            hit->mark = greeting->first;
            return true;
        }
    }
    return false;
}

const struct sw_detector sw_detect_server[] = {
    {SW_FINDING_USER_ENUMERATION, user_enumeration},
    {SW_FINDING_STARTTLS_NOT_OFFERED, starttls_not_offered},
    {SW_FINDING_STARTTLS_OFFERED_NOT_USED, starttls_not_used},
    {SW_FINDING_STARTTLS_OPTIONAL, starttls_optional},
    {SW_FINDING_STARTTLS_STRIPPED_SUSPECTED, starttls_stripped},
    {SW_FINDING_PORT465_PLAINTEXT, port465_plain},
    {SW_FINDING_OPEN_RELAY_SUSPECTED, open_relay},
    {SW_FINDING_VRFY_ENABLED, vrfy_enabled},
    {SW_FINDING_EXPN_ENABLED, expn_enabled},
    {SW_FINDING_DEBUG_COMMANDS, debug_commands},
    {SW_FINDING_VERSION_BANNER, version_banner},
    {SW_FINDING_COUNT, NULL},
};
