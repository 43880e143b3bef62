/*
 * detect_content.c - what stands in commands and messages: attacks, content that anybody can read,
 * names of the inside, copies.
 */
#include "analyzer/detect.h"

static bool contains(struct sw_span s, const char *part)
{
    return sw_span_find_nocase(s, sw_span_str(part)) < s.len;
}

static bool is_envelope(const struct sw_step *s)
{
    return s->from == SW_CLIENT && (s->verb == SMTP_VERB_MAIL || s->verb == SMTP_VERB_RCPT ||
                                    s->verb == SMTP_VERB_EHLO || s->verb == SMTP_VERB_HELO);
}

/* A pair of backticks; one alone is a letter like others in an address (RFC 5322 3.2.3). */
static bool has_backticks(struct sw_span s)
{
    size_t first = sw_span_index(s, '`');
    struct sw_span rest = sw_span_from(s, first + 1);
    return sw_span_index(rest, '`') < rest.len;
}

/* Arguments that only an attack has: OpenSMTPD's CVE-2020-7247, Exim's CVE-2019-10149, Shellshock.
 */
static bool is_attack(struct sw_span argument)
{
    static const char *const shapes[] = {"${run{", "${perl{", "<;", "() {", "$(", "|/bin/"};
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        if (contains(argument, shapes[i]))
            return true;
    }
    return has_backticks(argument) || sw_span_index(argument, 0) < argument.len;
}

/* An odd line at the same place as this command. */
static bool is_odd_line(const struct sw_case *c, const struct sw_step *s, enum smtp_anomaly kind)
{
    const struct sw_oddity *o = sw_detect_odd(c, SW_CLIENT, kind);
    return o && o->mark.frame == s->first.frame;
}

/* Lines that are made to overrun a buffer, or to end a string early. */
static bool overruns(const struct sw_case *c, const struct sw_step *s)
{
    switch (s->verb) {
    case SMTP_VERB_HELO:
    case SMTP_VERB_EHLO:
        return s->argument.len > SW_LONGEST_NAME;
    case SMTP_VERB_AUTH:
    case SMTP_VERB_AUTH_DATA:
        return is_odd_line(c, s, SMTP_ODD_NUL) || is_odd_line(c, s, SMTP_ODD_LONG_LINE);
    default:
        return false;
    }
}

static bool exploit_attempt(const struct sw_case *c, struct sw_hit *hit)
{
    const struct sw_step *s;
    SW_EACH(s, c->session->steps) {
        bool attack =
            s->from == SW_CLIENT && ((is_envelope(s) && is_attack(s->argument)) || overruns(c, s));
        if (!attack)
            continue;
        hit->mark = sw_step_last(s);
        return true;
    }
    const struct sw_message *m;
    SW_EACH(m, c->session->messages) {
        if (!m->header->shell_code)
            continue;
        hit->mark = m->body_first;
        return true;
    }
    return false;
}

/* An encoded line end in an address, with the field behind it that it is to begin. */
static bool injects_field(struct sw_span argument)
{
    static const char *const ends[] = {"%0a", "%0d", "\\r\\n", "\\n"};
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        size_t at = sw_span_find_nocase(argument, sw_span_str(ends[i]));
        struct sw_span behind = sw_span_from(argument, at + strlen(ends[i]));
        bool percent = ends[i][0] == '%';
        if (at < argument.len && (percent || contains(behind, ":")))
            return true;
    }
    return false;
}

static bool header_injection(const struct sw_case *c, struct sw_hit *hit)
{
    const struct sw_step *s;
    SW_EACH(s, c->session->steps) {
        bool envelope =
            s->from == SW_CLIENT && (s->verb == SMTP_VERB_MAIL || s->verb == SMTP_VERB_RCPT);
        if (!envelope || !injects_field(s->argument))
            continue;
        hit->mark = sw_step_last(s);
        return true;
    }
    const struct sw_message *m;
    SW_EACH(m, c->session->messages) {
        if (!m->header->repeats)
            continue;
        hit->mark = m->body_first;
        return true;
    }
    return false;
}

/* The copy that goes to nobody but the blind recipient may name him (RFC 5322 3.6.3). */
static bool bcc_leak(const struct sw_case *c, struct sw_hit *hit)
{
    const struct sw_message *m;
    SW_EACH(m, c->session->messages) {
        const struct sw_recipient *r = m->recipients;
        bool own_copy = m->header->bcc_count == 1 && m->recipient_count == 1 &&
                        sw_span_eq_nocase(r->address, m->header->bcc);
        if (m->header->bcc_count == 0 || own_copy)
            continue;
        hit->mark = m->body_first;
        return true;
    }
    return false;
}

static bool duplicate_message(const struct sw_case *c, struct sw_hit *hit)
{
    hit->mark = c->signs.duplicate;
    return hit->mark.frame != 0;
}

static bool cleartext_content(const struct sw_case *c, struct sw_hit *hit)
{
    const struct sw_message *m;
    if (sw_detect_loopback(c))
        return false;
    SW_EACH(m, c->session->messages) {
        if (!m->body_seen || (m->data && sw_detect_protected(c, m->data)))
            continue;
        hit->mark = m->body_first;
        hit->severity = sw_detect_inside(c) ? SW_SEVERITY_MEDIUM : SW_SEVERITY_HIGH;
        return true;
    }
    return false;
}

static bool ends_with(struct sw_span s, struct sw_span suffix)
{
    size_t n = suffix.len;
    return s.len > n && sw_ascii_lower(s.ptr[s.len - 1]) == suffix.ptr[n - 1] &&
           sw_span_eq_nocase(sw_span_from(s, s.len - n), suffix);
}

/* RFC 6762, RFC 8375, and what administrators have made up. */
static bool is_inside_name(struct sw_span name)
{
    static const struct sw_span suffixes[] = {
        SW_SPAN_LIT(".local"),    SW_SPAN_LIT(".localdomain"), SW_SPAN_LIT(".lan"),
        SW_SPAN_LIT(".corp"),     SW_SPAN_LIT(".internal"),    SW_SPAN_LIT(".home"),
        SW_SPAN_LIT(".intranet"), SW_SPAN_LIT(".private"),     SW_SPAN_LIT(".home.arpa"),
    };
    for (size_t i = 0; name.len > 0 && i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        if (ends_with(name, suffixes[i]))
            return true;
    }
    return false;
}

/* "192.168.1.5" as a whole; false for anything else. */
static bool read_ipv4(struct sw_span text, uint8_t address[4])
{
    for (int part = 0; part < 4; part++) {
        size_t end = part < 3 ? sw_span_index(text, '.') : text.len;
        uint64_t value = 0;
        if ((part < 3 && end == text.len) || !sw_span_u64(sw_span_sub(text, 0, end), &value) ||
            value > 255)
            return false;
        address[part] = (uint8_t)value;
        text = sw_span_from(text, end + 1);
    }
    return true;
}

/* RFC 5321 4.1.3: "[192.168.1.5]", "[IPv6:fd00::1]". Loopback tells nothing. */
static bool is_inside_address(struct sw_span text)
{
    if (text.len > 2 && text.ptr[0] == '[' && text.ptr[text.len - 1] == ']')
        text = sw_span_sub(text, 1, text.len - 2);
    bool maybe =
        text.len > 0 && (sw_ascii_digit(text.ptr[0]) || sw_ascii_lower(text.ptr[0]) == 'i');
    if (!maybe) /* nearly all are names */
        return false;
    uint8_t address[16] = {0};
    if (read_ipv4(text, address))
        return address[0] != 127 && sw_detect_private(address, 4);
    return sw_span_starts_nocase(text, SW_SPAN_LIT("IPv6:fc")) ||
           sw_span_starts_nocase(text, SW_SPAN_LIT("IPv6:fd")) ||
           sw_span_starts_nocase(text, SW_SPAN_LIT("IPv6:fe8"));
}

/* The host of a Received field: "from pc7.corp (pc7.corp [10.1.2.3]) by ..." (RFC 5321 4.4). */
static bool names_inside(struct sw_span received)
{
    if (received.len == 0)
        return false;
    struct sw_span from =
        sw_span_sub(received, 0, sw_span_find_nocase(received, SW_SPAN_LIT(" by ")));
    if (!sw_span_starts_nocase(from, SW_SPAN_LIT("from ")))
        return false;
    for (struct sw_span word = sw_span_word(&from); word.len > 0; word = sw_span_word(&from)) {
        while (word.len > 0 && word.ptr[0] == '(')
            word = sw_span_from(word, 1);
        while (word.len > 0 && (word.ptr[word.len - 1] == ')' || word.ptr[word.len - 1] == ';'))
            word = sw_span_sub(word, 0, word.len - 1);
        if (is_inside_name(word) || is_inside_address(word))
            return true;
    }
    return false;
}

/* A private address or an inside name, told to a server outside. */
static bool internal_leak(const struct sw_case *c, struct sw_hit *hit)
{
    const struct sw_tuple *t = &c->facts->tuple;
    const struct sw_hello *hello;
    const struct sw_message *m;
    const struct sw_auth *auth;
    if (sw_detect_private(t->dst, t->ip_version))
        return false;
    SW_EACH(hello, c->session->hellos) {
        struct sw_span name = sw_span_trim(hello->command->argument);
        hit->mark = sw_step_last(hello->command);
        if (is_inside_name(name) || is_inside_address(name))
            return true;
    }
    SW_EACH(auth, c->session->auths) {
        hit->mark = sw_step_last(auth->last);
        if (auth->kind == SMTP_MECH_NTLM && auth->user.len > 0)
            return true; /* its messages carry the domain and names of the network */
    }
    SW_EACH(m, c->session->messages) {
        hit->mark = m->body_first;
        if (is_inside_name(sw_detect_domain(m->message_id)) ||
            is_inside_address(m->header->originating_ip) || names_inside(m->header->received))
            return true;
    }
    return false;
}

const struct sw_detector sw_detect_content[] = {
    {SW_FINDING_CLEARTEXT_CONTENT, cleartext_content, SW_HAS_MAIL},
    {SW_FINDING_INTERNAL_HOST_LEAK, internal_leak, SW_HAS_HELLO | SW_HAS_LOGIN | SW_HAS_MAIL},
    {SW_FINDING_EXPLOIT_ATTEMPT, exploit_attempt, SW_HAS_SHAPE},
    {SW_FINDING_HEADER_INJECTION, header_injection, SW_HAS_FIELD},
    {SW_FINDING_BCC_LEAK, bcc_leak, SW_HAS_BLIND},
    {SW_FINDING_DUPLICATE_MESSAGE, duplicate_message, SW_HAS_SIGN},
    {SW_FINDING_COUNT, NULL, 0},
};
