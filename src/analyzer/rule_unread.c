/*
 * rule_unread.c - dialogues that go on where they cannot be read: turned around by ATRN, or inside
 * an encryption that the login itself brought.
 */
#include "analyzer/case.h"
#include "analyzer/story.h"

static const char *reason(const struct sw_oddity *o)
{
    return o->number == SMTP_OPAQUE_TURNED
               ? "the two sides changed places: the server sends and the client receives"
               : "the dialogue is inside the encryption that the login agreed upon";
}

bool sw_rule_unread(const struct sw_case *c, struct sw_ruling *ruling)
{
    const struct sw_oddity *o = sw_case_oddity(c, SMTP_ODD_OPAQUE);
    if (!o || c->any_message_counts)
        return false;
    *ruling = (struct sw_ruling){
        .cause = SW_CAUSE_UNK_INCOMPLETE,
        .outcome = SW_OUTCOME_UNKNOWN,
        .confidence = SW_CONFIDENCE_POSSIBLE,
        .stage = c->session->authenticated ? SW_STAGE_AUTH : SW_STAGE_HELLO,
    };
    sw_ruling_prove(ruling, o->mark, o->from == SW_SERVER ? SW_ORIGIN_SERVER : SW_ORIGIN_CLIENT,
                    "from here on the dialogue cannot be read");
    sw_ruling_prove(ruling, c->facts->last, SW_ORIGIN_NETWORK, "last packet of the connection");
    return true;
}

/* What was not kept may be the very line that decides. */
bool sw_rule_capped(const struct sw_case *c, struct sw_ruling *ruling)
{
    if (!c->capped)
        return false;
    const struct sw_step *last = c->session->last_reply;
    *ruling = (struct sw_ruling){
        .cause = SW_CAUSE_UNK_INCOMPLETE,
        .outcome = SW_OUTCOME_UNKNOWN,
        .confidence = SW_CONFIDENCE_CERTAIN,
        .stage = last ? sw_stage_of_phase(last->phase) : SW_STAGE_GREETING,
    };
    if (last)
        sw_ruling_prove_step(ruling, last, "the last reply that was kept");
    sw_ruling_prove(ruling, c->facts->last, SW_ORIGIN_NETWORK, "last packet of the connection");
    return true;
}

void sw_unread_tell(const struct sw_case *c, struct sw_prose *story)
{
    const struct sw_oddity *o = sw_case_oddity(c, SMTP_ODD_OPAQUE);
    if (o)
        sw_prose_add(story, " From frame %s on %s; that was not read.",
                     sw_prose_frame(story, o->mark.frame), reason(o));
}

/*
 * A server that recites its answers before it is asked (a script, a trap for spam): a 354 to no
 * DATA, or several confirmations, when the client has not said a word and nothing is missing. What
 * it says is no answer to what the client sends later. NULL: it does not.
 */
static const struct sw_step *recited(const struct sw_case *c)
{
    const struct sw_half_facts *half = c->facts->half;
    bool lost = half[SW_CLIENT].gap_bytes + half[SW_CLIENT].truncated_bytes > 0 || c->reply_lost;
    if (!c->complete_start || lost || !c->client_seen || !c->server_seen)
        return NULL;
    unsigned confirmations = 0;
    const struct sw_step *s;
    SW_EACH(s, c->session->steps) {
        if (s->from == SW_CLIENT)
            break;
        bool unasked = s != c->session->greeting && !s->command;
        confirmations += unasked && sw_reply_is(s, 2) && s->code != 220 && s->code != 221;
        if ((unasked && s->code == 354) || confirmations > 1)
            return s;
    }
    return NULL;
}

bool sw_case_recites(const struct sw_case *c)
{
    return recited(c) != NULL;
}

bool sw_rule_recited(const struct sw_case *c, struct sw_ruling *ruling)
{
    const struct sw_step *early = recited(c);
    if (!early || !c->session->messages)
        return false;
    *ruling = (struct sw_ruling){
        .cause = SW_CAUSE_UNK_INCOMPLETE,
        .outcome = SW_OUTCOME_UNKNOWN,
        .confidence = SW_CONFIDENCE_CERTAIN,
        .stage = SW_STAGE_GREETING,
    };
    sw_ruling_prove_step(ruling, early, "an answer before any question");
    if (c->session->last_command)
        sw_ruling_prove_step(ruling, c->session->last_command,
                             "last command of the client, behind all answers");
    return true;
}
