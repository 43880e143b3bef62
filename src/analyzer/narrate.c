/*
 * narrate.c - the texts of a verdict: the sentence for the help desk, the story with its frames,
 * the advice.
 */
#include "analyzer/advice.h"
#include "analyzer/case.h"
#include "analyzer/detect.h"
#include "analyzer/prose.h"
#include "analyzer/story.h"

enum { REPLY_SHOWN = 160, NAME_SHOWN = 100, SMTPS_PORT = 465 };

/* "550 5.7.1": the codes of a reply as they are quoted. */
static const char *code_text(struct sw_arena *arena, const struct sw_step *reply)
{
    if (!reply->enhanced.klass && reply->code >= 100)
        return sw_number_text(arena, reply->code);
    const char *text =
        reply->enhanced.klass
            ? sw_arena_printf(arena, "%03u %u.%u.%u", reply->code, reply->enhanced.klass,
                              reply->enhanced.subject, reply->enhanced.detail)
            : sw_arena_printf(arena, "%03u", reply->code);
    return text ? text : "";
}

static const char *nonempty(struct sw_arena *arena, struct sw_span wire)
{
    return wire.len > 0 ? sw_wire_text(arena, wire, NAME_SHOWN) : NULL;
}

/* The message that the ruling speaks of: the one of its reply, else the one that failed, else the
 * last. */
static const struct sw_message *subject_message(const struct sw_case *c,
                                                const struct sw_ruling *ruling)
{
    if (ruling->reply && ruling->reply->message)
        return ruling->reply->message;
    for (uint32_t i = 0; i < c->message_count; i++) {
        if (c->messages[i].counts && c->messages[i].outcome == ruling->outcome)
            return c->messages[i].message;
    }
    return c->session->message;
}

static const struct sw_recipient *subject_recipient(const struct sw_message *m,
                                                    const struct sw_step *reply)
{
    const struct sw_recipient *r;
    if (!m)
        return NULL;
    SW_EACH(r, m->recipients) {
        if (reply && (r->reply == reply || r->final == reply))
            return r;
    }
    return m->recipients;
}

/* The login that the ruling speaks of, or the last one. */
static const struct sw_auth *subject_auth(const struct sw_case *c, const struct sw_step *reply)
{
    const struct sw_auth *auth;
    SW_EACH(auth, c->session->auths) {
        if (reply && auth->reply == reply)
            return auth;
    }
    return c->session->auth;
}

static void hello_values(const struct sw_case *c, uint32_t wanted,
                         struct sw_template_values *values)
{
    if (!(wanted & (SW_TEMPLATE_NAME(offered) | SW_TEMPLATE_NAME(limit))))
        return;
    const struct sw_hello *hello = c->session->hello;
    const struct sw_capability *auth = sw_capability_find(hello, "AUTH");
    if (auth && auth->params.len > 0)
        values->offered = sw_wire_text(c->arena, auth->params, NAME_SHOWN);
    const struct sw_capability *size = sw_capability_find(hello, "SIZE");
    uint64_t limit = 0;
    if (size && sw_span_u64(sw_span_trim(size->params), &limit) && limit > 0)
        values->limit = sw_size_text(c->arena, limit);
}

static void message_values(const struct sw_case *c, const struct sw_ruling *ruling, uint32_t wanted,
                           struct sw_template_values *values)
{
    const struct sw_message *m = subject_message(c, ruling);
    if (!m)
        return;
    if (m->mail && (wanted & SW_TEMPLATE_NAME(sender)))
        values->sender = nonempty(c->arena, m->sender);
    const struct sw_recipient *r = subject_recipient(m, ruling->reply);
    if (r && (wanted & SW_TEMPLATE_NAME(recipient)))
        values->recipient = nonempty(c->arena, r->address);
    if (!(wanted & SW_TEMPLATE_NAME(size)))
        return;
    bool declared = ruling->cause == SW_CAUSE_MAIL_SIZE_ANNOUNCED && m->has_size;
    if (m->body_octets > 0 && m->end_of_data && !declared)
        values->size = sw_size_text(c->arena, m->body_octets);
    else if (m->has_size)
        values->size = sw_size_text(c->arena, m->size_declared);
}

/* RFC 1928 section 6, RFC 9110 section 15. */
static const char *proxy_words(const struct sw_case *c)
{
    const struct sw_proxied *p = sw_session_proxied(c->session);
    static const char *const socks5[] = {
        [1] = "a failure of its own",       [2] = "its rules forbid it",
        [3] = "the network is unreachable", [4] = "the host is unreachable",
        [5] = "the server refused",         [6] = "the packets went round in circles",
        [7] = "it cannot connect",          [8] = "it does not know such addresses"};
    if (!p->refused)
        return "it did not answer";
    if (p->kind == SW_PROXY_HTTP)
        return p->status == 407 ? "it wants a login (407)"
                                : sw_arena_printf(c->arena, "it answered %u", p->status);
    if (p->status == 255)
        return "it took no login";
    if (p->kind == SW_PROXY_SOCKS5 && p->status > 0 && p->status <= 8)
        return socks5[p->status];
    return sw_arena_printf(c->arena, "it answered with code %u", p->status);
}

/* What the client had asked when nothing came any more, in words. */
static const char *asked(const struct sw_case *c)
{
    if (c->session->proxied && !c->session->proxied->open)
        return proxy_words(c);
    if (c->waiting == SW_WAITING_BODY)
        return "the text of the message";
    if (!c->pending)
        return "the session";
    if (c->pending->verb == SMTP_VERB_END_OF_DATA)
        return "the end of the message";
    const char *verb = smtp_verb_name(c->pending->verb);
    if (c->pending->verb == SMTP_VERB_AUTH_DATA)
        return "the login";
    return verb[0] ? sw_arena_printf(c->arena, "the command %s", verb) : NULL;
}

/* The longest time in which nobody said anything. */
static int64_t longest_pause(const struct sw_case *c)
{
    int64_t longest = 0;
    int64_t before = c->facts->established.frame ? c->facts->established.time_ns : 0;
    const struct sw_step *s;
    SW_EACH(s, c->session->steps) {
        if (before && s->first.time_ns - before > longest)
            longest = s->first.time_ns - before;
        before = sw_step_last(s).time_ns;
    }
    if (before && c->facts->closed.frame && c->facts->closed.time_ns - before > longest)
        longest = c->facts->closed.time_ns - before;
    return longest;
}

/* Behind a NAT another address is listed than the one in the capture. */
static const char *listed_value(const struct sw_case *c, const struct sw_step *reply)
{
    const struct sw_tuple *t = &c->facts->tuple;
    const char *address = sw_address_text(c->arena, t->src, t->ip_version);
    const char *name = sw_listed_name(reply->text, address);
    if (name || !address)
        return name;
    return sw_says_address(reply->text, address)
               ? sw_arena_printf(c->arena, "the address %s of the sending computer", address)
               : "the public address of the sending computer";
}

/* What the reply that decided it said. */
static void reply_values(const struct sw_case *c, const struct sw_step *reply, uint32_t wanted,
                         struct sw_template_values *values)
{
    bool coded = reply->code == 334; /* a challenge is no word for people */
    if ((wanted & SW_TEMPLATE_NAME(reply)) && !coded) {
        struct sw_prose quoted = {.arena = c->arena};
        sw_quote_reply(&quoted, reply, REPLY_SHOWN);
        values->reply = sw_prose_text(&quoted);
    }
    if (wanted & SW_TEMPLATE_NAME(code))
        values->code = code_text(c->arena, reply);
    if (wanted & SW_TEMPLATE_NAME(listed))
        values->listed = listed_value(c, reply);
}

static void login_values(const struct sw_case *c, const struct sw_ruling *ruling, uint32_t wanted,
                         struct sw_template_values *values)
{
    const struct sw_auth *auth = subject_auth(c, ruling->reply);
    if (auth && (wanted & SW_TEMPLATE_NAME(user)))
        values->user = nonempty(c->arena, auth->user);
    if (auth && (wanted & SW_TEMPLATE_NAME(mechanism)))
        values->mechanism = nonempty(c->arena, auth->mechanism);
}

static void wait_value(const struct sw_case *c, const struct sw_ruling *ruling,
                       struct sw_template_values *values)
{
    int64_t wait_ns = c->waited_ns;
    bool of_client = ruling->cause == SW_CAUSE_TCP_IDLE_STATE_LOST ||
                     ruling->cause == SW_CAUSE_SERVER_IDLE_TIMEOUT;
    if (of_client)
        wait_ns = longest_pause(c);
    if (wait_ns >= SW_NS_PER_S)
        values->wait = sw_duration_text(c->arena, wait_ns);
}

static const char *end_of_wait(const struct sw_case *c)
{
    if (c->gave_up.frame)
        return "the client gave up";
    return c->closed_by_server ? "the server hung up" : "the capture ended";
}

static void lookup_values(const struct sw_case *c, struct sw_template_values *values)
{
    const struct sw_lookup *lookup = c->session->lookup;
    if (!lookup || lookup->name.len == 0)
        return;
    values->name = sw_wire_text(c->arena, lookup->name, NAME_SHOWN);
    /* The steps of the advice are shown as they are, so that they name nobody. */
    values->host = lookup->asked_mx ? NULL : "the name of the outgoing server";
    values->domain = lookup->asked_mx ? "the part behind the @" : NULL;
}

static const char *server_value(const struct sw_case *c, const struct sw_verdict *verdict)
{
    const struct sw_proxied *proxied = sw_session_proxied(c->session);
    if (proxied->host_length > 0 && !proxied->open)
        return sw_wire_text(c->arena, sw_span_make(proxied->host, proxied->host_length),
                            NAME_SHOWN);
    bool named = verdict->server_name.len > 0 && (!c->no_names || c->session->lookup);
    const struct sw_tuple *t = &c->facts->tuple;
    return named ? sw_wire_text(c->arena, verdict->server_name, NAME_SHOWN)
                 : sw_address_text(c->arena, t->dst, t->ip_version);
}

/* The values of the names that are wanted; that of the server always. */
static void fill_values(const struct sw_case *c, const struct sw_ruling *ruling, uint32_t wanted,
                        const struct sw_verdict *verdict, struct sw_template_values *values)
{
    const uint32_t names_of_port =
        SW_TEMPLATE_NAME(port) | SW_TEMPLATE_NAME(encrypted) | SW_TEMPLATE_NAME(plain);
    const struct sw_tuple *t = &c->facts->tuple;
    *values = (struct sw_template_values){0};
    values->server = server_value(c, verdict);
    if (t->dst_port && (wanted & names_of_port))
        values->port = sw_number_text(c->arena, t->dst_port);
    if (t->dst_port == SMTPS_PORT)
        values->encrypted = values->port;
    else
        values->plain = values->port;
    bool behind_nat =
        sw_detect_private(t->src, t->ip_version) && !sw_detect_private(t->dst, t->ip_version);
    if ((wanted & SW_TEMPLATE_NAME(client)) && !behind_nat) /* else the server saw another one */
        values->client = sw_address_text(c->arena, t->src, t->ip_version);
    if (ruling->reply)
        reply_values(c, ruling->reply, wanted, values);
    login_values(c, ruling, wanted, values);
    message_values(c, ruling, wanted, values);
    hello_values(c, wanted, values);
    if (wanted & SW_TEMPLATE_NAME(wait))
        wait_value(c, ruling, values);
    if (wanted & SW_TEMPLATE_NAME(ended))
        values->ended = end_of_wait(c);
    if (wanted & SW_TEMPLATE_NAME(what))
        values->what = asked(c);
    lookup_values(c, values);
}

/*
 * Programs that send mail never ask for another handshake, and servers refuse it. Somebody who
 * types to openssl s_client does with every line that begins with R.
 */
static const char *const after_second_handshake[] = {
    "If this was a test with 'openssl s_client', start it with -quiet, or write 'rcpt to' in small "
    "letters: a line that begins with R asks for another TLS handshake there, and is not sent.",
    "Else update the mail program: it asks for another TLS handshake in the middle, which servers "
    "refuse.",
    NULL,
};

static bool ended_by_second_handshake(const struct sw_case *c, const struct sw_ruling *ruling)
{
    switch (ruling->cause) {
    case SW_CAUSE_TCP_CLIENT_CLOSED_EARLY:
    case SW_CAUSE_TCP_SERVER_CLOSED_EARLY:
    case SW_CAUSE_TCP_RESET_BY_CLIENT:
    case SW_CAUSE_TCP_RESET_BY_SERVER:
    case SW_CAUSE_SESSION_421_SHUTDOWN:
    case SW_CAUSE_ENC_NO_UPLOAD:
        break;
    default:
        return false;
    }
    const struct sw_tls *tls = c->session->tls_facts;
    const struct sw_tls_record *again = tls ? sw_tls_second_handshake(tls) : NULL;
    return again && again->from == SW_CLIENT;
}

/* "Switch on the login" is no advice to somebody who is logged in, nor is another way to send where
 * a name is on a blocklist, and where a recipient was only put off (or there were too many) nothing
 * about the address has to be corrected. */
static const char *const *useful_steps(const struct sw_case *c, const struct sw_ruling *ruling,
                                       const char *const *steps)
{
    if (ended_by_second_handshake(c, ruling))
        return after_second_handshake;
    bool first_is_login = ruling->cause == SW_CAUSE_RCPT_RELAY_DENIED;
    bool put_off = ruling->cause == SW_CAUSE_RCPT_PARTIAL && ruling->reply &&
                   sw_reply_is(ruling->reply, 4) && ruling->also[0] != SW_CAUSE_NONE;
    if (put_off)
        return sw_cause_wording(ruling->also[0])->advice;
    bool of_no_use = first_is_login && c->session->authenticated;
    bool of_list = ruling->cause == SW_CAUSE_RCPT_DNSBL || ruling->cause == SW_CAUSE_GREET_DNSBL;
    const struct sw_tuple *t = &c->facts->tuple;
    if (of_list && ruling->reply &&
        sw_listed_name(ruling->reply->text, sw_address_text(c->arena, t->src, t->ip_version)))
        of_no_use = true;
    return of_no_use && steps[0] ? steps + 1 : steps;
}

/* Of several mails of a session, those that were left behind, and whether one cause holds for all.
 */
struct left {
    uint32_t all, stuck;
    bool mixed;
};

static struct left count_left(const struct sw_case *c)
{
    struct left left = {0};
    enum sw_cause cause = SW_CAUSE_NONE;
    for (uint32_t i = 0; i < c->message_count; i++) {
        const struct sw_message_verdict *m = &c->messages[i];
        left.all += m->counts;
        if (!m->counts || m->outcome != SW_OUTCOME_STUCK)
            continue;
        left.mixed = left.mixed || (left.stuck > 0 && m->cause != cause);
        cause = m->cause;
        left.stuck++;
    }
    return left;
}

/* The usual beginnings of a sentence on a mail that stayed, and what they say of several. */
static const struct beginning {
    struct sw_span usual;
    const char *fate, *yet;
} beginnings[] = {
    {SW_SPAN_LIT("The mail was not sent because "), "not sent", ""},
    {SW_SPAN_LIT("The mail was not sent yet because "), "not sent yet", " yet"},
    {SW_SPAN_LIT("The mail was sent to nobody because "), "sent to nobody", ""},
};

/* "1 of 2 mails was not sent", "None of the 3 mails was sent". */
static const char *which_mails(const struct sw_case *c, const struct left *left,
                               const struct beginning *as)
{
    if (left->all < 2 || left->stuck == 0)
        return sw_arena_printf(c->arena, "The mail was %s", as->fate);
    if (left->stuck < left->all)
        return sw_arena_printf(c->arena, "%u of %u mails %s %s", left->stuck, left->all,
                               left->stuck == 1 ? "was" : "were", as->fate);
    return left->all == 2
               ? sw_arena_printf(c->arena, "Neither mail was sent%s", as->yet)
               : sw_arena_printf(c->arena, "None of the %u mails was sent%s", left->all, as->yet);
}

/*
 * The usual beginning, "The mail was not sent (yet) because ...", as it fits here: which of several
 * mails, and how sure it is. What is only possible must not be read out as certain.
 */
static const char *fit_beginning(const struct sw_case *c, const struct sw_ruling *ruling,
                                 const char *summary)
{
    bool for_good = ruling->has_permanence && ruling->permanence == SW_PERMANENCE_PERMANENT;
    const struct beginning *as = NULL;
    for (size_t i = 0; !as && i < sizeof(beginnings) / sizeof(beginnings[0]); i++) {
        if (sw_span_starts(sw_span_str(summary), beginnings[i].usual))
            as = &beginnings[i];
    }
    if (!as)
        return summary;
    struct left left = count_left(c);
    bool possible = ruling->confidence == SW_CONFIDENCE_POSSIBLE;
    bool first = left.mixed || (left.stuck > 1 && left.stuck < left.all);
    bool no_more = for_good && as->yet[0] != '\0'; /* what is final is not "not yet" */
    as = no_more ? &beginnings[0] : as;
    bool usual = (left.all < 2 || left.stuck == 0) && !first && !possible && !no_more;
    if (usual)
        return summary;
    const char *mails = which_mails(c, &left, as);
    const char *text = sw_arena_printf(c->arena, "%s%s%s%s%s", mails ? mails : "",
                                       first || possible ? "," : "", first ? " the first" : "",
                                       possible ? " possibly" : "", strstr(summary, " because "));
    return mails && text ? text : summary;
}

static const char *const *fill_advice(const struct sw_case *c, const char *const *steps,
                                      const struct sw_template_values *values)
{
    const char **filled = sw_arena_alloc(c->arena, (SW_ADVICE_MAX + 1) * sizeof(*filled));
    if (!filled)
        return steps;
    int kept = 0;
    for (int i = 0; i < SW_ADVICE_MAX && steps[i]; i++) {
        const char *text = sw_template_fill(steps[i], values, c->arena);
        filled[kept] = text ? text : steps[i];
        kept += filled[kept][0] != '\0'; /* a step for another case */
    }
    filled[kept] = NULL;
    return filled;
}

static void copy_evidence(const struct sw_case *c, const struct sw_ruling *ruling,
                          struct sw_verdict *verdict)
{
    struct sw_evidence **tail = &verdict->evidence;
    for (int i = 0; i < SW_PROOFS; i++) {
        if (!ruling->evidence[i].mark.frame)
            continue;
        struct sw_evidence *e = SW_ARENA_NEW(c->arena, struct sw_evidence);
        if (!e)
            return;
        *e = ruling->evidence[i];
        *tail = e;
        tail = &e->next;
    }
    if (!verdict->evidence) { /* an absence: the last frame before the silence */
        struct sw_evidence *e = SW_ARENA_NEW(c->arena, struct sw_evidence);
        if (!e)
            return;
        e->mark = c->facts->last;
        e->from = SW_ORIGIN_NETWORK;
        e->what = "last frame of the connection";
        verdict->evidence = e;
    }
}

static void copy_also(const struct sw_case *c, const struct sw_ruling *ruling,
                      struct sw_verdict *verdict)
{
    struct sw_also **tail = &verdict->also;
    for (int i = 0; i < 4; i++) {
        if (ruling->also[i] == SW_CAUSE_NONE || ruling->also[i] == ruling->cause)
            continue;
        struct sw_also *a = SW_ARENA_NEW(c->arena, struct sw_also);
        if (!a)
            return;
        a->cause = ruling->also[i];
        a->confidence = ruling->also_confidence[i];
        *tail = a;
        tail = &a->next;
    }
}

/* What the recording lacks when it ends too soon; NULL: the usual sentence fits. */
static const char *unfinished(const struct sw_case *c, const struct sw_template_values *values)
{
    if (!c->established)
        return sw_arena_printf(c->arena,
                               "The recording ends before %s had answered the request for a "
                               "connection.",
                               values->server);
    if (!c->tried_mail && !c->encrypted)
        return sw_arena_printf(c->arena,
                               "The recording ends before the program had offered a mail to %s.",
                               values->server);
    return NULL;
}

/* Has the story quoted this reply? Long ones are cut at different lengths. */
static bool is_told(const struct sw_prose *story, const char *reply)
{
    enum { ENOUGH = 60 };
    struct sw_span quote = sw_span_sub(sw_span_str(reply ? reply : ""), 0, ENOUGH);
    struct sw_span told = sw_span_make(story->text ? story->text : "", story->used);
    return quote.len > 0 && sw_span_find_nocase(told, quote) < told.len;
}

/* What a verdict's wording and the steps of its advice ask for. */
static uint32_t names_in(const struct sw_cause_wording *wording, const char *const *steps)
{
    uint32_t wanted = sw_template_names(wording->summary) | sw_template_names(wording->meaning);
    for (int i = 0; i < SW_ADVICE_MAX && steps[i]; i++)
        wanted |= sw_template_names(steps[i]);
    return wanted;
}

/* The same, looked for once in each cause's wording. */
static uint32_t names_wanted(const struct sw_case *c, const struct sw_ruling *ruling,
                             const struct sw_cause_wording *wording, const char *const *steps)
{
    const uint32_t is_known = UINT32_C(1) << 31;
    bool own_steps = !steps[0] || steps == wording->advice || steps == wording->advice + 1;
    if (!own_steps || wording != sw_cause_wording(ruling->cause))
        return names_in(wording, steps);
    uint32_t *names = &c->wording_names[ruling->cause];
    if (*names == 0)
        *names = is_known | names_in(wording, wording->advice);
    return *names;
}

/* A reply that the story quotes is not quoted again by what follows: `values` loses it. */
static const char *explain(const struct sw_case *c, const struct sw_verdict *verdict,
                           const struct sw_cause_wording *wording,
                           struct sw_template_values *values)
{
    char usual[2048]; /* most stories fit, and do not have to move while they grow */
    struct sw_prose story = {
        .arena = c->arena,
        .session = c->session,
        .series = sw_session_spans_files(c->session),
        .text = usual,
        .room = sizeof(usual),
    };
    sw_story_tell(c, &story);
    if (is_told(&story, values->reply))
        values->reply = NULL; /* once, with its frame, is enough */
    const char *meaning = sw_template_fill(wording->meaning, values, c->arena);
    if (meaning && meaning[0])
        sw_prose_say(&story, story.used ? " " : "", meaning);
    sw_story_beside(c, verdict, &story);
    sw_story_caveats(c, verdict, &story);
    const char *text = sw_prose_text(&story);
    if (text == usual)
        text = (const char *)sw_arena_copy(c->arena, sw_span_make(usual, story.used + 1)).ptr;
    return text ? text : "";
}

void sw_narrate(const struct sw_case *c, const struct sw_ruling *ruling, struct sw_verdict *verdict)
{
    static const char *const no_advice[] = {NULL};
    const struct sw_cause_wording *wording = sw_case_wording(c, ruling);
    /* Nobody has to act: nothing failed. Where nothing can be told, there is something to try. */
    bool success = verdict->outcome != SW_OUTCOME_UNKNOWN && verdict->actor == SW_ACTOR_NONE;
    const char *const *steps = success ? no_advice : useful_steps(c, ruling, wording->advice);
    struct sw_template_values values;
    fill_values(c, ruling, names_wanted(c, ruling, wording, steps), verdict, &values);
    const char *summary = sw_template_fill(wording->summary, &values, c->arena);
    const char *guess = sw_story_guess(c);
    if (!guess && ruling->cause == SW_CAUSE_UNK_IN_PROGRESS)
        guess = unfinished(c, &values);
    verdict->summary =
        guess ? guess : fit_beginning(c, ruling, summary ? summary : wording->summary);
    verdict->explanation = explain(c, verdict, wording, &values);
    verdict->advice = success ? no_advice : fill_advice(c, steps, &values);
    verdict->has_client_codes = !success && verdict->outcome != SW_OUTCOME_UNKNOWN;
    copy_evidence(c, ruling, verdict);
    copy_also(c, ruling, verdict);
}
