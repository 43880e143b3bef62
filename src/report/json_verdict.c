/*
 * json_verdict.c - what the session means: verdict and findings.
 */
#include "analyzer/client_code.h"
#include "report/json.h"

/* They depend on the cause alone. */
static uint8_t *add_client_codes(struct sw_json_line *line, uint8_t *at)
{
    struct sw_json *json = &line->json;
    enum sw_cause cause = line->verdict->cause;
    struct sw_span *kept = &line->memo.client_codes[cause];
    if (!line->verdict->has_client_codes)
        return SW_JSON_LITERAL(at, ",\"client_codes\":[]");
    if (kept->len > 0)
        return sw_json_add_copy(json, at, *kept);
    const struct sw_json_passage passage = sw_json_passage(json, at);
    const struct sw_client_code *code = NULL;
    at = SW_JSON_LITERAL(at, ",\"client_codes\":[");
    while ((code = sw_client_code_next(cause, code))) {
        at = SW_JSON_LITERAL(at, "{\"client\":");
        at = sw_json_add_string(json, at, NULL, sw_span_str(code->client));
        at = SW_JSON_MEMBER(at, "code");
        at = sw_json_add_string(json, at, NULL, sw_span_str(code->code));
        at = SW_JSON_LITERAL(at, "},");
    }
    at = sw_json_end_list(at);
    sw_json_keep(json, &passage, at, kept);
    return at;
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

/* Is it that of the cause, with nothing in it that is about this session? */
static bool is_usual_advice(const struct sw_verdict *verdict)
{
    const char *const *usual = sw_cause_wording(verdict->cause)->advice;
    const char *const *advice = verdict->advice;
    while (*advice && *advice == *usual) {
        advice++;
        usual++;
    }
    return !*advice && !*usual;
}

static uint8_t *add_advice(struct sw_json_line *line, uint8_t *at)
{
    const struct sw_verdict *v = line->verdict;
    struct sw_json *json = &line->json;
    struct sw_span *kept = &line->memo.advice[v->cause];
    if (!v->advice || !v->advice[0])
        return SW_JSON_LITERAL(at, ",\"advice\":[]");
    bool usual = is_usual_advice(v);
    if (usual && kept->len > 0)
        return sw_json_add_copy(json, at, *kept);
    const struct sw_json_passage passage = sw_json_passage(json, at);
    at = SW_JSON_LITERAL(at, ",\"advice\":[");
    for (const char *const *advice = v->advice; *advice; advice++) {
        at = sw_json_add_string(json, at, NULL, sw_span_str(*advice));
        *at++ = ',';
    }
    at = sw_json_end_list(at);
    if (usual)
        sw_json_keep(json, &passage, at, kept);
    return at;
}

/* Security to confidence as one number. */
static uint64_t ruling_words(const struct sw_verdict *v)
{
    _Static_assert(SW_OUTCOME_COUNT < 16 && SW_PERMANENCE_COUNT < 16, "four bits hold them");
    return (uint64_t)v->security | (uint64_t)v->outcome << 8 | (uint64_t)v->permanence << 12 |
           (uint64_t)v->stage << 16 | (uint64_t)v->actor << 32 | (uint64_t)v->confidence << 48;
}

/* From "security" on all words that are one of a few; sessions with the same cause mostly have the
 * same. */
static uint8_t *add_ruling(struct sw_json_line *line, uint8_t *at)
{
    const struct sw_verdict *v = line->verdict;
    struct sw_json *json = &line->json;
    struct sw_span *kept = &line->memo.rulings[v->cause];
    uint64_t words = ruling_words(v);
    if (kept->len > 0 && words == line->memo.ruling_words[v->cause])
        return sw_json_add_copy(json, at, *kept);
    const struct sw_json_passage passage = sw_json_passage(json, at);
    at = sw_json_add_word(SW_JSON_MEMBER(at, "security"), sw_security_name(v->security));
    at = sw_json_add_word(SW_JSON_MEMBER(at, "outcome"), sw_outcome_name(v->outcome));
    at = SW_JSON_LITERAL(at, ",\"verdict\":{\"cause\":");
    at = sw_json_add_word(at, sw_cause_name(v->cause));
    at = sw_json_add_word(SW_JSON_MEMBER(at, "stage"), sw_stage_name(v->stage));
    at = sw_json_add_word(SW_JSON_MEMBER(at, "permanence"), sw_permanence_name(v->permanence));
    at = sw_json_add_word(SW_JSON_MEMBER(at, "actor"), sw_actor_name(v->actor));
    at = sw_json_add_word(SW_JSON_MEMBER(at, "confidence"), sw_confidence_name(v->confidence));
    sw_json_keep(json, &passage, at, kept);
    line->memo.ruling_words[v->cause] = words;
    return at;
}

uint8_t *sw_json_line_verdict(struct sw_json_line *line, uint8_t *at)
{
    const struct sw_verdict *v = line->verdict;
    at = SW_JSON_MEMBER(at, "protocol");
    at = v->protocol ? sw_json_add_string(&line->json, at, NULL, sw_span_str(v->protocol))
                     : SW_JSON_LITERAL(at, "null");
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

/* All of a finding but its frame. Most have the usual summary, which names nobody. */
static uint8_t *add_finding(struct sw_json_line *line, uint8_t *at, const struct sw_finding *f)
{
    struct sw_json *json = &line->json;
    struct sw_span *kept = &line->memo.findings[f->id];
    bool usual = f->summary == sw_finding_wording(f->id)->summary &&
                 f->severity == sw_finding_info(f->id)->severity && !line->part->veil.on;
    if (usual && kept->len > 0)
        return sw_json_add_copy(json, at, *kept);
    const struct sw_json_passage passage = sw_json_passage(json, at);
    at = SW_JSON_LITERAL(at, "{\"id\":");
    at = sw_json_add_word(at, sw_finding_info(f->id)->id);
    at = sw_json_add_word(SW_JSON_MEMBER(at, "severity"), sw_severity_name(f->severity));
    at = SW_JSON_MEMBER(at, "summary");
    at = sw_json_line_add_prose(line, at, "summary", f->summary);
    at = SW_JSON_MEMBER(at, "frame");
    if (usual)
        sw_json_keep(json, &passage, at, kept);
    return at;
}

uint8_t *sw_json_line_findings(struct sw_json_line *line, uint8_t *at)
{
    const struct sw_finding *f;
    at = SW_JSON_LITERAL(at, ",\"findings\":[");
    SW_EACH(f, line->verdict->findings) {
        at = add_finding(line, at, f);
        at = sw_json_add_frame(&line->json, at, "frame", f->frame);
        at = SW_JSON_LITERAL(at, "},");
    }
    return sw_json_end_list(at);
}
