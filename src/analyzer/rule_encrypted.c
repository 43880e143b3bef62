/*
 * rule_encrypted.c - what can honestly be said of a dialogue that stays closed: from the sizes, the
 * order and the times of its records. The outcome stays unknown unless the transport broke before
 * anything could be accepted.
 */
#include "analyzer/rule_tls.h"

enum { PATIENCE_S = 5 };

static void prove_handshake(const struct sw_tls_shape *shape, struct sw_ruling *ruling)
{
    sw_ruling_prove(ruling, shape->handshake_done,
                    shape->handshake_done_by == SW_SERVER ? SW_ORIGIN_SERVER : SW_ORIGIN_CLIENT,
                    "the handshake is complete");
}

static struct sw_mark begin_of(const struct sw_tls *tls)
{
    return tls->client_hello.frame            ? tls->client_hello
           : tls->side[SW_CLIENT].begin.frame ? tls->side[SW_CLIENT].begin
                                              : tls->side[SW_SERVER].begin;
}

static struct sw_ruling unknown(const struct sw_tls *tls, enum sw_cause cause)
{
    struct sw_ruling ruling = {
        .cause = cause,
        .outcome = SW_OUTCOME_UNKNOWN,
        .confidence = SW_CONFIDENCE_POSSIBLE,
        .stage = SW_STAGE_TLS,
    };
    sw_ruling_prove(&ruling, begin_of(tls), SW_ORIGIN_CLIENT, "the encryption begins");
    return ruling;
}

/* --- nothing was said inside --- */

/*
 * TLS from the first byte: after the handshake it is the server's turn to greet, and it said
 * nothing at all (a ticket would look like a greeting; then this is not known). It hangs up, or the
 * client waits for it and gives up.
 */
static bool never_greeted(const struct sw_case *c, const struct sw_tls_shape *shape,
                          struct sw_ruling *ruling)
{
    int64_t waited_ns = c->facts->closed.time_ns - shape->handshake_done.time_ns;
    bool silent = !c->session->starttls && !shape->server_data && !shape->server_alert.frame &&
                  !shape->client_alert.frame && c->complete_start;
    bool given_up = c->closed_by_client && waited_ns >= PATIENCE_S * SW_NS_PER_S;
    if (!silent || !(c->closed_by_server || given_up))
        return false;
    *ruling = (struct sw_ruling){
        .cause = given_up ? SW_CAUSE_GREET_NO_BANNER : SW_CAUSE_GREET_CLOSED_NO_BANNER,
        .outcome = SW_OUTCOME_STUCK,
        .confidence = SW_CONFIDENCE_LIKELY,
        .stage = SW_STAGE_GREETING,
    };
    sw_ruling_also(ruling, given_up ? SW_CAUSE_OK_NO_ATTEMPT : SW_CAUSE_TLS_SERVER_ERROR,
                   SW_CONFIDENCE_POSSIBLE);
    prove_handshake(shape, ruling);
    sw_case_prove_close(c, ruling);
    return true;
}

/* The handshake is complete, and the server is the first to leave, perhaps with an alert. */
static bool server_left(const struct sw_case *c, const struct sw_tls *tls,
                        const struct sw_tls_shape *shape, struct sw_ruling *ruling)
{
    bool alert_first =
        shape->server_alert.frame &&
        (!shape->client_alert.frame || shape->server_alert.time_ns < shape->client_alert.time_ns);
    if (shape->client_alert.frame && !alert_first)
        return false;
    if (!c->closed_by_server && !(alert_first && c->reset))
        return false;
    struct sw_mark left = alert_first ? shape->server_alert : c->facts->closed;
    if (left.time_ns - shape->handshake_done.time_ns > PATIENCE_S * SW_NS_PER_S)
        return false; /* it lost its patience with a client that wanted nothing */
    bool asked = tls->version == TLS_VERSION_1_3 ||
                 (tls->certificate_request.frame && tls->client_certificate_empty);
    enum sw_cause cause =
        alert_first && asked ? SW_CAUSE_TLS_CLIENT_CERT_REQUIRED : SW_CAUSE_TLS_SERVER_ERROR;
    *ruling = (struct sw_ruling){.cause = cause,
                                 .outcome = SW_OUTCOME_STUCK,
                                 .confidence = SW_CONFIDENCE_POSSIBLE,
                                 .stage = SW_STAGE_TLS};
    prove_handshake(shape, ruling);
    sw_ruling_prove(ruling, shape->server_alert, SW_ORIGIN_SERVER,
                    "a record of the size of an alert");
    sw_case_prove_close(c, ruling);
    return true;
}

/* The handshake is complete, and the client leaves without a word: at once, because it did not like
 * what it saw; or later, because it wanted nothing (and perhaps it is the server who ends that). */
static bool client_left(const struct sw_case *c, const struct sw_tls *tls,
                        const struct sw_tls_shape *shape, struct sw_ruling *ruling)
{
    struct sw_mark left = shape->client_alert.frame ? shape->client_alert : c->facts->closed;
    if (!left.frame)
        return false;
    bool at_once = left.time_ns - shape->handshake_done.time_ns <= SW_NS_PER_S;
    enum sw_cause visible = sw_tls_visible_problem(tls);
    if (visible != SW_CAUSE_NONE) {
        *ruling = (struct sw_ruling){.cause = visible,
                                     .outcome = SW_OUTCOME_STUCK,
                                     .confidence = SW_CONFIDENCE_LIKELY,
                                     .stage = SW_STAGE_TLS};
        sw_tls_also_problems(tls, ruling);
        sw_ruling_prove(ruling, tls->certificate, SW_ORIGIN_SERVER, "certificate of the server");
    } else if (at_once) {
        *ruling = (struct sw_ruling){.cause = SW_CAUSE_TLS_CLIENT_ABORT_OPAQUE,
                                     .outcome = SW_OUTCOME_STUCK,
                                     .confidence = SW_CONFIDENCE_POSSIBLE,
                                     .stage = SW_STAGE_TLS};
        sw_ruling_also(ruling, SW_CAUSE_OK_NO_ATTEMPT, SW_CONFIDENCE_POSSIBLE);
    } else {
        *ruling = (struct sw_ruling){.cause = SW_CAUSE_OK_NO_ATTEMPT,
                                     .outcome = SW_OUTCOME_NO_MAIL,
                                     .confidence = SW_CONFIDENCE_LIKELY,
                                     .stage = SW_STAGE_TLS};
        sw_ruling_also(ruling, SW_CAUSE_TLS_CLIENT_ABORT_OPAQUE, SW_CONFIDENCE_POSSIBLE);
    }
    prove_handshake(shape, ruling);
    sw_ruling_prove(ruling, shape->client_alert, SW_ORIGIN_CLIENT,
                    "a record of the size of an alert");
    sw_case_prove_close(c, ruling);
    return true;
}

/* --- an upload that nothing answered --- */

/* With an alert behind its text, whatever the server says or does then. */
static bool client_left_text(const struct sw_tls_shape *shape)
{
    struct sw_mark left = shape->client_alert;
    return left.frame && left.time_ns >= shape->upload_last.time_ns &&
           (!shape->server_alert.frame || left.time_ns < shape->server_alert.time_ns);
}

/* A record that does not fit is answered at once (RFC 5246 7.2.2, RFC 8446 5.2); behind a silence a
 * server says goodbye because it had enough. */
static bool complained_at_once(const struct sw_tls_shape *shape)
{
    struct sw_mark alert = shape->server_alert;
    return alert.frame && alert.time_ns >= shape->upload_first.time_ns &&
           alert.time_ns - shape->upload_last.time_ns < PATIENCE_S * SW_NS_PER_S;
}

static enum sw_cause broken_cause(const struct sw_case *c, const struct sw_tls_shape *shape)
{
    bool left = client_left_text(shape);
    struct sw_mark end = left ? shape->client_alert : c->facts->closed;
    int64_t waited_ns = end.time_ns - shape->upload_last.time_ns;
    const struct sw_tls *tls = c->session->tls_facts;
    if (left)
        return waited_ns >= PATIENCE_S * SW_NS_PER_S ? SW_CAUSE_DATA_NO_REPLY_AFTER_DOT
                                                     : SW_CAUSE_TCP_CLIENT_CLOSED_EARLY;
    if (complained_at_once(shape))
        return SW_CAUSE_TLS_CORRUPT;
    if (tls->side[SW_SERVER].junk.mark.frame)
        return SW_CAUSE_TLS_CORRUPT;
    if (c->closed_by_server && c->reset)
        return SW_CAUSE_TCP_RESET_BY_SERVER;
    bool goodbye =
        shape->server_alert.frame && shape->server_alert.time_ns >= shape->upload_last.time_ns;
    if (c->closed_by_server || goodbye)
        return SW_CAUSE_TCP_SERVER_CLOSED_EARLY;
    if (waited_ns >= PATIENCE_S * SW_NS_PER_S)
        return SW_CAUSE_DATA_NO_REPLY_AFTER_DOT;
    return c->reset ? SW_CAUSE_TCP_RESET_BY_CLIENT : SW_CAUSE_TCP_CLIENT_CLOSED_EARLY;
}

static bool upload_broken(const struct sw_case *c, const struct sw_tls_shape *shape,
                          struct sw_ruling *ruling)
{
    enum { RTO_THAT_PROVE_LOSS = 3 };
    bool vanished = c->facts->half[SW_CLIENT].rto_open >= RTO_THAT_PROVE_LOSS;
    if (!shape->upload_unanswered || shape->upload || (!c->facts->closed.frame && !vanished))
        return false;
    enum sw_cause cause = vanished ? SW_CAUSE_TCP_PEER_VANISHED : broken_cause(c, shape);
    *ruling = (struct sw_ruling){
        .cause = cause,
        .outcome = SW_OUTCOME_STUCK,
        .confidence = SW_CONFIDENCE_LIKELY,
        .stage = cause == SW_CAUSE_DATA_NO_REPLY_AFTER_DOT ? SW_STAGE_FINAL : SW_STAGE_BODY,
    };
    if (cause == SW_CAUSE_TLS_CORRUPT && !c->session->tls_facts->side[SW_SERVER].junk.mark.frame)
        sw_ruling_also(ruling, SW_CAUSE_TCP_SERVER_CLOSED_EARLY, SW_CONFIDENCE_POSSIBLE);
    sw_ruling_prove(ruling, shape->upload_first, SW_ORIGIN_CLIENT,
                    "encrypted records of the size of a message");
    sw_ruling_prove(ruling, shape->upload_last, SW_ORIGIN_CLIENT, "the last of them, not answered");
    if (client_left_text(shape))
        sw_ruling_prove(ruling, shape->client_alert, SW_ORIGIN_CLIENT,
                        "a record of the size of an alert");
    sw_ruling_prove(ruling, shape->server_alert, SW_ORIGIN_SERVER,
                    "a record of the size of an alert");
    sw_case_prove_close(c, ruling);
    return true;
}

/* --- the rest is unknown --- */

static void likely_delivered(const struct sw_case *c, const struct sw_tls *tls,
                             const struct sw_tls_shape *shape, struct sw_ruling *ruling)
{
    *ruling = unknown(tls, SW_CAUSE_ENC_LIKELY_DELIVERED);
    sw_ruling_prove(ruling, shape->upload_first, SW_ORIGIN_CLIENT,
                    "encrypted records of the size of a message");
    sw_ruling_prove(ruling, shape->answer, SW_ORIGIN_SERVER, "their answer");
    sw_case_prove_close(c, ruling);
}

static void no_upload(const struct sw_case *c, const struct sw_tls *tls,
                      const struct sw_tls_shape *shape, struct sw_ruling *ruling)
{
    *ruling = unknown(tls, SW_CAUSE_ENC_NO_UPLOAD);
    const struct sw_tls_turn *first = NULL;
    for (uint32_t i = 0; i < shape->count && !first; i++) {
        if (shape->turns[i].from == SW_CLIENT)
            first = &shape->turns[i];
    }
    bool goodbye_at_once = first && first->six && c->session->starttls && tls->client_hello.frame;
    if (goodbye_at_once)
        sw_ruling_also(ruling, SW_CAUSE_TLS_CLIENT_ABORT_OPAQUE, SW_CONFIDENCE_POSSIBLE);
    bool refused_behind = shape->server_alert.frame && c->closed_by_server && shape->count <= 1 &&
                          tls->version == TLS_VERSION_1_3 && !shape->client_alert.frame;
    if (refused_behind) /* its first words crossed the alert */
        sw_ruling_also(ruling, SW_CAUSE_TLS_CLIENT_CERT_REQUIRED, SW_CONFIDENCE_POSSIBLE);
    if (shape->count > 0)
        sw_ruling_prove(ruling, shape->turns[shape->count - 1].last,
                        shape->turns[shape->count - 1].from == SW_CLIENT ? SW_ORIGIN_CLIENT
                                                                         : SW_ORIGIN_SERVER,
                        "last encrypted words");
    sw_case_prove_close(c, ruling);
}

/* The server, or who sits before it, falls back to plain text while the dialogue is under way; what
 * it says so behind the end of the client reaches nobody. */
static bool falls_back_to_text(const struct sw_case *c, const struct sw_tls_shape *shape)
{
    const struct sw_tls_junk *junk = &c->session->tls_facts->side[SW_SERVER].junk;
    const struct sw_mark ends[] = {shape->client_alert, shape->server_alert, c->facts->closed};
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        if (ends[i].frame && ends[i].time_ns <= junk->mark.time_ns)
            return false;
    }
    return junk->mark.frame && junk->kind != TLS_JUNK_BINARY;
}

static void broken_by_text(const struct sw_case *c, const struct sw_tls *tls,
                           const struct sw_tls_shape *shape, struct sw_ruling *ruling)
{
    *ruling = (struct sw_ruling){.cause = SW_CAUSE_TLS_CORRUPT,
                                 .outcome = SW_OUTCOME_STUCK,
                                 .confidence = SW_CONFIDENCE_LIKELY,
                                 .stage = SW_STAGE_TLS};
    prove_handshake(shape, ruling);
    sw_ruling_prove(ruling, tls->side[SW_SERVER].junk.mark, SW_ORIGIN_SERVER,
                    "plain text inside the encryption");
    sw_case_prove_close(c, ruling);
}

/*
 * Early data of the size of a whole mail, which the server may have taken (only keys tell): what
 * was said behind the handshake, or that nothing was, says nothing then.
 */
bool sw_tls_early_may_be_mail(const struct sw_tls *tls)
{
    enum { WHOLE_MAIL = 100 }; /* EHLO, MAIL, RCPT and BDAT with short names and a line of text */
    return tls->early.frame && !tls->early_refused && tls->early_bytes >= WHOLE_MAIL;
}

static void early_words(const struct sw_case *c, const struct sw_tls *tls, struct sw_ruling *ruling)
{
    *ruling = unknown(tls, SW_CAUSE_UNK_INCOMPLETE);
    ruling->confidence = SW_CONFIDENCE_CERTAIN;
    sw_ruling_prove(ruling, tls->early, SW_ORIGIN_CLIENT,
                    "words that were sent at once, with the request for encryption (0-RTT)");
    sw_case_prove_close(c, ruling);
}

static bool closed_dialogue(const struct sw_case *c, const struct sw_tls_shape *shape,
                            struct sw_ruling *ruling)
{
    const struct sw_tls *tls = c->session->tls_facts;
    if (c->session->tls != SW_TLS_APPLICATION || !c->client_seen || !c->server_seen)
        return false;
    /* Bytes that are missing before the hand-over was seen count, too: TLS may have begun there. */
    bool lost = tls->side[SW_CLIENT].gap || tls->side[SW_SERVER].gap || !shape->whole ||
                c->reply_lost || c->facts->half[SW_CLIENT].gap_bytes > 0;
    bool begun = shape->handshake_done.frame != 0; /* else it begins before the capture */
    bool early_mail = sw_tls_early_may_be_mail(tls);
    if (!shape->client_data && begun && !lost && !early_mail &&
        (never_greeted(c, shape, ruling) || server_left(c, tls, shape, ruling) ||
         client_left(c, tls, shape, ruling)))
        return true;
    if (!lost && upload_broken(c, shape, ruling))
        return true;
    if (shape->upload && (shape->orderly || c->facts->closed.frame)) {
        likely_delivered(c, tls, shape, ruling);
        return true;
    }
    bool ended = c->facts->closed.frame || shape->client_alert.frame || shape->server_alert.frame;
    if (lost || !ended || shape->upload || shape->upload_unanswered)
        return false;
    if (early_mail)
        early_words(c, tls, ruling);
    else if (falls_back_to_text(c, shape))
        broken_by_text(c, tls, shape, ruling);
    else
        no_upload(c, tls, shape, ruling);
    return true;
}

/* 220 to STARTTLS, and then the client leaves without a byte of TLS, or with a goodbye in clear. */
static bool starttls_not_followed(const struct sw_case *c, struct sw_ruling *ruling)
{
    const struct sw_session *s = c->session;
    bool accepted = s->starttls && sw_reply_is(s->starttls->reply, 2);
    /* what the capture lost may have been all of TLS */
    bool lost = c->reply_lost || c->facts->half[SW_CLIENT].gap_bytes > 0 ||
                c->facts->half[SW_CLIENT].truncated_bytes > 0;
    bool nothing = s->tls == SW_TLS_STARTTLS_ACCEPTED && c->closed_by_client && !lost;
    const struct sw_step *after = accepted ? s->starttls->reply->next : NULL;
    bool goodbye = s->tls == SW_TLS_CLEAR && after && after->verb == SMTP_VERB_QUIT;
    if (!accepted || (!nothing && !goodbye) || c->any_message_counts)
        return false;
    *ruling = (struct sw_ruling){
        .cause = SW_CAUSE_STARTTLS_NOT_FOLLOWED,
        .outcome = SW_OUTCOME_STUCK,
        .confidence = SW_CONFIDENCE_LIKELY,
        .stage = SW_STAGE_STARTTLS,
    };
    sw_ruling_prove_step(ruling, s->starttls->reply, "STARTTLS accepted");
    if (goodbye)
        sw_ruling_prove_step(ruling, after, "a goodbye in clear");
    sw_ruling_prove(ruling, c->facts->closed,
                    c->closed_by_server ? SW_ORIGIN_SERVER : SW_ORIGIN_CLIENT,
                    "the end, and TLS was not begun");
    return true;
}

/* The capture ends in the middle, or lacks what would tell. */
static void not_enough(const struct sw_case *c, struct sw_ruling *ruling)
{
    const struct sw_tls *tls = c->session->tls_facts;
    bool one_sided = !c->client_seen || !c->server_seen;
    bool lost = tls->side[SW_CLIENT].gap || tls->side[SW_SERVER].gap || tls->records_left_out > 0;
    bool open = c->facts->closed_by < 0 && !one_sided && !lost && c->complete_start;
    *ruling = unknown(tls, one_sided ? SW_CAUSE_UNK_ONE_SIDED
                           : open    ? SW_CAUSE_UNK_IN_PROGRESS
                                     : SW_CAUSE_UNK_INCOMPLETE);
    sw_ruling_prove(ruling, c->facts->last, SW_ORIGIN_NETWORK, "last packet of the connection");
}

/* --- opened with a key --- */

/* One behind the end of the other side only says that no close_notify came. */
static bool is_behind_the_end(const struct sw_case *c, const struct sw_tls_alert *alert)
{
    struct sw_mark end = c->facts->half[alert->from == SW_CLIENT ? SW_SERVER : SW_CLIENT].fin;
    return end.frame && end.time_ns <= alert->mark.time_ns;
}

static bool tells_of_damage(const struct sw_tls_alert *alert, struct sw_ruling *ruling)
{
    switch (alert->description) {
    case 20: /* bad_record_mac */
    case 21: /* decryption_failed */
    case 51: /* decrypt_error */
        *ruling = (struct sw_ruling){.cause = SW_CAUSE_TLS_CORRUPT,
                                     .outcome = SW_OUTCOME_STUCK,
                                     .confidence = SW_CONFIDENCE_LIKELY};
        return alert->known;
    default:
        return false;
    }
}

/* Did the server say anything inside the encryption? */
static bool server_spoke_inside(const struct sw_case *c)
{
    const struct sw_step *last = c->session->last_reply;
    return last && last->encrypted;
}

/* The alert that broke a dialogue off: one side could not check a record, or did not like the
 * other's certificate, which in TLS 1.3 it may say behind the first words. */
static const struct sw_tls_alert *breaking_alert(const struct sw_case *c, struct sw_ruling *ruling)
{
    const struct sw_tls *tls = c->session->tls_facts;
    const struct sw_tls_alert *alert;
    SW_EACH(alert, tls->alerts) {
        if (is_behind_the_end(c, alert))
            continue;
        if (tells_of_damage(alert, ruling))
            return c->waiting == SW_WAITING_NOTHING ? NULL : alert;
        if (sw_tls_rule_on_certificate_alert(tls, alert, ruling))
            return c->orderly_quit ? NULL : alert;
    }
    return NULL;
}

/* The dialogue was read, and an alert broke it off. */
static bool broken_dialogue(const struct sw_case *c, struct sw_ruling *ruling)
{
    struct sw_ruling by_alert;
    const struct sw_tls_alert *alert =
        c->session->tls_facts->decrypted ? breaking_alert(c, &by_alert) : NULL;
    if (!alert)
        return false;
    bool client = alert->from == SW_CLIENT;
    bool begun = server_spoke_inside(c) || by_alert.cause == SW_CAUSE_TLS_CORRUPT;
    *ruling = by_alert;
    ruling->stage = begun ? sw_case_waiting_stage(c) : SW_STAGE_TLS;
    if (ruling->stage == SW_STAGE_FINAL) /* the server may have the message nevertheless */
        sw_ruling_also(ruling, SW_CAUSE_DATA_CLOSED_AFTER_DOT, SW_CONFIDENCE_POSSIBLE);
    if (c->pending)
        sw_ruling_prove_step(ruling, c->pending, "never answered");
    const char *name = tls_alert_name(alert->description);
    const char *what = sw_arena_printf(c->arena, "alert: %s", name ? name : "damage");
    sw_ruling_prove(ruling, alert->mark, client ? SW_ORIGIN_CLIENT : SW_ORIGIN_SERVER,
                    what ? what : "alert");
    sw_case_prove_close(c, ruling);
    return true;
}

bool sw_rule_encrypted(const struct sw_case *c, struct sw_ruling *ruling)
{
    if (starttls_not_followed(c, ruling))
        return true;
    if (!c->session->tls_facts || c->session->tls == SW_TLS_NONE || c->session->tls == SW_TLS_CLEAR)
        return false;
    struct sw_tls_shape shape;
    sw_tls_shape_of(c->session, &shape);
    if (sw_rule_handshake(c, &shape, ruling) ||
        (c->encrypted && closed_dialogue(c, &shape, ruling)))
        return true;
    if (!c->encrypted)
        return broken_dialogue(c, ruling); /* opened with a key: the dialogue itself tells */
    enum { RTO_THAT_PROVE_LOSS = 3 };
    for (int side = 0; side < 2; side++) {
        if (c->facts->half[side].rto_open >= RTO_THAT_PROVE_LOSS && c->client_seen &&
            c->server_seen && c->session->tls != SW_TLS_APPLICATION)
            return false; /* the path died: the rules about closes and silences say so */
    }
    not_enough(c, ruling);
    return true;
}
