/*
 * detect_tls.c - old and weak encryption, and certificates that will not do: what the hellos and
 * the certificates show, whatever became of the mail.
 */
#include "analyzer/detect.h"
#include "analyzer/tls_shape.h"
#include "analyzer/rule_tls.h"

static const struct sw_tls *tls_of(const struct sw_case *c)
{
    return c->session->tls_facts;
}

static bool chosen(const struct sw_case *c, struct sw_hit *hit, struct tls_suite *suite)
{
    const struct sw_tls *tls = tls_of(c);
    if (!tls || !tls->server_hello.frame)
        return false;
    hit->mark = tls->server_hello;
    (void)tls_suite(tls->cipher, suite);
    return true;
}

static bool old_version(const struct sw_case *c, struct sw_hit *hit)
{
    struct tls_suite suite;
    return chosen(c, hit, &suite) && tls_of(c)->version < TLS_VERSION_1_2;
}

static bool client_old_only(const struct sw_case *c, struct sw_hit *hit)
{
    const struct sw_tls *tls = tls_of(c);
    if (!tls || !tls->client_hello.frame || tls->client_version >= TLS_VERSION_1_2)
        return false;
    hit->mark = tls->client_hello;
    return true;
}

/* Between mail servers on port 25 an anonymous suite beats clear text (RFC 7435). */
static bool weak_cipher(const struct sw_case *c, struct sw_hit *hit)
{
    struct tls_suite suite;
    if (!chosen(c, hit, &suite) || (!suite.weak && !suite.anonymous))
        return false;
    if (!suite.weak && c->facts->tuple.dst_port == 25)
        hit->severity = SW_SEVERITY_LOW;
    return true;
}

static bool no_forward_secrecy(const struct sw_case *c, struct sw_hit *hit)
{
    struct tls_suite suite;
    return chosen(c, hit, &suite) && suite.static_key;
}

static bool small_group(const struct sw_case *c, struct sw_hit *hit)
{
    struct tls_suite suite;
    const struct sw_tls *tls = tls_of(c);
    if (!chosen(c, hit, &suite) || tls->dh_bits == 0 || tls->dh_bits >= 2048)
        return false;
    if (tls->dh_bits <= 1024)
        hit->severity = SW_SEVERITY_HIGH;
    return true;
}

/* The server says in its random that it could do better (RFC 8446 4.1.3), and the client could as
 * well: somebody between them cannot, or does not want them to. */
static bool downgraded(const struct sw_case *c, struct sw_hit *hit)
{
    struct tls_suite suite;
    const struct sw_tls *tls = tls_of(c);
    if (!chosen(c, hit, &suite) || !tls->client_hello.frame)
        return false;
    return (tls->downgrade == 1 && tls->version < TLS_VERSION_1_2 &&
            tls->client_version >= TLS_VERSION_1_2) ||
           (tls->downgrade == 2 && tls->version < TLS_VERSION_1_3 &&
            tls->client_version >= TLS_VERSION_1_3);
}

static bool insecure_renegotiation(const struct sw_case *c, struct sw_hit *hit)
{
    struct tls_suite suite;
    const struct sw_tls *tls = tls_of(c);
    return chosen(c, hit, &suite) && tls->version <= TLS_VERSION_1_2 &&
           tls->client_renegotiation_info && !tls->server_renegotiation_info;
}

static bool compression(const struct sw_case *c, struct sw_hit *hit)
{
    struct tls_suite suite;
    return chosen(c, hit, &suite) && tls_of(c)->compression != 0;
}

/* A session that is taken up again shows no certificate at all; that is no matter of TLS 1.3. */
static bool opaque(const struct sw_case *c, struct sw_hit *hit)
{
    struct tls_suite suite;
    const struct sw_tls *tls = tls_of(c);
    return chosen(c, hit, &suite) && tls->version == TLS_VERSION_1_3 && !tls->certificates &&
           !sw_tls_is_resumed(tls);
}

/* The first certificate with one of these problems. */
static bool certificate(const struct sw_case *c, struct sw_hit *hit, uint32_t problems)
{
    const struct sw_tls *tls = tls_of(c);
    const struct sw_certificate *certificate;
    if (!tls)
        return false;
    SW_EACH(certificate, tls->certificates) {
        if (!(certificate->problems & problems))
            continue;
        hit->mark = certificate->mark;
        return true;
    }
    return false;
}

static bool certificate_dates(const struct sw_case *c, struct sw_hit *hit)
{
    return certificate(c, hit, 1u << SW_CERTIFICATE_EXPIRED | 1u << SW_CERTIFICATE_NOT_YET_VALID);
}

/* Also a single certificate, or a chain, of an authority that the trust store at hand lacks: what
 * it lacks today it may have had at the time, or the client's own may have it. */
static bool certificate_own(const struct sw_case *c, struct sw_hit *hit)
{
    if (certificate(c, hit, 1u << SW_CERTIFICATE_SELF_SIGNED))
        return true;
    if (certificate(c, hit, 1u << SW_CERTIFICATE_CHAIN_INCOMPLETE) ||
        !certificate(c, hit, 1u << SW_CERTIFICATE_NOT_TRUSTED))
        return false;
    hit->summary = "The server's certificate is not verifiable with the trust store at hand: its "
                   "authority is not in it.";
    return true;
}

/* Between mail servers the name is seldom compared (RFC 7435). */
static bool certificate_name(const struct sw_case *c, struct sw_hit *hit)
{
    if (!certificate(c, hit, 1u << SW_CERTIFICATE_HOST_MISMATCH))
        return false;
    if (c->facts->tuple.dst_port == 25)
        hit->severity = SW_SEVERITY_LOW;
    return true;
}

static bool certificate_signature(const struct sw_case *c, struct sw_hit *hit)
{
    return certificate(c, hit, 1u << SW_CERTIFICATE_WEAK_SIGNATURE);
}

static bool certificate_key(const struct sw_case *c, struct sw_hit *hit)
{
    return certificate(c, hit, 1u << SW_CERTIFICATE_WEAK_KEY);
}

static bool certificate_soon(const struct sw_case *c, struct sw_hit *hit)
{
    return certificate(c, hit, 1u << SW_CERTIFICATE_EXPIRES_SOON);
}

/*
 * The text of a mail went in clear to port 25 of a host that has TLSA records, or of a domain that
 * announces an MTA-STS policy, and the client had been told so before. A certificate proves nothing
 * against TLSA (RFC 7672 3.1.1: it need not be anybody's but the server's).
 */
static bool policy_ignored_in_clear(const struct sw_case *c, struct sw_hit *hit)
{
    const struct sw_naming *n = c->session->naming;
    const struct sw_message *m;
    SW_EACH(m, c->session->messages) {
        if (!m->mail || !m->body_seen || sw_detect_protected(c, m->mail))
            continue;
        bool tlsa = n->tlsa.frame && n->tlsa.frame < m->mail->first.frame;
        bool sts = n->mta_sts.frame && n->mta_sts.frame < m->mail->first.frame;
        if (!tlsa && !sts)
            continue;
        hit->mark = m->mail->first;
        hit->summary =
            tlsa ? "The receiving server asks for verified encryption (TLSA records), and "
                   "the mail went in clear text."
                 : "The recipient's domain announces a policy for encryption (MTA-STS), "
                   "and the mail went in clear text.";
        return true;
    }
    return false;
}

/* The text of a mail was read with a key, or records of the size of one were answered. */
static bool mail_went_up_encrypted(const struct sw_case *c)
{
    struct sw_tls_shape shape;
    const struct sw_message *m;
    if (c->session->tls != SW_TLS_APPLICATION)
        return false;
    SW_EACH(m, c->session->messages) {
        if (m->mail && m->body_seen && sw_detect_protected(c, m->mail))
            return true;
    }
    if (!c->encrypted)
        return false;
    sw_tls_shape_of(c->session, &shape);
    return shape.upload;
}

/*
 * A mail went encrypted to a domain with an MTA-STS policy though the server's certificate is one
 * that the policy rules out: out of date, of another host, or of nobody that is trusted (RFC 8461
 * 4.2). Where there are TLSA records, too, these count and not the authority (RFC 8461 2).
 */
static bool policy_ignored_by_certificate(const struct sw_case *c, struct sw_hit *hit)
{
    const struct sw_naming *n = c->session->naming;
    const struct sw_tls *tls = tls_of(c);
    uint32_t ruled_out = 1u << SW_CERTIFICATE_EXPIRED | 1u << SW_CERTIFICATE_NOT_YET_VALID |
                         1u << SW_CERTIFICATE_SELF_SIGNED | 1u << SW_CERTIFICATE_NOT_TRUSTED |
                         1u << SW_CERTIFICATE_HOST_MISMATCH;
    bool told = tls && n->mta_sts.frame && n->mta_sts.frame < tls->client_hello.frame;
    if (!told || n->tlsa.frame || !certificate(c, hit, ruled_out) || !mail_went_up_encrypted(c))
        return false;
    hit->summary = "The recipient's domain announces a policy for encryption (MTA-STS), and the "
                   "mail went to a server whose certificate could not be verified.";
    return true;
}

static bool policy_ignored(const struct sw_case *c, struct sw_hit *hit)
{
    if (!c->session->naming || c->facts->tuple.dst_port != 25)
        return false;
    return policy_ignored_in_clear(c, hit) || policy_ignored_by_certificate(c, hit);
}

const struct sw_detector sw_detect_tls[] = {
    {SW_FINDING_TLS_OLD_VERSION, old_version, SW_HAS_TLS},
    {SW_FINDING_TLS_CLIENT_OLD_ONLY, client_old_only, SW_HAS_TLS},
    {SW_FINDING_TLS_WEAK_CIPHER, weak_cipher, SW_HAS_TLS},
    {SW_FINDING_TLS_NO_PFS, no_forward_secrecy, SW_HAS_TLS},
    {SW_FINDING_TLS_SMALL_DH, small_group, SW_HAS_TLS},
    {SW_FINDING_TLS_DOWNGRADE_SENTINEL, downgraded, SW_HAS_TLS},
    {SW_FINDING_TLS_INSECURE_RENEGO, insecure_renegotiation, SW_HAS_TLS},
    {SW_FINDING_TLS_COMPRESSION, compression, SW_HAS_TLS},
    {SW_FINDING_TLS13_OPAQUE, opaque, SW_HAS_TLS},
    {SW_FINDING_CERT_EXPIRED, certificate_dates, SW_HAS_TLS},
    {SW_FINDING_CERT_SELF_SIGNED, certificate_own, SW_HAS_TLS},
    {SW_FINDING_CERT_NAME_MISMATCH, certificate_name, SW_HAS_TLS},
    {SW_FINDING_CERT_WEAK_SIG, certificate_signature, SW_HAS_TLS},
    {SW_FINDING_CERT_WEAK_KEY, certificate_key, SW_HAS_TLS},
    {SW_FINDING_CERT_EXPIRES_SOON, certificate_soon, SW_HAS_TLS},
    {SW_FINDING_DELIVERY_WITHOUT_DANE_MTA_STS, policy_ignored, SW_HAS_NAMING},
    {SW_FINDING_COUNT, NULL, 0},
};
