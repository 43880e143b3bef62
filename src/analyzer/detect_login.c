/*
 * detect_login.c - logins that anybody on the path can read or guess, and mail that needs no login
 * where it should.
 */
#include "analyzer/detect.h"

/* The first secret of these mechanisms that anybody on the path could read. */
static bool secret_in_clear(const struct sw_case *c, struct sw_hit *hit, enum smtp_mechanism one,
                            enum smtp_mechanism other)
{
    const struct sw_auth *auth;
    SW_EACH(auth, c->session->auths) {
        bool asked = auth->kind == one || auth->kind == other;
        if (!asked || !auth->secret || sw_detect_protected(c, auth->secret))
            continue;
        hit->mark = sw_step_last(auth->secret);
        return true;
    }
    return false;
}

static bool plaintext_used(const struct sw_case *c, struct sw_hit *hit)
{
    if (sw_detect_loopback(c))
        hit->severity = SW_SEVERITY_INFO;
    return secret_in_clear(c, hit, SMTP_MECH_PLAIN, SMTP_MECH_LOGIN);
}

static bool token_in_clear(const struct sw_case *c, struct sw_hit *hit)
{
    return !sw_detect_loopback(c) &&
           secret_in_clear(c, hit, SMTP_MECH_XOAUTH2, SMTP_MECH_OAUTHBEARER);
}

/* Is the mechanism in the AUTH line of this hello? The legacy "AUTH=" form counts. */
static bool offers(const struct sw_hello *hello, const char *mechanism)
{
    const struct sw_capability *cap;
    SW_EACH(cap, hello->capabilities) {
        if (cap->keyword.len > 5 || !sw_span_starts_nocase(cap->keyword, SW_SPAN_LIT("AUTH")))
            continue;
        struct sw_span rest = cap->params;
        for (struct sw_span word = sw_span_word(&rest); word.len > 0; word = sw_span_word(&rest)) {
            if (sw_span_eq_nocase(word, sw_span_str(mechanism)))
                return true;
        }
    }
    return false;
}

static bool plaintext_offered(const struct sw_case *c, struct sw_hit *hit)
{
    const struct sw_hello *hello;
    if (sw_detect_loopback(c))
        return false;
    SW_EACH(hello, c->session->hellos) {
        if (!hello->reply || sw_detect_protected(c, hello->command) ||
            (!offers(hello, "PLAIN") && !offers(hello, "LOGIN")))
            continue;
        hit->mark = hello->reply->first;
        return true;
    }
    return false;
}

/*
 * A mechanism that is weak by itself, used or offered; inside TLS it matters less, so that what
 * stood in clear text comes first.
 */
static bool weak(const struct sw_case *c, struct sw_hit *hit, enum smtp_mechanism kind,
                 const char *name, enum sw_severity inside_tls)
{
    bool found = false;
    enum sw_severity in_clear = hit->severity;
    const struct sw_auth *auth;
    const struct sw_hello *hello;
    SW_EACH(auth, c->session->auths) {
        bool hidden = sw_detect_protected(c, auth->command);
        if (auth->kind != kind || (found && hidden))
            continue;
        hit->mark = sw_step_last(auth->command);
        hit->severity = hidden ? inside_tls : in_clear;
        found = true;
        if (!hidden)
            return true;
    }
    SW_EACH(hello, c->session->hellos) {
        bool hidden = sw_detect_protected(c, hello->command);
        if (!hello->reply || !offers(hello, name) || (found && hidden))
            continue;
        hit->mark = hello->reply->first;
        hit->severity = hidden ? inside_tls : in_clear;
        found = true;
        if (!hidden)
            return true;
    }
    return found;
}

static bool weak_ntlm(const struct sw_case *c, struct sw_hit *hit)
{
    return weak(c, hit, SMTP_MECH_NTLM, "NTLM", SW_SEVERITY_LOW);
}

static bool weak_cram_md5(const struct sw_case *c, struct sw_hit *hit)
{
    return weak(c, hit, SMTP_MECH_CRAM_MD5, "CRAM-MD5", SW_SEVERITY_INFO);
}

static bool weak_digest_md5(const struct sw_case *c, struct sw_hit *hit)
{
    return weak(c, hit, SMTP_MECH_DIGEST_MD5, "DIGEST-MD5", SW_SEVERITY_INFO);
}

/* EXTERNAL rests on a certificate of the client, which there is none of outside TLS (RFC 4422 A).
 */
static bool weak_anonymous(const struct sw_case *c, struct sw_hit *hit)
{
    const struct sw_auth *auth;
    SW_EACH(auth, c->session->auths) {
        bool nobody = auth->kind == SMTP_MECH_ANONYMOUS ||
                      (auth->kind == SMTP_MECH_EXTERNAL && !sw_detect_protected(c, auth->command));
        if (!nobody || auth->result != SW_AUTH_ACCEPTED)
            continue;
        hit->mark = auth->reply->first;
        return true;
    }
    return false;
}

static bool brute_force(const struct sw_case *c, struct sw_hit *hit)
{
    hit->mark = c->signs.guessing;
    return hit->mark.frame != 0;
}

static bool success_after_guessing(const struct sw_case *c, struct sw_hit *hit)
{
    hit->mark = c->signs.guessed;
    return hit->mark.frame != 0;
}

static bool no_login_submission(const struct sw_case *c, struct sw_hit *hit)
{
    uint16_t port = c->facts->tuple.dst_port;
    if ((port != 587 && port != 465) || c->session->authenticated || !c->complete_start ||
        c->encrypted || sw_detect_loopback(c))
        return false;
    if (sw_detect_inside(c))
        hit->severity = SW_SEVERITY_LOW; /* the server may know its neighbours by address */
    const struct sw_message *m;
    SW_EACH(m, c->session->messages) {
        if (!sw_reply_is(m->final, 2))
            continue;
        hit->mark = m->final->first;
        return true;
    }
    return false;
}

/* Both name a domain, and not the same. Hosts of one organisation may send for each other; other
 * aliases cannot be seen. */
static bool is_foreign(struct sw_span user, struct sw_span sender)
{
    struct sw_span own = sw_detect_organisation(sw_detect_domain(user));
    struct sw_span other = sw_detect_organisation(sw_detect_domain(sender));
    return own.len > 0 && other.len > 0 && !sw_span_eq_nocase(own, other);
}

static bool spoofed_from(const struct sw_case *c, struct sw_hit *hit)
{
    const struct sw_auth *auth;
    struct sw_span user = {NULL, 0};
    SW_EACH(auth, c->session->auths) {
        if (auth->result == SW_AUTH_ACCEPTED)
            user = auth->user;
    }
    if (user.len == 0)
        return false;
    const struct sw_message *m;
    SW_EACH(m, c->session->messages) {
        bool envelope = is_foreign(user, m->sender);
        if (!sw_reply_is(m->final, 2) || (!envelope && !is_foreign(user, m->header->from)))
            continue;
        hit->mark = envelope && m->mail ? sw_step_last(m->mail) : m->body_first;
        return true;
    }
    return false;
}

const struct sw_detector sw_detect_login[] = {
    {SW_FINDING_NO_AUTH_SUBMISSION, no_login_submission, SW_HAS_MAIL},
    {SW_FINDING_PLAINTEXT_AUTH_USED, plaintext_used, SW_HAS_LOGIN},
    {SW_FINDING_OAUTH_TOKEN_CLEARTEXT, token_in_clear, SW_HAS_LOGIN},
    {SW_FINDING_PLAINTEXT_AUTH_OFFERED, plaintext_offered, SW_HAS_LOGIN_OFFER},
    {SW_FINDING_WEAK_MECH_NTLM, weak_ntlm, SW_HAS_LOGIN | SW_HAS_LOGIN_OFFER},
    {SW_FINDING_WEAK_MECH_CRAM_MD5, weak_cram_md5, SW_HAS_LOGIN | SW_HAS_LOGIN_OFFER},
    {SW_FINDING_WEAK_MECH_DIGEST_MD5, weak_digest_md5, SW_HAS_LOGIN | SW_HAS_LOGIN_OFFER},
    {SW_FINDING_WEAK_MECH_ANONYMOUS, weak_anonymous, SW_HAS_LOGIN},
    {SW_FINDING_AUTH_BRUTE_FORCE, brute_force, SW_HAS_SIGN},
    {SW_FINDING_AUTH_SUCCESS_AFTER_BRUTEFORCE, success_after_guessing, SW_HAS_SIGN},
    {SW_FINDING_SPOOFED_FROM, spoofed_from, SW_HAS_LOGIN},
    {SW_FINDING_COUNT, NULL, 0},
};
