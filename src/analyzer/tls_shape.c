#include "analyzer/tls_shape.h"

enum {
    DOT = 3,         /* "." with CRLF */
    SIX = 6,         /* "DATA", "QUIT", "RSET" with CRLF */
    PIPELINED = 60,  /* MAIL, RCPT and DATA in one record, and their three replies */
    CHUNK = 300,     /* BDAT with its message in one record */
    BURST = 1000,    /* no command is that long */
    ALERT_PLAIN = 2, /* level and description */
    TAG = 16,
};

/* What an encrypted record adds to its plain text (RFC 8446 5.2, RFC 5246 6.2.3, RFC 7905). */
static uint32_t plain_length(const struct sw_tls *tls, uint32_t body)
{
    struct tls_suite suite;
    uint32_t extra = TAG + 1;
    if (tls_suite(tls->cipher, &suite) && tls->version != TLS_VERSION_1_3 && tls->version != 0) {
        switch (suite.mode) {
        case TLS_MODE_GCM:
        case TLS_MODE_CCM:
            extra = 8 + TAG;
            break;
        case TLS_MODE_CCM_8:
            extra = 8 + 8;
            break;
        case TLS_MODE_CHACHA:
            extra = TAG;
            break;
        case TLS_MODE_CBC: /* explicit IV from TLS 1.1 on, MAC, at least one byte of padding */
            extra =
                suite.mac_bytes + 1u + (tls->version >= TLS_VERSION_1_1 ? suite.block_bytes : 0);
            break;
        case TLS_MODE_STREAM:
        case TLS_MODE_NULL:
        case TLS_MODE_UNKNOWN:
            extra = suite.mac_bytes;
            break;
        }
    }
    return body > extra ? body - extra : 0;
}

/* With CBC so many lengths look alike; 0: every one shows. */
static uint32_t block_of(const struct sw_tls *tls)
{
    struct tls_suite suite;
    bool blocks = tls_suite(tls->cipher, &suite) && suite.mode == TLS_MODE_CBC &&
                  tls->version != TLS_VERSION_1_3;
    return blocks ? suite.block_bytes : 0;
}

/* Could the record hold just so many bytes? */
static bool may_hold(const struct sw_tls *tls, uint32_t plain, uint32_t wanted)
{
    uint32_t block = block_of(tls);
    return block ? plain >= wanted && plain - wanted < block : plain == wanted;
}

/* --- the handshake --- */

/*
 * TLS 1.3 hides its handshake in application records: the client's ends with the first record that
 * can hold a Finished (an empty Certificate before it is shorter), the server's is everything it
 * sent before that. What is shorter and not followed by a Finished is an alert. Up to TLS 1.2
 * Finished is a handshake record.
 */
static const struct sw_tls_record *skip_handshake(const struct sw_tls *tls,
                                                  struct sw_tls_shape *shape)
{
    const struct sw_tls_record *record;
    bool hidden = tls->version == TLS_VERSION_1_3 && tls->server_hello.frame;
    if (tls->client_hello.frame == 0 && tls->server_hello.frame == 0)
        return tls->records; /* it begins inside: all of it is application data */
    SW_EACH(record, tls->records) {
        bool handshake = record->content == TLS_CONTENT_HANDSHAKE ||
                         (hidden && record->content == TLS_CONTENT_APPLICATION);
        if (!handshake)
            continue;
        if (hidden && record->from == SW_CLIENT && sw_tls_may_finish(tls, record)) {
            shape->handshake_done = record->last;
            shape->handshake_done_by = SW_CLIENT;
            return record->next;
        }
        if (!hidden && sw_tls_is_established(tls)) {
            shape->handshake_done = record->last;
            shape->handshake_done_by = record->from;
        }
    }
    return hidden ? NULL : tls->records;
}

static void early_alert(const struct sw_tls *tls, struct sw_tls_shape *shape)
{
    const struct sw_tls_record *record;
    bool early_data = tls->early_data && tls->psk_accepted; /* which it may be as well */
    SW_EACH(record, tls->records) {
        if (record->from != SW_CLIENT || record->content != TLS_CONTENT_APPLICATION || early_data)
            continue;
        shape->client_alert = record->first;
        shape->client_alert_early = true;
        return;
    }
}

/* --- turns --- */

static bool is_alert(const struct sw_tls *tls, const struct sw_tls_record *record)
{
    if (record->content == TLS_CONTENT_ALERT)
        return true;
    return tls->version == TLS_VERSION_1_3 && record->count == 1 &&
           plain_length(tls, record->first_bytes) == ALERT_PLAIN;
}

static void note_alert(struct sw_tls_shape *shape, const struct sw_tls_record *record)
{
    struct sw_mark *mark = record->from == SW_CLIENT ? &shape->client_alert : &shape->server_alert;
    if (!mark->frame)
        *mark = record->first;
}

static void add_record(const struct sw_tls *tls, struct sw_tls_shape *shape,
                       const struct sw_tls_record *record)
{
    struct sw_tls_turn *turn = shape->count > 0 ? &shape->turns[shape->count - 1] : NULL;
    uint32_t first = plain_length(tls, record->first_bytes);
    if (!turn || turn->from != record->from) {
        if (shape->count == SW_TLS_TURNS) {
            shape->whole = false;
            return;
        }
        turn = &shape->turns[shape->count++];
        *turn = (struct sw_tls_turn){
            .from = record->from, .first_bytes = first, .first = record->first};
    }
    turn->records += record->count;
    uint64_t overhead = (uint64_t)record->count * (record->first_bytes - first);
    turn->bytes += record->bytes > overhead ? record->bytes - overhead : 0;
    turn->last = record->last;
    uint32_t last = plain_length(tls, record->last_bytes);
    turn->ends_in_dot =
        turn->from == SW_CLIENT && turn->records > 1 && last == DOT && block_of(tls) == 0;
    turn->ends_in_six = turn->from == SW_CLIENT && may_hold(tls, last, SIX);
    turn->six = turn->ends_in_six && turn->records == 1;
}

static void collect(const struct sw_tls *tls, struct sw_tls_shape *shape)
{
    const struct sw_tls_record *record;
    SW_EACH(record, skip_handshake(tls, shape)) {
        if (is_alert(tls, record)) {
            note_alert(shape, record);
            continue;
        }
        if (record->content != TLS_CONTENT_APPLICATION)
            continue;
        if (record->from == SW_CLIENT)
            shape->client_data = true;
        else
            shape->server_data = true;
        add_record(tls, shape, record);
    }
    if (tls->version == TLS_VERSION_1_3 && tls->server_hello.frame && !shape->handshake_done.frame)
        early_alert(tls, shape);
}

/* --- uploads --- */

/* The i-th turn, or NULL behind the last. */
static const struct sw_tls_turn *at(const struct sw_tls_shape *shape, uint32_t i)
{
    return i < shape->count ? &shape->turns[i] : NULL;
}

static bool one_record(const struct sw_tls_turn *turn, uint32_t least)
{
    return turn && turn->records == 1 && turn->first_bytes >= least;
}

/* The next thing the client says, or NULL. */
static const struct sw_tls_turn *next_of_client(const struct sw_tls_shape *shape, uint32_t answer)
{
    return at(shape, answer + 1);
}

/*
 * AUTH LOGIN with a user name of one to three letters, which is six bytes in base64: what the
 * server said before it and says now are "334 VXNlcm5hbWU6" and "334 UGFzc3dvcmQ6", of equal
 * length.
 */
static bool is_login(const struct sw_tls_shape *shape, uint32_t six)
{
    enum { AUTH_LOGIN = 12, ASKED_FOR = 18 };
    const struct sw_tls_turn *asked = at(shape, six + 1);
    return six >= 2 && asked && shape->turns[six - 2].bytes == AUTH_LOGIN &&
           shape->turns[six - 1].bytes == ASKED_FOR && asked->bytes == ASKED_FOR;
}

/* DATA (alone, or last of a few commands that have a reply each), its 354, and then something that
 * is no DATA, QUIT or RSET. `i` is the turn of the text. */
static bool follows_data(const struct sw_tls_shape *shape, uint32_t i)
{
    const struct sw_tls_turn *asked = at(shape, i - 2);
    const struct sw_tls_turn *told = at(shape, i - 1);
    return asked->ends_in_six && told->records <= asked->records && !shape->turns[i].six &&
           !is_login(shape, i - 2);
}

/*
 * MAIL, RCPT and DATA in one record, their replies in one, then the text. A refused login and its
 * repetition look like that, too: but then the same answer comes twice, or the login goes on.
 */
static bool follows_pipelined_data(const struct sw_tls_shape *shape, uint32_t i)
{
    const struct sw_tls_turn *told = at(shape, i - 1);
    const struct sw_tls_turn *answer = at(shape, i + 1);
    const struct sw_tls_turn *next = next_of_client(shape, i + 1);
    if (!one_record(at(shape, i - 2), PIPELINED) || !one_record(told, PIPELINED) ||
        shape->turns[i].six)
        return false;
    bool same_again = answer && answer->first_bytes == told->first_bytes;
    bool goes_on = next && !next->six && !one_record(next, PIPELINED);
    return !same_again && !goes_on;
}

/* A text and the dot behind it, wherever the DATA stands. Nothing else of three bytes comes behind
 * something that was not answered: a login is cancelled (RFC 4954 4) when the server has asked. */
static bool ends_with_dot(const struct sw_tls_shape *shape, uint32_t i)
{
    const struct sw_tls_turn *answer = at(shape, i + 1);
    return shape->turns[i].ends_in_dot && answer && answer->records == 1;
}

static bool is_text(const struct sw_tls_shape *shape, uint32_t i)
{
    return i >= 2 &&
           (follows_data(shape, i) || follows_pipelined_data(shape, i) || ends_with_dot(shape, i));
}

/* BDAT in one record, one answer, and then nothing but a goodbye. */
static bool is_chunk(const struct sw_tls_shape *shape, uint32_t i)
{
    const struct sw_tls_turn *answer = at(shape, i + 1);
    const struct sw_tls_turn *next = at(shape, i + 2);
    return one_record(&shape->turns[i], CHUNK + 1) && answer && answer->records == 1 &&
           (!next || next->six);
}

static void find_uploads(struct sw_tls_shape *shape)
{
    for (uint32_t i = 0; i < shape->count; i++) {
        const struct sw_tls_turn *turn = &shape->turns[i];
        if (turn->from != SW_CLIENT)
            continue;
        if (turn->bytes < BURST && !is_text(shape, i) && !is_chunk(shape, i))
            continue;
        const struct sw_tls_turn *answer = at(shape, i + 1);
        shape->upload_unanswered = !answer;
        shape->upload_first = turn->first;
        shape->upload_last = turn->last;
        if (!answer)
            continue;
        shape->upload = true;
        shape->answer = answer->first;
    }
}

/* The last turn of the client was a goodbye that was answered, or somebody closed in order. */
static bool ended_in_order(const struct sw_session *session, const struct sw_tls_shape *shape)
{
    const struct sw_tls_turn *last = at(shape, shape->count - 1);
    const struct sw_tls_turn *before = shape->count > 1 ? at(shape, shape->count - 2) : NULL;
    bool goodbye = last && last->from == SW_SERVER && before && before->six;
    const struct sw_flow_facts *f = session->facts;
    return goodbye || shape->client_alert.frame || shape->server_alert.frame ||
           f->half[SW_CLIENT].fin.frame || f->half[SW_SERVER].fin.frame;
}

static bool is_whole(const struct sw_tls *tls)
{
    for (int side = 0; side < 2; side++) {
        if (tls->side[side].unsure)
            return false;
    }
    return tls->records_left_out == 0;
}

void sw_tls_shape_of(const struct sw_session *session, struct sw_tls_shape *shape)
{
    const struct sw_tls *tls = session->tls_facts;
    *shape = (struct sw_tls_shape){.whole = is_whole(tls)};
    collect(tls, shape);
    find_uploads(shape);
    shape->orderly = ended_in_order(session, shape);
}
