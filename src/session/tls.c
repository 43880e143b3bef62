/*
 * tls.c - events of the TLS dissector become facts of the session.
 */
#include "session/build.h"

static struct sw_mark mark_of(struct sw_at at)
{
    return (struct sw_mark){at.frame, at.time_ns};
}

static enum sw_side side_of(enum sw_from from)
{
    return from == SW_FROM_SERVER ? SW_SERVER : SW_CLIENT;
}

struct sw_tls *sw_session_tls_begin(struct sw_session *session)
{
    if (session->tls_facts)
        return session->tls_facts;
    struct sw_tls *tls = SW_ARENA_NEW(&session->arena, struct sw_tls);
    if (!tls) {
        session->limits_hit = true;
        return NULL;
    }
    tls->certificates_tail = &tls->certificates;
    tls->alerts_tail = &tls->alerts;
    tls->records_tail = &tls->records;
    session->tls_facts = tls;
    return tls;
}

/* --- hellos --- */

static void keep_ciphers(struct sw_session *session, struct sw_tls *tls,
                         const struct tls_hello *hello)
{
    uint16_t *list = sw_arena_alloc(&session->arena, (hello->ciphers.kept + 1u) * sizeof(*list));
    if (!list)
        return;
    tls->cipher_count = 0;
    for (uint16_t i = 0; i < hello->ciphers.kept; i++) {
        if (!tls_is_grease(hello->ciphers.at[i]))
            list[tls->cipher_count++] = hello->ciphers.at[i];
    }
    tls->ciphers = list;
}

static void on_client_hello(struct sw_session *session, struct sw_tls *tls,
                            const struct tls_event *event)
{
    const struct tls_hello *hello = event->hello;
    tls->client_hello_last = mark_of(event->end);
    if (tls->client_hello.frame)
        return;
    tls->client_hello = mark_of(event->begin);
    tls->client_version = hello->version;
    tls->client_legacy = hello->legacy_version;
    tls->client_renegotiation_info = hello->empty_renegotiation_info;
    tls->client_psk = hello->pre_shared_key;
    tls->client_ticket = hello->ticket;
    tls->client_id = hello->session_id_len > 0;
    tls->fallback = hello->fallback_scsv;
    tls->early_data = hello->early_data;
    tls->encrypted_hello = hello->encrypted_hello;
    tls->client_hello_bytes = (uint32_t)(event->end.offset - event->begin.offset + 1);
    tls->sni = sw_arena_copy(&session->arena, sw_span_make(hello->name, hello->name_len));
    tls->alpn = sw_arena_copy(&session->arena, sw_span_make(hello->alpn, hello->alpn_len));
    keep_ciphers(session, tls, hello);
}

/* RFC 8446 4.1.3: the last eight bytes of the random say that the server could do better. */
static uint8_t downgrade_of(const struct tls_hello *hello)
{
    static const uint8_t sentinel[7] = {0x44, 0x4F, 0x57, 0x4E, 0x47, 0x52, 0x44};
    if (memcmp(hello->random + TLS_RANDOM - 8, sentinel, sizeof(sentinel)) != 0)
        return 0;
    uint8_t last = hello->random[TLS_RANDOM - 1];
    return last == 0 ? 1 : last == 1 ? 2 : 0;
}

static void on_server_hello(struct sw_tls *tls, const struct tls_event *event)
{
    const struct tls_hello *hello = event->hello;
    if (hello->retry)
        tls->retry = mark_of(event->begin);
    tls->early_refused =
        tls->early_refused || (tls->early_data && (hello->retry || !hello->pre_shared_key));
    if (tls->server_hello.frame)
        return;
    if (!hello->retry)
        tls->server_hello = mark_of(event->begin);
    tls->version = hello->version;
    tls->cipher = hello->cipher;
    tls->compression = hello->compression;
    tls->server_renegotiation_info = hello->empty_renegotiation_info;
    tls->psk_accepted = hello->pre_shared_key;
    tls->downgrade = downgrade_of(hello);
}

/* The rest of the server's hello in TLS 1.3: did it take the early data (RFC 8446 4.2.10)? */
static void on_extensions(struct sw_tls *tls, const struct tls_event *event)
{
    if (!tls->early_data || !(event->flags & TLS_FLAG_DECRYPTED))
        return;
    if (event->hello->early_data)
        tls->early_taken = true;
    else if (!(event->flags & TLS_FLAG_CUT))
        tls->early_refused = true;
}

/* --- certificates --- */

static void begin_certificate(struct sw_session *session, struct sw_tls *tls,
                              const struct tls_event *event)
{
    tls->der = NULL;
    tls->der_have = 0;
    tls->der_length = (uint32_t)event->number;
    bool fits = tls->certificates_sent < SW_TLS_CERTIFICATES &&
                event->number <= SW_TLS_DER_BYTES - tls->der_used;
    if (fits)
        tls->der = sw_arena_alloc(&session->arena, (size_t)event->number);
    if (tls->der)
        tls->der_used += (uint32_t)event->number;
    else
        tls->certificate_cut = true;
    if (tls->certificates_sent < UINT16_MAX)
        tls->certificates_sent++;
}

static void certificate_bytes(struct sw_tls *tls, const struct tls_event *event)
{
    uint32_t room = tls->der_length - tls->der_have;
    if (!tls->der || event->bytes.len > room)
        return;
    memcpy(tls->der + tls->der_have, event->bytes.ptr, event->bytes.len);
    tls->der_have += (uint32_t)event->bytes.len;
}

static void end_certificate(struct sw_session *session, struct sw_tls *tls,
                            const struct tls_event *event)
{
    bool whole = tls->der && tls->der_have == tls->der_length && !(event->flags & TLS_FLAG_CUT);
    tls->certificate_cut = tls->certificate_cut || !whole;
    struct sw_certificate *certificate = tls->certificates_sent <= SW_TLS_CERTIFICATES
                                             ? SW_ARENA_NEW(&session->arena, struct sw_certificate)
                                             : NULL;
    if (certificate) {
        certificate->mark = mark_of(event->end);
        certificate->der = whole ? sw_span_make(tls->der, tls->der_length) : (struct sw_span){0};
        *tls->certificates_tail = certificate;
        tls->certificates_tail = &certificate->next;
    }
    tls->der = NULL;
}

/* The server's first Certificate message is the one that the client judged. */
static bool is_wanted(const struct sw_tls *tls, const struct tls_event *event)
{
    return event->from == SW_FROM_SERVER && !tls->certificate.frame;
}

static void end_message(struct sw_tls *tls, const struct tls_event *event)
{
    enum sw_side side = side_of(event->from);
    struct sw_mark mark = mark_of(event->end);
    if (event->code < 32)
        tls->side[side].messages |= 1u << event->code;
    switch (event->code) {
    case TLS_MESSAGE_CERTIFICATE:
        if (side == SW_SERVER && !tls->certificate.frame)
            tls->certificate = mark;
        if (side == SW_CLIENT) { /* an empty list: 3 bytes, in TLS 1.3 with a context before it */
            tls->client_certificate = true;
            tls->client_certificate_empty = event->number <= 4;
        }
        break;
    case TLS_MESSAGE_CERTIFICATE_REQUEST:
        if (side == SW_SERVER)
            tls->certificate_request = mark;
        break;
    case TLS_MESSAGE_SERVER_HELLO_DONE:
        tls->server_done = mark;
        break;
    case TLS_MESSAGE_END_OF_EARLY_DATA: /* never sent when the server refused (RFC 8446 4.5) */
        tls->early_taken = tls->early_taken || (side == SW_CLIENT && !tls->early_refused);
        break;
    case TLS_MESSAGE_FINISHED:
        tls->finished[side] = mark;
        break;
    default:
        break;
    }
}

void sw_session_tls_packed(struct sw_session *session, const char *unread)
{
    struct sw_tls *tls = sw_session_tls_begin(session);
    if (!tls)
        return;
    tls->certificates_packed = true;
    tls->certificates_unread = unread;
    tls->certificate_cut = tls->certificate_cut || unread;
}

/* --- alerts and records --- */

static void add_alert(struct sw_session *session, struct sw_tls *tls, const struct tls_event *event,
                      bool known)
{
    struct sw_tls_alert *alert = tls->alert_count < SW_TLS_ALERTS
                                     ? SW_ARENA_NEW(&session->arena, struct sw_tls_alert)
                                     : NULL;
    if (!alert)
        return;
    alert->from = side_of(event->from);
    alert->known = known;
    alert->encrypted = !known || (event->flags & TLS_FLAG_DECRYPTED);
    alert->level = known ? (uint8_t)event->number : 0;
    alert->description = known ? (uint8_t)event->code : 0;
    alert->mark = mark_of(event->end);
    *tls->alerts_tail = alert;
    tls->alerts_tail = &alert->next;
    tls->alert_count++;
}

/* An alert that was closed when its record ended may have been opened now, or its record ends
 * later. */
static void on_alert(struct sw_session *session, struct sw_tls *tls, const struct tls_event *event)
{
    struct sw_tls_alert *alert;
    SW_EACH(alert, tls->alerts) {
        if (alert->known || alert->from != side_of(event->from) || alert->next ||
            alert->mark.frame != event->end.frame || !(event->flags & TLS_FLAG_DECRYPTED))
            continue;
        alert->known = true;
        alert->level = (uint8_t)event->number;
        alert->description = (uint8_t)event->code;
        return;
    }
    add_alert(session, tls, event, true);
    tls->side[side_of(event->from)].alert_told = true;
}

/* Application data before the ServerHello is early data (RFC 8446 2.3), and no part of what
 * follows.
 */
static bool is_early(const struct sw_tls *tls, const struct tls_event *event)
{
    return tls->early_data && !tls->server_hello.frame && event->from == SW_FROM_CLIENT &&
           event->code == TLS_CONTENT_APPLICATION;
}

static void add_early(struct sw_tls *tls, const struct tls_event *event)
{
    enum { EXTRA = 17 }; /* the inner type and the tag (RFC 8446 5.2) */
    if (tls->early_records == 0)
        tls->early = mark_of(event->begin);
    tls->early_records++;
    if (event->number > EXTRA)
        tls->early_bytes += event->number - EXTRA;
}

enum { SINGLE_RECORDS = 4 }; /* of a row, before the rest goes into one entry */

static void add_record(struct sw_session *session, struct sw_tls *tls,
                       const struct tls_event *event)
{
    enum sw_side side = side_of(event->from);
    struct sw_tls_record *last = tls->last_record;
    bool same = last && last->from == side;
    bool unsure = (event->flags & (TLS_FLAG_GUESSED | TLS_FLAG_CUT)) != 0;
    tls->turn_entries = same ? tls->turn_entries : 0;
    bool merge = same && tls->turn_entries >= SINGLE_RECORDS && last->content == event->code;
    struct sw_tls_record *record = merge ? last : NULL;
    if (!merge && tls->record_entries < SW_TLS_RECORDS)
        record = SW_ARENA_NEW(&session->arena, struct sw_tls_record);
    if (!record) {
        tls->records_left_out++;
        session->limits_hit = true;
        return;
    }
    if (!merge) {
        record->from = side;
        record->content = (uint8_t)event->code;
        record->first_bytes = (uint32_t)event->number;
        record->first = mark_of(event->begin);
        *tls->records_tail = record;
        tls->records_tail = &record->next;
        tls->last_record = record;
        tls->record_entries++;
        tls->turn_entries++;
    }
    record->guessed = record->guessed || unsure;
    record->count++;
    record->last_bytes = (uint32_t)event->number;
    record->bytes += event->number;
    record->last = mark_of(event->end);
}

static void on_record_end(struct sw_session *session, struct sw_tls *tls,
                          const struct tls_event *event)
{
    struct sw_tls_side *side = &tls->side[side_of(event->from)];
    side->records++;
    side->last = mark_of(event->end);
    side->cut = (event->flags & TLS_FLAG_CUT) != 0;
    bool told = side->alert_told;
    side->alert_told = false;
    if (event->code == TLS_CONTENT_CHANGE_CIPHER_SPEC && !side->change_cipher.frame)
        side->change_cipher = mark_of(event->end);
    if (!(event->flags & TLS_FLAG_ENCRYPTED))
        return;
    if (is_early(tls, event))
        add_early(tls, event);
    else
        add_record(session, tls, event);
    if (event->code == TLS_CONTENT_ALERT && !told)
        add_alert(session, tls, event, false);
}

static void on_anomaly(struct sw_tls *tls, const struct tls_event *event)
{
    struct sw_tls_side *side = &tls->side[side_of(event->from)];
    if (event->anomaly == TLS_ODD_RESYNC)
        side->unsure = true;
    if (event->anomaly != TLS_ODD_JUNK)
        return;
    side->junk.mark = mark_of(event->begin);
    side->junk.kind = (enum tls_junk)event->number;
}

/* How far it got, as the rest of the model wants to know. */
static void note_state(struct sw_session *session, const struct sw_tls *tls)
{
    if (session->tls == SW_TLS_APPLICATION)
        return;
    const struct sw_tls_side *client = &tls->side[SW_CLIENT];
    const struct sw_tls_side *server = &tls->side[SW_SERVER];
    if (!tls->client_hello.frame && !tls->server_hello.frame && client->records == 0)
        return; /* an alert of the server, in answer to plain text */
    if (sw_tls_is_established(tls))
        session->tls = SW_TLS_APPLICATION;
    else if (tls->server_hello.frame || server->records > 0)
        session->tls = SW_TLS_SERVER_HELLO;
    else if (tls->client_hello.frame || client->records > 0)
        session->tls = SW_TLS_HELLO;
}

void sw_session_tls(struct sw_session *session, const struct tls_event *event)
{
    struct sw_tls *tls = sw_session_tls_begin(session);
    if (!tls)
        return;
    switch (event->kind) {
    case TLS_EVENT_CLIENT_HELLO:
        on_client_hello(session, tls, event);
        break;
    case TLS_EVENT_SERVER_HELLO:
        on_server_hello(tls, event);
        break;
    case TLS_EVENT_ENCRYPTED_EXTENSIONS:
        on_extensions(tls, event);
        break;
    case TLS_EVENT_CERTIFICATE:
        if (is_wanted(tls, event))
            begin_certificate(session, tls, event);
        break;
    case TLS_EVENT_CERTIFICATE_BYTES:
        if (is_wanted(tls, event))
            certificate_bytes(tls, event);
        break;
    case TLS_EVENT_CERTIFICATE_END:
        if (is_wanted(tls, event))
            end_certificate(session, tls, event);
        break;
    case TLS_EVENT_HANDSHAKE_END:
        end_message(tls, event);
        break;
    case TLS_EVENT_DH_PRIME:
        tls->dh_bits = (uint16_t)(event->number < UINT16_MAX ? event->number : UINT16_MAX);
        break;
    case TLS_EVENT_ALERT:
        on_alert(session, tls, event);
        break;
    case TLS_EVENT_RECORD_END:
        on_record_end(session, tls, event);
        break;
    case TLS_EVENT_APPLICATION:
        tls->decrypted = true;
        break;
    case TLS_EVENT_GAP:
        tls->side[side_of(event->from)].gap = true;
        break;
    case TLS_EVENT_ANOMALY:
        on_anomaly(tls, event);
        break;
    case TLS_EVENT_RECORD:
    case TLS_EVENT_RECORD_BYTES:
    case TLS_EVENT_HANDSHAKE:
    case TLS_EVENT_HANDSHAKE_BYTES:
        return;
    }
    note_state(session, tls);
}

void sw_session_tls_bytes(struct sw_session *session, enum sw_side from, size_t length,
                          struct sw_mark mark)
{
    struct sw_tls *tls = sw_session_tls_begin(session);
    if (!tls)
        return;
    if (tls->side[from].bytes == 0)
        tls->side[from].begin = mark;
    tls->side[from].bytes += length;
}

void sw_session_tls_fingerprint(struct sw_session *session, const char *ja3, const char *ja4)
{
    struct sw_tls *tls = session->tls_facts;
    if (!tls || tls->ja3[0] || tls->ja4[0])
        return;
    memcpy(tls->ja3, ja3, strnlen(ja3, sizeof(tls->ja3) - 1));
    memcpy(tls->ja4, ja4, strnlen(ja4, sizeof(tls->ja4) - 1));
}
