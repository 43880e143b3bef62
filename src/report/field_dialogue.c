/*
 * field_dialogue.c - values of the verdict and of what was said.
 */
#include "report/field_read.h"

#include <inttypes.h>

enum { RECIPIENTS = 100 };

static const struct sw_message *first_mail(const struct sw_field_source *s)
{
    return s->session->messages;
}

/* The verdict. */

static bool is_failure(const struct sw_field_source *s)
{
    return s->verdict->outcome == SW_OUTCOME_STUCK || s->verdict->outcome == SW_OUTCOME_PARTIAL;
}

SW_FIELD_READER(outcome)
{
    return sw_field_give_word(v, sw_outcome_name(s->verdict->outcome));
}

SW_FIELD_READER(ecs_outcome)
{
    bool good = s->verdict->outcome == SW_OUTCOME_DELIVERED;
    return sw_field_give_word(v, good ? "success" : is_failure(s) ? "failure" : "unknown");
}

SW_FIELD_READER(ocsf_status_id)
{
    bool good = s->verdict->outcome == SW_OUTCOME_DELIVERED;
    return sw_field_give_number(v, good ? 1 : is_failure(s) ? 2 : 0);
}

SW_FIELD_READER(ocsf_status)
{
    bool good = s->verdict->outcome == SW_OUTCOME_DELIVERED;
    return sw_field_give_word(v, good ? "Success" : is_failure(s) ? "Failure" : "Unknown");
}

SW_FIELD_READER(ocsf_severity)
{
    return sw_field_give_number(v, is_failure(s) ? 3 : 1);
}

SW_FIELD_READER(cause)
{
    return sw_field_give_word(v, sw_cause_name(s->verdict->cause));
}

SW_FIELD_READER(stage)
{
    return sw_field_give_word(v, sw_stage_name(s->verdict->stage));
}

SW_FIELD_READER(permanence)
{
    return sw_field_give_word(v, sw_permanence_name(s->verdict->permanence));
}

SW_FIELD_READER(actor)
{
    return sw_field_give_word(v, sw_actor_name(s->verdict->actor));
}

SW_FIELD_READER(confidence)
{
    return sw_field_give_word(v, sw_confidence_name(s->verdict->confidence));
}

SW_FIELD_READER(summary)
{
    return sw_field_give_text(s, v, sw_span_str(s->verdict->summary ? s->verdict->summary : ""));
}

SW_FIELD_READER(explanation)
{
    return sw_field_give_text(s, v,
                              sw_span_str(s->verdict->explanation ? s->verdict->explanation : ""));
}

SW_FIELD_READER(advice)
{
    for (const char *const *advice = s->verdict->advice; advice && *advice; advice++)
        sw_field_add_item(s, sw_veil_text(&s->part->veil, sw_span_str(*advice)));
    return sw_field_give_made(s, v);
}

SW_FIELD_READER(evidence_frames)
{
    const struct sw_evidence *e;
    SW_EACH(e, s->verdict->evidence)
        sw_writer_format(&s->text, "%s%" PRIu64, s->text.used > 0 ? "\n" : "",
                         sw_frame_number(e->mark.frame));
    return sw_field_give_made(s, v);
}

SW_FIELD_READER(evidence_files)
{
    const struct sw_evidence *e;
    if (s->session->file_count < 2)
        return false;
    SW_EACH(e, s->verdict->evidence) {
        const char *file = sw_session_file_of(s->session, e->mark.frame);
        sw_field_add_item(s, sw_view_file(file, &s->part->veil));
    }
    return sw_field_give_made(s, v);
}

SW_FIELD_READER(evidence)
{
    const struct sw_evidence *e;
    SW_EACH(e, s->verdict->evidence)
        sw_field_add_item(s, sw_veil_text(&s->part->veil, sw_span_str(e->what)));
    return sw_field_give_made(s, v);
}

SW_FIELD_READER(reply_code)
{
    const struct sw_step *reply = s->verdict->reply;
    return reply && reply->code && sw_field_give_number(v, reply->code);
}

SW_FIELD_READER(reply_enhanced)
{
    char enhanced[SW_VIEW_ENHANCED_BYTES] = "";
    if (s->verdict->reply)
        sw_view_enhanced(s->verdict->reply->enhanced, enhanced);
    sw_writer_text(&s->text, enhanced);
    return sw_field_give_made(s, v);
}

SW_FIELD_READER(reply_text)
{
    return s->verdict->reply && sw_field_give_text(s, v, s->verdict->reply->text);
}

/* The dialogue. */

SW_FIELD_READER(banner)
{
    return s->session->greeting && sw_field_give_text(s, v, s->session->greeting->text);
}

SW_FIELD_READER(hello)
{
    const struct sw_hello *hello = s->session->hello;
    return hello && hello->command && sw_field_give_name(s, v, hello->command->argument);
}

SW_FIELD_READER(messages)
{
    return sw_field_give_number(v, s->verdict->message_count);
}

SW_FIELD_READER(mail_from)
{
    const struct sw_message *m = first_mail(s);
    return m && m->mail && sw_field_give_text(s, v, m->sender);
}

SW_FIELD_READER(recipients)
{
    unsigned count = 0;
    for (uint32_t i = 0; i < s->verdict->message_count; i++) {
        const struct sw_message_verdict *mv = &s->verdict->messages[i];
        for (uint32_t r = 0; r < mv->recipient_count && count < RECIPIENTS; r++, count++)
            sw_field_add_item(s,
                              sw_veil_text(&s->part->veil, mv->recipients[r].recipient->address));
    }
    return sw_field_give_made(s, v);
}

SW_FIELD_READER(accepted)
{
    uint64_t accepted = 0;
    for (uint32_t i = 0; i < s->verdict->message_count; i++) {
        const struct sw_message_verdict *mv = &s->verdict->messages[i];
        for (uint32_t r = 0; r < mv->recipient_count; r++)
            accepted += mv->recipients[r].outcome == SW_OUTCOME_DELIVERED;
    }
    return sw_field_give_number(v, accepted);
}

SW_FIELD_READER(header_from)
{
    const struct sw_message *m = first_mail(s);
    return m && sw_field_give_text(s, v, m->header->from);
}

SW_FIELD_READER(ocsf_from)
{
    return sw_field_get_header_from(s, v) || sw_field_get_mail_from(s, v);
}

SW_FIELD_READER(message_id)
{
    const struct sw_message *m = first_mail(s);
    return m && sw_field_give_text(s, v, m->message_id);
}

SW_FIELD_READER(subject)
{
    const struct sw_message *m = first_mail(s);
    return m && !s->part->veil.on && sw_field_give_text(s, v, m->subject);
}

SW_FIELD_READER(mailer)
{
    const struct sw_message *m = first_mail(s);
    return m && sw_field_give_text(s, v, m->header->mailer);
}

SW_FIELD_READER(size)
{
    const struct sw_message *m;
    bool seen = false;
    uint64_t octets = 0;
    SW_EACH(m, s->session->messages) {
        seen = seen || m->body_seen;
        octets += m->body_octets;
    }
    return seen && sw_field_give_number(v, octets);
}

static const struct sw_auth *last_login(const struct sw_field_source *s)
{
    const struct sw_auth *auth = s->session->auths;
    while (auth && auth->next)
        auth = auth->next;
    return auth;
}

SW_FIELD_READER(auth_mechanism)
{
    const struct sw_auth *auth = last_login(s);
    v->text = auth ? auth->mechanism : (struct sw_span){NULL, 0};
    return v->text.len > 0;
}

SW_FIELD_READER(auth_user)
{
    const struct sw_auth *auth = last_login(s);
    return auth && sw_field_give_name(s, v, auth->user);
}

SW_FIELD_READER(auth_result)
{
    const struct sw_auth *auth = last_login(s);
    return auth && sw_field_give_word(v, sw_view_auth_name(auth->result));
}
