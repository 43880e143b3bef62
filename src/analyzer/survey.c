#include "analyzer/survey.h"

/* RFC 2920 3.1, RFC 4954 4, RFC 3207 4.1: commands that stand last in a group, because the client
 * has to look at their reply before it goes on. */
static bool stands_last(enum smtp_verb verb)
{
    switch (verb) {
    case SMTP_VERB_HELO:
    case SMTP_VERB_EHLO:
    case SMTP_VERB_LHLO:
    case SMTP_VERB_DATA:
    case SMTP_VERB_VRFY:
    case SMTP_VERB_EXPN:
    case SMTP_VERB_TURN:
    case SMTP_VERB_QUIT:
    case SMTP_VERB_NOOP:
    case SMTP_VERB_AUTH:
    case SMTP_VERB_AUTH_DATA:
    case SMTP_VERB_STARTTLS:
    case SMTP_VERB_X_ANONYMOUSTLS:
        return true;
    default:
        return false;
    }
}

/*
 * The signs in an argument, of which each shape of an attack, and each encoded line end, has one.
 * Addresses have none, so that this is all that nearly every argument is looked at for.
 */
static unsigned signs_in(struct sw_span argument)
{
    static const uint16_t signs[256] = {
        [0] = SW_HAS_SHAPE,   ['$'] = SW_HAS_SHAPE, ['('] = SW_HAS_SHAPE, [';'] = SW_HAS_SHAPE,
        ['|'] = SW_HAS_SHAPE, ['`'] = SW_HAS_SHAPE, ['%'] = SW_HAS_FIELD, ['\\'] = SW_HAS_FIELD,
    };
    unsigned found = argument.len > SW_LONGEST_NAME ? SW_HAS_SHAPE : 0;
    for (size_t i = 0; i < argument.len; i++)
        found |= signs[argument.ptr[i]];
    return found;
}

#define VERB(name) (UINT64_C(1) << SMTP_VERB_##name)
_Static_assert(SMTP_VERB_COUNT <= 64, "a bit for each");

static const uint64_t envelope = VERB(EHLO) | VERB(HELO) | VERB(MAIL) | VERB(RCPT);
static const uint64_t logins = VERB(AUTH) | VERB(AUTH_DATA);
static const uint64_t probes = VERB(VRFY) | VERB(EXPN) | VERB(HELP) | VERB(XCLIENT) |
                               VERB(XFORWARD) | VERB(DEBUG) | VERB(WIZ) | VERB(TURN) | VERB(ETRN) |
                               VERB(SEND) | VERB(SOML) | VERB(SAML);

static void look_at_steps(struct sw_survey *survey, const struct sw_session *session)
{
    const struct sw_step *before = NULL; /* of the client */
    const struct sw_step *quit = session->quit;
    uint64_t verbs = 0;
    const struct sw_step *s;
    SW_EACH(s, session->steps) {
        const uint64_t verb = UINT64_C(1) << s->verb;
        verbs |= verb;
        if (s->from == SW_SERVER) {
            survey->refused = survey->refused || sw_reply_is(s, 4) || sw_reply_is(s, 5);
            continue;
        }
        if (verb & envelope)
            survey->has |= signs_in(s->argument);
        if (s->verb == SMTP_VERB_MAIL && !survey->first_mail)
            survey->first_mail = s;
        bool late = !s->reply || (quit && s->reply->first.time_ns > quit->first.time_ns);
        survey->unanswered = survey->unanswered || (late && s->verb != SMTP_VERB_QUIT);
        bool waiting = !survey->overtaking && before && before->reply && stands_last(before->verb);
        if (waiting && s->first.frame < before->reply->first.frame)
            survey->overtaking = s;
        before = s;
    }
    if (verbs & probes)
        survey->has |= SW_HAS_PROBE;
    if ((verbs & logins) && session->oddities) /* which may be lines that overrun a buffer */
        survey->has |= SW_HAS_SHAPE;
}

static bool offers_login(const struct sw_hello *hello)
{
    const struct sw_capability *cap;
    SW_EACH(cap, hello->capabilities) {
        bool maybe = cap->keyword.len == 4 || cap->keyword.len == 5; /* the legacy "AUTH=" counts */
        if (maybe && sw_span_starts_nocase(cap->keyword, SW_SPAN_LIT("AUTH")))
            return true;
    }
    return false;
}

static void look_at_hellos(struct sw_survey *survey, const struct sw_session *session)
{
    const struct sw_hello *hello;
    SW_EACH(hello, session->hellos) {
        survey->has |= SW_HAS_HELLO;
        if (offers_login(hello))
            survey->has |= SW_HAS_LOGIN_OFFER;
        if (hello->command->verb == SMTP_VERB_EHLO && sw_reply_is(hello->reply, 2) &&
            !sw_step_protected(session, hello->command))
            survey->clear_hello = hello;
    }
    if (!survey->clear_hello)
        return;
    survey->has |= SW_HAS_CLEAR_HELLO;
    survey->clear_tls = sw_capability_find(survey->clear_hello, "STARTTLS");
}

static void look_at_mails(struct sw_survey *survey, const struct sw_session *session)
{
    const struct sw_message *m;
    SW_EACH(m, session->messages) {
        const struct sw_header *header = m->header;
        survey->has |= SW_HAS_MAIL;
        if (header->shell_code)
            survey->has |= SW_HAS_SHAPE;
        if (header->repeats)
            survey->has |= SW_HAS_FIELD;
        if (header->bcc_count > 0)
            survey->has |= SW_HAS_BLIND;
    }
}

void sw_survey_make(struct sw_survey *survey, const struct sw_session *session)
{
    *survey = (struct sw_survey){0};
    if (session->greeting)
        survey->has |= SW_HAS_GREETING;
    if (session->auths)
        survey->has |= SW_HAS_LOGIN;
    if (session->oddities)
        survey->has |= SW_HAS_ODDITY;
    if (session->tls_facts)
        survey->has |= SW_HAS_TLS;
    if (session->naming)
        survey->has |= SW_HAS_NAMING;
    if (session->facts->conflicts > 0)
        survey->has |= SW_HAS_CONFLICT;
    look_at_steps(survey, session);
    look_at_hellos(survey, session);
    look_at_mails(survey, session);
}
