/*
 * detect_login.c - logins that anybody on the path can read or guess, and mail that needs no login
 * where it should.
 */
#include "analyzer/detect.h"

static bool sends_password(const struct sw_auth *auth)
{
    return auth->kind == SMTP_MECH_PLAIN || auth->kind == SMTP_MECH_LOGIN;
}

/* The secret itself was sent: with the command, or in a continuation that was not a cancellation.
 */
static bool secret_was_sent(const struct sw_auth *auth)
{
    bool initial = auth->command && (auth->command->flags & SMTP_FLAG_INITIAL);
    bool continued = auth->last && auth->last != auth->command && !auth->cancelled;
    return initial || continued;
}

static bool plaintext_used(const struct sw_case *c, struct sw_hit *hit)
{
    const struct sw_auth *auth;
    SW_EACH(auth, c->session->auths) {
        if (auth->encrypted || !sends_password(auth) || !secret_was_sent(auth))
            continue;
        hit->mark = auth->last->last;
        if (sw_detect_loopback(c))
            hit->severity = SW_SEVERITY_INFO;
        return true;
    }
    return false;
}

static bool token_in_clear(const struct sw_case *c, struct sw_hit *hit)
{
    const struct sw_auth *auth;
    SW_EACH(auth, c->session->auths) {
        bool oauth = auth->kind == SMTP_MECH_XOAUTH2 || auth->kind == SMTP_MECH_OAUTHBEARER;
        if (auth->encrypted || !oauth || !secret_was_sent(auth) || sw_detect_loopback(c))
            continue;
        hit->mark = auth->last->last;
        return true;
    }
    return false;
}

/* Is the mechanism in the AUTH line of this hello? The legacy "AUTH=" form counts. */
static bool offers(const struct sw_hello *hello, const char *mechanism)
{
    const struct sw_capability *cap;
    SW_EACH(cap, hello->capabilities) {
        if (!sw_span_starts_nocase(cap->keyword, SW_SPAN_LIT("AUTH")) || cap->keyword.len > 5)
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
        if (hello->encrypted || !hello->reply ||
            (!offers(hello, "PLAIN") && !offers(hello, "LOGIN")))
            continue;
        hit->mark = hello->reply->first;
        return true;
    }
    return false;
}

/* A mechanism that is weak by itself: offered or used; inside TLS it matters less. */
static bool weak(const struct sw_case *c, struct sw_hit *hit, enum smtp_mechanism kind,
                 const char *name, enum sw_severity inside_tls)
{
    const struct sw_auth *auth;
    SW_EACH(auth, c->session->auths) {
        if (auth->kind != kind)
            continue;
        hit->mark = auth->command->last;
        if (auth->encrypted)
            hit->severity = inside_tls;
        return true;
    }
    const struct sw_hello *hello;
    SW_EACH(hello, c->session->hellos) {
        if (!hello->reply || !offers(hello, name))
            continue;
        hit->mark = hello->reply->first;
        if (hello->encrypted)
            hit->severity = inside_tls;
        return true;
    }
    return false;
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

static bool weak_anonymous(const struct sw_case *c, struct sw_hit *hit)
{
    const struct sw_auth *auth;
    SW_EACH(auth, c->session->auths) {
        if (auth->kind != SMTP_MECH_ANONYMOUS || auth->result != SW_AUTH_ACCEPTED)
            continue;
        hit->mark = auth->reply->first;
        return true;
    }
    return false;
}

enum { GUESSES_IN_A_SESSION = 5 };

/* Failed logins of the session, and how many different users were tried. */
static unsigned failed_logins(const struct sw_case *c, unsigned *users, struct sw_mark *last)
{
    unsigned failed = 0;
    *users = 0;
    const struct sw_auth *auth;
    SW_EACH(auth, c->session->auths) {
        if (auth->result != SW_AUTH_REJECTED)
            continue;
        failed++;
        *last = auth->reply->first;
        bool known = false;
        const struct sw_auth *before;
        for (before = c->session->auths; before != auth; before = before->next)
            known = known ||
                    (before->result == SW_AUTH_REJECTED && sw_span_eq(before->user, auth->user));
        *users += !known;
    }
    return failed;
}

static bool brute_force(const struct sw_case *c, struct sw_hit *hit)
{
    unsigned users = 0;
    return failed_logins(c, &users, &hit->mark) >= GUESSES_IN_A_SESSION;
}

/* The guard of the public list: a few failures of one user who then gets it right are that user. */
static bool success_after_guessing(const struct sw_case *c, struct sw_hit *hit)
{
    unsigned users = 0;
    struct sw_mark last = {0};
    if (failed_logins(c, &users, &last) < GUESSES_IN_A_SESSION || !c->session->authenticated)
        return false;
    const struct sw_auth *auth;
    SW_EACH(auth, c->session->auths) {
        if (auth->result == SW_AUTH_ACCEPTED)
            hit->mark = auth->reply->first;
    }
    return true;
}

static bool no_login_submission(const struct sw_case *c, struct sw_hit *hit)
{
    uint16_t port = c->facts->tuple.dst_port;
    if ((port != 587 && port != 465) || c->session->authenticated || !c->complete_start ||
        c->encrypted)
        return false;
    const struct sw_message *m;
    SW_EACH(m, c->session->messages) {
        if (!sw_reply_is(m->final, 2))
            continue;
        hit->mark = m->final->first;
        return true;
    }
    return false;
}

/* The part behind the @, or empty. */
static struct sw_span domain_of(struct sw_span address)
{
    size_t at = sw_span_index(address, '@');
    return at < address.len ? sw_span_from(address, at + 1) : (struct sw_span){NULL, 0};
}

static bool spoofed_from(const struct sw_case *c, struct sw_hit *hit)
{
    const struct sw_auth *auth;
    struct sw_span user_domain = {NULL, 0};
    SW_EACH(auth, c->session->auths) {
        if (auth->result == SW_AUTH_ACCEPTED)
            user_domain = domain_of(auth->user);
    }
    const struct sw_message *m;
    SW_EACH(m, c->session->messages) {
        struct sw_span sender = domain_of(m->sender);
        if (!user_domain.len || !sender.len || !sw_reply_is(m->final, 2) ||
            sw_span_eq_nocase(sender, user_domain))
            continue;
        hit->mark = m->mail->last;
        return true;
    }
    return false;
}

const struct sw_detector sw_detect_login[] = {
    {SW_FINDING_PLAINTEXT_AUTH_USED, plaintext_used},
    {SW_FINDING_OAUTH_TOKEN_CLEARTEXT, token_in_clear},
    {SW_FINDING_PLAINTEXT_AUTH_OFFERED, plaintext_offered},
    {SW_FINDING_WEAK_MECH_NTLM, weak_ntlm},
    {SW_FINDING_WEAK_MECH_CRAM_MD5, weak_cram_md5},
    {SW_FINDING_WEAK_MECH_DIGEST_MD5, weak_digest_md5},
    {SW_FINDING_WEAK_MECH_ANONYMOUS, weak_anonymous},
    {SW_FINDING_AUTH_BRUTE_FORCE, brute_force},
    {SW_FINDING_AUTH_SUCCESS_AFTER_BRUTEFORCE, success_after_guessing},
    {SW_FINDING_NO_AUTH_SUBMISSION, no_login_submission},
    {SW_FINDING_SPOOFED_FROM, spoofed_from},
    {SW_FINDING_COUNT, NULL},
};
