/*
 * judge.c - the order in which the rules are asked, and the verdict that comes of it.
 */
#include "analyzer/analyzer.h"
#include "analyzer/ledger.h"
#include "analyzer/case.h"
#include "analyzer/detect.h"

#include <assert.h>
#include <stdlib.h>

struct sw_analyzer {
    const struct sw_reply_kb *kb;
    struct sw_history *history;
    struct sw_conduct *conduct;
    struct sw_ledger *ledger;
    bool no_names;
    uint32_t wording_names[SW_CAUSE_COUNT];
    size_t own_account; /* where the caller has none */
};

struct sw_analyzer *sw_analyzer_new(const struct sw_reply_kb *kb,
                                    const struct sw_ledger_limits *limits, size_t *account)
{
    struct sw_analyzer *analyzer = calloc(1, sizeof(*analyzer));
    if (!analyzer)
        return NULL;
    uint32_t clients =
        limits && limits->clients ? limits->clients : (uint32_t)sw_limit_default(SW_LIMIT_CLIENTS);
    analyzer->kb = kb;
    account = account ? account : &analyzer->own_account;
    analyzer->history = sw_history_new(clients, account);
    analyzer->conduct = sw_conduct_new(clients, account);
    analyzer->ledger = sw_ledger_new(limits, account);
    if (analyzer->history && analyzer->conduct && analyzer->ledger)
        return analyzer;
    sw_analyzer_free(analyzer);
    return NULL;
}

void sw_analyzer_free(struct sw_analyzer *analyzer)
{
    if (!analyzer)
        return;
    sw_history_free(analyzer->history);
    sw_conduct_free(analyzer->conduct);
    sw_ledger_free(analyzer->ledger);
    free(analyzer);
}

void sw_analyzer_no_names(struct sw_analyzer *analyzer)
{
    analyzer->no_names = true;
}

void sw_analyzer_attempt(struct sw_analyzer *analyzer, const struct sw_tuple *tuple,
                         struct sw_mark syn, bool looked_up)
{
    sw_history_attempt(analyzer->history, tuple, syn, looked_up);
}

void sw_analyzer_connected(struct sw_analyzer *analyzer, const struct sw_tuple *tuple,
                           struct sw_mark accepted)
{
    sw_history_connected(analyzer->history, tuple, accepted);
}

void sw_analyzer_answered(struct sw_analyzer *analyzer, const struct sw_tuple *tuple)
{
    sw_history_answered(analyzer->history, tuple);
}

void sw_analyzer_portal(struct sw_analyzer *analyzer, const struct sw_tuple *tuple,
                        struct sw_mark mark)
{
    sw_history_beside(analyzer->history, tuple, SW_BESIDE_PORTAL_PAGE, mark);
}

void sw_analyzer_mailbox_busy(struct sw_analyzer *analyzer, const struct sw_tuple *tuple,
                              struct sw_mark mark)
{
    sw_history_beside(analyzer->history, tuple, SW_BESIDE_MAILBOX_BUSY, mark);
}

static void note_quality(const struct sw_case *c, enum sw_cause cause,
                         uint64_t quality[SW_QUALITY_COUNT])
{
    const struct sw_flow_facts *f = c->facts;
    const struct sw_half_facts *client = &f->half[SW_CLIENT];
    const struct sw_half_facts *server = &f->half[SW_SERVER];
    if (c->session->lookup) {
        quality[SW_QUALITY_LIMITS] = c->session->limits_hit;
        return;
    }
    bool answered_unseen = !c->server_seen && (client->packets > f->syn_count || f->midstream);
    quality[SW_QUALITY_MIDSTREAM] = f->midstream;
    quality[SW_QUALITY_ONE_SIDED] = answered_unseen || !c->client_seen;
    quality[SW_QUALITY_GAPS] =
        client->gap_count + server->gap_count + client->fin_unseen + server->fin_unseen;
    quality[SW_QUALITY_SNAPLEN] = client->truncated_bytes + server->truncated_bytes > 0;
    quality[SW_QUALITY_REORDERED] =
        client->out_of_order + server->out_of_order + client->came_late + server->came_late;
    quality[SW_QUALITY_DUPLICATED] = client->duplicates + server->duplicates;
    /* also when somebody waits for the connection itself, or for an answer after half a close */
    quality[SW_QUALITY_ENDS_OPEN] =
        (f->closed_by < 0 && c->established) || cause == SW_CAUSE_UNK_IN_PROGRESS;
    quality[SW_QUALITY_VLAN] = f->vlan_asymmetric;
    quality[SW_QUALITY_LIMITS] = c->session->limits_hit;
}

/* In the words of nDPI; NULL: SMTP, or too little to tell. */
static const char *foreign_protocol(enum sw_content content)
{
    switch (content) {
    case SW_CONTENT_HTTP:
        return "http";
    case SW_CONTENT_SSH:
        return "ssh";
    case SW_CONTENT_POP3:
        return "pop3";
    case SW_CONTENT_IMAP:
        return "imap";
    case SW_CONTENT_FTP:
        return "ftp";
    case SW_CONTENT_SOCKS:
        return "socks";
    case SW_CONTENT_SMTP:
    case SW_CONTENT_NOTHING:
    case SW_CONTENT_TLS:
    case SW_CONTENT_PROXY:
    case SW_CONTENT_TEXT:
    case SW_CONTENT_BINARY:
        break;
    }
    return NULL;
}

/* What was spoken: a server of another kind decides, whatever a mail program says to it. */
static const char *protocol_name(const struct sw_case *c)
{
    const struct sw_session *s = c->session;
    bool greeted = s->greeting && s->greeting->code != 0;
    const char *server = foreign_protocol(s->first_bytes[SW_SERVER].content);
    const char *client = foreign_protocol(s->first_bytes[SW_CLIENT].content);
    if (s->lmtp)
        return "lmtp";
    if (server && !greeted)
        return server;
    if ((s->hellos || s->messages) && !sw_case_is_web_request(c))
        return "smtp";
    if (s->first_bytes[SW_SERVER].content == SW_CONTENT_FTP)
        return server; /* it greets with 220, too */
    if (client)
        return client;
    if (s->named)
        return s->named;
    bool said = s->first_bytes[SW_CLIENT].content == SW_CONTENT_SMTP ||
                s->first_bytes[SW_SERVER].content == SW_CONTENT_SMTP ||
                (s->last_command && s->first_bytes[SW_CLIENT].content != SW_CONTENT_BINARY);
    return said ? "smtp" : "unknown";
}

static enum sw_security security_of(const struct sw_case *c)
{
    const struct sw_session *s = c->session;
    bool by_command = s->starttls != NULL;
    if (s->lookup)
        return SW_SECURITY_UNKNOWN;
    switch (s->tls) {
    case SW_TLS_APPLICATION:
        return by_command ? SW_SECURITY_STARTTLS : SW_SECURITY_IMPLICIT_TLS;
    case SW_TLS_HELLO:
    case SW_TLS_SERVER_HELLO:
        return by_command ? SW_SECURITY_STARTTLS_FAILED : SW_SECURITY_IMPLICIT_TLS_FAILED;
    case SW_TLS_NONE:
    case SW_TLS_STARTTLS_ACCEPTED:
    case SW_TLS_CLEAR:
        break;
    }
    bool seen_from_start = c->complete_start || s->greeting || s->hellos;
    return seen_from_start ? SW_SECURITY_NONE : SW_SECURITY_UNKNOWN;
}

/* Not so "2.1.0" or an address: a name has a letter (RFC 1123 2.1). */
static bool is_host_name(struct sw_span name)
{
    unsigned dots = 0;
    bool lettered = false;
    if (name.len < 4 || name.len > 253)
        return false;
    for (size_t at = 0; at < name.len; at++) {
        uint8_t ch = name.ptr[at];
        uint8_t letter = ch | 0x20;
        bool is_letter = letter >= 'a' && letter <= 'z';
        if (!is_letter && ch != '.' && !sw_ascii_digit(ch) && ch != '-' && ch != '_')
            return false;
        dots += ch == '.';
        lettered = lettered || is_letter;
    }
    return dots > 0 && lettered;
}

/* What the client looked up or asked for; else, RFC 5321 4.2: the greeting and the answer
 * to EHLO begin with the server's name; else what the capture says of the address. */
static void name_server(const struct sw_case *c, struct sw_verdict *verdict)
{
    const struct sw_lookup *lookup = c->session->lookup;
    const struct sw_naming *naming = c->session->naming;
    if (lookup || (naming && !c->session->proxied)) {
        verdict->server_name = lookup ? lookup->name : naming->name;
        verdict->server_name_source = "dns";
        return;
    }
    const struct sw_tls *tls = c->session->tls_facts;
    struct sw_span asked = tls ? sw_tls_wanted_name(tls) : (struct sw_span){NULL, 0};
    if (asked.len > 0) { /* RFC 6066 3 */
        verdict->server_name = asked;
        verdict->server_name_source = "sni";
        return;
    }
    const struct sw_step *hello = c->session->hello ? c->session->hello->reply : NULL;
    const struct sw_step *candidates[] = {hello, c->session->greeting};
    for (int i = 0; i < 2; i++) {
        const struct sw_step *reply = candidates[i];
        if (!sw_reply_is(reply, 2) || verdict->server_name.len > 0)
            continue;
        struct sw_span line = sw_span_sub(reply->text, 0, sw_span_index(reply->text, '\n'));
        struct sw_span name = sw_span_word(&line);
        if (is_host_name(name)) {
            verdict->server_name = name;
            verdict->server_name_source = "banner";
        }
    }
    if (verdict->server_name.len == 0 && c->session->given_name.len > 0) {
        verdict->server_name = c->session->given_name;
        verdict->server_name_source = "capture";
    }
}

/* A recipient or mail that nobody answered shares the reason of its session, and so does the mail
 * whose refusal was found to have another reason than its words say. */
static void spread_cause(const struct sw_case *c, const struct sw_ruling *ruling)
{
    for (uint32_t i = 0; i < c->message_count; i++) {
        struct sw_message_verdict *mv = &c->messages[i];
        bool decided = ruling->reply && mv->reply == ruling->reply;
        if (decided && mv->outcome == SW_OUTCOME_STUCK)
            mv->cause = ruling->cause;
        if (mv->cause == SW_CAUSE_NONE && mv->outcome == SW_OUTCOME_NO_MAIL)
            mv->cause = SW_CAUSE_OK_VRFY_ONLY;
        else if (mv->cause == SW_CAUSE_NONE)
            mv->cause = mv->message->end_mark.frame ? ruling->cause
                                                    : sw_case_cause_without_text(c, ruling->cause);
        for (uint32_t j = 0; j < mv->recipient_count; j++) {
            struct sw_recipient_verdict *rv = &mv->recipients[j];
            if (rv->cause == SW_CAUSE_NONE)
                rv->cause = rv->outcome == SW_OUTCOME_NO_MAIL ? SW_CAUSE_OK_VRFY_ONLY : mv->cause;
        }
    }
}

/* First hit wins; the last one always says something. */
static bool (*const rules[])(const struct sw_case *c, struct sw_ruling *ruling) = {
    sw_rule_lookup, sw_rule_connect,   sw_rule_proxy,    sw_rule_scanner, sw_rule_first_bytes,
    sw_rule_capped, sw_rule_recited,   sw_rule_accepted, sw_rule_tcp,     sw_rule_refused,
    sw_rule_unread, sw_rule_encrypted, sw_rule_broken,   sw_rule_no_mail, sw_rule_unknown,
};

/* Is this said because something is missing in the answer to EHLO? */
static bool rests_on_offers(const struct sw_ruling *ruling)
{
    switch (ruling->cause) {
    case SW_CAUSE_AUTH_NOT_OFFERED:
    case SW_CAUSE_AUTH_HIDDEN_UNTIL_TLS:
    case SW_CAUSE_STARTTLS_NOT_OFFERED:
    case SW_CAUSE_STARTTLS_REJECTED_PERM: /* else stripped: it had been offered */
    case SW_CAUSE_MAIL_POP_BEFORE_SMTP:   /* else there is a login */
    case SW_CAUSE_CLIENT_GAVE_UP_AFTER_EHLO:
        return true;
    default: /* most causes */
        return ruling->cause == SW_CAUSE_OK_NO_ATTEMPT && ruling->stage == SW_STAGE_HELLO;
    }
}

/*
 * What the server offers is not known when its answer to EHLO is not here as a whole, nor that
 * nobody wanted anything when the last word is lost, nor whether the second mail is the first one,
 * tried again, when words of the client are.
 */
static void doubt_for_lost_replies(const struct sw_case *c, struct sw_ruling *ruling)
{
    bool unseen_starttls = ruling->cause == SW_CAUSE_STARTTLS_REQUIRED_NOT_USED &&
                           c->session->starttls && !c->session->starttls->reply;
    if (unseen_starttls || (rests_on_offers(ruling) && !sw_case_offers_are_known(c)))
        ruling->confidence = SW_CONFIDENCE_POSSIBLE;
    bool maybe_again = ruling->outcome == SW_OUTCOME_PARTIAL && c->message_count > 1 &&
                       c->facts->half[SW_CLIENT].gap_bytes > 0;
    bool no_greeting = !c->session->greeting || c->session->greeting->code == 0;
    bool unread = c->answer_lost || (no_greeting && sw_case_first_is_doubtful(c, SW_SERVER));
    if (maybe_again || (unread && ruling->outcome == SW_OUTCOME_NO_MAIL))
        ruling->confidence = SW_CONFIDENCE_POSSIBLE;
}

/* Bytes are missing, or may be others than those that were sent. */
static bool has_holes(const struct sw_case *c)
{
    const struct sw_half_facts *client = &c->facts->half[SW_CLIENT];
    const struct sw_half_facts *server = &c->facts->half[SW_SERVER];
    return c->session->gaps_in_dialogue > 0 || c->reply_lost ||
           client->gap_bytes + client->truncated_bytes > 0 ||
           client->damaged + server->damaged > 0 || sw_case_first_is_doubtful(c, SW_CLIENT) ||
           sw_case_first_is_doubtful(c, SW_SERVER);
}

/* The capture ends right behind the refusal: another mechanism, or another recipient, may follow
 * (not behind a greeting that refuses, or where the server ends the session, RFC 5321 3.1 and 3.8;
 * nor behind the answer to DATA or to the text, which is about the mail as a whole). */
static bool may_be_overcome(const struct sw_case *c)
{
    const struct sw_step *command = c->session->last_command;
    const struct sw_step *last = c->session->last_reply;
    if (!c->refusal || c->refusal->code == 421 || c->facts->closed_by >= 0)
        return false;
    if (last && (last->phase == SW_PHASE_GREETING || last->phase >= SW_PHASE_DATA))
        return false;
    struct sw_mark refused = sw_step_last(c->refusal);
    bool went_on = command && command->first.frame > refused.frame;
    return !went_on && c->session->final.time_ns - refused.time_ns < SW_PATIENCE_NS;
}

/*
 * What happened before the capture began, or after a cap was reached, is not known, so nothing that
 * failed is certain; nor is it when frames were lost meanwhile, which may have been some of this
 * session, or when bytes of the dialogue are missing or were damaged on the way to the recorder;
 * and nothing is where two copies of the same bytes say different things.
 */
static bool is_unsure(const struct sw_case *c, const struct sw_ruling *ruling)
{
    bool partly = c->facts->midstream || c->session->limits_hit;
    bool failed = ruling->outcome != SW_OUTCOME_DELIVERED && ruling->outcome != SW_OUTCOME_UNKNOWN;
    bool doubted =
        has_holes(c) || may_be_overcome(c) || (sw_case_close_is_unseen(c) && !ruling->reply);
    return c->facts->conflicts > 0 || (partly && ruling->outcome == SW_OUTCOME_STUCK) ||
           (failed && doubted) ||
           (c->session->lost_frames > 0 && ruling->outcome != SW_OUTCOME_DELIVERED);
}

/* Where other things than replies prove that the session is stuck, its mail is as well. */
static void agree(struct sw_case *c, struct sw_ruling *ruling)
{
    bool undecided = c->outcome == SW_OUTCOME_UNKNOWN;
    if (ruling->outcome != SW_OUTCOME_STUCK || !(undecided || c->outcome == SW_OUTCOME_NO_MAIL))
        return;
    bool known = sw_case_settle(c);
    for (uint32_t i = 0; i < c->message_count; i++) {
        struct sw_message_verdict *mv = &c->messages[i];
        if (mv->outcome == SW_OUTCOME_STUCK && mv->cause == SW_CAUSE_NONE)
            mv->cause = ruling->cause;
    }
    if (undecided && known)
        ruling->outcome = c->outcome;
    else if (undecided)
        (void)sw_rule_unknown(c, ruling);
}

static void rule(struct sw_case *c, struct sw_ruling *ruling)
{
    *ruling = (struct sw_ruling){0};
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (rules[i](c, ruling))
            break;
        if (ruling->cause != SW_CAUSE_NONE) /* most that do not apply have not begun one */
            *ruling = (struct sw_ruling){0};
        assert(!ruling->reply && !ruling->evidence[0].mark.frame && !ruling->also[0]);
    }
    assert(ruling->cause != SW_CAUSE_NONE);
    agree(c, ruling);
    sw_blame_middlebox(c, ruling);
    sw_blame_place(c, ruling);
    doubt_for_lost_replies(c, ruling);
    if (is_unsure(c, ruling) && ruling->confidence == SW_CONFIDENCE_CERTAIN)
        ruling->confidence = SW_CONFIDENCE_LIKELY;
}

/* When not even the verdict fits into the session's memory. */
static const char *const full_advice[] = {
    "Raise --limits session-bytes and analyse the capture again.", NULL};
static const struct sw_verdict full_verdict = {
    .outcome = SW_OUTCOME_UNKNOWN,
    .cause = SW_CAUSE_UNK_INCOMPLETE,
    .stage = SW_STAGE_CONNECT,
    .permanence = SW_PERMANENCE_UNKNOWN,
    .actor = SW_ACTOR_NONE,
    .confidence = SW_CONFIDENCE_CERTAIN,
    .summary = "It cannot be told what happened to the mail, because this session did not fit into "
               "the memory set aside for it.",
    .explanation = "The limit session-bytes was reached.",
    .advice = full_advice,
    .protocol = "smtp",
    .quality = {[SW_QUALITY_LIMITS] = 1},
};

const struct sw_verdict *sw_analyzer_judge(struct sw_analyzer *analyzer, struct sw_session *session)
{
    /* The dialogue has used what it was allowed; the verdict on it gets room of its own. */
    session->arena.limit_bytes += session->limits.arena_bytes / 2;
    struct sw_case c;
    struct sw_last_reading last_read;
    sw_conduct_fetch(analyzer->conduct, session);
    sw_history_fetch_server(analyzer->history, &session->facts->tuple);
    sw_case_open(&c, session, analyzer->kb, analyzer->history, &last_read);
    c.no_names = analyzer->no_names;
    c.wording_names = analyzer->wording_names;
    struct sw_verdict *verdict = SW_ARENA_NEW(&session->arena, struct sw_verdict);
    if (c.tried_mail)
        sw_history_tried_mail(analyzer->history, &c.facts->tuple, c.first_mail);
    sw_case_note_refusal(&c, analyzer->history);
    const struct sw_hello *hello = sw_session_hello(session, false);
    bool starttls = hello == c.survey.clear_hello ? c.survey.clear_tls != NULL
                                                  : sw_capability_find(hello, "STARTTLS") != NULL;
    if (starttls)
        sw_history_starttls(analyzer->history, &c.facts->tuple, hello->reply->first);
    bool tls_first = session->tls_facts && session->tls_facts->server_hello.frame &&
                     session->tls_facts->client_hello.frame && !session->starttls &&
                     session->first_bytes[SW_CLIENT].content == SW_CONTENT_TLS;
    if (tls_first)
        sw_history_tls_first(analyzer->history, &c.facts->tuple, session->tls_facts->server_hello);
    if (!verdict)
        return &full_verdict;
    struct sw_ruling ruling;
    rule(&c, &ruling);
    const struct sw_cause_info *info = sw_cause_info(ruling.cause);
    verdict->no_names = c.no_names;
    verdict->outcome = ruling.outcome;
    verdict->cause = ruling.cause;
    verdict->stage = ruling.stage;
    verdict->permanence = ruling.has_permanence ? ruling.permanence : info->permanence;
    verdict->actor = info->actor;
    verdict->confidence = ruling.confidence;
    verdict->reply = ruling.reply;
    spread_cause(&c, &ruling);
    verdict->messages = c.messages;
    verdict->message_count = c.message_count;
    verdict->protocol = protocol_name(&c);
    verdict->security = security_of(&c);
    note_quality(&c, ruling.cause, verdict->quality);
    name_server(&c, verdict);
    sw_conduct_add(analyzer->conduct, &c, &c.signs);
    sw_detect(&c, verdict);
    sw_narrate(&c, &ruling, verdict);
    return verdict;
}

void sw_analyzer_fetch(const struct sw_analyzer *analyzer, const struct sw_tuple *tuple)
{
    sw_history_fetch(analyzer->history, tuple);
}

void sw_analyzer_remember(struct sw_analyzer *analyzer, const struct sw_session *session,
                          const struct sw_verdict *verdict, int64_t now_ns)
{
    sw_ledger_add(analyzer->ledger, session, verdict, now_ns);
}

void sw_analyzer_finish(struct sw_analyzer *analyzer)
{
    sw_ledger_finish(analyzer->ledger);
}

const struct sw_delivery *sw_analyzer_delivery(struct sw_analyzer *analyzer)
{
    return sw_ledger_next(analyzer->ledger);
}

uint64_t sw_analyzer_shed(const struct sw_analyzer *analyzer, enum sw_limit limit)
{
    const struct sw_ledger *ledger = analyzer->ledger;
    return limit == SW_LIMIT_STORY_BYTES ? ledger->shed_bytes : ledger->shed;
}
