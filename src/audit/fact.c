/*
 * fact.c - what the audit wants to know of a session. What the detectors have judged already, with
 * their guards, is taken from the findings, so that audit and findings never disagree.
 */
#include "audit/fact.h"

#include "base/time.h"

#include <string.h>

const char *sw_fact_file(const struct sw_fact *fact, uint64_t frame)
{
    unsigned place = sw_frame_file(frame);
    return fact->file_count > 1 && place < fact->file_count ? fact->files[place] : fact->file;
}

enum sw_outcome sw_fact_outcome(struct sw_span name)
{
    for (int i = 0; i < SW_OUTCOME_COUNT; i++) {
        if (sw_span_eq(name, sw_span_str(sw_outcome_name((enum sw_outcome)i))))
            return (enum sw_outcome)i;
    }
    return SW_OUTCOME_UNKNOWN;
}

enum sw_security sw_fact_security(struct sw_span name)
{
    for (int i = SW_SECURITY_NONE; i <= SW_SECURITY_IMPLICIT_TLS_FAILED; i++) {
        if (sw_span_eq(name, sw_span_str(sw_security_name((enum sw_security)i))))
            return (enum sw_security)i;
    }
    return SW_SECURITY_UNKNOWN;
}

static const struct sw_finding *find(const struct sw_verdict *verdict, enum sw_finding_id id)
{
    const struct sw_finding *finding;
    SW_EACH(finding, verdict->findings) {
        if (finding->id == id)
            return finding;
    }
    return NULL;
}

/* The finding, unless a guard says that nobody could listen in. */
static const struct sw_finding *exposure(const struct sw_verdict *verdict, enum sw_finding_id id)
{
    const struct sw_finding *finding = find(verdict, id);
    return finding && finding->severity > SW_SEVERITY_INFO ? finding : NULL;
}

/* Parts of the dialogue are missing, or stayed closed: what was not seen may have been there. */
static bool is_full_of_holes(const struct sw_verdict *verdict)
{
    return verdict->quality[SW_QUALITY_MIDSTREAM] || verdict->quality[SW_QUALITY_ONE_SIDED] ||
           verdict->quality[SW_QUALITY_GAPS] || verdict->quality[SW_QUALITY_SNAPLEN];
}

static bool is_protected(const struct sw_verdict *verdict)
{
    return verdict->security == SW_SECURITY_STARTTLS ||
           verdict->security == SW_SECURITY_IMPLICIT_TLS;
}

static void read_logins(struct sw_fact *fact, const struct sw_session *session,
                        const struct sw_verdict *verdict)
{
    bool exposed = exposure(verdict, SW_FINDING_PLAINTEXT_AUTH_USED) ||
                   exposure(verdict, SW_FINDING_OAUTH_TOKEN_CLEARTEXT);
    const struct sw_auth *auth;
    SW_EACH(auth, session->auths) {
        if (fact->login_count == SW_FACT_LOGINS)
            break;
        struct sw_fact_login *login = &fact->logins[fact->login_count++];
        login->user = auth->user;
        login->mechanism = auth->mechanism;
        login->exposed = exposed && !auth->encrypted && auth->secret;
        login->accepted = auth->result == SW_AUTH_ACCEPTED;
        login->frame = sw_step_last(login->exposed ? auth->secret : auth->command).frame;
    }
    if (fact->login_count > 0)
        fact->login = SW_SEEN_YES;
    else if (is_protected(verdict)) /* whoever logged in inside it, nobody could listen */
        fact->login = SW_SEEN_NO;
    else if (is_full_of_holes(verdict))
        fact->login = SW_SEEN_UNCLEAR;
}

static void read_clear_mail(struct sw_fact *fact, const struct sw_session *session,
                            const struct sw_verdict *verdict)
{
    const struct sw_finding *finding = exposure(verdict, SW_FINDING_CLEARTEXT_CONTENT);
    bool mail = false;
    const struct sw_message *m;
    SW_EACH(m, session->messages)
        mail = mail || m->body_seen;
    if (finding) {
        fact->clear_mail = SW_SEEN_YES;
        fact->clear_mail_frame = finding->frame;
    } else if (mail || is_protected(verdict)) {
        fact->clear_mail = SW_SEEN_NO;
    } else if (is_full_of_holes(verdict)) {
        fact->clear_mail = SW_SEEN_UNCLEAR;
    }
}

/* RFC 3207 4: only a reply to EHLO can offer it. */
static void read_starttls(struct sw_fact *fact, const struct sw_session *session,
                          const struct sw_verdict *verdict)
{
    if (verdict->security == SW_SECURITY_IMPLICIT_TLS ||
        verdict->security == SW_SECURITY_IMPLICIT_TLS_FAILED)
        return;
    const struct sw_hello *hello;
    SW_EACH(hello, session->hellos) {
        if (hello->encrypted || !hello->command || hello->command->verb == SMTP_VERB_HELO)
            continue;
        bool cut = hello->reply && (hello->reply->flags & SMTP_FLAG_CUT) != 0;
        if (sw_reply_is(hello->reply, 2) && !cut) {
            bool offered = sw_capability_find(hello, "STARTTLS") != NULL;
            fact->starttls = offered ? SW_SEEN_YES : SW_SEEN_NO;
            fact->starttls_frame = sw_step_last(hello->reply).frame;
        } else if (fact->starttls == SW_SEEN_NOTHING &&
                   (cut || (!hello->reply && is_full_of_holes(verdict)))) {
            fact->starttls = SW_SEEN_UNCLEAR;
        }
    }
}

static void read_certificate(struct sw_fact *fact, const struct sw_tls *tls)
{
    const struct sw_certificate *leaf = tls->certificates;
    if (!leaf || !leaf->read || !leaf->sha256[0]) {
        /* TLS 1.3 hides it, a resumed session has none to show */
        fact->certified = sw_tls_is_established(tls) && !sw_tls_is_resumed(tls) ? SW_SEEN_UNCLEAR
                                                                                : SW_SEEN_NOTHING;
        return;
    }
    fact->certified = SW_SEEN_YES;
    fact->certificate = (struct sw_fact_certificate){
        .known = true,
        .subject = leaf->subject,
        .issuer = leaf->issuer,
        .names = leaf->names,
        .sha256 = leaf->sha256,
        .not_before = leaf->not_before,
        .not_after = leaf->not_after,
        .problems = leaf->problems,
        .frame = leaf->mark.frame,
    };
    const struct sw_certificate *c;
    SW_EACH(c, tls->certificates) /* a chain is as good as its worst link */
        fact->certificate.problems |= c->problems;
}

static void read_tls(struct sw_fact *fact, const struct sw_session *session)
{
    const struct sw_tls *tls = session->tls_facts;
    if (!tls)
        return;
    if (tls->server_hello.frame && tls->version) {
        fact->tls = SW_SEEN_YES;
        fact->tls_version = tls->version;
        fact->tls_frame = tls->server_hello.frame;
    } else if (sw_tls_is_established(tls)) {
        fact->tls = SW_SEEN_UNCLEAR;
    }
    read_certificate(fact, tls);
}

static void read_greeting(struct sw_fact *fact, const struct sw_session *session)
{
    const struct sw_step *greeting = session->greeting;
    fact->greeting_delay_ns = SW_TIME_NONE;
    const struct sw_flow_facts *facts = session->facts;
    fact->greeting_due = facts->established.frame != 0 && !facts->midstream &&
                         !session->implicit_tls_port && !session->tls_facts &&
                         facts->half[SW_SERVER].seen && facts->half[SW_SERVER].gap_count == 0;
    if (greeting) {
        fact->greeting_delay_ns = session->greeting_delay_ns;
        fact->greeting_frame = greeting->first.frame;
    } else if (fact->greeting_due && facts->half[SW_SERVER].bytes == 0) {
        fact->greeting_wait_ns = sw_time_between(facts->established.time_ns, facts->last.time_ns);
        fact->greeting_frame = facts->last.frame;
    }
}

/* Appends a word, in capitals as RFC 5321 4.1.1.1 compares them; what has odd characters or does
 * not fit is left out. */
static size_t put_keyword(struct sw_fact *fact, size_t used, const char *prefix,
                          struct sw_span word)
{
    char *at = fact->keywords + used;
    size_t before = strlen(prefix);
    if (word.len == 0 || used + before + word.len + 1 > sizeof(fact->keywords))
        return used;
    for (size_t i = 0; i < before; i++)
        at[i] = prefix[i];
    for (size_t i = 0; i < word.len; i++) {
        uint8_t c = word.ptr[i];
        if (!sw_ascii_alpha(c) && !sw_ascii_digit(c) && c != '-' && c != '_')
            return used;
        at[before + i] = (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    }
    at[before + word.len] = ' ';
    return used + before + word.len + 1;
}

static struct sw_span read_keywords(struct sw_fact *fact, size_t *used,
                                    const struct sw_session *session, bool encrypted)
{
    const struct sw_hello *hello = sw_session_hello(session, encrypted);
    const struct sw_capability *c;
    size_t begin = *used;
    if (!hello)
        return (struct sw_span){NULL, 0};
    SW_EACH(c, hello->capabilities) {
        bool auth = sw_span_eq_nocase(c->keyword, SW_SPAN_LIT("AUTH"));
        bool size = sw_span_eq_nocase(c->keyword, SW_SPAN_LIT("SIZE"));
        struct sw_span rest = c->params;
        struct sw_span word = auth || size ? sw_span_word(&rest) : c->keyword;
        const char *prefix = auth ? "AUTH=" : size ? "SIZE=" : "";
        if (size && word.len == 0)
            *used = put_keyword(fact, *used, "", c->keyword);
        for (; word.len > 0; word = auth ? sw_span_word(&rest) : (struct sw_span){NULL, 0})
            *used = put_keyword(fact, *used, prefix, word);
    }
    return sw_span_trim(sw_span_make(fact->keywords + begin, *used - begin));
}

void sw_fact_of(struct sw_fact *fact, const struct sw_session *session,
                const struct sw_verdict *verdict)
{
    const struct sw_tuple *tuple = &session->facts->tuple;
    *fact = (struct sw_fact){
        .id = session->id,
        .start_ns = session->facts->first.time_ns,
        .file = session->file,
        .files = session->files,
        .file_count = session->file_count,
        .first_frame = session->facts->first.frame,
        .has_server = !session->lookup || session->lookup->end == SW_LOOKUP_NEIGHBOUR,
        .ip_version = tuple->ip_version,
        .server_port = tuple->dst_port,
        .server_name = verdict->server_name,
        .outcome = verdict->outcome,
        .cause = verdict->cause,
        .security = verdict->security,
    };
    memcpy(fact->client, tuple->src, sizeof(fact->client));
    memcpy(fact->server, tuple->dst, sizeof(fact->server));
    read_logins(fact, session, verdict);
    read_clear_mail(fact, session, verdict);
    read_starttls(fact, session, verdict);
    read_tls(fact, session);
    read_greeting(fact, session);
    size_t used = 0;
    fact->clear_keywords = read_keywords(fact, &used, session, false);
    fact->inner_keywords = read_keywords(fact, &used, session, true);
    const struct sw_finding *finding;
    SW_EACH(finding, verdict->findings) {
        if (fact->finding_count < SW_FACT_FINDINGS)
            fact->findings[fact->finding_count++] =
                (struct sw_fact_finding){finding->id, finding->severity, finding->frame};
    }
}
