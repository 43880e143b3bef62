#include "pipeline/tls.h"

#include "base/account.h"
#include "base/wipe.h"
#include "crypto/digest.h"

#include <stdlib.h>

bool sw_tls_setting_load(struct sw_tls_setting *setting, char *message, size_t room)
{
    if (!setting->trust && !setting->trust_failed) {
        setting->trust = sw_trust_new(setting->anchors, message, room);
        setting->trust_failed = !setting->trust;
    }
    return setting->trust != NULL;
}

void sw_tls_setting_release(struct sw_tls_setting *setting)
{
    sw_trust_free(setting->trust);
    setting->trust = NULL;
}

/* --- fingerprints --- */

static void ja3_of(const struct tls_hello *hello, char out[33])
{
    char text[TLS_JA3_TEXT];
    uint8_t digest[SW_MD5_BYTES];
    if (tls_ja3(hello, text) && sw_md5(sw_span_str(text), digest))
        sw_hex(digest, sizeof(digest), out);
}

/* The first twelve digits; of nothing, twelve zeros. */
static bool short_hash(const char *text, char out[13])
{
    uint8_t digest[SW_SHA256_BYTES];
    memcpy(out, "000000000000", 13);
    if (text[0] == '\0')
        return true;
    if (!sw_sha256(sw_span_str(text), digest))
        return false;
    sw_hex(digest, 6, out);
    return true;
}

static void ja4_of(const struct tls_hello *hello, char out[40])
{
    struct tls_ja4 parts;
    char ciphers[13];
    char extensions[13];
    if (!tls_ja4(hello, &parts) || !short_hash(parts.ciphers, ciphers) ||
        !short_hash(parts.extensions, extensions))
        return;
    memcpy(out, parts.first, 10);
    out[10] = '_';
    memcpy(out + 11, ciphers, 12);
    out[23] = '_';
    memcpy(out + 24, extensions, 13);
}

static void note_fingerprint(struct sw_session *session, const struct tls_hello *hello)
{
    char ja3[33] = "";
    char ja4[40] = "";
    ja3_of(hello, ja3);
    ja4_of(hello, ja4);
    sw_session_tls_fingerprint(session, ja3, ja4);
}

/* Early data, and the message that ends it: no part of the dialogue behind the handshake. */
static bool is_early(const struct sw_tls *tls, const struct tls_event *event)
{
    enum { END_OF_EARLY_DATA = 4 + 1 + 16 }; /* header, content type, tag (RFC 8446 4.5, 5.2) */
    if (!tls || !tls->early_data || event->from != SW_FROM_CLIENT || tls->finished[SW_CLIENT].frame)
        return false;
    return !tls->server_hello.frame || event->number == END_OF_EARLY_DATA;
}

/* Application data that stays closed, or a hole: the dialogue inside must know. */
static void tell_missing(struct sw_tls_way *way, const struct tls_event *event)
{
    struct sw_tls *tls = way->session->tls_facts;
    enum sw_decrypt_fate fate = way->decrypt.last;
    struct sw_decrypt_loss loss = way->decrypt.loss;
    bool closed = event->kind == TLS_EVENT_RECORD_END && event->code == TLS_CONTENT_APPLICATION &&
                  (event->flags & TLS_FLAG_ENCRYPTED) && fate != SW_DECRYPT_OPENED &&
                  fate != SW_DECRYPT_EARLY && !is_early(tls, event);
    way->decrypt.loss.bytes = 0;
    if (tls && loss.bytes > 0)
        tls->closed[SW_CLIENT]++;
    if (loss.bytes > 0)
        way->inner.missing(way->inner.ctx, SW_FROM_CLIENT, loss.bytes, loss.at);
    if (closed && tls && way->decrypt.in_keylog)
        tls->closed[event->from]++;
    if (closed || event->kind == TLS_EVENT_GAP)
        way->inner.missing(way->inner.ctx, event->from, event->number, event->begin);
}

static void on_event(void *ctx, const struct tls_event *event)
{
    struct sw_tls_way *way = ctx;
    sw_decrypt_event(&way->decrypt, &way->state, event, &way->sink);
    sw_session_tls(way->session, event);
    sw_tls_packed_event(way, event);
    if (event->kind == TLS_EVENT_CLIENT_HELLO)
        note_fingerprint(way->session, event->hello);
    if (event->kind == TLS_EVENT_APPLICATION)
        way->inner.text(way->inner.ctx, event->from, event->bytes, event->begin);
    tell_missing(way, event);
}

/* --- the way --- */

/* With keys the ciphers need some, too. */
static size_t way_bytes(const struct sw_tls_way *way)
{
    enum { CIPHERS = 8192 };
    bool keys = way->decrypt.keys.log || way->decrypt.keys.rsa;
    return sizeof(*way) + (keys ? (size_t)CIPHERS : 0);
}

struct sw_tls_way *sw_tls_way_new(struct sw_session *session, bool midstream,
                                  const struct sw_decrypt_keys *keys,
                                  const struct sw_tls_inner *inner)
{
    struct sw_tls_way *way = calloc(1, sizeof(*way));
    if (!way)
        return NULL;
    way->session = session;
    way->sink = (struct tls_sink){on_event, way};
    way->inner = *inner;
    sw_decrypt_init(&way->decrypt, keys);
    way->account = session->arena.account ? session->arena.account : &way->own_account;
    way->decrypt.account = way->account;
    sw_account_take(way->account, way_bytes(way));
    tls_init(&way->state, midstream);
    return way;
}

void sw_tls_way_bytes(struct sw_tls_way *way, const struct sw_piece *piece)
{
    enum sw_side side = piece->from == SW_FROM_SERVER ? SW_SERVER : SW_CLIENT;
    struct sw_mark mark = {piece->at.frame, piece->at.time_ns};
    sw_session_tls_bytes(way->session, side, piece->bytes.len, mark);
    tls_feed(&way->state, piece, &way->sink);
}

void sw_tls_way_gap(struct sw_tls_way *way, enum sw_from from, uint64_t length, struct sw_at at)
{
    tls_gap(&way->state, from, length, at, &way->sink);
}

/* --- certificates --- */

static uint32_t problems_of(uint32_t found)
{
    static const struct {
        enum sw_x509_problem found;
        enum sw_certificate_problem problem;
    } names[] = {
        {SW_X509_EXPIRED, SW_CERTIFICATE_EXPIRED},
        {SW_X509_NOT_YET_VALID, SW_CERTIFICATE_NOT_YET_VALID},
        {SW_X509_NOT_TRUSTED, SW_CERTIFICATE_NOT_TRUSTED},
        {SW_X509_SELF_SIGNED, SW_CERTIFICATE_SELF_SIGNED},
        {SW_X509_INCOMPLETE, SW_CERTIFICATE_CHAIN_INCOMPLETE},
        {SW_X509_HOST_MISMATCH, SW_CERTIFICATE_HOST_MISMATCH},
        {SW_X509_WEAK_KEY, SW_CERTIFICATE_WEAK_KEY},
        {SW_X509_WEAK_SIGNATURE, SW_CERTIFICATE_WEAK_SIGNATURE},
        {SW_X509_EXPIRES_SOON, SW_CERTIFICATE_EXPIRES_SOON},
    };
    uint32_t problems = 0;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (found & names[i].found)
            problems |= 1u << names[i].problem;
    }
    return problems;
}

/* The name that the client wanted: as the user says, as it asked for, or as it had looked up. */
static struct sw_span wanted_host(const struct sw_session *session,
                                  const struct sw_tls_setting *setting)
{
    if (setting->server_name)
        return sw_span_str(setting->server_name);
    struct sw_span asked = sw_tls_wanted_name(session->tls_facts);
    return asked.len > 0 || !session->naming ? asked : session->naming->name;
}

void sw_tls_judge_certificates(struct sw_session *session, struct sw_tls_setting *setting)
{
    struct sw_tls *tls = session->tls_facts;
    struct sw_span ders[SW_TLS_CERTIFICATES];
    struct sw_x509_facts facts[SW_TLS_CERTIFICATES];
    size_t count = 0;
    struct sw_certificate *certificate;
    if (!tls || !tls->certificates || !sw_tls_setting_load(setting, NULL, 0))
        return;
    SW_EACH(certificate, tls->certificates)
        ders[count++] = certificate->der;
    struct sw_span host = wanted_host(session, setting);
    int64_t time_s = tls->certificates->mark.time_ns / SW_NS_PER_S;
    sw_certificate_check(setting->trust, ders, count, host, time_s, &session->arena, facts);
    /* of a chain that is not whole nobody can say that it leads nowhere */
    const uint32_t needs_all =
        1u << SW_CERTIFICATE_NOT_TRUSTED | 1u << SW_CERTIFICATE_CHAIN_INCOMPLETE;
    size_t i = 0;
    SW_EACH(certificate, tls->certificates) {
        const struct sw_x509_facts *f = &facts[i++];
        certificate->read = f->read;
        certificate->subject = f->subject;
        certificate->issuer = f->issuer;
        certificate->names = f->names;
        memcpy(certificate->not_before, f->not_before, sizeof(certificate->not_before));
        memcpy(certificate->not_after, f->not_after, sizeof(certificate->not_after));
        memcpy(certificate->sha256, f->sha256, sizeof(certificate->sha256));
        certificate->problems = problems_of(f->problems);
        if (tls->certificate_cut && (certificate->problems & needs_all)) {
            certificate->problems &= ~needs_all;
            tls->chain_open = true;
        }
        sw_session_certificate(certificate);
    }
}

static enum sw_tls_keys keys_of(const struct sw_decrypt *decrypt)
{
    if (!decrypt->given)
        return SW_TLS_KEYS_NONE;
    if (decrypt->opened > 0)
        return SW_TLS_KEYS_FIT;
    if (!decrypt->in_keylog && decrypt->rsa_unfit)
        return SW_TLS_KEYS_RSA_UNFIT;
    if (!decrypt->in_keylog && decrypt->keys.rsa && decrypt->ephemeral)
        return SW_TLS_KEYS_RSA_USELESS;
    if (!decrypt->in_keylog)
        return SW_TLS_KEYS_FOREIGN;
    return decrypt->no_suite ? SW_TLS_KEYS_NO_SUITE : SW_TLS_KEYS_UNFIT;
}

void sw_tls_way_finish(struct sw_tls_way *way, struct sw_at at)
{
    tls_end(&way->state, SW_FROM_CLIENT, at, &way->sink);
    tls_end(&way->state, SW_FROM_SERVER, at, &way->sink);
    struct sw_tls *tls = way->session->tls_facts;
    if (tls) {
        tls->keys = keys_of(&way->decrypt);
        tls->early_opened = way->decrypt.early_opened > 0;
    }
    if (way->decrypt.short_of_memory)
        way->session->limits_hit = true;
}

void sw_tls_way_free(struct sw_tls_way *way)
{
    if (!way)
        return;
    sw_account_give(way->account, way_bytes(way));
    sw_decrypt_release(&way->decrypt);
    sw_tls_packed_clear(&way->packed, way->account);
    sw_wipe(way, sizeof(*way));
    free(way);
}
