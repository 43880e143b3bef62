/*
 * detect_server.c - what a server offers or gives away: encryption, commands, versions, relaying.
 */
#include "analyzer/detect.h"

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
    const struct sw_hello *hello = c->survey.clear_hello;
    bool port_for_it = port == 25 || port == 587 || port == 2525;
    if (!hello || !port_for_it || c->survey.clear_tls || is_masked(hello))
        return false;
    if (hello->reply->flags & (SMTP_FLAG_CUT | SMTP_FLAG_GUESSED))
        return false; /* the line may be among those that the capture lost */
    hit->mark = hello->reply->first;
    if (port == 587)
        hit->severity = SW_SEVERITY_HIGH;
    return true;
}

static bool starttls_not_used(const struct sw_case *c, struct sw_hit *hit)
{
    if (!c->survey.clear_tls || c->session->starttls)
        return false;
    const struct sw_step *s;
    SW_EACH(s, c->session->steps) {
        bool goes_on =
            s->from == SW_CLIENT && (s->verb == SMTP_VERB_MAIL || s->verb == SMTP_VERB_AUTH);
        if (!goes_on)
            continue;
        hit->mark = sw_step_last(s);
        return true;
    }
    return false;
}

static bool starttls_optional(const struct sw_case *c, struct sw_hit *hit)
{
    if (c->facts->tuple.dst_port != 587 || !c->survey.clear_tls)
        return false;
    const struct sw_message *m;
    SW_EACH(m, c->session->messages) {
        if (!m->mail || sw_detect_protected(c, m->mail) || !sw_reply_is(m->mail->reply, 2))
            continue;
        hit->mark = m->mail->reply->first;
        return true;
    }
    return false;
}

/* Painted over, offered and then denied, or offered to the same client only now and then. */
static bool starttls_stripped(const struct sw_case *c, struct sw_hit *hit)
{
    const struct sw_hello *hello = c->survey.clear_hello;
    if (c->signs.offer_changed.frame) {
        hit->mark = c->signs.offer_changed;
        hit->summary = "The server offered encryption to this client in one session and not in "
                       "another: something on the way may remove the offer.";
        return true;
    }
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
    if (!denied || !c->survey.clear_tls)
        return false;
    hit->mark = starttls->reply->first;
    return true;
}

/* Between servers on port 25 encryption is optional by design, and mail rather goes in clear text
 * than not at all. */
static bool tls_fallback(const struct sw_case *c, struct sw_hit *hit)
{
    hit->mark = c->signs.fell_back;
    if (c->facts->tuple.dst_port == 25)
        hit->severity = SW_SEVERITY_MEDIUM;
    return hit->mark.frame != 0;
}

static bool port465_plain(const struct sw_case *c, struct sw_hit *hit)
{
    if (c->facts->tuple.dst_port != 465 || !c->session->greeting || c->session->greeting->encrypted)
        return false;
    hit->mark = c->session->greeting->first;
    return true;
}

/* Does the answer tell of a user: an address, or the name that was asked for? */
static bool tells_user(const struct sw_step *reply)
{
    struct sw_span name =
        reply->command ? sw_span_trim(reply->command->argument) : (struct sw_span){NULL, 0};
    bool address = sw_span_index(reply->text, '@') < reply->text.len;
    bool named = name.len > 0 && sw_span_find_nocase(reply->text, name) < reply->text.len;
    return address || named;
}

/* RFC 5321 3.5.3: 252 tells nothing; 553 lists those who are meant when a name is ambiguous. */
static bool vrfy_enabled(const struct sw_case *c, struct sw_hit *hit)
{
    const struct sw_step *s;
    SW_EACH(s, c->session->steps) {
        if (s->verb != SMTP_VERB_VRFY || s->from != SW_SERVER)
            continue;
        bool positive = s->code == 250 || s->code == 251;
        bool list =
            s->code == 553 && sw_span_find_nocase(s->text, SW_SPAN_LIT("ambiguous")) < s->text.len;
        if ((!positive && !list) || !tells_user(s))
            continue;
        hit->mark = s->first;
        return true;
    }
    return false;
}

static bool expn_enabled(const struct sw_case *c, struct sw_hit *hit)
{
    const struct sw_step *s;
    SW_EACH(s, c->session->steps) {
        if (s->verb != SMTP_VERB_EXPN || s->from != SW_SERVER || s->code != 250)
            continue;
        bool members = s->has_lines || sw_span_index(s->text, '@') < s->text.len;
        if (!members)
            continue;
        hit->mark = s->first;
        return true;
    }
    return false;
}

/* A command for trusted hosts that the server carried out. */
static bool takes_debug_command(const struct sw_step *s)
{
    switch (s->verb) {
    case SMTP_VERB_XCLIENT:
    case SMTP_VERB_XFORWARD:
    case SMTP_VERB_DEBUG:
    case SMTP_VERB_WIZ:
    case SMTP_VERB_TURN:
    case SMTP_VERB_ETRN:
    case SMTP_VERB_SEND:
    case SMTP_VERB_SOML:
    case SMTP_VERB_SAML:
        return s->from == SW_SERVER && sw_reply_is(s, 2);
    default:
        return false;
    }
}

/* One that it offers. */
static bool is_debug_keyword(struct sw_span keyword)
{
    static const struct sw_span keywords[] = {
        SW_SPAN_LIT("XCLIENT"), SW_SPAN_LIT("XFORWARD"), SW_SPAN_LIT("DEBUG"),
        SW_SPAN_LIT("WIZ"),     SW_SPAN_LIT("TURN"),     SW_SPAN_LIT("ETRN"),
        SW_SPAN_LIT("SEND"),    SW_SPAN_LIT("SOML"),     SW_SPAN_LIT("SAML"),
    };
    for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
        if (keyword.len == keywords[i].len && sw_span_eq_nocase(keyword, keywords[i]))
            return true;
    }
    return false;
}

static bool debug_commands(const struct sw_case *c, struct sw_hit *hit)
{
    const struct sw_tuple *t = &c->facts->tuple;
    if (sw_detect_private(t->src, t->ip_version))
        return false; /* a trusted front end is usually a neighbour */
    const struct sw_hello *hello;
    SW_EACH(hello, c->session->hellos) {
        const struct sw_capability *cap = hello->reply ? hello->capabilities : NULL;
        for (; cap; cap = cap->next) {
            if (!is_debug_keyword(cap->keyword))
                continue;
            hit->mark = hello->reply->first;
            return true;
        }
    }
    if (!(c->survey.has & SW_HAS_PROBE))
        return false;
    const struct sw_step *s;
    SW_EACH(s, c->session->steps) {
        if (!takes_debug_command(s))
            continue;
        hit->mark = s->first;
        return true;
    }
    return false;
}

static bool user_enumeration(const struct sw_case *c, struct sw_hit *hit)
{
    hit->mark = c->signs.enumerating;
    return hit->mark.frame != 0;
}

static bool spambot(const struct sw_case *c, struct sw_hit *hit)
{
    hit->mark = c->signs.many_servers;
    return hit->mark.frame != 0;
}

static bool null_sender_flood(const struct sw_case *c, struct sw_hit *hit)
{
    hit->mark = c->signs.bounces;
    return hit->mark.frame != 0;
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
            struct sw_span domain = sw_detect_organisation(sw_detect_domain(r->address));
            if (!sw_reply_is(r->reply, 2) || !sw_reply_is(m->final, 2) || domain.len == 0 ||
                sw_span_eq_nocase(domain, sw_detect_organisation(own)))
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

/* "Postfix 3.7", "Exim 4.96", "Microsoft ESMTP MAIL Service, Version: 8.5", "8.17.1/8.17.1". */
static bool names_version(struct sw_span text)
{
    bool number = false;
    for (size_t i = 0; i < text.len && !number; i++)
        number = sw_ascii_digit(text.ptr[i]);
    if (!number)
        return false;
    static const char *const products[] = {"Postfix",   "Exim",    "Sendmail",   "Version",
                                           "OpenSMTPD", "qmail",   "MailEnable", "hMailServer",
                                           "Haraka",    "MDaemon", "CommuniGate"};
    for (size_t i = 0; i < sizeof(products) / sizeof(products[0]); i++) {
        size_t at = sw_span_find_nocase(text, sw_span_str(products[i]));
        struct sw_span behind = sw_span_from(text, at + strlen(products[i]));
        while (behind.len > 0 &&
               (behind.ptr[0] == ' ' || behind.ptr[0] == ':' || behind.ptr[0] == '/'))
            behind = sw_span_from(behind, 1);
        if (behind.len > 0 && sw_ascii_digit(behind.ptr[0]))
            return true;
    }
    return false;
}

/* In its greeting, or in its help. */
static const struct sw_step *version_of_server(const struct sw_case *c)
{
    const struct sw_step *greeting = c->session->greeting;
    if (sw_reply_is(greeting, 2) && names_version(greeting->text))
        return greeting;
    if (!(c->survey.has & SW_HAS_PROBE))
        return NULL;
    const struct sw_step *s;
    SW_EACH(s, c->session->steps) {
        if (s->from == SW_SERVER && s->verb == SMTP_VERB_HELP && sw_reply_is(s, 2) &&
            names_version(s->text))
            return s;
    }
    return NULL;
}

static bool version_banner(const struct sw_case *c, struct sw_hit *hit)
{
    const struct sw_step *s = version_of_server(c);
    if (s) {
        hit->summary = "The mail server tells its exact version to everybody.";
        hit->mark = s->first;
        return true;
    }
    const struct sw_message *m;
    hit->summary = "The mail program tells its exact version to everybody who sees the message.";
    SW_EACH(m, c->session->messages) { /* "Mozilla Thunderbird 115.6", "Exim 4/web" */
        bool number = false;
        for (size_t i = 0; i < m->header->mailer.len && !number; i++)
            number = sw_ascii_digit(m->header->mailer.ptr[i]);
        if (!number)
            continue;
        hit->mark = m->body_first;
        return true;
    }
    return false;
}

const struct sw_detector sw_detect_server[] = {
    {SW_FINDING_STARTTLS_NOT_OFFERED, starttls_not_offered, SW_HAS_CLEAR_HELLO},
    {SW_FINDING_STARTTLS_OFFERED_NOT_USED, starttls_not_used, SW_HAS_CLEAR_HELLO},
    {SW_FINDING_STARTTLS_OPTIONAL, starttls_optional, SW_HAS_CLEAR_HELLO},
    {SW_FINDING_STARTTLS_STRIPPED_SUSPECTED, starttls_stripped, SW_HAS_SIGN | SW_HAS_CLEAR_HELLO},
    {SW_FINDING_PORT465_PLAINTEXT, port465_plain, SW_HAS_GREETING},
    {SW_FINDING_OPEN_RELAY_SUSPECTED, open_relay, SW_HAS_MAIL},
    {SW_FINDING_DEBUG_COMMANDS, debug_commands, SW_HAS_PROBE | SW_HAS_HELLO},
    {SW_FINDING_VERSION_BANNER, version_banner, SW_HAS_GREETING | SW_HAS_PROBE | SW_HAS_MAIL},
    {SW_FINDING_USER_ENUMERATION, user_enumeration, SW_HAS_SIGN},
    {SW_FINDING_TLS_FALLBACK_CLEARTEXT, tls_fallback, SW_HAS_SIGN},
    {SW_FINDING_SPAMBOT_PORT25, spambot, SW_HAS_SIGN},
    {SW_FINDING_NULL_SENDER_FLOOD, null_sender_flood, SW_HAS_SIGN},
    {SW_FINDING_VRFY_ENABLED, vrfy_enabled, SW_HAS_PROBE},
    {SW_FINDING_EXPN_ENABLED, expn_enabled, SW_HAS_PROBE},
    {SW_FINDING_COUNT, NULL, 0},
};
