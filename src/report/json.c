#include "report/json.h"

#include "analyzer/client_code.h"

struct json_state {
    struct sw_json_line line;
    uint8_t nowhere[SW_WRITER_AT_ONCE];
};

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

uint8_t *sw_json_line_add_reply(struct sw_json_line *line, uint8_t *at, const struct sw_step *reply)
{
    if (!reply)
        return SW_JSON_LITERAL(at, "\"code\":null,\"enhanced\":null,\"text\":null");
    at = sw_json_add_some(SW_JSON_LITERAL(at, "\"code\":"), reply->code);
    at = add_enhanced(SW_JSON_MEMBER(at, "enhanced"), reply->enhanced);
    return sw_json_line_add_wire(line, SW_JSON_MEMBER(at, "text"), "text", reply->text);
}

static uint8_t *add_client_codes(struct sw_json_line *line, uint8_t *at)
{
    struct sw_json *json = &line->json;
    const struct sw_client_code *code = NULL;
    at = SW_JSON_LITERAL(at, ",\"client_codes\":[");
    while (line->verdict->has_client_codes &&
           (code = sw_client_code_next(line->verdict->cause, code))) {
        at = SW_JSON_LITERAL(at, "{\"client\":");
        at = sw_json_add_string(json, at, NULL, sw_span_str(code->client));
        at = SW_JSON_MEMBER(at, "code");
        at = sw_json_add_string(json, at, NULL, sw_span_str(code->code));
        at = SW_JSON_LITERAL(at, "},");
    }
    return sw_json_end_list(at);
}

static uint8_t *add_evidence(struct sw_json_line *line, uint8_t *at)
{
    struct sw_json *json = &line->json;
    const struct sw_evidence *e;
    at = SW_JSON_LITERAL(at, ",\"evidence\":[");
    SW_EACH(e, line->verdict->evidence) {
        at = SW_JSON_LITERAL(at, "{\"frame\":");
        at = sw_json_add_frame(json, at, "frame", e->mark.frame);
        at = SW_JSON_MEMBER(at, "time");
        at = sw_json_add_time(json, at, e->mark.frame ? e->mark.time_ns : SW_TIME_NONE,
                              line->session->facts->time_digits);
        at = SW_JSON_MEMBER(at, "from");
        at = sw_json_add_word(at, sw_origin_name(e->from));
        at = SW_JSON_MEMBER(at, "what");
        at = sw_json_line_add_prose(line, at, "what", e->what);
        at = SW_JSON_LITERAL(at, "},");
    }
    return sw_json_end_list(at);
}

static uint8_t *add_also(struct sw_json_line *line, uint8_t *at)
{
    const struct sw_also *also;
    at = SW_JSON_LITERAL(at, ",\"also\":[");
    SW_EACH(also, line->verdict->also) {
        at = SW_JSON_LITERAL(sw_json_go_on(&line->json, at), "{\"cause\":");
        at = sw_json_add_word(at, sw_cause_name(also->cause));
        at = SW_JSON_MEMBER(at, "confidence");
        at = sw_json_add_word(at, sw_confidence_name(also->confidence));
        at = SW_JSON_MEMBER(at, "frame");
        at = sw_json_add_frame(&line->json, at, "frame", also->frame);
        at = SW_JSON_LITERAL(at, "},");
    }
    return sw_json_end_list(at);
}

static uint8_t *add_advice(struct sw_json_line *line, uint8_t *at)
{
    at = SW_JSON_LITERAL(at, ",\"advice\":[");
    for (const char *const *advice = line->verdict->advice; advice && *advice; advice++) {
        at = sw_json_add_string(&line->json, at, NULL, sw_span_str(*advice));
        *at++ = ',';
    }
    return sw_json_end_list(at);
}

/* What stands behind "verdict": all words that are one of a few. */
static uint8_t *add_ruling(struct sw_json_line *line, uint8_t *at)
{
    const struct sw_verdict *v = line->verdict;
    at = SW_JSON_MEMBER(at, "protocol");
    at = v->protocol ? sw_json_add_string(&line->json, at, NULL, sw_span_str(v->protocol))
                     : SW_JSON_LITERAL(at, "null");
    at = SW_JSON_MEMBER(at, "security");
    at = sw_json_add_word(at, sw_security_name(v->security));
    at = SW_JSON_MEMBER(at, "outcome");
    at = sw_json_add_word(at, sw_outcome_name(v->outcome));
    at = SW_JSON_LITERAL(at, ",\"verdict\":{\"cause\":");
    at = sw_json_add_word(at, sw_cause_name(v->cause));
    at = SW_JSON_MEMBER(at, "stage");
    at = sw_json_add_word(at, sw_stage_name(v->stage));
    at = SW_JSON_MEMBER(at, "permanence");
    at = sw_json_add_word(at, sw_permanence_name(v->permanence));
    at = SW_JSON_MEMBER(at, "actor");
    at = sw_json_add_word(at, sw_actor_name(v->actor));
    at = SW_JSON_MEMBER(at, "confidence");
    return sw_json_add_word(at, sw_confidence_name(v->confidence));
}

static uint8_t *add_verdict(struct sw_json_line *line, uint8_t *at)
{
    const struct sw_verdict *v = line->verdict;
    at = add_ruling(line, at);
    at = SW_JSON_MEMBER(at, "summary");
    at = sw_json_line_add_prose(line, at, "summary", v->summary);
    at = SW_JSON_MEMBER(at, "explanation");
    at = sw_json_line_add_prose(line, at, "explanation", v->explanation);
    at = add_client_codes(line, add_advice(line, at));
    at = add_evidence(line, at);
    if (v->reply) {
        at = sw_json_line_add_reply(line, SW_JSON_LITERAL(at, ",\"reply\":{"), v->reply);
        at = SW_JSON_LITERAL(at, "}");
    } else {
        at = SW_JSON_LITERAL(at, ",\"reply\":null");
    }
    return SW_JSON_LITERAL(add_also(line, at), "}");
}

static uint8_t *add_findings(struct sw_json_line *line, uint8_t *at)
{
    const struct sw_finding *f;
    at = SW_JSON_LITERAL(at, ",\"findings\":[");
    SW_EACH(f, line->verdict->findings) {
        at = SW_JSON_LITERAL(at, "{\"id\":");
        at = sw_json_add_word(at, sw_finding_info(f->id)->id);
        at = SW_JSON_MEMBER(at, "severity");
        at = sw_json_add_word(at, sw_severity_name(f->severity));
        at = SW_JSON_MEMBER(at, "summary");
        at = sw_json_line_add_prose(line, at, "summary", f->summary);
        at = SW_JSON_MEMBER(at, "frame");
        at = sw_json_add_frame(&line->json, at, "frame", f->frame);
        at = SW_JSON_LITERAL(at, "},");
    }
    return sw_json_end_list(at);
}

/* What identifies the session. A Community ID could be looked up from guessed addresses, so the
 * veil hides it. */
static uint8_t *add_identity(struct sw_json_line *line, uint8_t *at)
{
    enum { ID_BYTES = 17 };
    char id[ID_BYTES];
    sw_veil_id(&line->part->veil, line->session->id, id);
    at = SW_JSON_LITERAL(at, "{\"type\":\"session\",\"schema\":1,\"id\":");
    at = sw_json_add_word(at, id);
    bool known = line->session->community_id[0] && !line->part->veil.on;
    at = SW_JSON_MEMBER(at, "community_id");
    return sw_json_add_word(at, known ? line->session->community_id : NULL);
}

static uint8_t *add_times(struct sw_json_line *line, uint8_t *at)
{
    const struct sw_flow_facts *facts = line->session->facts;
    at = SW_JSON_MEMBER(at, "start");
    at = sw_json_add_time(&line->json, at, facts->first.time_ns, facts->time_digits);
    at = SW_JSON_MEMBER(at, "end");
    at = sw_json_add_time(&line->json, at, facts->last.time_ns, facts->time_digits);
    at = SW_JSON_MEMBER(at, "duration_s");
    return sw_json_add_seconds(at, sw_view_since(facts->first.time_ns, facts->last.time_ns));
}

static uint8_t *end_line(struct sw_json_line *line, uint8_t *at)
{
    (void)line;
    return SW_JSON_LITERAL(at, "}\n");
}

/* A record from its beginning to its end. */
static uint8_t *(*const members[])(struct sw_json_line *line, uint8_t *at) = {
    add_identity,
    sw_json_line_capture,
    add_times,
    sw_json_line_ends,
    add_verdict,
    sw_json_line_messages,
    sw_json_line_dialogue,
    sw_json_line_capabilities,
    sw_json_line_auth,
    sw_json_line_tls,
    sw_json_line_tcp,
    sw_json_line_quality,
    add_findings,
    end_line,
};

static struct sw_span file_of(const void *ctx, uint64_t frame)
{
    const struct sw_json_line *line = ctx;
    return sw_view_file(sw_session_file_of(line->session, frame), &line->part->veil);
}

static void open_json(struct sw_part *part)
{
    struct json_state *state = part->state;
    sw_json_begin(&state->line.json, part->out);
    state->line.part = part;
    state->line.json.nowhere = state->nowhere;
    state->line.json.file_ctx = &state->line;
}

static void put_session(struct sw_part *part, const struct sw_session *session,
                        const struct sw_verdict *verdict)
{
    struct json_state *state = part->state;
    struct sw_json_line *line = &state->line;
    struct sw_json *json = &line->json;
    line->session = session;
    line->verdict = verdict;
    json->file_of = session->file_count > 1 ? file_of : NULL;
    uint8_t *at = sw_json_run(json);
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
        at = members[i](line, at);
    sw_json_done(json, at);
    json->more = false; /* the next line begins */
}

const struct sw_report_format sw_report_json = {
    .name = "json",
    .what = "JSON Lines: one object for each session, each delivery, and one for the summary",
    .general = true,
    .state_bytes = sizeof(struct json_state),
    .open = open_json,
    .session = put_session,
    .delivery = sw_json_delivery,
    .summary = sw_json_summary,
};
