#include "report/json.h"

#include "analyzer/client_code.h"

/* "2.1.0", or null without one. */
static uint8_t *add_enhanced(uint8_t *at, struct smtp_enhanced enhanced)
{
    if (!enhanced.klass)
        return SW_JSON_LITERAL(at, "null");
    *at++ = '"';
    at = sw_json_add_number(at, enhanced.klass);
    *at++ = '.';
    at = sw_json_add_number(at, enhanced.subject);
    *at++ = '.';
    at = sw_json_add_number(at, enhanced.detail);
    *at++ = '"';
    return at;
}

void sw_json_line_reply_members(struct sw_json_line *line, const struct sw_step *reply)
{
    enum { BYTES = sizeof("null,\"enhanced\":\"..\"") + 4 * SW_DIGITS };
    struct sw_json *json = &line->json;
    if (!reply) {
        sw_json_literal(json, "code", SW_JSON_TEXT("null,\"enhanced\":null,\"text\":null"));
        return;
    }
    uint8_t *at = sw_json_key(json, "code", BYTES);
    if (!at)
        return;
    at = sw_json_add_some(at, reply->code);
    at = SW_JSON_LITERAL(at, ",\"enhanced\":");
    sw_json_done(json, add_enhanced(at, reply->enhanced));
    sw_json_line_wire(line, "text", reply->text);
}

void sw_json_line_reply(struct sw_json_line *line, const char *key, const struct sw_step *reply,
                        bool with_frame)
{
    if (!reply) {
        sw_json_null(&line->json, key);
        return;
    }
    sw_json_object(&line->json, key);
    sw_json_line_reply_members(line, reply);
    if (with_frame)
        sw_json_frame(&line->json, "frame", reply->first.frame);
    sw_json_end_object(&line->json);
}

static void put_client_codes(struct sw_json_line *line)
{
    struct sw_json *json = &line->json;
    sw_json_array(json, "client_codes");
    const struct sw_client_code *code = NULL;
    while (line->verdict->has_client_codes &&
           (code = sw_client_code_next(line->verdict->cause, code))) {
        sw_json_object(json, NULL);
        sw_json_text(json, "client", code->client);
        sw_json_text(json, "code", code->code);
        sw_json_end_object(json);
    }
    sw_json_end_array(json);
}

static void put_evidence(struct sw_json_line *line)
{
    struct sw_json *json = &line->json;
    const struct sw_evidence *e;
    sw_json_array(json, "evidence");
    SW_EACH(e, line->verdict->evidence) {
        sw_json_object(json, NULL);
        sw_json_frame(json, "frame", e->mark.frame);
        sw_json_time(json, "time", e->mark.frame ? e->mark.time_ns : SW_TIME_NONE,
                     line->session->facts->time_digits);
        sw_json_word(json, "from", sw_origin_name(e->from));
        sw_json_line_prose(line, "what", e->what);
        sw_json_end_object(json);
    }
    sw_json_end_array(json);
}

static void put_also(struct sw_json_line *line)
{
    struct sw_json *json = &line->json;
    const struct sw_also *also;
    sw_json_array(json, "also");
    SW_EACH(also, line->verdict->also) {
        sw_json_object(json, NULL);
        sw_json_word(json, "cause", sw_cause_name(also->cause));
        sw_json_word(json, "confidence", sw_confidence_name(also->confidence));
        sw_json_frame(json, "frame", also->frame);
        sw_json_end_object(json);
    }
    sw_json_end_array(json);
}

static void put_verdict(struct sw_json_line *line)
{
    struct sw_json *json = &line->json;
    const struct sw_verdict *v = line->verdict;
    sw_json_object(json, "verdict");
    sw_json_word(json, "cause", sw_cause_name(v->cause));
    sw_json_word(json, "stage", sw_stage_name(v->stage));
    sw_json_word(json, "permanence", sw_permanence_name(v->permanence));
    sw_json_word(json, "actor", sw_actor_name(v->actor));
    sw_json_word(json, "confidence", sw_confidence_name(v->confidence));
    sw_json_line_prose(line, "summary", v->summary);
    sw_json_line_prose(line, "explanation", v->explanation);
    sw_json_array(json, "advice");
    for (const char *const *advice = v->advice; advice && *advice; advice++)
        sw_json_text(json, NULL, *advice);
    sw_json_end_array(json);
    put_client_codes(line);
    put_evidence(line);
    sw_json_line_reply(line, "reply", v->reply, false);
    put_also(line);
    sw_json_end_object(json);
}

static void put_findings(struct sw_json_line *line)
{
    struct sw_json *json = &line->json;
    const struct sw_finding *f;
    sw_json_array(json, "findings");
    SW_EACH(f, line->verdict->findings) {
        sw_json_object(json, NULL);
        sw_json_word(json, "id", sw_finding_info(f->id)->id);
        sw_json_word(json, "severity", sw_severity_name(f->severity));
        sw_json_line_prose(line, "summary", f->summary);
        sw_json_frame(json, "frame", f->frame);
        sw_json_end_object(json);
    }
    sw_json_end_array(json);
}

/* What identifies the session. A Community ID could be looked up from guessed addresses, so the
 * veil hides it. */
static void put_identity(struct sw_json_line *line)
{
    struct sw_json *json = &line->json;
    char id[17];
    sw_veil_id(&line->part->veil, line->session->id, id);
    sw_json_word(json, "type", "session");
    sw_json_number(json, "schema", 1);
    sw_json_word(json, "id", id);
    bool known = line->session->community_id[0] && !line->part->veil.on;
    sw_json_word(json, "community_id", known ? line->session->community_id : NULL);
}

static void put_times(struct sw_json_line *line)
{
    const struct sw_flow_facts *facts = line->session->facts;
    sw_json_time(&line->json, "start", facts->first.time_ns, facts->time_digits);
    sw_json_time(&line->json, "end", facts->last.time_ns, facts->time_digits);
    sw_json_seconds(&line->json, "duration_s",
                    sw_view_since(facts->first.time_ns, facts->last.time_ns));
}

static struct sw_span file_of(const void *ctx, uint64_t frame)
{
    const struct sw_json_line *line = ctx;
    return sw_view_file(sw_session_file_of(line->session, frame), &line->part->veil);
}

static void put_session(struct sw_part *part, const struct sw_session *session,
                        const struct sw_verdict *verdict)
{
    struct sw_json_line line = {.part = part, .session = session, .verdict = verdict};
    struct sw_json *json = &line.json;
    sw_json_begin(json, part->out);
    if (session->file_count > 1) {
        json->file_of = file_of;
        json->file_ctx = &line;
    }
    sw_json_object(json, NULL);
    put_identity(&line);
    sw_json_line_capture(&line);
    put_times(&line);
    sw_json_line_ends(&line);
    sw_json_text(json, "protocol", verdict->protocol);
    sw_json_word(json, "security", sw_security_name(verdict->security));
    sw_json_word(json, "outcome", sw_outcome_name(verdict->outcome));
    put_verdict(&line);
    sw_json_line_messages(&line);
    sw_json_line_dialogue(&line);
    sw_json_line_capabilities(&line);
    sw_json_line_auth(&line);
    sw_json_line_tls(&line);
    sw_json_line_tcp(&line);
    sw_json_line_quality(&line);
    put_findings(&line);
    sw_json_end_object(json);
    sw_json_end_line(json);
}

const struct sw_report_format sw_report_json = {
    .name = "json",
    .what = "JSON Lines: one object for each session, each delivery, and one for the summary",
    .general = true,
    .session = put_session,
    .delivery = sw_json_delivery,
    .summary = sw_json_summary,
};
