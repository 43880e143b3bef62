/*
 * ladder_tls.c - rungs of TLS: the handshake as far as it can be read, alerts, and the records that
 * stayed closed.
 */
#include "report/ladder_build.h"

static struct sw_rung *add(struct sw_ladder_maker *m, enum sw_side side, struct sw_mark mark)
{
    return sw_ladder_add(m, SW_RUNG_TLS, (enum sw_origin)side, mark, SW_RANK_TLS, SW_STAGE_TLS);
}

static void put_version(struct sw_ladder_maker *m, uint16_t version)
{
    const char *name = tls_version_name(version);
    if (name)
        sw_writer_text(&m->text, name);
    else
        sw_writer_format(&m->text, "version 0x%04x", version);
}

static void client_hellos(struct sw_ladder_maker *m, const struct sw_tls *tls)
{
    struct sw_rung *rung = add(m, SW_CLIENT, tls->client_hello);
    sw_writer_text(&m->text, "ClientHello, up to ");
    put_version(m, tls->client_version);
    if (tls->sni.len > 0) {
        sw_writer_text(&m->text, ", for ");
        sw_writer_put(&m->text, tls->sni);
    }
    sw_ladder_say(m, rung);
    if (tls->client_hello_last.frame != tls->client_hello.frame)
        sw_ladder_say_text(m, add(m, SW_CLIENT, tls->client_hello_last), "ClientHello again");
}

static void server_hellos(struct sw_ladder_maker *m, const struct sw_tls *tls)
{
    const char *cipher = tls_cipher_name(tls->cipher);
    sw_ladder_say_text(m, add(m, SW_SERVER, tls->retry), "HelloRetryRequest");
    struct sw_rung *rung = add(m, SW_SERVER, tls->server_hello);
    sw_writer_text(&m->text, "ServerHello, ");
    put_version(m, tls->version);
    if (cipher)
        sw_writer_format(&m->text, ", %s", cipher);
    if (sw_tls_is_resumed(tls))
        sw_writer_text(&m->text, ", resumed");
    sw_ladder_say(m, rung);
}

static void certificate(struct sw_ladder_maker *m, const struct sw_tls *tls)
{
    struct sw_rung *rung = add(m, SW_SERVER, tls->certificate);
    const struct sw_certificate *c = tls->certificates;
    sw_writer_text(&m->text, "Certificate");
    if (c && c->read) {
        sw_writer_text(&m->text, " of ");
        sw_writer_put(&m->text, c->subject);
    }
    for (unsigned i = 0; c && i < SW_CERTIFICATE_PROBLEMS; i++) {
        if (c->problems & (1u << i))
            sw_writer_format(&m->text, ", %s",
                             sw_certificate_problem_name((enum sw_certificate_problem)i));
    }
    if (tls->certificate_cut)
        sw_writer_text(&m->text, ", cut");
    sw_ladder_say(m, rung);
    if (rung && c && c->problems)
        rung->mood = SW_RUNG_ODD;
}

static void alerts(struct sw_ladder_maker *m, const struct sw_tls *tls)
{
    const struct sw_tls_alert *alert;
    SW_EACH(alert, tls->alerts) {
        struct sw_rung *rung = sw_ladder_add(m, SW_RUNG_TLS, (enum sw_origin)alert->from,
                                             alert->mark, SW_RANK_ALERT, SW_STAGE_TLS);
        const char *name = alert->known ? tls_alert_name(alert->description) : NULL;
        if (name)
            sw_writer_format(&m->text, "alert: %s", name);
        else if (alert->known)
            sw_writer_format(&m->text, "alert %u", alert->description);
        else
            sw_writer_text(&m->text, "an encrypted alert");
        sw_ladder_say(m, rung);
        if (rung) {
            rung->encrypted = alert->encrypted;
            bool error = alert->known && tls_alert_is_error(alert->description);
            rung->mood = error ? SW_RUNG_BAD : SW_RUNG_PLAIN;
        }
    }
}

static void junk(struct sw_ladder_maker *m, const struct sw_tls *tls, enum sw_side side)
{
    static const char *const words[] = {[TLS_JUNK_BINARY] = "bytes that are no TLS",
                                        [TLS_JUNK_SMTP] = "SMTP in clear where TLS was due",
                                        [TLS_JUNK_HTTP] = "HTTP where TLS was due",
                                        [TLS_JUNK_TEXT] = "plain text where TLS was due"};
    const struct sw_tls_junk *j = &tls->side[side].junk;
    struct sw_rung *rung = add(m, side, j->mark);
    sw_ladder_say_text(m, rung, words[j->kind]);
    if (rung)
        rung->mood = SW_RUNG_BAD;
}

/* What was opened is told by what is inside. */
static bool is_open(const struct sw_tls *tls, const struct sw_tls_record *record)
{
    if (record->content == TLS_CONTENT_ALERT)
        return true; /* it has its own rung */
    return tls->keys == SW_TLS_KEYS_FIT && tls->closed[record->from] == 0;
}

static void records(struct sw_ladder_maker *m, const struct sw_tls *tls)
{
    const struct sw_tls_record *record;
    SW_EACH(record, tls->records) {
        struct sw_rung *rung = is_open(tls, record) ? NULL : add(m, record->from, record->first);
        if (!rung)
            continue;
        rung->last = record->last;
        rung->packets = record->count;
        rung->sealed_bytes = record->bytes;
        rung->sealed = rung->encrypted = true;
    }
    if (tls->records_left_out > 0) {
        sw_writer_format(&m->text, "%llu more encrypted records",
                         (unsigned long long)tls->records_left_out);
        sw_ladder_note(m, true, SW_RUNG_PLAIN);
    }
}

void sw_ladder_tls(struct sw_ladder_maker *m)
{
    const struct sw_tls *tls = m->session->tls_facts;
    if (!tls)
        return;
    client_hellos(m, tls);
    server_hellos(m, tls);
    certificate(m, tls);
    sw_ladder_say_text(m, add(m, SW_SERVER, tls->certificate_request), "CertificateRequest");
    sw_ladder_say_text(m, add(m, SW_SERVER, tls->server_done), "ServerHelloDone");
    for (int side = SW_CLIENT; side <= SW_SERVER; side++) {
        sw_ladder_say_text(m, add(m, (enum sw_side)side, tls->side[side].change_cipher),
                           "ChangeCipherSpec");
        sw_ladder_say_text(m, add(m, (enum sw_side)side, tls->finished[side]), "Finished");
        junk(m, tls, (enum sw_side)side);
    }
    records(m, tls);
    alerts(m, tls);
}

static bool is_handshake(const struct sw_rung *rung)
{
    return rung->kind == SW_RUNG_TLS && rung->rank == SW_RANK_TLS;
}

/* Encrypted records of one side in a row are one rung. */
static void join_sealed(struct sw_ladder *ladder)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < ladder->count; i++) {
        struct sw_rung *rung = &ladder->rungs[i];
        struct sw_rung *before = kept > 0 ? &ladder->rungs[kept - 1] : NULL;
        if (before && before->sealed && rung->sealed && before->from == rung->from) {
            before->packets += rung->packets;
            before->sealed_bytes += rung->sealed_bytes;
            before->last = rung->last;
        } else {
            ladder->rungs[kept++] = *rung;
        }
    }
    ladder->count = kept;
}

static void say_sealed(struct sw_ladder_maker *m)
{
    for (uint32_t i = 0; i < m->ladder->count; i++) {
        struct sw_rung *rung = &m->ladder->rungs[i];
        if (!rung->sealed)
            continue;
        sw_writer_format(&m->text, "encrypted, %llu bytes", (unsigned long long)rung->sealed_bytes);
        if (rung->packets > 1)
            sw_writer_format(&m->text, " in %llu records", (unsigned long long)rung->packets);
        sw_ladder_say(m, rung);
    }
}

/* Messages of the handshake in one packet are one rung. */
static void join_handshake(struct sw_ladder_maker *m)
{
    struct sw_ladder *ladder = m->ladder;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < ladder->count; i++) {
        struct sw_rung *rung = &ladder->rungs[i];
        struct sw_rung *before = kept > 0 ? &ladder->rungs[kept - 1] : NULL;
        if (!before || !is_handshake(before) || !is_handshake(rung) || before->from != rung->from ||
            before->first.frame != rung->first.frame) {
            ladder->rungs[kept++] = *rung;
            continue;
        }
        sw_writer_put(&m->text, before->text);
        sw_writer_text(&m->text, "\n");
        sw_writer_put(&m->text, rung->text);
        before->text = sw_arena_copy(&ladder->arena, sw_writer_span(&m->text));
        sw_writer_clear(&m->text);
        before->last = rung->last;
        before->mood = before->mood > rung->mood ? before->mood : rung->mood;
        before->sealed = before->sealed || rung->sealed;
    }
    ladder->count = kept;
}

void sw_ladder_join_tls(struct sw_ladder_maker *m)
{
    join_sealed(m->ladder);
    say_sealed(m);
    join_handshake(m);
}
