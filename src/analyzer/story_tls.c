/*
 * story_tls.c - the part of the story in which encryption is set up.
 */
#include "analyzer/story.h"
#include "analyzer/tls_shape.h"

enum { QUOTE = 120, NAME = 100, PROBLEMS_TOLD = 4 };

static const char *frame(struct sw_prose *story, struct sw_mark mark)
{
    return sw_prose_frame(story, mark.frame);
}

static void tell_starttls(const struct sw_case *c, struct sw_prose *story)
{
    const struct sw_step *starttls = c->session->starttls;
    if (!starttls || !starttls->reply)
        return;
    if (sw_reply_is(starttls->reply, 2)) {
        sw_prose_add(story, " STARTTLS was accepted (frame %s).",
                     frame(story, starttls->reply->first));
        return;
    }
    sw_prose_add(story, " STARTTLS (frame %s) was answered \"%03u ",
                 frame(story, sw_step_last(starttls)), starttls->reply->code);
    sw_prose_wire(story, starttls->reply->text, QUOTE);
    sw_prose_add(story, "\" (frame %s).", frame(story, starttls->reply->first));
}

static void add_version(struct sw_prose *story, uint16_t version)
{
    const char *name = tls_version_name(version);
    if (name)
        sw_prose_add(story, "%s", name);
    else
        sw_prose_add(story, "version 0x%04X", version);
}

static void tell_early(const struct sw_tls *tls, struct sw_prose *story)
{
    if (tls->early_records == 0) {
        if (tls->early_data)
            sw_prose_add(story, " It announced early data (0-RTT).");
        return;
    }
    const char *fate = "which stayed closed";
    if (tls->early_opened)
        fate = "and the server took it";
    else if (tls->early_refused)
        fate = "which the server did not take: it counts as unsaid";
    else if (tls->early_taken)
        fate = "which the server took and which could not be opened";
    sw_prose_add(story, " It sent %u record%s of early data (0-RTT) at once (frame %s), %s.",
                 tls->early_records, tls->early_records == 1 ? "" : "s", frame(story, tls->early),
                 fate);
}

static void tell_hellos(const struct sw_tls *tls, struct sw_prose *story)
{
    if (tls->client_hello.frame) {
        sw_prose_add(story, " The client began TLS (ClientHello, frame %s) with versions up to ",
                     frame(story, tls->client_hello));
        add_version(story, tls->client_version);
        if (tls->sni.len > 0) {
            sw_prose_add(story, ", for the name ");
            sw_prose_wire(story, tls->sni, NAME);
        }
        sw_prose_add(story, tls->encrypted_hello ? " (it may be a stand-in: the hello has an "
                                                   "encrypted part besides)."
                                                 : ".");
    }
    tell_early(tls, story);
    if (!tls->server_hello.frame)
        return;
    const char *cipher = tls_cipher_name(tls->cipher);
    sw_prose_add(story, " The server chose ");
    add_version(story, tls->version);
    sw_prose_add(story, " with %s (frame %s)%s.", cipher ? cipher : "a cipher without a name",
                 frame(story, tls->server_hello),
                 sw_tls_is_resumed(tls) ? " and took up an earlier session" : "");
}

static void tell_certificate(const struct sw_tls *tls, struct sw_prose *story)
{
    const struct sw_certificate *leaf = tls->certificates;
    if (tls->certificates_unread)
        sw_prose_add(story,
                     " Its certificates came compressed (%s, RFC 8879) and were not read: nothing "
                     "can be said of them.",
                     tls->certificates_unread);
    if (!leaf || !leaf->read)
        return;
    sw_prose_add(story, " Its certificate (frame %s) is for ", frame(story, leaf->mark));
    sw_prose_wire(story, leaf->subject, NAME);
    sw_prose_add(story, ", issued by ");
    sw_prose_wire(story, leaf->issuer, NAME);
    if (leaf->not_before[0] && leaf->not_after[0])
        sw_prose_add(story, ", valid from %s to %s", leaf->not_before, leaf->not_after);
    sw_prose_add(story, ".");
    if (tls->chain_open)
        sw_prose_add(story, " Not all certificates that the server sent were kept or are in the "
                            "capture, so whether its authority is known cannot be told.");
    uint32_t problems = 0;
    const struct sw_certificate *certificate;
    SW_EACH(certificate, tls->certificates)
        problems |= certificate->problems;
    static const struct {
        enum sw_certificate_problem problem;
        const char *words;
    } told[] = {
        {SW_CERTIFICATE_HOST_MISMATCH, "is not made out for the name that was asked for"},
        {SW_CERTIFICATE_EXPIRED, "had expired at the time of the capture"},
        {SW_CERTIFICATE_NOT_YET_VALID, "was not valid yet at the time of the capture"},
        {SW_CERTIFICATE_SELF_SIGNED, "is its own issuer"},
        {SW_CERTIFICATE_CHAIN_INCOMPLETE, "came without the certificate that links it to its "
                                          "authority"},
        {SW_CERTIFICATE_NOT_TRUSTED, "is not verifiable with this trust store"},
        {SW_CERTIFICATE_INTERCEPTED, "was made by a product that opens encrypted connections on "
                                     "the way"},
    };
    unsigned count = 0;
    for (size_t i = 0; i < sizeof(told) / sizeof(told[0]) && count < PROBLEMS_TOLD; i++) {
        if (!(problems & (1u << told[i].problem)))
            continue;
        sw_prose_add(story, "%s %s", count++ ? "; it" : " It", told[i].words);
    }
    if (count > 0)
        sw_prose_add(story, ".");
}

static void tell_alerts(const struct sw_tls *tls, struct sw_prose *story)
{
    const struct sw_tls_alert *alert;
    SW_EACH(alert, tls->alerts) {
        if (!alert->known || !tls_alert_is_error(alert->description))
            continue;
        const char *name = tls_alert_name(alert->description);
        sw_prose_add(story, " The %s sent the alert %s (%u, frame %s).",
                     alert->from == SW_SERVER ? "server" : "client", name ? name : "without a name",
                     alert->description, frame(story, alert->mark));
        return;
    }
}

static void tell_junk(const struct sw_tls *tls, struct sw_prose *story)
{
    static const char *const kinds[] = {
        [TLS_JUNK_BINARY] = "bytes that are no TLS",
        [TLS_JUNK_SMTP] = "a reply in plain text",
        [TLS_JUNK_HTTP] = "HTTP",
        [TLS_JUNK_TEXT] = "plain text",
    };
    for (int side = 0; side < 2; side++) {
        const struct sw_tls_junk *junk = &tls->side[side].junk;
        if (junk->mark.frame)
            sw_prose_add(story, " Where a TLS record was due the %s sent %s (frame %s).",
                         side == SW_SERVER ? "server" : "client", kinds[junk->kind],
                         frame(story, junk->mark));
    }
}

static void tell_keys(const struct sw_tls *tls, struct sw_prose *story)
{
    switch (tls->keys) {
    case SW_TLS_KEYS_NONE:
        return;
    case SW_TLS_KEYS_FOREIGN:
        sw_prose_add(story, " The keys that were given hold none for this connection.");
        return;
    case SW_TLS_KEYS_UNFIT:
        sw_prose_add(story, " The key that was given for this connection does not fit.");
        return;
    case SW_TLS_KEYS_NO_SUITE:
        sw_prose_add(story, " This cipher suite cannot be opened, even with a key.");
        return;
    case SW_TLS_KEYS_RSA_UNFIT:
        sw_prose_add(story, " The RSA key that was given is not the key of this server.");
        return;
    case SW_TLS_KEYS_RSA_USELESS:
        sw_prose_add(story, " The RSA key that was given cannot open this connection: client and "
                            "server agreed on fresh keys (forward secrecy), so a key log is "
                            "needed.");
        return;
    case SW_TLS_KEYS_FIT:
        break;
    }
    unsigned long long closed = tls->closed[SW_CLIENT] + tls->closed[SW_SERVER];
    if (closed > 0)
        sw_prose_add(story, " %llu record%s could not be opened with the keys that were given.",
                     closed, closed == 1 ? "" : "s");
}

/* Was anything said behind the handshake? */
static bool words_inside(const struct sw_case *c)
{
    struct sw_tls_shape shape;
    sw_tls_shape_of(c->session, &shape);
    return shape.client_data || shape.server_data;
}

bool sw_tls_begins_before(const struct sw_tls *tls, struct sw_mark mark)
{
    return tls && tls->client_hello.frame && tls->client_hello.frame < mark.frame;
}

void sw_story_tls(const struct sw_case *c, struct sw_prose *story)
{
    const struct sw_tls *tls = c->session->tls_facts;
    tell_starttls(c, story);
    if (!tls)
        return;
    tell_hellos(tls, story);
    tell_certificate(tls, story);
    if (!tls->decrypted)
        tell_alerts(tls, story);
    tell_junk(tls, story);
    if (c->encrypted && c->session->tls == SW_TLS_APPLICATION && words_inside(c))
        sw_prose_add(story, " What was said after that is encrypted and was not read.");
    tell_keys(tls, story);
}

void sw_story_tls_again(const struct sw_case *c, struct sw_prose *story)
{
    const struct sw_tls *tls = c->session->tls_facts;
    const struct sw_tls_record *again = tls ? sw_tls_second_handshake(tls) : NULL;
    if (again)
        sw_prose_add(story, " The %s asked for another TLS handshake in the middle (frame %s).",
                     again->from == SW_SERVER ? "server" : "client", frame(story, again->first));
}

void sw_story_tls_goodbye(const struct sw_case *c, struct sw_prose *story)
{
    if (!c->goodbye || (c->session->quit && !tls_alert_is_error(c->goodbye->description)))
        return; /* behind a QUIT it goes without saying */
    const char *name = tls_alert_name(c->goodbye->description);
    sw_prose_add(story, " The %s ended the encrypted connection with the alert %s (%u, frame %s).",
                 c->goodbye->from == SW_SERVER ? "server" : "client",
                 name ? name : "without a name", c->goodbye->description,
                 frame(story, c->goodbye->mark));
}

void sw_story_tls_end(const struct sw_case *c, struct sw_prose *story)
{
    const struct sw_tls *tls = c->session->tls_facts;
    if (tls && tls->decrypted && !c->goodbye)
        tell_alerts(tls, story);
}
